"""Measures, and writes docs/benchmarks.md."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks import delivery, tasks

ROOT: Final = Path(__file__).resolve().parent.parent


def main() -> None:
    """Run all benchmarks; ratios and differences come from one run each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--venv", type=Path, default=ROOT / ".venvs" / "airflow-3.3")
    parser.add_argument("--rounds", type=int, default=40)
    said = parser.parse_args()
    venv = said.venv.absolute()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "outages").mkdir()
        parts = {
            "A no-op task": tasks.measure(venv, home, said.rounds),
            "A run's end, in the scheduler": _in_airflow(venv, home),
            "Ten seconds of extract-transform-load": _here("benchmarks.stage", "22"),
            "A span on its way to disk": _here("benchmarks.encoding"),
            "Collectors that fail": delivery.measure(venv, home / "outages"),
            "A spool is drained": _here("benchmarks.delivery"),
            "A run of dbt": _here("benchmarks.dbt"),
        }
    (ROOT / "docs" / "benchmarks.md").write_text(_page(parts, venv, said.rounds))
    print((ROOT / "docs" / "benchmarks.md").read_text())


def _in_airflow(venv: Path, home: Path) -> list[str]:
    environ = os.environ | {
        "AIRFLOW_HOME": str(home / "run_end"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__PIPELINE_OTEL__ENABLED": "True",
        "PYTHONPATH": "",
    }
    command = [str(venv / "bin" / "python"), str(ROOT / "benchmarks" / "run_end.py")]
    migrate = [str(venv / "bin" / "airflow"), "db", "migrate"]
    subprocess.run(migrate, env=environ, cwd=home, check=True, capture_output=True)
    done = subprocess.run(
        command, env=environ, cwd=home, check=True, capture_output=True, text=True
    )
    return [line for line in done.stdout.splitlines() if line.startswith("|")]


def _here(module: str, *arguments: str) -> list[str]:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def _page(parts: dict[str, list[str]], venv: Path, rounds: int) -> str:
    version = subprocess.run(
        [venv / "bin" / "airflow", "version"], capture_output=True, text=True, check=True
    ).stdout.split()[-1]
    lines = [
        "# Benchmarks",
        "",
        f"`make bench` (`python -m benchmarks --rounds {rounds}`), {datetime.now(UTC):%Y-%m-%d}, "
        f"{os.cpu_count()} shared cores, Python {platform.python_version()}, Airflow {version}, "
        f"byte code compiled. Machines are noisy: compare within a table.",
    ]
    for title, body in parts.items():
        lines += ["", f"## {title}", "", *body]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
