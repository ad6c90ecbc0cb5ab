"""What a manifest adds to the spans, in the forms that versions of dbt write it in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.dbt.conftest import Project
from tests.unit.dbt.test_artifacts import node

TEST = "test.shop.unique_a_id.1a2b3c4d5e"
UNIT_TEST = "unit_test.shop.a.adds_up"


A_MODEL: dict[str, Any] = {
    "resource_type": "model",
    "name": "a",
    "package_name": "shop",
    "database": "warehouse",
    "schema": "marts",
    "alias": "a_table",
    "relation_name": '"warehouse"."marts"."a_table"',
    "original_file_path": "models/a.sql",
    "patch_path": "shop://models/a.yml",
    "tags": ["nightly", "nightly", 7],
    "config": {"materialized": "incremental", "group": "sales", "meta": {"x": 1}},
    "language": "sql",
    "contract": {"enforced": True},
    "depends_on": {"nodes": []},
}


def on(*nodes: Any, **more: Any) -> dict[str, Any]:
    """Return a node that depends on others."""
    return {"depends_on": {"nodes": list(nodes), "macros": []}, **more}


def upstream(project: Project, name: str) -> list[str]:
    """Return the names of the spans that a node's span links to."""
    names = {span.span_id: span.name for span in project.nodes}
    return [names[link["span_id"]] for link in project[name].links]


def test_all_that_is_told_of_a_model(project: Project) -> None:
    """Of version 12: what it is, whose it is, where it lies."""
    project.write_manifest(
        {"model.shop.a": A_MODEL},
        metadata={"adapter_type": "redshift", "project_name": "shop", "invocation_id": "other"},
    )
    project.emit(node("a"))
    said = project["dbt.a"].attributes
    expected = {
        "dbt.node_id": "model.shop.a",
        "dbt.node_name": "a",
        "dbt.resource_type": "model",
        "dbt.status": "success",
        "dbt.package": "shop",
        "dbt.materialization": "incremental",
        "dbt.group": "sales",
        "dbt.tags": ["nightly"],
        "dbt.relation_name": '"warehouse"."marts"."a_table"',
        "db.system.name": "aws.redshift",
        "db.namespace": "warehouse|marts",
        "db.collection.name": "a_table",
        "code.file.path": "models/a.sql",
        "pipeline.stage": "transform",
        "pipeline.tool": "dbt",
    }
    assert {name: said.get(name) for name in expected} == expected
    assert project.root.attributes["dbt.project"] == "shop"
    assert project.root.attributes["dbt.adapter"] == "redshift"


@pytest.mark.parametrize(
    ("adapter", "system"),
    [
        ("postgres", "postgresql"),
        ("redshift", "aws.redshift"),
        ("sqlserver", "microsoft.sql_server"),
        ("oracle", "oracle.db"),
        ("trino", "trino"),
        ("clickhouse", "clickhouse"),
        ("bigquery", "gcp.bigquery"),
        ("snowflake", "snowflake"),
        ("duckdb", "duckdb"),
    ],
)
def test_the_system(project: Project, adapter: str, system: str) -> None:
    """OpenTelemetry's name where it has one, else dbt's."""
    project.write_manifest({}, metadata={"adapter_type": adapter})
    project.emit(node("a"))
    assert project["dbt.a"].attributes["db.system.name"] == system


@pytest.mark.parametrize(
    ("unique_id", "stage"),
    [
        ("model.a.b", "transform"),
        ("snapshot.a.b", "transform"),
        ("operation.a.b-on-run-end-0", "transform"),
        ("seed.a.b", "load"),
        ("source.a.b.c", "extract"),
        ("test.a.b.c", "validate"),
        ("unit_test.a.b.c", "validate"),
    ],
)
def test_the_stage(project: Project, unique_id: str, stage: str) -> None:
    """Seeds load, sources are looked at, tests validate; all else transforms."""
    project.emit(
        {"unique_id": unique_id, "status": "success" if "test" not in unique_id else "pass"}
    )
    (span,) = project.nodes
    assert span.attributes["pipeline.stage"] == stage


def test_rows_are_written_by_models_seeds_and_snapshots_alone(project: Project) -> None:
    """A test's rows are those of its own query; a total of nothing is absent, not 0."""
    answer = {"rows_affected": 5, "bytes_processed": 7}
    ids = ["model.a.m", "seed.a.s", "snapshot.a.n", "test.a.t.1", "operation.a.o", "function.a.f"]
    rows = [{"unique_id": i, "status": "pass", "adapter_response": answer} for i in ids]
    summary = project.emit(*rows)
    written = {s.name: s.attributes.get("pipeline.records.written") for s in project.nodes}
    assert written == {
        "dbt.m": 5,
        "dbt.s": 5,
        "dbt.n": 5,
        "dbt.t": None,
        "dbt.o": None,
        "dbt.f": None,
    }
    assert (summary.records_written, summary.bytes_processed) == (15, 42)


def test_nothing_said_of_rows_is_nothing(project: Project) -> None:
    """It is not 0."""
    summary = project.emit(node("a", adapter_response={"rows_affected": -1}))
    assert (summary.records_written, summary.bytes_processed) == (None, None)
    assert "pipeline.records.written" not in project["dbt.a"].attributes


def test_a_test_names_what_it_tests(project: Project) -> None:
    """Node, column, severity and failures; where failing rows are stored, that table, no row."""
    project.write_manifest(
        {
            TEST: on(
                "model.shop.a",
                attached_node="model.shop.a",
                alias="unique_a_id",
                column_name="id",
                config={"severity": "ERROR"},
                test_metadata={"name": "unique", "kwargs": {"column_name": "id"}},
            )
        },
        unit_tests={UNIT_TEST: on("model.shop.a", model="a")},
    )
    relation = '"db"."dbt_test__audit"."unique_a_id"'
    summary = project.emit(
        {"unique_id": UNIT_TEST, "status": "pass", "failures": 0},
        node("a"),
        {"unique_id": TEST, "status": "fail", "failures": 3, "relation_name": relation},
    )
    said = project["dbt.unique_a_id"].attributes
    assert said["dbt.test.attached_node"] == "model.shop.a"
    assert said["dbt.test.column"] == "id"
    assert said["dbt.test.severity"] == "error"
    assert said["dbt.failures"] == 3
    assert said["dbt.relation_name"] == relation
    assert "db.collection.name" not in said
    assert upstream(project, "dbt.unique_a_id") == ["dbt.a"]
    assert project["dbt.adds_up"].attributes["dbt.test.attached_node"] == "model.shop.a"
    found = {test.name: (test.status, test.failures, test.column) for test in summary.tests}
    assert found == {"adds_up": ("pass", 0, None), "unique_a_id": ("fail", 3, "id")}


def test_a_manifest_of_dbt_2(project: Project) -> None:
    """Schema 20: null where dbt-core has empty values."""
    project.write_manifest(
        {
            "model.shop.a": {
                "config": {"materialized": "table", "meta": None, "group": None, "severity": None},
                "tags": None,
                "meta": None,
                "access": None,
                "group": None,
                "database": None,
                "schema": "main",
                "depends_on": {"macros": None, "nodes": None, "nodes_with_ref_location": []},
            },
            "model.shop.b": on("model.shop.a", depends_on_extra=None),
        },
        metadata={
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v20.json",
            "adapter_type": None,
            "project_name": None,
        },
        unit_tests=None,
        exposures={},
    )
    project.emit(node("a"), node("b"))
    said = project["dbt.a"].attributes
    assert said["dbt.materialization"] == "table"
    assert said["db.namespace"] == "main"
    assert not {"dbt.tags", "dbt.group", "db.system.name"} & set(said)
    assert upstream(project, "dbt.b") == ["dbt.a"]


def test_links(project: Project) -> None:
    """Each node once; none to what isn't in the run; seeds say nothing of what they depend on."""
    project.write_manifest(
        {
            "seed.shop.s": {"config": {"materialized": "seed"}},
            "model.shop.b": on(
                "model.shop.a", "seed.shop.s", "model.shop.a", "model.shop.elsewhere", None, 7
            ),
        }
    )
    project.emit(node("a"), {"unique_id": "seed.shop.s", "status": "success"}, node("b"))
    assert upstream(project, "dbt.b") == ["dbt.a", "dbt.s"]
    assert project["dbt.s"].links == []


def test_links_go_through_ephemeral_models(project: Project) -> None:
    """However many, also in a circle, which a damaged manifest may have."""
    ephemeral = {"config": {"materialized": "ephemeral"}}
    project.write_manifest(
        {
            "model.shop.e1": on("model.shop.a", "model.shop.e2", **ephemeral),
            "model.shop.e2": on("model.shop.e1", "model.shop.b", **ephemeral),
            "model.shop.c": on("model.shop.e2"),
        }
    )
    project.emit(node("a"), node("b"), node("c"))
    assert sorted(upstream(project, "dbt.c")) == ["dbt.a", "dbt.b"]


def test_a_path_of_windows_stays_as_it_is(project: Project) -> None:
    """It is the name by which its user knows the file."""
    project.write_manifest({"model.shop.a": {"original_file_path": "models\\staging\\a.sql"}})
    project.emit(node("a"))
    assert project["dbt.a"].attributes["code.file.path"] == "models\\staging\\a.sql"


def test_a_manifest_of_another_run(project: Project) -> None:
    """Nodes come, with what is known of them."""
    project.write_manifest({"model.shop.gone": {"alias": "gone"}, "model.shop.a": {"alias": "t"}})
    project.emit(node("a"), node("new"))
    assert project["dbt.a"].attributes["db.collection.name"] == "t"
    assert "db.collection.name" not in project["dbt.new"].attributes
    assert project.warnings == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"nodes": {"model.shop.a": '])
def test_a_damaged_manifest_costs_no_node(project: Project, content: bytes) -> None:
    """And at most one warning."""
    (project.target / "manifest.json").write_bytes(content)
    assert project.emit(node("a")).statuses == {"success": 1}
    assert len(project.warnings) <= 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("tail", ["", '"tail": "of a longer, older file"}}'])
def test_a_manifest_that_is_no_strict_json(project: Project, encoding: str, tail: str) -> None:
    """Nothing is lost of it, functions and exposures neither."""
    content = {
        "metadata": {"adapter_type": "spark"},
        "nodes": {"model.shop.a": {"alias": "à"}},
        "sources": {"source.shop.raw.s": {"alias": "s"}},
        "unit_tests": {UNIT_TEST: on("model.shop.a")},
        "functions": {"function.shop.f": {"original_file_path": "functions/f.sql"}},
        "exposures": {"exposure.shop.e": {"package_name": "shop"}},
    }
    text = json.dumps(content, ensure_ascii=False) + tail
    (project.target / "manifest.json").write_bytes(text.encode(encoding))
    ids = ["source.shop.raw.s", UNIT_TEST, "function.shop.f", "exposure.shop.e"]
    project.emit(node("a"), *({"unique_id": i, "status": "no-op"} for i in ids))
    assert project["dbt.a"].attributes["db.collection.name"] == "à"
    assert project["dbt.raw.s"].attributes["db.collection.name"] == "s"
    assert project["dbt.adds_up"].attributes["dbt.test.attached_node"] == "model.shop.a"
    assert project["dbt.f"].attributes["code.file.path"] == "functions/f.sql"
    assert project["dbt.e"].attributes["dbt.package"] == "shop"
