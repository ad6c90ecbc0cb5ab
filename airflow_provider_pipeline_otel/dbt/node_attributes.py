"""A node's row and its facts → the attributes of its span; what is unknown has none."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final

from airflow_provider_pipeline_otel.dbt.messages import read_message
from airflow_provider_pipeline_otel.dbt.rows import NO_FACTS, TESTS, WRITING
from airflow_provider_pipeline_otel.semconv import attributes, dbt

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.dbt.rows import NodeFacts, NodeRow
    from airflow_provider_pipeline_otel.record import AttributeValue

_OF_ROWS: Final = {
    dbt.DBT_NODE_ID: "unique_id",
    dbt.DBT_STATUS: "status",
    dbt.DBT_THREAD_ID: "thread_id",
    dbt.DBT_EXECUTION_TIME: "execution_time",
    dbt.DBT_MATERIALIZATION: "materialized",
    dbt.DBT_RELATION_NAME: "relation_name",
    dbt.DBT_QUERY_ID: "query_id",
    dbt.DBT_ADAPTER_CODE: "adapter_code",
    dbt.DBT_BYTES_BILLED: "bytes_billed",
    dbt.DBT_SLOT_MS: "slot_ms",
    dbt.DBT_COMPILED_SQL_LENGTH: "compiled_sql_length",
    dbt.DBT_BATCHES_SUCCESSFUL: "batches_successful",
    dbt.DBT_BATCHES_FAILED: "batches_failed",
    dbt.CODE_FILE_PATH: "file_path",
    dbt.DQ_FRESHNESS_SECONDS: "freshness_seconds",
    attributes.PIPELINE_BYTES_PROCESSED: "bytes_processed",
}
"""By tables, and fetched at once: 50,000 nodes have a million attributes."""

_OF_FACTS: Final = {
    dbt.DBT_MATERIALIZATION: "materialized",
    dbt.DBT_RELATION_NAME: "relation_name",
    dbt.DBT_PACKAGE: "package",
    dbt.DBT_GROUP: "group",
    dbt.DBT_TAGS: "tags",
    dbt.CODE_FILE_PATH: "file_path",
}

_values_of_row: Final = attrgetter(*_OF_ROWS.values())
_values_of_facts: Final = attrgetter(*_OF_FACTS.values())

_STAGES: Final = {
    "test": "validate",
    "unit_test": "validate",
    "seed": "load",
    "source": "extract",
}


def attributes_of(row: NodeRow, facts: NodeFacts) -> dict[str, AttributeValue]:
    """Return what the span of a node says; the manifest's word counts more than the row's."""
    kind = row.kind
    said: dict[str, AttributeValue] = {
        name: value
        for name, value in zip(_OF_ROWS, _values_of_row(row), strict=True)
        if value is not None
    }
    said[dbt.DBT_NODE_NAME] = row.name
    said[dbt.DBT_RESOURCE_TYPE] = kind
    said[attributes.PIPELINE_STAGE] = _STAGES.get(kind, "transform")
    message = read_message(row.message)
    if message is not None:
        said[dbt.DBT_MESSAGE] = message
    if kind in WRITING and row.rows_affected is not None:
        said[attributes.PIPELINE_RECORDS_WRITTEN] = row.rows_affected
    if facts is not NO_FACTS:
        said |= _attributes_of_facts(facts)
        if facts.alias and kind not in TESTS:
            said[dbt.DB_COLLECTION_NAME] = facts.alias
    if kind in TESTS:
        said |= _attributes_of_test(row, facts)
    return said


def _attributes_of_facts(facts: NodeFacts) -> dict[str, AttributeValue]:
    said: dict[str, AttributeValue] = {
        name: value for name, value in zip(_OF_FACTS, _values_of_facts(facts), strict=True) if value
    }
    namespace = "|".join(filter(None, (facts.database, facts.schema)))
    if namespace:
        said[dbt.DB_NAMESPACE] = namespace
    return said


def _attributes_of_test(row: NodeRow, facts: NodeFacts) -> dict[str, AttributeValue]:
    said = {
        dbt.DBT_FAILURES: row.failures,
        dbt.DBT_TEST_ATTACHED_NODE: attached_node_of(facts),
        dbt.DBT_TEST_COLUMN: facts.column,
        dbt.DBT_TEST_SEVERITY: facts.severity.lower() if facts.severity else None,
    }
    return {name: value for name, value in said.items() if value is not None}


def attached_node_of(facts: NodeFacts) -> str | None:
    """Return the node that a test is for: unit tests and singular ones only depend on theirs."""
    return facts.attached_node or next(iter(facts.depends_on), None)
