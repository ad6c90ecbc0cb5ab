"""Tries of runs that go on, written by the elected scheduler when their window has passed."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from airflow_provider_pipeline_otel.skeleton import due
from airflow_provider_pipeline_otel.skeleton.windows import Window, due_boundary
from airflow_provider_pipeline_otel.skeletons import database_connection

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.skeleton.database import RunKey
    from airflow_provider_pipeline_otel.skeletons import Skeletons


class Windows:
    """The windows that are still to be written; `length` of 0 seconds: there are none."""

    def __init__(self, skeletons: Skeletons, length: float) -> None:
        self._skeletons = skeletons
        self._memory = skeletons.window_memory
        self._length = timedelta(seconds=length)
        self._written: datetime | None = None
        self._again_until: datetime | None = None
        self._window: Window | None = None
        self._left: list[RunKey] = []
        self._last: set[bytes] | None = None
        """Tries of the last window: one that comes late, behind an outage, is not among them."""
        self._current: set[bytes] = set()
        if length:
            self._memory.begin(datetime.now(UTC))

    def take_over(self, heartbeat: datetime | None) -> None:
        """Go on where another scheduler has left off, whose last heartbeat that was.

        It may have died amid its last window, which is written again; but not if that was a
        scheduler of this host, whose memory says so.
        """
        if not self._length:
            return
        now = datetime.now(UTC)
        self._window, self._left, self._last = None, [], None
        self._memory.refresh()
        begun = due_boundary(heartbeat or now, self._length)
        self._written = begun - self._length if heartbeat else begun
        self._again_until = begun if heartbeat else None
        if self._memory.written is not None:
            self._written = max(self._written, self._memory.written)

    def write_due(self, until: float) -> None:
        """Write what is due, until that time of `time.monotonic`; the next tick goes on.

        Raises SQLAlchemyError; what was not written then is written later.
        """
        if self._window is None:
            self._begin()
        while self._window is not None and time.monotonic() < until:
            self._write_some(self._window)

    def _begin(self) -> None:
        if self._written is None or not self._length:
            return
        until = due_boundary(datetime.now(UTC), self._length)
        if self._again_until is not None and self._written < self._again_until:
            until = min(until, self._again_until)
        if until <= self._written:
            return
        window = Window(self._written, until)
        with database_connection() as connection:
            wide = self._widened(window)
            self._left = due.read_runs_in_window(connection, wide, window.ended_since)
        self._window, self._current = window, set()

    def _widened(self, window: Window) -> Window:
        """Return the window with the one before, for rows that have got their end late."""
        return window if self._last is None else window._replace(after=window.after - self._length)

    def _write_some(self, window: Window) -> None:
        all_left = self._left
        try:
            with database_connection() as connection:
                some = due.read_small_runs(connection, all_left) or all_left[:1]
                # Before they are written: a run that can't be must not hold up the others.
                self._left = [key for key in all_left if key not in some]
                wide = self._widened(window)
                written = self._skeletons.write_tries(connection, some, wide, self._last or ())
        except SQLAlchemyError:
            self._left = all_left
            raise
        self._current |= written
        self._skeletons.early = self._current | (self._last or set())
        if self._again_until is not None and window.until <= self._again_until:
            self._skeletons.count_again(len(written))
        if not self._left:
            self._window, self._written, self._last = None, window.until, self._current
            self._memory.note(window.until)
