"""Which tries windows write, and which the end of their run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as some

from airflow_provider_pipeline_otel.record import StatusCode
from airflow_provider_pipeline_otel.skeleton.memory import WindowMemory
from airflow_provider_pipeline_otel.skeleton.rows import Life
from airflow_provider_pipeline_otel.skeleton.traces import traces_of
from airflow_provider_pipeline_otel.skeleton.windows import (
    LAG,
    SLACK,
    Window,
    due_boundary,
    early_end,
    last_boundary,
)
from tests.unit.skeleton.test_spans import START, at, rows, run_row, try_row

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_pipeline_otel.record import SpanRecord
    from airflow_provider_pipeline_otel.skeleton.rows import RunRows, TryRow

MINUTE = timedelta(minutes=1)
RUNNING = run_row(state="running", end_date=None)


def early(found: RunRows, after: float, until: float) -> list[SpanRecord]:
    """Return what a window writes of a run that goes on."""
    window = Window(at(after), at(until))
    (trace,) = traces_of(found, Life(START, window.until))
    return list(trace.tries_in(window))


def late(found: RunRows, written: float) -> list[SpanRecord]:
    """Return what the run's end writes besides its root."""
    assert found.run.end_date is not None
    life = Life(START, found.run.end_date, written=at(written))
    (trace,) = traces_of(found, life)
    return list(trace.records())[1:]


def test_a_boundary_is_a_multiple_of_the_length() -> None:
    """On all hosts the same."""
    assert last_boundary(datetime(2026, 1, 1, 10, 7, tzinfo=UTC), 5 * MINUTE) == datetime(
        2026, 1, 1, 10, 5, tzinfo=UTC
    )


def test_a_run_that_ends_just_behind_a_boundary_leaves_nothing_before_it_to_others() -> None:
    """Whether it still goes on when the window is written would be chance."""
    boundary = datetime(2026, 1, 1, 10, 5, tzinfo=UTC)
    assert last_boundary(boundary + LAG, MINUTE) == boundary
    assert last_boundary(boundary + LAG - timedelta(microseconds=1), MINUTE) == boundary - MINUTE


def test_a_window_is_due_when_what_ended_in_it_is_committed() -> None:
    """And when a run's end that would have written it is, too."""
    boundary = datetime(2026, 1, 1, 10, 5, tzinfo=UTC)
    assert due_boundary(boundary + LAG + SLACK, MINUTE) == boundary
    assert due_boundary(boundary + LAG + SLACK - timedelta(microseconds=1), MINUTE) < boundary


TRIES = some.lists(
    some.builds(
        try_row,
        task_id=some.uuids().map(str),
        state=some.sampled_from(["success", "failed", "skipped", "upstream_failed", "removed"]),
        end_date=some.integers(3, 100).map(at),
        pid=some.sampled_from([7, None]),
    ),
    max_size=6,
)


@given(TRIES, some.integers(1, 60), some.integers(100, 200))
def test_windows_and_the_end_write_every_try_once(
    tries: list[TryRow], seconds: int, end: int
) -> None:
    """Whatever the windows' length, and whenever the run ends."""
    length = timedelta(seconds=seconds)
    goes_on = rows(*tries, run=RUNNING)
    written = last_boundary(at(end), length)
    boundaries = [START - length]
    while boundaries[-1] < written:
        boundaries.append(last_boundary(boundaries[-1] + length + LAG, length))
    records = []
    for after, until in pairwise(boundaries):
        records += early(goes_on, *((time - START).total_seconds() for time in (after, until)))
    ended = rows(*tries, run=run_row(end_date=at(end)))
    records += late(ended, (written - START).total_seconds())
    assert sorted(one.name for one in records) == sorted(f"task_run.{one.task_id}" for one in tries)
    whole = {one.span_id: one for one in late(ended, -10_000)}
    assert all(whole[one.span_id] == one for one in records), "early as at the end"


@given(
    TRIES,
    some.integers(1, 60),
    some.integers(100, 200),
    some.lists(some.integers(0, 400), min_size=1, max_size=8),
)
def test_windows_that_are_late_leave_nothing_out(
    tries: list[TryRow], seconds: int, end: int, looks: list[int]
) -> None:
    """A scheduler under load looks when it can, and writes several windows in one."""
    length, ended = timedelta(seconds=seconds), at(end)
    run = rows(*tries, run=run_row(end_date=ended))
    times, written = [at(look) for look in sorted(looks)] + [at(500)], START - length
    records = late(run, (last_boundary(ended, length) - START).total_seconds())
    for now in times:
        window = Window(written, due_boundary(now, length))
        if window.until <= written:
            continue
        written = window.until
        if now > ended:
            if ended <= window.ended_since:
                continue
            window = window.left_by(ended, length)
        goes_on = rows(*(row for row in tries if (row.end_date or now) < now), run=RUNNING)
        records += early(goes_on, *((time - START).total_seconds() for time in window))
    assert sorted(one.name for one in records) == sorted(f"task_run.{one.task_id}" for one in tries)


@pytest.mark.parametrize("state", ["upstream_failed", "removed", "running", "up_for_retry", None])
def test_what_is_not_over_waits_for_the_end(state: str | None) -> None:
    """Or has never run: a clear may still let it."""
    assert early_end(try_row(state=state)) is None


def test_what_never_ran_waits_for_the_end() -> None:
    """An EmptyOperator's success too."""
    assert early_end(try_row(pid=None)) is None


def test_a_try_that_waits_for_the_next_one_is_up_for_retry() -> None:
    """Its row in the history says failed: the next one may not have a row yet."""
    waiting = try_row(state="up_for_retry")
    (record,) = early(rows(waiting, history=(try_row(state="failed"),), run=RUNNING), 0, 10)
    assert record.attributes["airflow.task_instance.state"] == "up_for_retry"
    assert record.status is StatusCode.ERROR


def test_a_retry_links_to_a_try_that_a_window_has_written() -> None:
    """The link says so whoever wrote it."""
    second = try_row(try_number=2, start_date=at(60), end_date=at(70), queued_dttm=at(59))
    found = rows(second, history=(try_row(state="failed"),))
    (record,) = late(found, 30)
    assert record.attributes["airflow.task_instance.try_number"] == 2
    assert len(record.links) == 1


def test_the_root_counts_what_windows_have_written() -> None:
    """It sums up the whole run."""
    life = Life(START, at(100), written=at(50))
    (trace,) = traces_of(rows(try_row("first"), try_row("second", end_date=at(60))), life)
    root, second = trace.records()
    assert root.attributes["pipeline.run.tasks.success"] == 2
    assert second.name == "task_run.second"


def test_the_memory_outlives_the_process(tmp_path: Path) -> None:
    """Since when there are windows, and which are written."""
    WindowMemory(tmp_path / "windows").begin(at(0))
    again = WindowMemory(tmp_path / "windows")
    again.begin(at(60))
    again.note(at(50))
    third = WindowMemory(tmp_path / "windows")
    assert (third.since, third.written) == (at(0), at(50))


@pytest.mark.parametrize("text", ["", "nonsense", "\n\n\n", "2026-01-01\n"])
def test_a_damaged_memory_is_none(tmp_path: Path, text: str) -> None:
    """All is written twice then, rather than never."""
    (tmp_path / "windows").write_text(text)
    memory = WindowMemory(tmp_path / "windows")
    memory.begin(at(7))
    assert (memory.since, memory.written) == (at(7), None)


def test_without_a_folder_it_remembers_for_itself() -> None:
    """Nothing can be written."""
    memory = WindowMemory(None)
    memory.begin(at(1))
    memory.note(at(2))
    assert (memory.since, memory.written) == (at(1), at(2))
