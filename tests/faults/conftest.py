"""One ordeal per Airflow environment, shared by all tests that look at its outcomes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.instance import AirflowInstance
from tests.airflow.sink import Sink
from tests.environments import AIRFLOWS
from tests.faults.ordeal import Ordeal

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
SHARED_DAGS = HERE.parent / "airflow" / "dags"


@pytest.fixture(
    scope="session",
    params=AIRFLOWS,
    ids=lambda folder: getattr(folder, "name", "none"),
)
def ordeal(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ordeal]:
    """Play all faults once on one real Airflow."""
    folder: Path = request.param
    home = tmp_path_factory.mktemp(folder.name)
    (home / "tmp").mkdir()
    with Sink() as sink:
        airflow = AirflowInstance(
            folder,
            home,
            HERE / "dags",
            environment={
                "AIRFLOW__PIPELINE_OTEL__ENABLED": "False",
                "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(home / "spool"),
                "OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint,
                "OTEL_METRICS_EXPORTER": "none",  # it lives on while tests without sockets run
                "PYTHONPATH": f"{HERE / 'inject'}{os.pathsep}{SHARED_DAGS}",
                "TMPDIR": str(home / "tmp"),
                # Airflow 2 runs a hook inside a transaction, which on SQLite holds up heartbeats:
                # how long a task may go without one is left as Airflow has it.
                "AIRFLOW__SCHEDULER__LOCAL_TASK_JOB_HEARTBEAT_SEC": "0",
                "AIRFLOW__SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD": "300",
                # Airflow 2's task processes race its scheduler, and give a task two first tries.
                "AIRFLOW__SCHEDULER__SCHEDULE_AFTER_TASK_EXECUTION": "False",
            },
        )
        ordeal = Ordeal(airflow, sink, home / "spool")
        try:
            ordeal.play()
        finally:
            ordeal.conclude()
        yield ordeal
