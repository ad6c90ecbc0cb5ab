"""The matrix that is too long for `make test`: every Airflow on every Python, oldest dependencies.

nox                      all of it, and docs/compatibility.json
nox -s "truth-3.12(airflow='3.2')"
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv"
nox.options.error_on_external_run = True
nox.options.sessions = ["truth", "oldest_dependencies"]

ROOT = Path(__file__).parent
PYTHONS = ("3.11", "3.12", "3.13")
AIRFLOWS = ("2.11", "3.0", "3.1", "3.2", "3.3")
WITHOUT_3_13 = {"2.11", "3.0"}
"""Their own metadata excludes it."""

OLDEST = (
    "opentelemetry-api==1.27.0",
    "opentelemetry-sdk==1.27.0",
    "opentelemetry-exporter-otlp-proto-http==1.27.0",
    "opentelemetry-instrumentation-requests==0.48b0",
    "msgspec==0.18.6",
    "rich==13.0.0",
    "setuptools<81",  # the instrumentation of that time imports pkg_resources
)


def judge(session: nox.Session, airflow: str, *overrides: str, label: str = "") -> None:
    """Build and install the wheel beside Airflow, run the truth suite, note what came of it."""
    environment = ROOT / ".venvs" / f"matrix-{airflow}-{session.python}{label}"
    python = environment / "bin" / "python"
    session.install("-r", "requirements/dev.txt")
    session.run("uv", "venv", "--clear", "--python", str(session.python), str(environment))
    install = ("uv", "pip", "install", "--python", str(python))
    session.run(*install, "--compile-bytecode", "-r", f"requirements/airflow-{airflow}.txt")
    if overrides:
        session.run(*install, *overrides)
    session.run("uv", "build", "--wheel", "--out-dir", str(environment / "dist"))
    (wheel,) = (environment / "dist").glob("*.whl")
    session.run(*install, "--no-deps", str(wheel))
    report = environment / "truth.json"
    environ = {
        "PIPELINE_OTEL_AIRFLOW": str(environment),
        "PIPELINE_OTEL_TRUTH_REPORT": str(report),
    }
    try:
        session.run("python", "-m", "pytest", "tests/airflow", *session.posargs, env=environ)
    finally:
        note(f"{airflow}{label}", str(session.python), report)


def note(airflow: str, python: str, report: Path) -> None:
    """Put one leg's result into docs/compatibility.json."""
    path = ROOT / "docs" / "compatibility.json"
    legs = json.loads(path.read_text())["legs"] if path.exists() else {}
    found = json.loads(report.read_text()) if report.exists() else []
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    legs[f"airflow {airflow}, python {python}"] = {"commit": commit.stdout.strip(), "result": found}
    path.write_text(json.dumps({"legs": dict(sorted(legs.items()))}, indent=2) + "\n")


@nox.session(python=PYTHONS)
@nox.parametrize("airflow", AIRFLOWS)
def truth(session: nox.Session, airflow: str) -> None:
    """Compare every span with Airflow's database, in every situation."""
    if session.python == "3.13" and airflow in WITHOUT_3_13:
        session.skip(f"Airflow {airflow} excludes Python 3.13")
    judge(session, airflow)


@nox.session(python="3.11")
def oldest_dependencies(session: nox.Session) -> None:
    """The lowest versions that pyproject.toml allows, on the oldest Airflow."""
    judge(session, "2.11", *OLDEST, label=", oldest dependencies")
