"""An Airflow on PostgreSQL, its probe, and what the tests do to both."""

from __future__ import annotations

import json
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import psycopg2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from demo.instance import AirflowInstance
    from tests.airflow.sink import Sink, Span

PATIENCE: Final = 60.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Stage:
    """One Airflow, its database, and the collector that it sends to."""

    airflow: AirflowInstance
    sink: Sink

    def connect(self) -> Any:
        """Connect to Airflow's database as one who may write to it."""
        connection = psycopg2.connect(self.airflow.database_url.replace("+psycopg2", ""))
        connection.autocommit = True
        return connection

    def execute(self, *statements: str) -> None:
        """Execute statements, each for itself."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    @contextmanager
    def without_reschedules(self) -> Iterator[None]:
        """Take away a table that the scheduler itself doesn't need."""
        self.execute("ALTER TABLE task_reschedule RENAME TO task_reschedule_away")
        try:
            yield
        finally:
            self.execute("ALTER TABLE task_reschedule_away RENAME TO task_reschedule")

    @contextmanager
    def locked_reschedules(self) -> Iterator[None]:
        """Lock that table against all readers, for as long as it takes."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE task_reschedule IN ACCESS EXCLUSIVE MODE")
            yield

    def cancel_waiting(self) -> int:
        """Cancel statements that have waited for a lock for a second: what a time-out does."""
        statement = (
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            "AND state = 'active' AND now() - query_start > interval '1 second'"
        )
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return len(cursor.fetchall())

    def play(self, dag_id: str, run_id: str) -> str:
        """Play a run to its end, and return its state."""
        self.airflow.trigger(dag_id, run_id)
        return self.airflow.wait(dag_id, run_id, PATIENCE)

    def roots(self, run_id: str) -> list[Span]:
        """Return the roots that have come for a run."""
        spans = self.sink.spans()
        return [
            span
            for span in spans
            if not span.parent_id and span.attributes.get("airflow.dag_run.run_id") == run_id
        ]

    def one_true_root(self, dag_id: str, run_id: str) -> None:
        """Demand that the run gets one root, which ends when the row does."""
        wait_until(lambda: bool(self.roots(run_id)))
        ask = "SELECT state, end_date FROM dag_run WHERE dag_id = ? AND run_id = ?"
        (row,) = self.airflow.query(ask, dag_id, run_id)
        end = (row["end_date"] - _EPOCH) // timedelta(microseconds=1) * 1000
        found = [(r.attributes["airflow.dag_run.state"], r.end_ns) for r in self.roots(run_id)]
        assert found == [(row["state"], end)]

    def seen(self, file: str) -> list[dict[str, str]]:
        """Return what the probe has seen."""
        path = self.airflow.home / file
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def warnings_of(self, run_id: str) -> list[str]:
        """Return the scheduler's warnings of ours that name the run."""
        lines = (self.airflow.home / "scheduler.log").read_text().splitlines()
        return [line for line in lines if "pipeline_otel" in line and run_id in line]

    def pause(self, dag_id: str, *, paused: bool) -> None:
        """Pause a DAG, or let it go on."""
        if self.airflow.is_airflow_2:
            self.airflow.airflow("dags", "pause" if paused else "unpause", dag_id)
        else:
            self.airflow.rest("PATCH", f"/dags/{dag_id}", {"is_paused": paused})


def wait_until(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Wait until a condition holds; say whether it does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.2)
    return condition()
