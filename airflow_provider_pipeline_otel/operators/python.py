"""TracedPythonOperator and @task.traced: a Python callable as a pipeline stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

try:
    from airflow.providers.standard.operators.python import PythonOperator
except ImportError:  # Airflow 2.11 without the standard provider
    from airflow.operators.python import (  # type: ignore[import-not-found,no-redef]
        PythonOperator,
    )
try:
    from airflow.sdk.bases.decorator import DecoratedOperator, task_decorator_factory
except ImportError:  # Airflow 2.11
    from airflow.decorators.base import (  # type: ignore[import-not-found,no-redef]
        DecoratedOperator,
        task_decorator_factory,
    )

from airflow_provider_pipeline_otel.stages import pipeline_stage

if TYPE_CHECKING:
    from airflow.sdk.bases.decorator import TaskDecorator


class TracedPythonOperator(PythonOperator):
    """A PythonOperator whose callable runs as a stage of the pipeline.

    `stage` defaults to the task's id. What the stage reads and writes, and the partition, are
    templated; what is None is left out. Inside the callable, `current_stage()` takes the counts.
    """

    template_fields: Sequence[str] = (
        *PythonOperator.template_fields,
        "stage",
        "source_system",
        "source_table",
        "sink_system",
        "sink_table",
        "sink_path",
        "partition_key",
    )

    def __init__(
        self,
        *,
        stage: str | None = None,
        source_system: str | None = None,
        source_table: str | None = None,
        sink_system: str | None = None,
        sink_table: str | None = None,
        sink_path: str | None = None,
        partition_key: str | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(**kwargs)
        self.stage = stage
        self.source_system = source_system
        self.source_table = source_table
        self.sink_system = sink_system
        self.sink_table = sink_table
        self.sink_path = sink_path
        self.partition_key = partition_key

    def execute_callable(self) -> Any:  # noqa: ANN401
        """Run the callable inside the stage.

        Not `execute`: calling that of the class above makes Airflow 2.11 warn of, or refuse, an
        operator inside an operator.
        """
        with self._stage():
            return super().execute_callable()

    async def aexecute_callable(self) -> Any:  # noqa: ANN401
        """Await the callable inside the stage (Airflow 3.2 and later)."""
        with self._stage():
            return await super().aexecute_callable()

    def _stage(self) -> pipeline_stage:
        return pipeline_stage(
            self.stage or self.task_id,
            source_system=self.source_system,
            source_table=self.source_table,
            sink_system=self.sink_system,
            sink_table=self.sink_table,
            sink_path=self.sink_path,
            partition_key=self.partition_key,
        )


class _TracedDecoratedOperator(DecoratedOperator, TracedPythonOperator):
    """What `@task.traced` makes of a function."""

    custom_operator_name = "@task.traced"
    template_fields: Sequence[str] = (
        *DecoratedOperator.template_fields,
        *(
            field
            for field in TracedPythonOperator.template_fields
            if field not in DecoratedOperator.template_fields
        ),
    )

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Sequence[Any] = (),
        op_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(
            kwargs_to_upstream={
                "python_callable": python_callable,
                "op_args": op_args,
                "op_kwargs": op_kwargs,
            },
            python_callable=python_callable,
            op_args=op_args,
            op_kwargs=op_kwargs,
            **kwargs,
        )


def traced_task(
    python_callable: Callable[..., Any] | None = None,
    multiple_outputs: bool | None = None,  # noqa: FBT001
    **kwargs: Any,  # noqa: ANN401
) -> TaskDecorator:
    """Make a function a TracedPythonOperator: `@task.traced`, bare or with its options."""
    return task_decorator_factory(
        python_callable=python_callable,
        multiple_outputs=multiple_outputs,
        decorated_operator_class=_TracedDecoratedOperator,
        **kwargs,
    )
