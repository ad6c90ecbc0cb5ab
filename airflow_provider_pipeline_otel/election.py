"""The election: of all schedulers, the one that writes what no other would.

That is windows, requeued runs, what a dead scheduler has left and, on 2.11, runs that are marked by
hand. The job table decides, and nothing is shared between hosts: elected is who has the smallest id
of those whose heart beats.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from airflow_provider_pipeline_otel.skeleton import jobs

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from airflow_provider_pipeline_otel.skeleton.jobs import Scheduler

BEFORE: Final = timedelta(seconds=6)
AFTER: Final = timedelta(seconds=15)
"""How far from its last heartbeat may lie what a scheduler has committed last, and not written.

It writes at once, or with its next tick, 5 s later. Heartbeats come every 5 s, or with the loop;
what ends much later has been ended by another scheduler.
"""

_LONG: Final = 10
"""Thresholds after which a scheduler that fell silent is no news."""


class News(NamedTuple):
    """What has changed since the last time; `crashed`: whose last ends may not be written."""

    has_been_elected: bool = False
    predecessor: Scheduler | None = None
    crashed: tuple[Scheduler, ...] = ()


class Election:
    """Who is elected, as this scheduler sees it; asked anew at each tick."""

    def __init__(self, job: Any, threshold: float) -> None:  # noqa: ANN401
        self._job = job
        self._threshold = timedelta(seconds=threshold)
        self._alive: set[int] = set()
        self.is_elected = False
        self.is_alone = True

    def ask(self, connection: Connection) -> News:
        """Ask who is elected."""
        # `__dict__`: attribute access would load an expired row, in the scheduler's own session.
        own: int | None = self._job.__dict__.get("id")
        if own is None:
            return News()
        now = datetime.now(UTC)
        known = jobs.read_schedulers(connection, now - _LONG * self._threshold)
        fresh = now - self._threshold
        alive = {one.job_id for one in known if one.state == "running" and one.heartbeat > fresh}
        was_alive, self._alive = self._alive, alive
        was_elected, self.is_elected = self.is_elected, own == min(alive, default=own)
        self.is_alone = not alive - {own}
        if not self.is_elected:
            return News()
        if was_elected:
            gone = [one for one in known if one.job_id in was_alive - alive]
            return News(crashed=tuple(one for one in gone if one.has_crashed))
        before = min(was_alive - {own}, default=None)
        predecessor = next((one for one in known if one.job_id == before), None)
        predecessor = predecessor or jobs.read_last_scheduler(connection, own)
        if predecessor is None or predecessor.job_id in alive or not predecessor.has_crashed:
            return News(has_been_elected=True, predecessor=predecessor)
        return News(has_been_elected=True, predecessor=predecessor, crashed=(predecessor,))
