"""The ids of runs and tries: computed, so that every process knows them without asking.

Scheduler, API server, worker and triggerer see the same DAG run row, and thus the same ids: no
database, XCom or carrier is needed. The run's start_date tells one incarnation from the next: it
is renewed when a finished run is cleared, on all versions of Airflow, and only then (or when a
running run is set back to queued). See docs/architecture.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple

VERSION: Final = b"1"
"""Part of every key: ids of another scheme never meet these."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2}).*")


class Carrier(NamedTuple):
    """What a W3C `traceparent` says: 16 bytes, 8 bytes, and whether the trace is sampled."""

    trace_id: bytes
    span_id: bytes
    is_sampled: bool


def _key(*parts: bytes) -> bytes:
    # Lengths in front: ("a", "bc") and ("ab", "c") are two keys, whatever the names hold.
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _never_zero(value: bytes) -> bytes:
    return value if any(value) else b"\x01" * len(value)


def _text(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


def trace_id_of_run(dag_id: str, run_id: str, start_date: datetime) -> bytes:
    """Return the 16 bytes that identify the trace of this incarnation of the run.

    A `start_date` without a time zone is taken for UTC.
    """
    if start_date.tzinfo is None:
        start_date = start_date.replace(tzinfo=UTC)
    microseconds = (start_date - _EPOCH) // _MICROSECOND
    key = _key(VERSION, b"run", _text(dag_id), _text(run_id), b"%d" % microseconds)
    return _never_zero(sha256(key).digest()[:16])


def span_id_of_run(trace_id: bytes) -> bytes:
    """Return the 8 bytes of the root span's id."""
    return _never_zero(sha256(_key(VERSION, trace_id, b"run")).digest()[:8])


def read_carrier(carrier: object) -> Carrier | None:
    """Return what a carrier, or a run's conf, says of a trace; None: nothing that is valid."""
    text = carrier.get("traceparent") if isinstance(carrier, Mapping) else None
    found = _TRACEPARENT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    trace_id, span_id = bytes.fromhex(found[1]), bytes.fromhex(found[2])
    is_valid = any(trace_id) and any(span_id)
    return Carrier(trace_id, span_id, bool(int(found[3], 16) & 1)) if is_valid else None


def span_id_of_try(trace_id: bytes, task_id: str, map_index: int, try_number: int) -> bytes:
    """Return the 8 bytes of the id of `task_run.<task_id>`."""
    key = _key(VERSION, trace_id, b"try", _text(task_id), b"%d" % map_index, b"%d" % try_number)
    return _never_zero(sha256(key).digest()[:8])
