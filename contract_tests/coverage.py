"""Exchanges -> which parts of a contract they reached: statuses, parameters, properties of bodies, by operation."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from contract_tests.exchanges import Exchange, Request
from contract_tests.schemas import properties
from mock_server.contract import Contract, Operation, Parameter


@dataclass
class Covered:
    """How often what one operation declares was met."""

    operation: Operation
    statuses: Counter[int] = field(default_factory=Counter)
    parameters: dict[str, int] = field(default_factory=dict)  # declared -> times sent
    properties: dict[str, int] = field(default_factory=dict)  # of the body: declared -> times sent
    seconds: list[float] = field(default_factory=list)

    @property
    def unseen(self) -> frozenset[int]:
        """The declared statuses that no answer had."""
        return self.operation.statuses - set(self.statuses)

    @property
    def granted(self) -> int:
        """How often the answer was a success."""
        return sum(count for status, count in self.statuses.items() if 200 <= status < 300)


def covered(contract: Contract, exchanges: Iterable[Exchange]) -> list[Covered]:
    """Every operation of a contract, in its order, with what was reached of it."""
    found = {
        name: Covered(
            operation,
            parameters={parameter.name: 0 for parameter in operation.parameters},
            properties=dict.fromkeys(properties(operation.body or {}), 0),
        )
        for name, operation in contract.operations.items()
    }
    for exchange in exchanges:
        if (one := found.get(exchange.operation)) is not None:
            _count(one, exchange)
    return list(found.values())


def _count(one: Covered, exchange: Exchange) -> None:
    one.statuses[exchange.answer.status] += 1
    one.seconds.append(exchange.answer.seconds)
    for name in set(_sent(one.operation.parameters, exchange.request)):
        one.parameters[name] += 1
    for name in _members(exchange.request.body) if one.properties else ():
        if name in one.properties:
            one.properties[name] += 1


def _members(body: bytes | None) -> Iterable[str]:
    """The names of the properties in a body, if it is an object."""
    try:
        value = json.loads(body or b"null")
    except (ValueError, RecursionError):
        return ()
    return value if isinstance(value, dict) else ()


def _sent(parameters: Iterable[Parameter], request: Request) -> Iterator[str]:
    """The names of the parameters that a request carries."""
    query = {name for name, _ in parse_qsl(request.target.partition("?")[2], keep_blank_values=True)}
    for parameter in parameters:
        name = parameter.name
        sent = {
            "path": True,
            "query": name in query,
            "header": request.header(name) is not None,
            "cookie": f"{name}=" in (request.header("cookie") or ""),
        }
        if sent[parameter.where]:
            yield name
