"""The journal of a world: what it was asked and what it answered, the newest kept; and each exchange as one text for a store."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from mock_server.contract import Json
from mock_server.refusals import Violation
from mock_server.state import Trashed, Write

KEPT = 1000  # exchanges of a world
BYTES = 16 << 20  # of all its exchanges together
OVERHEAD = 500  # bytes of an exchange beside its texts
HEADER = 150  # bytes of a header field with its objects

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(slots=True)
class Exchange:
    """One request and its answer, as they were: secrets are masked where they are told."""

    world: str
    at: int  # microseconds, by the world's clock
    seconds: float
    api: str  # "control" for what was done to the world itself
    operation: str  # its id; "" where the contract has none
    method: str
    target: str  # path and query, percent-encoded as sent, without the world
    request_headers: Headers
    request_body: bytes | None
    status: int
    answer_headers: Headers
    answer_body: bytes | None
    reason: str = ""  # why it was turned down
    violations: tuple[Violation, ...] = ()
    read: tuple[str, tuple[int, ...]] | None = None  # the resource and the numbers of the records looked at
    written: tuple[Write, ...] = ()
    ignored: tuple[str, ...] = ()
    fault: str = ""
    preference: str = ""
    number: int = 0  # given when it is kept
    size: int = field(init=False)  # about how many bytes it takes

    def __post_init__(self) -> None:
        bodies = len(self.request_body or b"") + len(self.answer_body or b"")
        self.size = OVERHEAD + len(self.target) + bodies + HEADER * len(self.request_headers)


@dataclass(slots=True)
class Journal:
    """The newest exchanges of one world."""

    exchanges: deque[Exchange] = field(default_factory=deque)
    size: int = 0
    number: int = 0  # of the newest

    def add(self, exchange: Exchange, kept: int) -> None:
        """Keep an exchange, and let go of the oldest ones beyond the bounds."""
        exchanges = self.exchanges
        exchange.number = self.number = self.number + 1
        exchanges.append(exchange)
        self.size += exchange.size
        while len(exchanges) > kept or (self.size > BYTES and len(exchanges) > 1):
            self.size -= exchanges.popleft().size

    def clear(self) -> None:
        """Forget all; the next number is not one that was given."""
        self.exchanges.clear()
        self.size = 0


# As a text


def encoded(exchange: Exchange) -> bytes:
    """An exchange as a store keeps it."""
    return orjson.dumps(
        {
            "at": exchange.at,
            "seconds": exchange.seconds,
            "api": exchange.api,
            "operation": exchange.operation,
            "method": exchange.method,
            "target": exchange.target,
            "request_headers": _texts(exchange.request_headers),
            "request_body": _packed(exchange.request_body),
            "status": exchange.status,
            "answer_headers": _texts(exchange.answer_headers),
            "answer_body": _packed(exchange.answer_body),
            "reason": exchange.reason,
            "violations": [(v.where, v.pointer, v.message) for v in exchange.violations],
            "read": exchange.read,
            "written": [_written(write) for write in exchange.written],
            "ignored": exchange.ignored,
            "fault": exchange.fault,
            "preference": exchange.preference,
        }
    )


def decoded(text: bytes, world: str, number: int) -> Exchange:
    """The exchange in a text."""
    kept: dict[str, Any] = orjson.loads(text)
    return Exchange(
        **{
            **kept,
            "world": world,
            "number": number,
            "request_headers": _bytes(kept["request_headers"]),
            "request_body": _unpacked(kept["request_body"]),
            "answer_headers": _bytes(kept["answer_headers"]),
            "answer_body": _unpacked(kept["answer_body"]),
            "violations": tuple(Violation(*told) for told in kept["violations"]),
            "read": (kept["read"][0], tuple(kept["read"][1])) if kept["read"] else None,
            "written": tuple(_write(told) for told in kept["written"]),
            "ignored": tuple(kept["ignored"]),
        }
    )


def _texts(headers: Headers) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _bytes(headers: list[list[str]]) -> Headers:
    return tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers)


def _packed(body: bytes | None) -> str | None:
    return None if body is None else b64encode(body).decode()


def _unpacked(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)


def _written(write: Write) -> Mapping[str, Json]:
    trashed = write.trashed
    told = write._asdict()
    return {**told, "trashed": None if trashed is None else [trashed.record, trashed.deleted, list(trashed.root)]}


def _write(told: dict[str, Any]) -> Write:
    kept = told["trashed"]
    trashed = None
    if kept is not None:
        record, deleted, (resource, number) = kept
        trashed = Trashed(told["resource"], told["number"], record, deleted, (resource, number))
    return Write(**{**told, "trashed": trashed})


def written(exchange: Exchange) -> Iterator[tuple[Write, Write]]:
    """Of each record that an exchange wrote, its first and its last write."""
    first: dict[tuple[str, str, int], Write] = {}
    last: dict[tuple[str, str, int], Write] = {}
    for write in exchange.written:
        first.setdefault(write.key, write)
        last[write.key] = write
    return ((first[key], last[key]) for key in first)
