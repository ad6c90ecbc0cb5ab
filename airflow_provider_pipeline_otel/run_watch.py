"""Runs that go on, watched: what requeues one fires no hook, and on 2.11 what marks one neither."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from airflow_provider_pipeline_otel.skeleton import database, due
from airflow_provider_pipeline_otel.skeleton.rows import Life

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from airflow_provider_pipeline_otel.skeleton.database import RunKey
    from airflow_provider_pipeline_otel.skeleton.rows import RunRow

_MARK_SETTLES: Final = timedelta(seconds=2)

_KEPT_FOR_ELECTION: Final = timedelta(minutes=2)
"""How long a scheduler that isn't elected keeps what the elected one has to write."""

_REMEMBERED: Final = 10_000
"""Runs that have ended whose start is remembered: a cleared one links to its trace before."""


class Over(NamedTuple):
    """A life that was cut short and has no try left, and when that was first seen."""

    run: RunRow
    life: Life
    since: datetime


class Seen(NamedTuple):
    """Runs that ended without a hook, and lives that were cut short."""

    ended: list[RunKey]
    cut_short: list[Over]


class RunWatch:
    """The runs that are running, and those that were set back to queued while they ran.

    Every scheduler watches them all; what only one may write, the elected one does.
    """

    def __init__(self) -> None:
        self._watched: dict[RunKey, datetime] = {}
        self._ended: dict[RunKey, tuple[datetime, datetime | None]] = {}
        """The last start of a run that has ended, and the one before."""
        self._before: dict[RunKey, Life] = {}
        self._unwritten: dict[RunKey, datetime | None] = {}

    def see(self, key: RunKey, start: datetime | None, queued_at: datetime | None) -> None:
        """Take a run that is running, by its row."""
        if start is not None:
            self._notice(key, start, queued_at or start)
            self._watched[key] = start

    def behind_others(self, key: RunKey, life: Life) -> Life:
        """Return the life of a run with what is known of the one before: cleared or cut short."""
        before = self._before.get(key)
        if before is not None:
            return life._replace(since=before.until, before=before.start)
        last, earlier = self._ended.get(key, (None, None))
        return life._replace(before=earlier if last == life.start else last)

    def note_written(self, key: RunKey) -> None:
        """Take it for written."""
        self._unwritten.pop(key, None)

    def forget(self, key: RunKey) -> None:
        """Watch a run no longer: it is over. Its start is remembered: it may be cleared."""
        start = self._watched.pop(key, None)
        if start is not None:
            last, _ = self._ended.pop(key, (None, None))
            self._ended[key] = start, last
            if len(self._ended) > _REMEMBERED:
                del self._ended[next(iter(self._ended))]
        if key not in self._unwritten:
            self._before.pop(key, None)

    def look(self, connection: Connection) -> Seen:
        """Look at all running runs, and at those that are so no more."""
        running = due.read_running(connection)
        for run in running:
            self.see((run.dag_id, run.run_id), run.start_date, run.queued_at)
        left = self._watched.keys() - {(run.dag_id, run.run_id) for run in running}
        runs = database.read_runs(connection, {*left, *self._unwritten})
        ended = [key for key in left if self._has_ended(key, runs.get(key))]
        over = [self._look_at_life(connection, key, runs.get(key)) for key in list(self._unwritten)]
        return Seen(ended, [one for one in over if one is not None])

    def _has_ended(self, key: RunKey, run: RunRow | None) -> bool:
        now = datetime.now(UTC)
        if run is not None and run.start_date != self._watched[key]:
            self._notice(key, run.start_date, run.queued_at or now)
        elif run is None or (run.state in database.TERMINAL and database.MARKS_FIRE_HOOKS):
            self.forget(key)
        elif run.end_date is not None and run.state in database.TERMINAL:
            return now - run.end_date > _MARK_SETTLES
        return False

    def _notice(self, key: RunKey, start: datetime | None, until: datetime) -> None:
        """Notice that a run which has not ended has another start than the one that was seen."""
        seen = self._watched.get(key)
        if seen is None or seen == start or key in self._unwritten:
            return
        earlier = self._before.get(key)
        self._before[key] = Life(seen, until, until, earlier and earlier.until)
        self._unwritten[key] = None
        self._watched.pop(key, None)

    def _look_at_life(self, connection: Connection, key: RunKey, run: RunRow | None) -> Over | None:
        life = self._before[key]
        if run is None or run.start_date == life.start:
            # 2.11 takes the old start_date back: nothing happened.
            del self._unwritten[key], self._before[key]
            return None
        if due.has_running_tries(connection, key, life.end):
            return None
        now = datetime.now(UTC)
        since = self._unwritten[key] = self._unwritten[key] or now
        if now - since > _KEPT_FOR_ELECTION:
            del self._unwritten[key]
        return Over(run, life, since)
