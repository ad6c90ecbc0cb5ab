"""The judge of one situation: counts what it checked, keeps what did not hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.airflow.expectation import LIVE_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.airflow.sink import Span


@dataclass(frozen=True)
class Mismatch:
    """One thing that the spans say and the rows don't."""

    situation: str
    rule: str
    expected: str
    got: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.situation} / {self.rule} / expected {self.expected} / got {self.got}"


@dataclass
class Judge:
    """Counts checks and keeps mismatches of one situation."""

    situation: str
    spans: Sequence[Span]
    checks: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)

    def expect(self, rule: str, expected: object, got: object) -> bool:
        """Demand equality."""
        return self.demand(rule, holds=expected == got, expected=expected, got=got)

    def expect_one_of(self, rule: str, expected: Iterable[object], got: object) -> bool:
        """Demand one of several values."""
        allowed = list(expected)
        shown = allowed[0] if len(allowed) == 1 else allowed
        return self.demand(rule, holds=got in allowed, expected=shown, got=got)

    def expect_time(
        self, rule: str, expected: Iterable[int], got: int, tolerance: int = LIVE_TOLERANCE
    ) -> bool:
        """Demand one of several instants."""
        allowed = sorted(expected)
        near = min((got - instant for instant in allowed), key=abs, default=None)
        shown = f"one of {len(allowed)} times" if near is None else f"±{tolerance / 1e6:.0f} ms"
        off = "no time to compare with" if near is None else f"{near / 1e6:+.3f} ms off"
        holds = near is not None and abs(near) <= tolerance
        return self.demand(rule, holds=holds, expected=shown, got=off)

    def demand(self, rule: str, *, holds: bool, expected: object, got: object) -> bool:
        """Count a check, keep a mismatch."""
        self.checks += 1
        if not holds:
            self.mismatches.append(
                Mismatch(self.situation, rule, str(expected)[:200], str(got)[:300])
            )
        return holds

    def trace(self, trace_id: str) -> list[Span]:
        """Return a trace's spans."""
        return [span for span in self.spans if span.trace_id == trace_id]
