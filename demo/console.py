"""Trigger, mark and clear on Airflow 2, where no REST server runs: one JSON command a line.

Executed with the Python of the Airflow under test; never imported.
"""

from __future__ import annotations

import json
import sys


def trigger(dag_id: str, run_id: str, conf: dict) -> None:
    """Start a run."""
    from airflow.api.common.trigger_dag import trigger_dag

    trigger_dag(dag_id=dag_id, run_id=run_id, conf=conf, replace_microseconds=False)


def mark_run(dag_id: str, run_id: str, state: str) -> None:
    """Set a run to success, failed or queued."""
    from airflow.api.common import mark_tasks

    mark = getattr(mark_tasks, f"set_dag_run_state_to_{state}")
    mark(dag=_dag(dag_id), run_id=run_id, commit=True)


def mark_task(dag_id: str, run_id: str, task_id: str, state: str) -> None:
    """Set a task of a run to success or failed."""
    _dag(dag_id).set_task_instance_state(task_id=task_id, run_id=run_id, state=state)


def clear(dag_id: str, run_id: str, task_ids: list[str] | None) -> None:
    """Clear tasks of a run, or all of them."""
    from airflow.models import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        run = session.query(DagRun).filter_by(dag_id=dag_id, run_id=run_id).one()
        date = run.execution_date
    _dag(dag_id).clear(task_ids=task_ids, start_date=date, end_date=date)


def _dag(dag_id: str):  # noqa: ANN202 - Airflow isn't installed where types are checked
    from airflow.models.serialized_dag import SerializedDagModel

    return SerializedDagModel.get_dag(dag_id)


def main() -> None:
    """Answer each line of standard input with one line on the first standard output."""
    answers, sys.stdout = sys.stdout, sys.stderr
    commands = {"trigger": trigger, "mark_run": mark_run, "mark_task": mark_task, "clear": clear}
    for line in sys.stdin:
        command, arguments = json.loads(line)
        try:
            commands[command](**arguments)
            answer = ""
        except Exception as error:  # noqa: BLE001 - the caller decides, whatever it is
            answer = repr(error)
        print(json.dumps(answer), file=answers, flush=True)


main()
