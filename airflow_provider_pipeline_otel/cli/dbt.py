"""pipeline-otel dbt: the artifacts of a run of dbt as spans, from the command line or in CI."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

from airflow_provider_pipeline_otel.dbt.emit import emit_artifacts

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_pipeline_otel.config import Settings
    from airflow_provider_pipeline_otel.dbt.rows import DbtSummary


def dbt(settings: Settings, path: Path, *, draw: bool, json: bool) -> int:
    """Emit the spans and say what came of it; 1: there is nothing to emit."""
    summary = emit_artifacts(path, settings=settings)
    if not summary.spans:
        return 1
    if json:
        print(msgspec.json.encode(summary).decode())
    else:
        print(_words(summary))
        print(_whereabouts(settings), file=sys.stderr)
    if draw:
        from airflow_provider_pipeline_otel.cli.show import show

        return show(settings, None, None, last=1, file=None, json=False, svg=None)
    return 0


def _words(summary: DbtSummary) -> str:
    counts = ", ".join(f"{count} {status}" for status, count in sorted(summary.statuses.items()))
    failed = f"; failed: {', '.join(summary.failed)}" if summary.failed else ""
    return f"dbt {summary.command or ''}: {counts or 'no node'}{failed}; {summary.spans} spans"


def _whereabouts(settings: Settings) -> str:
    if settings.endpoint is None:
        return f"They stay in {settings.spool_dir}: OTEL_EXPORTER_OTLP_ENDPOINT names no collector."
    return f"They go to {settings.endpoint.url}."
