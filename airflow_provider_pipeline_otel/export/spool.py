"""The spool: a private folder on the host's disk where spans wait, and the segments in it.

`open/` holds one segment per living process: appended to by its owner alone, who holds a POSIX lock
on it. The lock is the process's sign of life: gone when the process is gone, and, unlike `flock`,
not inherited by what it forks. `sealed/` holds what is ready for delivery. A segment moves from one
to the other by rename, so nobody ever reads half a file. There is no fsync: the page cache survives
the death of a process, and a host that loses its power loses the last seconds.
"""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from airflow_provider_pipeline_otel.export.frames import read_frames
from airflow_provider_pipeline_otel.export.kept import Kept
from airflow_provider_pipeline_otel.export.ledger import DROPPED, Entry, Ledger
from airflow_provider_pipeline_otel.export.locks import try_lock
from airflow_provider_pipeline_otel.guard import warn_once

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.config import Caps

_CAPS_EVERY: Final = 60.0
"""Seconds between two looks at the caps, by all processes of the host: a look lists the folder."""


WANTED: Final = ".wanted"
"""Ends the names of marks in `held/`: of a process and a trace whose details another one needs."""


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


def folder_of_user(temporary: Path, uid: str) -> Path:
    """Return where a user's spool lies who may not write to the one that is configured."""
    return temporary / f"pipeline_otel-{uid}"


def private_folder(wanted: Path) -> Path | None:
    """Return `wanted`; where it isn't ours to write, a folder of ours in the temporary directory.

    With `run_as_user` a task runs under another uid than the scheduler, whose spool it must
    neither write nor trust. None: neither can be had.
    """
    if _make_private(wanted):
        return wanted
    try:
        own = folder_of_user(Path(tempfile.gettempdir()), str(os.geteuid()))
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
        root = folder or Path(os.devnull)
        self.open_folder: Final = root / "open"
        """Segments of living processes, and of dead ones that nobody has found yet."""
        self.sealed_folder: Final = root / "sealed"
        """Segments that are ready for delivery."""
        self.held_folder: Final = root / "held"
        """Details that are dropped when their process ends well, of living and dead processes."""
        self.interrupted_folder: Final = root / "interrupted"
        """Interrupted spans whose parent another process owes, until that has written its own."""
        self.delivered_folder: Final = root / "delivered"
        """What a collector has accepted, for a while."""
        self.kept: Final = Kept(self.delivered_folder, caps.kept)
        self.ledger: Final = Ledger(root)
        if folder is None:
            return
        for sub in ("open", "sealed", "held", "interrupted", "delivered"):
            with suppress(OSError):
                (folder / sub).mkdir(mode=0o700, exist_ok=True)

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

    def held(self) -> list[Path]:
        """Return the segments whose spans are held back, oldest first."""
        return _segments(self.held_folder)

    def put(self, frames: Iterable[bytes], spans: int) -> None:
        """Write finished spans as a sealed segment of their own, all or nothing."""
        try:
            self.write(self.sealed_folder / segment_name(), frames)
        except OSError as error:
            self.lose(str(error.strerror), spans)

    def write(self, path: Path, frames: Iterable[bytes]) -> None:
        """Write a segment, or another in its place, all or nothing; OSError where it can't be."""
        hidden = path.with_name("." + path.name)
        try:
            fd = os.open(hidden, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                for frame in frames:
                    write_all(fd, frame)
            finally:
                os.close(fd)
            hidden.rename(path)
        except OSError:
            with suppress(OSError):
                hidden.unlink()
            raise

    def keep_interrupted(self, span: bytes) -> None:
        """Keep the OTLP bytes of a span that a dead process left open, under its trace's id."""
        path = self.interrupted_folder / f"{span[2:18].hex()}-{span[20:28].hex()}"
        with suppress(OSError):  # at worst that parent is missing, where nobody else writes it
            path.touch(mode=0o600)
            path.write_bytes(span)

    def interrupted(self, age: float) -> list[tuple[bytes, bytes]]:
        """Return what has been kept for so many seconds: trace ids and OTLP bytes."""
        found = []
        for path in self.interrupted_folder.glob("*-*"):
            with suppress(OSError, ValueError):
                if time.time() - path.stat().st_mtime >= age:
                    found.append((bytes.fromhex(path.name.partition("-")[0]), path.read_bytes()))
        return found

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
        self.ledger.add(Entry(DROPPED, spans, reason))

    def keep_caps(self) -> None:
        """Give up the oldest segments beyond the caps; at most once a minute per host."""
        if self.folder is None or not _is_due(self.folder / ".caps", _CAPS_EVERY):
            return
        found: list[tuple[Path, int]] = []
        for path in self.sealed():
            with suppress(OSError):
                found.append((path, path.stat().st_size))
        total, oldest = sum(size for _, size in found), time.time() - self.caps.age
        marks = self.held_folder.glob(f"*{WANTED}")
        for path in (*self.interrupted_folder.glob("*"), *marks):
            with suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()
        for index, (path, size) in enumerate(found):
            fits = total <= self.caps.bytes and len(found) - index <= self.caps.files
            if fits and begun_at(path) >= oldest:
                break
            total -= size
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


def pid_of(path: Path) -> str:
    """Return the process that has made a segment, by its name."""
    return path.name.split("-")[1] if path.name.count("-") > 1 else ""


def begun_at(path: Path) -> float:
    """Return when a segment was begun, by its name: its file's times move with each attempt."""
    digits = path.name.partition("-")[0]
    named = int(digits) / 1e9 if digits.isdecimal() else float("inf")
    try:
        return min(named, path.stat().st_mtime)
    except OSError:
        return min(named, time.time())


def write_all(fd: int, data: bytes) -> None:
    """Write all bytes, however few the system takes at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
