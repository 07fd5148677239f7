"""A contract -> its document with lines: where a schema names the parts of a value, and where each statement comes from.

What was looked up is kept, by the places of the document: there are no more of them than it has parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from mock_server import documents
from mock_server.contract import Contract, Operation
from mock_server.documents import Document, Node, Steps
from mock_server.schemas import at

PARTS = ("allOf", "anyOf", "oneOf")  # what else a schema consists of


class Named(NamedTuple):
    """A part of a schema: where it is named, and what it is, behind any $ref."""

    path: Steps
    schema: Node


@dataclass(frozen=True)
class _Members:
    """What a schema says of the parts of a value, its own parts included."""

    properties: dict[str, Named] = field(default_factory=dict)
    folded: dict[str, Named] = field(default_factory=dict)  # by names in lower case
    items: list[Named] = field(default_factory=list)
    others: list[Named] = field(default_factory=list)  # additionalProperties


class Described:
    """One document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._members: dict[Steps, _Members] = {}
        self._origins: dict[Steps, tuple[Steps, str | None]] = {}

    def operation(self, operation: Operation | None) -> Node:
        """An operation as the document has it; without one, all the paths."""
        paths = self.document.root / "paths"
        if operation is None:
            return paths
        method = operation.method.lower()
        return Node(self.document, ("paths", operation.path, method), (paths / operation.path / method).value)

    def below(self, schema: Node, step: str, *, fold: bool = False) -> Named | None:
        """What a step of a pointer leads to; with `fold`, whatever the case of a name."""
        members = self._members.get(schema.path)
        if members is None:
            members = self._members[schema.path] = _members(schema)
        found = members.properties.get(step) or (members.folded.get(step.lower()) if fold else None)
        if found is None and members.items and step.isdecimal():
            found = members.items[0]
        return found or next(iter(members.others), None)

    def origin(self, path: Steps) -> tuple[Steps, str | None]:
        """Where the nearest x-origin at or around a path stands, and its reason, if it says that something is inferred."""
        if path not in self._origins:
            origin = at(self.document.value, (*path, "x-origin"))
            if origin is None and path:
                self._origins[path] = self.origin(path[:-1])
            else:
                reason = str(origin["inferred"]) if isinstance(origin, dict) and "inferred" in origin else None
                self._origins[path] = path, reason
        return self._origins[path]


def described(contract: Contract) -> Described:
    """The document of a contract."""
    return _described(contract.text, documents.shown(contract.file))


@lru_cache(32)
def _described(text: bytes, file: str) -> Described:
    return Described(documents.read(text, file))


def parts(schema: Node) -> Iterator[Node]:
    """A schema and what it is made of, each once."""
    waiting, seen = [schema], set[Steps]()
    while waiting:
        part = waiting.pop()
        if part.path not in seen:
            seen.add(part.path)
            yield part
            waiting += [inner for keyword in PARTS for inner in (part / keyword).elements()]


def _members(schema: Node) -> _Members:
    found = _Members()
    for part in parts(schema):
        properties = part / "properties"
        for name, node in properties.items():
            named = Named((*properties.path, name), node)
            found.properties.setdefault(name, named)
            found.folded.setdefault(name.lower(), named)
        for keyword, into in (("items", found.items), ("additionalProperties", found.others)):
            if (part / keyword).mapping:
                into.append(Named((*part.path, keyword), part / keyword))
    return found
