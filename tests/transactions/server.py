"""A PostgreSQL server: the one that is named, else one of our own where there are binaries."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMED: Final = "PIPELINE_OTEL_POSTGRES_URL"
_DEBIANS: Final = Path("/usr/lib/postgresql")
_START_SECONDS: Final = 60.0


def reason_for_none() -> str | None:
    """Return why there can be no server; None where there can."""
    if os.environ.get(NAMED):
        return None
    if _binaries() is None:
        return f"no PostgreSQL: install a server, or name one in {NAMED}"
    if os.geteuid() == 0 and _account() is None:
        return f"PostgreSQL refuses to run as root and there is no user postgres: set {NAMED}"
    return None


@contextmanager
def server() -> Iterator[str]:
    """Give the URL of a server, whose databases may be made and dropped."""
    named = os.environ.get(NAMED)
    if named:
        yield named
        return
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    try:
        with _own(folder) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _own(folder: Path) -> Iterator[str]:
    binaries, account, port = _binaries() or Path(), _account(), _free_port()
    if account is not None:
        os.chown(folder, account, -1)
    data = str(folder / "data")
    make = [str(binaries / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"]
    subprocess.run(make, user=account, cwd=folder, check=True, capture_output=True)
    run = [str(binaries / "postgres"), "-D", data, "-h", "127.0.0.1", "-p", str(port)]
    run += ["-k", "", "-c", "fsync=off", "-c", "max_connections=200"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(run, user=account, cwd=folder, stdout=log, stderr=log)
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    try:
        _wait_for(url, process)
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    import psycopg2

    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with closing(psycopg2.connect(url)):
                return
        except psycopg2.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _binaries() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    folders = [path.parent for path in _DEBIANS.glob("*/bin/initdb")]
    return max(folders, key=lambda folder: float(folder.parent.name), default=None)


def _account() -> int | None:
    """Return the user that the server must run as; None: the one that we are."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_uid
    except KeyError:
        return None


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
