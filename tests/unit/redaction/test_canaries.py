"""Generated secrets and personal data in real surroundings: not one is left; the harmless stays."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from airflow_provider_pipeline_otel.config import Redaction
from airflow_provider_pipeline_otel.export.redaction import Redactor
from airflow_provider_pipeline_otel.record import Event, SpanRecord, StatusCode
from tests.unit.redaction.canaries import EXCEPTIONS, FAMILIES, IP_AND_PHONE, Canary

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

HARMLESS = Path(__file__).with_name("harmless.txt").read_text().splitlines()
QUOTING = re.compile(r"[`\"'{]|^\S+$|-\w*\d|\d-|^[A-Z]|^\w+: \S+$|^[^a-z]*$|[^\x00-\x7f]")
EXAMPLES = settings(
    max_examples=25, database=None, deadline=None, suppress_health_check=[*HealthCheck]
)


def leaked(strategy: SearchStrategy[Canary], redactor: Redactor, *, is_error: bool = False) -> None:
    """Fail with the first text of which a secret is left."""

    @EXAMPLES
    @given(strategy)
    def check(canary: Canary) -> None:
        left = message(canary.text, redactor) if is_error else attribute(canary.text, redactor)
        assert not [secret for secret in canary.secrets if secret in left]

    check()


def attribute(text: str, redactor: Redactor) -> str:
    """Return what is left of an attribute's value."""
    record = SpanRecord(bytes(16), bytes(8), b"", "n", 1, 2, {"a": text})
    return str(redactor.redact(record).attributes["a"])


def message(text: str, redactor: Redactor) -> str:
    """Return what is left of an exception's message."""
    event = Event("exception", 1, {"exception.type": "E", "exception.message": text})
    record = SpanRecord(
        bytes(16), bytes(8), b"", "n", 1, 2, status=StatusCode.ERROR, events=(event,)
    )
    return str(redactor.redact(record).events[0].attributes["exception.message"])


@pytest.mark.parametrize("family", FAMILIES)
def test_no_secret_is_left_of_a_text(family: str) -> None:
    """In log lines, JSON, tracebacks, URLs, commands, SQL."""
    leaked(FAMILIES[family], Redactor())


@pytest.mark.parametrize("family", FAMILIES)
def test_no_secret_is_left_of_a_message(family: str) -> None:
    """What goes for any text goes for an exception's."""
    leaked(FAMILIES[family], Redactor(), is_error=True)


@pytest.mark.parametrize("family", EXCEPTIONS)
def test_no_value_is_left_of_a_message(family: str) -> None:
    """Drivers and parsers quote the record that they failed on."""
    leaked(EXCEPTIONS[family], Redactor(), is_error=True)


@pytest.mark.parametrize("family", IP_AND_PHONE)
def test_no_address_or_number_is_left_where_that_is_asked_for(family: str) -> None:
    """They are options."""
    leaked(IP_AND_PHONE[family], Redactor(Redaction(ip_addresses=True, phone_numbers=True)))


@pytest.mark.parametrize("text", HARMLESS)
def test_a_harmless_text_stays_as_it_is(text: str) -> None:
    """Paths, ids, names, times, SQL without values, prose."""
    assert attribute(text, Redactor()) == text
    assert attribute(text, Redactor(Redaction(ip_addresses=True, phone_numbers=True))) == text


@pytest.mark.parametrize("text", [t for t in HARMLESS if not QUOTING.search(t)])
def test_a_harmless_message_stays_as_it_is(text: str) -> None:
    """But for what may be a value: in quotes, without any words, a code, a name."""
    assert message(text, Redactor()) == text
