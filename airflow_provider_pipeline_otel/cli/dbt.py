"""pipeline-otel dbt: the artifacts of a run of dbt as spans, from the command line or in CI."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

from airflow_provider_pipeline_otel.dbt.emit import emit_artifacts
from airflow_provider_pipeline_otel.export.delivery import deliver_within
from airflow_provider_pipeline_otel.export.spool import Spool, private_folder

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_pipeline_otel.config import Settings
    from airflow_provider_pipeline_otel.dbt.rows import DbtSummary


def dbt(settings: Settings, path: Path, *, draw: bool, html: Path | None, json: bool) -> int:
    """Emit the spans and say what came of it; 1: nothing to emit, 2: a file can't be written."""
    # Delivered last: what is delivered is no longer here to be shown.
    summary = emit_artifacts(path, settings=settings._replace(endpoint=None))
    if not summary.spans:
        return 1
    if json:
        print(msgspec.json.encode(summary).decode())
    else:
        print(_words(summary))
        print(_whereabouts(settings), file=sys.stderr)
    code = _show(settings, summary, html, draw=draw) if draw or html else 0
    if settings.endpoint is not None:
        spool = Spool(private_folder(settings.spool_dir), settings.caps)
        deliver_within(spool, settings.endpoint, settings.flush_deadline)
    return code


def _show(settings: Settings, summary: DbtSummary, html: Path | None, *, draw: bool) -> int:
    from airflow_provider_pipeline_otel.cli.show import draw_traces, write_page
    from airflow_provider_pipeline_otel.cli.traces import read_traces, segments

    folder = private_folder(settings.spool_dir)
    found = read_traces(segments(folder)) if folder is not None else []
    traces = [trace for trace in found if trace.trace_id == summary.trace_id]
    if draw:
        draw_traces(traces)
    return write_page(traces, html) if html else 0


def _words(summary: DbtSummary) -> str:
    counts = ", ".join(f"{count} {status}" for status, count in sorted(summary.statuses.items()))
    failed = f"; failed: {', '.join(summary.failed)}" if summary.failed else ""
    return f"dbt {summary.command or ''}: {counts or 'no node'}{failed}; {summary.spans} spans"


def _whereabouts(settings: Settings) -> str:
    if settings.endpoint is None:
        return f"They stay in {settings.spool_dir}: OTEL_EXPORTER_OTLP_ENDPOINT names no collector."
    return f"They go to {settings.endpoint.url}."
