"""Schema objects, with every $ref resolved: what they say, whatever way they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Json = Any  # The one place where a value of any JSON type is meant.
Schema = Mapping[str, Json]  # A schema object with every $ref resolved; a recursive one is a cyclic mapping.

_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
_HINTS = {  # keyword -> the type that a schema with it, and without `type`, is for
    "properties": "object",
    "additionalProperties": "object",
    "items": "array",
    "pattern": "string",
    "maxLength": "string",
    "maximum": "number",
    "minimum": "number",
}


def json_type(schema: Schema) -> str:
    """string, integer, number, boolean, array or object: the type of the schema's values, null aside."""
    parts = list(_parts(schema, ("allOf", "oneOf", "anyOf")))[::-1]
    for answer in (_declared_type, _hinted_type, _sampled_type):
        for part in parts:
            if kind := answer(part):
                return kind
    return "string"


def properties(schema: Schema) -> Mapping[str, Schema]:
    """The properties of an object, those of its allOf included, in the order of the document."""
    found: dict[str, Schema] = {}
    for part in _parts(schema, ("allOf",)):
        own = part.get("properties")
        for name, value in own.items() if isinstance(own, Mapping) else ():
            if isinstance(value, Mapping):
                found[name] = {**found[name], **value} if name in found else value
    return found


def required(schema: Schema) -> tuple[str, ...]:
    """The names of the properties that must be there, those that its allOf demands included."""
    lists = [part["required"] for part in _parts(schema, ("allOf",)) if isinstance(part.get("required"), list)]
    return tuple(dict.fromkeys(name for names in lists for name in names if isinstance(name, str)))


def merged(schema: Schema) -> Schema:
    """The schema without its own allOf, whose properties and requirements it takes over; what is below stays as it is."""
    if "allOf" not in schema:
        return schema
    whole: dict[str, Json] = {}
    for part in _parts(schema, ("allOf",)):
        whole.update((keyword, value) for keyword, value in part.items() if keyword != "allOf")
    names = required(schema)
    return {**whole, "properties": properties(schema), **({"required": list(names)} if names else {})}


def items(schema: Schema) -> Schema:
    """The schema of an array's elements."""
    found = (part["items"] for part in _parts(schema, ("allOf",)) if isinstance(part.get("items"), Mapping))
    return next(found, {})


MISSING = object()  # What has no value where the contract does not let it be null: answers leave it out.


def unset(schema: Schema, empty: Mapping[str, Json]) -> Json:
    """What a property of this schema shows that never got a value; `empty` says it by type. MISSING if nothing fits."""
    schema = merged(schema)
    if "default" in schema:
        return schema["default"]
    if schema.get("nullable"):
        return None
    nothing = empty.get(json_type(schema))
    return MISSING if nothing is None else nothing


def resolved(node: Json, document: Mapping[str, Json], copies: dict[int, Json]) -> Json:
    """A copy of the node, every local $ref replaced by what it names; `copies` keeps the one copy of each node."""
    todo: list[Json] = []

    def copy(original: Json) -> Json:
        target = followed(original, document)
        if not isinstance(target, (dict, list)):
            return target
        if id(target) not in copies:
            copies[id(target)] = type(target)()
            todo.append(target)
        return copies[id(target)]

    result = copy(node)
    while todo:
        original = todo.pop()
        if isinstance(original, dict):
            copies[id(original)].update((name, copy(value)) for name, value in original.items())
        else:
            copies[id(original)].extend(map(copy, original))
    return result


def followed(node: Json, document: Mapping[str, Json]) -> Json:
    """What the node names if it is a $ref, through any further $ref; None if it names nothing."""
    seen: set[int] = set()
    while isinstance(node, dict) and isinstance(node.get("$ref"), str):
        if id(node) in seen:
            return None
        seen.add(id(node))
        path = pointed(node["$ref"])
        node = None if path is None else at(document, path)
    return node


def pointed(reference: str) -> tuple[str, ...] | None:
    """The path that a local reference (#/components/schemas/Customer) names; None for any other."""
    if not reference.startswith("#/"):
        return None
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/"))


def at(node: Json, path: tuple[str | int, ...]) -> Json:
    """What stands at the path below the node, or None."""
    for step in path:
        if isinstance(node, dict):
            node = node.get(str(step))
        elif isinstance(node, list) and str(step).isdecimal() and int(step) < len(node):
            node = node[int(step)]
        else:
            return None
    return node


def _declared_type(schema: Schema) -> str | None:
    kind = schema.get("type")
    return kind if isinstance(kind, str) else None


def _hinted_type(schema: Schema) -> str | None:
    return next((kind for keyword, kind in _HINTS.items() if keyword in schema), None)


def _sampled_type(schema: Schema) -> str | None:
    members = schema.get("enum")
    samples = (member for member in members if member is not None) if isinstance(members, list) else iter(())
    return _TYPES.get(type(next(samples, None)))


def _parts(schema: Schema, keywords: tuple[str, ...]) -> Iterator[Schema]:
    """The schema's parts under the keywords, at any depth, then the schema: what is nearest comes last."""
    seen: set[int] = set()

    def walk(part: Json) -> Iterator[Schema]:
        if not isinstance(part, Mapping) or id(part) in seen:
            return
        seen.add(id(part))
        for keyword in keywords:
            below = part.get(keyword)
            for inner in below if isinstance(below, list) else ():
                yield from walk(inner)
        yield part

    return walk(schema)
