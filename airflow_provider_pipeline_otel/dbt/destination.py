"""Where the spans of a run of dbt go: under which parent, and by which writer."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from airflow_provider_pipeline_otel.config import (
    is_sdk_disabled,
    read_settings,
    resource_of,
)
from airflow_provider_pipeline_otel.export.delivery import deliver_within
from airflow_provider_pipeline_otel.export.spool import Spool, private_folder
from airflow_provider_pipeline_otel.export.writer import SpanWriter
from airflow_provider_pipeline_otel.options import airflow_cfg_option
from airflow_provider_pipeline_otel.stages import surrounding_attributes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_pipeline_otel.config import Settings
    from airflow_provider_pipeline_otel.record import Attributes, SpanRecord

_SDK = "airflow_provider_pipeline_otel.sdk.configuration"


class Parent(NamedTuple):
    """The span above; both ids are empty where there is none."""

    trace_id: bytes
    span_id: bytes
    sampled: bool


NOT_SAMPLED: Final = Parent(b"", b"", sampled=False)


def find_parent(context: object = None) -> Parent:
    """Return the span of an OpenTelemetry context, else the current one, else TRACEPARENT's.

    What Airflow and its callbacks call a context is none of OpenTelemetry's, and passed over.
    """
    if is_sdk_disabled(os.environ):
        return NOT_SAMPLED
    found = trace.get_current_span(context if isinstance(context, Context) else None)
    span = found.get_span_context()
    if not span.is_valid:
        headers = {
            name: os.environ[name.upper()]
            for name in ("traceparent", "tracestate")
            if name.upper() in os.environ
        }
        carried = TraceContextTextMapPropagator().extract(headers, Context())
        span = trace.get_current_span(carried).get_span_context()
    if not span.is_valid:
        return Parent(b"", b"", sampled=True)
    ids = span.trace_id.to_bytes(16, "big"), span.span_id.to_bytes(8, "big")
    return Parent(*ids, sampled=span.trace_flags.sampled)


class Destination:
    """A writer, and what each span carries: a task's own, or one from the environment alone."""

    def __init__(self, settings: Settings | None = None) -> None:
        sdk = sys.modules.get(_SDK)
        self._settings: Settings | None = None  # of a task's own writer its worker takes care
        self.is_enabled = True
        if sdk is not None and sdk.live.is_built:
            self.writer: SpanWriter = sdk.live.build().writer
        else:
            settings = self._settings = settings or read_settings(option=airflow_cfg_option())
            self.is_enabled = settings.enabled
            spool = Spool(private_folder(settings.spool_dir), settings.caps)
            self.writer = SpanWriter(spool, resource_of(settings, "dbt"), settings.redaction)

    @property
    def attributes(self) -> Attributes:
        """What the process says of the task that it works on."""
        return surrounding_attributes()

    def sample(self, parent: Parent) -> None:
        """Let the ratio of the run decide, where the spans are part of one, as in its task."""
        if self._settings is not None and parent.trace_id:
            self.writer.sample(self._settings.sampling.ratio_of_environment())

    def write(self, records: Iterable[SpanRecord]) -> None:
        """Write spans that have ended, and hand them over."""
        self.writer.write_finished(records)
        self.deliver()

    def deliver(self) -> None:
        """Deliver, within the deadline, what no task's worker takes care of."""
        settings = self._settings
        if settings is None:
            return
        self.writer.conclude()
        self.writer.close()
        if settings.endpoint is not None:
            deliver_within(self.writer.spool, settings.endpoint, settings.flush_deadline)

    def add_counts(self, records_written: int | None, bytes_processed: int | None) -> None:
        """Add totals to the worker that this process has open."""
        sdk = sys.modules.get(_SDK)
        if sdk is not None and sdk.live.is_built:
            sdk.live.build().processor.add_counts(records_written or 0, bytes_processed or 0)
