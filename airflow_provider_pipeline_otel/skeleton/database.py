"""The only reader of Airflow's database: a fixed number of column queries for a run, no ORM object.

Columns, so that nothing is loaded lazily, detached or flushed; on a connection of our own, so that
a statement of ours that fails is nobody else's (on PostgreSQL it would end the scheduler).
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from airflow.models.dag import DagTag
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.taskinstancehistory import TaskInstanceHistory
from airflow.models.taskreschedule import TaskReschedule
from sqlalchemy import and_, func, null, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from airflow_provider_pipeline_otel.identity import (
    read_carrier,
    span_id_of_try,
    trace_id_of_run,
)
from airflow_provider_pipeline_otel.skeleton.rows import Cause, RunRow, RunRows, TryRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.engine import Connection

RunKey = tuple[str, str]
"""dag_id, run_id."""

MARKS_FIRE_HOOKS: Final = not hasattr(DagRun, "execution_date")
"""False on 2.11, where a run that is marked by hand ends without any hook."""

_BY_ASSETS: Final = frozenset({"asset_triggered", "dataset_triggered", "asset_materialization"})
_KEYS_PER_QUERY: Final = 500

TERMINAL: Final = frozenset({"success", "failed"})

_POKES_HAVE_A_TASK: Final = hasattr(TaskReschedule, "task_id")
"""True on 2.11, where a reschedule row names its task and holds the poke's true start."""


def _text(value: Any) -> Any:  # noqa: ANN401
    return getattr(value, "value", value)


def _carrier_column(model: Any, *, carriers: bool) -> Any:  # noqa: ANN401
    """Return the column of Airflow's own trace, where it is wanted: each row's is JSON to parse."""
    return model.context_carrier if carriers else null()


def run_columns(*, carriers: bool = False) -> list[Any]:
    """Return the columns that `run_of` makes a row of."""
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
        _carrier_column(model, carriers=carriers),
    ]


def is_one_of(model: Any, keys: Iterable[RunKey]) -> Any:  # noqa: ANN401
    """Return the condition that a row is of one of these runs."""
    return tuple_(model.dag_id, model.run_id).in_(list(keys))


def run_of(row: Iterable[Any]) -> RunRow:
    """Return a run as a frozen row."""
    *fields, carrier = map(_text, row)
    return RunRow._make([*fields, read_carrier(carrier)])


def read_runs(
    connection: Connection, keys: Iterable[RunKey], *, carriers: bool = False
) -> dict[RunKey, RunRow]:
    """Return the rows of these runs, as far as there are any; `carriers`: with Airflow's traces."""
    found: dict[RunKey, RunRow] = {}
    left = list(keys)
    while left:
        some, left = left[:_KEYS_PER_QUERY], left[_KEYS_PER_QUERY:]
        query = select(*run_columns(carriers=carriers)).where(is_one_of(DagRun, some))
        for run in map(run_of, connection.execute(query)):
            found[run.dag_id, run.run_id] = run
    return found


def read_rows(
    connection: Connection, runs: Iterable[RunRow], *, carriers: bool = False
) -> list[RunRows]:
    """Return all rows of these runs, in a number of queries that doesn't depend on theirs.

    Task instances before their history: a try that is archived between the two is seen twice, and
    dropped once, but never missed.
    """
    by_key = {(run.dag_id, run.run_id): run for run in runs}
    tries = _read_tries(connection, TaskInstance, by_key, carriers=carriers)
    history = _read_tries(connection, TaskInstanceHistory, by_key, carriers=carriers)
    pokes = _read_first_pokes(connection, by_key)
    tags = _read_tags(connection, {dag_id for dag_id, _ in by_key})
    causes = _read_producers(connection, by_key, carriers=carriers)
    for key, cause in _read_triggers(connection, by_key).items():
        causes[key].append(cause)
    return [
        RunRows(
            run=run,
            tries=tuple(tries[key]),
            history=tuple(history[key]),
            first_pokes=pokes[key],
            pokes_say_starts=_POKES_HAVE_A_TASK,
            tags=tuple(sorted(tags[key[0]])),
            causes=tuple(causes[key]),
        )
        for key, run in by_key.items()
    ]


def _read_tries(
    connection: Connection,
    model: Any,  # noqa: ANN401
    keys: Iterable[RunKey],
    *,
    carriers: bool,
) -> dict[RunKey, list[TryRow]]:
    tries: dict[RunKey, list[TryRow]] = defaultdict(list)
    columns = [getattr(model, field) for field in TryRow._fields if field != "carrier"]
    columns.append(_carrier_column(model, carriers=carriers))
    query = select(model.dag_id, model.run_id, *columns).where(is_one_of(model, keys))
    for dag_id, run_id, *fields, carrier in connection.execute(query):
        tries[dag_id, run_id].append(TryRow._make([*fields, read_carrier(carrier)]))
    return tries


def _read_first_pokes(
    connection: Connection, keys: Iterable[RunKey]
) -> dict[RunKey, dict[tuple[str, int, int], datetime]]:
    poke: Any = TaskReschedule
    ti: Any = TaskInstance
    by = poke if _POKES_HAVE_A_TASK else ti
    columns = (by.dag_id, by.run_id, by.task_id, by.map_index, by.try_number)
    query = select(*columns, func.min(poke.start_date)).group_by(*columns)
    if not _POKES_HAVE_A_TASK:
        query = query.select_from(poke).join(ti, poke.ti_id == ti.id)
    pokes: dict[RunKey, dict[tuple[str, int, int], datetime]] = defaultdict(dict)
    for dag_id, run_id, *which, start in connection.execute(query.where(is_one_of(by, keys))):
        task_id, map_index, try_number = which
        pokes[dag_id, run_id][task_id, map_index, try_number] = start
    return pokes


def _read_tags(connection: Connection, dag_ids: Iterable[str]) -> dict[str, list[str]]:
    tags: dict[str, list[str]] = defaultdict(list)
    query = select(DagTag.dag_id, DagTag.name).where(DagTag.dag_id.in_(list(dag_ids)))
    for dag_id, name in connection.execute(query):
        tags[dag_id].append(name)
    return tags


def _read_producers(
    connection: Connection, runs: Mapping[RunKey, RunRow], *, carriers: bool
) -> dict[RunKey, list[Cause]]:
    """Return the last tries of the tasks whose asset events started each run."""
    causes: dict[RunKey, list[Cause]] = defaultdict(list)
    keys = [key for key, run in runs.items() if run.run_type in _BY_ASSETS]
    if not keys:
        return causes
    model: Any = DagRun
    relation = getattr(model, "consumed_asset_events", None)
    relation = model.consumed_dataset_events if relation is None else relation
    event = relation.property.mapper.class_
    source = (
        event.source_dag_id,
        event.source_run_id,
        event.source_task_id,
        event.source_map_index,
    )
    query = select(model.dag_id, model.run_id, event.timestamp, *source)
    query = query.select_from(model).join(relation).where(is_one_of(model, keys))
    found = [row for row in connection.execute(query) if all(row[3:6])]
    tries = _read_last_tries(connection, {tuple(row[3:]) for row in found}, carriers=carriers)
    for dag_id, run_id, happened, *which in found:
        start, cause = tries.get(tuple(which), (None, None))
        # A run that has started anew since the event has another trace than the producer's.
        if start is not None and cause is not None and start <= happened:
            causes[dag_id, run_id].append(cause)
    return causes


def _read_last_tries(
    connection: Connection, keys: Iterable[tuple[Any, ...]], *, carriers: bool
) -> dict[tuple[Any, ...], tuple[datetime | None, Cause | None]]:
    """Return the start of the run, and the last try, of each (DAG, run, task, map index)."""
    wanted = list(keys)
    if not wanted:
        return {}
    ti: Any = TaskInstance
    model: Any = DagRun
    which = (ti.dag_id, ti.run_id, ti.task_id, ti.map_index)
    columns = (*which, ti.try_number, model.start_date, _carrier_column(ti, carriers=carriers))
    query = select(*columns).where(tuple_(*which).in_(wanted))
    query = query.join(model, and_(model.dag_id == ti.dag_id, model.run_id == ti.run_id))
    tries: dict[tuple[Any, ...], tuple[datetime | None, Cause | None]] = {}
    for dag_id, run_id, task_id, map_index, number, start, found in connection.execute(query):
        if start is not None:
            carrier = read_carrier(found)
            trace_id = carrier.trace_id if carrier else trace_id_of_run(dag_id, run_id, start)
            span_id = span_id_of_try(trace_id, task_id, map_index, number)
            tries[dag_id, run_id, task_id, map_index] = start, Cause("asset", trace_id, span_id)
    return tries


def _read_triggers(connection: Connection, runs: Mapping[RunKey, RunRow]) -> dict[RunKey, Cause]:
    """Return the span whose traceparent stands in a run's conf, of which nothing else is read."""
    keys = [key for key, run in runs.items() if run.run_type not in {*_BY_ASSETS, "scheduled"}]
    if not keys:
        return {}
    query = select(DagRun.dag_id, DagRun.run_id, DagRun.conf).where(is_one_of(DagRun, keys))
    try:
        confs = {(dag_id, run_id): conf for dag_id, run_id, conf in connection.execute(query)}
    except SQLAlchemyError:
        raise  # the run is read again
    except Exception:  # noqa: BLE001  2.11 keeps it pickled: reading it runs anybody's code
        return {}
    carriers = {key: read_carrier(conf) for key, conf in confs.items()}
    return {key: Cause("trigger", *found[:2]) for key, found in carriers.items() if found}


def read_state(connection: Connection, key: RunKey, task_id: str, map_index: int) -> str | None:
    """Return the state of a task instance, as it is committed."""
    ti: Any = TaskInstance
    where = (ti.task_id == task_id, ti.map_index == map_index, is_one_of(ti, [key]))
    state: str | None = connection.execute(select(ti.state).where(*where)).scalar()
    return state
