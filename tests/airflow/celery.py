"""A Redis of our own, and what makes Airflow hand its tasks to Celery through it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from demo.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

_START_SECONDS = 10.0


@contextmanager
def redis() -> Iterator[int]:
    """Give the port of a Redis that keeps nothing."""
    port = free_port()
    options = ("--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no")
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [shutil.which("redis-server") or "redis-server", *options],
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def celery(port: int, database_url: str | None) -> dict[str, str]:
    """Return the options of an Airflow whose tasks run on workers of Celery."""
    return {
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CELERY__BROKER_URL": f"redis://127.0.0.1:{port}/0",
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{database_url}",
    }
