"""A run of dbt while it goes on: each node on disk as it starts and as it ends."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from airflow_provider_pipeline_otel.dbt.artifacts import Artifact, Unreadable
from airflow_provider_pipeline_otel.dbt.command import NONCE
from airflow_provider_pipeline_otel.dbt.destination import Parent
from airflow_provider_pipeline_otel.dbt.log import Change, LogReader
from airflow_provider_pipeline_otel.dbt.manifest import read_manifest
from airflow_provider_pipeline_otel.dbt.native import draws_spans
from airflow_provider_pipeline_otel.dbt.rows import (
    COMPILED_ONLY,
    INTERRUPTED,
    BatchRow,
    DbtSummary,
    Manifest,
    NodeRow,
)
from airflow_provider_pipeline_otel.dbt.spans import Spans, Trace
from airflow_provider_pipeline_otel.dbt.summary import Tally
from airflow_provider_pipeline_otel.record import StatusCode
from airflow_provider_pipeline_otel.semconv import attributes, dbt

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.dbt.destination import Destination
    from airflow_provider_pipeline_otel.dbt.native import Version
    from airflow_provider_pipeline_otel.record import AttributeValue, SpanRecord

_LAST_OF_DBTS_OWN: Final = 2
"""Larger exit codes are signals."""


class LiveRun:
    """Turns the lines of dbt's log into spans, and at the end completes them from the artifacts.

    What is open on disk already says `interrupted`: nobody else knows dbt's words, should this
    process be killed; what ends replaces it.
    """

    def __init__(
        self,
        words: str,
        target: Path,
        destination: Destination,
        parent: Parent,
        *,
        seed: str,
        nonce: str,
        native_from: Version | None = None,
    ) -> None:
        self._words = words
        self._target = target
        self._destination = destination
        self._parent = parent
        self._seed = seed
        self._nonce = nonce
        self._native_from = native_from
        self._compiles_only = words.partition(" ")[0] in COMPILED_ONLY
        self._reader = LogReader()
        self._spans: Spans | None = None
        self._tally = Tally(Manifest())
        self._start_ns = time.time_ns()
        self._present: set[str] = set()
        self._numbers: Counter[str] = Counter()
        self._sources: list[NodeRow] = []

    def begin(self) -> None:
        """Write the start of the span that all nodes hang under."""
        more: dict[str, AttributeValue] = {dbt.DBT_STATUS: INTERRUPTED}
        start = self._invocation((self._start_ns, 0), more, StatusCode.UNSET)
        self._put(start, ended=False)

    def read(self, line: bytes) -> None:
        """Take a line of dbt's log."""
        for change in self._reader.read(line):
            self._write(change)

    def finish(self, exit_code: int | None, *, interrupted: bool) -> DbtSummary:
        """Write what is left, and the end of the run; `exit_code` None: it isn't known."""
        now = time.time_ns()
        for change in self._reader.interrupted(now):
            self._write(change)
        read = map(self._read, ("run_results.json", "sources.json"))
        artifacts = [artifact for artifact in read if artifact is not None]
        by_id = {
            row.unique_id: row
            for artifact in artifacts
            for row in artifact.rows(self._reader.adapter)
        }
        self._write_sources(by_id)
        for unique_id, row in by_id.items():
            if self._with_nodes and unique_id not in self._present:
                self._write_late(row, now)
        interrupted |= exit_code is None or exit_code > _LAST_OF_DBTS_OWN
        self._end(exit_code, artifacts, now, interrupted=interrupted)
        drawn = self._parent.trace_id if self._is_drawn else b""
        spans = self._tally.statuses.total() + 1
        summary = self._tally.summary(self._reader.invocation, drawn, spans)
        self._destination.add_counts(summary.records_written, summary.bytes_processed)
        return msgspec.structs.replace(summary, command=self._words)

    @property
    def root(self) -> Parent:
        """The span of the whole run, as the parent of others."""
        trace = self._trace()
        return Parent(trace.trace_id, trace.root_id, self._parent.sampled)

    @property
    def _is_drawn(self) -> bool:
        return bool(self._parent.sampled and self._parent.trace_id)

    @property
    def _with_nodes(self) -> bool:
        """Whether nodes ran at all, and dbt doesn't draw them itself."""
        first, version = self._native_from, self._reader.invocation.version
        native = first is not None and draws_spans(version, first)
        return not (native or self._compiles_only)

    def _write(self, change: Change) -> None:
        if not self._with_nodes:
            return
        spans, row = self._ready(), change.row
        if isinstance(row, BatchRow):
            if not change.ended:
                node = msgspec.structs.replace(row.node, status=INTERRUPTED)
                row = msgspec.structs.replace(row, node=node)
            self._put(spans.batch(row, is_open=not change.ended), ended=change.ended)
        elif not change.ended:
            self._open_node(spans, row)
        elif row.kind == "source" and row.status != INTERRUPTED:
            self._keep_source(spans, row)
        else:
            self._end_node(row)

    def _open_node(self, spans: Spans, row: NodeRow) -> None:
        started = msgspec.structs.replace(row, status=INTERRUPTED)
        number = self._numbers[row.unique_id]
        self._put(
            spans.node(started, self._window(row), self._present, number, is_open=True), ended=False
        )

    def _keep_source(self, spans: Spans, row: NodeRow) -> None:
        """Keep a source that was looked at: sources.json, at dbt's end, says how fresh it is."""
        self._sources.append(row)
        if self._is_drawn:
            record = spans.node(row, self._window(row), self._present, self._numbers[row.unique_id])
            self._destination.writer.write_preliminary(record)

    def _end_node(self, row: NodeRow) -> None:
        number = self._numbers[row.unique_id]
        record = self._ready().node(row, self._window(row), self._present, number)
        self._put(record, ended=True)
        self._tally.add(row)
        self._numbers[row.unique_id] += 1
        self._present.add(row.unique_id)

    def _write_sources(self, by_id: dict[str, NodeRow]) -> None:
        for row in self._sources:
            found = by_id.get(row.unique_id, row)
            self._end_node(
                msgspec.structs.replace(
                    row,
                    freshness_seconds=found.freshness_seconds,
                    max_loaded_at_ns=found.max_loaded_at_ns,
                )
            )

    def _write_late(self, row: NodeRow, now: int) -> None:
        """Write a node of which the log said nothing."""
        self._end_node(
            row if row.start_ns or row.end_ns else msgspec.structs.replace(row, end_ns=now)
        )

    def _end(
        self, exit_code: int | None, artifacts: list[Artifact], now: int, *, interrupted: bool
    ) -> None:
        more = self._tally.counts()
        failed = interrupted or exit_code != 0
        if interrupted:
            more |= {dbt.DBT_STATUS: INTERRUPTED, attributes.PIPELINE_INTERRUPTED: True}
        if exit_code is not None:
            more[dbt.DBT_EXIT_CODE] = exit_code
        if failed:
            more[attributes.ERROR_TYPE] = INTERRUPTED if interrupted else "dbt_error"
        if not artifacts:
            more[dbt.DBT_ARTIFACT] = "missing"
        elif any(artifact.truncated for artifact in artifacts):
            more[dbt.DBT_ARTIFACT] = "truncated"
        status = StatusCode.ERROR if failed else StatusCode.OK
        self._put(self._invocation((self._start_ns, now), more, status), ended=True)

    def _invocation(
        self, window: tuple[int, int], more: dict[str, AttributeValue], status: StatusCode
    ) -> SpanRecord:
        spans = self._spans or self._new_spans(Manifest())
        invocation = self._reader.invocation
        return spans.invocation(self._words, invocation, window, more, status=status)

    def _ready(self) -> Spans:
        """Return the maker of spans: dbt has its id and its manifest before its first node."""
        if self._spans is None:
            try:
                manifest = read_manifest(self._target / "manifest.json")
            except Unreadable:
                manifest = Manifest()
            self._reader.adapter = manifest.adapter
            self._tally = Tally(manifest)
            self._spans = self._new_spans(manifest)
        return self._spans

    def _new_spans(self, manifest: Manifest) -> Spans:
        return Spans(self._trace(), manifest, self._destination.attributes)

    def _trace(self) -> Trace:
        invocation_id = self._reader.invocation.invocation_id or ""
        ids = self._parent.trace_id, self._parent.span_id
        return Trace(invocation_id, *ids, root_seed=self._seed)

    def _window(self, row: NodeRow) -> tuple[int, int]:
        return row.start_ns or self._start_ns, row.end_ns or time.time_ns()

    def _read(self, name: str) -> Artifact | None:
        """Return an artifact of this very run; one without our mark is another run's."""
        try:
            artifact = Artifact(self._target / name)
        except Unreadable:
            return None
        ours = self._reader.invocation.invocation_id
        is_ours = artifact.invocation.environment.get(NONCE) == self._nonce
        return artifact if is_ours or (ours and artifact.invocation.invocation_id == ours) else None

    def _put(self, record: SpanRecord, *, ended: bool) -> None:
        if not self._is_drawn:
            return
        if ended:
            self._destination.writer.write_ended(record)
        else:
            self._destination.writer.write_open(record)
