"""A request that somebody pasted -> what a world of a mock server makes of it; nothing is sent anywhere else."""

from __future__ import annotations

import http.client
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from mock_server import addresses, nearest, samples
from mock_server.client import PATIENCE, Server, Unreachable, World
from mock_server.contract import Contract, Json
from mock_server.curl import ADDRESS, OWN, Request, line
from mock_server.worlds import DEFAULT

UNSENT = OWN | {"x-mock-world", "expect", "upgrade", "te", "keep-alive", "proxy-connection"}  # of this way, not of the request
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
CLOSED = frozenset({"unauthenticated", "forbidden"})


class Unexplained(ValueError):
    """Why nothing can be said of a request."""


@dataclass(frozen=True)
class Explanation:
    """What became of a request: the journal's accounts of it, remarks, and a right request as a curl command."""

    exchanges: tuple[Json, ...]
    remarks: tuple[str, ...] = ()
    right: str = ""
    kept: bool = False  # The exchange can be asked for again.


@dataclass
class Explaining:
    """Explains requests by a server and the contracts that it has; `root` is where a person finds such a server."""

    server: Server
    contracts: Mapping[str, Contract]
    root: str
    remarks: list[str] = field(default_factory=list)

    def noted(self, world: str, id: str) -> Explanation:
        """The explanation of an exchange in a world's journal.

        Raises Refused, Unreachable.
        """
        exchange = self._account(world, id)
        return Explanation((exchange,), (), self._right(exchange), kept=True)

    def pasted(self, request: Request, world: str = "", answered: int | None = None) -> Explanation:
        """The explanation of a request to any address, sent to a new world, or to a copy of one.

        Raises Unexplained, Refused, Unreachable.
        """
        located = addresses.located(self.contracts, request.url, request.method, [name for name, _ in request.headers])
        if located is None:
            raise Unexplained(self._nowhere(request))
        api, target = located
        if urlsplit(request.url).path != urlsplit(target).path:
            self.remarks.append(f"{request.url.partition('?')[0]} is {target.partition('?')[0]} here.")
        with self._fresh(world) as fresh:
            exchanges = list(self._asked(fresh, api, target, request))
            if answered is not None and answered != exchanges[0]["answer"]["status"]:
                self.remarks.append(f"The answer that was recorded has the status {answered}.")
            return Explanation(tuple(exchanges), tuple(self.remarks), self._right(exchanges[0]))

    def _nowhere(self, request: Request) -> str:
        near = nearest.operations(self.contracts, request.method, urlsplit(request.url).path)
        bases = ", ".join(contract.base_path for contract in self.contracts.values())
        meant = f"the nearest are {', '.join(near)}" if near else f"the APIs are at {bases}"
        return f"{request.url.partition('?')[0][:100]} is the address of none of the APIs, or of several; {meant}"

    @contextmanager
    def _fresh(self, original: str) -> Iterator[World]:
        """A world that nobody uses, deleted afterwards."""
        there = set(self.server.worlds())
        name = next(name for n in range(len(there) + 1) if (name := f"explain-{os.getpid()}-{n}") not in there)
        world = self.server.world(name)
        try:
            yield self.server.world(original).fork(name) if original else world
        finally:
            world.delete()

    def _asked(self, world: World, api: str, target: str, request: Request) -> Iterator[Json]:
        """The account of the request, and where it was not let in, that of the same with a credential that is."""
        carriers = frozenset(addresses.carriers(self.contracts[api]))
        theirs = (urlsplit(request.url).hostname or "") not in LOOPBACK and not self._is_known(api, request)
        if theirs and any(name.lower() in carriers for name, _ in request.headers):
            self.remarks.append("Whether its credential is right, only the vendor can say; the mock's own was sent instead.")
            request = _with(request, _own(world, api))
        exchange = self._sent(world, target, request)
        yield exchange
        if exchange["reason"] in CLOSED and (own := _own(world, api)):
            again = self._sent(world, target, _with(request, own))
            if again["reason"] not in CLOSED:
                self.remarks.append("It was not let in; the second answer is what it gets with a credential that is.")
                yield again

    def _is_known(self, api: str, request: Request) -> bool:
        """Whether a credential of the request is one of the mock's own."""
        secrets = [credential.secret for credential in self.server.credentials(api) if credential.secret]
        return any(secret in value.split() for _, value in request.headers for secret in secrets)

    def _sent(self, world: World, target: str, request: Request) -> Json:
        """Send a request to a world; the account that its journal gives."""
        status, id = _send(self.server.address, world.name, target, request)
        if not id:
            raise Unexplained(f"the server answered {status} and noted nothing: this is not HTTP, or it runs with --journal 0")
        return self._account(world.name, id)

    def _account(self, world: str, id: str) -> Json:
        return self.server.control("GET", f"/worlds/{quote(world, safe='')}/journal/{id}")

    def _right(self, exchange: Json) -> str:
        """A right request for the operation, where the one sent was refused."""
        contract = self.contracts.get(exchange["api"])
        operation = contract.operations.get(exchange["operation"] or "") if contract else None
        if contract is None or operation is None or exchange["answer"]["status"] < 400:
            return ""
        sample = samples.sample(contract, operation)
        credential = {} if operation.action in ("login", "renew") else self._shown(contract)
        headers = [*credential.items(), *sample.headers]
        return line(sample.method, self.root + sample.target, headers, sample.body)

    def _shown(self, contract: Contract) -> Mapping[str, str]:
        """The header field of a well-known credential, as a person writes it."""
        if contract.sessions is not None:
            return {contract.sessions.header: "SESSION"}
        return _own(self.server.world(DEFAULT), contract.name)


def _own(world: World, api: str) -> Mapping[str, str]:
    """The header fields with which a well-known credential is sent, if there is one."""
    try:
        return world.headers(api)
    except LookupError:
        return {}


def _with(request: Request, credential: Mapping[str, str]) -> Request:
    """The request with another credential."""
    replaced = {name.lower() for name in credential}
    kept = ((name, value) for name, value in request.headers if name.lower() not in replaced)
    return Request(request.method, request.url, (*kept, *credential.items()), request.body)


def _send(address: str, world: str, target: str, request: Request) -> tuple[int, str]:
    """Send a request to a world; the status, and the number of the exchange in the journal, if it has one.

    Raises Unexplained, Unreachable.
    """
    parts = urlsplit(address)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=PATIENCE)
    headers = [(name, value) for name, value in request.headers if name.lower() not in UNSENT]
    if broken := [name for name, value in headers if re.search(r"[\r\n]", name + value)]:
        raise Unexplained(f"this cannot be sent: there is a line break in the header field {broken[0]!r}")
    try:
        connection.putrequest(request.method, quote(target, safe=ADDRESS), skip_accept_encoding=True)
        for name, value in [*headers, ("X-Mock-World", world)]:
            connection.putheader(name, value.encode())
        if request.body is not None:
            connection.putheader("Content-Length", str(len(request.body)))
        connection.endheaders(request.body)
        answer = connection.getresponse()
        answer.read()
        return answer.status, (answer.getheader("X-Mock-Request") or "").rpartition("/")[2]
    except ValueError as wrong:
        raise Unexplained(f"this cannot be sent: {wrong}") from None
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"No mock server answers at {address}: {error}") from error
    finally:
        connection.close()
