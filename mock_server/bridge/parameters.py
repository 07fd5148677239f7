"""The parameters of an operation, compiled: text in a request -> values of their schemas' types, or violations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from mock_server.bridge import violations
from mock_server.bridge.schemas import INT64, PLAIN, Compiled, Schemas
from mock_server.bridge.scope import LONGEST_KEPT, Scope, cookies_of
from mock_server.contract import Contract, Json, Operation, Parameter, Schema
from mock_server.refusals import Violation
from mock_server.schemas import json_type, merged
from mock_server.seeded import Bounded

SEPARATORS = {"form": ",", "simple": ",", "spaceDelimited": " ", "pipeDelimited": "|"}  # style -> between an array's items
UNSENT = frozenset({"accept", "content-type", "authorization"})  # header parameters that OpenAPI ignores
NOT_UTF8 = "is not UTF-8"
LINES_KEPT = 1024  # paths with their queries, of an operation, whose parameters are kept

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_CONSTRAINTS = frozenset({*PLAIN, "allOf", "anyOf", "oneOf", "not"}) - {"type"}


class Uncompiled(Exception):
    """A parameter of a form that is left to Connexion."""


def integer(text: str) -> int:
    """An integer as JSON writes it. One beyond 64 bits comes back as the first number beyond."""
    if len(text) < 19 and text.isdigit() and text.isascii() and text[0] != "0":
        return int(text)
    if not _INTEGER.fullmatch(text):
        raise ValueError
    least, most = INT64
    if len(text) > 20:  # Python refuses to read thousands of digits.
        return least - 1 if text[0] == "-" else most + 1
    return min(max(int(text), least - 1), most + 1)


def number(text: str) -> int | float:
    """A number as JSON writes it."""
    if _INTEGER.fullmatch(text) and len(text) < 20:
        return int(text)
    value = float(text) if _NUMBER.fullmatch(text) else float("inf")
    if value in (float("inf"), float("-inf")):
        raise ValueError
    return value


def boolean(text: str) -> bool:
    return {"true": True, "false": False}[text]


Convert = Callable[[str], Json]
CONVERSIONS: Mapping[str, Convert] = {"string": str, "integer": integer, "number": number, "boolean": boolean}


@dataclass(slots=True)
class Plan:
    """How one parameter is read."""

    parameter: Parameter
    type: str  # of the value, or of the array's items
    array: bool
    separator: str | None  # between an array's items; None where the name is repeated
    validator: Compiled | None  # None where the type says everything
    plain: bool  # any text is right

    def read(self, texts: list[str], found: list[Violation]) -> Json:
        """The value of the texts that were sent; what is wrong with them is added to `found`."""
        if self.array or len(texts) > 1:
            return self._read_several(texts, found)
        try:
            value = CONVERSIONS[self.type](texts[0])
        except (ValueError, KeyError):
            found.append(self._violation(self._unlike(texts[0])))
            return None
        self.hold(value, found)
        return value

    def _read_several(self, texts: list[str], found: list[Violation]) -> Json:
        if len(texts) > 1 and not (self.array and self.separator is None):
            found.append(self._violation("is given twice"))
            return None
        values, before = [], len(found)
        for index, text in enumerate(texts if self.separator is None else texts[0].split(self.separator)):
            try:
                values.append(CONVERSIONS[self.type](text))
            except (ValueError, KeyError):
                found.append(self._violation(self._unlike(text), f"/{index}"))
        if len(found) == before:
            self.hold(values, found)
        return values

    def hold(self, value: Json, found: list[Violation]) -> None:
        """Hold a value against the schema."""
        if self.validator is not None and not self.validator.is_valid(value):
            place = violations.pointer([self.parameter.name])
            found += violations.found(self.validator, value, self.parameter.where, place)

    def _violation(self, message: str, place: str = "") -> Violation:
        return Violation(self.parameter.where, violations.pointer([self.parameter.name]) + place, message)

    def _unlike(self, text: str) -> str:
        wanted = violations.TYPES[self.type]
        if self.parameter.schema.get("format") == "password":
            return f"must be {wanted}"
        return f"must be {wanted}, not {violations.quoted(text) if text else 'empty'}"


@dataclass(slots=True)
class Read:
    """The parameters of one request. Treat as frozen: it is kept."""

    path: dict[str, Json]
    query: dict[str, Json]
    ignored: tuple[str, ...]
    violations: list[Violation]


class Parameters:
    """All parameters of one operation.

    Raises Uncompiled for a parameter whose form is left to stock Connexion.
    """

    def __init__(self, contract: Contract, operation: Operation, schemas: Schemas, *, strict: bool) -> None:
        plans = [_plan(contract, parameter, schemas) for parameter in operation.parameters]
        self._path = {plan.parameter.name: plan for plan in plans if plan.parameter.where == "path"}
        self._query = {plan.parameter.name: plan for plan in plans if plan.parameter.where == "query"}
        self._headers = [
            (plan.parameter.name.lower().encode("latin-1"), plan)
            for plan in plans
            if plan.parameter.where == "header" and plan.parameter.name.lower() not in UNSENT
        ]
        self._cookies = [plan for plan in plans if plan.parameter.where == "cookie"]
        self._required = tuple(name for name, plan in self._query.items() if plan.parameter.required)
        self._secrets = {scheme["name"] for scheme in contract.security_schemes.values() if scheme.get("in") == "query"}
        self._strict = strict
        # By path and query, where nothing else is read and nothing is wrong.
        self._kept = Bounded[tuple[bytes | str, bytes], Read](LINES_KEPT)

    def read(self, scope: Scope) -> Read:
        """The values sent with a request, and what is wrong with them."""
        read = Read({}, {}, (), [])
        if self._path:
            self._read_path(scope["path_params"], read)
        if scope["query_string"]:
            self._read_query(scope["query_string"], read)
        for name in self._required:
            if name not in read.query:
                read.violations.append(Violation("query", violations.pointer([name]), "is required"))
        if self._headers:
            self._read_headers(scope, read)
        if self._cookies:
            self._read_cookies(scope, read)
        return read

    def of(self, scope: Scope) -> Read:
        """The same, of a request that has come over HTTP, whose path says what its parameters are."""
        if self._headers or self._cookies:
            return self.read(scope)
        line = (scope.get("raw_path") or scope["path"], scope["query_string"])
        read = self._kept.get(line)
        if read is None:
            read = self.read(scope)
            if not read.violations and len(line[0]) + len(line[1]) <= LONGEST_KEPT:
                self._kept[line] = read
        return read

    def _read_path(self, sent: Mapping[str, Json], read: Read) -> None:
        for name, plan in self._path.items():
            value = sent[name] if name in sent else sent[name.replace("-", "_")]  # Connexion's own routing renames it.
            if plan.plain:
                read.path[name] = value
            elif value.__class__ is int:  # Routing has read it.
                plan.hold(value, read.violations)
                read.path[name] = value
            else:
                read.path[name] = plan.read([value], read.violations)

    def _read_query(self, query: bytes, read: Read) -> None:
        sent: dict[str, list[str]] = {}
        for name, value in _pairs(query, read.violations):
            sent.setdefault(name, []).append(value)
        ignored = []
        for name, texts in sent.items():
            plan = self._query.get(name)
            if plan is not None:
                read.query[name] = plan.read(texts, read.violations)
            elif name not in self._secrets:
                ignored.append(name)
        if self._strict:
            read.violations += [Violation("query", violations.pointer([name]), "is not known here") for name in ignored]
        read.ignored = tuple(ignored)

    def _read_headers(self, scope: Scope, read: Read) -> None:
        for name, plan in self._headers:
            texts = [value.decode("latin-1") for sent, value in scope["headers"] if sent == name]
            self._read_other(plan, texts, read)

    def _read_cookies(self, scope: Scope, read: Read) -> None:
        sent = cookies_of(scope)
        for plan in self._cookies:
            self._read_other(plan, [sent[plan.parameter.name]] if plan.parameter.name in sent else [], read)

    @staticmethod
    def _read_other(plan: Plan, texts: list[str], read: Read) -> None:
        """Check a header or cookie; a behaviour has no use for its value."""
        if texts:
            plan.read([text.strip() for text in texts], read.violations)
        elif plan.parameter.required:
            place = violations.pointer([plan.parameter.name])
            read.violations.append(Violation(plan.parameter.where, place, "is required"))


def query_names(query: bytes) -> frozenset[str]:
    """The names of the query parameters that were sent."""
    return frozenset(name for name, _ in _pairs(query, []))


def query_value(query: bytes, name: str) -> str | None:
    """The value of a query parameter, as far as it can be read."""
    return next((value for sent, value in _pairs(query, []) if sent == name), None)


def _pairs(query: bytes, found: list[Violation]) -> list[tuple[str, str]]:
    if b"%" not in query and b"+" not in query and query.isascii():
        parts = [part.partition("=") for part in query.decode().split("&")]
        return [(name, value) for name, sign, value in parts if name or sign]
    pairs = []
    for part in filter(None, query.split(b"&")):
        name, _, value = part.partition(b"=")
        decoded, text = _decoded(name), _decoded(value)
        if decoded is None:
            found.append(Violation("query", "", f"has a name that {NOT_UTF8}"))
            continue
        if text is None:
            found.append(Violation("query", violations.pointer([decoded]), NOT_UTF8))
        pairs.append((decoded, text or ""))
    return pairs


def _decoded(part: bytes) -> str | None:
    try:
        return unquote_to_bytes(part.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        return None


def _plan(contract: Contract, parameter: Parameter, schemas: Schemas) -> Plan:
    schema = parameter.schema
    array = json_type(schema) == "array"
    kind = json_type(merged(schema).get("items", {})) if array else json_type(schema)
    if kind not in CONVERSIONS or parameter.style not in SEPARATORS:
        raise Uncompiled(parameter.name)
    repeated = parameter.explode and parameter.style == "form"
    validator = None
    if array or kind == "integer" or not _CONSTRAINTS.isdisjoint(schema):
        validator = schemas.compiled(_bounded(schema), "request", local_time=not contract.times.zoned)
    plain = kind == "string" and validator is None and not array
    return Plan(parameter, kind, array, None if repeated else SEPARATORS[parameter.style], validator, plain)


def _bounded(schema: Schema) -> Schema:
    """An integer without a format is one of 64 bits: the answer could not show another."""
    if schema.get("type") == "integer":
        return {"format": "int64", **schema}
    if isinstance(schema.get("items"), Mapping):
        return {**schema, "items": _bounded(schema["items"])}
    return schema
