"""A sampler for processes whose spans go another way: the same share of the same runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult

from airflow_provider_pipeline_otel.export.held import is_sampled
from airflow_provider_pipeline_otel.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Link, SpanKind, TraceState
    from opentelemetry.util.types import Attributes

    from airflow_provider_pipeline_otel.config import Sampling


class PipelineSampler(Sampler):
    """Samples by `sample_ratio` and the trace id, as all processes of a run do.

    It decides when a span begins: that it will fail nobody knows yet. Spans that are marked with
    `pipeline.keep` from their start are sampled all the same.
    """

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling

    def should_sample(  # noqa: PLR0917  the SDK's interface
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,  # noqa: ARG002
        kind: SpanKind | None = None,  # noqa: ARG002
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,  # noqa: ARG002
        trace_state: TraceState | None = None,  # noqa: ARG002
    ) -> SamplingResult:
        """Decide; a parent that is not sampled, and its state, are handed on."""
        parent = trace.get_current_span(parent_context).get_span_context()
        said = attributes or {}
        dag_id = said.get(names.AIRFLOW_DAG_ID)
        ratio = (
            self._sampling.ratio_of(dag_id)
            if isinstance(dag_id, str)
            else self._sampling.ratio_of_environment()
        )
        is_in = not parent.is_valid or parent.trace_flags.sampled
        is_kept = said.get(names.PIPELINE_KEEP) is True
        wanted = is_in and (is_kept or is_sampled(trace_id.to_bytes(16, "big"), ratio))
        decision = Decision.RECORD_AND_SAMPLE if wanted else Decision.DROP
        state = parent.trace_state if parent.is_valid else None
        return SamplingResult(decision, attributes if wanted else None, state)

    def get_description(self) -> str:
        """Return what the SDK shows of a sampler."""
        return f"PipelineSampler{{{self._sampling.ratio:g}}}"
