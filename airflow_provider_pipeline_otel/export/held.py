"""Details of runs that are sampled out, held back on disk until their process has ended.

Whether they are wanted is known at the end: a process that fails or is killed keeps its details
whatever the ratio. On disk, not in memory: so that what a kill leaves is there, and a process of
hours needs no room for it.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from airflow_provider_pipeline_otel.export.frames import (
    Frame,
    FrameKind,
    read_frames,
    write_frame,
)
from airflow_provider_pipeline_otel.export.ledger import DROPPED, SAMPLED_OUT, Entry
from airflow_provider_pipeline_otel.export.segment import SEAL_BYTES, LiveSegment
from airflow_provider_pipeline_otel.export.spool import WANTED
from airflow_provider_pipeline_otel.guard import warn_once
from airflow_provider_pipeline_otel.record import StatusCode
from airflow_provider_pipeline_otel.semconv import attributes

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.export.spool import Spool
    from airflow_provider_pipeline_otel.record import SpanRecord

_PROCESSES: Final = 4
"""So many fill the spool: a process may hold back that share of `spool_max_bytes`, 64 MiB."""

_GENERATIONS: Final = 8
"""From a task over a shell and its children to what traces; further up nobody looks."""

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

    def __init__(self, spool: Spool, ratio: float, *, of_task: bool) -> None:
        self._spool = spool
        self._ratio = ratio
        self._most = spool.caps.bytes // _PROCESSES
        self._task_pid = os.getpid() if of_task else 0
        self._segment = LiveSegment(spool, _NEVER, folder=spool.held_folder, seal_bytes=_NEVER)
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        # A signal handler may write while the main thread does: hence reentrant.
        self._lock = threading.RLock()
        self._is_over = False
        self._wanted: set[bytes] = set()
        self._held: Counter[bytes] = Counter()
        self._left_out = self._lost = 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Decide on a span while no other thread does; in a child what it has itself made."""
        if self._pid != os.getpid():
            self._begin()
        with self._lock:
            yield

    def holds(self, record: SpanRecord) -> bool:
        """Say whether a span is one to hold back."""
        return (
            record.attributes.get(attributes.PIPELINE_SPAN_LEVEL) != "skeleton"
            and record.trace_id not in self._wanted
            and not is_sampled(record.trace_id, self._ratio)
        )

    def write_open(self, trace_id: bytes, span_id: bytes, frame: bytes) -> None:
        """Hold back the start of a span."""
        if not self._is_over and self._segment.size < self._most:
            self._held[trace_id] += 0
            self._segment.write_open(span_id, frame)

    def write_ended(self, trace_id: bytes, span_id: bytes, frame: bytes, spans: int = 1) -> None:
        """Hold back spans that have ended."""
        if self._is_over:
            self._left_out += spans
        elif self._segment.size < self._most or self._segment.has_open(span_id):
            self._held[trace_id] += spans
            self._segment.write_ended(span_id, frame)
        else:
            self._lost += spans

    def release(self, trace_id: bytes) -> Iterable[tuple[bytes, bytes]]:
        """Hand all that is held over to delivery, from now on too; return what is still open.

        All of it: a process works on one trace, and of several the others are no loss. Marks tell
        the processes that have started this one: these spans may hang on theirs.
        """
        if trace_id in self._wanted:
            return ()
        self._wanted.add(trace_id)
        if self._pid != self._task_pid:
            for pid in _ancestors(self._task_pid):
                with suppress(OSError):
                    self._mark(trace_id, pid).touch(mode=0o600)
        still_open = self._segment.take_open()
        for piece in _pieces(read_frames(self._segment.read())):
            self._spool.put(map(write_frame, piece), sum(len(frame.spans) for frame in piece))
        self._segment.clear()
        self._held.clear()
        return still_open.items()

    def drop(self) -> Iterable[tuple[bytes, bytes]]:
        """Drop what is held, since all spans of this process are over.

        But for what another process wants: then it is released, as `release` does.
        """
        for trace_id in self._held:
            mark = self._mark(trace_id, os.getpid())
            if mark.exists():
                mark.unlink(missing_ok=True)
                return self.release(trace_id)
        self._left_out += self._held.total()
        self._held.clear()
        self._segment.clear()
        return ()

    def forget(self) -> None:
        """Forget which traces were wanted: nothing goes on that belongs to one."""
        self._wanted.clear()

    def conclude(self) -> None:
        """Hold back nothing from now on: what still ends is wanted by then, or left out."""
        self._is_over = True

    def close(self) -> None:
        """Leave no empty file behind, and count what was left out."""
        if not self._segment.size:
            self._segment.close()
        if self._lost:
            warn_once(
                "%d details are lost: there were more than %d bytes to hold back. Set "
                "[pipeline_otel] spool_max_bytes, of which that is a quarter, or sample_ratio, "
                "higher.",
                self._lost,
                self._most,
            )
        self._spool.ledger.add(
            Entry(SAMPLED_OUT, self._left_out), Entry(DROPPED, self._lost, "held back")
        )
        self._left_out = self._lost = 0

    def _mark(self, trace_id: bytes, pid: int) -> Path:
        return self._spool.held_folder / f"{pid}-{trace_id.hex()}{WANTED}"


def _ancestors(last: int) -> Iterator[int]:
    """Yield the process that has started this one, and so on; up to `last`, if it is among them."""
    pid = os.getppid()
    for _ in range(_GENERATIONS):
        if pid > 1:
            yield pid
        if pid in {0, 1, last}:
            return
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        pid = int(stat.rpartition(")")[2].split()[1])


def _pieces(frames: Iterable[Frame]) -> Iterator[list[Frame]]:
    """Divide ended spans into what a segment may hold."""
    piece: list[Frame] = []
    size = 0
    for frame in frames:
        if frame.kind is FrameKind.ENDED:
            piece.append(frame)
            size += sum(map(len, frame.spans))
            if size > SEAL_BYTES:
                yield piece
                piece, size = [], 0
    if piece:
        yield piece
