"""Laws between records: what refers to a deleted one, what lies below which parent, and what lists show of writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contract_tests import envelopes
from contract_tests.callers import Handle, Ids, Walk
from contract_tests.comparing import changes
from contract_tests.exchanges import Exchange
from contract_tests.laws.bench import Bench, named_in
from contract_tests.laws.deleted import guarding
from contract_tests.laws.written import agree, resource_of
from contract_tests.schemas import properties
from contract_tests.shapes import shortened
from contract_tests.trials import Premise, Trial, needed
from mock_server.contract import Counter, Guard, Json, Operation, Record, Reference, Resource

PARENTS = 60  # whose lists are walked
CLOSE = 8  # records below parents that are looked at by themselves
GAPS = 10  # ids between those listed that are tried


# --------------------------------------------------------------------------------------------------------- references to deleted


def references_outlive_their_record(bench: Bench) -> None:
    """A record that only refers to a deleted one stays, and shows nothing of it."""
    for resource in bench.resources("create"):
        for reference in resource.references:
            other = bench.contract.resources[reference.resource]
            if resource.name in other.cascades or not bench.visible(resource) or not bench.caller.of("create", resource=other):
                continue
            for deletion in bench.caller.of("delete", resource=other):
                with bench.trial(deletion, f"{resource.name} {reference.property}", origin=reference.origin) as trial:
                    _outlives(bench, deletion, resource, reference, trial)


def _outlives(bench: Bench, deletion: Operation, resource: Resource, reference: Reference, trial: Trial) -> None:
    caller = bench.caller
    other = caller.make(bench.contract.resources[reference.resource])
    held = other.id if reference.by is None else caller.seen(other)[0].get(reference.by)
    handle = caller.make(resource, {reference.property: held})
    gone = needed(caller.call(deletion, other.ids), deletion.status)
    for view in caller.views(resource):
        if not caller.reaches(view, handle):
            continue
        sight = caller.look(handle, view)
        told = (*other.exchanges, *handle.exchanges[-1:], gone, *sight.exchanges)
        trial.hold(sight.record is not None, f"{handle}, which only refers to {other}, in {view.name}", "it is gone", *told)
        for name in reference.show.keys() & properties(view.schema).keys():
            seen = (sight.record or {}).get(name)
            trial.hold(not seen, f"nothing of {other}, which is deleted, at {name}", shortened(seen), *told)


# ----------------------------------------------------------------------------------------------------------- below parents


def parents_part_their_children(bench: Bench) -> None:
    """The lists below the parents share no record, and together have all that there are."""
    for operation in bench.caller.of("list"):
        if not operation.ancestors or operation.resource is None:
            continue
        with bench.trial(operation, "parents") as trial:
            _parted(bench, operation, operation.resource, trial)
        with bench.trial(operation, "unlisted ids") as trial:
            _listed_all(bench, operation, operation.resource, trial)


def _parted(bench: Bench, operation: Operation, resource: Resource, trial: Trial) -> None:
    caller = bench.caller
    above = bench.contract.resources[str(operation.ancestors[-1].identifies)]
    parents = [handle for handle, _ in caller.existing(above)]
    owners: dict[str, tuple[Handle, Exchange]] = {}
    compared = 0
    for parent in parents[:PARENTS]:
        walk = caller.walk(operation, parent.ids)
        _names_its_parent(bench, operation, parent, walk, trial)
        compared += _as_itself(bench, walk, (parent, resource), trial) if compared < CLOSE else 0
        below: set[str] = set()
        for page, exchange in zip(walk.pages, walk.exchanges, strict=False):
            for record in page:
                key = repr(record.get(resource.id.property))
                trial.hold(key not in below, f"{resource.title} {key} once", "it is there twice", exchange)
                below.add(key)
                other = owners.setdefault(key, (parent, exchange))
                expected = f"{resource.title} {key} below one {above.title}"
                trial.hold(other[0] == parent, expected, f"it is below {other[0]} and {parent}", other[1], exchange)
    if len(parents) <= PARENTS:
        _covered(bench, operation, owners, trial)


def _as_itself(bench: Bench, walk: Walk, pair: tuple[Handle, Resource], trial: Trial) -> int:
    """What a list below a parent shows of its records, they show themselves; how many were looked at."""
    parent, resource = pair
    views = [view for view in bench.caller.views(resource) if view.operation.action == "get" and not view.inside]
    shown = [*walk.records[:1], *walk.records[1:][-1:]] if views else []
    for record in shown:
        handle = Handle(resource, record.get(resource.id.property), parent.ids)
        full, sight = bench.caller.seen(handle)
        for name in sorted(full.keys() & record.keys()):
            expected = f"{name} of {handle} is {shortened(full[name])}, as {sight.view.name} shows"
            seen = f"{shortened(record[name])} below {parent}"
            trial.hold(agree(full[name], record[name]), expected, seen, *sight.exchanges, *walk.exchanges[:1])
    return len(shown)


def _names_its_parent(bench: Bench, operation: Operation, parent: Handle, walk: Walk, trial: Trial) -> None:
    """What the envelope tells of the parent is what the parent shows."""
    tokens = [token for token in _tokens(operation.envelope) if token.startswith("$parent.")]
    if not tokens or not bench.visible(parent.resource):
        return
    record, sight = bench.caller.seen(parent)
    for token in tokens:
        name = token.partition(".")[2]
        for exchange in walk.exchanges[:1]:
            seen = envelopes.taken(operation, exchange.answer, token)
            expected = f"{name} of {parent}, {shortened(record.get(name))}"
            trial.hold(seen == record.get(name), expected, shortened(seen), *sight.exchanges, exchange)


def _tokens(envelope: Json) -> Iterator[str]:
    if isinstance(envelope, str):
        yield envelope
    for part in envelope.values() if isinstance(envelope, dict) else envelope if isinstance(envelope, list) else ():
        yield from _tokens(part)


def _covered(bench: Bench, operation: Operation, owners: Mapping[str, tuple[Handle, Exchange]], trial: Trial) -> None:
    """Each record of the whole list is below a parent; but for those that this run made."""
    caller, resource = bench.caller, resource_of(operation)
    own = {key for name, key in caller.made if name == resource.name}
    for whole in caller.of("list", resource=resource):
        if whole.ancestors:
            continue
        walk = caller.walk(whole)
        if not walk.whole:
            return
        listed = {repr(record.get(resource.id.property)) for record in walk.records}
        lost = sorted(listed - owners.keys() - own)
        expected = f"every {resource.title} of {whole.operation_id} below a parent"
        trial.hold(not lost, expected, f"{lost[:1]} below none", *walk.exchanges[:1])
        lost = sorted(owners.keys() - listed - own)
        shown = [owners[key][1] for key in lost[:1]]
        expected = f"in {whole.operation_id} what is below a parent"
        trial.hold(not lost, expected, f"{lost[:1]} missing", *shown, *walk.exchanges[-1:])


def _listed_all(bench: Bench, operation: Operation, resource: Resource, trial: Trial) -> None:
    """What can be read by an id that no list has shown is in its parent's list."""
    caller = bench.caller
    getter = caller.first("get", resource)
    parent = resource.parent
    if getter is None or parent is None or resource.id.pattern is None or getter.ancestors:
        return
    if parent.property not in properties(getter.view or {}):
        return
    for id in _gaps(resource.id, [handle.id for handle, _ in caller.existing(resource)])[:GAPS]:
        exchange = caller.call(getter, {resource.name: id})
        record = envelopes.record(getter, exchange.answer)
        if exchange.answer.status != getter.status or record is None or record.get(parent.property) is None:
            continue
        ids: Ids = {parent.resource: record[parent.property]}
        walk = caller.walk(operation, ids)
        there = any(one.get(resource.id.property) == id for one in walk.records)
        expected = f"{resource.title} {id}, which {getter.operation_id} shows, in its parent's list"
        trial.hold(there or not walk.whole, expected, "it is not there", exchange, *walk.exchanges[-1:])


def _gaps(counter: Counter, ids: list[Json]) -> list[str]:
    """Ids between those that are known, written as they are."""
    known = {number: id for id in ids if isinstance(id, str) and (number := counter.number(id)) is not None}
    found = []
    for number, id in sorted(known.items()):
        following = number + 1
        before, written, after = id.rpartition(_written(counter, number))
        if following not in known and written:
            found.append(before + _written(counter, following) + after)
    return found


def _written(counter: Counter, number: int) -> str:
    return f"{number + counter.start:0{counter.parts[1]}}"


def bodies_move_no_record(bench: Bench) -> None:
    """A record stays below its parent, whatever parent the body of an update names."""
    for operation in bench.caller.of("update"):
        parent = resource_of(operation).parent
        if parent is not None and bench.caller.of("create", resource=bench.contract.resources[parent.resource]):
            with bench.trial(operation, parent.property) as trial:
                _stays_below(bench, operation, parent, trial)


def _stays_below(bench: Bench, operation: Operation, parent: Reference, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    handle, other = caller.make(resource), caller.make(bench.contract.resources[parent.resource])
    before, _ = caller.seen(handle)
    body = caller.body(operation, handle.parents, {}) | {parent.property: other.id}
    exchange = caller.call(operation, handle.ids, body=body)  # Refusing it is as good as passing it over.
    views = [view for view in caller.views(resource) if caller.reaches(view, handle)]
    below = [view for view in views[1:] if parent.resource in named_in(view.operation)]
    for view in (*views[:1], *below[:1]):
        sight = caller.look(handle, view)
        told = (*handle.exchanges, *other.exchanges, exchange, *sight.exchanges)
        still = f"{handle} still below {parent.resource} {handle.parents[parent.resource]}"
        trial.hold(sight.record is not None, still, f"it is gone from {view.name}", *told)
        for name in before.keys() & {parent.property, *parent.show} & (sight.record or {}).keys():
            seen = (sight.record or {})[name]
            trial.hold(agree(before[name], seen), still, f"{name} is {shortened(seen)} in {view.name}", *told)


# ------------------------------------------------------------------------------------------------------------ refused deletions


def refused_deletions_change_nothing(bench: Bench) -> None:
    """Nothing goes with a record whose deletion is refused."""
    for operation in bench.caller.of("delete"):
        for guard in resource_of(operation).guards:
            with bench.trial(operation, guard.resource) as trial:
                _kept(bench, operation, guard, trial)


def _kept(bench: Bench, operation: Operation, guard: Guard, trial: Trial) -> None:
    """What would have gone with a record is still there after its deletion was refused."""
    caller, resource = bench.caller, resource_of(operation)
    handle = caller.make(resource)
    below = [
        caller.make(child, None, handle.ids)
        for child in bench.contract.resources.values()
        if child.parent and child.parent.resource == resource.name and caller.of("create", resource=child)
    ]
    child = bench.contract.resources[guard.resource]
    given = next(({name: value} if name else {} for name, value, blocks in guarding(bench, guard) if blocks), None)
    if given is None:
        raise Premise(f"nothing is known with which a {child.title} stands in the way")
    if child.parent and child.parent.property == guard.property:
        below.append(caller.make(child, given, handle.ids))
    else:
        caller.make(child, {**given, guard.property: handle.id})
    told = [*handle.exchanges, *(one.exchanges[-1] for one in below)]
    before = [(one, caller.seen(one)[0]) for one in (handle, *below)]
    exchange = needed(caller.call(operation, handle.ids), caller.status_of("guarded"))
    for one, record in before:
        sight = caller.look(one)
        shown = (*told, exchange, *sight.exchanges)
        trial.hold(sight.record is not None, f"{one} still there: the deletion was refused", "it is gone", *shown)
        found = changes(record, sight.record or {})
        expected, seen = found[0].told if found else ("", "")
        trial.hold(not found, f"{expected}: the deletion was refused", seen, *shown)


# ------------------------------------------------------------------------------------------------------- lists asked before


def lists_follow_writes(bench: Bench) -> None:
    """A list that was asked before shows what was written since, in the same order, and counts it."""
    for operation in bench.caller.of("list"):
        resource = operation.resource
        if resource is None or not bench.caller.of("create", resource=resource):
            continue
        with bench.trial(operation, "creation") as trial:
            _followed(bench, operation, resource, trial)


def _followed(bench: Bench, operation: Operation, resource: Resource, trial: Trial) -> None:
    caller = bench.caller
    ids = caller.home_of(resource) if operation.ancestors else {}
    walks = [caller.walk(operation, ids)]
    if not walks[0].whole:
        raise Premise(f"{operation.operation_id} has more than {caller.most_pages} pages")
    handle = caller.make(resource, None, ids if operation.ancestors else None)
    walks.append(caller.walk(operation, ids))
    asked = (*walks[0].exchanges[-1:], *handle.exchanges, *walks[1].exchanges[-1:])
    order = _order(walks[1], resource)
    trial.hold(repr(handle.id) in order, f"{handle}, which was just made", "it is not there", *asked)
    _counted(trial, operation, walks, 1, asked)
    removal = caller.deletion(handle)
    update = caller.first("update", resource)
    if update is not None:
        with bench.trial(operation, "update") as moved:
            _stays(bench, (operation, update), handle, ids, moved)
    if removal is not None:
        with bench.trial(operation, "deletion") as left:
            before = caller.walk(operation, ids)
            gone = needed(caller.call(removal, handle.ids), removal.status)
            after = caller.walk(operation, ids)
            told = (*handle.exchanges, *before.exchanges[-1:], gone, *after.exchanges[-1:])
            left.hold(repr(handle.id) not in _order(after, resource), f"no {handle}: it was deleted", "it is there", *told)
            _counted(left, operation, [before, after], -1, told)


def _stays(bench: Bench, pair: tuple[Operation, Operation], handle: Handle, ids: Ids, trial: Trial) -> None:
    """An update moves nothing within the list."""
    caller, (operation, update) = bench.caller, pair
    resource = handle.resource
    caller.make(resource, None, ids if operation.ancestors else None)
    before = caller.walk(operation, ids)
    changed = needed(caller.call(update, handle.ids, body=_renewed(bench, update, handle)), update.status)
    after = caller.walk(operation, ids)
    told = (*handle.exchanges, *before.exchanges[-1:], changed, *after.exchanges[-1:])
    kept = _order(before, resource) == _order(after, resource)
    trial.hold(kept, "the same order: a record was changed", "another order", *told)


def _renewed(bench: Bench, update: Operation, handle: Handle) -> Record:
    """A body that changes something."""
    known = bench.caller.writable(update)
    given = {name: bench.caller.value(update, name, part, handle.parents) for name, part in list(known.items())[:1]}
    return bench.caller.body(update, handle.parents, given)


def _order(walk: Walk, resource: Resource) -> list[str]:
    return [repr(record.get(resource.id.property)) for record in walk.records]


def _counted(trial: Trial, operation: Operation, walks: list[Walk], difference: int, told: tuple[Exchange, ...]) -> None:
    """The total follows, if the list tells it."""
    if not envelopes.has(operation, "$total"):
        return
    before, after = (envelopes.taken(operation, walk.exchanges[0].answer, "$total") for walk in walks[:2])
    if isinstance(before, int) and isinstance(after, int):
        trial.hold(after - before == difference, f"{before + difference} in all", f"{after} in all", *told)
