"""DbtTracedOperator where no worker is: `execute` called by hand, in a test or a notebook."""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from airflow_provider_pipeline_otel.identity import span_id_of_try, trace_id_of_run
from tests.airflow.sink import Sink
from tests.environments import AIRFLOWS

if TYPE_CHECKING:
    from tests.airflow.sink import Span

STARTED: Final = datetime(2026, 11, 1, 3, tzinfo=UTC)
PROGRAM: Final = Path(__file__).with_name("execute_by_hand.py")


class Played(NamedTuple):
    """What arrived, by name, and what the program printed."""

    spans: dict[str, list[Span]]
    printed: str


@pytest.fixture(
    scope="module", params=AIRFLOWS[-1:], ids=lambda folder: getattr(folder, "name", "none")
)
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Play the program once."""
    home = tmp_path_factory.mktemp("by_hand")
    found = defaultdict[str, list["Span"]](list)
    with Sink() as sink:
        environ = os.environ | {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(home / "spool"),
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint,
        }
        command = [Path(request.param) / "bin" / "python", PROGRAM, STARTED.isoformat()]
        done = subprocess.run(
            command, env=environ, cwd=home, check=True, capture_output=True, text=True
        )
        for span in sink.spans():
            found[span.name].append(span)
    return Played(found, done.stdout.splitlines()[-1])


def test_under_the_try(played: Played) -> None:
    """Its id follows from run and try alone; twice the same is the same span."""
    one, two = played.spans["dbt known run"]
    trace_id = trace_id_of_run("dag", "run", STARTED)
    assert one.trace_id == trace_id.hex()
    assert one.parent_id == span_id_of_try(trace_id, "dbt", -1, 2).hex()
    assert (one.trace_id, one.span_id) == (two.trace_id, two.span_id)


def test_a_trace_of_its_own(played: Played) -> None:
    """Where nothing is known of the run, there is no span that it could hang under."""
    one, two = played.spans["dbt unknown run"]
    assert not one.parent_id
    assert (one.trace_id, one.span_id) == (two.trace_id, two.span_id)


def test_under_what_the_environment_carries(played: Played) -> None:
    """TRACEPARENT is the parent, as for any program."""
    one, two = played.spans["dbt carried"]
    assert (one.trace_id, one.parent_id) == ("a" * 32, "b" * 16)
    assert one.span_id == two.span_id


def test_off(played: Played) -> None:
    """Not enabled, SDK disabled, carried trace not sampled: dbt runs, and nothing is drawn."""
    assert played.spans.keys() == {"dbt known run", "dbt unknown run", "dbt carried"}


def test_many_failures_make_one_message(played: Played) -> None:
    """The first 20 by name, the others as a number; whether spans are drawn or not."""
    said = json.loads(played.printed)
    named = ", ".join(f"m{number:02}" for number in range(20))
    assert said == {
        "type": "AirflowException",
        "message": f"dbt many failed (exit code 1): {named} and 5 more",
    }
