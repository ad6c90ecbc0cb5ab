"""`pipeline-otel dbt`: from the command line, in CI."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_pipeline_otel import guard
from airflow_provider_pipeline_otel.cli import main
from tests.airflow.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a project's target folder, and a spool."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__PIPELINE_OTEL__SPOOL_DIR", str(tmp_path / "spool"))
    monkeypatch.setenv("COLUMNS", "200")
    folder = tmp_path / "shop" / "target"
    folder.mkdir(parents=True)
    write(folder, "success")
    return folder


def write(target: Path, status: str) -> None:
    """Write the artifact of a run of one model."""
    times = {"started_at": "2026-11-01T03:00:01Z", "completed_at": "2026-11-01T03:00:03Z"}
    row: dict[str, Any] = {"unique_id": "model.shop.orders", "status": status, "timing": [times]}
    metadata = {"invocation_id": "0d1e0f3c", "generated_at": "2026-11-01T03:00:04Z"}
    said = {"metadata": metadata, "args": {"which": "build"}, "results": [row]}
    (target / "run_results.json").write_text(json.dumps(said))


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    """Give a collector, to which all is delivered."""
    with Sink() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.endpoint)
        yield found


def test_what_came_of_it(target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts, for people or as JSON with the trace to look for."""
    assert main(["dbt", str(target.parent)]) == 0
    said = capsys.readouterr()
    assert said.out == "dbt build: 1 success; 2 spans\n"
    assert "OTEL_EXPORTER_OTLP_ENDPOINT names no collector" in said.err
    assert main(["dbt", str(target), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["statuses"] == {"success": 1}
    assert len(summary["trace_id"]) == 32


def test_drawn_though_delivered(
    target: Path, sink: Sink, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """In the terminal and as a page; other traces of the spool aren't drawn."""
    assert main(["dbt", str(target), "--show"]) == 0
    drawn = capsys.readouterr().out
    assert "dbt build" in drawn
    assert "dbt.orders" in drawn
    page = tmp_path / "page.html"
    assert main(["dbt", str(target), "--show", "--html", str(page)]) == 0
    assert "dbt.orders" in capsys.readouterr().out
    assert "dbt.orders" in page.read_text()
    assert {span.name for span in sink.spans()} == {"dbt build", "dbt.orders"}


def test_nothing_to_read(
    target: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """It is no success, and says what it wants."""
    guard._warned.clear()
    (target / "run_results.json").unlink()
    assert main(["dbt", str(target.parent)]) == 1
    assert not capsys.readouterr().out
    assert "holds neither run_results.json nor sources.json" in caplog.text


def test_a_page_that_cant_be_written(target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the option, the file and the remedy; the spans are safe."""
    out = target / "missing" / "page.html"
    assert main(["dbt", str(target), "--html", str(out)]) == 2
    said = capsys.readouterr()
    assert "dbt build: 1 success; 2 spans" in said.out
    assert f"--html {out} can't be written (No such file or directory)" in said.err
