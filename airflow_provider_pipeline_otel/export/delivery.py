"""Delivery: sealed segments to the collector by OTLP/HTTP, bounded in time, at least once.

A segment goes when the collector has accepted it, and not before; the lock on it is the lease, so a
deliverer that dies gives it back. The bytes of a span never change between two attempts.
"""

from __future__ import annotations

import gzip
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from airflow_provider_pipeline_otel.export.encoding import encode_request
from airflow_provider_pipeline_otel.export.frames import Frame, group_spans, read_frames
from airflow_provider_pipeline_otel.export.spool import Spool, locked

if TYPE_CHECKING:
    from http.client import HTTPConnection
    from ssl import SSLContext

    from airflow_provider_pipeline_otel.config import Endpoint

log = logging.getLogger(__name__)

REQUEST_BYTES: Final = 1024 * 1024
"""Unpacked bytes of a request: receivers stop at 1 MiB and more, whatever gzip saves."""

_FORK_WAIT: Final = 1.0
_ENDING_PAUSE: Final = 0.0002
_THREADS: Final = Path("/proc/self/task")
_HEADERS: Final = {
    "Content-Type": "application/x-protobuf",
    "User-Agent": "airflow-provider-pipeline-otel",
}


class Delivered(msgspec.Struct, frozen=True):
    """What an attempt achieved: spans accepted, segments left, and what went wrong, if anything."""

    spans: int
    segments_left: int
    fault: str | None = None


class _ForkGate:
    """Holds a fork back while a thread of ours is inside TLS, DNS or logging, or is ending.

    A child that is forked while another thread holds one of their locks finds it locked for ever
    (6 of 2,000 forks beside a TLS connection hung without the gate, none with it). A thread that
    ends takes such locks once more after its last Python code: glibc gives its resolver state back,
    OpenSSL its thread state (6 of 23,730 forks just then hung in getaddrinfo; of 30,000 that waited
    for the kernel to drop the thread, none).
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._ending: set[int] = set()
        self._held = threading.local()  # threads may fork at the same time
        os.register_at_fork(
            before=self._before, after_in_parent=self._after, after_in_child=self._renew
        )

    def work(self, work: Callable[[], object]) -> None:
        """Do the work of a thread that ends then."""
        with self.lock:
            self._ending.add(threading.get_native_id())
            work()

    def _before(self) -> None:
        until = time.monotonic() + _FORK_WAIT
        self._held.lock = self.lock if self.lock.acquire(timeout=_FORK_WAIT) else None
        while self._held.lock and self._drop_ended() and time.monotonic() < until:
            time.sleep(_ENDING_PAUSE)

    def _drop_ended(self) -> set[int]:
        self._ending = {thread for thread in self._ending if (_THREADS / str(thread)).exists()}
        return self._ending

    def _after(self) -> None:
        if self._held.lock is not None:
            self._held.lock.release()

    def _renew(self) -> None:
        self.lock = threading.Lock()
        self._ending = set()


_gate: Final = _ForkGate()


def deliver_within(spool: Spool, endpoint: Endpoint, seconds: float) -> Delivered | None:
    """Deliver what is sealed, newest first, for at most so many seconds; None: not done by then.

    The bound is real: the work has a thread of its own, which is left behind.
    """
    results: list[Delivered] = []
    until = time.monotonic() + seconds
    thread = _start(lambda: results.append(deliver(spool, endpoint, until, newest_first=True)))
    thread.join(seconds)
    return results[0] if results else None


def deliver_in_background(spool: Spool, endpoint: Endpoint, seconds: float) -> None:
    """Start an attempt and go on; the thread ends by itself, and forks wait for it."""
    if spool.is_drained():
        return
    until = time.monotonic() + seconds
    _start(lambda: deliver(spool, endpoint, until, newest_first=True))


def _start(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(
        target=_gate.work, args=(work,), name="pipeline_otel-delivery", daemon=True
    )
    thread.start()
    return thread


def deliver(
    spool: Spool, endpoint: Endpoint, until: float = float("inf"), *, newest_first: bool = False
) -> Delivered:
    """Deliver sealed segments until none is left, one fails, or `until` (monotonic) is past."""
    spool.keep_caps()
    waiting = spool.sealed()
    if newest_first:
        waiting.reverse()
    spans = 0
    while waiting and time.monotonic() < until:
        with ExitStack() as locks:
            batch, frames = _next_batch(waiting, locks)
            body = encode_request(group_spans(frames)) if frames else b""
            fault = _send(endpoint, body, until) if body else None
            if fault is not None:
                return Delivered(spans, len(waiting) + len(batch), fault)
            for path in batch:
                path.unlink(missing_ok=True)
            spans += sum(len(frame.spans) for frame in frames)
    return Delivered(spans, len(waiting))


def _next_batch(waiting: list[Path], locks: ExitStack) -> tuple[list[Path], list[Frame]]:
    """Take segments from the front, locked, as many as one request may hold."""
    batch: list[Path] = []
    frames: list[Frame] = []
    size = 0
    while waiting:
        path = waiting[0]
        fd = locks.enter_context(locked(path))
        length = os.fstat(fd).st_size if fd is not None else 0
        if batch and size + length > REQUEST_BYTES:
            break
        waiting.pop(0)
        if fd is None:
            continue
        batch.append(path)
        size += length
        frames += [f for f in read_frames(os.pread(fd, length, 0)) if f.kind == f.kind.ENDED]
    return batch, frames


def send_within(endpoint: Endpoint, body: bytes, seconds: float) -> str | None:
    """Send one request, in at most so many seconds; return what went wrong, if anything."""
    faults: list[str | None] = []
    until = time.monotonic() + seconds
    _start(lambda: faults.append(_send(endpoint, body, until))).join(seconds)
    return faults[0] if faults else f"no answer in time from {_place(endpoint)}"


def _send(endpoint: Endpoint, body: bytes, until: float) -> str | None:
    timeout = min(endpoint.timeout, max(until - time.monotonic(), 0.01))
    try:
        status = post(endpoint, body, timeout)
    except (OSError, ValueError) as error:
        return f"{type(error).__name__} at {_place(endpoint)}"
    return None if status // 100 == 2 else f"HTTP {status} from {_place(endpoint)}"  # noqa: PLR2004


def _place(endpoint: Endpoint) -> str:
    parts = urlsplit(endpoint.url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def post(endpoint: Endpoint, body: bytes, timeout: float) -> int:
    """Send one request and return the answer's status; `timeout` seconds for each step of it.

    OSError: it could not be sent, or no HTTP came back. ValueError: a header can't be sent.
    """
    from http.client import HTTPException

    headers = _HEADERS | dict(endpoint.headers)
    if endpoint.compression == "gzip":
        body, headers["Content-Encoding"] = gzip.compress(body, 1), "gzip"
    connection, target = _connect(endpoint, timeout)
    try:
        connection.request("POST", target, body, headers)
        answer = connection.getresponse()
        answer.read(65536)
    except HTTPException as error:
        raise ConnectionError(type(error).__name__) from error
    else:
        return answer.status
    finally:
        connection.close()


def _connect(endpoint: Endpoint, timeout: float) -> tuple[HTTPConnection, str]:
    from http.client import HTTPConnection, HTTPSConnection
    from urllib.request import getproxies_environment, proxy_bypass

    parts = urlsplit(endpoint.url)
    host, path = parts.hostname or "", parts.path + (f"?{parts.query}" if parts.query else "")
    proxies = getproxies_environment()
    proxy = urlsplit(proxies.get(parts.scheme, ""))
    if not proxy.hostname or proxy_bypass(host):
        if parts.scheme == "https":
            return HTTPSConnection(host, parts.port, timeout=timeout, context=_tls(endpoint)), path
        return HTTPConnection(host, parts.port, timeout=timeout), path
    if parts.scheme == "https":
        connection = HTTPSConnection(
            proxy.hostname, proxy.port, timeout=timeout, context=_tls(endpoint)
        )
        connection.set_tunnel(host, parts.port)
        return connection, path
    return HTTPConnection(proxy.hostname, proxy.port, timeout=timeout), endpoint.url


def _tls(endpoint: Endpoint) -> SSLContext:
    import ssl

    context = ssl.create_default_context(cafile=endpoint.certificate)
    if endpoint.client_certificate:
        context.load_cert_chain(endpoint.client_certificate, endpoint.client_key)
    return context
