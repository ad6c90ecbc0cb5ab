"""Whatever fails inside of us, states, exit codes and task logs are what they are without us."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest

from tests.faults.disk import DISKS, can_mount
from tests.faults.logs import repeated_warnings
from tests.faults.ordeal import (
    AT_START,
    COLLECTORS,
    FROM_TRIGGER,
    IN_TASKS,
    RUNS,
    WITHOUT,
    Ordeal,
)

if TYPE_CHECKING:
    from tests.airflow.sink import Span

pytestmark = [pytest.mark.timeout(600)]

DEADLINE: Final = 0.5
SLACK: Final = 5
TRIES: Final = 5
"""Of the DAG `afflicted`: four tasks, one of them with a retry."""


@pytest.mark.parametrize("run", RUNS)
def test_outcome_is_the_same(ordeal: Ordeal, run: str) -> None:
    """Run, tasks and processes end as they do without us, and their logs say the same."""
    _skip_where_no_mount(run)
    expected, found = ordeal.outcome(RUNS[run], WITHOUT), ordeal.outcome(RUNS[run], run)
    assert (found.state, found.tasks) == (expected.state, expected.tasks)
    assert found.exit_codes == expected.exit_codes
    assert found.logs.keys() == expected.logs.keys()
    for name, log in found.logs.items():
        assert log.lines == expected.logs[name].lines, name


@pytest.mark.parametrize("run", RUNS)
def test_one_warning_per_task_process(ordeal: Ordeal, run: str) -> None:
    """A task's log holds at most one line of ours."""
    _skip_where_no_mount(run)
    logs = ordeal.outcome(RUNS[run], run).logs
    loud = {name: log.ours for name, log in logs.items() if len(log.ours) > 1}
    assert not loud


@pytest.mark.parametrize("fault", [run for run in RUNS if "~" in run])
def test_fault_came_about(ordeal: Ordeal, fault: str) -> None:
    """The tests of this module prove something: each fault was really injected."""
    assert ordeal.was_injected(fault)


def test_schedulers_warn_once(ordeal: Ordeal) -> None:
    """A scheduler says what went wrong once, not at every commit."""
    assert not [repeated for log in ordeal.scheduler_logs for repeated in repeated_warnings(log)]


@pytest.mark.parametrize("run", COLLECTORS)
def test_a_bad_collector_costs_a_bounded_time(ordeal: Ordeal, run: str) -> None:
    """A collector that is down, hangs or refuses costs a task's end the deadline at most."""
    seconds = ordeal.seconds_at_ends(run)
    assert len(seconds) == TRIES
    assert max(seconds) < DEADLINE * SLACK


@pytest.mark.parametrize("run", [*COLLECTORS, *IN_TASKS])
def test_no_trace_is_lost(ordeal: Ordeal, run: str) -> None:
    """What could not be sent is sent later; a fault in a task costs its worker's span at most."""
    found = Counter(map(_level, ordeal.spans_of(run)))
    assert (found["run"], found["try"]) == (1, TRIES)
    if run in COLLECTORS:
        assert found["worker"] == TRIES


def test_an_operator_that_ends_from_its_trigger(ordeal: Ordeal) -> None:
    """Airflow 3 imports and runs it; Airflow 2 reports that a listener stands in its way."""
    errors = ordeal.import_errors()
    if ordeal.airflow.is_airflow_2:
        assert "Listeners are not supported with end_from_trigger=True" in errors
    else:
        assert FROM_TRIGGER not in errors
        assert ordeal.outcome(FROM_TRIGGER, WITHOUT).state == "success"


def test_scheduler_goes_on_when_its_start_was_not_noted(ordeal: Ordeal) -> None:
    """Where the hook of the scheduler's start fails, its runs go on, and end."""
    assert ordeal.outcome("quick", AT_START).state == "success"


def _level(span: Span) -> str:
    for prefix, level in (("dag_run.", "run"), ("task_run.", "try"), ("worker.", "worker")):
        if span.name.startswith(prefix):
            return level
    return "stage"


def _skip_where_no_mount(run: str) -> None:
    if run in DISKS and not can_mount():
        pytest.skip("only root may mount a disk that is full, or give a folder away")
