"""What Airflow's own configuration says: our options, and whether Airflow traces itself."""

from __future__ import annotations

import logging
import os
from typing import Final

from airflow_provider_pipeline_otel.config import AirflowTracing, Settings, read_settings
from airflow_provider_pipeline_otel.provider_info import EXPORTER, SECTION

log = logging.getLogger(__name__)

_JOINABLE: Final = (3, 2)
"""From then on Airflow's tracing asks OpenTelemetry's entry points for its exporter."""


def airflow_version() -> tuple[int, ...]:
    """Return Airflow's version as numbers: major, minor."""
    from airflow import __version__

    return tuple(int(part) for part in __version__.split(".")[:2])


def read_airflow_settings() -> Settings:
    """Read what the environment and airflow.cfg say."""
    from airflow.configuration import conf

    settings = read_settings(os.environ, lambda name: conf.get(SECTION, name, fallback=None))
    is_on = conf.getboolean("traces", "otel_on", fallback=False)
    return settings._replace(airflow_tracing=_airflow_tracing(is_on=is_on))


def _airflow_tracing(*, is_on: bool) -> AirflowTracing:
    if not is_on or airflow_version() < _JOINABLE:
        return AirflowTracing.OFF
    ours = os.environ.get("OTEL_TRACES_EXPORTER") == EXPORTER
    return AirflowTracing.JOINED if ours else AirflowTracing.FOREIGN


def warn_of_airflow_tracing(settings: Settings) -> None:
    """Say in one line what is missing where Airflow's own tracing goes another way."""
    from airflow.configuration import conf

    if settings.airflow_tracing is AirflowTracing.FOREIGN:
        log.warning(
            "pipeline_otel: [traces] otel_on = True with OTEL_TRACES_EXPORTER=%s: Airflow draws "
            "runs, tries and workers itself, and stages hang below them. Set "
            "OTEL_TRACES_EXPORTER=%s in all of Airflow's processes for traces that are true, "
            "bounded, kept on disk and redacted.",
            os.environ.get("OTEL_TRACES_EXPORTER", "otlp"),
            EXPORTER,
        )
    elif airflow_version() < _JOINABLE and conf.getboolean("traces", "otel_on", fallback=False):
        log.warning(
            "pipeline_otel: [traces] otel_on = True draws traces of its own beside ours, which "
            "this version of Airflow can't join: set it to False, or upgrade to Airflow 3.2"
        )
