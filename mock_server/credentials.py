"""fixtures/<api>/credentials.yaml -> who may call, and what they may do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from mock_server.call import Identity
from mock_server.contract import BrokenContract, Contract, Json
from mock_server.documents import Document, Mistake, Node
from mock_server.refusals import Unauthenticated, Violation

if TYPE_CHECKING:
    from mock_server.worlds import World

ALL = "all"


@dataclass(frozen=True)
class Credential:
    """A well-known credential: a secret to send, or what to log in with."""

    name: str
    secret: str | None = None
    login: Mapping[str, str] = field(default_factory=dict)
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Credentials:
    """One API's well-known credentials; lenient takes any that is not empty."""

    contract: Contract
    known: tuple[Credential, ...]
    lenient: bool = False

    @cached_property
    def _identities(self) -> Mapping[str, Identity]:
        """Who has which secret; of those with the same, the first."""
        named = [(credential.secret, credential) for credential in self.known if credential.secret is not None]
        return {secret: Identity(credential.name, credential.scopes) for secret, credential in reversed(named)}

    def identity(self, scheme: str, value: str | None, world: World) -> Identity:
        """Who sent this value.

        Raises Unauthenticated.
        """
        if not value:
            raise self._refused(scheme, self._wanted(scheme))
        sessions = self.contract.sessions
        if sessions is not None and sessions.scheme == scheme:
            return self._session(scheme, value, world)
        known = self._identities.get(value)
        if known is not None:
            return known
        if self.lenient:
            return Identity("anyone", scopes_of(self.contract, scheme))
        raise self._refused(scheme, "This credential is not known.", error="invalid_token")

    def told(self) -> list[str]:
        """Each credential as a person sends it, for the table at start."""
        lines = []
        for credential in self.known:
            if credential.login:
                lines.append("login " + ", ".join(f"{name}={value}" for name, value in credential.login.items()))
            for scheme in self.contract.security_schemes.values():
                header = scheme["name"] if scheme["type"] == "apiKey" else "Authorization"
                bearer = "" if scheme["type"] == "apiKey" else "Bearer "
                if credential.secret:
                    lines.append(f"{header}: {bearer}{credential.secret} ({credential.name})")
        return lines

    def logs_in(self, body: Json) -> bool:
        """Whether the body of a login carries well-known credentials."""
        sessions = self.contract.sessions
        if sessions is None or not isinstance(body, dict):
            return False
        if self.lenient:
            return all(body.get(name) for name in sessions.credentials)
        return any(all(body.get(name) == c.login.get(name) for name in sessions.credentials) for c in self.known if c.login)

    def _session(self, scheme: str, value: str, world: World) -> Identity:
        session = world.state(self.contract.name).sessions.get(value)
        if session is not None and session.ends > world.clock.now():
            return Identity("session", scopes_of(self.contract, scheme), session.id)
        if self.lenient and session is None:
            return Identity("anyone", scopes_of(self.contract, scheme), value)
        raise self._refused(scheme, "The session has ended or was never opened; log in again.")

    def _refused(self, scheme: str, problem: str, error: str = "") -> Unauthenticated:
        """The refusal of what was sent, or not sent, where the scheme has its place."""
        definition = self.contract.security_schemes[scheme]
        where, name = (definition["in"], definition["name"]) if definition["type"] == "apiKey" else ("header", "Authorization")
        return Unauthenticated(self._challenge(scheme, error), problem, violations=(Violation(where, f"/{name}", problem),))

    def _wanted(self, scheme: str) -> str:
        definition = self.contract.security_schemes[scheme]
        if definition["type"] == "apiKey":
            return f"Send the {definition['in']} {definition['name']}."
        return "Send the header Authorization: Bearer TOKEN."

    def _challenge(self, scheme: str, error: str = "") -> str:
        definition = self.contract.security_schemes[scheme]
        if definition["type"] == "apiKey":  # No registered scheme fits; RFC 9110 wants one all the same.
            return f'ApiKey realm="{self.contract.name}", name="{definition["name"]}"'
        return f'Bearer realm="{self.contract.name}"' + (f', error="{error}"' if error else "")


def scopes_of(contract: Contract, scheme: str) -> frozenset[str]:
    """Every scope that a security scheme knows."""
    flows = contract.security_schemes.get(scheme, {}).get("flows", {})
    return frozenset(scope for flow in flows.values() for scope in flow.get("scopes", {}))


def read(contract: Contract, document: Document, *, lenient: bool) -> Credentials:
    """The credentials that a file names.

    Raises BrokenContract with every mistake in it.
    """
    entries = document.root / "credentials"
    if not list(entries.elements()):
        raise BrokenContract([document.root.mistake("it must be a mapping with the list `credentials`, not empty")])
    return listed(contract, entries, lenient=lenient)


def listed(contract: Contract, node: Node, *, lenient: bool) -> Credentials:
    """The credentials in a list.

    Raises BrokenContract with every mistake in it.
    """
    every = frozenset(scope for scheme in contract.security_schemes for scope in scopes_of(contract, scheme))
    entries = list(node.elements())
    mistakes = [mistake for entry in entries for mistake in _mistakes(entry, every)]
    if not entries:
        mistakes.append(node.mistake("it must be a list of credentials, not empty"))
    if mistakes:
        raise BrokenContract(mistakes)
    return Credentials(contract, tuple(_credential(entry.mapping, every) for entry in entries), lenient)


def _credential(entry: Mapping[str, Json], every: frozenset[str]) -> Credential:
    scopes = every if entry.get("scopes") == ALL else frozenset(entry.get("scopes", ()))
    return Credential(entry["name"], entry.get("secret"), entry.get("login", {}), scopes)


def _mistakes(entry: Node, every: frozenset[str]) -> Iterator[Mistake]:
    if not isinstance(entry.value, dict):
        yield entry.mistake("it must be a mapping with `name`, and `secret` or `login`")
        return
    for key, part in entry.items():
        if key not in {"name", "secret", "login", "scopes"}:
            yield part.mistake("this key is unknown; there are name, secret, login, scopes")
    if (entry / "name").text is None:
        yield entry.mistake("`name` must be a text")
    if ((entry / "secret").text is None) == (not (entry / "login").mapping):
        yield entry.mistake("it needs either `secret`, a text, or `login`, a mapping of the body's properties")
    scopes = (entry / "scopes").value
    if scopes not in (None, ALL) and not (isinstance(scopes, list) and every.issuperset(map(str, scopes))):
        yield (entry / "scopes").mistake(f"it must be `all` or a list of {', '.join(sorted(every)) or 'no'} scopes")
