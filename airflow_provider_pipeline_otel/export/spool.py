"""The spool: a private folder on the host's disk where spans wait, and the segments in it.

`open/` holds one segment per living process: appended to by its owner alone, who holds a POSIX lock
on it. The lock is the process's sign of life: gone when the process is gone, and, unlike `flock`,
not inherited by what it forks. `sealed/` holds what is ready for delivery. A segment moves from one
to the other by rename, so nobody ever reads half a file. There is no fsync: the page cache survives
the death of a process, and a host that loses its power loses the last seconds.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from airflow_provider_pipeline_otel.export.frames import read_frames
from airflow_provider_pipeline_otel.guard import warn_once

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.config import Caps

_CAPS_EVERY: Final = 60.0
"""Seconds between two looks at the caps, by all processes of the host: a look lists the folder."""

LOSSES_FILE: Final = "losses.jsonl"


class Loss(msgspec.Struct, frozen=True):
    """Spans that were given up, and why."""

    time: float
    reason: str
    spans: int


def _is_ours(folder: Path) -> bool:
    """Say whether it is a real folder of this user that nobody else may write to."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    private = not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and private


def _make_private(folder: Path) -> bool:
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _is_ours(folder) and os.access(folder, os.W_OK | os.X_OK)


def private_folder(wanted: Path) -> Path | None:
    """Return `wanted`; where it isn't ours to write, a folder of ours in the temporary directory.

    With `run_as_user` a task runs under another uid than the scheduler, whose spool it must
    neither write nor trust. None: neither can be had.
    """
    if _make_private(wanted):
        return wanted
    try:
        own = Path(tempfile.gettempdir()) / f"pipeline_otel-{os.geteuid()}"
    except FileNotFoundError:  # there is none that can be written to
        own = Path(os.devnull) / "pipeline_otel"
    chosen = own if _make_private(own) else None
    warn_once(
        "[pipeline_otel] spool_dir = %s is no folder that uid %d alone may write to: %s. Let it "
        "belong to that user with mode 0700, or set another one.",
        wanted,
        os.geteuid(),
        f"{own} is used" if chosen else "spans are lost",
    )
    return chosen


class Spool:
    """The folder; `folder` None stands for a disk that can't be written: all is counted as lost."""

    def __init__(self, folder: Path | None, caps: Caps) -> None:
        self.folder = folder
        self.caps = caps
        if folder is None:
            return
        for sub in (self.open_folder, self.sealed_folder, self.interrupted_folder):
            with suppress(OSError):
                sub.mkdir(mode=0o700, exist_ok=True)

    @property
    def open_folder(self) -> Path:
        """Segments of living processes, and of dead ones that nobody has found yet."""
        return (self.folder or Path(os.devnull)) / "open"

    @property
    def sealed_folder(self) -> Path:
        """Segments that are ready for delivery."""
        return (self.folder or Path(os.devnull)) / "sealed"

    @property
    def interrupted_folder(self) -> Path:
        """Interrupted spans whose parent another process owes, until that has written its own."""
        return (self.folder or Path(os.devnull)) / "interrupted"

    def drain_lock(self) -> int:
        """Return a descriptor of the file that a process which drains for good holds a lock on."""
        flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC
        return os.open((self.folder or Path(os.devnull)) / ".drain", flags, 0o600)

    def is_drained(self) -> bool:
        """Say whether another process delivers all that is sealed here, within seconds."""
        try:
            fd = self.drain_lock()
        except OSError:
            return False
        try:
            return not try_lock(fd)
        finally:
            os.close(fd)

    def sealed(self) -> list[Path]:
        """Return the sealed segments, oldest first."""
        return _segments(self.sealed_folder)

    def open(self) -> list[Path]:
        """Return the open segments, oldest first."""
        return _segments(self.open_folder)

    def put(self, frames: Iterable[bytes], spans: int) -> None:
        """Write finished spans as a sealed segment of their own, all or nothing."""
        path = self.sealed_folder / segment_name()
        hidden = path.with_name("." + path.name)
        try:
            fd = os.open(hidden, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                for frame in frames:
                    write_all(fd, frame)
            finally:
                os.close(fd)
            hidden.rename(path)
        except OSError as error:
            with suppress(OSError):
                hidden.unlink()
            self.lose(str(error.strerror), spans)

    def keep_interrupted(self, span: bytes) -> None:
        """Keep the OTLP bytes of a span that a dead process left open, under its trace's id."""
        path = self.interrupted_folder / f"{span[2:18].hex()}-{span[20:28].hex()}"
        with suppress(OSError):  # at worst that parent is missing, where nobody else writes it
            path.touch(mode=0o600)
            path.write_bytes(span)

    def take_interrupted(self, trace_id: bytes) -> list[bytes]:
        """Return what was kept of a trace, and keep it no longer."""
        found = []
        for path in self.interrupted_folder.glob(f"{trace_id.hex()}-*"):
            with suppress(OSError):
                found.append(path.read_bytes())
                path.unlink()
        return found

    def lose(self, reason: str, spans: int) -> None:
        """Count spans that are given up: a line on disk, and one warning."""
        if self.folder is None:
            return  # `private_folder` has said so
        warn_once(
            "spans are lost: %s (spool_dir = %s). Free or mend the disk, or set [pipeline_otel] "
            "spool_dir to another one.",
            reason,
            self.folder,
        )
        line = json.dumps({"time": time.time(), "reason": reason, "spans": spans}) + "\n"
        flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC
        with suppress(OSError):
            fd = os.open(self.folder / LOSSES_FILE, flags, 0o600)
            try:
                os.write(fd, line.encode())
            finally:
                os.close(fd)

    def losses(self) -> list[Loss]:
        """Return what was given up on this host so far."""
        if self.folder is None:
            return []
        found = []
        with suppress(OSError):
            for line in (self.folder / LOSSES_FILE).read_bytes().splitlines():
                with suppress(msgspec.DecodeError):
                    found.append(msgspec.json.decode(line, type=Loss))
        return found

    def keep_caps(self) -> None:
        """Give up the oldest segments beyond the caps; at most once a minute per host."""
        if self.folder is None or not _is_due(self.folder / ".caps", _CAPS_EVERY):
            return
        found: list[tuple[Path, os.stat_result]] = []
        for path in self.sealed():
            with suppress(OSError):
                found.append((path, path.stat()))
        total, oldest = sum(info.st_size for _, info in found), time.time() - self.caps.age
        for path in self.interrupted_folder.glob("*"):
            with suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()
        for index, (path, info) in enumerate(found):
            fits = total <= self.caps.bytes and len(found) - index <= self.caps.files
            if fits and info.st_mtime >= oldest:
                break
            total -= info.st_size
            with suppress(OSError):
                spans = sum(len(frame.spans) for frame in read_frames(path.read_bytes()))
                path.unlink()
                self.lose("spool_max_age" if fits else "spool_max_bytes or spool_max_files", spans)


def _is_due(stamp: Path, seconds: float) -> bool:
    try:
        age = time.time() - stamp.stat().st_mtime
        if 0 <= age < seconds:
            return False
    except OSError:
        pass
    with suppress(OSError):
        stamp.touch(mode=0o600)
    return True


def _segments(folder: Path) -> list[Path]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.name.endswith(".seg"))
    except OSError:
        return []
    return [folder / name for name in names]


def segment_name() -> str:
    """Return a new name: time (so that names sort by age), pid, and what makes it unique."""
    return f"{time.time_ns():020d}-{os.getpid()}-{secrets.token_hex(4)}.seg"


def write_all(fd: int, data: bytes) -> None:
    """Write all bytes, however few the system takes at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


@contextmanager
def locked(path: Path) -> Iterator[int | None]:
    """Give a descriptor of the file while this process alone holds its lock, else None.

    POSIX locks belong to processes, and closing any descriptor of a file drops them: a process must
    never come here with a segment that it has open itself.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        yield fd if _lock(fd, path) else None
    finally:
        os.close(fd)


def try_lock(fd: int) -> bool:
    """Take the lock on a file if no other process has it, and say so."""
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _lock(fd: int, path: Path) -> bool:
    if not try_lock(fd):
        return False  # its owner lives, or another process was first
    try:
        there, held = path.stat(), os.fstat(fd)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)
