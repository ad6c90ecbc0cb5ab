"""What a failing collector costs tasks, and how fast a spool is drained."""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from airflow_provider_pipeline_otel.config import Caps
from airflow_provider_pipeline_otel.export.spool import Spool
from airflow_provider_pipeline_otel.export.writer import SpanWriter
from benchmarks.encoding import record
from benchmarks.tasks import Parent
from tests.delivery.collector import Blackhole, Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

FAULTS: Final = {
    "refused": {},
    "blackhole": {},
    "accepts, never answers": {"fault": "hang"},
    "a byte a second": {"fault": "drip"},
    "answers after 5 s": {"fault": "slow"},
    "resets in the middle": {"fault": "reset"},
    "answer lost": {"fault": "lost"},
    "half-closed": {"fault": "half-closed"},
    "503": {"status": 503},
    "503, Retry-After 30": {"status": 503, "answer_headers": {"Retry-After": "30"}},
    "429, Retry-After 1": {"status": 429, "answer_headers": {"Retry-After": "1"}},
    "413": {"status": 413},
    "400": {"status": 400},
    "401": {"status": 401},
    "HTTP/2": {"fault": "grpc"},
}
FOLLOWING: Final = 8
SPANS: Final = 100_000


@contextmanager
def faulty(fault: str) -> Iterator[str]:
    """Give the address of a collector that fails so."""
    with ExitStack() as stack:
        if fault == "refused":
            with socket.create_server(("127.0.0.1", 0)) as server:
                url = f"http://127.0.0.1:{server.getsockname()[1]}"
        elif fault == "blackhole":
            url = f"http://127.0.0.1:{stack.enter_context(Blackhole()).port}"
        else:
            collector = stack.enter_context(Collector(**FAULTS[fault]))  # type: ignore[arg-type]
            url = f"http://127.0.0.1:{collector.port}"
        yield url


def measure(venv: Path, home: Path) -> list[str]:
    """Return the report's lines: the wall time of no-op tasks over that without the provider."""
    lines = [
        "| a collector that | first task, ms | following, ms | first, joined | following, joined |",
        "| --- | --- | --- | --- | --- |",
    ]
    base = Parent("absent", venv, home, "http://127.0.0.1:9")
    try:
        base.task()
        for number, fault in enumerate(FAULTS):
            cells = []
            for variant in ("provider", "joined"):
                with faulty(fault) as url:
                    (home / str(number)).mkdir(exist_ok=True)
                    parent = Parent(variant, venv, home / str(number), url)
                    try:
                        cells += _first_and_following(parent, base)
                    finally:
                        parent.stop()
            lines.append(f"| {fault} | {' | '.join(f'{cell:+.0f}' for cell in cells)} |")
    finally:
        base.stop()
    return [
        *lines,
        "",
        f"Each beside a task without the provider; following: median of {FOLLOWING}. Joined: with "
        "Airflow's own tracing on, coming to the provider.",
    ]


def _first_and_following(parent: Parent, base: Parent) -> tuple[float, float]:
    over = [parent.task()["wall"] - base.task()["wall"] for _ in range(1 + FOLLOWING)]
    return over[0], statistics.median(over[1:])


def main() -> None:
    """Print how fast a spool is drained, by a process of its own."""
    with tempfile.TemporaryDirectory() as folder, Collector() as collector:
        spool = Spool(Path(folder), Caps(10**9, 10**6, 10**6))
        SpanWriter(spool, {"service.name": "benchmark"}).write_finished(map(record, range(SPANS)))
        code = (
            "import sys, time; from pathlib import Path;"
            "from airflow_provider_pipeline_otel.config import Caps;"
            "from airflow_provider_pipeline_otel.endpoint import Endpoint;"
            "from airflow_provider_pipeline_otel.export.delivery import deliver;"
            "from airflow_provider_pipeline_otel.export.spool import Spool;"
            "spool = Spool(Path(sys.argv[1]), Caps(10**9, 10**6, 10**6));"
            "began = time.process_time();"
            "done = deliver(spool, Endpoint(sys.argv[2]));"
            "print(done.spans, time.process_time() - began)"
        )
        began = time.monotonic()
        command = [sys.executable, "-c", code, folder, collector.url]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        wall = time.monotonic() - began
    spans, cpu = map(float, done.stdout.split())
    print(f"A spool of {spans:,.0f} spans is drained at {spans / wall:,.0f} spans/s, the process's")
    print(f"start included; {spans / cpu:,.0f} per second of CPU.")


if __name__ == "__main__":
    main()
