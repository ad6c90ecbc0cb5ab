"""dbt's log, line by line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_pipeline_otel.dbt.log import Change, LogReader
from airflow_provider_pipeline_otel.dbt.rows import BatchRow, NodeRow


def at(second: int) -> str:
    """Return a time as node_info has it: without a zone."""
    return f"2026-01-01T00:00:{second:02}.000001"


def line(name: str, unique_id: str = "", start: int = 1, end: int = 0, **data: Any) -> bytes:
    """Return an event."""
    if unique_id:
        data["node_info"] = {
            "unique_id": unique_id,
            "node_status": data.pop("status_of_node", "started"),
            "node_started_at": at(start),
            "node_finished_at": at(end) if end else "",
            "materialized": data.pop("materialized", "table"),
        }
    info = {"name": name, "ts": at(max(start, end)) + "Z", "thread": "T", "invocation_id": "id"}
    return json.dumps({"info": info, "data": data}).encode()


def result(status: str, **fields: Any) -> dict[str, Any]:
    """Return what NodeFinished holds."""
    return {"run_result": {"status": status, "timing_info": [], **fields}}


def read(*lines: bytes) -> list[Change]:
    """Return all that these lines say."""
    reader = LogReader()
    return [change for one in lines for change in reader.read(one)]


MODEL = "model.shop.orders"


def test_a_node() -> None:
    """It starts, and ends with its result: run_result's word counts, node_info's may be older."""
    started, ended = read(
        line("NodeStart", MODEL, 1),
        line(
            "NodeFinished", MODEL, 1, 3, **result("skipped", adapter_response={"rows_affected": 5})
        ),
    )
    assert (started.ended, ended.ended) == (False, True)
    row = ended.row
    assert isinstance(row, NodeRow)
    assert row.status == "skipped"
    assert row.rows_affected == 5
    assert row.start_ns is not None
    assert row.end_ns == row.start_ns + 2 * 10**9


def test_a_hook() -> None:
    """Hooks have events of their own."""
    hook = "operation.shop.shop-on-run-end-0"
    started, ended = read(
        line("LogHookStartLine", hook, 1), line("LogHookEndLine", hook, 1, 2, status="success")
    )
    assert not started.ended
    assert isinstance(ended.row, NodeRow)
    assert ended.row.status == "success"


@pytest.mark.parametrize("word", ["OK", "INSERT 0 1", "CREATE TABLE"])
def test_a_hook_before_dbt_1_9_has_dbts_status_and_not_the_adapters_word(word: str) -> None:
    """Only its node_info says how it ended."""
    hook = "operation.shop.shop-on-run-start-0"
    (ended,) = read(line("LogHookEndLine", hook, 1, 2, status=word, status_of_node="success"))
    assert isinstance(ended.row, NodeRow)
    assert ended.row.status == "success"


def test_ephemeral_models_never_run() -> None:
    """They start and finish all the same."""
    assert not read(
        line("NodeStart", MODEL, materialized="ephemeral"),
        line("NodeFinished", MODEL, materialized="ephemeral", **result("success")),
    )


def batch_lines(status: str, word: str) -> list[bytes]:
    """Return a microbatch model with one batch."""
    said = {"batch_index": 1, "description": "batch 2026-01-01 of main.orders"}
    return [
        line("NodeStart", MODEL, 1),
        line("NodeStart", MODEL, 2),
        line("LogStartBatch", MODEL, 2, **said),
        line("LogBatchResult", MODEL, 2, 3, status=word, **said),
        line("NodeFinished", MODEL, 2, 3, **result(status)),
        line("NodeFinished", MODEL, 1, 4, **result("success")),
    ]


def test_batches() -> None:
    """All events bear the model's id: the start tells a batch from its model."""
    model, batch, batch_ended, model_ended = read(*batch_lines("success", "OK"))
    assert isinstance(model.row, NodeRow)
    assert isinstance(batch.row, BatchRow)
    assert isinstance(batch_ended.row, BatchRow)
    assert (batch_ended.row.index, batch_ended.row.batch_start) == (1, "2026-01-01")
    assert batch_ended.row.node.status == "success"
    assert model_ended.ended
    assert isinstance(model_ended.row, NodeRow)


def test_a_model_whose_only_batch_failed() -> None:
    """Dbt 1.9 called it a success; the batch's word counts."""
    *_, model_ended = read(*batch_lines("error", "ERROR"))
    assert isinstance(model_ended.row, NodeRow)
    assert model_ended.row.status == "error"


def test_what_was_running() -> None:
    """Nodes and batches without an end are interrupted."""
    reader = LogReader()
    for one in (*batch_lines("success", "OK")[:3], line("NodeStart", "model.shop.b", 2)):
        list(reader.read(one))
    found = list(reader.interrupted(9))
    assert all(change.ended for change in found)
    rows = [c.row.node if isinstance(c.row, BatchRow) else c.row for c in found]
    assert [row.status for row in rows] == ["interrupted"] * 3
    assert {row.end_ns for row in rows} == {9}
    assert list(reader.interrupted(9)) == []


def test_what_is_no_event() -> None:
    """Text, half lines, colours and events of no interest say nothing, and raise nothing."""
    whole = line("NodeStart", MODEL)
    odd = [
        b"",
        b"NodeStart",
        whole[:-3],
        b"\x1b[0m" + whole,
        b'{"info": "NodeStart"}',
        b'["NodeStart"]',
    ]
    odd += [b'{"info": {"name": "NodeStart"}, "data": {"node_info": {"unique_id": 7}}}']
    odd += [line("SQLQuery", MODEL), b"[" * 100_000 + b'"NodeStart"']
    assert not read(*odd)


def test_the_run() -> None:
    """Its id is known from the first line, its version, target and length as they come."""
    reader = LogReader()
    for one in (
        line("MainReportVersion", version="=1.11.16"),
        line("ConcurrencyLine", target_name="dev"),
        line("CommandCompleted", elapsed=3.5, completed_at="2026-01-01T00:00:09Z"),
    ):
        assert list(reader.read(one)) == []
    run = reader.invocation
    assert (run.invocation_id, run.version, run.target) == ("id", "1.11.16", "dev")
    assert run.elapsed_time == 3.5
