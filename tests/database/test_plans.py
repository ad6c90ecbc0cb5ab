"""No query of ours reads a big table as a whole, among 1,000,000 task instances."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from demo.instance import AirflowInstance
from tests.airflow.postgresql import database, reason_for_no_driver
from tests.environments import AIRFLOWS, skip_without
from tests.transactions.server import reason_for_none, server

BIG: Final = {"dag_run", "task_instance", "task_instance_history", "job"}

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(params=AIRFLOWS, ids=lambda folder: getattr(folder, "name", "none"))
def plans(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[dict[str, Any]]]:
    """Fill a database, ask all that we ever ask, and give the plans."""
    folder: Path = request.param
    reason = reason_for_none() or reason_for_no_driver(folder)
    if reason:
        skip_without("postgresql", reason)
    with server() as at, database(folder.name, at) as url:
        airflow = AirflowInstance(folder, tmp_path, tmp_path, database_url=url)
        assert airflow.airflow("db", "migrate").returncode == 0
        program = Path(__file__).with_name("fill.py")
        done = subprocess.run(
            [airflow.python, program],
            cwd=tmp_path,
            env=airflow.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.returncode, done.stderr[-3000:]
        yield json.loads(done.stdout[done.stdout.index("[{") :])


def test_every_query_uses_an_index(plans: list[dict[str, Any]]) -> None:
    """Of runs, task instances, their history, and jobs."""
    for one in plans:
        print(f"{one['ms']:8.2f} ms", one["statement"][:110].replace("\n", " "))  # noqa: T201  -rP shows it
    whole = [
        f"{one['ms']:.0f} ms: {one['statement']}"
        for one in plans
        if any(
            node["Node Type"] == "Seq Scan" and node["Relation Name"] in BIG
            for node in walk(one["plan"])
        )
    ]
    assert len(plans) > 10
    assert not whole, "\n".join(whole)


def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a plan's nodes."""
    yield node
    for below in node.get("Plans", ()):
        yield from walk(below)
