"""Path and method -> operation: the operations' paths as a tree of segments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from connexion.middleware.abstract import ROUTING_CONTEXT
from connexion.middleware.routing import RoutingMiddleware
from connexion.spec import Specification
from starlette.types import Message, Receive, Scope, Send

from mock_server.bridge.scope import HEADERS, OPERATION, headers, key
from mock_server.contract import Contract, Json, Operation
from mock_server.refusals import MethodNotAllowed, NoSuchPath
from mock_server.schemas import json_type

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS")

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})").fullmatch  # of 64 bits
_TEMPLATE = re.compile(r"\{([^{}]+)\}")


@dataclass(slots=True)
class Route:
    """One operation, and what routing says of it."""

    contract: Contract
    operation: Operation
    key: str
    names: tuple[str, ...]  # of the path's parameters
    context: Mapping[str, str]  # as Connexion's own routing writes it
    single: Mapping[bytes, str]  # header fields that must not be sent twice


@dataclass(slots=True)
class Node:
    """What may follow a path's segments so far: the fixed segment first, then an integer, then any text."""

    fixed: dict[str, Node] = field(default_factory=dict)
    integer: Node | None = None
    text: Node | None = None
    routes: dict[str, Route] = field(default_factory=dict)  # by method

    def at(self, segments: list[str], values: list[Json], index: int = 0) -> Node | None:
        """Where the rest of the segments leads; the values of parameters on the way are appended."""
        if index == len(segments):
            return self if self.routes else None
        segment = segments[index]
        child = self.fixed.get(segment)
        if child is not None and (found := child.at(segments, values, index + 1)) is not None:
            return found
        if not segment:
            return None
        if self.integer is not None and _INTEGER(segment):
            values.append(int(segment))
            if (found := self.integer.at(segments, values, index + 1)) is not None:
                return found
            values.pop()
        if self.text is not None:
            values.append(segment)
            if (found := self.text.at(segments, values, index + 1)) is not None:
                return found
            values.pop()
        return None


class Tree:
    """The paths of one contract."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.complete = True  # False: a template stands inside a segment, which is left to Connexion
        self.routes: list[Route] = []
        self._root = Node()
        for operation in contract.operations.values():
            self._add(operation)

    def _add(self, operation: Operation) -> None:
        names, node = [], self._root
        integers = {p.name for p in operation.parameters if p.where == "path" and json_type(p.schema) == "integer"}
        for segment in operation.path[1:].split("/"):
            template = _TEMPLATE.fullmatch(segment)
            if template is None and "{" in segment:
                self.complete = False
                return
            if template is None:
                node = node.fixed.setdefault(segment, Node())
            elif template[1] in integers:
                names.append(template[1])
                node.integer = node = node.integer or Node()
            else:
                names.append(template[1])
                node.text = node = node.text or Node()
        context = {"api_base_path": self.contract.base_path, "operation_id": operation.operation_id}
        route = Route(
            self.contract,
            operation,
            key(self.contract, operation.operation_id),
            tuple(names),
            context,
            _single(self.contract, operation),
        )
        node.routes[operation.method] = route
        self.routes.append(route)

    def at(self, path: str, raw_path: bytes, values: list[Json]) -> Node | None:
        """Where a path below the base path leads, if anywhere; both forms begin after the base path's slash."""
        if b"%" not in raw_path:
            return self._root.at(path.split("/"), values)
        try:  # An encoded slash belongs to its segment.
            return self._root.at([unquote_to_bytes(part).decode() for part in raw_path.split(b"/")], values)
        except UnicodeDecodeError:
            return None


def _single(contract: Contract, operation: Operation) -> dict[bytes, str]:
    """The header fields that the operation reads and that must not be sent twice, in lower case and as they are told."""
    schemes = contract.security_schemes.values()
    names = {
        scheme["name"] if scheme["type"] == "apiKey" else "Authorization"
        for scheme in schemes
        if scheme.get("in", "header") == "header"
    }
    if operation.body is not None:
        names.add("Content-Type")
    return {name.lower().encode("latin-1"): name for name in sorted(names)}


class Routes:
    """The paths of all contracts."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        trees = [Tree(contract) for contract in contracts]
        self._trees = [(f"{base}/", tree) for tree in trees for base in (tree.contract.base_path, *tree.contract.aliases)]
        self.by_key = {route.key: route for tree in trees for route in tree.routes}
        self._trees.sort(key=lambda pair: -len(pair[0]))  # A base path may lie below another.

    def contract(self, path: str) -> Contract | None:
        """The contract whose base path a path lies at or under."""
        below = f"{path}/"
        return next((tree.contract for prefix, tree in self._trees if below.startswith(prefix)), None)

    def allowed(self, path: str, raw_path: bytes = b"") -> tuple[str, ...]:
        """The methods that a path has, OPTIONS included; none if there is no such path."""
        for prefix, tree in self._trees:
            if path.startswith(prefix):
                node = _node(prefix, tree, path, raw_path, [])
                return _methods(node) if node else ()
        return ()

    def route(self, scope: Scope, values: list[Json]) -> Route | None:
        """The operation that a request is for, and the values in its path; None where Connexion has to say.

        Raises NoSuchPath and MethodNotAllowed.
        """
        path: str = scope["path"]
        for prefix, tree in self._trees:
            if path.startswith(prefix):
                return self._below(prefix, tree, scope, values)
        if self.contract(path) is not None:  # It is a base path; Connexion would redirect to one with a slash.
            raise NoSuchPath(path)
        return None

    @staticmethod
    def _below(prefix: str, tree: Tree, scope: Scope, values: list[Json]) -> Route | None:
        path: str = scope["path"]
        node = _node(prefix, tree, path, scope.get("raw_path") or b"", values)
        if node is None:
            if not tree.complete:
                return None
            raise NoSuchPath(path)
        method: str = scope["method"]
        route = node.routes.get(method) or (node.routes.get("GET") if method == "HEAD" else None)
        if route is None:
            raise MethodNotAllowed(method, _methods(node))
        return route


def _node(prefix: str, tree: Tree, path: str, raw_path: bytes, values: list[Json]) -> Node | None:
    """Where a path that begins with the prefix leads."""
    if b"%" in raw_path and not raw_path.startswith(prefix.encode()):
        raw_path = b""  # Even the base path is encoded; nobody does that to hide a slash.
    return tree.at(path[len(prefix) :], raw_path[len(prefix) :], values)


def _methods(node: Node) -> tuple[str, ...]:
    there = {*node.routes, "OPTIONS"} | ({"HEAD"} if "GET" in node.routes else set())
    return tuple(method for method in METHODS if method in there)


class CompiledRoutingMiddleware(RoutingMiddleware):  # type: ignore[misc]
    """Connexion's routing, asked only about what the tree cannot answer."""

    routes: Routes

    def add_api(self, specification: Specification, *, routes: Routes, **arguments: Json) -> None:
        super().add_api(specification, **arguments)
        self.routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        values: list[Json] = []
        route = self.routes.route(scope, values) if scope["type"] == "http" else None
        if route is None:
            await super().__call__(scope, receive, send)
            return
        scope["path_params"] = dict(zip(route.names, values, strict=True)) if values else {}
        scope["extensions"] = {**scope.get("extensions", {}), ROUTING_CONTEXT: route.context}  # The server's may be shared.
        scope[OPERATION] = route.key
        scope[HEADERS] = headers(scope["headers"], route.single)
        await self.app(scope, receive, _without_body(send) if scope["method"] == "HEAD" else send)


def _without_body(send: Send) -> Send:
    async def bare(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return bare
