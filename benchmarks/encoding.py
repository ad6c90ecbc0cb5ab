"""Record → redact → encode → disk, against opentelemetry.proto, and what the imports cost."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from airflow_provider_pipeline_otel.config import Caps
from airflow_provider_pipeline_otel.export.encoding import encode_span
from airflow_provider_pipeline_otel.export.redaction import Redactor
from airflow_provider_pipeline_otel.export.spool import Spool
from airflow_provider_pipeline_otel.export.writer import SpanWriter
from airflow_provider_pipeline_otel.record import SpanRecord, StatusCode
from airflow_provider_pipeline_otel.sdk.processor import SpoolProcessor

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT = 5_000
IMPORTS = (
    "airflow_provider_pipeline_otel.export.writer",
    "airflow_provider_pipeline_otel.export.delivery",
    "opentelemetry.sdk.trace",
    "opentelemetry.proto.trace.v1.trace_pb2",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
)


def record(number: int) -> SpanRecord:
    """Return a span of 18 attributes."""
    return SpanRecord(
        trace_id=b"t" * 16,
        span_id=number.to_bytes(8, "big"),
        parent_span_id=b"p" * 8,
        name="task_run.transform",
        start_ns=1_790_000_000_000_000_000,
        end_ns=1_790_000_001_000_000_000,
        attributes={f"airflow.task_instance.text_{n}": f"value {number}" for n in range(12)}
        | {f"airflow.task_instance.number_{n}": number for n in range(6)},
        status=StatusCode.OK,
    )


def protobuf(span: SpanRecord) -> bytes:
    """Encode with opentelemetry.proto."""
    return Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        name=span.name,
        kind=1,
        start_time_unix_nano=span.start_ns,
        end_time_unix_nano=span.end_ns,
        attributes=[
            KeyValue(
                key=key,
                value=AnyValue(string_value=value)
                if isinstance(value, str)
                else AnyValue(int_value=value),  # type: ignore[arg-type]
            )
            for key, value in span.attributes.items()
        ],
        status=Status(code=Status.STATUS_CODE_OK),
        flags=1,
    ).SerializeToString()


def microseconds(work: Callable[[list[SpanRecord]], object]) -> float:
    """Return the best of five, per span."""
    records = [record(number) for number in range(COUNT)]
    used = []
    for _ in range(5):
        began = time.process_time()
        work(records)
        used.append(time.process_time() - began)
    return min(used) / COUNT * 1e6


def sdk(processor: SpanProcessor) -> Callable[[list[SpanRecord]], object]:
    """Return what makes the same spans by the SDK, live, for that processor."""
    provider = TracerProvider(resource=Resource({}), shutdown_on_exit=False)
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("benchmark")

    def work(records: list[SpanRecord]) -> None:
        for one in records:
            tracer.start_span(one.name, attributes=one.attributes).end()  # type: ignore[arg-type]

    return work


def imports(module: str) -> float:
    """Return the CPU milliseconds of an import in a fresh interpreter."""
    clock = "time.process_time()"
    code = f"import time; a = {clock}; import {module}; print({clock} - a)"
    used = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(7)
    ]
    return statistics.median(used) * 1000


def main() -> None:
    """Print the report's lines."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "spool").mkdir(mode=0o700)
        spool = Spool(Path(folder) / "spool", Caps(10**9, 10**6, 10**6))
        writer = SpanWriter(spool, {"service.name": "benchmark"})

        def live(records: list[SpanRecord]) -> None:
            for one in records:
                writer.write_ended(one)

        redactor = Redactor()
        rows = {
            "encode, by hand": microseconds(lambda rs: [encode_span(r) for r in rs]),
            "encode, opentelemetry.proto": microseconds(lambda rs: [protobuf(r) for r in rs]),
            "redact, texts that are new": microseconds(lambda rs: [redactor.redact(r) for r in rs]),
            "redact, texts that are known": microseconds(
                lambda rs: [redactor.redact(rs[0]) for _ in rs]
            ),
            "redact, encode, to disk: finished spans": microseconds(writer.write_finished),
            "redact, encode, to disk: live spans": microseconds(live),
            "SDK, to disk": microseconds(sdk(SpoolProcessor(writer, None))),
            "SDK, BatchSpanProcessor, in memory": microseconds(
                sdk(BatchSpanProcessor(InMemorySpanExporter()))
            ),
        }
    print("| span of 18 attributes | µs |\n| --- | --- |")
    for name, value in rows.items():
        print(f"| {name} | {value:.1f} |")
    print("\n| import in a fresh interpreter | ms CPU |\n| --- | --- |")
    for module in IMPORTS:
        print(f"| `{module}` | {imports(module):.0f} |")


if __name__ == "__main__":
    main()
