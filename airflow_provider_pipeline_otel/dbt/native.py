"""dbt's own spans: how a dbt that can draw them is told where they belong."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_pipeline_otel.dbt.destination import Parent

FIRST_VERSION: Final = (1, 12)

_LAUNCHER: Final = """
import os, sys
try:
    from airflow_provider_pipeline_otel import setup_otel
except ImportError:
    sys.exit(
        "native_spans=True needs airflow-provider-pipeline-otel in dbt's own environment too: "
        f"{sys.executable} -m pip install airflow-provider-pipeline-otel"
    )
from opentelemetry import context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from dbt.cli.main import cli
setup_otel("dbt")
carrier = {"traceparent": os.environ.get("TRACEPARENT", "")}
context.attach(TraceContextTextMapPropagator().extract(carrier))
sys.argv[0] = "dbt"
cli()
"""
"""dbt-core draws spans, but doesn't look at TRACEPARENT, and sets no provider."""


def launched(executable: str, words: Sequence[str]) -> list[str]:
    """Return the command that runs dbt-core inside the trace; that of dbt 2 is its own."""
    environment = Path(executable).parent.parent
    core = any(environment.glob("lib/python3*/site-packages/dbt/cli/main.py"))
    if not core:
        return [executable, *words]
    return [str(Path(executable).with_name("python")), "-c", _LAUNCHER, *words]


def environment_of(
    parent: Parent, spool_dir: Path | None, environ: Mapping[str, str]
) -> dict[str, str]:
    """Return what dbt-core (1.12 and later) and dbt 2 are told by: context, and that they may."""
    if not parent.sampled or not parent.trace_id:
        return {}
    said = {
        "TRACEPARENT": f"00-{parent.trace_id.hex()}-{parent.span_id.hex()}-01",
        "DBT_ENGINE_SNOWFLAKE_PROJECTS_OTEL": "true",
        "DBT_INVOCATION_ID": str(uuid.UUID(bytes=parent.trace_id)),
        "DBT_PARENT_SPAN_ID": parent.span_id.hex(),
    }
    if environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        said["DBT_EXPORT_TO_OTLP"] = "true"
    if spool_dir is not None:
        said["AIRFLOW__PIPELINE_OTEL__SPOOL_DIR"] = str(spool_dir)
    return said


def draws_spans(version: str | None) -> bool:
    """Say whether a dbt of that version draws spans of its own when it is told to."""
    found = re.match(r"(\d+)\.(\d+)", version or "")
    return found is not None and (int(found[1]), int(found[2])) >= FIRST_VERSION
