"""Every way in which a task can end by itself or be ended by a limit, one DAG each."""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import timedelta
from typing import Any, Never

from airflow_versions import (
    CANARY,
    AirflowSkipException,
    EmptyOperator,
    python_task,
    truth_dag,
)


def fail(*_arguments: object) -> Never:
    """Raise with a secret in the text."""
    raise ValueError(CANARY)


def fail_first(ti: Any) -> None:
    """Raise on the first try only."""
    if ti.try_number == 1:
        raise ConnectionError(CANARY)


def fail_again(dag_run: Any) -> None:
    """Raise once the run has been cleared."""
    if dag_run.clear_number:
        raise RuntimeError(CANARY)


def skip() -> Never:
    """Skip oneself."""
    raise AirflowSkipException(CANARY)


def sleep_long() -> None:
    """Sleep until somebody ends it."""
    time.sleep(120)


def leave() -> None:
    """Leave by SystemExit."""
    sys.exit(3)


def vanish() -> None:
    """Leave without any clean-up."""
    os._exit(4)


def terminate() -> None:
    """Ask oneself to end, and go on where Airflow lets that happen."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(1)


def kill() -> None:
    """Die at once."""
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGKILL)


def kill_first(ti: Any) -> None:
    """Die on the first try only."""
    if ti.try_number == 1:
        kill()


def kill_supervisor_too() -> None:
    """Die with the supervisor: only the heartbeat tells."""
    time.sleep(0.2)
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def kill_with_child() -> None:
    """Die while a forked child lives on."""
    if os.fork() == 0:
        time.sleep(20)
        os._exit(0)
    kill()


with truth_dag("success"):
    python_task("first") >> python_task("second")

with truth_dag("failure"):
    (
        python_task("fine")
        >> python_task("broken", fail)
        >> EmptyOperator(task_id="never")
        >> EmptyOperator(task_id="never_either")
    )

with truth_dag("retry"):
    python_task("flaky", fail_first, retries=1) >> python_task("hopeless", fail, retries=1)

with truth_dag("skip_itself"):
    skipper = python_task("skipper", skip)
    skipper >> python_task("skipped_too")
    skipper >> EmptyOperator(task_id="anyway", trigger_rule="none_failed")

with truth_dag("second_time"):
    python_task("turncoat", fail_again) >> python_task("follower") >> EmptyOperator(task_id="tail")

with truth_dag("execution_timeout"):
    python_task("slow", sleep_long, execution_timeout=timedelta(seconds=3))

with truth_dag("dagrun_timeout", dagrun_timeout=timedelta(seconds=45)):
    python_task("quick") >> python_task("slow", sleep_long) >> python_task("never")

with truth_dag("sys_exit"):
    python_task("leaver", leave)

with truth_dag("os_exit"):
    python_task("vanisher", vanish)

with truth_dag("sigterm"):
    python_task("terminated", terminate)

with truth_dag("kill"):
    python_task("victim", kill) >> EmptyOperator(task_id="never")

with truth_dag("kill_retry"):
    python_task("victim", kill_first, retries=1)

with truth_dag("kill_with_child"):
    python_task("victim", kill_with_child)

with truth_dag("lost_heartbeat"):
    python_task("victim", kill_supervisor_too)
