"""The comparison of one run's spans with what Airflow's rows demand."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from tests.airflow.expectation import (
    ARCHIVED_TOLERANCE,
    LIVE_TOLERANCE,
    ExpectedTry,
    Incarnation,
    WorkerHint,
    expected_tries,
    processes_of,
    state_counts,
    status_of,
)
from tests.airflow.rows import nanoseconds
from tests.airflow.workers import judge_worker, judge_worker_ends

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.airflow.judge import Judge
    from tests.airflow.rows import TaskRow
    from tests.airflow.sink import Span, Value

RUN: Final = "airflow.dag_run."
TRY: Final = "airflow.task_instance."
TRY_RUN: Final = "task_run."
NO_HINT: Final = WorkerHint()


def roots_of(spans: Iterable[Span], dag_id: str, run_id: str) -> list[Span]:
    """Return the root spans of all starts of one run."""
    return [
        span
        for span in spans
        if span.name == f"dag_run.{dag_id}" and span.attributes.get(f"{RUN}run_id") == run_id
    ]


def judge_incarnation(judge: Judge, incarnation: Incarnation) -> Span | None:
    """Compare one start of a run with its trace and return its root."""
    label = incarnation.label
    roots = [
        root
        for root in roots_of(judge.spans, incarnation.dag_id, incarnation.run_id)
        if _starts_with(root, incarnation)
    ]
    superseded = [] if incarnation.requeued_at else [one for one in roots if _goes_on(one)]
    roots = [root for root in roots if root not in superseded]
    if not judge.expect(f"{label}: one root", 1, len(roots)):
        return roots[0] if roots else None
    (root,) = roots
    _judge_root(judge, incarnation, root)
    _judge_superseded(judge, incarnation, superseded, root)
    traces = {one.trace_id: one for one in (*superseded, root)}
    tries = [one for one in judge.spans if one.trace_id in traces and one.name.startswith(TRY_RUN)]
    by_key: defaultdict[tuple[object, ...], list[Span]] = defaultdict(list)
    for span in tries:
        by_key[_key_of(span)].append(span)
    for expected in expected_tries(incarnation):
        row = expected.row
        keys = [(row.task_id, row.map_index, number) for number in expected.try_numbers]
        found = [span for key in keys for span in by_key.pop(key, [])]
        if judge.expect(f"{label}: {expected.name}: one task_run span", 1, len(found)):
            _judge_try(judge, incarnation, expected, found[0], traces[found[0].trace_id])
    # Airflow 2 keeps no row of a try that an executor lost: a span may stand for it, or not.
    rows = incarnation.final.tasks
    unknown = [key for key in by_key if not _is_lost_try(key, rows)]
    judge.expect(f"{label}: no other task_run spans", [], sorted(map(str, unknown)))
    return root


def _goes_on(root: Span) -> bool:
    return root.attributes.get("pipeline.dag_run.requeued") is True


def _judge_superseded(
    judge: Judge, incarnation: Incarnation, superseded: list[Span], root: Span
) -> None:
    """Judge the roots of traces that Airflow's own tracing left when a task was cleared."""
    rule = f"{incarnation.label}: superseded root"
    judge.expect_one_of(f"{rule}s", range(3 if incarnation.is_joined else 1), len(superseded))
    for one, after in pairwise([*superseded, root]):
        judge.expect(f"{rule}: status", "UNSET", one.status)
        judge.expect(f"{rule}: state", "running", one.attributes.get(f"{RUN}state"))
        targets = [link.span_id for link in after.links]
        judge.demand(f"{rule}: linked", holds=one.span_id in targets, expected="", got=targets)


def _is_lost_try(key: tuple[object, ...], rows: tuple[TaskRow, ...]) -> bool:
    """Tell whether a try must have been, as a later one was, though no row tells of it."""
    *task, number = key
    numbers = {row.try_number for row in rows if [row.task_id, row.map_index] == task}
    return (
        isinstance(number, int) and 0 < number < max(numbers, default=0) and number not in numbers
    )


def _starts_with(root: Span, incarnation: Incarnation) -> bool:
    run = incarnation.early.run if incarnation.requeued_at else incarnation.final.run
    told = _instant(root.attributes.get(f"{RUN}start_date"))
    return told is not None and abs(told - (run.start_date or 0)) <= LIVE_TOLERANCE


def _key_of(span: Span) -> tuple[object, ...]:
    attributes = span.attributes
    return (
        attributes.get("airflow.task_id"),
        attributes.get(f"{TRY}map_index", -1),
        attributes.get(f"{TRY}try_number"),
    )


def _instant(value: Value) -> int | None:
    try:
        return nanoseconds(datetime.fromisoformat(str(value)))
    except ValueError:
        return None


def _judge_root(judge: Judge, incarnation: Incarnation, root: Span) -> None:
    requeued = incarnation.requeued_at
    run = incarnation.early.run if requeued else incarnation.final.run
    rule = f"{incarnation.label}: root"
    starts = [moment for moment in (run.queued_at, run.start_date) if moment is not None]
    # A clear in a running run renews queued_at on Airflow 3.2+, and start_date stays.
    judge.expect(f"{rule}: has no parent", "", root.parent_id)
    # A requeue overwrites queued_at: who did not read it before can only tell start_date.
    allowed = starts if requeued else [min(starts)]
    judge.expect_time(f"{rule}: start", allowed, root.start_ns)
    judge.expect_time(f"{rule}: end", incarnation.run_ends, root.end_ns)
    judge.expect(f"{rule}: status", "UNSET" if requeued else status_of(run.state), root.status)
    wanted: dict[str, Value] = {
        "airflow.dag_id": run.dag_id,
        "pipeline.name": run.dag_id,
        "pipeline.span.level": "skeleton",
        f"{RUN}run_id": run.run_id,
        f"{RUN}run_type": run.run_type,
        f"{RUN}state": "running" if requeued else run.state,
        f"{RUN}partition_key": run.partition_key,
    }
    if requeued:
        wanted["pipeline.dag_run.requeued"] = True
    for key, value in wanted.items():
        judge.expect(f"{rule}: {key}", value, root.attributes.get(key))
    times = {"logical_date": {run.logical_date}, "start_date": {run.start_date}}
    if not requeued:
        times |= {"queued_at": {run.queued_at}, "end_date": set(incarnation.run_ends)}
    for name, moments in times.items():
        told = root.attributes.get(f"{RUN}{name}")
        _judge_instant(judge, f"{rule}: {RUN}{name}", moments, told)
    cleared = root.attributes.get(f"{RUN}clear_number")
    numbers = {run.clear_number} | ({None} if run.clear_number == 0 else set())
    judge.expect_one_of(f"{rule}: {RUN}clear_number", numbers, cleared)
    tags = root.attributes.get("airflow.dag.tags")
    named = set(tags) if isinstance(tags, tuple) else tags
    judge.expect(f"{rule}: airflow.dag.tags", {"truth", run.dag_id[:40]}, named)
    _judge_summary(judge, incarnation, root)


def _judge_instant(judge: Judge, rule: str, moments: set[int | None], told: Value) -> None:
    allowed = [moment for moment in moments if moment is not None]
    if not allowed:
        judge.expect(rule, None, told)
        return
    instant = _instant(told)
    if judge.demand(rule, holds=instant is not None, expected="an ISO time", got=told):
        judge.expect_time(rule, allowed, instant or 0)


def _judge_summary(judge: Judge, incarnation: Incarnation, root: Span) -> None:
    """Compare the root's counts of states and its first failure."""
    rule = f"{incarnation.label}: root"
    prefix = "pipeline.run.tasks."
    counts = {
        key.removeprefix(prefix): value
        for key, value in root.attributes.items()
        if key.startswith(prefix)
    }
    if not incarnation.requeued_at:
        judge.expect_one_of(f"{rule}: {prefix}*", state_counts(incarnation), counts)
    failed = [row for row in incarnation.final.current if row.state == "failed"]
    first = root.attributes.get("pipeline.failure.first_task")
    run_end = incarnation.final.run.end_date or 0
    ends = {row: row.end_date or run_end for row in failed}
    earliest = [row.task_id for row in failed if ends[row] - min(ends.values()) < LIVE_TOLERANCE]
    if incarnation.final.run.state != "failed" or not failed:
        earliest.append(None)  # type: ignore[arg-type]
    judge.expect_one_of(f"{rule}: pipeline.failure.first_task", earliest, first)


def _judge_try(
    judge: Judge, incarnation: Incarnation, expected: ExpectedTry, span: Span, root: Span
) -> None:
    row = expected.row
    rule = f"{incarnation.label}: {expected.name}"
    judge.expect(f"{rule}: name", f"task_run.{row.task_id}", span.name)
    judge.expect(f"{rule}: parent is the root", root.span_id, span.parent_id)
    state = span.attributes.get(f"{TRY}state")
    judge.expect_one_of(f"{rule}: state", expected.states, state)
    judge.expect(f"{rule}: status", status_of(str(state)), span.status)
    archived = ARCHIVED_TOLERANCE if row.archived else LIVE_TOLERANCE
    if expected.starts:
        judge.expect_time(f"{rule}: start", expected.starts, span.start_ns)
    else:
        # Airflow 2's `dags test` writes no start.
        holds = root.start_ns <= span.start_ns <= span.end_ns
        judge.demand(f"{rule}: start", holds=holds, expected="within the run", got=span.start_ns)
    judge.expect_time(f"{rule}: end", expected.ends, span.end_ns, archived)
    if not expected.ran:
        length = LIVE_TOLERANCE if row.state == "success" else 0
        shown = f"≤ {length / 1e6} ms"
        took = span.end_ns - span.start_ns
        judge.demand(f"{rule}: zero length", holds=took <= length, expected=shown, got=took)
    _judge_try_attributes(judge, rule, incarnation, expected, span)
    below = [one for one in judge.spans if one.parent_id == span.span_id]
    triggers = [one for one in below if one.name == f"trigger.{row.task_id}"]
    if not incarnation.is_joined:
        judge.expect(f"{rule}: spans of triggers", 0, len(triggers))
    workers = sorted((one for one in below if one not in triggers), key=lambda one: one.start_ns)
    hint = incarnation.hints.get(row.task_id, NO_HINT)
    if hint.only_try is not None and hint.only_try != row.try_number:
        hint = NO_HINT
    names = Counter(worker.name for worker in workers)
    count = processes_of(expected, hint)
    wanted = {f"worker.{row.task_id}": count} if count else {}
    if judge.expect(f"{rule}: one worker per process", wanted, dict(names)) and workers:
        for worker in workers:
            judge_worker(judge, rule, incarnation, expected, worker)
        judge_worker_ends(judge, rule, expected, workers, hint)


def _judge_try_attributes(
    judge: Judge, rule: str, incarnation: Incarnation, expected: ExpectedTry, span: Span
) -> None:
    row = expected.row
    wanted = {
        "airflow.dag_id": incarnation.dag_id,
        "airflow.task_id": row.task_id,
        f"{RUN}run_id": incarnation.run_id,
        f"{TRY}operator": row.operator or None,
        f"{TRY}queue": row.queue or None,
        f"{TRY}pool": row.pool or None,
        f"{TRY}hostname": (row.hostname or None) if expected.ran else None,
        "pipeline.name": incarnation.dag_id,
        "pipeline.span.level": "skeleton",
        "pipeline.span.start_estimated": True if expected.estimated else None,
    }
    for key, value in wanted.items():
        judge.expect(f"{rule}: {key}", value, span.attributes.get(key))
    waited = span.attributes.get(f"{TRY}queued_duration")
    if expected.ran and row.queued_at and row.start_date and row.start_date >= row.queued_at:
        seconds = (row.start_date - row.queued_at) / 1e9
        near = isinstance(waited, float | int) and abs(waited - seconds) < 0.002
        # What waits or pokes is queued several times; which one is told is not in the rows.
        near = near or bool(row.pokes)
        judge.demand(f"{rule}: {TRY}queued_duration", holds=near, expected=seconds, got=waited)
    elif waited is not None:
        holds = isinstance(waited, float | int) and waited >= 0
        judge.demand(f"{rule}: {TRY}queued_duration", holds=holds, expected="≥ 0", got=waited)
