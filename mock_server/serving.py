"""The HTTP server, and what it is told: uvicorn, with each request's connection within reach of a fault."""

from __future__ import annotations

from asyncio import Transport
from typing import Any

from mock_server.deferred import deferred
from mock_server.delivery import TRANSPORT

with deferred("uvicorn.supervisors"):  # for reloading and for several workers, which this server does in its own way
    import uvicorn
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 whose requests carry their connection in the ASGI scope's state."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # uvicorn says BaseTransport is one
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}


def server(application: Any, **settings: Any) -> uvicorn.Server:
    """A server for the application; settings are uvicorn's."""
    return uvicorn.Server(
        uvicorn.Config(application, http=Protocol, log_level="warning", access_log=False, server_header=False, **settings)
    )
