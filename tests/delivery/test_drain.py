"""pipeline-otel drain, as a process of its own."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from airflow_provider_pipeline_otel.config import Caps
from airflow_provider_pipeline_otel.export.spool import Spool
from airflow_provider_pipeline_otel.export.state import spools_of_others
from tests.delivery.collector import Collector
from tests.delivery.spans import fill, wait_for, waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
OTHER_UID = 1001

Run = subprocess.CompletedProcess[str]


@pytest.fixture
def drain(spool: Spool) -> Callable[..., Run]:
    """Run the command on the spool."""

    def run(*arguments: str, url: str | None = None, **environ: str) -> Run:
        if url is not None:
            environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = url
        return subprocess.run(
            [sys.executable, "-m", "airflow_provider_pipeline_otel.cli", "drain", *arguments],
            cwd=ROOT,
            env=os.environ | {"AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(spool.folder)} | environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_without_a_collector_it_says_what_to_set(spool: Spool, drain: Callable[..., Run]) -> None:
    """Exit code 2, nothing is touched."""
    fill(spool, 2)
    done = drain()
    assert done.returncode == 2
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in done.stderr
    assert waiting(spool) == 2


def test_a_collector_that_fails_leaves_all(
    spool: Spool, collector: Collector, drain: Callable[..., Run]
) -> None:
    """Exit code 1; it is asked each time that a human asks."""
    fill(spool, 2)
    collector.status = 503
    for _ in range(2):
        done = drain(url=collector.url)
        assert done.returncode == 1
        assert "HTTP 503" in done.stderr
        assert "nothing is lost" in done.stderr
    assert len(collector.requests) == 2
    assert waiting(spool) == 2


def test_what_a_collector_accepts_is_delivered(
    spool: Spool, collector: Collector, drain: Callable[..., Run]
) -> None:
    """Exit code 0; "accepted" is all that anybody knows."""
    fill(spool, 2)
    done = drain(url=f"{collector.url}?token=geheim")
    assert done.returncode == 0, done.stderr
    assert f"2 spans accepted by 127.0.0.1:{collector.port}; 0 segments left" in done.stdout
    assert "geheim" not in done.stdout + done.stderr
    assert done.stderr == ""


def test_json_tells_the_attempt_and_the_state(
    spool: Spool, collector: Collector, drain: Callable[..., Run]
) -> None:
    """Counts by what became of the spans, sizes, ages, what holds it up."""
    fill(spool, 3, spans=2)
    collector.refuses = lambda request: 400 if "1/0" in request.names() else 0
    done = drain("--json", url=collector.url)
    said = json.loads(done.stdout)
    state = said.pop("spool")
    assert done.returncode == 0
    assert said == {
        "interrupted": 0,
        "delivered": 5,
        "refused": 1,
        "segments_left": 0,
        "fault": None,
    }
    assert state["spans_delivered"] == 5
    assert state["spans_refused"] == {"HTTP 400": 1}
    assert state["spans_waiting"] == state["bytes_waiting"] == state["possible_duplicates"] == 0
    assert state["bytes_kept"] > 0
    collector.status = 503
    fill(spool, 1, spans=4)
    time.sleep(0.1)
    said = json.loads(drain("--json", url=collector.url).stdout)
    assert "HTTP 503" in said["fault"]
    state = said["spool"]
    assert (state["spans_waiting"], state["segments_waiting"]) == (4, 1)
    assert state["oldest_age"] >= 0.1
    assert state["bytes_waiting"] > 100
    assert "HTTP 503" in state["fault"]
    assert state["retry_in"] > 0


@pytest.mark.parametrize(
    "environ",
    [{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"}],
)
def test_a_protocol_that_is_not_ours_is_said(
    spool: Spool, collector: Collector, drain: Callable[..., Run], environ: dict[str, str]
) -> None:
    """Though the collector takes the spans: another one may not."""
    fill(spool, 1)
    done = drain(url=collector.url, **environ)
    assert done.returncode == 0
    assert "http/protobuf" in done.stderr
    assert "4318" in done.stderr


def test_a_terminal_sees_a_bar(spool: Spool, collector: Collector) -> None:
    """While there is something to wait for."""
    fill(spool, 5, size=900_000)
    collector.fault = "slow"
    collector.refuses = lambda _: 0
    ours, theirs = pty.openpty()
    environ = {
        "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(spool.folder),
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url,
        "TERM": "xterm",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "airflow_provider_pipeline_otel.cli", "drain"],
        cwd=ROOT,
        env=os.environ | environ,
        stderr=theirs,
        stdout=subprocess.DEVNULL,
    )
    try:
        shown = b""
        while b"segments" not in shown:
            shown += os.read(ours, 4096)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)


@contextmanager
def watching(spool: Spool, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """Let a process watch the spool; at the end it is told to stop, and does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "airflow_provider_pipeline_otel.cli", "drain", "--watch"],
        cwd=ROOT,
        env=os.environ | {"AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(spool.folder)} | environ,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.send_signal(signal.SIGCONT)
        code = process.wait(10)
    assert code == 0


def test_watching_delivers_what_comes_and_stops_when_told(
    spool: Spool, collector: Collector
) -> None:
    """Within seconds, for as long as it runs; other processes see that it does."""
    with watching(spool, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=collector.url):
        for round_ in range(1, 3):
            fill(spool, 1)
            wait_for(lambda wanted=round_: len(collector.names()) == wanted)
        assert spool.is_drained()
    assert not spool.is_drained()


def test_watching_delivers_once_more_when_told_to_stop(spool: Spool, collector: Collector) -> None:
    """What a pod's task has left at its end goes before the sidecar goes."""
    with watching(spool, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=collector.url) as process:
        fill(spool, 1)
        wait_for(lambda: len(collector.names()) == 1)
        process.send_signal(signal.SIGSTOP)  # it is told to stop before it looks again
        fill(spool, 1)
    assert len(collector.names()) == 2


def test_watching_tries_at_its_end_whatever_has_failed_before(spool: Spool) -> None:
    """The disk may go with the pod: nobody will try later."""
    with Collector(status=503, answer_headers={"Retry-After": "60"}) as collector:
        with watching(spool, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=collector.url):
            fill(spool, 1)
            wait_for(lambda: collector.requests)
            collector.status = 200
        assert len(collector.names()) == 1


def test_watching_reports_the_state_as_gauges(spool: Spool, collector: Collector) -> None:
    """To the collector's metrics, with the host's name; counts by reason."""
    fill(spool, 2, spans=3)
    collector.refuses = lambda r: 400 if "traces" in r.path and "1/0" in r.names() else 0
    endpoint = collector.url.removesuffix("/v1/traces")
    with watching(spool, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint):
        wait_for(lambda: any(r.path == "/v1/metrics" for r in collector.requests))
    (report,) = [r for r in collector.requests if r.path == "/v1/metrics"]
    (resource,) = ExportMetricsServiceRequest.FromString(report.body).resource_metrics
    said = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
    assert said["host.name"] == socket.gethostname()
    values = {
        (metric.name, *(pair.value.string_value for pair in point.attributes)): point.as_double
        for metric in resource.scope_metrics[0].metrics
        for point in metric.gauge.data_points
    }
    assert values == {
        ("pipeline_otel.spool.spans",): 0,
        ("pipeline_otel.spool.size",): 0,
        ("pipeline_otel.spans.delivered",): 5,
        ("pipeline_otel.spans.sampled_out",): 0,
        ("pipeline_otel.spans.possible_duplicates",): 0,
        ("pipeline_otel.spans.refused", "HTTP 400"): 1,
    }


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spool]:
    """The spool of another user's tasks, in a temporary directory for all."""
    if os.geteuid():
        pytest.skip("only root can be two users")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o1777)
        monkeypatch.setenv("TMPDIR", folder)
        pid = os.fork()
        own = Path(folder) / f"pipeline_otel-{OTHER_UID}"
        if not pid:
            os.setgid(OTHER_UID)
            os.setuid(OTHER_UID)
            own.mkdir(mode=0o700)
            fill(Spool(own, Caps(10**9, 10**6, 10**6)), 2)
            os._exit(0)
        os.waitpid(pid, 0)
        yield Spool(own, Caps(10**9, 10**6, 10**6))


def test_root_drains_the_spools_of_other_users_too(
    collector: Collector, drain: Callable[..., Run], foreign: Spool
) -> None:
    """As those users: what is left there stays theirs."""
    assert foreign.folder is not None
    done = drain(url=collector.url, TMPDIR=str(foreign.folder.parent))
    assert done.returncode == 0, done.stderr
    assert str(foreign.folder) in done.stderr
    assert collector.names() == ["0/0", "1/0"]
    assert {path.lstat().st_uid for path in foreign.folder.rglob("*")} == {OTHER_UID}


def test_a_link_laid_out_for_root_is_not_followed(
    collector: Collector, drain: Callable[..., Run], foreign: Spool, tmp_path: Path
) -> None:
    """Nothing of another user's is written to through it."""
    assert foreign.folder is not None
    victim = tmp_path / "victim"
    victim.mkdir()
    trap = foreign.folder.with_name(f"pipeline_otel-{OTHER_UID + 1}")
    trap.symlink_to(victim)
    os.lchown(trap, OTHER_UID + 1, OTHER_UID + 1)
    drain(url=collector.url, TMPDIR=str(foreign.folder.parent))
    assert not [*victim.iterdir()]


def test_others_are_told_whose_spools_there_are(foreign: Spool) -> None:
    """They may not read them."""
    assert foreign.folder is not None
    own = foreign.folder.with_name(f"pipeline_otel-{OTHER_UID + 5}")
    own.mkdir()
    os.chown(own, OTHER_UID + 5, OTHER_UID + 5)
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.setgid(OTHER_UID + 5)
        os.setuid(OTHER_UID + 5)
        tempfile.tempdir = None
        os.write(writing, "\n".join(map(str, spools_of_others())).encode())
        os._exit(0)
    os.close(writing)
    assert os.read(reading, 4096).decode() == str(foreign.folder)
    os.close(reading)
    os.waitpid(pid, 0)
