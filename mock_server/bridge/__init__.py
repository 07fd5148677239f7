"""Contracts -> an ASGI application: a genuine Connexion server whose operations are compiled at the start.

HTTP ends here. A request meets routing, security, requests and replies, in Connexion's own order, and becomes a Call; its Reply
goes back the same way. `errors` renders whatever was refused.
"""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Of what Connexion itself imports: old names of jsonschema, Starlette's test client.
    import connexion  # noqa: F401

from mock_server.bridge.application import Answer
from mock_server.bridge.scope import Authenticate
from mock_server.bridge.stack import Bridge, BridgeSettings, build

__all__ = ["Answer", "Authenticate", "Bridge", "BridgeSettings", "build"]
