"""DbtTracedOperator where no worker is: `execute` called by hand, in a test or a notebook."""

from __future__ import annotations

import os
import subprocess
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from airflow_provider_pipeline_otel.identity import span_id_of_try, trace_id_of_run
from tests.airflow.sink import Sink
from tests.environments import AIRFLOWS

if TYPE_CHECKING:
    from tests.airflow.sink import Span

STARTED: Final = datetime(2026, 11, 1, 3, tzinfo=UTC)
EXECUTE: Final = f"""
import os
from datetime import datetime
from types import SimpleNamespace
from airflow_provider_pipeline_otel import DbtTracedOperator

ti = SimpleNamespace(dag_id="dag", run_id="run", task_id="dbt", map_index=-1, try_number=2)
run = SimpleNamespace(start_date=datetime.fromisoformat("{STARTED.isoformat()}"))

def execute(name, **known):
    own = {{"project_dir": ".", "dbt_executable": "true"}}
    operator = DbtTracedOperator(task_id="dbt", command=name, **own)
    for _ in range(2):
        operator.execute({{"ti": ti, **known}})

execute("not enabled", dag_run=run)
os.environ["AIRFLOW__PIPELINE_OTEL__ENABLED"] = "True"
execute("known run", dag_run=run)
execute("unknown run")
os.environ["OTEL_SDK_DISABLED"] = "true"
execute("disabled", dag_run=run)
"""
"""With a dbt that does nothing; each twice."""


@pytest.fixture(
    scope="module", params=AIRFLOWS[-1:], ids=lambda folder: getattr(folder, "name", "none")
)
def spans(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Span]]:
    """Give what came, by name."""
    home = tmp_path_factory.mktemp("by_hand")
    found = defaultdict[str, list["Span"]](list)
    with Sink() as sink:
        environ = os.environ | {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(home / "spool"),
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint,
        }
        command = [Path(request.param) / "bin" / "python", "-c", EXECUTE]
        subprocess.run(command, env=environ, cwd=home, check=True, capture_output=True)
        for span in sink.spans():
            found[span.name].append(span)
    return found


def test_under_the_try(spans: dict[str, list[Span]]) -> None:
    """Its id follows from run and try alone; twice the same is the same span."""
    one, two = spans["dbt known run"]
    trace_id = trace_id_of_run("dag", "run", STARTED)
    assert one.trace_id == trace_id.hex()
    assert one.parent_id == span_id_of_try(trace_id, "dbt", -1, 2).hex()
    assert (one.trace_id, one.span_id) == (two.trace_id, two.span_id)


def test_a_trace_of_its_own(spans: dict[str, list[Span]]) -> None:
    """Where nothing is known of the run, there is no span that it could hang under."""
    one, two = spans["dbt unknown run"]
    assert not one.parent_id
    assert (one.trace_id, one.span_id) == (two.trace_id, two.span_id)


def test_off(spans: dict[str, list[Span]]) -> None:
    """Where the provider isn't enabled, or the SDK is disabled, dbt runs and nothing is drawn."""
    assert spans.keys() == {"dbt known run", "dbt unknown run"}
