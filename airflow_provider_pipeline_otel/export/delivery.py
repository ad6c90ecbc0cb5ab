"""Delivery: sealed segments to the collector, bounded in time, at least once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from airflow_provider_pipeline_otel.export.answers import (
    Meaning,
    meaning_of,
    place_of,
    words_for_error,
    words_for_status,
)
from airflow_provider_pipeline_otel.export.attempt import Attempt, Delivered, Progress
from airflow_provider_pipeline_otel.export.client import Client
from airflow_provider_pipeline_otel.export.fork_gate import work_within
from airflow_provider_pipeline_otel.export.latch import Latch, Mark

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.endpoint import Endpoint
    from airflow_provider_pipeline_otel.export.spool import Spool

_MARGIN: Final = 0.02
"""Seconds before the end of somebody's patience at which an attempt gives up and says so."""


def deliver_within(spool: Spool, endpoint: Endpoint, seconds: float) -> Delivered | None:
    """Deliver what is sealed, newest first, for at most so many seconds; None: not done by then.

    The bound is real: the work has a thread of its own, which is left behind.
    """
    if spool.folder is None:
        return Delivered()
    latch = Latch(spool.folder, endpoint.url)
    mark = latch.read()
    if mark is not None and mark.seconds_left():
        return _held(spool, mark)
    results: list[Delivered] = []
    until = time.monotonic() + seconds - _MARGIN
    work_within(lambda: results.append(deliver(spool, endpoint, until)), seconds)
    if not results:
        latch.shut(f"no answer in time from {place_of(endpoint)}", mark, cost=seconds)
    return results[0] if results else None


def deliver(
    spool: Spool,
    endpoint: Endpoint,
    until: float = float("inf"),
    *,
    asked: bool = False,
    progress: Progress | None = None,
) -> Delivered:
    """Deliver sealed segments until none is left, one fails, or `until` (monotonic) is past.

    Oldest first; where there is an end to it, newest first: what just happened is what people look
    for. After a failure nobody tries for a while, unless `asked` to by whoever can't wait.
    """
    if spool.folder is None:
        return Delivered()
    spool.keep_caps()
    latch = Latch(spool.folder, endpoint.url)
    mark = latch.read()
    attempt = Attempt(spool, endpoint, until, latch, mark)
    if mark is None or asked:
        return attempt.make(progress)
    if mark.seconds_left():
        return _held(spool, mark)
    with latch.probe() as is_alone:
        return attempt.make(progress) if is_alone else _held(spool, mark)


def _held(spool: Spool, mark: Mark) -> Delivered:
    return Delivered(segments_left=len(spool.sealed()), fault=mark.fault)


def send_within(endpoint: Endpoint, body: bytes, seconds: float) -> str | None:
    """Send one request, in at most so many seconds; return what went wrong, if anything."""
    faults: list[str | None] = []
    until = time.monotonic() + seconds

    def send() -> None:
        client = Client(endpoint)
        try:
            status = client.post(body, until).status
        except (OSError, ValueError) as error:
            faults.append(words_for_error(endpoint, error))
        else:
            taken = meaning_of(status) is Meaning.TAKEN
            faults.append(None if taken else words_for_status(endpoint, status))
        finally:
            client.close()

    work_within(send, seconds)
    return faults[0] if faults else f"no answer in time from {place_of(endpoint)}"
