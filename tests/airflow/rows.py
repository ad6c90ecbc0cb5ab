"""Airflow's own rows about one run, as plain frozen values with times in nanoseconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demo.database import Row
    from demo.instance import AirflowInstance

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RUN = "SELECT * FROM dag_run WHERE dag_id = ? AND run_id = ?"
_CURRENT = "SELECT * FROM task_instance WHERE dag_id = ? AND run_id = ?"
_HISTORY = "SELECT * FROM task_instance_history WHERE dag_id = ? AND run_id = ?"
_POKES_2 = "SELECT * FROM task_reschedule WHERE dag_id = ? AND run_id = ? ORDER BY start_date"
_POKES_3 = (
    "SELECT r.* FROM task_reschedule r JOIN task_instance t ON t.id = r.ti_id "
    "WHERE t.dag_id = ? AND t.run_id = ? ORDER BY r.start_date"
)


@dataclass(frozen=True)
class RunRow:
    """A row of dag_run."""

    dag_id: str
    run_id: str
    run_type: str
    state: str
    logical_date: int | None
    queued_at: int | None
    start_date: int | None
    end_date: int | None
    clear_number: int
    partition_key: str | None


@dataclass(frozen=True)
class TaskRow:
    """A row of task_instance, or of its history."""

    task_id: str
    map_index: int
    try_number: int
    state: str | None
    start_date: int | None
    end_date: int | None
    queued_at: int | None
    hostname: str
    pid: int | None
    operator: str | None
    queue: str | None
    pool: str | None
    archived: bool
    pokes: tuple[tuple[int, int], ...] = ()

    @property
    def key(self) -> tuple[str, int, int]:
        """What names a try within its run."""
        return self.task_id, self.map_index, self.try_number

    @property
    def has_process(self) -> bool:
        """Whether a process once wrote itself into this row."""
        return bool(self.hostname and self.pid)


@dataclass(frozen=True)
class Snapshot:
    """All rows of one run at one moment."""

    run: RunRow
    tasks: tuple[TaskRow, ...]

    @property
    def current(self) -> tuple[TaskRow, ...]:
        """The rows of task_instance."""
        return tuple(row for row in self.tasks if not row.archived)

    @property
    def archived(self) -> tuple[TaskRow, ...]:
        """The rows of task_instance_history."""
        return tuple(row for row in self.tasks if row.archived)


def read_snapshot(instance: AirflowInstance, dag_id: str, run_id: str) -> Snapshot:
    """Read all rows of one run."""
    ids = (dag_id, run_id)
    history = instance.query(_HISTORY, *ids)
    current = instance.query(_CURRENT, *ids)
    (run,) = instance.query(_RUN, *ids)
    pokes = _pokes(instance, dag_id, run_id)
    tasks = [_task(row, archived=True, pokes=()) for row in history]
    for row in current:
        poked = pokes.get(_poke_key(row, instance), ())
        tasks.append(_task(row, archived=False, pokes=poked))
    return Snapshot(_run(run), tuple(tasks))


def nanoseconds(value: str | datetime | None) -> int | None:
    """Return whole nanoseconds since 1970 of what either database gives for a time."""
    if value is None:
        return None
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _pokes(
    instance: AirflowInstance, dag_id: str, run_id: str
) -> dict[tuple[object, ...], tuple[tuple[int, int], ...]]:
    statement = _POKES_2 if instance.is_airflow_2 else _POKES_3
    pokes: dict[tuple[object, ...], tuple[tuple[int, int], ...]] = {}
    for row in instance.query(statement, dag_id, run_id):
        key = _poke_key(row, instance)
        times = (nanoseconds(row["start_date"]) or 0, nanoseconds(row["end_date"]) or 0)
        pokes[key] = (*pokes.get(key, ()), times)
    return pokes


def _poke_key(row: Row, instance: AirflowInstance) -> tuple[object, ...]:
    if instance.is_airflow_2:
        return row["task_id"], row["map_index"], row["try_number"]
    return (row.get("ti_id") or row["id"],)


def _run(row: Row) -> RunRow:
    return RunRow(
        dag_id=row["dag_id"],
        run_id=row["run_id"],
        run_type=row["run_type"],
        state=row["state"],
        logical_date=nanoseconds(row.get("logical_date") or row.get("execution_date")),
        queued_at=nanoseconds(row["queued_at"]),
        start_date=nanoseconds(row["start_date"]),
        end_date=nanoseconds(row["end_date"]),
        clear_number=row["clear_number"],
        partition_key=row.get("partition_key"),
    )


def _task(row: Row, *, archived: bool, pokes: tuple[tuple[int, int], ...]) -> TaskRow:
    return TaskRow(
        task_id=row["task_id"],
        map_index=row["map_index"],
        try_number=row["try_number"],
        state=row["state"],
        start_date=nanoseconds(row["start_date"]),
        end_date=nanoseconds(row["end_date"]),
        queued_at=nanoseconds(row["queued_dttm"]),
        hostname=row["hostname"] or "",
        pid=row["pid"],
        operator=row["operator"],
        queue=row["queue"],
        pool=row["pool"],
        archived=archived,
        pokes=pokes,
    )
