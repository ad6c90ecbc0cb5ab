"""The span of the task that this process works on: ours, or the one that Airflow has begun."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import Token
from typing import Any

from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan

from airflow_provider_pipeline_otel.export.process_facts import facts_of_this_process
from airflow_provider_pipeline_otel.sdk.airflow_tracing import joined
from airflow_provider_pipeline_otel.sdk.configuration import install, live
from airflow_provider_pipeline_otel.semconv import attributes as names
from airflow_provider_pipeline_otel.stages import SCOPE

Attributes = Mapping[str, str | int]


class WorkerSpan:
    """A span that all spans of the process belong to; `token` where we have made it current."""

    def __init__(self, span: trace.Span, attributes: Attributes, token: Token[Any] | None) -> None:
        self._span = span
        self._token = token
        live.build().processor.take_sums()
        install({name: attributes[name] for name in (names.PIPELINE_NAME, names.AIRFLOW_TASK_ID)})
        live.home.span = span

    @classmethod
    def open(
        cls, trace_id: bytes, try_id: bytes, attributes: Attributes, airflow_trace_id: int
    ) -> WorkerSpan:
        """Begin a span below the try, and make it current.

        The parent is computed, and never the ambient context: on several versions that is a context
        of an unrelated trace, or an unsampled one.
        """
        _sample(attributes)
        parent = trace.SpanContext(
            int.from_bytes(trace_id, "big"),
            int.from_bytes(try_id, "big"),
            is_remote=True,
            trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
        )
        below = trace.set_span_in_context(trace.NonRecordingSpan(parent), context_api.Context())
        tracer = live.build().provider.get_tracer(SCOPE)
        name = f"worker.{attributes[names.AIRFLOW_TASK_ID]}"
        span = tracer.start_span(name, below, attributes=attributes)
        live.home.airflow_trace_id = airflow_trace_id
        return cls(span, attributes, context_api.attach(trace.set_span_in_context(span)))

    @classmethod
    def take_over(cls, attributes: Attributes) -> WorkerSpan | None:
        """Make Airflow's own span of this task ours; None: it has begun none."""
        _sample(attributes)
        span = joined.take_worker()
        if span is None:
            return None
        span.set_attributes(attributes)
        live.home.airflow_trace_id = 0
        return cls(span, attributes, None)

    def note_process(self, *, supervisor_lives_on: bool) -> None:
        """Write what will tell why this process died, should it be killed."""
        facts = facts_of_this_process(supervisor_lives_on=supervisor_lives_on)
        live.build().writer.note_process(facts)

    def write_open(self, *, terminated: bool = False) -> None:
        """Write the start to disk; `terminated`: Airflow has asked the process to end."""
        if terminated:
            joined.note_termination()
        if isinstance(self._span, ReadableSpan):  # else a sampler has dropped it
            live.build().processor.write_open(self._span, terminated=terminated)

    def fail(self, error_type: str, event: Mapping[str, str]) -> None:
        """Say which error it was."""
        self._span.set_attribute(names.ERROR_TYPE, error_type)
        self._span.add_event("exception", event)

    def close(self, status: trace.StatusCode, attributes: Mapping[str, str | int | float]) -> None:
        """End the span; Airflow's own goes on for as long as it has hooks to call."""
        span = self._span
        live.home.span = None
        span.set_attributes(live.build().processor.take_sums())
        span.set_attributes(attributes)
        span.set_status(status)
        if self._token is not None:
            span.end()
            context_api.detach(self._token)


def _sample(attributes: Attributes) -> None:
    """Let the share of the DAG decide which details are kept, from the first one on."""
    ratio = live.settings.sampling.ratio_of(str(attributes[names.PIPELINE_NAME]))
    live.build().writer.sample(ratio, of_task=True)
