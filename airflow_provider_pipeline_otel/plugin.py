"""The plugin: decides whether this process traces at all, and hands the listener to Airflow."""

from __future__ import annotations

import logging
import sys
from typing import Any

from airflow.plugins_manager import AirflowPlugin

log = logging.getLogger(__name__)

_OFF = {"false", "f", "0", "no", "n", "off", ""}


def _listeners() -> list[Any]:
    from airflow.configuration import conf

    if str(conf.get("pipeline_otel", "enabled", fallback="False")).strip().lower() in _OFF:
        return []  # what is neither on nor off is for `read_settings` to complain of
    try:
        return _load()
    except ImportError as error:
        log.warning("pipeline_otel is off: %s can't be imported (%s)", error.name, error)
        return []


def _load() -> list[Any]:
    from airflow_provider_pipeline_otel.airflow_config import (
        airflow_version,
        read_airflow_settings,
        warn_of_airflow_tracing,
    )
    from airflow_provider_pipeline_otel.config import AirflowTracing

    version = airflow_version()
    if version < (2, 11):
        log.warning("pipeline_otel needs Airflow 2.11 or later: nothing is traced")
        return []
    if sys.argv[1:2] == ["dag-processor"] and version >= (3, 2):
        # A registered listener makes Airflow refuse DAGs with end_from_trigger=True, and where
        # DAGs are parsed there is nothing to listen to. Before 3.2 a task's process would refuse
        # them all the same, and never end: there an import error is the better answer.
        return []
    from airflow_provider_pipeline_otel import listener

    settings = read_airflow_settings()
    if not settings.enabled:  # OTEL_SDK_DISABLED
        return []
    warn_of_airflow_tracing(settings)
    listener.configure(settings)
    if settings.airflow_tracing is AirflowTracing.JOINED:
        from airflow_provider_pipeline_otel.sdk.airflow_tracing import joined

        joined.attach()
    return [listener]


class PipelineOtelPlugin(AirflowPlugin):
    """Registers the listener where the provider is enabled, and nothing where it isn't."""

    name = "pipeline_otel"
    listeners = _listeners()
