"""Dead processes: whoever looks into the spool ends the spans that they left open."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from airflow_provider_pipeline_otel.export.encoding import encode_end, parent_span_id_of
from airflow_provider_pipeline_otel.export.frames import (
    Frame,
    FrameKind,
    read_frames,
    write_frame,
)
from airflow_provider_pipeline_otel.export.locks import locked
from airflow_provider_pipeline_otel.export.process_facts import (
    TERMINATED,
    ProcessFacts,
    exit_reason_of,
)
from airflow_provider_pipeline_otel.export.segment import is_own
from airflow_provider_pipeline_otel.export.spool import Spool, pid_of, write_all
from airflow_provider_pipeline_otel.record import StatusCode
from airflow_provider_pipeline_otel.semconv import attributes

_CLOCK_TICK_NS: Final = 10_000_000
"""File times are as coarse as the kernel's tick: without it a span could end before it starts."""

_LEFT: Final = frozenset({FrameKind.OPEN, FrameKind.TERMINATED, FrameKind.PRELIMINARY})
_EMPTY_AFTER: Final = 60.0
"""Seconds after which a dead process's empty segment goes: a young one may not be locked yet."""


def recover(spool: Spool) -> int:
    """End what dead processes left open and seal their segments; return how many spans.

    A living process's segment gets a new modification time instead: so the file itself says when
    its process was last seen alive, and that is when its open spans will end.
    """
    found = _Found(set(), {})
    # Newest first: a process that died while it began a new segment has its open spans in both.
    # What is held back last: its parents are in the others.
    left = (*reversed(spool.open()), *spool.held())
    return sum(_recover(path, spool, found) for path in left if not is_own(path))


class _Found(NamedTuple):
    """What one look has found: spans that have ended, and why processes are dead, if known."""

    ended: set[bytes]
    reasons: dict[str, str]

    def reason_of(self, path: Path, frames: list[Frame], left: list[Frame]) -> str:
        """Return why the process of a segment is dead, by this one or another of its segments."""
        known = self.reasons.get(pid_of(path), "")
        if left and known != TERMINATED:
            known = self.reasons[pid_of(path)] = _reason(frames, left) or known
        return known


def _recover(path: Path, spool: Spool, found: _Found) -> int:
    with locked(path) as fd:
        if fd is None:
            with suppress(OSError):
                os.utime(path)
            return 0
        try:
            file = os.fstat(fd)
            if not file.st_size:
                if time.time() - file.st_mtime > _EMPTY_AFTER:
                    path.unlink()
                return 0
            frames = list(read_frames(os.pread(fd, file.st_size, 0)))
            found.ended.update(frame.span_id for frame in frames if frame.kind is FrameKind.ENDED)
            left = _left_open(frames, found.ended)
            reason = found.reason_of(path, frames, left)
            closings = _closings(left, file.st_mtime_ns + _CLOCK_TICK_NS, reason)
            os.lseek(fd, 0, os.SEEK_END)
            # Into the file itself, then one rename: a death in between repeats nothing.
            write_all(fd, b"".join(map(write_frame, closings)))
            path.rename(spool.sealed_folder / path.name)
        except OSError as error:
            spool.lose(str(error.strerror), 0)
            return 0
    for frame in closings:
        if parent_span_id_of(frame.spans[0]) not in found.ended:
            spool.keep_interrupted(frame.spans[0])
    return len(closings)


def _left_open(frames: list[Frame], ended: set[bytes]) -> list[Frame]:
    left = {
        frame.span_id: frame
        for frame in frames
        if frame.kind in _LEFT and frame.span_id not in ended
    }
    ended.update(left)
    return list(left.values())


def _reason(frames: list[Frame], left: list[Frame]) -> str:
    """Return why the process is dead, empty where nobody knows."""
    if any(frame.kind is FrameKind.TERMINATED for frame in left):
        return TERMINATED
    for frame in frames:
        if frame.kind is FrameKind.PROCESS:
            with suppress(msgspec.DecodeError, IndexError):
                return exit_reason_of(msgspec.json.decode(frame.spans[0], type=ProcessFacts))
    return ""


def _closings(left: list[Frame], end_ns: int, reason: str) -> list[Frame]:
    said: dict[str, str | bool] = {attributes.PIPELINE_INTERRUPTED: True}
    if reason:
        said[attributes.PIPELINE_PROCESS_EXIT_REASON] = reason
    status = StatusCode.UNSET if reason == TERMINATED else StatusCode.ERROR
    end = encode_end(end_ns, said, status)
    return [
        Frame(
            FrameKind.ENDED,
            frame.span_id,
            frame.resource,
            frame.scope,
            frame.spans
            if frame.kind is FrameKind.PRELIMINARY
            else tuple(span + end for span in frame.spans),
        )
        for frame in left
    ]
