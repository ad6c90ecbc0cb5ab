"""The provider that user code sees: spans without a parent of their own belong to the task.

It builds the SDK with the first span: at the top level of a DAG file it costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from opentelemetry import context as context_api
from opentelemetry import trace

# Private, but it makes `@tracer.start_as_current_span(…)` work on coroutines, here as in the API.
from opentelemetry.util._decorator import _agnosticcontextmanager

from airflow_provider_pipeline_otel.sdk.airflow_spans import is_airflows

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.util.types import Attributes


class Home:
    """Where spans belong that have no parent: the span of the task that this process works on."""

    def __init__(self) -> None:
        self.span: trace.Span | None = None
        self.airflow_trace_id = 0

    def adopt(self, given: Context | None) -> Context | None:
        """Return the context that a new span should have, given the one that it was started with.

        Threads start without a context. And Airflow 3.3 puts an unsampled context of its own
        around task and hooks, tracing off or not: under it every span would be dropped.
        """
        if self.span is None:
            return given
        context = context_api.get_current() if given is None else given
        parent = trace.get_current_span(context).get_span_context()
        orphan = not parent.is_valid and given is None
        if orphan or (parent.is_valid and parent.trace_id == self.airflow_trace_id):
            return trace.set_span_in_context(self.span, context)
        return given


class PipelineTracerProvider(trace.TracerProvider):
    """Hands out tracers that adopt; everything else is the SDK provider's."""

    def __init__(self, build: Callable[[], TracerProvider], home: Home) -> None:
        self._build = build
        self._home = home

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes | None = None,
    ) -> trace.Tracer:
        """Return a tracer; Airflow's own tracers stay silent while its tracing is off."""
        if is_airflows(instrumenting_module_name):
            return trace.NoOpTracer()

        def build() -> trace.Tracer:
            return self._build().get_tracer(
                instrumenting_module_name, instrumenting_library_version, schema_url, attributes
            )

        return _AdoptingTracer(build, self._home)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        """Return what only the SDK's provider has: add_span_processor, resource and others."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._build(), name)


class _AdoptingTracer(trace.Tracer):
    def __init__(self, build: Callable[[], trace.Tracer], home: Home) -> None:
        self._build = build
        self._home = home
        self._tracer: trace.Tracer | None = None

    def _sdk(self) -> trace.Tracer:
        if self._tracer is None:
            self._tracer = self._build()
        return self._tracer

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        *args: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> trace.Span:
        return self._sdk().start_span(name, self._home.adopt(context), *args, **kwargs)

    @_agnosticcontextmanager
    def start_as_current_span(
        self,
        name: str,
        context: Context | None = None,
        *args: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> Iterator[trace.Span]:
        adopted = self._home.adopt(context)
        with self._sdk().start_as_current_span(name, adopted, *args, **kwargs) as span:
            yield span
