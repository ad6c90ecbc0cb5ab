"""A run that goes on over many windows: one task after the other, one of them twice."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta

try:
    from airflow.providers.standard.operators.python import PythonOperator
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.operators.python import PythonOperator

STEPS = int(os.environ.get("LONG_STEPS", "12"))


def nap(number: int, **context: object) -> None:
    """Sleep; fail once in the middle."""
    time.sleep(5)
    if number == STEPS // 2 and context["ti"].try_number == 1:  # type: ignore[attr-defined]
        raise ValueError


with DAG("long", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
    before = None
    for number in range(STEPS):
        step = PythonOperator(
            task_id=f"step_{number}",
            python_callable=nap,
            op_args=[number],
            retries=1,
            retry_delay=timedelta(seconds=2),
        )
        if before is not None:
            before >> step
        before = step
