"""What README.md tells a newcomer to write works as it stands there, on every Airflow."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any, Final

import pytest

from demo.instance import AirflowInstance
from tests.environments import AIRFLOWS
from tests.packaging.question import Installed

README: Final = (Path(__file__).parents[2] / "README.md").read_text()
DAGS: Final = {"stages_and_counts": "load = TracedPythonOperator(", "chaining": "XComContextMixin,"}
"""What the snippets contain that are the inside of a DAG."""

Spans = dict[str, dict[str, Any]]


def snippet(language: str, containing: str) -> str:
    """Return the README's one snippet of that language with these words."""
    found = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    (only,) = (text for text in found if containing in text)
    return str(only)


def dag_file(dag_id: str, body: str) -> str:
    """Put a snippet into a DAG, as a newcomer does."""
    dag = f'from airflow import DAG\n\nwith DAG("{dag_id}", schedule=None):\n'
    return dag + textwrap.indent(body, "    ")


def spans_of(shown: str) -> Spans:
    """Return the spans that `pipeline-otel show --json` prints, by name."""
    traces = [json.loads(line)["spans"] for line in shown.splitlines()]
    return {span["name"]: span for spans in traces for span in spans}


@pytest.fixture(
    scope="session", params=AIRFLOWS, ids=lambda folder: getattr(folder, "name", "none")
)
def newcomer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Return a fresh Airflow with the README's lines in airflow.cfg and its snippets as DAGs.

    One option more, from the README's table, is for the command to find where Airflow does.
    """
    home = tmp_path_factory.mktemp(f"newcomer-{request.param.name}")
    dags = home / "dags"
    dags.mkdir()
    enabled = snippet("ini", "[pipeline_otel]")
    (home / "airflow.cfg").write_text(f"{enabled}spool_dir = {home / 'elsewhere'}\n")
    for dag_id, words in DAGS.items():
        (dags / f"{dag_id}.py").write_text(dag_file(dag_id, snippet("python", words)))
    airflow = AirflowInstance(request.param, home, dags)
    airflow.airflow("db", "migrate")
    return Installed(airflow.python, home, airflow.environment)


def run(newcomer: Installed, dag_id: str) -> Spans:
    """Run the DAG, and return what `pipeline-otel show` then has of it."""
    ran = newcomer.command("airflow", "dags", "test", dag_id)
    assert ran.code == 0, ran.output + ran.errors
    shown = newcomer.command("pipeline-otel", "show", dag_id, "--json")
    assert shown.code == 0, shown.errors
    return spans_of(shown.output)


def test_stages_and_counts(newcomer: Installed) -> None:
    """The stage hangs under its worker, and says what the snippet says and counts."""
    spans = run(newcomer, "stages_and_counts")
    assert spans["dag_run.stages_and_counts"]["status"] == "OK"
    assert spans["load"]["parent_span_id"] == spans["worker.load"]["span_id"]
    said = spans["load"]["attributes"]
    told = {
        "pipeline.source.system": "postgres",
        "pipeline.source.table": "shop.orders",
        "pipeline.sink.system": "s3",
        "pipeline.sink.path": "s3://lake/orders",
        "pipeline.records.read": 1000,
        "pipeline.records.written": 998,
        "pipeline.records.failed": 2,
        "pipeline.records.failed.missing_price": 2,
        "pipeline.bytes.processed": 52_000,
    }
    assert {key: said.get(key) for key in told} == told
    run_id = spans["dag_run.stages_and_counts"]["attributes"]["airflow.dag_run.run_id"]
    assert said["pipeline.partition.key"] == run_id


def test_chaining(newcomer: Installed) -> None:
    """The worker of the second task links to that of the first."""
    spans = run(newcomer, "chaining")
    assert spans["dag_run.chaining"]["status"] == "OK"
    (link,) = spans["worker.report"]["links"]
    assert link["span_id"] == spans["worker.extract"]["span_id"]
    assert {"extract", "report"} <= spans.keys()


def test_artifacts_of_dbt(newcomer: Installed) -> None:
    """`pipeline-otel dbt` writes where airflow.cfg says, and draws what it has written."""
    result = {"unique_id": "model.shop.orders", "status": "success", "timing": []}
    run_results = {"metadata": {"invocation_id": "an-id"}, "results": [result]}
    (newcomer.home / "run_results.json").write_text(json.dumps(run_results))
    told = newcomer.command("pipeline-otel", "dbt", "run_results.json", "--show")
    assert told.code == 0, told.errors
    assert "dbt.orders" in told.output
    assert "1 success" in told.output


def test_outside_of_airflow(bare: Installed) -> None:
    """The consumer's stages are in the spool, one below the other, counted."""
    answer = bare.ask(snippet("python", "setup_otel("))
    assert answer.code == 0, answer.errors
    spans = spans_of(bare.command("pipeline-otel", "show", "--json").output)
    assert spans["write"]["parent_span_id"] == spans["batch"]["span_id"]
    assert spans["batch"]["resource"]["service.name"] == "order-consumer"
    counts = spans["batch"]["attributes"]
    assert (counts["pipeline.records.read"], counts["pipeline.records.written"]) == (2, 2)
