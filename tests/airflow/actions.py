"""What hands do to runs and tasks, on every supported Airflow."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from demo.instance import AirflowInstance


def mark_run(airflow: AirflowInstance, dag_id: str, run_id: str, state: str) -> None:
    """Set a run to success, failed or queued."""
    if airflow.is_airflow_2:
        airflow.command("mark_run", dag_id=dag_id, run_id=run_id, state=state)
    else:
        airflow.rest("PATCH", _run_path(dag_id, run_id), {"state": state})


def mark_task(airflow: AirflowInstance, dag_id: str, run_id: str, task_id: str, state: str) -> None:
    """Set a task of a run to success or failed."""
    if airflow.is_airflow_2:
        airflow.command("mark_task", dag_id=dag_id, run_id=run_id, task_id=task_id, state=state)
    else:
        path = f"{_run_path(dag_id, run_id)}/taskInstances/{quote(task_id, safe='')}"
        airflow.rest("PATCH", path, {"new_state": state})


def clear(
    airflow: AirflowInstance, dag_id: str, run_id: str, task_ids: Sequence[str] | None = None
) -> None:
    """Clear some tasks of a run and nothing downstream of them, or all tasks."""
    names = None if task_ids is None else list(task_ids)
    if airflow.is_airflow_2:
        airflow.command("clear", dag_id=dag_id, run_id=run_id, task_ids=names)
        return
    body = {"dry_run": False, "only_failed": False, "reset_dag_runs": True, "dag_run_id": run_id}
    if names is not None:
        body |= {"task_ids": names}
    airflow.rest("POST", f"/dags/{quote(dag_id, safe='')}/clearTaskInstances", body)


def backfill(airflow: AirflowInstance, dag_id: str, day: str, conf: Mapping[str, object]) -> None:
    """Backfill one day of a daily DAG."""
    if airflow.is_airflow_2:
        done = airflow.airflow("dags", "backfill", "-s", day, "-e", day, dag_id)
        if done.returncode:
            raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
        return
    body = {
        "dag_id": dag_id,
        "from_date": f"{day}T00:00:00Z",
        "to_date": f"{day}T00:00:00Z",
        "dag_run_conf": dict(conf),
    }
    airflow.rest("POST", "/backfills", body)


def start_partition(
    airflow: AirflowInstance, dag_id: str, run_id: str, key: str, conf: Mapping[str, object]
) -> None:
    """Start the run of one partition (Airflow 3.2 and later)."""
    body = {"dag_run_id": run_id, "logical_date": None, "conf": dict(conf), "partition_key": key}
    airflow.rest("POST", f"/dags/{quote(dag_id, safe='')}/dagRuns", body)


def try_dag(airflow: AirflowInstance, dag_id: str) -> None:
    """Run a DAG within one process of the command line."""
    done = airflow.airflow("dags", "test", dag_id)
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])


def try_task(airflow: AirflowInstance, dag_id: str, task_id: str) -> None:
    """Run a task without a run."""
    done = airflow.airflow("tasks", "test", dag_id, task_id)
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])


def _run_path(dag_id: str, run_id: str) -> str:
    return f"/dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}"
