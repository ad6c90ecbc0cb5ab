"""Who forks beside us never hangs, and is warned no more often than without us."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from demo.instance import AirflowInstance
from tests.airflow.sink import Sink
from tests.forks.interpreters import new_airflows, with_package
from tests.forks.tls import TlsSink

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE: Final = Path(__file__).parent
SHARED_DAGS: Final = HERE.parent / "airflow" / "dags"
FORKS: Final = 1000
WARNING: Final = re.compile(r"use of fork\(\) may lead to deadlocks")
NO_PYTHON: Final = "no Python 3.12 or later with uv beside it: older ones don't warn of forks"
NO_AIRFLOW: Final = "no Airflow on Python 3.12 or later among PIPELINE_OTEL_AIRFLOW or .venvs/"


AIRFLOWS: Final[list[object]] = [*new_airflows()] or [
    pytest.param(None, marks=pytest.mark.skip(NO_AIRFLOW))
]


@pytest.mark.timeout(300)
def test_children_beside_a_delivery_over_tls(tmp_path: Path) -> None:
    """All of 2,000 children that are forked while a delivery is inside TLS connect and end."""
    python = with_package(tmp_path / "venv")
    if python is None:
        pytest.skip(NO_PYTHON)
    with TlsSink(tmp_path) as sink:
        environment = {
            "PATH": os.defpath,
            "HOME": str(tmp_path),
            "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(tmp_path / "spool"),
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint,
            "OTEL_EXPORTER_OTLP_CERTIFICATE": str(sink.certificate),
        }
        command = [str(python), str(HERE / "programs" / "forking.py"), str(FORKS)]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        names = [span.name for span in sink.spans()]
    assert (found["well"], found["badly"], found["hung"]) == (FORKS, 0, 0), found
    assert found["beside"] > FORKS // 4, "hardly a fork came beside a delivery"
    assert found["met_a_thread"] == 0, "a thread that ends still holds locks of DNS and TLS"
    assert sorted(names) == sorted(f"delivery {n}" for n in range(found["deliveries"]))


@pytest.fixture(
    params=AIRFLOWS,
    ids=lambda folder: getattr(folder, "name", "none"),
)
def airflow(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AirflowInstance]:
    """Give an Airflow that shows every warning, without us at first."""
    with Sink() as sink:
        airflow = AirflowInstance(
            request.param,
            tmp_path / "home",
            HERE / "dags",
            environment={
                "AIRFLOW__PIPELINE_OTEL__ENABLED": "False",
                "OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint,
                "PYTHONPATH": str(SHARED_DAGS),
                "PYTHONWARNINGS": "always::DeprecationWarning",
            },
            parallelism=1,
        )
        try:
            airflow.start(dag_ids=1)
            yield airflow
        finally:
            airflow.send_signal("scheduler", signal.SIGKILL)  # politely, it waits for its executor
            airflow.stop()


@pytest.mark.timeout(300)
def test_no_more_warnings_than_without_us(airflow: AirflowInstance) -> None:
    """Scheduler and task logs hold as many warnings of forks with us as without us."""
    without = _warnings(airflow, "without-us")
    airflow.environment["AIRFLOW__PIPELINE_OTEL__ENABLED"] = "True"
    airflow.restart("scheduler", signal.SIGKILL)
    (airflow.home / "scheduler.log").write_text("")
    assert _warnings(airflow, "with-us") == without


def _warnings(airflow: AirflowInstance, run_id: str) -> dict[str, int]:
    airflow.trigger("forker", run_id)
    assert airflow.wait("forker", run_id) == "success"
    logs = {path.parent.name: path for path in airflow.home.glob(f"logs/*/run_id={run_id}/*/*.log")}
    logs["scheduler"] = airflow.home / "scheduler.log"
    return {name: len(WARNING.findall(path.read_text())) for name, path in logs.items()}
