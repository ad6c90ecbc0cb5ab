"""Spans that nobody has written yet: the run that goes on, and its tries that do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from airflow_provider_pipeline_otel.identity import span_id_of_run
from airflow_provider_pipeline_otel.semconv import attributes as names

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.cli.traces import SpanRow

_WORKER: Final = "worker."
_OF_RUN: Final = {names.AIRFLOW_DAG_ID, names.AIRFLOW_DAG_RUN_RUN_ID, names.PIPELINE_NAME}
_OF_TRY: Final = {
    *_OF_RUN,
    names.AIRFLOW_TASK_ID,
    names.AIRFLOW_TASK_INSTANCE_TRY_NUMBER,
    names.AIRFLOW_TASK_INSTANCE_MAP_INDEX,
}


def unwritten(spans: Iterable[SpanRow]) -> list[SpanRow]:
    """Return the missing parents of these spans of a trace, open, as far as they are known."""
    here = {span.span_id: span for span in spans}
    tries = list(_missing(here, _WORKER, "task_run.", names.AIRFLOW_TASK_ID, _OF_TRY))
    here |= {span.span_id: span for span in tries}
    return [*tries, *_missing(here, "task_run.", "dag_run.", names.AIRFLOW_DAG_ID, _OF_RUN)]


def _missing(
    here: dict[str, SpanRow], of: str, name: str, named_by: str, said: set[str]
) -> Iterator[SpanRow]:
    done = set()
    for span in sorted(here.values(), key=lambda one: one.start_ns):
        is_known = span.parent_span_id in here or span.parent_span_id in done
        # Users' own spans may have such a name too.
        if is_known or not span.name.startswith(of) or named_by not in span.attributes:
            continue
        done.add(span.parent_span_id)
        yield msgspec.structs.replace(
            span,
            span_id=span.parent_span_id,
            parent_span_id=_root_id(span) if of == _WORKER else "",
            name=f"{name}{span.attributes[named_by]}",
            end_ns=0,
            status="UNSET",
            attributes={key: value for key, value in span.attributes.items() if key in said},
            events=[],
            links=[],
        )


def _root_id(span: SpanRow) -> str:
    return span_id_of_run(bytes.fromhex(span.trace_id)).hex()
