"""A run of dbt as its log and its artifacts tell it together, without dbt."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_pipeline_otel.dbt import native
from airflow_provider_pipeline_otel.dbt.destination import Destination, Parent
from airflow_provider_pipeline_otel.dbt.live import LiveRun
from airflow_provider_pipeline_otel.dbt.rows import DbtSummary
from tests.unit.dbt.conftest import Project
from tests.unit.dbt.test_artifacts import node, whole
from tests.unit.dbt.test_log import batch_lines, line, result
from tests.unit.dbt.test_secrets import CANARY, MESSAGES

MODEL = "model.shop.orders"
TEST = "test.shop.unique_orders_id.1a2b3c4d5e"
NONCE = "n"
"""What artifacts of `whole` hold in metadata.env."""

OURS = {**whole()["metadata"], "invocation_id": "id", "env": {}}
STALE = {**whole()["metadata"], "env": {"PIPELINE_OTEL_NONCE": "of the run before"}}


class Live:
    """A run of dbt, fed with lines."""

    def __init__(self, project: Project, words: str = "build", **more: Any) -> None:
        parent = Parent(bytes(15) + b"\7", bytes(7) + b"\x08", sampled=True)
        self._run = LiveRun(
            words, project.target, Destination(), parent, seed="try", nonce=NONCE, **more
        )
        self._run.begin()

    def read(self, *lines: bytes) -> None:
        """Take lines of the log."""
        for one in lines:
            self._run.read(one)

    def end(self, code: int | None, *, interrupted: bool = False) -> DbtSummary:
        """End the run."""
        return self._run.finish(code, interrupted=interrupted)


def ran(unique_id: str, status: str, start: int = 1, end: int = 3, **fields: Any) -> list[bytes]:
    """Return the lines of a node that ran."""
    return [
        line("NodeStart", unique_id, start),
        line("NodeFinished", unique_id, start, end, **result(status, **fields)),
    ]


def test_a_stale_artifact_is_none(project: Project) -> None:
    """Dbt didn't compile, and what lies there is of the step before: the exit code is all."""
    project.write(node("old"), metadata=STALE)
    run = Live(project)
    run.read(line("MainReportVersion", version="=1.11.16"))
    run.end(2)
    assert project.nodes == []
    assert project.root.status == "ERROR"
    assert project.root.attributes["dbt.exit_code"] == 2
    assert project.root.attributes["dbt.artifact"] == "missing"


@pytest.mark.parametrize("metadata", [whole()["metadata"], OURS])
def test_an_artifact_of_this_run_completes_the_log(
    project: Project, metadata: dict[str, Any]
) -> None:
    """It is known by our mark, or where dbt keeps none, by the run's id."""
    run = Live(project)
    run.read(*ran(MODEL, "success"))
    project.write(node("orders"), node("late"), metadata=metadata)
    summary = run.end(0)
    assert [span.name for span in project.nodes] == ["dbt.orders", "dbt.late"]
    assert summary.statuses == {"success": 2}
    assert "dbt.artifact" not in project.root.attributes


def test_a_late_node_whose_end_alone_is_known(project: Project) -> None:
    """It ends then, and not with the run."""
    project.write(node("late", timing=[{"completed_at": "2026-01-01T00:00:05Z"}]))
    Live(project).end(0)
    assert project["dbt.late"].end_ns == 1_767_225_605 * 10**9


def test_an_artifact_that_breaks_off(project: Project) -> None:
    """The log has what it lacks."""
    path = project.write(node("orders"), node("lost"))
    content = path.read_text()
    path.write_text(content[: content.index('"model.shop.lost"')])
    run = Live(project)
    run.read(*ran(MODEL, "success"), *ran("model.shop.lost", "success"))
    run.end(-9)
    assert {span.name for span in project.nodes} == {"dbt.orders", "dbt.lost"}
    assert project.root.attributes["dbt.artifact"] == "truncated"


def test_a_folder_where_the_artifact_should_be(project: Project) -> None:
    """The run ends all the same."""
    (project.target / "run_results.json").mkdir()
    run = Live(project)
    run.read(*ran(MODEL, "success"))
    assert run.end(0).statuses == {"success": 1}


def test_failed_nodes_that_the_artifact_leaves_out(project: Project) -> None:
    """As dbt 2 does: the log has them."""
    project.write(node("orders"))
    run = Live(project)
    run.read(*ran(MODEL, "success"), *ran("model.shop.broken", "error"))
    assert run.end(1).failed == ("broken",)
    assert project["dbt.broken"].status == "ERROR"


def test_the_exit_code_decides(project: Project) -> None:
    """An error in the log with exit code 0 is no failed run; its node is in error all the same."""
    run = Live(project)
    run.read(b"ERROR creating sql table model", *ran(MODEL, "error"))
    run.end(0)
    assert project.root.status == "OK"
    assert project["dbt.orders"].status == "ERROR"


def test_no_artifact_and_no_failed_node_is_no_success(project: Project) -> None:
    """A failing on-run-end hook of dbt 1.1 leaves nothing behind."""
    run = Live(project)
    run.read(*ran(MODEL, "success"))
    run.end(1)
    assert project.root.status == "ERROR"
    assert project.root.attributes["dbt.artifact"] == "missing"


def test_a_batch_that_failed_outweighs_the_artifact(project: Project) -> None:
    """Dbt 1.9 calls a model whose only batch failed a success, in log and artifact alike."""
    project.write(node("orders", status="success"))
    run = Live(project)
    run.read(*batch_lines("error", "ERROR"))
    assert run.end(0).failed == ("orders",)
    batch, model = sorted(project.nodes, key=lambda span: span.start_ns, reverse=True)
    assert (batch.status, model.status) == ("ERROR", "ERROR")
    assert batch.parent_span_id == model.span_id


@pytest.mark.parametrize("code", [-15, -9, None, 137])
def test_a_run_that_is_killed(project: Project, code: int | None) -> None:
    """What had ended is whole, what was running is interrupted, and nothing is left open."""
    run = Live(project)
    run.read(*ran(MODEL, "success"), line("NodeStart", "model.shop.running", 2))
    assert project["dbt.running"].end_ns == 0
    run.end(code, interrupted=code is not None and code < 0)
    assert project["dbt.orders"].attributes["dbt.status"] == "success"
    for span in (project["dbt.running"], project.root):
        assert span.status == "ERROR"
        assert span.end_ns >= span.start_ns > 0
        assert span.attributes["dbt.status"] == "interrupted"
        assert span.attributes["pipeline.interrupted"] is True


def test_no_ghosts(project: Project) -> None:
    """Ephemeral models start and finish and never run; an empty one is in the artifact alone."""
    project.write(node("empty", status="skipped"))
    run = Live(project)
    said = {"materialized": "ephemeral"}
    run.read(line("NodeStart", "model.shop.e", **said))
    run.read(line("NodeFinished", "model.shop.e", **said, **result("success")))
    run.end(0)
    assert [span.name for span in project.nodes] == ["dbt.empty"]
    assert all(span.end_ns for span in project.all())


@pytest.mark.parametrize(
    ("adapter", "version", "rows"),
    [
        ("snowflake", "=1.11.16", None),
        ("postgres", "=1.11.16", 0),
        ("postgres", "=2.0.9", None),
    ],
)
def test_zero_rows_of_adapters_that_always_say_so(
    project: Project, adapter: str, version: str, rows: int | None
) -> None:
    """In the log as in the artifact: absent is not 0."""
    project.write_manifest({}, metadata={"adapter_type": adapter})
    run = Live(project)
    run.read(line("MainReportVersion", version=version))
    run.read(*ran(MODEL, "success", adapter_response={"rows_affected": 0.0}))
    assert run.end(0).records_written == rows
    assert project["dbt.orders"].attributes.get("pipeline.records.written") == rows


@pytest.mark.parametrize(
    ("status", "number", "failures"),
    [
        ("pass", 0, 0),
        ("fail", 3.0, 3),
        ("warn", 3, 3),
        ("error", 0, None),
        ("skipped", 0, None),
    ],
)
def test_failures_of_a_test(
    project: Project, status: str, number: float, failures: int | None
) -> None:
    """Events have 0 where the artifact has null: a test that didn't run found nothing."""
    run = Live(project)
    run.read(*ran(TEST, status, num_failures=number))
    (test,) = run.end(0).tests
    assert test.failures == failures
    assert project["dbt.unique_orders_id"].attributes.get("dbt.failures") == failures


def test_the_result_counts_more_than_the_nodes_info(project: Project) -> None:
    """It still says `started` of what is skipped below an ephemeral model."""
    run = Live(project)
    run.read(*ran(MODEL, "skipped"))
    assert run.end(0).statuses == {"skipped": 1}
    assert project["dbt.orders"].status == "UNSET"


def test_sources_have_their_age_from_the_artifact(project: Project) -> None:
    """Those that it leaves out have none."""
    found = {"unique_id": "source.shop.raw.s", "status": "warn", "max_loaded_at_time_ago_in_s": 9.5}
    project.write(found, name="sources.json")
    run = Live(project, "source freshness")
    run.read(*ran("source.shop.raw.s", "warn"), *ran("source.shop.raw.gone", "runtime error"))
    ages = {one.name: (one.status, one.seconds) for one in run.end(1).freshness}
    assert ages == {"raw.s": ("warn", 9.5), "raw.gone": ("runtime error", None)}
    assert project["dbt.raw.s"].attributes["dq.freshness_seconds"] == 9.5
    assert project["dbt.raw.gone"].status == "ERROR"


@pytest.mark.parametrize("words", ["compile", "docs generate", "parse", "ls", "show"])
def test_what_is_only_compiled(project: Project, words: str) -> None:
    """Nothing runs, whatever starts and finishes."""
    project.write(node("orders"))
    run = Live(project, words)
    run.read(*ran(MODEL, "success"))
    run.end(0)
    assert project.nodes == []
    assert project.root.name == f"dbt {words}"


@pytest.mark.parametrize(
    ("version", "nodes"), [("=1.11.16", 1), ("=1.12.6", 0), ("=2.0.9", 0), ("", 1)]
)
def test_native_spans(project: Project, version: str, nodes: int) -> None:
    """Only a dbt that can draw its own spans has none of ours."""
    run = Live(project, native_from=native.FIRST_VERSION)
    run.read(line("MainReportVersion", version=version), *ran(MODEL, "success"))
    run.end(0)
    assert len(project.nodes) == nodes


def test_native_spans_of_a_dbt_core_that_cant_be_launched(project: Project) -> None:
    """They would reach nobody: ours are there."""
    run = Live(project, native_from=native.first_version(["dbt", "build"]))
    run.read(line("MainReportVersion", version="=1.12.6"), *ran(MODEL, "success"))
    run.end(0)
    assert len(project.nodes) == 1


def test_nothing_of_the_log_leaves(project: Project, caplog: pytest.LogCaptureFixture) -> None:
    """Neither messages nor SQL nor what nodes are annotated with."""
    project.write(*[{**node(f"m{at}"), "message": said} for at, said in enumerate(MESSAGES)])
    run = Live(project)
    for at, message in enumerate(MESSAGES):
        answer = {"_message": message, "query": CANARY}
        run.read(*ran(f"model.shop.n{at}", "error", message=message, adapter_response=answer))
        run.read(*ran(f"unit_test.shop.n{at}.u", "fail", message=message))
        run.read(line("SQLQuery", MODEL, sql=f"select '{CANARY}' /* NodeStart */", meta=CANARY))
    run.read(line("MainReportArgs", args={"vars": CANARY, "invocation_command": CANARY}))
    run.end(1)
    assert len(project.nodes) == 3 * len(MESSAGES)
    assert b"model.shop.n0" in project.content
    assert CANARY.encode() not in project.content
    assert CANARY not in caplog.text
