"""Looks into the scheduler's transactions: what runs inside the run hooks, which fail, and when.

All it sees goes into files under AIRFLOW_HOME: `hooks.jsonl` (every run hook, with the number of
its transaction), `statements.jsonl` (SQL inside a hook), `errors.jsonl` (statements that failed).
Where `fail-commit` names a run, the commit after its end hook fails, once. While `fail-reads`
exists, every statement of the package fails (`refused.jsonl`).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

HOME = Path(os.environ["AIRFLOW_HOME"])

inside: list[str] = []
ended: set[str] = set()
commits = 0


def note(file: str, **what) -> None:  # noqa: ANN003
    """Add a line to a file."""
    with (HOME / file).open("a") as lines:
        lines.write(json.dumps(what) + "\n")


def around(hook: str, dag_run):  # noqa: ANN001, ANN201
    """Mark the time in which the listeners of a hook run."""
    key = dag_run.run_id
    note("hooks.jsonl", hook=hook, run_id=key, transaction=f"{os.getpid()}-{commits}")
    if hook != "on_dag_run_running":
        ended.add(key)
    inside.append(hook)
    try:
        yield
    finally:
        inside.pop()


@hookimpl(hookwrapper=True)
def on_dag_run_running(dag_run):  # noqa: ANN001, ANN201
    """Look at the start of a run."""
    yield from around("on_dag_run_running", dag_run)


@hookimpl(hookwrapper=True)
def on_dag_run_success(dag_run):  # noqa: ANN001, ANN201
    """Look at the end of a run."""
    yield from around("on_dag_run_success", dag_run)


@hookimpl(hookwrapper=True)
def on_dag_run_failed(dag_run):  # noqa: ANN001, ANN201
    """Look at the end of a run."""
    yield from around("on_dag_run_failed", dag_run)


@event.listens_for(Engine, "before_cursor_execute")
def see_statement(_connection, _cursor, statement, parameters, *_rest):  # noqa: ANN001, ANN002, ANN201
    """Note SQL inside a hook."""
    if inside:
        note("statements.jsonl", hook=inside[-1], statement=statement[:200])
    if (HOME / "fail-reads").exists() and is_ours(sys._getframe()):
        note("refused.jsonl", statement=statement[:200])
        raise OperationalError(statement, parameters, Exception("injected"))


def is_ours(frame) -> bool:  # noqa: ANN001
    """Say whether the package's reader of the database is among the callers."""
    while frame is not None:
        if frame.f_globals.get("__name__") == "airflow_provider_pipeline_otel.skeleton.database":
            return True
        frame = frame.f_back
    return False


@event.listens_for(Engine, "handle_error")
def see_error(context):  # noqa: ANN001, ANN201
    """Note a statement that failed."""
    note(
        "errors.jsonl",
        error=str(context.original_exception)[:200],
        statement=str(context.statement),
    )


@event.listens_for(Session, "before_commit")
def fail_once(session):  # noqa: ANN001, ANN201
    """Fail the commit that follows the end hook of the run that `fail-commit` names."""
    wish = HOME / "fail-commit"
    if (
        ended
        and not session.in_nested_transaction()
        and wish.exists()
        and wish.read_text() in ended
    ):
        wish.unlink()
        raise OperationalError("COMMIT", {}, Exception("injected"))


@event.listens_for(Session, "after_transaction_end")
def count(session, transaction):  # noqa: ANN001, ANN201, ARG001
    """Count the transactions that are over."""
    global commits  # noqa: PLW0603
    if transaction.parent is None:
        commits += 1
        ended.clear()


class Probe(AirflowPlugin):
    """Registers this module as a listener."""

    name = "probe"
    listeners = [sys.modules[__name__]]  # noqa: RUF012 - what AirflowPlugin reads
