"""Credentials -> what a request carries to be let in, or not to be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from mock_server import documents
from mock_server.atlas.recipe import JSON_TYPE, SESSION, Headers, Request, written
from mock_server.bridge.schemas import Schemas
from mock_server.contract import Contract, Json, Operation
from mock_server.credentials import Credential
from mock_server.worlds import World


@dataclass(frozen=True, slots=True)
class Access:
    """What a request carries to be let in."""

    headers: Headers = ()
    query: tuple[tuple[str, str], ...] = ()


class Door:
    """Who may call one API in a world that is new."""

    def __init__(self, world: World, contract: Contract) -> None:
        self.contract = contract
        self.credentials = world.known_credentials(contract.name)
        situation = world.situations.get(world.situation)
        self._sessions_live = situation is None or contract.name not in situation.expired
        self._schemas = Schemas(contract.document)
        self._accesses = {name: self._let_into(operation) for name, operation in contract.operations.items()}

    def alternatives(self, operation: Operation) -> Sequence[Mapping[str, Sequence[str]]]:
        """The operation's security requirements: schemes with their scopes."""
        definition = self._schemas.operation(operation)
        found: Sequence[Mapping[str, Sequence[str]]] = definition.get("security", self.contract.document.get("security", ()))
        return found

    def access(self, operation: Operation) -> Access | None:
        """What lets a request in; None if no known credential does."""
        return self._accesses[operation.operation_id]

    def _let_into(self, operation: Operation) -> Access | None:
        alternatives = self.alternatives(operation)
        if not alternatives:
            return Access()
        return next((access for needed in alternatives if (access := self._together(needed)) is not None), None)

    def _together(self, needed: Mapping[str, Sequence[str]]) -> Access | None:
        secrets = {scheme: self._secret(scheme, frozenset(scopes)) for scheme, scopes in needed.items()}
        return None if None in secrets.values() else _joined(self._carried(scheme, str(it)) for scheme, it in secrets.items())

    def _secret(self, scheme: str, scopes: frozenset[str]) -> str | None:
        """What a known credential sends for a scheme; None if none has the scopes."""
        sessions = self.contract.sessions
        if sessions is not None and sessions.scheme == scheme:
            return SESSION if self.login and self._sessions_live else None
        return next((credential.secret for credential in self._with_secret if scopes <= credential.scopes), None)

    def carried(self, schemes: Iterable[str], value: str) -> Access:
        """The same credential for several schemes, each at its place."""
        return _joined(self._carried(scheme, value) for scheme in schemes)

    def _carried(self, scheme: str, value: str) -> Access:
        definition = self.contract.security_schemes[scheme]
        if definition["type"] != "apiKey":
            return Access((("Authorization", f"Bearer {value}"),))
        where, name = definition["in"], definition["name"]
        if where == "query":
            return Access(query=((name, value),))
        return Access((("Cookie", f"{name}={value}") if where == "cookie" else (name, value),))

    def lacking(self, operation: Operation) -> Iterator[tuple[Credential, Access, Sequence[str]]]:
        """Known credentials that none of the alternatives is content with, where they are sent, and the scopes that they lack."""
        for needed in self.alternatives(operation):
            for scheme, scopes in needed.items():
                for credential in self._with_secret:
                    missing = [scope for scope in scopes if scope not in credential.scopes]
                    if missing and not self._suffices(operation, credential):
                        yield credential, self._carried(scheme, str(credential.secret)), missing

    def _suffices(self, operation: Operation, credential: Credential) -> bool:
        return any(
            all(credential.scopes.issuperset(scopes) for scopes in needed.values()) for needed in self.alternatives(operation)
        )

    @cached_property
    def _with_secret(self) -> list[Credential]:
        return [credential for credential in self.credentials.known if credential.secret]

    @cached_property
    def login(self) -> Request | None:
        """The request that opens a session."""
        login = next((operation for operation in self.contract.operations.values() if operation.action == "login"), None)
        body = self.login_body
        if login is None or body is None:
            return None
        path = _path_of(login.envelope, "$session")
        return Request(
            login.method, self.contract.base_path + login.path, (JSON_TYPE,), written(body), session=documents.pointer(path or ())
        )

    @cached_property
    def login_body(self) -> dict[str, str] | None:
        """What is known to log in."""
        return next((dict(credential.login) for credential in self.credentials.known if credential.login), None)


def _joined(parts: Iterable[Access]) -> Access:
    there = list(parts)
    return Access(sum((part.headers for part in there), ()), sum((part.query for part in there), ()))


def _path_of(template: Json, token: str) -> documents.Steps | None:
    """Where a token stands in an envelope."""
    if template == token:
        return ()
    for name, part in template.items() if isinstance(template, Mapping) else ():
        below = _path_of(part, token)
        if below is not None:
            return (name, *below)
    return None
