"""Metrics outside of Airflow: collected by the SDK, sent by our client, once and within bounds.

The SDK's exporter repeats what fails for many seconds, also while the process wants to end, warns
of each attempt, and knows nothing of forks. Metrics aren't kept in the spool: what isn't delivered
is in the next request's sums, and lost with the process.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExportResult, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from airflow_provider_pipeline_otel.export.delivery import send_within
from airflow_provider_pipeline_otel.guard import guarded, warn_once

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricsData
    from opentelemetry.util.types import AttributeValue

    from airflow_provider_pipeline_otel.config import Endpoint


class Metrics:
    """A meter provider, and the way from it to a collector."""

    def __init__(self, endpoint: Endpoint, resource: Mapping[str, AttributeValue]) -> None:
        self._exporter: Final = _Exporter(endpoint)
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

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__()
        self._to: Final = endpoint
        self.fault: str | None = None

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float | None = None,
        **_: Any,  # noqa: ANN401
    ) -> MetricExportResult:
        """Make one attempt."""
        body = encode_metrics(metrics_data).SerializeToString()
        seconds = self._to.timeout
        if timeout_millis is not None:
            seconds = min(seconds, timeout_millis / 1000)
        self.fault = send_within(self._to, body, seconds)
        if self.fault:
            warn_once("metrics could not be delivered: %s", self.fault)
            return MetricExportResult.FAILURE
        return MetricExportResult.SUCCESS
