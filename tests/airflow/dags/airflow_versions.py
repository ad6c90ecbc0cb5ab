"""What the DAG files need of Airflow, from where each version keeps it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

try:
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.providers.standard.operators.python import (
        BranchPythonOperator,
        PythonOperator,
        ShortCircuitOperator,
    )
    from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
    from airflow.providers.standard.sensors.python import PythonSensor
    from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
    from airflow.sdk import DAG, Asset, BaseOperator, TaskGroup, task
    from airflow.sdk.exceptions import AirflowSkipException
except ImportError:
    try:
        from airflow.sdk import DAG, Asset, BaseOperator, TaskGroup, task
    except ImportError:
        from airflow import DAG
        from airflow.datasets import Dataset as Asset
        from airflow.decorators import task
        from airflow.models.baseoperator import BaseOperator
        from airflow.utils.task_group import TaskGroup
    from airflow.exceptions import AirflowSkipException

    try:
        from airflow.providers.standard.operators.empty import EmptyOperator
        from airflow.providers.standard.operators.python import (
            BranchPythonOperator,
            PythonOperator,
            ShortCircuitOperator,
        )
        from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
        from airflow.providers.standard.sensors.python import PythonSensor
        from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
    except ImportError:
        from airflow.operators.empty import EmptyOperator
        from airflow.operators.python import (
            BranchPythonOperator,
            PythonOperator,
            ShortCircuitOperator,
        )
        from airflow.operators.trigger_dagrun import TriggerDagRunOperator
        from airflow.sensors.python import PythonSensor
        from airflow.triggers.temporal import TimeDeltaTrigger

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "CANARY",
    "DAG",
    "AirflowSkipException",
    "Asset",
    "BaseOperator",
    "BranchPythonOperator",
    "EmptyOperator",
    "PythonOperator",
    "PythonSensor",
    "ShortCircuitOperator",
    "TaskGroup",
    "TimeDeltaTrigger",
    "TriggerDagRunOperator",
    "python_task",
    "succeed",
    "task",
    "truth_dag",
]

CANARY = "canary-5e1f0c7d-must-not-leak"


def truth_dag(dag_id: str, **options: Any) -> DAG:
    """Return a DAG that runs when triggered, with a secret in its params."""
    settings = {
        "start_date": datetime(2026, 1, 1, tzinfo=UTC),
        "catchup": False,
        "tags": ["truth", dag_id[:40]],
        "params": {"secret": CANARY},
        "default_args": {"retry_delay": timedelta(seconds=1), "owner": "truth"},
    }
    schedule = options.pop("schedule", None)
    return DAG(dag_id, schedule=schedule, **{**settings, **options})


def succeed(*_arguments: object, **_context: object) -> dict[str, str]:
    """End well, with a secret in the XCom."""
    return {"secret": CANARY}


def python_task(
    task_id: str, function: Callable[..., object] = succeed, **options: Any
) -> PythonOperator:
    """Return an ordinary task."""
    return PythonOperator(task_id=task_id, python_callable=function, **options)
