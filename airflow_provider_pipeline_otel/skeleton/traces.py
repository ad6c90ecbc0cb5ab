"""Rows → traces: which tries of a run belong to which trace.

One life of a run is one trace. Airflow's own tracing, where we join it, gives out traces by other
rules: a task that is cleared while its run goes on moves with the run to a new one, and what ran
before stays in the old one. Each row's carrier says which that is, to its worker and to us.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from airflow_provider_pipeline_otel.identity import trace_id_of_run
from airflow_provider_pipeline_otel.skeleton.spans import NEVER_RAN, Trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_pipeline_otel.identity import Carrier
    from airflow_provider_pipeline_otel.skeleton.rows import Life, RunRows, TryRow

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


def traces_of(rows: RunRows, life: Life) -> list[Trace]:
    """Return the traces of one life of a run, in their order; the last is the run's own.

    A trace that Airflow's own tracing has not sampled is left out.
    """
    divided = _Divided(rows, life)
    tries = {one: found for one, found in divided.tries.items() if one not in divided.unsampled}
    traces = []
    previous = divided.before
    for trace_id in sorted(tries, key=divided.ended):
        goes_on = trace_id != divided.own or life.until is not None
        traces.append(Trace(rows, life, trace_id, tries, goes_on=goes_on, previous=previous))
        previous = trace_id
    return traces


class _Divided:
    """The tries of a life by their trace, and the run's trace `before` this life, if known."""

    def __init__(self, rows: RunRows, life: Life) -> None:
        run = rows.run
        self._computed = trace_id_of_run(run.dag_id, run.run_id, life.start)
        self._life = life
        self._is_joined = run.carrier is not None
        self.own = self._trace_of(run.carrier)
        self.tries: dict[bytes, list[TryRow]] = {self.own: []}
        self.unsampled: set[bytes] = set()
        self.before: bytes | None = None
        self._take(run.carrier)
        for row in self._tries(rows):
            trace_id = self._take(row.carrier)
            self.tries.setdefault(trace_id, []).append(row)
        earlier = [row for row in rows.history if row.carrier and not self._has(row)]
        if life.before is not None:
            self.before = trace_id_of_run(run.dag_id, run.run_id, life.before)
        elif earlier:
            self.before = self._trace_of(max(earlier, key=_end_of).carrier)

    def ended(self, trace_id: bytes) -> tuple[bool, datetime]:
        """Return what traces are sorted by."""
        return trace_id == self.own, max(map(_end_of, self.tries[trace_id]), default=_LONG_AGO)

    def _trace_of(self, carrier: Carrier | None) -> bytes:
        return carrier.trace_id if carrier else self._computed

    def _take(self, carrier: Carrier | None) -> bytes:
        if carrier is not None and not carrier.is_sampled:
            self.unsampled.add(carrier.trace_id)
        return self._trace_of(carrier)

    def _has(self, row: TryRow) -> bool:
        is_own = self._is_joined and self._trace_of(row.carrier) == self.own
        return is_own or self._life.has(row)

    def _tries(self, rows: RunRows) -> Iterator[TryRow]:
        history = {row.key for row in rows.history}
        # The history row speaks for a try that has one: while a try waits for its retry, both are.
        yield from (row for row in rows.history if row.state and self._has(row))
        for row in rows.tries:
            if row.key in history:
                if row.state in NEVER_RAN and self._life.until is None:
                    yield _cleared_and_not_run(row)
            elif row.state and self._has(row):
                yield row


def _end_of(row: TryRow) -> datetime:
    return row.end_date or row.queued_dttm or _LONG_AGO


def _cleared_and_not_run(row: TryRow) -> TryRow:
    """Return the marker of a task that ran, was cleared, and did not come to run again.

    A clear resets neither pid nor start_date: the row looks as if it had run, under the number of a
    try that did.
    """
    return row._replace(
        try_number=row.try_number + 1,
        start_date=None,
        end_date=None,
        queued_dttm=None,
        hostname=None,
        pid=None,
    )
