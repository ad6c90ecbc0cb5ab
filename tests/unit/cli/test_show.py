"""`pipeline-otel show` draws what lies in the spool, however much, however incomplete."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_pipeline_otel.cli import main
from airflow_provider_pipeline_otel.export.writer import SpanWriter
from airflow_provider_pipeline_otel.identity import span_id_of_run
from airflow_provider_pipeline_otel.record import Link, SpanRecord, StatusCode

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.export.spool import Spool

SECOND = 10**9
ROOT = b"\x01" * 8


def record(number: int, name: str, parent: bytes = ROOT, **fields: Any) -> SpanRecord:
    """Return a span of a run."""
    said = {"airflow.dag_id": "orders", "airflow.dag_run.run_id": "r1"}
    return SpanRecord(
        fields.pop("trace_id", b"t" * 16),
        number.to_bytes(8, "big"),
        parent,
        name,
        fields.pop("start", 1) * SECOND,
        fields.pop("end", 3) * SECOND,
        said | fields.pop("attributes", {}),
        **fields,
    )


def root(**fields: Any) -> SpanRecord:
    """Return the root."""
    said = {"airflow.dag_run.state": "success"} | fields.pop("attributes", {})
    made = record(0, "dag_run.orders", b"", start=1, end=9, attributes=said, **fields)
    return SpanRecord(
        made.trace_id, ROOT, b"", made.name, made.start_ns, made.end_ns, made.attributes
    )


@pytest.fixture
def writer(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> SpanWriter:
    """Writes into the spool that the command looks at."""
    monkeypatch.setenv("AIRFLOW__PIPELINE_OTEL__SPOOL_DIR", str(spool.folder))
    monkeypatch.setenv("AIRFLOW__PIPELINE_OTEL__ENABLED", "True")
    monkeypatch.setenv("COLUMNS", "200")
    return SpanWriter(spool, {"service.name": "unit"})


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what the command prints."""
    assert main(["show", *arguments]) == 0
    return capsys.readouterr().out


def test_a_run_is_a_tree(writer: SpanWriter, capsys: pytest.CaptureFixture[str]) -> None:
    """Names, tries, states, counts and links."""
    writer.write_finished(
        [
            root(),
            record(
                2,
                "task_run.load",
                status=StatusCode.ERROR,
                attributes={
                    "airflow.task_instance.state": "failed",
                    "airflow.task_instance.try_number": 2,
                    "airflow.task_instance.map_index": 4,
                    "airflow.task_instance.queued_duration": 12.0,
                },
                links=(Link(b"t" * 16, b"x" * 8, {"airflow.link.type": "retry"}),),
            ),
            record(
                3,
                "load",
                (2).to_bytes(8, "big"),
                attributes={
                    "error.type": "KeyError",
                    "pipeline.sink.system": "postgres",
                    "pipeline.records.written": 1234567,
                    "pipeline.records.failed.KeyError": 3,
                    "pipeline.bytes.processed": 2_500_000,
                },
            ),
        ]
    )
    out = shown(capsys)
    assert "orders  r1" in out
    assert "└─ ✘ task_run.load [4] try 2" in out
    for words in ("failed", "queued 12.0 s", "↪ retry", "KeyError", "to postgres"):
        assert words in out
    for words in ("1,234,567 written", "3 KeyError", "2.5 MB"):
        assert words in out
    assert "\x1b" not in out, "colour belongs to a terminal"
    assert "incomplete" not in out


def test_what_waited_shows(writer: SpanWriter, capsys: pytest.CaptureFixture[str]) -> None:
    """A deferred try has no process in between."""
    above = (2).to_bytes(8, "big")
    writer.write_finished(
        [
            root(),
            record(2, "task_run.wait", start=1, end=9),
            record(3, "worker.wait", above, start=1, end=2),
            record(4, "worker.wait", above, start=8, end=9),
        ]
    )
    assert "waited 6.0 s between 2 workers" in shown(capsys)


def test_a_run_that_goes_on_says_so(writer: SpanWriter, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody has written its root, nor the try that goes on: they are drawn open."""
    root_id, try_id = span_id_of_run(b"t" * 16), b"y" * 8
    said = {"airflow.task_id": "load", "airflow.task_instance.try_number": 2}
    writer.write_finished([record(4, "task_run.extract", root_id, start=1, end=2)])
    writer.write_ended(record(6, "stage", (5).to_bytes(8, "big")))
    writer.write_open(record(5, "worker.load", try_id, start=3, end=0, attributes=said))
    out = shown(capsys)
    assert "incomplete: the run goes on" in out
    drawn = [line.rstrip() for line in out.splitlines() if " ○ " in f" {line}"]
    assert [re.split(r"\s{2,}", line.strip("│├└─ "))[0] for line in drawn] == [
        "○ dag_run.orders",
        "○ task_run.extract",
        "○ task_run.load try 2",
        "○ worker.load",
        "○ stage",
    ]
    assert out.count(" open ") == 3
    assert "have no parent" not in out


def test_what_is_not_written_is_drawn_and_not_told(
    writer: SpanWriter, capsys: pytest.CaptureFixture[str]
) -> None:
    """JSON holds what the spool holds."""
    writer.write_open(
        record(5, "worker.load", b"y" * 8, end=0, attributes={"airflow.task_id": "l"})
    )
    (line,) = shown(capsys, "--json").splitlines()
    assert [span["name"] for span in json.loads(line)["spans"]] == ["worker.load"]


def test_a_user_span_named_like_a_worker_has_no_try(
    writer: SpanWriter, capsys: pytest.CaptureFixture[str]
) -> None:
    """It lacks what tells a try."""
    writer.write_finished([root(), record(2, "worker.of_mine", b"z" * 8)])
    assert "incomplete: 1 spans have no parent here" in shown(capsys)


def test_a_missing_parent_is_said(writer: SpanWriter, capsys: pytest.CaptureFixture[str]) -> None:
    """What hangs below it is shown all the same."""
    writer.write_finished([root(), record(2, "lost", b"z" * 8)])
    out = shown(capsys)
    assert "incomplete: 1 spans have no parent here" in out
    assert "lost" in out


def test_many_instances_are_folded(writer: SpanWriter, capsys: pytest.CaptureFixture[str]) -> None:
    """10,000 spans are a screenful: failures first, the rest by number and state."""
    spans = [root()]
    for number in range(2, 10_002):
        failed = number % 1000 == 0
        state = "failed" if failed else "success"
        status = StatusCode.ERROR if failed else StatusCode.OK
        said = {
            "airflow.task_instance.state": state,
            "airflow.task_instance.map_index": number,
        }
        spans.append(record(number, "task_run.each", status=status, attributes=said))
    writer.write_finished(spans)
    out = shown(capsys)
    assert len(out.splitlines()) < 30
    assert out.count("✘") == 8
    assert "9,989 more" in out
    assert "2 failed" in out
    assert "9,987 success" in out


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_it_fits_the_terminal(
    writer: SpanWriter,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: str,
) -> None:
    """No line is wider than the screen, and no name is lost."""
    monkeypatch.setenv("COLUMNS", columns)
    writer.write_finished([root(), record(2, "task_run." + "long_name_" * 10)])
    out = shown(capsys)
    assert max(map(len, out.splitlines())) <= int(columns)
    squeezed = "".join(filter(lambda sign: sign.isalpha() or sign == "_", out))
    assert squeezed.count("long_name_") >= 9
    assert re.search(r"^└─ . task_run", out, re.MULTILINE), "the tree is torn"


def test_runs_are_chosen_by_dag_run_and_number(
    writer: SpanWriter, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last ones by default."""
    for number in range(7):
        said = {"airflow.dag_run.run_id": f"run{number}"}
        writer.write_finished(
            [
                record(
                    1,
                    "dag_run.orders",
                    b"",
                    trace_id=bytes([number]) * 16,
                    start=number,
                    attributes=said,
                )
            ]
        )
    assert shown(capsys).count("dag_run.orders") == 5
    assert "run6" in shown(capsys, "--last", "1")
    assert "run0" not in shown(capsys)
    assert "run0" in shown(capsys, "orders", "run0")
    assert main(["show", "other"]) == 1
    assert "No trace of 'other'" in capsys.readouterr().err


def test_json_has_every_span(writer: SpanWriter, capsys: pytest.CaptureFixture[str]) -> None:
    """A trace per line."""
    writer.write_finished([root(), record(2, "task_run.load")])
    (line,) = shown(capsys, "--json").splitlines()
    spans = json.loads(line)["spans"]
    assert [span["name"] for span in spans] == ["dag_run.orders", "task_run.load"]
    assert spans[0]["resource"] == {"service.name": "unit"}


def test_one_file_can_be_shown(
    writer: SpanWriter, capsys: pytest.CaptureFixture[str], spool: Spool
) -> None:
    """A segment that somebody sent."""
    writer.write_finished([root()])
    (path,) = spool.sealed()
    assert "dag_run.orders" in shown(capsys, "--file", str(path))


def test_an_empty_spool_says_what_to_do(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where it looked, and which option is missing."""
    monkeypatch.setenv("AIRFLOW__PIPELINE_OTEL__SPOOL_DIR", str(spool.folder))
    monkeypatch.delenv("AIRFLOW__PIPELINE_OTEL__ENABLED", raising=False)
    assert main(["show"]) == 1
    said = capsys.readouterr().err
    assert str(spool.folder) in said
    assert "AIRFLOW__PIPELINE_OTEL__ENABLED=True" in said
