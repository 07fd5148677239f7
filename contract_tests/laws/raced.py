"""Laws of concurrency: what holds for one request after the other holds for requests at the same time."""

from __future__ import annotations

from contract_tests.callers import WITHOUT_BODY
from contract_tests.exchanges import Exchange
from contract_tests.laws.bench import Bench
from contract_tests.laws.written import resource_of
from contract_tests.schemas import merged, properties
from contract_tests.shapes import shortened
from contract_tests.trials import Premise, Trial, needed, unanswered
from mock_server.contract import Json, Operation, json_type

TOGETHER = 6  # requests at the same time
TRIES = 3


def parallel_creates_are_apart(bench: Bench) -> None:
    """Records that are made at the same time are all there, each with an id and numbers of its own."""
    for operation in bench.caller.of("create"):
        with bench.trial(operation) as trial:
            for _ in range(TRIES - 1):
                _apart(bench, operation, trial)


def _apart(bench: Bench, operation: Operation, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    parents = caller.home_of(resource)
    bodies = [caller.body(operation, parents, {}) for _ in range(TOGETHER)]
    exchanges = caller.together(operation, [(parents, body) for body in bodies])
    for exchange in exchanges:
        trial.answered(exchange, operation.status, "it is valid, whatever happens at the same time")
    handles = [caller.handle(operation, parents, body, exchange) for body, exchange in zip(bodies, exchanges, strict=True)]
    ids = [handle.id for handle in handles]
    trial.hold(len(set(map(repr, ids))) == len(ids), f"{len(ids)} ids", shortened(ids), *exchanges)
    numbers: dict[tuple[str, str], Exchange] = {}
    for handle, body in zip(handles, bodies, strict=True):
        sight = caller.look(handle)
        trial.hold(sight.record is not None, f"{handle} in {sight.view.name}", "it is not there", *exchanges, *sight.exchanges)
        record = sight.record or {}
        for name, value in body.items():
            if (
                name in record
                and json_type(merged(properties(operation.body or {})[name])) == "string"
                and isinstance(value, str)
            ):
                trial.hold(
                    record[name] == value,
                    f"{name} of {handle} is {shortened(value)}",
                    shortened(record[name]),
                    *exchanges,
                    *sight.exchanges,
                )
        for counter in resource.numbers:
            if counter.property in record:
                key = (counter.property, repr(record[counter.property]))
                trial.hold(
                    key not in numbers,
                    f"a {counter.property} of its own",
                    f"{record[counter.property]} twice",
                    *exchanges,
                    *sight.exchanges,
                )
                numbers[key] = sight.exchanges[-1]


def parallel_uniques_collide(bench: Bench) -> None:
    """Of several records made at the same time with one unique value, one comes to be."""
    for operation in bench.caller.of("create"):
        for unique in resource_of(operation).unique:
            part = properties(operation.body or {}).get(unique.property)
            if part is None:
                continue
            with bench.trial(operation, unique.property, origin=unique.origin) as trial:
                for turn in range(TRIES):
                    number = 1_400_000_000 + bench.caller.values.count * 7 + turn
                    value: Json = (
                        number if json_type(merged(part)) == "integer" else bench.caller.values.plain(part, unique.property)
                    )
                    _collide(bench, operation, {unique.property: value}, trial)


def _collide(bench: Bench, operation: Operation, given: dict[str, Json], trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    parents = caller.home_of(resource)
    bodies = [caller.body(operation, parents, given) for _ in range(TOGETHER)]
    exchanges = caller.together(operation, [(parents, body) for body in bodies])
    if any(map(unanswered, exchanges)):
        raise Premise(f"{operation.operation_id} failed")
    made = [exchange for exchange in exchanges if exchange.answer.status == operation.status]
    told = ", ".join(f"{name} {shortened(value)}" for name, value in given.items())
    trial.hold(len(made) == 1, f"one record with {told}", f"{len(made)} were made", *(made[:2] or exchanges[:1]))
    for exchange in exchanges:
        if exchange not in made:
            trial.answered(exchange, caller.status_of("duplicate"), f"another record has {told}", made[0])

    update = caller.first("update", resource)
    if update is not None and given.keys() <= caller.writable(update).keys():
        _collide_in_updates(bench, update, trial)


def _collide_in_updates(bench: Bench, update: Operation, trial: Trial) -> None:
    """Of several records that are given one unique value at the same time, one gets it."""
    caller, resource = bench.caller, resource_of(update)
    for unique in resource.unique:
        part = properties(update.body or {}).get(unique.property)
        if part is None or json_type(merged(part)) != "string":
            continue
        given: dict[str, Json] = {unique.property: caller.values.plain(part, unique.property)}
        handles = [caller.make(resource) for _ in range(2)]
        exchanges = caller.together(update, [(one.ids, caller.body(update, one.parents, given)) for one in handles])
        done = [exchange for exchange in exchanges if exchange.answer.status == update.status]
        told = (*(one.exchanges[-1] for one in handles), *exchanges)
        trial.hold(len(done) == 1, f"one record gets {shortened(given)}", f"{len(done)} get it", *told)


def parallel_flags_exclude(bench: Bench) -> None:
    """Of several records that are made at the same time with a flag that only one may have, one has it."""
    for operation in bench.caller.of("create"):
        resource = resource_of(operation)
        for name in resource.exclusive:
            if resource.parent is not None and name in bench.caller.writable(operation):
                with bench.trial(operation, name) as trial:
                    _one_flag(bench, operation, name, trial)


def _one_flag(bench: Bench, operation: Operation, name: str, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    above = caller.make(bench.contract.resources[resource.parent.resource if resource.parent else ""])
    bodies = [caller.body(operation, above.ids, {name: True}) for _ in range(TOGETHER)]
    exchanges = caller.together(operation, [(above.ids, body) for body in bodies])
    made = [
        caller.handle(operation, above.ids, body, needed(exchange, operation.status))
        for body, exchange in zip(bodies, exchanges, strict=True)
    ]
    seen = [caller.seen(one) for one in made]
    having = [sight.exchanges[-1] for record, sight in seen if record.get(name) is True]
    trial.hold(len(having) == 1, f"one record with {name}", f"{len(having)} have it", *above.exchanges, *exchanges, *having[:2])


def parallel_deletions_are_one(bench: Bench) -> None:
    """Of several deletions of one record at the same time, one succeeds; to the others it is gone."""
    for operation in bench.caller.of("delete"):
        with bench.trial(operation) as trial:
            handle = bench.caller.make(resource_of(operation))
            exchanges = bench.caller.together(operation, [(handle.ids, WITHOUT_BODY)] * 3)
            done = [exchange for exchange in exchanges if exchange.answer.status == operation.status]
            trial.hold(len(done) == 1, "one deletion that succeeds", f"{len(done)} do", *handle.exchanges, *exchanges)


def parallel_updates_add_up(bench: Bench) -> None:
    """Updates of different properties at the same time are all kept."""
    for operation in bench.caller.of("update"):
        if operation.merge == "replace":
            continue
        with bench.trial(operation) as trial:
            for size in range(1, TRIES):
                _add_up(bench, operation, size, trial)


def _add_up(bench: Bench, operation: Operation, size: int, trial: Trial) -> None:
    """Each update sends so many properties."""
    caller, resource = bench.caller, resource_of(operation)
    known = caller.writable(operation)
    apart = {one.property for one in resource.references} | {one.property for one in resource.unique}
    names = [name for name, part in known.items() if json_type(merged(part)) == "string" and name not in apart][:TOGETHER]
    if len(names) < 2:
        raise Premise("fewer than two texts can be updated")
    handle = caller.make(resource)
    given = {name: caller.value(operation, name, known[name], handle.parents) for name in names}
    parts = [{name: given[name] for name in names[start : start + size]} for start in range(0, len(names), size)]
    exchanges = caller.together(operation, [(handle.ids, caller.body(operation, handle.parents, part)) for part in parts])
    for exchange in exchanges:
        needed(exchange, operation.status)
    record, sight = caller.seen(handle)
    for name, value in given.items():
        if name in record:
            trial.hold(
                record[name] == value,
                f"{name} is {shortened(value)}",
                shortened(record[name]),
                *handle.exchanges,
                *exchanges,
                *sight.exchanges,
            )
