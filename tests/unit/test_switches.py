"""DAGs and tasks that leave no trace."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from airflow_provider_pipeline_otel import disable_tracing, silence
from airflow_provider_pipeline_otel.dbt.destination import find_parent
from airflow_provider_pipeline_otel.switches import OFF_TAG, is_dag_off, is_task_off

if TYPE_CHECKING:
    from collections.abc import Collection


def dag(tags: Collection[str] | None = None) -> SimpleNamespace:
    """Return as much of a DAG as is looked at."""
    return SimpleNamespace(dag_id="etl", tags=tags)


@pytest.mark.parametrize("tags", [None, [], {"team:shop"}])
def test_a_dag_gets_a_tag(tags: Collection[str] | None) -> None:
    """Beside those that it has; it is what the scheduler reads."""
    target = dag(tags)
    assert disable_tracing(target) is target
    assert target.tags == {*(tags or ()), OFF_TAG}
    assert is_dag_off((), "etl", target.tags)


def test_a_task_is_remembered_by_its_dag() -> None:
    """By its id: a mapped task is another object when it runs."""
    home = dag()
    loud, quiet = (SimpleNamespace(task_id=name, dag=home) for name in ("loud", "quiet"))
    disable_tracing(quiet)
    assert not is_task_off(loud)
    assert is_task_off(SimpleNamespace(task_id="quiet", dag=home))
    assert home.tags is None


@pytest.mark.parametrize("target", ["etl", None, SimpleNamespace(task_id="t", dag=None)])
def test_anything_else_is_an_error(target: object) -> None:
    """Named, where the DAG is written."""
    with pytest.raises(TypeError, match="takes a DAG or a task"):
        disable_tracing(target)


@pytest.mark.parametrize(
    ("patterns", "is_off"),
    [
        ((), False),
        (("etl",), True),
        (("e*", "x"), True),
        (("ETL",), False),
        (("et",), False),
        (("[ef]t?",), True),
    ],
)
def test_patterns_are_the_shells(patterns: tuple[str, ...], is_off: bool) -> None:  # noqa: FBT001
    """For the whole name, and capitals count."""
    assert is_dag_off(patterns, "etl") is is_off


def test_in_silence_nothing_is_made() -> None:
    """Neither spans of the SDK nor those of a run of dbt; afterwards all is as before."""
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    silence.begin()
    assert not tracer.start_span("quiet").is_recording()
    assert not find_parent().sampled
    silence.end()
    assert tracer.start_span("loud").is_recording()
    assert not trace.get_current_span().get_span_context().is_valid
