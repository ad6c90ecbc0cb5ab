"""Which tries of a run are written before it ends, and which at its end: by its rows alone.

Backends refuse spans that ended long ago, and people look at runs that still go on. So time is cut
into windows at multiples of their length, and what ended in one is written soon after it has
passed. A run's end writes the rest. Both sides decide by the same values of the database, so that
nothing needs to be shared between those who write: see docs/architecture.md.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.skeleton.rows import TryRow

LAG: Final = timedelta(seconds=20)
"""A run that ends so soon after a boundary writes what ended before it itself."""

SLACK: Final = timedelta(seconds=10)
"""How long after its time stamp an end may be committed; all clocks of a host agree that well."""

EARLY: Final = frozenset({"success", "failed", "skipped"})
"""States of a try that is over, whatever becomes of its run."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Window(NamedTuple):
    """What ended after `after`, and not after `until`."""

    after: datetime
    until: datetime

    @property
    def ended_since(self) -> datetime:
        """When the first runs ended that have left something to this window."""
        return self.after + LAG

    def left_by(self, end: datetime, length: timedelta) -> Window:
        """Return what of it a run has left that ended then: it may be long ago, under load."""
        return self._replace(until=min(self.until, last_boundary(end, length)))

    def has(self, row: TryRow) -> bool:
        """Say whether the try is one to write now."""
        ended = early_end(row)
        return ended is not None and self.after < ended <= self.until


def early_end(row: TryRow) -> datetime | None:
    """Return when the try ended, None where it waits for the end of its run.

    What never ran waits: a run that is cleared may still come to it.
    """
    return row.end_date if row.state in EARLY and row.pid is not None else None


def last_boundary(time: datetime, length: timedelta) -> datetime:
    """Return the last boundary whose window a run that ends at that time leaves to others."""
    return _EPOCH + (time - LAG - _EPOCH) // length * length


def due_boundary(now: datetime, length: timedelta) -> datetime:
    """Return the last boundary whose window may be written: all ends before it are committed."""
    return last_boundary(now - SLACK, length)
