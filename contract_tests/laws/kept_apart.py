"""Laws of what tells records apart: ids, numbers and unique values; and of references, which name records that are there."""

from __future__ import annotations

from dataclasses import dataclass, field

from contract_tests.callers import Handle, Ids
from contract_tests.comparing import changes
from contract_tests.exchanges import Exchange
from contract_tests.laws.bench import ANYWHERE, Bench
from contract_tests.laws.written import all_plain, resource_of, shareable
from contract_tests.schemas import merged, properties
from contract_tests.shapes import fits, shortened
from contract_tests.trials import Premise, Trial, needed
from mock_server.contract import Json, Operation, Record, Reference, Resource, Unique, json_type


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
    homes = _two_homes(bench, resource)
    seen: dict[str, tuple[Exchange, ...]] = {}
    listed = {repr(record.get(name)) for _, record in caller.existing(resource) if record.get(name) is not None}
    for turn in range(4):
        parents = homes[turn % 2]
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


def _two_homes(bench: Bench, resource: Resource) -> tuple[Ids, Ids]:
    """Two parents below which there is nothing yet, so that whoever counts for each of them gives the same twice."""
    caller = bench.caller
    above = bench.contract.resources[resource.parent.resource] if resource.parent else None
    if above is None or not caller.of("create", resource=above):
        return caller.home_of(resource), caller.home_of(resource)
    return caller.make(above).ids, caller.make(above).ids


# ------------------------------------------------------------------------------------------------------- uniqueness, references


def unique_is_unique(bench: Bench) -> None:
    for operation in bench.caller.of("create", "update"):
        resource = resource_of(operation)
        if operation.action == "create":
            _twins(bench, operation)
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

    @property
    def resource(self) -> Resource:
        return resource_of(self.operation)

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
        """A record with the value, and with one for every other property."""
        caller, resource = self.bench.caller, resource_of(self.operation)
        plain = all_plain(self.bench, caller.creation(resource), caller.home_of(resource))
        return caller.make(resource, {**plain, self.unique.property: value})


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
            expected, count_now = "as many records as before: it was refused", _count(bench, operation)
            trial.hold(count_now == count, expected, "another number", *told, origin=ANYWHERE)
    with bench.trial(operation, f"{name} of an old record", origin=unique.origin) as trial:
        _taken_before(bench, writer, trial)
    with bench.trial(operation, f"nearly the same {name}", origin=unique.origin) as trial:
        _near(writer, trial)
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
    for other in bench.resources("create"):
        if other is not writer.resource and _may_share(bench, writer, other):
            with bench.trial(operation, f"{name} of a {other.title}", origin=unique.origin) as trial:
                _of_another_kind(bench, writer, other, trial)
    if operation.action == "update":
        with bench.trial(operation, f"{name} of its own", origin=unique.origin) as trial:
            value = writer.fresh()
            holder = writer.holder(value)
            exchange, _ = writer.write(value, holder)
            trial.answered(exchange, operation.status, f"{holder} may keep its own {name}", *holder.exchanges)
            if isinstance(value, str) and unique.fold:
                exchange, _ = writer.write(value.swapcase(), holder)
                trial.answered(exchange, operation.status, f"{holder} may write its own {name} otherwise", *holder.exchanges)


def _taken_before(bench: Bench, writer: _Uniqueness, trial: Trial) -> None:
    """What was there before this run counts as well."""
    caller, name = bench.caller, writer.unique.property
    there = [
        (handle, record) for handle, record in caller.existing(resource_of(writer.operation)) if handle.key not in caller.made
    ]
    known = [(handle, record[name]) for handle, record in there if record.get(name) not in (None, "")]
    for handle, value in known[:1]:
        sight = caller.look(handle)
        if sight.record is not None and sight.record.get(name) == value:
            writer.refused(trial, value, f"{handle} has the {name} {shortened(value)}", sight.exchanges)


def _may_share(bench: Bench, writer: _Uniqueness, other: Resource) -> bool:
    """Whether records of another kind have a property of the same name for values of their own."""
    part = properties(bench.caller.creation(other).body or {}).get(writer.unique.property)
    names = {one.property for one in other.references} | {other.parent.property if other.parent else ""}
    return part is not None and writer.unique.property not in names and fits(part, writer.fresh())


def _of_another_kind(bench: Bench, writer: _Uniqueness, other: Resource, trial: Trial) -> None:
    """A value is unique among the records of its own kind: one of another may have it, whoever has it first."""
    caller, name = bench.caller, writer.unique.property
    value, creation = writer.fresh(), caller.creation(other)
    first = caller.make(other, {name: value})
    exchange, before = writer.write(value)
    why = f"{shortened(value)} is unique among {writer.resource.title} records, and {first} is none"
    trial.answered(exchange, writer.operation.status, why, *first.exchanges, *before)
    again = caller.call(creation, first.parents, body=caller.body(creation, first.parents, {name: value}))
    if not any(one.property == name for one in other.unique):
        why = f"{shortened(value)} is unique among {writer.resource.title} records alone"
        trial.answered(again, creation.status, why, *first.exchanges, *before, exchange)


def _near(writer: _Uniqueness, trial: Trial) -> None:
    """A value that is only like another is another."""
    value = writer.fresh()
    if not isinstance(value, str):
        return
    holder, schema = writer.holder(value), properties(writer.operation.body or {})[writer.unique.property]
    for other in (f"x{value}", f"{value}x", f"{value[:1]}.{value[1:]}", f"{value[:1]}+{value[1:]}"):
        if fits(schema, other):
            exchange, before = writer.write(other)
            why = f"{shortened(other)} is another {writer.unique.property} than {shortened(value)}"
            trial.answered(exchange, writer.operation.status, why, *holder.exchanges, *before)


def _twins(bench: Bench, operation: Operation) -> None:
    """Two records may share every value but the unique ones."""
    caller, resource = bench.caller, resource_of(operation)
    with bench.trial(operation, "all other values") as trial:
        parents = caller.home_of(resource)
        plain = all_plain(bench, operation, parents)
        first = caller.make(resource, plain, parents)
        body = caller.body(operation, parents, shareable(first))
        exchange = caller.call(operation, parents, body=body)
        trial.answered(exchange, operation.status, f"{first} shares nothing with it that must be unique", *first.exchanges)


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
    if writer.operation.action == "create":
        id = bench.caller.id_in(writer.operation, exchange)
        trial.hold(
            id != holder.id, "another record: the old one is deleted", f"{id} once more", *holder.exchanges, gone, exchange
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
    """An id that was never given, and that of a record that is deleted."""
    schema = properties(operation.body or {})[reference.property]
    mark = bench.caller.values.mark()
    nobody: Json = 1_999_999_999 if json_type(merged(schema)) == "integer" else f"no-{mark}"
    _refused_reference(bench, operation, reference, nobody, trial)
    other = bench.contract.resources[reference.resource]
    if bench.caller.of("create", resource=other) and reference.by is None:
        handle = bench.caller.make(other)
        removal = bench.caller.deletion(handle)
        if removal is not None:
            needed(bench.caller.call(removal, handle.ids), removal.status)
            _refused_reference(bench, operation, reference, handle.id, trial)


def _refused_reference(bench: Bench, operation: Operation, reference: Reference, nobody: Json, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
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
