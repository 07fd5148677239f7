"""The law of many filters: each counts, however many others are sent with it."""

from __future__ import annotations

from contract_tests.callers import Handle
from contract_tests.exchanges import Exchange
from contract_tests.laws.bench import Bench
from contract_tests.laws.filtered import Corpus, Item, asked_values, stored_in, told_at
from contract_tests.laws.written import all_plain, resource_of
from contract_tests.matching import met
from contract_tests.shapes import shortened
from contract_tests.trials import Premise
from mock_server.contract import Json, Operation, Parameter, Record


def filters_all_count(bench: Bench) -> None:
    """A record is found by all filters that it meets together, and no more once one of them is another."""
    for operation in bench.caller.of("list"):
        if len(operation.filters) > 1 and operation.resource is not None:
            with bench.trial(operation, "all filters"):
                _narrowed(bench, operation)


def _narrowed(bench: Bench, operation: Operation) -> None:
    item, handle = _sought(bench, operation)
    corpus = Corpus({"": item})
    met_by: dict[str, Json] = {}
    missed: dict[str, tuple[Parameter, Json]] = {}
    for parameter in operation.filters:
        asked = asked_values(parameter, corpus)
        verdicts = [(value, parameter.filter and met(parameter.filter, item.stored, value)) for value in asked]
        fitting = [value for value, verdict in verdicts if verdict is True]
        if fitting:
            met_by[parameter.name] = fitting[0]
            others = [value for value, verdict in verdicts if verdict is False]
            if others:
                missed[parameter.name] = (parameter, others[0])
    if len(met_by) < 2:
        raise Premise(f"{handle} meets fewer than two filters")
    with bench.trial(operation, "all filters together") as trial:
        there, shown = _found(bench, operation, handle, met_by)
        trial.hold(there, f"{handle}, which meets all of {', '.join(met_by)}", "it is not there", *item.exchanges, *shown)
    for name, (parameter, value) in missed.items():
        with bench.trial(operation, f"{name} beside all others", origin=parameter.origin, place=parameter.place) as trial:
            there, shown = _found(bench, operation, handle, {**met_by, name: value})
            told = f"not {handle}, which does not meet {name}={shortened(value)}"
            trial.hold(not there, told, "it is there", *item.exchanges, *shown)


def _sought(bench: Bench, operation: Operation) -> tuple[Item, Handle]:
    """A record with a value for every property, if one can be made, and all that views tell of it."""
    caller, resource = bench.caller, resource_of(operation)
    if caller.can_write and caller.of("create", resource=resource):
        parents = caller.home_of(resource)
        handle = caller.make(resource, all_plain(bench, caller.creation(resource), parents), parents)
    else:
        there = caller.existing(resource)
        if not there:
            raise Premise(f"there is no {resource.title}")
        handle = there[len(there) // 2][0]
    stored: Record = {}
    told: list[Exchange] = [*handle.exchanges]
    for view in caller.views(resource):
        if caller.reaches(view, handle):
            sight = caller.look(handle, view)
            stored |= stored_in(sight.record or {}, told_at(resource, view.schema))
            told += sight.exchanges
    return Item(handle.id, stored, True, tuple(told)), handle


def _found(bench: Bench, operation: Operation, handle: Handle, query: dict[str, Json]) -> tuple[bool, tuple[Exchange, ...]]:
    walk = bench.caller.walk(operation, handle.ids, query)
    own = resource_of(operation).id.property
    return any(record.get(own) == handle.id for record in walk.records), walk.exchanges
