"""An address from anywhere -> the API that it is of, and the target to ask the mock server for the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from mock_server.contract import Contract, Json

WORLD = re.compile(r"/w/[^/]+(?=/)")  # what names a world before a path
_VARIABLE = re.compile(r"\{([^{}]+)\}")

# How sure it is that an address is of an API, the surest first.
HOST, OWN_PATH, ANY_HOST, BASE, WITHIN = range(5, 0, -1)
# HOST: the vendor's host, or the API's own at the mock server. OWN_PATH: a path of the mock server, whatever the host.
# ANY_HOST: a server of the contract whose host is a variable. BASE, WITHIN: a base path of the API, whatever the host,
# at the beginning or after a prefix; only if an operation is there.


class Located(NamedTuple):
    """An API, and where its request goes on the mock server: path and query, percent-encoded as they were."""

    api: str
    target: str


@dataclass(frozen=True)
class _Base:
    """One way to an API: a host and what its paths begin with."""

    host: re.Pattern[str] | None  # None: any
    path: re.Pattern[str]
    sureness: int


@dataclass(frozen=True)
class _Api:
    contract: Contract
    bases: tuple[_Base, ...]
    paths: tuple[tuple[str, re.Pattern[str]], ...]  # of operations: method, path
    headers: frozenset[str]  # in which its credentials are sent, in lower case

    def found(self, parts: SplitResult, method: str, sent: frozenset[str]) -> Iterator[tuple[tuple[int, ...], Located]]:
        """How well, and as what, an address fits this API."""
        path, host = WORLD.sub("", parts.path, count=1), (parts.hostname or "").lower()
        query = f"?{parts.query}" if parts.query else ""
        credential = int(not self.headers.isdisjoint(sent))
        for sureness, cut, rest in self._rests(path, host):
            known = self._known(method, rest)
            if known or sureness > BASE:
                yield (sureness, known, credential, cut), Located(self.contract.name, self.contract.base_path + rest + query)
        if any(base.sureness == HOST and base.host and base.host.fullmatch(host) for base in self.bases):
            # Perhaps below none of the base paths: then there is nothing, and that is for the server to tell.
            yield (HOST, 0, credential, -1), Located(self.contract.name, _root(self.contract) + path + query)

    def _rests(self, path: str, host: str) -> Iterator[tuple[int, int, str]]:
        """What may follow a base path of the API: how sure, how much was cut off, the rest."""
        for base in self.bases:
            if base.host is not None and not base.host.fullmatch(host):
                continue
            if match := base.path.match(path):
                yield base.sureness, match.end(), path[match.end() :]
        for prefix in re.finditer("/", path):
            start = prefix.start()
            for base in self.bases if start else ():
                if match := base.path.match(path, start):
                    yield WITHIN, match.end() - start, path[match.end() :]

    def _known(self, method: str, rest: str) -> int:
        """0: no operation has this path; 1: one has, with another method; 2: with this method."""
        methods = {known for known, path in self.paths if path.fullmatch(rest)}
        return int(bool(methods)) + int(method in methods)


class Addresses:
    """The addresses of all APIs."""

    def __init__(self, contracts: Mapping[str, Contract]) -> None:
        self._apis = [
            _Api(contract, tuple(_bases(contract)), tuple(_paths(contract)), frozenset(carriers(contract)))
            for contract in contracts.values()
        ]

    def located(self, url: str, method: str = "", headers: Iterable[str] = ()) -> Located | None:
        """The API that an address is of, None if it is of none, or of several; names of header fields tell two apart."""
        try:
            parts = urlsplit(url if "//" in url or url.startswith("/") else f"//{url}")
            parts.hostname  # noqa: B018  # It is read only now, and may be none.
        except ValueError:
            return None
        sent = frozenset(name.lower() for name in headers)
        found = sorted((fit for api in self._apis for fit in api.found(parts, method.upper(), sent)), reverse=True)
        if not found or len({located.api for fit, located in found if fit[:3] == found[0][0][:3]}) > 1:
            return None
        return found[0][1]


def located(contracts: Mapping[str, Contract], url: str, method: str = "", headers: Iterable[str] = ()) -> Located | None:
    """As Addresses, for one address."""
    return Addresses(contracts).located(url, method, headers)


def bases(contract: Contract) -> tuple[str, ...]:
    """What the API's paths begin with on the mock server."""
    return contract.base_path, *contract.aliases


def _bases(contract: Contract) -> Iterator[_Base]:
    own = re.compile(re.escape(f"{contract.name}.localhost"), re.IGNORECASE)
    for base in bases(contract):
        yield _Base(None, _beginning(re.escape(base)), OWN_PATH)
        yield _Base(own, _beginning(re.escape(base.removeprefix(_root(contract)))), HOST)
    for server in contract.document["servers"]:
        host, path = _host_and_path(server["url"])
        if path and path != contract.base_path:
            yield _Base(None, _beginning(_pattern(path, server)), BASE)
        if host and not _is_loopback(host):
            certain = _VARIABLE.fullmatch(host) is None
            if certain or path:
                yield _Base(re.compile(_pattern(host, server), re.IGNORECASE), _beginning(_pattern(path, server)),
                            HOST if certain else ANY_HOST)  # fmt: skip


def _root(contract: Contract) -> str:
    """The first step of the base path, which the API's own host leaves out."""
    return "/" + contract.base_path.split("/")[1]


def _host_and_path(url: str) -> tuple[str, str]:
    """Of a server's address, whose variables may be anywhere."""
    rest = url.partition("://")[2]
    authority, slash, path = (rest or url).partition("/") if rest else ("", "/", url.removeprefix("/"))
    return re.sub(r":[^:]*$", "", authority).lower() if "{" not in authority else authority, (slash + path).rstrip("/")


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "127.0.0.1", "[::1]")


def _pattern(template: str, server: Mapping[str, Json]) -> str:
    """A server's host or path as a regular expression: its variables stand for their values, or for anything."""
    variables = server.get("variables", {})

    def written(part: str, *, variable: bool) -> str:
        if not variable:
            return re.escape(part)
        values = variables.get(part, {}).get("enum")
        return f"(?:{'|'.join(map(re.escape, values))})" if values else "[^/]+"

    return "".join(written(part, variable=index % 2 == 1) for index, part in enumerate(_VARIABLE.split(template)))


def _beginning(pattern: str) -> re.Pattern[str]:
    return re.compile(f"{pattern}(?=/|$)")


def _paths(contract: Contract) -> Iterator[tuple[str, re.Pattern[str]]]:
    for operation in contract.operations.values():
        parts = _VARIABLE.split(operation.path)
        pattern = "".join("[^/]+" if index % 2 else re.escape(part) for index, part in enumerate(parts))
        yield operation.method, re.compile(pattern)


def carriers(contract: Contract) -> Iterator[str]:
    """The header fields in which credentials are sent, in lower case."""
    for scheme in contract.security_schemes.values():
        if scheme["type"] != "apiKey":
            yield "authorization"
        elif scheme["in"] == "header":
            yield str(scheme["name"]).lower()
