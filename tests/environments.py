"""The virtual environments with an Airflow that the tests look at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NoReturn

import pytest

ROOT: Final = Path(__file__).parents[1]

REQUIRED: Final = os.environ.get("PIPELINE_OTEL_REQUIRE", "").split(",")
"""What must be here: a machine without it fails the tests that want it, instead of skipping."""

JOINED: Final = {"AIRFLOW__TRACES__OTEL_ON": "True", "OTEL_TRACES_EXPORTER": "pipeline_otel"}
"""Airflow's own tracing is on, and comes to us (Airflow 3.2 and later)."""

AIRFLOW_TRACING: Final = JOINED if os.environ.get("PIPELINE_OTEL_JOINED") else {}
"""What the instances of a whole suite have besides (see noxfile.py)."""

NO_AIRFLOW: Final = pytest.mark.skip("no Airflow: name some in PIPELINE_OTEL_AIRFLOW or .venvs/")


def environments() -> list[Path]:
    """Return those of PIPELINE_OTEL_AIRFLOW, else those that `make test` has made."""
    named = os.environ.get("PIPELINE_OTEL_AIRFLOW", "")
    if named:
        return [Path(folder) for folder in named.split(os.pathsep) if folder]
    return sorted(folder for folder in ROOT.glob(".venvs/airflow-*") if folder.is_dir())


def new_python_environments() -> list[Path]:
    """Return those that may have a Python which warns of forks; only the fork tests want them."""
    return [*environments(), *sorted(ROOT.glob(".venvs/new-python-*"))]


AIRFLOWS: Final[list[object]] = [*environments()] or [pytest.param(None, marks=NO_AIRFLOW)]
"""Parameters of a fixture that wants an Airflow."""


def skip_without(what: str, reason: str) -> NoReturn:
    """Skip the test, and say why; fail it where PIPELINE_OTEL_REQUIRE names what is missing."""
    (pytest.fail if what in REQUIRED else pytest.skip)(reason)
