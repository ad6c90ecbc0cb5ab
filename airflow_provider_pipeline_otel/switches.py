"""Switches: DAGs and tasks that leave no trace."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection

Target = TypeVar("Target")

OFF_TAG: Final = "pipeline_otel.off"
"""A DAG's tag that says so; the scheduler, which sees no DAG file, reads tags in the database."""

_OFF_TASKS: Final = "_pipeline_otel_off_tasks"


def disable_tracing(target: Target) -> Target:
    """Let a DAG leave no trace at all, or a task no spans of its own, and return it.

    A DAG gets the tag `pipeline_otel.off`, which you may as well set yourself. Of a task the run's
    trace still says when it ran and how it ended, as the database does; its process writes nothing.
    TypeError: it is neither a DAG nor a task of one.
    """
    if hasattr(target, "tags") and not hasattr(target, "task_id"):
        target.tags = {*(target.tags or ()), OFF_TAG}
        return target
    dag = getattr(target, "dag", None) if hasattr(target, "task_id") else None
    if dag is None:
        message = f"disable_tracing takes a DAG or a task of one, not {type(target).__name__}"
        raise TypeError(message)
    vars(dag).setdefault(_OFF_TASKS, set()).add(target.task_id)  # type: ignore[attr-defined]
    return target


def is_dag_off(patterns: Collection[str], dag_id: str, tags: Collection[str] = ()) -> bool:
    """Say whether a DAG leaves no trace: by its tag, or a pattern of `disabled_dags`."""
    return OFF_TAG in tags or any(fnmatchcase(dag_id, pattern) for pattern in patterns)


def is_task_off(task: Any) -> bool:  # noqa: ANN401
    """Say whether a task writes no spans of its own."""
    return task.task_id in getattr(task.dag, _OFF_TASKS, ())
