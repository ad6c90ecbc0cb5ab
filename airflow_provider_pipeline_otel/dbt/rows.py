"""What dbt says of a run, as frozen rows; None stands for what it doesn't say."""

from __future__ import annotations

from typing import Any, Final

import msgspec

INTERRUPTED: Final = "interrupted"
"""The status of what was still going on when dbt was ended: our word, not dbt's."""

WRITING: Final = frozenset({"model", "seed", "snapshot"})
"""Kinds of nodes whose rows are written; a test's are those of its own query."""

TESTS: Final = frozenset({"test", "unit_test"})

COMPILED_ONLY: Final = frozenset(
    {"compile", "docs", "generate", "list", "ls", "parse", "rpc", "show"}
)
"""Commands whose results say that something was compiled, not that it ran."""


class NodeRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A node that ran, was skipped, or is running; times are nanoseconds since 1970."""

    unique_id: str
    status: str
    start_ns: int | None = None
    end_ns: int | None = None
    execution_time: float | None = None
    thread_id: str | None = None
    message: str | None = None
    failures: int | None = None
    rows_affected: int | None = None
    bytes_processed: int | None = None
    bytes_billed: int | None = None
    slot_ms: int | None = None
    query_id: str | None = None
    adapter_code: str | None = None
    relation_name: str | None = None
    compiled_sql_length: int | None = None
    batches_successful: int | None = None
    batches_failed: int | None = None
    materialized: str | None = None
    file_path: str | None = None
    freshness_seconds: float | None = None
    max_loaded_at_ns: int | None = None

    @property
    def kind(self) -> str:
        """The resource type, e.g. model, test or seed."""
        return self.unique_id.partition(".")[0]

    @property
    def name(self) -> str:
        """The node's own name: ids of tests end in a hash, those of unit tests name their model."""
        kind, *parts = self.unique_id.split(".", 2)
        if len(parts) < _NAMED:
            return parts[-1] if parts else kind
        if kind == "test":
            return parts[1].partition(".")[0]
        return parts[1].rpartition(".")[2] if kind == "unit_test" else parts[1]


_NAMED: Final = 2
"""Parts of an id beside its kind: a package and a name."""


class BatchRow(msgspec.Struct, frozen=True, kw_only=True):
    """A batch of a microbatch model; `batch_start` is the day, hour … that it is for."""

    index: int
    node: NodeRow
    batch_start: str | None = None


class NodeFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the manifest says of a node."""

    depends_on: tuple[str, ...] = ()
    materialized: str | None = None
    relation_name: str | None = None
    file_path: str | None = None
    package: str | None = None
    group: str | None = None
    tags: tuple[str, ...] = ()
    database: str | None = None
    schema: str | None = None
    alias: str | None = None
    attached_node: str | None = None
    column: str | None = None
    severity: str | None = None


NO_FACTS: Final = NodeFacts()


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of all nodes, by id."""

    adapter: str | None = None
    project: str | None = None
    nodes: dict[str, NodeFacts] = {}


class Invocation(msgspec.Struct, frozen=True, kw_only=True):
    """One run of dbt."""

    invocation_id: str | None = None
    version: str | None = None
    schema_version: str | None = None
    command: str | None = None
    target: str | None = None
    start_ns: int | None = None
    end_ns: int | None = None
    elapsed_time: float | None = None
    has_native_spans: bool = False
    environment: dict[str, Any] = {}

    @property
    def is_dbt_2(self) -> bool:
        """Whether it is dbt 2 (Fusion), whose numbers often mean something else than dbt-core's."""
        return (self.version or "").startswith("2.")


class TestResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a test found: data-quality gauges are made of it."""

    unique_id: str
    name: str
    status: str
    failures: int | None
    attached_node: str | None
    column: str | None


class Freshness(msgspec.Struct, frozen=True, kw_only=True):
    """How old a source's newest row was: data-quality gauges are made of it."""

    unique_id: str
    name: str
    status: str
    seconds: float | None
    max_loaded_at_ns: int | None


class DbtSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a run of dbt, small enough for XCom; `to_json()` is a plain dict.

    `trace_id` is in lower-case hex, as backends have it; None where nothing was drawn.
    """

    trace_id: str | None = None
    invocation_id: str | None = None
    command: str | None = None
    spans: int = 0
    statuses: dict[str, int] = {}
    records_written: int | None = None
    bytes_processed: int | None = None
    failed: tuple[str, ...] = ()
    tests: tuple[TestResult, ...] = ()
    freshness: tuple[Freshness, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return counts and totals, without the rows of tests and sources."""
        said = {
            "invocation_id": self.invocation_id,
            "command": self.command,
            "statuses": self.statuses,
            "records_written": self.records_written,
            "bytes_processed": self.bytes_processed,
        }
        return {name: value for name, value in said.items() if value is not None}
