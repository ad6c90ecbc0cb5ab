"""What a run's end costs the scheduler: the hook, and the work behind the commit. Needs Airflow."""

from __future__ import annotations

import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4


def _rows(run: Any, count: int, dag_version_id: Any) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    return [
        {
            "id": uuid4(),
            "task_id": "each",
            "dag_id": run.dag_id,
            "run_id": run.run_id,
            "map_index": index,
            "try_number": 1,
            "max_tries": 0,
            "state": "success",
            "start_date": now,
            "end_date": now + timedelta(seconds=3),
            "queued_dttm": now - timedelta(seconds=1),
            "operator": "PythonOperator",
            "queue": "default",
            "pool": "default_pool",
            "pool_slots": 1,
            "hostname": "worker-1",
            "pid": 4711,
            "executor_config": {},
            "dag_version_id": dag_version_id,
        }
        for index in range(count)
    ]


def _make_run(session: Any, name: str, count: int) -> Any:
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.types import DagRunType
    from sqlalchemy import insert

    now = datetime.now(UTC)
    run = DagRun(dag_id="bench", run_id=name, run_type=DagRunType.MANUAL, state="running")
    run.queued_at, run.start_date, run.run_after = now, now, now
    session.add(run)
    session.flush()
    rows = _rows(run, count, None)
    for begin in range(0, count, 500):
        session.execute(insert(TaskInstance), rows[begin : begin + 500])
    session.commit()
    return run


def main() -> None:
    """Print the report's lines."""
    from airflow import settings
    from airflow.plugins_manager import get_plugin_info  # noqa: F401
    from sqlalchemy import event

    from airflow_provider_pipeline_otel import listener, scheduler
    from airflow_provider_pipeline_otel.config import read_settings

    class Job:
        def __init__(self) -> None:
            self.job_type = "SchedulerJob"

    listener.configure(read_settings())
    scheduler.remember_job(Job())
    session = settings.Session()
    statements: list[str] = []
    event.listen(settings.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    _end(session, [_make_run(session, "warm", 10)], statements)
    print("| | hook, ms | behind the commit, ms | statements |\n| --- | --- | --- | --- |")
    for count, name in (
        (10, "a run of 10"),
        (1_000, "a run of 1,000"),
        (10_000, "a run of 10,000"),
    ):
        found = []
        for turn in range(5):
            run = _make_run(session, f"{count}-{turn}", count)
            found.append(_end(session, [run], statements))
        _print(name, found)
    runs = [_make_run(session, f"many-{n}", 20) for n in range(20)]
    _print("20 runs of 20 in one transaction", [_end(session, runs, statements)])
    sys.stdout.flush()


def _end(session: Any, runs: list[Any], statements: list[str]) -> tuple[float, float, int]:
    """End the runs as the scheduler does; return the slowest hook, the work, the statements."""
    from airflow_provider_pipeline_otel import listener, scheduler

    hooks = []
    for run in runs:
        run.state, run.end_date = "success", datetime.now(UTC)
        session.flush()
        before = len(statements)
        began = time.perf_counter()
        listener.on_dag_run_success(run)
        hooks.append(time.perf_counter() - began)
        assert len(statements) == before, "a hook runs no SQL"
    began, work = time.process_time(), scheduler._work  # noqa: SLF001
    spent = [0.0, 0.0]

    def timed(noted: Any) -> None:
        spent[1], began = len(statements), time.process_time()
        work(noted)
        scheduler._run_ends().write_rest(float("inf"))  # noqa: SLF001  the tick's
        spent[0] = time.process_time() - began

    scheduler._work = timed  # type: ignore[assignment]  # noqa: SLF001
    try:
        session.commit()
    finally:
        scheduler._work = work  # noqa: SLF001
    return max(hooks), spent[0], len(statements) - int(spent[1])


def _print(name: str, found: list[tuple[float, float, int]]) -> None:
    hook = max(one[0] for one in found) * 1000
    work = statistics.median(one[1] for one in found) * 1000
    print(f"| {name} | {hook:.2f} | {work:.0f} | {found[-1][2]} |")


if __name__ == "__main__":
    main()
