"""Rows → the summary of a run: counts, totals, what failed, what tests and sources found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from airflow_provider_pipeline_otel.dbt.node_attributes import attached_node_of
from airflow_provider_pipeline_otel.dbt.rows import (
    NO_FACTS,
    TESTS,
    WRITING,
    DbtSummary,
    Freshness,
    Invocation,
    Manifest,
    NodeRow,
    TestResult,
)
from airflow_provider_pipeline_otel.dbt.spans import STATUS
from airflow_provider_pipeline_otel.record import StatusCode
from airflow_provider_pipeline_otel.semconv import dbt

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.record import AttributeValue


class Tally:
    """Adds up what passes by."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self.statuses: Counter[str] = Counter()
        self.failed: list[str] = []
        self._records: int | None = None
        self._bytes: int | None = None
        self._tests: list[TestResult] = []
        self._freshness: list[Freshness] = []

    def watch(self, rows: Iterable[NodeRow]) -> Iterator[NodeRow]:
        """Yield the rows as they are."""
        for row in rows:
            self.add(row)
            yield row

    def add(self, row: NodeRow) -> None:
        """Count a node that has ended."""
        kind = row.kind
        self.statuses[row.status] += 1
        if STATUS.get(row.status) is StatusCode.ERROR:
            self.failed.append(row.name)
        if kind in WRITING and row.rows_affected is not None:
            self._records = (self._records or 0) + row.rows_affected
        if row.bytes_processed is not None:
            self._bytes = (self._bytes or 0) + row.bytes_processed
        if kind in TESTS:
            facts = self._manifest.nodes.get(row.unique_id, NO_FACTS)
            node = attached_node_of(facts)
            self._tests.append(
                TestResult(
                    unique_id=row.unique_id,
                    name=row.name,
                    status=row.status,
                    failures=row.failures,
                    attached_node=node,
                    column=facts.column,
                )
            )
        elif kind == "source":
            self._freshness.append(
                Freshness(
                    unique_id=row.unique_id,
                    name=row.name,
                    status=row.status,
                    seconds=row.freshness_seconds,
                    max_loaded_at_ns=row.max_loaded_at_ns,
                )
            )

    def counts(self) -> dict[str, AttributeValue]:
        """Return the numbers of nodes as attributes of the invocation."""
        said: dict[str, AttributeValue] = {
            f"{dbt.DBT_NODES}.{status.replace(' ', '_')}": count
            for status, count in self.statuses.items()
        }
        return said | {f"{dbt.DBT_NODES}.total": self.statuses.total()}

    def summary(self, invocation: Invocation, trace_id: bytes, spans: int) -> DbtSummary:
        """Return what came of it, and where its spans are; without a trace there are none."""
        return DbtSummary(
            trace_id=trace_id.hex() or None,
            invocation_id=invocation.invocation_id,
            command=invocation.command,
            spans=spans if trace_id else 0,
            statuses=dict(self.statuses),
            records_written=self._records,
            bytes_processed=self._bytes,
            failed=tuple(self.failed),
            tests=tuple(self._tests),
            freshness=tuple(self._freshness),
        )
