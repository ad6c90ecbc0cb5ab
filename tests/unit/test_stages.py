"""A stage is a span with its counts, on every kind of function, whatever is thrown through it."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, TraceFlags

from airflow_provider_pipeline_otel.stages import current_stage, pipeline_stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.unit.spans import SpoolReader


class AirflowSkipException(Exception):  # noqa: N818
    """Stands for Airflow's, which isn't installed here: it is known by its name."""


class AirflowTaskTimeout(BaseException):
    """Stands for Airflow's, which is thrown asynchronously."""


def test_a_stage_says_what_it_reads_writes_and_counts(spans: SpoolReader) -> None:
    """All that was said, and the task that it belongs to."""
    with pipeline_stage(
        "load",
        source_system="postgres",
        source_table="orders",
        sink_system="s3",
        sink_table="t",
        sink_path="a/b",
        partition_key="2026-01-01",
        attributes={"own": 1},
    ) as stage:
        stage.add_records(read=3, written=2)
        stage.add_records(read=4, failed=1, reason="ValueError")
        stage.add_bytes(10)
        stage.set_partition_key("north")
        stage.keep()
    assert spans["load"].status == "OK"
    assert spans["load"].attributes == {
        "pipeline.stage": "load",
        "pipeline.span.level": "detail",
        "pipeline.name": "dag",
        "airflow.task_id": "task",
        "pipeline.source.system": "postgres",
        "pipeline.source.table": "orders",
        "pipeline.sink.system": "s3",
        "pipeline.sink.table": "t",
        "pipeline.sink.path": "a/b",
        "pipeline.partition.key": "north",
        "pipeline.records.read": 7,
        "pipeline.records.written": 2,
        "pipeline.records.failed": 1,
        "pipeline.records.failed.ValueError": 1,
        "pipeline.bytes.processed": 10,
        "pipeline.keep": True,
        "own": 1,
    }


def test_what_is_unknown_is_absent_and_a_zero_that_is_said_is_there(spans: SpoolReader) -> None:
    """`Nothing written` is news; `not counted` is none."""
    with pipeline_stage("s") as stage:
        stage.add_records(written=0)
    found = spans["s"].attributes
    assert found["pipeline.records.written"] == 0
    assert "pipeline.records.read" not in found
    assert "pipeline.bytes.processed" not in found


def test_a_number_below_zero_is_left_out_and_said(
    spans: SpoolReader, caplog: pytest.LogCaptureFixture
) -> None:
    """Counts never fail a task."""
    with pipeline_stage("s") as stage:
        stage.add_records(read=-1)
    assert "pipeline.records.read" not in spans["s"].attributes
    assert "pipeline.records.read = -1" in caplog.text


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("ValueError", "ValueError"),
        ("missing_price", "missing_price"),
        ("requests.HTTPError", "requests.HTTPError"),
        ("ValueError: could not parse jane@example.com", "ValueError"),
        ("KeyError('jane')", "KeyError"),
        ("jane@example.com", "other"),
        ("4111111111111111", "other"),
        ("a3f91b2c77d04e5f", "other"),
        ("", "other"),
        ("x" * 200, "other"),
    ],
)
def test_a_reason_that_looks_like_data_is_cut(spans: SpoolReader, reason: str, code: str) -> None:
    """To the exception's class, or to `other`."""
    with pipeline_stage("s") as stage:
        stage.add_records(failed=2, reason=reason)
    assert spans["s"].attributes[f"pipeline.records.failed.{code}"] == 2


def test_reasons_are_bounded(spans: SpoolReader) -> None:
    """A reason per record must not become an attribute per record."""
    with pipeline_stage("s") as stage:
        for number in range(1000):
            stage.add_records(failed=1, reason=f"code_{number}")
    reasons = [key for key in spans["s"].attributes if key.startswith("pipeline.records.failed.")]
    assert len(reasons) <= 21
    assert spans["s"].attributes["pipeline.records.failed.other"] >= 980


def test_stages_nest_and_the_innermost_is_current(spans: SpoolReader) -> None:
    """`current_stage()` counts where it is called."""
    with pipeline_stage("outer"):
        with pipeline_stage("inner"):
            current_stage().add_records(read=1)
        current_stage().add_records(read=2)
    assert spans["inner"].parent_span_id == spans["outer"].span_id
    assert spans["inner"].attributes["pipeline.records.read"] == 1
    assert spans["outer"].attributes["pipeline.records.read"] == 2


def test_outside_of_a_stage_counting_does_nothing(spans: SpoolReader) -> None:
    """Library code may count without knowing who calls it, and nothing adds up in secret."""
    current_stage().add_records(read=1)
    current_stage().keep()
    assert spans.all() == []
    assert current_stage()._counts == {}


@pytest.mark.parametrize("error", [ValueError, SystemExit, AirflowTaskTimeout, KeyboardInterrupt])
def test_an_exception_passes_and_makes_it_an_error(
    spans: SpoolReader, error: type[BaseException]
) -> None:
    """By class, without its text."""
    with pytest.raises(error), pipeline_stage("s"):
        raise error("secret")
    span = spans["s"]
    assert span.status == "ERROR"
    assert span.attributes["error.type"] == error.__name__
    assert [event["exception.type"] for event in span.events] == [error.__name__]
    assert "secret" not in repr(span)


def test_a_skip_is_no_error(spans: SpoolReader) -> None:
    """Control flow leaves the status unset."""
    with pytest.raises(AirflowSkipException), pipeline_stage("s"):
        raise AirflowSkipException
    assert spans["s"].status == "UNSET"
    assert "error.type" not in spans["s"].attributes


def test_counts_are_written_though_the_stage_fails(spans: SpoolReader) -> None:
    """How far it came is what one wants to know."""
    with pytest.raises(ValueError, match="x"), pipeline_stage("s") as stage:
        stage.add_records(read=5)
        raise ValueError("x")
    assert spans["s"].attributes["pipeline.records.read"] == 5


def test_a_function_is_a_stage_of_its_own_name(spans: SpoolReader) -> None:
    """Each call is a span; arguments and result pass."""

    @pipeline_stage(source_system="x")
    def double(number: int) -> int:
        current_stage().add_records(read=number)
        return number * 2

    assert [double(1), double(number=2)] == [2, 4]
    assert [span.attributes["pipeline.records.read"] for span in spans.all()] == [1, 2]
    assert double.__name__ == "double"


def test_recursion_and_threads_have_a_span_per_call(spans: SpoolReader) -> None:
    """One decorated function may run any number of times at once."""

    @pipeline_stage("s")
    def count_down(number: int) -> None:
        if number:
            count_down(number - 1)

    threads = [threading.Thread(target=count_down, args=(3,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = spans.all()
    assert len(found) == 16
    assert len({span.span_id for span in found}) == 16
    assert len({span.trace_id for span in found}) == 4


def test_a_coroutine_is_a_stage(spans: SpoolReader) -> None:
    """Interleaved ones keep their own counts."""

    @pipeline_stage("s")
    async def work(number: int) -> int:
        await asyncio.sleep(0)
        current_stage().add_records(read=number)
        return number

    async def both() -> list[int]:
        return await asyncio.gather(work(1), work(2))

    assert asyncio.run(both()) == [1, 2]
    assert {span.attributes["pipeline.records.read"] for span in spans.all()} == {1, 2}


def test_async_with_is_a_stage(spans: SpoolReader) -> None:
    """As `with` is."""

    async def work() -> None:
        async with pipeline_stage("s") as stage:
            stage.add_bytes(1)

    asyncio.run(work())
    assert spans["s"].attributes["pipeline.bytes.processed"] == 1


def test_a_generator_is_a_stage_while_it_runs(spans: SpoolReader) -> None:
    """The span lasts until the generator is exhausted, and is current inside of it only."""

    @pipeline_stage("s")
    def rows() -> Iterator[int]:
        for number in range(3):
            current_stage().add_records(read=1)
            yield number

    seen = []
    for row in rows():
        current_stage().add_records(read=100)
        assert not trace.get_current_span().get_span_context().is_valid
        seen.append(row)
    assert seen == [0, 1, 2]
    assert spans["s"].attributes["pipeline.records.read"] == 3


def test_a_generator_that_is_left_early_ends_well(spans: SpoolReader) -> None:
    """Taking the first row is no error."""

    @pipeline_stage("s")
    def rows() -> Iterator[int]:
        yield 1
        yield 2

    iterator: Any = rows()
    assert next(iterator) == 1
    iterator.close()
    assert spans["s"].status == "OK"


def test_a_generator_takes_values_and_exceptions(spans: SpoolReader) -> None:
    """`send`, `throw` and the returned value pass as they do without a stage."""

    @pipeline_stage("s")
    def echo() -> Any:
        received = []
        while len(received) < 2:
            try:
                received.append((yield len(received)))
            except ValueError:
                received.append("caught")
        return received

    generator = echo()
    assert next(generator) == 0
    assert generator.send("sent") == 1
    with pytest.raises(StopIteration) as stopped:
        generator.throw(ValueError())
    assert stopped.value.value == ["sent", "caught"]
    assert spans["s"].status == "OK"


def test_a_generator_that_fails_is_an_error(spans: SpoolReader) -> None:
    """As a function that fails is."""

    @pipeline_stage("s")
    def rows() -> Iterator[int]:
        yield 1
        raise ValueError("secret")

    with pytest.raises(ValueError, match="secret"):
        list(rows())
    assert spans["s"].attributes["error.type"] == "ValueError"


def test_an_async_generator_is_a_stage(spans: SpoolReader) -> None:
    """Exhausted, left early, or failing."""

    @pipeline_stage("s")
    async def rows(*, fail: bool) -> AsyncIterator[int]:
        for number in range(3):
            current_stage().add_records(read=1)
            yield number
        if fail:
            raise ValueError("secret")

    async def read() -> None:
        assert [row async for row in rows(fail=False)] == [0, 1, 2]
        iterator: Any = rows(fail=False)
        await anext(iterator)
        await iterator.aclose()
        with pytest.raises(ValueError, match="secret"):
            _ = [row async for row in rows(fail=True)]

    asyncio.run(read())
    assert [
        (span.status, span.attributes["pipeline.records.read"])
        for span in sorted(spans.all(), key=lambda span: span.start_ns)
    ] == [("OK", 3), ("OK", 1), ("ERROR", 3)]


def test_without_a_name_only_a_decorator_will_do() -> None:
    """The error says so."""
    with pytest.raises(ValueError, match="needs a name"), pipeline_stage():
        pass


def test_context_and_links_place_the_stage_elsewhere(spans: SpoolReader) -> None:
    """A parent of another process, and ties to other spans."""
    there = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))
    other = SpanContext(3, 4, is_remote=True, trace_flags=TraceFlags(1))
    context = trace.set_span_in_context(NonRecordingSpan(there))
    with pipeline_stage("s", context=context, links=[Link(other, {"airflow.link.type": "x"})]):
        pass
    span = spans["s"]
    assert (span.trace_id, span.parent_span_id) == (f"{1:032x}", f"{2:016x}")
    assert span.links == [
        {"trace_id": f"{3:032x}", "span_id": f"{4:016x}", "airflow.link.type": "x"}
    ]


def test_a_stage_without_any_set_up_does_nothing() -> None:
    """The same code runs where nothing is traced."""
    with pipeline_stage("s") as stage:
        stage.add_records(read=1)
    assert not stage.span.is_recording()
