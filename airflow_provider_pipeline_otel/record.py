"""SpanRecord: what a finished span is, before it is redacted and encoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Final

import msgspec

Scalar = str | bool | int | float | bytes
AttributeValue = Scalar | Sequence["AttributeValue"] | Mapping[str, "AttributeValue"] | None
Attributes = Mapping[str, AttributeValue]

NO_ATTRIBUTES: Final[Attributes] = {}


class StatusCode(IntEnum):
    """A span's status, with OTLP's numbers."""

    UNSET = 0
    OK = 1
    ERROR = 2


class SpanKind(IntEnum):
    """A span's kind, with OTLP's numbers."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class Event(msgspec.Struct, frozen=True, gc=False):
    """Something that happened at one instant of a span."""

    name: str
    time_ns: int
    attributes: Attributes = NO_ATTRIBUTES


class Link(msgspec.Struct, frozen=True, gc=False):
    """A span of this or another trace that the span has to do with."""

    trace_id: bytes
    span_id: bytes
    attributes: Attributes = NO_ATTRIBUTES


class Scope(msgspec.Struct, frozen=True, gc=False):
    """The instrumentation scope: who made the span."""

    name: str
    version: str = ""


class SpanRecord(msgspec.Struct, frozen=True, gc=False):
    """A span: ids are 16 and 8 bytes, times are nanoseconds since 1970; an open span ends at 0."""

    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes
    name: str
    start_ns: int
    end_ns: int
    attributes: Attributes = NO_ATTRIBUTES
    status: StatusCode = StatusCode.UNSET
    status_message: str = ""
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    kind: SpanKind = SpanKind.INTERNAL
    scope: Scope = Scope("airflow_provider_pipeline_otel")
