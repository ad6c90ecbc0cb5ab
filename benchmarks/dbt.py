"""50,000 nodes of dbt: run_results.json → spans, our way and by the SDK; and a manifest of 300 MB.

Each way has a process of its own. What the SDK sends goes to a collector on this host that answers
at once; ours goes to disk, from where another process delivers it.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.request import urlopen

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_pipeline_otel.record import SpanRecord

NODES: Final = 50_000
CHUNK: Final = 512
ME: Final = (sys.executable, "-m", "benchmarks.dbt")
SQL: Final = "select o.id, o.customer, sum(i.amount) from orders o join items i using (id)\n" * 25
DESCRIPTION: Final = "What the business calls it, and where it comes from. " * 2
FIRST: Final = datetime(2026, 1, 1, tzinfo=UTC)


def unique_id(number: int) -> str:
    """Return an id: every third node is a test."""
    if number % 3:
        return f"model.shop.orders_{number}"
    return f"test.shop.not_null_orders_{number}_id.{number:010x}"


def result(number: int) -> dict[str, Any]:
    """Return a row as dbt 1.11 writes it with BigQuery."""
    start = FIRST + timedelta(milliseconds=37 * number)
    middle = start + timedelta(milliseconds=20, microseconds=number % 997)
    end = middle + timedelta(milliseconds=900, microseconds=number % 991)
    times = [f"{time:%Y-%m-%dT%H:%M:%S.%fZ}" for time in (start, middle, end)]
    is_model = bool(number % 3)
    return {
        "status": "success" if is_model else "pass",
        "timing": [
            {"name": "compile", "started_at": times[0], "completed_at": times[1]},
            {"name": "execute", "started_at": times[1], "completed_at": times[2]},
        ],
        "thread_id": f"Thread-{number % 8} (worker)",
        "execution_time": 0.93,
        "adapter_response": {
            "_message": "CREATE TABLE (1.2m rows, 3.4 GiB processed)",
            "code": "CREATE TABLE",
            "rows_affected": 1_200_000 + number,
            "bytes_processed": 3_650_722_201,
            "bytes_billed": 3_651_141_632,
            "location": "EU",
            "job_id": f"0f9f3f2e-{number:08d}",
            "slot_ms": 91_823,
        },
        "message": "CREATE TABLE (1.2m rows, 3.4 GiB processed)" if is_model else None,
        "failures": None if is_model else 0,
        "unique_id": unique_id(number),
        "compiled": True,
        "compiled_code": SQL,
        "relation_name": f"`shop`.`core`.`orders_{number}`" if is_model else None,
        "batch_results": None,
    }


def fact(number: int) -> dict[str, Any]:
    """Return a node of a manifest."""
    name = unique_id(number).split(".")[2]
    return {
        "resource_type": unique_id(number).partition(".")[0],
        "name": name,
        "package_name": "shop",
        "database": "shop",
        "schema": "core",
        "alias": name,
        "original_file_path": f"models/core/{name}.sql",
        "tags": ["daily"],
        "config": {"materialized": "table", "severity": "ERROR", "meta": {}, "enabled": True},
        "depends_on": {"macros": ["macro.dbt.merge"] * 4, "nodes": [unique_id(number - 1)]},
        "raw_code": SQL,
        "columns": {
            f"column_{n}": {"name": f"column_{n}", "description": DESCRIPTION, "data_type": "text"}
            for n in range(20)
        },
    }


def write(folder: Path) -> None:
    """Write both artifacts, each into a folder of its own."""
    metadata = {
        "dbt_version": "1.11.16",
        "generated_at": "2026-01-01T04:00:00.000000Z",
        "invocation_started_at": "2026-01-01T00:00:00.000000Z",
        "invocation_id": "0d1e0f3c-2d2c-4f8b-9c53-000000000000",
        "adapter_type": "bigquery",
    }
    results = [result(number) for number in range(NODES)]
    said = {"metadata": metadata, "results": results, "args": {"which": "build"}}
    nodes = {unique_id(number): fact(number) for number in range(NODES)}
    for name, content in (
        ("run_results", said),
        ("manifest", {"metadata": metadata, "nodes": nodes}),
    ):
        (folder / name).mkdir()
        (folder / name / f"{name}.json").write_text(json.dumps(content))


def ours(folder: Path) -> int:
    """Put spans on disk, as `emit_dbt_spans` does."""
    from airflow_provider_pipeline_otel import emit_dbt_spans

    os.environ["AIRFLOW__PIPELINE_OTEL__SPOOL_DIR"] = str(folder / "spool")
    del os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]  # else it would deliver, and wait for it
    return emit_dbt_spans(folder / "run_results").spans


def by_article(folder: Path) -> None:
    """Read with json, open a span a node now and end it at once, batch, flush."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import StatusCode

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("dbt")
    found = json.loads((folder / "run_results" / "run_results.json").read_text())
    with tracer.start_as_current_span("dbt_run"):
        for row in found["results"]:
            with tracer.start_as_current_span(f"dbt.{row['unique_id'].split('.')[-1]}") as span:
                span.set_attribute("dbt.node_id", row["unique_id"])
                span.set_attribute("dbt.status", row["status"])
                span.set_attribute("dbt.execution_time", row["execution_time"])
                rows = row["adapter_response"].get("rows_affected", -1)
                span.set_attribute("pipeline.records.written", rows)
                span.set_status(StatusCode.OK)
    provider.force_flush()
    provider.shutdown()


def by_sdk(folder: Path) -> None:
    """Make the same spans as ours with the SDK, and export them in chunks: none is dropped."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
    from opentelemetry.trace import Status, StatusCode

    from airflow_provider_pipeline_otel.dbt.artifacts import Artifact
    from airflow_provider_pipeline_otel.dbt.emit import artifact_records
    from airflow_provider_pipeline_otel.dbt.rows import Manifest

    exporter, chunk = OTLPSpanExporter(), list[ReadableSpan]()

    class Chunks(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            chunk.append(span)
            if len(chunk) == CHUNK:
                self.force_flush()

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            del timeout_millis
            exporter.export(chunk)
            chunk.clear()
            return True

    provider = TracerProvider()
    provider.add_span_processor(Chunks())
    tracer = provider.get_tracer("dbt")
    record: SpanRecord
    for record in artifact_records(Artifact(folder / "run_results/run_results.json"), Manifest()):
        span = tracer.start_span(
            record.name,
            start_time=record.start_ns,
            attributes=dict(record.attributes),  # type: ignore[arg-type]
        )
        span.set_status(Status(StatusCode(record.status)))
        span.end(record.end_ns)
    provider.force_flush()


def manifest(folder: Path) -> int:
    """Read the manifest alone."""
    from airflow_provider_pipeline_otel.dbt.manifest import read_manifest

    return len(read_manifest(folder / "manifest" / "manifest.json").nodes)


WAYS: Final[dict[str, Callable[[Path], int | None]]] = {
    "emit_dbt_spans, to disk": ours,
    "the SDK, the same spans, exported in chunks": by_sdk,
    "the SDK, a span now for each node, BatchSpanProcessor": by_article,
}


class Collector(BaseHTTPRequestHandler):
    """Answers at once, and counts."""

    protocol_version = "HTTP/1.1"
    spans = 0

    def do_POST(self) -> None:
        """Take a request of spans."""
        request = ExportTraceServiceRequest.FromString(
            self.rfile.read(int(self.headers["Content-Length"]))
        )
        for group in request.resource_spans:
            Collector.spans += sum(len(scoped.spans) for scoped in group.scope_spans)
        self.answer(b"")

    def do_GET(self) -> None:
        """Say how many came."""
        self.answer(str(Collector.spans).encode())

    def answer(self, body: bytes) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def collect() -> None:
    """Be the collector, on a port that is told."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


def run(way: Callable[[Path], int | None], folder: Path) -> None:
    """Go one way, and print what it took."""
    began = time.process_time()
    there = way(folder)
    used = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"used": used, "peak": peak, "there": there}))


def measure(name: str, folder: Path) -> dict[str, Any]:
    """Go one way in processes of its own; return CPU seconds, peak MB, and the spans that came."""
    with subprocess.Popen((*ME, "collect"), stdout=subprocess.PIPE, text=True) as collector:
        try:
            assert collector.stdout is not None
            url = collector.stdout.readline().strip()
            found: dict[str, Any] = json.loads(go(name, folder, OTEL_EXPORTER_OTLP_ENDPOINT=url))
            with urlopen(url) as answer:  # noqa: S310  the collector's
                return {**found, "there": found["there"] or int(answer.read())}
        finally:
            collector.kill()


def go(name: str, folder: Path, **environ: str) -> str:
    """Go one way in a process of its own; return what it says."""
    done = subprocess.run(
        (*ME, name, str(folder)),
        env={**os.environ, **environ},
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return done.stdout


def main() -> None:
    """Print the report's lines."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        go("write", folder)  # elsewhere, since processes inherit the peak of their parent
        sizes = {file.stem: file.stat().st_size / 10**6 for file in folder.glob("*/*.json")}
        print(f"run_results.json of {NODES:,} nodes, {sizes['run_results']:.0f} MB:\n")
        print("| | µs CPU a node | peak, MB | lost |\n| --- | --- | --- | --- |")
        for title, way in WAYS.items():
            found = measure(way.__name__, folder)
            lost = max(0, NODES - found["there"])
            each = found["used"] / NODES * 10**6
            print(f"| {title} | {each:.0f} | {found['peak']:.0f} | {lost:,} |")
        found = measure(manifest.__name__, folder)
        print(
            f"\nmanifest.json, {sizes['manifest']:.0f} MB, {found['there']:,} nodes: "
            f"{found['used']:.2f} s CPU, peak {found['peak']:.0f} MB."
        )


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case ["collect"]:
            collect()
        case [name, folder]:
            run(globals()[name], Path(folder))
