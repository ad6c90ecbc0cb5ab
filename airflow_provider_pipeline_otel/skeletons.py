"""Runs on their way to spans: rows are read, and what is to be written of them now is written."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from airflow_provider_pipeline_otel import secrets_masker
from airflow_provider_pipeline_otel.config import AirflowTracing, resource_of
from airflow_provider_pipeline_otel.export.ledger import POSSIBLE_DUPLICATES, Entry
from airflow_provider_pipeline_otel.export.spool import Spool, private_folder
from airflow_provider_pipeline_otel.export.writer import SpanWriter
from airflow_provider_pipeline_otel.killed_workers import read_killed_workers
from airflow_provider_pipeline_otel.skeleton import database
from airflow_provider_pipeline_otel.skeleton.memory import RunMemory, WindowMemory
from airflow_provider_pipeline_otel.skeleton.rows import Life
from airflow_provider_pipeline_otel.skeleton.traces import traces_of
from airflow_provider_pipeline_otel.skeleton.windows import last_boundary
from airflow_provider_pipeline_otel.switches import is_dag_off

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from sqlalchemy.engine import Connection

    from airflow_provider_pipeline_otel.config import Settings
    from airflow_provider_pipeline_otel.skeleton.database import RunKey
    from airflow_provider_pipeline_otel.skeleton.rows import RunRow, RunRows
    from airflow_provider_pipeline_otel.skeleton.spans import Trace
    from airflow_provider_pipeline_otel.skeleton.windows import Window

_SHORT_TIMEOUTS: Final = text(
    "SELECT set_config('lock_timeout', '500ms', true), set_config('statement_timeout', '5s', true)"
)

_LOST_AFTER: Final = 60.0
"""Seconds that the end of a run is waited for which may write them all the same."""

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_REMEMBERED: Final = 10_000


class Skeletons:
    """Writes the skeletons of runs that are over, and single tries of runs that go on."""

    def __init__(self, settings: Settings) -> None:
        secrets_masker.hand_down()
        self._settings = settings
        self._length = timedelta(seconds=settings.window)
        self._is_joined = settings.airflow_tracing is AirflowTracing.JOINED
        folder = private_folder(settings.spool_dir)
        self.spool = Spool(folder, settings.caps)
        self.window_memory = WindowMemory(folder and folder / "windows")
        self._writer = SpanWriter(self.spool, resource_of(settings, "airflow"), settings.redaction)
        self._memory = RunMemory(folder and folder / "runs")
        self.early: Container[bytes] = ()
        """Tries that this process has written by the last windows."""
        self._ends: dict[bytes, datetime] = {}
        """Traces whose end has been written, with what it left to windows; the newest ones."""

    def read_runs(self, connection: Connection, keys: Iterable[RunKey]) -> dict[RunKey, RunRow]:
        """Return the rows of these runs, with Airflow's traces where these are joined."""
        return database.read_runs(connection, keys, carriers=self._is_joined)

    def write(
        self, connection: Connection, ended: list[tuple[RunRow, Life]], *, whole: bool = False
    ) -> Counter[RunKey]:
        """Write lives of runs that are over; one whose root this host has written already, not.

        `whole`: with the tries that windows have written, for there were none. Return how many
        spans were written of each run.
        """
        spans_of: Counter[RunKey] = Counter()
        found = self._read_rows(connection, [run for run, _ in ended])
        for rows, (run, life) in zip(found, ended, strict=True):
            written = None if whole else self._written_before(life)
            for trace in traces_of(rows, life._replace(written=written)):
                spans_of[run.dag_id, run.run_id] += self._write_end(rows, trace, written)
        return spans_of

    def _write_end(self, rows: RunRows, trace: Trace, written: datetime | None) -> int:
        left = self.spool.take_interrupted(trace.trace_id)
        killed = list(read_killed_workers(left))
        # Claimed after the reads, which may fail, and before the write, which may not.
        claim = self._memory.claim(rows.run.dag_id, rows.run.run_id, trace.trace_id)
        if not claim.new or self._is_off(rows):
            return 0
        # 2.11 may let a run that was marked end once more.
        self._ends[trace.trace_id] = written or _LONG_AGO
        if len(self._ends) > _REMEMBERED:
            del self._ends[next(iter(self._ends))]
        # An end stamped long before its commit: windows have seen the run go on.
        records = trace.records(claim.previous, killed)
        return self._writer.write_finished(r for r in records if r.span_id not in self.early)

    def count_again(self, spans: int) -> None:
        """Count spans that a scheduler may have written before, from which this one took over."""
        self.spool.ledger.add(Entry(POSSIBLE_DUPLICATES, spans, "scheduler took over"))

    def write_tries(
        self, connection: Connection, keys: Iterable[RunKey], window: Window, skip: Container[bytes]
    ) -> set[bytes]:
        """Write the tries of runs that go on which ended in a window, but for those to skip.

        Return their span ids.
        """
        runs = self.read_runs(connection, keys).values()
        killed = list(read_killed_workers([span for _, span in self.spool.interrupted(0.0)]))
        written: set[bytes] = set()
        for rows in self._read_rows(connection, list(runs)):
            run, over = rows.run, life_of(rows.run)
            left = window if over is None else self._left_by(over, window)
            if run.start_date is None or left is None or self._is_off(rows):
                continue
            for trace in traces_of(rows, Life(run.start_date, run.end_date or window.until)):
                until = min(left.until, self._ends.get(trace.trace_id, left.until))
                records = trace.tries_in(left._replace(until=until), killed)
                new = [record for record in records if record.span_id not in skip]
                self._writer.write_finished(new)
                written.update(record.span_id for record in new)
        return written

    def write_lost_tries(self, connection: Connection) -> None:
        """Write tries of which no row is left, where a scheduler of another host ended their run.

        Their workers died on this host, and only its spool tells of them.
        """
        kept = self.spool.interrupted(_LOST_AFTER)
        killed = list(read_killed_workers([span for _, span in kept]))
        runs = self.read_runs(connection, {one.run for one in killed})
        over = [(run, life) for run in runs.values() if (life := life_of(run))]
        found = self._read_rows(connection, [run for run, _ in over])
        for rows, (_, life) in zip(found, over, strict=True):
            for trace in traces_of(rows, life):
                self._writer.write_finished(trace.lost_tries(killed))
        going_runs = runs.keys() - {run[:2] for run, _ in over}
        going = {one.trace_id for one in killed if one.run in going_runs}
        for trace_id in {trace_id for trace_id, _ in kept} - going:
            self.spool.take_interrupted(trace_id)

    def _read_rows(self, connection: Connection, runs: list[RunRow]) -> list[RunRows]:
        carriers = any(run.carrier for run in runs)
        return database.read_rows(connection, runs, carriers=carriers) if runs else []

    def _written_before(self, life: Life) -> datetime | None:
        """Return up to when the tries of a life that is over are left to windows; None: none is.

        A requeued run is seen by none while it waits: what ended in its last window it writes.
        """
        if not self._has_windows(life):
            return None
        end = life.end if life.until is None else life.until - self._length
        return last_boundary(end, self._length)

    def _left_by(self, life: Life, window: Window) -> Window | None:
        return window.left_by(life.end, self._length) if self._has_windows(life) else None

    def _has_windows(self, life: Life) -> bool:
        since = self.window_memory.since
        return bool(self._length) and (since is None or life.start >= since)

    def _is_off(self, rows: RunRows) -> bool:
        return is_dag_off(self._settings.disabled_dags, rows.run.dag_id, rows.tags)


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


def life_of(run: RunRow | None) -> Life | None:
    """Return the life of a run that is over, None where it isn't."""
    if run is None or run.state not in database.TERMINAL:
        return None
    if run.start_date is None or run.end_date is None:
        return None
    return Life(run.start_date, run.end_date)
