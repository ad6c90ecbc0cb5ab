"""Behind Airflow's commits: run ends become skeletons, and the scheduler's tick.

An end hook fires inside Airflow's open transaction, and before its commit: there, a failing
statement of ours would kill the scheduler on PostgreSQL, and a rollback would make a root tell of
an end that did not happen. So the hook only notes the run in `session.info`; when the outermost
transaction has ended with a commit, its connection is back in the pool and a connection of our own
reads. The row decides then, never the hook. See docs/architecture.md.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from airflow_provider_pipeline_otel.config import AirflowTracing
from airflow_provider_pipeline_otel.guard import guarded, warn_once
from airflow_provider_pipeline_otel.switches import is_dag_off

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, SessionTransaction

    from airflow_provider_pipeline_otel.config import Settings
    from airflow_provider_pipeline_otel.run_ends import RunEnds
    from airflow_provider_pipeline_otel.skeleton.database import RunKey
    from airflow_provider_pipeline_otel.skeleton.rows import RunRow
    from airflow_provider_pipeline_otel.tick import Tick

_NOTED: Final = "pipeline_otel"
_COMMITTED: Final = "pipeline_otel_committed"

_SCHEDULERS: Final = frozenset({"SchedulerJob", "BackfillJob"})

_MARK_DELAYS: Final = (4.0, 8.0, 24.0)
"""Seconds that the API server waits before it reads a marked run: the scheduler may overrule it."""


class Noted(NamedTuple):
    """What a hook left of a run: whether it ends or starts, and what it said of its start."""

    ends: bool
    queued_at: datetime | None
    start_date: datetime | None


class _Process:
    """What this process has noted; a fork inherits it, and has no use for it."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.settings: Settings | None = None
        self.job: Any = None
        self.listening = False
        self.run_ends: RunEnds | None = None
        self.tick: Tick | None = None

    def is_scheduler(self) -> bool:
        # `__dict__`: attribute access would load an expired row, in the scheduler's own session.
        job = getattr(self.job, "__dict__", {})
        return job.get("job_type") in _SCHEDULERS and self.pid == os.getpid()


_process: Final = _Process()


def configure(settings: Settings) -> None:
    """Take the settings that the plugin has read."""
    _process.settings = settings


def remember_job(job: object) -> None:
    """Keep the job: Airflow calls the hook before the job knows its own type."""
    _process.pid, _process.job = os.getpid(), job
    _listen()
    _preload()


def _preload() -> None:
    """Import here what every task that this process forks would import (LocalExecutor): 3 ms each.

    Where Airflow has loaded the SDK itself, from 3.2 on: nothing else is loaded by this.
    """
    if "opentelemetry.sdk.trace" in sys.modules:
        import airflow_provider_pipeline_otel.sdk.configuration
        import airflow_provider_pipeline_otel.sdk.id_generator
        import airflow_provider_pipeline_otel.sdk.processor  # noqa: F401


def _listen() -> None:
    """Hear the end of every transaction of this process; once, and never removed.

    Removing a listener inside a running event makes the scheduler's commit raise, and listeners
    with once=True stay on the scheduler's session for ever.
    """
    if _process.listening:
        return
    from sqlalchemy import event
    from sqlalchemy.orm import Session

    _process.listening = True
    event.listen(Session, "after_commit", guarded(_committed))
    event.listen(Session, "after_transaction_end", guarded(_ended))


def note_start(dag_run: Any) -> None:  # noqa: ANN401
    """Remember a run that starts, to notice if it is set back to queued, or on 2.11 marked."""
    _note(dag_run, ends=False)


def note_end(dag_run: Any) -> None:  # noqa: ANN401
    """Remember a run that ends; the row is read when the end is committed."""
    from sqlalchemy.orm import object_session

    if object_session(dag_run) is None:  # `airflow dags test`: nobody else will write it
        if not _is_off(dag_run.dag_id):
            _run_ends().write_test_run(dag_run)
        return
    _note(dag_run, ends=True)


def _note(dag_run: Any, *, ends: bool) -> None:  # noqa: ANN401
    from sqlalchemy.orm import object_session

    session = object_session(dag_run)
    if session is None or _is_off(dag_run.dag_id):
        return
    _listen()
    seen = dag_run.__dict__
    noted = Noted(ends, seen.get("queued_at"), seen.get("start_date"))
    session.info.setdefault(_NOTED, {})[dag_run.dag_id, dag_run.run_id] = noted


def _is_off(dag_id: str) -> bool:
    """Say whether no skeleton is drawn of the DAG's runs."""
    settings = _process.settings
    if settings is None:
        return False
    is_drawn_by_airflow = settings.airflow_tracing is AirflowTracing.FOREIGN
    return is_drawn_by_airflow or is_dag_off(settings.disabled_dags, dag_id)


def _committed(session: Session) -> None:
    # Also fires when a savepoint is released: that is no commit yet.
    if not session.in_nested_transaction():
        session.info[_COMMITTED] = True


def _ended(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is not None:
        return
    noted = session.info.pop(_NOTED, {})
    if not session.info.pop(_COMMITTED, False):
        return
    if _process.is_scheduler():
        _work(noted)
    elif noted:
        _wait_for_marks(noted)


def _work(noted: dict[RunKey, Noted]) -> None:
    tick = _tick()
    if not tick.has_run:  # it tells whose ends these are
        guarded(tick.run_if_due)()
    for key, left in noted.items():
        if left.ends:
            tick.add_end(key)
        else:
            tick.see_start(key, left.start_date, left.queued_at)
    if noted:
        tick.ends.write_some()
    tick.run_if_due()


def _tick() -> Tick:
    if _process.tick is None:
        from airflow_provider_pipeline_otel.tick import Tick

        _process.tick = Tick(_settings(), _process.job)
        _process.run_ends = _process.tick.ends
    return _process.tick


def _run_ends() -> RunEnds:
    if _process.run_ends is None:
        from airflow_provider_pipeline_otel.run_ends import RunEnds
        from airflow_provider_pipeline_otel.skeletons import Skeletons

        _process.run_ends = RunEnds(_settings(), Skeletons(_settings()))
    return _process.run_ends


def _settings() -> Settings:
    if _process.settings is None:
        message = "the plugin has not configured the listener"
        raise RuntimeError(message)
    return _process.settings


def _wait_for_marks(noted: dict[RunKey, Noted]) -> None:
    """In the API server: read again in a while, in a thread that lives no longer than that.

    A marked run may go on (a teardown is still to run), and the scheduler may end it otherwise.
    """
    keys = [key for key, left in noted.items() if left.ends]
    if keys:
        name = "pipeline_otel-marks"
        threading.Thread(target=guarded(_write_marks), args=(keys,), name=name, daemon=True).start()


def _write_marks(keys: list[RunKey]) -> None:
    ends = _run_ends()
    marks: dict[RunKey, RunRow] | None = None
    for delay in _MARK_DELAYS:
        marks = ends.read_marks(keys) if marks is None else marks
        time.sleep(delay)
        if marks is not None:
            marks = {key: mark for key, mark in marks.items() if not ends.write_mark(key, mark)}
            if not marks:
                return
    warn_once("%s marked runs can't be read: they have no root", len(keys))
