"""The demo: runs the example DAGs on a real Airflow, then draws their traces from the spool."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from demo.instance import FINAL_STATES, AirflowInstance

ROOT: Final = Path(__file__).resolve().parent.parent
TRIGGERED: Final = ("orders", "shop", "troubles", "waiting")
RUN: Final = "demo"
SECONDS: Final = 180.0
SETTLE_SECONDS: Final = 8.0
"""The scheduler looks for dead processes every 5 s."""


def main() -> int:
    """Run the demo; 0: every run has its trace."""
    parser = argparse.ArgumentParser(prog="python -m demo")
    parser.add_argument("--venv", type=Path, default=Path(sys.prefix), help="where Airflow is")
    parser.add_argument(
        "--dbt", type=Path, default=ROOT / ".venvs" / "dbt" / "bin" / "dbt", help="which dbt"
    )
    parser.add_argument("--home", type=Path, default=ROOT / ".demo", help="where the demo writes")
    parser.add_argument("--svg", type=Path, help="write the picture of one trace there as well")
    said = parser.parse_args()
    home = said.home.absolute()
    shutil.rmtree(home, ignore_errors=True)
    spool = home / "spool"
    environment = {
        "AIRFLOW__PIPELINE_OTEL__ENABLED": "True",
        "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(spool),
        "SHOP_DATA": str(home / "shop"),
        "SHOP_DBT": str(said.dbt.absolute()),
    }
    airflow = AirflowInstance(
        said.venv.absolute(), home, ROOT / "dags", environment=environment, parallelism=4
    )
    _say(f"Airflow {airflow.version} starts in {home} (about 20 s) …")
    try:
        airflow.start(dag_ids=5)
        for dag_id in TRIGGERED:
            airflow.trigger(dag_id, RUN)
        _watch(airflow)
        time.sleep(SETTLE_SECONDS)
    finally:
        airflow.stop()
    return _show(airflow, spool, said.svg)


def _watch(airflow: AirflowInstance) -> None:
    """Say which task instances run and have ended, until all runs have."""
    statement = (
        "SELECT r.dag_id, r.state AS run_state, t.task_id, t.map_index, t.state AS state "
        "FROM dag_run r LEFT JOIN task_instance t ON t.dag_id = r.dag_id AND t.run_id = r.run_id"
    )
    said: set[tuple[str, ...]] = set()
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        rows = airflow.query(statement)
        for row in rows:
            index = (
                f"[{row['map_index']}]"
                if (row["map_index"] or 0) >= 0 and row["map_index"] is not None
                else ""
            )
            news = (row["dag_id"], f"{row['task_id']}{index}", row["state"] or "")
            if row["state"] and row["state"] not in {"scheduled", "queued"} and news not in said:
                said.add(news)
                _say(f"  {news[0]:<9} {news[1]:<18} {news[2]}")
        states = {row["dag_id"]: row["run_state"] for row in rows}
        if len(states) == len(TRIGGERED) + 1 and set(states.values()) <= set(FINAL_STATES):
            return
        time.sleep(0.3)
    _say("  not all runs have ended; what is there is shown")


def _show(airflow: AirflowInstance, spool: Path, svg: Path | None) -> int:
    command = [str(airflow.python.parent / "pipeline-otel"), "show"]
    environment = airflow.environment | {"TERM": os.environ.get("TERM", "dumb")}
    _say("")
    if svg is not None:
        picture = [*command, "troubles", "--svg", str(svg.absolute())]
        subprocess.run(
            picture, env=environment, cwd=airflow.home, check=True, stdout=subprocess.DEVNULL
        )
    done = subprocess.run(command, env=environment, cwd=airflow.home, check=False)
    folder, program = _from_here(spool), _from_here(Path(command[0]))
    _say(f"The DAG troubles is made to fail. The spans lie in {folder}; to see them again:")
    _say(f"  {program} show --file {folder} troubles    # --json: as JSON")
    _say("To bring them to a collector:")
    _say(f"  export AIRFLOW__PIPELINE_OTEL__SPOOL_DIR={folder}")
    _say(f"  OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 {program} drain")
    return done.returncode


def _from_here(path: Path) -> Path:
    """Return how to name the path in a shell of the folder that we run in."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _say(words: str) -> None:
    print(words, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
