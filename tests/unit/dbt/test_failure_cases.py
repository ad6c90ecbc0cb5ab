"""What goes wrong with artifacts, case by case: never an exception, at most one warning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from airflow_provider_pipeline_otel import emit_dbt_spans
from airflow_provider_pipeline_otel.dbt import artifacts
from airflow_provider_pipeline_otel.dbt.artifacts import Artifact, Unreadable
from tests.unit.dbt.conftest import Project
from tests.unit.dbt.test_artifacts import node, whole

SECOND = 10**9
START = 1_767_225_600 * SECOND
"""2026-01-01T00:00:00Z, when the run of all artifacts here starts; it ends 10 s later."""
END = START + 10 * SECOND
FOLDER = Path(__file__).parent / "artifacts"


def timing(start: float, end: float) -> list[dict[str, str]]:
    """Return the timing of a node: seconds after the start."""
    at = [f"2026-01-01T00:00:{second:09.6f}Z" for second in (start, end)]
    return [{"name": "execute", "started_at": at[0], "completed_at": at[1]}]


def without_start(**fields: Any) -> dict[str, Any]:
    """Return the metadata of a dbt before 1.10, which doesn't say when it started."""
    said = {**whole()["metadata"], **fields}
    del said["invocation_started_at"]
    return said


# Files that are missing, cut off, or of something else.


def test_a_missing_file_is_one_warning(project: Project) -> None:
    """It names the path, and what may be given instead."""
    for _ in range(2):
        assert emit_dbt_spans(project.target).spans == 0
    (warning,) = project.warnings
    assert str(project.target) in warning
    assert not project.spool.exists()


def test_a_truncated_file_gives_the_nodes_before_the_break(project: Project) -> None:
    """The run says so, and that it was a success it doesn't say."""
    path = project.write(node("a", timing=timing(1, 2)), node("b"), node("c"))
    content = path.read_text()
    path.write_text(content[: content.index('"model.shop.c"')])
    assert emit_dbt_spans(path).statuses == {"success": 2}
    assert {span.name for span in project.nodes} == {"dbt.a", "dbt.b"}
    assert project.root.attributes["dbt.artifact"] == "truncated"
    assert project.root.status == "UNSET"
    (warning,) = project.warnings
    assert "breaks off" in warning


def test_a_truncated_file_with_a_failure_is_a_failure(project: Project) -> None:
    """What is known of it is enough."""
    path = project.write(node("a", status="error"), node("b"))
    content = path.read_text()
    path.write_text(content[: content.index('"model.shop.b"')])
    emit_dbt_spans(path)
    assert project.root.status == "ERROR"


@pytest.mark.parametrize("schema", ["", "https://schemas.getdbt.com/dbt/run-results/v7.json"])
def test_an_unknown_schema_is_read_by_its_keys(project: Project, schema: str) -> None:
    """One warning, and all nodes."""
    path = project.write(node("a"), metadata={"dbt_schema_version": schema}, unheard_of={"a": 1})
    for _ in range(2):
        assert emit_dbt_spans(path).statuses == {"success": 1}
    (warning,) = project.warnings
    assert "schema" in warning


def test_known_schemas_warn_of_nothing(project: Project) -> None:
    """A task's log belongs to its task."""
    for file in FOLDER.iterdir():
        if "_v0" not in file.name and "other_tools" not in file.name:
            emit_dbt_spans(file)
    assert project.warnings == []


@pytest.mark.parametrize(
    "content",
    [
        {"name": "a-package", "version": "1.0.0"},
        {"metadata": {}, "nodes": {"model.a.b": {}}, "sources": {"source.a.b.c": {}}},  # manifest
        {"metadata": {}, "nodes": {}, "sources": {}, "errors": None},  # catalog
        {"results": {"model.a.b": {"status": "success"}}},
        {"results": "model.a.b"},
        {"results": None},
    ],
)
def test_what_is_not_of_dbt_is_one_warning(project: Project, content: dict[str, Any]) -> None:
    """It is no run without nodes."""
    path = project.target / "run_results.json"
    path.write_text(json.dumps(content))
    assert emit_dbt_spans(path).spans == 0
    assert len(project.warnings) == 1
    assert not project.spool.exists()


def test_a_folder_or_pipe_of_that_name(project: Project) -> None:
    """Only regular files are opened."""
    (project.target / "run_results.json").mkdir()
    assert emit_dbt_spans(project.target).spans == 0
    with pytest.raises(Unreadable, match="no regular file"):
        Artifact(project.target / "run_results.json")


def test_a_link_is_followed_to_a_regular_file(project: Project, tmp_path: Path) -> None:
    """Whoever keeps artifacts elsewhere links to them."""
    (project.write(node("a"))).rename(tmp_path / "elsewhere.json")
    (project.target / "run_results.json").symlink_to(tmp_path / "elsewhere.json")
    assert emit_dbt_spans(project.target).statuses == {"success": 1}


def test_a_file_that_is_too_large_is_not_read(project: Project) -> None:
    """Sparse here: it takes no room, and reading it would take a gibibyte."""
    path = project.target / "run_results.json"
    with path.open("wb") as file:
        file.truncate(artifacts.MAX_BYTES + 1)
    assert emit_dbt_spans(path).spans == 0
    (warning,) = project.warnings
    assert "at most 1 GiB" in warning


# What ran, and what didn't.


@pytest.mark.parametrize("which", ["compile", "docs", "generate", "list", "ls", "parse", "rpc"])
def test_compiled_only(project: Project, which: str) -> None:
    """Two hundred rows that say success are no nodes, whatever their kind."""
    rows = [node(str(number), execution_time=1e-5) for number in range(197)]
    kinds = ("test.shop.t.1", "analysis.shop.a", "operation.shop.shop-on-run-end-0")
    rows += [{"unique_id": kind, "status": "success", "failures": None} for kind in kinds]
    assert project.emit(*rows, args={"which": which}).statuses == {}
    assert project.nodes == []
    assert project.root.attributes["dbt.command"] == which


@pytest.mark.parametrize(
    ("which", "name"),
    [
        ("build", "dbt build"),
        ("generate", "dbt docs generate"),
        ("freshness", "dbt source freshness"),
        ("run-operation", "dbt run-operation"),
    ],
)
def test_the_run_is_named_by_the_words_that_were_given(
    project: Project, which: str, name: str
) -> None:
    """Of two it keeps only the last."""
    project.emit(args={"which": which})
    assert project.root.name == name


def test_a_test_that_was_compiled_is_not_shown_as_passed(project: Project) -> None:
    """Those that passed, without a message too, are."""
    compiled = {"unique_id": "test.shop.a.1", "status": "success", "message": None}
    passed = {"unique_id": "test.shop.b.2", "status": "pass", "message": None}
    summary = project.emit(compiled, passed)
    assert [span.name for span in project.nodes] == ["dbt.b"]
    assert [test.name for test in summary.tests] == ["b"]


def test_no_results(project: Project) -> None:
    """An empty selection is a run of its own."""
    project.emit()
    assert project.nodes == []
    assert project.root.status == "OK"
    assert project.root.attributes["dbt.nodes.total"] == 0


@pytest.mark.parametrize(
    "args",
    [
        {"snowflake_projects_otel": True},
        {"export_to_otlp": True},
        {"__other__": {"export_to_otlp": True}},
    ],
)
def test_a_run_that_has_drawn_its_own_spans(project: Project, args: dict[str, Any]) -> None:
    """Its nodes are there already."""
    project.emit(node("a"), args={"which": "build", **args})
    assert project.nodes == []


def test_an_error_from_before_0_19_has_its_class_too(project: Project) -> None:
    """Its text is in another place."""
    emit_dbt_spans(FOLDER / "run_results_v0.json")
    assert project["dbt.broken"].attributes["error.type"] == "database_error"


def test_a_status_from_the_future(project: Project) -> None:
    """It is nobody's fault, and the word is kept."""
    project.emit(node("a", status="deferred_by_state"), node("b", status="Reused"))
    for name, word in (("dbt.a", "deferred_by_state"), ("dbt.b", "reused")):
        assert project[name].status == "UNSET"
        assert project[name].attributes["dbt.status"] == word
    assert project.root.status == "OK"


@pytest.mark.parametrize(
    ("unique_id", "status", "expected"),
    [
        ("model.a.b", "success", "OK"),
        ("test.a.b.c", "pass", "OK"),
        ("source.a.b.c", "Pass", "OK"),
        ("test.a.b.c", "warn", "UNSET"),
        ("source.a.b.c", "warn", "UNSET"),
        ("model.a.b", "warn", "UNSET"),
        ("model.a.b", "error", "ERROR"),
        ("source.a.b.c", "error", "ERROR"),
        ("source.a.b.c", "runtime error", "ERROR"),
        ("test.a.b.c", "fail", "ERROR"),
        ("unit_test.a.b.c", "fail", "ERROR"),
        ("model.a.b", "partial success", "ERROR"),
        ("function.a.b", "partial success", "ERROR"),
        ("model.a.b", "skipped", "UNSET"),
        ("exposure.a.b", "no-op", "UNSET"),
        ("saved_query.a.b", "no-op", "UNSET"),
        ("model.a.b", "reused", "UNSET"),
        ("model.a.b", None, "UNSET"),
        ("model.a.b", 7, "UNSET"),
    ],
)
def test_statuses(project: Project, unique_id: str, status: Any, expected: str) -> None:
    """The run fails with its nodes, and with nothing else."""
    project.emit({"unique_id": unique_id, "status": status})
    (span,) = project.nodes
    assert span.status == expected
    assert ("error.type" in span.attributes) is (expected == "ERROR")
    assert project.root.status == ("ERROR" if expected == "ERROR" else "OK")


def test_a_row_of_two_keys(project: Project) -> None:
    """Previews of dbt 2 leave the others out, and so do other tools."""
    path = project.target / "run_results.json"
    path.write_text('{"results": [{"unique_id": "model.a.b", "status": "success"}]}')
    first = emit_dbt_spans(path)
    spans = project.all()
    assert (first.spans, first.invocation_id) == (2, None)
    assert project["dbt.b"].attributes["dbt.timing"] == "estimated"
    emit_dbt_spans(path)
    assert [span.span_id for span in project.all()] == [span.span_id for span in spans]


# Times.


def test_times_that_are_missing_end_with_the_run(project: Project) -> None:
    """No longer than they took, and never before the run."""
    project.emit(
        node("a", status="error", execution_time=2.0),
        node("b", status="skipped", execution_time=0),
        node("c", execution_time=3600.0),
    )
    found = {span.name: (span.start_ns, span.end_ns) for span in project.nodes}
    assert found == {
        "dbt.a": (END - 2 * SECOND, END),
        "dbt.b": (END, END),
        "dbt.c": (START, END),
    }
    assert {span.attributes["dbt.timing"] for span in project.nodes} == {"estimated"}


def test_a_skipped_node_stands_where_what_it_waited_for_ended(project: Project) -> None:
    """The last of those above it; what took time itself did so until the end."""
    above = {"nodes": ["model.shop.a", "model.shop.b", "model.shop.not_in_this_run"]}
    project.write_manifest(
        {
            "model.shop.skipped": {"depends_on": above},
            "model.shop.below": {"depends_on": {"nodes": ["model.shop.skipped"]}},
            "model.shop.ran": {"depends_on": above},
        }
    )
    project.emit(
        node("a", timing=timing(1, 4)),
        node("b", status="error", timing=timing(1, 3)),
        node("skipped", status="skipped"),
        node("below", status="skipped"),
        node("ran", execution_time=2.0),
    )
    for name in ("dbt.skipped", "dbt.below"):
        assert (project[name].start_ns, project[name].end_ns) == (START + 4 * SECOND,) * 2
        assert project[name].attributes["dbt.timing"] == "estimated"
    assert project["dbt.ran"].end_ns == END


@pytest.mark.parametrize(
    ("phase", "start", "end"),
    [
        ({"started_at": "2026-01-01T00:00:03Z", "completed_at": None}, 3.0, 5.0),
        ({"started_at": "2026-01-01T00:00:03Z"}, 3.0, 5.0),
        ({"started_at": None, "completed_at": "2026-01-01T00:00:06Z"}, 4.0, 6.0),
        ({"started_at": "{}", "completed_at": "2026-01-01T00:00:06Z"}, 4.0, 6.0),
    ],
)
def test_the_time_that_is_known_stays(
    project: Project, phase: dict[str, Any], start: float, end: float
) -> None:
    """Only the other is estimated."""
    project.emit(node("a", timing=[phase], execution_time=2.0))
    span = project["dbt.a"]
    assert [(ns - START) / SECOND for ns in (span.start_ns, span.end_ns)] == [start, end]
    assert span.attributes["dbt.timing"] == "estimated"


def test_an_end_before_the_start(project: Project) -> None:
    """The span is empty: a negative length is refused by every backend."""
    project.emit(node("a", timing=timing(5, 4)))
    span = project["dbt.a"]
    assert (span.start_ns, span.end_ns) == (START + 5 * SECOND,) * 2


@pytest.mark.parametrize("time", ["1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "9999-01-01", ""])
def test_times_that_no_span_can_have(project: Project, time: str) -> None:
    """They count as missing."""
    project.emit(node("a", timing=[{"started_at": time, "completed_at": time}]))
    span = project["dbt.a"]
    assert (span.start_ns, span.end_ns) == (END, END)
    assert span.attributes["dbt.timing"] == "estimated"


def test_true_times_are_never_moved(project: Project) -> None:
    """Not into the task that emits them, and not in any order; the run spans them all."""
    rows = [
        node("late", timing=timing(30, 40)),
        node("early", timing=timing(2, 3)),
        node("within", timing=timing(4, 5)),
    ]
    project.emit(*rows)
    found = {span.name: (span.start_ns, span.end_ns) for span in project.nodes}
    assert found == {
        "dbt.early": (START + 2 * SECOND, START + 3 * SECOND),
        "dbt.within": (START + 4 * SECOND, START + 5 * SECOND),
        "dbt.late": (START + 30 * SECOND, START + 40 * SECOND),
    }
    assert (project.root.start_ns, project.root.end_ns) == (START, START + 40 * SECOND)
    assert not any("dbt.timing" in span.attributes for span in project.nodes)


def test_a_run_that_does_not_say_when_it_started(project: Project) -> None:
    """Before 1.10: its length, which is without parsing, before its end."""
    project.emit(node("a", timing=timing(5, 6)), metadata=without_start(), elapsed_time=7.5)
    assert (project.root.start_ns, project.root.end_ns) == (START + 2_500_000_000, END)


@pytest.mark.parametrize(("rows", "start"), [([node("a", timing=timing(5, 6))], 5), ([], 10)])
def test_the_length_of_a_run_of_dbt_2(
    project: Project, rows: list[dict[str, Any]], start: int
) -> None:
    """It is the sum of its nodes' lengths: many times the run's own."""
    metadata = without_start(dbt_version="2.0.0-preview.183")
    project.emit(*rows, metadata=metadata, elapsed_time=3600.0)
    assert project.root.start_ns == START + start * SECOND


@pytest.mark.parametrize("length", [1e18, 1e300, -1.0, "long", None])
def test_a_length_that_no_run_has(project: Project, length: Any) -> None:
    """It counts as missing."""
    project.emit(metadata=without_start(), elapsed_time=length)
    assert (project.root.start_ns, project.root.end_ns) == (END, END)


def test_a_length_that_reaches_back_before_1970(project: Project) -> None:
    """The run has its span all the same."""
    metadata = without_start(generated_at="1970-01-01T00:00:05Z")
    project.emit(metadata=metadata, elapsed_time=3600.0)
    assert (project.root.start_ns, project.root.end_ns) == (1, 5 * SECOND)


def test_nothing_has_times_in_dbt_2s_freshness(project: Project) -> None:
    """Neither sources nor models get a length."""
    emit_dbt_spans(FOLDER / "freshness.json")
    assert {span.name for span in project.nodes} == {"dbt.raw.orders", "dbt.orders"}
    assert all(span.start_ns == span.end_ns for span in project.nodes)
    assert {span.attributes["dbt.timing"] for span in project.nodes} == {"estimated"}


def test_phases_that_are_the_same_interval(project: Project) -> None:
    """As dbt 2 has them: it is one span, as long as the interval."""
    project.emit(node("a", timing=timing(1, 2) * 2, execution_time=9.0))
    (span,) = project.nodes
    assert (span.start_ns, span.end_ns) == (START + SECOND, START + 2 * SECOND)
    assert span.attributes["dbt.execution_time"] == 9.0


# Ids.


def context(span_id: int) -> Context:
    """Return the context of a task of the one trace."""
    parent = SpanContext(7, span_id, is_remote=True, trace_flags=TraceFlags(1))
    return trace.set_span_in_context(NonRecordingSpan(parent), Context())


def test_nodes_that_come_twice_have_ids_that_stay(project: Project) -> None:
    """The first, the second …: emitting again gives the same."""
    path = project.write(*[node("a", timing=timing(1, 2))] * 3)
    emit_dbt_spans(path)
    first = {span.span_id for span in project.nodes}
    emit_dbt_spans(path)
    assert len(first) == 3
    assert {span.span_id for span in project.nodes} == first


def test_two_tasks_that_emit_one_artifact(project: Project) -> None:
    """Nodes come once, also where a consumer emits what its producer already has."""
    path = project.write(node("a", timing=timing(1, 2)))
    emit_dbt_spans(path, context=context(1))
    (first,) = project.nodes
    emit_dbt_spans(path, context=context(2))
    assert [span.span_id for span in project.nodes] == [first.span_id]


def test_another_run_of_dbt_has_other_spans(project: Project) -> None:
    """A retry of the task runs dbt again."""
    for invocation_id in ("one", "two"):
        metadata = {**whole()["metadata"], "invocation_id": invocation_id}
        emit_dbt_spans(project.write(node("a"), metadata=metadata), context=context(1))
    assert len({span.span_id for span in project.all()}) == 4


def test_thousands_of_nodes(project: Project) -> None:
    """None is lost."""
    project.emit(*[node(f"m{number}", timing=timing(1, 2)) for number in range(3000)])
    assert len({span.span_id for span in project.nodes}) == 3000


# Values that no span can have.


def test_odd_values_never_lose_a_span(project: Project) -> None:
    """Lone surrogates, NUL, NaN, numbers beyond 64 bits, lists and dicts where none are due."""
    odd: list[Any] = [
        "\ud800",
        "\0",
        float("nan"),
        2**70,
        -(2**70),
        [],
        {},
        {"a": {}},
        True,
        "x" * 9999,
    ]
    keys = ("thread_id", "execution_time", "message", "failures", "relation_name", "compiled_code")
    keys += ("timing", "adapter_response", "batch_results", "max_loaded_at_time_ago_in_s", "status")
    rows = [node(f"{key}{at}", **{key: value}) for key in keys for at, value in enumerate(odd)]
    rows += [
        node(f"answer{key}{at}", adapter_response={key: value})
        for key in ("rows_affected", "bytes_processed", "slot_ms", "query_id", "code")
        for at, value in enumerate(odd)
    ]
    project.emit(*rows, node("\ud800\0"))
    assert len({span.span_id for span in project.nodes}) == len(rows) + 1
    assert project.warnings == []
    for span in project.nodes:
        for value in span.attributes.values():
            assert not isinstance(value, int) or 0 <= value < 2**63
