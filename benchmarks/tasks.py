"""What a no-op task costs more with the provider, with Airflow's own tracing, with both."""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Self

HERE: Final = Path(__file__).parent
VARIANTS: Final = ("absent", "provider", "native", "joined")
"""Without any tracing, with ours, with Airflow's own, with that coming to us."""


class Sink:
    """A collector that accepts everything, in this process."""

    def __enter__(self) -> Self:
        """Serve."""

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.server.shutdown()
        self.server.server_close()


class Parent:
    """A worker process of one variant, which forks a task for each word."""

    def __init__(self, variant: str, venv: Path, home: Path, url: str) -> None:
        environ = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("AIRFLOW", "OTEL", "PYTHON")) and not key.endswith("_proxy")
        }
        environ |= {
            "AIRFLOW_HOME": str(home / variant),
            "AIRFLOW__CORE__DAGS_FOLDER": str(HERE / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
            # The supervisor sleeps for so long when it misses its task's exit: 5 s by default.
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            "AIRFLOW__PIPELINE_OTEL__ENABLED": str(variant in ("provider", "joined")),
            "AIRFLOW__TRACES__OTEL_ON": str(variant in ("native", "joined")),
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "OTEL_TRACES_EXPORTER": "pipeline_otel" if variant == "joined" else "otlp_proto_http",
        }
        subprocess.run(
            [venv / "bin" / "airflow", "db", "migrate"],
            env=environ,
            check=True,
            capture_output=True,
        )
        with (home / f"{variant}.log").open("w") as log:
            self.process = subprocess.Popen(
                [venv / "bin" / "python", HERE / "task_parent.py"],
                env=environ,
                cwd=home,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def task(self) -> dict[str, float]:
        """Run one task; return its CPU and wall milliseconds."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("task\n")
        self.process.stdin.flush()
        found = json.loads(self.process.stdout.readline())
        assert found["code"] == 0, "the task failed"
        return {"cpu": found["cpu"] * 1000, "wall": found["wall"] * 1000}

    def stop(self) -> None:
        """End the worker."""
        with self.process:  # closes the pipes, and waits
            pass


def measure(venv: Path, home: Path, rounds: int) -> list[str]:
    """Return the report's lines."""
    with Sink() as sink:
        parents = {variant: Parent(variant, venv, home, sink.url) for variant in VARIANTS}
        try:
            for parent in parents.values():
                parent.task()  # the first one fills caches
            found = [_round(parents) for _ in range(rounds)]
        finally:
            for parent in parents.values():
                parent.stop()
    return _report(found)


def _report(found: list[dict[str, dict[str, float]]]) -> list[str]:
    quiet = {
        variant: {what: _quiet([one[variant][what] for one in found]) for what in ("cpu", "wall")}
        for variant in VARIANTS
    }
    lines = ["| over a task without the provider, ms | CPU | wall | CPU, medians |"]
    lines.append("| --- | --- | --- | --- |")
    for variant in VARIANTS[1:]:
        cpu, wall = (quiet[variant][what] - quiet["absent"][what] for what in ("cpu", "wall"))
        paired = _spread([one[variant]["cpu"] - one["absent"]["cpu"] for one in found])
        lines.append(f"| {variant} | {cpu:+.1f} | {wall:+.1f} | {paired} |")
    native = quiet["native"]["cpu"]
    lines += [
        "",
        f"{len(found)} rounds of one task of each, shuffled. The first columns compare the tenth "
        f"of tasks that took least, for what a shared machine adds is never negative; the last "
        f"one is the median [quartiles] of the differences within a round. A task without the "
        f"provider takes {quiet['absent']['cpu']:.0f} ms CPU. Over native, CPU: provider "
        f"{quiet['provider']['cpu'] - native:+.1f} ms, joined "
        f"{quiet['joined']['cpu'] - native:+.1f} ms.",
    ]
    return lines


def _round(parents: dict[str, Parent]) -> dict[str, dict[str, float]]:
    order = random.sample(VARIANTS, len(VARIANTS))
    return {variant: parents[variant].task() for variant in order}


def _quiet(values: list[float]) -> float:
    """Return the mean of the smallest tenth."""
    return statistics.mean(sorted(values)[: max(len(values) // 10, 1)])


def _spread(values: list[float]) -> str:
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:+.1f} [{low:+.1f} {high:+.1f}]"
