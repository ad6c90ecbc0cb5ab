"""After a failure one process of a host asks, and the others don't wait."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from airflow_provider_pipeline_otel.endpoint import Endpoint
from airflow_provider_pipeline_otel.export.delivery import deliver
from airflow_provider_pipeline_otel.export.latch import Latch, Mark
from tests.delivery.collector import Collector
from tests.delivery.spans import fill, waiting

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_pipeline_otel.export.spool import Spool

URL = "http://collector:4318/v1/traces"


@pytest.fixture
def latch(tmp_path: Path) -> Latch:
    """A latch that is open."""
    return Latch(tmp_path, URL)


def left(latch: Latch) -> float:
    """Return the seconds until somebody may try."""
    mark = latch.read()
    return mark.seconds_left() if mark else 0.0


def test_it_is_open_until_something_fails(latch: Latch) -> None:
    """And again when the collector has answered."""
    assert latch.read() is None
    assert latch.shut("down", None, cost=0.0)
    assert left(latch) > 0
    latch.open()
    assert latch.read() is None


def test_pauses_grow_to_half_a_minute(latch: Latch) -> None:
    """Each twice the one before it."""
    pauses = []
    for _ in range(8):
        latch.shut("down", latch.read(), cost=0.0)
        mark = latch.read()
        assert mark
        pauses.append(mark.pause)
    assert pauses[0] <= 1
    assert pauses[0] < pauses[2] < pauses[4]
    assert 20 < pauses[-1] <= 30


def test_a_failure_that_somebody_waited_for_buys_a_long_pause(latch: Latch) -> None:
    """A task that paid half a second pays for the next half minute."""
    latch.shut("hangs", None, cost=0.5)
    assert 20 < left(latch) <= 30


def test_several_failures_at_once_are_one(latch: Latch) -> None:
    """Tasks that end in the same second don't lengthen the pause, and one says so."""
    assert latch.shut("down", None, cost=0.0)
    before = latch.read()
    assert not latch.shut("down", None, cost=0.5)
    assert latch.read() == before


def test_another_endpoint_is_another_matter(tmp_path: Path, latch: Latch) -> None:
    """Who corrects an address doesn't wait for the wrong one."""
    latch.shut("down", None, cost=0.0)
    assert Latch(tmp_path, "http://other:4318/v1/traces").read() is None


def test_a_clock_that_is_set_back_delays_nothing(tmp_path: Path, latch: Latch) -> None:
    """A mark that lies further ahead than its pause is none."""
    latch.shut("down", None, cost=0.0)
    mark = latch.read()
    assert mark
    ahead = Mark(mark.endpoint, time.time() + 3600, mark.pause, mark.fault)
    assert ahead.seconds_left() == 0
    assert [path.name for path in tmp_path.iterdir()] == [".latch"]


def test_a_torn_mark_is_none(tmp_path: Path, latch: Latch) -> None:
    """A full disk, a power cut."""
    (tmp_path / ".latch").write_text('{"endp')
    assert latch.read() is None


def test_its_file_is_private_and_holds_no_address(tmp_path: Path, latch: Latch) -> None:
    """An address may hold a secret."""
    latch.shut("down", None, cost=0.0)
    assert (tmp_path / ".latch").stat().st_mode & 0o777 == 0o600
    assert b"collector:4318" not in (tmp_path / ".latch").read_bytes()


def test_one_process_asks_and_the_others_go_on(spool: Spool) -> None:
    """While it waits for an answer, nobody else does."""
    fill(spool, 1)
    with Collector("hang") as collector:
        endpoint = Endpoint(collector.url, timeout=5.0)
        assert spool.folder is not None
        latch = Latch(spool.folder, collector.url)
        latch.shut("hangs", None, cost=0.0)
        time.sleep(1.1)
        assert left(latch) == 0
        pid = os.fork()
        if not pid:
            deliver(spool, endpoint)
            os._exit(0)
        while not collector.attempts:
            time.sleep(0.01)
        began = time.monotonic()
        for _ in range(5):
            assert deliver(spool, endpoint).fault == "hangs"
        assert time.monotonic() - began < 3
        assert collector.attempts == 1
        os.waitpid(pid, 0)
    assert waiting(spool) == 1


def test_who_asks_and_gets_an_answer_opens_it_for_all(spool: Spool, collector: Collector) -> None:
    """Everything goes then."""
    names = fill(spool, 3)
    assert spool.folder is not None
    latch = Latch(spool.folder, collector.url)
    latch.shut("down", None, cost=0.0)
    assert deliver(spool, Endpoint(collector.url)).spans == 0
    time.sleep(1.1)
    assert deliver(spool, Endpoint(collector.url)).spans == 3
    assert latch.read() is None
    assert collector.names() == names
