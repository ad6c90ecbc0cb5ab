"""Of dbt's messages only those leave that can hold no data."""

from __future__ import annotations

import pytest

from airflow_provider_pipeline_otel.dbt.messages import error_type_of, read_message
from airflow_provider_pipeline_otel.dbt.rows import NodeRow


@pytest.mark.parametrize(
    "message",
    [
        "Got 2 results, configured to fail if != 0",
        "Got 1 result, configured to warn if >10",
        "INSERT 5",
        "INSERT 0 5",
        "CREATE TABLE (1.2m rows, 3.4 GiB processed)",
        "PARTIAL SUCCESS (6/7)",
        "OK",
        "Skipping due to fail_fast",
    ],
)
def test_what_leaves(message: str) -> None:
    """Dbt's own words, and counts."""
    assert read_message(message) == message


@pytest.mark.parametrize(
    "message",
    [
        None,
        "",
        "Runtime Error in model orders (models/orders.sql)\n  Could not convert 'ann@x.example'",
        "Got 2 results, configured to fail if != 0\nann@x.example",
        "JOHN SMITH 5551234567",
        "\x1b[31mactual differs from expected\x1b[0m:\r\n| 9 | ann |",
        "OK canary",
        "select * from orders",
    ],
)
def test_what_stays(message: str | None) -> None:
    """All else."""
    assert read_message(message) is None


@pytest.mark.parametrize(
    ("unique_id", "status", "message", "kind"),
    [
        ("model.a.b", "error", "Compilation Error in model b (b.sql)", "compilation_error"),
        ("model.a.b", "error", "  Database Error in model b", "database_error"),
        ("model.a.b", "error", "Runtime Error in model b", "runtime_error"),
        ("model.a.b", "error", "7", "dbt_error"),
        ("model.a.b", "error", None, "dbt_error"),
        ("test.a.b.c", "fail", "Got 2 results", "test_failure"),
        ("test.a.b.c", "error", "Database Error in test b", "database_error"),
        ("source.a.b.c", "error", None, "stale_source"),
        ("source.a.b.c", "runtime error", "Runtime Error in source", "runtime_error"),
        ("model.a.b", "partial success", "PARTIAL SUCCESS (6/7)", "partial_success"),
        ("model.a.b", "interrupted", None, "interrupted"),
    ],
)
def test_error_type(unique_id: str, status: str, message: str | None, kind: str) -> None:
    """The class of an error doesn't hang on how its message begins."""
    row = NodeRow(unique_id=unique_id, status=status, message=message)
    assert error_type_of(row) == kind
