"""What schema objects say, for the suites: each is read once, whatever the number of values held against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import TypeVar

from mock_server import schemas
from mock_server.contract import Schema

KEPT = 20_000  # readings of one kind

Reading = TypeVar("Reading")


def once(read: Callable[[Schema], Reading]) -> Callable[[Schema], Reading]:
    """The same reading, made once for each schema: none changes. They are told apart by identity: they may be cyclic."""
    readings: dict[int, tuple[Schema, Reading]] = {}  # A schema that is kept shares its id with no other.

    @wraps(read)
    def kept(schema: Schema) -> Reading:
        known = readings.get(id(schema))
        if known is None:
            if len(readings) >= KEPT:
                readings.clear()
            known = readings[id(schema)] = schema, read(schema)
        return known[1]

    return kept


json_type: Callable[[Schema], str] = once(schemas.json_type)
properties: Callable[[Schema], Mapping[str, Schema]] = once(schemas.properties)
merged: Callable[[Schema], Schema] = once(schemas.merged)
items: Callable[[Schema], Schema] = once(schemas.items)
