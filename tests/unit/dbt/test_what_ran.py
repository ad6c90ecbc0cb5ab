"""Which rows are nodes that ran, and what their status says."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_pipeline_otel import emit_dbt_spans
from tests.unit.dbt.conftest import Project
from tests.unit.dbt.test_artifacts import node
from tests.unit.dbt.test_schema_versions import FOLDER


@pytest.mark.parametrize("which", ["compile", "docs", "generate", "list", "ls", "parse", "rpc"])
def test_compiled_only(project: Project, which: str) -> None:
    """Two hundred rows that say success are no nodes, whatever their kind."""
    rows = [node(str(number), execution_time=1e-5) for number in range(197)]
    kinds = ("test.shop.t.1", "analysis.shop.a", "operation.shop.shop-on-run-end-0")
    rows += [{"unique_id": kind, "status": "success", "failures": None} for kind in kinds]
    assert project.emit(*rows, args={"which": which}).statuses == {}
    assert project.nodes == []
    assert project.root.attributes["dbt.command"] == which


@pytest.mark.parametrize(
    ("which", "name"),
    [
        ("build", "dbt build"),
        ("generate", "dbt docs generate"),
        ("freshness", "dbt source freshness"),
        ("run-operation", "dbt run-operation"),
    ],
)
def test_the_run_is_named_by_the_words_that_were_given(
    project: Project, which: str, name: str
) -> None:
    """Of two it keeps only the last."""
    project.emit(args={"which": which})
    assert project.root.name == name


def test_a_test_that_was_compiled_is_not_shown_as_passed(project: Project) -> None:
    """Those that passed, without a message too, are."""
    compiled = {"unique_id": "test.shop.a.1", "status": "success", "message": None}
    passed = {"unique_id": "test.shop.b.2", "status": "pass", "message": None}
    summary = project.emit(compiled, passed)
    assert [span.name for span in project.nodes] == ["dbt.b"]
    assert [test.name for test in summary.tests] == ["b"]


def test_no_results(project: Project) -> None:
    """An empty selection is a run of its own."""
    project.emit()
    assert project.nodes == []
    assert project.root.status == "OK"
    assert project.root.attributes["dbt.nodes.total"] == 0


@pytest.mark.parametrize(
    "args",
    [
        {"snowflake_projects_otel": True},
        {"export_to_otlp": True},
        {"__other__": {"export_to_otlp": True}},
    ],
)
def test_a_run_that_has_drawn_its_own_spans(project: Project, args: dict[str, Any]) -> None:
    """Its nodes are there already."""
    project.emit(node("a"), args={"which": "build", **args})
    assert project.nodes == []


def test_an_error_from_before_0_19_has_its_class_too(project: Project) -> None:
    """Its text is in another place."""
    emit_dbt_spans(FOLDER / "run_results_v0.json")
    assert project["dbt.broken"].attributes["error.type"] == "database_error"


def test_a_status_from_the_future(project: Project) -> None:
    """It is nobody's fault, and the word is kept."""
    project.emit(node("a", status="deferred_by_state"), node("b", status="Reused"))
    for name, word in (("dbt.a", "deferred_by_state"), ("dbt.b", "reused")):
        assert project[name].status == "UNSET"
        assert project[name].attributes["dbt.status"] == word
    assert project.root.status == "OK"


@pytest.mark.parametrize(
    ("unique_id", "status", "expected"),
    [
        ("model.a.b", "success", "OK"),
        ("test.a.b.c", "pass", "OK"),
        ("source.a.b.c", "Pass", "OK"),
        ("test.a.b.c", "warn", "UNSET"),
        ("source.a.b.c", "warn", "UNSET"),
        ("model.a.b", "warn", "UNSET"),
        ("model.a.b", "error", "ERROR"),
        ("source.a.b.c", "error", "ERROR"),
        ("source.a.b.c", "runtime error", "ERROR"),
        ("test.a.b.c", "fail", "ERROR"),
        ("unit_test.a.b.c", "fail", "ERROR"),
        ("model.a.b", "partial success", "ERROR"),
        ("function.a.b", "partial success", "ERROR"),
        ("model.a.b", "skipped", "UNSET"),
        ("exposure.a.b", "no-op", "UNSET"),
        ("saved_query.a.b", "no-op", "UNSET"),
        ("model.a.b", "reused", "UNSET"),
        ("model.a.b", None, "UNSET"),
        ("model.a.b", 7, "UNSET"),
    ],
)
def test_statuses(project: Project, unique_id: str, status: Any, expected: str) -> None:
    """The run fails with its nodes, and with nothing else."""
    project.emit({"unique_id": unique_id, "status": status})
    (span,) = project.nodes
    assert span.status == expected
    assert ("error.type" in span.attributes) is (expected == "ERROR")
    assert project.root.status == ("ERROR" if expected == "ERROR" else "OK")


def test_a_row_of_two_keys(project: Project) -> None:
    """Previews of dbt 2 leave the others out, and so do other tools."""
    path = project.target / "run_results.json"
    path.write_text('{"results": [{"unique_id": "model.a.b", "status": "success"}]}')
    first = emit_dbt_spans(path)
    spans = project.all()
    assert (first.spans, first.invocation_id) == (2, None)
    assert project["dbt.b"].attributes["dbt.timing"] == "estimated"
    emit_dbt_spans(path)
    assert [span.span_id for span in project.all()] == [span.span_id for span in spans]
