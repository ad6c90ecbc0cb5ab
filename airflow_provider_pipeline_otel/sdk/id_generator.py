"""Span and trace ids that `random.seed()` in user code can't repeat."""

from __future__ import annotations

import os

from opentelemetry.sdk.trace.id_generator import IdGenerator


class SystemIdGenerator(IdGenerator):
    """Ids from the system's generator; the SDK's own takes them from `random`.

    `trace_id`: that of the task that this process works on, for spans that have no parent: threads
    begin without a context.
    """

    trace_id: int = 0

    def generate_span_id(self) -> int:
        """Return 8 random bytes as a number, never 0."""
        return int.from_bytes(os.urandom(8), "big") or 1

    def generate_trace_id(self) -> int:
        """Return the task's trace id, else 16 random bytes as a number, never 0."""
        return self.trace_id or int.from_bytes(os.urandom(16), "big") or 1
