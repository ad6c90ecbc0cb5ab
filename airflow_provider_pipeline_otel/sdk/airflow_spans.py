"""Airflow's own spans, made true: what the skeleton stands for goes, the rest hangs under its try.

Airflow 3.2 and 3.3 call skips errors, give two tries one id, write no root after a timeout or a
mark, and put map indexes into names. Ids of tries are computed from the span's own attributes.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from airflow_provider_pipeline_otel.identity import span_id_of_try
from airflow_provider_pipeline_otel.record import SpanRecord, StatusCode
from airflow_provider_pipeline_otel.semconv import attributes as names

_SKELETON: Final = ("dag_run.", "task_run.", "notused")
"""Names of what the database tells better, and of spans that are made for their ids alone."""

_PROCESSES: Final = ("worker.", "trigger.")
_LEVELS: Final = {"worker": "skeleton", "trigger": "detail"}
_ERROR: Final = "Exception: "
"""How Airflow describes what ended a process outside of its task."""

_CONTROL_FLOW: Final = f"{_ERROR}AirflowRescheduleException"


def is_airflows(scope: str) -> bool:
    """Say whether a scope is the core's own, and no provider's."""
    return scope.startswith("airflow.") and not scope.startswith("airflow.providers.")


def is_skeleton(scope: str, name: str) -> bool:
    """Say whether the skeleton that is written when the run ends stands for this span."""
    return name.startswith(_SKELETON) and is_airflows(scope)


def is_worker(scope: str, name: str) -> bool:
    """Say whether this is the span of the process that works on a try."""
    return name.startswith("worker.") and is_airflows(scope)


def correct_terminated(record: SpanRecord) -> SpanRecord:
    """Return what is true of a worker that Airflow asked to end.

    What it stumbles over then is no error of its task: the API server refuses what a process says
    that should be gone.
    """
    if not record.status_message.startswith(_ERROR):
        return record
    said = {**record.attributes, names.PIPELINE_PROCESS_EXIT_REASON: "terminated"}
    return replace(record, attributes=said, status=StatusCode.UNSET, status_message="")


def correct(record: SpanRecord) -> SpanRecord:
    """Return what is true of a span; of those that aren't Airflow's own, all is."""
    said = record.attributes
    task_id, number = (
        said.get(names.AIRFLOW_TASK_ID),
        said.get(names.AIRFLOW_TASK_INSTANCE_TRY_NUMBER),
    )
    is_process = record.name.startswith(_PROCESSES) and is_airflows(record.scope.name)
    if not is_process or not isinstance(task_id, str) or not isinstance(number, int):
        return record
    map_index = said.get(names.AIRFLOW_TASK_INSTANCE_MAP_INDEX)
    index = map_index if isinstance(map_index, int) else -1
    kind = record.name.partition(".")[0]
    added = {
        names.PIPELINE_NAME: said.get(names.AIRFLOW_DAG_ID),
        names.PIPELINE_SPAN_LEVEL: _LEVELS[kind],
    }
    is_error = record.status_message != _CONTROL_FLOW
    return replace(
        record,
        name=f"{kind}.{task_id}",
        parent_span_id=span_id_of_try(record.trace_id, task_id, index, number),
        attributes={**added, **said},
        status=record.status if is_error else StatusCode.UNSET,
        status_message=record.status_message if is_error else "",
    )
