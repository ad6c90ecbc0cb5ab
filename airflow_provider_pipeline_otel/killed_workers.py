"""What killed workers left in the spool of their tries: why they died, and that they were at all.

Before 3.1 a scheduler resets a task that a dead one has left running, and writes no history: the
worker's parent would never arrive.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_pipeline_otel.semconv import attributes as names
from airflow_provider_pipeline_otel.skeleton.rows import KilledWorker, TryRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WORKER: Final = "worker."
_NEEDED: Final = {
    names.AIRFLOW_DAG_ID,
    names.AIRFLOW_DAG_RUN_RUN_ID,
    names.AIRFLOW_TASK_ID,
    names.AIRFLOW_TASK_INSTANCE_MAP_INDEX,
    names.AIRFLOW_TASK_INSTANCE_TRY_NUMBER,
    names.HOST_NAME,
    names.PROCESS_PID,
}


def read_killed_workers(spans: Sequence[bytes]) -> Iterator[KilledWorker]:
    """Yield each worker among these OTLP spans; its try failed, as later Airflows note it."""
    if not spans:
        return
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    for data in spans:
        try:
            span = Span.FromString(data)
        except DecodeError:
            continue
        said = {pair.key: pair.value for pair in span.attributes}
        # Users' own spans may have such a name, and be found without their parent too.
        if span.name.startswith(_WORKER) and said.keys() >= _NEEDED:
            dag_id, run_id = said[names.AIRFLOW_DAG_ID], said[names.AIRFLOW_DAG_RUN_RUN_ID]
            run = dag_id.string_value, run_id.string_value
            reason = said.get(names.PIPELINE_PROCESS_EXIT_REASON)
            why = reason.string_value if reason is not None else None
            yield KilledWorker(run, span.trace_id, _try_of(span, said), why)


def _try_of(span: Any, said: dict[str, Any]) -> TryRow:  # noqa: ANN401
    return TryRow(
        task_id=said[names.AIRFLOW_TASK_ID].string_value,
        map_index=said[names.AIRFLOW_TASK_INSTANCE_MAP_INDEX].int_value,
        try_number=said[names.AIRFLOW_TASK_INSTANCE_TRY_NUMBER].int_value,
        state="failed",
        start_date=datetime.fromtimestamp(span.start_time_unix_nano / 10**9, UTC),
        end_date=datetime.fromtimestamp(span.end_time_unix_nano / 10**9, UTC),
        queued_dttm=None,
        operator=None,
        queue=None,
        pool=None,
        hostname=said[names.HOST_NAME].string_value,
        pid=said[names.PROCESS_PID].int_value,
    )
