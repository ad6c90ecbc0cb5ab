"""A project with artifacts, and the spans that come of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_pipeline_otel import emit_dbt_spans
from airflow_provider_pipeline_otel.cli.traces import SpanRow, read_traces, segments
from airflow_provider_pipeline_otel.dbt.rows import DbtSummary
from tests.unit.dbt.test_artifacts import whole


class Project:
    """A project whose dbt has run, and a spool of its own."""

    def __init__(self, folder: Path, spool: Path, caplog: pytest.LogCaptureFixture) -> None:
        self.target = folder / "target"
        self.target.mkdir(parents=True)
        self.spool = spool
        self._caplog = caplog

    def write(self, *rows: dict[str, Any], name: str = "run_results.json", **fields: Any) -> Path:
        """Write an artifact with these rows, and other fields than it would have."""
        path = self.target / name
        path.write_text(json.dumps(whole(*rows, **{"results": list(rows), **fields})))
        return path

    def write_manifest(self, nodes: dict[str, Any], **fields: Any) -> None:
        """Write the manifest beside it."""
        content = {"metadata": {"adapter_type": "postgres"}, "nodes": nodes, **fields}
        (self.target / "manifest.json").write_text(json.dumps(content))

    def emit(self, *rows: dict[str, Any], **fields: Any) -> DbtSummary:
        """Write an artifact and emit it."""
        return emit_dbt_spans(self.write(*rows, **fields))

    def all(self) -> list[SpanRow]:
        """Return all spans, by start."""
        return [span for found in read_traces(segments(self.spool)) for span in found.spans]

    def __getitem__(self, name: str) -> SpanRow:
        """Return the one span of that name."""
        (found,) = [span for span in self.all() if span.name == name]
        return found

    @property
    def root(self) -> SpanRow:
        """The span of the run."""
        (found,) = [span for span in self.all() if not span.name.startswith("dbt.")]
        return found

    @property
    def nodes(self) -> list[SpanRow]:
        """The spans of nodes."""
        return [span for span in self.all() if span.name.startswith("dbt.")]

    @property
    def content(self) -> bytes:
        """All bytes in the spool."""
        return b"".join(path.read_bytes() for path in self.spool.rglob("*") if path.is_file())

    @property
    def warnings(self) -> list[str]:
        """What has been warned of."""
        return [
            record.getMessage()
            for record in self._caplog.records
            if record.levelname in {"WARNING", "ERROR"}
        ]


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Project:
    """Give a project."""
    monkeypatch.setenv("AIRFLOW__PIPELINE_OTEL__SPOOL_DIR", str(tmp_path / "spool"))
    monkeypatch.delenv("TRACEPARENT", raising=False)
    return Project(tmp_path / "project", tmp_path / "spool", caplog)
