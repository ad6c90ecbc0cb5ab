"""Spans of the user's own, by nothing but the OpenTelemetry API and an instrumentation."""

from __future__ import annotations

import os
import random
import signal
import threading
from http.server import HTTPServer, SimpleHTTPRequestHandler
from typing import Never

from airflow_versions import CANARY, python_task, truth_dag
from opentelemetry import trace

TRACER = trace.get_tracer("user.code")


def nest() -> None:
    """Open a span in a span."""
    with (
        TRACER.start_as_current_span("extract", attributes={"user.answer": 42}),
        TRACER.start_as_current_span("parse"),
    ):
        pass


def fail_in_a_span() -> Never:
    """Raise inside a span, with a secret in the text."""
    with TRACER.start_as_current_span("doomed"):
        raise ValueError(CANARY)


def die_nested() -> None:
    """Die with three open spans, two of whose children have ended."""
    with (
        TRACER.start_as_current_span("outer"),
        TRACER.start_as_current_span("middle"),
        TRACER.start_as_current_span("inner"),
    ):
        for name in ("first", "second"):
            with TRACER.start_as_current_span(name):
                pass
        os.kill(os.getpid(), signal.SIGKILL)


def seed() -> None:
    """Open spans after making random numbers repeat."""
    random.seed(7)
    for name in ("one", "two", "three"):
        with TRACER.start_as_current_span(name):
            random.seed(7)


def from_a_thread() -> None:
    """Open a span in a plain thread, which inherits no context."""

    def work() -> None:
        with TRACER.start_as_current_span("threaded"):
            pass

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def ask_by_requests() -> None:
    """Let an instrumentation of contrib's make the span."""
    import requests
    from opentelemetry.instrumentation.requests import RequestsInstrumentor

    RequestsInstrumentor().instrument()
    with HTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        requests.head(url, timeout=10).raise_for_status()


with truth_dag("user_spans"):
    python_task("nest", nest)
    python_task("doom", fail_in_a_span)

with truth_dag("user_killed"):
    python_task("victim", die_nested)

with truth_dag("user_seeded"):
    python_task("seeder", seed) >> python_task("seeder_again", seed)

with truth_dag("user_thread"):
    python_task("threads", from_a_thread)

with truth_dag("user_requests"):
    python_task("asker", ask_by_requests)
