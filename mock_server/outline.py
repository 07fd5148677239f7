"""Where in an OpenAPI document the operations, their parts, the resources and what these store are found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from mock_server import schemas
from mock_server.documents import Node
from mock_server.schemas import Json, Schema, properties

CONTROL = "control"  # The contract of the server itself, whose base path is no name: an API may be called "control".
ROOTS = {CONTROL: "_mock"}  # contract -> the first step of its base path, where it is not its name

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def operations_of(root: Node) -> Iterator[Node]:
    """The operations of a document in its order; the last two steps of each one's path are its path and its method."""
    for path, item in (root / "paths").items():
        for method in item.mapping:
            if method in METHODS:
                found = item / method
                yield Node(found.document, ("paths", path, method), found.value)


def parameters_of(operation: Node) -> list[Node]:
    """The parameters of an operation: its path's, where it has none of the same name and place, and its own."""
    item = operation.document.root / "paths" / operation.path[-2]
    found = [*(item / "parameters").elements(), *(operation / "parameters").elements()]
    return list({((node / "name").text, (node / "in").text): node for node in found}.values())


def body_of(operation: Node) -> Node:
    """The schema of the operation's JSON body."""
    return operation / "requestBody" / "content" / "application/json" / "schema"


def success_of(operation: Node) -> tuple[int, Node]:
    """The status of success (0 if none is declared) and the schema of its JSON body."""
    responses = operation / "responses"
    status = next((code for code in responses.mapping if re.fullmatch("2[0-9][0-9]", code)), "0")
    return int(status), responses / status / "content" / "application/json" / "schema"


def schema_of(resource: Node) -> Schema:
    """The schema of a resource's fullest view."""
    path = schemas.pointed((resource / "schema").text or "")
    node = resource.document.root
    for step in path or ("",):
        node = node / step
    found = node.resolved
    return found if isinstance(found, dict) else {}


def base_path_of(root: Node) -> str:
    """The path of the first server, without a slash at its end."""
    url = (root / "servers" / 0 / "url").text or ""
    try:
        return urlsplit(url).path.rstrip("/")
    except ValueError:
        return ""


def view(template: Json, schema: Schema) -> Schema | None:
    """The schema of what stands at $record, or of each at $records, in answers of this schema; None if there is neither."""
    if template == "$record":
        return schemas.merged(schema)
    if template == "$records":
        return schemas.merged(schemas.items(schema))
    below = properties(schema)
    parts = template.items() if isinstance(template, Mapping) else ()
    found = (view(part, below[name]) for name, part in parts if name in below)
    return next((schema for schema in found if schema is not None), None)


def stored(name: str, root: Node) -> dict[str, Schema]:
    """Every property that a record of the resource stores -> its schema: see openapi/README.md."""
    resource = root / "x-semantics" / "resources" / name
    computed = computed_by(resource)
    bodies = (
        body_of(operation).resolved
        for operation in operations_of(root)
        if (operation / "x-semantics" / "resource").value == name
        and (operation / "x-semantics" / "action").value in ("create", "update")
    )
    shapes = [schema_of(resource), *(body for body in bodies if isinstance(body, dict))]
    found: dict[str, Schema] = {}
    for shape in shapes:
        found.update((n, schema) for n, schema in properties(shape).items() if n not in computed and n not in found)
    for held, reference in references_of(resource):
        found.setdefault(held, _held(reference, root))
    for time in ("created", "updated"):  # They may be in no view, and known from filters only.
        if name_of_time := (resource / time).text:
            found.setdefault(name_of_time, {"type": "string", "format": "date-time"})
    return found


def references_of(resource: Node) -> Iterator[tuple[str, Node]]:
    """The stored properties that hold another record's id: those of its references, then its parent's."""
    yield from (resource / "references").items()
    parent = resource / "parent"
    if owner := (parent / "property").text:
        yield owner, parent


def computed_by(resource: Node) -> dict[str, str]:
    """The properties that are computed, not stored -> what they are computed from."""
    shown = {name: held for held, part in references_of(resource) for name in (part / "show").mapping}
    return {**shown, **dict.fromkeys((resource / "children").mapping, "the child records")}


def _held(reference: Node, root: Node) -> Schema:
    """The schema of what a reference holds: the other record's id or `by`."""
    other = root / "x-semantics" / "resources" / str((reference / "resource").value)
    name = (reference / "by").text or (other / "id" / "property").text or ""
    default = {"type": "string" if other / "id" / "pattern" else "integer"}
    return properties(schema_of(other)).get(name, default)


def source_path(source: str) -> tuple[str, ...]:
    """The way into the other record: a property's name, or a JSON pointer."""
    return schemas.pointed(f"#{source}") or (source,)
