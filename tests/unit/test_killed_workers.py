"""What a killed worker's span tells of its try."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_pipeline_otel.config import Caps
from airflow_provider_pipeline_otel.export.encoding import encode_end, encode_span
from airflow_provider_pipeline_otel.export.spool import Spool
from airflow_provider_pipeline_otel.killed_workers import read_killed_workers
from airflow_provider_pipeline_otel.record import SpanRecord, StatusCode

TRACE, OTHER, TRY = bytes(range(16)), bytes(16), bytes(range(8))


def interrupted(name: str, trace_id: bytes = TRACE, *, bare: bool = False) -> bytes:
    """Return the bytes of a span that recovery has ended."""
    record = SpanRecord(
        trace_id=trace_id,
        span_id=name.encode()[:8].ljust(8),
        parent_span_id=TRY,
        name=name,
        start_ns=2 * 10**9,
        end_ns=0,
        attributes={}
        if bare
        else {
            "airflow.dag_id": "crash",
            "airflow.dag_run.run_id": "r1",
            "airflow.task_id": "napper",
            "airflow.task_instance.map_index": -1,
            "airflow.task_instance.try_number": 3,
            "host.name": "here",
            "process.pid": 7,
        },
    )
    said = {"pipeline.process.exit_reason": "oom"}
    return encode_span(record) + encode_end(5 * 10**9, said, StatusCode.ERROR)


def test_a_worker_tells_its_try(tmp_path: Path) -> None:
    """Task, index, number, times, host and process are the worker's; other spans tell nothing."""
    spool = Spool(tmp_path, Caps(10**6, 10**6, 100))
    for span in interrupted("worker.napper"), interrupted("stage"):
        spool.keep_interrupted(span)
    spool.keep_interrupted(interrupted("worker.other", OTHER))
    ((run, trace_id, row, reason),) = read_killed_workers(spool.take_interrupted(TRACE))
    assert (run, trace_id) == (("crash", "r1"), TRACE)
    assert row.key == ("napper", -1, 3)
    assert (row.state, row.hostname, row.pid, reason) == ("failed", "here", 7, "oom")
    assert row.start_date is not None
    assert row.end_date is not None
    assert (row.start_date.timestamp(), row.end_date.timestamp()) == (2, 5)
    assert spool.take_interrupted(TRACE) == [], "kept until it was taken"
    assert len(spool.take_interrupted(OTHER)) == 1


def test_what_has_been_kept_for_a_while_is_found(tmp_path: Path) -> None:
    """It stays: the end of its run may still write it."""
    spool = Spool(tmp_path, Caps(10**6, 10**6, 100))
    span = interrupted("worker.napper")
    spool.keep_interrupted(span)
    (spool.interrupted_folder / "rubbish-").touch()
    assert spool.interrupted(60) == []
    assert spool.interrupted(0) == [(TRACE, span)]
    assert spool.take_interrupted(TRACE) == [span]


def test_what_is_no_span_is_passed_over() -> None:
    """Damage tells nothing, and raises nothing."""
    assert list(read_killed_workers([b"", b"\xff" * 9])) == []


def test_a_user_s_span_of_such_a_name_tells_nothing() -> None:
    """Its parent may be another process's; the run's trace is written all the same."""
    assert not list(read_killed_workers([interrupted("worker.pool", bare=True)]))
