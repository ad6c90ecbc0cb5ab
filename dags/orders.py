"""Extract, transform by partition, load: what each stage read, wrote and could not use."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, task

from airflow_provider_pipeline_otel import TracedPythonOperator, current_stage, pipeline_stage

REGIONS = ["north", "south", "west"]


def extract_orders() -> list[str]:
    """Read the day's orders."""
    time.sleep(0.6)
    stage = current_stage()
    stage.add_records(read=1_200, written=1_200)
    stage.add_bytes(348_160)
    return REGIONS


@task.traced(sink_system="parquet", sink_path="staging/orders")
def transform(region: str) -> int:
    """Clean one region's orders; two stages of its own, below the task's."""
    stage = current_stage()
    stage.set_partition_key(region)
    with pipeline_stage("deduplicate") as deduplicate:
        time.sleep(0.2)
        deduplicate.add_records(read=400, written=396)
    with pipeline_stage("validate") as validate:
        time.sleep(0.1 + 0.2 * REGIONS.index(region))
        validate.add_records(read=396, written=390, failed=4, reason="missing_price")
        validate.add_records(failed=2, reason="ValueError")
    return 390


@task.traced(sink_system="postgres", sink_table="mart.orders")
def load(counts: list[int]) -> int:
    """Write what is left."""
    time.sleep(0.4)
    current_stage().add_records(written=sum(counts))
    return sum(counts)


with DAG("orders", start_date=datetime(2026, 1, 1, tzinfo=UTC), schedule=None, tags=["demo"]):
    extract = TracedPythonOperator(
        task_id="extract",
        python_callable=extract_orders,
        source_system="postgres",
        source_table="shop.orders",
    )
    loaded = load(transform.expand(region=extract.output))
    loaded >> TriggerDagRunOperator(task_id="trigger_report", trigger_dag_id="report")
