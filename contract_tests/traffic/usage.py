"""Recorded exchanges -> which operations, parameters and fields a client really uses, and which of the contract it does not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from contract_tests.exchanges import Exchange
from mock_server.contract import Contract, Json, Operation, Schema, declared_as
from mock_server.schemas import items, properties, resolved

DEEPEST = 32  # levels of a body that are looked at


@dataclass
class Used:
    """What of one operation was used, and how often: fields by their path, /data/*/name."""

    operation: Operation
    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    parameters: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)  # fields of requests' bodies
    received: Counter[str] = field(default_factory=Counter)  # fields of answers' bodies
    undeclared: Counter[str] = field(default_factory=Counter)  # those of `received` that the contract does not describe

    @property
    def unused_parameters(self) -> list[str]:
        return [one.name for one in self.operation.parameters if one.where == "query" and one.name not in self.parameters]

    @property
    def unused_fields(self) -> list[str]:
        """The fields that a request's body may have, and none had."""
        return [f"/{name}" for name in properties(self.operation.body or {}) if f"/{name}" not in self.sent]


class Usage:
    """Counts what the exchanges of one API use."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.operations = {name: Used(operation) for name, operation in contract.operations.items()}
        self._answers: dict[tuple[str, int], Schema | None] = {}
        self._copies: dict[int, Json] = {}

    @property
    def used(self) -> list[Used]:
        return [one for one in self.operations.values() if one.requests]

    @property
    def unused(self) -> list[str]:
        """The operations that nobody asked for."""
        return [name for name, one in self.operations.items() if not one.requests]

    def count(self, operation: Operation, exchange: Exchange) -> None:
        """Take an exchange in."""
        one, answer = self.operations[operation.operation_id], exchange.answer
        one.requests += 1
        one.statuses[answer.status] += 1
        one.parameters.update({name for name, _ in parse_qsl(exchange.request.target.partition("?")[2], keep_blank_values=True)})
        one.sent.update({path for path, _ in fields(_json(exchange.request.body), operation.body)})
        found = dict(fields(_json(answer.body), self._schema(operation, answer.status)))
        one.received.update(set(found))
        one.undeclared.update({path for path, declared in found.items() if not declared})

    def _schema(self, operation: Operation, status: int) -> Schema | None:
        """The schema of an answer's body."""
        key = (operation.operation_id, status)
        if key not in self._answers:
            self._answers[key] = self._read(operation, status)
        return self._answers[key]

    def _read(self, operation: Operation, status: int) -> Schema | None:
        document = self.contract.document
        item = document["paths"][operation.path]
        definition = item.get(operation.method.lower(), {})
        answers = resolved(definition.get("responses", {}), document, self._copies)
        code = declared_as(status, answers)
        answer: Mapping[str, Json] = {} if code is None else answers[code]
        schema: Schema | None = answer.get("content", {}).get("application/json", {}).get("schema")
        return schema


def fields(value: Json, schema: Schema | None, path: str = "", depth: int = 0) -> Iterator[tuple[str, bool]]:
    """Every field of a value, by its path with * for an index, and whether the schema describes it."""
    if depth > DEEPEST:
        return
    if isinstance(value, dict):
        for name, part in value.items():
            below, declared = _property(schema, name)
            here = f"{path}/{name.replace('~', '~0').replace('/', '~1')}"
            yield here, declared
            yield from fields(part, below, here, depth + 1)
    elif isinstance(value, list):
        within = items(schema) if schema else None
        for part in value:
            yield from fields(part, within or None, f"{path}/*", depth + 1)


def _property(schema: Schema | None, name: str) -> tuple[Schema | None, bool]:
    """The schema of a property, and whether it is described; anything is where there is no schema."""
    if schema is None:
        return None, True
    branches = list(_branches(schema))
    for branch in branches:
        known = properties(branch)
        if name in known:
            return known[name], True
    more = next((b["additionalProperties"] for b in branches if isinstance(b.get("additionalProperties"), Mapping)), None)
    free = not any(properties(branch) for branch in branches) or any(b.get("additionalProperties") is True for b in branches)
    return more, more is not None or free


def _branches(schema: Schema) -> Iterator[Schema]:
    yield schema
    for keyword in ("oneOf", "anyOf", "allOf"):
        for branch in schema.get(keyword, ()):
            yield from _branches(branch)


def _json(body: bytes | None) -> Json:
    try:
        return json.loads(body or b"null")
    except (ValueError, RecursionError):
        return None


def of(contract: Contract, met: Iterable[tuple[Operation, Exchange]]) -> Usage:
    """What exchanges use, each with the operation that it met."""
    usage = Usage(contract)
    for operation, exchange in met:
        usage.count(operation, exchange)
    return usage
