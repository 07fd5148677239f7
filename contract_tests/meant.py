"""Method and target of a request -> the operation that is meant, and the ids in its path."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from urllib.parse import unquote

from mock_server.contract import Contract, Json, Operation


class Meant:
    """The operations of a contract by the paths that they answer at."""

    def __init__(self, contract: Contract) -> None:
        precise_first = sorted(contract.operations.values(), key=lambda operation: operation.path.count("{"))
        self._paths = [(operation, _pattern(operation)) for operation in precise_first]

    def by(self, method: str, target: str) -> tuple[Operation | None, dict[str, Json]]:
        """The operation, and resource -> id."""
        path = target.partition("?")[0]
        for operation, pattern in self._paths:
            match = pattern.fullmatch(path) if operation.method == method else None
            if match:
                return operation, _ids(operation, match.groups())
        return None, {}


def _pattern(operation: Operation) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]+\}", operation.path)
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
