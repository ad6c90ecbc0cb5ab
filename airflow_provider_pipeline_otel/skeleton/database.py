"""The only reader of Airflow's database: a fixed number of column queries for a run, no ORM object.

Columns, so that nothing is loaded lazily, detached or flushed; on a connection of our own, so that
a statement of ours that fails is nobody else's (on PostgreSQL it would end the scheduler).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from airflow.models.dag import DagTag
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.taskinstancehistory import TaskInstanceHistory
from airflow.models.taskreschedule import TaskReschedule
from sqlalchemy import and_, func, literal, null, select, tuple_

from airflow_provider_pipeline_otel.identity import (
    span_id_of_try,
    trace_id_of_run,
)
from airflow_provider_pipeline_otel.skeleton.rows import Cause, RunRow, RunRows, TryRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection

RunKey = tuple[str, str]
"""dag_id, run_id."""

MARKS_FIRE_HOOKS: Final = not hasattr(DagRun, "execution_date")
"""False on 2.11, where a run that is marked by hand ends without any hook."""

TERMINAL: Final = frozenset({"success", "failed"})

_POKES_HAVE_A_TASK: Final = hasattr(TaskReschedule, "task_id")
"""True on 2.11, where a reschedule row names its task and holds the poke's true start."""


def _text(value: Any) -> Any:  # noqa: ANN401
    return getattr(value, "value", value)


def _run_columns() -> list[Any]:
    model: Any = DagRun
    logical_date = getattr(model, "logical_date", None)
    if not hasattr(logical_date, "property"):  # 2.11: a Python property over execution_date
        logical_date = model.execution_date
    return [
        model.dag_id,
        model.run_id,
        model.run_type,
        model.state,
        model.start_date,
        model.end_date,
        model.queued_at,
        logical_date,
        getattr(model, "clear_number", null()),
        getattr(model, "partition_key", null()),
    ]


def _try_columns(model: Any) -> list[Any]:  # noqa: ANN401
    return [getattr(model, field) for field in TryRow._fields]


def read_run(connection: Connection, key: RunKey) -> RunRow | None:
    """Return the run's row; None if there is none."""
    where = (DagRun.dag_id == key[0]) & (DagRun.run_id == key[1])
    row = connection.execute(select(*_run_columns()).where(where)).first()
    return None if row is None else RunRow._make(map(_text, row))


def count_tries(connection: Connection, key: RunKey) -> int:
    """Return how many task instances the run has."""
    where = (TaskInstance.dag_id == key[0]) & (TaskInstance.run_id == key[1])
    counted = connection.execute(select(func.count()).select_from(TaskInstance).where(where))
    return int(counted.scalar() or 0)


def read_rows(connection: Connection, run: RunRow) -> RunRows:
    """Return all rows of the run.

    Task instances before their history: a try that is archived between the two is seen twice, and
    dropped once, but never missed.
    """
    key = (run.dag_id, run.run_id)
    return RunRows(
        run=run,
        tries=_read_tries(connection, TaskInstance, key),
        history=_read_tries(connection, TaskInstanceHistory, key),
        first_pokes=_read_first_pokes(connection, key),
        pokes_say_starts=_POKES_HAVE_A_TASK,
        tags=_read_tags(connection, run.dag_id),
        causes=(*_read_producers(connection, run), *_read_trigger(connection, run)),
    )


def _read_tries(connection: Connection, model: Any, key: RunKey) -> tuple[TryRow, ...]:  # noqa: ANN401
    where = (model.dag_id == key[0]) & (model.run_id == key[1])
    found = connection.execute(select(*_try_columns(model)).where(where))
    return tuple(TryRow._make(row) for row in found)


def _read_first_pokes(connection: Connection, key: RunKey) -> dict[tuple[str, int, int], datetime]:
    poke: Any = TaskReschedule
    ti: Any = TaskInstance
    by = poke if _POKES_HAVE_A_TASK else ti
    keys = (by.task_id, by.map_index, by.try_number)
    query = select(*keys, func.min(poke.start_date)).group_by(*keys)
    if not _POKES_HAVE_A_TASK:
        query = query.select_from(poke).join(ti, poke.ti_id == ti.id)
    found = connection.execute(query.where(by.dag_id == key[0], by.run_id == key[1]))
    return {(task, index, number): start for task, index, number, start in found}


def _read_tags(connection: Connection, dag_id: str) -> tuple[str, ...]:
    found = connection.execute(select(DagTag.name).where(DagTag.dag_id == dag_id))
    return tuple(sorted(name for (name,) in found))


def _read_producers(connection: Connection, run: RunRow) -> Iterable[Cause]:
    """Yield the last tries of the tasks whose asset events started the run."""
    if run.run_type not in {"asset_triggered", "dataset_triggered", "asset_materialization"}:
        return
    model: Any = DagRun
    relation = getattr(model, "consumed_asset_events", None)
    relation = model.consumed_dataset_events if relation is None else relation
    event = relation.property.mapper.class_
    query = (
        select(event.source_dag_id, event.source_run_id, event.source_task_id)
        .add_columns(event.source_map_index, event.timestamp)
        .select_from(model)
        .join(relation)
        .where(model.dag_id == run.dag_id, model.run_id == run.run_id)
    )
    events = {row[:4]: row[4] for row in connection.execute(query) if all(row[:3])}
    if not events:
        return
    ti: Any = TaskInstance
    source = tuple_(ti.dag_id, ti.run_id, ti.task_id, ti.map_index)
    same_run = and_(model.dag_id == ti.dag_id, model.run_id == ti.run_id)
    tries = select(ti.dag_id, ti.run_id, ti.task_id, ti.map_index, ti.try_number, model.start_date)
    tries = tries.join(model, same_run).where(source.in_(list(events)))
    for dag_id, run_id, task_id, map_index, number, start in connection.execute(tries):
        # A run that has started anew since the event has another trace than the producer's.
        if start is not None and start <= events[dag_id, run_id, task_id, map_index]:
            trace_id = trace_id_of_run(dag_id, run_id, start)
            span_id = span_id_of_try(trace_id, task_id, map_index, number)
            yield Cause("asset", trace_id, span_id)


def _read_trigger(connection: Connection, run: RunRow) -> Iterable[Cause]:
    """Yield the span whose traceparent stands in the run's conf, of which nothing else is read."""
    if run.run_type in {"scheduled", "asset_triggered", "dataset_triggered"}:
        return
    where = (DagRun.dag_id == run.dag_id) & (DagRun.run_id == run.run_id)
    try:
        conf = connection.execute(select(DagRun.conf).where(where)).scalar()
    except Exception:  # noqa: BLE001  2.11 keeps it pickled: reading it runs anybody's code
        return
    parts = str(conf.get("traceparent")).split("-") if isinstance(conf, dict) else []
    try:
        _, trace_id, span_id, _ = parts[0], bytes.fromhex(parts[1]), bytes.fromhex(parts[2]), ""
    except (IndexError, ValueError):
        return
    if len(trace_id) == 16 and len(span_id) == 8 and any(trace_id) and any(span_id):  # noqa: PLR2004
        yield Cause("trigger", trace_id, span_id)


def read_runs(connection: Connection, keys: Iterable[RunKey]) -> dict[RunKey, RunRow]:
    """Return the rows of many runs, by their keys."""
    found: dict[RunKey, RunRow] = {}
    left = list(keys)
    while left:
        some, left = left[:500], left[500:]
        where = tuple_(DagRun.dag_id, DagRun.run_id).in_(some)
        for row in connection.execute(select(*_run_columns()).where(where)):
            run = RunRow._make(map(_text, row))
            found[run.dag_id, run.run_id] = run
    return found


def read_running(connection: Connection) -> list[RunRow]:
    """Return all runs that are running."""
    query = select(*_run_columns()).where(DagRun.state == "running")
    return [RunRow._make(map(_text, row)) for row in connection.execute(query)]


def has_running_tries(connection: Connection, key: RunKey, queued_before: datetime) -> bool:
    """Say whether a try that was queued before then is still being worked on."""
    ti: Any = TaskInstance
    query = select(literal(1)).where(
        ti.dag_id == key[0],
        ti.run_id == key[1],
        ti.state.in_(["running", "queued", "restarting"]),
        ti.queued_dttm < queued_before,
    )
    return connection.execute(query.limit(1)).first() is not None
