"""Delivered spans that stay on disk for a while, for `pipeline-otel show`."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_FILE_BYTES: Final = 1024 * 1024


class Kept:
    """A folder of files of about 1 MiB; the oldest go where all together are over the limit."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit

    def add(self, frames: bytes, name: str) -> None:
        """Append the frames of a segment; a new file that they begin gets the segment's name."""
        if not self._limit:
            return
        flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC
        with suppress(OSError):  # what was delivered may be missed here
            fd = os.open(self._current(len(frames)) or self._folder / name, flags, 0o600)
            try:
                os.write(fd, frames)
            finally:
                os.close(fd)

    def size(self) -> int:
        """Return the bytes of all files."""
        total = 0
        for file in self._folder.glob("*.seg"):
            with suppress(OSError):
                total += file.stat().st_size
        return total

    def _current(self, size: int) -> Path | None:
        """Return the file that has room yet; None: there is none, and old ones made room."""
        files = sorted(self._folder.glob("*.seg"))
        with suppress(OSError):
            if files and files[-1].stat().st_size + size <= _FILE_BYTES:
                return files[-1]
        left = self._limit - _FILE_BYTES
        for file in reversed(files):
            with suppress(OSError):
                left -= file.stat().st_size
                if left < 0:
                    file.unlink()
        return None
