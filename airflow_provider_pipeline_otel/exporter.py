"""What OpenTelemetry's loaders ask for by name: exporter and sampler `pipeline_otel`.

OTEL_TRACES_EXPORTER is read by Airflow 3.2 and later and by `opentelemetry-instrument`,
OTEL_TRACES_SAMPLER=pipeline_otel by the latter alone: the SDK's own loader knows its own samplers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from airflow_provider_pipeline_otel.airflow_config import read_airflow_settings
from airflow_provider_pipeline_otel.config import read_settings
from airflow_provider_pipeline_otel.sdk.airflow_tracing import joined
from airflow_provider_pipeline_otel.sdk.configuration import in_airflow
from airflow_provider_pipeline_otel.sdk.sampler import PipelineSampler

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan


def make_sampler(_: str | None = None) -> PipelineSampler:
    """Return the sampler of `sample_ratio` and `dag_sample_ratios`; its argument is not used."""
    return PipelineSampler(read_settings().sampling)


class PipelineExporter(SpanExporter):
    """Brings spans to the spool, redacted, from where they are delivered.

    Of Airflow's own (3.2 and later) those that the database tells better are left out, and the
    others hang under the try that they belong to. See docs/architecture.md.
    """

    def __init__(self) -> None:
        joined.expect(read_airflow_settings if in_airflow() else read_settings)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write what has not been written when it ended; what can't be is counted as lost."""
        joined.attach()
        for span in spans:
            joined.on_end(span)
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Deliver what this process has written, within `flush_deadline`."""
        joined.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Deliver what this process has written, within `flush_deadline`."""
        return joined.force_flush(timeout_millis)
