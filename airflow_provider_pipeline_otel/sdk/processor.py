"""Live spans on their way to disk: a span that began is there before its first child is."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from weakref import WeakSet, WeakValueDictionary

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import INVALID_SPAN_CONTEXT, get_current_span

from airflow_provider_pipeline_otel.guard import guarded
from airflow_provider_pipeline_otel.record import (
    Event,
    Link,
    Scope,
    SpanKind,
    SpanRecord,
    StatusCode,
)
from airflow_provider_pipeline_otel.semconv import attributes

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span
    from opentelemetry.util.types import Attributes

    from airflow_provider_pipeline_otel.export.writer import SpanWriter
    from airflow_provider_pipeline_otel.record import AttributeValue

_SUMMED: Final = (
    attributes.PIPELINE_RECORDS_READ,
    attributes.PIPELINE_RECORDS_WRITTEN,
    attributes.PIPELINE_RECORDS_FAILED,
    attributes.PIPELINE_BYTES_PROCESSED,
)


def _copy(found: Attributes) -> dict[str, AttributeValue]:
    """Return the SDK's attributes; its own `copy` is three times as fast as what `dict` makes."""
    copy = getattr(found, "copy", None)
    return copy() if copy is not None else dict(found or {})


def read_span(span: ReadableSpan) -> SpanRecord:
    """Return what the SDK knows of a span; a span that goes on ends at 0."""
    context, parent, scope = span.get_span_context(), span.parent, span.instrumentation_scope
    context = context or INVALID_SPAN_CONTEXT
    return SpanRecord(
        trace_id=context.trace_id.to_bytes(16, "big"),
        span_id=context.span_id.to_bytes(8, "big"),
        parent_span_id=parent.span_id.to_bytes(8, "big") if parent else b"",
        name=span.name,
        start_ns=span.start_time or 0,
        end_ns=span.end_time or 0,
        attributes=_copy(span.attributes),
        status=StatusCode(span.status.status_code.value),
        status_message=span.status.description or "",
        events=tuple(
            Event(event.name, event.timestamp, _copy(event.attributes)) for event in span.events
        ),
        links=tuple(
            Link(
                link.context.trace_id.to_bytes(16, "big"),
                link.context.span_id.to_bytes(8, "big"),
                _copy(link.attributes),
            )
            for link in span.links
        ),
        kind=SpanKind(span.kind.value + 1),  # the SDK counts from 0, OTLP from 1
        scope=Scope(scope.name, scope.version or "") if scope else Scope(""),
    )


class SpoolProcessor(SpanProcessor):
    """Turns SDK spans into records: starts as soon as something hangs on them, ends at once."""

    def __init__(
        self,
        writer: SpanWriter,
        deliver_soon: Callable[[], None] | None,
        read: Callable[[ReadableSpan], SpanRecord] = read_span,
    ) -> None:
        self._writer = writer
        self._deliver_soon = deliver_soon
        self.read = read
        # Weak: a span that user code drops without ending it must not live on here.
        self._going: WeakValueDictionary[int, Span] = WeakValueDictionary()
        self._written: set[int] = set()
        self._inherited: frozenset[int] = frozenset()
        self._sums: Counter[str] = Counter()
        _processors.add(self)

    @guarded  # it runs inside the user's own code
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Write the parent's start ahead, if it is a span of this process that has none yet."""
        parent = get_current_span(parent_context).get_span_context().span_id
        going = self._going.get(parent)
        if going is not None and parent not in self._written:
            self.write_open(going)
        self._going[_id_of(span)] = span

    @guarded
    def on_end(self, span: ReadableSpan) -> None:
        """Write the span, and have it delivered while the process goes on.

        A worker is the last span of a task's process, which delivers then.
        """
        span_id = _id_of(span)
        self._going.pop(span_id, None)
        self._written.discard(span_id)
        if span_id in self._inherited or not _is_sampled(span):
            return  # another process's to end; or recorded for what looks at it here
        self._add_up(span)
        self._writer.write_ended(self.read(span))
        if not self._going:
            self._writer.settle()
        if self._deliver_soon and not _is_worker(span):
            self._deliver_soon()

    def write_open(self, span: ReadableSpan, *, terminated: bool = False) -> None:
        """Write the start of a span that goes on, with the attributes that it has by now."""
        self._written.add(_id_of(span))
        self._writer.write_open(self.read(span), terminated=terminated)

    @guarded
    def before_fork(self) -> None:
        """Write what goes on: spans of the child may hang on it, and the child can't write it."""
        for span_id, span in list(self._going.items()):
            if span_id not in self._written:
                self.write_open(span)

    def after_fork(self) -> None:
        """Leave what the parent has begun to the parent: the child's death is not its end."""
        self._inherited = frozenset(self._going)
        self._going = WeakValueDictionary()
        self._written = set()

    def take_sums(self) -> dict[str, int]:
        """Return the records and bytes of all stages that ended since the last call."""
        sums, self._sums = self._sums, Counter()
        return dict(sums)

    def add_counts(self, records_written: int, bytes_processed: int) -> None:
        """Add records and bytes of work that has no stage of its own."""
        self._sums[attributes.PIPELINE_RECORDS_WRITTEN] += records_written
        self._sums[attributes.PIPELINE_BYTES_PROCESSED] += bytes_processed
        self._sums = +self._sums

    def _add_up(self, span: ReadableSpan) -> None:
        found = span.attributes or {}
        if attributes.PIPELINE_STAGE in found:
            for name in _SUMMED:
                value = found.get(name)
                if isinstance(value, int):
                    self._sums[name] += value


_processors: Final[WeakSet[SpoolProcessor]] = WeakSet()


def _before_fork() -> None:
    for processor in tuple(_processors):
        processor.before_fork()


def _after_fork() -> None:
    for processor in tuple(_processors):
        processor.after_fork()


os.register_at_fork(before=_before_fork, after_in_child=_after_fork)


def _is_worker(span: ReadableSpan) -> bool:
    return (span.attributes or {}).get(attributes.PIPELINE_SPAN_LEVEL) == "skeleton"


def _is_sampled(span: ReadableSpan) -> bool:
    context = span.get_span_context()
    return context is not None and context.trace_flags.sampled


def _id_of(span: ReadableSpan) -> int:
    context = span.get_span_context()
    return 0 if context is None else context.span_id
