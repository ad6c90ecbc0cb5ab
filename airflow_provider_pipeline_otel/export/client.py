"""The client: requests to a collector over OTLP/HTTP, on one connection, each with a deadline.

A deadline holds for the whole request: an answer that comes a byte a second doesn't move it. Only
the look-up of the host's name can't be bounded from here: callers that mustn't wait use a thread.
"""

from __future__ import annotations

import gzip
import io
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

if TYPE_CHECKING:
    import socket
    from http.client import HTTPConnection
    from ssl import SSLContext

    from typing_extensions import Buffer

    from airflow_provider_pipeline_otel.endpoint import Endpoint

_ANSWER_BYTES: Final = 64 * 1024
_HTTP: Final = b"HTTP/"
_SETTINGS_FRAME: Final = 4
_SSL_WANT_READ: Final = 2
_HEADERS: Final = {
    "Content-Type": "application/x-protobuf",
    "User-Agent": "airflow-provider-pipeline-otel",
}


class NoHttpError(ConnectionError):
    """What answers speaks no HTTP/1."""


class GrpcError(NoHttpError):
    """What answers speaks HTTP/2, as gRPC does."""


class Answer(msgspec.Struct, frozen=True):
    """What the collector said; `headers` have names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """Sends bodies to an endpoint; the connection is opened with the first and kept."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.is_aborted = False
        self._endpoint = endpoint
        self._parts = urlsplit(endpoint.url)
        self._connection: HTTPConnection | None = None
        self._socket: _TimedSocket
        self._headers: dict[str, str] = _HEADERS | dict(endpoint.headers)
        self._target = self._parts.path + (f"?{self._parts.query}" if self._parts.query else "")

    def connect(self, until: float) -> None:
        """Open the connection, unless there is a good one; nothing of a body is sent here.

        OSError: there is no way to the collector, by `until` (monotonic seconds).
        """
        if self._connection is not None and self._socket.is_closed_by_peer():
            self.close()
        if self._connection is None:
            connection = self._open(_left(until))
            with ExitStack() as failing:
                failing.callback(connection.close)
                connection.connect()
                failing.pop_all()
            self._socket = _TimedSocket(connection.sock, until)
            # http.client wants no more of a socket than this one can.
            connection.sock = cast("socket.socket", self._socket)
            self._connection = connection

    def post(self, body: bytes, until: float) -> Answer:
        """Send one request and return the answer.

        OSError: no answer came, or none of HTTP's. ValueError: a header can't be sent.
        """
        self.connect(until)
        connection = self._connection
        assert connection is not None  # noqa: S101  for mypy: `connect` has opened it
        self._socket.until = until
        headers = self._headers
        if self._endpoint.compression == "gzip":
            body, headers = gzip.compress(body, 1), headers | {"Content-Encoding": "gzip"}
        with _as_os_errors(), ExitStack() as failing:
            failing.callback(self.close)
            connection.request("POST", self._target, body, headers)
            answer = connection.getresponse()
            said = answer.read(_ANSWER_BYTES)
            failing.pop_all()
        if not answer.isclosed() or answer.will_close:  # there is more of it than we read
            self.close()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, names, said)

    def abort(self) -> None:
        """Cut the connection off, from another thread: `post` raises."""
        self.is_aborted = True
        if self._connection is not None:
            self._socket.cut_off()

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self, timeout: float) -> HTTPConnection:
        from http.client import HTTPConnection, HTTPSConnection

        host, port = self._parts.hostname or "", self._parts.port
        proxy = _proxy_of(self._parts)
        if self._parts.scheme == "https":
            context = _tls(self._endpoint)
            if proxy is None:
                return HTTPSConnection(host, port, timeout=timeout, context=context)
            tunnel = HTTPSConnection(
                proxy.hostname or "", proxy.port, timeout=timeout, context=context
            )
            tunnel.set_tunnel(host, port, _authorization(proxy))
            return tunnel
        if proxy is None:
            return HTTPConnection(host, port, timeout=timeout)
        self._target = self._endpoint.url
        self._headers |= _authorization(proxy)
        return HTTPConnection(proxy.hostname or "", proxy.port, timeout=timeout)


@contextmanager
def _as_os_errors() -> Iterator[None]:
    from http.client import HTTPException

    try:
        yield
    except HTTPException as error:
        raise ConnectionError(type(error).__name__) from error


class _TimedSocket:
    """A socket whose every step ends at one time; as much of one as http.client wants."""

    def __init__(self, connected: socket.socket, until: float) -> None:
        self._socket = connected
        self.until = until

    def sendall(self, data: Buffer) -> None:
        view = memoryview(data)
        while view:
            self._socket.settimeout(_left(self.until))
            view = view[self._socket.send(view) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Received(self._receive))

    def _receive(self, into: Buffer) -> int:
        self._socket.settimeout(_left(self.until))
        return self._socket.recv_into(into)

    def cut_off(self) -> None:
        """Let whoever waits for this socket go on; of TLS's state nothing is touched."""
        from socket import SHUT_RDWR, socket

        with suppress(OSError):
            socket.shutdown(self._socket, SHUT_RDWR)

    def is_closed_by_peer(self) -> bool:
        """Say so where nothing is owed: whatever comes then is an end (or TLS's own business)."""
        self._socket.settimeout(0)
        try:
            self._socket.recv(1)
        except OSError as error:
            # SSLWantReadError, without the import where there is no TLS
            return not isinstance(error, BlockingIOError) and error.errno != _SSL_WANT_READ
        return True

    def close(self) -> None:
        self._socket.close()


class _Received(io.RawIOBase):
    """What one answer consists of; raises with its first bytes if they are none of HTTP's."""

    def __init__(self, receive: Callable[[Buffer], int]) -> None:
        self._receive = receive
        self._is_first = True

    def readable(self) -> bool:
        return True

    def readinto(self, into: Buffer) -> int:
        count = self._receive(into)
        if self._is_first and count:
            self._is_first = False
            _check_is_http(bytes(memoryview(into)[: min(count, 9)]))
        return count


def _check_is_http(start: bytes) -> None:
    if start.startswith(_HTTP[: len(start)]):
        return
    if len(start) > 3 and start[3] == _SETTINGS_FRAME:  # noqa: PLR2004  length, type (RFC 9113)
        message = "HTTP/2"
        raise GrpcError(message)
    message = "no HTTP"
    raise NoHttpError(message)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return min(left, 3600.0)


def _proxy_of(parts: SplitResult) -> SplitResult | None:
    from urllib.request import getproxies_environment, proxy_bypass

    found = getproxies_environment().get(parts.scheme, "")
    if not found or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxy = urlsplit(found if "://" in found else f"http://{found}")
    return proxy if proxy.hostname else None


def _authorization(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    from base64 import b64encode

    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def _tls(endpoint: Endpoint) -> SSLContext:
    import ssl

    context = ssl.create_default_context(cafile=endpoint.certificate)
    if endpoint.client_certificate:
        context.load_cert_chain(endpoint.client_certificate, endpoint.client_key)
    return context
