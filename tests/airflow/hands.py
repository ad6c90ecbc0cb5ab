"""How the situations are played in which a hand, another run or a restart has a part."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.airflow import actions
from tests.airflow.actor import CONF, PARTITION
from tests.airflow.expectation import WorkerHint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.airflow.actor import Actor

# The one process left to wait; none was there when the hand came.
DEFERRED: Final = WorkerHint(status="UNSET", interrupted=False, processes=1)
CLEARED: Final = WorkerHint(status="UNSET", only_try=1)
CRASHED: Final = WorkerHint(status="ERROR", interrupted=True, only_try=1)
# A new scheduler takes up at once what one left behind whose heartbeat is older than 30 s.
DECLARED_DEAD: Final = 33.0
BACKFILLED_DAY: Final = "2026-01-02"


@dataclass(frozen=True)
class RunMarked:
    """A run is marked when one of its tasks is in some state."""

    dag_id: str
    task_id: str
    when: str
    state: str
    hints: Mapping[str, WorkerHint] = field(default_factory=dict)

    def __call__(self, actor: Actor) -> None:
        """Play it."""
        actor.start(self.dag_id)
        actor.reaches(self.dag_id, self.task_id, self.when)
        actions.mark_run(actor.airflow, self.dag_id, actor.run_id, self.state)
        actor.ended(self.dag_id, hints=self.hints)


@dataclass(frozen=True)
class TaskMarked:
    """A task is marked when it is in some state."""

    dag_id: str
    task_id: str
    when: str
    state: str
    hints: Mapping[str, WorkerHint] = field(default_factory=dict)

    def __call__(self, actor: Actor) -> None:
        """Play it."""
        actor.start(self.dag_id)
        actor.reaches(self.dag_id, self.task_id, self.when)
        actions.mark_task(actor.airflow, self.dag_id, actor.run_id, self.task_id, self.state)
        actor.ended(self.dag_id, hints=self.hints)


def marked_afterwards(actor: Actor) -> None:
    """Mark a task, then the run, long after the end."""
    incarnation = actor.play("success")
    actor.settle(incarnation)
    actions.mark_task(actor.airflow, "success", actor.run_id, "second", "failed")
    actions.mark_run(actor.airflow, "success", actor.run_id, "failed")


def cleared_task(actor: Actor) -> None:
    """Clear one task of a finished run."""
    actor.clear(actor.play("success"), ["second"])


def cleared_run(actor: Actor) -> None:
    """Clear all tasks of a failed run."""
    actor.clear(actor.play("failure"))


def second_time(actor: Actor) -> None:
    """Clear a run whose first task then fails."""
    actor.clear(actor.play("second_time"))


def cleared_finished_while_running(actor: Actor) -> None:
    """Clear a task that has ended while the next one runs."""
    actor.start("napper")
    actor.reaches("napper", "napper", "running")
    actions.clear(actor.airflow, "napper", actor.run_id, ["quick"])
    actor.ended("napper")


def cleared_running_while_running(actor: Actor) -> None:
    """Clear the task that runs."""
    actor.start("once_long")
    actor.reaches("once_long", "napper", "running")
    actions.clear(actor.airflow, "once_long", actor.run_id, ["napper"])
    actor.ended("once_long", hints={"napper": CLEARED})


def requeued(actor: Actor) -> None:
    """Set a running run back to queued while a task runs."""
    actor.start("napper")
    actor.reaches("napper", "napper", "running")
    actor.requeue("napper")


def triggered(actor: Actor) -> None:
    """Let a task start another run."""
    actor.play("trigger_parent")
    actor.ended("trigger_child", f"child-of-{actor.run_id}")


def by_asset(actor: Actor) -> None:
    """Let an asset start another run."""
    actor.play("asset_producer")
    (run_id,) = actor.watch.runs_of("asset_consumer", 1)
    actor.ended("asset_consumer", run_id)


def partitioned(actor: Actor) -> None:
    """Start the run of one partition."""
    actions.start_partition(actor.airflow, "partitioned", actor.run_id, PARTITION, CONF)
    actor.ended("partitioned")


def backfilled(actor: Actor) -> None:
    """Backfill one day."""
    actions.backfill(actor.airflow, "backfilled", BACKFILLED_DAY, CONF)
    (run_id,) = actor.watch.runs_of("backfilled", 1)
    actor.ended("backfilled", run_id)


def dags_tested(actor: Actor) -> None:
    """Run a DAG in one process of the command line."""
    actions.try_dag(actor.airflow, "tested")
    (run_id,) = actor.watch.runs_of("tested", 1)
    actor.ended("tested", run_id)


def task_tested(actor: Actor) -> None:
    """Run a task without a run."""
    actions.try_task(actor.airflow, "task_tested", "only")


def scheduler_restarted(actor: Actor) -> None:
    """Restart the scheduler politely while a task is deferred."""
    actor.start("restart")
    actor.reaches("restart", "waiter", "deferred")
    actor.airflow.restart("scheduler")
    actor.ended("restart", hints={"waiter": WorkerHint(processes=2)})


def scheduler_crashed(actor: Actor) -> None:
    """Kill the schedulers and all that they run, as hosts do that go down."""
    actor.start("crash")
    actor.reaches("crash", "napper", "running")
    first, *others = actor.airflow.schedulers
    for scheduler in others:
        actor.airflow.end(scheduler, signal.SIGKILL)
    actor.airflow.restart(first, signal.SIGKILL, pause=DECLARED_DEAD)
    for scheduler in others:
        actor.airflow.spawn(scheduler)
    # The workers of Celery live on.
    is_local = actor.airflow.environment["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    actor.ended("crash", hints={"napper": CRASHED} if is_local else {})
