"""Details of runs that are sampled out: dropped at the end, unless something went wrong."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased
from opentelemetry.trace import SpanContext, StatusCode, TraceFlags

from airflow_provider_pipeline_otel import pipeline_stage
from airflow_provider_pipeline_otel.config import read_settings
from airflow_provider_pipeline_otel.export.held import is_sampled
from airflow_provider_pipeline_otel.export.ledger import SAMPLED_OUT
from airflow_provider_pipeline_otel.export.recovery import recover
from airflow_provider_pipeline_otel.export.spool import Spool
from airflow_provider_pipeline_otel.export.writer import SpanWriter
from airflow_provider_pipeline_otel.record import SpanRecord
from airflow_provider_pipeline_otel.sdk.processor import SpoolProcessor
from airflow_provider_pipeline_otel.stages import set_surroundings
from tests.unit.spans import SpoolReader

if TYPE_CHECKING:
    from opentelemetry.trace import Span

OUT, IN = (1 << 64) - 1, 1
"""Trace ids: of the first no ratio below 1 keeps the details, of the second each above 0 does."""


def begin_worker(spans: SpoolReader, trace_id: int = OUT) -> Span:
    """Begin the span of a task's process."""
    spans.writer.sample(0.5, of_task=True)
    above = SpanContext(trace_id, 0x22, is_remote=True, trace_flags=TraceFlags(1))
    context = trace.set_span_in_context(trace.NonRecordingSpan(above), Context())
    attributes = {"pipeline.span.level": "skeleton"}
    return spans.provider.get_tracer("t").start_span("worker.task", context, attributes=attributes)


def names(spans: SpoolReader) -> set[str]:
    """Return what would be delivered, when the process is over."""
    spans.writer.close()
    return {span.name for span in spans.all()}


def work(spans: SpoolReader, trace_id: int = OUT, status: StatusCode = StatusCode.OK) -> None:
    """Do a task with a stage in a stage."""
    worker = begin_worker(spans, trace_id)
    with trace.use_span(worker), pipeline_stage("outer"), pipeline_stage("inner"):
        pass
    worker.set_status(status)
    worker.end()


ALL = {"worker.task", "outer", "inner"}


def test_a_process_that_went_well_leaves_its_skeleton(spans: SpoolReader) -> None:
    """And is told of in the ledger; no file stays."""
    work(spans)
    assert names(spans) == {"worker.task"}
    assert spans.spool.ledger.totals()[SAMPLED_OUT, ""] == 2
    assert not list(spans.spool.held_folder.iterdir())


def test_a_run_that_is_sampled_is_whole(spans: SpoolReader) -> None:
    """By its trace id alone."""
    work(spans, IN)
    assert names(spans) == ALL


def test_a_process_that_failed_is_whole(spans: SpoolReader) -> None:
    """Whatever the ratio."""
    work(spans, status=StatusCode.ERROR)
    assert names(spans) == ALL


def test_a_failed_detail_makes_its_process_whole(spans: SpoolReader) -> None:
    """Though the task caught the error; what still goes on then is there too."""
    worker = begin_worker(spans)
    with trace.use_span(worker), pipeline_stage("outer"):
        with pytest.raises(ValueError, match="x"), pipeline_stage("bad"):
            raise ValueError("x")
        assert names(spans) == {"worker.task", "outer", "bad"}
        with pipeline_stage("after"):
            pass
    worker.end()
    assert names(spans) == {"worker.task", "outer", "bad", "after"}
    assert all(span.end_ns for span in spans.all())


def test_keep_wins(spans: SpoolReader) -> None:
    """`stage.keep()` says that the trace is wanted."""
    worker = begin_worker(spans)
    with trace.use_span(worker), pipeline_stage("outer") as stage:
        stage.keep()
    worker.end()
    assert names(spans) == {"worker.task", "outer"}


def test_a_killed_process_is_whole(spans: SpoolReader) -> None:
    """What it held back is found on disk, and what was open is ended."""
    pid = os.fork()
    if pid == 0:
        worker = begin_worker(spans)
        with trace.use_span(worker), pipeline_stage("outer"):
            with pipeline_stage("inner"):
                pass
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert recover(spans.spool) == 2
    assert names(spans) == ALL


def test_a_kill_after_a_failed_detail(spans: SpoolReader) -> None:
    """What was open when the details were let out is ended once, as it ended."""
    pid = os.fork()
    if pid == 0:
        worker = begin_worker(spans)
        with trace.use_span(worker):
            with pipeline_stage("outer"), pipeline_stage("bad") as stage:
                stage.keep()
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert recover(spans.spool) == 1
    found = sorted((s.name, "pipeline.interrupted" in s.attributes) for s in spans.all())
    assert found == [("bad", False), ("outer", False), ("worker.task", True)]
    assert not list(spans.spool.interrupted_folder.glob("*outer*"))


def test_a_child_s_details_are_its_own(spans: SpoolReader) -> None:
    """A process that a task forks holds back, and drops, what it has made itself."""
    worker = begin_worker(spans)
    with trace.use_span(worker), pipeline_stage("outer"):
        pid = os.fork()
        if pid == 0:
            with pipeline_stage("child"):
                pass
            os._exit(0)
        os.waitpid(pid, 0)
    worker.end()
    recover(spans.spool)
    assert names(spans) == {"worker.task"}


def test_a_child_that_fails_needs_what_is_above_it(spans: SpoolReader) -> None:
    """Though its parent goes well: nothing may hang below a span that never comes."""
    worker = begin_worker(spans)
    with trace.use_span(worker), pipeline_stage("outer"), pipeline_stage("fork"):
        pid = os.fork()
        if pid == 0:
            with pipeline_stage("child") as stage:
                stage.keep()
            os._exit(0)
        os.waitpid(pid, 0)
    worker.end()
    recover(spans.spool)
    assert names(spans) == {"worker.task", "outer", "fork", "child"}
    assert not list(spans.spool.held_folder.iterdir())


def test_another_task_of_the_run_is_judged_alone(spans: SpoolReader) -> None:
    """Its own process went well, whatever the others did."""
    for status in (StatusCode.ERROR, StatusCode.OK):
        pid = os.fork()
        if pid == 0:
            work(spans, status=status)
            spans.writer.close()
            os._exit(0)
        os.waitpid(pid, 0)
    assert not list(spans.spool.held_folder.iterdir())
    assert sorted(s.name for s in spans.all()) == ["inner", "outer", "worker.task", "worker.task"]


def test_what_ends_after_the_verdict_shares_it(spans: SpoolReader) -> None:
    """Airflow's own details go on for a moment after the task's process has delivered."""
    for status, left in ((StatusCode.OK, set()), (StatusCode.ERROR, {"late", "later"})):
        worker = begin_worker(spans)
        with trace.use_span(worker), pipeline_stage("late"):
            worker.set_status(status)
            worker.end()
            spans.writer.conclude()
            with pipeline_stage("later"):
                pass
        assert names(spans) - {"worker.task"} == left
    assert all(span.end_ns for span in spans.all())


def test_a_process_that_airflow_ended(spans: SpoolReader) -> None:
    """Is terminated, and no failure, with all its details."""
    pid = os.fork()
    if pid == 0:
        worker = begin_worker(spans)
        processor = SpoolProcessor(spans.writer, None)
        with trace.use_span(worker), pipeline_stage("outer"), pipeline_stage("inner"):
            processor.write_open(worker, terminated=True)  # type: ignore[arg-type]
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    recover(spans.spool)
    assert {span.status for span in spans.all()} == {"UNSET"}
    assert {span.name for span in spans.all()} == {"worker.task", "outer"}


def test_each_message_of_a_consumer_is_judged_alone(spans: SpoolReader) -> None:
    """A process without a worker decides whenever nothing goes on in it."""
    spans.writer.sample(0)
    for name in ("fine", "bad", "fine too"):
        with pipeline_stage(name) as stage:
            stage.span.set_status(StatusCode.ERROR if name == "bad" else StatusCode.UNSET)
            if name == "bad":
                stage.keep()
    assert names(spans) == {"bad"}
    assert spans.spool.ledger.totals()[SAMPLED_OUT, ""] == 2


def test_finished_spans_are_held_too(spans: SpoolReader) -> None:
    """Dbt's nodes: a failed one makes all of them wanted."""
    nodes = [
        SpanRecord(OUT.to_bytes(16, "big"), bytes([n] * 8), b"\1" * 8, f"node {n}", 1, 2)
        for n in (1, 2)
    ]
    spans.writer.sample(0.5)
    spans.writer.write_finished(nodes)
    spans.writer.settle()
    assert not names(spans)
    bad = SpanRecord(nodes[0].trace_id, b"\3" * 8, b"\1" * 8, "bad", 1, 2, status=2)
    spans.writer.write_finished([*nodes, bad])
    assert names(spans) == {"node 1", "node 2", "bad"}


def test_what_is_held_back_is_bounded(spool: Spool, caplog: pytest.LogCaptureFixture) -> None:
    """By a share of what the spool may hold; beyond it details are lost, counted and told."""
    small = Spool(spool.folder, spool.caps._replace(bytes=4000))
    writer = SpanWriter(small, {"service.name": "unit"})
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SpoolProcessor(writer, None))
    set_surroundings(provider, {})
    spans = SpoolReader(small, writer, provider)
    worker = begin_worker(spans)
    with trace.use_span(worker):
        for number in range(50):
            with pipeline_stage(f"stage {number}"):
                pass
    worker.set_status(StatusCode.ERROR)
    worker.end()
    set_surroundings(None, {})
    kept = names(spans) - {"worker.task"}
    totals = spans.spool.ledger.totals()
    lost = sum(spans for (_, why), spans in totals.items() if why == "held back")
    assert kept
    assert len(kept) + lost == 50
    assert "spool_max_bytes" in caplog.text


@pytest.mark.parametrize("ratio", [0, 0.1, 0.5, 0.999, 1])
def test_the_share_is_opentelemetry_s(ratio: float) -> None:
    """So that the SDKs of a run's other processes keep the same traces."""
    sampler = TraceIdRatioBased(ratio)
    for _ in range(500):
        trace_id = os.urandom(16)
        theirs = sampler.should_sample(None, int.from_bytes(trace_id, "big"), "span")
        assert is_sampled(trace_id, ratio) is (theirs.decision is Decision.RECORD_AND_SAMPLE)


def test_shares_by_dag() -> None:
    """The first pattern that matches; all others have the general share."""
    said = {"SAMPLE_RATIO": "0.5", "DAG_SAMPLE_RATIOS": "billing_*=1, *_hourly=0.01"}
    sampling = read_settings({f"AIRFLOW__PIPELINE_OTEL__{k}": v for k, v in said.items()}).sampling
    shares = {dag: sampling.ratio_of(dag) for dag in ("billing_hourly", "x_hourly", "other")}
    assert shares == {"billing_hourly": 1, "x_hourly": 0.01, "other": 0.5}
    assert sampling.ratio_of_environment({"AIRFLOW_CTX_DAG_ID": "x_hourly"}) == 0.01


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("SAMPLE_RATIO", "1.1", "not a number from 0 to 1"),
        ("SAMPLE_RATIO", "half", "not a number from 0 to 1"),
        ("DAG_SAMPLE_RATIOS", "etl=2", "not pattern=share"),
        ("DAG_SAMPLE_RATIOS", "etl", "not pattern=share"),
    ],
)
def test_a_share_that_is_none(
    name: str, text: str, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Is said, with what is used instead."""
    sampling = read_settings({f"AIRFLOW__PIPELINE_OTEL__{name}": text}).sampling
    assert sampling.ratio_of("etl") == 1
    assert fault in caplog.text
