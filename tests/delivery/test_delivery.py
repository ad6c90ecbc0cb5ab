"""Delivery to a real HTTP server: at least once, never longer than said, nothing lost."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from airflow_provider_pipeline_otel.endpoint import Endpoint
from airflow_provider_pipeline_otel.export.attempt import REQUEST_BYTES
from airflow_provider_pipeline_otel.export.delivery import deliver, deliver_within
from airflow_provider_pipeline_otel.export.ledger import DELIVERED, POSSIBLE_DUPLICATES, REFUSED
from tests.delivery.spans import fill, unlatch, waiting

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.export.spool import Spool
    from tests.delivery.collector import Collector, Request


def test_all_segments_arrive_once_and_are_gone(spool: Spool, collector: Collector) -> None:
    """Several in one request, oldest first."""
    names = fill(spool, 5, spans=3)
    done = deliver(spool, Endpoint(collector.url))
    assert (done.spans, done.segments_left, done.fault) == (15, 0, None)
    assert collector.names() == names
    assert len(collector.requests) == 1
    assert spool.sealed() == []
    assert spool.ledger.totals() == {(DELIVERED, ""): 15}


def test_what_just_happened_goes_first_where_time_is_short(
    spool: Spool, collector: Collector
) -> None:
    """A task's end delivers its own spans before an old backlog."""
    fill(spool, 3, size=500_000)
    assert deliver(spool, Endpoint(collector.url), time.monotonic() + 30).spans == 3
    assert collector.names()[0] == "2/0"


def test_no_request_is_larger_than_receivers_take(spool: Spool, collector: Collector) -> None:
    """Counted unpacked: gzip makes no request smaller where it matters."""
    fill(spool, 40, spans=100, size=1000)
    assert deliver(spool, Endpoint(collector.url)).spans == 4000
    assert len(collector.requests) > 3
    assert max(len(request.body) for request in collector.requests) <= REQUEST_BYTES


def test_one_connection_serves_all_requests(spool: Spool, collector: Collector) -> None:
    """It is kept alive."""
    fill(spool, 5, size=900_000)
    deliver(spool, Endpoint(collector.url))
    assert (len(collector.requests), collector.connections) == (5, 1)


def test_a_span_larger_than_any_request_is_refused_and_counted(
    spool: Spool, collector: Collector
) -> None:
    """Its neighbours arrive."""
    fill(spool, 1, spans=2, size=2_000_000)
    names = fill(spool, 1, spans=2)
    done = deliver(spool, Endpoint(collector.url))
    assert (done.spans, done.refused, done.segments_left) == (2, 2, 0)
    assert collector.names() == names
    ((what, reason),) = [key for key in spool.ledger.totals() if key[0] == REFUSED]
    assert (what, "1048576 bytes" in reason) == (REFUSED, True)


def test_a_segment_of_many_requests_is_divided(spool: Spool, collector: Collector) -> None:
    """Whatever lies in the spool, also what another version has written."""
    folder = spool.sealed_folder
    fill(spool, 8, spans=4, size=120_000)
    paths = spool.sealed()
    whole = b"".join(path.read_bytes() for path in paths)
    for path in paths:
        path.unlink()
    (folder / paths[0].name).write_bytes(whole)
    assert deliver(spool, Endpoint(collector.url)).spans == 32
    assert len(collector.names()) == len(set(collector.names())) == 32
    assert max(len(request.body) for request in collector.requests) <= REQUEST_BYTES


@pytest.mark.parametrize("status", [200, 202, 204])
def test_any_2xx_is_success(spool: Spool, collector: Collector, status: int) -> None:
    """With a body or without."""
    fill(spool, 1)
    collector.status = status
    assert deliver(spool, Endpoint(collector.url)).spans == 1
    assert spool.sealed() == []


@pytest.mark.parametrize("status", [301, 401, 403, 404, 408, 429, 500, 502, 503, 504])
def test_what_is_not_accepted_stays(spool: Spool, collector: Collector, status: int) -> None:
    """And goes when the collector is well again, with the same bytes."""
    fill(spool, 3)
    before = [path.read_bytes() for path in spool.sealed()]
    collector.status = status
    done = deliver(spool, Endpoint(collector.url))
    assert (done.spans, done.refused, done.segments_left) == (0, 0, 3)
    assert f"HTTP {status}" in (done.fault or "")
    assert [path.read_bytes() for path in spool.sealed()] == before
    collector.status = 200
    unlatch(spool, collector.url)
    assert deliver(spool, Endpoint(collector.url)).spans == 3
    assert sorted(collector.names()) == ["0/0", "1/0", "2/0"]
    assert (POSSIBLE_DUPLICATES, "") not in spool.ledger.totals(), "each attempt was answered"


@pytest.mark.parametrize("status", [405, 415, 422])
def test_other_refusals_drop_the_body_and_count_it(
    spool: Spool, collector: Collector, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """What will never be taken must not hold up the rest."""
    fill(spool, 2, spans=2)
    collector.status = status
    done = deliver(spool, Endpoint(collector.url))
    assert (done.spans, done.refused, done.segments_left) == (0, 4, 0)
    assert spool.ledger.totals() == {(REFUSED, f"HTTP {status}"): 4}
    (said,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert f"HTTP {status}" in said
    assert "4 spans" in said


@pytest.mark.parametrize("status", [400, 413])
def test_the_span_to_blame_is_found_and_the_others_arrive(
    spool: Spool, collector: Collector, status: int
) -> None:
    """By halves: the collector only says that something is wrong with the whole."""
    fill(spool, 10, spans=300)
    bad = {"3/7", "8/299"}
    collector.refuses = lambda request: status if bad & {*request.names()} else 0
    done = deliver(spool, Endpoint(collector.url))
    assert (done.spans, done.refused, done.segments_left) == (2998, 2, 0)
    assert len(set(collector.names())) == len(collector.names()) == 2998
    assert spool.ledger.totals()[REFUSED, f"HTTP {status}"] == 2


def test_a_span_that_breaks_the_collector_stays_and_holds_up_nobody(
    spool: Spool, collector: Collector
) -> None:
    """An answer of 500 may be the collector's fault: that one is tried again, now and then."""
    fill(spool, 10, spans=300)
    collector.refuses = lambda request: 500 if "3/7" in request.names() else 0
    done = deliver(spool, Endpoint(collector.url))
    assert (done.spans, done.refused, done.segments_left) == (2999, 0, 1)
    assert "HTTP 500" in (done.fault or "")
    fill(spool, 1)
    unlatch(spool, collector.url)
    assert deliver(spool, Endpoint(collector.url)).spans == 1
    collector.refuses = None
    unlatch(spool, collector.url)
    assert deliver(spool, Endpoint(collector.url)).spans == 1
    assert len(collector.names()) == 3001
    assert not spool.sealed()


def test_a_collector_that_is_broken_is_soon_left_alone(spool: Spool, collector: Collector) -> None:
    """Though it takes an empty request: it is not asked for each span."""
    fill(spool, 3, spans=1000)
    collector.refuses = lambda request: 500 if request.names() else 0
    done = deliver(spool, Endpoint(collector.url))
    assert (done.spans, done.refused, done.segments_left) == (0, 0, 3)
    assert len(collector.requests) < 60


@pytest.mark.parametrize("status", [400, 413])
def test_a_collector_that_takes_less_gets_less(
    spool: Spool, collector: Collector, status: int
) -> None:
    """The OpenTelemetry Collector says 400 to a body that is too large."""
    fill(spool, 3, spans=1000, size=1000)
    collector.refuses = lambda request: status if len(request.body) > 100_000 else 0
    done = deliver(spool, Endpoint(collector.url))
    assert (done.spans, done.refused, done.segments_left) == (3000, 0, 0)
    assert len(set(collector.names())) == len(collector.names()) == 3000


@pytest.mark.parametrize("status", [400, 413])
@pytest.mark.parametrize("spans", [1, 1000])
def test_where_everything_is_refused_no_span_is_to_blame(
    spool: Spool, collector: Collector, status: int, spans: int
) -> None:
    """All stay, and it takes few requests to find that out."""
    fill(spool, 1, spans=spans)
    collector.status = status
    done = deliver(spool, Endpoint(collector.url))
    assert (done.spans, done.refused, done.segments_left) == (0, 0, 1)
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in (done.fault or "")
    assert len(collector.requests) < 20
    collector.status = 200
    unlatch(spool, collector.url)
    assert deliver(spool, Endpoint(collector.url)).spans == spans
    assert len(collector.names()) == spans


def test_a_bad_span_alone_in_the_spool_goes(spool: Spool, collector: Collector) -> None:
    """An empty request tells that the collector is well."""
    fill(spool, 1)
    collector.refuses = lambda request: 400 if request.names() else 0
    done = deliver(spool, Endpoint(collector.url))
    assert (done.refused, done.segments_left, done.fault) == (1, 0, None)


def test_a_half_that_was_taken_is_not_sent_again(spool: Spool, collector: Collector) -> None:
    """What a divided request has left is written anew, with the same bytes."""
    fill(spool, 1, spans=8)
    before = spool.sealed()[0].name

    def refuse(_: Request) -> int:
        if len(collector.requests) == 1:
            return 400
        return 0 if len(collector.requests) == 2 else 503

    collector.refuses = refuse
    done = deliver(spool, Endpoint(collector.url))
    assert (done.spans, done.segments_left) == (4, 1)
    assert [path.name for path in spool.sealed()] == [before]
    assert waiting(spool) == 4
    collector.refuses = None
    unlatch(spool, collector.url)
    assert deliver(spool, Endpoint(collector.url)).spans == 4
    assert sorted(collector.names()) == [f"0/{number}" for number in range(8)]


def test_spans_of_partial_success_count_as_refused(
    spool: Spool, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    """Backends refuse what is too old so; the collector's own words are passed on."""
    fill(spool, 1, spans=5)
    collector.rejected_spans = 2
    done = deliver(spool, Endpoint(collector.url))
    assert (done.spans, done.refused, done.segments_left) == (3, 2, 0)
    assert spool.ledger.totals() == {(DELIVERED, ""): 3, (REFUSED, "partial success"): 2}
    assert "too old" in caplog.text


def test_two_deliverers_share_the_work(spool: Spool, collector: Collector) -> None:
    """Processes of one host never send one segment at the same time."""
    names = fill(spool, 50)
    pids = []
    for _ in range(2):
        pid = os.fork()
        if not pid:
            deliver(spool, Endpoint(collector.url))
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    assert sorted(collector.names()) == sorted(names)


def test_delivered_spans_stay_to_be_shown(spool: Spool, collector: Collector) -> None:
    """In few files, however many segments there were; the oldest go."""
    fill(spool, 100, spans=2)
    deliver(spool, Endpoint(collector.url))
    (kept,) = spool.delivered_folder.iterdir()
    assert kept.stat().st_size == spool.kept.size()
    fill(spool, 30, size=100_000)
    spool.kept._limit = 2 * 1024 * 1024
    deliver(spool, Endpoint(collector.url))
    assert spool.kept.size() <= 2 * 1024 * 1024
    assert not kept.exists()


def test_with_keep_of_0_nothing_stays(spool: Spool, collector: Collector) -> None:
    """Delivered is gone."""
    spool.kept._limit = 0
    fill(spool, 2)
    deliver(spool, Endpoint(collector.url))
    assert not [*spool.delivered_folder.iterdir()]


def test_ten_thousand_segments_are_no_trouble(spool: Spool, collector: Collector) -> None:
    """In requests of their own size, not one each."""
    fill(spool, 10_000)
    assert deliver(spool, Endpoint(collector.url)).spans == 10_000
    assert len(collector.requests) < 10
    assert len(set(collector.names())) == 10_000


def test_a_deadline_leaves_the_rest_for_later(spool: Spool, collector: Collector) -> None:
    """No failure: the collector is well, there is only too much."""
    fill(spool, 30, size=900_000)
    done = deliver_within(spool, Endpoint(collector.url), 0.3)
    assert done is None or done.fault is None
    time.sleep(0.5)
    rest = deliver(spool, Endpoint(collector.url))
    assert rest.fault is None
    assert len(set(collector.names())) == 30
    twice = spool.ledger.totals()[POSSIBLE_DUPLICATES, ""]
    assert len(collector.names()) - 30 <= twice
