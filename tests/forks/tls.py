"""A recording collector behind TLS, with a certification authority of its own."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import trustme

from tests.airflow.sink import Sink

if TYPE_CHECKING:
    from pathlib import Path


class TlsSink(Sink):
    """As `Sink`, for https://localhost; `certificate` is the authority's."""

    def __init__(self, folder: Path) -> None:
        """Start to listen at once."""
        super().__init__()
        authority = trustme.CA()
        self.certificate = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        # The handshake is the handler thread's: it must not hold up the one that accepts.
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )

    @property
    def endpoint(self) -> str:
        """The value for OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"https://localhost:{self._server.server_address[1]}"
