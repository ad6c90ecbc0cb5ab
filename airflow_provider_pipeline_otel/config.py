"""Settings: what the package is told, read once from the environment and airflow.cfg.

Named tuples: every process of Airflow's imports this, and msgspec would cost it 2.5 ms on 2.11.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path
from re import Pattern
from typing import Final, NamedTuple

from airflow_provider_pipeline_otel.endpoint import Endpoint, endpoint_of, read_pairs
from airflow_provider_pipeline_otel.options import (
    Option,
    Options,
    airflow_home,
    environment_option,
    home,
)
from airflow_provider_pipeline_otel.semconv import attributes

DAG_ID: Final = "AIRFLOW_CTX_DAG_ID"
"""The variable in which Airflow tells what a task starts which DAG it works for."""


class Caps(NamedTuple):
    """What the spool may hold: bytes, seconds, files; and bytes of what is delivered already."""

    bytes: int
    age: float
    files: int
    kept: int = 0


class Redaction(NamedTuple):
    """What may leave of a span's texts; lengths are in signs."""

    exception_message: str = "redacted"
    """"redacted": without values; "type_only": the class alone; "off": no exceptions at all."""
    ip_addresses: bool = False
    phone_numbers: bool = False
    patterns: tuple[Pattern[str], ...] = ()
    allowed_keys: frozenset[str] = frozenset()
    value_length: int = 4096
    message_length: int = 2048
    stack_trace_length: int = 16384


class Sampling(NamedTuple):
    """Which share of runs keeps its details: by pattern of DAG ids, else for all others."""

    ratio: float = 1.0
    by_dag: tuple[tuple[str, float], ...] = ()

    def ratio_of(self, dag_id: str) -> float:
        """Return the share of a DAG's runs; the first pattern that matches counts."""
        matching = (share for pattern, share in self.by_dag if fnmatchcase(dag_id, pattern))
        return next(matching, self.ratio)

    def ratio_of_environment(self, environ: Mapping[str, str] = os.environ) -> float:
        """Return the share of the DAG whose task has started this process, as Airflow tells it."""
        return self.ratio_of(environ.get(DAG_ID, ""))


class AirflowTracing(Enum):
    """What becomes of the spans that Airflow 3.2 and later draws itself ([traces] otel_on)."""

    OFF = "off"
    """There are none, or they can't be joined: ours stand alone."""
    JOINED = "joined"
    """They come to us, by OTEL_TRACES_EXPORTER=pipeline_otel."""
    FOREIGN = "foreign"
    """They go another way: ours hang below them, without a skeleton."""


class Settings(NamedTuple):
    """All that is configured; `endpoint` is None where spans stay in the spool."""

    enabled: bool
    spool_dir: Path
    flush_deadline: float
    trigger_links: bool
    caps: Caps
    endpoint: Endpoint | None
    service_name: str | None
    resource_attributes: Mapping[str, str]
    redaction: Redaction = Redaction()
    disabled_dags: tuple[str, ...] = ()
    airflow_tracing: AirflowTracing = AirflowTracing.OFF
    sampling: Sampling = Sampling()
    window: float = 0.0


def read_settings(
    environ: Mapping[str, str] = os.environ, option: Option | None = None
) -> Settings:
    """Read what is configured; what can't be read is warned of and left at its default."""
    read = Options(option or environment_option(environ))
    return Settings(
        enabled=read.boolean("enabled") and not is_sdk_disabled(environ),
        spool_dir=_spool_dir(read.text("spool_dir"), environ),
        flush_deadline=read.number("flush_deadline"),
        trigger_links=read.boolean("trigger_links"),
        caps=Caps(
            bytes=int(read.number("spool_max_bytes")),
            age=read.number("spool_max_age"),
            files=int(read.number("spool_max_files")),
            kept=int(read.number("keep") * 1024 * 1024),
        ),
        endpoint=endpoint_of("traces", environ),
        service_name=environ.get("OTEL_SERVICE_NAME") or None,
        resource_attributes=_resource_attributes(environ),
        redaction=_redaction(read, environ),
        disabled_dags=read.words("disabled_dags"),
        window=read.number("window"),
        sampling=Sampling(read.number("sample_ratio", most=1.0), read.shares("dag_sample_ratios")),
    )


def is_sdk_disabled(environ: Mapping[str, str]) -> bool:
    """Say whether OTEL_SDK_DISABLED switches everything off."""
    return environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def _redaction(read: Options, environ: Mapping[str, str]) -> Redaction:
    limit = environ.get("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT") or environ.get(
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", ""
    )
    return Redaction(
        exception_message=read.choice("capture_exception_message"),
        ip_addresses=read.boolean("redact_ip_addresses"),
        phone_numbers=read.boolean("redact_phone_numbers"),
        patterns=read.patterns("redact_patterns"),
        allowed_keys=frozenset(read.words("redact_allowed_keys")),
        value_length=int(limit) if limit.isdecimal() else Redaction().value_length,
    )


def _spool_dir(text: str, environ: Mapping[str, str]) -> Path:
    if text:
        return Path(text).expanduser().absolute()
    airflows = airflow_home(environ)
    if environ.get("AIRFLOW_HOME") or airflows.is_dir():
        return airflows.absolute() / "pipeline_otel" / "spool"
    state = Path(environ.get("XDG_STATE_HOME") or home(environ) / ".local" / "state").expanduser()
    return state.absolute() / "pipeline_otel" / "spool"


_RESOURCE_VARIABLES: Final = {
    "PIPELINE_NAME": attributes.PIPELINE_NAME,
    "PIPELINE_TEAM": attributes.PIPELINE_TEAM,
    "ENV": attributes.DEPLOYMENT_ENVIRONMENT_NAME,
    "GIT_SHA": attributes.SERVICE_VERSION,
}


def _resource_attributes(environ: Mapping[str, str]) -> dict[str, str]:
    found = {
        key: environ[variable]
        for variable, key in _RESOURCE_VARIABLES.items()
        if environ.get(variable)
    }
    return found | dict(read_pairs(environ.get("OTEL_RESOURCE_ATTRIBUTES", "")))


def resource_of(settings: Settings, default_service: str) -> dict[str, str]:
    """Return the attributes of the resource that all spans of this process belong to.

    Built by hand: `Resource.create` runs detectors and costs every task 3 ms.
    """
    known = {
        attributes.TELEMETRY_SDK_LANGUAGE: "python",
        attributes.TELEMETRY_SDK_NAME: "opentelemetry",
        attributes.SERVICE_NAME: default_service,
    }
    known |= settings.resource_attributes
    if settings.service_name:
        known[attributes.SERVICE_NAME] = settings.service_name
    return known
