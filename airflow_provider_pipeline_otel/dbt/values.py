"""dbt's values, in all the forms that its versions and adapters write."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec

NO_JSON: Final = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What msgspec raises of bytes that are none, or nested a thousand times."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NO_FINER_THAN_MICROSECONDS: Final = len("2026-01-01T00:00:00.000000Z")
_NUMBERS: Final = (int, float, str)
LARGEST: Final = 2**63 - 1
"""What protobuf holds, of times and counts."""


def read_time(value: object) -> int | None:
    """Return nanoseconds since 1970, or None where it is no time; without a zone it is UTC.

    Artifacts end in Z, log events have no zone, dbt 2 writes nine digits of a second.
    """
    if not isinstance(value, str):  # most often None
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    try:
        since = time - _EPOCH
    except OverflowError:
        return None
    found = (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000
    if len(value) > _NO_FINER_THAN_MICROSECONDS:
        found += _below_microseconds(value)
    return found if 0 < found <= LARGEST else None


def _below_microseconds(value: str) -> int:
    """Return what `fromisoformat` cuts off."""
    fraction = value.partition(".")[2]
    digits = fraction[: len(fraction) - len(fraction.lstrip("0123456789"))][6:9]
    return int(digits.ljust(3, "0")) if digits else 0


def read_text(value: object) -> str | None:
    """Return a text that says something."""
    return value if isinstance(value, str) and value else None


def read_count(value: object) -> int | None:
    """Return a number of 0 or more: adapters write -1, "-1" and 5.0 too."""
    if value is None or isinstance(value, bool) or not isinstance(value, _NUMBERS):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number <= LARGEST else None


def read_seconds(value: object) -> float | None:
    """Return a length of time of 0 or more."""
    if value is None or isinstance(value, bool) or not isinstance(value, _NUMBERS[:2]):
        return None
    return float(value) if 0 <= value < LARGEST else None
