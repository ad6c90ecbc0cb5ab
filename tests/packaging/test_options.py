"""What options change in a run of a real Airflow: Airflow's own tracing, and links of triggers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pytest

from demo.instance import AirflowInstance
from tests.airflow.sink import Sink
from tests.environments import AIRFLOWS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.airflow.sink import Span

SETTLED: Final = 8.0
"""Seconds after which what a run leaves has arrived, as the demo waits too."""

OURS: Final = "airflow_provider_pipeline_otel"
DAGS: Final = """
import os
import signal

try:
    from airflow.providers.standard.operators.python import PythonOperator
    from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
    from airflow.sdk import DAG
except ImportError:
    from airflow import DAG
    from airflow.operators.python import PythonOperator
    from airflow.operators.trigger_dagrun import TriggerDagRunOperator
from airflow_provider_pipeline_otel import disable_tracing, pipeline_stage


def work():
    with pipeline_stage("inside"):
        pass


with DAG("plain", schedule=None):
    PythonOperator(task_id="task", python_callable=work)
with DAG("trigger", schedule=None):
    TriggerDagRunOperator(task_id="task", trigger_dag_id="plain", trigger_run_id="triggered")
with DAG("quiet", schedule=None) as quiet:
    PythonOperator(task_id="task", python_callable=work)
disable_tracing(quiet)
with DAG("partly", schedule=None):
    silent = disable_tracing(PythonOperator(task_id="silent", python_callable=work))
    silent >> PythonOperator(task_id="loud", python_callable=work)


def wanted(task_id):
    with pipeline_stage(task_id + " outer"):
        with pipeline_stage(task_id + " inner") as stage:
            if task_id == "kept":
                stage.keep()
        if task_id == "failed":
            raise ValueError("x")
        if task_id == "killed":
            os.kill(os.getpid(), signal.SIGKILL)


with DAG("sampled", schedule=None):
    for name in ("well", "kept", "failed", "killed"):
        PythonOperator(task_id=name, python_callable=wanted, op_args=[name])
"""


@pytest.fixture
def sink() -> Iterator[Sink]:
    """Give a collector."""
    with Sink() as sink:
        yield sink


def prepared(folder: Path, home: Path, sink: Sink, **options: str) -> AirflowInstance:
    """Return an Airflow of which nothing runs yet."""
    (home / "dags").mkdir()
    (home / "dags" / "options.py").write_text(DAGS)
    environment = {
        "AIRFLOW__PIPELINE_OTEL__ENABLED": "True",
        "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(home / "spool"),
        "AIRFLOW__TRACES__OTEL_HOST": "127.0.0.1",
        "AIRFLOW__TRACES__OTEL_PORT": sink.endpoint.rpartition(":")[2],
        "OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    }
    return AirflowInstance(folder, home, home / "dags", environment=environment | options)


@pytest.mark.parametrize("folder", AIRFLOWS, ids=lambda folder: getattr(folder, "name", "none"))
def test_airflows_own_tracing(folder: Path, tmp_path: Path, sink: Sink) -> None:
    """From 3.2 on no skeleton of ours is drawn beside it; before, ours is whole, and says so.

    What our exporter makes of it: test_airflow_tracing.py.
    """
    airflow = prepared(folder, tmp_path, sink, AIRFLOW__TRACES__OTEL_ON="True")
    with airflow:
        airflow.trigger("plain", "run")
        assert airflow.wait("plain", "run") == "success"
        time.sleep(SETTLED)
    spans = [span for span in sink.spans() if span.scope == OURS]
    ours = {span.name: span for span in spans}
    assert len(ours) == len(spans), "a span is there twice"
    warned = "traces of its own beside ours" in (tmp_path / "scheduler.log").read_text()
    if tuple(map(int, airflow.version.split(".")[:2])) >= (3, 2):
        assert not {"dag_run.plain", "task_run.task", "worker.task"} & ours.keys()
        assert not warned
    else:
        assert ours["dag_run.plain"].parent_id == ""
        assert ours["task_run.task"].parent_id == ours["dag_run.plain"].span_id
        assert ours["worker.task"].parent_id == ours["task_run.task"].span_id
        assert ours["inside"].parent_id == ours["worker.task"].span_id
        assert warned


@pytest.mark.parametrize(
    "folder", AIRFLOWS[-1:], ids=lambda folder: getattr(folder, "name", "none")
)
def test_no_trigger_links(folder: Path, tmp_path: Path, sink: Sink) -> None:
    """With the option off a triggered run's conf is left alone; the truth suite has it on."""
    airflow = prepared(folder, tmp_path, sink, AIRFLOW__PIPELINE_OTEL__TRIGGER_LINKS="False")
    airflow.airflow("db", "migrate")
    assert airflow.airflow("dags", "reserialize").returncode == 0
    done = airflow.airflow("dags", "test", "trigger")
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = airflow.query("SELECT conf FROM dag_run WHERE run_id = 'triggered'")
    assert "traceparent" not in str(row["conf"])


@pytest.mark.parametrize("folder", AIRFLOWS, ids=lambda folder: getattr(folder, "name", "none"))
def test_what_is_switched_off_leaves_no_trace(folder: Path, tmp_path: Path, sink: Sink) -> None:
    """DAGs by pattern and by hand; of a task its run alone says what the database says."""
    airflow = prepared(
        folder,
        tmp_path,
        sink,
        AIRFLOW__PIPELINE_OTEL__DISABLED_DAGS="pl?in",
        AIRFLOW__PIPELINE_OTEL__DAG_SAMPLE_RATIOS="sampled=0",
    )
    with airflow:
        for dag_id in ("sampled", "plain", "quiet", "partly"):
            airflow.trigger(dag_id, "run")
        for dag_id in ("plain", "quiet", "partly"):
            assert airflow.wait(dag_id, "run") == "success"
        assert airflow.wait("sampled", "run") == "failed"
        time.sleep(SETTLED)
    spans = [span for span in sink.spans() if span.scope == OURS]
    check_sampled([span for span in spans if span.attributes["pipeline.name"] == "sampled"])
    spans = [span for span in spans if span.attributes["pipeline.name"] != "sampled"]
    assert sorted(span.name for span in spans) == [
        "dag_run.partly",
        "inside",
        "task_run.loud",
        "task_run.silent",
        "worker.loud",
    ]
    assert len({span.trace_id for span in spans}) == 1
    assert sink.metrics, "the process beside the scheduler reports the spool's state"


def check_sampled(spans: list[Span]) -> None:
    """The skeleton is whole; details are those of processes that did not just end well."""
    names = [span.name for span in spans]
    assert len(set(names)) == len(names)
    tasks = ("well", "kept", "failed", "killed")
    processes = {f"{kind}.{task}" for kind in ("task_run", "worker") for task in tasks}
    details = {f"{task} {stage}" for task in tasks[1:] for stage in ("outer", "inner")}
    assert set(names) == {"dag_run.sampled"} | processes | details
    ids = {span.span_id for span in spans}
    assert not [span.name for span in spans if span.parent_id and span.parent_id not in ids]
    interrupted = {span.name for span in spans if span.attributes.get("pipeline.interrupted")}
    assert interrupted == {"worker.killed", "killed outer"}
