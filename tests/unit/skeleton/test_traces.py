"""Which tries belong to which trace, where Airflow's own tracing gives the traces out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow_provider_pipeline_otel.identity import (
    Carrier,
    read_carrier,
    span_id_of_run,
    span_id_of_try,
)
from airflow_provider_pipeline_otel.record import SpanRecord, StatusCode
from airflow_provider_pipeline_otel.skeleton.rows import Life, RunRow, RunRows, TryRow
from airflow_provider_pipeline_otel.skeleton.traces import traces_of

START = datetime(2026, 1, 1, tzinfo=UTC)
FIRST, SECOND = (Carrier(bytes([n]) * 16, bytes([n]) * 8, is_sampled=True) for n in (1, 2))


def at(seconds: float) -> datetime:
    """Return a moment of the run."""
    return START + timedelta(seconds=seconds)


def row(task_id: str, carrier: Carrier | None, **fields: object) -> TryRow:
    """Return a try that ran."""
    found = TryRow(
        task_id, -1, 1, "success", at(2), at(3), at(1), "Op", "q", "p", "h", 7, carrier=carrier
    )
    return found._replace(**fields)  # type: ignore[arg-type]


def draw(
    *tries: TryRow, history: tuple[TryRow, ...] = (), own: Carrier = SECOND, start: datetime = START
) -> list[tuple[bytes, list[SpanRecord]]]:
    """Return the traces of a run, with their records."""
    run = RunRow("dag", "run", "manual", "success", start, at(100), at(-1), None, 0, None, own)
    rows = RunRows(run, tries, history, {}, False, (), ())  # noqa: FBT003
    found = traces_of(rows, Life(start, at(100)))
    return [(trace.trace_id, list(trace.records())) for trace in found]


def test_a_task_cleared_while_its_run_goes_on() -> None:
    """Its run moves with it to a second trace; each has a root, and they are linked."""
    cleared = row("again", SECOND, try_number=2, end_date=at(9), queued_dttm=at(8))
    before = row("again", FIRST, state="failed", end_date=at(4))
    (first, old), (second, new) = draw(cleared, row("other", FIRST), history=(before,))
    assert (first, second) == (FIRST.trace_id, SECOND.trace_id)
    assert [record.name for record in old] == ["dag_run.dag", "task_run.again", "task_run.other"]
    assert [record.name for record in new] == ["dag_run.dag", "task_run.again"]
    assert old[0].status is StatusCode.UNSET
    assert old[0].attributes["pipeline.dag_run.requeued"] is True
    assert new[0].status is StatusCode.OK
    assert new[0].attributes["pipeline.run.tasks.success"] == 2
    assert [(link.trace_id, link.span_id) for link in new[0].links] == [
        (first, span_id_of_run(first))
    ]
    assert old[1].attributes["airflow.task_instance.state"] == "up_for_retry"
    assert [(link.trace_id, link.span_id) for link in new[1].links] == [
        (first, span_id_of_try(first, "again", -1, 1))
    ]


def test_what_ran_before_a_finished_run_was_cleared_stays_where_it_is() -> None:
    """The new trace links to the old one, as the rows tell it."""
    again = row("again", SECOND, try_number=2, end_date=at(9), queued_dttm=at(8))
    before = row("again", FIRST)
    ((trace_id, records),) = draw(again, row("other", FIRST), history=(before,), start=at(6))
    assert trace_id == SECOND.trace_id
    assert [record.name for record in records] == ["dag_run.dag", "task_run.again"]
    assert [link.trace_id for link in records[0].links] == [FIRST.trace_id]


def test_a_requeue_changes_nothing() -> None:
    """The run keeps its carrier: what ended before its new start is of its trace all the same."""
    ((_, records),) = draw(row("early", FIRST), own=FIRST, start=at(50))
    assert [record.name for record in records] == ["dag_run.dag", "task_run.early"]


def test_what_is_sampled_out_is_left_out() -> None:
    """By the carrier's flag."""
    out = FIRST._replace(is_sampled=False)
    assert not draw(row("task", out), own=out)
    ((trace_id, _),) = draw(row("task", out))
    assert trace_id == SECOND.trace_id


def test_carriers() -> None:
    """As Airflow keeps them; what is no traceparent is none."""
    whole = {"traceparent": f"00-{'1' * 32}-{'2' * 16}-01", "tracestate": "a=b"}
    assert read_carrier(whole) == Carrier(b"\x11" * 16, b"\x22" * 8, is_sampled=True)
    assert read_carrier({"traceparent": f"00-{'1' * 32}-{'2' * 16}-02"}) == Carrier(
        b"\x11" * 16, b"\x22" * 8, is_sampled=False
    )
    for none in (
        None,
        {},
        "00",
        {"traceparent": None},
        {"traceparent": "00-1-2-3"},
        {"traceparent": f"00-{'0' * 32}-{'2' * 16}-01"},
    ):
        assert read_carrier(none) is None
