"""pipeline-otel show: the traces in the spool, in the terminal or as a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from airflow_provider_pipeline_otel.cli.traces import read_traces, segments
from airflow_provider_pipeline_otel.export.spool import private_folder

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.cli.traces import TraceRow
    from airflow_provider_pipeline_otel.config import Settings

_SVG_WIDTH: Final = 118


class Form(NamedTuple):
    """How traces are shown: drawn in the terminal unless it says otherwise."""

    json: bool = False
    svg: Path | None = None
    html: Path | None = None


def show(
    settings: Settings,
    dag: str | None,
    run: str | None,
    *,
    last: int,
    file: Path | None,
    form: Form,
) -> int:
    """Show the last traces of a DAG or run; 1: there is none, 2: a file can't be written."""
    folder = file or private_folder(settings.spool_dir)
    traces = read_traces(segments(folder)) if folder is not None and folder.exists() else []
    chosen = [t for t in traces if dag in (None, t.dag_id) and run in (None, t.run_id)][-last:]
    if not chosen:
        print(_nothing(settings, folder, dag, run), file=sys.stderr)
        return 1
    if form.json:
        for trace in chosen:
            spans = {"trace_id": trace.trace_id, "spans": trace.spans}
            print(msgspec.json.encode(spans).decode())
        return 0
    return write_page(chosen, form.html) if form.html else draw_traces(chosen, form.svg)


def write_page(traces: list[TraceRow], out: Path) -> int:
    """Write the traces as a page; 2: the file can't be written."""
    from airflow_provider_pipeline_otel.cli.waterfall import page_of

    try:
        out.write_text(page_of(traces), encoding="utf-8")
    except OSError as error:
        return _cant_write("--html", out, error)
    print(out)
    return 0


def draw_traces(traces: list[TraceRow], svg: Path | None = None) -> int:
    """Draw the traces in the terminal, and as a picture; 2: its file can't be written."""
    from rich.console import Console

    from airflow_provider_pipeline_otel.cli.tree import draw

    # A file gets the picture as a terminal would show it, whatever this one can do.
    options = {"record": True, "width": _SVG_WIDTH, "force_terminal": True} if svg else {}
    console = Console(highlight=False, **options)  # type: ignore[arg-type]
    for trace in traces:
        console.print(draw(trace, console.width))
        console.print()
    if svg:
        try:
            console.save_svg(str(svg), title="pipeline-otel show")
        except OSError as error:
            return _cant_write("--svg", svg, error)
    return 0


def _cant_write(option: str, out: Path, error: OSError) -> int:
    print(f"{option} {out} can't be written ({error.strerror}): name another file", file=sys.stderr)
    return 2


def _nothing(settings: Settings, folder: Path | None, dag: str | None, run: str | None) -> str:
    what = " of ".join(repr(name) for name in (run, dag) if name)
    words = [f"No trace{' of ' + what if what else ''} in {folder}."]
    if settings.endpoint is not None:
        words.append(f"What was delivered is at {settings.endpoint.url}, and no longer here.")
    if not settings.enabled:
        words.append("Set [pipeline_otel] enabled = True (AIRFLOW__PIPELINE_OTEL__ENABLED=True).")
    return " ".join(words)
