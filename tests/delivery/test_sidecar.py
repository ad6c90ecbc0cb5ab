"""A task's container and its sidecar: two processes, each with process ids of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.containers import CONTAINER, skip_without_containers
from tests.delivery.spans import wait_for

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.export.spool import Spool
    from tests.delivery.collector import Collector

ROOT: Final = Path(__file__).parents[2]
TASK: Final = """
import time
from airflow_provider_pipeline_otel import pipeline_stage, setup_otel

setup_otel()
with pipeline_stage("whole"):
    pass
with pipeline_stage("cut"), pipeline_stage("leaf"):
    print("under way", flush=True)
    time.sleep(600)
"""


def child_of(process: subprocess.Popen[str]) -> int:
    """Return the process that `unshare` has forked."""
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])


def test_a_sidecar_delivers_what_a_killed_task_has_left(spool: Spool, collector: Collector) -> None:
    """When the task's container is gone the sidecar is told to end, and all is there then."""
    skip_without_containers()
    environ = os.environ | {
        "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(spool.folder),
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url,
        "OTEL_METRICS_EXPORTER": "none",
    }
    watch = (sys.executable, "-m", "airflow_provider_pipeline_otel.cli", "drain", "--watch")
    with (
        subprocess.Popen([*CONTAINER, *watch], cwd=ROOT, env=environ, text=True) as sidecar,
        subprocess.Popen(
            [*CONTAINER, sys.executable, "-c", TASK],
            cwd=ROOT,
            env=environ,
            text=True,
            stdout=subprocess.PIPE,
        ) as task,
    ):
        wait_for(spool.is_drained)
        assert task.stdout is not None
        assert task.stdout.readline() == "under way\n"
        os.kill(child_of(task), signal.SIGKILL)
        task.wait(10)
        os.kill(child_of(sidecar), signal.SIGTERM)
        assert sidecar.wait(20) == 0
    assert sorted(collector.names()) == ["cut", "whole"]
