"""Replies held against the contract before they go out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

import orjson

from mock_server.bridge import media, violations
from mock_server.bridge.schemas import Compiled, Schemas
from mock_server.contract import Contract, Json, Operation, declared_as
from mock_server.seeded.caches import REPLY_OVERHEAD, Bounded

CheckReplies = Literal["off", "sample", "all"]

RIGHT_KEPT = 1 << 20  # bytes of replies of an operation that were found right

EVERY: Mapping[CheckReplies, int] = {"off": 0, "sample": 16, "all": 1}


@dataclass(slots=True)
class Answers:
    """What one operation may answer."""

    title: str  # of the operation, for messages
    every: int  # Of so many replies one is checked; 0: none is.
    schemas: Schemas
    contents: Mapping[str, Mapping[str, Json]]  # status as declared -> its media types
    _replies: Iterator[int] = field(default_factory=count)
    _validators: dict[str, Compiled | str | None] = field(default_factory=dict)  # each compiled at its first use
    _right: Bounded[tuple[int, bytes], int] = field(default_factory=lambda: Bounded(RIGHT_KEPT, lambda size: size))  # -> size

    def due(self) -> bool:
        """Whether the next reply is to be checked."""
        return self.every > 0 and next(self._replies) % self.every == 0

    def mistake(self, status: int, body: bytes | None) -> str | None:
        """What is wrong with a reply, if anything. What was found right once is not looked at again."""
        reply = (status, body or b"")
        if self._right.get(reply) is not None:
            return None
        wrong = self._wrong(*reply)
        if wrong is None:
            self._right[reply] = REPLY_OVERHEAD + len(reply[1])
        return None if wrong is None else f"{self.title} answers {status}: {wrong}"

    def _wrong(self, status: int, body: bytes) -> str | None:
        declared = declared_as(status, self.contents)
        if declared is None:
            return "the contract does not declare this status"
        if declared not in self._validators:
            self._validators[declared] = _validator(self.contents[declared], self.schemas)
        validator = self._validators[declared]
        if validator is None:
            return "the contract declares no body" if body else None
        return None if isinstance(validator, str) else _wrong_body(validator, body)


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
        schemas,
        {code: answer.get("content", {}) for code, answer in declared.items()},
    )


def _validator(content: Mapping[str, Json], schemas: Schemas) -> Compiled | str | None:
    """What holds a body against its schema; None: there is no body; or the media type of one that is no JSON."""
    if media.JSON in content:
        return schemas.compiled(content[media.JSON].get("schema", {}), "response")
    return next(iter(content), None)
