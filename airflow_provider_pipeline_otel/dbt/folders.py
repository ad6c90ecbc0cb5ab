"""Private folders for dbt's target and log: one per try, so that no artifact is another run's."""

from __future__ import annotations

import os
import shutil
import stat
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from airflow_provider_pipeline_otel.export.locks import locked, try_lock

if TYPE_CHECKING:
    from collections.abc import Iterable

PARTIAL_PARSE: Final = "partial_parse.msgpack"

_LOCK: Final = ".lock"
_MAX_AGE: Final = 7 * 86_400.0
_MAX_FOLDERS: Final = 50
_MAX_BYTES: Final = 2 * 1024**3


class TryFolder:
    """The folder of one try, locked while its process lives."""

    def __init__(self, root: Path, task: Iterable[str]) -> None:
        """`task`: what tells the task from all others."""
        self._task = root / _hash(*task)
        self.path = self._task / f"{time.time_ns():020d}-{os.getpid()}"
        self.target, self.logs = self.path / "target", self.path / "logs"
        for folder in (self.target, self.logs):
            folder.mkdir(mode=0o700, parents=True)
        self._lock = os.open(self.path / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try_lock(self._lock)

    def take_partial_parse(self) -> None:
        """Begin with what the task's last run has parsed; dbt checks itself whether it fits."""
        with suppress(OSError):
            shutil.copyfile(self._task / PARTIAL_PARSE, self.target / PARTIAL_PARSE)

    def keep_partial_parse(self) -> None:
        """Leave what has been parsed to the task's next run."""
        with suppress(OSError):
            shutil.copyfile(self.target / PARTIAL_PARSE, self.path / PARTIAL_PARSE)
            (self.path / PARTIAL_PARSE).rename(self._task / PARTIAL_PARSE)

    def previous_target(self) -> Path | None:
        """Return the target folder of the task's last run before this that has results."""
        for folder in sorted(self._task.glob("[0-9]*-*"), reverse=True):
            if folder != self.path and (folder / "target" / "run_results.json").is_file():
                return folder / "target"
        return None

    def close(self) -> None:
        """Let others tidy the folder up."""
        os.close(self._lock)


def tidy(root: Path, *, most: int = _MAX_FOLDERS, most_bytes: int = _MAX_BYTES) -> None:
    """Remove the oldest folders beyond 7 days, 50 folders or 2 GiB, of dead processes too.

    Each task's newest folder with results stays, whatever its age: a retry may want it.
    """
    found = sorted(root.glob("*/[0-9]*-*"), key=lambda folder: folder.name, reverse=True)
    kept: set[Path] = set()
    count, size, now = 0, 0, time.time_ns()
    for folder in found:
        own = _size(folder)
        wanted = folder.parent not in kept and (folder / "target" / "run_results.json").is_file()
        if wanted:
            kept.add(folder.parent)
        age = (now - int(folder.name.partition("-")[0])) / 10**9
        count, size = count + 1, size + own
        fits = count <= most and size <= most_bytes and age <= _MAX_AGE
        if not fits and not wanted:
            count, size = count - 1, size - own
            _remove(folder)


def _remove(folder: Path) -> None:
    with locked(folder / _LOCK) as fd:
        if fd is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            found = path.lstat()
            total += found.st_size if stat.S_ISREG(found.st_mode) else 0
    return total


def _hash(*parts: str) -> str:
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
