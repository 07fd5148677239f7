"""A stateful mock server made from hand-written OpenAPI documents.

In the order a request meets them: __main__ and settings (what was asked for), app (every stage), contract (the documents and the
rules they keep) and fixtures (credentials, seeded data), front (world, pages, CORS), bridge (Connexion: HTTP ends here), call,
dispatch, plans, targets, behaviours, changes, state, views, envelopes, reply and refusals. Around the bridge, exchanges does what
somebody ordered (prefer, faults, limits, spoiling, delivery) and notes it in the journal. Imports run one way.

Beside the server: client (a running server and its worlds, for tests in Python), pytest_plugin (a world of its own for each test)
and commands (errors, capsule, explain).
"""

__version__ = "0.1.0"
