"""Where a document breaks a JSON Schema, in words that a person can act on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import jsonschema_rs

from mock_server import schemas
from mock_server.documents import Mistake, Node, Steps, meant
from mock_server.schemas import Json

Finding = tuple[Steps, str]  # where, from the node that is checked, and what would be right

Error = jsonschema_rs.ValidationError

_NAMES = {"string": "a text", "integer": "an integer", "array": "a sequence", "object": "a mapping", "null": "null"}


@dataclass(frozen=True)
class Form:
    """A JSON Schema that values are held against."""

    schema: Mapping[str, Json]
    validator: jsonschema_rs.Validator

    @classmethod
    def of(cls, schema: Mapping[str, Json]) -> Form:
        return cls(schema, jsonschema_rs.validator_for(dict(schema)))

    def mistakes(self, node: Node) -> Iterator[Mistake]:
        """What is wrong with the node's value."""
        for error in self.validator.iter_errors(node.value):
            for path, message in self._found(error):
                yield node.document.mistake((*node.path, *path), message)

    def _found(self, error: Error) -> list[Finding]:
        explain = _EXPLAIN.get(error.kind.name)
        found = explain(self, error) if explain else []
        return found or [(tuple(error.instance_path), _shortened(error.message))]

    def _at(self, error: Error, up: int) -> Json:
        """What the schema says at the place where the error arose, or so many steps above it."""
        path = error.schema_path
        return schemas.at(self.schema, tuple(path[: len(path) - up]))

    def _unexpected(self, error: Error) -> list[Finding]:
        known = list((self._at(error, 1) or {}).get("properties", {}))
        return [
            ((*error.instance_path, name), f"is not known here{meant(name, known)}")
            for name in error.kind.as_dict()["unexpected"]
        ]

    def _barred(self, error: Error) -> list[Finding]:
        return [(tuple(error.instance_path), "is not known here")]

    def _required(self, error: Error) -> list[Finding]:
        return [(tuple(error.instance_path), f"lacks {error.kind.as_dict()['property']}")]

    def _enum(self, error: Error) -> list[Finding]:
        options = [str(option) for option in error.kind.as_dict()["options"]]
        hint = meant(error.instance, options) if isinstance(error.instance, str) else f"; there are {', '.join(options)}"
        return [(tuple(error.instance_path), f"cannot be {_quoted(error.instance)}{hint}")]

    def _type(self, error: Error) -> list[Finding]:
        wanted = " or ".join(_NAMES.get(kind, f"a {kind}") for kind in error.kind.as_dict()["types"])
        return [(tuple(error.instance_path), f"must be {wanted}, not {_quoted(error.instance)}")]

    def _not(self, error: Error) -> list[Finding]:
        present = set(error.instance) if isinstance(error.instance, dict) else set()
        barred = present & set(_required_names(error.kind.as_dict()["schema"]))
        return [((*error.instance_path, name), "does not belong here") for name in sorted(barred)]

    def _name(self, error: Error) -> list[Finding]:
        inner = error.kind.as_dict()["error"]
        options = inner.kind.as_dict()["options"] if inner.kind.name == "enum" else None
        reason = meant(str(inner.instance), options) if options else f": {inner.message}"
        return [((*error.instance_path, str(inner.instance)), f"is not a name that may stand here{reason}")]

    def _one_of(self, error: Error) -> list[Finding]:
        """What is wrong with the alternative that was most likely meant; if that is open, one sentence on all of them."""
        here = tuple(error.instance_path)
        branches = list(zip(self._at(error, 0) or [], error.kind.as_dict()["context"], strict=False))
        if not all(errors for _, errors in branches):
            return [(here, "says two things at once that exclude each other")]
        distances = [self._distance(alternative, errors, error) for alternative, errors in branches]
        found = [
            [finding for inner in errors for finding in self._found(inner)]
            for (_, errors), distance in zip(branches, distances, strict=True)
            if distance == min(distances)
        ]
        hinted = [findings for findings in found if any("did you mean" in message for _, message in findings)]
        if len(found) == 1 or hinted:
            return (hinted or found)[0]
        firsts = [findings[0] for findings in found]
        return [(here, " or ".join(dict.fromkeys(text if path == here else f"{path[-1]} {text}" for path, text in firsts)))]

    def _distance(self, alternative: Json, errors: list[Error], error: Error) -> tuple[bool, bool, int]:
        """How far an alternative is from what was meant: another type, none of the names it asks for, many errors."""
        kinds = {inner.kind.name for inner in errors if len(inner.instance_path) == len(error.instance_path)}
        asked = set(_required_names(schemas.followed(alternative, self.schema)))
        names = set(error.instance) if isinstance(error.instance, dict) else asked
        other = bool(kinds & {"type", "const", "not"}) or "$ref" in asked - names
        return other, bool(asked) and not asked & names, len(errors)


_EXPLAIN: Mapping[str, Callable[[Form, Error], list[Finding]]] = {  # keyword of the schema -> what to say of it
    "additionalProperties": Form._unexpected,
    "falseSchema": Form._barred,
    "required": Form._required,
    "enum": Form._enum,
    "type": Form._type,
    "not": Form._not,
    "propertyNames": Form._name,
    "oneOf": Form._one_of,
    "anyOf": Form._one_of,
}


def _required_names(schema: Json) -> list[str]:
    """The names that the schema, or one of its alternatives, requires."""
    if not isinstance(schema, dict):
        return []
    inner = [name for part in schema.get("anyOf", []) for name in _required_names(part)]
    return [*schema.get("required", []), *inner]


def _quoted(value: Json) -> str:
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a sequence"
    return _shortened(repr(value) if isinstance(value, str) else json.dumps(value))


def _shortened(text: str, width: int = 200) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 1]}…"
