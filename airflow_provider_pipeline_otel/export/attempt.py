"""An attempt: one pass over the spool, request by request, as far as the collector takes them.

A segment goes when the collector has accepted it, and not before; the lock on it is the lease, so a
deliverer that dies gives it back. The bytes of a span never change between two attempts. Before a
request a segment is marked as sent, and the mark goes with an answer: whoever finds one knows that
the collector may have these spans already, and counts what it may get twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import msgspec

from airflow_provider_pipeline_otel.export.answers import (
    Meaning,
    meaning_of,
    place_of,
    refused_spans,
    retry_after,
    words_for_error,
    words_for_status,
)
from airflow_provider_pipeline_otel.export.batch import Batch, Piece, encode_pieces
from airflow_provider_pipeline_otel.export.client import Client
from airflow_provider_pipeline_otel.export.fork_gate import abortable
from airflow_provider_pipeline_otel.export.ledger import (
    DELIVERED,
    POSSIBLE_DUPLICATES,
    REFUSED,
    Entry,
)
from airflow_provider_pipeline_otel.guard import warn_once

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_pipeline_otel.endpoint import Endpoint
    from airflow_provider_pipeline_otel.export.client import Answer
    from airflow_provider_pipeline_otel.export.latch import Latch, Mark
    from airflow_provider_pipeline_otel.export.spool import Spool

REQUEST_BYTES: Final = 1024 * 1024
"""Unpacked bytes of a request: receivers stop at 1 MiB and more, whatever gzip saves."""

_NEVER: Final = float("inf")
_NOTHING: Final = Batch([], 0)
_COUNTED: Final = (DELIVERED, REFUSED)
_BREAKS: Final = "HTTP 500"
_MOST_SUSPECTS: Final = 8
"""Spans that may break a collector before it is taken for broken by itself."""

_TOO_LARGE: Final = f"a span of more than {REQUEST_BYTES} bytes"


Progress = Callable[[int], object]
"""Is told how many segments are still to come."""


class Delivered(msgspec.Struct, frozen=True):
    """What an attempt achieved; `fault` says what keeps the segments that are left."""

    spans: int = 0
    refused: int = 0
    segments_left: int = 0
    fault: str | None = None


class _StopError(Exception):
    """There is no use in going on; says why, or nothing where only the time is up."""

    def __init__(self, fault: str | None = None, asked: float = 0.0) -> None:
        super().__init__(fault)
        self.fault = fault
        self.asked = asked


class Attempt:
    """One pass, until `until` (monotonic); `mark` is the latch that it is made under, if any."""

    def __init__(
        self,
        spool: Spool,
        endpoint: Endpoint,
        until: float,
        latch: Latch,
        mark: Mark | None,
    ) -> None:
        self._spool = spool
        self._endpoint = endpoint
        self._until = until
        self._latch = latch
        self._mark = mark
        self._client = Client(endpoint)
        self._longest = 0.0
        self._is_answered = True
        self._is_working = False
        self._left = 0
        self._fault: str | None = None
        self._entries: list[Entry] = []

    def make(self, progress: Progress | None = None) -> Delivered:
        """Make it; a failure shuts the latch, and what is taken opens it."""
        began = time.monotonic()
        waiting = self._spool.sealed()
        if self._until < _NEVER:
            waiting.reverse()  # what has just happened is what people look for
        asked = 0.0
        try:
            while waiting and time.monotonic() + self._longest < self._until:
                self._take_batch(waiting)
                if progress is not None:
                    progress(len(waiting))
        except _StopError as stop:
            self._fault, asked = stop.fault or self._fault, stop.asked
        finally:
            self._client.close()
            self._spool.ledger.add(*self._entries)
        if self._fault:
            cost = time.monotonic() - began if self._until < _NEVER else 0.0
            self._shut_latch(self._fault, cost, asked)
        sums = {what: sum(e.spans for e in self._entries if e.what == what) for what in _COUNTED}
        return Delivered(sums[DELIVERED], sums[REFUSED], self._left + len(waiting), self._fault)

    def _take_batch(self, waiting: list[Path]) -> None:
        with ExitStack() as locks:
            batch = Batch.take(waiting, locks, REQUEST_BYTES)
            self._left += batch.held_by_others
            try:
                self._deliver(batch)
            finally:
                self._left += batch.settle(self._spool, is_answered=self._is_answered)

    def _deliver(self, batch: Batch) -> None:
        """Send a batch; where it is too large, can't be read or breaks the collector, by halves.

        A span that is refused alone is to blame for it, unless the collector takes nothing at all.
        One that breaks it stays, for it may be mended, and holds up none of the others.
        """
        suspects: list[tuple[list[Piece], str]] = []
        parts = [batch.pieces] if batch.pieces else []
        while parts:
            pieces = parts.pop()
            reason = self._send(batch, pieces)
            if reason and len(pieces) > 1:
                half = len(pieces) // 2
                parts += (pieces[half:], pieces[:half])
            elif reason:
                suspects.append((pieces, reason))
                if len(suspects) > 1:
                    self._check_is_working()
                if [why for _, why in suspects].count(_BREAKS) > _MOST_SUSPECTS:
                    raise _StopError(words_for_status(self._endpoint, 500))
        if suspects:
            self._check_is_working()
        for pieces, reason in suspects:
            if reason == _BREAKS:
                self._fault = words_for_status(self._endpoint, 500)
            else:
                self._refuse(batch, pieces, reason)

    def _send(self, batch: Batch, pieces: list[Piece]) -> str:
        """Send spans in one request; return why it must be divided, or nothing."""
        body = encode_pieces(pieces)
        if len(body) > REQUEST_BYTES and len(pieces) > 1:
            return _TOO_LARGE
        if len(body) > REQUEST_BYTES:
            self._refuse(batch, pieces, _TOO_LARGE)
            return ""
        answer = self._post(body, batch, pieces)
        meaning = meaning_of(answer.status)
        if meaning is Meaning.KEPT:
            raise _StopError(words_for_status(self._endpoint, answer.status), retry_after(answer))
        if meaning is Meaning.SUSPECTED:
            self._check_is_working()
        if meaning in {Meaning.DIVIDED, Meaning.SUSPECTED}:
            return f"HTTP {answer.status}"
        if meaning is Meaning.TAKEN:
            self._take(batch, pieces, answer)
        else:
            self._refuse(batch, pieces, f"HTTP {answer.status}")
        return ""

    def _post(self, body: bytes, batch: Batch, pieces: list[Piece]) -> Answer:
        began = time.monotonic()
        until = min(self._until, began + self._endpoint.timeout)
        try:
            self._client.connect(until)
            batch.mark_sent(pieces)
            self._is_answered = False
            with abortable(self._client.abort):
                answer = self._client.post(body, until)
        except (OSError, ValueError) as error:
            if self._client.is_aborted:
                raise _StopError from error
            if self._is_working and isinstance(error, TimeoutError) and until == self._until:
                raise _StopError from error
            raise _StopError(words_for_error(self._endpoint, error)) from error
        self._is_answered = True
        self._longest = max(self._longest, time.monotonic() - began)
        return answer

    def _take(self, batch: Batch, pieces: list[Piece], answer: Answer) -> None:
        self._has_answered_well()
        batch.note_settled(pieces)
        refused, why = refused_spans(answer)
        refused = min(max(refused, 0), len(pieces))
        twice = sum(piece.segment.times_sent for piece in pieces)
        self._entries += (
            Entry(DELIVERED, len(pieces) - refused),
            Entry(POSSIBLE_DUPLICATES, twice),
            Entry(REFUSED, refused, "partial success"),
        )
        if refused:
            place = place_of(self._endpoint)
            warn_once("%d spans were refused by %s: %s", refused, place, why or "it said no more")

    def _refuse(self, batch: Batch, pieces: list[Piece], reason: str) -> None:
        batch.note_settled(pieces)
        self._entries.append(Entry(REFUSED, len(pieces), reason))
        place = place_of(self._endpoint)
        warn_once("%d spans are dropped, for %s won't take them: %s", len(pieces), place, reason)

    def _has_answered_well(self) -> None:
        if not self._is_working:
            self._is_working = True
            self._latch.open()

    def _check_is_working(self) -> None:
        """Stop where the collector takes nothing, not even an empty request: no span's fault."""
        if self._is_working:
            return
        answer = self._post(b"", _NOTHING, [])
        if meaning_of(answer.status) is not Meaning.TAKEN:
            raise _StopError(words_for_status(self._endpoint, answer.status))
        self._has_answered_well()

    def _shut_latch(self, fault: str, cost: float, asked: float) -> None:
        if self._latch.shut(fault, self._mark, cost=cost, asked=asked):
            warn_once("spans wait in the spool: %s", fault)
