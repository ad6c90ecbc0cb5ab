"""The last trace of each run is remembered, by all processes of a host."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from airflow_provider_pipeline_otel.skeleton.memory import RunMemory

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = b"o" * 16, b"n" * 16


def test_an_end_is_told_once(tmp_path: Path) -> None:
    """Whoever asks second is told that it is written."""
    assert RunMemory(tmp_path / "runs").claim("d", "r", NEW) == (True, None)
    assert not RunMemory(tmp_path / "runs").claim("d", "r", NEW).new


def test_a_cleared_run_learns_the_trace_before(tmp_path: Path) -> None:
    """The last one of several, and not another run's."""
    runs = RunMemory(tmp_path / "runs")
    runs.claim("d", "r", b"x" * 16)
    runs.claim("d", "r", OLD)
    runs.claim("d", "other", b"y" * 16)
    assert runs.claim("d", "r", NEW) == (True, OLD)


def test_the_file_is_bounded(tmp_path: Path) -> None:
    """The older half goes."""
    runs = RunMemory(tmp_path / "runs", most=10)
    for number in range(100):
        runs.claim("d", f"r{number}", NEW)
    assert (tmp_path / "runs").stat().st_size <= 10 * 32
    assert not runs.claim("d", "r99", NEW).new
    assert runs.claim("d", "r0", NEW).new


def test_of_many_processes_one_is_told_that_it_is_new(tmp_path: Path) -> None:
    """Scheduler and API server end a run at the same moment."""
    pids = []
    for number in range(8):
        pid = os.fork()
        if not pid:
            told = RunMemory(tmp_path / "runs").claim("d", "r", NEW).new
            (tmp_path / f"told{number}").write_text("yes" if told else "no")
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    told = [(tmp_path / f"told{number}").read_text() for number in range(8)]
    assert sorted(told) == ["no"] * 7 + ["yes"]


def test_a_damaged_file_forgets(tmp_path: Path) -> None:
    """And raises nothing."""
    (tmp_path / "runs").write_bytes(b"\xff" * 45)
    assert RunMemory(tmp_path / "runs").claim("d", "r", NEW).new
    assert not RunMemory(tmp_path / "runs").claim("d", "r", NEW).new


def test_without_a_place_nothing_is_remembered() -> None:
    """A spool that can't be had must not stop roots."""
    assert RunMemory(None).claim("d", "r", NEW).new
