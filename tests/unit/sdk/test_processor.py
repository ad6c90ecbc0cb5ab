"""Live spans reach the disk as they begin to have children, and as they end."""

from __future__ import annotations

import gc
import os
import random
import signal
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import TracerProvider

from airflow_provider_pipeline_otel.export.recovery import recover
from airflow_provider_pipeline_otel.sdk.id_generator import SystemIdGenerator
from airflow_provider_pipeline_otel.sdk.processor import SpoolProcessor
from airflow_provider_pipeline_otel.stages import pipeline_stage

if TYPE_CHECKING:
    from tests.unit.spans import SpoolReader


def test_kill_9_with_three_open_spans_leaves_all_five(spans: SpoolReader) -> None:
    """Three nested spans are open, two children have ended: whoever looks ends the three."""
    pid = os.fork()
    if not pid:
        tracer = spans.provider.get_tracer("t")
        with (
            tracer.start_as_current_span("one"),
            tracer.start_as_current_span("two"),
            tracer.start_as_current_span("three"),
        ):
            for name in ("four", "five"):
                with tracer.start_as_current_span(name):
                    pass
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert recover(spans.spool) == 3
    interrupted = {span.name: "pipeline.interrupted" in span.attributes for span in spans.all()}
    assert interrupted == {"one": True, "two": True, "three": True, "four": False, "five": False}
    ids = {span.span_id for span in spans.all()}
    assert {span.parent_span_id for span in spans.all()} - ids == {""}


def test_a_leaf_costs_one_frame(spans: SpoolReader) -> None:
    """Only what has children is written ahead."""
    with spans.provider.get_tracer("t").start_as_current_span("leaf"):
        assert spans.all() == []
    assert len(spans.all()) == 1


def test_a_span_that_is_dropped_without_an_end_is_not_kept(spans: SpoolReader) -> None:
    """User code that forgets `end()` must not fill the memory."""
    processor = SpoolProcessor(spans.writer, None)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    for number in range(100):
        provider.get_tracer("t").start_span(f"forgotten {number}")
    gc.collect()
    assert len(processor._going) == 0


def test_records_and_bytes_of_all_stages_add_up(spans: SpoolReader) -> None:
    """For the worker: nested stages too, and only what was said."""
    processor = SpoolProcessor(spans.writer, None)
    spans.provider.add_span_processor(processor)
    with pipeline_stage("outer") as outer:
        outer.add_records(read=1)
        with pipeline_stage("inner") as inner:
            inner.add_records(read=2, failed=3, reason="code")
            inner.add_bytes(4)
    assert processor.take_sums() == {
        "pipeline.records.read": 3,
        "pipeline.records.failed": 3,
        "pipeline.bytes.processed": 4,
    }
    assert processor.take_sums() == {}


def test_random_seed_does_not_repeat_ids() -> None:
    """User code seeds for the sake of its own results."""
    ids = set()
    for _ in range(3):
        random.seed(1)
        ids |= {SystemIdGenerator().generate_span_id(), SystemIdGenerator().generate_trace_id()}
    assert len(ids) == 6
