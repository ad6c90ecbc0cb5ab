"""The rules by which a run's rows become its skeleton."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_provider_pipeline_otel.identity import span_id_of_run, span_id_of_try, trace_id_of_run
from airflow_provider_pipeline_otel.record import SpanRecord, StatusCode
from airflow_provider_pipeline_otel.skeleton.rows import (
    Cause,
    KilledWorker,
    Life,
    RunRow,
    RunRows,
    TryRow,
)
from airflow_provider_pipeline_otel.skeleton.spans import nanoseconds
from airflow_provider_pipeline_otel.skeleton.traces import traces_of

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """Return a time so many seconds after the run's start."""
    return START + timedelta(seconds=seconds)


def run_row(**fields: Any) -> RunRow:
    """Return a run that was queued 1 s before its start and took 100 s."""
    row = RunRow("dag", "run", "manual", "success", START, at(100), at(-1), None, 0, None)
    return row._replace(**fields)


def try_row(task_id: str = "task", **fields: Any) -> TryRow:
    """Return a try that was queued at 1, ran from 2 to 3, and succeeded."""
    row = TryRow(task_id, -1, 1, "success", at(2), at(3), at(1), "PythonOperator", "q", "p", "h", 7)
    return row._replace(**fields)


def rows(
    *tries: TryRow, history: tuple[TryRow, ...] = (), run: RunRow | None = None, **fields: Any
) -> RunRows:
    """Return a run's rows."""
    found = RunRows(run or run_row(), tries, history, {}, True, (), ())  # noqa: FBT003
    return found._replace(**fields)


def draw(
    found: RunRows,
    *,
    until: datetime | None = None,
    previous: bytes | None = None,
    killed: tuple[TryRow, ...] = (),
    exit_reason: str | None = None,
) -> Any:
    """Return the records, and those of tries by (task, try number)."""
    run = found.run
    assert run.start_date is not None
    life = Life(run.start_date, until or run.end_date or at(100), until)
    (trace,) = traces_of(found, life)
    key = (run.dag_id, run.run_id)
    workers = [KilledWorker(key, trace.trace_id, row, exit_reason) for row in killed]
    workers += [KilledWorker(key, b"another trace's", row, "another's") for row in killed]
    records = list(trace.records(previous, workers))
    tries = {
        (
            record.attributes["airflow.task_id"],
            record.attributes["airflow.task_instance.try_number"],
        ): record
        for record in records[1:]
    }
    assert len(tries) == len(records) - 1, "one span per try"
    return records, tries


def test_the_root_starts_when_the_run_was_queued() -> None:
    """And is the first record."""
    records, _ = draw(rows(try_row()))
    root: SpanRecord = records[0]
    assert root.name == "dag_run.dag"
    assert root.parent_span_id == b""
    assert (root.start_ns, root.end_ns) == (nanoseconds(at(-1)), nanoseconds(at(100)))
    assert root.trace_id == trace_id_of_run("dag", "run", START)
    assert root.attributes["pipeline.run.tasks.success"] == 1
    assert "airflow.dag_run.logical_date" not in root.attributes


def test_a_backfilled_run_that_was_queued_after_its_start_starts_then() -> None:
    """The earlier of the two."""
    records, _ = draw(rows(run=run_row(queued_at=at(5))))
    assert records[0].start_ns == nanoseconds(START)


@pytest.mark.parametrize(
    ("state", "status"), [("success", StatusCode.OK), ("failed", StatusCode.ERROR)]
)
def test_the_root_has_the_state_of_the_run(state: str, status: StatusCode) -> None:
    """OK or ERROR."""
    records, _ = draw(rows(run=run_row(state=state)))
    assert records[0].status is status


def test_a_try_has_the_times_of_its_row() -> None:
    """And its ids, and how long it waited in the queue."""
    _, tries = draw(rows(try_row()))
    record = tries["task", 1]
    assert record.span_id == span_id_of_try(record.trace_id, "task", -1, 1)
    assert record.parent_span_id == span_id_of_run(record.trace_id)
    assert (record.start_ns, record.end_ns) == (nanoseconds(at(2)), nanoseconds(at(3)))
    assert record.attributes["airflow.task_instance.queued_duration"] == 1.0
    assert record.status is StatusCode.OK


def test_a_failed_try_with_a_later_one_is_up_for_retry() -> None:
    """An error all the same, and the later one links to it."""
    _, tries = draw(
        rows(
            try_row(try_number=2, start_date=at(5), end_date=at(6), queued_dttm=at(4)),
            history=(try_row(state="failed"),),
        )
    )
    first, second = tries["task", 1], tries["task", 2]
    assert first.attributes["airflow.task_instance.state"] == "up_for_retry"
    assert first.status is StatusCode.ERROR
    assert [(link.span_id, link.attributes) for link in second.links] == [
        (first.span_id, {"airflow.link.type": "retry"})
    ]


def test_while_a_try_waits_for_its_retry_its_history_row_speaks() -> None:
    """Both rows exist then; they are one try."""
    waiting = try_row(state="up_for_retry")
    _, tries = draw(rows(waiting, history=(try_row(state="failed", end_date=at(3.2)),)))
    assert tries["task", 1].end_ns == nanoseconds(at(3.2))


def test_a_try_that_the_history_lacks_is_not_linked_to() -> None:
    """Tries that the executor lost leave no row; a link would dangle."""
    _, tries = draw(rows(try_row(try_number=2)))
    assert tries["task", 2].links == ()


@pytest.mark.parametrize("state", ["skipped", "upstream_failed", "removed"])
def test_a_task_that_never_ran_is_a_marker(state: str) -> None:
    """Zero length, no status, at the time that the scheduler noted."""
    never = try_row(
        state=state, pid=None, hostname="", start_date=at(4), end_date=at(4), queued_dttm=None
    )
    _, tries = draw(rows(never))
    record = tries["task", 1]
    assert record.start_ns == record.end_ns == nanoseconds(at(4))
    assert record.status is StatusCode.UNSET
    assert "airflow.task_instance.hostname" not in record.attributes


def test_a_task_that_the_scheduler_finished_is_one_span() -> None:
    """EmptyOperator: OK, without a process."""
    done = try_row(pid=None, hostname="", queued_dttm=None, start_date=at(3))
    _, tries = draw(rows(done))
    assert tries["task", 1].status is StatusCode.OK
    assert tries["task", 1].start_ns == tries["task", 1].end_ns


def test_an_unknown_state_is_unset_with_its_word() -> None:
    """`awaiting_input` of 3.3, and whatever comes."""
    _, tries = draw(rows(try_row(state="awaiting_input", end_date=None)))
    record = tries["task", 1]
    assert record.status is StatusCode.UNSET
    assert record.attributes["airflow.task_instance.state"] == "awaiting_input"
    assert record.end_ns == nanoseconds(at(100)), "what has no end ends with the run"


def test_a_row_without_a_state_is_nothing() -> None:
    """Not even scheduled."""
    records, _ = draw(rows(try_row(state=None)))
    assert len(records) == 1


def test_a_poked_try_starts_with_its_first_poke() -> None:
    """On 2.11 reschedule rows say when a poke began."""
    pokes = {("task", -1, 1): at(1.5)}
    _, tries = draw(rows(try_row(start_date=at(2.9)), first_pokes=pokes))
    assert tries["task", 1].start_ns == nanoseconds(at(1.5))
    assert "pipeline.span.start_estimated" not in tries["task", 1].attributes


def test_on_3_the_first_poke_s_end_is_said_to_be_an_estimate() -> None:
    """There reschedule rows hold only when the request to wait arrived."""
    pokes = {("task", -1, 1): at(1.5)}
    found = rows(try_row(start_date=at(2.9)), first_pokes=pokes, pokes_say_starts=False)
    _, tries = draw(found)
    assert tries["task", 1].attributes["pipeline.span.start_estimated"] is True


def test_rows_of_an_earlier_life_belong_to_its_trace() -> None:
    """A cleared run starts anew: what ended before is in the trace before."""
    before = try_row("kept", start_date=at(-20), end_date=at(-10), queued_dttm=at(-21))
    again = try_row("again", try_number=2, start_date=at(2), end_date=at(3), queued_dttm=at(1))
    old = try_row("again", start_date=at(-20), end_date=at(-10), queued_dttm=at(-21))
    _, tries = draw(rows(before, again, history=(old,)))
    assert set(tries) == {("again", 2)}
    assert tries["again", 2].links == (), "the try before is another trace's"


def test_cleared_and_then_stopped_upstream_is_a_marker_of_this_life() -> None:
    """A clear resets neither pid nor times: the number stands in the history, so it never ran."""
    old = try_row("b", start_date=at(-20), end_date=at(-10), queued_dttm=at(-21))
    now = old._replace(state="upstream_failed")
    failed = try_row("a", try_number=2, state="failed")
    _, tries = draw(rows(failed, now, history=(old,)))
    marker = tries["b", 2]
    assert marker.start_ns == marker.end_ns == nanoseconds(at(100))
    assert marker.attributes["airflow.task_instance.state"] == "upstream_failed"


def test_a_worker_s_clock_seconds_behind_loses_no_try() -> None:
    """queued_dttm is the scheduler's clock: the later of both counts."""
    quick = try_row(start_date=at(-4), end_date=at(-3), queued_dttm=at(0.1))
    _, tries = draw(rows(quick))
    assert set(tries) == {("task", 1)}


def test_a_run_that_was_set_back_to_queued_has_two_traces_and_no_try_in_both() -> None:
    """Each try belongs to the trace that its worker used, though the first ends in the second."""
    across = try_row("across", start_date=at(2), end_date=at(40), queued_dttm=at(1))
    after = try_row("after", start_date=at(32), end_date=at(41), queued_dttm=at(31))
    old = rows(across, after, run=run_row(state="running", queued_at=at(20)))
    records, tries = draw(old, until=at(20))
    assert set(tries) == {("across", 1)}
    assert records[0].status is StatusCode.UNSET
    assert records[0].attributes["pipeline.dag_run.requeued"] is True
    assert records[0].end_ns == nanoseconds(at(20))
    assert records[0].start_ns == nanoseconds(START)
    new = rows(across, after, run=run_row(start_date=at(30), queued_at=at(20)))
    again, tries = draw(new, previous=records[0].trace_id)
    assert set(tries) == {("after", 1)}
    assert [(link.span_id, dict(link.attributes)) for link in again[0].links] == [
        (records[0].span_id, {"airflow.link.type": "rerun"})
    ]


def test_a_known_requeue_decides_within_the_clocks_tolerance() -> None:
    """A try that was queued a second before the requeue is the old trace's, not the new one's."""
    before = try_row("before", start_date=at(-1), end_date=at(40), queued_dttm=at(-1.5))
    after = try_row("after", start_date=at(2), end_date=at(41), queued_dttm=at(1))
    life = Life(START, at(100), since=at(-0.5))
    (trace,) = traces_of(rows(before, after), life)
    _, *tries = trace.records()
    assert [record.name for record in tries] == ["task_run.after"]


def test_what_started_the_run_is_linked() -> None:
    """By kind, with ids that others computed."""
    causes = (Cause("asset", b"a" * 16, b"a" * 8), Cause("trigger", b"b" * 16, b"b" * 8))
    records, _ = draw(rows(causes=causes))
    assert [
        (link.trace_id, link.span_id, link.attributes["airflow.link.type"])
        for link in records[0].links
    ] == [(b"a" * 16, b"a" * 8, "asset"), (b"b" * 16, b"b" * 8, "trigger")]


def test_failures_come_right_after_the_root() -> None:
    """Backends cut big traces at their end; and the root names the failure that came first."""
    records, _ = draw(
        rows(
            try_row("fine"),
            try_row("late", state="failed", end_date=at(50)),
            try_row("early", state="failed", end_date=at(40)),
            run=run_row(state="failed"),
        )
    )
    assert [record.name for record in records[1:]] == [
        "task_run.late",
        "task_run.early",
        "task_run.fine",
    ]
    assert records[0].attributes["pipeline.failure.first_task"] == "early"
    assert records[0].attributes["pipeline.run.tasks.failed"] == 2


def test_mapped_instances_are_counted_once_each() -> None:
    """By the state that each ended in, whatever its tries did."""
    mapped = [try_row(map_index=index) for index in range(3)]
    retried = try_row(map_index=3, try_number=2, queued_dttm=at(4), end_date=at(6))
    found = rows(*mapped, retried, history=(try_row(map_index=3, state="failed"),))
    life = Life(START, at(100))
    (trace,) = traces_of(found, life)
    root, *others = trace.records()
    assert root.attributes["pipeline.run.tasks.success"] == 4
    assert "pipeline.run.tasks.failed" not in root.attributes
    assert len({record.span_id for record in others}) == 5


def test_a_try_of_which_airflow_keeps_no_row() -> None:
    """What a killed worker tells of its try counts where neither row nor history does."""
    told = try_row(state="failed", start_date=at(2), end_date=at(5), queued_dttm=None)
    second = try_row(try_number=2, start_date=at(7), end_date=at(8))
    _, tries = draw(rows(second), killed=(told, second._replace(state="failed")))
    assert tries["task", 1].status is StatusCode.ERROR
    assert tries["task", 1].attributes["airflow.task_instance.state"] == "up_for_retry"
    assert tries["task", 2].status is StatusCode.OK
    assert tries["task", 2].links[0].span_id == tries["task", 1].span_id


def test_a_try_says_why_its_worker_died() -> None:
    """What the spool tells of a killed worker goes to its try in the database, and no other."""
    first = try_row(state="failed", pid=7)
    second = try_row(try_number=2, start_date=at(7), end_date=at(8))
    _, tries = draw(rows(second, history=(first,)), killed=(first,), exit_reason="oom")
    assert tries["task", 1].attributes["pipeline.process.exit_reason"] == "oom"
    assert "pipeline.process.exit_reason" not in tries["task", 2].attributes
