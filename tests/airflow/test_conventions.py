"""docs/semantic-conventions.md is true: real runs emit what it lists, where and as it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.airflow.performance import Performance
    from tests.airflow.sink import Span

pytestmark = pytest.mark.timeout(900)

DOCUMENT = (Path(__file__).parents[2] / "docs" / "semantic-conventions.md").read_text()
ROW = re.compile(r"^\| `([a-z_.]+)(\.<\w+>)?` \| ([^|]+) \|[^|]*\| ([^|]+) \|", re.MULTILINE)
TYPES = {"string": str, "int": int, "double": float, "boolean": bool, "string[]": tuple}
SCOPE = "airflow_provider_pipeline_otel"
RARE = {
    # What the situations don't bring about: older or newer Airflow, other databases, other setups.
    "airflow.dag_run.partition_key",
    "pipeline.dag_run.requeued",
    "pipeline.span.start_estimated",
}


def documented() -> dict[str, tuple[type, str]]:
    """Return type and place of each documented name; those with parts below end in a dot."""
    rows = {}
    for name, parts, kind, place in ROW.findall(DOCUMENT):
        said = (TYPES[kind.split()[0]], place)
        rows[f"{name}." if parts else name] = said
    rows["pipeline.records.failed."] = rows["pipeline.records.failed"]
    return rows


def kind_of(span: Span) -> str:
    """Return what a span of ours is, in the document's word."""
    first = span.name.partition(".")[0]
    return {"dag_run": "run", "task_run": "try", "worker": "worker"}.get(first, "stage")


def row_of(name: str, rows: dict[str, tuple[type, str]]) -> tuple[type, str] | None:
    """Return the row that documents a name."""
    if name in rows:
        return rows[name]
    return next((row for key, row in rows.items() if key[-1] == "." and name.startswith(key)), None)


def test_everything_emitted_is_documented(performance: Performance) -> None:
    """Name, type, and the kind of span that has it."""
    rows = documented()
    wrong = set()
    for span in performance.sink.spans():
        if span.scope != SCOPE:
            continue
        for name, value in span.attributes.items():
            row = row_of(name, rows)
            if row is None:
                wrong.add(f"{name}: not documented, on {span.name}")
            elif not isinstance(value, row[0]):
                wrong.add(f"{name}: {value!r} is no {row[0].__name__}")
            elif kind_of(span) not in row[1] and "below" not in row[1]:
                wrong.add(f"{name}: on {span.name}, documented for {row[1]}")
    assert not wrong, "\n".join(sorted(wrong))


def test_everything_documented_is_emitted(performance: Performance) -> None:
    """Of what run, try and worker carry, nothing is made up."""
    seen = {name for span in performance.sink.spans() for name in span.attributes}
    missing = {
        name
        for name, (_, place) in documented().items()
        if re.match(r"(run|try|worker)\b", place) and name not in seen | RARE
    }
    prefixes = {name for name in missing if name.endswith(".")}
    missing -= {prefix for prefix in prefixes if any(name.startswith(prefix) for name in seen)}
    assert not missing
