"""The built wheel, every Airflow that has it installed, and an environment without any Airflow."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from demo.instance import AirflowInstance
from tests.environments import AIRFLOWS
from tests.packaging.question import Installed

ROOT: Final = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(
    scope="session",
    params=AIRFLOWS,
    ids=lambda folder: getattr(folder, "name", "none"),
)
def airflow(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AirflowInstance:
    """Return an Airflow with a home of its own, of which nothing runs."""
    home = tmp_path_factory.mktemp(request.param.name)
    dags = home / "dags"
    dags.mkdir()
    return AirflowInstance(request.param, home, dags)


@pytest.fixture
def installed(airflow: AirflowInstance) -> Installed:
    """Return what answers questions with that Airflow's Python, from its home folder."""
    return Installed(airflow.python, airflow.home, airflow.environment)


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Installed:
    """Return an environment with the wheel and what it depends on, and nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    venv, home = folder / "venv", folder / "home"
    home.mkdir()
    python = str(venv / "bin" / "python")
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is not None:
        subprocess.run([uv, "venv", "-q", "-p", sys.executable, str(venv)], check=True)
        install = [uv, "pip", "install", "-q", "-p", python, str(wheel)]
    else:
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        install = [python, "-m", "pip", "install", "-q", str(wheel)]
    subprocess.run(install, check=True)
    return Installed(venv / "bin" / "python", home, {"HOME": str(home), "PATH": "/usr/bin:/bin"})
