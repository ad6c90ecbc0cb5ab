"""Dead processes: whoever looks into the spool ends the spans that they left open."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from airflow_provider_pipeline_otel.export.encoding import encode_end, parent_span_id_of
from airflow_provider_pipeline_otel.export.frames import (
    Frame,
    FrameKind,
    read_frames,
    write_frame,
)
from airflow_provider_pipeline_otel.export.locks import locked
from airflow_provider_pipeline_otel.export.segment import is_own
from airflow_provider_pipeline_otel.export.spool import Spool, pid_of, write_all
from airflow_provider_pipeline_otel.record import StatusCode
from airflow_provider_pipeline_otel.semconv import attributes

_CLOCK_TICK_NS: Final = 10_000_000
"""File times are as coarse as the kernel's tick: without it a span could end before it starts."""

_EMPTY_AFTER: Final = 60.0
"""Seconds after which a dead process's empty segment goes: a young one may not be locked yet."""


def recover(spool: Spool) -> int:
    """End what dead processes left open and seal their segments; return how many spans.

    A living process's segment gets a new modification time instead: so the file itself says when
    its process was last seen alive, and that is when its open spans will end.
    """
    found = _Found(set(), set())
    # Newest first: a process that died while it began a new segment has its open spans in both.
    # What is held back last: its parents are in the others.
    left = (*reversed(spool.open()), *spool.held())
    return sum(_recover(path, spool, found) for path in left if not is_own(path))


class _Found(NamedTuple):
    """What one look has found: spans that have ended, and processes that were asked to end."""

    ended: set[bytes]
    terminated: set[str]


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
            if any(frame.kind is FrameKind.TERMINATED for frame in left):
                found.terminated.add(pid_of(path))
            end_ns = file.st_mtime_ns + _CLOCK_TICK_NS
            closings = _closings(left, end_ns, terminated=pid_of(path) in found.terminated)
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
        if frame.kind is not FrameKind.ENDED and frame.span_id not in ended
    }
    ended.update(left)
    return list(left.values())


def _closings(left: list[Frame], end_ns: int, *, terminated: bool) -> list[Frame]:
    said: dict[str, str | bool] = {attributes.PIPELINE_INTERRUPTED: True}
    if terminated:
        said[attributes.PIPELINE_PROCESS_EXIT_REASON] = "terminated"
    status = StatusCode.UNSET if terminated else StatusCode.ERROR
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
