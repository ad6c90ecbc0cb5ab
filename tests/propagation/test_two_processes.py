"""A context crosses from one process to another as the JSON that XCom stores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[2]

FIRST = """
import json
from airflow_provider_pipeline_otel import flush_otel, pipeline_stage, setup_otel
from airflow_provider_pipeline_otel.propagation import xcom

setup_otel("first")
with pipeline_stage("produce"):
    carrier = {}
    xcom.inject(carrier)
assert flush_otel()
print(json.dumps(carrier))
"""

SECOND = """
import json, sys
from airflow_provider_pipeline_otel import pipeline_stage, setup_otel
from airflow_provider_pipeline_otel.propagation import xcom

setup_otel("second")
carrier = json.loads(sys.argv[1])
with pipeline_stage("linked", links=xcom.links([carrier])):
    pass
with pipeline_stage("nested", context=xcom.extract(carrier)):
    pass
"""


def run(code: str, home: Path, *arguments: str) -> str:
    """Run the code in a process of its own, without Airflow."""
    environ = os.environ | {
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(home / "spool"),
    }
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environ,
        cwd=home,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_links_and_parents_cross_processes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Link and parent name the other process's span; nobody needs to flush at the end."""
    from airflow_provider_pipeline_otel.cli import main

    run(SECOND, tmp_path, run(FIRST, tmp_path).strip())
    assert main(["show", "--json", "--file", str(tmp_path / "spool")]) == 0
    lines = capsys.readouterr().out.splitlines()
    spans: dict[str, dict[str, Any]] = {
        span["name"]: span for line in lines for span in json.loads(line)["spans"]
    }
    produced = spans["produce"]
    (link,) = spans["linked"]["links"]
    assert (link["trace_id"], link["span_id"]) == (produced["trace_id"], produced["span_id"])
    assert spans["nested"]["parent_span_id"] == produced["span_id"]
    assert spans["nested"]["trace_id"] == produced["trace_id"]
    assert spans["produce"]["resource"]["service.name"] == "first"
    assert spans["linked"]["resource"]["service.name"] == "second"
