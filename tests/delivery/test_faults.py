"""Collectors that fail: what it costs, what is lost (nothing), and what arrives twice."""

from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from airflow_provider_pipeline_otel.endpoint import Endpoint
from airflow_provider_pipeline_otel.export.delivery import deliver, deliver_within
from airflow_provider_pipeline_otel.export.latch import Latch
from airflow_provider_pipeline_otel.export.ledger import POSSIBLE_DUPLICATES
from tests.delivery.collector import Blackhole, Collector
from tests.delivery.spans import fill, unlatch, waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_pipeline_otel.export.spool import Spool

FAULTS = ("hang", "drip", "slow", "reset", "lost", "half-closed", "grpc", "refused", "blackhole")


@pytest.fixture(params=FAULTS)
def faulty(request: pytest.FixtureRequest) -> Iterator[tuple[str, str, Collector]]:
    """The fault, the address of what has it, and the collector that may stand behind it."""
    fault = request.param
    with ExitStack() as stack:
        collector = stack.enter_context(Collector(fault))
        url = collector.url
        if fault == "blackhole":
            url = stack.enter_context(Blackhole()).url
        if fault == "refused":
            with socket.create_server(("127.0.0.1", 0)) as server:
                url = f"http://127.0.0.1:{server.getsockname()[1]}/v1/traces"
        yield fault, url, collector


def test_a_deadline_holds_and_nothing_is_lost(
    spool: Spool, faulty: tuple[str, str, Collector]
) -> None:
    """The first attempt costs the deadline at most, those that follow nothing."""
    fault, url, collector = faulty
    names = fill(spool, 3, spans=2)
    began = time.monotonic()
    deliver_within(spool, Endpoint(url, timeout=60.0), 0.3)
    first = time.monotonic() - began
    attempts = collector.attempts
    for _ in range(3):
        done = deliver_within(spool, Endpoint(url, timeout=60.0), 0.3)
        assert done is not None, "nobody asks again so soon"
        assert done.fault
    assert first < 10, "not the time-out of a minute"
    assert collector.attempts == attempts
    assert waiting(spool) == 6
    with Collector() as well:
        unlatch(spool, well.url)
        assert deliver(spool, Endpoint(well.url)).spans == 6
        assert sorted(well.names()) == sorted(names)
    twice = spool.ledger.totals()[POSSIBLE_DUPLICATES, ""]
    assert len(collector.names()) <= twice
    assert twice == (0 if fault in {"refused", "blackhole"} else 6)


def test_a_whole_request_ends_at_its_deadline(spool: Spool) -> None:
    """An answer that comes a byte a second doesn't move it."""
    fill(spool, 1)
    with Collector("drip") as collector:
        began = time.monotonic()
        done = deliver(spool, Endpoint(collector.url, timeout=2.5))
        assert time.monotonic() - began < 20, "the answer has a hundred bytes"
    assert "TimeoutError" in (done.fault or "")


def test_a_retry_after_is_heeded(spool: Spool) -> None:
    """In seconds and as a date; what somebody asks for by hand is done at once."""
    for said in ("45", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 45))):
        with Collector(status=503, answer_headers={"Retry-After": said}) as collector:
            fill(spool, 1)
            deliver(spool, Endpoint(collector.url))
            collector.status = 200
            assert spool.folder is not None
            mark = Latch(spool.folder, collector.url).read()
            assert mark is not None
            assert 40 < mark.seconds_left() <= 46
            assert deliver(spool, Endpoint(collector.url)).spans == 0
            assert deliver(spool, Endpoint(collector.url), asked=True).spans == 1
            assert Latch(spool.folder, collector.url).read() is None


def test_a_connection_that_was_closed_meanwhile_is_opened_anew(spool: Spool) -> None:
    """No span is taken for one that may be there twice."""
    with Collector(answer_headers={"Connection": "close"}) as collector:
        fill(spool, 3, size=900_000)
        assert deliver(spool, Endpoint(collector.url)).spans == 3
        assert (len(collector.requests), collector.connections) == (3, 3)
    assert not spool.ledger.totals()[POSSIBLE_DUPLICATES, ""]


def test_a_deliverer_that_is_killed_in_between_is_counted(spool: Spool) -> None:
    """The collector has the spans, and nobody has heard its answer: the next one can't know."""
    names = fill(spool, 1, spans=3)
    with Collector("slow") as collector:
        pid = os.fork()
        if not pid:
            deliver(spool, Endpoint(collector.url))
            os._exit(0)
        while not collector.taken:
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        collector.fault = ""
        assert deliver(spool, Endpoint(collector.url)).spans == 3
        assert sorted(collector.names()) == sorted(names * 2)
        first, second = collector.taken
        assert first.body == second.body, "the bytes of a span never change"
    assert spool.ledger.totals()[POSSIBLE_DUPLICATES, ""] == 3


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 401}, ("HTTP 401", "OTEL_EXPORTER_OTLP_HEADERS", "Bearer%20")),
        ({"status": 403}, ("HTTP 403", "OTEL_EXPORTER_OTLP_HEADERS")),
        ({"status": 404}, ("HTTP 404", "OTEL_EXPORTER_OTLP_ENDPOINT", "/v1/traces")),
        ({"fault": "grpc"}, ("gRPC port", "OTEL_EXPORTER_OTLP_PROTOCOL", "4318")),
    ],
)
def test_a_remedy_is_said_once(
    spool: Spool,
    fault: dict[str, int | str],
    words: tuple[str, ...],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The option, the form that is expected, and no value."""
    fill(spool, 1)
    with Collector(**fault) as collector:  # type: ignore[arg-type]
        url = f"{collector.url}?key=secret-in-url"
        headers = (("authorization", "Bearer secret-token"),)
        for _ in range(3):
            deliver(spool, Endpoint(url, headers=headers, timeout=5.0), asked=True)
    (said,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert f"127.0.0.1:{collector.port}" in said
    assert "secret" not in caplog.text
    for word in words:
        assert word in said


@pytest.mark.parametrize("value", ["Basic jane:geheim", "Basic not-base64!"])
def test_basic_credentials_in_the_wrong_form_are_named(spool: Spool, value: str) -> None:
    """Without their value."""
    fill(spool, 1)
    with Collector(status=401) as collector:
        done = deliver(spool, Endpoint(collector.url, headers=(("authorization", value),)))
    assert "no base64 after Basic" in (done.fault or "")
    assert value[6:] not in (done.fault or "")


@pytest.mark.parametrize("protocol", ["grpc", "http/json"])
def test_another_protocol_is_named_where_it_fails(spool: Spool, protocol: str) -> None:
    """The variable that says so, and what to set."""
    fill(spool, 1)
    with Collector(status=502) as collector:
        done = deliver(spool, Endpoint(collector.url, protocol=protocol))
    assert f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol}" in (done.fault or "")
    assert "http/protobuf" in (done.fault or "")


def test_a_header_that_cannot_be_sent_is_a_fault(spool: Spool) -> None:
    """Named by its variable; its value is a secret."""
    fill(spool, 1)
    with Collector() as collector:
        done = deliver(spool, Endpoint(collector.url, headers=(("x", "geheim\nnis"),)))
    assert "OTEL_EXPORTER_OTLP_HEADERS" in (done.fault or "")
    assert "geheim" not in (done.fault or "")
    assert waiting(spool) == 1
