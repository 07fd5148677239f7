"""A capsule: what a failure needs to happen again, and what it looked like."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from mock_server.contract import Json

FORMAT = "mock-capsule/1"
DEPTH = 80  # levels of JSON that are written as YAML
WORLD = "${world}"  # stands for the world's name in the target of a control request
FRAMING = frozenset({"connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding",
                     "upgrade", "x-mock-world"})  # fmt: skip  # Header fields that are written by whoever sends a request.

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")  # Half a character is nothing that YAML can hold.

Headers = tuple[tuple[str, str], ...]


class NoCapsule(ValueError):
    """What cannot be made a capsule, and why."""


@dataclass(frozen=True)
class Body:
    """A body as the file has it: `body`, any JSON value; `text`; or `base64`, where it is no text."""

    form: Literal["body", "text", "base64"]
    value: Json

    @cached_property
    def encoded(self) -> bytes:
        """As it is sent."""
        if self.form == "base64":
            return base64.b64decode(self.value)
        if self.form == "text":
            return str(self.value).encode("utf-8", "surrogatepass")
        return json.dumps(self.value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Answer:
    """What was answered."""

    status: int
    headers: Headers = ()
    body: Body | None = None

    def header(self, name: str) -> str:
        """The value of a field; "" if there is none."""
        return next((value for known, value in self.headers if known.lower() == name), "")


@dataclass(frozen=True)
class Request:
    """One request for an API, or for the control of the world (api "control"), and its answer."""

    id: str
    at: int | None  # the world's time, in microseconds; None: whatever it is
    api: str
    operation: str  # its id; "" where the contract has none
    method: str
    target: str  # path and query, percent-encoded
    headers: Headers
    body: Body | None
    answer: Answer


@dataclass(frozen=True)
class Stored:
    """A record as it is stored at the start; None: it is deleted."""

    api: str
    resource: str
    id: str
    record: Mapping[str, Json] | None


@dataclass(frozen=True)
class Capsule:
    """A failure: where its world started, what was asked, what was answered, and which request shows it."""

    title: str
    contracts: Mapping[str, str]  # API -> digest
    requests: tuple[Request, ...]
    shows: str  # the id of a request
    seed: int = 1
    scale: int = 60
    situation: str = ""
    records: tuple[Stored, ...] = ()  # beside what seed, scale and situation make
    trash: tuple[Json, ...] = ()  # as an export has it, each with its API
    faults: tuple[Json, ...] = ()  # armed at the start
    rate_limits: tuple[tuple[str, int], ...] = ()  # by API

    @property
    def failing(self) -> Request:
        """The request that shows the failure."""
        return next(request for request in self.requests if request.id == self.shows)


def body_of(text: str | None, encoding: str = "") -> Body | None:
    """A body as the journal tells it."""
    if text is None:
        return None
    if encoding == "base64":
        return Body("base64", text)
    try:
        value = json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_refused, parse_float=_finite)
    except (ValueError, RecursionError):
        return Body("text", text)
    return Body("body", value) if _is_shallow(value, DEPTH) and not _SURROGATE.search(text) else Body("text", text)


def _without_doubles(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found


def _refused(constant: str) -> Json:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text} is too large")
    return number


def _is_shallow(value: Json, depth: int) -> bool:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return depth > 0 and all(_is_shallow(part, depth - 1) for part in inside if isinstance(part, (dict, list)))
