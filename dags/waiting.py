"""Waiting shows: a deferred task has a worker before and after its gap, a poked one per poke."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor
from airflow.sdk import DAG, PokeReturnValue, get_current_context, task

ARRIVES_AFTER = 6.0

with DAG("waiting", start_date=datetime(2026, 1, 1, tzinfo=UTC), schedule=None, tags=["demo"]):
    wait = TimeDeltaSensor(task_id="wait_for_hour", delta=timedelta(seconds=20), deferrable=True)

    @task.sensor(mode="reschedule", poke_interval=3, timeout=60)
    def file_arrives() -> PokeReturnValue:
        """Arrive some seconds after the run's start."""
        start = get_current_context()["dag_run"].start_date
        return PokeReturnValue(is_done=time.time() > start.timestamp() + ARRIVES_AFTER)

    @task.traced(partition_key="{{ dag_run.run_id }}")
    def compact() -> None:
        """Do something when both are there."""
        time.sleep(0.2)

    [wait, file_arrives()] >> compact()
