"""The latch: after a failure, one process of the host asks the collector now and then.

A mark in the spool says until when nobody tries; who tries then holds a lock, and the others go on
without waiting. It is for one endpoint: who has another configured doesn't heed it.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from airflow_provider_pipeline_otel.export.locks import try_lock

_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 30.0
_SHARE: Final = 60.0
"""A pause is this many times what the attempt has cost somebody, at least."""

_JITTER: Final = 0.2


class Mark(msgspec.Struct, frozen=True):
    """Why, and until when (seconds since 1970), nobody tries; `pause` seconds after the attempt."""

    endpoint: str
    retry_at: float
    pause: float
    fault: str

    def seconds_left(self) -> float:
        """Return the seconds until the next attempt; 0 also where the clock was set back."""
        left = self.retry_at - time.time()
        return left if 0 < left <= self.pause * (1 + _JITTER) else 0.0


class Latch:
    """The mark in a spool's folder, as one endpoint sees it."""

    def __init__(self, folder: Path, url: str) -> None:
        self._file = folder / ".latch"
        self._probe = folder / ".probe"
        self._endpoint = sha256(url.encode()).hexdigest()[:16]

    def read(self) -> Mark | None:
        """Return the mark; None: all is well, as far as known."""
        try:
            mark = msgspec.json.decode(self._file.read_bytes(), type=Mark)
        except (OSError, msgspec.DecodeError):
            return None
        return mark if mark.endpoint == self._endpoint else None

    @contextmanager
    def probe(self) -> Iterator[bool]:
        """Say whether this process is the one that tries, while the mark stands."""
        try:
            fd = os.open(self._probe, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError:
            yield True
            return
        try:
            yield try_lock(fd)
        finally:
            os.close(fd)

    def shut(self, fault: str, before: Mark | None, *, cost: float, asked: float = 0.0) -> bool:
        """Let nobody try for a while; say whether that is news.

        `before` is the mark that the attempt was made under, `cost` the seconds that somebody had
        to wait for it, and `asked` those for which the collector wants to be left alone.
        """
        if before is None and self.read() is not None:
            return False  # several failed at once: it is one failure
        pause = max(before.pause * 2 if before else _FIRST_PAUSE, cost * _SHARE)
        pause = min(pause, _LONGEST_PAUSE) * random.uniform(1 - _JITTER, 1)  # noqa: S311
        pause = max(pause, asked)
        mark = Mark(self._endpoint, time.time() + pause, pause, fault)
        hidden = self._file.with_name(f".latch-{os.getpid()}")
        with suppress(OSError):
            fd = os.open(hidden, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                os.write(fd, msgspec.json.encode(mark))
            finally:
                os.close(fd)
            hidden.rename(self._file)
        return before is None

    def open(self) -> None:
        """Let everybody try: the collector has answered."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)
