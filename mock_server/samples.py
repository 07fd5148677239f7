"""Operation -> a request that is right, made of what the contract shows: its examples, else the least that its schemas take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import orjson

from mock_server import outline
from mock_server.contract import Contract, Json, Operation, Parameter, Schema
from mock_server.described import described
from mock_server.documents import Node
from mock_server.schemas import items, json_type, merged, properties, required

JSON_BODY = ("Content-Type", "application/json")
FORMATS = {  # a value of each format that a schema may demand and show no example of
    "date": "2024-01-31",
    "date-time": "2024-01-31T12:00:00Z",
    "email": "jane@example.com",
    "uri": "https://example.com/",
    "uuid": "123e4567-e89b-12d3-a456-426614174000",
}


@dataclass(frozen=True)
class Sample:
    """A request without credentials; the target is below the root of the mock server."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None


def sample(contract: Contract, operation: Operation) -> Sample:
    """A right request for an operation, in a world that is new."""
    node = described(contract).operation(operation)
    shown = {((p / "name").text, (p / "in").text): p for p in outline.parameters_of(node)}
    path, query, headers = operation.path, [], []
    for parameter in operation.parameters:
        if not parameter.required:
            continue
        value = _value(contract, parameter, shown.get((parameter.name, parameter.where)))
        if parameter.where == "path":
            path = path.replace(f"{{{parameter.name}}}", quote(_text(value), safe=""))
        elif parameter.where == "query":
            query.append((parameter.name, _text(value)))
        elif parameter.where == "header":
            headers.append((parameter.name, _text(value)))
    body = None
    if operation.body is not None and operation.body_required:
        body = orjson.dumps(_body(node, operation.body))
        headers.append(JSON_BODY)
    target = contract.base_path + path + (f"?{urlencode(query)}" if query else "")
    return Sample(operation.method, target, tuple(headers), body)


def _value(contract: Contract, parameter: Parameter, node: Node | None) -> Json:
    """A parameter's value: what is shown, the first record, or what its schema takes."""
    shown = list(_examples(node)) if node is not None else []
    resource = contract.resources.get(parameter.identifies or "")
    if shown or resource is None:
        return shown[0] if shown else least(parameter.schema)
    return resource.id.value(0)


def _body(node: Node, schema: Schema) -> Json:
    """The smallest of the bodies that are shown, else the least that the schema takes."""
    shown = _examples(node / "requestBody" / "content" / "application/json")
    return min(shown, key=lambda value: len(orjson.dumps(value)), default=None) or least(schema)


def _examples(node: Node) -> Iterable[Json]:
    """What a parameter or a media type shows."""
    if node / "example":
        yield (node / "example").value
    yield from ((example / "value").value for example in (node / "examples").parts() if example / "value")


def least(schema: Schema) -> Json:
    """The smallest value that a schema takes, by its example if it has one."""
    schema = merged(schema)
    for word in ("example", "default"):
        if word in schema:
            return schema[word]
    if schema.get("enum"):
        return schema["enum"][0]
    return LEAST[json_type(schema)](schema)


def _least_text(schema: Schema) -> str:
    return FORMATS.get(str(schema.get("format")), "x" * max(1, int(schema.get("minLength", 1))))


def _least_number(schema: Schema) -> Json:
    return max(schema.get("minimum", 1), 1)


def _least_list(schema: Schema) -> Json:
    return [least(items(schema)) for _ in range(schema.get("minItems", 0))]


def _least_object(schema: Schema) -> Json:
    known = properties(schema)
    return {name: least(known.get(name, {})) for name in required(schema) if not merged(known.get(name, {})).get("readOnly")}


LEAST: Mapping[str, Callable[[Schema], Json]] = {
    "string": _least_text,
    "integer": _least_number,
    "number": _least_number,
    "boolean": lambda _schema: False,
    "array": _least_list,
    "object": _least_object,
}


def _text(value: Json) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
