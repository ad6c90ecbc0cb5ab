"""Calls the operator's `execute` without a worker; run by Airflow's own Python."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from airflow_provider_pipeline_otel import DbtTracedOperator

TI = SimpleNamespace(dag_id="dag", run_id="run", task_id="dbt", map_index=-1, try_number=2)
RUN = SimpleNamespace(start_date=datetime.fromisoformat(sys.argv[1]))
MANY = """
import json, os
prefix = "DBT_ENV_CUSTOM_ENV_"
env = {k.removeprefix(prefix): v for k, v in os.environ.items() if k.startswith(prefix)}
rows = [{"unique_id": f"model.shop.m{n:02}", "status": "error"} for n in range(25)]
said = {"metadata": {"env": env}, "args": {"which": "run"}, "results": rows}
os.makedirs(os.environ["DBT_TARGET_PATH"], exist_ok=True)
with open(os.environ["DBT_TARGET_PATH"] + "/run_results.json", "w") as file:
    json.dump(said, file)
raise SystemExit(1)
"""
"""A dbt of which 25 nodes fail."""


def execute(name: str, dbt: str = "true", **known: Any) -> None:
    """Execute the operator twice, with a dbt that does nothing; `name` is what it is asked for."""
    operator = DbtTracedOperator(
        task_id="dbt", command=name, project_dir=".", dbt_executable=dbt, env={}, append_env=True
    )
    for _ in range(2):
        operator.execute({"ti": TI, **known})


def main() -> None:
    """Play what may surround a call by hand; print the message of one that fails."""
    execute("not enabled", dag_run=RUN)
    os.environ["AIRFLOW__PIPELINE_OTEL__ENABLED"] = "True"
    execute("known run", dag_run=RUN)
    execute("unknown run")
    os.environ["TRACEPARENT"] = f"00-{'a' * 32}-{'b' * 16}-01"
    execute("carried", dag_run=RUN)
    os.environ["TRACEPARENT"] = f"00-{'a' * 32}-{'b' * 16}-00"
    execute("not sampled", dag_run=RUN)
    os.environ["OTEL_SDK_DISABLED"] = "true"
    execute("disabled", dag_run=RUN)
    program = Path("dbt")
    program.write_text(f"#!{sys.executable}\n{MANY}")
    program.chmod(0o700)
    try:
        execute("many", str(program.absolute()), dag_run=RUN)
    except Exception as raised:  # noqa: BLE001  its class's home differs by version
        sys.stdout.write(json.dumps({"type": type(raised).__name__, "message": str(raised)}))


main()
