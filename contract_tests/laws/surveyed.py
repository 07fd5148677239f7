"""Laws of all that there is: other records stay as they are, and lists have whatever was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from contract_tests.callers import Handle, Ids
from contract_tests.comparing import changes
from contract_tests.exchanges import Exchange
from contract_tests.laws.bench import Bench, attempt
from contract_tests.laws.written import all_but_flags, all_plain, choices, resource_of
from contract_tests.schemas import items, properties
from contract_tests.trials import Premise, Trial
from mock_server.contract import Json, Operation, Record, Resource, Schema

PARENTS = 24  # whose lists are looked at
CLOSE = 2  # records of each resource that are looked at by themselves, from either end

Key = tuple[str, str, str]  # view, resource, id
Survey = dict[Key, tuple[Record, tuple[Exchange, ...]]]  # what is shown, and where


@dataclass(frozen=True)
class _Cast:
    """Records of one resource for the writes that are tried."""

    parents: Ids
    changed: Handle  # has a child of each kind
    deleted: Handle  # has none
    alone: bool  # whether no other record below the parents has a flag that only one may have


def others_stay(bench: Bench) -> None:
    """All that the API shows is surveyed before and after writes; only what they name may differ."""
    makeable = [one for one in bench.contract.resources.values() if _can_be_made(bench, one)]
    casts = _casts(bench, makeable)
    operations = [o for o in bench.caller.of("create", "update", "delete") if casts.get(resource_of(o).name)]
    close = list(_close(bench, list(casts.values())))
    before = survey(bench, close)
    written = [(operation, *_write(bench, operation, casts[resource_of(operation).name])) for operation in operations]
    touched = {one.key for _, own, _ in written for one in own}
    above = {key for _, own, _ in written for one in own for key in _above(one)}
    after = survey(bench, close)
    clean = not any(_deviations(bench, (before, after), touched, above))
    for operation in operations:
        with bench.trial(operation, "all others") as trial:
            trial.checks += len(before)
            if not clean:
                _blamed(bench, operation, trial)


def _can_be_made(bench: Bench, resource: Resource) -> bool:
    return bool(bench.caller.of("create", resource=resource))


def _above(handle: Handle) -> set[tuple[str, str]]:
    """The parents of a record, for which it may count as a change that a child did."""
    return {(name, repr(id)) for name, id in handle.parents.items()}


def _home(bench: Bench, resource: Resource, homes: dict[str, Ids]) -> Ids:
    """A parent with a value for everything, the same for all kinds of its children; the run's own if none can be made."""
    if resource.parent is None:
        return {}
    above = bench.contract.resources[resource.parent.resource]
    if above.name not in homes:
        if not _can_be_made(bench, above):
            return bench.caller.home_of(resource)
        parents = _home(bench, above, homes)
        homes[above.name] = bench.caller.make(above, all_but_flags(bench, bench.caller.creation(above), parents), parents).ids
    return homes[above.name]


def _renew(bench: Bench, homes: Mapping[str, Ids]) -> None:
    """Give the parents new values, now that they have children: whatever these did to them is undone."""
    for name, ids in homes.items():
        resource = bench.contract.resources[name]
        for operation in bench.caller.of("update", resource=resource)[:1]:
            bench.caller.call(operation, ids, body=bench.caller.body(operation, ids, all_but_flags(bench, operation, ids)))


def _casts(bench: Bench, resources: Sequence[Resource]) -> dict[str, _Cast]:
    """Records for the writes that are tried; those to be deleted are made last, so that no other refers to them."""
    homes: dict[str, Ids] = {}
    changed: dict[str, Handle] = {}
    deleted: dict[str, Handle] = {}
    for resource in resources:
        attempt(lambda resource=resource: changed.update({resource.name: _made(bench, resource, homes)}))  # type: ignore[misc]
    for handle in changed.values():
        _have_one_of_each(bench, handle)
    for resource in reversed(resources):
        attempt(lambda resource=resource: deleted.update({resource.name: _made(bench, resource, homes)}))  # type: ignore[misc]
    _renew(bench, homes)
    return {
        name: _Cast(one.parents, one, deleted[name], one.parents in homes.values())
        for name, one in changed.items()
        if name in deleted
    }


def _made(bench: Bench, resource: Resource, homes: dict[str, Ids]) -> Handle:
    parents = _home(bench, resource, homes)
    return bench.caller.make(resource, all_but_flags(bench, bench.caller.creation(resource), parents), parents)


def _have_one_of_each(bench: Bench, handle: Handle) -> None:
    for child in bench.contract.resources.values():
        if child.parent is not None and child.parent.resource == handle.resource.name and _can_be_made(bench, child):
            attempt(lambda child=child: bench.caller.make(child, None, handle.ids))  # type: ignore[misc]


def _write(bench: Bench, operation: Operation, cast: _Cast) -> tuple[list[Handle], tuple[Exchange, ...]]:
    """What an operation wrote, and how; nothing if it refused."""
    caller = bench.caller
    own = cast.deleted if operation.action == "delete" else cast.changed
    if operation.action == "create":
        body = caller.body(operation, cast.parents, _values(bench, operation, cast))
        exchange = caller.call(operation, cast.parents, body=body)
        done = exchange.answer.status == operation.status
        return [caller.handle(operation, cast.parents, body, exchange) if done else own], (exchange,)
    if operation.body is None:
        return [own], (*own.exchanges, caller.call(operation, own.ids))
    sent = [caller.body(operation, cast.parents, given) for given in _states(bench, operation, cast)]
    return [own], (*own.exchanges, *(caller.call(operation, own.ids, body=body) for body in sent))


def _values(bench: Bench, operation: Operation, cast: _Cast) -> dict[str, Json]:
    """A value for every property; for flags that only one record may have where they take nobody else's."""
    return (all_plain if cast.alone else all_but_flags)(bench, operation, cast.parents)


def _states(bench: Bench, operation: Operation, cast: _Cast) -> Iterator[dict[str, Json]]:
    """Values for every property, as often as it takes for those that have few to have had each."""
    plain = _values(bench, operation, cast)
    few = {name: choices(part) for name, part in bench.caller.writable(operation).items() if name in plain}
    for turn in range(max([1, *map(len, few.values())])):
        yield {**plain, **{name: values[turn % len(values)] for name, values in few.items() if values}}


def _blamed(bench: Bench, operation: Operation, trial: Trial) -> None:
    """The operation alone, between two surveys of its own."""
    cast = _casts(bench, [resource_of(operation)]).get(resource_of(operation).name)
    if cast is None:
        raise Premise(f"no {resource_of(operation).title} could be made")
    close = list(_close(bench, [cast]))
    before = survey(bench, close)
    own, told = _write(bench, operation, cast)
    after = survey(bench, close)
    above = {key for one in own for key in _above(one)}
    for expected, seen, shown in _deviations(bench, (before, after), {one.key for one in own}, above):
        trial.hold(False, expected, seen, *shown[:1], *told, *shown[1:])


def _deviations(
    bench: Bench, surveys: tuple[Survey, Survey], touched: set[tuple[str, str]], above: set[tuple[str, str]]
) -> Iterator[tuple[str, str, tuple[Exchange, ...]]]:
    """What is gone, has come, or has changed without being touched."""
    before, after = surveys
    accounted = {(name, id) for _, name, id in after} | bench.caller.gone
    for key in dict.fromkeys((*before, *after)):
        view, name, id = key
        old, new = before.get(key), after.get(key)
        if (name, id) in touched & accounted:
            continue
        if old is None or new is None:
            there = old or new
            expected = f"{name} {id} {'still' if old else 'not'} in {view}"
            yield expected, "it is gone" if old else "it is there", there[1] if there else ()
        elif found := changes(old[0], new[0], _moved(bench, (name, id), above)):
            expected, seen = found[0].told
            yield f"{expected} in {name} {id}, as before", seen, (*old[1], *new[1])


def _moved(bench: Bench, key: tuple[str, str], above: set[tuple[str, str]]) -> set[str]:
    """When a parent was last changed may be when a child was."""
    updated = bench.contract.resources[key[0]].updated
    return {updated} if updated and key in above else set()


# --------------------------------------------------------------------------------------------------------------- what there is


def survey(bench: Bench, close: Sequence[Handle]) -> Survey:
    """All lists, and some records by themselves."""
    caller = bench.caller
    found: Survey = {}
    for operation in caller.of("list"):
        for ids in _parents(bench, operation, close):
            walk = caller.walk(operation, ids)
            for page, exchange in zip(walk.pages, walk.exchanges, strict=False) if walk.whole else ():
                for record in page:
                    shown = (operation.operation_id, resource_of(operation), operation.view or {})
                    found.update(_spread(bench, *shown, record, exchange))
    for handle in close:
        view = caller.views(handle.resource)[0]
        if view.operation.action == "get" and caller.reaches(view, handle):
            sight = caller.look(handle, view)
            if sight.record is not None:
                found.update(_spread(bench, view.name, handle.resource, view.schema, sight.record, sight.exchanges[-1]))
    return found


def _spread(
    bench: Bench, view: str, resource: Resource, schema: Schema, record: Record, exchange: Exchange
) -> Iterator[tuple[Key, tuple[Record, tuple[Exchange, ...]]]]:
    """A record without its children and without what it shows of others, and each child as a record of its own."""
    apart = {one.property: one for one in resource.children if isinstance(record.get(one.property), list)}
    plain = {name: value for name, value in record.items() if name not in apart and name not in resource.shown}
    yield (view, resource.name, repr(record.get(resource.id.property))), (plain, (exchange,))
    for name, children in apart.items():
        child, part = bench.contract.resources[children.resource], items(properties(schema).get(name, {}))
        for one in record[name]:
            if isinstance(one, dict):
                yield from _spread(bench, f"{view}/{name}", child, part, one, exchange)


def _parents(bench: Bench, operation: Operation, close: Sequence[Handle]) -> list[Ids]:
    """The ids of the parents whose lists are looked at: some of each age, and those that are looked at closely."""
    if not operation.ancestors:
        return [{}]
    above = bench.contract.resources[str(operation.ancestors[-1].identifies)]
    there = [handle.ids for handle, _ in bench.caller.existing(above)]
    own = [handle.ids for handle in close if handle.resource is above and handle.key in bench.caller.made]
    return [*_some(there, PARENTS), *own]


def _some(there: list[Ids], most: int) -> list[Ids]:
    """The first, the last, and some between."""
    if len(there) <= most:
        return there
    third = most // 3
    between = there[third:-third]
    return [*there[:third], *between[:: -(-len(between) // third)], *there[-third:]]


def _close(bench: Bench, casts: Sequence[_Cast]) -> Iterator[Handle]:
    """The records that take part and their parents, and of each resource the first and the last."""
    caller = bench.caller
    for resource in bench.contract.resources.values():
        if caller.views(resource) and caller.of("list", resource=resource):
            there = [handle for handle, _ in caller.existing(resource)]
            yield from there if len(there) <= 2 * CLOSE else (*there[:CLOSE], *there[-CLOSE:])
    for cast in casts:
        yield cast.changed
        for name, id in cast.parents.items():
            yield Handle(bench.contract.resources[name], id, {n: i for n, i in cast.parents.items() if n != name})


# ------------------------------------------------------------------------------------------------------------ what lists have


def lists_are_complete(bench: Bench) -> None:
    """Whatever this run has made, and what it holds, it is in its lists as long as anything shows it."""
    for operation in bench.caller.of("list"):
        resource = operation.resource
        if resource is None or not _can_be_made(bench, resource):
            continue
        with bench.trial(operation, "all that was made") as trial:
            for ids, handles in _below(bench, operation, resource):
                _complete(bench, operation, (ids, handles), trial)


def _below(bench: Bench, operation: Operation, resource: Resource) -> Iterator[tuple[Ids, list[Handle]]]:
    """What was made, by the parents below which a list shows it."""
    caller = bench.caller
    names = [str(one.identifies) for one in operation.ancestors]
    found: dict[str, tuple[Ids, list[Handle]]] = {}
    for handle in caller.made.values():
        if handle.resource is resource and set(names) <= handle.parents.keys():
            ids = {name: handle.parents[name] for name in names}
            if not any((name, repr(id)) in caller.gone for name, id in handle.parents.items()):
                found.setdefault(repr(ids), (ids, []))[1].append(handle)
    yield from sorted(found.values(), key=lambda one: -len(one[1]))[:PARENTS]


def _complete(bench: Bench, operation: Operation, below: tuple[Ids, list[Handle]], trial: Trial) -> None:
    caller = bench.caller
    ids, handles = below
    walk = caller.walk(operation, ids)
    if not walk.whole:
        raise Premise(f"{operation.operation_id} has more than {caller.most_pages} pages")
    listed = {repr(record.get(resource_of(operation).id.property)) for record in walk.records}
    for handle in handles:
        there = repr(handle.id) in listed
        if handle.key in caller.gone:
            trial.hold(not there, f"no {handle}: it was deleted", "it is there", *handle.exchanges, *walk.exchanges[-1:])
        elif not there:
            shown = _shown(bench, operation, handle)
            told = (*handle.exchanges, *(shown or ()), *walk.exchanges[-1:])
            trial.hold(shown is None, f"{handle} in {operation.operation_id}", "it is not there", *told)
        trial.checks += 1


def _shown(bench: Bench, operation: Operation, handle: Handle) -> tuple[Exchange, ...] | None:
    """Where another view shows a record; None if none does."""
    caller = bench.caller
    for view in caller.views(handle.resource):
        if view.operation is not operation and caller.reaches(view, handle):
            sight = caller.look(handle, view)
            if sight.record is not None:
                return sight.exchanges
    return None
