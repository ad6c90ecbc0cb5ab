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
    from collections.abc import Callable, Iterator

    from airflow_provider_pipeline_otel.export.spool import Spool

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("programs") / "busy.py"


@pytest.fixture
def busy(spool: Spool, collector: Collector) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the program; it prints how many threads its forks have met, and how many it made."""
    started: list[subprocess.Popen[str]] = []

    def start(seconds: int, *arguments: str) -> subprocess.Popen[str]:
        environ = {
            "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(spool.folder),
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url,
        }
        process = subprocess.Popen(
            [sys.executable, "-W", "error", str(PROGRAM), str(seconds), *arguments],
            cwd=ROOT,
            env=os.environ | environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("forks", [(), ("fork",)])
def test_a_stage_is_there_while_its_task_works_on(
    busy: Callable[..., subprocess.Popen[str]], collector: Collector, forks: tuple[str, ...]
) -> None:
    """Also if the task forks all the time; no fork ever meets a thread of ours."""
    process = busy(9, *forks)
    began = time.monotonic()
    while "first" not in collector.names() and process.poll() is None:
        time.sleep(0.05)
    assert process.poll() is None, "it is there only now that the process has ended"
    assert time.monotonic() - began < 10
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert printed.split()[0] == ("1" if forks else "0")
    assert sorted(collector.names()) == ["first", "whole"]


def test_forks_cut_off_a_collector_that_hangs(
    busy: Callable[..., subprocess.Popen[str]], collector: Collector
) -> None:
    """A task that forks all the time isn't held up by each of them, for as long as a time-out."""
    collector.fault = "hang"
    printed, _ = busy(12, "fork").communicate(timeout=60)
    threads, late = map(int, printed.split())
    assert collector.attempts
    assert threads == 1
    assert late > 40, "of the last six seconds; some hundred are usual"


def test_a_stage_is_delivered_as_soon_as_the_collector_is_back(
    busy: Callable[..., subprocess.Popen[str]], collector: Collector
) -> None:
    """While the task works on, without another span."""
    collector.status = 503
    process = busy(30)
    while not collector.requests and process.poll() is None:
        time.sleep(0.05)
    collector.status = 200
    while "first" not in collector.names() and process.poll() is None:
        time.sleep(0.05)
    assert process.poll() is None, "it is there only now that the process has ended"
