"""The ways to a collector: TLS with certificates of either side, proxies, slow name servers."""

from __future__ import annotations

import base64
import os
import ssl
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from airflow_provider_pipeline_otel.endpoint import Endpoint
from airflow_provider_pipeline_otel.export.delivery import deliver
from tests.delivery.collector import Collector, Proxy
from tests.delivery.spans import fill, unlatch, waiting

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.export.spool import Spool

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who issues certificates here."""
    return trustme.CA()


@pytest.fixture
def certificate(authority: trustme.CA, tmp_path: Path) -> str:
    """The file for OTEL_EXPORTER_OTLP_CERTIFICATE."""
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    return str(file)


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """What a collector at localhost shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def secure(collector: Collector) -> str:
    """Return the collector's address by its name in the certificate."""
    return f"https://localhost:{collector.port}/v1/traces"


def test_a_trusted_certificate_is_enough(
    spool: Spool, tls: ssl.SSLContext, certificate: str
) -> None:
    """Of an authority of one's own; the connection is kept."""
    fill(spool, 2, size=900_000)
    with Collector(tls=tls) as collector:
        done = deliver(spool, Endpoint(secure(collector), certificate=certificate))
        assert (done.spans, done.fault) == (2, None)
        assert collector.connections == 1


def test_a_certificate_that_nobody_vouches_for_is_a_fault(
    spool: Spool, tls: ssl.SSLContext
) -> None:
    """The remedy is the option; nothing was sent."""
    fill(spool, 1)
    with Collector(tls=tls) as collector:
        done = deliver(spool, Endpoint(secure(collector)))
    assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in (done.fault or "")
    assert waiting(spool) == 1
    assert not collector.requests


def test_a_certificate_for_another_name_is_a_fault(
    spool: Spool, tls: ssl.SSLContext, certificate: str
) -> None:
    """As browsers have it."""
    fill(spool, 1)
    with Collector(tls=tls) as collector:
        url = f"https://127.0.0.1:{collector.port}/v1/traces"
        done = deliver(spool, Endpoint(url, certificate=certificate))
    assert "SSLCertVerificationError" in (done.fault or "")


def test_a_clients_own_certificate_is_shown(
    spool: Spool, tls: ssl.SSLContext, certificate: str, authority: trustme.CA, tmp_path: Path
) -> None:
    """Where the collector wants one."""
    tls.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(tls)
    own = authority.issue_cert("client")
    own.cert_chain_pems[0].write_to_path(str(tmp_path / "client.pem"))
    own.private_key_pem.write_to_path(str(tmp_path / "client.key"))
    fill(spool, 1)
    with Collector(tls=tls) as collector:
        url = secure(collector)
        assert deliver(spool, Endpoint(url, certificate=certificate)).fault
        unlatch(spool, url)
        endpoint = Endpoint(
            url,
            certificate=certificate,
            client_certificate=str(tmp_path / "client.pem"),
            client_key=str(tmp_path / "client.key"),
        )
        assert deliver(spool, endpoint).spans == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_wrong_scheme_is_a_fault(
    spool: Spool, tls: ssl.SSLContext, certificate: str, scheme: str
) -> None:
    """A port that speaks TLS asked without it, and the reverse."""
    fill(spool, 1)
    with Collector(tls=tls if scheme == "http" else None) as collector:
        url = f"{scheme}://localhost:{collector.port}/v1/traces"
        done = deliver(spool, Endpoint(url, certificate=certificate, timeout=5.0))
    assert done.fault
    assert waiting(spool) == 1


def test_a_missing_certificate_file_is_a_fault(spool: Spool) -> None:
    """Named by its option."""
    fill(spool, 1)
    with Collector() as collector:
        done = deliver(spool, Endpoint(secure(collector), certificate="/nowhere.pem"))
    assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in (done.fault or "")
    assert waiting(spool) == 1


def test_a_proxy_is_asked(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its credentials, in the form for proxies."""
    fill(spool, 2, size=900_000)
    with Proxy() as proxy, Collector() as collector:
        monkeypatch.setenv("HTTP_PROXY", f"http://jane:p%40ss@127.0.0.1:{proxy.port}")
        assert deliver(spool, Endpoint(collector.url)).spans == 2
    (head,) = proxy.heads
    assert head.startswith(f"POST {collector.url} ".encode())
    credentials = base64.b64encode(b"jane:p@ss")
    assert b"Proxy-Authorization: Basic " + credentials in head


def test_a_proxy_makes_a_tunnel_for_tls(
    spool: Spool, tls: ssl.SSLContext, certificate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sees host and port, and its own credentials."""
    fill(spool, 1)
    with Proxy() as proxy, Collector(tls=tls) as collector:
        monkeypatch.setenv("HTTPS_PROXY", f"jane:geheim@127.0.0.1:{proxy.port}")
        headers = (("authorization", "Bearer token"),)
        endpoint = Endpoint(secure(collector), certificate=certificate, headers=headers)
        done = deliver(spool, endpoint)
        assert (done.spans, done.fault) == (1, None)
    (head,) = proxy.heads
    assert head.startswith(f"CONNECT localhost:{collector.port} ".encode())
    assert b"Proxy-Authorization" in head
    assert b"Bearer" not in head


@pytest.mark.parametrize("without", ["127.0.0.1", "*", "example.com,127.0.0.1"])
def test_no_proxy_is_heeded(spool: Spool, without: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector in one's own network is asked directly."""
    fill(spool, 1)
    with Proxy() as proxy, Collector() as collector:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", without)
        assert deliver(spool, Endpoint(collector.url)).spans == 1
    assert not proxy.heads


HANGING_DNS = """
import socket, subprocess, sys, time
from pathlib import Path
subprocess.run(["mount", "--make-rprivate", "/"], check=True)
Path("/run/resolv-hang").write_text("nameserver 127.0.0.53\\noptions timeout:30 attempts:5\\n")
real = Path("/etc/resolv.conf").resolve()
subprocess.run(["mount", "--bind", "/run/resolv-hang", real], check=True)
silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
silent.bind(("127.0.0.53", 53))
from airflow_provider_pipeline_otel.config import read_settings
from airflow_provider_pipeline_otel.endpoint import Endpoint
from airflow_provider_pipeline_otel.export.delivery import deliver_within
from airflow_provider_pipeline_otel.export.spool import Spool
settings = read_settings()
spool = Spool(settings.spool_dir, settings.caps)
endpoint = Endpoint("http://collector.example:4318/v1/traces")
for _ in range(3):
    began = time.monotonic()
    done = deliver_within(spool, endpoint, 0.3)
    print(time.monotonic() - began, done)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a process other name servers")
def test_a_name_server_that_hangs_costs_the_deadline_once(spool: Spool) -> None:
    """The look-up itself can't be bounded: its thread is left behind."""
    fill(spool, 1)
    done = subprocess.run(
        ["unshare", "--mount", sys.executable, "-c", HANGING_DNS],
        cwd=ROOT,
        env=os.environ | {"AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(spool.folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    first, *following = done.stdout.splitlines()
    assert first.endswith("None"), done.stderr
    assert 0.3 <= float(first.split()[0]) < 10
    for line in following:
        assert "no answer in time from collector.example:4318" in line, done.stdout
    assert waiting(spool) == 1
