"""Ended runs on their way to spans: noted, read when they are committed, written, or put off."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.exc import SQLAlchemyError

from airflow_provider_pipeline_otel.export.delivery import deliver_within
from airflow_provider_pipeline_otel.skeleton import database, due
from airflow_provider_pipeline_otel.skeleton.rows import Life
from airflow_provider_pipeline_otel.skeletons import database_connection, life_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection

    from airflow_provider_pipeline_otel.config import Settings
    from airflow_provider_pipeline_otel.run_watch import RunWatch
    from airflow_provider_pipeline_otel.skeleton.database import RunKey
    from airflow_provider_pipeline_otel.skeleton.rows import RunRow
    from airflow_provider_pipeline_otel.skeletons import Skeletons

log = logging.getLogger(__name__)

_RUNS_PER_COMMIT: Final = 50
_GIVE_UP_AFTER: Final = 600.0
_OLD_MARK: Final = timedelta(seconds=10)
"""A mark of a run that ended longer ago than this is a correction by hand, and no end."""


class RunEnds:
    """The ends that are still to be written."""

    def __init__(
        self, settings: Settings, skeletons: Skeletons, watch: RunWatch | None = None
    ) -> None:
        self._settings = settings
        self._skeletons = skeletons
        self._watch = watch
        self._waiting: dict[RunKey, float] = {}
        self._put_off_runs: set[RunKey] = set()
        self._again: set[RunKey] = set()

    def add(self, key: RunKey, *, again: bool = False) -> None:
        """Take a run whose end has been committed; `again`: another one may have written it."""
        if again and key not in self._waiting:
            self._again.add(key)
        self._waiting.setdefault(key, time.monotonic())

    def write_some(self) -> None:
        """Write what waits, as long as it is little; the rest, and what fails, is the tick's."""
        keys = list(self._waiting)[:_RUNS_PER_COMMIT]
        try:
            with database_connection() as connection:
                self._finish(connection, due.read_small_runs(connection, keys))
        except SQLAlchemyError as error:
            self._put_off(keys, error)

    def write_rest(self, until: float) -> None:
        """Write what still waits, until that time of `time.monotonic`."""
        for key in list(self._waiting):
            if time.monotonic() < until:
                try:
                    with database_connection() as connection:
                        self._finish(connection, [key])
                except SQLAlchemyError as error:
                    self._put_off([key], error)

    def read_marks(self, keys: Iterable[RunKey]) -> dict[RunKey, RunRow] | None:
        """Return what marks have left of runs, where that is an end; None: it can't be read."""
        try:
            with database_connection() as connection:
                runs = self._skeletons.read_runs(connection, keys)
        except SQLAlchemyError:
            return None
        old = datetime.now(UTC) - _OLD_MARK
        return {key: run for key, run in runs.items() if (life := life_of(run)) and life.end > old}

    def write_mark(self, key: RunKey, mark: RunRow) -> bool:
        """Write a marked run, if the row still says what the mark left; False: not read."""
        try:
            with database_connection() as connection:
                life = life_of(mark)
                if (
                    life is not None
                    and self._skeletons.read_runs(connection, [key]).get(key) == mark
                ):
                    self._skeletons.write(connection, [(mark, life)])
        except SQLAlchemyError:
            return False
        if self._settings.endpoint is not None:
            deliver_within(
                self._skeletons.spool, self._settings.endpoint, self._settings.endpoint.timeout
            )
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
            self._skeletons.write(connection, [(run, life)], whole=True)
        if self._settings.endpoint is not None:
            deliver_within(
                self._skeletons.spool, self._settings.endpoint, self._settings.flush_deadline
            )

    def _finish(self, connection: Connection, keys: list[RunKey]) -> None:
        """Write these runs, as far as their rows say that they are over."""
        runs = self._skeletons.read_runs(connection, keys)
        lives = {key: life for key, run in runs.items() if (life := life_of(run))}
        if self._watch is not None:
            lives = {key: self._watch.behind_others(key, life) for key, life in lives.items()}
        written = self._skeletons.write(
            connection, [(runs[key], life) for key, life in lives.items()]
        )
        self._skeletons.count_again(sum(written[key] for key in self._again.intersection(keys)))
        for key in keys:
            # What isn't over was rolled back, or marked while it goes on: its end will come.
            self._waiting.pop(key, None)
            self._put_off_runs.discard(key)
            self._again.discard(key)
        if self._watch is not None:
            for key in lives:
                self._watch.forget(key)

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
                self._again.discard(key)
                log.warning("pipeline_otel: run %s of %s has no root", key[1], key[0])
