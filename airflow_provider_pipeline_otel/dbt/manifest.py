"""manifest.json → the facts of each node that spans are told with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from airflow_provider_pipeline_otel.dbt.artifacts import Unreadable, read_file
from airflow_provider_pipeline_otel.dbt.rows import Manifest, NodeFacts
from airflow_provider_pipeline_otel.dbt.values import NO_JSON, read_text


class _Config(msgspec.Struct, gc=False):
    materialized: Any = None
    severity: Any = None
    group: Any = None


class _DependsOn(msgspec.Struct, gc=False):
    nodes: Any = None


class _Node(msgspec.Struct, gc=False):
    """Only what is needed: SQL and macros are nine tenths of the file, and stay bytes."""

    depends_on: _DependsOn | None = None
    config: _Config | None = None
    relation_name: Any = None
    original_file_path: Any = None
    package_name: Any = None
    group: Any = None
    tags: Any = None
    database: Any = None
    schema: Any = None
    alias: Any = None
    attached_node: Any = None
    column_name: Any = None
    model: Any = None


class _File(msgspec.Struct):
    metadata: dict[str, Any] | None = None
    nodes: dict[str, _Node] | None = None
    sources: dict[str, _Node] | None = None
    unit_tests: dict[str, _Node] | None = None
    functions: dict[str, _Node] | None = None
    exposures: dict[str, _Node] | None = None


def read_manifest(path: Path) -> Manifest:
    """Return the manifest; Unreadable: there is none, or it is none."""
    data = read_file(path)
    try:
        found = msgspec.json.decode(data, type=_File, strict=False)
    except NO_JSON:
        found = _read_odd(path, data)
    metadata = found.metadata or {}
    groups = (found.nodes, found.sources, found.unit_tests, found.functions, found.exposures)
    return Manifest(
        adapter=read_text(metadata.get("adapter_type")),
        project=read_text(metadata.get("project_name")),
        nodes={
            unique_id: _facts(node) for group in groups for unique_id, node in (group or {}).items()
        },
    )


def _read_odd(path: Path, data: bytes) -> _File:
    """Read what strict JSON isn't, or what has another shape somewhere: the rest still counts."""
    try:
        text = data.decode(json.detect_encoding(data), "replace").lstrip()
        whole, _ = json.JSONDecoder(strict=False).raw_decode(text)
    except (ValueError, RecursionError) as error:
        message = f"{path} is no JSON"
        raise Unreadable(message) from error
    if not isinstance(whole, dict):
        message = f"{path} is no manifest"
        raise Unreadable(message)
    metadata = whole.get("metadata")
    return _File(
        metadata=metadata if isinstance(metadata, dict) else None,
        nodes=dict(_odd_nodes(whole.get("nodes"))),
        sources=dict(_odd_nodes(whole.get("sources"))),
        unit_tests=dict(_odd_nodes(whole.get("unit_tests"))),
        functions=dict(_odd_nodes(whole.get("functions"))),
        exposures=dict(_odd_nodes(whole.get("exposures"))),
    )


def _odd_nodes(group: Any) -> Iterable[tuple[str, _Node]]:  # noqa: ANN401
    for unique_id, node in group.items() if isinstance(group, Mapping) else ():
        try:
            yield unique_id, msgspec.convert(node, _Node, strict=False)
        except NO_JSON:
            continue


def _facts(node: _Node) -> NodeFacts:
    config = node.config or _Config()
    nodes = node.depends_on.nodes if node.depends_on is not None else None
    return NodeFacts(
        depends_on=_texts(nodes),
        materialized=read_text(config.materialized),
        relation_name=read_text(node.relation_name),
        file_path=read_text(node.original_file_path),
        package=read_text(node.package_name),
        group=read_text(node.group) or read_text(config.group),
        tags=_texts(node.tags),
        database=read_text(node.database),
        schema=read_text(node.schema),
        alias=read_text(node.alias),
        attached_node=read_text(node.attached_node),
        column=read_text(node.column_name),
        severity=read_text(config.severity),
    )


def _texts(values: Any) -> tuple[str, ...]:  # noqa: ANN401
    """Return the texts of a list, each once."""
    found = values if isinstance(values, list) else ()
    return tuple(dict.fromkeys(value for value in found if isinstance(value, str)))
