"""A value and its schema -> what is wrong with the value; written for the suites alone, which share no mistakes with a mock."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Literal

import jsonschema_rs

from contract_tests.schemas import json_type, merged
from mock_server.contract import Json, Schema

Side = Literal["request", "response"]
HIDDEN: Mapping[Side, str] = {"request": "readOnly", "response": "writeOnly"}  # what a side does not carry
RANGES = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
UNDECLARED = "undeclared"
_PLAIN = (
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]*")


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with a value: where in it, by which keyword of the schema, told."""

    pointer: str
    keyword: str
    message: str

    def __str__(self) -> str:
        return f"{self.pointer or 'the whole'} {self.message}"

    @property
    def subject(self) -> str:
        """The pointer with every index as `*`: flaws of two elements are one fault."""
        return re.sub(r"/\d+(?=/|$)", "/*", self.pointer).lstrip("/")


def fits(schema: Schema, value: Json, side: Side = "request") -> bool:
    """Whether a value is what the schema describes, undeclared properties aside."""
    return next((flaw for flaw in flaws(schema, value, side) if flaw.keyword != UNDECLARED), None) is None


def flaws(schema: Schema, value: Json, side: Side = "response", pointer: str = "") -> Iterator[Flaw]:
    """Everything wrong with a value."""
    if value is None:
        if not _takes_null(schema):
            yield Flaw(pointer, "null", f"is null, and must be of type {json_type(schema)}")
        return
    whole = merged(schema)
    kind = json_type(whole)
    if not _TYPES[kind](value):
        yield Flaw(pointer, "type", f"must be of type {kind}, and is {shortened(value)}")
        return
    if "enum" in whole and value not in whole["enum"]:
        yield Flaw(pointer, "enum", f"must be one of {', '.join(map(str, whole['enum']))}, and is {shortened(value)}")
    yield from _alternatives(whole, value, side, pointer)
    if checks := _CHECKS.get(kind):
        yield from checks(whole, value, side, pointer)


class Shape:
    """The schema of an answer, compiled: most answers have no flaw, and that is known quickly."""

    def __init__(self, schema: Schema, side: Side = "response") -> None:
        self.schema = schema
        self._side: Side = side
        self._named: dict[int, str] = {}
        self._definitions: dict[str, Json] = {}
        root = {**self._reference(schema), "definitions": self._definitions}
        forms = {f"own-{name}": check for name, check in _FORMATS.items()}
        whole = {"allOf": [root], "definitions": self._definitions}
        self._quick = jsonschema_rs.Draft4Validator(whole, validate_formats=True, formats=forms, offline=True)

    def flaws(self, value: Json) -> Iterator[Flaw]:
        """Everything wrong with a value."""
        try:
            plain = self._quick.is_valid(value)
        except ValueError:  # A text with half a surrogate pair.
            plain = False
        return iter(()) if plain else flaws(self.schema, value, self._side)

    def _reference(self, schema: Schema) -> dict[str, Json]:
        name = self._named.get(id(schema))
        if name is None:
            name = self._named[id(schema)] = str(len(self._named))
            self._definitions[name] = self._strict(schema)
        return {"$ref": f"#/definitions/{name}"}

    def _strict(self, schema: Schema) -> Json:
        """The schema as Draft 4 has it, which knows no null; whatever it cannot tell is refused."""
        whole = merged(schema)
        kind = json_type(whole)
        if {"oneOf", "anyOf", "not"} & set(whole):
            return {"enum": [None]} if _takes_null(schema) else {"not": {}}
        plain = {word: whole[word] for word in _PLAIN if word in whole}
        made: dict[str, Json] = {**plain, "type": [kind, "null"] if _takes_null(schema) else kind}
        if whole.get("format") in _FORMATS:
            made["format"] = f"own-{whole['format']}"
        if "enum" in made and _takes_null(schema):
            made["enum"] = [*made["enum"], None]
        least, most = RANGES.get(whole.get("format", ""), (None, None))
        made |= {word: bound for word, bound in (("minimum", least), ("maximum", most)) if bound is not None and word not in made}
        if "items" in whole:
            made["items"] = self._reference(whole["items"])
        if kind == "object":
            made |= self._members(whole)
        return made

    def _members(self, whole: Schema) -> dict[str, Json]:
        known: Mapping[str, Schema] = whole.get("properties", {})
        hidden = {name for name, part in known.items() if merged(part).get(HIDDEN[self._side]) is True}
        more = whole.get("additionalProperties")
        needed = [name for name in whole.get("required", ()) if name not in hidden]
        return {
            "properties": {name: {"not": {}} if name in hidden else self._reference(part) for name, part in known.items()},
            "additionalProperties": self._reference(more) if isinstance(more, Mapping) else more is True or not known,
            **({"required": needed} if needed else {}),
        }


def shortened(value: Json, length: int = 120) -> str:
    """A value as a message shows it."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= length else f"{text[:length]}…"


def _takes_null(schema: Schema) -> bool:
    if schema.get("nullable") is True or ("enum" in schema and None in schema["enum"]):
        return True
    if "type" in schema:
        return False
    parts = schema.get("allOf")
    if parts:
        return all(map(_takes_null, parts))
    choices = [*schema.get("oneOf", ()), *schema.get("anyOf", ())]
    if choices:
        return any(map(_takes_null, choices))
    return "properties" not in schema and "items" not in schema


def _alternatives(schema: Schema, value: Json, side: Side, pointer: str) -> Iterator[Flaw]:
    for keyword in ("anyOf", "oneOf"):
        branches = schema.get(keyword)
        if branches and not any(fits(branch, value, side) for branch in branches):
            yield Flaw(pointer, keyword, f"is none of what it may be: {shortened(value)}")


def _text(schema: Schema, value: Json, _side: Side, pointer: str) -> Iterator[Flaw]:
    if len(value) < schema.get("minLength", 0):
        yield Flaw(pointer, "minLength", f"must have {schema['minLength']} characters at least")
    if len(value) > schema.get("maxLength", len(value)):
        yield Flaw(pointer, "maxLength", f"must have {schema['maxLength']} characters at most, and has {len(value)}")
    if "pattern" in schema and not compiled(schema["pattern"]).search(value):
        yield Flaw(pointer, "pattern", f"must match {schema['pattern']}, and is {shortened(value)}")
    check = _FORMATS.get(schema.get("format", ""))
    if check and not check(value):
        yield Flaw(pointer, "format", f"must be a {schema['format']}, and is {shortened(value)}")


def _number(schema: Schema, value: Json, _side: Side, pointer: str) -> Iterator[Flaw]:
    least, most = RANGES.get(schema.get("format", ""), (None, None))
    least, most = schema.get("minimum", least), schema.get("maximum", most)
    if least is not None and (value < least or (value == least and schema.get("exclusiveMinimum") is True)):
        yield Flaw(pointer, "minimum", f"must be {least} at least, and is {value}")
    if most is not None and (value > most or (value == most and schema.get("exclusiveMaximum") is True)):
        yield Flaw(pointer, "maximum", f"must be {most} at most, and is {value}")


def _array(schema: Schema, value: Json, side: Side, pointer: str) -> Iterator[Flaw]:
    if len(value) < schema.get("minItems", 0):
        yield Flaw(pointer, "minItems", f"must have {schema['minItems']} elements at least")
    if len(value) > schema.get("maxItems", len(value)):
        yield Flaw(pointer, "maxItems", f"must have {schema['maxItems']} elements at most, and has {len(value)}")
    for place, item in enumerate(value):
        yield from flaws(schema.get("items", {}), item, side, f"{pointer}/{place}")


def _object(schema: Schema, value: Json, side: Side, pointer: str) -> Iterator[Flaw]:
    known: Mapping[str, Schema] = schema.get("properties", {})
    hidden = HIDDEN[side]
    for name in schema.get("required", ()):
        if name not in value and merged(known.get(name, {})).get(hidden) is not True:
            yield Flaw(f"{pointer}/{name}", "required", "is missing")
    more = schema.get("additionalProperties")
    for name, part in value.items():
        at = f"{pointer}/{name}"
        if name in known:
            if side == "response" and merged(known[name]).get("writeOnly") is True:
                yield Flaw(at, UNDECLARED, "must not be shown")
            else:
                yield from flaws(known[name], part, side, at)
        elif isinstance(more, Mapping):
            yield from flaws(more, part, side, at)
        elif more is not True and (known or more is False) and not _has_alternatives(schema):
            yield Flaw(at, UNDECLARED, "is in no schema")


def _has_alternatives(schema: Schema) -> bool:
    return "oneOf" in schema or "anyOf" in schema


@lru_cache(500)
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of the contract."""
    return re.compile(pattern)


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_date(value: str) -> bool:
    try:
        return len(value) == 10 and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_time(value: str) -> bool:
    if not _DATE_TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value.upper())
    except ValueError:
        return False
    return True


_TYPES: Mapping[str, Callable[[Json], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: _is_number(value) and value == int(value),
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
_FORMATS: Mapping[str, Callable[[str], bool]] = {
    "date": _is_date,
    "date-time": _is_time,
    "email": lambda value: _EMAIL.fullmatch(value) is not None,
    "uuid": lambda value: _UUID.fullmatch(value) is not None,
    "uri": lambda value: _URI.fullmatch(value) is not None,
}
_CHECKS: Mapping[str, Callable[[Schema, Json, Side, str], Iterator[Flaw]]] = {
    "string": _text,
    "integer": _number,
    "number": _number,
    "array": _array,
    "object": _object,
}
