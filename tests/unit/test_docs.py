"""What README and docs say is true: snippets run, tables are those of the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from airflow_provider_pipeline_otel.provider_info import OPTIONS
from airflow_provider_pipeline_otel.semconv import attributes, dbt, metrics

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
CONVENTIONS = (ROOT / "docs" / "semantic-conventions.md").read_text()


def names() -> set[str]:
    """Return all attribute names of the package."""
    return {
        value
        for module in (attributes, dbt)
        for name, value in vars(module).items()
        if name.isupper() and "." in str(value)
    }


def test_the_table_of_options_is_airflows() -> None:
    """Names, defaults and words."""
    for name, option in OPTIONS.items():
        default = f" `{option['default']}` " if option["default"] else " "
        assert f"| `{name}` |{default}| {option['description']} |" in README


def test_every_attribute_is_documented() -> None:
    """One row each, and no row for a name that isn't written."""
    documented = set(re.findall(r"^\| `([a-z_.]+)(?:\.<\w+>)?` \|", CONVENTIONS, re.MULTILINE))
    assert documented == names()


def test_every_metric_is_documented() -> None:
    """One row each."""
    known = {v for k, v in vars(metrics).items() if k.isupper() and v.startswith("pipeline_otel.")}
    documented = re.findall(r"^\| `(pipeline_otel\.[a-z_.]+)` \|", OPERATIONS, re.MULTILINE)
    assert sorted(documented) == sorted(known)


def test_links_lead_somewhere() -> None:
    """Files that README and docs name are there."""
    for document in (README, *(path.read_text() for path in (ROOT / "docs").glob("*.md"))):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", document):
            assert (ROOT / target).exists() or (ROOT / "docs" / target).exists(), target


def test_snippets_without_airflow_run(tmp_path: Path) -> None:
    """Those with operators run where Airflow is: tests/packaging."""
    snippets = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    free = [snippet for snippet in snippets if "Operator" not in snippet]
    assert free
    for snippet in free:
        environ = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-c", snippet], env=environ, cwd=tmp_path, check=True)
