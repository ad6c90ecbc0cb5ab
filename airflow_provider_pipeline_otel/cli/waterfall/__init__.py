"""Traces as one page that needs nothing else: a waterfall to zoom, search and fold."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import msgspec

from airflow_provider_pipeline_otel.cli.notes import notes_of, seconds, state_of
from airflow_provider_pipeline_otel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_provider_pipeline_otel.cli.traces import SpanRow, TraceRow

_NO_END_OF_SCRIPT: Final = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}
"""Names may hold `</script>`: inside JSON these are the same written otherwise."""


def page_of(traces: Iterable[TraceRow]) -> str:
    """Return the page, with the traces in it; it loads nothing, from wherever it is opened."""
    folder = files(__name__)
    page = folder.joinpath("waterfall.html").read_text(encoding="utf-8")
    for name in ("waterfall.css", "waterfall.js", "details.js", "controls.js"):
        page = page.replace(f"/* {name} */", folder.joinpath(name).read_text(encoding="utf-8"), 1)
    data = msgspec.json.encode([_trace(trace) for trace in traces]).decode()
    return page.replace("/* traces */", data.translate(_NO_END_OF_SCRIPT), 1)


def _trace(trace: TraceRow) -> dict[str, Any]:
    resources: dict[str, int] = {}
    spans = [_span(trace, span, depth, resources) for span, depth in _in_order(trace)]
    return {
        "id": trace.trace_id,
        "dag": trace.dag_id,
        "run": trace.run_id,
        "state": state_of(trace.root) if trace.root is not None else "",
        "complete": trace.is_complete,
        "start": trace.start_ns / 1e6,
        "length": (trace.end_ns - trace.start_ns) / 1e6,
        "took": seconds((trace.end_ns - trace.start_ns) / 1e9),
        "resources": [msgspec.json.decode(text) for text in resources],
        "spans": spans,
    }


def _in_order(trace: TraceRow) -> Iterator[tuple[SpanRow, int]]:
    """Yield the spans as they stand below each other, with their depth."""
    left = [(root, 0) for root in reversed(trace.roots)]
    while left:
        span, depth = left.pop()
        yield span, depth
        children = trace.children.get(span.span_id, [])
        left += [(child, depth + 1) for child in reversed(children)]


def _span(trace: TraceRow, span: SpanRow, depth: int, resources: dict[str, int]) -> dict[str, Any]:
    """Return a span with times in milliseconds since the trace's start: JavaScript has 53 bits."""
    resource = msgspec.json.encode(span.resource).decode()
    queued = span.attributes.get(names.AIRFLOW_TASK_INSTANCE_QUEUED_DURATION)
    end_ns = span.end_ns or max(trace.end_ns, span.start_ns)
    return {
        "id": span.span_id,
        "depth": depth,
        "name": span.name,
        "label": _label(span),
        "status": "OPEN" if not span.end_ns else span.status,
        "start": (span.start_ns - trace.start_ns) / 1e6,
        "length": (end_ns - span.start_ns) / 1e6,
        "took": seconds((end_ns - span.start_ns) / 1e9) if span.end_ns else "open",
        "waited": queued * 1000 if isinstance(queued, float) else 0,
        "notes": [tuple(note) for note in notes_of(trace, span)],
        "attributes": span.attributes,
        "events": [_event(trace, **event) for event in span.events],
        "links": span.links,
        "resource": resources.setdefault(resource, len(resources)),
    }


def _event(trace: TraceRow, name: str, time_ns: int, **attributes: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"name": name, "at": (time_ns - trace.start_ns) / 1e6, "attributes": attributes}


def _label(span: SpanRow) -> str:
    """Return what tells a span from its siblings of the same name."""
    index = span.attributes.get(names.AIRFLOW_TASK_INSTANCE_MAP_INDEX, -1)
    number = span.attributes.get(names.AIRFLOW_TASK_INSTANCE_TRY_NUMBER, 1)
    words = [f"[{index}]"] if isinstance(index, int) and index >= 0 else []
    if isinstance(number, int) and number > 1 and not span.name.startswith("worker."):
        words.append(f"try {number}")
    return " ".join(words)
