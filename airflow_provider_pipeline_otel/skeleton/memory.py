"""Which traces each run had: a repeated end writes nothing, a cleared run links back.

A small file beside the spool, shared by the processes of a host. Its loss costs a link or a second
root with the same id, and no more.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

_KEY: Final = 16
_ENTRY: Final = _KEY + 16
_MOST: Final = 32_768
"""Entries; 1 MiB. The older half goes."""


class Claim(NamedTuple):
    """`new`: this trace's root isn't written yet; `previous`: the run's trace before, if known."""

    new: bool
    previous: bytes | None


class RunMemory:
    """The file; `path` None remembers nothing."""

    def __init__(self, path: Path | None, *, most: int = _MOST) -> None:
        self._path = path
        self._most = most

    def claim(self, dag_id: str, run_id: str, trace_id: bytes) -> Claim:
        """Say whether the trace is new, and remember it: of two who ask, one is told so."""
        if self._path is None:
            return Claim(new=True, previous=None)
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return Claim(new=True, previous=None)
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX)
            return _claim(fd, _hash(dag_id, run_id), trace_id, self._most)
        except OSError:
            return Claim(new=True, previous=None)
        finally:
            os.close(fd)


def _hash(dag_id: str, run_id: str) -> bytes:
    return sha256(f"{len(dag_id)}:{dag_id}{run_id}".encode("utf-8", "surrogatepass")).digest()[
        :_KEY
    ]


def _claim(fd: int, key: bytes, trace_id: bytes, most: int) -> Claim:
    data = os.pread(fd, os.fstat(fd).st_size, 0)
    data = data[: len(data) // _ENTRY * _ENTRY]
    previous = _last(data, key)
    if _last(data, key + trace_id) is not None:
        return Claim(new=False, previous=previous)
    if len(data) >= most * _ENTRY:
        data = data[len(data) // 2 // _ENTRY * _ENTRY :]
        os.pwrite(fd, data, 0)
        os.ftruncate(fd, len(data))
    os.pwrite(fd, key + trace_id, len(data))
    return Claim(new=True, previous=previous)


def _last(data: bytes, start: bytes) -> bytes | None:
    """Return the trace of the last entry that starts so."""
    at = len(data)
    while True:
        at = data.rfind(start, 0, at + len(start) - 1) if at < len(data) else data.rfind(start)
        if at < 0:
            return None
        if at % _ENTRY == 0:
            return data[at + _KEY : at + _ENTRY]


class WindowMemory:
    """Since when this host's schedulers write by windows, and up to when it has written them.

    Its loss costs spans that are written twice, with the same ids. `path` None: nothing outlives
    the process.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.since: datetime | None = None
        self.written: datetime | None = None
        self.refresh()

    def refresh(self) -> None:
        """Read anew what other processes of the host have written."""
        if self._path is not None:
            with suppress(OSError, ValueError):
                since, written = self._path.read_text().splitlines()
                self.since = datetime.fromisoformat(since)
                self.written = datetime.fromisoformat(written) if written else None

    def begin(self, now: datetime) -> None:
        """Remember that a scheduler of this host writes by windows, from now on if not before."""
        if self.since is None:
            self.since = now
            self._save()

    def note(self, written: datetime) -> None:
        """Remember that all is written that ended until then."""
        self.written = written
        self._save()

    def _save(self) -> None:
        if self._path is None:
            return
        said = [time.isoformat() if time else "" for time in (self.since, self.written)]
        fresh = self._path.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            fresh.write_text("\n".join([*said, ""]))
            fresh.rename(self._path)
