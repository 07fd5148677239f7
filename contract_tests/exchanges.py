"""A request and its answer, as plain frozen data: what every law, report and recording is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import orjson

from mock_server.contract import Json

Headers = tuple[tuple[str, str], ...]
KEPT = 16  # bodies whose reading is kept: a law asks an answer several things, and the next answer is often the same


@dataclass(frozen=True, slots=True)
class Request:
    """What was sent. `target` is the path and query below the target's base address: /customers?page=2."""

    method: str
    target: str
    headers: Headers = ()
    body: bytes | None = None

    def header(self, name: str) -> str | None:
        return _first(self.headers, name)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and after how many seconds."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    seconds: float = 0.0

    def header(self, name: str) -> str | None:
        return _first(self.headers, name)

    def json(self) -> Json:
        """The body as JSON; None if it is none. The value is shared: nobody may change it."""
        return _read(self.body)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, its answer, and the operation that was meant ("" if none)."""

    request: Request
    answer: Answer
    operation: str = ""


@lru_cache(KEPT)
def _read(body: bytes) -> Json:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _first(headers: Sequence[tuple[str, str]], name: str) -> str | None:
    wanted = name.lower()
    return next((value for own, value in headers if own.lower() == wanted), None)
