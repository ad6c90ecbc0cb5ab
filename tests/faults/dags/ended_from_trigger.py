"""An operator that the triggerer ends: Airflow refuses it where a listener is registered."""

from __future__ import annotations

from airflow_versions import truth_dag

try:
    from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
except ImportError:
    from airflow.sensors.date_time import DateTimeSensorAsync

IN_A_MOMENT = "{{ macros.datetime.now(macros.dateutil.tz.UTC) + macros.timedelta(seconds=3) }}"

with truth_dag("ended_from_trigger"):
    DateTimeSensorAsync(
        task_id="waiter",
        target_time=IN_A_MOMENT,
        end_from_trigger=True,
    )
