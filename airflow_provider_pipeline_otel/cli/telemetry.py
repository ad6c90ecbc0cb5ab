"""The spool's state as gauges, for the collector's metrics: who delivers says how that goes."""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING, Final

from airflow_provider_pipeline_otel.config import resource_of
from airflow_provider_pipeline_otel.endpoint import endpoint_of
from airflow_provider_pipeline_otel.export.delivery import send_within
from airflow_provider_pipeline_otel.export.state import read_state
from airflow_provider_pipeline_otel.semconv import attributes
from airflow_provider_pipeline_otel.semconv import metrics as names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.proto.common.v1.common_pb2 import KeyValue
    from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

    from airflow_provider_pipeline_otel.config import Settings
    from airflow_provider_pipeline_otel.export.spool import Spool
    from airflow_provider_pipeline_otel.export.state import SpoolState

EVERY: Final = 60.0
"""Seconds between two reports."""

_SCOPE: Final = "airflow_provider_pipeline_otel.spool"
_SPANS: Final = "{span}"


class Telemetry:
    """Reports now and then, where there is a collector for metrics."""

    def __init__(self, settings: Settings, spool: Spool) -> None:
        self._settings = settings
        self._spool = spool
        is_wanted = os.environ.get("OTEL_METRICS_EXPORTER", "").strip().lower() != "none"
        self._endpoint = endpoint_of("metrics") if is_wanted else None
        self._due = 0.0

    def report(self) -> None:
        """Send the gauges, if it is time; what can't be sent is in the next report."""
        if self._endpoint is None or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + EVERY
        body = encode(read_state(self._spool, self._settings.endpoint), self._resource())
        send_within(self._endpoint, body, self._endpoint.timeout)

    def _resource(self) -> dict[str, str]:
        known = resource_of(self._settings, "airflow")
        return {attributes.HOST_NAME: socket.gethostname()} | known


def encode(state: SpoolState, resource: Mapping[str, str]) -> bytes:
    """Return the gauges as the bytes of an OTLP request."""
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
        ExportMetricsServiceRequest,
    )

    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add()
    metrics.resource.attributes.extend(map(_pair, resource, resource.values()))
    scope = metrics.scope_metrics.add()
    scope.scope.name = _SCOPE
    scope.metrics.extend(_metrics(state))
    return bytes(request.SerializeToString())


def _metrics(state: SpoolState) -> Iterator[Metric]:
    yield _gauge(names.SPANS_WAITING, _SPANS, {"": state.spans_waiting})
    yield _gauge(names.BYTES_WAITING, "By", {"": state.bytes_waiting})
    if state.segments_waiting:
        yield _gauge(names.OLDEST_TIMESTAMP, "s", {"": time.time() - state.oldest_age})
    yield _gauge(names.SPANS_DELIVERED, _SPANS, {"": state.spans_delivered})
    yield _gauge(names.SPANS_SAMPLED_OUT, _SPANS, {"": state.spans_sampled_out})
    yield _gauge(names.POSSIBLE_DUPLICATES, _SPANS, {"": state.possible_duplicates})
    yield _gauge(names.SPANS_REFUSED, _SPANS, state.spans_refused)
    yield _gauge(names.SPANS_DROPPED, _SPANS, state.spans_dropped)
    yield _gauge(names.VALUES_REDACTED, "{value}", state.values_redacted)


def _gauge(name: str, unit: str, by_reason: Mapping[str, float]) -> Metric:
    from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint

    now = time.time_ns()
    points = [
        NumberDataPoint(
            time_unix_nano=now,
            as_double=value,
            attributes=[_pair(names.REASON, reason)] if reason else [],
        )
        for reason, value in by_reason.items()
    ]
    return Metric(name=name, unit=unit, gauge=Gauge(data_points=points))


def _pair(key: str, value: str) -> KeyValue:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

    return KeyValue(key=key, value=AnyValue(string_value=value))
