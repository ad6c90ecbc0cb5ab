"""The example DAGs run on a real Airflow, and the demo draws what they did."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
VENV = ROOT / ".venvs" / "airflow-3.3"


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demo writes."""
    return tmp_path_factory.mktemp("demo") / "home"


@pytest.fixture(scope="session")
def drawn(home: Path) -> str:
    """What the demo prints."""
    if not VENV.is_dir():
        pytest.skip("no .venvs/airflow-3.3: run `make test`")
    done = subprocess.run(
        [VENV / "bin" / "python", "-m", "demo", "--home", str(home)],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture(scope="session")
def traces(drawn: str, home: Path) -> dict[str, list[dict[str, Any]]]:
    """The spans of each DAG's run."""
    assert drawn
    done = subprocess.run(
        [VENV / "bin" / "pipeline-otel", "show", "--json", "--file", str(home / "spool")],
        capture_output=True,
        text=True,
        check=True,
    )
    found = [json.loads(line)["spans"] for line in done.stdout.splitlines()]
    return {spans[0]["attributes"]["pipeline.name"]: spans for spans in found}


def test_every_run_is_drawn_whole(drawn: str) -> None:
    """Five trees, none of them incomplete, and what to do next."""
    for dag in ("orders", "report", "shop", "troubles", "waiting"):
        assert f"dag_run.{dag}" in drawn
    assert "incomplete" not in drawn
    assert "drain" in drawn


def test_the_drawing_says_what_happened(drawn: str) -> None:
    """Counts, reasons, what died, what was skipped, what waited."""
    for words in (
        "1,200 read",
        "4 missing_price",
        "process died",
        "ConnectionError",
        "up_for_retry",
        "upstream_failed",
        "skipped",
        "between 2 workers",
        "↪ trigger",
        "dbt.orders_by_region",
    ):
        assert words in drawn


def test_no_exception_text_is_anywhere(drawn: str, home: Path) -> None:
    """Not in the drawing, and not in the spool's bytes."""
    assert "jane.doe" not in drawn
    for segment in home.joinpath("spool").rglob("*.seg"):
        assert b"jane.doe" not in segment.read_bytes()


def test_counts_add_up_on_the_worker(traces: dict[str, list[dict[str, Any]]]) -> None:
    """The worker says what its stages said."""
    (worker,) = [span for span in traces["orders"] if span["name"] == "worker.load"]
    assert worker["attributes"]["pipeline.records.written"] == 1170


def test_the_triggered_run_links_to_the_task(traces: dict[str, list[dict[str, Any]]]) -> None:
    """Across two traces."""
    (trigger,) = [span for span in traces["orders"] if span["name"] == "task_run.trigger_report"]
    (link,) = traces["report"][0]["links"]
    assert (link["trace_id"], link["span_id"]) == (trigger["trace_id"], trigger["span_id"])
