"""Files that are missing, cut off or of something else, and odd values: one warning at most."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_pipeline_otel import emit_dbt_spans
from airflow_provider_pipeline_otel.dbt import artifacts
from airflow_provider_pipeline_otel.dbt.artifacts import Artifact, Unreadable
from tests.unit.dbt.conftest import Project
from tests.unit.dbt.test_artifacts import node
from tests.unit.dbt.test_schema_versions import FOLDER
from tests.unit.dbt.test_times import timing


def test_a_missing_file_is_one_warning(project: Project) -> None:
    """It names the path, and what may be given instead."""
    for _ in range(2):
        assert emit_dbt_spans(project.target).spans == 0
    (warning,) = project.warnings
    assert str(project.target) in warning
    assert not project.spool.exists()


def test_a_truncated_file_gives_the_nodes_before_the_break(project: Project) -> None:
    """The run says so, and that it was a success it doesn't say."""
    path = project.write(node("a", timing=timing(1, 2)), node("b"), node("c"))
    content = path.read_text()
    path.write_text(content[: content.index('"model.shop.c"')])
    assert emit_dbt_spans(path).statuses == {"success": 2}
    assert {span.name for span in project.nodes} == {"dbt.a", "dbt.b"}
    assert project.root.attributes["dbt.artifact"] == "truncated"
    assert project.root.status == "UNSET"
    (warning,) = project.warnings
    assert "breaks off" in warning


def test_a_truncated_file_with_a_failure_is_a_failure(project: Project) -> None:
    """What is known of it is enough."""
    path = project.write(node("a", status="error"), node("b"))
    content = path.read_text()
    path.write_text(content[: content.index('"model.shop.b"')])
    emit_dbt_spans(path)
    assert project.root.status == "ERROR"


@pytest.mark.parametrize("schema", ["", "https://schemas.getdbt.com/dbt/run-results/v7.json"])
def test_an_unknown_schema_is_read_by_its_keys(project: Project, schema: str) -> None:
    """One warning, and all nodes."""
    path = project.write(node("a"), metadata={"dbt_schema_version": schema}, unheard_of={"a": 1})
    for _ in range(2):
        assert emit_dbt_spans(path).statuses == {"success": 1}
    (warning,) = project.warnings
    assert "schema" in warning


def test_known_schemas_warn_of_nothing(project: Project) -> None:
    """A task's log belongs to its task."""
    for file in FOLDER.iterdir():
        if "_v0" not in file.name and "other_tools" not in file.name:
            emit_dbt_spans(file)
    assert project.warnings == []


@pytest.mark.parametrize(
    "content",
    [
        {"name": "a-package", "version": "1.0.0"},
        {"metadata": {}, "nodes": {"model.a.b": {}}, "sources": {"source.a.b.c": {}}},  # manifest
        {"metadata": {}, "nodes": {}, "sources": {}, "errors": None},  # catalog
        {"results": {"model.a.b": {"status": "success"}}},
        {"results": "model.a.b"},
        {"results": None},
    ],
)
def test_what_is_not_of_dbt_is_one_warning(project: Project, content: dict[str, Any]) -> None:
    """It is no run without nodes."""
    path = project.target / "run_results.json"
    path.write_text(json.dumps(content))
    assert emit_dbt_spans(path).spans == 0
    assert len(project.warnings) == 1
    assert not project.spool.exists()


def test_a_folder_or_pipe_of_that_name(project: Project) -> None:
    """Only regular files are opened."""
    (project.target / "run_results.json").mkdir()
    assert emit_dbt_spans(project.target).spans == 0
    with pytest.raises(Unreadable, match="no regular file"):
        Artifact(project.target / "run_results.json")


def test_a_link_is_followed_to_a_regular_file(project: Project, tmp_path: Path) -> None:
    """Whoever keeps artifacts elsewhere links to them."""
    (project.write(node("a"))).rename(tmp_path / "elsewhere.json")
    (project.target / "run_results.json").symlink_to(tmp_path / "elsewhere.json")
    assert emit_dbt_spans(project.target).statuses == {"success": 1}


def test_a_file_that_is_too_large_is_not_read(project: Project) -> None:
    """Sparse here: it takes no room, and reading it would take a gibibyte."""
    path = project.target / "run_results.json"
    with path.open("wb") as file:
        file.truncate(artifacts.MAX_BYTES + 1)
    assert emit_dbt_spans(path).spans == 0
    (warning,) = project.warnings
    assert "at most 1 GiB" in warning


def test_odd_values_never_lose_a_span(project: Project) -> None:
    """Lone surrogates, NUL, NaN, numbers beyond 64 bits, lists and dicts where none are due."""
    odd: list[Any] = [
        "\ud800",
        "\0",
        float("nan"),
        2**70,
        -(2**70),
        [],
        {},
        {"a": {}},
        True,
        "x" * 9999,
    ]
    keys = ("thread_id", "execution_time", "message", "failures", "relation_name", "compiled_code")
    keys += ("timing", "adapter_response", "batch_results", "max_loaded_at_time_ago_in_s", "status")
    rows = [node(f"{key}{at}", **{key: value}) for key in keys for at, value in enumerate(odd)]
    rows += [
        node(f"answer{key}{at}", adapter_response={key: value})
        for key in ("rows_affected", "bytes_processed", "slot_ms", "query_id", "code")
        for at, value in enumerate(odd)
    ]
    project.emit(*rows, node("\ud800\0"))
    assert len({span.span_id for span in project.nodes}) == len(rows) + 1
    assert project.warnings == []
    for span in project.nodes:
        for value in span.attributes.values():
            assert not isinstance(value, int) or 0 <= value < 2**63
