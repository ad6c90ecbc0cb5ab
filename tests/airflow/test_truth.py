"""The trace says what Airflow's database says, in every situation, on real Airflows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.airflow.performance import WHOLE
from tests.airflow.situations import SITUATIONS, Situation

if TYPE_CHECKING:
    from tests.airflow.performance import Performance

pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.name[:40])
def test_situation(performance: Performance, situation: Situation) -> None:
    """The situation's trace keeps its promise and says what the rows say."""
    if not situation.can_be_played(
        performance.airflow.version, len(performance.airflow.schedulers)
    ):
        pytest.skip(f"Airflow {performance.airflow.version} can't do this")
    mismatches = performance.verdicts[situation.name].mismatches
    lines = "\n".join(map(str, mismatches))
    assert not mismatches, f"{situation.promise}\n{lines}"


def test_all_spans_together(performance: Performance) -> None:
    """No id twice, no orphan, one root per trace, no dangling link, no secret."""
    mismatches = performance.verdicts[WHOLE].mismatches
    assert not mismatches, "\n" + "\n".join(map(str, mismatches))
