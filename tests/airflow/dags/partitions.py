"""A DAG whose runs are partitions, where Airflow has them."""

from __future__ import annotations

from airflow_versions import PythonOperator, succeed, truth_dag

try:
    from airflow.sdk import CronPartitionTimetable
except ImportError:  # before Airflow 3.2
    LEAP_DAYS = None
else:
    LEAP_DAYS = CronPartitionTimetable("0 0 29 2 *", timezone="UTC")

with truth_dag("partitioned", schedule=LEAP_DAYS):
    PythonOperator(task_id="only", python_callable=succeed)
