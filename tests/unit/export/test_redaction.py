"""No text of an exception gets past the seam."""

from __future__ import annotations

from airflow_provider_pipeline_otel.export.redaction import redact
from airflow_provider_pipeline_otel.record import Event, SpanRecord, StatusCode

CANARY = "jane@example.com"


def record(**fields: object) -> SpanRecord:
    """Return a record with these fields."""
    return SpanRecord(bytes(16), bytes(8), b"", "n", 1, 2, **fields)  # type: ignore[arg-type]


def test_an_exception_event_keeps_its_class_alone() -> None:
    """Message and traceback stay in the process; other attributes don't matter."""
    event = Event(
        "exception",
        1,
        {
            "exception.type": "ValueError",
            "exception.message": CANARY,
            "exception.stacktrace": CANARY,
            "exception.escaped": "False",
        },
    )
    (kept,) = redact(record(events=(event,))).events
    assert kept.attributes == {"exception.type": "ValueError", "exception.escaped": "False"}


def test_a_status_description_keeps_the_class_alone() -> None:
    """The SDK writes `ValueError: <text>` there."""
    event = Event("exception", 1, {"exception.type": "ValueError"})
    redacted = redact(
        record(status=StatusCode.ERROR, status_message=f"ValueError: {CANARY}", events=(event,))
    )
    assert redacted.status_message == "ValueError"


def test_a_status_description_in_own_words_goes() -> None:
    """Nobody can tell a code from a customer's name."""
    assert redact(record(status=StatusCode.ERROR, status_message="Jane")).status_message == ""


def test_exception_texts_as_attributes_go() -> None:
    """Some instrumentations put them on the span itself."""
    redacted = redact(record(attributes={"exception.message": CANARY, "a": 1}))
    assert redacted.attributes == {"a": 1}


def test_what_holds_nothing_of_the_kind_is_left_as_it_is() -> None:
    """The usual span passes without a copy."""
    usual = record(attributes={"a": 1}, events=(Event("note", 1, {"b": 2}),))
    assert redact(usual) == usual
