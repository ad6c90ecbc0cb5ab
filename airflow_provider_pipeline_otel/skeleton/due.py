"""Which runs there may be something to write of: by indexes alone, however many there have been.

Asked at each tick of the scheduler. No query reads a table as a whole: dag_run has an index of what
is running and none of what has ended, so that what has ended lately is looked for among the newest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.taskinstancehistory import TaskInstanceHistory
from sqlalchemy import and_, func, literal, not_, or_, select

from airflow_provider_pipeline_otel.skeleton.database import (
    TERMINAL,
    is_one_of,
    run_columns,
    run_of,
)
from airflow_provider_pipeline_otel.skeleton.windows import EARLY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from airflow_provider_pipeline_otel.skeleton.database import RunKey
    from airflow_provider_pipeline_otel.skeleton.rows import RunRow
    from airflow_provider_pipeline_otel.skeleton.windows import Window

_NEWEST: Final = 10_000
"""Runs among which those are looked for that have ended lately."""

_TEST: Final = "TEST"
"""The name under which the column holds DagRunTriggeredByType.TEST."""

_ROWS_AT_ONCE: Final = 1000
"""What one commit of the scheduler may cost: about 50 ms. Bigger runs wait for the tick."""


def _is_a_schedulers(run: Any) -> Any:  # noqa: ANN401
    """Return the condition that a scheduler runs it, and not `dags test` or 2.11's `dags backfill`.

    Those write all of their runs themselves.
    """
    if hasattr(run, "triggered_by"):
        return or_(run.triggered_by != _TEST, run.triggered_by.is_(None))
    is_test = and_(run.run_type == "manual", run.external_trigger.is_(False))
    return and_(run.run_type != "backfill", not_(is_test))


def read_running(connection: Connection) -> list[RunRow]:
    """Return all runs that are running."""
    run: Any = DagRun
    query = select(*run_columns()).where(run.state == "running", _is_a_schedulers(run))
    return [run_of(row) for row in connection.execute(query)]


def read_ended(
    connection: Connection, since: datetime, until: datetime | None = None
) -> list[RunKey]:
    """Return the runs that ended in between, as far as they are not much older than all others."""
    run: Any = DagRun
    newest = select(func.max(run.id) - _NEWEST).scalar_subquery()
    query = select(run.dag_id, run.run_id).where(
        run.id > newest, run.end_date > since, run.state.in_(TERMINAL), _is_a_schedulers(run)
    )
    if until is not None:
        query = query.where(run.end_date <= until)
    return [(dag_id, run_id) for dag_id, run_id in connection.execute(query)]


def read_runs_in_window(
    connection: Connection, window: Window, ended_since: datetime
) -> list[RunKey]:
    """Return the runs with a try that ended in the window, of those that go on or did so then.

    First those that go on: one that ends in between is among those that have ended.
    """
    run: Any = DagRun
    found: set[RunKey] = set()
    for row in (TaskInstance, TaskInstanceHistory):
        of_run = and_(run.dag_id == row.dag_id, run.run_id == row.run_id)
        query = _with_try_in(window, row).join(run, of_run)
        found |= _keys(connection, query.where(run.state == "running", _is_a_schedulers(run)))
    ended = read_ended(connection, ended_since)
    for row in (TaskInstance, TaskInstanceHistory) if ended else ():
        found |= _keys(connection, _with_try_in(window, row).where(is_one_of(row, ended)))
    return sorted(found)


def _with_try_in(window: Window, row: Any) -> Any:  # noqa: ANN401
    return (
        select(row.dag_id, row.run_id)
        .distinct()
        .where(row.end_date > window.after, row.end_date <= window.until, row.state.in_(EARLY))
    )


def _keys(connection: Connection, query: Any) -> set[RunKey]:  # noqa: ANN401
    return {(dag_id, run_id) for dag_id, run_id in connection.execute(query)}


def read_small_runs(connection: Connection, keys: Iterable[RunKey]) -> list[RunKey]:
    """Return as many of these runs as may be read at once, by their task instances."""
    ti: Any = TaskInstance
    query = select(ti.dag_id, ti.run_id, func.count()).where(is_one_of(ti, keys))
    found, rows = [], 0
    for dag_id, run_id, count in connection.execute(query.group_by(ti.dag_id, ti.run_id)):
        if rows + count <= _ROWS_AT_ONCE:
            rows += count
            found.append((dag_id, run_id))
    return found


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
