"""One performance per Airflow environment, shared by all tests that ask for its verdicts."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from demo.instance import AirflowInstance
from tests.airflow.celery import celery, redis
from tests.airflow.performance import DAGS, Performance, write_report
from tests.airflow.postgresql import database, reason_for_no_driver
from tests.airflow.sink import Sink
from tests.environments import AIRFLOW_TRACING, NO_AIRFLOW, environments, skip_without
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

SCHEDULERS = int(os.environ.get("PIPELINE_OTEL_SCHEDULERS", "1"))
"""How many schedulers there are; several share nothing but the database: each has its own spool."""

CELERY_WORKERS = int(os.environ.get("PIPELINE_OTEL_CELERY_WORKERS", "0"))
"""How many workers of Celery there are, with a Redis between; each has its own spool, too."""

APART = SCHEDULERS > 1 or CELERY_WORKERS > 0

WINDOW = os.environ.get("PIPELINE_OTEL_WINDOW", "20")
"""Seconds of a window: so short that most runs go on over several of them."""


def stages() -> list[Stage]:
    """Return what is played where: what is named on both databases, else the newest on PostgreSQL.

    Where no PostgreSQL can be had, the newest is played on SQLite.
    """
    folders = environments()
    if APART:
        return [(folder, True) for folder in folders]
    if os.environ.get("PIPELINE_OTEL_AIRFLOW"):
        return [(folder, on_postgresql) for folder in folders for on_postgresql in (False, True)]
    return [(folder, reason_for_none() is None) for folder in folders[-1:]]


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
            if CELERY_WORKERS and shutil.which("redis-server") is None:
                skip_without("redis", "no redis-server: install one")
            url = stack.enter_context(database(folder.name, stack.enter_context(server())))
        airflow = AirflowInstance(
            folder,
            home,
            DAGS,
            database_url=url,
            parallelism=12,
            schedulers=SCHEDULERS,
            celery_workers=CELERY_WORKERS,
            environment_of=lambda name: _own_spool(home, name) if APART else {},
            environment={
                "AIRFLOW__LOGGING__LOG_FILENAME_TEMPLATE": LOG_FILE,
                "AIRFLOW__PIPELINE_OTEL__ENABLED": "True",
                "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(home / "spool"),
                "AIRFLOW__PIPELINE_OTEL__WINDOW": WINDOW,
                "OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint,
                "OTEL_SERVICE_NAME": "truth",
                "OTEL_RESOURCE_ATTRIBUTES": f"airflow={_major(folder)},apart={APART}",
                # The command line of Airflow 3.0 does not look for a DAG's neighbours by itself.
                "PYTHONPATH": str(DAGS),
            }
            | AIRFLOW_TRACING
            | (celery(stack.enter_context(redis()), url) if CELERY_WORKERS else {}),
        )
        # Where many wait for SQLite's one writer, the API server of Airflow 3 comes to an end.
        is_crowded = not on_postgresql and not airflow.is_airflow_2
        played = Performance(airflow, sink, at_once=12 if is_crowded else 100)
        performances.append((folder.name, played))
        try:
            airflow.start(dag_ids=DAG_COUNT)
            played.play()
        finally:
            airflow.stop()
        yield played


def _own_spool(home: Path, component: str) -> dict[str, str]:
    return {"AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(home / f"spool-{component}")}


def _major(folder: Path) -> str:
    """Return the first number of an environment's Airflow."""
    program = "from importlib.metadata import version; print(version('apache-airflow')[0])"
    command = [str(folder / "bin" / "python"), "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
