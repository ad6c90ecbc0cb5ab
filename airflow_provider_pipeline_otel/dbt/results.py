"""A row of run_results.json, sources.json or a NodeFinished event → NodeRow.

By the presence of keys, never by schema version: versions 5 and 6 gained keys without a new number,
and other tools write rows with hardly any.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Final, get_type_hints

import msgspec

from airflow_provider_pipeline_otel.dbt.rows import NodeRow
from airflow_provider_pipeline_otel.dbt.values import (
    LARGEST,
    NO_JSON,
    read_count,
    read_seconds,
    read_text,
    read_time,
)

_UNKNOWN_IDS: Final = frozenset({None, "", "N/A"})
DBT_2: Final = "dbt 2"
"""Stands for the adapters of dbt 2, which are its own."""

_ALWAYS_ZERO: Final = frozenset({DBT_2, "sqlserver", "teradata", "snowflake"})
"""Adapters that report 0 or 1 rows whatever was written: 0 says nothing."""


_Text = str | None
_Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)] | None
_Seconds = Annotated[float, msgspec.Meta(ge=0, lt=LARGEST)] | None


class _Phase(msgspec.Struct, gc=False):
    started_at: Any = None
    completed_at: Any = None


class _Answer(msgspec.Struct, gc=False):
    """What the adapter says; what isn't named here, such as Trino's SQL, is not even decoded."""

    rows_affected: _Count = None
    bytes_processed: _Count = None
    data_scanned_in_bytes: _Count = None
    bytes_billed: _Count = None
    slot_ms: _Count = None
    query_id: _Text = None
    job_id: _Text = None
    code: _Text = None


class _Batches(msgspec.Struct, gc=False):
    successful: list[Any] | None = None
    failed: list[Any] | None = None


class _Result(msgspec.Struct):
    """A row as most are, its values checked while it is decoded; others are read key by key."""

    unique_id: _Text = None
    status: Any = None
    timing: list[_Phase] | None = None
    thread_id: _Text = None
    execution_time: _Seconds = None
    adapter_response: _Answer | None = None
    message: Any = None
    failures: _Count = None
    relation_name: _Text = None
    compiled_code: _Text = None
    compiled_sql: _Text = None
    batch_results: _Batches | None = None
    max_loaded_at: Any = None
    max_loaded_at_time_ago_in_s: _Seconds = None
    node: Any = None
    error: Any = None
    fail: Any = None
    warn: Any = None
    skip: Any = None


_typed: Final = msgspec.json.Decoder(_Result, strict=False)


def decode_result(raw: msgspec.Raw, adapter: str | None = None) -> NodeRow | None:
    """Return the bytes of a result as a row; None: they name no node."""
    try:
        return _read(_typed.decode(raw), adapter)
    except NO_JSON:
        pass
    try:  # Python reads what msgspec doesn't: other shapes, NaN, bytes that are no UTF-8
        row = json.loads(bytes(raw).decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return None
    return read_result(row, adapter)


def read_result(row: Any, adapter: str | None = None) -> NodeRow | None:  # noqa: ANN401
    """Return a result as a row, whatever its shape; None: it names no node."""
    return _read(_of(_Result, row), adapter) if isinstance(row, Mapping) else None


def _of(kind: Callable[..., Any], found: Any) -> Any:  # noqa: ANN401
    """Return what a mapping has of that kind's fields, each read by its reader."""
    known = found if isinstance(found, Mapping) else {}
    return kind(
        **{
            name: read(known.get(name, known.get(_IN_EVENTS.get(name))))
            for name, read in _readers(kind).items()
        }
    )


def _phases(timing: Any) -> list[_Phase] | None:  # noqa: ANN401
    return [_of(_Phase, phase) for phase in timing] if isinstance(timing, list) else None


def _same(value: Any) -> Any:  # noqa: ANN401
    return value


_IN_EVENTS: Final = {"timing": "timing_info", "thread_id": "thread", "failures": "num_failures"}
"""What the log's events call it."""

_READER_OF: Final[dict[Any, Callable[[Any], Any]]] = {
    _Text: read_text,
    _Count: read_count,
    _Seconds: read_seconds,
    Any: _same,
    list[_Phase] | None: _phases,
    list[Any] | None: lambda value: value if isinstance(value, list) else None,
    _Answer | None: lambda value: _of(_Answer, value),
    _Batches | None: lambda value: _of(_Batches, value),
}


@cache
def _readers(kind: Callable[..., Any]) -> dict[str, Callable[[Any], Any]]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: _READER_OF[hint] for name, hint in hints.items()}


def _read(row: _Result, adapter: str | None) -> NodeRow | None:
    unique_id = row.unique_id
    if not unique_id and isinstance(row.node, Mapping):  # before 0.19
        unique_id = read_text(row.node.get("unique_id"))
    if not unique_id:
        return None
    start, end = _window(row.timing)
    answer = row.adapter_response or _NOTHING_SAID
    batches = row.batch_results or _NO_BATCHES
    code = row.compiled_code or row.compiled_sql
    size = answer.bytes_processed
    return NodeRow(
        unique_id=unique_id,
        status=_status(row, unique_id),
        start_ns=start,
        end_ns=end,
        execution_time=row.execution_time,
        thread_id=row.thread_id or None,
        message=read_text(row.message) or read_text(row.error),
        failures=_failures(row, unique_id),
        rows_affected=_rows(answer, adapter),
        bytes_processed=answer.data_scanned_in_bytes if size is None else size,
        bytes_billed=answer.bytes_billed,
        slot_ms=answer.slot_ms,
        query_id=_query_id(answer),
        adapter_code=answer.code or None,
        relation_name=row.relation_name or None,
        compiled_sql_length=None if code is None else len(code),
        batches_successful=_length(batches.successful),
        batches_failed=_length(batches.failed),
        freshness_seconds=row.max_loaded_at_time_ago_in_s,
        max_loaded_at_ns=read_time(row.max_loaded_at),
    )


_NOTHING_SAID: Final = _Answer()
_NO_BATCHES: Final = _Batches()


def _status(row: _Result, unique_id: str) -> str:
    if not row.unique_id:  # before 0.19: the adapter's word, or a number
        if row.skip:
            return "skipped"
        if row.error:
            return "error"
        if row.fail:
            return "fail"
        if row.warn:
            return "warn"
        return "pass" if unique_id.startswith("test.") else "success"
    return row.status.lower() if row.status and isinstance(row.status, str) else "unknown"


def _failures(row: _Result, unique_id: str) -> int | None:
    if row.failures is not None or not unique_id.startswith("test."):
        return row.failures
    if not row.unique_id:  # before 0.19 the status is the count
        return read_count(row.status)
    is_count = isinstance(row.message, int) and row.status != "error"  # of 0.19
    return read_count(row.message) if is_count else None


def _window(timing: list[_Phase] | None) -> tuple[int | None, int | None]:
    """Return the first start and the last end, whatever the phases are called."""
    start = end = None
    for phase in timing or ():
        began, done = read_time(phase.started_at), read_time(phase.completed_at)
        if began is not None and (start is None or began < start):
            start = began
        if done is not None and (end is None or done > end):
            end = done
    return start, end


def _rows(answer: _Answer, adapter: str | None) -> int | None:
    rows = answer.rows_affected
    return None if rows == 0 and adapter in _ALWAYS_ZERO else rows


def _length(batches: list[Any] | None) -> int | None:
    return None if batches is None else len(batches)


def _query_id(answer: _Answer) -> str | None:
    found = answer.query_id or answer.job_id
    return None if found in _UNKNOWN_IDS else found
