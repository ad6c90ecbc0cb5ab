"""dbt's own spans: how a dbt that can draw them is told where they belong."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_pipeline_otel.dbt.destination import Parent

Version = tuple[int, int]

FIRST_VERSION: Final = (1, 12)
_DBT_2: Final = (2, 0)

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


def launched(
    executable: str, words: Sequence[str], environ: Mapping[str, str], cwd: str
) -> list[str]:
    """Return the command that runs a dbt-core inside the trace which can draw spans.

    An older one, and dbt 2, are run as they are.
    """
    program = _find(executable, environ, cwd)
    site_packages = program.parent.parent.glob("lib/python3*/site-packages")
    core = next((path for path in site_packages if (path / "dbt/cli/main.py").is_file()), None)
    if core is None or not _may_draw_spans(core):
        return [executable, *words]
    return [str(program.with_name("python")), "-c", _LAUNCHER, *words]


def _find(executable: str, environ: Mapping[str, str], cwd: str) -> Path:
    """Return the program itself, as the process finds it: a link may lie in another folder."""
    found = executable
    if not os.path.dirname(executable):  # noqa: PTH120  Path drops the ./ of ./dbt
        found = shutil.which(executable, path=environ.get("PATH", os.defpath)) or executable
    return Path(cwd or os.curdir, found).resolve()


def _may_draw_spans(site_packages: Path) -> bool:
    """Say whether the dbt-core there is new enough; one that tells no version is taken for it."""
    versions = [path.stem.partition("-")[2] for path in site_packages.glob("dbt_core-*.dist-info")]
    return not versions or any(map(draws_spans, versions))


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


def first_version(command: Sequence[str]) -> Version:
    """Return the first version whose spans come of that command: dbt-core's only if we launch it.

    Nobody would take those of one that is hidden in a script, and so can't be launched.
    """
    return FIRST_VERSION if _LAUNCHER in command else _DBT_2


def draws_spans(version: str | None, first: Version = FIRST_VERSION) -> bool:
    """Say whether a dbt of that version draws spans of its own when it is told to."""
    found = re.match(r"(\d+)\.(\d+)", version or "")
    return found is not None and (int(found[1]), int(found[2])) >= first
