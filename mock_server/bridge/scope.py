"""What the bridge's stages leave in the ASGI scope for one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mock_server.call import Identity
from mock_server.contract import Contract
from mock_server.refusals import InvalidParameter, Violation

WORLD = "mock.world"  # str, from the front
ROUTE = "mock.route"  # Route, the operation that it is for, from routing
HEADERS = "mock.headers"  # Mapping[bytes, bytes], from the front where no field was sent twice, else from routing
IDENTITY = "mock.identity"  # Identity or None, from security
CALL = "mock.call"  # Call, from request validation
REPLY = "mock.reply"  # Reply, from whatever answered the call
REFUSAL = "mock.refusal"  # Refusal, from whatever turned the request down
READING = "mock.reading"  # str, the world whose records are shown, where it is another one
LEFT = "mock.left"  # True, where the pipeline knows who calls, and leaves the rest to Connexion
METHOD = "mock.method"  # str, as it was sent, where the front has turned it into another one

DEFAULT_WORLD = "default"
LONGEST_KEPT = 1024  # bytes of what a client sent, of which something is kept because it will ask for the same again

LISTS = {b"accept": b", ", b"cookie": b"; "}  # fields that may be sent in several lines, and what joins them

Scope = Mapping[str, Any]
Authenticate = Callable[[Contract, str, str | None, str], Identity]  # contract, scheme, value as sent, world -> who calls


def world_of(scope: Scope) -> str:
    name: str = scope.get(WORLD, DEFAULT_WORLD)
    return name


def reading_of(scope: Scope) -> str:
    """The name of the world whose records are shown."""
    name: str = scope.get(READING) or world_of(scope)
    return name


def headers(sent: Sequence[tuple[bytes, bytes]], single: Mapping[bytes, str]) -> Mapping[bytes, bytes]:
    """The header fields by name; of those sent twice, the values of a list joined, and of others the last.

    Raises InvalidParameter for one that is sent twice and must not be; `single` names them, in lower case and as they are told.
    """
    found = dict(sent)
    if len(found) == len(sent):
        return found
    names = [name for name, _ in sent]
    twice = [Violation("header", f"/{told}", "is given twice") for name, told in single.items() if names.count(name) > 1]
    if twice:
        raise InvalidParameter(violations=tuple(twice))
    for name, between in LISTS.items():
        if name in found:
            found[name] = between.join(value for other, value in sent if other == name)
    return found


def headers_of(scope: Scope) -> Mapping[bytes, bytes]:
    """The header fields by name, as routing has read them."""
    return scope[HEADERS] if HEADERS in scope else dict(scope["headers"])


def cookies_of(scope: Scope) -> dict[str, str]:
    return cookies(headers_of(scope).get(b"cookie", b""))


def cookies(header: bytes) -> dict[str, str]:
    """The cookies in a Cookie header, whatever their neighbours look like; of those sent twice, the last."""
    pairs = (pair.partition("=") for pair in header.decode("latin-1").split(";"))
    return {name.strip(): value.strip().strip('"') for name, sign, value in pairs if sign}
