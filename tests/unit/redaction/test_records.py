"""Each part of a record passes the seam: what must not leave stays, the rest is as it was."""

from __future__ import annotations

import math
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from airflow_provider_pipeline_otel.config import Redaction
from airflow_provider_pipeline_otel.export.encoding import encode_span
from airflow_provider_pipeline_otel.export.redaction import Redactor, use_secrets_of
from airflow_provider_pipeline_otel.record import Event, Link, SpanRecord, StatusCode

if TYPE_CHECKING:
    from collections.abc import Iterator

MAIL = "jane@example.com"
STACK = """Traceback (most recent call last):
  File "/opt/airflow/dags/etl.py", line 42, in extract
    load(row, "jane@example.com")
  File "/opt/airflow/dags/etl.py", line 7, in load
    raise ValueError(f"bad row {row}")
ValueError: bad row ('Jane', 'jane@example.com')
"""


def record(**fields: Any) -> SpanRecord:
    """Return a record with these fields."""
    given = {"name": "n", "start_ns": 1, "end_ns": 2} | fields
    return SpanRecord(bytes(16), bytes(8), b"", **given)


def attributes(values: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Return what is left of a span's attributes."""
    redactor = Redactor(Redaction(**options))
    return dict(redactor.redact(record(attributes=values)).attributes)


def test_the_usual_span_passes_without_a_copy() -> None:
    """Once its texts are known."""
    usual = record(attributes={"a": 1, "b": "orders", "c": True, "d": 0.5})
    redactor = Redactor()
    redactor.redact(usual)
    assert redactor.redact(usual).attributes is usual.attributes


def test_every_part_is_looked_at() -> None:
    """Names, values, items of lists, events, links, status."""
    dirty = record(
        name=f"load {MAIL}",
        attributes={
            "text": MAIL,
            "list": ["a", MAIL],
            "nested": {"deep": [{"x": MAIL}]},
            "bytes": MAIL.encode(),
            f"key of {MAIL}": 1,
            "card": 4111111111111111,
        },
        events=(Event(f"event {MAIL}", 1, {"e": MAIL}),),
        links=(Link(bytes(16), bytes(8), {"l": MAIL}),),
        status=StatusCode.OK,
        status_message=MAIL,
    )
    encoded = encode_span(Redactor().redact(dirty))
    assert b"jane" not in encoded
    assert b"4111111111111111" not in encoded


def test_the_value_behind_a_secret_name_goes_whatever_it_is() -> None:
    """A word that nobody could know for a secret, too."""
    left = attributes(
        {"db.password": 1234, "api_key": ["a", "b"], "token": "t", "app.user": "u", "key": "k"}
    )
    assert left == {
        "db.password": "[secret]",
        "api_key": "[secret]",
        "token": "[secret]",
        "app.user": "u",
        "key": "k",
    }


def test_an_allowed_key_is_one_like_others() -> None:
    """Its value is looked at all the same."""
    allowed = {"allowed_keys": frozenset({"page_token", "mail_token"})}
    left = attributes({"page_token": "7", "mail_token": MAIL}, **allowed)
    assert left == {"page_token": "7", "mail_token": "[email]"}


def test_own_patterns_are_applied() -> None:
    """In attributes and messages."""
    options = {"patterns": (re.compile(r"CUST-\d+"),)}
    assert attributes({"a": "for CUST-4711"}, **options) == {"a": "for [redacted]"}


@pytest.fixture
def known() -> Iterator[list[re.Pattern[str]]]:
    """What Airflow knows of secrets, to be added to."""
    known: list[re.Pattern[str]] = []
    use_secrets_of(lambda: tuple(known))
    yield known
    use_secrets_of(tuple)


def test_airflows_secrets_go_even_if_they_are_learnt_late(known: list[re.Pattern[str]]) -> None:
    """A text that was clean a moment ago is not, once its word is known as a secret."""
    redactor = Redactor()
    before = record(attributes={"a": "hunter2 is here"})
    assert redactor.redact(before).attributes == {"a": "hunter2 is here"}
    known.append(re.compile("hunter2"))
    assert redactor.redact(before).attributes == {"a": "*** is here"}
    assert redactor.take_counts()["secret of Airflow"]


def exception(text: str = f"no user {MAIL}", stack: str = STACK) -> SpanRecord:
    """Return what the SDK makes of an exception."""
    event = Event(
        "exception",
        1,
        {
            "exception.type": "ValueError",
            "exception.message": text,
            "exception.stacktrace": stack,
            "exception.escaped": "False",
        },
    )
    return record(status=StatusCode.ERROR, status_message=f"ValueError: {text}", events=(event,))


def test_an_exception_keeps_its_words_and_frames() -> None:
    """Without values: neither of the message nor of the lines of code."""
    redacted = Redactor().redact(exception())
    (event,) = redacted.events
    assert redacted.status_message == "ValueError: no user [email]"
    assert event.attributes["exception.message"] == "no user [email]"
    stack = str(event.attributes["exception.stacktrace"])
    assert 'File "/opt/airflow/dags/etl.py", line 42, in extract' in stack
    assert "jane" not in stack.lower()
    assert "ValueError: bad row ([value])" in stack


def test_of_an_exception_the_class_alone_may_be_wanted() -> None:
    """Nothing of its text."""
    redacted = Redactor(Redaction(exception_message="type_only")).redact(exception())
    assert redacted.status_message == "ValueError"
    assert redacted.events[0].attributes == {
        "exception.type": "ValueError",
        "exception.escaped": "False",
    }


def test_exceptions_may_be_unwanted() -> None:
    """The status says that there was an error."""
    redacted = Redactor(Redaction(exception_message="off")).redact(exception())
    assert (redacted.status, redacted.status_message) == (StatusCode.ERROR, "")
    assert redacted.events == ()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Jane", "[value]"),
        ("Jane Doe", "[value]"),
        ("ValueError: Jane", "ValueError: [value]"),
        ("4711987", "[value]"),
        ("canary-5e1f0c7d-must-not-leak", "[value]"),
        ("no such order: ORD-j8Psd7101", "no such order: [value]"),
        ("list index out of range", "list index out of range"),
        ("division by zero", "division by zero"),
        ("No module named 'pandas'", "No module named 'pandas'"),
        (
            "'DataFrame' object has no attribute 'apend'",
            "'DataFrame' object has no attribute 'apend'",
        ),
        ("[Errno 2] No such file or directory: '/data/a.csv'",) * 2,
        ("cannot import name 'x' from 'y.z' (/opt/y/z.py)",) * 2,
        ("KeyError: 'amount'", "KeyError: '[value]'"),
        ("Bash command failed. The command returned a non-zero exit code 1.",) * 2,
        ("could not connect to db-1.internal:5432 after 3 attempts",) * 2,
        ("ORA-01653: unable to extend table SHOP.ORDERS",) * 2,
        ("Pod etl-7d9f8b6c5d-x2x4q is in phase Failed",) * 2,
    ],
)
def test_a_message_keeps_its_words_and_loses_its_values(text: str, left: str) -> None:
    """Also where it is nothing but a value."""
    redacted = Redactor().redact(exception(text))
    assert redacted.events[0].attributes["exception.message"] == left


def test_what_was_taken_out_is_counted_by_kind() -> None:
    """Once for each place."""
    redactor = Redactor()
    redactor.redact(record(attributes={"a": f"{MAIL} and {MAIL}", "password": "x"}))
    assert redactor.take_counts() == {"email": 2, "secret": 1}
    assert not redactor.take_counts()


@pytest.mark.parametrize(
    ("value", "mended"),
    [
        ("a\x00b", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (2**70, 2**70),
        ([1, math.nan], [1, "nan"]),
        ([[[[[[[[1]]]]]]]], [[[[[["list"]]]]]]),
        (
            {"a": {"a": {"a": {"a": {"a": {"a": {"a": 1}}}}}}},
            {"a": {"a": {"a": {"a": {"a": {"a": "dict"}}}}}},
        ),
    ],
)
def test_what_breaks_encoders_and_backends_is_mended(value: Any, mended: Any) -> None:
    """One bad value must not cost the span, nor the batch."""
    left = attributes({"a": value})
    assert left == {"a": mended}
    encoded = encode_span(record(attributes=left))
    Span.FromString(encoded)


def test_a_value_that_holds_itself_is_cut_off() -> None:
    """Where it gets too deep."""
    endless: dict[str, Any] = {}
    endless["again"] = endless
    encode_span(record(attributes=attributes({"a": endless})))


def test_none_is_left_out() -> None:
    """Backends show it in odd ways."""
    assert attributes({"a": None, "b": 1}) == {"b": 1}


@pytest.mark.parametrize(("start", "end"), [(-5, 2), (1, 2**80), (2**90, 2**91)])
def test_times_out_of_range_are_brought_back(start: int, end: int) -> None:
    """A clock that is off by ages must not cost a batch."""
    mended = Redactor().redact(record(start_ns=start, end_ns=end))
    Span.FromString(encode_span(mended))


def test_long_texts_are_cut() -> None:
    """And say so."""
    left = attributes({"a": "word " * 10_000}, value_length=1000)["a"]
    assert len(left) <= 1001
    assert left.endswith("…")


def test_a_secret_on_a_cut_does_not_survive_it() -> None:
    """Neither whole nor in part, wherever the cut is."""
    for place in range(60, 130):
        text = "x " * (place // 2) + "x" * (place % 2) + " 4111 1111 1111 1111 " + MAIL + "y " * 500
        left = attributes({"a": text}, value_length=100)["a"]
        assert "4111" not in left
        assert "jane" not in left


@pytest.mark.parametrize(
    "hostile",
    [
        "a" * 1_048_576,
        "a@" * 524_288,
        "a." * 524_288,
        "'" * 1_048_576,
        "\\" * 1_048_576 + "'",
        '"a' * 524_288,
        "(" * 1_048_576,
        "4 " * 524_288,
        "select " * 149_796,
        "password=" * 116_508,
        "Key (" * 209_715,
        "Key (a)=(" * 116_508,
        "-----BEGIN PRIVATE KEY-----" * 38_836,
        "eyJ" + "a." * 524_288,
        "://" * 349_525,
        "http://a:" * 116_508,
        "curl " * 209_715,
        "Digest a=" * 116_508,
        "DE00" * 262_144,
        "$a$" * 349_525,
        "\n" * 1_048_576,
        "COPY a, line 1: " * 65_536,
        "[parameters: " * 80_659,
        "%40" * 349_525,
        "+49" * 349_525,
        "::" * 524_288,
    ],
    ids=lambda text: repr(text[:20]),
)
def test_no_text_is_slow(hostile: str) -> None:
    """A mebibyte of the worst, as value, message and stack trace."""
    event = Event("exception", 1, {"exception.message": hostile, "exception.stacktrace": hostile})
    began = time.process_time()
    options = Redaction(ip_addresses=True, phone_numbers=True)
    Redactor(options).redact(record(attributes={"a": hostile}, events=(event,)))
    assert time.process_time() - began < 5, "some 0.1 s are usual; a catastrophe takes minutes"


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )
)
def test_any_value_can_be_sent(value: Any) -> None:
    """Whatever somebody puts into a span."""
    redacted = Redactor().redact(record(attributes={"a": value}))
    Span.FromString(encode_span(redacted))
