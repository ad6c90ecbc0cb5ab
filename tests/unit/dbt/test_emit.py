"""emit_dbt_spans: the artifacts of others as spans."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from airflow_provider_pipeline_otel import emit_dbt_spans
from airflow_provider_pipeline_otel.cli.traces import SpanRow, read_traces, segments
from tests.unit.dbt.test_artifacts import node, whole

TIMING = [{"started_at": "2026-01-01T00:00:01Z", "completed_at": "2026-01-01T00:00:03Z"}]


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the spool that the environment names."""
    monkeypatch.setenv("AIRFLOW__PIPELINE_OTEL__SPOOL_DIR", str(tmp_path / "spool"))
    monkeypatch.delenv("TRACEPARENT", raising=False)
    return tmp_path / "spool"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Give a project with artifacts in its target folder."""
    folder = tmp_path / "project" / "target"
    folder.mkdir(parents=True)
    write(folder, node("a", timing=TIMING), node("b", timing=TIMING, status="error"))
    manifest = {
        "metadata": {"adapter_type": "postgres", "project_name": "shop"},
        "nodes": {
            "model.shop.b": {"depends_on": {"nodes": ["model.shop.e", "model.shop.gone"]}},
            "model.shop.e": {
                "config": {"materialized": "ephemeral"},
                "depends_on": {"nodes": ["model.shop.a"]},
            },
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def write(folder: Path, *rows: dict[str, Any], **fields: Any) -> None:
    """Write run_results.json."""
    (folder / "run_results.json").write_text(json.dumps(whole(*rows, **fields)))


def spans(spool: Path) -> dict[str, SpanRow]:
    """Return the spans of the one trace in the spool, by name."""
    (found,) = read_traces(segments(spool))
    return {span.name: span for span in found.spans}


def test_a_trace_of_its_own(spool: Path, target: Path) -> None:
    """Without a parent the ids are made of dbt's invocation id: twice is the same."""
    first = emit_dbt_spans(target.parent)
    found = spans(spool)
    assert set(found) == {"dbt build", "dbt.a", "dbt.b"}
    root = found["dbt build"]
    assert root.parent_span_id == ""
    assert root.status == "ERROR"
    assert root.attributes["dbt.nodes.error"] == 1
    assert found["dbt.a"].end_ns - found["dbt.a"].start_ns == 2 * 10**9
    assert found["dbt.a"].parent_span_id == root.span_id
    assert [link["span_id"] for link in found["dbt.b"].links] == [found["dbt.a"].span_id]
    assert emit_dbt_spans(target / "run_results.json") == first
    assert spans(spool) == found


def context(*, sampled: bool) -> Context:
    """Return a context with a parent."""
    parent = SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(int(sampled)))
    return trace.set_span_in_context(NonRecordingSpan(parent), Context())


def test_under_a_parent(spool: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the context, or of the environment."""
    emit_dbt_spans(target, context=context(sampled=True))
    root = spans(spool)["dbt build"]
    assert (int(root.trace_id, 16), int(root.parent_span_id, 16)) == (7, 8)
    monkeypatch.setenv("TRACEPARENT", f"00-{root.trace_id}-{root.parent_span_id}-01")
    emit_dbt_spans(target)
    assert spans(spool)["dbt build"].span_id == root.span_id


def test_as_a_callback_of_cosmos(spool: Path, target: Path) -> None:
    """What it calls a context is Airflow's, and passed over."""
    assert emit_dbt_spans(str(target.parent), context={"ti": object()}, more=1).spans == 3
    assert spans(spool)


def test_a_parent_that_is_not_sampled(spool: Path, target: Path) -> None:
    """Nothing is written; the summary is the same."""
    summary = emit_dbt_spans(target, context=context(sampled=False))
    assert (summary.spans, summary.statuses) == (0, {"success": 1, "error": 1})
    assert read_traces(segments(spool)) == []


@pytest.mark.parametrize("which", ["generate", "compile", "show", "rpc"])
def test_what_was_only_compiled(spool: Path, target: Path, which: str) -> None:
    """Rows that say success where nothing ran are no nodes."""
    write(target, node("a"), args={"which": which})
    assert emit_dbt_spans(target).statuses == {}
    assert len(spans(spool)) == 1


def test_tests_that_never_ran(spool: Path, target: Path) -> None:
    """A test whose status is success was compiled: it is not shown as passed."""
    write(target, {"unique_id": "test.shop.t.1", "status": "success"}, args={})
    emit_dbt_spans(target)
    assert set(spans(spool)) == {"dbt"}


def test_nodes_without_times(spool: Path, target: Path) -> None:
    """They lie inside the run, no longer than dbt says they took, and say so."""
    write(target, node("a", status="skipped"), node("b", execution_time=2.5))
    emit_dbt_spans(target)
    found = spans(spool)
    root = found["dbt build"]
    assert found["dbt.a"].start_ns == found["dbt.a"].end_ns
    assert found["dbt.b"].end_ns - found["dbt.b"].start_ns == 2_500_000_000
    for name in ("dbt.a", "dbt.b"):
        assert root.start_ns <= found[name].start_ns <= found[name].end_ns <= root.end_ns
        assert found[name].attributes["dbt.timing"] == "estimated"


def test_an_id_that_comes_twice(spool: Path, target: Path) -> None:
    """Both are there."""
    write(target, node("a", timing=TIMING), node("a", timing=TIMING))
    emit_dbt_spans(target)
    (found,) = read_traces(segments(spool))
    assert len({span.span_id for span in found.spans if span.name == "dbt.a"}) == 2


def test_the_newest_artifact_counts(spool: Path, target: Path) -> None:
    """`source freshness` leaves the results of the run before where they are."""
    source = {"unique_id": "source.shop.raw.orders", "status": "pass"}
    (target / "sources.json").write_text(json.dumps(whole(source)))
    os.utime(target / "run_results.json", (1, 1))
    assert [one.name for one in emit_dbt_spans(target).freshness] == ["raw.orders"]
    assert "dbt.raw.orders" in spans(spool)


def test_what_cant_be_read(spool: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One warning, an empty summary, and nothing raised."""
    (tmp_path / "run_results.json").write_text("not dbt")
    assert emit_dbt_spans(tmp_path).spans == 0
    assert emit_dbt_spans(tmp_path / "missing").spans == 0
    assert len([r for r in caplog.records if r.levelname == "WARNING"]) <= 1
    assert not spool.exists()
