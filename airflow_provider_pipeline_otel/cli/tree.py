"""A trace as a picture: a line per span, with its place in time, its state, and what it counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.console import Group
from rich.table import Table
from rich.text import Text

from airflow_provider_pipeline_otel.cli.notes import notes_of, seconds, state_of
from airflow_provider_pipeline_otel.semconv import attributes as names

if TYPE_CHECKING:
    from rich.console import RenderableType

    from airflow_provider_pipeline_otel.cli.traces import SpanRow, TraceRow

_MOST_CHILDREN: Final = 20
_MOST_FAILED: Final = 8
_MOST_OTHERS: Final = 3
_WIDE: Final = 100
_BAR: Final = 24

_STYLE: Final = {"OK": "green", "ERROR": "bold red", "UNSET": "yellow"}
_TONE: Final = {"ok": "green", "error": "bold red", "warning": "yellow", "plain": "", "dim": "dim"}
_SIGN: Final = {"OK": "✔", "ERROR": "✘", "UNSET": "○"}

_GOES_ON: Final = str.maketrans("├└─", "│  ")


class _Line(NamedTuple):
    guides: str
    span: SpanRow | None
    folded: list[SpanRow]


def draw(trace: TraceRow, width: int) -> RenderableType:
    """Return what rich prints for the trace, in so many columns."""
    lines = [line for root in trace.roots for line in _lines(trace, root)]
    table = Table.grid(padding=(0, 1, 0, 0))
    wide = width >= _WIDE
    room = width * 2 // 5 if wide else width // 2
    table.add_column(no_wrap=True, max_width=room)
    table.add_column(justify="right", no_wrap=True)
    if wide:
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for line in lines:
        cells = [_name(line, room), _duration(line)]
        if wide:
            cells.append(_bar(trace, line))
        table.add_row(*cells, _notes(trace, line))
    return Group(_title(trace), table)


def _lines(trace: TraceRow, span: SpanRow, guides: str = "", below: str = "") -> Iterator[_Line]:
    yield _Line(guides, span, [])
    shown, folded = _fold(trace.children.get(span.span_id, []))
    for index, child in enumerate(shown):
        last = index == len(shown) - 1 and not folded
        yield from _lines(
            trace, child, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  ")
        )
    if folded:
        yield _Line(below + "└─ ", None, folded)


def _fold(children: list[SpanRow]) -> tuple[list[SpanRow], list[SpanRow]]:
    """Split many children into those to show, failures first among them, and the rest."""
    if len(children) <= _MOST_CHILDREN:
        return children, []
    failed = [span for span in children if span.status == "ERROR"][:_MOST_FAILED]
    others = [span for span in children if span.status != "ERROR"][:_MOST_OTHERS]
    chosen = {span.span_id for span in (*failed, *others)}
    shown = [span for span in children if span.span_id in chosen]
    return shown, [span for span in children if span.span_id not in chosen]


def _title(trace: TraceRow) -> Text:
    title = Text.assemble(
        (trace.dag_id, "bold"), "  ", (trace.run_id, "cyan"), f"  {trace.trace_id}"
    )
    if trace.root is None or not trace.root.end_ns:
        title.append("\n  incomplete: the run goes on, or its root is not in this spool", "yellow")
    elif len(trace.roots) > 1:
        title.append(f"\n  incomplete: {len(trace.roots) - 1} spans have no parent here", "yellow")
    return title


def _name(line: _Line, room: int) -> Text:
    """Return the name behind its guides; what doesn't fit goes on below, inside the tree."""
    text = Text(line.guides, "dim")
    if line.span is None:
        return text.append(f"… {len(line.folded):,} more", "dim")
    style = _STYLE[line.span.status]
    text.append(f"{_SIGN[line.span.status]} ", style)
    left = max(room - text.cell_len, 1)
    name = _words(line.span)
    below = Text("\n" + line.guides.translate(_GOES_ON) + "  ", "dim")
    return text.append_text(below.join(name.divide(range(left, len(name), left))))


def _words(span: SpanRow) -> Text:
    is_worker = span.name.startswith("worker.")
    text = Text(span.name, "dim" if is_worker else "")
    index = span.attributes.get(names.AIRFLOW_TASK_INSTANCE_MAP_INDEX, -1)
    number = span.attributes.get(names.AIRFLOW_TASK_INSTANCE_TRY_NUMBER, 1)
    if isinstance(index, int) and index >= 0:
        text.append(f" [{index}]", "cyan")
    if isinstance(number, int) and number > 1 and not is_worker:
        text.append(f" try {number}", "magenta")
    return text


def _duration(line: _Line) -> Text:
    if line.span is None:
        return Text()
    if not line.span.end_ns:
        return Text("open", "yellow")
    return Text(seconds((line.span.end_ns - line.span.start_ns) / 1e9))


def _bar(trace: TraceRow, line: _Line) -> Text:
    if line.span is None:
        return Text()
    scale = _BAR / max(trace.end_ns - trace.start_ns, 1)
    begin = min(int((line.span.start_ns - trace.start_ns) * scale), _BAR - 1)
    end_ns = line.span.end_ns or trace.end_ns
    length = max(round((end_ns - line.span.start_ns) * scale), 0)
    length = min(length, _BAR - begin)
    bar = "━" * length if length else "╸"
    text = Text(" " * begin)
    text.append(bar, _STYLE[line.span.status])
    return text.append(" " * (_BAR - begin - len(bar)))


def _notes(trace: TraceRow, line: _Line) -> Text:
    if line.span is None:
        states = Counter(state_of(span) for span in line.folded)
        return Text(", ".join(f"{count:,} {state}" for state, count in states.items()), "dim")
    notes = [Text(note.text, _TONE[note.tone]) for note in notes_of(trace, line.span)]
    return Text("  ").join(notes)
