"""Never run: mypy --strict checks that the public API has the types it promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_type

from opentelemetry.context import Context
from opentelemetry.metrics import Meter
from opentelemetry.trace import Link, Tracer

from airflow_provider_pipeline_otel import (
    DbtSummary,
    DbtTracedOperator,
    Stage,
    TracedPythonOperator,
    XComContextMixin,
    current_stage,
    emit_dbt_spans,
    flush_otel,
    pipeline_stage,
    setup_otel,
)
from airflow_provider_pipeline_otel.propagation import xcom


@pipeline_stage(source_system="postgres")
def decorated(number: int, *, text: str = "") -> list[str]:
    """Keep the function's signature."""
    return [text] * number


@pipeline_stage("named")
async def coroutine() -> int:
    """Stay a coroutine function."""
    return 1


@pipeline_stage()
def generator() -> Iterator[int]:
    """Stay a generator function."""
    yield 1


async def api() -> None:
    """Use everything that is public."""
    assert_type(setup_otel("name", resource_attributes={"a": 1}), tuple[Tracer, Meter])
    assert_type(flush_otel(timeout=1.0), bool)
    assert_type(decorated(2, text="x"), list[str])
    assert_type(await coroutine(), int)
    assert_type(generator(), Iterator[int])
    with pipeline_stage("stage", sink_table="t", attributes={"k": [1, 2]}, links=[]) as stage:
        assert_type(stage, Stage)
        stage.add_records(read=1, written=1, failed=1, reason="code")
        stage.add_bytes(1)
        stage.set_partition_key("p")
        stage.keep()
    assert_type(current_stage(), Stage)
    carrier: dict[str, str] = {}
    xcom.inject(carrier)
    assert_type(xcom.extract(carrier), Context)
    assert_type(xcom.links([carrier]), list[Link])


class Chained(XComContextMixin, TracedPythonOperator):
    """The mixin goes in front."""


Chained(task_id="t", python_callable=decorated, context_chaining="parent", stage="s")


def dbt() -> None:
    """The operator takes dbt's words or lists; the converter returns a summary."""
    DbtTracedOperator(task_id="a", project_dir="p", select="x+", exclude=["y"], vars={"day": 1})
    assert_type(emit_dbt_spans("target"), DbtSummary)
    assert_type(emit_dbt_spans("target").statuses, dict[str, int])
