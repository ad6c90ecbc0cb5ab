"""Delivery to a real HTTP server: at least once, never longer than said, nothing lost."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from airflow_provider_pipeline_otel.cli import main
from airflow_provider_pipeline_otel.config import Caps, Endpoint
from airflow_provider_pipeline_otel.export.delivery import (
    REQUEST_BYTES,
    deliver,
    deliver_within,
)
from airflow_provider_pipeline_otel.export.spool import Spool
from airflow_provider_pipeline_otel.export.writer import SpanWriter
from airflow_provider_pipeline_otel.record import SpanRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Collector:
    """An OTLP/HTTP server that keeps what it gets and answers as it is told."""

    def __init__(self) -> None:
        self.status = 200
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["Content-Encoding"] == "gzip":
                    body = gzip.decompress(body)
                collector.headers.append(dict(self.headers.items()))
                if collector.status == 200:
                    collector.bodies.append(body)
                self.send_response(collector.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1/traces"

    def names(self) -> list[str]:
        """Return the names of all spans that arrived."""
        return [
            span.name
            for body in self.bodies
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that works."""
    collector = Collector()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """A spool with room enough."""
    folder = tmp_path / "spool"
    folder.mkdir(mode=0o700)
    return Spool(folder, Caps(bytes=10**9, age=10**6, files=10**6))


def fill(spool: Spool, segments: int, *, spans: int = 1, size: int = 10) -> None:
    """Write that many segments."""
    writer = SpanWriter(spool, {"service.name": "s"})
    for segment in range(segments):
        writer.write_finished(
            SpanRecord(b"t" * 16, b"s" * 8, b"", f"{segment}/{n}", 1, 2, {"a": "x" * size})
            for n in range(spans)
        )


@pytest.fixture
def hanging() -> Iterator[str]:
    """A server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1/traces"


def test_all_segments_arrive_once_and_are_gone(spool: Spool, collector: Collector) -> None:
    """Several in one request, oldest first."""
    fill(spool, 5, spans=3)
    done = deliver(spool, Endpoint(collector.url))
    assert (done.spans, done.segments_left, done.fault) == (15, 0, None)
    assert collector.names() == [f"{segment}/{n}" for segment in range(5) for n in range(3)]
    assert len(collector.bodies) == 1
    assert spool.sealed() == []


def test_no_request_is_larger_than_receivers_take(spool: Spool, collector: Collector) -> None:
    """Counted unpacked: gzip makes no request smaller where it matters."""
    fill(spool, 40, spans=100, size=1000)
    assert deliver(spool, Endpoint(collector.url)).spans == 4000
    assert len(collector.bodies) > 3
    assert max(map(len, collector.bodies)) <= REQUEST_BYTES


def test_headers_and_compression_are_as_configured(spool: Spool, collector: Collector) -> None:
    """OTLP in protobuf."""
    fill(spool, 1)
    endpoint = Endpoint(collector.url, headers=(("x-team", "data"),), compression="none")
    assert deliver(spool, endpoint).spans == 1
    (headers,) = collector.headers
    assert headers["x-team"] == "data"
    assert headers["Content-Type"] == "application/x-protobuf"
    assert "Content-Encoding" not in headers


@pytest.mark.parametrize("status", [400, 429, 503])
def test_what_is_not_accepted_stays(spool: Spool, collector: Collector, status: int) -> None:
    """And goes when the collector is well again, with the same bytes."""
    fill(spool, 3)
    before = [path.read_bytes() for path in spool.sealed()]
    collector.status = status
    done = deliver(spool, Endpoint(collector.url))
    assert done.spans == 0
    assert done.segments_left == 3
    assert f"HTTP {status}" in (done.fault or "")
    assert [path.read_bytes() for path in spool.sealed()] == before
    collector.status = 200
    assert deliver(spool, Endpoint(collector.url)).spans == 3


def test_a_collector_that_is_down_is_named(spool: Spool) -> None:
    """Host and port, and no more of the address than that."""
    fill(spool, 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = deliver(spool, Endpoint(f"http://127.0.0.1:{port}/v1/traces?token=secret"))
    assert done.fault == f"ConnectionRefusedError at 127.0.0.1:{port}"
    assert done.segments_left == 1


def test_a_server_that_speaks_no_http_is_a_fault(spool: Spool) -> None:
    """As a gRPC port does: nothing is raised, nothing is lost."""
    fill(spool, 1)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            connection.sendall(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        done = deliver(spool, Endpoint(f"http://127.0.0.1:{server.getsockname()[1]}/"))
        thread.join()
    assert done.fault
    assert done.segments_left == 1


def test_a_collector_that_hangs_costs_the_deadline_and_no_more(spool: Spool, hanging: str) -> None:
    """The bound is real: the SDK's own flush ignores its time-out."""
    fill(spool, 1)
    began = time.monotonic()
    assert deliver_within(spool, Endpoint(hanging, timeout=60.0), 0.2) is None
    assert time.monotonic() - began < 30, "not the time-out"
    assert len(spool.sealed()) == 1


def test_two_deliverers_share_the_work(spool: Spool, collector: Collector) -> None:
    """Processes of one host never send one segment at the same time."""
    fill(spool, 50)
    import os

    pids = []
    for _ in range(2):
        pid = os.fork()
        if not pid:
            deliver(spool, Endpoint(collector.url))
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    assert sorted(collector.names()) == sorted(f"{segment}/0" for segment in range(50))


def test_drain_says_what_it_did(
    spool: Spool,
    collector: Collector,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """0: all is delivered, 1: something is left, 2: there is no collector."""
    monkeypatch.setenv("AIRFLOW__PIPELINE_OTEL__SPOOL_DIR", str(spool.folder))
    fill(spool, 2)
    assert main(["drain"]) == 2
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in capsys.readouterr().err
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", collector.url)
    collector.status = 503
    assert main(["drain"]) == 1
    assert "nothing is lost" in capsys.readouterr().err
    collector.status = 200
    assert main(["drain"]) == 0
    assert "2 spans accepted by" in capsys.readouterr().out
