"""The scheduler's transaction is not ours: whatever becomes of our reading, Airflow goes on."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest

from tests.transactions.stage import wait_until

if TYPE_CHECKING:
    from tests.transactions.stage import Stage

pytestmark = [pytest.mark.timeout(300)]

EMPTY: Final = "many"
"""A DAG that the scheduler runs alone: Airflow itself reads task_reschedule when a task starts."""

AT_ONCE: Final = 20
"""Runs that Airflow's scheduler looks at in one transaction, by default."""


def test_a_table_that_is_gone(stage: Stage) -> None:
    """Runs end while our reading fails; one warning each; one root each when it works again."""
    runs = [f"gone-{number}" for number in range(4)]
    with stage.without_reschedules():
        assert [stage.play(EMPTY, run) for run in runs] == ["success"] * len(runs)

        def failures() -> int:
            return sum("task_reschedule" in error["error"] for error in stage.seen("errors.jsonl"))

        assert wait_until(lambda: failures() >= 3 * len(runs))
        assert not stage.airflow.exited()
    for run in runs:
        stage.one_true_root(EMPTY, run)
    assert {run: len(stage.warnings_of(run)) for run in runs} == dict.fromkeys(runs, 1)


def test_a_database_that_cannot_be_read(stage: Stage) -> None:
    """Where every statement of ours fails for a while, a run has one warning, and then its root."""
    wish = stage.airflow.home / "fail-reads"
    wish.touch()
    try:
        assert stage.play(EMPTY, "unread") == "success"
        refused = len(stage.seen("refused.jsonl"))
        # Each tick tries the run, and then looks at those that are watched.
        assert wait_until(lambda: len(stage.seen("refused.jsonl")) >= refused + 6)
    finally:
        wish.unlink()
    stage.one_true_root(EMPTY, "unread")
    assert len(stage.warnings_of("unread")) == 1


def test_statements_that_time_out(stage: Stage) -> None:
    """Statements of ours that are cancelled while they wait harm no run of the scheduler's."""
    runs = ["late-1", "late-2"]
    before = _cancelled(stage)
    with stage.locked_reschedules():
        for run in runs:
            stage.airflow.trigger(EMPTY, run)

        def ended() -> bool:
            stage.cancel_waiting()
            return _cancelled(stage) >= before + len(runs) and all(
                stage.airflow.state(EMPTY, run) == "success" for run in runs
            )

        assert wait_until(ended)
        assert not stage.airflow.exited()
    for run in runs:
        stage.one_true_root(EMPTY, run)
        assert len(stage.warnings_of(run)) == 1


def test_a_lock_that_nobody_ends(stage: Stage) -> None:
    """The scheduler goes on where a table that only we read is locked for long."""
    with stage.locked_reschedules():
        assert stage.play(EMPTY, "locked-1") == "success"
        stage.airflow.trigger(EMPTY, "locked-2")
        goes_on = wait_until(lambda: stage.airflow.state(EMPTY, "locked-2") == "success", 20.0)
    stage.one_true_root(EMPTY, "locked-1")
    assert goes_on


def test_a_commit_that_fails(stage: Stage) -> None:
    """The end that was rolled back is not told; the one that was committed is, once."""
    (stage.airflow.home / "fail-commit").write_text("rolled-back")
    assert stage.play("good", "rolled-back") == "success"
    stage.one_true_root("good", "rolled-back")
    ends = [seen for seen in stage.seen("hooks.jsonl") if seen["run_id"] == "rolled-back"]
    assert Counter(seen["hook"] for seen in ends)["on_dag_run_success"] == 2
    assert not (stage.airflow.home / "fail-commit").exists()
    assert not stage.airflow.exited()


def test_no_sql_inside_the_hooks(stage: Stage) -> None:
    """While a hook of a run is running, no statement is executed, on any connection."""
    assert stage.play("good", "looked-at") == "success"
    assert stage.play("bad", "looked-at-too") == "failed"
    hooks = {seen["hook"] for seen in stage.seen("hooks.jsonl")}
    assert hooks == {"on_dag_run_running", "on_dag_run_success", "on_dag_run_failed"}
    assert stage.seen("statements.jsonl") == []


def test_many_runs_in_one_transaction(stage: Stage) -> None:
    """Runs that end in one transaction have their roots, all of them."""
    runs = [f"many-{number}" for number in range(AT_ONCE)]
    stage.pause(EMPTY, paused=True)
    for run in runs:
        stage.airflow.trigger(EMPTY, run)
    stage.pause(EMPTY, paused=False)
    for run in runs:
        assert stage.airflow.wait(EMPTY, run) == "success"
    ends = [
        seen["transaction"]
        for seen in stage.seen("hooks.jsonl")
        if seen["run_id"] in runs and seen["hook"] == "on_dag_run_success"
    ]
    assert max(Counter(ends).values()) == AT_ONCE
    for run in runs:
        stage.one_true_root(EMPTY, run)


def _cancelled(stage: Stage) -> int:
    """Count the statements that a time-out has ended, ours or the test's."""
    return sum("canceling statement" in error["error"] for error in stage.seen("errors.jsonl"))
