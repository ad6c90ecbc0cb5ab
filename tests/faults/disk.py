"""Disks that fail: full, read-only, somebody else's, not there at all."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

NOBODY: Final = 65534


@contextmanager
def _small(spool: Path) -> Iterator[None]:
    """Put a file system of 64 KiB in the spool's place."""
    options = "size=64k,mode=700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(spool)], check=True)
    try:
        for folder in ("open", "sealed"):
            (spool / folder).mkdir(mode=0o700)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(spool)], check=True)


@contextmanager
def full(spool: Path, _: Path) -> Iterator[None]:
    """Leave no byte for anybody."""
    with _small(spool):
        with suppress(OSError), (spool / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))
        yield


@contextmanager
def read_only(spool: Path, _: Path) -> Iterator[None]:
    """Let nobody write."""
    with _small(spool):
        subprocess.run(["mount", "-o", "remount,ro", str(spool)], check=True)
        yield


@contextmanager
def foreign(spool: Path, _: Path) -> Iterator[None]:
    """Make the spool another user's."""
    own = spool.stat()
    os.chown(spool, NOBODY, NOBODY)
    try:
        yield
    finally:
        os.chown(spool, own.st_uid, own.st_gid)


@contextmanager
def missing(spool: Path, temporary: Path) -> Iterator[None]:
    """Make it impossible to have a folder, in spool_dir and in the temporary directory."""
    away = spool.with_name("away")
    other = temporary / f"pipeline_otel-{os.geteuid()}"
    other.rename(away.with_name("other")) if other.exists() else None
    other.write_text("no folder")
    spool.rename(away)
    spool.write_text("no folder")
    try:
        yield
    finally:
        spool.unlink()
        away.rename(spool)
        other.unlink()


DISKS: Final[dict[str, Callable[[Path, Path], AbstractContextManager[None]]]] = {
    "disk-full": full,
    "disk-read-only": read_only,
    "disk-foreign": foreign,
    "disk-missing": missing,
}


def can_mount() -> bool:
    """Say whether this user may mount and give folders away."""
    return os.geteuid() == 0
