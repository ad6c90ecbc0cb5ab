"""OTEL_TRACES_SAMPLER=pipeline_otel: the same runs as everywhere, decided when a span begins."""

from __future__ import annotations

import os
from importlib.metadata import entry_points

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanContext, TraceFlags

from airflow_provider_pipeline_otel.config import Sampling
from airflow_provider_pipeline_otel.export.held import is_sampled
from airflow_provider_pipeline_otel.sdk.sampler import PipelineSampler

OUT = (1 << 64) - 1


def below(trace_id: int, *, sampled: bool = True) -> Context:
    """Return the context of a parent in another process."""
    parent = SpanContext(trace_id, 1, is_remote=True, trace_flags=TraceFlags(sampled))
    return trace.set_span_in_context(trace.NonRecordingSpan(parent), Context())


def sampled(sampling: Sampling, context: Context, **attributes: str | bool) -> bool:
    """Say whether a span is sampled."""
    tracer = TracerProvider(PipelineSampler(sampling), shutdown_on_exit=False).get_tracer("t")
    span = tracer.start_span("span", context, attributes=attributes)
    return span.get_span_context().trace_flags.sampled


def test_the_id_decides() -> None:
    """As in the process of the task, whose details are held back or not."""
    for _ in range(100):
        trace_id = os.urandom(16)
        context = below(int.from_bytes(trace_id, "big"))
        assert sampled(Sampling(0.5), context) is is_sampled(trace_id, 0.5)


def test_what_is_not_sampled_above_is_not_here() -> None:
    """A run that Airflow's own tracing has sampled out stays out."""
    assert not sampled(Sampling(1), below(1, sampled=False))


def test_the_dag_s_own_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the span, else by the environment that Airflow gives to what a task starts."""
    sampling = Sampling(0, (("etl", 1),))
    assert sampled(sampling, below(OUT), **{"airflow.dag_id": "etl"})
    assert not sampled(sampling, below(OUT))
    monkeypatch.setenv("AIRFLOW_CTX_DAG_ID", "etl")
    assert sampled(sampling, below(OUT))


def test_keep_wins() -> None:
    """Where it is known at the start."""
    assert sampled(Sampling(0), below(OUT), **{"pipeline.keep": True})


def test_it_is_found_by_name() -> None:
    """As opentelemetry-instrument finds it."""
    (entry,) = entry_points(group="opentelemetry_traces_sampler", name="pipeline_otel")
    assert isinstance(entry.load()("0.5"), PipelineSampler)
