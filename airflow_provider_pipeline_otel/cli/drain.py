"""pipeline-otel drain: deliver what lies in the spool, once or from now on."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Final

from airflow_provider_pipeline_otel.export.delivery import deliver
from airflow_provider_pipeline_otel.export.recovery import recover
from airflow_provider_pipeline_otel.export.spool import Spool, private_folder, try_lock

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.config import Settings

_PERIOD: Final = 1.0
_LONGEST_PAUSE: Final = 30.0


def drain(settings: Settings) -> int:
    """Deliver once and say what came of it; 0: all, 1: something is left, 2: no collector."""
    spool = Spool(private_folder(settings.spool_dir), settings.caps)
    interrupted = recover(spool)
    if interrupted:
        print(f"{interrupted} spans of dead processes were ended")
    if settings.endpoint is None:
        print(
            f"{len(spool.sealed())} segments stay in {spool.folder}: no collector is named. "
            "Set OTEL_EXPORTER_OTLP_ENDPOINT, e.g. to http://localhost:4318.",
            file=sys.stderr,
        )
        return 2
    done = deliver(spool, settings.endpoint)
    left = f"{done.segments_left} segments left"
    print(f"{done.spans} spans accepted by {settings.endpoint.url}; {left}")
    if done.fault:
        print(f"{done.fault}; nothing is lost, try again later", file=sys.stderr)
    return 1 if done.segments_left else 0


def watch(settings: Settings, *, with_parent: bool) -> int:
    """Deliver again and again, one process per spool, until a signal or the parent's end."""
    spool = Spool(private_folder(settings.spool_dir), settings.caps)
    if spool.folder is None:
        return 2
    parent = os.getppid()
    ended: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, _: ended.append(signum))
    lock = spool.drain_lock()
    pause, due = _PERIOD, 0.0
    while not ended and not (with_parent and os.getppid() != parent):
        if try_lock(lock):
            recover(spool)
            if settings.endpoint is not None and time.monotonic() >= due:
                fault = deliver(spool, settings.endpoint).fault
                pause = min(pause * 2, _LONGEST_PAUSE) if fault else _PERIOD
                due = time.monotonic() + pause
        time.sleep(_PERIOD)
    return 0
