"""dbt's JSON log, line by line, while dbt runs → which nodes start and end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from airflow_provider_pipeline_otel.dbt.results import DBT_2, read_result
from airflow_provider_pipeline_otel.dbt.rows import INTERRUPTED, BatchRow, Invocation, NodeRow
from airflow_provider_pipeline_otel.dbt.values import (
    NO_JSON,
    read_count,
    read_seconds,
    read_text,
    read_time,
)

_BATCH: Final = re.compile(r"batch ([0-9T: +-]{4,40}?) of ")
_NEEDED: Final = re.compile(
    rb'"(?:NodeStart|NodeFinished|LogHookStartLine|LogHookEndLine|LogStartBatch|LogBatchResult'
    rb'|MainReportVersion|ConcurrencyLine|CommandCompleted|ResourceReport)"'
)
"""Most lines are SQL: those are not decoded."""

_WITH_FAILURES: Final = frozenset({"pass", "warn", "fail"})
"""Of all other nodes events say 0 failures where artifacts say null."""

_BATCH_STATUS: Final = {"ok": "success", "skip": "skipped"}
_FINAL: Final = frozenset({"success", "error", "skipped"})
"""What node_info says of what has ended."""


class Change(msgspec.Struct, frozen=True):
    """A node or batch that has started, or ended."""

    row: NodeRow | BatchRow
    ended: bool


class LogReader:
    """Follows one run of dbt; `invocation` is what is known of it so far."""

    def __init__(self) -> None:
        self.invocation = Invocation()
        self.adapter: str | None = None  # the log doesn't say it: whoever reads the manifest does
        self._running: dict[str, NodeRow] = {}
        self._batches: dict[tuple[str, int | None], BatchRow] = {}
        self._batch_ends: dict[tuple[str, int | None], BatchRow] = {}
        self._with_failed_batch: set[str] = set()

    def read(self, line: bytes) -> Iterator[Change]:
        """Yield what a line says; text, half lines and events of no interest say nothing."""
        if not _NEEDED.search(line):
            return
        try:
            event = msgspec.json.decode(line)
        except NO_JSON:
            return
        info = event.get("info") if isinstance(event, Mapping) else None
        data = event.get("data") if isinstance(event, Mapping) else None
        if not isinstance(info, Mapping) or not isinstance(data, Mapping):
            return
        self._note_invocation(info, data)
        node = data.get("node_info")
        if isinstance(node, Mapping) and read_text(node.get("unique_id")):
            yield from self._changes(str(info.get("name")), info, data, node)

    def interrupted(self, end_ns: int) -> Iterator[Change]:
        """Yield what was still running when dbt was gone, ended then."""
        for key, batch in list(self._batches.items()):
            done = self._batch_ends.get(key)
            node = msgspec.structs.replace(batch.node, status=INTERRUPTED, end_ns=end_ns)
            yield Change(done or msgspec.structs.replace(batch, node=node), ended=True)
        for row in self._running.values():
            ended = msgspec.structs.replace(row, status=INTERRUPTED, end_ns=end_ns)
            yield Change(ended, ended=True)
        self._batches.clear()
        self._running.clear()

    def _note_invocation(self, info: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        said: dict[str, Any] = {}
        if self.invocation.invocation_id is None:
            said["invocation_id"] = read_text(info.get("invocation_id"))
            said["start_ns"] = read_time(info.get("ts"))
        name = info.get("name")
        if name == "MainReportVersion":
            said["version"] = (read_text(data.get("version")) or "").lstrip("=") or None
        elif name == "ConcurrencyLine":
            said["target"] = read_text(data.get("target_name"))
        elif name == "CommandCompleted":
            said["end_ns"] = read_time(data.get("completed_at"))
            said["elapsed_time"] = read_seconds(data.get("elapsed"))
        if said:
            self.invocation = msgspec.structs.replace(self.invocation, **said)

    def _changes(
        self, name: str, info: Mapping[str, Any], data: Mapping[str, Any], node: Mapping[str, Any]
    ) -> Iterator[Change]:
        if node.get("materialized") == "ephemeral":
            return  # never runs, though it starts and finishes
        row = _row_of(node, info)
        key = (row.unique_id, row.start_ns)
        if name == "LogStartBatch":
            batch = self._batches[key] = _batch_of(row, data)
            yield Change(batch, ended=False)
        elif name == "LogBatchResult":
            self._end_of_batch(key, row, data)
        elif name in {"NodeStart", "LogHookStartLine"} and row.unique_id not in self._running:
            self._running[row.unique_id] = row
            yield Change(row, ended=False)
        elif name == "NodeFinished" and key in self._batches:
            yield Change(self._finished_batch(key, row, data), ended=True)
        elif name in {"NodeFinished", "LogHookEndLine"}:
            self._running.pop(row.unique_id, None)
            yield Change(self._finished(row, data), ended=True)

    def _end_of_batch(
        self, key: tuple[str, int | None], row: NodeRow, data: Mapping[str, Any]
    ) -> None:
        word = (read_text(data.get("status")) or "").lower()
        if word.startswith("error"):
            self._with_failed_batch.add(row.unique_id)
        ended = msgspec.structs.replace(row, status=_BATCH_STATUS.get(word, word))
        self._batch_ends[key] = _batch_of(ended, data)

    def _finished_batch(
        self, key: tuple[str, int | None], row: NodeRow, data: Mapping[str, Any]
    ) -> BatchRow:
        batch = self._batches.pop(key)
        self._batch_ends.pop(key, None)
        return msgspec.structs.replace(batch, node=self._with_result(row, data))

    def _finished(self, row: NodeRow, data: Mapping[str, Any]) -> NodeRow:
        found = self._with_result(row, data)
        if found.status == "success" and found.unique_id in self._with_failed_batch:
            # dbt 1.9 called a model whose only batch failed a success (dbt-core#11390).
            return msgspec.structs.replace(found, status="error")
        return found

    def _with_result(self, row: NodeRow, data: Mapping[str, Any]) -> NodeRow:
        """Return the row with its result: node_info is sometimes older than run_result."""
        result = data.get("run_result")
        if not isinstance(result, Mapping):
            status = row.status
            if status not in _FINAL:  # before dbt 1.9 the other is the adapter's word: INSERT 0 1
                status = (read_text(data.get("status")) or status).lower()
            took = read_seconds(data.get("execution_time"))
            return msgspec.structs.replace(row, status=status, execution_time=took)
        adapter = DBT_2 if self.invocation.is_dbt_2 else self.adapter
        found = read_result({**result, "unique_id": row.unique_id}, adapter)
        if found is None:
            return row
        return msgspec.structs.replace(
            found,
            failures=found.failures if found.status in _WITH_FAILURES else None,
            start_ns=row.start_ns,
            end_ns=row.end_ns,
            materialized=row.materialized,
            relation_name=row.relation_name,
        )


def _row_of(node: Mapping[str, Any], info: Mapping[str, Any]) -> NodeRow:
    relation = node.get("node_relation")
    relation = relation if isinstance(relation, Mapping) else {}
    happened = read_time(info.get("ts"))
    return NodeRow(
        unique_id=str(node["unique_id"]),
        status=(read_text(node.get("node_status")) or "unknown").lower(),
        start_ns=read_time(node.get("node_started_at")) or happened,
        end_ns=read_time(node.get("node_finished_at")) or happened,
        thread_id=read_text(info.get("thread")),
        materialized=read_text(node.get("materialized")),
        relation_name=read_text(relation.get("relation_name")),
    )


def _batch_of(row: NodeRow, data: Mapping[str, Any]) -> BatchRow:
    found = _BATCH.search(read_text(data.get("description")) or "")
    index = read_count(data.get("batch_index")) or 0
    return BatchRow(index=index, node=row, batch_start=found[1] if found else None)
