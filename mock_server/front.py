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
from mock_server.bridge.scope import METHOD, REFUSAL, WORLD, cookies
from mock_server.contract import Contract
from mock_server.control_access import Closed
from mock_server.dispatch import IGNORED
from mock_server.exchanges import APPLIED, ID, PREFER, Exchanges
from mock_server.pages import Pages, root_of
from mock_server.refusals import NoSuchPath
from mock_server.reply import Headers, Reply

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADER, COOKIE = b"x-mock-world", "mock_world"
OWN = "/_mock"  # where the server itself is controlled
EXPOSED = ("Allow", "Content-Length", "Retry-After", "WWW-Authenticate", "X-RateLimit-Limit", "X-RateLimit-Remaining",
           "X-RateLimit-Reset", IGNORED.decode(), ID.decode(), APPLIED.decode())  # fmt: skip
WORTH_PACKING = 1024  # bytes


@dataclass(slots=True)
class Address:
    """Where a request goes, once world and host name are read from it."""

    world: str
    path: str  # from the root of the server: /fentu/api/v1/customers
    raw_path: bytes  # the same, percent-encoded as it came
    prefix: str  # /w/NAME, if the client put the world there
    host: str
    api: str  # whose own host name it is, if it is one
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
        self._aliases = {name: contract.aliases for name, contract in contracts.items()}
        self._hosts = {f"{name}.localhost".lower(): name for name in contracts}
        packing = GZipMiddleware(self._serve, minimum_size=WORTH_PACKING, compresslevel=5)
        self._stacks: dict[tuple[bool, bool], Application] = {
            (cross, packed): _shared(inner) if cross else inner
            for packed, inner in ((False, _varying(self._serve)), (True, packing))
            for cross in (False, True)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            self.before_close(self._every)
            self._every.store.close()
            return
        if scope["type"] != "http":  # No contract has a WebSocket.
            await send({"type": "websocket.close", "code": 1000})
            return
        address = self._address(scope)
        scope["mock.address"] = address
        if self._line is not None:
            send = self._logged(scope, send, address)
        if scope["method"] == "HEAD":  # In a copy: the HTTP server looks at its own.
            scope, send = {**scope, "method": "GET", METHOD: "HEAD"}, _without_body(send)
        try:
            await self._stacks[address.cross_origin, address.packed](scope, receive, send)
        except asyncio.CancelledError:  # The server stops, and has waited long enough for the rest of this request.
            with contextlib.suppress(RuntimeError):  # Its answer has begun.
                await _send(send, _problem(503, "The server was stopped before the request had arrived."))

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
        contract = self._contract(address.path)
        if contract is None:
            page = self._page(scope, address, method)
            if isinstance(page, Reply):
                await _send(send, page)
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
            await self._app(scope, receive, send)
        else:
            await self._exchanges(scope, receive, send, contract, prefers=address.prefers)

    def _address(self, scope: Scope) -> Address:
        """Read world, host and path; `mistake` says what was wrong with them."""
        named: str | None = None
        origin: str | None = None
        host, cookie = "", b""
        packed = prefers = False
        for name, value in scope["headers"]:
            if name == b"host":
                host = value.decode("latin-1")
            elif name == HEADER:
                named = value.decode("latin-1")
            elif name == b"origin":
                origin = value.decode("latin-1")
            elif name == PREFER:
                prefers = True
            elif name == b"accept-encoding":
                packed = takes_gzip(value)
            elif name == b"cookie":
                cookie = value
        path: str = scope["path"]
        raw_path: bytes = scope.get("raw_path") or quote(path).encode()
        prefix = ""
        if raw_path.startswith(b"/w/"):
            named, path, raw_path = _world_before(raw_path)
            prefix = f"/w/{named}"
        elif named is None and cookie:
            named = cookies(cookie).get(COOKIE)
        world = worlds.DEFAULT if named is None else named
        api = self._hosts.get(host.partition(":")[0].lower(), "")
        if api:  # fentu.localhost/api/v1/… is /fentu/api/v1/…
            path, raw_path = f"/{api}{path}", f"/{api}".encode() + raw_path
        path, raw_path = self._by_alias(path, raw_path)
        mistake = "" if worlds.NAME.fullmatch(world) else (
            "A world's name has 1 to 64 letters, digits, dots, dashes or underscores, and begins with a letter or digit."
        )  # fmt: skip
        address = Address(world, path, raw_path, prefix, host, api, origin is not None, packed, prefers, mistake)
        if path.startswith(OWN) and path.removeprefix(OWN)[:1] in ("", "/"):
            address.cross_origin = False
            address.closed = self._closed(host, origin, scope.get("scheme", "http"))
        return address

    def _by_alias(self, path: str, raw_path: bytes) -> tuple[str, bytes]:
        """/fentu/v1/… is /fentu/api/v1/…"""
        api = path[1:].partition("/")[0]
        for alias in self._aliases.get(api, ()):
            if path.startswith(f"{alias}/"):
                base = self._contracts[api].base_path
                rest = raw_path[len(alias) :] if raw_path.startswith(alias.encode()) else quote(path[len(alias) :]).encode()
                return base + path[len(alias) :], base.encode() + rest
        return path, raw_path

    def _contract(self, path: str) -> Contract | None:
        if path.startswith(f"{OWN}/"):
            return None if self._pages.is_page(path) else self._pages.control
        contract = self._contracts.get(path[1:].partition("/")[0])
        return contract if contract and path.startswith(f"{contract.base_path}/") else None

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


def _varying(app: Application) -> Application:
    """What could be packed says so to a client that does not take it packed: caches have to know."""

    async def varying(scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and _length(message["headers"]) >= WORTH_PACKING:
                message = {**message, "headers": [*message["headers"], (b"vary", b"Accept-Encoding")]}
            await send(message)

        await app(scope, receive, told)

    return varying


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
