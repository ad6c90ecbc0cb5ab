"""One performance per Airflow environment, shared by all tests that ask for its verdicts."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from demo.instance import AirflowInstance
from tests.airflow.performance import DAGS, Performance, write_report
from tests.airflow.postgresql import database, reason_for_no_driver
from tests.airflow.sink import Sink
from tests.environments import NO_AIRFLOW, environments, skip_without
from tests.transactions.server import reason_for_none, server

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
# A name of 250 characters does not fit into a folder's name with Airflow's own template.
LOG_FILE = (
    "{{ ti.dag_id[:40] }}/{{ ti.run_id }}/"
    "{{ ti.task_id[:40] }}.{{ ti.map_index }}.{{ try_number }}.log"
)
DAG_COUNT = 49
NO_STAGE = pytest.param(None, marks=NO_AIRFLOW, id="none")
Stage: TypeAlias = tuple[Path, bool]

JOINED = bool(os.environ.get("PIPELINE_OTEL_JOINED"))
"""Whether Airflow's own tracing is on, and comes to us (Airflow 3.2 and later; see noxfile.py)."""

AIRFLOW_TRACING = {"AIRFLOW__TRACES__OTEL_ON": "True", "OTEL_TRACES_EXPORTER": "pipeline_otel"}


def stages() -> list[Stage]:
    """Return what is played where: on PostgreSQL the newest, on SQLite the others, one on both."""
    folders = environments()
    if len(folders) == 1 or reason_for_none() is not None:
        return [(folder, False) for folder in folders] + [(folder, True) for folder in folders[-1:]]
    return [(folder, folder == folders[-1]) for folder in folders]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give every stage its own performance."""
    if "performance" in metafunc.fixturenames:
        found = [
            pytest.param(stage, id=f"{stage[0].name}{'-postgresql' if stage[1] else ''}")
            for stage in stages()
        ]
        metafunc.parametrize("performance", found or [NO_STAGE], indirect=True, scope="session")


@pytest.fixture(scope="session")
def performances() -> Iterator[list[tuple[str, Performance]]]:
    """Collect all performances for the report."""
    collected: list[tuple[str, Performance]] = []
    yield collected
    write_report(collected)


@pytest.fixture(scope="session")
def performance(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    performances: list[tuple[str, Performance]],
) -> Iterator[Performance]:
    """Play all situations once on one real Airflow."""
    folder, on_postgresql = request.param
    home = tmp_path_factory.mktemp(folder.name)
    with ExitStack() as stack:
        sink = stack.enter_context(Sink())
        url = None
        if on_postgresql:
            reason = reason_for_none() or reason_for_no_driver(folder)
            if reason:
                skip_without("postgresql", reason)
            url = stack.enter_context(database(folder.name, stack.enter_context(server())))
        airflow = AirflowInstance(
            folder,
            home,
            DAGS,
            database_url=url,
            parallelism=12,
            environment={
                "AIRFLOW__LOGGING__LOG_FILENAME_TEMPLATE": LOG_FILE,
                "AIRFLOW__PIPELINE_OTEL__ENABLED": "True",
                "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(home / "spool"),
                "OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint,
                "OTEL_SERVICE_NAME": "truth",
                # The command line of Airflow 3.0 does not look for a DAG's neighbours by itself.
                "PYTHONPATH": str(DAGS),
            }
            | (AIRFLOW_TRACING if JOINED else {}),
        )
        played = Performance(airflow, sink)
        performances.append((folder.name, played))
        try:
            airflow.start(dag_ids=DAG_COUNT)
            played.play()
        finally:
            airflow.stop()
        yield played
