"""worker.<task>: the span of the process that works on a try, from its first hook to its last."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_pipeline_otel import process_usage, secrets_masker, silence, trigger_links
from airflow_provider_pipeline_otel.config import AirflowTracing
from airflow_provider_pipeline_otel.exceptions import describe, type_of
from airflow_provider_pipeline_otel.guard import guarded
from airflow_provider_pipeline_otel.identity import (
    Carrier,
    read_carrier,
    span_id_of_try,
    trace_id_of_run,
)
from airflow_provider_pipeline_otel.semconv import attributes as names
from airflow_provider_pipeline_otel.switches import is_dag_off, is_task_off

if TYPE_CHECKING:
    from types import FrameType

    from airflow_provider_pipeline_otel.config import Settings
    from airflow_provider_pipeline_otel.sdk.worker_span import WorkerSpan

_FAILED: Final = frozenset({"failed", "up_for_retry"})


class _Worker:
    """The try that this process works on."""

    def __init__(self, ti: Any, span: WorkerSpan) -> None:  # noqa: ANN401
        self.pid = os.getpid()
        self.ti = ti
        self.span = span
        self.cpu_time = process_usage.cpu_time()
        self.terminated = False

    def is_of(self, ti: Any) -> bool:  # noqa: ANN401
        return _key(self.ti) == _key(ti)

    def write_open(self) -> None:
        self.span.write_open(terminated=self.terminated)


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
    settings = _state.settings
    if settings is None or not ti.try_number:  # `airflow tasks test` has no run
        return
    joined = _carrier_of(ti) if settings.airflow_tracing is AirflowTracing.JOINED else None
    if _is_off(ti, settings) or (joined is not None and not joined.is_sampled):
        silence.begin()
        return
    if settings.airflow_tracing is AirflowTracing.FOREIGN:
        _tell_stages(ti)
        return
    trace_id = joined.trace_id if joined else _trace_id_of(ti)
    if trace_id is None:
        return
    try_id = span_id_of_try(trace_id, ti.task_id, ti.map_index, ti.try_number)
    secrets_masker.hand_down()
    _begin(ti, _open_span(ti, trace_id, try_id, is_joined=joined is not None))
    if settings.trigger_links:
        trigger_links.hand_over(ti.task, trace_id, try_id)


def _carrier_of(ti: Any) -> Carrier | None:  # noqa: ANN401
    """Return what Airflow 3.2 and later gives to the task of a trace of its own, drawn or not."""
    return read_carrier(getattr(ti, "context_carrier", None))


def _is_off(ti: Any, settings: Settings) -> bool:  # noqa: ANN401
    dag = getattr(ti.task, "dag", None)
    tags = getattr(dag, "tags", None) or ()
    is_off = is_dag_off(settings.disabled_dags, ti.dag_id, tags)
    return is_off or (dag is not None and is_task_off(ti.task))


def _tell_stages(ti: Any) -> None:  # noqa: ANN401
    """Let stages say which task they belong to, below the spans that Airflow draws itself."""
    from airflow_provider_pipeline_otel.stages import set_surroundings

    set_surroundings(None, {names.PIPELINE_NAME: ti.dag_id, names.AIRFLOW_TASK_ID: ti.task_id})


def _trace_id_of(ti: Any) -> bytes | None:  # noqa: ANN401
    # 3.x: the one public way to the run; 2.11: the row's own relation, loaded already.
    dag_run = getattr(ti, "dag_run", None) or ti.get_template_context()["dag_run"]
    if dag_run.start_date is None:
        return None
    return trace_id_of_run(ti.dag_id, ti.run_id, dag_run.start_date)


def _open_span(
    ti: Any,  # noqa: ANN401
    trace_id: bytes,
    try_id: bytes,
    *,
    is_joined: bool,
) -> WorkerSpan:
    from airflow_provider_pipeline_otel.sdk.configuration import live
    from airflow_provider_pipeline_otel.sdk.worker_span import WorkerSpan

    live.configure(_state.settings)
    attributes = _attributes(ti)
    span = WorkerSpan.take_over(attributes) if is_joined else None
    if span is not None:
        return span
    # What Airflow puts around a task whose trace is another one: spans below it go astray.
    around = None if is_joined else _carrier_of(ti)
    astray = int.from_bytes(around.trace_id, "big") if around else 0
    return WorkerSpan.open(trace_id, try_id, attributes, astray)


def _begin(ti: Any, span: WorkerSpan) -> None:  # noqa: ANN401
    worker = _state.worker = _Worker(ti, span)
    # First the handler: Airflow may end the process as soon as the row says that it runs.
    _mark_termination(worker)
    span.note_process(supervisor_lives_on=_supervisor_lives_on(_executor_of(ti)))
    worker.write_open()


def _executor_of(ti: Any) -> str:  # noqa: ANN401
    from airflow.configuration import conf

    return str(getattr(ti.task, "executor", None) or conf.get("core", "executor", fallback=""))


def _supervisor_lives_on(executor: str) -> bool:
    """Say whether the parent of a task's process runs other tasks later, on Airflow 3.

    Elsewhere it ends with its task, and so its end tells nothing.
    """
    return "airflow.sdk" in sys.modules and any(one in executor for one in ("Local", "Celery"))


def _attributes(ti: Any) -> dict[str, str | int]:  # noqa: ANN401
    said: dict[str, str | int | None] = {
        names.AIRFLOW_DAG_ID: ti.dag_id,
        names.AIRFLOW_TASK_ID: ti.task_id,
        names.AIRFLOW_DAG_RUN_RUN_ID: ti.run_id,
        names.AIRFLOW_TASK_INSTANCE_TRY_NUMBER: ti.try_number,
        names.AIRFLOW_TASK_INSTANCE_MAP_INDEX: ti.map_index,
        names.AIRFLOW_EXECUTOR: _executor_of(ti),
        names.PIPELINE_NAME: ti.dag_id,
        names.PIPELINE_SPAN_LEVEL: "skeleton",
        names.PROCESS_PID: os.getpid(),
        names.HOST_NAME: socket.gethostname(),
    }
    return {name: value for name, value in said.items() if value not in (None, "")}


def _mark_termination(worker: _Worker) -> None:
    """Say on disk that Airflow asked the process to end, should it be killed before it has ended.

    Chained before Airflow's own handler: on 3.x the task goes on, and may still end well.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    before, mark = signal.getsignal(signal.SIGTERM), guarded(worker.write_open)

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
    from opentelemetry.trace import StatusCode

    _state.worker = None
    said: dict[str, str | int | float] = {
        names.PIPELINE_PROCESS_CPU_TIME: process_usage.cpu_time() - worker.cpu_time,
        names.PIPELINE_PROCESS_PEAK_MEMORY: process_usage.peak_memory(),
    }
    status = StatusCode.UNSET
    if state in _FAILED:
        status = StatusCode.ERROR
        if error is not None:
            worker.span.fail(type_of(error), describe(error))
    elif state == "success":
        status = StatusCode.OK
    elif worker.terminated:
        said[names.PIPELINE_PROCESS_EXIT_REASON] = "terminated"
    worker.span.close(status, said)


def _was_cleared(ti: Any) -> bool:  # noqa: ANN401
    """Say whether Airflow 2.11 ended the process because the running task was cleared.

    The object says `up_for_retry` by then, and only the row still says `restarting`.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from airflow_provider_pipeline_otel.skeleton.database import read_state
    from airflow_provider_pipeline_otel.skeletons import database_connection

    try:
        with database_connection() as connection:
            state = read_state(connection, (ti.dag_id, ti.run_id), ti.task_id, ti.map_index)
    except SQLAlchemyError:
        return False
    return state == "restarting"


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
    tracing = sys.modules.get("airflow_provider_pipeline_otel.sdk.airflow_tracing")
    if tracing is not None:
        tracing.joined.end_worker()
    sdk = sys.modules.get("airflow_provider_pipeline_otel.sdk.configuration")
    if sdk is not None and _state.settings is not None:
        sdk.live.finish(_state.settings.flush_deadline)
