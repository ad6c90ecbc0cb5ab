"""Runs of the shop's DAGs, and what arrived of them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo.instance import AirflowInstance
    from tests.airflow.sink import Sink, Span

GRACE: Final = 3
"""The DAGs' kill_grace."""

PATIENCE: Final = 90.0
STATUS: Final = "dbt.status"


@dataclass(frozen=True)
class Dbt:
    """A virtual environment with dbt."""

    environment: Path

    @property
    def executable(self) -> Path:
        """The program."""
        return self.environment / "bin" / "dbt"

    def packages(self) -> dict[str, str]:
        """Return the versions of dbt, of its adapter, and of ours if it is there too."""
        names = ("dbt_core", "dbt_duckdb", "airflow_provider_pipeline_otel")
        found = self.environment.glob("lib/python3*/site-packages/*.dist-info")
        pairs = (path.stem.partition("-") for path in found)
        return {name: version for name, _, version in sorted(pairs) if name in names}

    @property
    def version(self) -> tuple[int, int]:
        """Major and minor: older ones can do less."""
        major, minor, *_ = self.packages()["dbt_core"].split(".")
        return int(major), int(minor)

    @property
    def has_batches(self) -> bool:
        """Whether it knows the strategy `microbatch`."""
        return self.version >= (1, 9)

    @property
    def draws_spans(self) -> bool:
        """Whether it draws its own spans when it is asked to."""
        return self.version >= (1, 12) and self.may_be_asked_for_spans

    @property
    def may_be_asked_for_spans(self) -> bool:
        """Whether it works when it is: one that can draw them needs this project's package too."""
        return self.version < (1, 12) or "airflow_provider_pipeline_otel" in self.packages()


@dataclass(frozen=True)
class Shop:
    """A running Airflow that runs dbt."""

    airflow: AirflowInstance
    sink: Sink
    home: Path
    installed: Dbt

    def start(self, dag_id: str, run_id: str) -> None:
        """Start a run."""
        self.airflow.trigger(dag_id, run_id)

    def ended(self, dag_id: str, run_id: str) -> list[Span]:
        """Wait for the run's end and its root; return its trace."""
        self.airflow.wait(dag_id, run_id)
        self.until(lambda: any(not span.parent_id for span in self.spans(run_id)))
        time.sleep(2)  # what was recovered comes with the next round of the deliverer
        return self.spans(run_id)

    def spans(self, run_id: str) -> list[Span]:
        """Return what has arrived of a run's trace."""
        spans = self.sink.spans()
        traces = {s.trace_id for s in spans if s.attributes.get("airflow.dag_run.run_id") == run_id}
        return [span for span in spans if span.trace_id in traces]

    def log(self, dag_id: str, run_id: str, task_id: str) -> str:
        """Return the log of a task's only try."""
        folder = self.home / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}"
        (log,) = folder.glob(f"task_id={task_id}/*.log")
        return log.read_text()

    def has_open(self, run_id: str, word: str) -> bool:
        """Say whether the segment that the run's task is writing to holds the word."""
        segments = (self.home / "spool" / "open").glob(f"*-{self.worker_process(run_id)}-*.seg")
        return any(word.encode() in path.read_bytes() for path in segments)

    def dbt_processes(self, run_id: str) -> list[int]:
        """Return dbt's processes and their guardians, of one run."""
        database = f"/{run_id}.duckdb".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes()
                if b"dbt" in command and database in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                continue
        return found

    def guardian(self, run_id: str) -> int:
        """Return the process between the run's task and dbt."""
        (found,) = [
            pid
            for pid in self.dbt_processes(run_id)
            if b"guardian" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        return found

    def dbt(self, run_id: str) -> int:
        """Return dbt's first process."""
        guardian = self.guardian(run_id)
        (found,) = [pid for pid in self.dbt_processes(run_id) if parent_of(pid) == guardian]
        return found

    def worker_process(self, run_id: str) -> int:
        """Return the process of the run's task."""
        return parent_of(self.guardian(run_id))

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until it is so."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "it did not come about"
            time.sleep(0.1)

    def until_slow_runs(self, run_id: str) -> None:
        """Wait until the slow model is running, and on disk."""
        self.until(lambda: len(self.dbt_processes(run_id)) > 1)
        self.until(lambda: self.has_open(run_id, "model.shop.slow"))


def parent_of(pid: int) -> int:
    """Return a process's parent."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("PPid:")[2].split()[0])


def kill(pid: int, number: int) -> None:
    """Send a signal to one process."""
    os.kill(pid, number)


def named(spans: list[Span]) -> dict[str, Span]:
    """Return dbt's spans by name; batches, which are named as their model, by name and index."""
    found = {}
    for span in spans:
        if span.name.startswith("dbt"):
            index = span.attributes.get("dbt.batch.index")
            name = span.name if index is None else f"{span.name}#{index}"
            assert name not in found, f"{name} is there twice"
            found[name] = span
    return found


def names_above(spans: list[Span], span: Span) -> list[str]:
    """Return the names of what a span lies in, inmost first."""
    return [above.name for above in ancestors(spans, span)]


def ancestors(spans: list[Span], span: Span) -> list[Span]:
    """Return what a span lies in, inmost first."""
    by_id = {span.span_id: span for span in spans}
    found = []
    while (above := by_id.get(span.parent_id)) is not None:
        found.append(above)
        span = above
    return found
