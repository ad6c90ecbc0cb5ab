"""Settings: what the package is told, read once from the environment and airflow.cfg.

Named tuples: every process of Airflow's imports this, and msgspec would cost it 2.5 ms on 2.11.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from re import Pattern
from typing import Final, NamedTuple

from airflow_provider_pipeline_otel.endpoint import Endpoint, endpoint_of, read_pairs
from airflow_provider_pipeline_otel.provider_info import OPTIONS, SECTION
from airflow_provider_pipeline_otel.semconv import attributes

log = logging.getLogger(__name__)

Option = Callable[[str], str | None]
"""Returns an option of [pipeline_otel] as text, or None where nobody has set it."""

_CHOICES: Final = {"capture_exception_message": ("redacted", "type_only", "off")}
_TRUE: Final = frozenset({"true", "t", "1", "yes", "y", "on"})
_FALSE: Final = frozenset({"false", "f", "0", "no", "n", "off", ""})


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


def environment_option(environ: Mapping[str, str]) -> Option:
    """Return an `Option` that reads AIRFLOW__PIPELINE_OTEL__…, for where Airflow isn't."""
    return lambda name: environ.get(f"AIRFLOW__{SECTION}__{name}".upper())


def airflow_cfg_option(environ: Mapping[str, str] = os.environ) -> Option:
    """Return an `Option` that reads the environment, then airflow.cfg, without Airflow."""
    from configparser import ConfigParser, Error

    file = environ.get("AIRFLOW_CONFIG") or _airflow_home(environ) / "airflow.cfg"
    parser = ConfigParser(strict=False)
    try:
        parser.read(Path(file).expanduser(), encoding="utf-8")
    except (Error, ValueError) as error:
        log.warning("%s can't be read (%s): its options are ignored.", file, type(error).__name__)
        parser.clear()
    of_environment = environment_option(environ)

    def option(name: str) -> str | None:
        found = of_environment(name)
        return parser.get(SECTION, name, fallback=None, raw=True) if found is None else found

    return option


def read_settings(
    environ: Mapping[str, str] = os.environ, option: Option | None = None
) -> Settings:
    """Read what is configured; what can't be read is warned of and left at its default."""
    read = _Reader(option or environment_option(environ))
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
    )


def is_sdk_disabled(environ: Mapping[str, str]) -> bool:
    """Say whether OTEL_SDK_DISABLED switches everything off."""
    return environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def _redaction(read: _Reader, environ: Mapping[str, str]) -> Redaction:
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


class _Reader:
    def __init__(self, option: Option) -> None:
        self._option = option

    def text(self, name: str) -> str:
        found = self._option(name)
        return OPTIONS[name]["default"] if found is None else found.strip()

    def words(self, name: str) -> tuple[str, ...]:
        return tuple(self.text(name).replace(",", " ").split())

    def boolean(self, name: str) -> bool:
        text = self.text(name).lower()
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
        default = OPTIONS[name]["default"]
        _warn(name, text, "neither True nor False", default)
        return default.lower() in _TRUE

    def number(self, name: str) -> float:
        text, default = self.text(name), OPTIONS[name]["default"]
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value < float("inf"):
            _warn(name, text, "not a number of 0 or more", default)
            return float(default)
        return value

    def choice(self, name: str) -> str:
        text = self.text(name).lower()
        if text in _CHOICES[name]:
            return text
        default = OPTIONS[name]["default"]
        _warn(name, text, f"none of {', '.join(_CHOICES[name])}", default)
        return default

    def patterns(self, name: str) -> tuple[Pattern[str], ...]:
        found = []
        for text in filter(None, map(str.strip, self.text(name).splitlines())):
            try:
                found.append(re.compile(text))
            except re.error as error:
                _warn(name, text, f"no regular expression ({error})", "none for it")
        return tuple(found)


def _warn(name: str, text: str, fault: str, default: str) -> None:
    log.warning(
        "[%s] %s = %r is %s; %s is used. Set it in airflow.cfg or in AIRFLOW__%s__%s, e.g. to %s.",
        SECTION,
        name,
        text,
        fault,
        default,
        SECTION.upper(),
        name.upper(),
        OPTIONS[name]["example"],
    )


def _spool_dir(text: str, environ: Mapping[str, str]) -> Path:
    if text:
        return Path(text).expanduser().absolute()
    airflow_home = _airflow_home(environ)
    if environ.get("AIRFLOW_HOME") or airflow_home.is_dir():
        return airflow_home.absolute() / "pipeline_otel" / "spool"
    state = Path(environ.get("XDG_STATE_HOME") or _home(environ) / ".local" / "state").expanduser()
    return state.absolute() / "pipeline_otel" / "spool"


def _airflow_home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("AIRFLOW_HOME") or _home(environ) / "airflow").expanduser()


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or "/")


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
