"""Path and method -> operation: the operations' paths as a tree of segments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from mock_server.bridge.scope import LONGEST_KEPT, Scope
from mock_server.contract import Contract, Json, Operation
from mock_server.refusals import MethodNotAllowed, NoSuchPath
from mock_server.schemas import json_type
from mock_server.seeded import Bounded

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS")

PATHS_KEPT = 4096  # whose routes are kept

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})").fullmatch  # of 64 bits
_TEMPLATE = re.compile(r"\{([^{}]+)\}")


@dataclass(slots=True)
class Route:
    """One operation, and what routing says of it."""

    contract: Contract
    operation: Operation
    key: tuple[str, str]  # API and operation id
    names: tuple[str, ...]  # of the path's parameters
    single: Mapping[bytes, str]  # header fields that must not be sent twice


@dataclass(slots=True)
class Node:
    """What may follow a path's segments so far: the fixed segment first, then one of a pattern, an integer, any text."""

    fixed: dict[str, Node] = field(default_factory=dict)
    patterns: dict[re.Pattern[str], Node] = field(default_factory=dict)  # templates inside a segment: {code}.txt
    integer: Node | None = None
    text: Node | None = None
    routes: dict[str, Route] = field(default_factory=dict)  # by method

    def at(self, segments: list[str], values: list[Json]) -> Node | None:
        """Where segments lead; the values of parameters on the way are appended."""
        node = self
        for index, segment in enumerate(segments):
            child = node.fixed.get(segment)
            if child is None:
                if node.text is None or not segment or node.integer is not None or node.patterns:
                    return node._branched(segments, values, index)
                values.append(segment)  # There is only one way on.
                node = node.text
            elif node.text is not None or node.integer is not None or node.patterns:
                return node._branched(segments, values, index)
            else:
                node = child
        return node if node.routes else None

    def _branched(self, segments: list[str], values: list[Json], index: int) -> Node | None:
        """The same from one of the segments on, where several ways may have to be tried."""
        if index == len(segments):
            return self if self.routes else None
        for child, read in self._ways(segments[index]):
            values.extend(read)
            found = child._branched(segments, values, index + 1)
            if found is not None:
                return found
            del values[len(values) - len(read) :]
        return None

    def _ways(self, segment: str) -> Iterator[tuple[Node, tuple[Json, ...]]]:
        """The nodes that a segment may lead to, each with the values in it."""
        if segment in self.fixed:
            yield self.fixed[segment], ()
        if not segment:
            return
        for pattern, child in self.patterns.items():
            if (match := pattern.fullmatch(segment)) is not None:
                yield child, match.groups()
        if self.integer is not None and _INTEGER(segment):
            yield self.integer, (int(segment),)
        if self.text is not None:
            yield self.text, (segment,)


class Tree:
    """The paths of one contract."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self._root = Node()
        for operation in contract.operations.values():
            self._add(operation)

    def _add(self, operation: Operation) -> None:
        names, node = [], self._root
        integers = {p.name for p in operation.parameters if p.where == "path" and json_type(p.schema) == "integer"}
        for segment in operation.path[1:].split("/"):
            templates = _TEMPLATE.findall(segment)
            names += templates
            if not templates:
                node = node.fixed.setdefault(segment, Node())
            elif segment != f"{{{templates[0]}}}":
                node = node.patterns.setdefault(_pattern(segment), Node())
            elif templates[0] in integers:
                node.integer = node = node.integer or Node()
            else:
                node.text = node = node.text or Node()
        key = (self.contract.name, operation.operation_id)
        route = Route(self.contract, operation, key, tuple(names), _single(self.contract, operation))
        node.routes[operation.method] = route

    def at(self, path: str, raw_path: bytes, values: list[Json]) -> Node | None:
        """Where a path below the base path leads, if anywhere; both forms begin after the base path's slash."""
        if b"%" not in raw_path:
            return self._root.at(path.split("/"), values)
        try:  # An encoded slash belongs to its segment.
            return self._root.at([unquote_to_bytes(part).decode() for part in raw_path.split(b"/")], values)
        except UnicodeDecodeError:
            return None


def _pattern(segment: str) -> re.Pattern[str]:
    """What a segment with templates in it looks like."""
    return re.compile(
        "".join("(.+)" if part[0] == "{" else re.escape(part) for part in re.split(r"(\{[^{}]+\})", segment) if part)
    )


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
        self._trees.sort(key=lambda pair: -len(pair[0]))  # A base path may lie below another.
        self._kept = Bounded[tuple[str, bytes], tuple[Route, list[Json]]](PATHS_KEPT)  # by method and path as it was sent

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
        """The operation that a request is for, and the values in its path; None where no contract has a say.

        Raises NoSuchPath and MethodNotAllowed.
        """
        path: str = scope["path"]
        line = (scope["method"], scope.get("raw_path") or b"")
        kept = self._kept.get(line)
        if kept is not None:
            values += kept[1]
            return kept[0]
        for prefix, tree in self._trees:
            if path.startswith(prefix):
                route = self._below(prefix, tree, scope, values)
                if 0 < len(line[1]) <= LONGEST_KEPT:
                    self._kept[line] = (route, list(values))
                return route
        if self.contract(path) is not None:  # It is a base path; Connexion would redirect to one with a slash.
            raise NoSuchPath(path)
        return None

    @staticmethod
    def _below(prefix: str, tree: Tree, scope: Scope, values: list[Json]) -> Route:
        path: str = scope["path"]
        node = _node(prefix, tree, path, scope.get("raw_path") or b"", values)
        if node is None:
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
