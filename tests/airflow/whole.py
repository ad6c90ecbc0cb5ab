"""What must hold for all spans together, whatever run they belong to."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from tests.airflow.expectation import ExpectedTry, Incarnation, expected_tries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.airflow.judge import Judge
    from tests.airflow.sink import Span

LINK_TYPE: Final = "airflow.link.type"
TRY: Final = "airflow.task_instance."
SKELETON: Final = ("dag_run.", "task_run.", "worker.")
PROCESSES: Final = ("worker.", "trigger.")
"""Of Airflow's own tracing, where it is joined, these stay."""
SHOWN: Final = 8


def judge_whole(
    judge: Judge, bodies: Sequence[bytes], canary: str, *, is_joined: bool = False
) -> None:
    """Judge ids, parents, roots, attributes, links and secrets over all spans."""
    spans = judge.spans
    judge.demand("spans arrived", holds=bool(spans), expected="some", got=len(spans))
    times = Counter(span.span_id for span in spans)
    _none(judge, "no span id twice", [span for span in spans if times[span.span_id] > 1])
    known = {(span.trace_id, span.span_id) for span in spans}
    orphans = [
        span for span in spans if span.parent_id and (span.trace_id, span.parent_id) not in known
    ]
    _none(judge, "no parent that never arrived", orphans)
    roots = Counter(span.trace_id for span in spans if not span.parent_id)
    _none(judge, "one root per trace", [span for span in spans if roots[span.trace_id] != 1])
    _none(
        judge,
        "roots are runs",
        [span for span in spans if not span.parent_id and not span.name.startswith("dag_run.")],
    )
    allowed = PROCESSES if is_joined else ()
    own = [s for s in spans if s.scope.startswith("airflow.") and not s.name.startswith(allowed)]
    _none(judge, "no span of Airflow's own", own)
    _none(judge, "no empty attribute", [span for span in spans if _has_empty(span)])
    _none(judge, "ends after it starts", [span for span in spans if span.end_ns < span.start_ns])
    _none(judge, "has a service.name", [s for s in spans if not s.resource.get("service.name")])
    dangling = [
        span
        for span in spans
        for link in span.links
        if (link.trace_id, link.span_id) not in known or not link.attributes.get(LINK_TYPE)
    ]
    _none(judge, "links have a type and a target", dangling)
    _judge_levels(judge)
    leaks = [body for body in bodies if canary.encode() in body]
    judge.expect("no secret in any byte", 0, len(leaks))


def _judge_levels(judge: Judge) -> None:
    """Skeleton spans say so, and all others have a process above them, or are one."""
    spans = {span.span_id: span for span in judge.spans}
    details = [span for span in judge.spans if not span.name.startswith(SKELETON)]
    wrong = [s for s in details if s.attributes.get("pipeline.span.level") == "skeleton"]
    _none(judge, "details aren't skeleton", wrong)
    lost = []
    for span in details:
        above: Span | None = span
        while above is not None and not above.name.startswith(PROCESSES):
            above = spans.get(above.parent_id)
        if above is None:
            lost.append(span)
    _none(judge, "details hang under a process", lost)


def _has_empty(span: Span) -> bool:
    return any(value in ("", None, ()) for value in span.attributes.values())


def _none(judge: Judge, rule: str, offenders: Sequence[Span]) -> None:
    names = [f"{span.name[:60]} ({span.trace_id[:6]})" for span in offenders[:SHOWN]]
    judge.demand(
        rule, holds=not offenders, expected="none", got=f"{len(offenders)}: {', '.join(names)}"
    )


def judge_links(judge: Judge, incarnation: Incarnation, root: Span, before: Span | None) -> None:
    """Judge the links between tries of one run, and to the run's start before."""
    label = incarnation.label
    if before is not None:
        kind = None if incarnation.previous and incarnation.previous.requeued_at else "rerun"
        targets = [
            link.span_id
            for link in root.links
            if kind is None or link.attributes.get(LINK_TYPE) == kind
        ]
        judge.expect(f"{label}: root links to the trace before", [before.span_id], targets)
    tries: defaultdict[tuple[object, ...], dict[object, Span]] = defaultdict(dict)
    for span in judge.trace(root.trace_id):
        if span.name.startswith("task_run."):
            attributes = span.attributes
            key = (attributes.get("airflow.task_id"), attributes.get(f"{TRY}map_index", -1))
            tries[key][attributes.get(f"{TRY}try_number")] = span
    for expected in expected_tries(incarnation):
        if expected.ran:
            same_task = tries[expected.row.task_id, expected.row.map_index]
            _judge_retry(judge, f"{label}: {expected.name}", expected, same_task)


def _judge_retry(judge: Judge, rule: str, expected: ExpectedTry, tries: dict[object, Span]) -> None:
    number = expected.row.try_number
    span, earlier = tries.get(number), tries.get(number - 1)
    if span is not None and earlier is not None:
        links = [one.span_id for one in span.links if one.attributes.get(LINK_TYPE) == "retry"]
        judge.expect(f"{rule}: links to the try before", [earlier.span_id], links)
