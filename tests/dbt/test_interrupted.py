"""DbtTracedOperator on real Airflow, with real dbt, whatever ends it before its time."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Final

import pytest

from tests.airflow import actions
from tests.dbt.shop_runs import GRACE, STATUS, ancestors, kill, named

if TYPE_CHECKING:
    from tests.airflow.sink import Span
    from tests.dbt.shop_runs import Shop

pytestmark = pytest.mark.timeout(400)

TRY_NUMBER: Final = "airflow.task_instance.try_number"


def _judge_interrupted(shop: Shop, spans: list[Span], run_id: str) -> None:
    found = named(spans)
    assert found["dbt.stg_orders"].status == "OK", "what had finished is there"
    for name in ("dbt.slow", "dbt build"):
        assert found[name].status == "ERROR"
        assert found[name].attributes[STATUS] == "interrupted"
        assert found[name].attributes["pipeline.interrupted"] is True
        assert found[name].end_ns >= found[name].start_ns
    shop.until(lambda: not shop.dbt_processes(run_id))


def _dbt_is_gone_in_time(shop: Shop, run_id: str) -> None:
    until = time.monotonic() + GRACE + 5
    while shop.dbt_processes(run_id):
        assert time.monotonic() < until, "dbt goes on without its task"
        time.sleep(0.1)


SLOW: Final = ("marked-failed", "marked-success", "cleared", "terminated", "killed", "oom")


@pytest.fixture(scope="module")
def slow(shop: Shop) -> None:
    """Start the runs that don't end by themselves, all at once: most of their time is waiting."""
    for run_id in SLOW:
        shop.start("dbt_slow", run_id)


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("state", ["failed", "success"])
def test_a_task_that_is_marked(shop: Shop, state: str) -> None:
    """Dbt is gone, and the trace has what had finished and what was running."""
    run_id = f"marked-{state}"
    shop.until_slow_runs(run_id)
    actions.mark_task(shop.airflow, "dbt_slow", run_id, "slow", state)
    spans = shop.ended("dbt_slow", run_id)
    shop.until(lambda: not shop.dbt_processes(run_id))
    shop.until(lambda: "dbt build" in named(shop.spans(run_id)))
    _judge_interrupted(shop, shop.spans(run_id) or spans, run_id)


@pytest.mark.usefixtures("slow")
def test_a_task_that_is_cleared(shop: Shop) -> None:
    """The try is interrupted like that of a marked one, and the next runs dbt anew."""
    shop.until_slow_runs("cleared")
    first = shop.guardian("cleared")
    actions.clear(shop.airflow, "dbt_slow", "cleared", ["slow"])

    def of_try(number: int) -> list[Span]:
        spans = shop.spans("cleared")
        tries = {
            s.span_id: {a.attributes.get(TRY_NUMBER) for a in ancestors(spans, s)} for s in spans
        }
        return [span for span in spans if number in tries[span.span_id]]

    shop.until(lambda: first not in shop.dbt_processes("cleared"))
    shop.until_slow_runs("cleared")
    actions.mark_task(shop.airflow, "dbt_slow", "cleared", "slow", "failed")
    for number in (1, 2):
        shop.until(lambda number=number: "dbt build" in named(of_try(number)))
        _judge_interrupted(shop, of_try(number), "cleared")


@pytest.mark.usefixtures("slow")
def test_a_task_that_is_told_to_end(shop: Shop) -> None:
    """SIGTERM of the task's process, as when its host is shut down."""
    shop.until_slow_runs("terminated")
    kill(shop.worker_process("terminated"), signal.SIGTERM)
    spans = shop.ended("dbt_slow", "terminated")
    assert shop.airflow.state("dbt_slow", "terminated") == "failed"
    _judge_interrupted(shop, spans, "terminated")


def test_a_task_that_takes_too_long(shop: Shop) -> None:
    """execution_timeout: the operator waits for dbt to stop, and fails."""
    shop.start("dbt_timeout", "timeout-1")
    spans = shop.ended("dbt_timeout", "timeout-1")
    assert shop.airflow.state("dbt_timeout", "timeout-1") == "failed"
    assert shop.dbt_processes("timeout-1") == []
    _judge_interrupted(shop, spans, "timeout-1")


@pytest.mark.usefixtures("slow")
def test_a_task_process_that_is_killed(shop: Shop) -> None:
    """After SIGKILL of the task's process no code of ours runs there: the guardian ends dbt."""
    shop.until_slow_runs("killed")
    kill(shop.worker_process("killed"), signal.SIGKILL)
    _dbt_is_gone_in_time(shop, "killed")
    _judge_interrupted(shop, shop.ended("dbt_slow", "killed"), "killed")


@pytest.mark.usefixtures("slow")
def test_a_dbt_that_is_killed(shop: Shop) -> None:
    """SIGKILL of dbt itself, as when memory runs out: the task fails and says so."""
    shop.until_slow_runs("oom")
    kill(shop.dbt("oom"), signal.SIGKILL)
    spans = shop.ended("dbt_slow", "oom")
    assert shop.airflow.state("dbt_slow", "oom") == "failed"
    assert named(spans)["dbt build"].attributes["dbt.exit_code"] == 128 + signal.SIGKILL
    _judge_interrupted(shop, spans, "oom")
