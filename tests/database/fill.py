"""Fills a migrated database of Airflow's with a busy installation's rows, and tells our plans.

Runs in Airflow's environment. Prints JSON: for each of our queries its plan and its milliseconds.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow import settings
from airflow.models.dagrun import DagRun
from sqlalchemy import event, text

from airflow_provider_pipeline_otel.skeleton import database, due, jobs
from airflow_provider_pipeline_otel.skeleton.windows import Window

RUNS, TASKS, RUNNING = 50_000, 20, 10
NOW = datetime.now(UTC)
WINDOW = Window(NOW - timedelta(minutes=10), NOW)


def _columns(connection: Any, table: str) -> dict[str, str]:
    """Return the columns that must be filled, with an expression for each."""
    rows = connection.execute(
        text(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = :t "
            "AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'"
        ),
        {"t": table},
    )
    kinds = {
        "integer": "0",
        "bigint": "0",
        "boolean": "false",
        "uuid": "gen_random_uuid()",
        "bytea": "''::bytea",
        "timestamp with time zone": "now()",
        "json": "'{}'::json",
        "jsonb": "'{}'::jsonb",
    }
    return {name: kinds.get(kind, "'x'") for name, kind in rows}


def _fill(connection: Any, table: str, source: str, said: dict[str, str]) -> None:
    columns = _columns(connection, table) | said
    names, values = ", ".join(columns), ", ".join(columns.values())
    connection.execute(text(f"INSERT INTO {table} ({names}) SELECT {values} FROM {source}"))  # noqa: S608


def fill() -> None:
    """Write so many runs, their task instances, and tries that were retried."""
    ended = f"now() - interval '1 day' * (({RUNS} - n) / 100)"
    is_running = f"n > {RUNS - RUNNING}"
    run = {
        "dag_id": "'dag_' || (n % 200)",
        "run_id": "'run_' || n",
        "state": f"CASE WHEN {is_running} THEN 'running' ELSE 'success' END",
        "run_type": "'manual'",
        "start_date": f"{ended} - interval '1 hour'",
        "end_date": f"CASE WHEN {is_running} THEN NULL ELSE {ended} END",
        "queued_at": f"{ended} - interval '1 hour'",
    }
    logical = "execution_date" if hasattr(DagRun, "execution_date") else "logical_date"
    run[logical] = f"{ended} - n * interval '1 microsecond'"
    tries = {
        "dag_id": run["dag_id"],
        "run_id": run["run_id"],
        "task_id": "'task_' || t",
        "map_index": "-1",
        "try_number": "1",
        "state": "'success'",
        "start_date": f"{ended} - interval '1 minute' * t",
        "end_date": f"{ended} - interval '1 minute' * t",
        "queued_dttm": f"{ended} - interval '1 minute' * (t + 1)",
        "pid": "7",
        "hostname": "'host'",
        "pool": "'default_pool'",
    }
    series = f"generate_series(1, {RUNS}) n"
    with settings.engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))  # no foreign keys
        _fill(connection, "dag_run", series, run)
        _fill(connection, "task_instance", f"{series}, generate_series(1, {TASKS}) t", tries)
        archived = tries | {"try_number": "0"}
        if "task_instance_id" in _columns(connection, "task_instance_history"):
            archived["task_instance_id"] = "gen_random_uuid()"
        source = f"{series}, generate_series(1, 2) t"
        _fill(connection, "task_instance_history", source, archived)
        beats = {"job_type": "'LocalTaskJob'", "state": "'success'", "latest_heartbeat": ended}
        _fill(connection, "job", f"{series}, generate_series(1, 4) t", beats)
        beats = {"job_type": "'SchedulerJob'", "state": "'running'", "latest_heartbeat": "now()"}
        _fill(connection, "job", "generate_series(1, 2) n", beats)
    with settings.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def ask(connection: Any) -> None:
    """Ask everything that the scheduler asks, of runs that go on, and of one that has ended."""
    due.read_running(connection)
    keys = [(f"dag_{n % 200}", f"run_{n}") for n in range(RUNS - RUNNING, RUNS)]
    runs = database.read_runs(connection, keys)
    assert len(runs) == RUNNING
    found = database.read_rows(connection, runs.values())
    assert sum(len(rows.tries) for rows in found) == RUNNING * TASKS
    assert due.read_ended(connection, NOW - timedelta(hours=25))
    assert due.read_runs_in_window(connection, WINDOW, NOW - timedelta(hours=1))
    assert due.read_small_runs(connection, keys)
    due.has_running_tries(connection, keys[0], NOW)
    database.read_state(connection, keys[0], "task_1", -1)
    assert jobs.read_schedulers(connection, NOW - timedelta(minutes=5))
    assert jobs.read_last_scheduler(connection, 10**6)


def main() -> None:
    """Fill, ask, and explain what was asked."""
    fill()
    asked: list[tuple[str, Any]] = []
    with settings.engine.connect() as connection:

        @event.listens_for(connection, "before_cursor_execute")
        def _note(*said: Any) -> None:
            asked.append((said[2], said[3]))

        ask(connection)
        event.remove(connection, "before_cursor_execute", _note)
        raw = connection.connection.cursor()
        plans = []
        for statement, parameters in asked:
            began = time.perf_counter()
            raw.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement, parameters)
            plan = raw.fetchone()[0][0]
            plans.append(
                {"statement": statement, "ms": plan["Execution Time"], "plan": plan["Plan"]}
            )
            assert time.perf_counter() - began < 60
    json.dump(plans, sys.stdout)


if __name__ == "__main__":
    main()
