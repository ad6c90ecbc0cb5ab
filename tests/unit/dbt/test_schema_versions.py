"""One hand-written artifact per schema version, and what is read of it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from airflow_provider_pipeline_otel.dbt.artifacts import Artifact
from airflow_provider_pipeline_otel.dbt.rows import NodeRow

FOLDER = Path(__file__).parent / "artifacts"
NOON = 1_772_366_400 * 10**9
"""2026-03-01T12:00:00Z: all artifacts are of the seconds after."""


class Row(NamedTuple):
    """What is expected of a row; times are seconds after noon."""

    id: str
    status: str
    times: tuple[float, float] | None = None
    rows: int | None = None
    bytes: int | None = None
    failures: int | None = None


def read(row: NodeRow) -> Row:
    """Return what is compared of a row."""
    times = None
    if row.start_ns is not None and row.end_ns is not None:
        times = ((row.start_ns - NOON) / 10**9, (row.end_ns - NOON) / 10**9)
    return Row(
        row.unique_id, row.status, times, row.rows_affected, row.bytes_processed, row.failures
    )


RAN = (1.0, 3.5)
THEN = (4.0, 6.0)
NANOSECONDS = (1.0, 3.500000123)

EXPECTED = {
    "run_results_v0": [
        Row("model.shop.orders", "success", RAN),
        Row("model.shop.broken", "error"),
        Row("model.shop.below", "skipped"),
        Row("test.shop.unique_orders_id", "pass", failures=0),
        Row("test.shop.not_null_orders_id", "fail", failures=3),
        Row("test.shop.accepted_orders", "warn", failures=7),
        Row("model.shop.odd", "success"),
    ],
    "run_results_v1": [
        Row("model.shop.orders", "success", RAN, rows=5, bytes=1229),
        Row("test.shop.unique_orders_id.1a2b3c4d5e", "pass", THEN),
        Row("test.shop.not_null_orders_id.2b3c4d5e6f", "fail", THEN, failures=3),
        Row("test.shop.broken.3c4d5e6f70", "error"),
    ],
    "run_results_v2": [
        Row("seed.shop.countries", "success", RAN, rows=5),
        Row("test.shop.not_null_orders_id.2b3c4d5e6f", "warn", THEN, rows=1, failures=2),
    ],
    "run_results_v3": [
        Row("snapshot.shop.orders_snapshot", "success", RAN, rows=4),
        Row("test.shop.odd_count.4d5e6f7081", "fail"),
    ],
    "run_results_v4": [
        Row("operation.shop.shop-on-run-start-0", "success", RAN, failures=0),
        Row("model.shop.broken", "error"),
        Row("model.shop.half", "error", (4.0, 5.0)),
        Row("model.shop.below", "skipped"),
    ],
    "run_results_v5": [
        Row("model.shop.orders.v2", "success", RAN, rows=100),
        Row("test.shop.unique_orders_id.1a2b3c4d5e", "pass", THEN, rows=1, failures=0),
    ],
    "run_results_v6_dbt_1_8": [
        Row("model.shop.orders", "success", RAN),
        Row("unit_test.shop.orders.adds_up", "fail", THEN, failures=1),
    ],
    "run_results_v6_dbt_1_10": [
        Row("model.shop.events", "success", RAN, failures=0),
        Row("exposure.shop.dashboard", "no-op", THEN, failures=0),
    ],
    "run_results_v6_dbt_1_11": [
        Row("model.shop.events", "partial success", RAN, failures=1),
        Row("model.shop.late", "skipped"),
    ],
    "run_results_v6_dbt_1_12": [
        Row("model.shop.orders", "reused", RAN),
        Row("function.shop.rounded", "partial success", THEN),
    ],
    "run_results_dbt_2_preview": [
        Row("model.shop.orders", "success", NANOSECONDS),
        Row("model.shop.broken", "error"),
        Row("test.shop.unique_orders_id.1a2b3c4d5e", "pass"),
    ],
    "run_results_dbt_2_beta": [
        Row("model.shop.orders", "success", NANOSECONDS),
        Row("model.shop.warned", "warn"),
    ],
    "run_results_dbt_2": [
        Row("seed.shop.countries", "success", NANOSECONDS, rows=5),
        Row("model.shop.orders", "reused"),
        Row("model.shop.below", "skipped", (4.0, 4.000044)),
        Row("test.shop.unique_orders_id.1a2b3c4d5e", "pass", (5.0, 6.0), rows=1, failures=0),
    ],
    "run_results_of_other_tools": [
        Row("model.shop.orders", "success"),
        Row("sample_node", "error"),
    ],
    "sources_v0": [
        Row("source.shop.raw.orders", "warn"),
        Row("source.shop.raw.gone", "runtime error"),
    ],
    "sources_v1": [
        Row("source.shop.raw.orders", "pass"),
        Row("source.shop.raw.gone", "runtime error"),
    ],
    "sources_v2": [Row("source.shop.raw.orders", "error", RAN)],
    "sources_v3": [Row("source.shop.raw.orders", "warn", RAN)],
    "sources_dbt_2": [
        Row("source.shop.raw.orders", "pass"),
        Row("source.shop.raw.stale", "error"),
    ],
    "freshness": [
        Row("source.shop.raw.orders", "warn"),
        Row("model.shop.orders", "pass"),
    ],
}


def opened(name: str) -> Artifact:
    """Open an artifact of the folder."""
    return Artifact(FOLDER / f"{name}.json")


def test_every_artifact_has_its_expectation() -> None:
    """A fixture that nothing reads proves nothing."""
    assert sorted(file.stem for file in FOLDER.iterdir()) == sorted(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_rows(name: str) -> None:
    """Ids, statuses, times, rows, bytes and failures, in the artifact's order."""
    artifact = opened(name)
    assert [read(row) for row in artifact.rows()] == EXPECTED[name]
    assert list(artifact.ids()) == [row.id for row in EXPECTED[name]]
    assert not artifact.truncated


@pytest.mark.parametrize(
    ("name", "words", "times"),
    [
        ("run_results_v0", (None, None, None), (None, 10.0)),
        ("run_results_v1", ("0.19.1", "v1", "run"), (None, 10.0)),
        ("run_results_v2", ("0.20.2", "v2", "build"), (None, 10.0)),
        ("run_results_v3", ("0.21.0", "v3", "snapshot"), (None, 10.0)),
        ("run_results_v4", ("1.4.5", "v4", "run"), (None, 10.0)),
        ("run_results_v5", ("1.7.0", "v5", "build"), (None, 10.0)),
        ("run_results_v6_dbt_1_8", ("1.8.9", "v6", "build"), (None, 10.0)),
        ("run_results_v6_dbt_1_10", ("1.10.6", "v6", "build"), (0.0, 10.0)),
        ("run_results_v6_dbt_1_12", ("1.12.6", "v6", "build"), (0.0, 10.0)),
        ("run_results_dbt_2_preview", ("2.0.0-preview.183", "v6", "build"), (None, 10.55388074)),
        ("run_results_dbt_2", ("2.0.9", "v6", "build"), (0.118735, 10.55388074)),
        ("run_results_of_other_tools", (None, None, None), (None, None)),
        ("sources_v0", (None, None, "freshness"), (None, 10.0)),
        ("sources_v1", ("0.20.2", "v1", "freshness"), (None, 10.0)),
        ("sources_v3", ("1.11.16", "v3", "freshness"), (0.0, 10.0)),
        ("freshness", ("2.0.9", "v3", "freshness"), (None, 10.0)),
    ],
)
def test_the_run(
    name: str, words: tuple[str | None, ...], times: tuple[float | None, float | None]
) -> None:
    """Versions, command and times; `invocation_started_at` is there since 1.10."""
    run = opened(name).invocation
    assert (run.version, run.schema_version, run.command) == words
    found = [None if ns is None else (ns - NOON) / 10**9 for ns in (run.start_ns, run.end_ns)]
    assert tuple(found) == times


def test_a_target_among_nested_arguments() -> None:
    """Versions of dbt 2 put most of their arguments one level down."""
    assert opened("run_results_dbt_2_preview").invocation.target == "dev"
    assert opened("run_results_dbt_2_beta").invocation.target == "dev"


@pytest.mark.parametrize(
    ("name", "batches"),
    [("run_results_v6_dbt_1_10", (2, 0)), ("run_results_v6_dbt_1_11", (1, 1))],
)
def test_batches_of_a_microbatch_model(name: str, batches: tuple[int, int]) -> None:
    """Their numbers; the ranges are of event time, and no times of the batches."""
    row = next(opened(name).rows())
    assert (row.batches_successful, row.batches_failed) == batches


@pytest.mark.parametrize(
    ("name", "ages"),
    [
        ("sources_v0", [3595.0, None]),
        ("sources_v1", [60.0, None]),
        ("sources_v2", [3600.0]),
        ("sources_v3", [62.5]),
        ("sources_dbt_2", [3600.0, 2_419_200.0]),
        ("freshness", [3600.0, 60.0]),
    ],
)
def test_ages_of_sources(name: str, ages: list[float | None]) -> None:
    """Of a source that can't be read there is none."""
    assert [row.freshness_seconds for row in opened(name).rows()] == ages


def test_names() -> None:
    """What stands after the package; a test's is the third part, a unit test's the last."""
    found = {
        row.unique_id: row.name
        for name in EXPECTED
        for row in opened(name).rows()
        if row.name != row.unique_id.split(".")[-1]
    }
    assert found == {
        "model.shop.orders.v2": "orders.v2",
        "source.shop.raw.gone": "raw.gone",
        "source.shop.raw.orders": "raw.orders",
        "source.shop.raw.stale": "raw.stale",
        "test.shop.broken.3c4d5e6f70": "broken",
        "test.shop.not_null_orders_id.2b3c4d5e6f": "not_null_orders_id",
        "test.shop.odd_count.4d5e6f7081": "odd_count",
        "test.shop.unique_orders_id.1a2b3c4d5e": "unique_orders_id",
    }
