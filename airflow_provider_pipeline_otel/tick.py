"""The scheduler's tick: what can wait, behind its commits, and what no hook tells of.

In the scheduler's own thread: one of ours would hold locks over its forks.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow.configuration import conf
from sqlalchemy.exc import SQLAlchemyError

from airflow_provider_pipeline_otel.config import AirflowTracing
from airflow_provider_pipeline_otel.deliverer import Deliverer
from airflow_provider_pipeline_otel.election import AFTER, BEFORE, Election
from airflow_provider_pipeline_otel.export.recovery import recover
from airflow_provider_pipeline_otel.guard import guarded
from airflow_provider_pipeline_otel.run_ends import RunEnds
from airflow_provider_pipeline_otel.run_watch import Over, RunWatch
from airflow_provider_pipeline_otel.skeleton import due
from airflow_provider_pipeline_otel.skeleton.database import MARKS_FIRE_HOOKS
from airflow_provider_pipeline_otel.skeletons import Skeletons, database_connection
from airflow_provider_pipeline_otel.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Connection

    from airflow_provider_pipeline_otel.config import Settings
    from airflow_provider_pipeline_otel.skeleton.database import RunKey

log = logging.getLogger(__name__)

_EVERY: Final = 5.0
_SECONDS: Final = 0.4
"""What one tick may take of the scheduler's time, and what it has begun by then."""

_THRESHOLD: Final = 30
_COMMITS: Final = timedelta(seconds=10)
"""How long after its time stamp the end of a run may be committed."""


class Tick:
    """What this scheduler does besides writing the ends that it hears of."""

    def __init__(self, settings: Settings, job: Any) -> None:  # noqa: ANN401
        tracing = settings.airflow_tracing
        self._draws = tracing is not AirflowTracing.FOREIGN
        # What requeues a run leaves a joined trace as it is, and its Airflows' marks fire hooks.
        self._watches = tracing is AirflowTracing.OFF
        threshold = conf.getint(
            "scheduler", "scheduler_health_check_threshold", fallback=_THRESHOLD
        )
        self._skeletons = Skeletons(settings)
        self._watch = RunWatch()
        self._election = Election(job, threshold)
        self._windows = Windows(self._skeletons, settings.window)
        self._deliverer = Deliverer(settings, self._skeletons.spool)
        self.ends = RunEnds(settings, self._skeletons, self._watch)
        self._crashed: list[datetime] = []
        self._elected_at = datetime.now(UTC)
        self._predecessor: datetime | None = None
        """The last heartbeat of who was elected before."""
        self._last = 0.0

    def add_end(self, key: RunKey) -> None:
        """Take a run whose end this scheduler has committed.

        On 2.11 only the elected one writes: no column tells whether a scheduler or a hand ended it.
        """
        if MARKS_FIRE_HOOKS or self._election.is_elected:
            self.ends.add(key)

    def see_start(self, key: RunKey, start: datetime | None, queued_at: datetime | None) -> None:
        """Take a run whose start this scheduler has committed."""
        if self._watches:
            self._watch.see(key, start, queued_at)

    @property
    def has_run(self) -> bool:
        """Whether it has run at all."""
        return self._last > 0

    def run_if_due(self) -> None:
        """Run, if it is some seconds since the last time."""
        if time.monotonic() - self._last >= _EVERY:
            self._last = time.monotonic()
            self._run(self._last + _SECONDS)

    def _run(self, until: float) -> None:
        if self._draws:
            _do(self._look)
            _do(self.ends.write_rest, until)
        if self._election.is_elected:
            _do(self._windows.write_due, until)
        recover(self._skeletons.spool)
        self._skeletons.spool.keep_caps()
        self._deliverer.keep_running()

    def _look(self) -> None:
        with database_connection() as connection:
            news = self._election.ask(connection)
            if news.has_been_elected:
                self._elected_at = datetime.now(UTC)
                self._predecessor = news.predecessor and news.predecessor.heartbeat
                self._windows.take_over(self._predecessor)
            self._crashed += [one.heartbeat for one in news.crashed]
            if self._election.is_elected:
                self._add_ends_of_others(connection)
            if self._watches:
                self._look_at_watched(connection)
            self._skeletons.write_lost_tries(connection)

    def _add_ends_of_others(self, connection: Connection) -> None:
        """Take what dead schedulers may have left, and on 2.11 what others have ended."""
        for heartbeat in self._crashed:
            until = heartbeat + AFTER if MARKS_FIRE_HOOKS else None
            for key in due.read_ended(connection, heartbeat - BEFORE, until):
                self.ends.add(key, again=True)
        self._crashed = []
        if not (MARKS_FIRE_HOOKS or self._election.is_alone):
            since = datetime.now(UTC) - timedelta(seconds=_EVERY) - _COMMITS
            for key in due.read_ended(connection, since):
                self.ends.add(key)

    def _look_at_watched(self, connection: Connection) -> None:
        seen = self._watch.look(connection)
        for key in seen.ended:
            if self._election.is_elected:
                self.ends.add(key)
            else:
                self._watch.forget(key)
        if self._election.is_elected:
            for over in seen.cut_short:
                self._write_cut_short(connection, over)

    def _write_cut_short(self, connection: Connection, over: Over) -> None:
        """Write the root of a run that was requeued, unless the one elected before has done so."""
        if self._predecessor is None or over.since > self._predecessor - BEFORE:
            written = self._skeletons.write(connection, [(over.run, over.life)])
            if over.since < self._elected_at:
                self._skeletons.count_again(written.total())
        self._watch.note_written((over.run.dag_id, over.run.run_id))


@guarded
def _do(part: Callable[..., None], *arguments: float) -> None:
    """Do one part of the tick: what fails there must not keep the others from their work."""
    try:
        part(*arguments)
    except SQLAlchemyError:
        log.debug("pipeline_otel: runs could not be read; the next tick tries again")
