"""Runs that end soon: well, badly, and many at once."""

from __future__ import annotations

from airflow_versions import EmptyOperator, python_task, truth_dag


def fail() -> None:
    """Raise."""
    raise ValueError("as meant")


with truth_dag("good"):
    python_task("fine")

with truth_dag("bad"):
    python_task("broken", fail)

with truth_dag("many", max_active_runs=40):
    EmptyOperator(task_id="first") >> EmptyOperator(task_id="second")
