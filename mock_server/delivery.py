"""An answer -> what goes over the connection: at once, late, slowly, in part, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, replace
from typing import Any

TRANSPORT = "mock.transport"  # in the ASGI scope's state: the connection, where the HTTP server gives it
PIECES = 20  # in which a slow body goes out
PATIENCE = 5.0  # seconds for a connection to notice that it was cut

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(slots=True)
class Answer:
    """What goes out, complete. No other answer has its list of header fields."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """The value of a header field, by its name in lower case."""
        return next((value for other, value in self.headers if other == name), None)

    def having(self, name: bytes, value: bytes) -> Answer:
        """The same with another value of a header field."""
        return Answer(self.status, [*(pair for pair in self.headers if pair[0] != name), (name, value)], self.body)

    def holding(self, body: bytes) -> Answer:
        """The same with another body, and its length."""
        return Answer(self.status, self.headers, body).having(b"content-length", b"%d" % len(body))


@dataclass(frozen=True, slots=True)
class Manner:
    """How an answer goes out; times are in seconds."""

    wait: float = 0  # before it begins
    slow: float = 0  # from its first byte to its last
    timeout: float = 0  # after which the connection is closed instead
    reset: str = ""  # "before" the answer, or "during" it

    def joined(self, other: Manner) -> Manner:
        """Both: the waiting of the two together, the rest of the other."""
        return replace(other, wait=self.wait + other.wait)

    @property
    def plain(self) -> bool:
        return not (self.wait or self.slow or self.timeout or self.reset)


PLAIN = Manner()


async def delivered(answer: Answer, manner: Manner, scope: Scope, receive: Receive, send: Send) -> None:
    """Send an answer in its manner; nothing more is sent once the client has left."""
    if manner is PLAIN or manner.plain:
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})
        return
    if manner.wait and await _left(receive, manner.wait):
        return
    if manner.timeout:
        if not await _left(receive, manner.timeout):
            await _cut(scope, receive, reset=False)
        return
    if manner.reset == "before":
        await _cut(scope, receive, reset=True)
        return
    if not manner.reset and not manner.slow:
        await delivered(answer, PLAIN, scope, receive, send)
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    if manner.reset:
        await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
        await _cut(scope, receive, reset=True)
        return
    await _trickled(answer.body, manner.slow, receive, send)


async def _trickled(body: bytes, seconds: float, receive: Receive, send: Send) -> None:
    size = -(-len(body) // PIECES) or 1
    for start in range(0, len(body), size):
        await send({"type": "http.response.body", "body": body[start : start + size], "more_body": True})
        if seconds and await _left(receive, seconds / PIECES):
            return
    await send({"type": "http.response.body", "body": b""})


async def _left(receive: Receive, seconds: float) -> bool:
    """Wait so long; whether the client left meanwhile."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
            return True
    return False


async def _cut(scope: Scope, receive: Receive, *, reset: bool) -> None:
    """End the connection, by a reset or as an idle one is ended.

    Raises ConnectionResetError where there is no connection: in the client's own process.
    """
    transport = scope.get("state", {}).get(TRANSPORT)
    if transport is None:
        raise ConnectionResetError("The connection was ended by a fault.")
    if reset:  # Closing without lingering is what sends a reset.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()
    await _left(receive, PATIENCE)
