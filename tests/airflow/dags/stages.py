"""The provider's own stages in real tasks."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Never

from airflow_versions import CANARY, task, truth_dag

from airflow_provider_pipeline_otel import TracedPythonOperator, current_stage, pipeline_stage


def load() -> None:
    """Count, with a reason that looks like a record."""
    stage = current_stage()
    stage.add_records(read=5, written=3)
    stage.add_records(read=5, written=4, failed=2, reason="ValueError")
    stage.add_records(failed=1, reason=f"jane@example.org {CANARY}")
    stage.add_bytes(2048)
    with pipeline_stage("clean", sink_table="clean_orders") as inner:
        inner.add_records(written=7)


@pipeline_stage("decorated")
def decorated() -> None:
    """Be a stage by decoration."""


def fail_in_a_stage() -> Never:
    """Raise inside a stage, with a secret in the text."""
    with pipeline_stage("broken_stage"):
        decorated()
        raise LookupError(CANARY)


def time_out() -> None:
    """Be ended inside a stage."""
    with pipeline_stage("endless"):
        time.sleep(120)


with truth_dag("stages"):

    @task.traced
    def bare() -> None:
        """Be a stage with nothing said."""
        current_stage().add_records(read=1)

    @task.traced(source_system="postgres")
    def called() -> None:
        """Be a stage with a source."""

    TracedPythonOperator(
        task_id="load",
        python_callable=load,
        source_system="postgres",
        source_table="orders",
        sink_system="s3",
        sink_path="s3://bucket/{{ run_id }}",
        partition_key="{{ dag.dag_id }}",
    )
    TracedPythonOperator(task_id="broken", python_callable=fail_in_a_stage)
    TracedPythonOperator(
        task_id="slow", python_callable=time_out, execution_timeout=timedelta(seconds=3)
    )
    bare()
    called()
