"""A body that the server takes -> bodies that it does not, one of each kind."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mock_server.bridge import violations
from mock_server.bridge.schemas import Compiled
from mock_server.contract import Json, Schema, properties
from mock_server.refusals import Violation
from mock_server.schemas import at, items, json_type, merged, required

DEEPEST = 4  # levels below which no property is broken
OTHER = "none-such"

Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a body: its schema, and whether it may be left out."""

    steps: Steps
    schema: Schema
    required: bool


_TYPES: Mapping[str, Json] = {"string": 1, "integer": OTHER, "number": OTHER, "boolean": OTHER, "array": OTHER, "object": OTHER}


def _bounds(schema: Schema) -> Iterator[Json]:
    if "maximum" in schema:
        yield schema["maximum"] + 1
    if "minimum" in schema:
        yield schema["minimum"] - 1
    if schema.get("format") == "int32":
        yield 1 << 31


def _lengths(schema: Schema) -> Iterator[Json]:
    if "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1)
    if schema.get("minLength"):
        yield "x" * (schema["minLength"] - 1)
    if schema.get("minItems"):
        yield []


WRONG: Mapping[str, Callable[[Schema], Iterator[Json]]] = {  # kind of mistake -> values that make it
    "null": lambda _: iter((None,)),
    "type": lambda schema: iter((_TYPES[json_type(schema)],)),
    "enum": lambda schema: iter((OTHER,) if "enum" in schema else ()),
    "format": lambda schema: iter((OTHER,) if "format" in schema and json_type(schema) == "string" else ()),
    "pattern": lambda schema: iter((OTHER, "") if "pattern" in schema else ()),
    "length": _lengths,
    "bounds": _bounds,
}


def broken(validator: Compiled, schema: Schema, body: Json) -> Iterator[tuple[Json, Violation]]:
    """Bodies with one mistake, and the mistake: of each kind the first that there is."""
    spots = list(_spots((), merged(schema), body))
    seen: set[str] = set()
    for kind in ("missing", *WRONG, "extra"):
        for candidate in _made(kind, spots, body):
            found = violations.found(validator, candidate, "body") if not validator.is_valid(candidate) else []
            if len(found) == 1 and str(found[0]) not in seen:
                seen.add(str(found[0]))
                yield candidate, found[0]
                break


def _made(kind: str, spots: Sequence[Spot], body: Json) -> Iterator[Json]:
    """Bodies that may have a mistake of a kind."""
    for spot in spots:
        if kind == "missing":
            if spot.required:
                yield _without(body, spot.steps)
        elif kind == "extra":
            if merged(spot.schema).get("additionalProperties") is False and isinstance(at(body, spot.steps), dict):
                yield _with(body, (*spot.steps, OTHER), 1)
        else:
            yield from (_with(body, spot.steps, value) for value in WRONG[kind](merged(spot.schema)))


def _spots(steps: Steps, schema: Schema, value: Json) -> Iterator[Spot]:
    """The places of a body: each property of the objects that are in it, the nearest first; then the body itself."""
    level: list[tuple[Steps, Schema, Json]] = [(steps, schema, value)]
    for _ in range(DEEPEST):
        below: list[tuple[Steps, Schema, Json]] = []
        for above, part, there in level:
            if isinstance(there, dict):
                needed = required(part)
                for name, found in properties(part).items():
                    if merged(found).get("readOnly") is not True:
                        yield Spot((*above, name), found, name in needed and name in there)
                        below.append(((*above, name), found, there.get(name)))
            elif isinstance(there, list) and there:
                below.append(((*above, 0), items(part), there[0]))
        level = below
    yield Spot(steps, schema, required=False)


def _with(body: Json, steps: Steps, value: Json) -> Json:
    """The body with another value at a place."""
    if not steps:
        return value
    made = copy.deepcopy(body)
    above = at(made, steps[:-1])
    above[steps[-1]] = value
    return made


def _without(body: Json, steps: Steps) -> Json:
    made = copy.deepcopy(body)
    del at(made, steps[:-1])[steps[-1]]
    return made


def told(wrong: Violation) -> str:
    """A violation as a sentence says it."""
    name = wrong.pointer.lstrip("/")
    return f"{name or 'the body'} {wrong.message}"
