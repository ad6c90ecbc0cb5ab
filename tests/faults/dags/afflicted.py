"""What the faults are injected into: the four ends of a task, and a SIGTERM."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from airflow_versions import AirflowSkipException, python_task, truth_dag


def fail() -> None:
    """Raise."""
    raise ValueError("as meant")


def fail_first(ti: Any) -> None:
    """Raise on the first try only."""
    if ti.try_number == 1:
        raise ConnectionError("as meant")


def skip() -> None:
    """Skip oneself."""
    raise AirflowSkipException("as meant")


def terminate() -> None:
    """Ask oneself to end, and go on where Airflow lets that happen."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(1)


with truth_dag("afflicted"):
    python_task("fine")
    python_task("broken", fail)
    python_task("flaky", fail_first, retries=1)
    python_task("skipper", skip)

with truth_dag("quick"):
    python_task("fine")

with truth_dag("terminated"):
    python_task("terminated", terminate)
