"""User code with stages: what fails in them fails in the middle of the user's own lines."""

from __future__ import annotations

from airflow_versions import python_task, truth_dag

from airflow_provider_pipeline_otel import pipeline_stage


def nest() -> None:
    """Have a stage inside a stage."""
    with pipeline_stage("outer"), pipeline_stage("inner") as stage:
        stage.add_records(read=1)


def boast() -> None:
    """Have a stage with more to say than a spool's frame holds."""
    with pipeline_stage("huge", attributes={"huge": "x" * 9 * 1024 * 1024}):
        pass


with truth_dag("staged"):
    python_task("nesting", nest) >> python_task("boasting", boast)
