"""A collector on a real socket that can be made to fail in every way that collectors do."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BufferedReader
    from ssl import SSLContext

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

PREFACE: Final = bytes.fromhex("000006040000000000000500004000")
HANG: Final = 600.0


@dataclass
class Request:
    """What was sent, unpacked."""

    path: str
    headers: dict[str, str]
    body: bytes

    def names(self) -> list[str]:
        """Return the names of its spans."""
        return [span.name for span in self._spans()]

    def span_ids(self) -> list[bytes]:
        """Return the ids of its spans."""
        return [span.span_id for span in self._spans()]

    def _spans(self) -> list[Span]:
        return [
            span
            for resource in ExportTraceServiceRequest.FromString(self.body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@dataclass
class Collector:
    """Keeps what it takes; `fault` names how it fails, and "" stands for one that works."""

    fault: str = ""
    status: int = 200
    answer_headers: dict[str, str] = field(default_factory=dict)
    refuses: Callable[[Request], int] | None = None
    """Returns another status than 200 for some requests."""
    rejected_spans: int = 0
    tls: SSLContext | None = None
    attempts: int = 0
    connections: int = 0
    requests: list[Request] = field(default_factory=list)
    taken: list[Request] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Listen."""
        self._gone = threading.Event()
        self._open: set[socket.socket] = set()
        self._server = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._server.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1/traces"
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close, and end all connections."""
        self._gone.set()
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for connection in [*self._open]:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def names(self) -> list[str]:
        """Return the names of all spans that were taken, each as often as it was."""
        return [name for request in self.taken for name in request.names()]

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(connection)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError), ExitStack() as stack:
            stack.enter_context(connection)
            if self.tls is not None:
                connection = stack.enter_context(
                    self.tls.wrap_socket(
                        connection, server_side=True, do_handshake_on_connect=False
                    )
                )
                connection.do_handshake()
            if self.fault == "grpc":
                connection.sendall(PREFACE)
                self._gone.wait(HANG)
            with connection.makefile("rb") as stream:
                while self._answer(connection, stream):
                    pass
        self._open.discard(connection)

    def _answer(self, connection: socket.socket, stream: BufferedReader) -> bool:
        line = stream.readline()
        if not line:
            return False
        headers = {}
        while header := stream.readline().strip():
            name, _, value = header.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        self.attempts += 1
        if self.fault == "reset":
            stream.read(10)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if self.fault == "hang":
            self._gone.wait(HANG)
        body = stream.read(int(headers.get("content-length", 0)))
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        request = Request(line.split()[1].decode(), headers, body)
        self.requests.append(request)
        return self._reply(connection, request)

    def _reply(self, connection: socket.socket, request: Request) -> bool:
        status = self.status
        if self.refuses is not None:
            status = self.refuses(request) or status
        if status // 100 == 2:
            self.taken.append(request)
        if self.fault == "lost":
            return False
        if self.fault == "half-closed":
            connection.shutdown(socket.SHUT_WR)
            self._gone.wait(HANG)
        if self.fault == "slow":
            self._gone.wait(5)
        answer = self._words(status)
        if self.fault == "drip":
            for byte in answer:
                connection.sendall(bytes((byte,)))
                if self._gone.wait(1):
                    break
        connection.sendall(answer)
        return True

    def _words(self, status: int) -> bytes:
        said = b""
        if self.rejected_spans:
            partial = ExportTracePartialSuccess(
                rejected_spans=self.rejected_spans, error_message="too old"
            )
            said = ExportTraceServiceResponse(partial_success=partial).SerializeToString()
        headers = {"Content-Type": "application/x-protobuf", "Content-Length": str(len(said))}
        if status == 204:
            headers = {}
        head = "".join(f"{n}: {v}\r\n" for n, v in (headers | self.answer_headers).items())
        return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + said


class Proxy:
    """A proxy that passes on what it is asked for, and notes that."""

    def __enter__(self) -> Self:
        """Listen."""
        self.heads: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536)
        self.heads.append(head)
        method, target, _ = head.split(b" ", 2)
        place = target if method == b"CONNECT" else target.split(b"/")[2]
        port = int(place.rpartition(b":")[2])
        with connection, socket.create_connection(("127.0.0.1", port)) as beyond:
            if method == b"CONNECT":
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                beyond.sendall(head)
            back = threading.Thread(target=_pass_on, args=(beyond, connection), daemon=True)
            back.start()
            _pass_on(connection, beyond)
            back.join(5)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


class Blackhole:
    """A port that answers no SYN: its queue of connections is full."""

    def __enter__(self) -> Self:
        """Listen, and fill the queue."""
        self._server = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.port = self._server.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1/traces"
        self._fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)  # noqa: FBT003
            filler.connect_ex(("127.0.0.1", self.port))
            self._fillers.append(filler)
        time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        """Close all."""
        for each in (*self._fillers, self._server):
            each.close()
