"""Extract, load, dbt build, check: each of dbt's nodes is a span below the task that ran it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow.sdk import DAG

from airflow_provider_pipeline_otel import (
    DbtTracedOperator,
    TracedPythonOperator,
    current_stage,
)

PROJECT = Path(__file__).with_name("shop")
DATA = Path(os.environ.get("SHOP_DATA", "/tmp/shop"))  # noqa: S108  an example's
DBT = {
    "project_dir": str(PROJECT),
    "profiles_dir": str(PROJECT),
    "dbt_executable": os.environ.get("SHOP_DBT", "dbt"),
    "env": {"SHOP_DATABASE": str(DATA / "shop.duckdb"), "SHOP_ORDERS": str(DATA / "orders.csv")},
}


def extract_orders() -> None:
    """Write the day's orders; some have no amount."""
    orders = [
        (number, 1 + number % 3, "" if number % 50 == 0 else number * 7 % 90)
        for number in range(1, 301)
    ]
    DATA.mkdir(parents=True, exist_ok=True)
    lines = [f"{number},{customer},{amount},2026-01-01" for number, customer, amount in orders]
    text = "\n".join(["order_id,customer_id,amount,ordered_on", *lines])
    (DATA / "orders.csv").write_text(text + "\n")
    stage = current_stage()
    stage.add_records(read=len(orders), written=len(orders))
    stage.add_bytes(len(text))


def check(summary: dict[str, Any]) -> None:
    """Look at what dbt says of its run."""
    found = summary["statuses"]
    current_stage().span.set_attribute("shop.tests.passed", found.get("pass", 0))
    if not found.get("pass"):
        raise ValueError("no test has passed")


with DAG("shop", start_date=datetime(2026, 1, 1, tzinfo=UTC), schedule=None, tags=["demo"]):
    extract = TracedPythonOperator(
        task_id="extract", python_callable=extract_orders, sink_path="orders.csv"
    )
    load = DbtTracedOperator(task_id="load", command="seed", **DBT)
    build = DbtTracedOperator(task_id="build", command="build", exclude="customers", **DBT)
    checked = TracedPythonOperator(
        task_id="check", python_callable=check, op_args=[build.output], source_system="dbt"
    )
    extract >> load >> build >> checked
