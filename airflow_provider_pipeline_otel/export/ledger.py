"""The ledger: what became of the spans of a host, added up in a file of the spool.

One line an entry, appended; who finds the file large puts the sums in its place.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from airflow_provider_pipeline_otel.export.locks import is_at, try_lock

FILE: Final = "ledger.jsonl"
_LARGE: Final = 64 * 1024
_ATTEMPTS: Final = 20
_PAUSE: Final = 0.002


class Entry(msgspec.Struct, frozen=True):
    """So many spans, what became of them, and why, where there is a why."""

    what: str
    spans: int
    reason: str = ""


DELIVERED: Final = "delivered"
DROPPED: Final = "dropped"
REFUSED: Final = "refused"
REDACTED: Final = "redacted"
"""Values, not spans."""
POSSIBLE_DUPLICATES: Final = "possible_duplicates"
"""Sent again, or, by a scheduler that has taken over from another, written again."""
SAMPLED_OUT: Final = "sampled_out"
"""Details that `sample_ratio` left out: no loss."""


class Ledger:
    """The file, in a spool's folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def add(self, *entries: Entry) -> None:
        """Add entries; those of nothing are left out."""
        lines = b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries if entry.spans)
        if not lines:
            return
        with suppress(OSError):
            fd = self._open()
            try:
                if os.fstat(fd).st_size > _LARGE:
                    lines = self._sum_up(fd, lines)
                os.write(fd, lines)
            finally:
                os.close(fd)

    def _open(self) -> int:
        """Open the file, locked; for as good as nothing that a process does holds up the next."""
        flags = os.O_CREAT | os.O_APPEND | os.O_RDWR | os.O_CLOEXEC
        for _ in range(_ATTEMPTS):
            fd = os.open(self._path, flags, 0o600)
            if try_lock(fd) and is_at(fd, self._path):
                return fd
            os.close(fd)
            time.sleep(_PAUSE)
        return os.open(self._path, flags, 0o600)  # its holder hangs: append all the same

    def _sum_up(self, fd: int, lines: bytes) -> bytes:
        before = os.pread(fd, os.fstat(fd).st_size, 0)
        os.ftruncate(fd, 0)
        summed = _sum(_read(before))
        return (
            b"".join(
                msgspec.json.encode(Entry(what, spans, reason)) + b"\n"
                for (what, reason), spans in summed.items()
            )
            + lines
        )

    def totals(self) -> Counter[tuple[str, str]]:
        """Return the spans by what became of them, and why."""
        try:
            return _sum(_read(self._path.read_bytes()))
        except OSError:
            return Counter()


def _read(data: bytes) -> Iterable[Entry]:
    for line in data.splitlines():
        with suppress(msgspec.DecodeError):
            yield msgspec.json.decode(line, type=Entry)


def _sum(entries: Iterable[Entry]) -> Counter[tuple[str, str]]:
    sums: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        sums[entry.what, entry.reason] += entry.spans
    return sums
