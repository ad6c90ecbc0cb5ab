"""The hooks: a task's process opens and closes worker.<task> and delivers; run ends are noted.

Airflow 2.11 lets a hook's exception kill the scheduler or fail the task: every hook is guarded.
Hooks name only the arguments that they use, and pluggy passes those alone: one listener serves
Airflow 2.11 and 3.x. `tryfirst`: another listener's exception would end the call before ours.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from airflow.listeners import hookimpl

from airflow_provider_pipeline_otel import scheduler, worker
from airflow_provider_pipeline_otel.guard import guarded

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.config import Settings

_TASK_PROCESS: Final = frozenset({"TaskRunnerMarker", "TaskCommandMarker"})


def configure(settings: Settings) -> None:
    """Take the settings that the plugin has read."""
    scheduler.configure(settings)
    worker.configure(settings)


@hookimpl(tryfirst=True)
@guarded
def on_starting(component: Any) -> None:  # noqa: ANN401
    """Remember the job: it says later whether this is the scheduler. Prepare a task's process."""
    if type(component).__name__ in _TASK_PROCESS:
        _leave_dag_parsing()
    else:
        scheduler.remember_job(component)


@hookimpl(tryfirst=True)
@guarded
def before_stopping(component: Any) -> None:  # noqa: ANN401
    """End what is left of the task's span, and deliver, in every orderly end of a task process."""
    if type(component).__name__ in _TASK_PROCESS:
        worker.finish()


@hookimpl(tryfirst=True)
@guarded
def on_task_instance_running(task_instance: Any) -> None:  # noqa: ANN401
    """Open worker.<task>."""
    worker.open_worker(task_instance)


@hookimpl(tryfirst=True)
@guarded
def on_task_instance_success(task_instance: Any) -> None:  # noqa: ANN401
    """Close worker.<task> as OK."""
    worker.close_worker(task_instance, "success")


@hookimpl(tryfirst=True)
@guarded
def on_task_instance_failed(task_instance: Any, error: object) -> None:  # noqa: ANN401
    """Close worker.<task> as an error, of a try that will be retried too."""
    worker.close_worker(task_instance, "failed", error)


@hookimpl(tryfirst=True, optionalhook=True)
@guarded
def on_task_instance_skipped(task_instance: Any) -> None:  # noqa: ANN401
    """Close worker.<task> without a status (Airflow 3.1 and later)."""
    worker.close_worker(task_instance, "skipped")


@hookimpl(tryfirst=True)
@guarded
def on_dag_run_running(dag_run: Any) -> None:  # noqa: ANN401
    """Note that the run starts."""
    scheduler.note_start(dag_run)


@hookimpl(tryfirst=True)
@guarded
def on_dag_run_success(dag_run: Any) -> None:  # noqa: ANN401
    """Note that the run ends."""
    _run_ends(dag_run)


@hookimpl(tryfirst=True)
@guarded
def on_dag_run_failed(dag_run: Any) -> None:  # noqa: ANN401
    """Note that the run ends."""
    _run_ends(dag_run)


def _run_ends(dag_run: Any) -> None:  # noqa: ANN401
    # In `airflow dags test` on 2.11 nothing else says that the last task is over.
    guarded(worker.finish)()
    scheduler.note_end(dag_run)


def _leave_dag_parsing() -> None:
    """Let a task's process parse DAGs as if there were no listener (Airflow 3.2 and later).

    Airflow refuses DAGs with end_from_trigger=True where one is registered, and asks for that the
    core's manager; a task's own hooks come from the SDK's.
    """
    try:
        from airflow.sdk.listener import get_listener_manager as get_tasks
    except ImportError:
        return
    from airflow.listeners.listener import get_listener_manager as get_cores

    manager, this = get_cores().pm, sys.modules[__name__]
    if manager is not get_tasks().pm and manager.is_registered(this):
        manager.unregister(this)
