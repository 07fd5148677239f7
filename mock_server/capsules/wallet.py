"""The credentials that stand for a capsule's placeholders: those of the mock, or those in the environment."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from urllib.parse import quote

from mock_server.capsules.capsule import Body, Capsule, Headers, Request
from mock_server.contract import Contract, Json
from mock_server.credentials import Credential, Credentials
from mock_server.secrecy import placeholder

_PLACEHOLDER = re.compile(r"\$\{(?P<api>[\w-]+)(?:\.(?P<name>[\w-]+))?(?:\.(?P<property>[\w-]+))?\}")
SESSION = "session"
_LITERAL = "%/:?#[]@!$&'()*+,;=-._~"  # what a target may have as it stands


class Wallet:
    """Placeholder -> value, each for the API that it belongs to and no other."""

    def __init__(self, values: Mapping[str, str], logins: Mapping[str, Json] | None = None) -> None:
        self._values = values  # without ${ }
        self.logins = logins or {}  # API -> body of the login that opens a session

    @property
    def values(self) -> Iterable[str]:
        """All that is a secret."""
        return self._values.values()

    @property
    def names(self) -> Collection[str]:
        """The placeholders, without ${ }."""
        return self._values.keys()

    def missing(self, capsule: Capsule) -> list[str]:
        """The credentials that a capsule needs and that are not here."""
        needed = dict.fromkeys(name for request in capsule.requests for name in _needed(request))
        return [name for name in needed if name not in self._values]

    def filled(self, request: Request, session: Callable[[str], str | None], *, login: bool) -> tuple[str, Headers, Body | None]:
        """Target, header fields and body with the credentials in the places where credentials are sent.

        A session is asked for by the id of the request that opened it; "" is any.
        """

        def value(match: re.Match[str]) -> str:
            if match["api"] == SESSION:
                return session(match["name"] or "") or match[0]
            return self._values.get(match[0][2:-1], match[0]) if match["api"] == request.api else match[0]

        def fill(text: str) -> str:
            return _PLACEHOLDER.sub(value, text) if "${" in text else text

        path, sign, query = request.target.partition("?")
        target = path + sign + _PLACEHOLDER.sub(lambda match: quote(value(match), safe=""), query)
        headers = tuple((name, fill(text)) for name, text in request.headers)
        body = request.body
        if login and body is not None and body.form == "body" and isinstance(body.value, dict):
            body = replace(body, value={name: fill(part) if isinstance(part, str) else part for name, part in body.value.items()})
        return quote(target, safe=_LITERAL) if "{" in target else target, headers, body


def without_dangling(capsule: Capsule) -> Capsule:
    """The capsule with sessions that none of its requests opened as unknown ones."""
    ids = {request.id for request in capsule.requests}

    def told(match: re.Match[str]) -> str:
        dangling = match["api"] == SESSION and match["name"] and match["name"] not in ids
        return "${unknown}" if dangling else match[0]

    return replace(
        capsule,
        requests=tuple(
            replace(
                request,
                target=_PLACEHOLDER.sub(told, request.target),
                headers=tuple((name, _PLACEHOLDER.sub(told, text)) for name, text in request.headers),
            )
            for request in capsule.requests
        ),
    )


def _needed(request: Request) -> Iterable[str]:
    texts = [request.target, *(value for _, value in request.headers)]
    if request.body is not None and request.body.form == "body" and isinstance(request.body.value, dict):
        texts += [part for part in request.body.value.values() if isinstance(part, str)]
    for text in texts:
        yield from (match[0][2:-1] for match in _PLACEHOLDER.finditer(text) if match["api"] == request.api and match["name"])


def of_the_mock(known: Iterable[Credentials]) -> Wallet:
    """The well-known credentials; of two with one name, the first counts."""
    values: dict[str, str] = {}
    logins: dict[str, Json] = {}
    for credentials in known:
        api = credentials.contract.name
        for one in credentials.known:
            for property, value in _parts(one):
                values.setdefault(placeholder(api, one, property)[2:-1], value)
            if one.login:
                logins.setdefault(api, dict(one.login))
    return Wallet(values, logins)


def of_the_environment(known: Iterable[Credentials], environment: Mapping[str, str]) -> Wallet:
    """The values of the variables that stand for the well-known credentials; an empty one is none."""
    values: dict[str, str] = {}
    logins: dict[str, Json] = {}
    for credentials in known:
        api = credentials.contract.name
        for one in credentials.known:
            found = {property: environment.get(variable(credentials, one, property), "") for property, _ in _parts(one)}
            values |= {placeholder(api, one, property)[2:-1]: value for property, value in found.items() if value}
            if one.login and all(found.values()):
                logins.setdefault(api, found)
    return Wallet(values, logins)


def variable(credentials: Credentials, one: Credential, property: str = "") -> str:
    """The environment variable for a credential: the API's name, then the property of the login, or API_KEY for its first key."""
    api = _upper(credentials.contract.name)
    if property:
        return f"{api}_{property.upper()}"
    return f"{api}_API_KEY" if one == credentials.known[0] else f"{api}_{_upper(one.name)}_KEY"


def variable_of(name: str, known: Iterable[Credentials]) -> str:
    """The environment variable for a placeholder, given without ${ }."""
    for credentials in known:
        for one in credentials.known:
            for property, _ in _parts(one):
                if placeholder(credentials.contract.name, one, property)[2:-1] == name:
                    return variable(credentials, one, property)
    return ""


def _parts(one: Credential) -> Iterable[tuple[str, str]]:
    """The properties of a login; or "" and the secret."""
    return one.login.items() if one.login else [("", one.secret or "")]


def _upper(name: str) -> str:
    return re.sub(r"\W", "_", name).upper()


def is_login(contracts: Mapping[str, Contract], request: Request) -> bool:
    """Whether a request opens a session, as far as its operation tells."""
    contract = contracts.get(request.api)
    operation = contract.operations.get(request.operation) if contract else None
    return operation is not None and operation.action in ("login", "renew")
