"""The judge finds what is wrong: each lie told to it is a mismatch, and the truth is none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from tests.airflow.expectation import Incarnation
from tests.airflow.judge import Judge
from tests.airflow.judgement import judge_incarnation
from tests.airflow.rows import RunRow, Snapshot, TaskRow
from tests.airflow.sink import Event, Link, Span, Value
from tests.airflow.whole import judge_links, judge_whole

if TYPE_CHECKING:
    from collections.abc import Callable

SECOND: Final = 1_000_000_000
TRACE: Final = "1" * 32
NOON: Final = 1_800_000_000 * SECOND
ROOT, FIRST, SECOND_TRY, MARKER = ("a" * 16, "b" * 16, "c" * 16, "d" * 16)

RUN: Final = RunRow(
    dag_id="orders",
    run_id="one",
    run_type="manual",
    state="failed",
    logical_date=None,
    queued_at=NOON,
    start_date=NOON + SECOND,
    end_date=NOON + 9 * SECOND,
    clear_number=0,
    partition_key=None,
)
SECOND_ROW: Final = TaskRow(
    task_id="load",
    map_index=-1,
    try_number=2,
    state="failed",
    start_date=NOON + 5 * SECOND,
    end_date=NOON + 6 * SECOND,
    queued_at=NOON + 4 * SECOND,
    hostname="host",
    pid=12,
    operator="PythonOperator",
    queue="default",
    pool="default_pool",
    archived=False,
)
FIRST_ROW: Final = replace(
    SECOND_ROW,
    try_number=1,
    start_date=NOON + 2 * SECOND,
    end_date=NOON + 3 * SECOND,
    queued_at=NOON + SECOND,
    pid=11,
    archived=True,
)
NEVER_ROW: Final = replace(
    SECOND_ROW,
    task_id="report",
    try_number=0,
    state="upstream_failed",
    start_date=NOON + 8 * SECOND,
    end_date=NOON + 8 * SECOND,
    queued_at=None,
    hostname="",
    pid=None,
)
INCARNATION: Final = Incarnation("orders", "one", Snapshot(RUN, (FIRST_ROW, SECOND_ROW, NEVER_ROW)))


def _span(name: str, span_id: str, parent: str, start: int, end: int) -> Span:
    return Span(
        name=name,
        trace_id=TRACE,
        span_id=span_id,
        parent_id=parent,
        kind=1,
        start_ns=NOON + start * SECOND,
        end_ns=NOON + end * SECOND,
        status="ERROR",
        status_message="",
        attributes={
            "airflow.dag_id": "orders",
            "airflow.dag_run.run_id": "one",
            "pipeline.name": "orders",
            "pipeline.span.level": "skeleton",
        },
        resource={"service.name": "truth"},
    )


def _root() -> Span:
    span = _span("dag_run.orders", ROOT, "", 0, 9)
    own: dict[str, Value] = {
        "airflow.dag_run.run_type": "manual",
        "airflow.dag_run.state": "failed",
        "airflow.dag_run.queued_at": "2027-01-15T08:00:00+00:00",
        "airflow.dag_run.start_date": "2027-01-15T08:00:01+00:00",
        "airflow.dag_run.end_date": "2027-01-15T08:00:09+00:00",
        "airflow.dag.tags": ("truth", "orders"),
        "pipeline.run.tasks.failed": 1,
        "pipeline.run.tasks.upstream_failed": 1,
        "pipeline.failure.first_task": "load",
    }
    return replace(span, attributes={**span.attributes, **own})


def _try(row: TaskRow, span_id: str, state: str) -> Span:
    assert row.start_date is not None
    assert row.end_date is not None
    start, end = ((moment - NOON) // SECOND for moment in (row.start_date, row.end_date))
    span = _span(f"task_run.{row.task_id}", span_id, ROOT, start, end)
    own: dict[str, Value] = {
        "airflow.task_id": row.task_id,
        "airflow.task_instance.try_number": row.try_number,
        "airflow.task_instance.state": state,
        "airflow.task_instance.operator": row.operator,
        "airflow.task_instance.queue": row.queue,
        "airflow.task_instance.pool": row.pool,
    }
    if row.pid:
        own |= {
            "airflow.task_instance.hostname": row.hostname,
            "airflow.task_instance.queued_duration": 1.0,
        }
    status = "UNSET" if row.pid is None else "ERROR"
    return replace(span, status=status, attributes={**span.attributes, **own})


def _worker(row: TaskRow, span_id: str, parent: str, start: int) -> Span:
    span = _span(f"worker.{row.task_id}", span_id, parent, start, start + 1)
    own: dict[str, Value] = {
        "airflow.task_id": row.task_id,
        "airflow.task_instance.try_number": row.try_number,
        "airflow.executor": "LocalExecutor",
        "process.pid": row.pid,
        "host.name": "host",
        "pipeline.process.cpu_time": 0.5,
        "pipeline.process.peak_memory": 1024,
        "error.type": "ValueError",
    }
    failure = Event("exception", span.end_ns, {"exception.type": "ValueError"})
    return replace(span, events=(failure,), attributes={**span.attributes, **own})


def _truth() -> list[Span]:
    retry = Link(TRACE, FIRST, {"airflow.link.type": "retry"})
    return [
        _root(),
        _try(FIRST_ROW, FIRST, "up_for_retry"),
        replace(_try(SECOND_ROW, SECOND_TRY, "failed"), links=(retry,)),
        _try(NEVER_ROW, MARKER, "upstream_failed"),
        _worker(FIRST_ROW, "e" * 16, FIRST, 2),
        _worker(SECOND_ROW, "f" * 16, SECOND_TRY, 5),
    ]


def _judged(spans: list[Span], bodies: tuple[bytes, ...] = ()) -> list[str]:
    judge = Judge("orders", spans)
    root = judge_incarnation(judge, INCARNATION)
    if root is not None:
        judge_links(judge, INCARNATION, root, None)
    judge_whole(judge, bodies, "secret")
    return [str(mismatch) for mismatch in judge.mismatches]


def _change(index: int, **changes: object) -> Callable[[list[Span]], list[Span]]:
    def change(spans: list[Span]) -> list[Span]:
        spans[index] = replace(spans[index], **changes)  # type: ignore[arg-type]
        return spans

    return change


def _attribute(index: int, key: str, value: object) -> Callable[[list[Span]], list[Span]]:
    def change(spans: list[Span]) -> list[Span]:
        attributes = {**spans[index].attributes, key: value}
        spans[index] = replace(spans[index], attributes=attributes)  # type: ignore[arg-type]
        return spans

    return change


def _without(index: int) -> Callable[[list[Span]], list[Span]]:
    return lambda spans: spans[:index] + spans[index + 1 :]


def _twice(index: int) -> Callable[[list[Span]], list[Span]]:
    return lambda spans: [*spans, spans[index]]


LIES: Final[dict[str, Callable[[list[Span]], list[Span]]]] = {
    "no root": _without(0),
    "two roots": _twice(0),
    "root ends late": _change(0, end_ns=NOON + 9 * SECOND + 2_000_000),
    "root starts with start_date": _change(0, start_ns=NOON + SECOND),
    "root has a parent": _change(0, parent_id="9" * 16),
    "root status": _change(0, status="UNSET"),
    "root state": _attribute(0, "airflow.dag_run.state", "success"),
    "root end_date": _attribute(0, "airflow.dag_run.end_date", "2027-01-15T08:00:08+00:00"),
    "root count": _attribute(0, "pipeline.run.tasks.failed", 2),
    "root's first failure": _attribute(0, "pipeline.failure.first_task", "report"),
    "root tags": _attribute(0, "airflow.dag.tags", ("truth",)),
    "no first try": _without(1),
    "no second try": _without(2),
    "no marker": _without(3),
    "try twice": _twice(2),
    "first try failed for good": _attribute(1, "airflow.task_instance.state", "failed"),
    "try starts late": _change(2, start_ns=NOON + 5 * SECOND + 2_000_000),
    "try ends late": _change(2, end_ns=NOON + 6 * SECOND + 2_000_000),
    "archived try ends late": _change(1, end_ns=NOON + 3 * SECOND + 400_000_000),
    "try number": _attribute(2, "airflow.task_instance.try_number", 3),
    "map index": _attribute(2, "airflow.task_instance.map_index", 0),
    "operator": _attribute(2, "airflow.task_instance.operator", "BashOperator"),
    "host": _attribute(2, "airflow.task_instance.hostname", "other"),
    "waited": _attribute(2, "airflow.task_instance.queued_duration", 1.5),
    "marker has a length": _change(3, start_ns=NOON + 7 * SECOND),
    "marker is an error": _change(3, status="ERROR"),
    "no worker": _without(5),
    "two workers": lambda spans: [*spans, replace(spans[5], span_id="0" * 15 + "1")],
    "worker of the wrong try": _change(5, parent_id=FIRST),
    "worker is no error": _change(5, status="OK"),
    "worker's process": _attribute(5, "process.pid", 99),
    "worker interrupted": _attribute(5, "pipeline.interrupted", value=True),
    "worker without error": _attribute(5, "error.type", None),
    "worker without event": _change(5, events=()),
    "no retry link": _change(2, links=()),
    "dangling link": _change(3, links=(Link(TRACE, "8" * 16, {"airflow.link.type": "x"}),)),
    "orphan": _change(4, parent_id="7" * 16),
    "empty attribute": _attribute(4, "note", ""),
    "id used twice": _change(4, span_id=MARKER),
    "ends before it starts": _change(4, end_ns=NOON),
    "no service": _change(4, resource={}),
    "span of Airflow's own": _change(4, scope="airflow.sdk"),
    "span of no run": lambda spans: [*spans, replace(spans[4], trace_id="2" * 32)],
}


def test_truth_is_no_mismatch() -> None:
    """Spans that say what the rows say pass."""
    assert _judged(_truth()) == []


@pytest.mark.parametrize("lie", LIES)
def test_lie_is_found(lie: str) -> None:
    """One thing said wrong is a mismatch, in one readable line."""
    mismatches = _judged(LIES[lie](_truth()))
    assert mismatches
    assert all(line.startswith("orders / ") and "\n" not in line for line in mismatches)


def test_secret_is_found() -> None:
    """A secret in any byte that arrived is a mismatch."""
    assert _judged(_truth(), (b"...secret...",))
