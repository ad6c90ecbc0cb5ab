"""SpanRecord → OTLP bytes, written by hand.

Importing opentelemetry.proto costs every task's process 17 to 22 ms CPU; these lines cost nothing
(docs/benchmarks.md). Field numbers and types are those of opentelemetry/proto/trace/v1/trace.proto;
tests/unit/export/test_encoding.py proves the bytes equal for generated records.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.record import (
        Attributes,
        AttributeValue,
        Event,
        Link,
        Scope,
        SpanRecord,
    )

_FIXED64: Final = struct.Struct("<Q").pack
_DOUBLE: Final = struct.Struct("<d").pack
_ONE_BYTE: Final = 0x7F
_BYTES: Final = tuple(bytes((value,)) for value in range(_ONE_BYTE + 1))
_INT64: Final = range(-(2**63), 2**63)
_LARGEST: Final = 2**63 - 1
_SAMPLED: Final = b"\x85\x01\x01\x00\x00\x00"  # flags = 16
_LINK_SAMPLED: Final = b"\x35\x01\x00\x00\x00"  # flags = 6

_KEYS_KEPT: Final = 4096
_keys: dict[str, bytes] = {}


def _varint(value: int) -> bytes:
    if value <= _ONE_BYTE:
        return _BYTES[value]
    out = bytearray()
    while value > _ONE_BYTE:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(tag: bytes, payload: bytes) -> bytes:
    return tag + _varint(len(payload)) + payload


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # protobuf refuses lone surrogates


def _any_value(value: AttributeValue) -> bytes:  # noqa: PLR0911  a case per type
    if isinstance(value, str):
        return _field(b"\x0a", _utf8(value))
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    if isinstance(value, int):
        if value in _INT64:
            return b"\x18" + _varint(value & 0xFFFF_FFFF_FFFF_FFFF)
        return _field(b"\x0a", b"%d" % value)
    if isinstance(value, float):
        return b"\x21" + _DOUBLE(value)
    if isinstance(value, bytes):
        return _field(b"\x3a", value)
    if value is None:
        return b""
    if isinstance(value, Mapping):
        return _field(b"\x32", b"".join(_attributes(b"\x0a", value)))
    if isinstance(value, Sequence):
        return _field(b"\x2a", b"".join(_field(b"\x0a", _any_value(item)) for item in value))
    return _field(b"\x0a", _utf8(type(value).__name__))


def _key(name: str) -> bytes:
    key = _field(b"\x0a", _utf8(name)) + b"\x12"
    if len(_keys) < _KEYS_KEPT:
        _keys[name] = key
    return key


def _attributes(tag: bytes, attributes: Attributes) -> list[bytes]:
    out: list[bytes] = []
    for name, value in attributes.items():
        key = _keys.get(name) or _key(name)
        # Short texts and counts, which most are, without a call: half the time of a span.
        if type(value) is str:
            text = value.encode("utf-8", "replace")
            size = len(text)
            whole = len(key) + size + 3
            if whole <= _ONE_BYTE:
                out += (tag, _BYTES[whole], key, _BYTES[size + 2], b"\x0a", _BYTES[size], text)
                continue
        elif type(value) is int and 0 <= value <= _LARGEST:
            number = _varint(value)
            size = len(number) + 1
            whole = len(key) + size + 1
            if whole <= _ONE_BYTE:
                out += (tag, _BYTES[whole], key, _BYTES[size], b"\x18", number)
                continue
        body = _any_value(value)
        length = _varint(len(body))
        out += (tag, _varint(len(key) + len(length) + len(body)), key, length, body)
    return out


def _event(event: Event) -> bytes:
    parts = [b"\x09", _FIXED64(event.time_ns), _field(b"\x12", _utf8(event.name))]
    return b"".join(parts + _attributes(b"\x1a", event.attributes))


def _link(link: Link) -> bytes:
    parts = [b"\x0a\x10", link.trace_id, b"\x12\x08", link.span_id]
    return b"".join(parts + _attributes(b"\x22", link.attributes)) + _LINK_SAMPLED


def encode_span(record: SpanRecord) -> bytes:
    """Return the record as the bytes of an OTLP `Span`; an `end_ns` of 0 is left out."""
    parts = [b"\x0a\x10", record.trace_id, b"\x12\x08", record.span_id]
    if record.parent_span_id:
        parts += (b"\x22\x08", record.parent_span_id)
    parts += (_field(b"\x2a", _utf8(record.name)), b"\x30", _varint(record.kind))
    parts += (b"\x39", _FIXED64(record.start_ns))
    if record.end_ns:
        parts += (b"\x41", _FIXED64(record.end_ns))
    parts += _attributes(b"\x4a", record.attributes)
    parts += [_field(b"\x5a", _event(event)) for event in record.events]
    parts += [_field(b"\x6a", _link(link)) for link in record.links]
    if record.status or record.status_message:
        parts.append(_status(record.status, record.status_message))
    parts.append(_SAMPLED)
    return b"".join(parts)


def parent_span_id_of(span: bytes) -> bytes:
    """Return the parent's id of what `encode_span` has written; empty where it has none."""
    return span[30:38] if span[28:30] == b"\x22\x08" else b""


def _status(code: int, message: str = "") -> bytes:
    body = _field(b"\x12", _utf8(message)) if message else b""
    return _field(b"\x7a", body + (b"\x18" + _varint(code) if code else b""))


def encode_end(end_ns: int, attributes: Attributes, status: int) -> bytes:
    """Return what, put behind the bytes of an open span, ends it: protobuf merges the fields."""
    end = b"\x41" + _FIXED64(end_ns)
    return b"".join([end, *_attributes(b"\x4a", attributes), _status(status)])


def encode_resource(attributes: Attributes) -> bytes:
    """Return the bytes of an OTLP `Resource`."""
    return b"".join(_attributes(b"\x0a", attributes))


def encode_scope(scope: Scope) -> bytes:
    """Return the bytes of an OTLP `InstrumentationScope`."""
    version = _field(b"\x12", _utf8(scope.version)) if scope.version else b""
    return _field(b"\x0a", _utf8(scope.name)) + version


def encode_request(groups: Mapping[tuple[bytes, bytes], Iterable[bytes]]) -> bytes:
    """Return an OTLP `ExportTraceServiceRequest` of encoded spans by (resource, scope)."""
    resources: dict[bytes, list[bytes]] = {}
    for (resource, scope), spans in groups.items():
        scoped = _field(b"\x0a", scope) + b"".join(_field(b"\x12", span) for span in spans)
        resources.setdefault(resource, []).append(_field(b"\x12", scoped))
    return b"".join(
        _field(b"\x0a", _field(b"\x0a", resource) + b"".join(scoped))
        for resource, scoped in resources.items()
    )
