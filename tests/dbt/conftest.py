"""Real dbt in an environment of its own, a project, and one Airflow per environment."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.instance import AirflowInstance
from tests.airflow.sink import Sink
from tests.dbt.shop_runs import Dbt, Shop
from tests.environments import AIRFLOW_TRACING, AIRFLOWS, ROOT, skip_without

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
DBT = Dbt(Path(os.environ.get("PIPELINE_OTEL_DBT") or ROOT / ".venvs" / "dbt"))
REPORT = "PIPELINE_OTEL_DBT_REPORT"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write which dbt it was, and how many tests came out how, to PIPELINE_OTEL_DBT_REPORT."""
    if file := os.environ.get(REPORT):
        outcomes = ("passed", "failed", "error", "skipped")
        counts = {word: len(terminalreporter.stats.get(word, ())) for word in outcomes}
        Path(file).write_text(json.dumps({"dbt": DBT.packages(), **counts}))


@pytest.fixture(scope="session")
def installed_dbt() -> Dbt:
    """Give dbt; skip, and say why, where there is none."""
    if not DBT.executable.exists():
        named = "make .venvs/dbt/ready, or name a folder in PIPELINE_OTEL_DBT"
        reason = f"no dbt at {DBT.executable}: {named}"
        skip_without("dbt", reason)
    return DBT


@pytest.fixture(
    scope="session",
    params=AIRFLOWS[-1:],  # the newest; nox plays all of them
    ids=lambda folder: getattr(folder, "name", "none"),
)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, installed_dbt: Dbt
) -> Iterator[Shop]:
    """Give a running Airflow with the project's DAGs; the project's folder can't be written to."""
    home = tmp_path_factory.mktemp(request.param.name)
    project = shutil.copytree(HERE / "shop", home / "shop")
    (home / "databases").mkdir()
    with Sink() as sink:
        airflow = AirflowInstance(
            request.param,
            home,
            HERE / "dags",
            environment={
                "AIRFLOW__PIPELINE_OTEL__ENABLED": "True",
                "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(home / "spool"),
                "AIRFLOW__SCHEDULER__SCHEDULE_AFTER_TASK_EXECUTION": "False",
                "OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint,
                "OTEL_METRICS_EXPORTER": "none",  # it lives on while tests without sockets run
                "SHOP_PROJECT": str(project),
                "SHOP_DATABASES": str(home / "databases"),
                "SHOP_DBT": str(installed_dbt.executable),
                "SHOP_NATIVE_SPANS": "yes" if installed_dbt.may_be_asked_for_spans else "",
            }
            | AIRFLOW_TRACING,
        )
        try:
            airflow.start(dag_ids=5)
            yield Shop(airflow, sink, home, installed_dbt)
        finally:
            airflow.stop()
