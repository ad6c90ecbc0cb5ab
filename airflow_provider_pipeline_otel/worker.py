"""worker.<task>: the span of the process that works on a try, from its first hook to its last."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_pipeline_otel import secrets_masker, silence
from airflow_provider_pipeline_otel.exceptions import describe, type_of
from airflow_provider_pipeline_otel.guard import guarded
from airflow_provider_pipeline_otel.identity import span_id_of_try, trace_id_of_run
from airflow_provider_pipeline_otel.semconv import attributes as names
from airflow_provider_pipeline_otel.switches import is_dag_off, is_task_off

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token
    from types import FrameType

    from opentelemetry.trace import Span

    from airflow_provider_pipeline_otel.config import Settings

_FAILED: Final = frozenset({"failed", "up_for_retry"})


class _Worker:
    """The try that this process works on."""

    def __init__(self, ti: Any, span: Span, token: Token[Any]) -> None:  # noqa: ANN401
        self.pid = os.getpid()
        self.ti = ti
        self.span = span
        self.token = token
        self.cpu_time = _cpu_time()
        self.terminated = False

    def is_of(self, ti: Any) -> bool:  # noqa: ANN401
        return _key(self.ti) == _key(ti)


class _State:
    settings: Settings | None = None
    worker: _Worker | None = None


_state: Final = _State()


def configure(settings: Settings) -> None:
    """Take the settings that the plugin has read."""
    _state.settings = settings


def _key(ti: Any) -> tuple[str, str, str, int, int]:  # noqa: ANN401
    return ti.dag_id, ti.run_id, ti.task_id, ti.map_index, ti.try_number


def _own() -> _Worker | None:
    """Return the worker of this very process, not one inherited by a fork."""
    worker = _state.worker
    return worker if worker is not None and worker.pid == os.getpid() else None


def open_worker(ti: Any) -> None:  # noqa: ANN401
    """Open the span, make it current for all that the task does, and write its start to disk."""
    _close_left_over()
    if not ti.try_number:  # `airflow tasks test` has no run
        return
    if _is_off(ti):
        silence.begin()
        return
    # 3.x: the one public way to the run; 2.11: the row's own relation, loaded already.
    dag_run = getattr(ti, "dag_run", None) or ti.get_template_context()["dag_run"]
    if dag_run.start_date is None:
        return
    trace_id = trace_id_of_run(ti.dag_id, ti.run_id, dag_run.start_date)
    try_id = span_id_of_try(trace_id, ti.task_id, ti.map_index, ti.try_number)
    _open_span(ti, trace_id, try_id)
    if _state.settings is not None and _state.settings.trigger_links:
        _hand_over_trace(ti.task, f"00-{trace_id.hex()}-{try_id.hex()}-01")


def _is_off(ti: Any) -> bool:  # noqa: ANN401
    patterns = _state.settings.disabled_dags if _state.settings is not None else ()
    dag = getattr(ti.task, "dag", None)
    tags = getattr(dag, "tags", None) or ()
    return is_dag_off(patterns, ti.dag_id, tags) or (dag is not None and is_task_off(ti.task))


def _open_span(ti: Any, trace_id: bytes, try_id: bytes) -> None:  # noqa: ANN401
    from opentelemetry import context as context_api
    from opentelemetry import trace
    from opentelemetry.sdk.trace import ReadableSpan

    from airflow_provider_pipeline_otel.sdk.configuration import install, live
    from airflow_provider_pipeline_otel.stages import SCOPE

    secrets_masker.hand_down()
    live.configure(_state.settings)
    provider, processor, _ = live.build()
    # The parent is computed, and never the ambient context: on several versions that is a
    # context of an unrelated trace, or an unsampled one.
    parent = trace.SpanContext(
        int.from_bytes(trace_id, "big"),
        int.from_bytes(try_id, "big"),
        is_remote=True,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
    )
    below = trace.set_span_in_context(trace.NonRecordingSpan(parent), context_api.Context())
    tracer = provider.get_tracer(SCOPE)
    span = tracer.start_span(f"worker.{ti.task_id}", below, attributes=_attributes(ti))
    processor.take_sums()
    install({names.PIPELINE_NAME: ti.dag_id, names.AIRFLOW_TASK_ID: ti.task_id})
    live.home.span, live.home.airflow_trace_id = span, _airflow_trace_id(ti)
    token = context_api.attach(trace.set_span_in_context(span))
    worker = _state.worker = _Worker(ti, span, token)
    if isinstance(span, ReadableSpan):  # else a sampler has dropped it
        # First the handler: Airflow may end the process as soon as the row says that it runs.
        _mark_termination(worker, guarded(partial(processor.write_open, span, terminated=True)))
        processor.write_open(span, terminated=worker.terminated)


def _attributes(ti: Any) -> dict[str, str | int]:  # noqa: ANN401
    from airflow.configuration import conf

    executor = getattr(ti.task, "executor", None) or conf.get("core", "executor", fallback="")
    said: dict[str, str | int | None] = {
        names.AIRFLOW_DAG_ID: ti.dag_id,
        names.AIRFLOW_TASK_ID: ti.task_id,
        names.AIRFLOW_DAG_RUN_RUN_ID: ti.run_id,
        names.AIRFLOW_TASK_INSTANCE_TRY_NUMBER: ti.try_number,
        names.AIRFLOW_TASK_INSTANCE_MAP_INDEX: ti.map_index,
        names.AIRFLOW_EXECUTOR: str(executor),
        names.PIPELINE_NAME: ti.dag_id,
        names.PIPELINE_SPAN_LEVEL: "skeleton",
        names.PROCESS_PID: os.getpid(),
        names.HOST_NAME: socket.gethostname(),
    }
    return {name: value for name, value in said.items() if value not in (None, "")}


def _airflow_trace_id(ti: Any) -> int:  # noqa: ANN401
    """Return the trace id of the context that Airflow 3.2+ wraps around the task, else 0."""
    carrier = getattr(ti, "context_carrier", None)
    parts = str((carrier or {}).get("traceparent", "")).split("-")
    try:
        return int(parts[1], 16)
    except (IndexError, ValueError):
        return 0


def _hand_over_trace(task: Any, traceparent: str) -> None:  # noqa: ANN401
    """Put the triggering try into the conf of the run that TriggerDagRunOperator will make."""
    if all(base.__name__ != "TriggerDagRunOperator" for base in type(task).__mro__):
        return
    conf = task.conf
    if isinstance(conf, str):
        try:
            conf = json.loads(conf)
        except ValueError:
            return  # the operator's own error to report
    if conf is None or isinstance(conf, dict):
        task.conf = {"traceparent": traceparent} | (conf or {})


def _mark_termination(worker: _Worker, mark: Callable[[], None]) -> None:
    """Say on disk that Airflow asked the process to end, should it be killed before it has ended.

    Chained before Airflow's own handler: on 3.x the task goes on, and may still end well.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    before = signal.getsignal(signal.SIGTERM)

    def handle(signum: int, frame: FrameType | None) -> None:
        if _own() is worker:
            worker.terminated = True
            mark()
        if callable(before):
            before(signum, frame)
        elif before == signal.SIG_DFL:
            signal.signal(signum, signal.SIG_DFL)
            os.kill(os.getpid(), signum)

    signal.signal(signal.SIGTERM, handle)


def close_worker(ti: Any, state: str, error: object = None) -> None:  # noqa: ANN401
    """End the span with the state that the try ended in; nothing, if it isn't this process's.

    A mark by hand fires the same hooks in the API server, which has no span open.
    """
    worker = _own()
    if worker is None or not worker.is_of(ti):
        return
    if type(error).__name__ == "AirflowTaskTerminated" and _was_cleared(ti):
        state = "restarting"
    _close(worker, state, error)


def _close(worker: _Worker, state: str, error: object = None) -> None:
    from opentelemetry import context as context_api
    from opentelemetry import trace

    from airflow_provider_pipeline_otel.sdk.configuration import live

    span, (_, processor, _) = worker.span, live.build()
    _state.worker = None
    live.home.span = None
    span.set_attributes(processor.take_sums())
    span.set_attribute(names.PIPELINE_PROCESS_CPU_TIME, _cpu_time() - worker.cpu_time)
    span.set_attribute(names.PIPELINE_PROCESS_PEAK_MEMORY, _peak_memory())
    if state in _FAILED:
        if error is not None:
            span.set_attribute(names.ERROR_TYPE, type_of(error))
            span.add_event("exception", describe(error))
        span.set_status(trace.StatusCode.ERROR)
    elif state == "success":
        span.set_status(trace.StatusCode.OK)
    elif worker.terminated:
        span.set_attribute(names.PIPELINE_PROCESS_EXIT_REASON, "terminated")
    span.end()
    context_api.detach(worker.token)


def _was_cleared(ti: Any) -> bool:  # noqa: ANN401
    """Say whether Airflow 2.11 ended the process because the running task was cleared.

    The object says `up_for_retry` by then, and only the row still says `restarting`.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from airflow_provider_pipeline_otel.run_ends import database_connection
    from airflow_provider_pipeline_otel.skeleton.database import read_state

    try:
        with database_connection() as connection:
            state = read_state(connection, (ti.dag_id, ti.run_id), ti.task_id, ti.map_index)
    except SQLAlchemyError:
        return False
    return state == "restarting"


def _cpu_time() -> float:
    import resource

    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _peak_memory() -> int:
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _close_left_over() -> None:
    """End a span that no hook has ended, as neither success nor failure.

    That is a deferral, a reschedule, a skip on 2.11 and 3.0, or a mark on 2.11: there the state is
    a human's word, and the process ended because Airflow asked it to.
    """
    worker = _own()
    if worker is not None:
        _close(worker, "")
    silence.end()


def finish() -> None:
    """End what is left, look after dead processes of this host, and deliver within the deadline."""
    _close_left_over()
    sdk = sys.modules.get("airflow_provider_pipeline_otel.sdk.configuration")
    if sdk is None or _state.settings is None:
        return
    sdk.live.finish(_state.settings.flush_deadline)
