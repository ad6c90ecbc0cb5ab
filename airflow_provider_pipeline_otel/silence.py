"""Silence: of a task that leaves no trace nothing does, whatever its code makes of spans."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from contextvars import Token

_tokens: Final[list[Token[Any]]] = []
_SDK: Final = "airflow_provider_pipeline_otel.sdk.configuration"
_TRACING: Final = "airflow_provider_pipeline_otel.sdk.airflow_tracing"


def begin() -> None:
    """Make an unsampled span the current one, and the home of spans that have no parent.

    Where nothing of OpenTelemetry is loaded nothing makes spans: nor is it loaded for this.
    """
    if "opentelemetry.trace" not in sys.modules:
        return
    if _TRACING in sys.modules:
        sys.modules[_TRACING].joined.be_silent()
    from opentelemetry import context as context_api
    from opentelemetry import trace

    from airflow_provider_pipeline_otel.stages import set_surroundings

    # Airflow 3.3 may put a context of its own around each hook, and ours ends with it.
    set_surroundings(trace.NoOpTracerProvider(), {})
    trace_id, span_id = (int.from_bytes(os.urandom(size), "big") | 1 for size in (16, 8))
    unsampled = trace.NonRecordingSpan(trace.SpanContext(trace_id, span_id, is_remote=False))
    _tokens.append(context_api.attach(trace.set_span_in_context(unsampled)))
    if _SDK in sys.modules:
        sys.modules[_SDK].live.home.span = unsampled


def end() -> None:
    """End it, where there is one: the next task of this process may be another DAG's."""
    while _tokens:
        from opentelemetry import context as context_api

        from airflow_provider_pipeline_otel.stages import set_surroundings

        set_surroundings(None, {})
        context_api.detach(_tokens.pop())
        if _SDK in sys.modules:
            sys.modules[_SDK].live.home.span = None
