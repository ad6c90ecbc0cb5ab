"""Tasks that chain their contexts over XCom: where the mixin's faults are injected."""

from __future__ import annotations

from airflow_versions import PythonOperator, truth_dag

from airflow_provider_pipeline_otel import XComContextMixin


class Chained(XComContextMixin, PythonOperator):
    """Chains its context."""


with truth_dag("chained"):
    (
        Chained(task_id="first", python_callable=print)
        >> Chained(task_id="second", python_callable=print, context_chaining="parent")
    )
