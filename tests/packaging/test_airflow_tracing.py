"""Airflow's own tracing (3.2 and later): joined by our exporter, or drawn by another one."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest

from demo.instance import AirflowInstance
from tests.airflow.sink import Sink
from tests.environments import environments

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.airflow.sink import Span

NEWEST: Final = [folder for folder in environments() if folder.name >= "airflow-3.2"][-1:] or [
    pytest.param(None, marks=pytest.mark.skip("no Airflow 3.2 or later"))
]
SETTLED: Final = 10.0
OURS: Final = "airflow_provider_pipeline_otel"
DAGS: Final = """
import random
import threading

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowSkipException
from opentelemetry import trace

from airflow_provider_pipeline_otel import disable_tracing, pipeline_stage

tracer = trace.get_tracer("shop")


def in_thread():
    random.seed(1)  # Airflow's own ids would be the same in each task now
    with tracer.start_as_current_span("alone"), tracer.start_as_current_span("below"):
        pass


def work(index=0):
    with pipeline_stage("inside"):
        thread = threading.Thread(target=in_thread)
        thread.start()
        thread.join()


def again(ti):
    if ti.try_number == 1:
        raise ValueError("password=hunter2")


def skip():
    raise AirflowSkipException


with DAG("joined", schedule=None):
    PythonOperator.partial(task_id="many", python_callable=work).expand(op_args=[[0], [1]])
    PythonOperator(task_id="again", python_callable=again, retries=1, retry_delay=0)
    PythonOperator(task_id="skips", python_callable=skip)
with DAG("quiet", schedule=None) as quiet:
    PythonOperator(task_id="task", python_callable=work)
disable_tracing(quiet)
"""


@pytest.fixture
def sink() -> Iterator[Sink]:
    """Give a collector."""
    with Sink() as sink:
        yield sink


def play(folder: Path, home: Path, sink: Sink, **options: str) -> list[Span]:
    """Run both DAGs, with all the details that Airflow can tell, and return what arrives."""
    (home / "dags").mkdir()
    (home / "dags" / "joined.py").write_text(DAGS)
    environment = {
        "AIRFLOW__PIPELINE_OTEL__ENABLED": "True",
        "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(home / "spool"),
        "AIRFLOW__TRACES__OTEL_ON": "True",
        "OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint,
    }
    airflow = AirflowInstance(folder, home, home / "dags", environment=environment | options)
    airflow.start(dag_ids=2)
    try:
        for dag_id in ("joined", "quiet"):
            airflow.trigger(dag_id, "run", {"airflow/task_span_detail_level": 2})
        for dag_id in ("joined", "quiet"):
            assert airflow.wait(dag_id, "run") == "success"
        time.sleep(SETTLED)
    finally:
        airflow.stop()
    return list(sink.spans())


def check_whole(spans: list[Span]) -> None:
    """No id is there twice, and no parent is missing."""
    times = Counter((span.trace_id, span.span_id) for span in spans)
    assert not [span.name for span in spans if times[span.trace_id, span.span_id] > 1]
    assert not [s.name for s in spans if s.parent_id and (s.trace_id, s.parent_id) not in times]


@pytest.mark.parametrize("folder", NEWEST, ids=lambda folder: getattr(folder, "name", "none"))
def test_joined(folder: Path, tmp_path: Path, sink: Sink) -> None:
    """One true trace, of Airflow's own details too; and nothing of a DAG that is switched off."""
    spans = play(folder, tmp_path, sink, OTEL_TRACES_EXPORTER="pipeline_otel")
    check_whole(spans)
    by_id = {span.span_id: span for span in spans}
    (root,) = (span for span in spans if not span.parent_id)
    assert (root.name, root.status) == ("dag_run.joined", "OK")
    assert {span.trace_id for span in spans} == {root.trace_id}
    tries = [span for span in spans if span.name.startswith("task_run.")]
    assert sorted((span.name, span.status) for span in tries) == [
        ("task_run.again", "ERROR"),
        ("task_run.again", "OK"),
        ("task_run.many", "OK"),
        ("task_run.many", "OK"),
        ("task_run.skips", "UNSET"),
    ]
    workers = [span for span in spans if span.name.startswith("worker.")]
    assert sorted(by_id[span.parent_id].span_id for span in workers) == sorted(
        span.span_id for span in tries
    )
    for span in workers:
        above = by_id[span.parent_id]
        assert (span.name[7:], span.status) == (above.name[9:], above.status)
    details = {span.name for span in spans if span.scope.startswith("airflow.")}
    assert {"parse", "startup", "run", "task.execute", "finalize"} <= details
    for span in spans:
        if span.name in ("inside", "alone", "below"):
            assert "worker.many" in names_above(span, by_id)
        if span.name == "inside":
            assert "task.execute" in names_above(span, by_id)
    assert [span.name for span in spans].count("alone") == 2
    assert not any(b"hunter2" in body for body in sink.bodies)


def names_above(span: Span, by_id: dict[str, Span]) -> list[str]:
    """Return the names of all spans above one."""
    names = []
    while span.parent_id:
        span = by_id[span.parent_id]
        names.append(span.name)
    return names


@pytest.mark.parametrize("folder", NEWEST, ids=lambda folder: getattr(folder, "name", "none"))
def test_another_exporter(folder: Path, tmp_path: Path, sink: Sink) -> None:
    """Stages hang below Airflow's spans, without a skeleton; one line says what to set."""
    spans = play(folder, tmp_path, sink, OTEL_TRACES_EXPORTER="otlp_proto_http")
    ours = [span for span in spans if span.scope == OURS]
    assert [span.name for span in ours] == ["inside"] * 2
    by_id = {span.span_id: span for span in spans}
    assert all(any("worker.many" in name for name in names_above(s, by_id)) for s in ours)
    assert all(span.attributes["pipeline.name"] == "joined" for span in ours)
    assert [span.name for span in spans].count("dag_run.joined") == 1
    log = (tmp_path / "scheduler.log").read_text()
    assert log.count("OTEL_TRACES_EXPORTER=pipeline_otel") == 1


@pytest.mark.parametrize("folder", NEWEST, ids=lambda folder: getattr(folder, "name", "none"))
def test_a_run_that_is_sampled_out_writes_nothing(folder: Path, tmp_path: Path, sink: Sink) -> None:
    """The carrier of the run says so, to every process (Airflow 3.3 and later)."""
    options = {"OTEL_TRACES_EXPORTER": "pipeline_otel", "OTEL_TRACES_SAMPLER": "always_off"}
    if folder.name < "airflow-3.3":
        pytest.skip("Airflow 3.2 says of all runs that they are sampled")
    assert not play(folder, tmp_path, sink, **options)


@pytest.mark.parametrize("folder", NEWEST, ids=lambda folder: getattr(folder, "name", "none"))
def test_where_we_are_off_our_exporter_writes_nothing(
    folder: Path, tmp_path: Path, sink: Sink
) -> None:
    """Airflow's spans go nowhere, and the log says so: their roots would be missing."""
    options = {"OTEL_TRACES_EXPORTER": "pipeline_otel", "AIRFLOW__PIPELINE_OTEL__ENABLED": "False"}
    assert not play(folder, tmp_path, sink, **options)
    assert not list((tmp_path / "spool").rglob("*.seg"))
    log = (tmp_path / "scheduler.log").read_text() + (tmp_path / "api-server.log").read_text()
    assert "[pipeline_otel] enabled = False: Airflow's spans go nowhere" in log
