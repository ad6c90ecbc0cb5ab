"""Spans to deliver, and what is left of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from airflow_provider_pipeline_otel.config import Redaction
from airflow_provider_pipeline_otel.export.frames import read_frames
from airflow_provider_pipeline_otel.export.latch import Latch
from airflow_provider_pipeline_otel.export.writer import SpanWriter
from airflow_provider_pipeline_otel.record import SpanRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_pipeline_otel.export.spool import Spool


def fill(spool: Spool, segments: int, *, spans: int = 1, size: int = 10) -> list[str]:
    """Write that many segments, and return the names of their spans."""
    writer = SpanWriter(spool, {"service.name": "s"}, Redaction(value_length=10**7))
    names = []
    for segment in range(segments):
        own = [f"{segment}/{number}" for number in range(spans)]
        writer.write_finished(
            SpanRecord(b"t" * 16, b"s" * 8, b"", name, 1, 2, {"a": "x" * size}) for name in own
        )
        names += own
    return names


def waiting(spool: Spool) -> int:
    """Return how many spans wait for delivery."""
    frames = [frame for path in spool.sealed() for frame in read_frames(path.read_bytes())]
    return sum(len(frame.spans) for frame in frames)


def unlatch(spool: Spool, url: str) -> None:
    """Let the next attempt be made at once, as if its time had come."""
    assert spool.folder is not None
    Latch(spool.folder, url).open()


def wait_for(condition: Callable[..., Any]) -> None:
    """Wait until it holds, for half a minute at most."""
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)
