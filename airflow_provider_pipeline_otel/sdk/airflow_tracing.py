"""Airflow's own tracing joined: its provider's spans come to the spool, each once, and true.

Airflow loads our exporter and puts the SDK's batch behind it: a thread, seconds of delay, and a
queue that drops. So a processor of ours is added to its provider as early as can be: then spans are
on disk when they end, and the exporter brings only what ended before.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from msgspec.structs import replace
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider

from airflow_provider_pipeline_otel.guard import guarded, warn_once
from airflow_provider_pipeline_otel.sdk.airflow_spans import (
    correct,
    correct_terminated,
    is_skeleton,
    is_worker,
)
from airflow_provider_pipeline_otel.sdk.configuration import Live, in_airflow, live
from airflow_provider_pipeline_otel.sdk.id_generator import SystemIdGenerator
from airflow_provider_pipeline_otel.sdk.processor import read_span
from airflow_provider_pipeline_otel.semconv import attributes as names
from airflow_provider_pipeline_otel.switches import is_dag_off

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from airflow_provider_pipeline_otel.config import Settings
    from airflow_provider_pipeline_otel.record import SpanRecord


_MADE_BEFORE: Final = (
    "airflow._shared.listeners.listener",
    "airflow.sdk._shared.listeners.listener",
    "airflow.sdk.bases.resumablejobmixin",
    "airflow.sdk.execution_time.task_runner",
)
"""Tracers of what a task's process does, made while Airflow is imported; the SDK (from 1.42 on, as
Airflow 3.2 has it) keeps them, and hands them out again."""


class _Task:
    """The task that this process works on: Airflow's span of it, and what was before its hooks.

    Until the first hook nobody knows whether the task is switched off: nothing goes to disk.
    """

    def __init__(self, worker: Span) -> None:
        self.worker = worker
        self.is_silent = False
        self.is_terminated = False
        self.is_written = False
        self.is_known = False
        self.begun: list[tuple[Span, Context | None]] = []
        self.ended: list[ReadableSpan] = []
        ids, above = worker.get_span_context(), worker.parent
        self._trace_id = ids.trace_id.to_bytes(16, "big")
        self._span_id = ids.span_id.to_bytes(8, "big")
        # Airflow's own id of the try is nobody's: the skeleton computes another one.
        self._homeless = {b"", above.span_id.to_bytes(8, "big") if above else b""}

    def bring_home(self, record: SpanRecord) -> SpanRecord:
        """Return the record below the worker, if it would hang below nothing."""
        if record.trace_id != self._trace_id or record.parent_span_id not in self._homeless:
            return record
        return replace(record, parent_span_id=self._span_id)


class JoinedProcessor(SpanProcessor):
    """Stands behind a provider of which our exporter is the exporter."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._read_settings: Callable[[], Settings] | None = None
        self._provider: TracerProvider | None = None
        self._ids: Final = SystemIdGenerator()
        self._task: _Task | None = None
        self._written_by = 0
        self._seen: WeakKeyDictionary[ReadableSpan, object] = WeakKeyDictionary()

    def expect(self, read_settings: Callable[[], Settings]) -> None:
        """Wait for the provider that our exporter is made for; a task's process finds it there."""
        if self._read_settings is None:
            os.register_at_fork(after_in_child=self.attach)
        self._read_settings = read_settings

    @guarded
    def attach(self) -> None:
        """Stand behind the global provider, where our exporter is its exporter; once."""
        provider = trace.get_tracer_provider()
        if self._read_settings is not None and isinstance(provider, TracerProvider):
            self.stand_behind(provider, self._read_settings)

    def stand_behind(self, provider: TracerProvider, read_settings: Callable[[], Settings]) -> None:
        """Take a provider's spans, and give it ids of ours."""
        if provider is self._provider:
            return
        self._provider = provider
        self._live.use(provider, read_settings, self._read)
        # Airflow's own takes ids from `random`, and user code calls `random.seed`: ids twice. Those
        # that Airflow computes are the skeleton's.
        provider.id_generator = self._ids  # type: ignore[assignment]
        for scope in _MADE_BEFORE:
            provider.get_tracer(scope).id_generator = self._ids  # type: ignore[attr-defined]
        provider.add_span_processor(self)

    def take_worker(self) -> Span | None:
        """Return the span that Airflow has begun for the task of this process, if it has.

        What was before goes to disk now, and what has no parent belongs to it from now on.
        """
        task = self._find_task()
        if task is None:
            return None
        self._ids.trace_id = task.worker.get_span_context().trace_id
        self._release(task)
        return task.worker

    def _find_task(self) -> _Task | None:
        """Return the task; after an exec its worker began before anything of ours was there."""
        if self._task is None:
            current = trace.get_current_span()
            if isinstance(current, Span) and is_worker(_scope_of(current), current.name):
                self._task = _Task(current)
                self._task.begun.append((current, None))
        return self._task

    def note_termination(self) -> None:
        """Note that Airflow has asked the process to end."""
        if self._task is not None:
            self._task.is_terminated = True

    def be_silent(self) -> None:
        """Write nothing of this process's task, not even what has ended already."""
        task = self._find_task()
        if task is not None:
            task.is_silent = task.is_known = True

    @guarded
    def end_worker(self) -> None:
        """Write the worker as ended: Airflow ends it when this process has delivered."""
        self._written_by = 0  # the process delivers
        task = self._task
        if task is None or task.is_silent or task.is_written:
            return
        task.is_written = True
        _, processor, writer = self._live.build()
        writer.write_ended(replace(processor.read(task.worker), end_ns=time.time_ns()))

    @guarded
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Write the parent's start ahead, as for all spans."""
        if self._is_left_out(span):
            return
        if is_worker(_scope_of(span), span.name):
            if span.parent is None:
                return  # of no run: ours stands there
            self._task = _Task(span)
        if self._task is not None and not self._task.is_known:
            self._task.begun.append((span, parent_context))
        else:
            self._live.build().processor.on_start(span, parent_context)

    @guarded
    def on_end(self, span: ReadableSpan) -> None:
        """Write the span, unless it has been: the exporter brings all that ended once more."""
        # No lock: a signal handler's span may end while this one does.
        if self._seen.setdefault(span, mark := object()) is not mark:
            return
        task = self._task
        if self._is_left_out(span):
            return
        if is_worker(_scope_of(span), span.name):
            if task is None or task.is_written:
                return  # of no run, or written when its process delivered
            self._release(task)
        if task is not None and not task.is_known:
            task.ended.append(span)
        else:
            self._write(span)

    def _release(self, task: _Task) -> None:
        """Let to disk what was before the first hook, and all that comes."""
        task.is_known = True
        for begun, context in task.begun:
            if begun.is_recording():
                self._live.build().processor.on_start(begun, context)
        for ended in task.ended:
            self._write(ended)
        task.begun, task.ended = [], []

    def _write(self, span: ReadableSpan) -> None:
        self._live.build().processor.on_end(span)
        self._written_by = os.getpid()

    def _read(self, span: ReadableSpan) -> SpanRecord:
        record, task = correct(read_span(span)), self._task
        if task is None:
            return record
        if is_worker(record.scope.name, record.name):
            return correct_terminated(record) if task.is_terminated else record
        return task.bring_home(record)

    def _is_left_out(self, span: ReadableSpan) -> bool:
        settings = self._live.settings
        if in_airflow() and not settings.enabled:
            warn_once(
                "OTEL_TRACES_EXPORTER=pipeline_otel, but [pipeline_otel] enabled = False: "
                "Airflow's spans go nowhere. Set it to True, or [traces] otel_on to False."
            )
            return True
        if self._task is not None and self._task.is_silent:
            return True
        dag_id = (span.attributes or {}).get(names.AIRFLOW_DAG_ID)
        is_off = isinstance(dag_id, str) and is_dag_off(settings.disabled_dags, dag_id)
        return is_off or is_skeleton(_scope_of(span), span.name)

    def shutdown(self) -> None:
        """Deliver what this process has written since."""
        self.force_flush()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Deliver what this process has written since, within the deadline of a task's end."""
        self._deliver(timeout_millis / 1000)
        return True

    @guarded
    def _deliver(self, seconds: float) -> None:
        if self._written_by == os.getpid():
            self._written_by = 0
            self._live.deliver(min(self._live.settings.flush_deadline, seconds))


def _scope_of(span: ReadableSpan) -> str:
    scope = span.instrumentation_scope
    return scope.name if scope else ""


joined: Final = JoinedProcessor(live)
