"""Pythons of 3.12 or later, which warn of forks: where they are, and one with the package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.environments import new_python_environments

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT: Final = Path(__file__).parents[2]
OLDEST: Final = (3, 12)


@cache
def warns_of_forks(python: Path) -> bool:
    """Say whether it is a Python of 3.12 or later that works."""
    ask = [str(python), "-c", f"import sys; sys.exit(sys.version_info < {OLDEST})"]
    try:
        return subprocess.run(ask, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def new_airflows() -> list[Path]:
    """Return the Airflow environments with such a Python."""
    return [
        folder for folder in new_python_environments() if warns_of_forks(folder / "bin" / "python")
    ]


def _pythons() -> Iterable[Path]:
    yield Path(sys.executable)
    for minor in (12, 13, 14):
        found = shutil.which(f"python3.{minor}")
        if found:
            yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob("versions/3.*/bin/python"))


def with_package(folder: Path) -> Path | None:
    """Return such a Python that has the package; None where there is no such Python."""
    for environment in new_airflows():
        return environment / "bin" / "python"
    base = next(filter(warns_of_forks, _pythons()), None)
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if base is None or uv is None:
        return None
    python = folder / "bin" / "python"
    subprocess.run([uv, "venv", "-q", "-p", str(base), str(folder)], check=True)
    subprocess.run([uv, "pip", "install", "-q", "-p", str(python), str(ROOT)], check=True)
    return python
