"""Times: dbt's are never moved, and what it doesn't say is estimated within the run."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_pipeline_otel import emit_dbt_spans
from tests.unit.dbt.conftest import Project
from tests.unit.dbt.test_artifacts import node, whole
from tests.unit.dbt.test_schema_versions import FOLDER

SECOND = 10**9
START = 1_767_225_600 * SECOND
"""2026-01-01T00:00:00Z, when the run of all artifacts here starts; it ends 10 s later."""
END = START + 10 * SECOND


def timing(start: float, end: float) -> list[dict[str, str]]:
    """Return the timing of a node: seconds after the start."""
    at = [f"2026-01-01T00:00:{second:09.6f}Z" for second in (start, end)]
    return [{"name": "execute", "started_at": at[0], "completed_at": at[1]}]


def without_start(**fields: Any) -> dict[str, Any]:
    """Return the metadata of a dbt before 1.10, which doesn't say when it started."""
    said = {**whole()["metadata"], **fields}
    del said["invocation_started_at"]
    return said


def test_times_that_are_missing_end_with_the_run(project: Project) -> None:
    """No longer than they took, and never before the run."""
    project.emit(
        node("a", status="error", execution_time=2.0),
        node("b", status="skipped", execution_time=0),
        node("c", execution_time=3600.0),
    )
    found = {span.name: (span.start_ns, span.end_ns) for span in project.nodes}
    assert found == {
        "dbt.a": (END - 2 * SECOND, END),
        "dbt.b": (END, END),
        "dbt.c": (START, END),
    }
    assert {span.attributes["dbt.timing"] for span in project.nodes} == {"estimated"}


def test_a_skipped_node_stands_where_what_it_waited_for_ended(project: Project) -> None:
    """The last of those above it; what took time itself did so until the end."""
    above = {"nodes": ["model.shop.a", "model.shop.b", "model.shop.not_in_this_run"]}
    project.write_manifest(
        {
            "model.shop.skipped": {"depends_on": above},
            "model.shop.below": {"depends_on": {"nodes": ["model.shop.skipped"]}},
            "model.shop.ran": {"depends_on": above},
        }
    )
    project.emit(
        node("a", timing=timing(1, 4)),
        node("b", status="error", timing=timing(1, 3)),
        node("skipped", status="skipped"),
        node("below", status="skipped"),
        node("ran", execution_time=2.0),
    )
    for name in ("dbt.skipped", "dbt.below"):
        assert (project[name].start_ns, project[name].end_ns) == (START + 4 * SECOND,) * 2
        assert project[name].attributes["dbt.timing"] == "estimated"
    assert project["dbt.ran"].end_ns == END


@pytest.mark.parametrize(
    ("phase", "start", "end"),
    [
        ({"started_at": "2026-01-01T00:00:03Z", "completed_at": None}, 3.0, 5.0),
        ({"started_at": "2026-01-01T00:00:03Z"}, 3.0, 5.0),
        ({"started_at": None, "completed_at": "2026-01-01T00:00:06Z"}, 4.0, 6.0),
        ({"started_at": "{}", "completed_at": "2026-01-01T00:00:06Z"}, 4.0, 6.0),
    ],
)
def test_the_time_that_is_known_stays(
    project: Project, phase: dict[str, Any], start: float, end: float
) -> None:
    """Only the other is estimated."""
    project.emit(node("a", timing=[phase], execution_time=2.0))
    span = project["dbt.a"]
    assert [(ns - START) / SECOND for ns in (span.start_ns, span.end_ns)] == [start, end]
    assert span.attributes["dbt.timing"] == "estimated"


def test_an_end_before_the_start(project: Project) -> None:
    """The span is empty: a negative length is refused by every backend."""
    project.emit(node("a", timing=timing(5, 4)))
    span = project["dbt.a"]
    assert (span.start_ns, span.end_ns) == (START + 5 * SECOND,) * 2


@pytest.mark.parametrize("time", ["1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "9999-01-01", ""])
def test_times_that_no_span_can_have(project: Project, time: str) -> None:
    """They count as missing."""
    project.emit(node("a", timing=[{"started_at": time, "completed_at": time}]))
    span = project["dbt.a"]
    assert (span.start_ns, span.end_ns) == (END, END)
    assert span.attributes["dbt.timing"] == "estimated"


def test_true_times_are_never_moved(project: Project) -> None:
    """Not into the task that emits them, and not in any order; the run spans them all."""
    rows = [
        node("late", timing=timing(30, 40)),
        node("early", timing=timing(2, 3)),
        node("within", timing=timing(4, 5)),
    ]
    project.emit(*rows)
    found = {span.name: (span.start_ns, span.end_ns) for span in project.nodes}
    assert found == {
        "dbt.early": (START + 2 * SECOND, START + 3 * SECOND),
        "dbt.within": (START + 4 * SECOND, START + 5 * SECOND),
        "dbt.late": (START + 30 * SECOND, START + 40 * SECOND),
    }
    assert (project.root.start_ns, project.root.end_ns) == (START, START + 40 * SECOND)
    assert not any("dbt.timing" in span.attributes for span in project.nodes)


def test_a_run_that_does_not_say_when_it_started(project: Project) -> None:
    """Before 1.10: its length, which is without parsing, before its end."""
    project.emit(node("a", timing=timing(5, 6)), metadata=without_start(), elapsed_time=7.5)
    assert (project.root.start_ns, project.root.end_ns) == (START + 2_500_000_000, END)


@pytest.mark.parametrize(("rows", "start"), [([node("a", timing=timing(5, 6))], 5), ([], 10)])
def test_the_length_of_a_run_of_dbt_2(
    project: Project, rows: list[dict[str, Any]], start: int
) -> None:
    """It is the sum of its nodes' lengths: many times the run's own."""
    metadata = without_start(dbt_version="2.0.0-preview.183")
    project.emit(*rows, metadata=metadata, elapsed_time=3600.0)
    assert project.root.start_ns == START + start * SECOND


@pytest.mark.parametrize("length", [1e18, 1e300, -1.0, "long", None])
def test_a_length_that_no_run_has(project: Project, length: Any) -> None:
    """It counts as missing."""
    project.emit(metadata=without_start(), elapsed_time=length)
    assert (project.root.start_ns, project.root.end_ns) == (END, END)


def test_a_length_that_reaches_back_before_1970(project: Project) -> None:
    """The run has its span all the same."""
    metadata = without_start(generated_at="1970-01-01T00:00:05Z")
    project.emit(metadata=metadata, elapsed_time=3600.0)
    assert (project.root.start_ns, project.root.end_ns) == (1, 5 * SECOND)


def test_nothing_has_times_in_dbt_2s_freshness(project: Project) -> None:
    """Neither sources nor models get a length."""
    emit_dbt_spans(FOLDER / "freshness.json")
    assert {span.name for span in project.nodes} == {"dbt.raw.orders", "dbt.orders"}
    assert all(span.start_ns == span.end_ns for span in project.nodes)
    assert {span.attributes["dbt.timing"] for span in project.nodes} == {"estimated"}


def test_phases_that_are_the_same_interval(project: Project) -> None:
    """As dbt 2 has them: it is one span, as long as the interval."""
    project.emit(node("a", timing=timing(1, 2) * 2, execution_time=9.0))
    (span,) = project.nodes
    assert (span.start_ns, span.end_ns) == (START + SECOND, START + 2 * SECOND)
    assert span.attributes["dbt.execution_time"] == 9.0
