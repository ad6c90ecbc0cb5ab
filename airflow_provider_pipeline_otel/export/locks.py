"""Locks on files: held by a process, gone with it, and not inherited by what it forks.

POSIX locks belong to processes, and closing any descriptor of a file drops them: a process must
never open a file anew on which it holds one.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path) -> Iterator[int | None]:
    """Give a descriptor of the file while this process alone holds its lock, else None."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        yield fd if try_lock(fd) and is_at(fd, path) else None
    finally:
        os.close(fd)


def try_lock(fd: int) -> bool:
    """Take the lock on a file if no other process has it, and say so."""
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def is_at(fd: int, path: Path) -> bool:
    """Say whether the open file is still the one at the path."""
    try:
        there, held = path.stat(), os.fstat(fd)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)
