"""Rows → records: root, tries, markers. Knows no database and no Airflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Final

from airflow_provider_pipeline_otel.identity import (
    span_id_of_run,
    span_id_of_try,
)
from airflow_provider_pipeline_otel.record import (
    AttributeValue,
    Link,
    SpanRecord,
    StatusCode,
)
from airflow_provider_pipeline_otel.semconv import attributes as names
from airflow_provider_pipeline_otel.skeleton.windows import early_end

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.record import Attributes
    from airflow_provider_pipeline_otel.skeleton.rows import (
        Key,
        KilledWorker,
        Life,
        RunRows,
        TryRow,
    )
    from airflow_provider_pipeline_otel.skeleton.windows import Window

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

NEVER_RAN: Final = frozenset({"skipped", "upstream_failed", "removed"})
"""States in which a task instance may stand without ever having run."""

_STATUS: Final = {
    "success": StatusCode.OK,
    "failed": StatusCode.ERROR,
    "up_for_retry": StatusCode.ERROR,
}
"""All other states, those of later versions too, are UNSET."""


def nanoseconds(time: datetime) -> int:
    """Return the time as nanoseconds since 1970; without a time zone it is taken for UTC."""
    delta = (time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 10**9 + delta.microseconds * 1000


class Trace:
    """The skeleton of one trace of a run; `tries`: all of that run's, by the trace that has them.

    `goes_on`: the run went on in another trace. `previous`: the trace before this one.
    """

    def __init__(
        self,
        rows: RunRows,
        life: Life,
        trace_id: bytes,
        tries: Mapping[bytes, list[TryRow]],
        *,
        goes_on: bool,
        previous: bytes | None,
    ) -> None:
        self._rows = rows
        self._run = rows.run
        self._life = life
        self._goes_on = goes_on
        self._previous = previous
        self.trace_id = trace_id
        self._root_id = span_id_of_run(trace_id)
        self._end_ns = nanoseconds(life.end)
        self._tries = tries
        self._where: dict[Key, bytes] = {}
        self._waiting = {row.key for row in rows.tries if row.state == "up_for_retry"}
        self._last: dict[tuple[str, int], int] = {}
        self._exit_reasons: dict[Key, str] = {}
        for each, found in tries.items():
            self._note(found, each)

    def _note(self, tries: Iterable[TryRow], trace_id: bytes) -> None:
        for row in tries:
            self._where[row.key] = trace_id
            self._last[row[:2]] = max(self._last.get(row[:2], 0), row.try_number)

    def records(
        self, remembered: bytes | None = None, killed: Iterable[KilledWorker] = ()
    ) -> Iterator[SpanRecord]:
        """Yield the root, then failures, then the rest: backends cut big traces at their end.

        `remembered`: the trace before this one, where the rows don't tell it; `killed`: workers, of
        whose tries the database may have no row.
        """
        self._previous = self._previous or remembered
        missing = self._take(killed)
        left = [row for row in self._tries[self.trace_id] if not self._is_written(row)] + missing
        self._tries[self.trace_id].extend(missing)
        self._note(missing, self.trace_id)
        yield self._root()
        rest = []
        for row in left:
            record = self._try(row)
            if record.status is StatusCode.ERROR:
                yield record
            else:
                rest.append(record)
        yield from rest

    def tries_in(self, window: Window, killed: Iterable[KilledWorker] = ()) -> Iterator[SpanRecord]:
        """Yield the tries that a window has to write, of a run that goes on."""
        self._take(killed)
        return map(self._try, filter(window.has, self._tries[self.trace_id]))

    def lost_tries(self, killed: Iterable[KilledWorker]) -> Iterator[SpanRecord]:
        """Yield the tries of these workers of which the database has no row."""
        return map(self._try, self._take(killed))

    def _take(self, killed: Iterable[KilledWorker]) -> list[TryRow]:
        """Remember why workers of this trace died; return their tries that no row tells of."""
        ours = [one for one in killed if one.trace_id == self.trace_id]
        self._exit_reasons = {one.row.key: one.exit_reason for one in ours if one.exit_reason}
        return [one.row for one in ours if one.row.key not in self._where]

    def _is_written(self, row: TryRow) -> bool:
        ended, written = early_end(row), self._life.written
        return ended is not None and written is not None and ended <= written

    def _root(self) -> SpanRecord:
        run = self._run
        # What began another trace has renewed queued_at: only the start is left of this one.
        queued_at = None if self._goes_on else run.queued_at
        start = nanoseconds(min(filter(None, (queued_at, self._life.start))))
        links = [Link(c.trace_id, c.span_id, _link_type(c.kind)) for c in self._rows.causes]
        if self._previous and self._previous != self.trace_id:
            before = span_id_of_run(self._previous)
            links.append(Link(self._previous, before, _link_type("rerun")))
        return SpanRecord(
            trace_id=self.trace_id,
            span_id=self._root_id,
            parent_span_id=b"",
            name=f"dag_run.{run.dag_id}",
            start_ns=start,
            end_ns=max(self._end_ns, start),
            attributes=self._root_attributes(),
            status=StatusCode.UNSET if self._goes_on else _STATUS.get(run.state, StatusCode.UNSET),
            links=tuple(links),
        )

    def _root_attributes(self) -> Attributes:
        run = self._run
        said: dict[str, AttributeValue | None] = {
            names.AIRFLOW_DAG_ID: run.dag_id,
            names.AIRFLOW_DAG_RUN_RUN_ID: run.run_id,
            names.AIRFLOW_DAG_RUN_RUN_TYPE: run.run_type,
            names.AIRFLOW_DAG_RUN_STATE: "running" if self._goes_on else run.state,
            names.AIRFLOW_DAG_RUN_LOGICAL_DATE: _iso(run.logical_date),
            names.AIRFLOW_DAG_RUN_QUEUED_AT: _iso(run.queued_at),
            names.AIRFLOW_DAG_RUN_START_DATE: _iso(self._life.start),
            names.AIRFLOW_DAG_RUN_END_DATE: None if self._goes_on else _iso(run.end_date),
            names.AIRFLOW_DAG_RUN_CLEAR_NUMBER: run.clear_number,
            names.AIRFLOW_DAG_RUN_PARTITION_KEY: run.partition_key,
            names.AIRFLOW_DAG_TAGS: self._rows.tags,
            names.PIPELINE_NAME: run.dag_id,
            names.PIPELINE_SPAN_LEVEL: "skeleton",
            names.PIPELINE_FAILURE_FIRST_TASK: self._first_failure(),
            names.PIPELINE_DAG_RUN_REQUEUED: self._goes_on or None,
        }
        last = (row for row in self._told() if row.try_number == self._last[row[:2]])
        for state, count in Counter(row.state for row in last).items():
            said[f"{names.PIPELINE_RUN_TASKS}.{state}"] = count
        return {name: value for name, value in said.items() if value not in (None, "", ())}

    def _told(self) -> Iterable[TryRow]:
        """Return the tries that the root sums up: of its trace, at the end of the whole run."""
        return self._tries[self.trace_id] if self._goes_on else chain(*self._tries.values())

    def _first_failure(self) -> str | None:
        failed = [row for row in self._told() if self._state(row) == "failed"]
        first = min(failed, key=lambda row: row.end_date or self._life.end, default=None)
        return first.task_id if first is not None else None

    def _state(self, row: TryRow) -> str:
        """Return the state of the try: a failed one that is, or will be, tried again says so."""
        later = row.try_number < self._last[row[:2]] or row.key in self._waiting
        return "up_for_retry" if row.state == "failed" and later else str(row.state)

    def _times(self, row: TryRow) -> tuple[int, int, bool]:
        """Return start and end, and whether the start is the first poke's end."""
        end = nanoseconds(row.end_date) if row.end_date is not None else self._end_ns
        if row.pid is None and row.state in NEVER_RAN:
            return end, end, False
        poke = self._rows.first_pokes.get(row.key)
        first = min((time for time in (poke, row.start_date) if time is not None), default=None)
        start = min(nanoseconds(first), end) if first is not None else end
        return start, end, poke is not None and not self._rows.pokes_say_starts

    def _try(self, row: TryRow) -> SpanRecord:
        start, end, estimated = self._times(row)
        state = self._state(row)
        said: dict[str, AttributeValue] = {
            names.AIRFLOW_DAG_ID: self._run.dag_id,
            names.AIRFLOW_TASK_ID: row.task_id,
            names.AIRFLOW_DAG_RUN_RUN_ID: self._run.run_id,
            names.AIRFLOW_TASK_INSTANCE_TRY_NUMBER: row.try_number,
            names.AIRFLOW_TASK_INSTANCE_MAP_INDEX: row.map_index,
            names.AIRFLOW_TASK_INSTANCE_STATE: state,
            names.PIPELINE_NAME: self._run.dag_id,
            names.PIPELINE_SPAN_LEVEL: "skeleton",
        }
        if row.operator:
            said[names.AIRFLOW_TASK_INSTANCE_OPERATOR] = row.operator
        if row.queue:
            said[names.AIRFLOW_TASK_INSTANCE_QUEUE] = row.queue
        if row.pool:
            said[names.AIRFLOW_TASK_INSTANCE_POOL] = row.pool
        if row.hostname:
            said[names.AIRFLOW_TASK_INSTANCE_HOSTNAME] = row.hostname
        if row.queued_dttm is not None and row.pid is not None:
            waited = start - nanoseconds(row.queued_dttm)
            if waited >= 0:
                said[names.AIRFLOW_TASK_INSTANCE_QUEUED_DURATION] = waited / 10**9
        if estimated:
            said[names.PIPELINE_SPAN_START_ESTIMATED] = True
        if reason := self._exit_reasons.get(row.key):
            said[names.PIPELINE_PROCESS_EXIT_REASON] = reason
        return SpanRecord(
            trace_id=self.trace_id,
            span_id=span_id_of_try(self.trace_id, *row.key),
            parent_span_id=self._root_id,
            name=f"task_run.{row.task_id}",
            start_ns=start,
            end_ns=end,
            attributes=said,
            status=_STATUS.get(state, StatusCode.UNSET),
            links=self._retry_link(row),
        )

    def _retry_link(self, row: TryRow) -> tuple[Link, ...]:
        before = (row.task_id, row.map_index, row.try_number - 1)
        trace_id = self._where.get(before)
        if trace_id is None:  # the history table has holes: nothing may dangle
            return ()
        return (Link(trace_id, span_id_of_try(trace_id, *before), _link_type("retry")),)


def _link_type(kind: str) -> Attributes:
    return {names.AIRFLOW_LINK_TYPE: kind}


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()
