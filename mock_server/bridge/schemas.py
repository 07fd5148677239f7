"""OpenAPI 3.0 schema -> compiled validator, as a request or an answer is to be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

import jsonschema_rs

from mock_server.contract import Json, Operation, Schema, declared_as

Side = Literal["request", "response"]

INT64 = (-(2**63), 2**63 - 1)
RANGES = {"int32": (-(2**31), 2**31 - 1), "int64": INT64}
HIDDEN: Mapping[Side, str] = {"request": "readOnly", "response": "writeOnly"}  # whose `required` does not count on this side
LOCAL_TIME = "local-date-time"  # our name for a date-time whose zone may be missing

PLAIN = (
    *("type", "enum", "format", "pattern", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minProperties", "maxProperties"),
)
TOLD = ("title", "description", "example")  # what a caller is told where a pattern is broken
ONE = ("items", "not")
MANY = ("allOf", "anyOf", "oneOf")

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TIME_PARTS = r"(\d+H(\d+M(\d+S)?)?|\d+M(\d+S)?|\d+S)"
_DURATION = re.compile(rf"P(\d+W|(\d+Y(\d+M(\d+D)?)?|\d+M(\d+D)?|\d+D)(T{_TIME_PARTS})?|T{_TIME_PARTS})", re.ASCII)
_LOCAL_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)


def _is_local_time(text: str) -> bool:
    if not _LOCAL_TIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


FORMATS: dict[str, Callable[..., bool]] = {  # Draft 4 knows none of them.
    "uuid": lambda text: _UUID.fullmatch(text) is not None,
    "duration": lambda text: _DURATION.fullmatch(text) is not None,
    LOCAL_TIME: _is_local_time,
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """A schema, ready to hold values against it."""

    schema: Mapping[str, Json]  # as Draft 4 has it
    is_valid: Callable[[Json], bool]
    iter_errors: Callable[[Json], Iterator[jsonschema_rs.ValidationError]]
    validate: Callable[[Json], None]  # raises the first error
    has_alternatives: bool  # anyOf or oneOf stands in it


class Schemas:
    """The schemas of one document.

    The validators are Draft 4, which OpenAPI 3.0 extends, and whose integers Schemathesis assumes: 1.0 is not one.
    """

    def __init__(self, document: Mapping[str, Json]) -> None:
        self._document = document
        self._compiled: dict[tuple[Side, str], Compiled] = {}

    def resolved(self, node: Mapping[str, Json]) -> Mapping[str, Json]:
        """What a local reference, or a chain of them, points at; the node itself if it is none."""
        while "$ref" in node:
            node = self.at(node["$ref"])
        return node

    def at(self, reference: str) -> Mapping[str, Json]:
        """What stands at a reference like #/components/schemas/Customer."""
        found: Json = self._document
        for part in reference.removeprefix("#/").split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            found = found[int(name)] if isinstance(found, list) else found[name]
        return cast("Mapping[str, Json]", found)

    def operation(self, operation: Operation) -> Mapping[str, Json]:
        """An operation as the document has it."""
        item = self.resolved(self._document["paths"][operation.path])
        definition: Mapping[str, Json] = item[operation.method.lower()]
        return definition

    def answers(self, definition: Mapping[str, Json]) -> dict[str, Mapping[str, Json]]:
        """The answers that an operation declares, by status code as the document has it."""
        return {str(code): self.resolved(answer) for code, answer in definition["responses"].items()}

    def answer(self, operation: Operation, status: int) -> Mapping[str, Json] | None:
        """What an operation declares for a status: by itself, by its range (4XX), or by `default`."""
        declared = self.answers(self.operation(operation))
        code = declared_as(status, declared)
        return None if code is None else declared[code]

    def media_types(self, definition: Mapping[str, Json]) -> tuple[str, ...]:
        """The media types of an operation's answers."""
        return tuple(dict.fromkeys(name for answer in self.answers(definition).values() for name in answer.get("content", ())))

    def compiled(self, schema: Schema, side: Side, *, local_time: bool = False) -> Compiled:
        """The validator of a schema; with `local_time`, a date-time needs no zone."""
        reference = schema.get("$ref")
        if reference is None or local_time:
            return self._compile(schema, side, local_time=local_time)
        key = (side, reference)
        if key not in self._compiled:
            self._compiled[key] = self._compile(schema, side, local_time=False)
        return self._compiled[key]

    def _compile(self, schema: Schema, side: Side, *, local_time: bool) -> Compiled:
        conversion = _Conversion(self, side, local_time)
        root = conversion.converted(schema)
        if conversion.definitions:
            root = {"allOf": [root], "definitions": conversion.definitions}
        made = jsonschema_rs.Draft4Validator(root, validate_formats=True, formats=FORMATS, offline=True)
        return Compiled(root, made.is_valid, made.iter_errors, made.validate, conversion.has_alternatives)


class _Conversion:
    """One schema on its way to Draft 4; what it refers to becomes `definitions`, so a recursive schema stays finite."""

    def __init__(self, schemas: Schemas, side: Side, local_time: bool) -> None:
        self.definitions: dict[str, Json] = {}
        self.has_alternatives = False
        self._schemas = schemas
        self._side: Side = side
        self._local_time = local_time
        self._names: dict[str, str] = {}

    def converted(self, schema: Schema) -> dict[str, Json]:
        if "$ref" in schema:
            return {"$ref": self._definition(schema["$ref"])}
        if self._side == "response" and schema.get("writeOnly") is True:
            return {"not": {}}
        made: dict[str, Json] = {keyword: schema[keyword] for keyword in PLAIN if keyword in schema}
        if "pattern" in schema:
            made |= {word: schema[word] for word in TOLD if word in schema}
        made |= {keyword: self.converted(schema[keyword]) for keyword in ONE if keyword in schema}
        made |= {keyword: [self.converted(branch) for branch in schema[keyword]] for keyword in MANY if keyword in schema}
        self.has_alternatives |= "anyOf" in schema or "oneOf" in schema
        if "properties" in schema:
            made["properties"] = {name: self.converted(part) for name, part in schema["properties"].items()}
        if "additionalProperties" in schema:
            more = schema["additionalProperties"]
            made["additionalProperties"] = more if isinstance(more, bool) else self.converted(more)
            made.setdefault("properties", {})  # Without it, the error names no property.
        hidden = frozenset(self._hidden(schema))
        if required := [name for name in schema.get("required", ()) if name not in hidden]:
            made["required"] = required
        self._narrow(made)
        return self._nullable(schema, made) if schema.get("nullable") is True else made

    def _definition(self, reference: str) -> str:
        name = self._names.get(reference)
        if name is None:
            name = self._names[reference] = str(len(self._names))
            self.definitions[name] = self.converted(self._schemas.at(reference))
        return f"#/definitions/{name}"

    def _hidden(self, schema: Schema) -> Iterator[str]:
        """The properties that this side never carries."""
        for name, part in schema.get("properties", {}).items():
            if self._schemas.resolved(part).get(HIDDEN[self._side]) is True:
                yield name
        for branch in schema.get("allOf", ()):
            yield from self._hidden(self._schemas.resolved(branch))

    def _narrow(self, made: dict[str, Json]) -> None:
        """Turn formats that Draft 4 does not know into what they mean."""
        if self._local_time and made.get("format") == "date-time":
            made["format"] = LOCAL_TIME
        least, most = RANGES.get(made.get("format", ""), (None, None))
        if least is not None and made.get("minimum", least) <= least:
            made["minimum"] = least
            made.pop("exclusiveMinimum", None)
        if most is not None and made.get("maximum", most) >= most:
            made["maximum"] = most
            made.pop("exclusiveMaximum", None)

    def _nullable(self, schema: Schema, made: dict[str, Json]) -> dict[str, Json]:
        """Admit null, as Schemathesis reads it: an enum without null forbids it in requests only."""
        if "enum" in schema and None not in schema["enum"]:
            if self._side == "request":
                return made
            made["enum"] = [*schema["enum"], None]
        if any(keyword in schema for keyword in (*MANY, "not")):
            self.has_alternatives = True
            return {"anyOf": [{"type": "null"}, made]}
        if "type" in made:
            made["type"] = [made["type"], "null"]
        return made
