"""Replies held against the contract before they go out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

import orjson

from mock_server.bridge import media, violations
from mock_server.bridge.schemas import Compiled, Schemas
from mock_server.contract import Contract, Json, Operation, declared_as
from mock_server.seeded.caches import REPLY_OVERHEAD, Bounded

Unchecked = Callable[[bytes], str | None]  # a body for which there is no schema -> what is wrong with it
CheckReplies = Literal["off", "sample", "all"]

RIGHT_KEPT = 1 << 20  # bytes of replies of an operation that were found right

EVERY: Mapping[CheckReplies, int] = {"off": 0, "sample": 16, "all": 1}


@dataclass(slots=True)
class Answers:
    """What one operation may answer."""

    title: str  # of the operation, for messages
    every: int  # Of so many replies one is checked; 0: none is.
    reads: bool  # What it answers will come again; of one that writes, only its refusals.
    schemas: Schemas
    contents: Mapping[str, Mapping[str, Json]]  # status as declared -> its media types
    _replies: Iterator[int] = field(default_factory=count)
    _validators: dict[int, Compiled | Unchecked] = field(default_factory=dict)  # by status, each compiled at its first use
    _right: Bounded[tuple[int, bytes], int] = field(default_factory=lambda: Bounded(RIGHT_KEPT, lambda size: size))  # -> size

    def due(self) -> bool:
        """Whether the next reply is to be checked."""
        return self.every == 1 or (self.every > 0 and next(self._replies) % self.every == 0)

    def mistake(self, status: int, body: bytes | None) -> str | None:
        """What is wrong with a reply, if anything. What was found right once is not looked at again, if it will come again."""
        if status < 300 and not self.reads:
            return self._told(status, self._wrong(status, body or b""))
        reply = (status, body or b"")
        if self._right.get(reply) is not None:
            return None
        wrong = self._wrong(*reply)
        if wrong is None:
            self._right[reply] = REPLY_OVERHEAD + len(reply[1])
        return self._told(status, wrong)

    def _told(self, status: int, wrong: str | None) -> str | None:
        return None if wrong is None else f"{self.title} answers {status}: {wrong}"

    def _wrong(self, status: int, body: bytes) -> str | None:
        validator = self._validators.get(status)
        if validator is None:
            validator = self._validators[status] = self._validator(status)
        return _wrong_body(validator, body) if isinstance(validator, Compiled) else validator(body)

    def _validator(self, status: int) -> Compiled | Unchecked:
        """What holds a body against what is declared of a status."""
        declared = declared_as(status, self.contents)
        if declared is None:
            return lambda _: "the contract does not declare this status"
        content = self.contents[declared]
        if not content:
            return lambda body: "the contract declares no body" if body else None
        if media.JSON not in content:
            return lambda _: None
        return self.schemas.compiled(content[media.JSON].get("schema", {}), "response")


def _wrong_body(validator: Compiled, body: bytes) -> str | None:
    if not body:
        return "the contract declares a body"
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return f"the body is not JSON: {error}"
    if validator.is_valid(value):
        return None
    return "; ".join(f"{found.pointer or '/'} {found.message}" for found in violations.found(validator, value, "response"))


def answers(contract: Contract, operation: Operation, schemas: Schemas, check_replies: CheckReplies) -> Answers:
    """Compile what an operation may answer."""
    declared = schemas.answers(schemas.operation(operation))
    return Answers(
        f"{contract.name} {operation.operation_id}",
        EVERY[check_replies],
        operation.method == "GET",
        schemas,
        {code: answer.get("content", {}) for code, answer in declared.items()},
    )
