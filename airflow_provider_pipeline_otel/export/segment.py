"""The segment that this process appends to: spans that ended, and starts of those still open."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from pathlib import Path
from typing import Final

from airflow_provider_pipeline_otel.export.spool import Spool, segment_name, write_all

SEAL_AFTER: Final = 5.0
"""Seconds after which the end of a span seals the segment, so that it can be delivered."""

SEAL_BYTES: Final = 512 * 1024
"""Bytes after which it is sealed at once: a segment fits into one request (1 MiB)."""

_own: dict[Path, int] = {}
"""Segments, by the process that has them open: a fork inherits the list, and none of them."""


def is_own(path: Path) -> bool:
    """Say whether this process has the segment open: opening it again would drop its lock."""
    return _own.get(path) == os.getpid()


class LiveSegment:
    """Appends frames; opened with the first one, by the process that writes it: after a fork."""

    def __init__(
        self,
        spool: Spool,
        seal_after: float = SEAL_AFTER,
        *,
        folder: Path | None = None,
        seal_bytes: float = SEAL_BYTES,
    ) -> None:
        self._spool = spool
        self._folder = folder or spool.open_folder
        self._seal_after = seal_after
        self._seal_bytes = seal_bytes
        # A signal handler may write while the main thread is writing: hence reentrant.
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._fd = -1
        self._path = Path()
        self._since = 0.0
        self._size = 0
        self._ended = 0
        self._open: dict[bytes, bytes] = {}
        self._first = b""

    def begin_with(self, frame: bytes) -> None:
        """Append the frame, and let each segment of this process begin with it."""
        self._after_fork()
        with self._lock:
            self._first = frame
            if self._fd >= 0:
                self._append(frame, 0)

    def write_open(self, span_id: bytes, frame: bytes) -> None:
        """Append the start of a span; a later one of the same span replaces it."""
        self._after_fork()
        with self._lock:
            self._open[span_id] = frame
            self._append(frame, 0)

    def write_ended(self, span_id: bytes, frame: bytes) -> None:
        """Append a span that ended."""
        self._after_fork()
        with self._lock:
            self._open.pop(span_id, None)
            self._append(frame, 1)
            age = time.monotonic() - self._since
            if self._fd >= 0 and (age >= self._seal_after or self._size >= self._seal_bytes):
                self.seal()

    def seal(self) -> None:
        """Hand what has been written over to delivery; what is still open begins a new segment."""
        self._after_fork()
        with self._lock:
            if self._fd < 0 or not self._ended:
                return
            fd, path = self._fd, self._path
            self._fd = -1
            # The new one first: a death in between leaves a start twice rather than not at all.
            for frame in list(self._open.values()):
                self._append(frame, 0)
            try:
                path.rename(self._spool.sealed_folder / path.name)
            except OSError as error:
                self._spool.lose(str(error.strerror), 0)
            finally:
                os.close(fd)
                _own.pop(path, None)

    @property
    def size(self) -> int:
        """Bytes that have been written since the segment was begun."""
        return self._size if self._fd >= 0 and self._pid == os.getpid() else 0

    def has_open(self, span_id: bytes) -> bool:
        """Say whether a span's start has been written, and not its end."""
        return span_id in self._open

    def read(self) -> bytes:
        """Return all that has been written since the segment was begun."""
        return self._path.read_bytes() if self.size else b""

    def take_open(self) -> dict[bytes, bytes]:
        """Return the frames of what is still open, and carry them no further."""
        self._after_fork()
        taken, self._open = self._open, {}
        return taken

    def clear(self) -> None:
        """Forget all that has been written, and keep the file for more."""
        self._after_fork()
        with self._lock:
            if self._fd >= 0:
                os.ftruncate(self._fd, 0)
            self._size = self._ended = 0
            self._open = {}

    def close(self) -> None:
        """Seal, and leave nothing of this process behind in the folder of open segments."""
        self._after_fork()
        with self._lock:
            self.seal()
            if self._fd >= 0 and not self._open:
                self._path.unlink(missing_ok=True)
                os.close(self._fd)
                _own.pop(self._path, None)
                self._fd = -1

    def _after_fork(self) -> None:
        if self._pid == os.getpid():
            return
        if self._fd >= 0:
            os.close(self._fd)  # the parent's; its lock is not ours and stays
        self._lock, self._pid, self._fd, self._open = threading.RLock(), os.getpid(), -1, {}
        self._first = b""

    def _append(self, frame: bytes, ended: int) -> None:
        try:
            if self._fd < 0:
                self._create()
            write_all(self._fd, frame)
        except OSError as error:
            self._spool.lose(str(error.strerror), ended)
            return
        self._size += len(frame)
        self._ended += ended

    def _create(self) -> None:
        while True:
            path = self._folder / segment_name()
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
            fd = os.open(path, flags, 0o600)
            fcntl.lockf(fd, fcntl.LOCK_EX)
            if os.fstat(fd).st_nlink:
                break
            os.close(fd)  # somebody took the file for a dead process's before it was locked
        _own[path] = os.getpid()
        self._fd, self._path, self._since = fd, path, time.monotonic()
        self._size = self._ended = 0
        if self._first:
            write_all(fd, self._first)
