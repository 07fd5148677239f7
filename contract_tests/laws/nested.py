"""Laws of what stands in a body beside plain properties: children, numbers that a client may choose; and of ids in answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contract_tests import envelopes
from contract_tests.callers import WITHOUT_BODY, Handle
from contract_tests.comparing import differences, same
from contract_tests.exchanges import Exchange
from contract_tests.laws.bench import Bench
from contract_tests.laws.written import ROUNDS, all_plain, resource_of
from contract_tests.schemas import items, json_type, merged, properties
from contract_tests.shapes import fits, shortened
from contract_tests.trials import Premise, Trial, needed
from mock_server.contract import Children, Counter, Json, Operation, Record, Resource, Schema

NEVER_GIVEN = 1_777_777_777  # an id
NONE = (None, 0, "")  # what asks the server for a number


def children_persist(bench: Bench) -> None:
    """The children in a body are read back, letter for letter."""
    for operation in bench.caller.of("create", "update"):
        for children in resource_of(operation).children:
            part = properties(operation.body or {}).get(children.property)
            if children.writable and part is not None:
                with bench.trial(operation, children.property) as trial:
                    _family(bench, operation, children, items(part), trial)


def children_stay_at_home(bench: Bench) -> None:
    """An item with the id of another parent's child, or with one that was never given, becomes a new child."""
    for operation in bench.caller.of("update"):
        for children in resource_of(operation).children:
            part = properties(operation.body or {}).get(children.property)
            if children.writable and part is not None:
                with bench.trial(operation, f"{children.property} of another") as trial:
                    _at_home(bench, operation, (children, items(part)), trial)


def _at_home(bench: Bench, operation: Operation, part: tuple[Children, Schema], trial: Trial) -> None:
    caller, (children, schema) = bench.caller, part
    own = bench.contract.resources[children.resource].id.property
    item = next(iter(_items(bench, children, schema)), None)
    if item is None or own not in properties(schema):
        raise Premise(f"{children.property} are sent without ids")
    told: list[Exchange] = []

    def put(handle: Handle, **given: Json) -> list[Record]:
        sent = [_homed(bench, children, {**item, **given}, handle)]
        body = caller.body(operation, handle.parents, {}) | {children.property: sent}
        told.append(needed(caller.call(operation, handle.ids, body=body), operation.status))
        return seen(handle)

    def seen(handle: Handle) -> list[Record]:
        record, sight = caller.seen(handle)
        told.extend(sight.exchanges)
        listed = record.get(children.property)
        return listed if isinstance(listed, list) else []

    one, other = caller.make(resource_of(operation)), caller.make(resource_of(operation))
    before = put(one)
    if not before or own not in before[0]:
        raise Premise(f"{children.property} are shown without ids")
    after = put(other, **{own: before[0][own]})
    ids = [record.get(own) for record in after]
    trial.hold(before[0][own] not in ids, f"an id of its own: {before[0][own]} is below {one}", shortened(ids), *told)
    trial.hold(same(before, seen(one)), f"{children.property} of {one} as they were", "others", *told)
    if json_type(merged(properties(schema)[own])) == "integer":
        ids = [record.get(own) for record in put(other, **{own: NEVER_GIVEN})]
        trial.hold(NEVER_GIVEN not in ids, f"an id from the server, not {NEVER_GIVEN}", shortened(ids), *told)


def _family(bench: Bench, operation: Operation, children: Children, part: Schema, trial: Trial) -> None:
    """As many children as there are telling values, each with others."""
    caller, resource = bench.caller, resource_of(operation)
    sent = list(_items(bench, children, part))
    if operation.action == "create":
        parents = caller.home_of(resource)
        body = caller.body(operation, parents, {}) | {children.property: sent}
        exchange = caller.call(operation, parents, body=body)
        trial.answered(exchange, operation.status, f"{children.property} are what their schema describes")
        handle = caller.handle(operation, parents, body, exchange)
        told: tuple[Exchange, ...] = (exchange,)
    else:
        handle = caller.make(resource)
        sent = [_homed(bench, children, item, handle) for item in sent]
        body = caller.body(operation, handle.parents, {}) | {children.property: sent}
        exchange = caller.call(operation, handle.ids, body=body)
        trial.answered(exchange, operation.status, f"{children.property} are what their schema describes", *handle.exchanges)
        told = (*handle.exchanges, exchange)
    record, sight = caller.seen(handle)
    _held(bench, children, sent, (record, sight.view.schema), trial, (*told, *sight.exchanges))


def _held(
    bench: Bench, children: Children, sent: list[Record], shown: tuple[Record, Schema], trial: Trial, told: tuple[Exchange, ...]
) -> None:
    """The children that a view lists are those that were sent, and so are theirs."""
    record, view = shown
    listed = record.get(children.property)
    if not isinstance(listed, list):
        raise Premise(f"{children.property} are in no view of a single record")
    trial.hold(len(listed) == len(sent), f"the {len(sent)} {children.property} that were sent", str(len(listed)), *told)
    child, schema = bench.contract.resources[children.resource], items(properties(view)[children.property])
    for one, seen in zip(sent, listed, strict=True):
        found = next(differences(bench.contract, child, _plain(child, one), seen, schema), None)
        words = found.told if found else ("", "")
        trial.hold(found is None, f"{children.property}/*/{words[0]}", words[1], *told)
        for below in child.children:
            if isinstance(one.get(below.property), list):
                _held(bench, below, one[below.property], (seen, schema), trial, told)


def _plain(child: Resource, item: Record) -> Record:
    """What of an item is stored as it is sent."""
    apart = child.assigned | {child.id.property} | {one.property for one in child.children}
    return {name: value for name, value in item.items() if name not in apart}


def _items(bench: Bench, children: Children, part: Schema) -> Iterator[Record]:
    """Items each of whose properties takes another of its telling values."""
    child = bench.contract.resources[children.resource]
    apart = child.assigned | {child.id.property}
    nested = {one.property: one for one in child.children}
    known = {n: p for n, p in properties(part).items() if n not in apart and merged(p).get("readOnly") is not True}
    lists = {name: bench.caller.values.samples(schema) for name, schema in known.items() if name not in nested}
    required = {name for name in merged(part).get("required", ()) if name not in lists and name not in nested}
    for turn in range(min(ROUNDS, max(map(len, lists.values()), default=0))):
        item = {name: found[turn % len(found)] for name, found in lists.items()}
        item |= {name: bench.caller.values.plain(properties(part)[name], name) for name in required}
        for name in set(nested) & set(known) if turn == 0 else ():
            below = list(_items(bench, nested[name], items(known[name])))[:3]
            item[name] = below
        yield item


def _homed(bench: Bench, children: Children, item: Record, handle: Handle) -> Record:
    """An item that names its parent, where it has to."""
    parent = bench.contract.resources[children.resource].parent
    return {**item, parent.property: handle.id} if parent is not None and parent.property in item else item


def numbers_may_be_chosen(bench: Bench) -> None:
    """A number that a client may choose is kept; without one the server gives one; an update leaves it."""
    for operation in bench.caller.of("create", "update"):
        resource = resource_of(operation)
        for counter in resource.numbers:
            if counter.property in properties(operation.body or {}) and counter.settable:
                tries = _chosen if operation.action == "create" else _left
                with bench.trial(operation, counter.property) as trial:
                    tries(bench, operation, counter, trial)


def _chosen(bench: Bench, operation: Operation, counter: Counter, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    schema = properties(operation.body or {})[counter.property]
    taken = {repr(record.get(counter.property)) for _, record in caller.existing(resource)}
    given: Json = None
    for nothing in (value for value in NONE if fits(schema, value)):
        handle = caller.make(resource, {counter.property: nothing})
        record, sight = caller.seen(handle)
        given = record.get(counter.property)
        told = (*handle.exchanges, *sight.exchanges)
        trial.hold(
            given not in NONE, f"a {counter.property} from the server: {shortened(nothing)} asks for one", shortened(given), *told
        )
        trial.hold(repr(given) not in taken, f"a {counter.property} of its own", f"{given}, which another record has", *told)
        taken.add(repr(given))
    number = counter.number(given)
    if number is None:
        raise Premise(f"{counter.property} is in no view")
    wanted = counter.value(number + 2)  # The one after the next.
    chosen = caller.make(resource, {counter.property: wanted})
    record, sight = caller.seen(chosen)
    shown = record.get(counter.property)
    trial.hold(shown == wanted, f"{counter.property} is {wanted}, as sent", shortened(shown), *chosen.exchanges, *sight.exchanges)
    for _ in range(3):
        body = caller.body(operation, caller.home_of(resource), {})
        exchange = caller.call(operation, caller.home_of(resource), body=body)
        trial.answered(exchange, operation.status, f"the server passes over {wanted}, which is taken", *chosen.exchanges)
        record, sight = caller.seen(caller.handle(operation, caller.home_of(resource), body, exchange))
        seen = record.get(counter.property)
        told = (*chosen.exchanges, exchange, *sight.exchanges)
        trial.hold(seen != wanted, f"another {counter.property} than {wanted}, which {chosen} has", shortened(seen), *told)


def _left(bench: Bench, operation: Operation, counter: Counter, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    handle = caller.make(resource)
    before, first = caller.seen(handle)
    schema = properties(operation.body or {})[counter.property]
    for value in (1_888_777_666, 0):
        if not fits(schema, value):
            continue
        body = caller.body(operation, handle.parents, {counter.property: value})
        exchange = needed(caller.call(operation, handle.ids, body=body), operation.status)
        after, sight = caller.seen(handle)
        expected, seen = before.get(counter.property), after.get(counter.property)
        told = (*handle.exchanges, *first.exchanges, exchange, *sight.exchanges)
        trial.hold(expected == seen, f"{counter.property} stays {shortened(expected)}", shortened(seen), *told)


def answers_name_the_record(bench: Bench) -> None:
    """A write answers with the id of the record that it made, changed or deleted."""
    for operation in bench.caller.of("create", "update", "delete"):
        if envelopes.has(operation, "$id"):
            with bench.trial(operation, "id") as trial:
                _named(bench, operation, trial)


def _named(bench: Bench, operation: Operation, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    if operation.action == "create":
        handle = caller.make(resource, all_plain(bench, operation, caller.home_of(resource)))
        sight = caller.look(handle)
        there = sight.record is not None and _same_record(resource, handle, sight.record, sight.view.schema, bench)
        trial.hold(
            there, f"{handle}, as the answer names it, is the record made", "another or none", *handle.exchanges, *sight.exchanges
        )
        return
    handle = caller.make(resource)
    body = caller.body(operation, handle.parents, {}) if operation.body is not None else WITHOUT_BODY
    exchange = needed(caller.call(operation, handle.ids, body=body), operation.status)
    seen = envelopes.taken(operation, exchange.answer, "$id")
    trial.hold(
        seen == handle.id,
        f"the id {handle.id}",
        shortened(None if seen is envelopes.MISSING else seen),
        *handle.exchanges,
        exchange,
    )


def _same_record(resource: Resource, handle: Handle, record: Record, view: Schema, bench: Bench) -> bool:
    """Whether a record holds at least half of what was sent: another one would hold nothing of it."""
    sent: Mapping[str, Json] = _plain(resource, dict(handle.sent))
    wrong = list(differences(bench.contract, resource, sent, record, view))
    return len(wrong) * 2 <= len(sent)
