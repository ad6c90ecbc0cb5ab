"""Ended runs on their way to spans: read on a connection of our own, written, or put off."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from airflow_provider_pipeline_otel import secrets_masker
from airflow_provider_pipeline_otel.config import AirflowTracing, resource_of
from airflow_provider_pipeline_otel.deliverer import Deliverer
from airflow_provider_pipeline_otel.export.delivery import deliver_within
from airflow_provider_pipeline_otel.export.recovery import recover
from airflow_provider_pipeline_otel.export.spool import Spool, private_folder
from airflow_provider_pipeline_otel.export.writer import SpanWriter
from airflow_provider_pipeline_otel.lost_tries import read_lost_tries
from airflow_provider_pipeline_otel.skeleton import database
from airflow_provider_pipeline_otel.skeleton.memory import RunMemory
from airflow_provider_pipeline_otel.skeleton.rows import Life
from airflow_provider_pipeline_otel.skeleton.traces import traces_of
from airflow_provider_pipeline_otel.switches import is_dag_off

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection

    from airflow_provider_pipeline_otel.config import Settings
    from airflow_provider_pipeline_otel.skeleton.database import RunKey
    from airflow_provider_pipeline_otel.skeleton.rows import RunRow

log = logging.getLogger(__name__)

_SHORT_TIMEOUTS: Final = text(
    "SELECT set_config('lock_timeout', '500ms', true), set_config('statement_timeout', '5s', true)"
)

_ROWS_PER_COMMIT: Final = 1000
"""What one commit of the scheduler may cost: about 50 ms. Bigger runs wait for the tick."""

_RUNS_PER_COMMIT: Final = 50

_SECONDS_PER_TICK: Final = 0.4
_GIVE_UP_AFTER: Final = 600.0
_OLD_MARK: Final = timedelta(seconds=10)
"""A mark of a run that ended longer ago than this is a correction by hand, and no end."""

_MARK_SETTLES: Final = timedelta(seconds=2)


class RunEnds:
    """The ends that are still to be written, and the runs that are watched."""

    def __init__(self, settings: Settings) -> None:
        secrets_masker.hand_down()
        self._settings = settings
        self._is_joined = settings.airflow_tracing is AirflowTracing.JOINED
        # From 3.2 on each end fires a hook, and what requeues a run leaves a joined trace as it is.
        self._watches = settings.airflow_tracing is AirflowTracing.OFF
        folder = private_folder(settings.spool_dir)
        self._spool = Spool(folder, settings.caps)
        self._writer = SpanWriter(self._spool, resource_of(settings, "airflow"), settings.redaction)
        self._memory = RunMemory(folder and folder / "runs")
        self._waiting: dict[RunKey, float] = {}
        self._put_off_runs: set[RunKey] = set()
        self._watched: dict[RunKey, datetime] | None = None
        self._requeued: dict[RunKey, Life] = {}
        self._requeued_at: dict[RunKey, datetime] = {}
        self._deliverer = Deliverer(settings, self._spool)

    def add(self, key: RunKey) -> None:
        """Take a run whose end has been committed."""
        self._waiting.setdefault(key, time.monotonic())

    def watch(self, key: RunKey, start: datetime | None, queued_at: datetime | None) -> None:
        """Take a run whose start has been committed."""
        if self._watched is None or start is None or not self._watches:
            return  # the first tick finds all running runs
        self._notice(key, start, queued_at or start)
        self._watched[key] = start

    def write_some(self) -> None:
        """Write what waits, as long as it is little; the rest, and what fails, is the tick's."""
        keys = list(self._waiting)[:_RUNS_PER_COMMIT]
        try:
            with database_connection() as connection:
                self._finish(connection, _little(database.count_tries(connection, keys)))
        except SQLAlchemyError as error:
            self._put_off(keys, error)

    def tick(self) -> None:
        """Do what can wait: big runs, failed reads, watched runs, dead processes, the deliverer."""
        until = time.monotonic() + _SECONDS_PER_TICK
        for key in list(self._waiting):
            if time.monotonic() < until:
                try:
                    with database_connection() as connection:
                        self._finish(connection, [key])
                except SQLAlchemyError as error:
                    self._put_off([key], error)
        try:
            if self._watches:
                with database_connection() as connection:
                    self._look_at_watched(connection)
        except SQLAlchemyError:
            log.debug("pipeline_otel: runs could not be read; the next tick tries again")
        recover(self._spool)
        self._spool.keep_caps()
        self._deliverer.keep_running()

    def read_marks(self, keys: Iterable[RunKey]) -> dict[RunKey, RunRow] | None:
        """Return what marks have left of runs, where that is an end; None: it can't be read."""
        try:
            with database_connection() as connection:
                runs = self._read_runs(connection, keys)
        except SQLAlchemyError:
            return None
        old = datetime.now(UTC) - _OLD_MARK
        return {key: run for key, run in runs.items() if (life := _life_of(run)) and life.end > old}

    def write_mark(self, key: RunKey, mark: RunRow) -> bool:
        """Write a marked run, if the row still says what the mark left; False: not read."""
        try:
            with database_connection() as connection:
                life = _life_of(mark)
                if life is not None and self._read_runs(connection, [key]).get(key) == mark:
                    self._write(connection, [(mark, life)])
        except SQLAlchemyError:
            return False
        if self._settings.endpoint is not None:
            deliver_within(self._spool, self._settings.endpoint, self._settings.endpoint.timeout)
        return True

    def write_test_run(self, dag_run: Any) -> None:  # noqa: ANN401
        """Write a run of `airflow dags test`: its end is not committed, so the object tells it.

        Airflow's own tracing has no worker there whose trace could be joined.
        """
        key = (dag_run.dag_id, dag_run.run_id)
        with database_connection() as connection:
            run = database.read_runs(connection, [key]).get(key)
            if run is None or dag_run.start_date is None:
                return
            life = Life(dag_run.start_date, dag_run.end_date or datetime.now(UTC))
            state = str(getattr(dag_run.state, "value", dag_run.state))
            run = run._replace(state=state, start_date=life.start, end_date=life.end)
            self._write(connection, [(run, life)])
        if self._settings.endpoint is not None:
            deliver_within(self._spool, self._settings.endpoint, self._settings.flush_deadline)

    def _finish(self, connection: Connection, keys: list[RunKey]) -> None:
        """Write these runs, as far as their rows say that they are over."""
        runs = self._read_runs(connection, keys)
        lives = {key: life for key, run in runs.items() if (life := _life_of(run))}
        for key in lives:
            if key in self._requeued:
                self._write_requeued(connection, key, runs[key])
        ended = [
            (runs[key], life._replace(since=self._requeued_at.get(key)))
            for key, life in lives.items()
        ]
        self._write(connection, ended)
        for key in keys:
            # What isn't over was rolled back, or marked while it goes on: its end will come.
            self._waiting.pop(key, None)
            self._put_off_runs.discard(key)
        for key in lives:
            self._requeued_at.pop(key, None)
            self._forget(key)

    def _read_runs(self, connection: Connection, keys: Iterable[RunKey]) -> dict[RunKey, RunRow]:
        return database.read_runs(connection, keys, carriers=self._is_joined)

    def _write(self, connection: Connection, ended: list[tuple[RunRow, Life]]) -> None:
        runs = [run for run, _ in ended]
        carriers = any(run.carrier for run in runs)
        found = database.read_rows(connection, runs, carriers=carriers) if runs else []
        for rows, (run, life) in zip(found, ended, strict=True):
            is_off = is_dag_off(self._settings.disabled_dags, run.dag_id, rows.tags)
            for trace in traces_of(rows, life):
                lost = tuple(read_lost_tries(self._spool.take_interrupted(trace.trace_id)))
                # Claimed after the reads, which may fail, and before the write, which may not.
                claim = self._memory.claim(run.dag_id, run.run_id, trace.trace_id)
                if claim.new and not is_off:
                    self._writer.write_finished(trace.records(claim.previous, lost))

    def _put_off(self, keys: list[RunKey], error: SQLAlchemyError) -> None:
        for key in keys:
            since = self._waiting.setdefault(key, time.monotonic())
            if key not in self._put_off_runs:
                self._put_off_runs.add(key)
                log.warning(
                    "pipeline_otel: run %s of %s can't be read yet (%s); trying again",
                    key[1],
                    key[0],
                    type(error).__name__,
                )
            elif time.monotonic() - since > _GIVE_UP_AFTER:
                del self._waiting[key]
                log.warning("pipeline_otel: run %s of %s has no root", key[1], key[0])

    def _look_at_watched(self, connection: Connection) -> None:
        if self._watched is None:
            running = database.read_running(connection)
            self._watched = {
                (r.dag_id, r.run_id): r.start_date for r in running if r.start_date is not None
            }
        runs = database.read_runs(connection, {*self._watched, *self._requeued})
        for key, start in list(self._watched.items()):
            self._look_at(connection, key, start, runs.get(key))
        for key, requeued in list(self._requeued.items()):
            run = runs.get(key)
            if run is None or run.start_date == requeued.start:
                # 2.11 takes the old start_date back: nothing happened.
                del self._requeued[key]
                self._requeued_at.pop(key, None)
            elif not database.has_running_tries(connection, key, requeued.end):
                self._write_requeued(connection, key, run)

    def _look_at(
        self, connection: Connection, key: RunKey, start: datetime, run: RunRow | None
    ) -> None:
        now = datetime.now(UTC)
        if run is not None and run.start_date != start:
            self._notice(key, run.start_date, run.queued_at or now)
        elif run is None or (run.state in database.TERMINAL and database.MARKS_FIRE_HOOKS):
            self._forget(key)
        elif run.end_date is not None and now - run.end_date > _MARK_SETTLES:
            self._finish(connection, [key])  # 2.11: a run marked by hand fires no hook

    def _forget(self, key: RunKey) -> None:
        if self._watched is not None:
            self._watched.pop(key, None)

    def _notice(self, key: RunKey, start: datetime | None, until: datetime) -> None:
        """Notice that a run which has not ended has another start than the one that was seen."""
        seen = (self._watched or {}).get(key)
        if seen is None or seen == start or key in self._requeued:
            return
        self._requeued[key] = Life(seen, until, until, self._requeued_at.get(key))
        self._requeued_at[key] = until
        self._forget(key)

    def _write_requeued(self, connection: Connection, key: RunKey, run: RunRow) -> None:
        """Write the life that was cut short, now that its last try is over."""
        self._write(connection, [(run, self._requeued[key])])
        del self._requeued[key]


def _little(counts: dict[RunKey, int]) -> list[RunKey]:
    """Return as many runs as one commit may cost."""
    found, rows = [], 0
    for key, count in counts.items():
        if rows + count <= _ROWS_PER_COMMIT:
            rows += count
            found.append(key)
    return found


def _life_of(run: RunRow | None) -> Life | None:
    """Return the life of a run that is over, None where it isn't."""
    if run is None or run.state not in database.TERMINAL:
        return None
    if run.start_date is None or run.end_date is None:
        return None
    return Life(run.start_date, run.end_date)


def database_connection() -> Connection:
    """Return a connection of our own from Airflow's pool, whose statements end soon.

    The scheduler waits for them, and a lock on a table that only we read must not hold it up.
    """
    from airflow import settings

    if settings.engine is None:
        raise SQLAlchemyError("Airflow has no engine yet")
    connection = settings.engine.connect()
    if connection.dialect.name == "postgresql":
        connection.execute(_SHORT_TIMEOUTS)  # for this transaction alone
    return connection
