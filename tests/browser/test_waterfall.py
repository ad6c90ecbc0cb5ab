"""The page of `pipeline-otel show --html`, opened from disk in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from airflow_provider_pipeline_otel.cli import main
from airflow_provider_pipeline_otel.config import Caps
from airflow_provider_pipeline_otel.export.spool import Spool, private_folder
from airflow_provider_pipeline_otel.export.writer import SpanWriter
from airflow_provider_pipeline_otel.record import Event, Link, SpanRecord, StatusCode
from airflow_provider_pipeline_otel.semconv import attributes as names
from tests.environments import skip_without

if TYPE_CHECKING:
    from collections.abc import Iterator

TASKS: Final = 5_000
SECOND: Final = 10**9
START: Final = 1_790_000_000 * SECOND
EVIL: Final = "</script><script>document.title = 'taken over'</script>"

PLAY: Final = Path(__file__).with_name("play.js")
"""What a user does, and what is seen then."""


def span_id(number: int) -> bytes:
    """Return an id."""
    return number.to_bytes(8, "big")


def run(name: str, tasks: int) -> Iterator[SpanRecord]:
    """Yield a run of two spans a task: a failure every tenth, one span of evil names."""
    trace_id = name.encode().ljust(16, b"-")[:16]
    end = START + (tasks + 30) * SECOND
    said = {names.AIRFLOW_DAG_ID: "orders", names.AIRFLOW_DAG_RUN_RUN_ID: name}
    state = {"airflow.dag_run.state": "failed"}
    failed = StatusCode.ERROR
    yield SpanRecord(
        trace_id, span_id(1), b"", "dag_run.orders", START, end, {**said, **state}, failed
    )
    for number in range(1, tasks + 1):
        began = START + number * SECOND
        fails = number % 10 == 0
        status = StatusCode.ERROR if fails else StatusCode.OK
        words = {"airflow.task_instance.state": "failed" if fails else "success"}
        yield SpanRecord(
            trace_id,
            span_id(2 * number),
            span_id(1),
            f"task_run.load_{number:05}" if number > 1 else EVIL,
            began,
            began + 9 * SECOND,
            {
                **words,
                "airflow.task_instance.queued_duration": 2.0,
                "airflow.task_instance.try_number": 2,
            },
            status,
            links=(Link(trace_id, span_id(2), {"airflow.link.type": "upstream"}),),
        )
        yield SpanRecord(
            trace_id,
            span_id(2 * number + 1),
            span_id(2 * number),
            f"load {number:05}",
            began + SECOND,
            began + 8 * SECOND,
            {"pipeline.records.written": 1234, "mark": "secret-value" if number == 9 else EVIL},
            events=(Event("exception", began + 2 * SECOND, {"exception.type": "OSError"}),),
            links=(Link(trace_id, span_id(2), {"airflow.link.type": "upstream"}),),
        )


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the page of two runs, one of 10,001 spans."""
    folder = tmp_path_factory.mktemp("page")
    spool = Spool(private_folder(folder / "spool"), Caps(10**9, 10**9, 10**6))
    writer = SpanWriter(spool, {"service.name": "unit"})
    writer.write_finished(run("small", 3))
    writer.write_finished(run("manual__2026-11-28", TASKS))
    out = folder / "page.html"
    assert main(["show", "--file", str(spool.folder), "--html", str(out)]) == 0
    return out


def play(page: Path, *options: str) -> dict[str, Any]:
    """Open the page, do what a user does, and return what was seen."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        skip_without("chromium", "no Chromium: apt-get install chromium, to see pages in a browser")
    played = page.with_name("played.html")
    script = f"<script>{PLAY.read_text()}</script></body>"
    played.write_text(page.read_text().replace("</body>", script, 1))
    done = subprocess.run(
        [
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={page.parent / 'profile'}",
            "--window-size=1400,800",
            "--virtual-time-budget=5000",
            "--dump-dom",
            *options,
            played.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    result = re.search(r'<pre id="result">(.*?)</pre>', done.stdout, re.DOTALL)
    assert result is not None
    found: dict[str, Any] = json.loads(unescape(result[1]))
    assert "error" not in found, found["error"]
    return found


@pytest.fixture(scope="module")
def seen(page: Path) -> dict[str, Any]:
    """Give what was seen on a light screen."""
    return play(page, "--blink-settings=preferredColorScheme=1")


def test_it_needs_nothing_else(page: Path) -> None:
    """No address is loaded, and the browser is told so."""
    markup = page.read_text().partition('id="traces"')[0]
    assert "default-src 'none'" in markup
    assert not re.search(r"\b(src|href)=|url\(|@import|https?://", markup)


def test_ten_thousand_spans(seen: dict[str, Any]) -> None:
    """All are there, and only those in view are in the document."""
    assert seen["first"]["total"] == str(2 * TASKS + 1)
    assert seen["first"]["count"] < 100
    assert seen["last"] == f"load {TASKS:05}"
    assert seen["runs"] == ["orders small", "orders manual__2026-11-28"]


def test_what_the_head_says(seen: dict[str, Any]) -> None:
    """The run, its state, how long it took, how many spans, how many failed."""
    for words in (
        "orders",
        "manual__2026-11-28",
        "failed",
        "1:23:50",
        "10,001 spans",
        "501 failed",
    ):
        assert words in seen["head"], words


def test_names_are_text(seen: dict[str, Any]) -> None:
    """Whatever they hold: the page runs its own scripts, and the one that tests it."""
    assert seen["first"]["names"][1] == EVIL
    assert seen["title"] == "orders manual__2026-11-28"
    assert seen["scripts"] == 3


def test_search(seen: dict[str, Any]) -> None:
    """In names and attributes; what is above a hit stays, and hits are marked and counted."""
    assert seen["search"] == [["dag_run.orders", "task_run.load_00077"], "1 of 10,001"]
    assert seen["marked"] == "load_00077"
    assert seen["attribute"] == ["dag_run.orders", "task_run.load_00009", "load 00009"]


def test_failures_alone(seen: dict[str, Any]) -> None:
    """Counted too."""
    assert seen["failures"] == "501 of 10,001"
    assert seen["failed"].startswith("task_run.load_00010, try 2, failed, 9.0 s")


def test_keys(seen: dict[str, Any]) -> None:
    """Move, fold, unfold, open and close, as in any tree."""
    assert seen["down"].startswith(EVIL)
    assert seen["folded"] == ["dag_run.orders", EVIL, "task_run.load_00002"]
    assert seen["unfolded"] == ["dag_run.orders", EVIL, "load 00001"]
    assert seen["closed"]
    assert seen["focus"] == "rows"
    assert seen["all_folded"] == str(TASKS + 1)


def test_details(seen: dict[str, Any]) -> None:
    """Times, attributes, events, links that lead on, and the resource."""
    for words in ("airflow.task_instance.state", "success", "queued 2.0 s", "service.name"):
        assert words in seen["details"], words
    assert seen["link"] == EVIL
    assert seen["jumped"].startswith(EVIL)


def test_zoom(seen: dict[str, Any]) -> None:
    """A span of nine seconds in an hour and a half fills the page."""
    assert seen["zoomed"] > 50
    assert seen["whole"] == 1


def test_for_screen_readers(seen: dict[str, Any]) -> None:
    """Each row says its level, whether it is unfolded, and in words what the picture shows."""
    assert (seen["first"]["level"], seen["first"]["expanded"]) == ("1", "true")
    assert seen["first"]["label"] == "dag_run.orders, failed, 1:23:50, failed"


def test_dark(page: Path, seen: dict[str, Any]) -> None:
    """Where the system is dark, so is the page."""
    dark = play(page, "--blink-settings=preferredColorScheme=0")
    assert seen["background"] == "rgb(255, 255, 255)"
    assert dark["background"] == "rgb(21, 24, 29)"
