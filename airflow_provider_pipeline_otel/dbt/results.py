"""A row of run_results.json, sources.json or a NodeFinished event → NodeRow.

By the presence of keys, never by schema version: versions 5 and 6 gained keys without a new number,
and other tools write rows with hardly any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from airflow_provider_pipeline_otel.dbt.rows import NodeRow
from airflow_provider_pipeline_otel.dbt.values import (
    NO_JSON,
    read_count,
    read_seconds,
    read_text,
    read_time,
)

_UNKNOWN_IDS: Final = frozenset({None, "", "N/A"})
_ALWAYS_ZERO: Final = frozenset({"sqlserver", "teradata", "snowflake"})
"""Adapters that report 0 or 1 rows whatever was written: 0 says nothing."""


class _Phase(msgspec.Struct, gc=False):
    started_at: Any = None
    completed_at: Any = None


class _Answer(msgspec.Struct, gc=False):
    """What the adapter says; what isn't named here, such as Trino's SQL, is not even decoded."""

    rows_affected: Any = None
    bytes_processed: Any = None
    data_scanned_in_bytes: Any = None
    bytes_billed: Any = None
    slot_ms: Any = None
    query_id: Any = None
    job_id: Any = None
    code: Any = None


class _Batches(msgspec.Struct, gc=False):
    successful: Any = None
    failed: Any = None


class _Result(msgspec.Struct):
    """A row as most are; one of another shape is read key by key."""

    unique_id: Any = None
    status: Any = None
    timing: list[_Phase] | None = None
    thread_id: Any = None
    execution_time: Any = None
    adapter_response: _Answer | None = None
    message: Any = None
    failures: Any = None
    relation_name: Any = None
    compiled_code: Any = None
    compiled_sql: Any = None
    batch_results: _Batches | None = None
    max_loaded_at: Any = None
    max_loaded_at_time_ago_in_s: Any = None
    node: Any = None
    error: Any = None
    fail: Any = None
    warn: Any = None
    skip: Any = None


_typed: Final = msgspec.json.Decoder(_Result, strict=False)
_untyped: Final = msgspec.json.Decoder()


def decode_result(raw: msgspec.Raw, adapter: str | None = None) -> NodeRow | None:
    """Return the bytes of a result as a row; None: they name no node."""
    try:
        return _read(_typed.decode(raw), adapter)
    except NO_JSON:
        pass
    try:
        return read_result(_untyped.decode(raw), adapter)
    except NO_JSON:
        return None


def read_result(row: Any, adapter: str | None = None) -> NodeRow | None:  # noqa: ANN401
    """Return a result as a row, whatever its shape; None: it names no node."""
    if not isinstance(row, Mapping):
        return None
    timing = row.get("timing") or row.get("timing_info")
    known = {name: row[name] for name in _Result.__struct_fields__ if name in row}
    known |= {
        "timing": [_of(_Phase, phase) for phase in timing] if isinstance(timing, list) else None,
        "adapter_response": _of(_Answer, row.get("adapter_response")),
        "batch_results": _of(_Batches, row.get("batch_results")),
        "thread_id": row.get("thread_id", row.get("thread")),
        "failures": row.get("failures", row.get("num_failures")),
    }
    return _read(_Result(**known), adapter)


def _of(kind: type[Any], value: Any) -> Any:  # noqa: ANN401
    found = value if isinstance(value, Mapping) else {}
    return kind(**{name: found[name] for name in kind.__struct_fields__ if name in found})


def _read(row: _Result, adapter: str | None) -> NodeRow | None:
    unique_id = row.unique_id
    if not unique_id and isinstance(row.node, Mapping):  # before 0.19
        unique_id = row.node.get("unique_id")
    if not unique_id or not isinstance(unique_id, str):
        return None
    start, end = _window(row.timing)
    answer = row.adapter_response or _NOTHING_SAID
    batches = row.batch_results
    code = row.compiled_code or row.compiled_sql
    size = read_count(answer.bytes_processed)
    return NodeRow(
        unique_id=unique_id,
        status=_status(row, unique_id),
        start_ns=start,
        end_ns=end,
        execution_time=read_seconds(row.execution_time),
        thread_id=read_text(row.thread_id),
        message=read_text(row.message),
        failures=read_count(row.failures),
        rows_affected=_rows(answer, adapter),
        bytes_processed=read_count(answer.data_scanned_in_bytes) if size is None else size,
        bytes_billed=read_count(answer.bytes_billed),
        slot_ms=read_count(answer.slot_ms),
        query_id=_query_id(answer),
        adapter_code=read_text(answer.code),
        relation_name=read_text(row.relation_name),
        compiled_sql_length=len(code) if isinstance(code, str) else None,
        batches_successful=_length(batches.successful) if batches else None,
        batches_failed=_length(batches.failed) if batches else None,
        freshness_seconds=read_seconds(row.max_loaded_at_time_ago_in_s),
        max_loaded_at_ns=read_time(row.max_loaded_at),
    )


_NOTHING_SAID: Final = _Answer()


def _status(row: _Result, unique_id: str) -> str:
    if row.unique_id is None:  # before 0.19: the adapter's word, or a number
        if row.skip:
            return "skipped"
        if row.error:
            return "error"
        if row.fail:
            return "fail"
        if row.warn:
            return "warn"
        return "pass" if unique_id.startswith("test.") else "success"
    return row.status.lower() if isinstance(row.status, str) and row.status else "unknown"


def _window(timing: list[_Phase] | None) -> tuple[int | None, int | None]:
    """Return the first start and the last end, whatever the phases are called."""
    start = end = None
    for phase in timing or ():
        began, done = read_time(phase.started_at), read_time(phase.completed_at)
        if began is not None and (start is None or began < start):
            start = began
        if done is not None and (end is None or done > end):
            end = done
    return (start, max(start, end)) if start is not None and end is not None else (None, None)


def _rows(answer: _Answer, adapter: str | None) -> int | None:
    rows = read_count(answer.rows_affected)
    return None if rows == 0 and adapter in _ALWAYS_ZERO else rows


def _length(value: Any) -> int | None:  # noqa: ANN401
    return len(value) if isinstance(value, list) else None


def _query_id(answer: _Answer) -> str | None:
    found = read_text(answer.query_id) or read_text(answer.job_id)
    return None if found in _UNKNOWN_IDS else found
