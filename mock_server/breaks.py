"""A body that keeps its schema -> one that breaks it in one chosen way, at one chosen place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property

import orjson

from mock_server.bridge import violations
from mock_server.bridge.media import JSON
from mock_server.bridge.schemas import RANGES, Compiled, Schemas
from mock_server.contract import Contract, Json, Operation, Schema
from mock_server.documents import pointer as pointer_of
from mock_server.reply import Reply
from mock_server.schemas import json_type, pointed

WAYS: Mapping[str, frozenset[str]] = {  # way -> the keywords of which it breaks one
    "missing": frozenset({"required"}),
    "null": frozenset({"type"}),
    "type": frozenset({"type"}),
    "enum": frozenset({"enum"}),
    "format": frozenset({"format"}),
    "pattern": frozenset({"pattern"}),
    "length": frozenset({"minLength", "maxLength", "minItems", "maxItems"}),
    "bounds": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}),
    "extra": frozenset({"additionalProperties"}),
}
FOLLOWS: Mapping[str, frozenset[str]] = {  # way -> keywords that cannot hold then: what has a wrong type is no member either
    "null": frozenset({"enum"}),
    "type": frozenset({"enum"}),
}
EXTRA = "unexpected"  # the property that `extra` adds
LONGEST = 100_000  # characters or elements of a value that is too long
NEAR = 8  # pointers that are told where one is wrong

Steps = tuple[str, ...]


class Unbreakable(ValueError):
    """What was chosen cannot be broken so; the text says what can."""


def ways(contract: Contract, operation: Operation, status: int) -> dict[str, tuple[str, ...]]:
    """Every pointer into the JSON body of an answer -> the ways to break what stands there.

    A * is every element; where the elements must differ, the first one.
    """
    root = _root(contract, operation, status)
    found = {pointer_of(part.path): part.ways for part in _walk(root)} if root else {}
    return {pointer: there for pointer, there in found.items() if there}


def check(contract: Contract, operation: Operation, status: int, pointer: str, way: str) -> None:
    """Raise Unbreakable where the contract leaves nothing to break in this way at this place of this answer."""
    answer = f"{operation.operation_id} {status}"
    if way not in WAYS:
        raise Unbreakable(f"there is no way {way!r:.42} to break a body; there are {', '.join(WAYS)}")
    root = _root(contract, operation, status)
    if root is None:
        raise Unbreakable(f"{answer} has no JSON body in the contract, so nothing in it can be broken")
    part = root.at(_steps(pointer))
    if part is None:
        there = [*ways(contract, operation, status)]
        near = get_close_matches(pointer, there, NEAR, 0.5) or there[:NEAR]
        raise Unbreakable(
            f"{answer} has nothing at {pointer!r:.82}; there is {', '.join(place or '(the body)' for place in near)}"
        )
    if not part.breaks(way):
        can = f"can be broken by {', '.join(part.ways)}" if part.ways else "can be broken in no way"
        raise Unbreakable(f"{pointer or 'the body'} of {answer} {can}, not by {way}")


def broken(contract: Contract, operation: Operation, reply: Reply, pointer: str, way: str) -> Reply | None:
    """The reply with all that stands at the pointer broken in this way, and nothing else; None if there is nothing to break."""
    root = _root(contract, operation, reply.status)
    part = root.at(_steps(pointer)) if root else None
    if root is None or part is None or not reply.body or way not in WAYS or not part.breaks(way):
        return None
    try:
        whole = {"": orjson.loads(reply.body)}
    except orjson.JSONDecodeError:
        return None
    valid = root.validator.is_valid(whole[""])
    places = list(_places(root, _Place(whole, "", ()), _steps(pointer)))
    changed = [place.path for place in places if part.change(place, way)]
    if not changed or (valid and not _breaks(root.validator, whole[""], way, changed)):
        return None
    return replace(reply, body=orjson.dumps(whole[""]))


def _root(contract: Contract, operation: Operation, status: int) -> _Part | None:
    """The JSON body of an answer."""
    schemas = Schemas(contract.document)
    answer = schemas.answer(operation, status) or {}
    schema = answer.get("content", {}).get(JSON, {}).get("schema")
    return _Part(schemas, (schema,)) if schema else None


def _breaks(validator: Compiled, value: Json, way: str, places: list[Steps]) -> bool:
    """Whether a value breaks what it is to break at the places, and nothing else."""
    found = violations.keywords(validator, value)
    beyond = (EXTRA,) if way == "extra" else ()
    wanted = {pointer_of((*place, *beyond)) for place in places}
    return {where for keyword, where in found if keyword in WAYS[way]} == wanted and all(
        where in wanted and (keyword in WAYS[way] or keyword in FOLLOWS.get(way, ())) for keyword, where in found
    )


@dataclass(frozen=True)
class _Place:
    """A value in a body: what it stands in, under which name or index, and the way to it."""

    holder: Json
    key: str | int
    path: tuple[str, ...]

    @property
    def value(self) -> Json:
        return self.holder[self.key]


@dataclass(frozen=True)
class _Part:
    """What an answer's schema says of the values at one place; each of the shapes must hold."""

    schemas: Schemas
    shapes: tuple[Schema, ...]
    path: Steps = ()
    around: _Part | None = None

    @cached_property
    def validator(self) -> Compiled:
        """Holds a value against this part alone."""
        return self.schemas.compiled({"allOf": list(self.shapes)}, "response")

    @cached_property
    def said(self) -> tuple[Schema, ...]:
        """The shapes and all that stands in their allOf, the references resolved."""
        return tuple(part for shape in self.shapes for part in self._said(shape, ()))

    def _said(self, shape: Schema, seen: tuple[int, ...]) -> Iterator[Schema]:
        shape = self.schemas.resolved(shape)
        if id(shape) not in seen:
            for branch in shape.get("allOf", ()):
                yield from self._said(branch, (*seen, id(shape)))
            yield shape

    @cached_property
    def facts(self) -> Mapping[str, Json]:
        """Keyword -> what is said of it, by the nearest."""
        return {keyword: value for part in self.said for keyword, value in part.items()}

    @cached_property
    def ways(self) -> tuple[str, ...]:
        """How what stands here can be broken."""
        return tuple(filter(self.breaks, WAYS))

    def breaks(self, way: str) -> bool:
        """Whether what stands here can be broken in this way."""
        return _BREAKABLE.get(way, _has_candidate)(self, way)

    def at(self, steps: Steps) -> _Part | None:
        """The part at a way from here; an index means any element."""
        part: _Part | None = self
        for step in steps:
            part = part.below(step) if part else None
        return part

    def below(self, step: str) -> _Part | None:
        """The part of a property, or of the elements."""
        shapes = tuple(shape for part in self.said for shape in _below(part, step))
        if not shapes or any(self.schemas.resolved(shape).get("writeOnly") is True for shape in shapes):
            return None
        return _Part(self.schemas, shapes, (*self.path, step), self)

    def parts(self) -> Iterator[_Part]:
        """Everything right below."""
        names = dict.fromkeys(name for part in self.said for name in (*part.get("properties", ()), "*"))
        return (part for name in names if (part := self.below(name)))

    def candidate(self, way: str) -> Json:
        """A value that breaks this part in this way alone; _NONE if there is none."""
        made = (value for value in _CANDIDATES[way](self.facts) if _breaks(self.validator, value, way, [()]))
        return next(made, _NONE)

    def change(self, place: _Place, way: str) -> bool:
        """Break what stands at a place; whether there was something to break."""
        value = self.candidate(way) if way in _CANDIDATES else _NONE
        if way == "missing":
            del place.holder[place.key]
        elif way == "extra" and isinstance(place.value, dict):
            place.value[EXTRA] = True
        elif value is not _NONE:
            place.holder[place.key] = value
        elif isinstance(place.value, list) and place.value:
            count = self.facts["maxItems"] + 1
            place.holder[place.key] = (place.value * (count // len(place.value) + 1))[:count]
        else:
            return False
        return True


def _below(schema: Schema, step: str) -> Iterator[Schema]:
    """What a schema says of a property, or of the elements."""
    more = schema.get("additionalProperties")
    if step in schema.get("properties", {}):
        yield schema["properties"][step]
    elif isinstance(more, Mapping):
        yield more
    if "items" in schema and (step == "*" or step.isdecimal()):
        yield schema["items"]


def _walk(part: _Part, around: tuple[int, ...] = ()) -> Iterator[_Part]:
    """A part and all below it; what contains itself is entered once."""
    yield part
    here = (*around, *map(id, part.said))
    for inner in part.parts():
        if not any(id(schema) in here for schema in inner.said):
            yield from _walk(inner, here)


def _places(part: _Part, place: _Place, steps: Steps) -> Iterator[_Place]:
    """The places in a body that a way leads to."""
    if not steps:
        yield place
        return
    inner = part.below(steps[0])
    if inner is None:
        return
    for key in _keys(part, place.value, steps[0]):
        yield from _places(inner, _Place(place.value, key, (*place.path, str(key))), steps[1:])


def _keys(part: _Part, value: Json, step: str) -> list[str] | list[int]:
    """The names or indices in a value that a step means."""
    if isinstance(value, list):
        # All elements broken alike would not be distinct, which some lists want as well.
        every = range(min(len(value), 1) if part.facts.get("uniqueItems") is True else len(value))
        return [*every] if step == "*" else [int(step)] if step.isdecimal() and int(step) < len(value) else []
    if not isinstance(value, dict) or step in value:
        return [step] if isinstance(value, dict) else []
    known = {name for schema in part.said for name in schema.get("properties", ())}
    return [name for name in value if name not in known] if step == "*" else []


def _steps(pointer: str) -> Steps:
    """The names and indices of a JSON pointer; the slash before the first one may be left out."""
    return (pointed(f"#/{pointer.removeprefix('/')}") or ()) if pointer else ()


_NONE = object()


def _has_candidate(part: _Part, way: str) -> bool:
    return part.candidate(way) is not _NONE


def _required(part: _Part, _way: str) -> bool:
    return part.around is not None and any(part.path[-1] in schema.get("required", ()) for schema in part.around.said)


def _closed(part: _Part, _way: str) -> bool:
    closed = [schema for schema in part.said if schema.get("additionalProperties") is False]
    return bool(closed) and not any(EXTRA in schema.get("properties", ()) for schema in part.said)


def _limited(part: _Part, way: str) -> bool:
    """Whether a text or a list can be too short or too long."""
    most = part.facts.get("maxItems", LONGEST)
    return _has_candidate(part, way) or (most < LONGEST and part.facts.get("uniqueItems") is not True)


_BREAKABLE: Mapping[str, Callable[[_Part, str], bool]] = {"missing": _required, "extra": _closed, "length": _limited}

_WRONG_TYPE: Mapping[str, Json] = {"string": 17, "integer": "17", "number": "1.5", "boolean": "true", "array": {}, "object": []}
_FORMS = ("x", "X", "0", "a@b.example", "https://b.example/x", "2024-01-01", "2024-01-01T00:00:00Z")
_NO_TIMES = ("2024-13-45", "2024-13-45T25:61:61Z", "2024-13-45T25:61:61", "2024-13-45T25:61:61.000")


def _members(facts: Schema) -> Iterator[Json]:
    if "enum" in facts:
        numbers = [member for member in facts["enum"] if isinstance(member, (int, float))] or [0]
        yield from ("unknown", "?", max(numbers) + 1, min(numbers) - 1, True, False)


def _formats(facts: Schema) -> Iterator[Json]:
    if "format" in facts:
        yield from (f"not a {facts['format']}", "?", *_NO_TIMES)


def _patterns(facts: Schema) -> Iterator[Json]:
    if "pattern" in facts:
        least = max(facts.get("minLength", 0), 1)
        yield from ("?" * least, "x" * least, "0" * least, "", *_texts(facts))


def _lengths(facts: Schema) -> Iterator[Json]:
    least, most = facts.get("minLength", 0), facts.get("maxLength", LONGEST)
    for text in _texts(facts):
        if least:
            yield text[: least - 1]
        if most < LONGEST:
            yield text.ljust(most + 1, text[-1:])[: most + 1]
            yield text.rjust(most + 1, text[:1])
    if facts.get("minItems"):
        yield []


def _texts(facts: Schema) -> tuple[str, ...]:
    """Texts of several forms, the example first."""
    example = facts.get("example")
    return (example, *_FORMS) if isinstance(example, str) and example else _FORMS


def _bounds(facts: Schema) -> Iterator[Json]:
    low, high = RANGES.get(facts.get("format", ""), (None, None))
    least, most, step = facts.get("minimum", low), facts.get("maximum", high), facts.get("multipleOf", 1)
    if least is not None:
        yield from (least - step, least)  # The latter where the bound is excluded.
    if most is not None:
        yield from (most + step, most)
    if "multipleOf" in facts:
        first = -(-(least or 0) // step) * step  # A right one, or below the bound.
        yield from (first + 1, first + step + 1, first + step / 2, first + step * 1.5)


_CANDIDATES: Mapping[str, Callable[[Schema], Iterator[Json]]] = {  # way -> values that may break it; not all do
    "null": lambda _facts: iter((None,)),
    "type": lambda facts: iter((_WRONG_TYPE[json_type(facts)],)),
    "enum": _members,
    "format": _formats,
    "pattern": _patterns,
    "length": _lengths,
    "bounds": _bounds,
}
