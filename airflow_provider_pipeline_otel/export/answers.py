"""Answers: what a collector's word means for the spans that were sent, and what to say of it."""

from __future__ import annotations

import time
from enum import Enum
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from airflow_provider_pipeline_otel.export.client import GrpcError, NoHttpError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_pipeline_otel.endpoint import Endpoint
    from airflow_provider_pipeline_otel.export.client import Answer

LONGEST_RETRY_AFTER: Final = 600.0
"""Seconds; a collector that asks for a day is asked again after ten minutes."""

_GRPC_PORT: Final = 4317
_SPEAK_HTTP: Final = (
    "spans go by OTLP/HTTP in protobuf: set OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf and "
    "OTEL_EXPORTER_OTLP_ENDPOINT to the port for it, mostly 4318, e.g. http://localhost:4318"
)
_CHECK_ENDPOINT: Final = (
    "check OTEL_EXPORTER_OTLP_ENDPOINT, to which /v1/traces is added, e.g. http://localhost:4318 "
    "(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is taken as it is)"
)
_TAKES_NOTHING: Final = "it takes nothing, not even an empty request; " + _CHECK_ENDPOINT
_REMEDIES: Final = {
    400: _TAKES_NOTHING,
    401: (
        "check OTEL_EXPORTER_OTLP_HEADERS: name=value, with %20 for a blank, e.g. authorization="
        "Bearer%20<token>, or authorization=Basic%20<base64 of user:password>"
    ),
    403: "the credentials in OTEL_EXPORTER_OTLP_HEADERS may not write traces there",
    404: _CHECK_ENDPOINT,
    407: "the proxy wants credentials: HTTPS_PROXY=http://user:password@host:port",
    413: _TAKES_NOTHING,
}
_KEEPING: Final = frozenset({401, 403, 404, 407, 408, 425, 429})


class Meaning(Enum):
    """What becomes of the spans of a request."""

    TAKEN = "taken"
    KEPT = "kept"
    """They stay in the spool, for another attempt."""
    DIVIDED = "divided"
    """Too large as a whole, or not to be read: each half is tried by itself."""
    SUSPECTED = "suspected"
    """Something in them may break the collector: divided too, and what is to blame stays."""
    REFUSED = "refused"
    """The collector will never take them."""


def meaning_of(status: int) -> Meaning:
    """Return what an HTTP status means.

    A body that is too large gets a 400 from the OpenTelemetry Collector, where others say 413.
    """
    if 200 <= status < 300:  # noqa: PLR2004
        return Meaning.TAKEN
    if status in {400, 413}:
        return Meaning.DIVIDED
    if status == 500:  # noqa: PLR2004
        return Meaning.SUSPECTED
    if 400 <= status < 500 and status not in _KEEPING:  # noqa: PLR2004
        return Meaning.REFUSED
    return Meaning.KEPT


def retry_after(answer: Answer) -> float:
    """Return the seconds for which the collector wants to be left alone; 0 if it doesn't say."""
    from email.utils import parsedate_to_datetime

    said = answer.headers.get("retry-after", "")
    try:
        seconds = float(said)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(said).timestamp() - time.time()
        except ValueError:
            return 0.0
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def refused_spans(answer: Answer) -> tuple[int, str]:
    """Return how many spans of a request that was taken were refused all the same, and why.

    From the `partial_success` of an ExportTraceServiceResponse (trace_service.proto).
    """
    if "protobuf" not in answer.headers.get("content-type", ""):
        return 0, ""
    count, message = 0, b""
    try:
        for number, value in _fields(answer.body):
            if number == 1 and isinstance(value, bytes):
                for inner, said in _fields(value):
                    if inner == 1 and isinstance(said, int):
                        count = said
                    elif isinstance(said, bytes):
                        message = said
    except IndexError:
        return 0, ""
    return count, "".join(filter(str.isprintable, message.decode("utf-8", "replace")))[:200]


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the varints and the length-delimited fields; IndexError where the bytes end early."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        value, at = _varint(message, at)
        if tag & 7 == 0:
            yield tag >> 3, value
        elif tag & 7 == 2 and at + value <= len(message):  # noqa: PLR2004
            yield tag >> 3, message[at : at + value]
            at += value
        else:
            raise IndexError


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004
            return value, at


def place_of(endpoint: Endpoint) -> str:
    """Return the host and port: never more of an address, which may hold a secret."""
    parts = urlsplit(endpoint.url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def words_for_status(endpoint: Endpoint, status: int) -> str:
    """Say what a status means to who reads it, and the remedy where one is known."""
    remedy = _REMEDIES.get(status, "")
    if status in {401, 403} and not _is_base64(endpoint):
        remedy = (
            "authorization in OTEL_EXPORTER_OTLP_HEADERS is no base64 after Basic: set it to "
            "authorization=Basic%20<base64 of user:password>"
        )
    if 300 <= status < 400:  # noqa: PLR2004
        remedy = "it is another address by now: set OTEL_EXPORTER_OTLP_ENDPOINT to that"
    return _words(endpoint, f"HTTP {status} from {place_of(endpoint)}", remedy)


def words_for_error(endpoint: Endpoint, error: Exception) -> str:
    """Say why no answer came, and the remedy where one is known."""
    from ssl import SSLError

    remedy = ""
    if isinstance(error, SSLError):
        remedy = (
            "check the scheme of OTEL_EXPORTER_OTLP_ENDPOINT (https:// or http://), and "
            "OTEL_EXPORTER_OTLP_CERTIFICATE, the file with the certificates to trust"
        )
    elif isinstance(error, NoHttpError):
        kind = "this is a gRPC port, and " if isinstance(error, GrpcError) else ""
        remedy = kind + _SPEAK_HTTP
    elif isinstance(error, (ValueError, FileNotFoundError)):
        remedy = (
            "check OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_CERTIFICATE and those of the "
            "client: a value that can't be used as such"
        )
    return _words(endpoint, f"{type(error).__name__} at {place_of(endpoint)}", remedy)


def words_for_protocol(endpoint: Endpoint) -> str:
    """Say that another protocol is configured than ours; empty where it isn't."""
    if endpoint.protocol != "http/protobuf":
        return f"OTEL_EXPORTER_OTLP_PROTOCOL is {endpoint.protocol}, but {_SPEAK_HTTP}"
    if urlsplit(endpoint.url).port == _GRPC_PORT:
        return f"port {_GRPC_PORT} is mostly a gRPC port, but {_SPEAK_HTTP}"
    return ""


def _words(endpoint: Endpoint, fault: str, remedy: str) -> str:
    remedy = remedy or words_for_protocol(endpoint)
    return f"{fault}: {remedy}" if remedy else fault


def _is_base64(endpoint: Endpoint) -> bool:
    from base64 import b64decode

    scheme, _, value = dict(endpoint.headers).get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return True
    try:
        return b":" in b64decode(value.strip(), validate=True)
    except ValueError:
        return False
