"""One reader of the database for all who wait for a run or task to get somewhere."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, Self

from demo.instance import FINAL_STATES, AirflowError
from tests.airflow.rows import nanoseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from demo.instance import AirflowInstance

PERIOD: Final = 0.4
PATIENCE: Final = 150.0


class Watch:
    """Reads the states of all runs and tasks a few times a second and wakes who waits."""

    def __init__(self, airflow: AirflowInstance) -> None:
        """Watch one Airflow."""
        self._airflow = airflow
        self._changed = threading.Condition()
        self._runs: dict[tuple[str, str], str] = {}
        self._ends: dict[tuple[str, str], set[int]] = {}
        self._tasks: dict[tuple[str, str, str], set[str]] = {}
        self._dead: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read_on, daemon=True)

    def __enter__(self) -> Self:
        """Begin to read."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Read no more."""
        self._stop.set()
        self._thread.join()

    def run_ended(self, dag_id: str, run_id: str) -> None:
        """Wait until a run is over."""
        self._wait(
            lambda: self._runs.get((dag_id, run_id)) in FINAL_STATES, f"{dag_id}/{run_id} to end"
        )

    def run_began(self, dag_id: str, run_id: str) -> None:
        """Wait until a run that was over is under way again."""
        self._wait(
            lambda: self._runs.get((dag_id, run_id)) == "running", f"{dag_id}/{run_id} to begin"
        )

    def task_is(self, dag_id: str, run_id: str, task_id: str, states: Collection[str]) -> None:
        """Wait until a task is in one of some states; a run that ends first is an error."""
        key = (dag_id, run_id, task_id)

        def there() -> bool:
            if not self._tasks.get(key, set()).isdisjoint(states):
                return True
            if self._runs.get((dag_id, run_id)) in FINAL_STATES:
                message = f"{dag_id}/{run_id} ended before {task_id} was {'/'.join(states)}"
                raise AirflowError(message)
            return False

        self._wait(there, f"{dag_id}/{run_id}/{task_id} to be {'/'.join(states)}")

    def runs_of(self, dag_id: str, count: int) -> list[str]:
        """Wait until a DAG has that many runs, and return their ids."""
        self._wait(lambda: len(self._ids(dag_id)) >= count, f"{count} runs of {dag_id}")
        return self._ids(dag_id)

    def ends_of(self, dag_id: str, run_id: str) -> set[int]:
        """Return every end that a run's row has told."""
        with self._changed:
            return set(self._ends.get((dag_id, run_id), ()))

    def _ids(self, dag_id: str) -> list[str]:
        return [run for dag, run in self._runs if dag == dag_id]

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: bool(self._dead) or condition(), PATIENCE):
                message = f"waited {PATIENCE:.0f} s for {what}"
                raise AirflowError(message)
            if self._dead:
                message = f"{', '.join(self._dead)} ended while we waited for {what}"
                raise AirflowError(message)

    def _read_on(self) -> None:
        while not self._stop.is_set():
            runs = self._airflow.query("SELECT dag_id, run_id, state, end_date FROM dag_run")
            rows = self._airflow.query("SELECT dag_id, run_id, task_id, state FROM task_instance")
            tasks: dict[tuple[str, str, str], set[str]] = {}
            for row in rows:
                key = (row["dag_id"], row["run_id"], row["task_id"])
                tasks.setdefault(key, set()).add(row["state"])
            with self._changed:
                self._dead = self._airflow.exited()
                self._runs = {(row["dag_id"], row["run_id"]): row["state"] for row in runs}
                for row in runs:
                    if end := nanoseconds(row["end_date"]):
                        self._ends.setdefault((row["dag_id"], row["run_id"]), set()).add(end)
                self._tasks = tasks
                self._changed.notify_all()
            time.sleep(PERIOD)
