"""Connexion as it comes, with its own mock resolver: python connexion_mock.py DOCUMENT PORT"""

import sys

import uvicorn
from connexion import AsyncApp
from connexion.mock import MockResolver

SCOPES = ["read:customers", "write:customers", "admin"]


def token_info(token: str) -> dict[str, object] | None:
    """Who has a token; the contract names this function."""
    return {"sub": token, "scope": SCOPES} if token == "test-admin" else None  # noqa: S105


def main(document: str, port: str) -> None:
    app = AsyncApp(__name__, specification_dir=".")
    app.add_api(document, resolver=MockResolver(mock_all=True))
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="error", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
