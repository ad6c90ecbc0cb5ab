"""A task that does nothing, and one that works for ten seconds in stages."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG


def nothing() -> None:
    """Do nothing."""


with DAG("bench", start_date=datetime(2026, 1, 1, tzinfo=UTC), schedule=None):
    PythonOperator(task_id="nothing", python_callable=nothing)
