"""What is in the wheel, and how its sources are cut."""

from __future__ import annotations

import ast
import configparser
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.packaging.question import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES: Final = Path(__file__).parents[2] / PACKAGE
MODULE_LINES: Final = 300
FUNCTION_LINES: Final = 40


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """Every file of the package is in the wheel, py.typed too, and no file of anything else."""
    names = set(zipfile.ZipFile(wheel).namelist())
    packed = {name for name in names if ".dist-info/" not in name}
    there = {
        str(path.relative_to(SOURCES.parent))
        for path in SOURCES.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == there
    assert f"{PACKAGE}/py.typed" in packed
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_wheel_names_its_entry_points(wheel: Path) -> None:
    """Airflow finds provider and plugin, OpenTelemetry its exporter, a shell the command."""
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
    parser = configparser.ConfigParser()
    parser.read_string(archive.read(name).decode())
    assert set(parser.sections()) == {
        "apache_airflow_provider",
        "airflow.plugins",
        "console_scripts",
        "opentelemetry_traces_exporter",
        "opentelemetry_traces_sampler",
    }
    assert parser["console_scripts"]["pipeline-otel"] == f"{PACKAGE}.cli:main"


def test_modules_are_short() -> None:
    """A module has at most 300 lines."""
    lengths = {path: len(path.read_text().splitlines()) for path in SOURCES.rglob("*.py")}
    long = {
        str(path.relative_to(SOURCES)): lines
        for path, lines in lengths.items()
        if lines > MODULE_LINES
    }
    assert not long, f"modules of more than {MODULE_LINES} lines: {long}"


def test_functions_are_short() -> None:
    """A function's body has at most 40 lines, its docstring not counted."""
    long = {
        f"{path.relative_to(SOURCES)}:{function.lineno} {function.name}": lines
        for path in SOURCES.rglob("*.py")
        for function, lines in _functions(path)
        if lines > FUNCTION_LINES
    }
    assert not long, f"functions of more than {FUNCTION_LINES} lines: {long}"


def _functions(
    path: Path,
) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            yield node, (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
