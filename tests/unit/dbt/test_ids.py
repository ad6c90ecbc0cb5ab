"""Ids: emitting again gives the same spans, another run gives others."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from airflow_provider_pipeline_otel import emit_dbt_spans
from tests.unit.dbt.conftest import Project
from tests.unit.dbt.test_artifacts import node, whole
from tests.unit.dbt.test_times import timing


def context(span_id: int) -> Context:
    """Return the context of a task of the one trace."""
    parent = SpanContext(7, span_id, is_remote=True, trace_flags=TraceFlags(1))
    return trace.set_span_in_context(NonRecordingSpan(parent), Context())


def test_nodes_that_come_twice_have_ids_that_stay(project: Project) -> None:
    """The first, the second …: emitting again gives the same."""
    path = project.write(*[node("a", timing=timing(1, 2))] * 3)
    emit_dbt_spans(path)
    first = {span.span_id for span in project.nodes}
    emit_dbt_spans(path)
    assert len(first) == 3
    assert {span.span_id for span in project.nodes} == first


def test_two_tasks_that_emit_one_artifact(project: Project) -> None:
    """Nodes come once, also where a consumer emits what its producer already has."""
    path = project.write(node("a", timing=timing(1, 2)))
    emit_dbt_spans(path, context=context(1))
    (first,) = project.nodes
    emit_dbt_spans(path, context=context(2))
    assert [span.span_id for span in project.nodes] == [first.span_id]


def test_another_run_of_dbt_has_other_spans(project: Project) -> None:
    """A retry of the task runs dbt again."""
    for invocation_id in ("one", "two"):
        metadata = {**whole()["metadata"], "invocation_id": invocation_id}
        emit_dbt_spans(project.write(node("a"), metadata=metadata), context=context(1))
    assert len({span.span_id for span in project.all()}) == 4


def test_thousands_of_nodes(project: Project) -> None:
    """None is lost."""
    project.emit(*[node(f"m{number}", timing=timing(1, 2)) for number in range(3000)])
    assert len({span.span_id for span in project.nodes}) == 3000
