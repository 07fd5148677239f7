"""The server as an ASGI application, for an HTTP server of your own.

    granian --interface asgi --factory mock_server.asgi:application

Settings come from the environment (`MOCK_SEED`, `MOCK_LOG`, …). Faults that cut a connection need the HTTP server that
`mock-server` starts; elsewhere they end the request with an error.
"""

from __future__ import annotations

from mock_server import app, settings
from mock_server.front import Front


def application() -> Front:
    """The application that the environment asks for.

    Raises WrongUsage for a setting, BrokenContract and UnknownContract for a contract, UnknownSituation and UnknownStore.
    """
    return app.build(settings.read(()))
