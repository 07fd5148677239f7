"""A request and its answer, as plain frozen data: what every law, report and recording is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from mock_server.contract import Json

Headers = tuple[tuple[str, str], ...]


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
        """The body as JSON; None if it is none."""
        if not self.body:
            return None
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, its answer, and the operation that was meant ("" if none)."""

    request: Request
    answer: Answer
    operation: str = ""


def _first(headers: Sequence[tuple[str, str]], name: str) -> str | None:
    wanted = name.lower()
    return next((value for own, value in headers if own.lower() == wanted), None)
