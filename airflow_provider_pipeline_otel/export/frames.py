"""The frame: how spans lie in a spool file, such that damage costs no more than what it hits.

A frame is a mark, a length, a checksum and a body. Who finds a wrong checksum looks for the next
mark: a torn tail or a flipped bit loses the frames that it hits, and no other. The mark holds the
format's version: a reader passes over frames of a version that it doesn't know.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final
from zlib import crc32

import msgspec

MARK: Final = b"\xf5OT1"
"""0xf5 never occurs in UTF-8, so a name or value in a body is never taken for a mark."""

MAX_BODY: Final = 8 * 1024 * 1024
"""Bytes; a longer frame is not written, and a longer length is damage."""

_HEAD: Final = struct.Struct("<4sII")
_START: Final = struct.Struct("<B8sII")
_LENGTH: Final = struct.Struct("<I")


class FrameKind(IntEnum):
    """What a frame's spans are."""

    ENDED = 1
    """Complete spans."""

    OPEN = 2
    """One span that is still going on; whoever finds its process dead ends it as failed."""

    TERMINATED = 3
    """As OPEN, but Airflow has asked the process to end: its death is no failure."""

    PRELIMINARY = 4
    """One span that has ended, of which its process may say more; if that dies, it is complete."""

    SENT = 5
    """No span: all before it were sent to a collector whose answer nobody has heard."""

    PROCESS = 6
    """No span: what the process that writes the segment has noted of itself (process_facts.py)."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """Encoded spans of one resource and scope; `span_id` is zero where there are several."""

    kind: FrameKind
    span_id: bytes
    resource: bytes
    scope: bytes
    spans: tuple[bytes, ...]


NO_SPAN_ID: Final = bytes(8)


def write_frame(frame: Frame) -> bytes:
    """Return the frame's bytes; ValueError if they are too many."""
    start = _START.pack(frame.kind, frame.span_id, len(frame.resource), len(frame.scope))
    parts = [start, frame.resource, frame.scope]
    for span in frame.spans:
        parts += (_LENGTH.pack(len(span)), span)
    body = b"".join(parts)
    if len(body) > MAX_BODY:
        message = f"a frame of {len(body)} bytes; {MAX_BODY} are the most"
        raise ValueError(message)
    length = _LENGTH.pack(len(body))
    return _HEAD.pack(MARK, len(body), crc32(body, crc32(length))) + body


def _read_body(body: bytes) -> Frame | None:
    if len(body) < _START.size:
        return None
    kind, span_id, resource_size, scope_size = _START.unpack_from(body)
    at = _START.size + resource_size
    resource, scope = body[_START.size : at], body[at : at + scope_size]
    at += scope_size
    spans = []
    while at + _LENGTH.size <= len(body):
        (size,) = _LENGTH.unpack_from(body, at)
        spans.append(body[at + _LENGTH.size : at + _LENGTH.size + size])
        at += _LENGTH.size + size
    known = kind in FrameKind._value2member_map_
    return Frame(FrameKind(kind), span_id, resource, scope, tuple(spans)) if known else None


def read_frames(data: bytes) -> Iterator[Frame]:
    """Yield the whole frames of a file's bytes, in their order; damaged ones are passed over."""
    at = data.find(MARK)
    while 0 <= at <= len(data) - _HEAD.size:
        _, size, checksum = _HEAD.unpack_from(data, at)
        body = data[at + _HEAD.size : at + _HEAD.size + size] if size <= MAX_BODY else b""
        if len(body) == size and crc32(body, crc32(_LENGTH.pack(size))) == checksum:
            frame = _read_body(body)
            if frame is not None:
                yield frame
            at = data.find(MARK, at + _HEAD.size + size)
        else:
            at = data.find(MARK, at + 1)


def group_spans(frames: Iterable[Frame]) -> dict[tuple[bytes, bytes], list[bytes]]:
    """Return the ended spans by (resource, scope), as `encode_request` takes them."""
    groups: dict[tuple[bytes, bytes], list[bytes]] = {}
    for frame in frames:
        if frame.kind is FrameKind.ENDED:
            groups.setdefault((frame.resource, frame.scope), []).extend(frame.spans)
    return groups
