"""User code's spans find their place under the task, with no help from it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from airflow_provider_pipeline_otel.sdk.tracer_provider import Home, PipelineTracerProvider

if TYPE_CHECKING:
    from collections.abc import Iterator


class Task:
    """A task's process: its provider, its home and the worker's span."""

    def __init__(self) -> None:
        self.built = 0
        self.home = Home()
        self.provider = PipelineTracerProvider(self._build, self.home)
        self._sdk = TracerProvider(shutdown_on_exit=False)
        self.worker = self._sdk.get_tracer("w").start_span("worker")

    def _build(self) -> TracerProvider:
        self.built += 1
        return self._sdk

    def parent_of(self, span: trace.Span) -> int:
        """Return the id of a span's parent."""
        assert isinstance(span, ReadableSpan)
        assert span.parent is not None
        return span.parent.span_id

    @property
    def worker_id(self) -> int:
        """The worker's id."""
        return self.worker.get_span_context().span_id


@pytest.fixture
def task() -> Iterator[Task]:
    """A process that works on a task."""
    task = Task()
    task.home.span = task.worker
    return task  # type: ignore[return-value]


def test_nothing_is_built_before_the_first_span(task: Task) -> None:
    """A module-level tracer in a DAG file costs nothing when the file is parsed."""
    tracer = task.provider.get_tracer("user")

    @tracer.start_as_current_span("decorated")
    def work() -> None:
        pass

    assert task.built == 0
    work()
    assert task.built == 1


def test_a_span_without_a_parent_belongs_to_the_task(task: Task) -> None:
    """In a thread too, which starts without a context."""
    found = []
    tracer = task.provider.get_tracer("user")
    thread = threading.Thread(target=lambda: found.append(tracer.start_span("s")))
    thread.start()
    thread.join()
    assert task.parent_of(found[0]) == task.worker_id


def test_an_explicit_root_stays_one(task: Task) -> None:
    """`context=Context()` is a wish."""
    span = task.provider.get_tracer("user").start_span("s", context=Context())
    assert isinstance(span, ReadableSpan)
    assert span.parent is None


def test_a_span_below_another_stays_there(task: Task) -> None:
    """Whatever the user has made current."""
    tracer = task.provider.get_tracer("user")
    with tracer.start_as_current_span("outer") as outer:
        inner = tracer.start_span("inner")
    assert task.parent_of(inner) == outer.get_span_context().span_id


def test_airflow_s_own_unsampled_context_is_no_parent(task: Task) -> None:
    """Airflow 3.3 wraps it around hooks and tasks, with its tracing off: spans would be dropped."""
    task.home.airflow_trace_id = 77
    airflows = NonRecordingSpan(SpanContext(77, 1, is_remote=True, trace_flags=TraceFlags(0)))
    token = context_api.attach(trace.set_span_in_context(airflows))
    try:
        span = task.provider.get_tracer("user").start_span("s")
        with task.provider.get_tracer("user").start_as_current_span("t") as current:
            pass
    finally:
        context_api.detach(token)
    assert span.is_recording()
    assert task.parent_of(span) == task.worker_id
    assert task.parent_of(current) == task.worker_id


def test_airflow_s_own_tracers_stay_silent(task: Task) -> None:
    """They emit through whatever global provider there is, even with Airflow's tracing off."""
    for scope in ("airflow.sdk.execution_time.task_runner", "airflow.models.dagrun"):
        assert not task.provider.get_tracer(scope).start_span("worker.x").is_recording()
    assert task.provider.get_tracer("airflow.providers.common.ai").start_span("s").is_recording()


def test_what_only_the_sdk_has_is_there(task: Task) -> None:
    """Instrumentations look for it."""
    assert task.provider.resource is task._sdk.resource
    with pytest.raises(AttributeError):
        _ = task.provider._private
