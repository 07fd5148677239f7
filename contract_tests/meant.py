"""Method and target of a request -> the operation that is meant, whether it is that which answers, and the ids in its path."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from urllib.parse import unquote

from mock_server.contract import Contract, Json, Operation

NAMELESS = frozenset({".", ".."})  # segments that stand for other paths


class Meant:
    """The operations of a contract by the paths that they answer at."""

    def __init__(self, contract: Contract) -> None:
        precise_first = sorted(contract.operations.values(), key=lambda operation: operation.path.count("{"))
        self._operations = [(operation, _pattern(operation.path)) for operation in precise_first]
        shapes = {_shape(operation.path): pattern for operation, pattern in self._operations}
        self._shapes = {shape: (pattern, _pattern(unquote(shape).casefold())) for shape, pattern in shapes.items()}

    def by(self, method: str, target: str) -> tuple[Operation | None, dict[str, Json]]:
        """The operation with this method that is meant, and resource -> id."""
        path = target.partition("?")[0]
        for operation, pattern in self._operations:
            match = pattern.fullmatch(path) if operation.method == method else None
            if match:
                return operation, _ids(operation, match.groups())
        return None, {}

    def met(self, method: str, target: str) -> Operation | None:
        """The operation that answers such a request; None if there is none, or if it may be another one."""
        operation, _ = self.by(method, target)
        return operation if operation is not None and self.meets(operation.path, target) else None

    def meets(self, path: str, target: str) -> bool:
        """Whether every server takes a target for this path of the contract.

        /customers/base is the path of that name, and not a customer's; /customers/%62ase, /customers/Base, /customers/base%2F
        and /customers/.. are one or the other, or none: servers decode, fold, cut and resolve paths, or do not.
        """
        written = target.partition("?")[0]
        segments = [unquote(segment) for segment in written.split("/")]
        if any(segment in NAMELESS or "/" in segment or "\\" in segment for segment in segments):
            return False
        readings = self._most_precise(written, 0), self._most_precise("/".join(segments).casefold(), 1)
        return readings == (_shape(path), _shape(path))

    def _most_precise(self, path: str, reading: int) -> str | None:
        """The path with the fewest parameters of those that fit; None if there are several."""
        fitting = [shape for shape, patterns in self._shapes.items() if patterns[reading].fullmatch(path)]
        first = [shape for shape in fitting if shape.count("{") == fitting[0].count("{")]
        return first[0] if len(first) == 1 else None


def _shape(path: str) -> str:
    """A path whatever its parameters are called."""
    return re.sub(r"\{[^}]+\}", "{}", path)


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]*\}", path)
    return re.compile("([^/]+)".join(map(re.escape, parts)))


def _ids(operation: Operation, texts: tuple[str, ...]) -> dict[str, Json]:
    named = {parameter.name: parameter for parameter in operation.parameters if parameter.where == "path"}
    pairs = zip(re.findall(r"\{([^}]+)\}", operation.path), texts, strict=True)
    return {str(named[name].identifies): typed(unquote(text), named[name].schema) for name, text in pairs if name in named}


def typed(text: str, schema: Mapping[str, Json]) -> Json:
    """What a text in a path stands for."""
    with contextlib.suppress(ValueError):
        return int(text) if schema.get("type") == "integer" else text
    return text
