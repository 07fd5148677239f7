"""Credentials -> who calls, by the security requirements of an operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Protocol

from connexion.middleware.security import SecurityAPI
from connexion.operations import AbstractOperation
from connexion.security import SECURITY_HANDLERS, AbstractSecurityHandler
from starlette.types import Scope

from mock_server.bridge.parameters import query_value
from mock_server.bridge.scope import IDENTITY, LEFT, Authenticate, cookies_of, headers_of, world_of
from mock_server.call import Identity
from mock_server.contract import Contract, Json
from mock_server.refusals import Forbidden, Refusal, Unauthenticated

NAME = "x-mock-name"  # where a scheme's definition, as Connexion gets it, says what it is called

Reader = Callable[[Scope], str | None]  # -> the credential as it was sent; None if it was not


class _Request(Protocol):
    scope: Scope


def _bearer(scope: Scope) -> str | None:
    return _token(headers_of(scope).get(b"authorization", b""))


@lru_cache(1024)
def _token(authorization: bytes) -> str | None:
    kind, _, token = authorization.partition(b" ")
    return token.strip().decode("latin-1") if kind.lower() == b"bearer" else None


def _in_header(name: str, scope: Scope) -> str | None:
    value = headers_of(scope).get(name.lower().encode("latin-1"))
    return None if value is None else value.decode("latin-1")


def _in_query(name: str, scope: Scope) -> str | None:
    return query_value(scope["query_string"], name)


def _in_cookie(name: str, scope: Scope) -> str | None:
    return cookies_of(scope).get(name)


READERS: Mapping[str, Callable[[str, Scope], str | None]] = {"header": _in_header, "query": _in_query, "cookie": _in_cookie}


def reader(scheme: Mapping[str, Json]) -> Reader:
    """What reads the credential that a security scheme defines.

    Raises LookupError for a scheme of a kind that is not supported.
    """
    kind = scheme["type"]
    if kind == "oauth2" or (kind == "http" and scheme["scheme"].lower() == "bearer"):
        return _bearer
    if kind == "apiKey":
        return partial(READERS[scheme["in"]], scheme["name"])
    raise LookupError(f"security scheme {scheme.get(NAME)}: {kind} {scheme.get('scheme', '')} is not supported")


class Check:
    """One scheme with the scopes that an operation demands of it."""

    __slots__ = ("_authenticate", "_contract", "_in_order", "_scheme", "_scopes", "read")

    def __init__(self, contract: Contract, authenticate: Authenticate, scheme: Mapping[str, Json], scopes: list[str]) -> None:
        self._contract = contract
        self._authenticate = authenticate
        self._scheme: str = scheme[NAME]
        self._scopes = frozenset(scopes)
        self._in_order = tuple(scopes)
        self.read = reader(scheme)

    def identity(self, scope: Scope) -> Identity:
        """Who sent the credential.

        Raises Unauthenticated and Forbidden.
        """
        identity = self._authenticate(self._contract, self._scheme, self.read(scope), world_of(scope))
        if not self._scopes <= identity.scopes:
            raise Forbidden(tuple(scope_ for scope_ in self._in_order if scope_ not in identity.scopes))
        return identity

    def __call__(self, request: _Request) -> dict[str, Json]:
        """As stock Connexion asks; whom the pipeline has let through is not asked again, since each time counts."""
        if LEFT not in request.scope:
            request.scope[IDENTITY] = self.identity(request.scope)
        identity = request.scope[IDENTITY]
        return {"sub": identity.name if identity is not None else None}


class Guard:
    """The alternatives of an operation, each a combination of checks."""

    def __init__(self, alternatives: list[tuple[Check, ...]]) -> None:
        self._alternatives = [checks for checks in alternatives if checks]
        self._optional = len(self._alternatives) < len(alternatives)
        self._only = self._alternatives[0][0] if len(alternatives) == 1 and len(alternatives[0]) == 1 else None

    def identity(self, scope: Scope) -> Identity | None:
        """Who calls, by the first alternative that holds; None for somebody unknown where that is allowed.

        Raises the most telling of the alternatives' refusals.
        """
        if self._only is not None:
            return self._only.identity(scope)
        refusals: list[tuple[int, Refusal]] = []
        for checks in self._alternatives:
            try:
                if len(checks) == 1:
                    return checks[0].identity(scope)
                return _together([check.identity(scope) for check in checks])
            except Forbidden as refusal:
                refusals.append((2, refusal))
            except Unauthenticated as refusal:
                refusals.append((int(any(check.read(scope) for check in checks)), refusal))
        if self._optional or not refusals:
            return None
        raise max(refusals, key=lambda told: told[0])[1]


def _together(identities: list[Identity]) -> Identity:
    scopes = frozenset(scope for identity in identities for scope in identity.scopes)
    session = next((identity.session for identity in identities if identity.session is not None), None)
    return Identity(" and ".join(identity.name for identity in identities), scopes, session)


class _Handler(AbstractSecurityHandler):  # type: ignore[misc]
    """Resolves nothing by name, environment or address, unlike Connexion's own handlers."""

    def __init__(self, contract: Contract, authenticate: Authenticate) -> None:
        self._contract = contract
        self._authenticate = authenticate

    def get_fn(self, security_scheme: Mapping[str, Json], required_scopes: list[str]) -> Check:
        return Check(self._contract, self._authenticate, security_scheme, required_scopes)


def handlers(contract: Contract, authenticate: Authenticate) -> dict[str, Callable[[], _Handler]]:
    """The `security_map` of an API: every kind that Connexion knows, so that none of its own remains."""
    make = partial(_Handler, contract, authenticate)
    return dict.fromkeys((*SECURITY_HANDLERS, "openIdConnect"), make)


def named(schemes: Mapping[str, Mapping[str, Json]]) -> dict[str, Json]:
    """Definitions for Connexion, with their names and without anything that makes it load code or fetch addresses.

    Raises LookupError for a scheme of a kind that is not supported.
    """
    for name, scheme in schemes.items():
        reader({**scheme, NAME: name})
    return {
        name: {**{word: value for word, value in scheme.items() if not word.startswith("x-")}, NAME: name}
        for name, scheme in schemes.items()
    }


class Guards(SecurityAPI):  # type: ignore[misc]
    """The guards of a contract's operations, by operation id, made of Connexion's own operations and security functions."""

    operations: dict[str, Guard]

    def make_operation(self, operation: AbstractOperation) -> Guard:
        return Guard(
            [
                tuple(
                    self.security_handler_factory.parse_security_scheme(operation.security_schemes[name], scopes)
                    for name, scopes in requirement.items()
                )
                for requirement in operation.security or ()
            ]
        )
