"""What goes wrong in a night: a retry, a skip, a killed process, a failure and what it stops."""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import PythonOperator, ShortCircuitOperator
from airflow.sdk import DAG, Context, get_current_context, task

from airflow_provider_pipeline_otel import current_stage, pipeline_stage


def import_prices(**_: object) -> None:
    """Die as a process does that has taken too much memory."""
    with pipeline_stage("read_prices", source_system="s3") as stage, pipeline_stage("parse"):
        stage.add_records(read=10_000)
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGKILL)


with DAG("troubles", start_date=datetime(2026, 1, 1, tzinfo=UTC), schedule=None, tags=["demo"]):

    @task.traced(retries=1, retry_delay=timedelta(seconds=1), source_system="http")
    def fetch_rates() -> None:
        """Fail once."""
        time.sleep(0.3)
        context: Context = get_current_context()
        if context["ti"].try_number == 1:
            message = "the customer jane.doe@example.com is in this text, and in no trace"
            raise ConnectionError(message)
        current_stage().add_records(read=42)

    weekend = ShortCircuitOperator(task_id="is_weekend", python_callable=lambda: False)
    weekly = EmptyOperator(task_id="weekly_report")
    prices = PythonOperator(task_id="import_prices", python_callable=import_prices)
    publish = EmptyOperator(task_id="publish_prices")

    fetch_rates()
    weekend >> weekly
    prices >> publish
