"""What killed a process is told by whoever finds it dead, as far as it can be known."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from airflow_provider_pipeline_otel.export.frames import FrameKind, read_frames
from airflow_provider_pipeline_otel.export.process_facts import (
    ProcessFacts,
    exit_reason_of,
    facts_of_this_process,
)
from airflow_provider_pipeline_otel.export.recovery import recover
from airflow_provider_pipeline_otel.export.writer import SpanWriter
from tests.unit.export.test_spool import in_child, record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_pipeline_otel.export.spool import Spool
    from tests.unit.spans import SpoolReader

GROUPS: Final = Path("/sys/fs/cgroup")
LIMIT: Final = 64 * 1024 * 1024
REASON: Final = "pipeline.process.exit_reason"
RECOVER: Final = """
import sys
from pathlib import Path
from airflow_provider_pipeline_otel.config import Caps
from airflow_provider_pipeline_otel.export.recovery import recover
from airflow_provider_pipeline_otel.export.spool import Spool
print(recover(Spool(Path(sys.argv[1]), Caps(10**6, 10**6, 100))))
"""


def work_of(spool: Spool, *, supervisor_lives_on: bool = True, terminated: bool = False) -> None:
    """Do what a task's process does at its start."""
    writer = SpanWriter(spool, {})
    facts = facts_of_this_process(supervisor_lives_on=supervisor_lives_on)
    writer.note_process(facts)
    writer.write_open(record(1, end_ns=0, name="worker"), terminated=terminated)


def reason_of(spool: Spool, spans: SpoolReader) -> str:
    """Recover, and return what the one span says."""
    assert recover(spool) == 1
    (span,) = spans.all()
    return str(span.attributes[REASON])


def test_a_process_that_is_killed_alone(spool: Spool, spans: SpoolReader) -> None:
    """Its supervisor lives: this test."""
    in_child(lambda: work_of(spool))
    assert reason_of(spool, spans) == "killed"


def test_a_process_that_is_killed_with_its_supervisor(spool: Spool, spans: SpoolReader) -> None:
    """Nobody was left to tell Airflow: only the missing heartbeat does."""
    in_child(lambda: _die(in_child(lambda: work_of(spool))))
    assert reason_of(spool, spans) == "heartbeat"


def test_a_supervisor_that_ends_with_its_task_tells_nothing(
    spool: Spool, spans: SpoolReader
) -> None:
    """As on Airflow 2, and in a pod."""
    in_child(lambda: _die(in_child(lambda: work_of(spool, supervisor_lives_on=False))))
    assert reason_of(spool, spans) == "killed"


def test_whoever_looks_from_another_container_sees_no_supervisor(
    spool: Spool, spans: SpoolReader
) -> None:
    """A sidecar has process ids of its own: that one is not among them tells nothing."""
    in_child(lambda: work_of(spool))
    command = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", RECOVER]
    done = subprocess.run(
        [*command, str(spool.folder)], capture_output=True, text=True, check=False
    )
    if "unshare" in done.stderr:
        pytest.skip(f"no namespaces to be had: {done.stderr.strip()}")
    assert done.stdout == "1\n", done.stderr
    (span,) = spans.all()
    assert span.attributes[REASON] == "killed"


def test_what_airflow_asked_to_end_is_terminated(spool: Spool, spans: SpoolReader) -> None:
    """Whoever has killed it then."""
    in_child(lambda: work_of(spool, terminated=True))
    assert reason_of(spool, spans) == "terminated"


def test_each_segment_of_the_process_knows(spool: Spool, spans: SpoolReader) -> None:
    """What is open is carried into a new one."""

    def work() -> None:
        writer = SpanWriter(spool, {})
        writer.note_process(facts_of_this_process(supervisor_lives_on=True))
        writer.write_open(record(1, end_ns=0, name="worker"))
        writer.write_ended(record(2, 1, name="stage"))
        writer.seal()

    in_child(work)
    assert recover(spool) == 1
    assert {span.name: span.attributes.get(REASON) for span in spans.all()} == {
        "worker": "killed",
        "stage": None,
    }


def test_what_a_task_forks_has_another_supervisor(spool: Spool) -> None:
    """The facts are its parent's, and its death may be an end as any other."""
    writer = SpanWriter(spool, {})
    writer.note_process(facts_of_this_process(supervisor_lives_on=True))
    in_child(lambda: writer.write_open(record(1, end_ns=0, name="of the child")))
    kinds = [frame.kind for path in spool.open() for frame in read_frames(path.read_bytes())]
    assert kinds == [FrameKind.OPEN]


def test_facts_that_cannot_be_read_again(tmp_path: Path) -> None:
    """A control group that is gone tells nothing."""
    assert exit_reason_of(ProcessFacts(str(tmp_path / "gone"), 0)) == "killed"


@pytest.fixture
def group() -> Iterator[Path]:
    """Make a control group of little memory; version 1 or 2, wherever its controller is."""
    roots = [root for root in (GROUPS / "memory", GROUPS) if (root / "cgroup.procs").exists()]
    group = next(iter(roots), GROUPS) / f"pipeline_otel-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        limits = [group / "memory.limit_in_bytes", group / "memory.max"]
        limit = next((file for file in limits if file.exists()), None)
        if limit is None:
            pytest.skip("control groups have no memory controller here")
        limit.write_text(str(LIMIT))
        yield group
    finally:
        group.rmdir()


def test_a_process_that_is_killed_for_memory(group: Path, spool: Spool, spans: SpoolReader) -> None:
    """By the kernel, in its control group."""
    pid = os.fork()
    if not pid:
        try:
            (group / "cgroup.procs").write_text(str(os.getpid()))
            work_of(spool)
            hog = [bytearray(os.urandom(1024)) * 1024 for _ in range(LIMIT // 2**20 * 2)]
            os.write(2, f"lives on with {len(hog)} MiB".encode())
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    assert reason_of(spool, spans) == "oom"


def _die(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
