"""The law of what can be reached: what a list shows is there, and so are the lists below it."""

from __future__ import annotations

from collections.abc import Iterator

from contract_tests.callers import Handle, Ids
from contract_tests.exchanges import Exchange
from contract_tests.laws.bench import ANYWHERE, Bench, attempt, named_in
from contract_tests.trials import Premise, Trial, needed
from mock_server.contract import Operation, Resource

CLOSE = 4  # records that are looked at, from either end of a list
PARENTS = 2  # whose lists are looked at
FORBIDDEN = frozenset({401, 403})

Listed = tuple[Handle, Exchange]  # a record, and the answer that shows it


def listed_is_there(bench: Bench) -> None:
    """What a list shows can be read by its id, and so can the lists below it."""
    for resource in bench.contract.resources.values():
        below = [one for one in bench.caller.of("list") if one.ancestors and one.ancestors[-1].identifies == resource.name]
        readers = [*bench.caller.of("get", resource=resource), *below]
        if not readers or not bench.caller.of("list", resource=resource):
            continue
        if bench.caller.can_write and below:
            attempt(lambda resource=resource: bench.caller.make(resource))  # type: ignore[misc]  # It has nothing below it.
        listed = list(_listed(bench, resource))
        for operation in readers:
            with bench.trial(operation, resource.name) as trial:
                _read(bench, operation, listed, trial)


def _listed(bench: Bench, resource: Resource) -> Iterator[Listed]:
    """The first and the last records of some lists."""
    for operation in bench.caller.of("list", resource=resource):
        for parents in _parents(bench, operation):
            yield from _ends(bench, operation, parents)


def _parents(bench: Bench, operation: Operation) -> list[Ids]:
    if not operation.ancestors:
        return [{}]
    above = bench.contract.resources[str(operation.ancestors[-1].identifies)]
    return [handle.ids for handle, _ in bench.caller.existing(above)[:PARENTS]]


def _ends(bench: Bench, operation: Operation, parents: Ids) -> list[Listed]:
    resource = operation.resource
    if resource is None:
        return []
    try:
        walk = bench.caller.walk(operation, parents)
    except Premise:
        return []
    shown = [
        (Handle(resource, record[resource.id.property], parents), exchange)
        for page, exchange in zip(walk.pages, walk.exchanges, strict=False)
        for record in page
        if record.get(resource.id.property) is not None
    ]
    return shown if len(shown) <= 2 * CLOSE else [*shown[:CLOSE], *shown[-CLOSE:]]


def _read(bench: Bench, operation: Operation, listed: list[Listed], trial: Trial) -> None:
    """An operation that answers for some records answers for all; one that answers for none may be another than the real one."""
    wanted = {handle.key: (handle, told) for handle, told in listed if named_in(operation) <= set(handle.ids)}
    asked = [(handle, told, bench.caller.call(operation, handle.ids)) for handle, told in wanted.values()]
    is_there = any(exchange.answer.status == operation.status for _, _, exchange in asked)
    for handle, told, exchange in asked:
        if exchange.answer.status in FORBIDDEN:
            needed(exchange, operation.status)
        why = f"{handle} is there, as {bench.contract.operations[told.operation].operation_id} shows"
        trial.answered(exchange, operation.status, why, told, origin=ANYWHERE if is_there else None)
