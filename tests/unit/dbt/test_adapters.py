"""One answer per adapter, and what of it is told: a number of the warehouse's, or nothing."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import msgspec
import pytest

from airflow_provider_pipeline_otel.dbt.messages import read_message
from airflow_provider_pipeline_otel.dbt.results import DBT_2, decode_result, read_result
from airflow_provider_pipeline_otel.dbt.rows import NodeRow


class Told(NamedTuple):
    """What is expected of an answer."""

    rows: int | None = None
    bytes: int | None = None
    query_id: str | None = None
    code: str | None = None
    bytes_billed: int | None = None
    slot_ms: int | None = None
    message: str | None = None


def answer(said: str | None, **more: Any) -> dict[str, Any]:
    """Return an adapter_response."""
    return {"_message": said, **more}


CASES = {
    "snowflake": [
        (
            answer("SUCCESS 42", code="SUCCESS", rows_affected=42, query_id="01b2"),
            Told(rows=42, query_id="01b2", code="SUCCESS", message="SUCCESS 42"),
        ),
        (
            answer("SUCCESS 0", code="SUCCESS", rows_affected=0, query_id="01b3", rows_inserted=7),
            Told(query_id="01b3", code="SUCCESS", message="SUCCESS 0"),
        ),
    ],
    "bigquery": [
        (
            answer(
                "CREATE TABLE (1.2m rows, 3.4 GiB processed)",
                code="CREATE TABLE",
                rows_affected=1_200_000,
                bytes_processed=3_650_722_201,
                bytes_billed=3_651_141_632,
                location="EU",
                project_id="shop",
                job_id="8f2c",
                slot_ms=1200,
            ),
            Told(
                rows=1_200_000,
                bytes=3_650_722_201,
                query_id="8f2c",
                code="CREATE TABLE",
                bytes_billed=3_651_141_632,
                slot_ms=1200,
                message="CREATE TABLE (1.2m rows, 3.4 GiB processed)",
            ),
        ),
        # A dry run's size is a text that was made to be read.
        (answer("SELECT", bytes_processed="3.4 GiB", job_id=None), Told(message="SELECT")),
    ],
    "databricks": [
        (
            answer("OK", query_id="0c9d", job_id="", job_run_id="", task_run_id=""),
            Told(query_id="0c9d", message="OK"),
        ),
        (answer("OK", query_id="N/A"), Told(message="OK")),
        (answer("-1", rows_affected="-1", query_id="0c9e"), Told(query_id="0c9e")),
    ],
    "redshift": [(answer("SUCCESS", rows_affected=9), Told(rows=9, message="SUCCESS"))],
    "athena": [
        (
            answer("OK 9", code="OK", rows_affected=-1, data_scanned_in_bytes=1024),
            Told(bytes=1024, code="OK", message="OK 9"),
        ),
    ],
    "trino": [
        (
            answer("SUCCESS", query_id="2026_q", rows_affected=3, query="select 'canary'"),
            Told(rows=3, query_id="2026_q", message="SUCCESS"),
        ),
    ],
    "clickhouse": [(answer("OK", query_id="6f1c-uuid"), Told(query_id="6f1c-uuid", message="OK"))],
    "postgres": [
        (
            answer("SELECT 100", code="SELECT", rows_affected=100),
            Told(rows=100, code="SELECT", message="SELECT 100"),
        ),
        (
            answer("CREATE VIEW", code="CREATE VIEW", rows_affected=-1),
            Told(code="CREATE VIEW", message="CREATE VIEW"),
        ),
        (
            answer("INSERT 0 0", code="INSERT", rows_affected=0),
            Told(rows=0, code="INSERT", message="INSERT 0 0"),
        ),
    ],
    "spark": [(answer("OK"), Told(message="OK"))],
    "fabric": [
        (
            answer("Warning: the value 'canary' was cut", rows_affected=-1, query_id="fab-1"),
            Told(query_id="fab-1"),
        ),
    ],
    "sqlserver": [
        (answer("OK", rows_affected=-1), Told(message="OK")),
        (answer("OK", rows_affected=0), Told(message="OK")),
        (answer("OK", rows_affected=2**33), Told(rows=2**33, message="OK")),
    ],
    "teradata": [
        (answer("OK", code="SUCCESS", rows_affected=0), Told(code="SUCCESS", message="OK"))
    ],
    "duckdb": [
        (answer("OK"), Told(message="OK")),
        (
            answer("INSERT 5", code="INSERT", rows_affected=5),
            Told(rows=5, code="INSERT", message="INSERT 5"),
        ),
    ],
    DBT_2: [
        (
            answer("INSERT 5", message="INSERT 5", code="INSERT", rows_affected=5),
            Told(rows=5, code="INSERT", message="INSERT 5"),
        ),
        (answer("", message="", code="", rows_affected=0), Told()),
    ],
    "none that is known": [
        (answer(None, code=None, rows_affected=None, query_id=None), Told()),  # `dbt show`
        (answer("OK", rows_affected=0), Told(rows=0, message="OK")),
        (answer("OK", rows_affected=5.0, query_id=7), Told(rows=5, message="OK")),  # of an event
    ],
}
ALL = [(name, said, told) for name, cases in CASES.items() for said, told in cases]


def told_of(row: NodeRow | None) -> Told:
    """Return what is compared of a row."""
    assert row is not None
    assert "canary" not in repr(msgspec.structs.replace(row, message=None))
    return Told(
        rows=row.rows_affected,
        bytes=row.bytes_processed,
        query_id=row.query_id,
        code=row.adapter_code,
        bytes_billed=row.bytes_billed,
        slot_ms=row.slot_ms,
        message=read_message(row.message),
    )


@pytest.mark.parametrize(("name", "said", "told"), ALL)
def test_an_answer(name: str, said: dict[str, Any], told: Told) -> None:
    """The same from an artifact's bytes and from an event of the log."""
    row = {
        "unique_id": "model.shop.orders",
        "status": "success",
        "message": said["_message"],
        "adapter_response": said,
    }
    assert told_of(decode_result(msgspec.Raw(json.dumps(row).encode()), name)) == told
    assert told_of(read_result(row, name)) == told
