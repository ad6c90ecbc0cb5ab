"""Tasks that leave their process and come back, and tasks that wait for a hand."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow_versions import (
    BaseOperator,
    EmptyOperator,
    PythonSensor,
    TimeDeltaTrigger,
    python_task,
    truth_dag,
)


class Wait(BaseOperator):
    """Defers once or several times."""

    def __init__(self, *, times: int = 1, seconds: int = 3, **options: Any) -> None:
        super().__init__(**options)
        self.times = times
        self.seconds = seconds

    def execute(self, context: Any) -> None:
        """Wait for the first time."""
        del context
        self._wait(1)

    def resume(self, context: Any, event: Any = None, *, done: int = 1) -> None:
        """Wait again, or be done."""
        del context, event
        if done < self.times:
            self._wait(done + 1)

    def _wait(self, number: int) -> None:
        self.defer(
            trigger=TimeDeltaTrigger(timedelta(seconds=self.seconds)),
            method_name="resume",
            kwargs={"done": number},
        )


def third_time(dag: Any, run_id: str) -> bool:
    """Become true at the third poke, whatever process asks."""
    pokes = Path(os.environ["AIRFLOW_HOME"], f"pokes-{dag.dag_id}-{run_id}")
    with pokes.open("a") as file:
        file.write(".")
    return pokes.stat().st_size >= 3


def nap(seconds: int) -> None:
    """Sleep in small steps, as work does."""
    for _ in range(seconds * 10):
        time.sleep(0.1)


with truth_dag("deferred_once"):
    python_task("before") >> Wait(task_id="waiter") >> python_task("after")

with truth_dag("deferred_twice"):
    Wait(task_id="waiter", times=2)

with truth_dag("reschedule"):
    PythonSensor(
        task_id="sensor", python_callable=third_time, mode="reschedule", poke_interval=2, timeout=90
    )

with truth_dag("poke"):
    PythonSensor(task_id="sensor", python_callable=third_time, mode="poke", poke_interval=1)


def nap_long_once(ti: Any) -> None:
    """Sleep until somebody clears this; the next try is short."""
    nap(100 if ti.try_number == 1 else 1)


with truth_dag("sleeper"):
    (
        python_task("quick")
        >> python_task("sleeper", nap, op_args=[100])
        >> python_task("after", trigger_rule="all_done")
        >> EmptyOperator(task_id="tail")
    )

with truth_dag("napper"):
    python_task("quick") >> python_task("napper", nap, op_args=[20]) >> python_task("after")

with truth_dag("once_long"):
    python_task("quick") >> python_task("napper", nap_long_once) >> python_task("after")

with truth_dag("waiter"):
    (
        python_task("quick")
        >> Wait(task_id="waiter", seconds=100)
        >> python_task("after", trigger_rule="all_done")
    )

with truth_dag("teardown"):
    make = python_task("make").as_setup()
    work = python_task("work", nap, op_args=[100])
    clean = python_task("clean", nap, op_args=[4]).as_teardown(setups=make)
    make >> work >> clean

with truth_dag("restart"):
    python_task("quick") >> Wait(task_id="waiter", seconds=14) >> python_task("after")

with truth_dag("crash"):
    python_task("quick") >> python_task("napper", nap, op_args=[12]) >> python_task("after")

# Paused, or a scheduler that is alive takes part in what the command line runs.
with truth_dag("tested", is_paused_upon_creation=True):
    python_task("first") >> EmptyOperator(task_id="middle") >> python_task("last")

with truth_dag("task_tested", is_paused_upon_creation=True):
    python_task("only")

with truth_dag(
    "backfilled",
    schedule="@daily",
    end_date=datetime(2026, 1, 5, tzinfo=UTC),
):
    python_task("work")
