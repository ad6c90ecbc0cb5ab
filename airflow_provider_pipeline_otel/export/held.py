"""Details of runs that are sampled out, held back on disk until their process has ended.

Whether they are wanted is known at the end: a process that fails or is killed keeps its details
whatever the ratio. On disk, not in memory: so that what a kill leaves is there, and a process of
hours needs no room for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from airflow_provider_pipeline_otel.export.ledger import SAMPLED_OUT, Entry
from airflow_provider_pipeline_otel.export.segment import LiveSegment
from airflow_provider_pipeline_otel.record import StatusCode
from airflow_provider_pipeline_otel.semconv import attributes

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.export.spool import Spool
    from airflow_provider_pipeline_otel.record import SpanRecord

_MOST: Final = 64 * 1024 * 1024
"""Bytes that a process holds back; beyond, details are lost and counted."""

_NEVER: Final = float("inf")
_BITS: Final = 64


def is_sampled(trace_id: bytes, ratio: float) -> bool:
    """Say whether a trace keeps its details: as OpenTelemetry's TraceIdRatioBased decides.

    By the id alone: all processes of a run agree, and so do SDKs of other languages.
    """
    bound: int = round(ratio * 2**_BITS)
    return int.from_bytes(trace_id[-_BITS // 8 :], "big") < bound


def is_wanted(record: SpanRecord) -> bool:
    """Say whether a span that has ended makes its process keep all details of its trace."""
    said = record.attributes
    return (
        record.status is StatusCode.ERROR
        or said.get(attributes.PIPELINE_KEEP) is True
        or attributes.PIPELINE_PROCESS_EXIT_REASON in said
    )


class Held:
    """What this process holds back, of traces that `ratio` leaves out."""

    def __init__(self, spool: Spool, ratio: float) -> None:
        self.ratio = ratio
        self._spool = spool
        self._segment = LiveSegment(spool, _NEVER, folder=spool.held_folder, seal_bytes=_NEVER)
        self._pid = os.getpid()
        self._wanted: set[bytes] = set()
        self._spans = 0
        self._left_out = 0

    def holds(self, record: SpanRecord) -> bool:
        """Say whether a span is one to hold back."""
        self._after_fork()
        return (
            record.attributes.get(attributes.PIPELINE_SPAN_LEVEL) != "skeleton"
            and record.trace_id not in self._wanted
            and not is_sampled(record.trace_id, self.ratio)
        )

    def write_open(self, span_id: bytes, frame: bytes) -> None:
        """Hold back the start of a span."""
        if self._has_room(0):
            self._segment.write_open(span_id, frame)

    def write_ended(self, span_id: bytes, frame: bytes, spans: int = 1) -> None:
        """Hold back spans that have ended."""
        if self._has_room(spans):
            self._segment.write_ended(span_id, frame)
            self._spans += spans

    def release(self, trace_id: bytes) -> Iterable[tuple[bytes, bytes]]:
        """Hand all that is held over to delivery, from now on too; return what is still open.

        All of it: a process works on one trace, and of several the others are no loss.
        """
        self._after_fork()
        if trace_id in self._wanted:
            return ()
        self._wanted.add(trace_id)
        still_open = self._segment.take_open()
        self._segment.seal()
        self._segment.clear()  # what is open has moved, and must not be found here too
        self._spans = 0
        return still_open.items()

    def settle(self) -> None:
        """Drop what is held: all spans of this process are over, and none is wanted."""
        self._after_fork()
        self._wanted.clear()
        if self._segment.size:
            self._segment.clear()
            self._left_out += self._spans
            self._spans = 0

    def close(self) -> None:
        """Leave no empty file behind, and count what was left out."""
        self._after_fork()
        if not self._segment.size:
            self._segment.close()
        if self._left_out:
            self._spool.ledger.add(Entry(SAMPLED_OUT, self._left_out))
            self._left_out = 0

    def _has_room(self, spans: int) -> bool:
        if self._segment.size < _MOST:
            return True
        self._spool.lose(f"more than {_MOST} bytes of details held back by sample_ratio", spans)
        return False

    def _after_fork(self) -> None:
        if self._pid != os.getpid():
            self._pid, self._wanted, self._spans, self._left_out = os.getpid(), set(), 0, 0
