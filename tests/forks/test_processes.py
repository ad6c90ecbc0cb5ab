"""Real processes that share a spool: they die, find each other, and deliver side by side."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.airflow.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(__file__).parents[2]
PROGRAMS: Final = Path(__file__).parent / "programs"
CLI: Final = ("-m", "airflow_provider_pipeline_otel.cli")
PATIENCE: Final = 30.0
WEEKS: Final = 30 * 86400.0
BIG: Final = 64 * 1024
"""Bytes of a span of which few go into one request."""


@dataclass(frozen=True)
class Host:
    """A spool, and processes that know it."""

    home: Path

    @property
    def spool(self) -> Path:
        """The spool's folder."""
        return self.home / "spool"

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a Python process."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.home,
            env={
                "PATH": os.defpath,
                "HOME": str(self.home),
                "PYTHONPATH": str(ROOT),
                "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(self.spool),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Run a Python process to its end; return its exit code and what it printed."""
        process = self.start(*arguments, **environment)
        printed, _ = process.communicate(timeout=PATIENCE)
        return process.returncode, printed

    def drain(self, sink: Sink | None = None, **environment: str) -> int:
        """Let another process recover and deliver."""
        if sink is not None:
            environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = sink.endpoint
        return self.run(*CLI, "drain", **environment)[0]

    def write(self, name: str, count: int, size: int = 100) -> list[str]:
        """Let a process write spans, a segment for each; return their names."""
        assert self.run(str(PROGRAMS / "writer.py"), name, str(count), str(size)) == (0, "")
        return [f"{name}-{number}" for number in range(count)]

    def spans(self) -> dict[str, dict[str, Any]]:
        """Return what the spool holds, by name."""
        _, printed = self.run(*CLI, "show", "--json")
        found = [span for line in printed.splitlines() for span in json.loads(line)["spans"]]
        by_name = {span["name"]: span for span in found}
        assert len(by_name) == len(found), "a span is there twice"
        return by_name

    def losses(self) -> Counter[str]:
        """Return how many spans were given up, by reason."""
        lines = (self.spool / "ledger.jsonl").read_text().splitlines()
        lost: Counter[str] = Counter()
        for line in map(json.loads, lines):
            if line["what"] == "dropped":
                lost[line["reason"]] += line["spans"]
        return lost


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """Give a host."""
    return Host(tmp_path)


def _interrupted(spans: dict[str, dict[str, Any]]) -> dict[str, bool]:
    return {
        name: bool(span["attributes"].get("pipeline.interrupted")) for name, span in spans.items()
    }


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


ALL_OF_THE_VICTIM: Final = {
    "outer": True,
    "middle": True,
    "inner": True,
    "first": False,
    "second": False,
}


@pytest.mark.parametrize("with_child", [False, True], ids=["alone", "with-child"])
def test_a_killed_process_is_ended_by_another(host: Host, *, with_child: bool) -> None:
    """After kill -9 all spans are there, the open ones interrupted, though a forked child lives."""
    victim = host.start(str(PROGRAMS / "victim.py"), *(["with-child"] if with_child else []))
    assert victim.stdout is not None
    child = int(victim.stdout.readline())
    try:
        host.drain()
        open_ones = {name for name, span in host.spans().items() if not span["end_ns"]}
        assert open_ones == {"outer", "middle", "inner"}, "a living process is left alone"
        victim.kill()
        victim.wait()
        host.drain()
        spans = host.spans()
    finally:
        victim.kill()
        if with_child:
            os.kill(child, signal.SIGKILL)
        victim.communicate()
    assert _interrupted(spans) == ALL_OF_THE_VICTIM
    assert {span["status"] for name, span in spans.items() if ALL_OF_THE_VICTIM[name]} == {"ERROR"}
    assert all(span["start_ns"] <= span["end_ns"] <= time.time_ns() for span in spans.values())
    assert spans["inner"]["parent_span_id"] == spans["middle"]["span_id"]
    host.drain()
    assert host.spans() == spans, "what has been ended is left alone"


def test_a_spool_of_too_many_files(host: Host) -> None:
    """Beyond spool_max_files the oldest go, and are counted."""
    names = host.write("old", 4) + host.write("new", 3)
    with Sink() as sink:
        assert host.drain(sink, AIRFLOW__PIPELINE_OTEL__SPOOL_MAX_FILES="5") == 0
        assert sorted(span.name for span in sink.spans()) == sorted(names[2:])
    assert host.losses() == {"spool_max_bytes or spool_max_files": 2}


def test_a_spool_of_too_many_bytes(host: Host) -> None:
    """Beyond spool_max_bytes the oldest go, and are counted."""
    names = host.write("span", 6)
    sizes = [path.stat().st_size for path in sorted((host.spool / "sealed").iterdir())]
    with Sink() as sink:
        assert host.drain(sink, AIRFLOW__PIPELINE_OTEL__SPOOL_MAX_BYTES=str(sum(sizes[2:]))) == 0
        assert sorted(span.name for span in sink.spans()) == sorted(names[2:])
    assert host.losses() == {"spool_max_bytes or spool_max_files": 2}


def test_a_spool_of_old_spans(host: Host) -> None:
    """Beyond spool_max_age spans go, and are counted."""
    host.write("old", 2)
    for path in (host.spool / "sealed").iterdir():
        os.utime(path, (time.time() - WEEKS,) * 2)
    names = host.write("new", 2)
    with Sink() as sink:
        assert host.drain(sink) == 0
        assert sorted(span.name for span in sink.spans()) == names
    assert host.losses() == {"spool_max_age": 2}


def test_a_collector_that_is_not_there(host: Host) -> None:
    """Where nobody listens, nothing is lost; it is delivered when somebody does."""
    names = host.write("span", 3)
    with Sink() as gone:
        pass
    assert host.drain(gone) == 1
    with Sink() as sink:
        assert host.drain(sink) == 0
        assert Counter(span.name for span in sink.spans()) == Counter(names)


def test_two_deliverers_at_once(host: Host) -> None:
    """Two processes that deliver side by side deliver everything, and nothing twice."""
    names = host.write("one", 100, BIG) + host.write("two", 100, BIG)
    with Sink() as sink:
        both = [
            host.start(*CLI, "drain", OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint) for _ in range(2)
        ]
        for process in both:
            process.communicate(timeout=PATIENCE)
        assert host.drain(sink) == 0
        assert Counter(span.name for span in sink.spans()) == Counter(names)


def test_a_deliverer_that_is_killed(host: Host) -> None:
    """What a deliverer held when it was killed is delivered by the next one."""
    names = host.write("span", 20)
    with Sink("hang") as sink:
        victim = host.start(*CLI, "drain", OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint)
        _until(lambda: f" {victim.pid} " in Path("/proc/locks").read_text())
        victim.kill()
        victim.communicate()
        sink.mode = "ok"
        assert host.drain(sink) == 0
        assert Counter(span.name for span in sink.spans()) == Counter(names)
