"""Started by `orders`: its trace links back to the task that triggered it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from airflow.sdk import DAG, task

from airflow_provider_pipeline_otel import current_stage

with DAG("report", start_date=datetime(2026, 1, 1, tzinfo=UTC), schedule=None, tags=["demo"]):

    @task.traced(source_system="postgres", source_table="mart.orders")
    def publish() -> None:
        """Read the mart."""
        time.sleep(0.3)
        current_stage().add_records(read=1_170)

    publish()
