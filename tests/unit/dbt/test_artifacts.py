"""Artifacts that are whole, damaged, odd, or none."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_pipeline_otel.dbt.artifacts import Artifact, Unreadable
from airflow_provider_pipeline_otel.dbt.manifest import read_manifest

SCHEMA = "https://schemas.getdbt.com/dbt/run-results/v6.json"


def whole(*rows: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return run_results.json with these rows."""
    return {
        "metadata": {
            "dbt_schema_version": SCHEMA,
            "dbt_version": "1.11.16",
            "generated_at": "2026-01-01T00:00:10Z",
            "invocation_id": "an-id",
            "invocation_started_at": "2026-01-01T00:00:00Z",
            "env": {"PIPELINE_OTEL_NONCE": "n"},
        },
        "results": list(rows) or [node("a"), node("b"), node("c")],
        "elapsed_time": 9.5,
        "args": {"which": "build", "vars": {"secret": "canary"}},
        **fields,
    }


def node(name: str, **fields: Any) -> dict[str, Any]:
    """Return a row."""
    return {"unique_id": f"model.shop.{name}", "status": "success", "timing": [], **fields}


def written(**fields: Any) -> str:
    """Return run_results.json whose last row has these fields, not escaped."""
    return json.dumps(whole(node("a"), node("b"), node("c", **fields)), ensure_ascii=False).replace(
        "\\u0000", "\0"
    )


def opened(tmp_path: Path, content: bytes | str) -> Artifact:
    """Write the content and open it."""
    path = tmp_path / "run_results.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Artifact(path)


def names(artifact: Artifact) -> list[str]:
    """Return the names of its nodes."""
    return [row.name for row in artifact.rows()]


def test_what_it_says_of_the_run(tmp_path: Path) -> None:
    """Ids, versions, times, and what was asked for; no variable."""
    artifact = opened(tmp_path, json.dumps(whole()))
    run = artifact.invocation
    assert (run.invocation_id, run.version, run.schema_version) == ("an-id", "1.11.16", "v6")
    assert (run.command, run.elapsed_time) == ("build", 9.5)
    assert run.start_ns is not None
    assert run.end_ns == run.start_ns + 10 * 10**9
    assert "canary" not in repr(run)
    assert names(artifact) == ["a", "b", "c"]
    assert list(artifact.ids()) == ["model.shop.a", "model.shop.b", "model.shop.c"]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + json.dumps(whole()).encode(),
        json.dumps(whole(elapsed_time=float("nan"))).encode(),
        json.dumps(whole(node("a"), node("b"), node("c", message="\ud800"))).encode(),
        json.dumps(whole()).encode() + b'"tail": "of a longer file"}',
        written(message="é").encode("latin-1"),
        written(message="\ud800").encode("utf-8", "surrogatepass"),
        written(message="\0").encode(),
        written(message="é").encode("utf-16"),
        written(message="é").replace('"é"', "1e999").encode(),
        written(message="é").replace('"é"', "9" * 400).encode(),
    ],
    ids=[
        "byte order mark",
        "NaN",
        "lone surrogate, escaped",
        "extra data",
        "latin-1",
        "lone surrogate, as bytes",
        "NUL",
        "UTF-16",
        "a number without end",
        "a number of many digits",
    ],
)
def test_what_is_no_json_but_is_written(tmp_path: Path, content: bytes) -> None:
    """Nothing is lost of it."""
    artifact = opened(tmp_path, content)
    assert names(artifact) == ["a", "b", "c"]
    assert not artifact.truncated


def test_a_file_that_breaks_off(tmp_path: Path) -> None:
    """What stands before the break counts, wherever that is."""
    content = json.dumps(whole())
    end_of_second = content.index('"model.shop.c"')
    artifact = opened(tmp_path, content[:end_of_second])
    assert artifact.truncated
    assert names(artifact) == ["a", "b"]
    assert artifact.invocation.invocation_id == "an-id"


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "null", '{"results": 7}', "not dbt", "\0" * 64]
)
def test_what_is_none(tmp_path: Path, content: str) -> None:
    """It is said to be unreadable, and not a run without nodes."""
    with pytest.raises(Unreadable):
        opened(tmp_path, content)


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    """A pipe would hold the task up for ever."""
    path = tmp_path / "run_results.json"
    os.mkfifo(path)
    with pytest.raises(Unreadable, match="no regular file"):
        Artifact(path)
    with pytest.raises(Unreadable, match="can't be read"):
        Artifact(tmp_path / "missing.json")


def test_rows_that_are_odd(tmp_path: Path) -> None:
    """They are passed over; the others count."""
    rows: list[Any] = [node("a"), None, 7, {}, {"unique_id": []}, node("b"), node("b")]
    assert names(opened(tmp_path, json.dumps(whole(*rows)))) == ["a", "b", "b"]


def test_sources(tmp_path: Path) -> None:
    """sources.json has no args, and ages."""
    source = {
        "unique_id": "source.shop.raw.orders",
        "status": "pass",
        "max_loaded_at": "2026-01-01T00:00:00+00:00",
        "max_loaded_at_time_ago_in_s": 12.5,
    }
    content = whole(source)
    content["metadata"]["dbt_schema_version"] = "https://schemas.getdbt.com/dbt/sources/v3.json"
    del content["args"]
    artifact = opened(tmp_path, json.dumps(content))
    (row,) = artifact.rows()
    assert artifact.invocation.command == "freshness"
    assert (row.name, row.freshness_seconds) == ("raw.orders", 12.5)


def test_a_manifest(tmp_path: Path) -> None:
    """Facts of nodes, tests and sources; null and missing keys are fine."""
    path = tmp_path / "manifest.json"
    nodes = {
        "model.shop.a": {
            "config": {"materialized": "table", "group": "sales"},
            "depends_on": {"nodes": ["seed.shop.s", "seed.shop.s", None]},
            "tags": ["x"],
            "original_file_path": "models\\a.sql",
            "database": None,
        },
        "model.shop.bare": {},
        "model.shop.null": {"config": None, "depends_on": None, "tags": None, "meta": None},
    }
    path.write_text(json.dumps({"metadata": {"adapter_type": "duckdb"}, "nodes": nodes}))
    found = read_manifest(path)
    facts = found.nodes["model.shop.a"]
    assert found.adapter == "duckdb"
    assert (facts.materialized, facts.group, facts.tags) == ("table", "sales", ("x",))
    assert facts.depends_on == ("seed.shop.s",)
    assert set(found.nodes) == set(nodes)


@pytest.mark.parametrize("content", ["", "[]", "7", '{"nodes": '])
def test_what_is_no_manifest(tmp_path: Path, content: str) -> None:
    """It is said to be unreadable."""
    path = tmp_path / "manifest.json"
    path.write_text(content)
    with pytest.raises(Unreadable):
        read_manifest(path)


def test_an_odd_manifest(tmp_path: Path) -> None:
    """A node of another shape costs itself alone; so does the tail of a longer file."""
    path = tmp_path / "manifest.json"
    nodes = {"model.a.b": {"alias": "b"}, "model.a.c": [], "model.a.d": {"config": 7}}
    path.write_text(json.dumps({"nodes": nodes, "sources": []}) + "}}")
    assert set(read_manifest(path).nodes) == {"model.a.b"}
