"""The hand-written bytes are OTLP: opentelemetry.proto reads every record back, field by field."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from airflow_provider_pipeline_otel.export.encoding import (
    encode_end,
    encode_request,
    encode_resource,
    encode_scope,
    encode_span,
)
from airflow_provider_pipeline_otel.record import (
    Event,
    Link,
    Scope,
    SpanKind,
    SpanRecord,
    StatusCode,
)

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.floats(allow_nan=False)
SCALARS = st.one_of(TEXT, st.booleans(), INT64, NUMBERS, st.binary())
VALUES = st.recursive(
    SCALARS,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(TEXT, values, max_size=3),
    max_leaves=6,
)
ATTRIBUTES = st.dictionaries(TEXT, VALUES, max_size=6)
TIMES = st.integers(1, 2**64 - 1)
RECORDS = st.builds(
    SpanRecord,
    trace_id=st.binary(min_size=16, max_size=16),
    span_id=st.binary(min_size=8, max_size=8),
    parent_span_id=st.one_of(st.just(b""), st.binary(min_size=8, max_size=8)),
    name=TEXT,
    start_ns=TIMES,
    end_ns=TIMES,
    attributes=ATTRIBUTES,
    status=st.sampled_from(StatusCode),
    status_message=TEXT,
    events=st.lists(st.builds(Event, TEXT, TIMES, ATTRIBUTES), max_size=3).map(tuple),
    links=st.lists(
        st.builds(
            Link,
            st.binary(min_size=16, max_size=16),
            st.binary(min_size=8, max_size=8),
            ATTRIBUTES,
        ),
        max_size=3,
    ).map(tuple),
    kind=st.sampled_from(SpanKind),
    scope=st.just(Scope("scope", "1")),
)


def value_of(value: AnyValue) -> Any:
    """Return what protobuf has read."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return attributes_of(value.kvlist_value.values)
    return getattr(value, kind)


def attributes_of(pairs: Any) -> dict[str, Any]:
    """Return what protobuf has read."""
    return {pair.key: value_of(pair.value) for pair in pairs}


def typed(value: Any) -> Any:
    """Tell 1 from True and 1.0, which Python's equality doesn't."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [typed(item) for item in value]
    return (type(value), value)


@given(RECORDS)
def test_every_field_of_a_record_comes_back(record: SpanRecord) -> None:
    """Protobuf reads what was written, for every type of value."""
    span = Span.FromString(encode_span(record))
    assert span.trace_id == record.trace_id
    assert span.span_id == record.span_id
    assert span.parent_span_id == record.parent_span_id
    assert span.name == record.name
    assert span.kind == record.kind
    assert span.start_time_unix_nano == record.start_ns
    assert span.end_time_unix_nano == record.end_ns
    assert span.status.code == record.status
    assert span.status.message == record.status_message
    assert span.flags == 1
    assert typed(attributes_of(span.attributes)) == typed(dict(record.attributes))
    assert [
        (event.name, event.time_unix_nano, typed(attributes_of(event.attributes)))
        for event in span.events
    ] == [(event.name, event.time_ns, typed(dict(event.attributes))) for event in record.events]
    assert [
        (link.trace_id, link.span_id, typed(attributes_of(link.attributes)), link.flags)
        for link in span.links
    ] == [(link.trace_id, link.span_id, typed(dict(link.attributes)), 1) for link in record.links]


@given(RECORDS)
def test_nothing_unknown_is_written(record: SpanRecord) -> None:
    """The bytes hold OTLP's fields and no others."""
    span = Span.FromString(encode_span(record))
    written = span.SerializeToString()
    span.DiscardUnknownFields()  # type: ignore[attr-defined]
    assert span.SerializeToString() == written


@given(st.integers())
def test_numbers_of_any_size_are_told(number: int) -> None:
    """What doesn't fit into 64 bits becomes text, and nothing is cut."""
    record = SpanRecord(bytes(16), bytes(8), b"", "n", 1, 2, {"n": number})
    span = Span.FromString(encode_span(record))
    assert str(attributes_of(span.attributes)["n"]) == str(number)


@given(st.text())
def test_lone_surrogates_do_no_harm(text: str) -> None:
    """File names that aren't UTF-8 come as lone surrogates, which protobuf refuses."""
    record = SpanRecord(bytes(16), bytes(8), b"", text, 1, 2, {text: text})
    span = Span.FromString(encode_span(record))
    assert span.name == text.encode("utf-8", "replace").decode()


@given(RECORDS, TIMES, ATTRIBUTES)
def test_an_end_can_be_put_behind_an_open_span(
    record: SpanRecord, end_ns: int, more: dict[str, Any]
) -> None:
    """Protobuf merges: end and attributes are added, the last status counts."""
    end = encode_end(end_ns, more, StatusCode.ERROR)
    span = Span.FromString(encode_span(record) + end)
    assert span.end_time_unix_nano == end_ns
    assert span.status.code == StatusCode.ERROR
    assert span.name == record.name
    assert len(span.attributes) == len(record.attributes) + len(more)


@given(ATTRIBUTES, st.lists(RECORDS, max_size=4))
def test_a_request_holds_its_spans_by_resource_and_scope(
    resource: dict[str, Any], records: list[SpanRecord]
) -> None:
    """One resource with its scopes, each with its spans in their order."""
    written, spans = encode_resource(resource), [encode_span(record) for record in records]
    one, two = encode_scope(Scope("one", "1")), encode_scope(Scope("two"))
    body = encode_request({(written, one): spans, (written, two): spans})
    (found,) = ExportTraceServiceRequest.FromString(body).resource_spans
    assert typed(attributes_of(found.resource.attributes)) == typed(resource)
    assert [scoped.scope.name for scoped in found.scope_spans] == ["one", "two"]
    for scoped in found.scope_spans:
        assert [span.name for span in scoped.spans] == [record.name for record in records]
