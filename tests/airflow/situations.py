"""Every situation of the contract: its promise, how it is played, what more is demanded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from demo.instance import AirflowError
from tests.airflow import hands
from tests.airflow.details import DETAILS
from tests.airflow.expectation import WorkerHint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.airflow.actor import Actor

KILLED: Final = WorkerHint(status="ERROR", interrupted=True)
# Airflow ended the process: asked politely, and killed where that took too long.
ENDED: Final = WorkerHint(status="UNSET")
FAILING: Final = {
    *("failure", "retry", "mapped", "execution_timeout", "dagrun_timeout", "sys_exit", "os_exit"),
    *("kill", "kill_with_child", "lost_heartbeat", "user_spans", "user_killed", "stages"),
}
# Airflow 2 fails a task that is asked to end, 3 lets it go on; 3.0 retries no killed task.
EITHER: Final = {"sigterm", "kill_retry"}


@dataclass(frozen=True)
class Situation:
    """One row of the contract."""

    name: str
    promise: str
    play: Callable[[Actor], None]
    absent: str | tuple[str, ...] = ()
    """The versions, or their beginnings, where Airflow itself can't do this."""
    alone: bool = False
    with_one_scheduler: str | tuple[str, ...] = ()
    """The versions where Airflow itself can do this with one scheduler only."""

    def can_be_played(self, version: str, schedulers: int = 1) -> bool:
        """Tell whether an Airflow of that version can do this."""
        is_alone = schedulers == 1 or not version.startswith(self.with_one_scheduler)
        return is_alone and not version.startswith(self.absent)

    @property
    def check(self) -> Callable[..., None] | None:
        """What this situation demands beyond the rules for all."""
        return DETAILS.get(self.name)


@dataclass(frozen=True)
class _Plain:
    """Plays one run that nobody touches."""

    dag_id: str
    hints: Mapping[str, WorkerHint] = field(default_factory=dict)

    def __call__(self, actor: Actor) -> None:
        """Start it and wait; a run that ends otherwise than it must is a flake of Airflow's."""
        state = actor.play(self.dag_id, self.hints).final.run.state
        wanted = "failed" if self.dag_id in FAILING else "success"
        if state != wanted and self.dag_id not in EITHER:
            message = f"{self.dag_id[:40]} ended as {state}"
            raise AirflowError(message)


def _plain(promise: str, dag_id: str, **hints: WorkerHint) -> Situation:
    # Each scheduler of 2.11 finds the killed task: the second fails the try that isn't begun yet.
    with_one = "2." if dag_id == "kill_retry" else ()
    return Situation(dag_id, promise, _Plain(dag_id, hints), with_one_scheduler=with_one)


def _error(error_type: str) -> WorkerHint:
    return WorkerHint(error_type=error_type)


PLAIN: Final = (
    _plain("A run that succeeds is one OK root with OK tries.", "success"),
    _plain(
        "A failure is ERROR, what depends on it is a marker.",
        "failure",
        broken=_error("ValueError"),
    ),
    _plain("Each try is a span, linked to the try before.", "retry", hopeless=_error("ValueError")),
    _plain("A task that skips itself is no error.", "skip_itself"),
    _plain("A branch not taken is a marker.", "branch"),
    _plain("What a short circuit skips are markers.", "short_circuit"),
    _plain("A run of empty operators has spans though no process ran.", "only_empty"),
    _plain("Mapped instances are told apart by index.", "mapped"),
    _plain("A mapping over nothing is one marker.", "mapped_over_nothing"),
    _plain(
        "A deferred try is one span with two workers.",
        "deferred_once",
        waiter=WorkerHint(processes=2),
    ),
    _plain(
        "A try deferred twice is one span with three workers.",
        "deferred_twice",
        waiter=WorkerHint(processes=3),
    ),
    _plain("A rescheduled sensor is one span with a worker per poke.", "reschedule"),
    _plain("A poking sensor is one span with one worker.", "poke"),
    _plain(
        "A task that times out is an error.",
        "execution_timeout",
        slow=_error("AirflowTaskTimeout"),
    ),
    _plain(
        "A run that times out ends its tasks, which is no error of theirs.",
        "dagrun_timeout",
        slow=ENDED,
    ),
    _plain("sys.exit in a task is a failure.", "sys_exit"),
    _plain("os._exit in a task leaves an interrupted worker.", "os_exit", vanisher=KILLED),
    _plain("SIGTERM is what Airflow makes of it.", "sigterm"),
    _plain("A task killed by -9 leaves an interrupted worker.", "kill", victim=KILLED),
    _plain(
        "A task killed by -9 with a retry left has both tries.",
        "kill_retry",
        victim=WorkerHint(status="ERROR", interrupted=True, only_try=1),
    ),
    _plain(
        "A living child of a killed task does not hide its death.", "kill_with_child", victim=KILLED
    ),
    _plain("A lost heartbeat leaves an interrupted worker.", "lost_heartbeat", victim=KILLED),
    _plain("Tasks named alike in groups are told apart.", "groups"),
    _plain("Dots and dashes are names.", "odd.names-of_dags"),
    _plain("Unicode is names.", "größe-δ"),
    _plain("250 characters are a name.", "d" * 246),
    _plain("User spans hang under their worker; their errors tell no text.", "user_spans"),
    _plain("Spans open at kill -9 arrive, marked interrupted.", "user_killed", victim=KILLED),
    _plain("No span id twice, also after random.seed().", "user_seeded"),
    _plain("A span from a plain thread hangs under its worker.", "user_thread"),
    _plain("An instrumentation's span nests under the worker.", "user_requests"),
    _plain("Stages carry what was said and counted.", "stages"),
    _plain("Tasks chained over XCom are linked, nested or apart; rubbish is ignored.", "chained"),
)

BY_HAND: Final = (
    Situation(
        "run_marked_success",
        "A run set to success while it runs is told so; its process is no error.",
        hands.RunMarked("sleeper", "sleeper", "running", "success", {"sleeper": ENDED}),
    ),
    Situation(
        "run_marked_failed",
        "A run set to failed while it runs is told so; its process is no error.",
        hands.RunMarked("sleeper", "sleeper", "running", "failed", {"sleeper": ENDED}),
    ),
    Situation(
        "task_marked_success",
        "A task set to success while it runs is told so; its process is no error.",
        hands.TaskMarked("sleeper", "sleeper", "running", "success", {"sleeper": ENDED}),
    ),
    Situation(
        "task_marked_failed",
        "A task set to failed while it runs is told so; its process is no error.",
        hands.TaskMarked("sleeper", "sleeper", "running", "failed", {"sleeper": ENDED}),
    ),
    Situation(
        "deferred_marked_success",
        "A deferred task set to success is told so.",
        hands.TaskMarked("waiter", "waiter", "deferred", "success", {"waiter": hands.DEFERRED}),
    ),
    Situation(
        "deferred_marked_failed",
        "A deferred task set to failed is told so.",
        hands.TaskMarked("waiter", "waiter", "deferred", "failed", {"waiter": hands.DEFERRED}),
    ),
    Situation(
        "deferred_run_marked_failed",
        "A run set to failed while its task is deferred is told so.",
        hands.RunMarked("waiter", "waiter", "deferred", "failed", {"waiter": hands.DEFERRED}),
    ),
    Situation(
        "marked_afterwards",
        "A mark after the end writes nothing.",
        hands.marked_afterwards,
    ),
    Situation(
        "cleared_task",
        "A task cleared in a finished run is a second trace, linked to the first.",
        hands.cleared_task,
    ),
    Situation(
        "cleared_run",
        "A cleared run is a second trace, linked to the first.",
        hands.cleared_run,
    ),
    Situation(
        "second_time",
        "A task that ran before the clear and not after it is a marker the second time.",
        hands.second_time,
    ),
    Situation(
        "cleared_finished_while_running",
        "A finished task cleared in a running run stays in the one trace.",
        hands.cleared_finished_while_running,
    ),
    Situation(
        "cleared_running_while_running",
        "A running task cleared in a running run stays in the one trace.",
        hands.cleared_running_while_running,
        absent="3.0.",  # the row stays "restarting" for ever
    ),
    Situation(
        "requeued",
        "A running run set back to queued is two whole traces, linked, with no try in both.",
        hands.requeued,
        absent="2.",  # its task process writes the old start back
    ),
    Situation(
        "teardown_after_failed",
        "A run marked failed ends when its teardown has ended.",
        hands.RunMarked("teardown", "work", "running", "failed", {"work": ENDED}),
    ),
    Situation(
        "teardown_after_success",
        "A run marked success ends when its teardown has ended.",
        hands.RunMarked("teardown", "work", "running", "success", {"work": ENDED}),
    ),
)

BETWEEN_RUNS: Final = (
    Situation(
        "trigger",
        "A run started by TriggerDagRunOperator links to the task that started it.",
        hands.triggered,
    ),
    Situation("asset", "A run started by an asset links to its producer.", hands.by_asset),
    Situation(
        "partition",
        "A partition's run says which.",
        hands.partitioned,
        absent=("2.", "3.0.", "3.1."),
    ),
    Situation(
        "backfill",
        "A backfill's runs are traces as any other.",
        hands.backfilled,
        # Airflow commits a backfill before its runs: a locked database leaves it without any.
        alone=True,
    ),
    Situation(
        "dags_test",
        "airflow dags test is one trace with one root.",
        hands.dags_tested,
        alone=True,
    ),
    Situation("tasks_test", "airflow tasks test writes nothing.", hands.task_tested, alone=True),
    Situation(
        "scheduler_restarted",
        "A scheduler restarted in the middle changes nothing.",
        hands.scheduler_restarted,
        alone=True,
    ),
    Situation(
        "scheduler_crashed",
        "A scheduler killed with its tasks leaves tries as its successor sees them.",
        hands.scheduler_crashed,
        alone=True,
    ),
)

SITUATIONS: Final = (*PLAIN, *BY_HAND, *BETWEEN_RUNS)
