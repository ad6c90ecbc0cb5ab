"""Rows → records: one of the invocation, one per node, one per batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from airflow_provider_pipeline_otel.dbt.messages import error_type_of
from airflow_provider_pipeline_otel.dbt.node_attributes import attributes_of
from airflow_provider_pipeline_otel.dbt.rows import (
    INTERRUPTED,
    NO_FACTS,
    BatchRow,
    Invocation,
    Manifest,
    NodeFacts,
    NodeRow,
)
from airflow_provider_pipeline_otel.record import Link, Scope, SpanRecord, StatusCode
from airflow_provider_pipeline_otel.semconv import attributes, dbt

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

    from airflow_provider_pipeline_otel.record import Attributes, AttributeValue

SCOPE: Final = Scope("airflow_provider_pipeline_otel.dbt")

STATUS: Final = {
    "success": StatusCode.OK,
    "pass": StatusCode.OK,
    "error": StatusCode.ERROR,
    "fail": StatusCode.ERROR,
    "runtime error": StatusCode.ERROR,
    "partial success": StatusCode.ERROR,
    INTERRUPTED: StatusCode.ERROR,
}
"""All other words, those of later versions too, are UNSET."""

_SYSTEMS: Final = {
    "bigquery": "gcp.bigquery",
    "oracle": "oracle.db",
    "postgres": "postgresql",
    "redshift": "aws.redshift",
    "sqlserver": "microsoft.sql_server",
}
_UPSTREAM: Final[Attributes] = {attributes.AIRFLOW_LINK_TYPE: "upstream"}


def _part(text: str | bytes) -> bytes:
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return len(data).to_bytes(4, "big") + data


_ONLY: Final = _part("0 0")


class Trace:
    """Where the spans of a run of dbt go: ids are computed, so that emitting twice is no harm."""

    def __init__(
        self,
        invocation_id: str,
        trace_id: bytes | None = None,
        parent_span_id: bytes = b"",
        *,
        root_seed: str | None = None,
    ) -> None:
        self.invocation_id = invocation_id
        self.trace_id = trace_id or _hash("trace", invocation_id).digest()[:16]
        self.parent_span_id = parent_span_id
        self.root_id = _hash(self.trace_id, "invocation", root_seed or invocation_id).digest()[:8]
        self._nodes = _hash(self.trace_id, invocation_id)

    def id_of(self, unique_id: str, number: int = 0, batch: int = 0) -> bytes:
        """Return the id of a node's span; a node that comes again has a number."""
        node = self._nodes.copy()
        node.update(_part(unique_id))
        node.update(_part(f"{number} {batch}") if number or batch else _ONLY)
        return node.digest()[:8]


def _hash(*parts: str | bytes) -> Hash:
    return sha256(b"dbt1" + b"".join(map(_part, parts)))


class Spans:
    """Makes the records of one run of dbt."""

    def __init__(self, trace: Trace, manifest: Manifest, common: Attributes) -> None:
        self._trace = trace
        self._manifest = manifest
        self._common = {
            dbt.PIPELINE_TOOL: "dbt",
            dbt.DBT_INVOCATION_ID: trace.invocation_id,
            attributes.PIPELINE_SPAN_LEVEL: "detail",
            **common,
        }
        adapter = manifest.adapter
        if adapter:
            self._common[dbt.DB_SYSTEM_NAME] = _SYSTEMS.get(adapter, adapter)
        self._seen: Counter[str] = Counter()

    def nodes(
        self, rows: Iterable[NodeRow], window: tuple[int, int], present: Container[str]
    ) -> Iterator[SpanRecord]:
        """Yield the spans of nodes that have ended; `present`: ids that may be linked to."""
        ends: dict[str, int] = {}
        for row in rows:
            bounds = window
            if row.status == "skipped" and row.end_ns is None:
                above = self._manifest.nodes.get(row.unique_id, NO_FACTS).depends_on
                known = (ends[unique_id] for unique_id in above if unique_id in ends)
                bounds = window[0], max(known, default=window[1])
            record = self.node(row, bounds, present, self._seen[row.unique_id])
            ends[row.unique_id] = record.end_ns
            yield record
            self._seen[row.unique_id] += 1

    def node(
        self,
        row: NodeRow,
        window: tuple[int, int],
        present: Container[str] = (),
        number: int = 0,
        *,
        is_open: bool = False,
    ) -> SpanRecord:
        """Return a node's span; `window` bounds what dbt gives no times for."""
        facts = self._manifest.nodes.get(row.unique_id, NO_FACTS)
        start, end, estimated = _times(row, window)
        status = STATUS.get(row.status, StatusCode.UNSET)
        said = self._attributes(row, facts, status, is_open=is_open)
        if estimated:
            said[dbt.DBT_TIMING] = "estimated"
        return SpanRecord(
            trace_id=self._trace.trace_id,
            span_id=self._trace.id_of(row.unique_id, number),
            parent_span_id=self._trace.root_id,
            name=f"dbt.{row.name}",
            start_ns=start,
            end_ns=0 if is_open else end,
            attributes=said,
            status=status,
            links=tuple(self._links(facts, present)) if facts.depends_on else (),
            scope=SCOPE,
        )

    def batch(self, row: BatchRow, *, is_open: bool = False) -> SpanRecord:
        """Return a batch's span, a child of its model's."""
        node = row.node
        facts = self._manifest.nodes.get(node.unique_id, NO_FACTS)
        status = STATUS.get(node.status, StatusCode.UNSET)
        said = self._attributes(node, facts, status, is_open=is_open)
        said[dbt.DBT_BATCH_INDEX] = row.index
        if row.batch_start:
            said[dbt.DBT_BATCH_START] = row.batch_start
        start = node.start_ns or 0
        return SpanRecord(
            trace_id=self._trace.trace_id,
            span_id=self._trace.id_of(node.unique_id, batch=row.index),
            parent_span_id=self._trace.id_of(node.unique_id),
            name=f"dbt.{node.name}",
            start_ns=start,
            end_ns=0 if is_open else max(node.end_ns or start, start),
            attributes=said,
            status=status,
            scope=SCOPE,
        )

    def invocation(
        self,
        words: str,
        invocation: Invocation,
        window: tuple[int, int],
        more: Mapping[str, AttributeValue],
        *,
        status: StatusCode,
    ) -> SpanRecord:
        """Return the span of the whole run; an end of 0: it is going on."""
        said: dict[str, AttributeValue] = {
            **self._common,
            dbt.DBT_VERSION: invocation.version,
            dbt.DBT_SCHEMA_VERSION: invocation.schema_version,
            dbt.DBT_COMMAND: invocation.command,
            dbt.DBT_TARGET: invocation.target,
            dbt.DBT_PROJECT: self._manifest.project,
            dbt.DBT_ADAPTER: self._manifest.adapter,
            dbt.DBT_ELAPSED_TIME: invocation.elapsed_time,
            **more,
        }
        start, end = window
        return SpanRecord(
            trace_id=self._trace.trace_id,
            span_id=self._trace.root_id,
            parent_span_id=self._trace.parent_span_id,
            name=f"dbt {words}".strip(),
            start_ns=start,
            end_ns=end,
            attributes={name: value for name, value in said.items() if value not in (None, "")},
            status=status,
            scope=SCOPE,
        )

    def _attributes(
        self, row: NodeRow, facts: NodeFacts, status: StatusCode, *, is_open: bool
    ) -> dict[str, AttributeValue]:
        said = self._common | attributes_of(row, facts)
        if status is StatusCode.ERROR:
            said[attributes.ERROR_TYPE] = error_type_of(row)
        if row.status == INTERRUPTED and not is_open:  # else said by who ends it
            said[attributes.PIPELINE_INTERRUPTED] = True
        return said

    def _links(self, facts: NodeFacts, present: Container[str]) -> Iterator[Link]:
        """Yield the nodes above that ran: through ephemeral models, which never do."""
        nodes, done = list(facts.depends_on), set[str]()
        while nodes:
            unique_id = nodes.pop(0)
            if unique_id in done:
                continue
            done.add(unique_id)
            above = self._manifest.nodes.get(unique_id, NO_FACTS)
            if unique_id in present:
                yield Link(self._trace.trace_id, self._trace.id_of(unique_id), _UPSTREAM)
            elif above.materialized == "ephemeral":
                nodes.extend(above.depends_on)


def _times(row: NodeRow, window: tuple[int, int]) -> tuple[int, int, bool]:
    """Return start and end, and whether they are estimated: true times are never moved."""
    start, end = row.start_ns, row.end_ns
    if start is not None and end is not None:
        return start, max(start, end), False
    first, last = window
    took = int((row.execution_time or 0) * 10**9)
    if start is not None:
        return start, max(start, min(start + took, last)), True
    end = last if end is None else end
    return max(min(first, end), end - took), end, True
