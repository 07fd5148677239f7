"""What the bridge's stages leave in the ASGI scope for one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mock_server.call import Identity
from mock_server.contract import Contract

WORLD = "mock.world"  # str, from the front
OPERATION = "mock.operation"  # str, the key of the operation, from routing
HEADERS = "mock.headers"  # Mapping[bytes, bytes], from routing
IDENTITY = "mock.identity"  # Identity or None, from security
CALL = "mock.call"  # Call, from request validation

DEFAULT_WORLD = "default"

Scope = Mapping[str, Any]
Authenticate = Callable[[Contract, str, str | None, str], Identity]  # contract, scheme, value as sent, world -> who calls


def key(contract: Contract, operation_id: str | None) -> str:
    """What an operation is called in every stage."""
    return f"{contract.base_path} {operation_id}"


def world_of(scope: Scope) -> str:
    name: str = scope.get(WORLD, DEFAULT_WORLD)
    return name


def headers_of(scope: Scope) -> Mapping[bytes, bytes]:
    """The header fields by name; of those sent twice, the last."""
    headers: Mapping[bytes, bytes] | None = scope.get(HEADERS)
    return dict(scope["headers"]) if headers is None else headers


def cookies_of(scope: Scope) -> dict[str, str]:
    return cookies(headers_of(scope).get(b"cookie", b""))


def cookies(header: bytes) -> dict[str, str]:
    """The cookies in a Cookie header, whatever their neighbours look like; of those sent twice, the last."""
    pairs = (pair.partition("=") for pair in header.decode("latin-1").split(";"))
    return {name.strip(): value.strip().strip('"') for name, sign, value in pairs if sign}
