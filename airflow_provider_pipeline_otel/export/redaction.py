"""The one place that every span passes before it is encoded: what must not leave stays here.

An exception's text holds record values, SQL and secrets more often than not; its class name says
what is needed. docs/semantic-conventions.md lists what remains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from airflow_provider_pipeline_otel.record import StatusCode
from airflow_provider_pipeline_otel.semconv import attributes

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.record import Event, SpanRecord

_EXCEPTION_TEXT: Final = frozenset({attributes.EXCEPTION_MESSAGE, attributes.EXCEPTION_STACKTRACE})


def _redact_event(event: Event) -> Event:
    if _EXCEPTION_TEXT.isdisjoint(event.attributes):
        return event
    kept = {name: value for name, value in event.attributes.items() if name not in _EXCEPTION_TEXT}
    return msgspec.structs.replace(event, attributes=kept)


def redact(record: SpanRecord) -> SpanRecord:
    """Return the record without exception texts, on events, attributes and status alike."""
    changes: dict[str, object] = {}
    if record.events:
        changes["events"] = tuple(map(_redact_event, record.events))
    if not _EXCEPTION_TEXT.isdisjoint(record.attributes):
        changes["attributes"] = {
            name: value for name, value in record.attributes.items() if name not in _EXCEPTION_TEXT
        }
    if record.status_message and record.status is StatusCode.ERROR:
        # The SDK writes "ValueError: <text>". What is not an exception's class name may be a text.
        head = record.status_message.partition(":")[0]
        types = {event.attributes.get(attributes.EXCEPTION_TYPE) for event in record.events}
        changes["status_message"] = head if head in types else ""
    return msgspec.structs.replace(record, **changes) if changes else record
