"""Segments: private, sealed by rename, ended by whoever finds their process dead, bounded."""

from __future__ import annotations

import errno
import logging
import os
import signal
import stat
import time
from typing import TYPE_CHECKING

import pytest

from airflow_provider_pipeline_otel.config import Caps, Redaction
from airflow_provider_pipeline_otel.export.ledger import DROPPED
from airflow_provider_pipeline_otel.export.recovery import recover
from airflow_provider_pipeline_otel.export.spool import Spool, private_folder
from airflow_provider_pipeline_otel.export.writer import SpanWriter
from airflow_provider_pipeline_otel.record import SpanRecord, StatusCode
from tests.unit.spans import SpoolReader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def record(number: int, parent: int = 0, *, end_ns: int = 2, name: str = "") -> SpanRecord:
    """Return a span with that number for its id."""
    above = parent.to_bytes(8, "big") if parent else b""
    return SpanRecord(
        b"t" * 16, number.to_bytes(8, "big"), above, name or f"span {number}", 1, end_ns
    )


def in_child(work: Callable[[], None], *, die: bool = True) -> int:
    """Run the work in a process of its own; return its pid once it is dead."""
    pid = os.fork()
    if not pid:
        try:
            work()
        finally:
            os.kill(os.getpid(), signal.SIGKILL if die else signal.SIGSTOP)
            os._exit(0)
    os.waitpid(pid, 0 if die else os.WUNTRACED)
    return pid


def test_folder_and_files_are_private(spool: Spool) -> None:
    """0700 and 0600, whatever the umask says."""
    writer = SpanWriter(spool, {})
    writer.write_ended(record(1))
    writer.close()
    writer.write_finished([record(2)])
    assert spool.folder is not None
    for path in spool.folder.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_a_folder_that_others_may_write_to_is_not_trusted(tmp_path: Path) -> None:
    """Another user could put spans, or links to other files, into it."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    chosen = private_folder(shared)
    assert chosen is not None
    assert chosen != shared
    assert chosen.name.endswith(str(os.geteuid()))


def test_a_link_in_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    """A link may point where its maker wants."""
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert private_folder(tmp_path / "link") != tmp_path / "link"


def test_a_span_that_ended_is_on_disk_before_the_call_returns(spool: Spool) -> None:
    """Kill -9 right after the end loses nothing."""
    writer = SpanWriter(spool, {})
    in_child(lambda: writer.write_ended(record(1)))
    assert recover(spool) == 0
    assert [path.parent for path in spool.sealed()] == [spool.sealed_folder]
    assert not spool.open()


def test_open_spans_of_a_dead_process_are_ended(spool: Spool, spans: SpoolReader) -> None:
    """Interrupted, as errors, at the last sign of life; those that ended stay as they are."""

    def work() -> None:
        writer = SpanWriter(spool, {})
        writer.write_open(record(1, end_ns=0, name="outer"))
        writer.write_open(record(2, 1, end_ns=0, name="inner"))
        writer.write_ended(record(3, 2, name="leaf"))

    in_child(work)
    assert recover(spool) == 2
    assert spans["leaf"].status == "UNSET"
    for name in ("outer", "inner"):
        assert spans[name].status == "ERROR"
        assert spans[name].attributes == {"pipeline.interrupted": True}
        assert spans[name].start_ns < spans[name].end_ns < time.time_ns() + 10**8


def test_a_process_that_was_asked_to_end_is_no_error(spool: Spool, spans: SpoolReader) -> None:
    """Airflow ends processes after a mark or a clear: SIGTERM, and SIGKILL when that takes long."""

    def work() -> None:
        writer = SpanWriter(spool, {})
        writer.write_open(record(1, end_ns=0, name="worker"))
        writer.write_open(record(2, 1, end_ns=0, name="stage"))
        writer.write_open(record(1, end_ns=0, name="worker"), terminated=True)

    in_child(work)
    assert recover(spool) == 2
    for name in ("worker", "stage"):
        assert spans[name].status == "UNSET"
        assert spans[name].attributes["pipeline.process.exit_reason"] == "terminated"


@pytest.mark.parametrize("says_more", [True, False], ids=["says more", "dies first"])
def test_a_span_of_which_more_may_be_said(
    spool: Spool,
    spans: SpoolReader,
    says_more: bool,  # noqa: FBT001
) -> None:
    """It is there once: complete, or as far as its process came."""

    def work() -> None:
        writer = SpanWriter(spool, {})
        writer.write_preliminary(record(1, end_ns=7, name="source"))
        writer.write_ended(record(2))
        writer.seal()
        if says_more:
            writer.write_ended(record(1, end_ns=8, name="source and age"))

    in_child(work)
    recover(spool)
    (span,) = (span for span in spans.all() if span.span_id.endswith("1"))
    assert (span.name, span.end_ns) == (("source and age", 8) if says_more else ("source", 7))
    assert span.status == "UNSET"
    assert not span.attributes


def test_a_living_process_is_left_alone_and_seen_alive(spool: Spool) -> None:
    """Its segment gets a new time: that will be its last sign of life."""

    def work() -> None:
        SpanWriter(spool, {}).write_open(record(1, end_ns=0))

    pid = in_child(work, die=False)
    (path,) = spool.open()
    os.utime(path, (0, 0))
    assert recover(spool) == 0
    assert time.time() - path.stat().st_mtime < 60
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert recover(spool) == 1


def test_a_forked_child_of_a_dead_process_does_not_keep_it_alive(spool: Spool) -> None:
    """The lock belongs to the process, and what it forks does not inherit it."""
    read, write = os.pipe()

    def work() -> None:
        SpanWriter(spool, {}).write_open(record(1, end_ns=0))
        grandchild = os.fork()
        if not grandchild:
            os.close(write)
            os.read(read, 1)
            os._exit(0)

    in_child(work)
    assert recover(spool) == 1
    os.write(write, b"x")


def test_a_fork_writes_a_segment_of_its_own(spool: Spool, spans: SpoolReader) -> None:
    """Parent and child never write into one file, and both their spans are there."""
    writer = SpanWriter(spool, {})
    writer.write_open(record(1, end_ns=0, name="parent"))
    in_child(lambda: writer.write_ended(record(2, 1, name="child")))
    assert recover(spool) == 0, "the parent lives"
    writer.write_ended(record(1, name="parent"))
    writer.close()
    assert {span.name for span in spans.all()} == {"parent", "child"}


def test_sealing_carries_what_is_open(spool: Spool, spans: SpoolReader) -> None:
    """What has ended can go; the rest begins a new segment, and is ended there once."""

    def work() -> None:
        writer = SpanWriter(spool, {})
        writer.write_open(record(1, end_ns=0, name="long"))
        writer.write_ended(record(2, 1, name="short"))
        writer.seal()

    in_child(work)
    (sealed,) = spool.sealed()
    sealed.unlink()
    assert recover(spool) == 1
    assert spans["long"].attributes == {"pipeline.interrupted": True}


def test_an_old_segment_is_sealed_by_the_next_end(spool: Spool) -> None:
    """A task of hours delivers while it runs."""
    writer = SpanWriter(spool, {}, seal_after=0.0)
    writer.write_ended(record(1))
    assert len(spool.sealed()) == 1


def test_a_broken_disk_costs_spans_and_one_warning(
    spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is raised; what is lost is counted by reason (a full disk: tests/faults)."""
    spool.open_folder.rmdir()
    spool.open_folder.touch()
    writer = SpanWriter(spool, {})
    for number in (1, 2, 3):
        writer.write_ended(record(number))
    (warning,) = [entry for entry in caplog.records if entry.levelno == logging.WARNING]
    assert "spool_dir" in warning.getMessage()
    assert str(spool.folder) in warning.getMessage()
    assert spool.ledger.totals() == {(DROPPED, os.strerror(errno.ENOTDIR)): 3}


def test_a_span_that_is_too_large_is_lost_and_counted(spool: Spool) -> None:
    """An attribute of megabytes must not fail the code around it."""
    writer = SpanWriter(spool, {}, Redaction(value_length=10**7))
    large = SpanRecord(b"t" * 16, b"s" * 8, b"", "n", 1, 2, {"a": "x" * 9_000_000})
    writer.write_open(large)
    writer.write_ended(large)
    (lost,) = spool.ledger.totals().items()
    assert lost[1] == 2


def test_without_a_folder_all_is_lost_quietly() -> None:
    """No home, no temporary directory: a task must not notice."""
    writer = SpanWriter(Spool(None, Caps(bytes=1, age=1, files=1)), {})
    writer.write_open(record(1, end_ns=0))
    writer.write_ended(record(1))
    writer.write_finished([record(2)])
    writer.close()


@pytest.mark.parametrize(
    ("caps", "reason"),
    [
        (Caps(bytes=10**9, age=10**6, files=2), "spool_max_bytes or spool_max_files"),
        (Caps(bytes=1, age=10**6, files=100), "spool_max_bytes or spool_max_files"),
        (Caps(bytes=10**9, age=0, files=100), "spool_max_age"),
    ],
)
def test_beyond_the_caps_the_oldest_go_and_are_counted(
    spool: Spool, caps: Caps, reason: str
) -> None:
    """By number of files, bytes and age."""
    bounded = Spool(spool.folder, caps)
    writer = SpanWriter(bounded, {})
    for number in range(4):
        writer.write_finished([record(number), record(number + 100)])
    names = [path.name for path in bounded.sealed()]
    bounded.keep_caps()
    left = [path.name for path in bounded.sealed()]
    assert left == names[len(names) - len(left) :], "the oldest go first"
    assert len(left) == (2 if caps.files == 2 else 0)
    assert bounded.ledger.totals() == {(DROPPED, reason): 2 * (4 - len(left))}


def test_a_large_skeleton_is_cut_into_segments_of_one_request(
    spool: Spool, spans: SpoolReader
) -> None:
    """No segment is larger than a request may be, and the root is in the first."""
    records = [
        SpanRecord(b"t" * 16, n.to_bytes(8, "big"), b"", f"n{n}", 1, 2, {"a": "x" * 500})
        for n in range(1, 5001)
    ]
    spans.writer.write_finished(records)
    sizes = [path.stat().st_size for path in spool.sealed()]
    assert len(sizes) > 2
    assert max(sizes) < 700_000
    assert b"n1" in spool.sealed()[0].read_bytes()[:1024]
    assert len(spans.all()) == 5000
    assert all(span.status == StatusCode.UNSET.name for span in spans.all())
