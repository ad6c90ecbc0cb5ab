"""Every DAG run as one complete OpenTelemetry trace.

Airflow 3 imports this module while its own configuration is half built: it imports nothing, and the
public names are loaded when they are first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.dbt.emit import emit_dbt_spans as emit_dbt_spans
    from airflow_provider_pipeline_otel.dbt.rows import DbtSummary as DbtSummary
    from airflow_provider_pipeline_otel.operators.dbt import DbtTracedOperator as DbtTracedOperator
    from airflow_provider_pipeline_otel.operators.python import (
        TracedPythonOperator as TracedPythonOperator,
    )
    from airflow_provider_pipeline_otel.operators.xcom_context import (
        XComContextMixin as XComContextMixin,
    )
    from airflow_provider_pipeline_otel.sdk.configuration import flush_otel as flush_otel
    from airflow_provider_pipeline_otel.sdk.configuration import setup_otel as setup_otel
    from airflow_provider_pipeline_otel.stages import Stage as Stage
    from airflow_provider_pipeline_otel.stages import current_stage as current_stage
    from airflow_provider_pipeline_otel.stages import pipeline_stage as pipeline_stage
    from airflow_provider_pipeline_otel.switches import disable_tracing as disable_tracing

_PUBLIC = {
    "DbtSummary": "dbt.rows",
    "DbtTracedOperator": "operators.dbt",
    "Stage": "stages",
    "TracedPythonOperator": "operators.python",
    "XComContextMixin": "operators.xcom_context",
    "current_stage": "stages",
    "disable_tracing": "switches",
    "emit_dbt_spans": "dbt.emit",
    "flush_otel": "sdk.configuration",
    "pipeline_stage": "stages",
    "setup_otel": "sdk.configuration",
}

__all__ = [
    "DbtSummary",
    "DbtTracedOperator",
    "Stage",
    "TracedPythonOperator",
    "XComContextMixin",
    "current_stage",
    "disable_tracing",
    "emit_dbt_spans",
    "flush_otel",
    "pipeline_stage",
    "setup_otel",
]


def __getattr__(name: str) -> object:
    """Load a public name."""
    if name not in _PUBLIC:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    """List the public names too."""
    return sorted({*globals(), *_PUBLIC})
