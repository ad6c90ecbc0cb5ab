"""Opens three spans inside each other, two of whose children have ended, says so, and stays.

Argument `with-child`: forks a child that lives on and has nothing to do with it.
"""

from __future__ import annotations

import os
import sys
import time

from airflow_provider_pipeline_otel import setup_otel

tracer, _ = setup_otel("victim")
with tracer.start_as_current_span("outer"), tracer.start_as_current_span("middle"):
    with tracer.start_as_current_span("first"):
        pass
    with tracer.start_as_current_span("inner"):
        with tracer.start_as_current_span("second"):
            pass
        child = os.fork() if "with-child" in sys.argv else -1
        if child:
            print(child, flush=True)  # noqa: T201
        time.sleep(600)
