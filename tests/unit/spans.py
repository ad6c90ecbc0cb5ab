"""Reads a spool back with opentelemetry.proto, which the package's writing side doesn't use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_pipeline_otel.cli.traces import SpanRow, read_traces, segments

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from airflow_provider_pipeline_otel.export.spool import Spool
    from airflow_provider_pipeline_otel.export.writer import SpanWriter


class SpoolReader:
    """The spans of a spool, by name."""

    def __init__(self, spool: Spool, writer: SpanWriter, provider: TracerProvider) -> None:
        self.spool = spool
        self.writer = writer
        self.provider = provider

    def all(self) -> list[SpanRow]:
        """Return all spans, open ones too, by start."""
        assert self.spool.folder is not None
        traces = read_traces(segments(self.spool.folder))
        return [span for trace in traces for span in trace.spans]

    def __getitem__(self, name: str) -> SpanRow:
        """Return the one span of that name."""
        (found,) = [span for span in self.all() if span.name == name]
        return found
