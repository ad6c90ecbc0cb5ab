"""The endpoint of a signal, as OpenTelemetry's environment variables name it."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

log = logging.getLogger(__name__)


class Endpoint(NamedTuple):
    """Where spans go: an OTLP/HTTP collector."""

    url: str
    protocol: str = "http/protobuf"
    headers: tuple[tuple[str, str], ...] = ()
    timeout: float = 10.0
    compression: str = "gzip"
    certificate: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None


def endpoint_of(signal: str, environ: Mapping[str, str] = os.environ) -> Endpoint | None:
    """Return where the signal ("traces", "metrics") goes; None: nowhere."""
    own = f"OTEL_EXPORTER_OTLP_{signal.upper()}_"

    def variable(name: str) -> str | None:
        return environ.get(own + name) or environ.get(f"OTEL_EXPORTER_OTLP_{name}") or None

    url = environ.get(own + "ENDPOINT")
    base = environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    if not url and base:
        url = f"{base.rstrip('/')}/v1/{signal}"
    if not url:
        return None
    if not _is_address(url):
        log.warning(
            "OTEL_EXPORTER_OTLP_ENDPOINT = %r is no http:// or https:// address; spans stay in the "
            "spool. Set it to a collector's OTLP/HTTP port, e.g. to http://localhost:4318.",
            url.partition("?")[0].rpartition("@")[2],
        )
        return None
    return Endpoint(
        url=url,
        protocol=(variable("PROTOCOL") or "http/protobuf").strip().lower(),
        headers=_headers(variable("HEADERS") or ""),
        timeout=_seconds(variable("TIMEOUT")),
        compression=(variable("COMPRESSION") or "gzip").lower(),
        certificate=variable("CERTIFICATE"),
        client_certificate=variable("CLIENT_CERTIFICATE"),
        client_key=variable("CLIENT_KEY"),
    )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets, a port that is no number
        return False


def _seconds(text: str | None) -> float:
    try:
        seconds = float(text or 10.0)
    except ValueError:
        seconds = 0.0
    if 0 < seconds < float("inf"):
        return seconds
    log.warning("OTEL_EXPORTER_OTLP_TIMEOUT = %r is not a number of seconds; 10 is used.", text)
    return 10.0


def _headers(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name.lower(), value) for name, value in read_pairs(text))


def read_pairs(text: str) -> list[tuple[str, str]]:
    """Read `a=1,b=2` as W3C baggage has it: "=" may stand in values, which are URL-encoded."""
    split = [pair.partition("=") for pair in text.split(",")]
    return [
        (name.strip(), unquote(value.strip())) for name, sep, value in split if sep and name.strip()
    ]
