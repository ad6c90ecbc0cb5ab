"""pipeline_stage: a stage of a pipeline as a span, with its counts written when it ends."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar, cast

from opentelemetry import context as context_api
from opentelemetry import trace

from airflow_provider_pipeline_otel.semconv import attributes as names
from airflow_provider_pipeline_otel.stage_calls import wrap

if TYPE_CHECKING:
    from types import TracebackType

    from opentelemetry.context import Context
    from opentelemetry.trace import Link, Span, TracerProvider
    from opentelemetry.util.types import AttributeValue

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

SCOPE: Final = "airflow_provider_pipeline_otel"

_MAX_REASONS: Final = 20
_CODE: Final = r"[A-Za-z_][A-Za-z0-9_.-]{0,63}"
_MAX_DIGITS: Final = 4

_CONTROL_FLOW: Final = frozenset(
    {
        "AirflowSkipException",
        "AirflowRescheduleException",
        "DagRunTriggerException",
        "DownstreamTasksSkipped",
        "TaskAwaitingInput",
        "TaskDeferred",
        "GeneratorExit",
    }
)
"""Names, since a stage also runs where Airflow isn't installed, and the classes moved with 3.x."""


class _Unsaid(int):
    """The 0 that stands for "not said", so that a 0 that was said is written."""


_UNSAID: Final = _Unsaid()


class _Surroundings:
    """What the process says of the task that it works on, and the provider that it prefers."""

    provider: TracerProvider | None = None
    attributes: Mapping[str, AttributeValue] = {}


_surroundings: Final = _Surroundings()


def set_surroundings(
    provider: TracerProvider | None, attributes: Mapping[str, AttributeValue]
) -> None:
    """Say which provider makes the stages' spans (None: the global one), and what each carries."""
    _surroundings.provider = provider
    _surroundings.attributes = attributes


def surrounding_attributes() -> Mapping[str, AttributeValue]:
    """Return what each stage of this process carries."""
    return _surroundings.attributes


class Stage:
    """A stage that is going on: takes counts, and writes them when it ends."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self._counts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()

    def add_records(
        self,
        *,
        read: int = _UNSAID,
        written: int = _UNSAID,
        failed: int = _UNSAID,
        reason: str | None = None,
    ) -> None:
        """Add to the numbers of records; what is never said stays absent, a 0 that is said counts.

        `reason` says why the failed ones failed, by exception class or short code. It must hold no
        data: what looks like data is cut to its class, or to `other`.
        """
        self._add(names.PIPELINE_RECORDS_READ, read)
        self._add(names.PIPELINE_RECORDS_WRITTEN, written)
        self._add(names.PIPELINE_RECORDS_FAILED, failed)
        if reason is not None and failed > 0:
            code = _code_of(reason)
            known = code in self._reasons or len(self._reasons) < _MAX_REASONS
            self._reasons[code if known else "other"] += failed

    def add_bytes(self, n: int) -> None:
        """Add to the number of bytes processed."""
        self._add(names.PIPELINE_BYTES_PROCESSED, n)

    def set_partition_key(self, k: str) -> None:
        """Say which partition the stage works on."""
        self.span.set_attribute(names.PIPELINE_PARTITION_KEY, str(k))

    def keep(self) -> None:
        """Mark the trace as one that a sampler must keep."""
        self.span.set_attributes({names.PIPELINE_KEEP: True})

    def _add(self, name: str, n: int) -> None:
        if n is _UNSAID:
            return
        if n < 0:
            log.warning("pipeline_otel: %s = %r is not a number of 0 or more: left out", name, n)
            return
        self._counts[name] += int(n)

    def _write_counts(self) -> None:
        for name, count in self._counts.items():
            self.span.set_attribute(name, count)
        for reason, count in self._reasons.items():
            self.span.set_attribute(f"{names.PIPELINE_RECORDS_FAILED}.{reason}", count)


def _code_of(reason: str) -> str:
    head = re.split(r"[:\s(]", reason.strip(), maxsplit=1)[0]
    is_code = re.fullmatch(_CODE, head) and sum(map(str.isdigit, head)) <= _MAX_DIGITS
    return head if is_code else "other"


_OUTSIDE: Final = Stage(trace.INVALID_SPAN)
_current: Final[ContextVar[Stage]] = ContextVar("pipeline_otel_stage")


def current_stage() -> Stage:
    """Return the stage that is going on; outside any stage one that does nothing."""
    stage = _current.get(_OUTSIDE)
    return Stage(trace.INVALID_SPAN) if stage is _OUTSIDE else stage


class pipeline_stage:  # noqa: N801
    """A stage of a pipeline: context manager, and decorator of functions, generators, coroutines.

    The span is a child of the stage around it, else of the task's worker; `context` puts it under
    another parent, `links` (opentelemetry.trace.Link) tie it to other spans. As a decorator the
    name defaults to the function's. Every exception passes through: skips and deferrals leave the
    status unset, others make it ERROR with `error.type`.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        source_system: str | None = None,
        source_table: str | None = None,
        sink_system: str | None = None,
        sink_table: str | None = None,
        sink_path: str | None = None,
        partition_key: str | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
        links: Sequence[Link] | None = None,
        context: Context | None = None,
    ) -> None:
        self._name = name
        self._links = links
        self._context = context
        said = {
            names.PIPELINE_SOURCE_SYSTEM: source_system,
            names.PIPELINE_SOURCE_TABLE: source_table,
            names.PIPELINE_SINK_SYSTEM: sink_system,
            names.PIPELINE_SINK_TABLE: sink_table,
            names.PIPELINE_SINK_PATH: sink_path,
            names.PIPELINE_PARTITION_KEY: partition_key,
        }
        self._attributes: dict[str, AttributeValue] = dict(attributes or {}) | {
            key: str(value) for key, value in said.items() if value is not None
        }
        self._entered: list[_OpenStage] = []

    def __enter__(self) -> Stage:
        """Begin the stage."""
        if self._name is None:
            raise ValueError("pipeline_stage() needs a name where it is no decorator")
        opened = self._begin(self._name)
        self._entered.append(opened)
        return opened.__enter__()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the stage; what was raised goes on."""
        opened = self._entered.pop()
        opened.__exit__()
        opened.end(exc)

    async def __aenter__(self) -> Stage:
        """Begin the stage."""
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the stage; what was raised goes on."""
        self.__exit__(exc_type, exc, traceback)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Make each call of the function a stage."""
        name = self._name or function.__name__
        # A span of its own for each: calls of one function overlap, in threads and coroutines.
        return cast("Callable[P, R]", wrap(function, lambda: self._begin(name)))

    def _begin(self, name: str) -> _OpenStage:
        provider = _surroundings.provider or trace.get_tracer_provider()
        attributes = {
            names.PIPELINE_STAGE: name,
            names.PIPELINE_SPAN_LEVEL: "detail",
            **_surroundings.attributes,
            **self._attributes,
        }
        tracer = provider.get_tracer(SCOPE)
        return _OpenStage(
            Stage(tracer.start_span(name, self._context, attributes=attributes, links=self._links)),
            self._context,
        )


class _OpenStage:
    """A stage that has begun, and makes itself and its span the current ones for a while."""

    def __init__(self, stage: Stage, context: Context | None) -> None:
        self.stage = stage
        self._context = trace.set_span_in_context(stage.span, context)

    def __enter__(self) -> Stage:
        self._token = context_api.attach(self._context)
        self._current = _current.set(self.stage)
        return self.stage

    def __exit__(self, *exc: object) -> None:
        _current.reset(self._current)
        context_api.detach(self._token)

    def end(self, error: BaseException | None) -> None:
        """Write the counts and the status, and end the span."""
        self.stage._write_counts()  # noqa: SLF001
        span = self.stage.span
        if error is None or isinstance(error, GeneratorExit):
            span.set_status(trace.StatusCode.OK)
        elif _CONTROL_FLOW.isdisjoint(base.__name__ for base in type(error).__mro__):
            kind = type(error).__name__
            span.set_attribute(names.ERROR_TYPE, kind)
            span.add_event("exception", {names.EXCEPTION_TYPE: kind})
            span.set_status(trace.StatusCode.ERROR)
        span.end()
