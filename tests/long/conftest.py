"""Ordeals of minutes, each on a real Airflow: nox plays them, `make test` doesn't."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from demo.instance import AirflowInstance
from tests.airflow.sink import Sink
from tests.environments import JOINED, environments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

collect_ignore_glob = [] if os.environ.get("PIPELINE_OTEL_LONG") else ["test_*.py"]

DAGS: Final = Path(__file__).with_name("dags")


@pytest.fixture(params=environments()[-1:], ids=lambda folder: folder.name)
def folder(request: pytest.FixtureRequest) -> Path:
    """The newest Airflow."""
    found: Path = request.param
    return found


@pytest.fixture(params=[False, True], ids=["alone", "airflows-own-tracing"])
def tracing(request: pytest.FixtureRequest) -> dict[str, str]:
    """Ours alone, and Airflow's own tracing beside it."""
    return JOINED if request.param else {}


@pytest.fixture
def sink() -> Iterator[Sink]:
    """Give a collector."""
    with Sink() as sink:
        yield sink


@pytest.fixture
def start(
    folder: Path, tmp_path: Path, sink: Sink
) -> Callable[..., AbstractContextManager[AirflowInstance]]:
    """Give what starts an Airflow with options, and ends it."""

    @contextmanager
    def start(**options: str) -> Iterator[AirflowInstance]:
        environment = {
            "AIRFLOW__PIPELINE_OTEL__ENABLED": "True",
            "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(tmp_path / "spool"),
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint,
            "ORDEAL_FOLDER": str(tmp_path),
        }
        airflow = AirflowInstance(
            folder, tmp_path, DAGS, parallelism=8, environment=environment | options
        )
        airflow.start(dag_ids=3)
        try:
            yield airflow
        finally:
            airflow.stop()

    return start
