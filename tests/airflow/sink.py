"""A recording OTLP/HTTP sink: keeps every span it was sent, as plain frozen rows."""

from __future__ import annotations

import gzip
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

Mode = Literal["ok", "hang", "503", "refuse"]
Value: TypeAlias = str | bool | int | float | bytes | tuple["Value", ...] | None

HANG_SECONDS = 600.0
STATUS_NAMES = ("UNSET", "OK", "ERROR")


@dataclass(frozen=True)
class Event:
    """One event of a span."""

    name: str
    time_ns: int
    attributes: Mapping[str, Value]


@dataclass(frozen=True)
class Link:
    """One link of a span."""

    trace_id: str
    span_id: str
    attributes: Mapping[str, Value]


@dataclass(frozen=True)
class Span:
    """One span as it arrived."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    start_ns: int
    end_ns: int
    status: str
    status_message: str
    attributes: Mapping[str, Value]
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    resource: Mapping[str, Value] = field(default_factory=dict)
    scope: str = ""


def read_spans(body: bytes) -> Iterator[Span]:
    """Yield the spans of one serialized export request."""
    request = ExportTraceServiceRequest.FromString(body)
    for resource_spans in request.resource_spans:
        resource = _attributes(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                yield _span(span, resource, scope_spans.scope.name)


def _span(span: WireSpan, resource: Mapping[str, Value], scope: str) -> Span:
    return Span(
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        kind=span.kind,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        status=STATUS_NAMES[span.status.code],
        status_message=span.status.message,
        attributes=_attributes(span.attributes),
        events=tuple(
            Event(event.name, event.time_unix_nano, _attributes(event.attributes))
            for event in span.events
        ),
        links=tuple(
            Link(link.trace_id.hex(), link.span_id.hex(), _attributes(link.attributes))
            for link in span.links
        ),
        resource=resource,
        scope=scope,
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Value]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Value:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return tuple(_value(item) for item in value.array_value.values)
    plain: Value = getattr(value, kind)
    return plain


class Sink:
    """An OTLP/HTTP server in a thread of this process, on a free loopback port."""

    def __init__(self, mode: Mode = "ok") -> None:
        """Start to listen at once."""
        self.mode: Mode = mode
        self.bodies: list[bytes] = []
        self.metrics: list[bytes] = []
        self.last_arrival = time.monotonic()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.sink = self
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        """The value for OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def record(self, body: bytes) -> None:
        """Keep one request's unpacked body."""
        with self._lock:
            self.bodies.append(body)
            self.last_arrival = time.monotonic()

    def record_metrics(self, body: bytes) -> None:
        """Keep one request of metrics."""
        with self._lock:
            self.metrics.append(body)

    def spans(self) -> list[Span]:
        """All spans received so far, in order of arrival."""
        with self._lock:
            bodies = list(self.bodies)
        return [span for body in bodies for span in read_spans(body)]

    def quiet_for(self) -> float:
        """Seconds since the last request with a body was accepted."""
        return time.monotonic() - self.last_arrival

    def close(self) -> None:
        """Stop to listen."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        """Give the sink itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop to listen."""
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    sink: Sink


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        """Answer as the sink's mode says; keep the body only where the answer is 200."""
        mode = self.server.sink.mode
        if mode == "refuse":
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        if mode == "hang":
            time.sleep(HANG_SECONDS)
            return
        if mode == "ok" and self.path.endswith("/v1/traces"):
            self.server.sink.record(body)
        if mode == "ok" and self.path.endswith("/v1/metrics"):
            self.server.sink.record_metrics(body)
        self._answer(503 if mode == "503" else 200)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: pytest's output is for mismatches."""
