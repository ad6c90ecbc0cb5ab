"""What must be in the sink, computed from Airflow's rows and the contract alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.airflow.rows import Snapshot, TaskRow

LIVE_TOLERANCE: Final = 1_000_000
ARCHIVED_TOLERANCE: Final = 300_000_000
FAILED_STATES: Final = frozenset({"failed", "up_for_retry"})


@dataclass(frozen=True)
class WorkerHint:
    """What the rows can't say about the last process of a task's try."""

    status: str | None = None
    interrupted: bool | None = None
    error_type: str | None = None
    processes: int | None = None
    only_try: int | None = None


@dataclass
class Incarnation:
    """One start of one run: what its trace must tell."""

    dag_id: str
    run_id: str
    early: Snapshot
    late: Snapshot | None = None
    previous: Incarnation | None = None
    requeued_at: int | None = None
    is_joined: bool = False
    """Whether Airflow's own tracing is on, and comes to us: it gives out traces by other rules."""
    hints: Mapping[str, WorkerHint] = field(default_factory=dict)
    ends: set[int] = field(default_factory=set)
    """All that the run's row told of its end."""

    @property
    def final(self) -> Snapshot:
        """The rows after everything about the run's end had settled."""
        return self.late or self.early

    @property
    def run_ends(self) -> set[int]:
        """Any of these is the end; on Airflow 2 a task that dies by hand writes it anew."""
        return {self.requeued_at or end for end in {self.final.run.end_date or 0, *self.ends}}

    @property
    def label(self) -> str:
        """Name it in a mismatch."""
        return f"{self.dag_id[:40]}/{self.run_id}#{self.number}"

    @property
    def number(self) -> int:
        """Count the starts of the run from 1."""
        return 1 if self.previous is None else self.previous.number + 1


@dataclass(frozen=True)
class ExpectedTry:
    """One task_run span: every set holds all values that Airflow's rows allow."""

    row: TaskRow
    try_numbers: frozenset[int]
    states: frozenset[str]
    starts: frozenset[int]
    ends: frozenset[int]
    tolerance: int
    ran: bool
    estimated: bool

    @property
    def name(self) -> str:
        """Name it in a mismatch."""
        index = "" if self.row.map_index < 0 else f"[{self.row.map_index}]"
        return f"{self.row.task_id[:40]}{index}, try {min(self.try_numbers)}"

    @property
    def statuses(self) -> frozenset[str]:
        """The span statuses that go with the states."""
        return frozenset(status_of(state) for state in self.states)


def status_of(state: str) -> str:
    """Return the span status that goes with a state of a run or task."""
    if state == "success":
        return "OK"
    return "ERROR" if state in FAILED_STATES else "UNSET"


def expected_tries(incarnation: Incarnation) -> list[ExpectedTry]:
    """Return one entry per task_run span of this start of the run."""
    # A requeued run had not ended when its early rows were read: they bind nobody.
    at_end = () if incarnation.requeued_at else incarnation.early.current
    early = {row.key: row for row in at_end}
    chosen = _rows_of(incarnation)
    last_try = Counter[tuple[str, int]]()
    for row in chosen:
        last_try[row.task_id, row.map_index] = max(
            last_try[row.task_id, row.map_index], row.try_number
        )
    result = []
    for row in chosen:
        seen = [row]
        if not row.archived and row.key in early and early[row.key].state is not None:
            seen.append(early[row.key])
        retried = row.try_number < last_try[row.task_id, row.map_index]
        result.append(_expected(incarnation, seen, retried=retried))
    return result


def _rows_of(incarnation: Incarnation) -> list[TaskRow]:
    """Choose the rows of this start of the run, those of the history first."""
    final = incarnation.final
    return [
        row
        for row in (*final.archived, *final.current)
        if row.state is not None and not _is_of_earlier_start(row, incarnation)
    ]


def _is_of_earlier_start(row: TaskRow, incarnation: Incarnation) -> bool:
    previous = incarnation.previous
    if previous is None:
        return incarnation.requeued_at is not None and not _queued_before_requeue(row, incarnation)
    if previous.requeued_at is not None:
        return _queued_before_requeue(row, previous)
    for old in previous.final.tasks:
        if old.key != row.key:
            continue
        if old.has_process and (row.archived or not _never_ran(row, incarnation.final)):
            return True
        if not old.has_process and (old.state, old.end_date) == (row.state, row.end_date):
            return row.archived or not _was_cleared(row, incarnation)
    return row.archived and not row.has_process


def _was_cleared(row: TaskRow, incarnation: Incarnation) -> bool:
    """Tell whether the clear before this start archived a row of this number."""
    before = () if incarnation.previous is None else incarnation.previous.final.archived
    now = [old for old in incarnation.final.archived if old.key == row.key]
    return len(now) > len([old for old in before if old.key == row.key])


def _queued_before_requeue(row: TaskRow, requeued: Incarnation) -> bool:
    began = requeued.early.current
    return any(
        old.key == row.key and old.state in ("running", "success", "failed") for old in began
    )


def _never_ran(row: TaskRow, snapshot: Snapshot) -> bool:
    """Tell whether a current row has no process of its own: none, or one of the history's."""
    if not row.has_process:
        return True
    return not row.archived and any(old.key == row.key for old in snapshot.archived)


def _expected(incarnation: Incarnation, seen: list[TaskRow], *, retried: bool) -> ExpectedTry:
    final, run = incarnation.final, incarnation.final.run
    row = seen[0]
    run_ends = incarnation.run_ends
    never_ran = _never_ran(row, final)
    # A clear leaves process, host and times of the try before in the row.
    stale = never_ran and (row.end_date or max(run_ends)) < (run.start_date or 0)
    ends = {one.end_date for one in seen if one.end_date is not None and not stale}
    if stale or any(one.end_date is None for one in seen):
        ends |= run_ends
    estimated = bool(row.pokes) and _tells_only_ends(row.pokes)
    if never_ran:
        starts = ends | {one.start_date for one in seen if one.start_date and not stale}
    elif row.pokes:
        starts = set(row.pokes[0]) if estimated else {row.pokes[0][0]}
    else:
        starts = {one.start_date for one in seen if one.start_date is not None}
    return ExpectedTry(
        row=row,
        try_numbers=_try_numbers(row, final, never_ran=never_ran, stale=stale),
        states=frozenset(_states(seen, retried=retried)),
        starts=frozenset(starts),
        ends=frozenset(ends),
        tolerance=ARCHIVED_TOLERANCE if row.archived else LIVE_TOLERANCE,
        ran=not never_ran,
        estimated=estimated,
    )


def _tells_only_ends(pokes: tuple[tuple[int, int], ...]) -> bool:
    """Tell Airflow 3, which stamps a poke's start when it is told of the poke's end."""
    start, end = pokes[0]
    return start >= end


def _try_numbers(row: TaskRow, final: Snapshot, *, never_ran: bool, stale: bool) -> frozenset[int]:
    if stale and row.has_process:
        return frozenset({row.try_number + 1})
    if never_ran and not row.archived and any(old.key == row.key for old in final.archived):
        return frozenset({row.try_number, row.try_number + 1})
    return frozenset({row.try_number})


def _states(seen: Iterable[TaskRow], *, retried: bool) -> set[str]:
    states = {row.state or "" for row in seen}
    if retried and "failed" in states:
        states = (states - {"failed"}) | {"up_for_retry"}
    return states


def state_counts(incarnation: Incarnation) -> list[dict[str, int]]:
    """Return the counts of task states that the root may tell.

    After a clear of some tasks both readings are true: all of the run's tasks, or those of this
    start.
    """
    everything = Counter(row.state for row in incarnation.final.current if row.state)
    early = Counter(row.state for row in incarnation.early.current if row.state)
    own = Counter(row.state for row in _rows_of(incarnation) if row.state and not row.archived)
    return [dict(everything), dict(early), dict(own)]


def processes_of(expected: ExpectedTry, hint: WorkerHint) -> int:
    """Return how many processes worked on a try."""
    if not expected.ran:
        return 0
    return hint.processes if hint.processes is not None else len(expected.row.pokes) + 1
