"""What Airflow's database says of a run, as frozen rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.identity import Carrier

_CLOCKS: Final = timedelta(seconds=2)
"""How far apart the clocks of two schedulers may be."""


Key = tuple[str, int, int]
"""What tells a try from all others of its run: task_id, map_index, try_number."""


class RunRow(NamedTuple):
    """A DAG run; `carrier` where Airflow's own tracing has given it a trace, which we join."""

    dag_id: str
    run_id: str
    run_type: str
    state: str
    start_date: datetime | None
    end_date: datetime | None
    queued_at: datetime | None
    logical_date: datetime | None
    clear_number: int | None
    partition_key: str | None
    carrier: Carrier | None = None


class TryRow(NamedTuple):
    """A try, or a task instance that never ran; the fields that are read are the same for both."""

    task_id: str
    map_index: int
    try_number: int
    state: str | None
    start_date: datetime | None
    end_date: datetime | None
    queued_dttm: datetime | None
    operator: str | None
    queue: str | None
    pool: str | None
    hostname: str | None
    pid: int | None
    carrier: Carrier | None = None

    @property
    def key(self) -> Key:
        """What tells this try from all others of the run."""
        return self.task_id, self.map_index, self.try_number


class KilledWorker(NamedTuple):
    """A worker that was killed, by what it has left: run, trace, its try, and why it died."""

    run: tuple[str, str]
    trace_id: bytes
    row: TryRow
    exit_reason: str | None


class Cause(NamedTuple):
    """A try or run that this run was started by: kind of link, trace id, span id."""

    kind: str
    trace_id: bytes
    span_id: bytes


class RunRows(NamedTuple):
    """All rows of a run; `first_pokes` holds the first start of each try that was rescheduled."""

    run: RunRow
    tries: tuple[TryRow, ...]
    history: tuple[TryRow, ...]
    first_pokes: dict[Key, datetime]
    pokes_say_starts: bool
    tags: tuple[str, ...]
    causes: tuple[Cause, ...]


class Life(NamedTuple):
    """One life of a run; a run that is set back to queued while it runs has several.

    `until` is when that ended this life, `since` when it ended the one before, which had started at
    `before`, where that is known.
    What ended up to `written` has been written already, by windows (see windows.py).
    """

    start: datetime
    end: datetime
    until: datetime | None = None
    since: datetime | None = None
    before: datetime | None = None
    written: datetime | None = None

    def has(self, row: TryRow) -> bool:
        """Say whether the try's worker took this life's start for the run's, by the database alone.

        A try that ended before it, or was queued before it, belongs to an earlier life. Both times
        are asked: queued_dttm is a scheduler's clock, end_date on 3.x a worker's, seconds behind.
        """
        times = [time for time in (row.end_date, row.queued_dttm) if time is not None]
        if times and max(times) < self.start:
            return False
        if row.queued_dttm is None:
            return self.until is None
        if row.queued_dttm < (self.since or self.start - _CLOCKS):
            return False
        return self.until is None or row.queued_dttm < self.until
