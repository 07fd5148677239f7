"""A stateful mock server made from hand-written OpenAPI documents.

In the order a request meets them: __main__ and settings (what was asked for), app (every stage), contract (the documents and the
rules they keep) and fixtures (credentials, seeded data), front (world, pages, CORS), bridge (Connexion: HTTP ends here), call,
dispatch, plans, targets, behaviours, changes, state, views, envelopes, reply and refusals. Imports run one way.
"""

__version__ = "0.1.0"
