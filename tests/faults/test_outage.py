"""Real tasks of a host without a scheduler, through an outage: nothing is lost, nothing doubled."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.tasks import Parent
from tests.delivery.collector import Collector
from tests.environments import NO_AIRFLOW, environments

if TYPE_CHECKING:
    from collections.abc import Iterator

NEWEST = [folder for folder in environments() if "2.11" not in folder.name][-1:]
EACH = 8
"""Tasks while the collector is well, hangs, says 503, is well again."""


@pytest.fixture(params=NEWEST or [pytest.param(None, marks=NO_AIRFLOW)], ids=lambda _: "")
def airflow(request: pytest.FixtureRequest) -> Path:
    """The environment of the newest Airflow."""
    return Path(request.param).absolute()


@pytest.fixture
def worker(airflow: Path, collector: Collector, tmp_path: Path) -> Iterator[Parent]:
    """A worker process, which forks a task for each word."""
    parent = Parent("provider", airflow, tmp_path, f"http://127.0.0.1:{collector.port}")
    yield parent
    parent.stop()


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that works at first."""
    with Collector() as collector:
        yield collector


def test_an_outage_costs_no_span_and_little_time(
    airflow: Path, worker: Parent, collector: Collector, tmp_path: Path
) -> None:
    """One task pays for finding out; what none could deliver goes when the collector is well."""
    well = [worker.task()["wall"] for _ in range(EACH)]
    collector.fault = "hang"
    hanging = [worker.task()["wall"] for _ in range(EACH)]
    collector.fault, collector.status = "", 503
    for _ in range(EACH):
        worker.task()
    collector.status = 200
    for _ in range(EACH):
        worker.task()
    drain = subprocess.run(
        [airflow / "bin" / "pipeline-otel", "drain", "--json"],
        env={
            "AIRFLOW_HOME": str(tmp_path / "provider"),
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    state = json.loads(drain.stdout)["spool"]
    arrived = Counter(span_id for request in collector.taken for span_id in request.span_ids())
    assert len(arrived) == 4 * EACH, "a worker for each task"
    assert set(arrived.values()) == {1}
    assert state["spans_waiting"] == 0
    assert state["spans_delivered"] == 4 * EACH
    assert not state["spans_dropped"]
    assert not state["spans_refused"]
    # Of all who met a collector that hangs one has waited, for the deadline of half a second.
    slow = [wall for wall in hanging if wall > max(well) + 400]
    assert len(slow) <= 2, (well, hanging)
