"""10,000 damaged artifacts: each gives spans, or is said to be unreadable; nothing else."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any, Final

import pytest

from airflow_provider_pipeline_otel.dbt.artifacts import Artifact, Unreadable
from airflow_provider_pipeline_otel.dbt.emit import artifact_records, read_manifest_beside
from airflow_provider_pipeline_otel.export.encoding import encode_span
from airflow_provider_pipeline_otel.export.redaction import Redactor

MUTANTS: Final = 10_000
ODD: Final = [
    None, True, 0, -1, 2**70, 1.5, float("nan"), float("inf"),
    "", "N/A", "\ud800", "\0", "x" * 5000,
    "2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
    [], {}, [[]], {"": None}, ["model.shop.a"] * 3, {"nodes": [1]},
]  # fmt: skip
ROW: Final[dict[str, Any]] = {
    "status": "success",
    "timing": [
        {"started_at": "2026-01-01T00:00:00Z", "completed_at": "2026-01-01T00:00:01Z"},
        {"started_at": "2026-01-01T00:00:01Z", "completed_at": "2026-01-01T00:00:02Z"},
    ],
    "thread_id": "Thread-1 (worker)",
    "execution_time": 2.5,
    "adapter_response": {"_message": "INSERT 5", "rows_affected": 5, "query_id": "q"},
    "message": "INSERT 5",
    "failures": None,
    "unique_id": "model.shop.a",
    "compiled_code": "select 1",
    "relation_name": '"db"."main"."a"',
    "batch_results": {"successful": [["2026-01-01", "2026-01-02"]], "failed": []},
    "max_loaded_at_time_ago_in_s": 7.5,
}
RUN: Final[dict[str, Any]] = {
    "metadata": {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json",
        "dbt_version": "1.11.16",
        "generated_at": "2026-01-01T00:00:10Z",
        "invocation_id": "an-id",
        "invocation_started_at": "2026-01-01T00:00:00Z",
        "env": {},
    },
    "results": [ROW, ROW | {"unique_id": "test.shop.t.1", "status": "fail", "failures": 2}],
    "elapsed_time": 9.5,
    "args": {"which": "build"},
}
MANIFEST: Final[dict[str, Any]] = {
    "metadata": {"adapter_type": "duckdb", "project_name": "shop"},
    "nodes": {
        "model.shop.a": {
            "depends_on": {"nodes": ["model.shop.a", "test.shop.t.1"]},
            "config": {"materialized": "ephemeral", "severity": "ERROR"},
            "tags": ["x"],
            "relation_name": "a",
            "group": "g",
        },
        "test.shop.t.1": {"depends_on": {"nodes": []}, "attached_node": "model.shop.a"},
    },
    "sources": {},
    "unit_tests": {},
}


def places(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Return all (container, key) of a JSON value."""
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    for key in keys:
        found.append((value, key))
        if isinstance(value[key], dict | list):
            places(value[key], found)
    return found


def mutant(whole: Any, chance: random.Random) -> bytes:
    """Drop, retype or double some parts; cut, or flip a byte."""
    value = copy.deepcopy(whole)
    for _ in range(chance.randrange(4)):
        container, key = chance.choice(places(value, []))
        if chance.random() < 0.3:
            del container[key]
        else:
            container[key] = copy.deepcopy(chance.choice(ODD))
        if not value:
            break
    data = json.dumps(value).encode()
    if chance.random() < 0.1:  # a key that comes twice
        data = data.replace(b'"status"', b'"status": 7, "status"', 1)
    if chance.random() < 0.3:
        data = data[: len(data) * chance.randrange(1, 101) // 100]
    if data and chance.random() < 0.2:
        at = chance.randrange(len(data))
        data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
    return data


@pytest.mark.timeout(300)
def test_mutants(tmp_path: Path) -> None:
    """No exception but the one that says so; what comes out can be encoded."""
    chance = random.Random(9)  # noqa: S311
    spans = unreadable = 0
    run, manifest = tmp_path / "run_results.json", tmp_path / "manifest.json"
    for number in range(MUTANTS):
        run.write_bytes(mutant(RUN, chance))
        manifest.write_bytes(mutant(MANIFEST, chance))
        try:
            artifact = Artifact(run)
            for record in artifact_records(artifact, read_manifest_beside(run)):
                assert 0 <= record.start_ns <= record.end_ns, number
                assert encode_span(Redactor().redact(record))
                spans += 1
        except Unreadable:
            unreadable += 1
    assert spans > MUTANTS
    assert MUTANTS // 20 < unreadable < MUTANTS // 2
