"""A fresh PostgreSQL database per performance."""

from __future__ import annotations

import os
import secrets
import subprocess
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HAS_DRIVERS = (
    "import importlib.util, airflow.version as airflow, psycopg2;"
    "asynchronous = importlib.util.find_spec('asyncpg');"
    "raise SystemExit(0 if asynchronous or airflow.version < '3' else 1)"
)


def reason_for_no_driver(environment: Path) -> str | None:
    """Return why an environment's Airflow can't use PostgreSQL; None where it can."""
    command = [str(environment / "bin" / "python"), "-c", _HAS_DRIVERS]
    if subprocess.run(command, cwd="/", capture_output=True, check=False).returncode == 0:
        return None
    return f"{environment.name} has no driver for PostgreSQL: psycopg2, on Airflow 3 asyncpg too"


@contextmanager
def database(name: str, server: str | None = None) -> Iterator[str | None]:
    """Create a database on a server, by default PIPELINE_OTEL_POSTGRES_URL's; drop it afterwards.

    Gives None, which means SQLite, where no server is named.
    """
    server = server or os.environ.get("PIPELINE_OTEL_POSTGRES_URL")
    if not server:
        yield None
        return
    safe = "".join(letter if letter.isalnum() else "_" for letter in name.lower())
    fresh = f"truth_{safe}_{secrets.token_hex(3)}"
    _execute(server, f'CREATE DATABASE "{fresh}"')
    try:
        parts = urlsplit(server)
        yield urlunsplit(parts._replace(scheme="postgresql+psycopg2", path=f"/{fresh}"))
    finally:
        _execute(server, f'DROP DATABASE IF EXISTS "{fresh}" WITH (FORCE)')


def _execute(server: str, statement: str) -> None:
    import psycopg2

    with closing(psycopg2.connect(server)) as connection:
        # CREATE DATABASE refuses to run inside a transaction.
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
