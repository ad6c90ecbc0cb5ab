"""The matrix that is too long for `make test`: every Airflow, every Python, every dbt.

nox                      all of it, and docs/compatibility.json, docs/dbt-compatibility.json
nox -s ordeals
nox -s "truth-3.12(airflow='3.2')"
nox -s "dbt(airflow='3.3', version='1.9')"
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv"
nox.options.error_on_external_run = True
nox.options.sessions = [
    "truth",
    "joined",
    "schedulers",
    "celery",
    "oldest_dependencies",
    "dbt",
    "ordeals",
]

ROOT = Path(__file__).parent
PYTHONS = ("3.11", "3.12", "3.13")
AIRFLOWS = ("2.11", "3.0", "3.1", "3.2", "3.3")
JOINABLE = ("3.2", "3.3")
"""Their own tracing can come to us."""

WITH_CELERY = ("2.11", "3.3")
"""Their requirements hold Celery."""

WITHOUT_3_13 = {"2.11", "3.0"}
"""Their own metadata excludes it."""

NATIVE = ", native spans"
DBTS = ("1.8", "1.9", "1.10", "1.11", "1.12", f"1.12{NATIVE}")
PINNED_DBT = "1.11"
"""That of requirements/dbt.txt, which every Airflow runs; the newest one runs them all."""

OLDEST = (
    "opentelemetry-api==1.27.0",
    "opentelemetry-sdk==1.27.0",
    "opentelemetry-exporter-otlp-proto-http==1.27.0",
    "opentelemetry-instrumentation-requests==0.48b0",
    "msgspec==0.18.6",
    "rich==13.0.0",
    "setuptools<81",  # the instrumentation of that time imports pkg_resources
)


def set_up(session: nox.Session, environment: Path, requirements: Path, *more: str) -> None:
    """Make a virtual environment of what the file pins, and more."""
    python = environment / "bin" / "python"
    session.run("uv", "venv", "--clear", "--python", str(session.python), str(environment))
    install = ("uv", "pip", "install", "--python", str(python), "--compile-bytecode")
    overrides = requirements.with_suffix(".override.txt")
    told = ("--override", str(overrides)) if overrides.exists() else ()
    session.run(*install, *told, "-r", str(requirements))
    if more:
        session.run(*install[:-1], *more)


def install_wheel(session: nox.Session, environment: Path) -> None:
    """Build the wheel and install it, without its dependencies."""
    session.run("uv", "build", "--wheel", "--out-dir", str(environment / "dist"))
    (wheel,) = (environment / "dist").glob("*.whl")
    python = environment / "bin" / "python"
    session.run("uv", "pip", "install", "--python", str(python), "--no-deps", str(wheel))


def set_up_airflow(session: nox.Session, airflow: str, *overrides: str, label: str = "") -> Path:
    """Make an environment with Airflow and the wheel; return its folder."""
    environment = ROOT / ".venvs" / f"matrix-{airflow}-{session.python}{label}"
    set_up(session, environment, ROOT / "requirements" / f"airflow-{airflow}.txt", *overrides)
    install_wheel(session, environment)
    return environment


def judge(
    session: nox.Session, airflow: str, *overrides: str, label: str = "", **options: str
) -> None:
    """Build and install the wheel beside Airflow, run the truth suite, note what came of it."""
    commit = head()
    session.install("-r", "requirements/dev.txt")
    environment = set_up_airflow(session, airflow, *overrides, label=label)
    report = environment / "truth.json"
    environ = {
        "PIPELINE_OTEL_AIRFLOW": str(environment),
        "PIPELINE_OTEL_TRUTH_REPORT": str(report),
    } | {f"PIPELINE_OTEL_{name.upper()}": value for name, value in options.items()}
    try:
        session.run("python", "-m", "pytest", "tests/airflow", *session.posargs, env=environ)
    finally:
        note("compatibility", f"airflow {airflow}{label}, python {session.python}", commit, report)


def head() -> str:
    """Return the commit that a leg starts from: others may follow while it goes on."""
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


def note(document: str, leg: str, commit: str, report: Path) -> None:
    """Put one leg's result into a JSON file in docs/."""
    path = ROOT / "docs" / f"{document}.json"
    legs = json.loads(path.read_text())["legs"] if path.exists() else {}
    found = json.loads(report.read_text()) if report.exists() else []
    legs[leg] = {"commit": commit, "result": found}
    path.write_text(json.dumps({"legs": dict(sorted(legs.items()))}, indent=2) + "\n")


@nox.session(python=PYTHONS)
@nox.parametrize("airflow", AIRFLOWS)
def truth(session: nox.Session, airflow: str) -> None:
    """Compare every span with Airflow's database, in every situation."""
    if session.python == "3.13" and airflow in WITHOUT_3_13:
        session.skip(f"Airflow {airflow} excludes Python 3.13")
    judge(session, airflow)


@nox.session(python="3.11")
@nox.parametrize("airflow", JOINABLE)
def joined(session: nox.Session, airflow: str) -> None:
    """The same with Airflow's own tracing on, its spans coming to us."""
    judge(session, airflow, label=", own tracing", joined="1")


@nox.session(python="3.11")
@nox.parametrize("airflow", AIRFLOWS)
def schedulers(session: nox.Session, airflow: str) -> None:
    """The same with two schedulers that share nothing but a PostgreSQL."""
    judge(session, airflow, label=", two schedulers", schedulers="2")


@nox.session(python="3.11")
@nox.parametrize("airflow", WITH_CELERY)
def celery(session: nox.Session, airflow: str) -> None:
    """The same with two workers of Celery besides, each with a disk of its own."""
    judge(session, airflow, label=", Celery", schedulers="2", celery_workers="2")


@nox.session(python="3.11")
def ordeals(session: nox.Session) -> None:
    """Outages, kills and secrets by the hundred, on the newest Airflow."""
    session.install("-r", "requirements/dev.txt")
    environment = set_up_airflow(session, AIRFLOWS[-1])
    environ = {"PIPELINE_OTEL_AIRFLOW": str(environment), "PIPELINE_OTEL_LONG": "1"}
    session.run("python", "-m", "pytest", "tests/long", *session.posargs, env=environ)


@nox.session(python="3.11")
def oldest_dependencies(session: nox.Session) -> None:
    """The lowest versions that pyproject.toml allows, on the oldest Airflow."""
    judge(session, "2.11", *OLDEST, label=", oldest dependencies")


@nox.session(python="3.11")
@nox.parametrize(
    ("airflow", "version"),
    [
        *((AIRFLOWS[-1], version) for version in DBTS),
        *((airflow, PINNED_DBT) for airflow in AIRFLOWS[:-1]),
    ],
)
def dbt(session: nox.Session, airflow: str, version: str) -> None:
    """Run dbt under its operator: all versions on the newest Airflow, the pinned one on all."""
    commit = head()
    session.install("-r", "requirements/dev.txt")
    number, native, _ = version.partition(NATIVE)
    pinned = "dbt" if number == PINNED_DBT else f"dbt-{number}"
    environment = ROOT / ".venvs" / f"matrix-{pinned}{'-native' if native else ''}"
    set_up(session, environment, ROOT / "requirements" / f"{pinned}.txt")
    if native:
        install_wheel(session, environment)
    report = environment / "report.json"
    environ = {
        "PIPELINE_OTEL_AIRFLOW": str(set_up_airflow(session, airflow)),
        "PIPELINE_OTEL_DBT": str(environment),
        "PIPELINE_OTEL_DBT_REPORT": str(report),
    }
    tests = ("tests/dbt/test_operator.py", "tests/dbt/test_interrupted.py")
    try:
        session.run("python", "-m", "pytest", *tests, *session.posargs, env=environ)
    finally:
        note("dbt-compatibility", f"airflow {airflow}, dbt {version}", commit, report)
