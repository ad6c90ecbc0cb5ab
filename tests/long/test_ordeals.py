"""Outages, kills and secrets, by the hundred."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.unit.redaction.canaries import EXCEPTIONS, FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from demo.instance import AirflowInstance
    from tests.airflow.sink import Mode, Sink, Span
    from tests.unit.redaction.canaries import Canary

    Start = Callable[..., AbstractContextManager[AirflowInstance]]

pytestmark = pytest.mark.timeout(1500)

OUTAGE: Final[tuple[Mode, ...]] = ("refuse", "hang", "503", "ok")
SECONDS_OF_EACH: Final = 15.0
HIDDEN: Final = "Zt7#kkQ2-uncommon"


def drain(airflow: AirflowInstance) -> dict[str, object]:
    """Deliver what is left, and return the state of the spool."""
    done = subprocess.run(
        [airflow.python.with_name("pipeline-otel"), "drain", "--json"],
        env=airflow.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    state: dict[str, object] = json.loads(done.stdout)["spool"]
    return state


def check_whole(spans: list[Span]) -> None:
    """No id is there twice, no parent is missing, and there is one root."""
    times = Counter(span.span_id for span in spans)
    assert not [span.name for span in spans if times[span.span_id] > 1]
    assert not [span.name for span in spans if span.parent_id and span.parent_id not in times]
    assert len([span for span in spans if not span.parent_id]) == 1


def test_200_tasks_through_an_outage(start: Start, sink: Sink, tracing: dict[str, str]) -> None:
    """Refused, hanging, 503, and well again: nothing is lost, nothing is there twice."""
    with start(**tracing) as airflow:
        airflow.trigger("many", "run")
        time.sleep(SECONDS_OF_EACH)
        for mode in OUTAGE:
            sink.mode = mode
            time.sleep(SECONDS_OF_EACH)
        assert airflow.wait("many", "run", timeout=600) == "success"
        time.sleep(SECONDS_OF_EACH)
        state = drain(airflow)
    spans = [span for span in sink.spans() if span.attributes.get("pipeline.name") == "many"]
    check_whole(spans)
    names = Counter(span.name for span in spans)
    assert names == {"dag_run.many": 1, "task_run.task": 200, "worker.task": 200, "stage": 200}
    assert {span.status for span in spans} == {"OK"}
    assert state["spans_waiting"] == 0
    assert not state["spans_dropped"]
    assert not state["spans_refused"]


def test_100_killed_processes(
    start: Start, sink: Sink, tracing: dict[str, str], tmp_path: Path
) -> None:
    """Every span that ended is there, every one that was open is marked as interrupted."""
    with start(**tracing) as airflow:
        airflow.trigger("deadly", "run")
        assert airflow.wait("deadly", "run", timeout=900) == "failed"
        time.sleep(SECONDS_OF_EACH)
        drain(airflow)
    spans = [span for span in sink.spans() if span.attributes.get("pipeline.name") == "deadly"]
    check_whole(spans)
    interrupted = {s.name for s in spans if s.attributes.get("pipeline.interrupted")}
    ended = {span.name for span in spans} - interrupted
    names = Counter(span.name for span in spans)
    assert names["task_run.task"] == names["worker.task"] == 100
    for number in range(100):
        told = set((tmp_path / f"ended-{number}").read_text().split())
        assert told <= ended, sorted(told - ended)[:5]
        assert {f"{letter}{number}" for letter in "abc"} <= interrupted


def grow(families: Mapping[str, st.SearchStrategy[Canary]]) -> list[Canary]:
    """Return a secret of each family."""
    grown: list[Canary] = []

    @settings(
        max_examples=3,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(st.fixed_dictionaries(dict(families)))
    def draw(found: dict[str, Canary]) -> None:
        grown[:] = found.values()

    draw()
    return grown


def test_secrets_stay_inside(
    start: Start, sink: Sink, tracing: dict[str, str], tmp_path: Path
) -> None:
    """In conf, params, XCom, connections, arguments, attributes, events, links, errors and logs."""
    texts, messages = grow(FAMILIES), grow(EXCEPTIONS)
    found = {"texts": [one.text for one in texts], "messages": [one.text for one in messages]}
    (tmp_path / "canaries.json").write_text(json.dumps(found))
    connection = json.dumps({"conn_type": "http", "password": HIDDEN})
    with start(AIRFLOW_CONN_SECRET=connection, **tracing) as airflow:
        conf = {f"secret{number}": canary.text for number, canary in enumerate(texts)}
        airflow.trigger("leaky", "run", conf)
        assert airflow.wait("leaky", "run", timeout=900) == "failed"
        time.sleep(SECONDS_OF_EACH)
        drain(airflow)
    seen = [*sink.bodies, *(p.read_bytes() for p in (tmp_path / "spool").rglob("*") if p.is_file())]
    secrets = {secret for canary in (*texts, *messages) for secret in canary.secrets} | {HIDDEN}
    times = Counter(span.name for span in sink.spans())
    assert (times["leaks"], times["fails"]) == (len(texts), len(messages))
    assert not [secret for secret in secrets if any(secret.encode() in data for data in seen)]
