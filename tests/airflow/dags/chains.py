"""Tasks chained over XCom, in each mode, beside one that leaves rubbish under the same key."""

from __future__ import annotations

import logging
from typing import Any

from airflow_versions import CANARY, PythonOperator, python_task, truth_dag
from opentelemetry import trace

from airflow_provider_pipeline_otel import XComContextMixin, pipeline_stage

TRACER = trace.get_tracer("user.code")
KEY = "otel_trace_context"


class Warnings(logging.Handler):
    """Counts what this process is warned of by the provider."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count one."""
        del record
        self.count += 1


WARNINGS = Warnings()
logging.getLogger("airflow_provider_pipeline_otel").addHandler(WARNINGS)


class Chained(XComContextMixin, PythonOperator):
    """What a user makes of any operator."""


def chained(task_id: str, **options: Any) -> Chained:
    """Return a task that opens a stage named like itself, and tells of its warnings."""

    def work() -> None:
        with pipeline_stage(task_id):
            told = {"user.warnings": WARNINGS.count}
            TRACER.start_span(f"{task_id}_told", attributes=told).end()

    return Chained(task_id=task_id, python_callable=work, **options)


def forge(value: object, ti: Any) -> None:
    """Push what is no context."""
    ti.xcom_push(key=KEY, value=value)


def print_index(index: int) -> None:
    """Be one of several."""
    print(index)  # noqa: T201


FORGED = ["rubbish", 7, {"traceparent": CANARY}, {"traceparent": ["00", CANARY]}]

with truth_dag("chained"):
    producers = [
        chained("plain"),
        Chained.partial(task_id="each", python_callable=print_index).expand(
            op_args=[[0], [1], [2]]
        ),
    ]
    producers >> chained("linked")
    producers >> chained("nested", context_chaining="parent") >> chained("after")
    producers >> chained("apart", context_chaining="off") >> chained("after_apart")
    forgers = [
        python_task("forger", forge, op_args=[["rubbish", CANARY]]),
        PythonOperator.partial(task_id="forgers", python_callable=forge).expand(
            op_args=[[value] for value in FORGED]
        ),
    ]
    [*forgers, producers[0]] >> chained("wary")
    forgers >> chained("wary_of_parents", context_chaining="parent")
