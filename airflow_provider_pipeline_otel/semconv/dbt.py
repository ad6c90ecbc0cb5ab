"""Attribute names of dbt: `dbt.*`, and the current ones of OpenTelemetry that fit.

docs/semantic-conventions.md is the same list as a table.
"""

from __future__ import annotations

from typing import Final

PIPELINE_TOOL: Final = "pipeline.tool"
"""What did the work where that isn't Python code of the task: `dbt`."""

DBT_INVOCATION_ID: Final = "dbt.invocation_id"
"""dbt's id of the run."""

DBT_VERSION: Final = "dbt.version"
"""dbt's version."""

DBT_SCHEMA_VERSION: Final = "dbt.schema_version"
"""The version of run_results.json, e.g. `v6`."""

DBT_COMMAND: Final = "dbt.command"
"""What dbt was asked for: build, run, test, freshness, …"""

DBT_TARGET: Final = "dbt.target"
"""The profile's target."""

DBT_PROJECT: Final = "dbt.project"
"""The project's name."""

DBT_ADAPTER: Final = "dbt.adapter"
"""The adapter's name, e.g. `snowflake`."""

DBT_ELAPSED_TIME: Final = "dbt.elapsed_time"
"""Seconds that dbt says the run took: hooks included, parsing not; dbt 2 adds its nodes up."""

DBT_EXIT_CODE: Final = "dbt.exit_code"
"""dbt's exit code: 0 well, 1 with failed nodes, 2 and others without having run to its end."""

DBT_ARTIFACT: Final = "dbt.artifact"
"""Present where run_results.json isn't as it should be: `missing` or `truncated`."""

DBT_NODES: Final = "dbt.nodes"
"""Prefix of `dbt.nodes.<status>`: how many nodes ended so; `dbt.nodes.total` counts all."""

DBT_NODE_ID: Final = "dbt.node_id"
"""The node's unique id."""

DBT_NODE_NAME: Final = "dbt.node_name"
"""The node's name."""

DBT_RESOURCE_TYPE: Final = "dbt.resource_type"
"""What the node is: model, test, unit_test, seed, snapshot, source, operation, …"""

DBT_STATUS: Final = "dbt.status"
"""dbt's word for how the node ended, in lower case; `interrupted` where it didn't."""

DBT_MESSAGE: Final = "dbt.message"
"""dbt's message, where it is one of those that can hold no data."""

DBT_TIMING: Final = "dbt.timing"
"""`estimated` where dbt gives no times of its own."""

DBT_THREAD_ID: Final = "dbt.thread_id"
"""dbt's thread that ran the node."""

DBT_EXECUTION_TIME: Final = "dbt.execution_time"
"""Seconds that dbt says the node took."""

DBT_FAILURES: Final = "dbt.failures"
"""Rows that a test found ({row})."""

DBT_MATERIALIZATION: Final = "dbt.materialization"
"""view, table, incremental, …"""

DBT_PACKAGE: Final = "dbt.package"
"""The package that the node is of."""

DBT_TAGS: Final = "dbt.tags"
"""The node's tags."""

DBT_GROUP: Final = "dbt.group"
"""The group that owns the node; its owner's name and address stay inside."""

DBT_RELATION_NAME: Final = "dbt.relation_name"
"""The table or view; of a test the one in which its failures are stored."""

DBT_QUERY_ID: Final = "dbt.query_id"
"""The warehouse's id of the (last) query."""

DBT_ADAPTER_CODE: Final = "dbt.adapter_code"
"""The adapter's word for what was done, e.g. `INSERT`."""

DBT_BYTES_BILLED: Final = "dbt.bytes_billed"
"""Bytes billed (By), on BigQuery."""

DBT_SLOT_MS: Final = "dbt.slot_ms"
"""Slot milliseconds, on BigQuery."""

DBT_COMPILED_SQL_LENGTH: Final = "dbt.compiled_sql_length"
"""Characters of the compiled code, which itself stays inside."""

DBT_TEST_ATTACHED_NODE: Final = "dbt.test.attached_node"
"""The node that the test is for."""

DBT_TEST_COLUMN: Final = "dbt.test.column"
"""The column that the test is for."""

DBT_TEST_SEVERITY: Final = "dbt.test.severity"
"""`error` or `warn`."""

DBT_BATCH_INDEX: Final = "dbt.batch.index"
"""Which batch of its model, from 1."""

DBT_BATCH_START: Final = "dbt.batch.start"
"""The start of what the batch is for, as dbt says it."""

DBT_BATCHES_SUCCESSFUL: Final = "dbt.batches.successful"
"""Batches of a microbatch model that went well."""

DBT_BATCHES_FAILED: Final = "dbt.batches.failed"
"""Batches of a microbatch model that didn't, skipped ones included."""

DQ_FRESHNESS_SECONDS: Final = "dq.freshness_seconds"
"""Age of a source's newest row (s) when it was looked at."""

DB_SYSTEM_NAME: Final = "db.system.name"
"""OpenTelemetry's name of the database; dbt's adapter name where there is none."""

DB_NAMESPACE: Final = "db.namespace"
"""`database|schema`."""

DB_COLLECTION_NAME: Final = "db.collection.name"
"""The table or view, without database and schema."""

CODE_FILE_PATH: Final = "code.file.path"
"""The node's file in the project."""
