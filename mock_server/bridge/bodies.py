"""The bytes of a body -> JSON, or where and why they are none."""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from mock_server.contract import Json
from mock_server.refusals import TooLarge

DEEPEST = 128  # levels: orjson reads 1024 and writes 254, and an answer wraps what it was sent
BOM = b"\xef\xbb\xbf"

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:]', re.DOTALL)


class Unreadable(ValueError):
    """The bytes are not JSON that can be kept; the message says where and why."""


async def received(receive: Receive, length: bytes | None, limit: int) -> bytes:
    """The whole body.

    Raises TooLarge, before or while it is read, and ClientDisconnect.
    """
    if length is not None and length.isdigit() and int(length) > limit:
        raise TooLarge(limit)
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body") or len(body) > limit or message["type"] != "http.request":
        return await _rest(receive, message, limit)
    return body


async def _rest(receive: Receive, message: Json, limit: int) -> bytes:
    parts, size = [], 0
    while True:
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise TooLarge(limit)
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()


def parsed(body: bytes) -> Json:
    """The JSON value that a body holds; an integer beyond 64 bits is a double, so that it is none where the schema wants one.

    Raises Unreadable.
    """
    body = body.removeprefix(BOM)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable(_reason(body, error)) from None
    if (
        body.count(b"{") + body.count(b"[") > DEEPEST
        or body.count(b":") != _names(value)  # A colon may also stand in a text; then the slow way finds nothing.
    ):
        for problem in _problems(body.decode()):
            raise Unreadable(problem)
    return value


def _reason(body: bytes, error: orjson.JSONDecodeError) -> str:
    try:
        body.decode()
    except UnicodeDecodeError as wrong:
        before = body[: wrong.start].decode()
        return f"{_place(before, len(before))}: this is not UTF-8"
    return f"line {error.lineno}, column {error.colno}: {error.msg}"


def _place(text: str, position: int) -> str:
    return f"line {text.count(chr(10), 0, position) + 1}, column {position - text.rfind(chr(10), 0, position)}"


def _names(value: Json) -> int:
    """How many names stand in a value, at all levels."""
    kind = value.__class__
    if kind is not dict and kind is not list:
        return 0
    parts, count = (value.values(), len(value)) if kind is dict else (value, 0)
    for part in parts:
        if part.__class__ is dict or part.__class__ is list:
            count += _names(part)
    return count


def _problems(text: str) -> Iterator[str]:
    """What orjson lets pass and cannot be kept: names given twice, deep nesting."""
    names: list[set[str]] = []
    waiting: tuple[str, int] | None = None  # a text that may turn out to be a name
    for token in _TOKEN.finditer(text):
        word, position = token[0], token.start()
        if word in "{[":
            names.append(set())
            if len(names) > DEEPEST:
                yield f"{_place(text, position)}: this is nested deeper than {DEEPEST} levels"
        elif word in "}]":
            names.pop()
        elif word == ":" and waiting:
            name = orjson.loads(waiting[0])
            if name in names[-1]:
                yield f"{_place(text, waiting[1])}: the name {waiting[0]} is given twice in one object"
            names[-1].add(name)
        waiting = (word, position) if word[0] == '"' else None
