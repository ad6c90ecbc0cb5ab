"""Two schedulers that share nothing but the database: each try once, in time, whoever dies."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from demo.instance import AirflowInstance
from tests.airflow.postgresql import database, reason_for_no_driver
from tests.airflow.sink import Sink, Span
from tests.environments import AIRFLOWS, skip_without
from tests.transactions.server import reason_for_none, server

if TYPE_CHECKING:
    from collections.abc import Iterator

WINDOW: Final = 20
THRESHOLD: Final = 12
"""Seconds without a heartbeat after which a scheduler is taken for dead."""

DAGS: Final = Path(__file__).with_name("dags")

pytestmark = pytest.mark.timeout(600)


class Arrivals:
    """Notes when a span was first seen at the collector."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.seen: dict[str, float] = {}
        self._thread.start()

    def _look(self) -> None:
        while not self._stop.wait(1.0):
            for span in self._sink.spans():
                self.seen.setdefault(span.span_id, time.time())

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join()


@pytest.fixture(params=AIRFLOWS[-1:], ids=lambda folder: getattr(folder, "name", "none"))
def folder(request: pytest.FixtureRequest) -> Path:
    """Give an Airflow that can use PostgreSQL."""
    found: Path = request.param
    reason = reason_for_none() or reason_for_no_driver(found)
    if reason:
        skip_without("postgresql", reason)
    return found


@pytest.fixture
def sink() -> Iterator[Sink]:
    """Give a collector."""
    with Sink() as sink:
        yield sink


@pytest.fixture
def airflow(folder: Path, tmp_path: Path, sink: Sink) -> Iterator[AirflowInstance]:
    """Give a running Airflow whose components have each a spool of their own."""
    with server() as at, database(folder.name, at) as url:
        airflow = AirflowInstance(
            folder,
            tmp_path,
            DAGS,
            database_url=url,
            schedulers=2,
            environment_of=lambda name: {
                "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(tmp_path / f"spool-{name}")
            },
            environment={
                "AIRFLOW__PIPELINE_OTEL__ENABLED": "True",
                "AIRFLOW__PIPELINE_OTEL__WINDOW": str(WINDOW),
                "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": str(THRESHOLD),
                "OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint,
                "OTEL_METRICS_EXPORTER": "none",
            },
        )
        try:
            airflow.start()
            yield airflow
        finally:
            airflow.stop()


def tries_of(airflow: AirflowInstance, run_id: str) -> dict[tuple[str, int], float]:
    """Return when each try ended, by Airflow's database."""
    return {
        (row["task_id"], row["try_number"]): _seconds(row["end_date"])
        for table in ("task_instance_history", "task_instance")
        for row in airflow.query(
            f"SELECT task_id, try_number, end_date FROM {table} WHERE run_id = ?",  # noqa: S608
            run_id,
        )
    }


def _seconds(value: object) -> float:
    assert isinstance(value, datetime)
    return value.timestamp()


def elected_scheduler(airflow: AirflowInstance) -> str:
    """Return the one that has written windows."""
    (windows,) = [
        file for file in airflow.home.glob("spool-*/windows") if file.read_text().splitlines()[1]
    ]
    return windows.parent.name.removeprefix("spool-")


def key_of(span: Span) -> tuple[object, object]:
    """Return what tells a try."""
    return span.attributes["airflow.task_id"], span.attributes["airflow.task_instance.try_number"]


def drain(airflow: AirflowInstance) -> None:
    """Deliver what is left on every host."""
    for spool in airflow.home.glob("spool-*"):
        subprocess.run(
            [airflow.python.with_name("pipeline-otel"), "drain"],
            env=airflow.environment | {"AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(spool)},
            capture_output=True,
            check=False,
        )


def test_each_try_is_there_soon_whoever_dies(airflow: AirflowInstance, sink: Sink) -> None:
    """While the run goes on; at most the dead one's last window comes twice, the same bytes."""
    arrivals = Arrivals(sink)
    airflow.trigger("long", "run")
    time.sleep(55)
    airflow.end(elected_scheduler(airflow), signal.SIGKILL)
    assert airflow.wait("long", "run", timeout=400) == "success"
    time.sleep(15)
    drain(airflow)
    arrivals.stop()
    ended = tries_of(airflow, "run")
    spans = [span for span in sink.spans() if span.name.startswith("task_run.")]
    times = Counter(map(key_of, spans))
    assert times.keys() == ended.keys()
    again = sorted(ended[key] for key, count in times.items() if count > 1)
    assert not again or again[-1] - again[0] <= WINDOW
    assert max(times.values()) <= 2
    assert len(set(map(repr, spans))) == len(times), "the same bytes"
    waited = {key_of(span): arrivals.seen[span.span_id] - ended[key_of(span)] for span in spans}
    assert max(waited.values()) <= WINDOW + 60
    assert [span.name for span in sink.spans() if not span.parent_id] == ["dag_run.long"]
    known = {span.span_id for span in sink.spans()}
    assert {span.parent_id for span in sink.spans() if span.parent_id} <= known
