"""What a line of a trace says beside its name: state, failure, waits, links and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from airflow_provider_pipeline_otel.semconv import attributes as names
from airflow_provider_pipeline_otel.semconv import dbt

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.cli.traces import SpanRow, TraceRow

_COUNTS: Final = {
    names.PIPELINE_RECORDS_READ: "read",
    names.PIPELINE_RECORDS_WRITTEN: "written",
    names.PIPELINE_RECORDS_FAILED: "failed",
}

_STATES: Final = (
    names.AIRFLOW_TASK_INSTANCE_STATE,
    names.AIRFLOW_DAG_RUN_STATE,
    dbt.DBT_STATUS,
)
_WELL: Final = frozenset({"success", "pass"})


class Note(NamedTuple):
    """A few words; `tone` is `ok`, `error`, `warning`, `plain` or `dim`."""

    text: str
    tone: str = "plain"


TONES: Final = {"OK": "ok", "ERROR": "error", "UNSET": "warning"}
"""The tone of each status."""


def notes_of(trace: TraceRow, span: SpanRow) -> list[Note]:
    """Return what is to be said of a span, the most important first."""
    found = span.attributes
    notes: list[Note] = []
    state = state_of(span)
    if state and state not in _WELL and not (dbt.DBT_STATUS in found and names.ERROR_TYPE in found):
        notes.append(Note(state, TONES[span.status]))
    if names.ERROR_TYPE in found:
        notes.append(Note(str(found[names.ERROR_TYPE]), "error"))
    if found.get(names.PIPELINE_INTERRUPTED):
        failed = span.status == "ERROR"
        notes.append(
            Note("process died", "error") if failed else Note("ended by Airflow", "warning")
        )
    notes += [Note(words, "warning") for words in _waits(trace, span)]
    notes += map(Note, _counts(span))
    links = Counter(link.get(names.AIRFLOW_LINK_TYPE, "link") for link in span.links)
    notes += [Note(f"↪ {f'{n} ' if n > 1 else ''}{kind}", "dim") for kind, n in links.items()]
    return notes


def _waits(trace: TraceRow, span: SpanRow) -> Iterator[str]:
    """Say how long a try was queued, and how long it waited without a process, between two."""
    queued = span.attributes.get(names.AIRFLOW_TASK_INSTANCE_QUEUED_DURATION)
    if isinstance(queued, float) and queued >= 1:
        yield f"queued {seconds(queued)}"
    workers = [
        child
        for child in trace.children.get(span.span_id, [])
        if child.name.startswith("worker.") and child.end_ns
    ]
    gaps = (after.start_ns - before.end_ns for before, after in pairwise(workers))
    waited = sum(gap for gap in gaps if gap > 0) / 1e9
    if waited >= 1:
        yield f"waited {seconds(waited)} between {len(workers)} workers"


def state_of(span: SpanRow) -> str:
    """Return Airflow's or dbt's word for how it ended."""
    said = (span.attributes.get(name) for name in _STATES)
    return str(next(filter(None, said), ""))


def _counts(span: SpanRow) -> Iterator[str]:
    found: dict[str, Any] = span.attributes
    if span.name.startswith("worker."):
        return  # its stages say the same, one line below
    where = [
        (names.PIPELINE_SOURCE_SYSTEM, names.PIPELINE_SOURCE_TABLE, "from"),
        (names.PIPELINE_SINK_SYSTEM, names.PIPELINE_SINK_TABLE, "to"),
    ]
    for system, table, word in where:
        parts = [str(found[key]) for key in (system, table) if key in found]
        if parts:
            yield f"{word} {'/'.join(parts)}"
    if names.PIPELINE_PARTITION_KEY in found:
        yield f"partition {found[names.PIPELINE_PARTITION_KEY]}"
    for key, word in _COUNTS.items():
        if key in found:
            yield f"{found[key]:,} {word}"
    prefix = names.PIPELINE_RECORDS_FAILED + "."
    reasons = [
        f"{n:,} {key.removeprefix(prefix)}" for key, n in found.items() if key.startswith(prefix)
    ]
    if reasons:
        yield f"({', '.join(reasons)})"
    if names.PIPELINE_BYTES_PROCESSED in found:
        yield _bytes(found[names.PIPELINE_BYTES_PROCESSED])


def _bytes(value: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:  # noqa: PLR2004
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def seconds(value: float) -> str:
    """Return a length of time as one reads it."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 60:  # noqa: PLR2004
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
