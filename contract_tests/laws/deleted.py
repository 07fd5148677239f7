"""Laws of deletion: a deleted record is gone with what belongs to it, unless another stands in the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from contract_tests.callers import Handle, View
from contract_tests.exchanges import Exchange
from contract_tests.laws.bench import Bench, attempt, named_in
from contract_tests.laws.touched import refusals_origin, violations
from contract_tests.laws.written import all_plain, choices, resource_of
from contract_tests.schemas import merged
from contract_tests.shapes import shortened
from contract_tests.trials import Premise, Trial, needed
from mock_server.contract import Guard, Json, Operation, Resource

LINE = 1_000  # signs of a violation that are looked at


def deleted_is_gone(bench: Bench) -> None:
    for operation in bench.caller.of("delete"):
        with bench.trial(operation) as trial:
            resource = resource_of(operation)
            handle = bench.caller.make(resource)
            before = _places(bench, handle)
            exchange = bench.caller.call(operation, handle.ids)
            trial.answered(exchange, operation.status, f"{handle} can be deleted", *handle.exchanges)
            _gone(bench, trial, handle, (*handle.exchanges, exchange), f"{handle} was deleted", before)
        for name, value in _states(bench, resource_of(operation)):
            with bench.trial(operation, f"{name} {value}") as trial:
                handle = bench.caller.make(resource_of(operation), {name: value})
                exchange = bench.caller.call(operation, handle.ids)
                trial.answered(exchange, operation.status, f"{name} {value} does not stand in the way", *handle.exchanges)
                sight = bench.caller.look(handle)
                trial.hold(sight.record is None, f"no {handle}: it was deleted", "it is there", *handle.exchanges, exchange)


def _states(bench: Bench, resource: Resource) -> Iterator[tuple[str, Json]]:
    """Each value of the properties that have few: in whatever state, a record can be deleted if nothing guards it."""
    if not bench.caller.of("create", resource=resource) or not bench.visible(resource):
        return
    for name, part in bench.caller.writable(bench.caller.creation(resource)).items():
        yield from ((name, value) for value in choices(part))


def _gone(
    bench: Bench, trial: Trial, handle: Handle, told: tuple[Exchange, ...], why: str, views: Sequence[View] | None = None
) -> None:
    """A record is nowhere, and nothing can be done to it."""
    caller = bench.caller
    missing = caller.status_of("not_found")
    for action in ("get", "update", "delete"):
        for operation in caller.of(action, resource=handle.resource):
            if not _reachable(operation, handle):
                continue
            body = caller.body(operation, handle.parents, {}) if operation.body is not None else None
            exchange = caller.call(operation, handle.ids) if body is None else caller.call(operation, handle.ids, body=body)
            trial.answered(exchange, missing, why, *told)
    for operation in caller.of("list", "create"):
        if operation.ancestors and operation.ancestors[-1].identifies == handle.resource.name and _reachable(operation, handle):
            body = caller.body(operation, handle.ids, {}) if operation.action == "create" else None
            exchange = caller.call(operation, handle.ids) if body is None else caller.call(operation, handle.ids, body=body)
            trial.answered(exchange, missing, f"{why}, so nothing is below it", *told)
    for view in views if views is not None else caller.views(handle.resource):
        if view.operation.action != "get" or view.inside:
            sight = caller.look(handle, view)
            trial.hold(sight.record is None, f"{view.name} without {handle}: {why}", "it is there", *told, *sight.exchanges)


def _places(bench: Bench, handle: Handle) -> list[View]:
    """The views that show a record now; the parents among its ids live on."""
    caller = bench.caller
    found = []
    for view in caller.views(handle.resource):
        if caller.reaches(view, handle):
            try:
                if caller.look(handle, view).record is not None:
                    found.append(view)
            except Premise:
                continue
    return found


def _reachable(operation: Operation, handle: Handle) -> bool:
    return named_in(operation) <= set(handle.ids)


def children_go_too(bench: Bench) -> None:
    """What belongs to a deleted record is deleted with it."""
    for operation in bench.caller.of("delete"):
        resource = resource_of(operation)
        for child in bench.caller.contract.resources.values():
            belongs = child.parent is not None and child.parent.resource == resource.name
            refers = child.name in resource.cascades and any(r.resource == resource.name for r in child.references)
            if (belongs or refers) and bench.caller.of("create", resource=child):
                with bench.trial(operation, child.name) as trial:
                    _cascade(bench, operation, child, trial)


def _cascade(bench: Bench, operation: Operation, child: Resource, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    handle = caller.make(resource)
    given = _harmless(resource, child)
    given |= {r.property: handle.id for r in child.references if r.resource == resource.name and child.name in resource.cascades}
    below = child.parent is not None and child.parent.resource == resource.name
    one = caller.make(child, given, handle.ids if below else None)
    bystander = caller.make(child, given, caller.make(resource).ids) if below else None
    views = [view for view in _places(bench, one) if not view.inside and resource.name not in named_in(view.operation)]
    exchange = caller.call(operation, handle.ids)
    trial.answered(exchange, operation.status, f"{handle} can be deleted", *one.exchanges)
    told = (*one.exchanges, exchange)
    why = f"{handle}, to which it belonged, was deleted"
    for view in views:
        sight = caller.look(one, view)
        trial.hold(sight.record is None, f"no {one} in {view.name}: {why}", "it is there", *told, *sight.exchanges)
    for action in ("get", "update", "delete"):
        for own in caller.of(action, resource=child):
            if _reachable(own, one) and own.body is None:
                trial.answered(caller.call(own, one.ids), caller.status_of("not_found"), why, *told)
            elif _reachable(own, one):
                answer = caller.call(own, one.ids, body=caller.body(own, one.parents, {}))
                trial.answered(answer, caller.status_of("not_found"), why, *told)
    if bystander is not None:
        sight = caller.look(bystander)
        trial.hold(
            sight.record is not None,
            f"{bystander}, which belongs to another",
            "it is gone",
            *bystander.exchanges,
            *told,
            *sight.exchanges,
        )


def _harmless(resource: Resource, child: Resource) -> dict[str, Json]:
    """What a child must hold to not stand in the way."""
    return {
        name: values[0]
        for guard in resource.guards
        if guard.resource == child.name
        for name, values in list(guard.unless.items())[:1]
    }


def guards_hold(bench: Bench) -> None:
    for operation in bench.caller.of("delete"):
        for guard in resource_of(operation).guards:
            with bench.trial(operation, guard.resource, origin=guard.origin):
                states = list(guarding(bench, guard))
                for name, value, blocks in states:
                    with bench.trial(operation, f"{guard.resource} {name} {value}".strip(), origin=guard.origin) as trial:
                        _guarded(bench, operation, guard, {name: value} if name else {}, blocks, trial)
                for name in guard.unless:
                    with bench.trial(operation, f"{guard.resource} among others", origin=guard.origin) as trial:
                        _among_others(bench, operation, guard, _two_states(states, name), trial)
                    with bench.trial(operation, f"{guard.resource} changed", origin=guard.origin) as trial:
                        _guards_now(bench, operation, guard, _two_states(states, name), trial)
                blocking = next(({name: value} if name else {} for name, value, blocks in states if blocks), None)
                if blocking is not None and violations(bench) is not None:
                    with bench.trial(operation, f"each {guard.resource} is named", origin=refusals_origin(bench)) as trial:
                        _each_named(bench, operation, guard, blocking, trial)
        guards = {guard.resource for guard in resource_of(operation).guards}
        for child in _family_of(bench, resource_of(operation)):
            if child.name not in guards:
                with bench.trial(operation, f"{child.name} is no guard") as trial:
                    _no_guard(bench, operation, child, trial)


def _two_states(states: Sequence[tuple[str, Json, bool]], name: str) -> tuple[dict[str, Json], dict[str, Json]]:
    """With which a record stands in the way, and with which it does not."""
    found = {blocks: {own: value} for own, value, blocks in states if own == name}
    if len(found) < 2:
        raise Premise(f"{name} has no value with which a record does not stand in the way")
    return found[True], found[False]


def _standing(bench: Bench, guard: Guard, handle: Handle, given: Mapping[str, Json]) -> Handle:
    """A record that guards, or would if it held something else."""
    child = bench.contract.resources[guard.resource]
    below = child.parent is not None and child.parent.property == guard.property
    return bench.caller.make(child, given if below else {**given, guard.property: handle.id}, handle.ids if below else None)


def _among_others(
    bench: Bench, operation: Operation, guard: Guard, states: tuple[dict[str, Json], dict[str, Json]], trial: Trial
) -> None:
    """One record that stands in the way is enough, wherever it stands among others that do not."""
    caller = bench.caller
    blocking, harmless = states
    handle = caller.make(resource_of(operation))
    around = [_standing(bench, guard, handle, given) for given in (harmless, blocking, harmless)]
    told = (*handle.exchanges, *(one.exchanges[-1] for one in around))
    exchange = caller.call(operation, handle.ids)
    trial.answered(exchange, caller.status_of("guarded"), f"{around[1]} stands in the way, whatever else there is", *told)


def _each_named(bench: Bench, operation: Operation, guard: Guard, blocking: Mapping[str, Json], trial: Trial) -> None:
    """A refusal that lists what is wrong lists every record that stands in the way."""
    caller = bench.caller
    handle = caller.make(resource_of(operation))
    around = [_standing(bench, guard, handle, blocking) for _ in range(2)]
    told = (*handle.exchanges, *(one.exchanges[-1] for one in around))
    exchange = caller.call(operation, handle.ids)
    trial.answered(exchange, caller.status_of("guarded"), f"{around[0]} and {around[1]} stand in the way", *told)
    listed = violations(bench, exchange) or []
    for one in around:
        named = any(str(one.id) in shortened(violation, LINE) for violation in listed)
        trial.hold(named, f"{one}, which stands in the way", shortened(listed) if listed else "nothing", *told, exchange)


def _guards_now(
    bench: Bench, operation: Operation, guard: Guard, states: tuple[dict[str, Json], dict[str, Json]], trial: Trial
) -> None:
    """What a record holds now decides, not what it was made with."""
    caller = bench.caller
    update = caller.first("update", bench.contract.resources[guard.resource])
    if update is None or not states[0].keys() <= caller.writable(update).keys():
        return
    for first, then, status in ((*states[::-1], caller.status_of("guarded")), (*states, operation.status)):
        handle = caller.make(resource_of(operation))
        standing = _standing(bench, guard, handle, first)
        changed = needed(caller.call(update, standing.ids, body=caller.body(update, standing.parents, then)), update.status)
        state = ", ".join(f"{name} {value}" for name, value in then.items())
        trial.answered(caller.call(operation, handle.ids), status, f"{standing} has {state} now", *standing.exchanges, changed)


def _family_of(bench: Bench, resource: Resource) -> Iterator[Resource]:
    """The kinds of children that can be made."""
    for child in bench.contract.resources.values():
        if child.parent is not None and child.parent.resource == resource.name and bench.caller.of("create", resource=child):
            yield child


def _no_guard(bench: Bench, operation: Operation, child: Resource, trial: Trial) -> None:
    """A child that the contract does not call a guard is none, whatever it holds."""
    caller = bench.caller
    handle = caller.make(resource_of(operation))
    one = caller.make(child, all_plain(bench, caller.creation(child), handle.ids), handle.ids)
    trial.answered(caller.call(operation, handle.ids), operation.status, f"{one} does not stand in the way", *one.exchanges)


def guarding(bench: Bench, guard: Guard) -> Iterator[tuple[str, Json, bool]]:
    """Values of the records that guard, and whether they stand in the way with them."""
    caller = bench.caller
    child = caller.contract.resources[guard.resource]
    creation = caller.creation(child)
    if not guard.unless:
        yield "", None, True
    for name, harmless in guard.unless.items():
        schema = caller.writable(creation).get(name)
        if schema is None:
            raise Premise(f"{name} of a {child.title} cannot be written")
        others = [value for value in merged(schema).get("enum", ()) if value not in harmless and value is not None]
        if not merged(schema).get("enum"):
            others = [caller.values.plain(schema, name)]
        yield from ((name, value, True) for value in others)
        yield from ((name, value, False) for value in harmless)


def _guarded(bench: Bench, operation: Operation, guard: Guard, given: Mapping[str, Json], blocks: bool, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    child = caller.contract.resources[guard.resource]
    handle = caller.make(resource)
    below = child.parent is not None and child.parent.property == guard.property
    own = dict(given) if below else {**given, guard.property: handle.id}
    standing = caller.make(child, own, handle.ids if below else None)
    family = _family(bench, handle, {child.name})
    exchange = caller.call(operation, handle.ids)
    told = (*standing.exchanges, exchange)
    state = ", ".join(f"{name} {value}" for name, value in given.items())
    if not blocks:
        trial.answered(exchange, operation.status, f"{standing} with {state} does not stand in the way", *standing.exchanges)
        return
    trial.answered(exchange, caller.status_of("guarded"), f"{standing} with {state} stands in the way", *standing.exchanges)
    for one in (handle, standing, *family):
        sight = caller.look(one)
        made = one.exchanges if one in family else ()
        trial.hold(
            sight.record is not None, f"{one} still there: the deletion was refused", "it is gone", *made, *told, *sight.exchanges
        )
    _freed(bench, operation, (handle, standing), trial, told)


def _family(bench: Bench, handle: Handle, apart: set[str]) -> list[Handle]:
    """A child of each kind that a record can have."""
    found: list[Handle] = []
    for child in _family_of(bench, handle.resource):
        if child.name not in apart:
            attempt(lambda child=child: found.append(bench.caller.make(child, None, handle.ids)))  # type: ignore[misc]
    return found


def _freed(bench: Bench, operation: Operation, pair: tuple[Handle, Handle], trial: Trial, told: tuple[Exchange, ...]) -> None:
    """Once the guard is deleted, the deletion succeeds."""
    caller = bench.caller
    handle, standing = pair
    removal = caller.deletion(standing)
    if removal is None:
        return
    removed = needed(caller.call(removal, standing.ids), removal.status)
    again = caller.call(operation, handle.ids)
    trial.answered(again, operation.status, f"{standing} was deleted, so nothing stands in the way", *told, removed)
