"""What has ended is at the collector within seconds, however long its process goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.delivery.collector import Collector

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.export.spool import Spool

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("programs") / "busy.py"


@pytest.mark.parametrize("forks", [(), ("fork",)])
def test_a_stage_is_there_while_its_task_works_on(
    spool: Spool, collector: Collector, forks: tuple[str, ...]
) -> None:
    """Also if the task forks all the time; no fork ever meets a thread of ours."""
    environ = {
        "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(spool.folder),
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url,
    }
    process = subprocess.Popen(
        [sys.executable, "-W", "error", str(PROGRAM), "9", *forks],
        cwd=ROOT,
        env=os.environ | environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    began = time.monotonic()
    while "first" not in collector.names() and process.poll() is None:
        time.sleep(0.05)
    assert process.poll() is None, "it is there only now that the process has ended"
    assert time.monotonic() - began < 10
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert printed.split() == (["1"] if forks else ["0"])
    assert sorted(collector.names()) == ["first", "whole"]
