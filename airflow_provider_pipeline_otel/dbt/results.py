"""A row of run_results.json, sources.json or a NodeFinished event → NodeRow.

By the presence of keys, never by schema version: versions 5 and 6 gained keys without a new number,
and other tools write rows with hardly any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from airflow_provider_pipeline_otel.dbt.rows import NodeRow
from airflow_provider_pipeline_otel.dbt.values import read_count, read_seconds, read_text, read_time

_UNKNOWN_IDS: Final = frozenset({"", "N/A"})
_ALWAYS_ZERO: Final = frozenset({"sqlserver", "teradata", "snowflake"})
"""Adapters that report 0 or 1 rows whatever was written: 0 says nothing."""


def read_result(row: Any, adapter: str | None = None) -> NodeRow | None:  # noqa: ANN401
    """Return a result as a row; None: it names no node."""
    if not isinstance(row, Mapping):
        return None
    node = row.get("node")
    unique_id = row.get("unique_id") or (node.get("unique_id") if isinstance(node, Mapping) else "")
    if not unique_id or not isinstance(unique_id, str):
        return None
    start, end = _window(row.get("timing") or row.get("timing_info"))
    answer = row.get("adapter_response")
    answer = answer if isinstance(answer, Mapping) else {}
    batches = row.get("batch_results")
    batches = batches if isinstance(batches, Mapping) else {}
    code = row.get("compiled_code", row.get("compiled_sql"))
    return NodeRow(
        unique_id=unique_id,
        status=_status(row, unique_id),
        start_ns=start,
        end_ns=end,
        execution_time=read_seconds(row.get("execution_time")),
        thread_id=read_text(row.get("thread_id") or row.get("thread")),
        message=read_text(row.get("message")),
        failures=read_count(row.get("failures", row.get("num_failures"))),
        rows_affected=_rows(answer, adapter),
        bytes_processed=_first_count(answer, "bytes_processed", "data_scanned_in_bytes"),
        bytes_billed=read_count(answer.get("bytes_billed")),
        slot_ms=read_count(answer.get("slot_ms")),
        query_id=_query_id(answer),
        adapter_code=read_text(answer.get("code")),
        relation_name=read_text(row.get("relation_name")),
        compiled_sql_length=len(code) if isinstance(code, str) and code else None,
        batches_successful=_length(batches.get("successful")),
        batches_failed=_length(batches.get("failed")),
        freshness_seconds=read_seconds(row.get("max_loaded_at_time_ago_in_s")),
        max_loaded_at_ns=read_time(row.get("max_loaded_at")),
    )


def _status(row: Mapping[str, Any], unique_id: str) -> str:
    status = row.get("status")
    if "node" in row and "unique_id" not in row:  # before 0.19: the adapter's word, or a number
        if row.get("skip"):
            return "skipped"
        if row.get("error"):
            return "error"
        if row.get("fail"):
            return "fail"
        if row.get("warn"):
            return "warn"
        return "pass" if unique_id.startswith("test.") else "success"
    return status.lower() if isinstance(status, str) and status else "unknown"


def _window(timing: Any) -> tuple[int | None, int | None]:  # noqa: ANN401
    """Return the first start and the last end, whatever the phases are called."""
    start = end = None
    for phase in timing if isinstance(timing, list) else ():
        if isinstance(phase, Mapping):
            began, done = read_time(phase.get("started_at")), read_time(phase.get("completed_at"))
            if began is not None and (start is None or began < start):
                start = began
            if done is not None and (end is None or done > end):
                end = done
    return (start, max(start, end)) if start is not None and end is not None else (None, None)


def _rows(answer: Mapping[str, Any], adapter: str | None) -> int | None:
    rows = read_count(answer.get("rows_affected"))
    return None if rows == 0 and adapter in _ALWAYS_ZERO else rows


def _first_count(answer: Mapping[str, Any], *names: str) -> int | None:
    return next(
        (n for n in (read_count(answer.get(name)) for name in names) if n is not None), None
    )


def _length(value: Any) -> int | None:  # noqa: ANN401
    return len(value) if isinstance(value, list) else None


def _query_id(answer: Mapping[str, Any]) -> str | None:
    found = read_text(answer.get("query_id")) or read_text(answer.get("job_id"))
    return None if found in _UNKNOWN_IDS else found
