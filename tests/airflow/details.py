"""What single situations demand beyond the rules for all: user spans, stages, links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.airflow.actor import PARTITION
from tests.airflow.expectation import Incarnation
from tests.airflow.judgement import roots_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.airflow.judge import Judge
    from tests.airflow.sink import Span

EXIT_REASON: Final = "pipeline.process.exit_reason"
LINK_TYPE: Final = "airflow.link.type"
Roots = "Sequence[tuple[Incarnation, Span]]"


def _only(judge: Judge, trace: Sequence[Span], name: str) -> Span | None:
    found = [span for span in trace if span.name == name]
    judge.expect(f"one span {name}", 1, len(found))
    return found[0] if found else None


def _tree(judge: Judge, root: Span, shape: dict[str, str]) -> dict[str, Span]:
    """Demand that each named span is there once and hangs under its named parent."""
    trace = judge.trace(root.trace_id)
    spans = {name: _only(judge, trace, name) for name in {*shape, *shape.values()}}
    by_id = {span.span_id: span.name for span in trace}
    for name, parent in shape.items():
        span = spans[name]
        if span is not None:
            judge.expect(f"parent of {name}", parent, by_id.get(span.parent_id))
    return {name: span for name, span in spans.items() if span is not None}


def user_spans(judge: Judge, roots: Sequence[tuple[Incarnation, Span]]) -> None:
    """Plain spans, nested and failing."""
    for _, root in roots:
        shape = {"extract": "worker.nest", "parse": "extract", "doomed": "worker.doom"}
        spans = _tree(judge, root, shape)
        if "doomed" in spans:
            judge.expect("doomed: status", "ERROR", spans["doomed"].status)
        if "extract" in spans:
            judge.expect("extract: attribute", 42, spans["extract"].attributes.get("user.answer"))


def kill(judge: Judge, roots: Sequence[tuple[Incarnation, Span]]) -> None:
    """The supervisor lives, and nobody has run out of memory."""
    _exit_reason(judge, roots, "killed")


def lost_heartbeat(judge: Judge, roots: Sequence[tuple[Incarnation, Span]]) -> None:
    """On Airflow 2 each task has a supervisor of its own, whose end tells nothing."""
    is_airflow_2 = any(span.resource.get("airflow") == "2" for span in judge.spans)
    _exit_reason(judge, roots, "killed" if is_airflow_2 else "heartbeat")


def _exit_reason(judge: Judge, roots: Sequence[tuple[Incarnation, Span]], reason: str) -> None:
    for _, root in roots:
        trace = judge.trace(root.trace_id)
        victims = [span for span in trace if span.name == "worker.victim"]
        judge.demand("there is a victim", holds=bool(victims), expected="one or more", got=victims)
        for span in victims:
            judge.expect("exit reason of worker.victim", reason, span.attributes.get(EXIT_REASON))
        tried = {span.span_id: span.attributes.get(EXIT_REASON) for span in trace}
        for span in victims:
            # The host that writes the try may have another disk than the worker that died.
            known = [reason, None] if span.resource.get("apart") == "True" else [reason]
            judge.expect_one_of("exit reason of its try", known, tried.get(span.parent_id))


def user_killed(judge: Judge, roots: Sequence[tuple[Incarnation, Span]]) -> None:
    """Three open spans and two ended ones."""
    shape = {
        "outer": "worker.victim",
        "middle": "outer",
        "inner": "middle",
        "first": "inner",
        "second": "inner",
    }
    for _, root in roots:
        for name, span in _tree(judge, root, shape).items():
            cut = bool(span.attributes.get("pipeline.interrupted"))
            judge.expect(f"{name}: interrupted", name not in ("first", "second"), cut)


def user_seeded(judge: Judge, roots: Sequence[tuple[Incarnation, Span]]) -> None:
    """Two tasks with the same seed."""
    for _, root in roots:
        names = [span.name for span in judge.trace(root.trace_id)]
        for name in ("one", "two", "three"):
            judge.expect(f"spans {name}", 2, names.count(name))


def user_thread(judge: Judge, roots: Sequence[tuple[Incarnation, Span]]) -> None:
    """A thread without context."""
    for _, root in roots:
        _tree(judge, root, {"threaded": "worker.threads"})


def user_requests(judge: Judge, roots: Sequence[tuple[Incarnation, Span]]) -> None:
    """An instrumentation of contrib's."""
    for _, root in roots:
        spans = _tree(judge, root, {"HEAD": "worker.asker"})
        if "HEAD" in spans:
            judge.expect("HEAD: kind is client", 3, spans["HEAD"].kind)


def stages(judge: Judge, roots: Sequence[tuple[Incarnation, Span]]) -> None:
    """The provider's own stages."""
    shape = {
        "load": "worker.load",
        "clean": "load",
        "broken": "worker.broken",
        "broken_stage": "broken",
        "decorated": "broken_stage",
        "slow": "worker.slow",
        "endless": "slow",
        "bare": "worker.bare",
        "called": "worker.called",
    }
    statuses = {
        "OK": ["load", "clean", "decorated", "bare", "called"],
        "ERROR": ["broken", "broken_stage", "slow", "endless"],
    }
    for incarnation, root in roots:
        spans = _tree(judge, root, shape)
        for status, names in statuses.items():
            for name in names:
                if name in spans:
                    judge.expect(f"{name}: status", status, spans[name].status)
        for name, span in spans.items():
            if not name.startswith("worker."):
                judge.expect(f"{name}: level", "detail", span.attributes["pipeline.span.level"])
                judge.expect(f"{name}: stage", name, span.attributes.get("pipeline.stage"))
                told = span.attributes.get("pipeline.name")
                judge.expect(f"{name}: pipeline.name", incarnation.dag_id, told)
        wanted: dict[str, dict[str, object]] = {
            "load": {
                "pipeline.source.system": "postgres",
                "pipeline.source.table": "orders",
                "pipeline.sink.system": "s3",
                "pipeline.sink.path": f"s3://bucket/{incarnation.run_id}",
                "pipeline.sink.table": None,
                "pipeline.partition.key": incarnation.dag_id,
                "pipeline.records.read": 10,
                "pipeline.records.written": 7,
                "pipeline.records.failed": 3,
                "pipeline.bytes.processed": 2048,
                "airflow.task_id": "load",
            },
            "clean": {"pipeline.sink.table": "clean_orders", "pipeline.records.written": 7},
            "bare": {"pipeline.records.read": 1, "pipeline.records.written": None},
            "called": {"pipeline.source.system": "postgres", "pipeline.records.read": None},
        }
        for name, attributes in wanted.items():
            for key, value in attributes.items():
                if name in spans:
                    judge.expect(f"{name}: {key}", value, spans[name].attributes.get(key))


def chained(judge: Judge, roots: Sequence[tuple[Incarnation, Span]]) -> None:
    """Workers link to the workers of the upstream tasks, or a stage hangs below the first."""
    workers_of: dict[str, set[str]] = {
        "linked": {"each[0]", "each[1]", "each[2]", "plain"},
        "after": {"nested"},
        "wary": {"plain"},
        **{name: set() for name in ("plain", "nested", "apart", "after_apart", "wary_of_parents")},
    }
    stage_under = {name: name for name in workers_of} | {"nested": "each[0]"}
    for _, root in roots:
        trace = judge.trace(root.trace_id)
        workers = {_indexed(span): span for span in trace if span.name.startswith("worker.")}
        names = {(span.trace_id, span.span_id): name for name, span in workers.items()}
        for task_id, upstream in workers_of.items():
            links = workers[task_id].links if task_id in workers else ()
            targets = [names.get((link.trace_id, link.span_id), "nothing known") for link in links]
            judge.expect(f"{task_id}: linked workers", sorted(upstream), sorted(targets))
            kinds = {link.attributes.get(LINK_TYPE) for link in links}
            judge.expect(f"{task_id}: links' type", {"upstream"} if upstream else set(), kinds)
            stage = _only(judge, trace, task_id)
            parent = stage and names.get((stage.trace_id, stage.parent_id))
            judge.expect(f"{task_id}: stage's parent", stage_under[task_id], parent)
            told = _only(judge, trace, f"{task_id}_told")
            warnings = told and told.attributes.get("user.warnings")
            judge.expect(f"{task_id}: warnings", int(task_id.startswith("wary")), warnings)


def _indexed(worker: Span) -> str:
    task_id = worker.name.removeprefix("worker.")
    index = worker.attributes.get("airflow.task_instance.map_index", -1)
    return task_id if index == -1 else f"{task_id}[{index}]"


def trigger(judge: Judge, roots: Sequence[tuple[Incarnation, Span]]) -> None:
    """The child's root links to the task that started it."""
    by_dag = {incarnation.dag_id: root for incarnation, root in roots}
    if judge.expect("both roots", {"trigger_parent", "trigger_child"}, set(by_dag)):
        parent = judge.trace(by_dag["trigger_parent"].trace_id)
        names = ("task_run.starter", "worker.starter", "starter")
        starters = {span.span_id for span in parent if span.name in names}
        _one_link(judge, by_dag["trigger_child"], "trigger", starters)


def asset(judge: Judge, roots: Sequence[tuple[Incarnation, Span]]) -> None:
    """The consumer's root links to the producing task's try."""
    by_dag = {incarnation.dag_id: root for incarnation, root in roots}
    if judge.expect("both roots", {"asset_producer", "asset_consumer"}, set(by_dag)):
        producer = judge.trace(by_dag["asset_producer"].trace_id)
        tries = {span.span_id for span in producer if span.name == "task_run.produce"}
        _one_link(judge, by_dag["asset_consumer"], "asset", tries)


def _one_link(judge: Judge, root: Span, kind: str, targets: set[str]) -> None:
    links = [link for link in root.links if link.attributes.get(LINK_TYPE) == kind]
    if judge.expect(f"one {kind} link", 1, len(links)):
        judge.expect_one_of(f"{kind} link's target", targets, links[0].span_id)


def partition(judge: Judge, roots: Sequence[tuple[Incarnation, Span]]) -> None:
    """Judge that the root names the partition."""
    keys = [root.attributes.get("airflow.dag_run.partition_key") for _, root in roots]
    judge.expect("partition", [PARTITION], keys)


def tasks_test(judge: Judge, roots: Sequence[tuple[Incarnation, Span]]) -> None:
    """No span at all."""
    del roots
    names = [
        span.name for span in judge.spans if span.attributes.get("airflow.dag_id") == "task_tested"
    ]
    judge.expect("spans of a task without a run", [], names)


def marked_afterwards(judge: Judge, roots: Sequence[tuple[Incarnation, Span]]) -> None:
    """Still one root."""
    for incarnation, _ in roots:
        found = roots_of(judge.spans, incarnation.dag_id, incarnation.run_id)
        judge.expect("roots after the marks", 1, len(found))


DETAILS: Final[dict[str, Callable[[Judge, Sequence[tuple[Incarnation, Span]]], None]]] = {
    function.__name__: function
    for function in (
        asset,
        chained,
        kill,
        lost_heartbeat,
        marked_afterwards,
        partition,
        stages,
        tasks_test,
        trigger,
        user_killed,
        user_requests,
        user_seeded,
        user_spans,
        user_thread,
    )
}
