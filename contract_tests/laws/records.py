"""Laws of records: they end when they are deleted, keep their promises to each other, and are touched one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from contract_tests.callers import WITHOUT_BODY, Handle, Ids, View
from contract_tests.comparing import changes, same
from contract_tests.exchanges import Exchange
from contract_tests.laws.bench import Bench, attempt
from contract_tests.laws.written import agree, all_plain, origin_of, resource_of
from contract_tests.matching import moment
from contract_tests.shapes import fits, shortened
from contract_tests.trials import Premise, Trial, needed
from mock_server.contract import Guard, Joined, Json, Operation, Record, Reference, Resource, Shown, Unique, json_type
from mock_server.schemas import items, merged, properties

MOMENTS = 8  # tries until the server's clock has moved on
PAUSE = 0.2  # seconds between them


# ----------------------------------------------------------------------------------------------------------------- deletion


def deleted_is_gone(bench: Bench) -> None:
    for operation in bench.caller.of("delete"):
        with bench.trial(operation) as trial:
            resource = resource_of(operation)
            handle = bench.caller.make(resource)
            before = _places(bench, handle)
            exchange = bench.caller.call(operation, handle.ids)
            trial.answered(exchange, operation.status, f"{handle} can be deleted", *handle.exchanges)
            _gone(bench, trial, handle, (*handle.exchanges, exchange), f"{handle} was deleted", before)


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
    return {str(p.identifies) for p in operation.parameters if p.identifies} <= set(handle.ids)


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
    views = [view for view in _places(bench, one) if not view.inside and resource.name not in _named(view.operation)]
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


def _named(operation: Operation) -> set[str]:
    return {str(p.identifies) for p in operation.parameters if p.identifies}


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
                for name, value, blocks in guarding(bench, guard):
                    with bench.trial(operation, f"{guard.resource} {name} {value}".strip(), origin=guard.origin) as trial:
                        _guarded(bench, operation, guard, {name: value} if name else {}, blocks, trial)


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
    for child in bench.contract.resources.values():
        if child.parent is not None and child.parent.resource == handle.resource.name and child.name not in apart:
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


def ids_are_fresh(bench: Bench) -> None:
    """No id and no number is given twice, not even after a deletion."""
    for operation in bench.caller.of("create"):
        resource = resource_of(operation)
        names = [counter.property for counter in (resource.id, *resource.numbers)]
        for name in names:
            with bench.trial(operation, name) as trial:
                _fresh(bench, operation, name, trial)


def _fresh(bench: Bench, operation: Operation, name: str, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    parents = caller.home_of(resource)
    seen: dict[str, tuple[Exchange, ...]] = {}
    listed = {repr(record.get(name)) for _, record in caller.existing(resource) if record.get(name) is not None}
    for turn in range(4):
        body = caller.body(operation, parents, {})
        exchange = needed(caller.call(operation, parents, body=body), operation.status)
        handle = caller.handle(operation, parents, body, exchange)
        value: Json = handle.id
        shown: tuple[Exchange, ...] = ()
        if name != resource.id.property:
            record, sight = caller.seen(handle)
            if name not in record:
                raise Premise(f"{name} is in no view")
            value, shown = record[name], sight.exchanges
        key = repr(value)
        trial.hold(key not in seen, f"a new {name}", f"{value} once more", *seen.get(key, ()), exchange, *shown)
        trial.hold(key not in listed, f"a new {name}", f"{value}, which another record had at the start", exchange, *shown)
        seen[key] = (exchange, *shown)
        removal = caller.deletion(handle)
        if removal is not None and turn % 2 == 0:
            gone = needed(caller.call(removal, handle.ids), removal.status)
            seen[key] = (*seen[key], gone)


# ------------------------------------------------------------------------------------------------------- uniqueness, references


def unique_is_unique(bench: Bench) -> None:
    for operation in bench.caller.of("create", "update"):
        resource = resource_of(operation)
        for unique in resource.unique:
            settable = any(c.property == unique.property and c.settable for c in resource.numbers)
            known = properties(operation.body or {})
            if unique.property not in known or (operation.action == "update" and settable):
                continue
            _unique(bench, operation, unique)


@dataclass
class _Uniqueness:
    """One unique property of one write: makes records with values."""

    bench: Bench
    operation: Operation
    unique: Unique
    made: list[Handle] = field(default_factory=list)

    def fresh(self) -> Json:
        schema = properties(self.operation.body or {})[self.unique.property]
        if json_type(merged(schema)) == "integer":
            return (
                1_500_000_000
                + int.from_bytes(self.bench.caller.values.mark().encode()[:3]) % 499_000_000
                + self.bench.caller.values.count
            )
        value = self.bench.caller.values.plain(schema, self.unique.property)
        return value[:1].upper() + value[1:] if isinstance(value, str) else value

    def write(self, value: Json, handle: Handle | None = None) -> tuple[Exchange, tuple[Exchange, ...]]:
        """The write of a value: a creation, or an update of the record or of a new one."""
        caller, operation = self.bench.caller, self.operation
        resource = resource_of(operation)
        if operation.action == "create":
            parents = caller.home_of(resource)
            return caller.call(operation, parents, body=caller.body(operation, parents, {self.unique.property: value})), ()
        target = handle or caller.make(resource)
        body = caller.body(operation, target.parents, {self.unique.property: value})
        return caller.call(operation, target.ids, body=body), target.exchanges

    def refused(self, trial: Trial, value: Json, why: str, told: tuple[Exchange, ...]) -> None:
        """A write that is refused as a duplicate, and leaves the record as it was."""
        caller = self.bench.caller
        if self.operation.action == "create":
            exchange, _ = self.write(value)
            trial.answered(exchange, caller.status_of("duplicate"), why, *told)
            return
        handle = caller.make(resource_of(self.operation))
        before, first = caller.seen(handle)
        exchange, own = self.write(value, handle)
        trial.answered(exchange, caller.status_of("duplicate"), why, *told, *own)
        unharmed(self.bench, trial, (handle, before), (*told, *own, *first.exchanges, exchange))

    def holder(self, value: Json) -> Handle:
        return self.bench.caller.make(resource_of(self.operation), {self.unique.property: value})


def _unique(bench: Bench, operation: Operation, unique: Unique) -> None:
    caller, name = bench.caller, unique.property
    duplicate = caller.status_of("duplicate")
    writer = _Uniqueness(bench, operation, unique)
    with bench.trial(operation, name, origin=unique.origin) as trial:
        value = writer.fresh()
        holder = writer.holder(value)
        count = _count(bench, operation)
        writer.refused(trial, value, f"{holder} has the {name} {shortened(value)}", holder.exchanges)
        if operation.action == "create":
            told = (*holder.exchanges, caller.exchanges[-1])
            trial.hold(_count(bench, operation) == count, "as many records as before: it was refused", "another number", *told)
    with bench.trial(operation, f"{name} in another case", origin=unique.origin) as trial:
        value = writer.fresh()
        if isinstance(value, str) and value.swapcase() != value:
            holder = writer.holder(value)
            exchange, before = writer.write(value.swapcase())
            told = (*holder.exchanges, *before)
            if unique.fold:
                trial.answered(exchange, duplicate, f"{holder} has the {name} {value}, and case does not matter", *told)
            else:
                trial.answered(exchange, operation.status, f"case matters: {value} is another {name}", *told)
    with bench.trial(operation, f"{name} of a deleted record", origin=unique.origin) as trial:
        _free_again(bench, writer, trial)
    with bench.trial(operation, f"{name} given up", origin=unique.origin) as trial:
        _given_up(bench, writer, trial)
    with bench.trial(operation, f"{name} without a value", origin=unique.origin) as trial:
        _never_collide(bench, writer, trial)
    if operation.action == "update":
        with bench.trial(operation, f"{name} of its own", origin=unique.origin) as trial:
            value = writer.fresh()
            holder = writer.holder(value)
            exchange, _ = writer.write(value, holder)
            trial.answered(exchange, operation.status, f"{holder} may keep its own {name}", *holder.exchanges)


def unharmed(bench: Bench, trial: Trial, own: tuple[Handle, Record], told: tuple[Exchange, ...]) -> None:
    """A record is as it was, after a write that was refused."""
    handle, before = own
    after, sight = bench.caller.seen(handle)
    found = changes(before, after)
    expected, seen = found[0].told if found else ("", "")
    trial.hold(not found, f"{expected}: the write was refused", seen, *told, *sight.exchanges)


def _free_again(bench: Bench, writer: _Uniqueness, trial: Trial) -> None:
    value = writer.fresh()
    holder = writer.holder(value)
    removal = bench.caller.deletion(holder)
    if removal is None:
        return
    gone = needed(bench.caller.call(removal, holder.ids), removal.status)
    exchange, before = writer.write(value)
    trial.answered(
        exchange,
        writer.operation.status,
        f"{holder}, which had the {writer.unique.property}, is deleted",
        *holder.exchanges,
        gone,
        *before,
    )


def _given_up(bench: Bench, writer: _Uniqueness, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(writer.operation)
    update = caller.first("update", resource)
    name = writer.unique.property
    if update is None or name not in caller.writable(update):
        return
    old, new = writer.fresh(), writer.fresh()
    holder = writer.holder(old)
    body = caller.body(update, holder.parents, {name: new})
    changed = needed(caller.call(update, holder.ids, body=body), update.status)
    exchange, before = writer.write(old)
    trial.answered(exchange, writer.operation.status, f"{holder} has another {name} now", *holder.exchanges, changed, *before)
    exchange, before = writer.write(new)
    trial.answered(
        exchange,
        caller.status_of("duplicate"),
        f"{holder} has the {name} {shortened(new)} now",
        *holder.exchanges,
        changed,
        *before,
    )


def _never_collide(bench: Bench, writer: _Uniqueness, trial: Trial) -> None:
    """null, empty and absent values are not shared values."""
    schema = properties(writer.operation.body or {})[writer.unique.property]
    for nothing in (None, ""):
        if not fits(schema, nothing):
            continue
        first, before = writer.write(nothing)
        second, again = writer.write(nothing)
        for exchange in (first, second):
            trial.answered(
                exchange, writer.operation.status, f"{shortened(nothing)} is no value, so others may have it too", *before, *again
            )
        bench.caller.values.mark()


def _count(bench: Bench, operation: Operation) -> int | None:
    """How many records there are, as far as a list tells."""
    caller, resource = bench.caller, resource_of(operation)
    for listing in caller.of("list", resource=resource):
        if not listing.ancestors:
            walk = caller.walk(listing)
            return len(walk.records) if walk.whole else None
    return None


def references_are_checked(bench: Bench) -> None:
    for operation in bench.caller.of("create", "update"):
        resource = resource_of(operation)
        parent = resource.parent
        checked = [one for one in resource.references if one.checked]
        if parent is not None and not operation.ancestors and operation.action == "create":
            checked.append(parent)
        for reference in checked:
            if reference.property in properties(operation.body or {}):
                with bench.trial(operation, reference.property, origin=reference.origin) as trial:
                    _dangling(bench, operation, reference, trial)


def _dangling(bench: Bench, operation: Operation, reference: Reference, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    schema = properties(operation.body or {})[reference.property]
    nobody: Json = 1_999_999_999 if json_type(merged(schema)) == "integer" else f"no-{caller.values.mark()}"
    handle = caller.make(resource) if operation.action == "update" else None
    count = _count(bench, operation)
    parents = handle.ids if handle else caller.home_of(resource)
    own = caller.seen(handle)[0] if handle else {}
    body = {**caller.body(operation, parents, all_plain(bench, operation, parents)), reference.property: nobody}
    exchange = caller.call(operation, parents, body=body)
    before = handle.exchanges if handle else ()
    trial.answered(exchange, caller.status_of("dangling"), f"there is no {reference.resource} {nobody}", *before)
    if handle is not None:
        unharmed(bench, trial, (handle, own), (*before, exchange))
    else:
        trial.hold(_count(bench, operation) == count, "as many records as before: it was refused", "another number", exchange)


def references_show(bench: Bench) -> None:
    """What a record shows of another is what that one shows itself, also once it has changed."""
    for resource in bench.contract.resources.values():
        for reference in (*resource.references, *((resource.parent,) if resource.parent else ())):
            if reference.show and bench.caller.views(resource):
                operation = bench.caller.views(resource)[0].operation
                for name, shown in reference.show.items():
                    with bench.trial(operation, name, origin=reference.origin) as trial:
                        _shows(bench, resource, reference, (name, shown), trial)


def _shows(bench: Bench, resource: Resource, reference: Reference, part: tuple[str, Shown], trial: Trial) -> None:
    caller, other = bench.caller, bench.contract.resources[reference.resource]
    if not caller.views(other):
        return
    own = caller.can_write and caller.of("create", resource=resource) and caller.of("create", resource=other)
    if own:
        is_parent = reference is resource.parent
        kin = resource.parent is not None and other.parent is not None and resource.parent.resource == other.parent.resource
        pair = caller.make(other, None, caller.home_of(resource) if kin else None)
        held = (
            {} if is_parent else {reference.property: pair.id if reference.by is None else caller.seen(pair)[0].get(reference.by)}
        )
        pairs = [(caller.make(resource, held, pair.ids if is_parent else None), pair)]
    else:
        pairs = list(_related(bench, resource, reference, part))
    for handle, shown_one in pairs[:3]:
        _compared(bench, trial, (handle, shown_one), part, ())
    update = caller.first("update", other)
    if own and update is not None:
        handle, shown_one = pairs[0]
        body = caller.body(update, shown_one.parents, all_plain(bench, update, shown_one.parents))
        exchange = needed(caller.call(update, shown_one.ids, body=body), update.status)
        _compared(bench, trial, (handle, shown_one), part, (exchange,))


def _related(bench: Bench, resource: Resource, reference: Reference, part: tuple[str, Shown]) -> Iterator[tuple[Handle, Handle]]:
    """Records that are there, with the one that each refers to, where a view tells its id."""
    other = bench.contract.resources[reference.resource]
    name, shown = part
    for handle, _ in bench.caller.existing(resource)[:: max(1, len(bench.caller.existing(resource)) // 3)]:
        record = bench.caller.look(handle).record or {}
        id = record.get(reference.property)
        if isinstance(shown, Mapping) and isinstance(record.get(name), dict):
            id = next((record[name].get(own) for own, source in shown.items() if source == (other.id.property,)), id)
        if id is not None and reference.by is None:
            yield handle, Handle(other, id, handle.parents)


def _compared(
    bench: Bench, trial: Trial, pair: tuple[Handle, Handle], part: tuple[str, Shown], told: tuple[Exchange, ...]
) -> None:
    """What one record shows of another, in every view of the one, beside the other itself."""
    caller = bench.caller
    handle, other = pair
    name, shown = part
    record, source = caller.seen(other)
    for view in caller.views(handle.resource):
        if not caller.reaches(view, handle) or name not in properties(view.schema):
            continue
        sight = caller.look(handle, view)
        expected = _taken(record, shown)
        seen = (sight.record or {}).get(name)
        before = (*handle.exchanges, *other.exchanges[-1:], *told, *source.exchanges, *sight.exchanges)
        if expected is not _UNKNOWN:
            fitting = _common(expected, seen)
            trial.hold(
                fitting, f"{name} is {shortened(_plainly(expected))}, as {other} is", f"{shortened(seen)} in {view.name}", *before
            )


_UNKNOWN = object()  # The view of the other record does not tell.


def _taken(record: Json, shown: Shown) -> Json:
    """What is to be shown of a record."""
    if isinstance(shown, Joined):
        parts = [_at(record, path) for path in shown.sources]
        if _UNKNOWN in parts:
            return _UNKNOWN
        return shown.separator.join(str(one) for one in parts if one not in (None, "")) or None
    if isinstance(shown, Mapping):
        return {name: _taken(record, part) for name, part in shown.items()}
    return _at(record, shown)


def _at(record: Json, path: tuple[str, ...]) -> Json:
    for step in path:
        if record is None:
            return None
        if not isinstance(record, dict) or step not in record:
            return _UNKNOWN
        record = record[step]
    return record


def _common(expected: Json, seen: Json) -> bool:
    if expected is _UNKNOWN:
        return True
    if isinstance(expected, dict) and isinstance(seen, dict):
        return all(_common(expected[name], part) for name, part in seen.items() if name in expected)
    return same(expected, seen)


def _plainly(expected: Json) -> Json:
    return {n: v for n, v in expected.items() if v is not _UNKNOWN} if isinstance(expected, dict) else expected


# ---------------------------------------------------------------------------------------------------------- exclusive, parents


def exclusive_is_exclusive(bench: Bench) -> None:
    """Of the records below one parent at most one has the flag: the one that was given it last."""
    for operation in bench.caller.of("create", "update"):
        resource = resource_of(operation)
        for name in resource.exclusive:
            if name in bench.caller.writable(operation):
                with bench.trial(operation, name) as trial:
                    _exclusive(bench, operation, name, trial)


def _exclusive(bench: Bench, operation: Operation, name: str, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    parent = resource.parent
    if parent is None:
        return
    above = caller.make(caller.contract.resources[parent.resource])
    other = caller.make(caller.contract.resources[parent.resource])
    elsewhere = caller.make(resource, {name: True}, other.ids)
    first = caller.make(resource, {name: True}, above.ids)
    if operation.action == "create":
        second = caller.make(resource, {name: True}, above.ids)
        told = (*first.exchanges, second.exchanges[-1])
    else:
        second = caller.make(resource, {name: False}, above.ids)
        body = caller.body(operation, second.parents, {name: True})
        told = (*first.exchanges, second.exchanges[-1], needed(caller.call(operation, second.ids, body=body), operation.status))
    for handle, expected, why in (
        (second, True, "it was set last"),
        (first, False, f"{second} has it now"),
        (elsewhere, True, "it is below another parent"),
    ):
        record, sight = caller.seen(handle)
        extra = elsewhere.exchanges if handle is elsewhere else ()
        trial.hold(
            record.get(name) is expected,
            f"{name} of {handle} is {expected}: {why}",
            shortened(record.get(name)),
            *extra,
            *told,
            *sight.exchanges,
        )


def parents_keep_their_own(bench: Bench) -> None:
    """A child is below its parent and below no other, and nothing is below a parent that is not there."""
    for operation in bench.caller.of("create"):
        resource = resource_of(operation)
        if resource.parent is not None:
            with bench.trial(operation, resource.parent.property, origin=resource.parent.origin) as trial:
                _below(bench, operation, trial)
    for operation in bench.caller.of("list", "get", "update", "delete"):
        if operation.ancestors:
            with bench.trial(operation, "another parent") as trial:
                _misplaced(bench, operation, trial)


def _below(bench: Bench, operation: Operation, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    parent = resource.parent
    if parent is None:
        return
    above = caller.contract.resources[parent.resource]
    one, other = caller.make(above), caller.make(above)
    parents = {**one.ids}
    body = caller.body(operation, parents, {})
    exchange = needed(caller.call(operation, parents, body=body), operation.status)
    handle = caller.handle(operation, parents, body, exchange)
    told = (*one.exchanges, *other.exchanges, exchange)
    for view in caller.views(resource):
        depends = parent.resource in _named(view.operation)
        if not caller.reaches(view, handle):
            continue
        sight = caller.look(handle, view)
        trial.hold(sight.record is not None, f"{handle} in {view.name}", "it is not there", *told, *sight.exchanges)
        if depends:
            wrong = Handle(resource, handle.id, other.ids)
            sight = caller.look(wrong, view)
            trial.hold(sight.record is None, f"no {handle} below {other}", "it is there", *told, *sight.exchanges)
    for name, shown in parent.show.items():
        record, sight = caller.seen(handle)
        if isinstance(shown, Mapping) and isinstance(record.get(name), dict) and "id" in shown:
            trial.hold(
                record[name].get("id") == one.id, f"{name}/id is {one.id}", shortened(record[name]), *told, *sight.exchanges
            )


def _misplaced(bench: Bench, operation: Operation, trial: Trial) -> None:
    """A record named below a parent that is not its own is not found."""
    caller, resource = bench.caller, resource_of(operation)
    if operation.action == "list" or not caller.can_write or not caller.of("create", resource=resource):
        return
    handle = caller.make(resource)
    nearest = caller.contract.resources[str(operation.ancestors[-1].identifies)]
    other = caller.make(nearest, None, caller.home_of(nearest) if nearest.parent else None)
    ids = {**handle.ids, **other.ids, resource.name: handle.id}
    if operation.body is not None:
        exchange = caller.call(operation, ids, body=caller.body(operation, other.ids, {}))
    else:
        exchange = caller.call(operation, ids)
    trial.answered(
        exchange, caller.status_of("not_found"), f"{handle} does not belong to {other}", *handle.exchanges, *other.exchanges
    )
    sight = caller.look(handle)
    trial.hold(sight.record is not None, f"{handle} still there", "it is gone", *handle.exchanges, exchange, *sight.exchanges)


# --------------------------------------------------------------------------------------------------------------------- times


def times_are_kept(bench: Bench) -> None:
    """A record tells when it was made and when it was last changed."""
    for operation in bench.caller.of("create"):
        resource = resource_of(operation)
        for name in (resource.created, resource.updated):
            if name:
                with bench.trial(operation, name) as trial:
                    _stamped(bench, resource, name, trial)
    for operation in bench.caller.of("update"):
        resource = resource_of(operation)
        if resource.created or resource.updated:
            with bench.trial(operation, resource.updated or resource.created or "") as trial:
                _moved(bench, operation, trial)


def _stamped(bench: Bench, resource: Resource, name: str, trial: Trial) -> None:
    """The time of creation is that of the server's clock: not before what was made before, nor after what is made after."""
    caller = bench.caller
    first, second = caller.make(resource), caller.make(resource)
    stamps = []
    for handle in (first, second):
        record, sight = caller.seen(handle)
        if name not in record:
            raise Premise(f"{name} is in no view of a single {resource.title}")
        at = moment(record[name])
        trial.hold(at is not None, f"{name} is a time", shortened(record[name]), *handle.exchanges, *sight.exchanges)
        stamps.append((at, handle, sight))
        now = moment(_clock(sight.exchanges[-1]))
        if at is not None and now is not None and json_type(resource.stored.get(name, {})) == "string":
            bound = 300 if bench.contract.times.zoned and resource.stored[name].get("format") != "date" else 90_000
            off = abs((now - at).total_seconds())
            trial.hold(
                off <= bound,
                f"{name} is about {now.isoformat()}, when it was made",
                shortened(record[name]),
                *handle.exchanges,
                *sight.exchanges,
            )
    (one, a, x), (other, b, y) = stamps
    if one and other:
        trial.hold(
            one <= other,
            f"{name} of {a} is not later than that of {b}, made after it",
            f"{one} and {other}",
            *a.exchanges,
            *b.exchanges,
            *x.exchanges,
            *y.exchanges,
        )


def _clock(exchange: Exchange) -> str | None:
    """The server's time: what its Date says, else that of this machine."""
    from datetime import UTC, datetime  # noqa: PLC0415
    from email.utils import parsedate_to_datetime  # noqa: PLC0415

    told = exchange.answer.header("date")
    try:
        return parsedate_to_datetime(told).isoformat() if told else datetime.now(UTC).isoformat()
    except ValueError:
        return None


def _moved(bench: Bench, operation: Operation, trial: Trial) -> None:
    """An update moves the time of the last change on, and leaves that of creation."""
    caller, resource = bench.caller, resource_of(operation)
    handle = caller.make(resource)
    before, first = caller.seen(handle)
    body = caller.body(operation, handle.parents, all_plain(bench, operation, handle.parents))
    told = (*handle.exchanges, *first.exchanges)
    for turn in range(MOMENTS):
        if turn:
            caller.target.pause(PAUSE)
        exchange = needed(caller.call(operation, handle.ids, body=body), operation.status)
        after, sight = caller.seen(handle)
        if resource.created in before:
            trial.hold(
                after.get(resource.created) == before[resource.created],
                f"{resource.created} stays {before[resource.created]}",
                shortened(after.get(resource.created)),
                *told,
                exchange,
                *sight.exchanges,
            )
        if resource.updated is None or resource.updated not in before:
            return
        one, other = moment(before[resource.updated]), moment(after.get(resource.updated))
        trial.hold(
            other is not None and one is not None,
            f"{resource.updated} is a time",
            shortened(after.get(resource.updated)),
            *told,
            exchange,
            *sight.exchanges,
        )
        if one and other and other > one:
            return
    trial.hold(
        False,
        f"{resource.updated} is later than {before[resource.updated]} after an update",
        shortened(after.get(resource.updated)),
        *told,
        exchange,
        *sight.exchanges,
    )


# ----------------------------------------------------------------------------------------------------- one record, no side effect


def one_record_is_touched(bench: Bench) -> None:
    """A write touches the record it names; all others stay as they are."""
    for operation in bench.caller.of("create", "update", "delete"):
        with bench.trial(operation) as trial:
            _touched(bench, operation, trial)


def _touched(bench: Bench, operation: Operation, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    parents = caller.home_of(resource)
    handles = [caller.make(resource, _plain_for(bench, resource, parents), parents) for _ in range(3)]
    bystanders = [handles[0], handles[2], *_strangers(bench, resource)]
    before = census(bench, resource, parents, bystanders)
    one = handles[1]
    if operation.action == "create":
        body = caller.body(operation, parents, _plain_for(bench, resource, parents))
        exchange = needed(caller.call(operation, parents, body=body), operation.status)
        own = caller.handle(operation, parents, body, exchange)
    else:
        own = one
        named = all_plain(bench, operation, parents) if operation.action == "update" else {}
        for name in resource.exclusive:
            named.pop(name, None)
        sent: Json = caller.body(operation, parents, named) if operation.body is not None else WITHOUT_BODY
        exchange = needed(caller.call(operation, own.ids, body=sent), operation.status)
    after = census(bench, resource, parents, bystanders)
    told = (*(h.exchanges[-1] for h in handles), exchange)
    _unchanged(trial, before, after, {repr(own.id)}, told, {"create": 1, "delete": -1}.get(operation.action, 0))


def _plain_for(bench: Bench, resource: Resource, parents: Ids) -> dict[str, Json]:
    plain = all_plain(bench, bench.caller.creation(resource), parents)
    return {name: value for name, value in plain.items() if name not in resource.exclusive}


def _strangers(bench: Bench, resource: Resource) -> list[Handle]:
    there = [handle for handle, _ in bench.caller.existing(resource)]
    return [there[0], there[-1]] if len(there) > 1 else there


Census = dict[str, dict[str, tuple[Record, tuple[Exchange, ...]]]]  # view -> id -> the record, and where it was seen


def census(bench: Bench, resource: Resource, parents: Ids, bystanders: Sequence[Handle]) -> Census:
    """What there is: all lists of the resource, and a few records close by."""
    caller = bench.caller
    found: Census = {}
    for operation in caller.of("list", resource=resource):
        if not {str(p.identifies) for p in operation.ancestors} <= set(parents):
            continue
        walk = caller.walk(operation, parents)
        if walk.whole:
            own = resource.id.property
            found[operation.operation_id] = {
                repr(record.get(own)): (record, (exchange,))
                for page, exchange in zip(walk.pages, walk.exchanges, strict=False)
                for record in page
            }
    close: dict[str, tuple[Record, tuple[Exchange, ...]]] = {}
    for handle in bystanders:
        sight = caller.look(handle)
        if sight.record is not None:
            close[repr(handle.id)] = (sight.record, sight.exchanges)
    return {**found, "": close}


def _unchanged(
    trial: Trial, before: Census, after: Census, touched: set[str], told: tuple[Exchange, ...], more: int | None = None
) -> None:
    """Two censuses differ in the touched records alone."""
    for view, old in before.items():
        new = after.get(view, {})
        for id in old.keys() - new.keys() - touched:
            trial.hold(False, f"{id} still there", "it is gone", *told, *next(iter(new.values()))[1] if new else ())
        for id in new.keys() - old.keys() - touched:
            trial.hold(False, "no other record", f"{id} has come to be", *told, *new[id][1])
        for id in old.keys() & new.keys() - touched:
            found = changes(old[id][0], new[id][0])
            trial.hold(
                not found,
                f"{id} as it was: {found[0].told[0] if found else ''}",
                found[0].told[1] if found else "",
                *old[id][1],
                *told,
                *new[id][1],
            )
        if view and more is not None:
            trial.hold(len(new) == len(old) + more, f"{len(old) + more} records in {view}", str(len(new)), *told)
        trial.checks += 1


def refused_writes_change_nothing(bench: Bench) -> None:
    """A body that breaks its schema is refused, and leaves everything as it was."""
    for operation in bench.caller.of("create", "update"):
        with bench.trial(operation):
            _refusals(bench, operation)


def _refusals(bench: Bench, operation: Operation) -> None:
    caller, resource = bench.caller, resource_of(operation)
    parents = caller.home_of(resource)
    handle = caller.make(resource, _plain_for(bench, resource, parents), parents)
    before = census(bench, resource, parents, [handle, *_strangers(bench, resource)])
    refused: list[Exchange] = []
    for name, keyword, value, part in _wrong_values(operation):
        with bench.trial(operation, f"{name} {keyword}", origin=origin_of(part, operation.origin)) as trial:
            good = all_plain(bench, operation, parents) if len(properties(operation.body or {})) < 30 else {}
            body: dict[str, Json] = {**caller.body(operation, parents, good), name: value}
            if keyword == "required":
                del body[name]
            exchange = caller.call(operation, handle.ids if operation.action == "update" else parents, body=body)
            if 400 <= exchange.answer.status < 500:
                refused.append(exchange)
            trial.answered(
                exchange,
                caller.status_of("invalid_body"),
                _why(name, keyword, value),
                *(handle.exchanges if operation.action == "update" else ()),
            )
    with bench.trial(operation, "nothing changes") as trial:
        if refused:
            after = census(bench, resource, parents, [handle, *_strangers(bench, resource)])
            made = {key[1] for key in caller.made if key[0] == resource.name} - {repr(handle.id)}
            _unchanged(
                trial, before, after, made if operation.action == "create" else set(), (*handle.exchanges, *_culprits(refused))
            )


def _culprits(refused: list[Exchange]) -> tuple[Exchange, ...]:
    return tuple(refused[:3])


def _why(name: str, keyword: str, value: Json) -> str:
    return f"{name} must be there" if keyword == "required" else f"{name} must not be {shortened(value)} ({keyword})"


def _wrong_values(operation: Operation) -> Iterator[tuple[str, str, Json, Mapping[str, Json]]]:
    """Each way in which a property of a body can break its schema: one per keyword, at most one property per kind and keyword."""
    schema = merged(operation.body or {})
    needed_ = set(schema.get("required", ())) - {operation.target}
    seen: dict[tuple[str, str, str], int] = {}
    for name, part in properties(schema).items():
        whole = merged(part)
        if whole.get("readOnly") or name == operation.target:
            continue
        kind = json_type(whole)
        for keyword, value in _breaking(whole, kind):
            key = (kind, keyword, str(whole.get("format")))
            seen[key] = seen.get(key, 0) + 1
            if seen[key] <= 2 and not fits(part, value):
                yield name, keyword, value, part
        if name in needed_:
            yield name, "required", None, part


def _breaking(schema: Mapping[str, Json], kind: str) -> Iterator[tuple[str, Json]]:
    yield "type", {"string": 7, "integer": "seven", "number": "seven", "boolean": "yes", "array": {}, "object": []}[kind]
    if not schema.get("nullable"):
        yield "null", None
    if "enum" in schema:
        yield "enum", "nobody-has-this"
    elif kind == "string":
        yield from _breaking_texts(schema)
    elif kind in ("integer", "number"):
        yield from _breaking_numbers(schema, kind)


def _breaking_texts(schema: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    if schema.get("format") in ("email", "date", "date-time", "uuid", "uri"):
        yield "format", "not one"
    if schema.get("format") in ("date", "date-time") and "pattern" not in schema:
        yield "no such day", "2024-02-30" + ("T00:00:00Z" if schema["format"] == "date-time" else "")
    if schema.get("minLength"):
        yield "minLength", ""
    if "maxLength" in schema:
        yield "maxLength", "x" * (schema["maxLength"] + 1)
    if "pattern" in schema:
        yield "pattern", "\x00"


def _breaking_numbers(schema: Mapping[str, Json], kind: str) -> Iterator[tuple[str, Json]]:
    if "minimum" in schema:
        yield "minimum", schema["minimum"] - 1
    if "maximum" in schema:
        yield "maximum", schema["maximum"] + 1
    elif schema.get("format") == "int32":
        yield "maximum", 2**31
    if kind == "integer":
        yield "whole number", 1.5


# ------------------------------------------------------------------------------------------------------------ children in bodies


def children_in_bodies(bench: Bench) -> None:
    """The array of children in a body creates, changes and deletes them; without it they stay."""
    for operation in bench.caller.of("update"):
        resource = resource_of(operation)
        for children in resource.children:
            part = properties(operation.body or {}).get(children.property)
            if children.writable and part is not None:
                with bench.trial(operation, children.property) as trial:
                    _children(bench, operation, children.property, trial)


def _children(bench: Bench, operation: Operation, name: str, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    children = next(one for one in resource.children if one.property == name)
    child = caller.contract.resources[children.resource]
    part = items(properties(operation.body or {})[name])
    own = child.id.property
    skipped = child.assigned | {own} | {one.property for one in child.children}
    fields = {n: p for n, p in properties(part).items() if n not in skipped and not merged(p).get("readOnly")}
    handle = caller.make(resource)

    def item(id: Json = None) -> dict[str, Json]:
        made = {n: caller.values.plain(p, n) for n, p in fields.items()}
        if child.parent is not None and child.parent.property in properties(part):
            made[child.parent.property] = handle.id
        return made if id is None else {**made, own: id}

    told = list(handle.exchanges)

    def put(extra: Mapping[str, Json]) -> list[Record]:
        body = caller.body(operation, handle.parents, {}) | dict(extra)
        exchange = caller.call(operation, handle.ids, body=body)
        trial.answered(exchange, operation.status, f"{name} may be sent", *told)
        record, sight = caller.seen(handle)
        told[:] = [
            *handle.exchanges,
            *(e for e in told[len(handle.exchanges) :] if e.request.method != "GET"),
            exchange,
            *sight.exchanges,
        ]
        shown = record.get(name)
        return shown if isinstance(shown, list) else []

    one, two = item(), item()
    listed = put({name: [one, two]})
    trial.hold(len(listed) == 2, f"the two {name} that were sent", f"{len(listed)}", *told)
    for sent, seen in zip((one, two), listed, strict=True):
        _holds(trial, sent, seen, name, told)
    ids = [seen.get(own) for seen in listed]
    if None in ids:
        raise Premise(f"{name} are shown without ids")
    trial.hold(ids[0] != ids[1], "ids of their own", shortened(ids), *told)
    changed, new = item(ids[0]), item()
    listed = put({name: [changed, new]})
    kept = {repr(seen.get(own)): seen for seen in listed}
    trial.hold(
        len(listed) == 2 and repr(ids[0]) in kept,
        f"{ids[0]}, which was named, and a new one",
        shortened([s.get(own) for s in listed]),
        *told,
    )
    trial.hold(repr(ids[1]) not in kept, f"{ids[1]} deleted: it was not named", "it is there", *told)
    _holds(trial, {n: v for n, v in changed.items() if n != own}, kept[repr(ids[0])], name, told)
    after = put({})
    trial.hold(
        [s.get(own) for s in after] == [s.get(own) for s in listed],
        f"{name} as they were: the array was not sent",
        shortened([s.get(own) for s in after]),
        *told,
    )
    trial.hold(put({name: []}) == [], f"no {name}: an empty array was sent", "some", *told)


def _holds(trial: Trial, sent: Mapping[str, Json], seen: Record, name: str, told: list[Exchange]) -> None:
    for key, value in sent.items():
        if key in seen and not (isinstance(value, str) and moment(value) and moment(value) == moment(seen[key])):
            trial.hold(agree(value, seen[key]), f"{name}/*/{key} is {shortened(value)}", shortened(seen[key]), *told)
