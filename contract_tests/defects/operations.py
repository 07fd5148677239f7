"""An OpenAPI document -> its operations, as far as a server needs to know them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import yaml

Json = Any  # A value of any JSON type.
Problem = tuple[str, str, str]  # the part of the request, a JSON pointer into it, what is wrong

_ROOT = Path(__file__).resolve().parents[2]
_METHODS = ("get", "post", "put", "patch", "delete")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?", re.ASCII)


def moment(text: str) -> bool:
    """Whether a text is a time with or without a zone."""
    if not _MOMENT.fullmatch(text):
        return False
    try:
        return bool(datetime.fromisoformat(text))
    except ValueError:
        return False


class Schema:
    """A schema of the document, compiled at its first use."""

    def __init__(self, schema: Json, document: Document, hidden: str) -> None:
        self._schema, self._document, self._hidden = schema, document, hidden

    def problems(self, value: Json, part: str, at: str = "") -> list[Problem]:
        """What is wrong with a value."""
        if self._validator.is_valid(value):
            return []
        return [_problem(error, part, at) for error in self._validator.iter_errors(value)]

    @cached_property
    def names(self) -> frozenset[str]:
        """The properties of an object that it describes."""
        return frozenset(self._document.whole(self._schema)["properties"])

    @cached_property
    def _validator(self) -> jsonschema_rs.Draft4Validator:
        root = {**_draft4(self._schema, self._hidden), **self._document.definitions(self._hidden)}
        formats: dict[str, Callable[[str], bool]] = {} if self._document.zoned else {"date-time": moment}
        return jsonschema_rs.Draft4Validator(root, validate_formats=True, formats=formats, mask="this")


@dataclass(frozen=True)
class Parameter:
    """A path or query parameter."""

    name: str
    where: str
    type: str
    many: bool  # repeated
    schema: Schema

    def read(self, texts: list[str]) -> tuple[Json, list[Problem]]:
        """The value of what was sent, and what is wrong with it."""
        pointer = f"/{self.name}"
        if len(texts) > 1 and not self.many:
            return None, [(self.where, pointer, "is given twice")]
        if self.type == "integer" and not all(_INTEGER.fullmatch(text) for text in texts):
            return None, [(self.where, pointer, "must be a whole number")]
        values: list[Json] = [int(text) for text in texts] if self.type == "integer" else [*texts]
        value = values if self.many else values[0]
        return value, self.schema.problems(value, self.where, pointer)


@dataclass(frozen=True)
class Operation:
    """A method and a path."""

    id: str
    method: str
    path: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    body: Schema | None
    scopes: frozenset[str] | None  # None where no credential is needed

    def names(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """The path parameters, if these are the segments of this operation's path."""
        if len(segments) != len(self.path):
            return None
        pairs = list(zip(self.path, segments, strict=True))
        if any(not wanted.startswith("{") and wanted != segment for wanted, segment in pairs):
            return None
        return {wanted[1:-1]: segment for wanted, segment in pairs if wanted.startswith("{")}


class Document:
    """One API's document."""

    def __init__(self, api: str) -> None:
        folder = next(there for there in (_ROOT / "openapi", _ROOT / "mock_server" / "openapi") if there.is_dir())
        text = (folder / api / "openapi.yaml").read_text(encoding="utf-8")
        self._root = yaml.load(text, yaml.CSafeLoader)  # It is a safe loader, only faster.
        semantics = self._root["x-semantics"]
        self.zoned = semantics["times"]["zone"] == "Z" if "times" in semantics else True
        base = urlsplit(self._root["servers"][0]["url"]).path
        self.bases = (base, *(f"/{api}{alias}" for alias in semantics.get("aliases", ())))
        self.operations = tuple(sorted(self._operations(), key=lambda one: [part.startswith("{") for part in one.path]))
        self._of_length = {len(one.path): [o for o in self.operations if len(o.path) == len(one.path)] for one in self.operations}

    def at(self, segments: tuple[str, ...]) -> dict[str, tuple[Operation, dict[str, str]]]:
        """Method -> the operation at a path, and its path parameters."""
        found: dict[str, tuple[Operation, dict[str, str]]] = {}
        path: tuple[str, ...] | None = None
        for operation in self._of_length.get(len(segments), ()):
            names = operation.names(segments)
            if names is not None and path in (None, operation.path):
                path = operation.path
                found[operation.method] = operation, names
        return found

    @lru_cache(maxsize=64)  # noqa: B019  # Documents live as long as the process.
    def schema(self, name: str) -> Mapping[str, Json]:
        """The properties of a component schema: name -> schema without $ref, in the document's order."""
        found: Mapping[str, Json] = self.whole({"$ref": f"#/components/schemas/{name}"})["properties"]
        return found

    def resolved(self, node: Json) -> Json:
        """What a reference points at; the node itself if it is none."""
        while "$ref" in node:
            found = self._root
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    @lru_cache(maxsize=2)  # noqa: B019  # Documents live as long as the process.
    def definitions(self, hidden: str) -> Mapping[str, Json]:
        """The component schemas as Draft 4 has them, where $refs look for them."""
        schemas = self._root["components"]["schemas"]
        return {"components": {"schemas": {name: _draft4(schema, hidden) for name, schema in schemas.items()}}}

    def whole(self, node: Json) -> Json:
        """A schema without $ref and allOf, at every depth."""
        node = self.resolved(node)
        made: dict[str, Json] = {}
        for part in (*map(self.whole, node.get("allOf", ())), node):
            made = {**made, **part, "properties": {**made.get("properties", {}), **part.get("properties", {})}}
        made["properties"] = {name: self.whole(part) for name, part in made["properties"].items()}
        return {**made, "items": self.whole(made["items"])} if "items" in made else made

    def _operations(self) -> Iterator[Operation]:
        for path, item in self._root["paths"].items():
            for method in _METHODS:
                if method in item:
                    yield self._operation(method.upper(), path, item[method])

    def _operation(self, method: str, path: str, node: Json) -> Operation:
        security = node.get("security", self._root.get("security", []))
        body = node.get("requestBody", {}).get("content", {}).get("application/json")
        return Operation(
            id=node["operationId"],
            method=method,
            path=tuple(path.strip("/").split("/")),
            parameters=tuple(self._parameter(self.resolved(one)) for one in node.get("parameters", ())),
            body=Schema(body["schema"], self, "readOnly") if body else None,
            scopes=frozenset(scope for entry in security for held in entry.values() for scope in held) if security else None,
        )

    def _parameter(self, node: Json) -> Parameter:
        schema = self.resolved(node["schema"])
        many = schema["type"] == "array"
        kind = self.resolved(schema["items"])["type"] if many else schema["type"]
        return Parameter(node["name"], node["in"], kind, many, Schema(schema, self, "readOnly"))


@lru_cache(maxsize=8)
def document(api: str) -> Document:
    """The document of an API, read once."""
    return Document(api)


def answer_schema(api: str, operation: str, status: int) -> Schema | None:
    """What the document says that an answer with this status looks like; None where it has no body."""
    read = document(api)
    for item in read.resolved({"$ref": "#/paths"}).values():
        for node in item.values():
            if isinstance(node, dict) and node.get("operationId") == operation:
                answer = read.resolved(node["responses"][str(status)])
                content = answer.get("content", {}).get("application/json")
                return Schema(content["schema"], read, "writeOnly") if content else None
    raise LookupError(f"{api} has no {operation}")


def _draft4(node: Json, hidden: str) -> dict[str, Json]:
    """A schema as Draft 4 has it; `hidden` names the properties that need not be there: readOnly or writeOnly."""
    made = {keyword: value for keyword, value in node.items() if keyword not in ("nullable", "example", "required")}
    for keyword in ("items", "additionalProperties"):
        if isinstance(node.get(keyword), dict):
            made[keyword] = _draft4(node[keyword], hidden)
    if "allOf" in node:
        made["allOf"] = [_draft4(part, hidden) for part in node["allOf"]]
    properties = node.get("properties", {})
    if properties:
        made["properties"] = {name: _draft4(part, hidden) for name, part in properties.items()}
    if required := [name for name in node.get("required", ()) if not properties.get(name, {}).get(hidden)]:
        made["required"] = required
    if node.get("nullable") and "type" in node:
        made["type"] = [node["type"], "null"]
    return made


def _problem(error: jsonschema_rs.ValidationError, part: str, at: str) -> Problem:
    steps = [str(step) for step in error.instance_path]
    message = error.message
    if error.kind.name == "required":
        steps.append(str(error.kind.as_dict()["property"]))
        message = "is missing"
    pointer = at + "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
    return part, pointer, message.removeprefix("this ")
