"""The plugin: decides whether this process traces at all, and hands the listener to Airflow."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from airflow.plugins_manager import AirflowPlugin

log = logging.getLogger(__name__)

_OFF = {"false", "f", "0", "no", "n", "off", ""}


def _version() -> tuple[int, ...]:
    from airflow import __version__

    return tuple(int(part) for part in __version__.split(".")[:2])


def _listeners() -> list[Any]:
    from airflow.configuration import conf

    if str(conf.get("pipeline_otel", "enabled", fallback="False")).strip().lower() in _OFF:
        return []  # what is neither on nor off is for `read_settings` to complain of
    if _version() < (2, 11):
        log.warning("pipeline_otel needs Airflow 2.11 or later: nothing is traced")
        return []
    if sys.argv[1:2] == ["dag-processor"] and _version() >= (3, 2):
        # A registered listener makes Airflow refuse DAGs with end_from_trigger=True, and where
        # DAGs are parsed there is nothing to listen to. Before 3.2 a task's process would refuse
        # them all the same, and never end: there an import error is the better answer.
        return []
    if conf.getboolean("traces", "otel_on", fallback=False):
        if _version() >= (3, 2):
            log.info("pipeline_otel: [traces] otel_on is set: Airflow draws runs, tries, workers")
            return []
        log.warning(
            "pipeline_otel: [traces] otel_on = True draws traces of its own beside ours, which "
            "this version of Airflow can't join: set it to False, or upgrade to Airflow 3.2"
        )
    try:
        return _load(conf)
    except ImportError as error:
        log.warning("pipeline_otel is off: %s can't be imported (%s)", error.name, error)
        return []


def _load(conf: Any) -> list[Any]:  # noqa: ANN401
    from airflow_provider_pipeline_otel import listener
    from airflow_provider_pipeline_otel.config import read_settings
    from airflow_provider_pipeline_otel.provider_info import SECTION

    settings = read_settings(os.environ, lambda name: conf.get(SECTION, name, fallback=None))
    if not settings.enabled:  # OTEL_SDK_DISABLED
        return []
    listener.configure(settings)
    return [listener]


class PipelineOtelPlugin(AirflowPlugin):
    """Registers the listener where the provider is enabled, and nothing where it isn't."""

    name = "pipeline_otel"
    listeners = _listeners()
