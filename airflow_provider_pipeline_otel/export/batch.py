"""A batch: sealed segments that are leased together, and the spans in them that are still owed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from airflow_provider_pipeline_otel.export.encoding import encode_request
from airflow_provider_pipeline_otel.export.frames import (
    NO_SPAN_ID,
    Frame,
    FrameKind,
    read_frames,
    write_frame,
)
from airflow_provider_pipeline_otel.export.locks import locked

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.export.spool import Spool

_SENT: Final = write_frame(Frame(FrameKind.SENT, NO_SPAN_ID, b"", b"", ()))


class Piece(NamedTuple):
    """A span, and what it belongs to."""

    segment: Segment
    resource: bytes
    scope: bytes
    span: bytes


def encode_pieces(pieces: Iterable[Piece]) -> bytes:
    """Return the request that sends these spans."""
    groups: dict[tuple[bytes, bytes], list[bytes]] = {}
    for piece in pieces:
        groups.setdefault((piece.resource, piece.scope), []).append(piece.span)
    return encode_request(groups)


class Segment:
    """A leased segment: locked for as long as its descriptor is open."""

    def __init__(self, path: Path, fd: int) -> None:
        self._path = path
        self._fd = fd
        self._data = os.pread(fd, os.fstat(fd).st_size, 0)
        frames = list(read_frames(self._data))
        self.times_sent = sum(frame.kind is FrameKind.SENT for frame in frames)
        """How often its spans were sent without an answer: the collector may have them."""
        self.owed = [
            Piece(self, frame.resource, frame.scope, span)
            for frame in frames
            if frame.kind is FrameKind.ENDED
            for span in frame.spans
        ]
        self._is_marked = False

    def mark_sent(self) -> None:
        """Say on disk that its spans are on their way: whoever comes next must know."""
        if not self._is_marked:
            with suppress(OSError):  # a full disk: delivery makes room
                os.pwrite(self._fd, _SENT, len(self._data))
                self._is_marked = True

    def settle(self, spool: Spool, settled: set[int], *, is_answered: bool) -> bool:
        """Leave on disk what is still owed; say whether that is nothing."""
        owed = [piece for piece in self.owed if id(piece) not in settled]
        sent = self._is_marked and not is_answered
        if not owed:
            self._finish(spool)
        elif len(owed) < len(self.owed):
            self._rewrite(spool, owed, self.times_sent + sent)
        elif self._is_marked and is_answered:
            with suppress(OSError):
                os.ftruncate(self._fd, len(self._data))
        return not owed

    def _finish(self, spool: Spool) -> None:
        if self.owed:
            spool.kept.add(self._data, self._path.name)
        try:
            self._path.unlink(missing_ok=True)
        except OSError:
            with suppress(OSError):  # at least nobody sends it again
                os.ftruncate(self._fd, 0)

    def _rewrite(self, spool: Spool, owed: list[Piece], times_sent: int) -> None:
        frames = [
            write_frame(Frame(FrameKind.ENDED, NO_SPAN_ID, *piece[1:3], (piece.span,)))
            for piece in owed
        ]
        with suppress(OSError):  # then it is sent again as a whole
            spool.write(self._path, [*frames, *[_SENT] * times_sent])


class Batch:
    """As many segments as one request may hold."""

    def __init__(self, segments: list[Segment], held_by_others: int) -> None:
        self._segments = segments
        self._settled: set[int] = set()
        self.held_by_others = held_by_others
        self.pieces = [piece for segment in segments for piece in segment.owed]

    @classmethod
    def take(cls, waiting: list[Path], locks: ExitStack, most: int) -> Batch:
        """Take segments from the front of `waiting`, locked, of `most` bytes together."""
        segments: list[Segment] = []
        size = held = 0
        while waiting:
            fd = locks.enter_context(locked(waiting[0]))
            length = os.fstat(fd).st_size if fd is not None else 0
            if segments and size + length > most:
                break
            path = waiting.pop(0)
            if fd is None:
                held += path.exists()
                continue
            segments.append(Segment(path, fd))
            size += length
        return cls(segments, held)

    def mark_sent(self, pieces: list[Piece]) -> None:
        """Mark the segments of these spans as sent."""
        for segment in {id(piece.segment): piece.segment for piece in pieces}.values():
            segment.mark_sent()

    def note_settled(self, pieces: Iterable[Piece]) -> None:
        """Note that these spans are owed no longer."""
        self._settled.update(map(id, pieces))

    def settle(self, spool: Spool, *, is_answered: bool) -> int:
        """Leave on disk what is still owed, and return how many segments that are."""
        done = [one.settle(spool, self._settled, is_answered=is_answered) for one in self._segments]
        return done.count(False)
