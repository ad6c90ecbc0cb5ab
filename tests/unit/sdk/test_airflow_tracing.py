"""Airflow's own spans behind our exporter: each is written once, at its end, and made true."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import SpanContext, StatusCode, TraceFlags

from airflow_provider_pipeline_otel.cli.traces import SpanRow, read_traces, segments
from airflow_provider_pipeline_otel.config import read_settings
from airflow_provider_pipeline_otel.identity import span_id_of_try
from airflow_provider_pipeline_otel.sdk.airflow_tracing import JoinedProcessor
from airflow_provider_pipeline_otel.sdk.configuration import Live

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan, Span

SCOPE: Final = "airflow.sdk.execution_time.task_runner"
TRACE: Final = 0x11
RUN: Final = trace.set_span_in_context(
    trace.NonRecordingSpan(SpanContext(TRACE, 0x22, is_remote=True, trace_flags=TraceFlags(1))),
    Context(),
)
TASK: Final = {
    "airflow.dag_id": "dag",
    "airflow.task_id": "task",
    "airflow.dag_run.run_id": "run",
    "airflow.task_instance.try_number": 2,
    "airflow.task_instance.map_index": 3,
}
"""What Airflow says of a task right after it has begun the span."""


class _Exporter(SpanExporter):
    """What Airflow puts behind its batch, without the global provider."""

    def __init__(self, joined: JoinedProcessor) -> None:
        self._joined = joined

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        for span in spans:
            self._joined.on_end(span)
        return SpanExportResult.SUCCESS


class Airflow(NamedTuple):
    """Airflow's provider, and what joins it."""

    provider: TracerProvider
    joined: JoinedProcessor
    live: Live
    spool: Path

    def begin(self, name: str, context: Context | None = RUN, scope: str = SCOPE) -> Span:
        """Begin a span."""
        span: Span = self.provider.get_tracer(scope).start_span(name, context)  # type: ignore[assignment]
        return span

    def begin_worker(self) -> Span:
        """Begin the span of the task's process, as Airflow does."""
        span = self.begin("worker.task[3]")
        span.set_attributes(TASK)
        return span

    def join(self) -> None:
        """Begin to look at Airflow's provider."""
        settings = read_settings({"AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(self.spool)})
        self.joined.stand_behind(self.provider, lambda: settings)

    def written(self) -> dict[str, SpanRow]:
        """Return what is on disk, by name; each is there once."""
        self.provider.force_flush()
        spans = [span for one in read_traces(segments(self.spool)) for span in one.spans]
        assert len({span.span_id for span in spans}) == len(spans)
        return {span.name: span for span in spans}


@pytest.fixture
def airflow(tmp_path: Path) -> Airflow:
    """Give a provider as Airflow makes it."""
    live = Live()
    joined = JoinedProcessor(live)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(_Exporter(joined)))
    return Airflow(provider, joined, live, tmp_path / "spool")


def test_what_the_database_tells_better_is_left_out(airflow: Airflow) -> None:
    """Runs, tries and spans that are made for their ids; but no user's span of such a name."""
    airflow.join()
    for name in ("dag_run.dag", "task_run.task", "notused"):
        airflow.begin(name, scope="airflow.models.dagrun").end()
    airflow.begin("dag_run.mine", scope="shop").end()
    assert airflow.written().keys() == {"dag_run.mine"}


@pytest.mark.parametrize("kind", ["worker", "trigger"])
def test_processes_hang_under_their_try(airflow: Airflow, kind: str) -> None:
    """By ids that follow from what the span says; and the map index is no part of a name."""
    airflow.join()
    span = airflow.begin(f"{kind}.task[3]")
    span.set_attributes(TASK)
    span.end()
    written = airflow.written()[f"{kind}.task"]
    trace_id = TRACE.to_bytes(16, "big")
    assert written.trace_id == trace_id.hex()
    assert written.parent_span_id == span_id_of_try(trace_id, "task", 3, 2).hex()
    assert written.attributes["pipeline.name"] == "dag"


def test_spans_are_on_disk_when_they_end(airflow: Airflow) -> None:
    """Not when Airflow's batch is exported, in seconds."""
    airflow.join()
    airflow.begin("mine", scope="shop").end()
    names = [span.name for one in read_traces(segments(airflow.spool)) for span in one.spans]
    assert names == ["mine"]


def test_what_ended_before_is_brought_by_the_exporter(airflow: Airflow) -> None:
    """Each span is written once, whoever comes first."""
    airflow.begin("before", scope="shop").end()
    airflow.join()
    airflow.begin("after", scope="shop").end()
    assert airflow.written().keys() == {"before", "after"}


def test_a_worker_is_written_when_the_process_delivers(airflow: Airflow) -> None:
    """Airflow ends it later, and that is no second span."""
    airflow.join()
    worker = airflow.begin_worker()
    assert airflow.joined.take_worker() is worker
    worker.set_status(StatusCode.OK)
    airflow.joined.end_worker()
    before = airflow.written()["worker.task"]
    worker.end()
    assert airflow.written()["worker.task"] == before
    assert before.end_ns
    assert before.status == "OK"


def test_a_worker_that_fails_before_its_first_hook(airflow: Airflow) -> None:
    """It is there as Airflow draws it, with what ended before."""
    airflow.join()
    worker = airflow.begin_worker()
    airflow.begin("parse", trace.set_span_in_context(worker)).end()
    worker.end()
    written = airflow.written()
    assert written["parse"].parent_span_id == written["worker.task"].span_id


def test_a_task_that_is_switched_off_leaves_nothing(airflow: Airflow) -> None:
    """Not even what ended before anybody could know."""
    airflow.join()
    worker = airflow.begin_worker()
    airflow.begin("parse", trace.set_span_in_context(worker)).end()
    airflow.joined.be_silent()
    airflow.begin("mine", trace.set_span_in_context(worker), scope="shop").end()
    airflow.joined.end_worker()
    worker.end()
    assert not airflow.written()


def test_what_has_no_parent_belongs_to_the_task(airflow: Airflow) -> None:
    """Threads begin without a context; tracers made before know the task's trace all the same."""
    airflow.join()
    tracer = airflow.provider.get_tracer("shop")
    worker = airflow.begin_worker()
    airflow.joined.take_worker()

    def work() -> None:
        with tracer.start_as_current_span("alone"), tracer.start_as_current_span("below"):
            pass

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    worker.end()
    written = airflow.written()
    assert written["alone"].parent_span_id == written["worker.task"].span_id
    assert written["below"].parent_span_id == written["alone"].span_id
    assert {span.trace_id for span in written.values()} == {TRACE.to_bytes(16, "big").hex()}


def test_ids_that_user_code_cannot_repeat(airflow: Airflow) -> None:
    """It may seed `random`; Airflow's own tracer is made long before we are there."""
    tracer = airflow.provider.get_tracer(SCOPE)
    airflow.join()
    ids = []
    for _ in range(2):
        random.seed(1)
        ids.append(tracer.start_span("run", RUN).get_span_context().span_id)
    assert ids[0] != ids[1]


def test_a_killed_process_leaves_its_spans_open(airflow: Airflow) -> None:
    """Under the right parent, so that whoever ends them has nothing to correct."""
    airflow.join()
    worker = airflow.begin_worker()
    airflow.joined.take_worker()
    child = airflow.begin("mine", trace.set_span_in_context(worker), scope="shop")
    written = airflow.written()["worker.task"]
    trace_id = TRACE.to_bytes(16, "big")
    assert written.parent_span_id == span_id_of_try(trace_id, "task", 3, 2).hex()
    assert not written.end_ns
    child.end()


def test_a_reschedule_is_no_error(airflow: Airflow) -> None:
    """Airflow says so of one that comes before the task runs."""
    airflow.join()
    worker = airflow.begin_worker()
    worker.set_status(StatusCode.ERROR, "Exception: AirflowRescheduleException")
    worker.end()
    assert airflow.written()["worker.task"].status == "UNSET"


def test_what_airflow_ends_is_no_error(airflow: Airflow) -> None:
    """Asked to end, a process may stumble over an API server that won't hear of it any more."""
    airflow.join()
    worker = airflow.begin_worker()
    airflow.joined.take_worker()
    airflow.joined.note_termination()
    worker.set_status(StatusCode.ERROR, "Exception: AirflowRuntimeError")
    worker.end()
    written = airflow.written()["worker.task"]
    assert written.status == "UNSET"
    assert written.attributes["pipeline.process.exit_reason"] == "terminated"


def test_what_hangs_below_airflow_s_own_try(airflow: Airflow) -> None:
    """User code that takes the task's carrier for a parent names a span that nobody writes."""
    airflow.join()
    worker = airflow.begin_worker()
    airflow.joined.take_worker()
    airflow.begin("mine", RUN, scope="shop").end()
    worker.end()
    written = airflow.written()
    assert written["mine"].parent_span_id == written["worker.task"].span_id


def test_a_worker_that_began_before_us(airflow: Airflow) -> None:
    """As where a task's process begins anew by an exec: what is current is taken over."""
    worker = airflow.begin_worker()
    airflow.join()
    with trace.use_span(worker):
        assert airflow.joined.take_worker() is worker
        airflow.begin("mine", None, scope="shop").end()
        airflow.joined.end_worker()
    worker.end()
    written = airflow.written()
    assert written.keys() == {"worker.task", "mine"}
    assert written["mine"].parent_span_id == written["worker.task"].span_id


def test_a_flush_by_user_code_decides_nothing(airflow: Airflow) -> None:
    """Details of a run that is sampled out wait for the end of the task, whoever flushes."""
    airflow.join()
    worker = airflow.begin_worker()
    airflow.live.build().writer.sample(0, of_task=True)
    airflow.joined.take_worker()
    context = trace.set_span_in_context(worker)
    airflow.begin("before", context, scope="shop").end()
    airflow.provider.force_flush()
    worker.set_status(StatusCode.ERROR)
    airflow.joined.end_worker()
    airflow.live.finish(0.1)
    airflow.begin("finalize", context).end()
    worker.end()
    assert airflow.written().keys() == {"worker.task", "before", "finalize"}


def test_a_flush_never_fails(airflow: Airflow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow calls it bare, at the very end of a task's process."""
    airflow.join()
    airflow.begin("mine", scope="shop").end()
    folder = airflow.spool / "open"
    monkeypatch.setattr("os.scandir", lambda *_: (_ for _ in ()).throw(RuntimeError("no thread")))
    assert airflow.provider.force_flush()
    monkeypatch.undo()
    assert folder.exists()


def test_a_span_without_a_run_is_no_worker(airflow: Airflow) -> None:
    """Airflow draws one where a task has no carrier; ours stands there."""
    airflow.join()
    worker = airflow.begin("worker.task", None)
    worker.set_attributes(TASK)
    assert airflow.joined.take_worker() is None
    airflow.begin("mine", trace.set_span_in_context(worker), scope="shop").end()
    worker.end()
    assert airflow.written().keys() == {"mine"}


class _RecordsOnly(Sampler):
    """Wants spans for what looks at them here, and none to go out."""

    def should_sample(self, *_: object, **__: object) -> SamplingResult:
        return SamplingResult(Decision.RECORD_ONLY)

    def get_description(self) -> str:
        return "records only"


def test_sampled_out(airflow: Airflow) -> None:
    """A sampler that records without sampling lets nothing out."""
    airflow.provider.sampler = _RecordsOnly()
    airflow.join()
    airflow.begin("mine", scope="shop").end()
    assert not airflow.written()
