"""Who plays one situation: starts its runs, lends a hand, and notes what the rows said when."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from tests.airflow import actions
from tests.airflow.expectation import Incarnation, WorkerHint
from tests.airflow.rows import read_snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from demo.instance import AirflowInstance
    from tests.airflow.watch import Watch

CANARY: Final = "canary-5e1f0c7d-must-not-leak"
PARTITION: Final = "2026-02-28T00:00:00"
CONF: Final = {"secret": CANARY}
# The worker's first hook runs a moment after its row says running.
SETTLED_START: Final = 3.0
# Whoever writes a run's end is allowed a few seconds for it, and to look twice.
SETTLED_END: Final = 12.0


@dataclass
class Actor:
    """Plays one situation on one Airflow."""

    airflow: AirflowInstance
    watch: Watch
    name: str
    incarnations: list[Incarnation] = field(default_factory=list)

    @property
    def run_id(self) -> str:
        """The id of the situation's own run."""
        return "truth-" + self.name.encode("ascii", "replace").decode().replace("?", "~")

    @property
    def is_joined(self) -> bool:
        """Whether Airflow's own tracing is on, and comes to us."""
        return self.airflow.environment.get("OTEL_TRACES_EXPORTER") == "pipeline_otel"

    def play(self, dag_id: str, hints: Mapping[str, WorkerHint] | None = None) -> Incarnation:
        """Start a run, wait for its end, note it."""
        self.start(dag_id)
        return self.ended(dag_id, hints=hints)

    def start(self, dag_id: str) -> None:
        """Start a run of this situation."""
        self.airflow.trigger(dag_id, self.run_id, CONF)

    def reaches(self, dag_id: str, task_id: str, *states: str) -> None:
        """Wait until a task is in one of some states, and its process well under way."""
        self.watch.task_is(dag_id, self.run_id, task_id, states)
        time.sleep(SETTLED_START)

    def ended(
        self,
        dag_id: str,
        run_id: str | None = None,
        *,
        previous: Incarnation | None = None,
        hints: Mapping[str, WorkerHint] | None = None,
    ) -> Incarnation:
        """Wait for a run's end and note its rows at once; the last rows are noted later."""
        run_id = run_id or self.run_id
        self.watch.run_ended(dag_id, run_id)
        early = read_snapshot(self.airflow, dag_id, run_id)
        incarnation = Incarnation(
            dag_id,
            run_id,
            early,
            previous=previous,
            hints=hints or {},
            is_joined=self.is_joined,
        )
        self.incarnations.append(incarnation)
        return incarnation

    def settle(self, incarnation: Incarnation) -> None:
        """Wait until a run's end has been written, and bind its trace to the rows of now."""
        time.sleep(SETTLED_END)
        self._bind(incarnation)

    def clear(
        self,
        incarnation: Incarnation,
        task_ids: Sequence[str] | None = None,
        hints: Mapping[str, WorkerHint] | None = None,
    ) -> Incarnation:
        """Clear tasks of a run that ended, and note its second end."""
        self.settle(incarnation)
        dag_id, run_id = incarnation.dag_id, incarnation.run_id
        actions.clear(self.airflow, dag_id, run_id, task_ids)
        self.watch.run_began(dag_id, run_id)
        return self.ended(dag_id, run_id, previous=incarnation, hints=hints)

    def requeue(self, dag_id: str) -> None:
        """Set a run that is under way back to queued, and note it as a start of its own."""
        before = read_snapshot(self.airflow, dag_id, self.run_id)
        actions.mark_run(self.airflow, dag_id, self.run_id, "queued")
        after = read_snapshot(self.airflow, dag_id, self.run_id)
        first = Incarnation(dag_id, self.run_id, before, requeued_at=after.run.queued_at)
        if not self.is_joined:  # there the run keeps its carrier, and thus its trace
            self.incarnations.append(first)
        self.watch.run_began(dag_id, self.run_id)
        self.ended(dag_id, previous=None if self.is_joined else first)

    def conclude(self) -> None:
        """Bind every trace that is still unbound to the rows of now."""
        for incarnation in self.incarnations:
            if incarnation.late is None:
                self._bind(incarnation)

    def _bind(self, incarnation: Incarnation) -> None:
        early = incarnation.early.run
        late = read_snapshot(self.airflow, incarnation.dag_id, incarnation.run_id)
        incarnation.late = replace(late, run=early) if incarnation.requeued_at else late
        ends = {early.end_date or 0, *self.watch.ends_of(incarnation.dag_id, incarnation.run_id)}
        incarnation.ends = {end for end in ends if end >= (early.start_date or 0)}
