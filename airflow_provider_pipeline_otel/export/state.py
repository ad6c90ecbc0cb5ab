"""The state of a spool: what waits in it, what became of the rest, and what holds it up."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from airflow_provider_pipeline_otel.export.frames import FrameKind, read_frames
from airflow_provider_pipeline_otel.export.latch import Latch
from airflow_provider_pipeline_otel.export.ledger import (
    DELIVERED,
    DROPPED,
    POSSIBLE_DUPLICATES,
    REDACTED,
    REFUSED,
    SAMPLED_OUT,
)
from airflow_provider_pipeline_otel.export.spool import begun_at, folder_of_user

if TYPE_CHECKING:
    from collections import Counter

    from airflow_provider_pipeline_otel.endpoint import Endpoint
    from airflow_provider_pipeline_otel.export.spool import Spool


class SpoolState(msgspec.Struct, frozen=True, kw_only=True):
    """Spans by what became of them on this host, sizes in bytes, ages in seconds."""

    spool_dir: str | None
    spans_waiting: int
    segments_waiting: int
    bytes_waiting: int
    oldest_age: float
    spans_delivered: int
    bytes_kept: int
    spans_refused: dict[str, int]
    spans_dropped: dict[str, int]
    spans_sampled_out: int
    values_redacted: dict[str, int]
    possible_duplicates: int
    fault: str | None
    retry_in: float
    other_spools: list[str]
    """Folders of other users, which they or root must drain."""


def read_state(spool: Spool, endpoint: Endpoint | None) -> SpoolState:
    """Return what is the matter with a spool."""
    spans = size = 0
    waiting = spool.sealed()
    for path in waiting:
        with suppress(OSError):
            data = path.read_bytes()
            size += len(data)
            spans += sum(len(f.spans) for f in read_frames(data) if f.kind is FrameKind.ENDED)
    totals = spool.ledger.totals()
    mark = Latch(spool.folder, endpoint.url).read() if spool.folder and endpoint else None
    return SpoolState(
        spool_dir=str(spool.folder) if spool.folder else None,
        spans_waiting=spans,
        segments_waiting=len(waiting),
        bytes_waiting=size,
        oldest_age=max(time.time() - begun_at(waiting[0]), 0.0) if waiting else 0.0,
        spans_delivered=sum(_by_reason(totals, DELIVERED).values()),
        bytes_kept=spool.kept.size(),
        spans_refused=_by_reason(totals, REFUSED),
        spans_dropped=_by_reason(totals, DROPPED),
        spans_sampled_out=sum(_by_reason(totals, SAMPLED_OUT).values()),
        values_redacted=_by_reason(totals, REDACTED),
        possible_duplicates=sum(_by_reason(totals, POSSIBLE_DUPLICATES).values()),
        fault=mark.fault if mark else None,
        retry_in=mark.seconds_left() if mark else 0.0,
        other_spools=[str(folder) for folder in spools_of_others()],
    )


def spools_of_others() -> list[Path]:
    """Return the spools that processes of other users have made in the temporary directory.

    With `run_as_user` a task runs under another uid than the rest of Airflow, and nobody but that
    uid and root may read what it leaves behind.
    """
    pattern = folder_of_user(Path(tempfile.gettempdir()), "*")
    found = []
    for folder in sorted(pattern.parent.glob(pattern.name)):
        with suppress(OSError):
            if folder.lstat().st_uid != os.geteuid():
                found.append(folder)
    return found


def _by_reason(totals: Counter[tuple[str, str]], what: str) -> dict[str, int]:
    return {reason: spans for (kind, reason), spans in totals.items() if kind == what}
