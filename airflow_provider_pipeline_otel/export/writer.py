"""record → redact → encode → spool: the one way by which a span gets to disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import filterfalse, groupby, islice
from typing import TYPE_CHECKING, Final

import msgspec

from airflow_provider_pipeline_otel.config import Redaction
from airflow_provider_pipeline_otel.export.encoding import (
    encode_resource,
    encode_scope,
    encode_span,
)
from airflow_provider_pipeline_otel.export.frames import (
    NO_SPAN_ID,
    Frame,
    FrameKind,
    write_frame,
)
from airflow_provider_pipeline_otel.export.held import Held, is_wanted
from airflow_provider_pipeline_otel.export.ledger import REDACTED, Entry
from airflow_provider_pipeline_otel.export.redaction import Redactor
from airflow_provider_pipeline_otel.export.segment import SEAL_AFTER, LiveSegment

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.export.process_facts import ProcessFacts
    from airflow_provider_pipeline_otel.export.spool import Spool
    from airflow_provider_pipeline_otel.record import Attributes, Scope, SpanRecord

_FRAME_BYTES: Final = 64 * 1024
_SEGMENT_BYTES: Final = 512 * 1024
_TURN: Final = 128


class SpanWriter:
    """Writes spans of one resource: live ones as they open and end, finished ones all at once."""

    def __init__(
        self,
        spool: Spool,
        resource: Attributes,
        redaction: Redaction | None = None,
        *,
        seal_after: float = SEAL_AFTER,
    ) -> None:
        self.spool = spool
        self._segment = LiveSegment(spool, seal_after)
        self._held: Held | None = None
        self._redactor = Redactor(redaction or Redaction())
        self._resource = encode_resource(self._redactor.attributes(resource))
        self._scopes: dict[Scope, bytes] = {}

    def note_process(self, facts: ProcessFacts) -> None:
        """Write what will tell why this process died, should it be killed."""
        said = (msgspec.json.encode(facts),)
        frame = Frame(FrameKind.PROCESS, NO_SPAN_ID, self._resource, b"", said)
        self._segment.begin_with(write_frame(frame))

    def sample(self, ratio: float, *, of_task: bool = False) -> None:
        """Keep the details of so many runs, and of processes that fail or are killed.

        `of_task`: this is a task's own process, whose spans hang below none of another process.
        """
        self.conclude()
        if self._held is not None:
            self._held.close()
        self._held = Held(self.spool, ratio, of_task=of_task) if ratio < 1 else None

    def settle(self) -> None:
        """Drop what was held back: nothing goes on in this process, and all went well."""
        if self._held is not None:
            with self._held.turn():
                self._let_go(self._held.drop())
                self._held.forget()

    def conclude(self) -> None:
        """Drop what was held back, and what will be: the process has no more to say."""
        if self._held is not None:
            with self._held.turn():
                self._let_go(self._held.drop())
                self._held.conclude()

    def write_open(self, record: SpanRecord, *, terminated: bool = False) -> None:
        """Write the start of a span that others will hang on, before they do."""
        self._write_open(FrameKind.TERMINATED if terminated else FrameKind.OPEN, record)

    def write_preliminary(self, record: SpanRecord) -> None:
        """Write a live span that has ended, and will be written again when more is known of it."""
        self._write_open(FrameKind.PRELIMINARY, record)

    def write_ended(self, record: SpanRecord) -> None:
        """Write a live span that has ended."""
        frame = self._frame(FrameKind.ENDED, record)
        if frame is not None and not self._hold_ended(record, frame):
            self._segment.write_ended(record.span_id, frame)

    def write_finished(self, records: Iterable[SpanRecord]) -> int:
        """Write spans that are known as a whole, in their order, ready for delivery.

        Return how many they were, without those that are held back.
        """
        segment: list[bytes] = []
        size = count = total = 0
        if self._held is not None:
            records = self._hold_finished(self._held, list(records))
        for scope, spans in _chunks(records, self._redactor):
            written = self._finished(scope, spans)
            if size + len(written) > _SEGMENT_BYTES and segment:
                self.spool.put(segment, count)
                segment, size, count = [], 0, 0
            segment.append(written)
            size += len(written)
            count += len(spans)
            total += len(spans)
        if segment:
            self.spool.put(segment, count)
        self._count_redacted()
        return total

    def seal(self) -> None:
        """Hand what has ended over to delivery."""
        self._segment.seal()

    def close(self) -> None:
        """Seal, at the end of what this process has to say."""
        self._segment.close()
        if self._held is not None:
            self._held.close()
        self._count_redacted()

    def _write_open(self, kind: FrameKind, record: SpanRecord) -> None:
        frame = self._frame(kind, record)
        if frame is not None and not self._hold_open(record, frame):
            self._segment.write_open(record.span_id, frame)

    def _hold_open(self, record: SpanRecord, frame: bytes) -> bool:
        """Hold back a start, if it is one to hold back."""
        held = self._held
        if held is None:
            return False
        with held.turn():
            if held.holds(record):
                held.write_open(record.trace_id, record.span_id, frame)
                return True
        return False

    def _hold_ended(self, record: SpanRecord, frame: bytes) -> bool:
        """Hold back a span, if it is one to hold back; one that is wanted lets all go."""
        held = self._held
        if held is None:
            return False
        with held.turn():
            if is_wanted(record):
                self._let_go(held.release(record.trace_id))
            if held.holds(record):
                held.write_ended(record.trace_id, record.span_id, frame)
                return True
        return False

    def _hold_finished(self, held: Held, records: list[SpanRecord]) -> list[SpanRecord]:
        """Hold back what is to be, and return the rest."""
        with held.turn():
            for record in filter(is_wanted, records):
                self._let_go(held.release(record.trace_id))
            for trace_id, group in groupby(filter(held.holds, records), lambda one: one.trace_id):
                for scope, spans in _chunks(group, self._redactor):
                    frame = self._finished(scope, spans)
                    held.write_ended(trace_id, NO_SPAN_ID, frame, len(spans))
            return list(filterfalse(held.holds, records))

    def _let_go(self, still_open: Iterable[tuple[bytes, bytes]]) -> None:
        for span_id, frame in still_open:
            self._segment.write_open(span_id, frame)

    def _finished(self, scope: Scope, spans: tuple[bytes, ...]) -> bytes:
        kind = FrameKind.ENDED
        return write_frame(Frame(kind, NO_SPAN_ID, self._resource, self._scope(scope), spans))

    def _count_redacted(self) -> None:
        counts = self._redactor.take_counts()
        if counts:
            self.spool.ledger.add(*(Entry(REDACTED, n, kind) for kind, n in counts.items()))

    def _scope(self, scope: Scope) -> bytes:
        found = self._scopes.get(scope)
        if found is None:
            found = self._scopes[scope] = encode_scope(scope)
        return found

    def _frame(self, kind: FrameKind, record: SpanRecord) -> bytes | None:
        spans = (encode_span(self._redactor.redact(record)),)
        scope = self._scope(record.scope)
        try:
            return write_frame(Frame(kind, record.span_id, self._resource, scope, spans))
        except ValueError as error:
            self.spool.lose(str(error), 1)
            return None


def _chunks(
    records: Iterable[SpanRecord], redactor: Redactor
) -> Iterator[tuple[Scope, tuple[bytes, ...]]]:
    """Encode, and gather neighbours of one scope into frames of bounded size."""
    scope: Scope | None = None
    spans: list[bytes] = []
    size = 0
    for record in _in_turns(records):
        span = encode_span(redactor.redact(record))
        if scope is not None and (scope != record.scope or size + len(span) > _FRAME_BYTES):
            yield scope, tuple(spans)
            spans, size = [], 0
        scope = record.scope
        spans.append(span)
        size += len(span)
    if scope is not None:
        yield scope, tuple(spans)


def _in_turns(records: Iterable[SpanRecord]) -> Iterator[SpanRecord]:
    """Let many records be made, then many be encoded: by turns for each takes 15 % longer."""
    source = iter(records)
    while turn := tuple(islice(source, _TURN)):
        yield from turn
