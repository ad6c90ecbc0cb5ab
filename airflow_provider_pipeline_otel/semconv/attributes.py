"""Attribute names: Airflow's own, OpenTelemetry's current ones, and `pipeline.*`.

The form is that of `opentelemetry.semconv`: a constant, and below it what it means.
docs/semantic-conventions.md is the same list as a table.
"""

from __future__ import annotations

from typing import Final

AIRFLOW_DAG_ID: Final = "airflow.dag_id"
"""The DAG's id."""

AIRFLOW_TASK_ID: Final = "airflow.task_id"
"""The task's id, with the ids of its task groups in front."""

AIRFLOW_DAG_TAGS: Final = "airflow.dag.tags"
"""The DAG's tags, sorted."""

AIRFLOW_DAG_RUN_RUN_ID: Final = "airflow.dag_run.run_id"
"""The run's id."""

AIRFLOW_DAG_RUN_RUN_TYPE: Final = "airflow.dag_run.run_type"
"""What made the run: scheduled, manual, backfill, asset_triggered, …"""

AIRFLOW_DAG_RUN_STATE: Final = "airflow.dag_run.state"
"""The run's state when it ended."""

AIRFLOW_DAG_RUN_LOGICAL_DATE: Final = "airflow.dag_run.logical_date"
"""The run's logical date (ISO 8601); absent where the run has none."""

AIRFLOW_DAG_RUN_QUEUED_AT: Final = "airflow.dag_run.queued_at"
"""When the run was queued (ISO 8601)."""

AIRFLOW_DAG_RUN_START_DATE: Final = "airflow.dag_run.start_date"
"""When the run was started (ISO 8601); the trace's id is made of it."""

AIRFLOW_DAG_RUN_END_DATE: Final = "airflow.dag_run.end_date"
"""When the run ended (ISO 8601)."""

AIRFLOW_DAG_RUN_CLEAR_NUMBER: Final = "airflow.dag_run.clear_number"
"""How often Airflow says that the run was cleared."""

AIRFLOW_DAG_RUN_PARTITION_KEY: Final = "airflow.dag_run.partition_key"
"""The partition that the run works on (Airflow 3.2 and later)."""

AIRFLOW_TASK_INSTANCE_TRY_NUMBER: Final = "airflow.task_instance.try_number"
"""The number of the try, from 1."""

AIRFLOW_TASK_INSTANCE_MAP_INDEX: Final = "airflow.task_instance.map_index"
"""The index of a mapped task's instance; -1 where the task isn't mapped."""

AIRFLOW_TASK_INSTANCE_STATE: Final = "airflow.task_instance.state"
"""The state in which the try ended, in Airflow's word."""

AIRFLOW_TASK_INSTANCE_OPERATOR: Final = "airflow.task_instance.operator"
"""The operator's class name."""

AIRFLOW_TASK_INSTANCE_QUEUE: Final = "airflow.task_instance.queue"
"""The queue that the try was sent to."""

AIRFLOW_TASK_INSTANCE_POOL: Final = "airflow.task_instance.pool"
"""The pool whose slots the try took."""

AIRFLOW_TASK_INSTANCE_HOSTNAME: Final = "airflow.task_instance.hostname"
"""The host that ran the try."""

AIRFLOW_TASK_INSTANCE_QUEUED_DURATION: Final = "airflow.task_instance.queued_duration"
"""Seconds between the (last) queueing of the try and its start."""

AIRFLOW_EXECUTOR: Final = "airflow.executor"
"""The executor that the task was given to."""

AIRFLOW_LINK_TYPE: Final = "airflow.link.type"
"""On links: retry, rerun, asset, trigger or upstream."""

PIPELINE_NAME: Final = "pipeline.name"
"""The pipeline's name: the DAG's id, or PIPELINE_NAME outside Airflow."""

PIPELINE_TEAM: Final = "pipeline.team"
"""Resource attribute: the team that owns the process (from PIPELINE_TEAM)."""

PIPELINE_SPAN_LEVEL: Final = "pipeline.span.level"
"""`skeleton` on run, try and worker, `detail` on what lies below."""

PIPELINE_SPAN_START_ESTIMATED: Final = "pipeline.span.start_estimated"
"""True where the database knows no better start (rescheduled tries on Airflow 3.x)."""

PIPELINE_KEEP: Final = "pipeline.keep"
"""True on a span whose trace a sampler must keep."""

PIPELINE_INTERRUPTED: Final = "pipeline.interrupted"
"""True where the process died and another one had to end the span."""

PIPELINE_DAG_RUN_REQUEUED: Final = "pipeline.dag_run.requeued"
"""True on the root of a trace whose run went on in another one: it was set back to queued or, where
Airflow's own tracing gives out the traces, one of its tasks was cleared."""

PIPELINE_RUN_TASKS: Final = "pipeline.run.tasks"
"""Prefix of `pipeline.run.tasks.<state>`: how many task instances ended in that state."""

PIPELINE_FAILURE_FIRST_TASK: Final = "pipeline.failure.first_task"
"""The task whose failure came first."""

PIPELINE_PROCESS_CPU_TIME: Final = "pipeline.process.cpu_time"
"""CPU seconds that the worker's process and its ended children used on the try."""

PIPELINE_PROCESS_PEAK_MEMORY: Final = "pipeline.process.peak_memory"
"""Largest resident set of the worker's process, in bytes."""

PIPELINE_PROCESS_EXIT_REASON: Final = "pipeline.process.exit_reason"
"""Why the worker's process ended before its time, as far as that can be known.

`terminated`: Airflow asked it to end; `oom`: the kernel killed in its control group for memory;
`heartbeat`: its supervisor died too (Airflow 3, LocalExecutor and CeleryExecutor); else
`killed`."""

PIPELINE_STAGE: Final = "pipeline.stage"
"""The stage's name."""

PIPELINE_SOURCE_SYSTEM: Final = "pipeline.source.system"
"""What the stage reads from, e.g. `postgres`."""

PIPELINE_SOURCE_TABLE: Final = "pipeline.source.table"
"""The table, topic or collection that the stage reads."""

PIPELINE_SINK_SYSTEM: Final = "pipeline.sink.system"
"""What the stage writes to, e.g. `s3`."""

PIPELINE_SINK_TABLE: Final = "pipeline.sink.table"
"""The table, topic or collection that the stage writes."""

PIPELINE_SINK_PATH: Final = "pipeline.sink.path"
"""The path or prefix that the stage writes to."""

PIPELINE_PARTITION_KEY: Final = "pipeline.partition.key"
"""The partition that the stage works on."""

PIPELINE_RECORDS_READ: Final = "pipeline.records.read"
"""Records read ({record})."""

PIPELINE_RECORDS_WRITTEN: Final = "pipeline.records.written"
"""Records written ({record})."""

PIPELINE_RECORDS_FAILED: Final = "pipeline.records.failed"
"""Records that could not be processed ({record}); `.<reason>` below it splits them by reason."""

PIPELINE_BYTES_PROCESSED: Final = "pipeline.bytes.processed"
"""Bytes processed (By)."""

DEPLOYMENT_ENVIRONMENT_NAME: Final = "deployment.environment.name"
"""Resource attribute: production, staging, … (from ENV)."""

ERROR_TYPE: Final = "error.type"
"""The exception's class name."""

EXCEPTION_TYPE: Final = "exception.type"
"""On an `exception` event: the exception's class name."""

EXCEPTION_MESSAGE: Final = "exception.message"
"""On an `exception` event: its text; never leaves the process."""

EXCEPTION_STACKTRACE: Final = "exception.stacktrace"
"""On an `exception` event: its traceback; never leaves the process."""

HOST_NAME: Final = "host.name"
"""The host's name."""

PROCESS_PID: Final = "process.pid"
"""The process's id."""

SERVICE_NAME: Final = "service.name"
"""Resource attribute: `airflow` in Airflow, unless OTEL_SERVICE_NAME says otherwise."""

SERVICE_VERSION: Final = "service.version"
"""Resource attribute: the code's version (from GIT_SHA)."""

TELEMETRY_SDK_LANGUAGE: Final = "telemetry.sdk.language"
"""Resource attribute: always `python`."""

TELEMETRY_SDK_NAME: Final = "telemetry.sdk.name"
"""Resource attribute: always `opentelemetry`."""
