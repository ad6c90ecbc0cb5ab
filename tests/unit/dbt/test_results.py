"""Rows of every schema version and adapter, read by the keys that they have."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_pipeline_otel.dbt.results import read_result

TIMING = [
    {
        "name": "compile",
        "started_at": "2026-01-01T00:00:00.000001Z",
        "completed_at": "2026-01-01T00:00:01Z",
    },
    {
        "name": "execute",
        "started_at": "2026-01-01T00:00:02Z",
        "completed_at": "2026-01-01T00:00:03.5Z",
    },
]
SECOND = 10**9
START = 1_767_225_600 * SECOND


def row(**fields: Any) -> Any:
    """Return what is read of a row of a model."""
    return read_result({"unique_id": "model.shop.orders", "status": "success", **fields})


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"unique_id": "model.a.b", "status": "success"}, "success"),
        ({"unique_id": "test.a.b.c", "status": "Pass"}, "pass"),  # dbt 2's sources
        ({"unique_id": "model.a.b", "status": "deferred_by_state"}, "deferred_by_state"),
        ({"unique_id": "model.a.b", "status": None}, "unknown"),
        ({"unique_id": "model.a.b"}, "unknown"),
        ({"node": {"unique_id": "test.a.b"}, "status": "0"}, "pass"),  # before 0.19
        ({"node": {"unique_id": "test.a.b"}, "status": "1", "fail": True}, "fail"),
        ({"node": {"unique_id": "model.a.b"}, "error": "text", "status": "ERROR"}, "error"),
        ({"node": {"unique_id": "model.a.b"}, "skip": True, "status": None}, "skipped"),
        ({"node": {"unique_id": "test.a.b"}, "warn": True, "status": 3}, "warn"),
        ({"node": {"unique_id": "model.a.b"}, "status": "SUCCESS 1"}, "success"),
    ],
)
def test_status(fields: dict[str, Any], status: str) -> None:
    """Dbt's word in lower case; before 0.19 its flags decide."""
    found = read_result(fields)
    assert found is not None
    assert found.status == status


@pytest.mark.parametrize("damaged", [None, 7, [], {}, {"unique_id": 7}, {"unique_id": ""}])
def test_what_names_no_node(damaged: Any) -> None:
    """It is no row."""
    assert read_result(damaged) is None


def test_times_are_the_first_start_and_the_last_end() -> None:
    """Whatever the phases are called, and in which order they stand."""
    for timing in (TIMING, TIMING[::-1]):
        found = row(timing=timing)
        assert (found.start_ns, found.end_ns) == (START + 1000, START + 3 * SECOND + SECOND // 2)


@pytest.mark.parametrize(
    "timing",
    [
        None,
        [],
        "{}",
        [{}],
        ["{}"],
        [{"started_at": None, "completed_at": None}],
        [{"started_at": 7}],
    ],
)
def test_no_times(timing: Any) -> None:
    """Of a skipped node, or one that a thread lost, dbt gives none."""
    found = row(timing=timing)
    assert (found.start_ns, found.end_ns) == (None, None)


@pytest.mark.parametrize(
    ("answer", "rows"),
    [
        ({"_message": "INSERT 5", "code": "INSERT", "rows_affected": 5}, 5),
        ({"rows_affected": 5.0}, 5),  # events
        ({"rows_affected": -1}, None),
        ({"rows_affected": "-1"}, None),  # Databricks' views
        ({"rows_affected": 2**40}, 2**40),
        ({"rows_affected": 2**63}, None),
        ({"rows_affected": "many"}, None),
        ({"rows_affected": True}, None),
        ({"rows_affected": float("nan")}, None),
        ({"_message": "OK"}, None),
        ("INSERT 5", None),
        (None, None),
    ],
)
def test_rows_affected(answer: Any, rows: int | None) -> None:
    """A number of 0 or more, or nothing."""
    assert row(adapter_response=answer).rows_affected == rows


def test_zero_rows_of_adapters_that_always_say_so() -> None:
    """What an adapter says whatever was written says nothing."""
    fields = {"unique_id": "model.a.b", "adapter_response": {"rows_affected": 0}}
    for adapter, rows in (("postgres", 0), ("sqlserver", None), (None, 0)):
        found = read_result(fields, adapter)
        assert found is not None
        assert found.rows_affected == rows


def test_bigquery() -> None:
    """Bytes, slots and the job's id; a dry run's formatted text is no number."""
    answer = {"bytes_processed": 1024, "bytes_billed": 2048, "slot_ms": 9, "job_id": "job"}
    found = row(adapter_response=answer)
    assert (found.bytes_processed, found.bytes_billed, found.slot_ms) == (1024, 2048, 9)
    assert found.query_id == "job"
    assert row(adapter_response={"bytes_processed": "1.0 KiB"}).bytes_processed is None


def test_other_adapters() -> None:
    """Athena's bytes, Databricks' word for "unknown", and never Trino's SQL."""
    assert row(adapter_response={"data_scanned_in_bytes": 7}).bytes_processed == 7
    assert row(adapter_response={"query_id": "N/A"}).query_id is None
    trino = row(adapter_response={"query_id": "q", "query": "select canary"})
    assert trino.query_id == "q"
    assert "canary" not in repr(trino)


def test_an_event_calls_some_of_it_otherwise() -> None:
    """The log's words for timing, thread and failures."""
    found = row(timing_info=TIMING, thread="main", num_failures=2.0)
    assert found.start_ns == START + 1000
    assert (found.thread_id, found.failures) == ("main", 2)


def test_odd_values() -> None:
    """Texts where numbers are due, and numbers where texts are, say nothing."""
    found = row(failures="Test failure", message=7, execution_time="long", thread_id=None)
    assert (found.failures, found.message, found.execution_time) == (None, None, None)
    assert row(compiled_code="select 1").compiled_sql_length == len("select 1")
    assert row(batch_results={"successful": [[1, 2]], "failed": []}).batches_successful == 1
