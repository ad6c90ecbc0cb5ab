"""dbt on the test project: where it lies, and which dbt it is, the environment says."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

try:
    from airflow.sdk import DAG
except ImportError:  # Airflow 2.11
    from airflow import DAG

from airflow_provider_pipeline_otel import DbtTracedOperator

START = datetime(2026, 1, 1, tzinfo=UTC)
GRACE = 3
NATIVE_SPANS = bool(os.environ.get("SHOP_NATIVE_SPANS"))


def dbt(task_id: str, command: str, **options: object) -> DbtTracedOperator:
    """Make a task that runs dbt on the project, with a database of its own per run."""
    project = os.environ["SHOP_PROJECT"]
    env = {"SHOP_DATABASE": os.environ["SHOP_DATABASES"] + "/{{ run_id }}.duckdb"}
    return DbtTracedOperator(
        task_id=task_id,
        command=command,
        project_dir=project,
        profiles_dir=project,
        dbt_executable=os.environ["SHOP_DBT"],
        env=env | options.pop("env", {}),
        kill_grace=GRACE,
        **options,
    )


with DAG("dbt_build", description="Everything, with failures.", schedule=None, start_date=START):
    dbt("build", "build", vars={"secret": "canary-in-vars"})

with DAG(
    "dbt_again",
    description="Tries go on from the one before.",
    schedule=None,
    start_date=START,
):
    dbt(
        "build",
        "{{ 'build' if ti.try_number == 1 else 'retry' }}",
        retries=1,
        retry_delay=timedelta(seconds=1),
    )

with DAG(
    "dbt_well", description="What works, in several commands.", schedule=None, start_date=START
):
    seed = dbt("seed", "seed")
    run = dbt("run", "run", exclude="tag:broken", native_spans=NATIVE_SPANS)
    fresh = dbt("fresh", "source freshness", select=["source:raw.raw_orders"])
    docs = dbt("docs", "docs generate", exclude=["tag:broken"])
    test = dbt("test", "test", select="stg_orders,test_type:generic")
    snapshot = dbt("snapshot", "snapshot")
    compiled = dbt("compiled", "compile", select="stg_orders")
    seed >> run >> fresh >> docs >> test >> snapshot >> compiled

with DAG(
    "dbt_slow",
    description="A model that takes its time: the task is ended by hand or by force.",
    schedule=None,
    start_date=START,
):
    dbt("slow", "build", select="+slow", env={"SHOP_SECONDS": "600"})

with DAG(
    "dbt_timeout",
    description="A model that takes more time than the task may.",
    schedule=None,
    start_date=START,
):
    dbt(
        "slow",
        "build",
        select="+slow",
        env={"SHOP_SECONDS": "120"},
        execution_timeout=timedelta(seconds=12),
    )
