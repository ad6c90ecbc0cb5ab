"""Schedulers by Airflow's job table, on any host."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from airflow.jobs.job import Job
from sqlalchemy import select

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

SCHEDULERS: Final = ("SchedulerJob", "BackfillJob")
"""What ends runs, and hears of their ends: the second on 2.11 alone."""


class Scheduler(NamedTuple):
    """A scheduler that runs or ran, and when it last said so."""

    job_id: int
    state: str
    heartbeat: datetime

    @property
    def has_crashed(self) -> bool:
        """Say whether it did not end by itself, given that it is there no more."""
        return self.state != "success"


def read_schedulers(connection: Connection, since: datetime) -> list[Scheduler]:
    """Return those whose last heartbeat was after that."""
    job: Any = Job
    query = select(job.id, job.state, job.latest_heartbeat).where(
        job.job_type.in_(SCHEDULERS), job.latest_heartbeat > since
    )
    return [Scheduler(*row) for row in connection.execute(query)]


def read_last_scheduler(connection: Connection, before: int) -> Scheduler | None:
    """Return the one that had the last heartbeat of those that started before a job."""
    job: Any = Job
    found = [
        connection.execute(
            select(job.id, job.state, job.latest_heartbeat)
            .where(job.job_type == kind, job.id < before)
            .order_by(job.latest_heartbeat.desc())  # the index (job_type, latest_heartbeat)
            .limit(1)
        ).first()
        for kind in SCHEDULERS
    ]
    return max(
        (Scheduler(*row) for row in found if row), key=lambda one: one.heartbeat, default=None
    )
