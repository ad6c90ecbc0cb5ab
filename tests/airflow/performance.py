"""One whole performance: every situation played on one Airflow, then judged."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.airflow.actor import CANARY, Actor
from tests.airflow.judge import Judge, Mismatch
from tests.airflow.judgement import judge_incarnation, roots_of
from tests.airflow.situations import SITUATIONS, Situation
from tests.airflow.watch import Watch
from tests.airflow.whole import judge_links, judge_whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from demo.instance import AirflowInstance
    from tests.airflow.expectation import Incarnation
    from tests.airflow.sink import Sink, Span

DAGS: Final = Path(__file__).with_name("dags")
WHOLE: Final = "all spans together"
QUIET_SECONDS: Final = 12.0
PATIENCE_SECONDS: Final = 60.0
LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verdict:
    """What came out for one situation."""

    situation: str
    checks: int
    mismatches: tuple[Mismatch, ...]


@dataclass
class Performance:
    """Plays all situations on one Airflow and judges what arrived in the sink."""

    airflow: AirflowInstance
    sink: Sink
    at_once: int = 100
    """How many situations are played together."""
    actors: dict[str, Actor] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    possible_duplicates: int = 0
    """What the package itself says."""

    def play(self, situations: Iterable[Situation] = SITUATIONS) -> None:
        """Play everything: most of it at once, then what wants to be alone."""
        chosen = [
            one
            for one in situations
            if one.can_be_played(self.airflow.version, len(self.airflow.schedulers))
        ]
        together = [one for one in chosen if not one.alone]
        with Watch(self.airflow) as watch:
            with ThreadPoolExecutor(self.at_once) as pool:
                list(pool.map(lambda one: self._play(one, watch), together))
            for one in chosen:
                if one.alone:
                    self._play(one, watch)
        self._settle()
        self._judge(chosen)

    def _play(self, situation: Situation, watch: Watch) -> None:
        """Play one situation; once more, loudly, where Airflow itself lost its way."""
        for suffix in ("", "-again"):
            actor = Actor(self.airflow, watch, f"{situation.name[:40]}{suffix}")
            self.actors[situation.name] = actor
            try:
                situation.play(actor)
            except Exception as error:  # noqa: BLE001 - becomes the situation's failure
                self.failures[situation.name] = repr(error)
                LOG.warning("%s did not come about: %r", situation.name[:40], error)
            else:
                self.failures.pop(situation.name, None)
                return

    def _settle(self) -> None:
        """Wait until all roots are there and nothing more comes, then empty the spool."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and not self._all_roots_arrived():
            time.sleep(0.5)
        while self.sink.quiet_for() < QUIET_SECONDS and time.monotonic() < deadline + QUIET_SECONDS:
            time.sleep(0.5)
        drain = self.airflow.python.with_name("pipeline-otel")
        for spool in self.airflow.home.glob("spool*") if drain.exists() else ():
            done = subprocess.run(
                [str(drain), "drain", "--json"],
                cwd=self.airflow.home,
                env=self.airflow.environment | {"AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(spool)},
                capture_output=True,
                check=False,
                timeout=60,
            )
            self.possible_duplicates += json.loads(done.stdout)["spool"]["possible_duplicates"]
        for actor in self.actors.values():
            actor.conclude()

    def _all_roots_arrived(self) -> bool:
        spans = self.sink.spans()
        expected = [one for actor in self.actors.values() for one in actor.incarnations]
        return all(len(roots_of(spans, one.dag_id, one.run_id)) >= one.number for one in expected)

    def _judge(self, situations: Iterable[Situation]) -> None:
        spans, again = without_repeats(self.sink.spans())
        for situation in situations:
            judge = Judge(situation.name[:40], spans)
            self._judge_situation(judge, situation)
            self._conclude(situation.name, judge)
        judge = Judge(WHOLE, spans)
        is_joined = self.airflow.environment.get("OTEL_TRACES_EXPORTER") == "pipeline_otel"
        judge.demand(
            "what came twice, with the same bytes, has been counted",
            holds=again <= self.possible_duplicates,
            expected=f"{self.possible_duplicates} at most",
            got=again,
        )
        judge_whole(judge, self.sink.bodies, CANARY, is_joined=is_joined)
        self._conclude(WHOLE, judge)

    def _judge_situation(self, judge: Judge, situation: Situation) -> None:
        failure = self.failures.get(situation.name)
        judge.expect("the situation came about", None, failure)
        found: list[tuple[Incarnation, Span]] = []
        roots: dict[int, Span] = {}
        for incarnation in self.actors[situation.name].incarnations:
            root = judge_incarnation(judge, incarnation)
            if root is None:
                continue
            before = roots.get(id(incarnation.previous))
            judge_links(judge, incarnation, root, before)
            roots[id(incarnation)] = root
            found.append((incarnation, root))
        if situation.check is not None:
            situation.check(judge, found)

    def _conclude(self, name: str, judge: Judge) -> None:
        self.verdicts[name] = Verdict(name, judge.checks, tuple(judge.mismatches))


def without_repeats(spans: Iterable[Span]) -> tuple[list[Span], int]:
    """Return the spans without those that came again, the same in all, and how many did."""
    once: dict[str, Span] = {}
    every = list(spans)
    for span in every:
        once.setdefault(repr(span), span)
    return list(once.values()), len(every) - len(once)


def write_report(performances: Iterable[tuple[str, Performance]]) -> None:
    """Write what was checked and what did not hold to PIPELINE_OTEL_TRUTH_REPORT, if set."""
    file = os.environ.get("PIPELINE_OTEL_TRUTH_REPORT")
    if not file:
        return
    rows = [
        {
            "environment": environment,
            "airflow": performance.airflow.version,
            "database": performance.airflow.database_url.partition(":")[0],
            "played": bool(performance.verdicts),
            "situations": len(performance.verdicts),
            "checks": sum(verdict.checks for verdict in performance.verdicts.values()),
            "mismatches": [
                asdict(mismatch)
                for verdict in performance.verdicts.values()
                for mismatch in verdict.mismatches
            ],
        }
        for environment, performance in performances
    ]
    Path(file).write_text(json.dumps(rows, indent=2) + "\n")
