"""All faults played on one real Airflow, after the same DAGs have run without us."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from demo.instance import AirflowError, AirflowInstance
from tests.faults.disk import DISKS, can_mount
from tests.faults.logs import TaskLog, exit_codes, read_task_log

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from demo.database import Row
    from tests.airflow.sink import Mode, Sink, Span

BOTH: Final = ("Exception", "SystemExit")
IN_TASKS: Final = (
    *(f"worker.{at}~{how}" for at in ("open_worker", "close_worker", "finish") for how in BOTH),
    "worker.close_worker~sleep3",
    "worker.finish~sleep3",
)
FOR_LONG: Final = "worker.open_worker~sleep30"
AT_SIGTERM: Final = tuple(f"sdk.processor.SpoolProcessor.write_open~{how}" for how in BOTH)
IN_CHAINS: Final = tuple(f"propagation.xcom.inject~{how}" for how in BOTH)
IN_STAGES: Final = tuple(f"export.encoding.encode_span~{how}" for how in BOTH)
NO_FAULT: Final = "no-fault"
"""In `staged` a stage is too big by itself."""

AT_RUNS: Final = (
    *(f"scheduler.{at}~{how}" for at in ("note_start", "note_end") for how in BOTH),
    "scheduler.note_end~sleep3",
)
BEHIND_COMMITS: Final = (
    *(f"run_ends.RunEnds.write_some~{how}" for how in (*BOTH, "sleep3")),
    *(f"tick.Tick.run_if_due~{how}" for how in BOTH),
    "scheduler._committed~Exception",
)
AT_START: Final = "scheduler.remember_job~Exception"
COLLECTORS: Final[dict[str, Mode]] = {
    "collector-down": "refuse",
    "collector-hangs": "hang",
    "collector-503": "503",
}
RUNS: Final[dict[str, str]] = {
    **dict.fromkeys((*IN_TASKS, *DISKS, *COLLECTORS), "afflicted"),
    **dict.fromkeys(AT_SIGTERM, "terminated"),
    **dict.fromkeys(IN_CHAINS, "chained"),
    **dict.fromkeys((NO_FAULT, *IN_STAGES), "staged"),
    **dict.fromkeys((FOR_LONG, *AT_RUNS, *BEHIND_COMMITS, AT_START), "quick"),
}
WITHOUT: Final = "without-us"
FROM_TRIGGER: Final = "ended_from_trigger"
"""A DAG that Airflow may refuse to import."""

RUN_ID: Final = "airflow.dag_run.run_id"
PATIENCE: Final = 60.0
_OF_A_RUN: Final = "WHERE dag_id = ? AND run_id = ?"


@dataclass(frozen=True)
class Outcome:
    """How a run ended, for all who look from outside."""

    state: str
    tasks: dict[str, str]
    exit_codes: dict[str, str]
    logs: dict[str, TaskLog] = field(default_factory=dict)


@dataclass
class Ordeal:
    """One Airflow, what befell it, and how its runs ended."""

    airflow: AirflowInstance
    sink: Sink
    spool: Path
    failures: dict[str, str] = field(default_factory=dict)
    scheduler_logs: list[str] = field(default_factory=list)

    def play(self) -> None:
        """Play the DAGs without us, then with us under every fault."""
        self.airflow.start(dag_ids=len({*RUNS.values()} - {"chained"}))
        wait_until(lambda: self._is_parsed("chained") and self._is_parsed(FROM_TRIGGER), 20.0)
        self._together(dags=("quick", "afflicted", "terminated", "chained", "staged"))
        self.airflow.environment["AIRFLOW__PIPELINE_OTEL__ENABLED"] = "True"
        self._restart_scheduler()
        if not self.airflow.is_airflow_2:
            self.airflow.restart("dag-processor")
        self._together(FOR_LONG, *IN_TASKS, *AT_SIGTERM, *IN_CHAINS, *IN_STAGES, NO_FAULT, *AT_RUNS)
        for run in BEHIND_COMMITS:
            self._under(run)
        self._play_ended_from_trigger()
        for run, mode in COLLECTORS.items():
            self.sink.mode = mode
            self._together(run)
        self.sink.mode = "ok"
        self._wait_for_traces()
        if can_mount():
            for run, spoil in DISKS.items():
                with spoil(self.spool, self.airflow.home / "tmp"):
                    self._together(run)
        (self.airflow.home / "fault").write_text(AT_START)
        self._restart_scheduler()
        self._under(AT_START)
        self._restart_scheduler()

    def _together(self, *runs: str, dags: tuple[str, ...] = (), patience: float = PATIENCE) -> None:
        """Start runs, and one of each DAG without a fault, then wait for all of them."""
        wanted = [*((run, RUNS[run]) for run in runs), *((WITHOUT, dag) for dag in dags)]
        for run, dag in wanted:
            try:
                self.airflow.trigger(dag, run)
            except AirflowError as error:
                self.failures[f"{dag}/{run}"] = f"{error}: {self.import_errors()}"
        for run, dag in wanted:
            if f"{dag}/{run}" not in self.failures:
                try:
                    self.airflow.wait(dag, run, patience)
                    wait_until(partial(self._have_exited, dag, run))
                except AirflowError as error:
                    self.failures[f"{dag}/{run}"] = str(error)

    def _have_exited(self, dag: str, run: str) -> bool:
        """Say whether the supervisors have told how all processes of the run have ended."""
        if self.airflow.is_airflow_2:
            return True
        known = exit_codes((self.airflow.home / "scheduler.log").read_text())
        return all(_id_of(row) in known for row in self._tries(dag, run) if row["pid"])

    def _tries(self, dag_id: str, run_id: str) -> list[Row]:
        """Return all tries of a run, old ones first."""
        return [
            row
            for table in ("task_instance_history", "task_instance")
            for row in self.airflow.query(f"SELECT * FROM {table} {_OF_A_RUN}", dag_id, run_id)  # noqa: S608
        ]

    def _under(self, fault: str) -> None:
        """Play a run while the scheduler is under a fault of its own."""
        file = self.airflow.home / "fault"
        file.write_text(fault)
        self._together(fault)
        wait_until(lambda: self.was_injected(fault))
        file.unlink()

    def _is_parsed(self, dag_id: str) -> bool:
        ask = "SELECT 1 FROM serialized_dag WHERE dag_id = ?"
        return bool(self.airflow.query(ask, dag_id))

    def _play_ended_from_trigger(self) -> None:
        if self.airflow.is_airflow_2:
            wait_until(lambda: FROM_TRIGGER in self.import_errors())
            return
        self._together(dags=(FROM_TRIGGER,), patience=25.0)

    def _wait_for_traces(self) -> None:
        """Drain until the last of the runs that must lose nothing has its root."""

        def complete() -> bool:
            self.drain()
            roots = {s.attributes.get(RUN_ID) for s in self.sink.spans() if not s.parent_id}
            return roots >= {*COLLECTORS, *IN_TASKS}

        wait_until(complete, 30.0)

    def _restart_scheduler(self) -> None:
        """Start the scheduler anew, at once: a polite end waits for its executor."""
        log = self.airflow.home / "scheduler.log"
        self.airflow.restart("scheduler", signal.SIGKILL)
        past = sum(map(len, self.scheduler_logs))
        self.scheduler_logs.append(log.read_text()[past:])

    def conclude(self) -> None:
        """Stop, and keep the last scheduler's log."""
        if "scheduler" in self.airflow.processes:
            self._restart_scheduler()
            self.airflow.send_signal("scheduler", signal.SIGKILL)
        self.airflow.stop()

    def import_errors(self) -> str:
        """Return what Airflow could not import, and why."""
        rows = self.airflow.query("SELECT filename, stacktrace FROM import_error")
        return " ".join(f"{row['filename']}: {row['stacktrace']}" for row in rows)

    def was_injected(self, fault: str) -> bool:
        """Say whether the fault has come about."""
        log = self.airflow.home / "injected.log"
        return log.exists() and fault in {line.split()[0] for line in log.read_text().splitlines()}

    def seconds_at_ends(self, run: str) -> list[float]:
        """Return how long each task process of the run spent on us at its end."""
        lines = (self.airflow.home / "finish.jsonl").read_text().splitlines()
        return [found["seconds"] for found in map(json.loads, lines) if found["run_id"] == run]

    def spans_of(self, run: str) -> list[Span]:
        """Return what the collector has got of a run."""
        return [s for s in self.sink.spans() if s.attributes.get(RUN_ID) == run]

    def drain(self) -> None:
        """Bring what still lies in the spool to the collector."""
        command = [str(self.airflow.python.with_name("pipeline-otel")), "drain"]
        subprocess.run(
            command,
            cwd=self.airflow.home,
            env=self.airflow.environment,
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )

    def outcome(self, dag_id: str, run_id: str) -> Outcome:
        """Return how a run ended."""
        failure = self.failures.get(f"{dag_id}/{run_id}")
        assert failure is None, failure
        rows = self._tries(dag_id, run_id)
        codes = exit_codes((self.airflow.home / "scheduler.log").read_text())
        folder = self.airflow.home / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}"
        logs = folder.glob("task_id=*/attempt=?.log")
        return Outcome(
            state=self.airflow.state(dag_id, run_id) or "",
            tasks={row["task_id"]: f"{row['state']} {row['try_number']}" for row in rows},
            exit_codes={
                f"{row['task_id']} {row['try_number']}": codes.get(_id_of(row), "") for row in rows
            },
            logs={f"{path.parent.name} {path.name}": read_task_log(path, run_id) for path in logs},
        )


def _id_of(row: Row) -> str:
    return str(row.get("task_instance_id") or row.get("id")).replace("-", "")


def wait_until(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Wait until a condition holds; say whether it does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.2)
    return condition()
