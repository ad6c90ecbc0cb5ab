"""Metrics outside of Airflow: collected by the SDK, sent by our client, once and within bounds.

The SDK's exporter repeats what fails for many seconds, also while the process wants to end, warns
of each attempt, and knows nothing of forks. Metrics aren't kept in the spool: what isn't delivered
is in the next request's sums, and lost with the process.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExportResult, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from airflow_provider_pipeline_otel.export.delivery import send_within
from airflow_provider_pipeline_otel.export.redaction import Redactor
from airflow_provider_pipeline_otel.guard import guarded, warn_once

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.util.types import AttributeValue

    from airflow_provider_pipeline_otel.config import Redaction
    from airflow_provider_pipeline_otel.endpoint import Endpoint


class Metrics:
    """A meter provider, and the way from it to a collector."""

    def __init__(
        self, endpoint: Endpoint, resource: Mapping[str, AttributeValue], redaction: Redaction
    ) -> None:
        self._exporter: Final = _Exporter(endpoint, Redactor(redaction))
        self.provider: Final = MeterProvider(
            [PeriodicExportingMetricReader(self._exporter)],
            Resource(resource),
            shutdown_on_exit=False,
        )

    def flush(self, timeout: float) -> bool:
        """Send what was counted; False: it isn't with the collector after `timeout` seconds.

        The bound is real: the work has a thread of its own, which is left behind.
        """
        if timeout <= 0:
            return False
        thread = threading.Thread(
            target=self._flush, args=(timeout,), name="pipeline_otel-metrics", daemon=True
        )
        thread.start()
        thread.join(timeout)
        return not thread.is_alive() and not self._exporter.fault

    @guarded
    def _flush(self, timeout: float) -> None:
        self.provider.force_flush(timeout * 1000)


class _Exporter(OTLPMetricExporter):
    """The SDK's, for what it reads of temporality and aggregation; sends by our client."""

    def __init__(self, endpoint: Endpoint, redactor: Redactor) -> None:
        super().__init__()
        self._to: Final = endpoint
        self._redactor: Final = redactor
        self.fault: str | None = None

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float | None = None,
        **_: Any,  # noqa: ANN401
    ) -> MetricExportResult:
        """Make one attempt."""
        request = encode_metrics(metrics_data)
        for attributes in _attributes(request):
            _redact(attributes, self._redactor)
        body = request.SerializeToString()
        seconds = self._to.timeout
        if timeout_millis is not None:
            seconds = min(seconds, timeout_millis / 1000)
        self.fault = send_within(self._to, body, seconds)
        if self.fault:
            warn_once("metrics could not be delivered: %s", self.fault)
            return MetricExportResult.FAILURE
        return MetricExportResult.SUCCESS


def _attributes(request: Any) -> Iterator[Any]:  # noqa: ANN401  a message of opentelemetry.proto
    """Yield all lists of attributes: of resources, scopes, points and exemplars."""
    for resource in request.resource_metrics:
        yield resource.resource.attributes
        for scope in resource.scope_metrics:
            yield scope.scope.attributes
            for metric in scope.metrics:
                for point in getattr(metric, metric.WhichOneof("data")).data_points:
                    yield point.attributes
                    for exemplar in getattr(point, "exemplars", ()):
                        yield exemplar.filtered_attributes


def _redact(attributes: Any, redactor: Redactor) -> None:  # noqa: ANN401
    """Redact texts, which are all that a metric's attributes may hold of a secret."""
    for pair in attributes:
        if pair.value.HasField("string_value"):
            found = redactor.attributes({pair.key: pair.value.string_value})
            name, value = next(iter(found.items()), (pair.key, ""))
            pair.key, pair.value.string_value = name, str(value)
