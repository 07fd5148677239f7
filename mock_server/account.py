"""Exchange -> the account that is given of it: what matched, what was wrong and where the contract says so, without secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mock_server import clock, journal, messages, nearest, sources
from mock_server.contract import Contract, Json, Resource, Times
from mock_server.journal import Exchange
from mock_server.outline import CONTROL
from mock_server.secrecy import Found, Secrets
from mock_server.state import Collection, Mark, Write
from mock_server.worlds import World

EXACT = Times(zoned=True, milliseconds=True)


@dataclass(frozen=True, slots=True)
class Accounts:
    """How exchanges are told; without secrets to hide, as they were."""

    contracts: Mapping[str, Contract]
    secrets: Secrets | None

    def given(self, world: World, every: Sequence[Exchange], wanted: Sequence[Exchange], *, inferred: bool = True) -> list[Json]:
        """The accounts of some of a world's exchanges, without what is a secret in any of them.

        What rests on inference takes most of the time: some 10 ms for a large answer.
        """
        accounts = (self._account(world, exchange, inferred=inferred) for exchange in wanted)
        if self.secrets is None:
            return list(accounts)
        found = self.secrets.found(_plain(exchange) for exchange in every)
        return [self.secrets.masked(account, found) for account in accounts]

    def masked(self, told: Mapping[str, Json]) -> Mapping[str, Json]:
        """What somebody told the server, without its secrets."""
        return told if self.secrets is None else self.secrets.masked_value(told, Found())

    def without_secrets(self, export: Mapping[str, Json], every: Sequence[Exchange]) -> Mapping[str, Json]:
        """An export of a world, without what is a secret in any of its exchanges."""
        if self.secrets is None:
            return export
        found = self.secrets.found(_plain(exchange) for exchange in every)
        return {**export, "apis": self.secrets.masked_value(export["apis"], found)}

    def _account(self, world: World, exchange: Exchange, *, inferred: bool) -> Json:
        contract = self.contracts.get(exchange.api)
        operation = contract.operations.get(exchange.operation) if contract else None
        violations = [
            {
                "in": violation.where,
                "pointer": violation.pointer,
                "message": violation.message,
                "place": str(sources.place(contract, operation, violation, exchange.reason)) if contract else None,
            }
            for violation in exchange.violations
        ]
        readings = sources.inferred(contract, operation, exchange) if contract and inferred else ()
        lost = contract is not None and operation is None
        return {
            **_plain(exchange),
            "reason": exchange.reason or None,
            "violations": violations,
            "read": list(_read(world, exchange)),
            "written": [_written(world, first, last) for first, last in journal.written(exchange)],
            "ignored": list(exchange.ignored),
            "fault": exchange.fault or None,
            "preference": exchange.preference or None,
            "inferred": [{"part": one.part, "reason": one.reason, "place": str(one.place)} for one in readings],
            "nearest": nearest.operations(self.contracts, exchange.method, exchange.target) if lost else [],
        }


def start(copy: World, exchanges: Sequence[Exchange]) -> World:
    """The copy of a world, made what the world was before the first of its exchanges."""
    for exchange in reversed(exchanges):
        for write in reversed(exchange.written):
            _undo(copy, write)
    return copy


def _undo(world: World, write: Write) -> None:
    state = world.state(write.api)
    collection = state.collections[write.resource]
    collection.revert(Mark(write.number, write.was_written, write.record, collection.next))
    state.trash.pop((write.resource, write.number), None)
    if write.trashed is not None:
        state.trash[write.resource, write.number] = write.trashed


def _plain(exchange: Exchange) -> dict[str, Json]:
    """Request and answer, and which they are."""
    return {
        "id": str(exchange.number),
        "world": exchange.world,
        "at": clock.written(exchange.at, EXACT),
        "milliseconds": round(exchange.seconds * 1000, 3),
        "api": exchange.api,
        "operation": exchange.operation or None,
        "request": {
            "method": exchange.method,
            "target": exchange.target,
            "headers": _headers(exchange.request_headers),
            **messages.told(exchange.request_body),
        },
        "answer": {
            "status": exchange.status,
            "headers": _headers(exchange.answer_headers),
            **messages.told(exchange.answer_body),
        },
    }


def _headers(headers: journal.Headers) -> list[list[str]]:
    return [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]


def _read(world: World, exchange: Exchange) -> list[Json]:
    if exchange.read is None or exchange.api == CONTROL:
        return []
    name, numbers = exchange.read
    collection = world.state(exchange.api).collections[name]
    return [{"api": exchange.api, "resource": name, "id": _id(collection, number)} for number in numbers]


def _written(world: World, first: Write, last: Write) -> Json:
    collection = world.state(first.api).collections[first.resource]
    lived = first.record is not None or (not first.was_written and first.number < collection.table.count)
    change = "deleted" if last.after is None else "changed" if lived else "created"
    record = last.after or first.record
    id = record[collection.resource.id.property] if record else _id(collection, first.number)
    return {"api": first.api, "resource": first.resource, "id": id, "change": change}


def _id(collection: Collection, number: int) -> Json:
    """The id of the record with this number, which may be gone by now."""
    resource: Resource = collection.resource
    record = collection.get(number)
    if record is None and 0 <= number < collection.table.count:
        record = collection.table.record(number)
    return resource.id.value(number) if record is None else record[resource.id.property]
