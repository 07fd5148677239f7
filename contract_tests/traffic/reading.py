"""One API's contract, compiled to read requests: which operation, which parameters, which body, which credential."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from contract_tests.exchanges import Request
from mock_server import documents
from mock_server.bridge.parameters import Parameters, Uncompiled
from mock_server.bridge.schemas import Compiled, Schemas
from mock_server.bridge.security import NAME, reader
from mock_server.contract import Contract, Json, Operation
from mock_server.documents import Document, Node
from mock_server.schemas import properties

HEAD, GET = "HEAD", "GET"


@dataclass(frozen=True)
class Route:
    """A path of the contract, to match the paths of requests."""

    path: str
    pattern: re.Pattern[str]
    names: tuple[str, ...]  # of its parameters
    operations: Mapping[str, Operation]  # by method


@dataclass(frozen=True)
class Met:
    """An operation that a request meets."""

    operation: Operation
    path: Mapping[str, str]  # the values of its path's parameters


class Reading:
    """What an API's contract says of requests."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.schemas = Schemas(contract.document)
        self._routes = sorted(_routes(contract), key=lambda route: len(route.names))  # What is spelled out comes first.
        self._parameters: dict[str, Parameters | None] = {}
        self._bodies: dict[str, Compiled] = {}

    @cached_property
    def document(self) -> Document:
        """The document with its lines."""
        return documents.read(self.contract.text, documents.shown(self.contract.file))

    def node(self, operation: Operation) -> Node:
        """An operation in the document."""
        return self.document.root / "paths" / operation.path / operation.method.lower()

    def met(self, request: Request) -> Met | None:
        """The operation of a request; None if the contract has none."""
        for route, match in self._at(request):
            operation = route.operations.get(request.method) or (route.operations.get(GET) if request.method == HEAD else None)
            if operation is not None:
                return Met(operation, dict(zip(route.names, map(unquote, match.groups()), strict=True)))
        return None

    def methods(self, request: Request) -> tuple[str, ...]:
        """The methods that the contract has at a request's path."""
        return tuple(dict.fromkeys(method for route, _ in self._at(request) for method in route.operations))

    def parameters(self, met: Met) -> Parameters | None:
        """The operation's parameters; None where they are of a form that is not read."""
        name = met.operation.operation_id
        if name not in self._parameters:
            self._parameters[name] = _parameters(self.contract, met.operation, self.schemas)
        return self._parameters[name]

    def body(self, operation: Operation) -> Compiled:
        """The validator of the bodies that an operation takes."""
        if operation.operation_id not in self._bodies:
            definition = self.schemas.operation(operation)
            content = self.schemas.resolved(definition["requestBody"])["content"]
            schema = content.get("application/json", {}).get("schema", {})
            self._bodies[operation.operation_id] = self.schemas.compiled(schema, "request")
        return self._bodies[operation.operation_id]

    def body_names(self, operation: Operation, value: Json) -> Json:
        """A body with its names as the schema has them, where the contract folds their case."""
        if not operation.fold_names or not isinstance(value, dict):
            return value
        names = {name.lower(): name for name in properties(operation.body or {})}
        return {names.get(name.lower(), name): part for name, part in value.items()}

    def has_credential(self, request: Request) -> bool:
        """Whether a request carries what any of the API's security schemes wants."""
        scope = scope_of(request)
        return any(reader({**scheme, NAME: name})(scope) for name, scheme in self.contract.security_schemes.items())

    def lacks(self, operation: Operation, request: Request) -> tuple[str, ...]:
        """The security schemes of which a request should carry a credential and does not."""
        wanted = self.schemas.operation(operation).get("security", self.contract.document.get("security", ()))
        scope, schemes = scope_of(request), self.contract.security_schemes
        missing = [tuple(name for name in needed if not reader({**schemes[name], NAME: name})(scope)) for needed in wanted]
        return min(missing, key=len, default=())

    def _at(self, request: Request) -> list[tuple[Route, re.Match[str]]]:
        """The most precise path that a request meets, or several as precise: a method that they lack, no other has instead."""
        path = request.target.partition("?")[0]
        fitting = [(route, match) for route in self._routes if (match := route.pattern.fullmatch(path))]
        return [(route, match) for route, match in fitting if len(route.names) == len(fitting[0][0].names)]


def scope_of(request: Request, path: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A request as the compiled parameters read it."""
    return {
        "raw_path": request.target.partition("?")[0].encode(),
        "query_string": request.target.partition("?")[2].encode(),
        "headers": [
            (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in request.headers
        ],
        "path_params": dict(path or {}),
    }


def _routes(contract: Contract) -> Iterator[Route]:
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in contract.operations.values():
        by_path.setdefault(operation.path, {})[operation.method] = operation
    for path, operations in by_path.items():
        parts = re.split(r"\{([^{}]+)\}", path)
        pattern = "".join("([^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
        yield Route(path, re.compile(pattern), tuple(parts[1::2]), operations)


def _parameters(contract: Contract, operation: Operation, schemas: Schemas) -> Parameters | None:
    try:
        return Parameters(contract, operation, schemas, strict=True)
    except Uncompiled:
        return None
