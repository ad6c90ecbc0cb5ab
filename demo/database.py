"""Read-only questions to Airflow's metadata database, SQLite or PostgreSQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

Row: TypeAlias = dict[str, Any]

_BUSY_SECONDS = 60.0


def sqlite_url(file: Path) -> str:
    """Return the URL under which Airflow knows a SQLite file."""
    return f"sqlite:///{file}"


def use_write_ahead_log(url: str) -> None:
    """Let readers of a SQLite file go on while somebody writes; the file remembers it."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(_sqlite_path(url), timeout=_BUSY_SECONDS)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")


def query(url: str, statement: str, *parameters: object) -> list[Row]:
    """Return the rows of a SELECT with `?` for each parameter."""
    if url.startswith("sqlite"):
        return _query_sqlite(_sqlite_path(url), statement, parameters)
    return _query_postgresql(url, statement, parameters)


def _query_sqlite(path: str, statement: str, parameters: tuple[object, ...]) -> list[Row]:
    address = f"file:{path}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(statement, parameters)]


def _query_postgresql(url: str, statement: str, parameters: tuple[object, ...]) -> list[Row]:
    import psycopg2
    from psycopg2.extras import RealDictCursor

    address = url.replace("postgresql+psycopg2://", "postgresql://")
    with (
        closing(psycopg2.connect(address)) as connection,
        connection.cursor(cursor_factory=RealDictCursor) as cursor,
    ):
        cursor.execute("SET TIME ZONE 'UTC'")
        cursor.execute(statement.replace("?", "%s"), parameters)
        return [dict(row) for row in cursor.fetchall()]


def _sqlite_path(url: str) -> str:
    return url.removeprefix("sqlite:///")
