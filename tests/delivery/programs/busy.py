"""Ends a span, then works for long without another; forks meanwhile, if told to."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

threads: list[int] = []
# Hooks run in the reverse order: registered before the package's, it sees what a fork meets.
os.register_at_fork(before=lambda: threads.append(len([*Path("/proc/self/task").iterdir()])))

from airflow_provider_pipeline_otel import pipeline_stage, setup_otel  # noqa: E402

setup_otel("busy")
with pipeline_stage("whole"):
    with pipeline_stage("first"):
        pass
    until = time.monotonic() + float(sys.argv[1])
    late = 0
    while time.monotonic() < until:
        time.sleep(0.05)
        if "fork" in sys.argv:
            pid = os.fork()
            if not pid:
                os._exit(0)
            os.waitpid(pid, 0)
            late += time.monotonic() > until - 6
    print(max(threads, default=0), late, flush=True)  # noqa: T201
