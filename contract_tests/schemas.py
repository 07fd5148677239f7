"""What schema objects say, for the suites: each is read once, whatever the number of values held against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from typing import TypeVar

from mock_server import schemas
from mock_server.contract import Schema

KEPT = 20_000  # readings of one kind

Reading = TypeVar("Reading")


class _Same:
    """A schema as a key: schemas are compared by identity, they may be cyclic."""

    __slots__ = ("schema",)

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.schema is self.schema


def once(read: Callable[[Schema], Reading]) -> Callable[[Schema], Reading]:
    """The same reading, made once for each schema: none changes."""

    @lru_cache(KEPT)
    def known(same: _Same) -> Reading:
        return read(same.schema)

    @wraps(read)
    def kept(schema: Schema) -> Reading:
        return known(_Same(schema))

    return kept


json_type: Callable[[Schema], str] = once(schemas.json_type)
properties: Callable[[Schema], Mapping[str, Schema]] = once(schemas.properties)
merged: Callable[[Schema], Schema] = once(schemas.merged)
items: Callable[[Schema], Schema] = once(schemas.items)
