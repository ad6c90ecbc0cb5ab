"""The spool's format, version 1: what was written stays readable, and what comes is passed over."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final

import pytest

from airflow_provider_pipeline_otel.export.frames import (
    MARK,
    Frame,
    FrameKind,
    read_frames,
    write_frame,
)
from airflow_provider_pipeline_otel.export.recovery import recover

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.export.spool import Spool
    from tests.unit.spans import SpoolReader

KILLED: Final = b64decode(
    "9U9UMYAAAAC88MbVAgAAAAAAAAABFwAAACAAAAAKFQoMc2VydmljZS5uYW1lEgUKA29sZAoeYWlyZmxvd19wcm92aWRl"
    "cl9waXBlbGluZV9vdGVsNAAAAAoQdHR0dHR0dHR0dHR0dHR0dBIIAAAAAAAAAAEqBW91dGVyMAE5AQAAAAAAAACFAQEA"
    "AAD1T1QxkwAAAAmWl8EBAAAAAAAAAAIXAAAAIAAAAAoVCgxzZXJ2aWNlLm5hbWUSBQoDb2xkCh5haXJmbG93X3Byb3Zp"
    "ZGVyX3BpcGVsaW5lX290ZWxHAAAAChB0dHR0dHR0dHR0dHR0dHR0EggAAAAAAAAAAiIIAAAAAAAAAAEqBWlubmVyMAE5"
    "AQAAAAAAAABBAgAAAAAAAACFAQEAAAA="
)
"""The segment of a process that was killed while `outer` went on, whose `inner` had ended; by the
first version that wrote this format, before processes noted anything of themselves."""

NAME: Final = "00000000000000000001-7-abcdef12.seg"


def test_what_an_older_version_has_left_is_ended_and_read(spool: Spool, spans: SpoolReader) -> None:
    """Before a worker is upgraded, its scheduler may be; and the other way round."""
    (spool.open_folder / NAME).write_bytes(KILLED)
    assert recover(spool) == 1
    assert [path.name for path in spool.sealed()] == [NAME]
    outer, inner = spans["outer"], spans["inner"]
    assert (outer.attributes["pipeline.interrupted"], outer.status) == (True, "ERROR")
    assert "pipeline.process.exit_reason" not in outer.attributes
    assert "pipeline.interrupted" not in inner.attributes


def test_the_format_is_what_it_was() -> None:
    """Read and written again, the bytes are the same: an older version can read them."""
    assert b"".join(map(write_frame, read_frames(KILLED))) == KILLED


@pytest.mark.parametrize("newer", ["kind", "format"])
def test_what_a_newer_version_writes_is_passed_over(newer: str) -> None:
    """An unknown kind of frame, or another format, costs its own frames and no others."""
    first, second = read_frames(KILLED)
    kind: Any = 99 if newer == "kind" else FrameKind.ENDED
    between = write_frame(Frame(kind, bytes(8), b"", b"", (b"new",)))
    if newer == "format":
        between = between.replace(MARK, MARK[:-1] + b"2")
    assert list(read_frames(write_frame(first) + between + write_frame(second))) == [first, second]
