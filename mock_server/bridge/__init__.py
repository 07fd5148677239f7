"""Contracts -> an ASGI application: a genuine Connexion server whose operations are compiled at the start.

HTTP ends here. A request meets routing, security, requests and replies, in Connexion's own order, and becomes a Call; its Reply
goes back the same way. `errors` renders whatever was refused.
"""

import warnings

from mock_server.deferred import deferred

UNUSED = (  # What Connexion imports for servers that fetch documents, render pages, run on WSGI or test themselves.
    *("asgiref.sync", "httpx", "jinja2", "requests", "starlette.templating", "starlette.testclient"),
    *("werkzeug", "werkzeug.wsgi"),
)

with warnings.catch_warnings(), deferred(*UNUSED):
    warnings.simplefilter("ignore")  # Of what Connexion itself imports: old names of jsonschema, Starlette's test client.
    import connexion  # noqa: F401

from mock_server.bridge.application import Answer  # noqa: E402  # Connexion comes first.
from mock_server.bridge.scope import Authenticate  # noqa: E402
from mock_server.bridge.stack import Bridge, BridgeSettings, build  # noqa: E402

__all__ = ["Answer", "Authenticate", "Bridge", "BridgeSettings", "build"]
