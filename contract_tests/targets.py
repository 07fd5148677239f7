"""Request -> answer: an application in this process, or an implementation at an address."""

from __future__ import annotations

import asyncio
import http.client
import queue
import select
import ssl
import threading
import time
import traceback
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from contract_tests.exchanges import Answer, Headers, Request
from contract_tests.interrupts import Interrupts

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
REPEATABLE = SAFE | {"TRACE", "PUT", "DELETE"}  # twice is as good as once (RFC 9110, 9.2.2)
TOGETHER = 8  # connections at once
GONE = frozenset({404, 410})  # what a deletion is answered that was done before
LARGE = 65_536  # bytes of a body that a server may have refused without reading them all
SLICE = 0.5  # seconds of a pause in which an interrupt is not looked at
Message = MutableMapping[str, Any]
Application = Callable[[Any, Any, Any], Awaitable[None]]  # ASGI: scope, receive, send


class NotSent(RuntimeError):
    """A request that a read-only target does not send."""


class Unreachable(ConnectionError):
    """Nothing answers at the address."""


class NotConnected(Unreachable):
    """Nobody took the request."""


class Refused(NotConnected):
    """The connection was closed while a large body was on its way, as HTTP allows (RFC 9110, 15.5.14)."""


class Lost(Unreachable):
    """A kept connection was closed, as HTTP allows at any time (RFC 9112, 9.5): whether the request came in is not known."""


class _Closed(ConnectionError):
    """A connection ended before the first byte of an answer."""

    def __init__(self, *, sent: bool, reset: bool) -> None:
        self.sent = sent  # whether the request was written to its end
        self.reset = reset  # whether the other side left what it was sent unread
        super().__init__("the connection was closed without an answer")


class Target(ABC):
    """Where one API answers. `send` guards and measures; `_deliver` is what a kind of target adds."""

    def __init__(self, name: str, *, headers: Headers = (), read_only: bool = False, rate: float = 0) -> None:
        self.name = name
        self.read_only = read_only
        self._headers = headers
        self._gap = 1 / rate if rate else 0.0
        self._next = 0.0
        self._turn = threading.Lock()
        self.interrupts = Interrupts()
        self.unanswered: list[Request] = []  # Sent, and nobody knows what became of them.

    def send(self, request: Request) -> Answer:
        """Raises NotSent for a write to a read-only target, Unreachable, and KeyboardInterrupt for one that came before."""
        self.interrupts.check()
        return self._send(request)

    @abstractmethod
    def send_together(self, requests: Sequence[Request]) -> list[Answer]:
        """The answers to requests that are under way at the same time; one that never came has status 0."""

    @abstractmethod
    def close(self) -> None:
        """Let go of connections."""

    @abstractmethod
    def _deliver(self, request: Request) -> Answer: ...

    def pause(self, seconds: float) -> None:
        """Wait, for the target's clock to move on or because it asks for it. Raises KeyboardInterrupt."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.interrupts.check()
            time.sleep(min(left, SLICE))

    def _send(self, request: Request) -> Answer:
        request = self._let_out(request)
        begun = time.perf_counter()
        try:
            with self.interrupts.waiting():
                answer = self._deliver(request)
        except NotConnected:
            raise
        except (Unreachable, KeyboardInterrupt) as failure:
            self.unanswered.append(request)
            if isinstance(failure, Unreachable) or not self.interrupts.pending:
                raise
            raise Unreachable(f"{request.method} {self.name}{request.target}: its answer was not waited for") from failure
        return replace(answer, seconds=time.perf_counter() - begun)

    def _let_out(self, request: Request) -> Request:
        if self.read_only and request.method not in SAFE:
            raise NotSent(f"{request.method} {request.target} is a write, and the run is read-only")
        self._wait()
        return replace(request, headers=(*request.headers, *self._headers)) if self._headers else request

    def _wait(self) -> None:
        if not self._gap:
            return
        with self._turn:
            now = time.perf_counter()
            free = max(now, self._next)
            self._next = free + self._gap
        if free > now:
            time.sleep(free - now)


class InProcess(Target):
    """An ASGI application, called without a socket."""

    def __init__(self, name: str, application: Application, base_path: str, **options: Any) -> None:
        super().__init__(name, **options)
        self._application = application
        self._base = base_path
        self._loop = asyncio.new_event_loop()

    def send_together(self, requests: Sequence[Request]) -> list[Answer]:
        self.interrupts.check()
        out = [self._let_out(request) for request in requests]

        async def every() -> list[Answer]:
            return list(await asyncio.gather(*map(self._answer, out)))

        return self._loop.run_until_complete(every())

    def close(self) -> None:
        self._loop.close()

    def _deliver(self, request: Request) -> Answer:
        return self._loop.run_until_complete(self._answer(request))

    async def _answer(self, request: Request) -> Answer:
        body = request.body or b""
        sent: list[Message] = []
        parts = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            return parts.pop() if parts else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        try:
            await self._application(self._scope(request, body), receive, send)
        except Exception:  # As a server would: whatever it is, the client gets 500.
            return Answer(500, (("content-type", "text/plain"),), traceback.format_exc().encode())
        return _read(sent)

    def _scope(self, request: Request, body: bytes) -> MutableMapping[str, Any]:
        path, _, query = request.target.partition("?")
        raw = (self._base + path).encode("ascii")
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in request.headers]
        known = {name for name, _ in headers}
        if b"host" not in known:
            headers.append((b"host", b"localhost"))
        if request.body is not None and b"content-length" not in known:
            headers.append((b"content-length", str(len(body)).encode()))
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": unquote(raw.decode("ascii")),
            "raw_path": raw,
            "root_path": "",
            "query_string": query.encode("ascii"),
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
        }


def _read(sent: Sequence[Message]) -> Answer:
    """The answer that ASGI messages make."""
    start = next((message for message in sent if message["type"] == "http.response.start"), None)
    if start is None:
        return Answer(500, (), b"The application ended without an answer.")
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in start.get("headers", ()))
    body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    return Answer(int(start["status"]), headers, body)


@dataclass(frozen=True)
class Network:
    """How an address is reached."""

    timeout: float = 30
    insecure: bool = False
    ca: Path | None = None
    proxy: str = ""

    def context(self) -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=str(self.ca) if self.ca else None)
        if self.insecure:
            made.check_hostname = False
            made.verify_mode = ssl.CERT_NONE
        return made


class Address(Target):
    """An implementation at an address, over connections that are kept."""

    def __init__(self, url: str, network: Network | None = None, **options: Any) -> None:
        super().__init__(url, **options)
        self._network = network or Network()
        self._parts = urlsplit(url)
        self._base = self._parts.path.rstrip("/")
        self._context = self._network.context() if "https" in (self._parts.scheme, urlsplit(self._network.proxy).scheme) else None
        self._idle: queue.LifoQueue[http.client.HTTPConnection] = queue.LifoQueue()
        self._threads: ThreadPoolExecutor | None = None
        self._is_kept = True  # whether a kept connection may carry what cannot be sent again

    def send_together(self, requests: Sequence[Request]) -> list[Answer]:
        self.interrupts.check()
        if self._threads is None:
            self._threads = ThreadPoolExecutor(TOGETHER)
        before, self._is_kept = self._is_kept, False
        try:
            return list(self._threads.map(self._answered, requests))
        finally:
            self._is_kept = before

    def _answered(self, request: Request) -> Answer:
        try:
            return self._send(request)
        except Unreachable as failure:
            return Answer(0, (), str(failure).encode())

    def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown()
        self._close_idle()

    def _close_idle(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def _deliver(self, request: Request) -> Answer:
        what = f"{request.method} {self.name}{request.target}"
        kept = self._kept() if self._is_kept or request.method in REPEATABLE else None
        try:
            return self._over(kept, request) if kept else self._over(self._connected(what), request)
        except _Closed as closed:
            if kept:
                return self._again(what, request, closed)
            if closed.reset and len(request.body or b"") > LARGE:
                raise Refused(f"{what}: {closed}, before its body was read") from closed
            raise Unreachable(f"{what}: {closed}") from closed
        except Unreachable:
            raise
        except (OSError, http.client.HTTPException) as failure:
            raise Unreachable(f"{what}: {_told(failure)}") from failure

    def _again(self, what: str, request: Request, closed: _Closed) -> Answer:
        """The answer over a new connection, if the one that was kept is closed and the request may be sent again."""
        self._close_idle()
        self._is_kept = False
        if closed.sent and request.method not in REPEATABLE:
            raise Lost(f"{what}: {closed}") from closed
        answer = self._deliver(request)
        if closed.sent and request.method == "DELETE" and answer.status in GONE:
            raise Lost(f"{what}: {closed}, and then {answer.status}") from closed
        return answer

    def _over(self, connection: http.client.HTTPConnection, request: Request) -> Answer:
        """Raises _Closed, OSError and HTTPException."""
        try:
            sent = self._write(connection, request)
            response = self._response(connection, sent)
            body = response.read()
        except BaseException:
            connection.close()
            raise
        if response.will_close or not sent:
            connection.close()
        else:
            self._idle.put(connection)
        return Answer(response.status, tuple(response.getheaders()), body)

    @staticmethod
    def _response(connection: http.client.HTTPConnection, sent: bool) -> http.client.HTTPResponse:
        """The answer, which may have come before the request was written to its end."""
        try:
            return connection.getresponse()
        except ConnectionError as failure:
            reset = not sent or not isinstance(failure, http.client.RemoteDisconnected)
            raise _Closed(sent=sent, reset=reset) from failure

    def _write(self, connection: http.client.HTTPConnection, request: Request) -> bool:
        """Whether the request was taken to its end."""
        connection.putrequest(request.method, self._target(request), skip_accept_encoding=True, skip_host=_has(request, "host"))
        for name, value in request.headers:
            connection.putheader(name, value.encode("latin-1"))
        if request.body is not None and not _has(request, "content-length"):
            connection.putheader("Content-Length", str(len(request.body)))
        elif request.body is None and request.method not in SAFE:
            connection.putheader("Content-Length", "0")
        try:
            connection.endheaders(request.body)
        except (ConnectionError, ssl.SSLEOFError):
            return False
        return True

    def _target(self, request: Request) -> str:
        own = self._base + request.target
        through = self._network.proxy and self._parts.scheme == "http"
        return f"http://{self._parts.netloc}{own}" if through else own

    def _kept(self) -> http.client.HTTPConnection | None:
        """A connection that is there and that the server, as far as can be seen, has not closed."""
        while True:
            try:
                idle = self._idle.get_nowait()
            except queue.Empty:
                return None
            if idle.sock is not None and not select.select([idle.sock], [], [], 0)[0]:
                return idle
            idle.close()

    def _connected(self, what: str) -> http.client.HTTPConnection:
        made = self._opened()
        try:
            made.connect()
        except (OSError, http.client.HTTPException) as failure:
            raise NotConnected(f"{what}: {_told(failure)}") from failure
        return made

    def _opened(self) -> http.client.HTTPConnection:
        parts = self._parts
        at = urlsplit(self._network.proxy) if self._network.proxy else parts
        timeout = self._network.timeout
        if parts.scheme == "https" and self._network.proxy:
            made = http.client.HTTPSConnection(str(at.hostname), at.port or 8080, timeout=timeout, context=self._context)
            made.set_tunnel(str(parts.hostname), parts.port or 443, _proxy_headers(at))
            return made
        if at.scheme == "https":
            return http.client.HTTPSConnection(str(at.hostname), at.port, timeout=timeout, context=self._context)
        return http.client.HTTPConnection(str(at.hostname), at.port, timeout=timeout)


def _has(request: Request, name: str) -> bool:
    return request.header(name) is not None


def _proxy_headers(proxy: Any) -> dict[str, str]:
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": "Basic " + b64encode(pair.encode()).decode()}


def _told(failure: Exception) -> str:
    return str(failure) or type(failure).__name__
