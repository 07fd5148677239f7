"""The body of an answer -> what stands at a token of its operation's envelope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contract_tests.exchanges import Answer
from mock_server.contract import Json, Operation, Record

Path = tuple[str | int, ...]
MISSING = object()  # The answer has nothing there.


def located(template: Json, token: str) -> Path | None:
    """Where a token stands in an envelope; None if it has none."""
    if template == token:
        return ()
    parts: Sequence[tuple[str | int, Json]] = ()
    if isinstance(template, Mapping):
        parts = list(template.items())
    elif isinstance(template, list):
        parts = list(enumerate(template))
    for step, part in parts:
        below = located(part, token)
        if below is not None:
            return (step, *below)
    return None


def has(operation: Operation, token: str) -> bool:
    """Whether the operation's answers tell this."""
    return located(operation.envelope, token) is not None


def taken(operation: Operation, answer: Answer, token: str) -> Json:
    """What an answer tells; MISSING if nothing stands there."""
    path = located(operation.envelope, token)
    return MISSING if path is None else at(answer.json(), path)


def record(operation: Operation, answer: Answer) -> Record | None:
    """The record that an answer shows."""
    found = taken(operation, answer, "$record")
    return found if isinstance(found, dict) else None


def records(operation: Operation, answer: Answer) -> list[Record] | None:
    """The records that an answer lists; None if it has no list."""
    found = taken(operation, answer, "$records")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else None


def at(value: Json, path: Path) -> Json:
    """What stands at a path; MISSING if nothing does."""
    for step in path:
        inside = (
            step in value if isinstance(value, dict) else isinstance(value, list) and isinstance(step, int) and step < len(value)
        )
        if not inside:
            return MISSING
        value = value[step]
    return value
