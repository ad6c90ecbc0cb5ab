"""The spool's bytes → frozen spans, and spans → trees."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_provider_pipeline_otel.cli.unwritten import unwritten
from airflow_provider_pipeline_otel.export.encoding import encode_request
from airflow_provider_pipeline_otel.export.frames import Frame, FrameKind, read_frames
from airflow_provider_pipeline_otel.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue

_STATUS = {0: "UNSET", 1: "OK", 2: "ERROR"}


class SpanRow(msgspec.Struct, frozen=True, kw_only=True):
    """A span as it lies in the spool; `end_ns` 0: it still goes on."""

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    start_ns: int
    end_ns: int
    status: str
    attributes: dict[str, Any]
    events: list[dict[str, Any]]
    links: list[dict[str, Any]]
    resource: dict[str, Any]


class TraceRow(msgspec.Struct, frozen=True):
    """The spans of a trace, by start; `roots` are those whose parent isn't here.

    Below `roots` and in `children` there are those too that are still to be written, open.
    """

    trace_id: str
    spans: tuple[SpanRow, ...]
    children: dict[str, list[SpanRow]]
    roots: list[SpanRow]

    @property
    def root(self) -> SpanRow | None:
        """The span without a parent; it is open while the run goes on."""
        return next((span for span in self.roots if not span.parent_span_id), None)

    @property
    def is_complete(self) -> bool:
        """Whether the run is over and every parent is here."""
        return len(self.roots) == 1 and self.root is not None and self.root.end_ns > 0

    def first(self, name: str) -> str:
        """Return an attribute's value on the first span that has it, as text."""
        return str(next((s.attributes[name] for s in self.spans if name in s.attributes), ""))

    @property
    def dag_id(self) -> str:
        """The DAG."""
        return self.first(names.AIRFLOW_DAG_ID) or self.first(names.PIPELINE_NAME)

    @property
    def run_id(self) -> str:
        """The run."""
        return self.first(names.AIRFLOW_DAG_RUN_RUN_ID)

    @property
    def start_ns(self) -> int:
        """When the first span starts."""
        return self.spans[0].start_ns

    @property
    def end_ns(self) -> int:
        """When the last span ends, as far as they have."""
        return max(max(span.end_ns, span.start_ns) for span in self.spans)


def segments(folder: Path) -> list[Path]:
    """Return all segments of a spool or a folder, or the file itself, oldest first."""
    if not folder.is_dir():
        return [folder]
    found = [*folder.glob("*.seg"), *folder.glob("*/*.seg")]
    return sorted(found, key=lambda path: path.name)


def read_traces(paths: Iterable[Path]) -> list[TraceRow]:
    """Return the traces in these segments, oldest first; a span that came twice counts once."""
    spans: dict[tuple[str, str], SpanRow] = {}
    for path in paths:
        data = b""
        with suppress(FileNotFoundError):  # delivered a moment ago
            data = path.read_bytes()
        for frame in read_frames(data):
            for span in _read_frame(frame) if frame.kind is not FrameKind.PROCESS else ():
                key = (span.trace_id, span.span_id)
                if frame.kind is FrameKind.ENDED or not (key in spans and spans[key].end_ns):
                    spans[key] = span
    by_trace: dict[str, list[SpanRow]] = defaultdict(list)
    for span in spans.values():
        by_trace[span.trace_id].append(span)
    traces = [_tree(trace_id, found) for trace_id, found in by_trace.items()]
    return sorted(traces, key=lambda trace: trace.start_ns)


def _tree(trace_id: str, found: list[SpanRow]) -> TraceRow:
    found.sort(key=_order)
    drawn = sorted([*found, *unwritten(found)], key=_order)
    here = {span.span_id for span in drawn}
    children: dict[str, list[SpanRow]] = defaultdict(list)
    roots = []
    for span in drawn:
        if span.parent_span_id in here:
            children[span.parent_span_id].append(span)
        else:
            roots.append(span)
    return TraceRow(trace_id, tuple(found), dict(children), roots)


def _order(span: SpanRow) -> tuple[int, float, bool]:
    """Sort by start, and what goes on or ends later first: it is above the rest."""
    return span.start_ns, -(span.end_ns or float("inf")), bool(span.parent_span_id)


def _read_frame(frame: Frame) -> Iterator[SpanRow]:
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    try:
        request = ExportTraceServiceRequest.FromString(
            encode_request({(frame.resource, frame.scope): frame.spans})
        )
    except DecodeError:
        return
    for resource_spans in request.resource_spans:
        resource = _attributes(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                yield SpanRow(
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_span_id=span.parent_span_id.hex(),
                    name=span.name,
                    start_ns=span.start_time_unix_nano,
                    end_ns=span.end_time_unix_nano,
                    status=_STATUS.get(span.status.code, "UNSET"),
                    attributes=_attributes(span.attributes),
                    events=[
                        {"name": e.name, "time_ns": e.time_unix_nano, **_attributes(e.attributes)}
                        for e in span.events
                    ],
                    links=[
                        {
                            "trace_id": link.trace_id.hex(),
                            "span_id": link.span_id.hex(),
                            **_attributes(link.attributes),
                        }
                        for link in span.links
                    ],
                    resource=resource,
                )


def _attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:  # noqa: ANN401
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return None if kind is None else getattr(value, kind)
