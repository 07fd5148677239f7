"""What meets a request first: its world and API, pages, HEAD and OPTIONS, CORS, gzip, the log line."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from urllib.parse import quote, unquote

import orjson
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from mock_server import log, worlds
from mock_server.bridge.media import takes_gzip
from mock_server.bridge.scope import HEADERS, LONGEST_KEPT, METHOD, REFUSAL, WORLD, cookies
from mock_server.contract import Contract
from mock_server.control_access import Closed
from mock_server.dispatch import IGNORED
from mock_server.exchanges import APPLIED, ID, PREFER, VARY, WORTH_PACKING, Exchanges
from mock_server.pages import Pages, root_of
from mock_server.refusals import NoSuchPath
from mock_server.reply import Headers, Reply
from mock_server.seeded import Bounded

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADER, COOKIE = b"x-mock-world", "mock_world"
MISNAMED = "A world's name has 1 to 64 letters, digits, dots, dashes or underscores, and begins with a letter or digit."
ADDRESSES_KEPT = 4096
LOCAL = b".localhost"  # what an API's own host name ends with
OWN = "/_mock"  # where the server itself is controlled
EXPOSED = ("Allow", "Content-Length", "Retry-After", "WWW-Authenticate", "X-RateLimit-Limit", "X-RateLimit-Remaining",
           "X-RateLimit-Reset", IGNORED.decode(), ID.decode(), APPLIED.decode())  # fmt: skip


@dataclass(slots=True)
class Address:
    """Where a request goes, once world and host name are read from it."""

    world: str
    path: str  # from the root of the server: /fentu/api/v1/customers
    raw_path: bytes  # the same, percent-encoded as it came
    prefix: str  # /w/NAME, if the client put the world there
    host: str
    api: str  # whose own host name it is, if it is one
    contract: Contract | None  # under whose base path it lies
    cross_origin: bool  # answered with CORS headers
    packed: bool  # the client takes gzip
    prefers: bool  # it has a preference (RFC 7240)
    mistake: str = ""
    closed: str = ""  # why it is not let in to the control API


class Front:
    """The outermost ASGI application."""

    def __init__(  # noqa: PLR0913, PLR0917  # everything that a request meets from here on
        self,
        contracts: Mapping[str, Contract],
        app: Application,
        exchanges: Exchanges,
        allowed: Callable[[str, bytes], tuple[str, ...]],
        pages: Pages,
        line: log.Line | None,
        every: worlds.Worlds,
        closed: Closed,
    ) -> None:
        self._contracts = contracts
        self._every = every
        self._logins = {
            contract.base_path + operation.path
            for contract in contracts.values()
            for operation in contract.operations.values()
            if operation.action in ("login", "renew")
        }
        self._closed = closed
        self.before_close: Callable[[worlds.Worlds], None] = lambda _: None
        self._app = app
        self._exchanges = exchanges
        self._allowed = allowed
        self._pages = pages
        self._line = line
        self._hosts = {f"{name}{LOCAL.decode()}".lower(): name for name in contracts}
        self._addresses = Bounded[tuple[bytes | None, ...], Address](ADDRESSES_KEPT)  # by all that they are read from
        packing = GZipMiddleware(self._serve, minimum_size=WORTH_PACKING, compresslevel=5)
        self._stacks: dict[tuple[bool, bool], Application] = {
            (cross, packed): _shared(inner) if cross else inner
            for packed, inner in ((False, self._serve), (True, packing))
            for cross in (False, True)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._not_http(scope, receive, send)
            return
        address = scope["mock.address"] = self._address(scope)
        if self._line is not None:
            send = self._logged(scope, send, address)
        if scope["method"] == "HEAD":  # In a copy: the HTTP server looks at its own.
            scope, send = {**scope, "method": "GET", METHOD: "HEAD"}, _without_body(send)
        try:
            await self._stacks[address.cross_origin, address.packed](scope, receive, send)
        except asyncio.CancelledError:  # The server stops, and has waited long enough for the rest of this request.
            with contextlib.suppress(RuntimeError):  # Its answer has begun.
                await _send(send, _problem(503, "The server was stopped before the request had arrived."))

    async def _not_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            self.before_close(self._every)
            self._every.store.close()
        else:  # No contract has a WebSocket.
            await send({"type": "websocket.close", "code": 1000})

    def table(self, root: str) -> str:
        """What is printed at start: base addresses and credentials."""
        rows = [
            (log.printable(contract.title), root + contract.base_path, "; ".join(self._pages.credentials[name].told()))
            for name, contract in self._contracts.items()
        ]
        wide = [max(len(row[column]) for row in rows) for column in (0, 1)]
        lines = [f"{title:{wide[0]}}  {base:{wide[1]}}  {told}".rstrip() for title, base, told in rows]
        return "\n".join([f"Mock server at {root}/  (Ctrl-C stops it)", *lines])

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        address: Address = scope["mock.address"]
        method = scope["method"]
        if address.mistake:
            await _send(send, _problem(400, address.mistake))
            return
        if address.closed:
            await _send(send, _problem(403, address.closed))
            return
        contract = address.contract
        if contract is None and address.path.startswith(f"{OWN}/") and not self._pages.is_page(address.path):
            contract = self._pages.control
        if contract is None:
            page = self._page(scope, address, method)
            if isinstance(page, Reply):
                await _send(send if address.packed else _varying(send), page)
                return
            contract, scope[REFUSAL] = self._contracts[address.path[1:].partition("/")[0]], page
        if method == "OPTIONS" and (methods := self._allowed(address.path, address.raw_path)):
            await _send(send, Reply(204, None, ((b"allow", ", ".join(methods).encode()),)))
            return
        if full := self._every.full(address.world):
            await _send(send, _problem(503, full))
            return
        adds = method == "POST" and contract.resources and address.path not in self._logins
        if adds and (crowded := self._every.crowded(address.world)):
            await _send(send, _problem(507, crowded))
            return
        scope["path"], scope["raw_path"], scope[WORLD] = address.path, address.raw_path, address.world
        if contract is self._pages.control:
            await self._app(scope, receive, send if address.packed else _varying(send))
        else:
            await self._exchanges(scope, receive, send, contract, prefers=address.prefers, varies=not address.packed)

    def _address(self, scope: Scope) -> Address:
        """Where a request goes."""
        sent = dict(scope["headers"])
        if len(sent) == len(scope["headers"]):
            scope[HEADERS] = sent
        raw_path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
        get = sent.get
        told = (raw_path, get(b"host"), get(HEADER), get(b"accept-encoding"), get(b"origin"), get(b"cookie"), get(PREFER))
        address = self._addresses.get(told)
        if address is not None:
            return address
        address = self._read(scope["path"], raw_path, sent)
        if not address.path.startswith(OWN) and sum(map(len, filter(None, told))) <= LONGEST_KEPT:
            self._addresses[told] = address
        if address.path.startswith(OWN) and address.path.removeprefix(OWN)[:1] in ("", "/"):
            origin = sent.get(b"origin")
            address.cross_origin = False
            address.closed = self._closed(
                address.host, None if origin is None else origin.decode("latin-1"), scope.get("scheme", "http")
            )
        return address

    def _read(self, path: str, raw_path: bytes, sent: Mapping[bytes, bytes]) -> Address:
        """World, host and path; `mistake` says what was wrong with them."""
        named, cookie, accepted = sent.get(HEADER), sent.get(b"cookie"), sent.get(b"accept-encoding")
        world = worlds.DEFAULT if named is None else named.decode("latin-1")
        host = sent.get(b"host", b"")
        prefix = ""
        if raw_path.startswith(b"/w/"):
            world, path, raw_path = _world_before(raw_path)
            prefix = f"/w/{world}"
        elif cookie is not None and named is None:
            world = cookies(cookie).get(COOKIE, worlds.DEFAULT)
        api = self._api_of(host)
        if api:  # fentu.localhost/api/v1/… is /fentu/api/v1/…
            path, raw_path = f"/{api}{path}", f"/{api}".encode() + raw_path
        contract = self._contracts.get(path[1:].partition("/")[0])
        if contract is not None and not path.startswith(f"{contract.base_path}/"):
            path, raw_path, contract = self._by_alias(contract, path, raw_path)
        return Address(
            world,
            path,
            raw_path,
            prefix,
            host.decode("latin-1"),
            api,
            contract,
            b"origin" in sent,
            accepted is not None and takes_gzip(accepted),
            PREFER in sent,
            "" if world == worlds.DEFAULT or worlds.NAME.fullmatch(world) else MISNAMED,
        )

    def _api_of(self, host: bytes) -> str:
        """The API whose own host name a Host field has; empty if it is none."""
        name = host.partition(b":")[0]
        return self._hosts.get(name.lower().decode("latin-1"), "") if name.lower().endswith(LOCAL) else ""

    @staticmethod
    def _by_alias(contract: Contract, path: str, raw_path: bytes) -> tuple[str, bytes, Contract | None]:
        """/fentu/v1/… is /fentu/api/v1/…"""
        for alias in contract.aliases:
            if path.startswith(f"{alias}/"):
                base = contract.base_path
                rest = raw_path[len(alias) :] if raw_path.startswith(alias.encode()) else quote(path[len(alias) :]).encode()
                return base + path[len(alias) :], base.encode() + rest, contract
        return path, raw_path, None

    def _page(self, scope: Scope, address: Address, method: str) -> Reply | NoSuchPath:
        """A page, or what to do about a path where there is none; an API whose path it may have been says so itself."""
        root = root_of(address.host, scope.get("scheme", "http"), address.prefix)
        page = self._pages.get(address.path, root, address.api)
        if page is not None:
            allowed = ((b"allow", b"GET, HEAD, OPTIONS"),)
            if method == "OPTIONS":
                return Reply(204, None, allowed)
            return page if method == "GET" else _problem(405, "A page can only be read.", allowed)
        api = address.path[1:].partition("/")[0]
        if contract := self._contracts.get(api):
            return NoSuchPath(f"{address.path}; the base path is {contract.base_path}")
        near = get_close_matches(api, self._contracts, 1)
        meant = f" Did you mean /{near[0]}?" if near else ""
        there = ", ".join(contract.base_path for contract in self._contracts.values())
        return _problem(404, f"There is nothing at {address.path}.{meant} The APIs are at {there}.")

    def _logged(self, scope: Scope, send: Send, address: Address) -> Send:
        started, line, method = time.perf_counter(), self._line, scope["method"]
        target = scope["path"] + ("?" + scope["query_string"].decode("latin-1") if scope["query_string"] else "")

        async def logged(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start" and line is not None:
                ignored = next((value.decode() for name, value in message["headers"] if name == IGNORED), "")
                remark = f"  ignored: {ignored}" if ignored else ""
                line(method, target, message["status"], time.perf_counter() - started, address.world, remark)

        return logged


def _shared(app: Application) -> Application:
    return CORSMiddleware(
        app,
        allow_origin_regex=".*",
        allow_credentials=True,
        allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        allow_headers=["*"],
        expose_headers=EXPOSED,
    )


def _varying(send: Send) -> Send:
    """What could be packed says so."""

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start" and _length(message["headers"]) >= WORTH_PACKING:
            message = {**message, "headers": [*message["headers"], VARY]}
        await send(message)

    return told


def _length(headers: Sequence[tuple[bytes, bytes]]) -> int:
    return next((int(value) for name, value in headers if name == b"content-length"), 0)


def _world_before(raw_path: bytes) -> tuple[str, str, bytes]:
    """/w/NAME/fentu/… -> NAME and what follows it, decoded and not; cut first, since a slash may be encoded."""
    name, _, rest = raw_path.removeprefix(b"/w/").partition(b"/")
    raw = b"/" + rest
    return unquote(name.decode("latin-1")), unquote(raw.decode("latin-1")), raw


def _without_body(send: Send) -> Send:
    async def headless(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return headless


def _problem(status: int, detail: str, headers: Headers = ()) -> Reply:
    """A refusal of the mock server's own (RFC 9457), where no API is concerned."""
    body = orjson.dumps({"status": status, "detail": detail})
    return Reply(status, body, ((b"content-type", b"application/problem+json"), *headers))


async def _send(send: Send, reply: Reply) -> None:
    headers = list(reply.headers)
    if reply.body is not None:
        headers.append((b"content-length", b"%d" % len(reply.body)))
        if not any(name == b"content-type" for name, _ in headers):
            headers.append((b"content-type", b"application/json"))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body or b""})
