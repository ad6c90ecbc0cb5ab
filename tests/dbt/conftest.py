"""Real dbt in an environment of its own, a project, and one Airflow per environment."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.instance import AirflowInstance
from tests.airflow.sink import Sink
from tests.dbt.shop_runs import Shop
from tests.environments import AIRFLOWS, ROOT, skip_without

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
DBT = Path(os.environ.get("PIPELINE_OTEL_DBT") or ROOT / ".venvs" / "dbt") / "bin" / "dbt"


@pytest.fixture(scope="session")
def dbt_executable() -> Path:
    """Give dbt; skip, and say why, where there is none."""
    if not DBT.exists():
        reason = f"no dbt at {DBT}: make .venvs/dbt/ready, or name a folder in PIPELINE_OTEL_DBT"
        skip_without("dbt", reason)
    return DBT


@pytest.fixture(
    scope="session",
    params=AIRFLOWS[-1:],  # the newest; nox plays all of them
    ids=lambda folder: getattr(folder, "name", "none"),
)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, dbt_executable: Path
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
                "SHOP_PROJECT": str(project),
                "SHOP_DATABASES": str(home / "databases"),
                "SHOP_DBT": str(dbt_executable),
            },
        )
        try:
            airflow.start(dag_ids=5)
            yield Shop(airflow, sink, home)
        finally:
            airflow.stop()
