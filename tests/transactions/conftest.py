"""One Airflow on PostgreSQL per environment, shared by all tests of this folder."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.instance import AirflowInstance
from tests.airflow.postgresql import database
from tests.airflow.sink import Sink
from tests.environments import AIRFLOWS, skip_without
from tests.transactions.server import NAMED, reason_for_none, server
from tests.transactions.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
SHARED_DAGS = HERE.parent / "airflow" / "dags"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Give the URL of a server; skip, and say why, where there is none."""
    reason = reason_for_none()
    if reason is not None:
        skip_without("postgresql", reason)
    with server() as url:
        yield url


def has_drivers(folder: Path) -> bool:
    """Say whether that Airflow can use PostgreSQL: 3.x wants a second, asynchronous driver."""
    ask = "import psycopg2, sys, airflow.version as v; v.version < '3' or __import__('asyncpg')"
    command = [str(folder / "bin" / "python"), "-c", ask]
    return subprocess.run(command, cwd="/", capture_output=True, check=False).returncode == 0


@pytest.fixture(
    scope="session",
    params=AIRFLOWS[-1:],  # the newest: what is asked for is SQLAlchemy's and PostgreSQL's
    ids=lambda folder: getattr(folder, "name", "none"),
)
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgresql: str
) -> Iterator[Stage]:
    """Give a running Airflow with the probe in its processes."""
    folder: Path = request.param
    if not has_drivers(folder):
        skip_without(
            "postgresql",
            f"{folder.name} has no driver for PostgreSQL: psycopg2, on Airflow 3 asyncpg too",
        )
    home = tmp_path_factory.mktemp(folder.name)
    with pytest.MonkeyPatch.context() as patch, Sink() as sink:
        patch.setenv(NAMED, postgresql)
        with database(folder.name) as url:
            airflow = AirflowInstance(
                folder,
                home,
                HERE / "dags",
                database_url=url,
                environment={
                    "AIRFLOW__CORE__PLUGINS_FOLDER": str(HERE / "plugins"),
                    "AIRFLOW__PIPELINE_OTEL__ENABLED": "True",
                    "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(home / "spool"),
                    "OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint,
                    "OTEL_METRICS_EXPORTER": "none",  # it lives on while tests without sockets run
                    "PYTHONPATH": str(SHARED_DAGS),
                },
            )
            try:
                airflow.start(dag_ids=3)
                yield Stage(airflow, sink)
            finally:
                if "scheduler" in airflow.processes:  # politely, it waits for its executor
                    airflow.send_signal("scheduler", signal.SIGKILL)
                airflow.stop()
