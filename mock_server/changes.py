"""Body -> records created, changed and deleted, with all that follows from it in other records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from mock_server import clock
from mock_server.contract import Children, Contract, Counter, Guard, Json, Record, Resource, Schema
from mock_server.refusals import Dangling, Duplicate, Guarded, Violation
from mock_server.schemas import merged
from mock_server.state import Collection, Mark, State, Trashed
from mock_server.views import MISSING, filled_in, unset

if TYPE_CHECKING:
    from mock_server.worlds import World

NOTHING = (None, "", 0)  # What asks the server for a value, and refers to no record.


@dataclass(frozen=True, slots=True)
class Changes:
    """What one call does to one API's records in one world: all of it, or nothing if it is refused half-way.

    with Changes(world, state) as changes: ...
    """

    world: World
    state: State
    _before: list[tuple[Collection, Mark]] = field(default_factory=list)
    _trashed: list[Trashed] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, refused: type[BaseException] | None, *_: object) -> None:
        if refused is None:
            self.state.trash.extend(self._trashed)
            return
        for collection, mark in reversed(self._before):
            collection.revert(mark)

    def create(self, resource: Resource, sent: Record) -> int:
        """Store a new record with what the server assigns; answer its number.

        Raises Dangling, Duplicate.
        """
        collection = self.state.collections[resource.name]
        self._check(collection, sent, None)
        number = collection.next
        record = {**blank(self.state.contract, resource), **resource.initial, **sent}
        for counter in (resource.id, *resource.numbers):
            if not counter.settable or record.get(counter.property) in NOTHING:
                record[counter.property] = self._counted(collection, counter, number)
        for property in (resource.created, resource.updated):
            if property:
                record[property] = self._now(resource, property)
        self._put(collection, number, record)
        self._clear_others(collection, number)
        return number

    def change(self, resource: Resource, number: int, new: Record, sent: Record) -> None:
        """Store a record anew, of which `sent` was sent.

        Raises Dangling, Duplicate.
        """
        collection = self.state.collections[resource.name]
        self._check(collection, {name: new[name] for name in sent}, number)
        if resource.updated:
            new[resource.updated] = self._now(resource, resource.updated)
        self._put(collection, number, new)
        self._clear_others(collection, number)

    def write_children(self, resource: Resource, number: int, body: Json) -> None:
        """The child records that a body lists: with a known id it is changed, else created; one not listed is deleted."""
        for children in resource.children:
            items = body.get(children.property) if children.writable and isinstance(body, dict) else None
            if isinstance(items, list):
                id = self.state.collections[resource.name].living(number)[resource.id.property]
                self._write_child_list(children, id, items)

    def delete(self, resource: Resource, number: int) -> None:
        """Delete a record with what belongs to it.

        Raises Guarded.
        """
        record = self.state.collections[resource.name].living(number)
        for guard in resource.guards:
            self._guard(resource, record, guard)
        self._remove(self.state.collections[resource.name], number, (resource.name, number))

    def _write_child_list(self, children: Children, parent: Json, items: list[Json]) -> None:
        collection = self.state.collections[children.resource]
        resource = collection.resource
        before = set(collection.children(parent))
        kept = set[int]()
        for item in items:
            found = collection.find(item.get(resource.id.property))
            known = found if found is not None and found[0] in before else None
            sent = storable(self.state.contract, resource, resource.stored, item, new=known is None)
            if known is not None:
                number, old = known
                self.change(resource, number, replaced(self.state.contract, resource, old, sent), sent)
            else:
                number = self.create(resource, {**sent, collection.parent.property: parent})
            kept.add(number)
            self.write_children(resource, number, item)
        for number in sorted(before - kept):
            self._remove(collection, number, (resource.name, number))

    def _check(self, collection: Collection, sent: Record, number: int | None) -> None:
        resource = collection.resource
        for reference in resource.references:
            value = sent.get(reference.property)
            if reference.checked and value not in NOTHING and self.state.referred(reference, value) is None:
                raise dangling(self.state.contract, reference.resource, reference.property, value)
        for property, fold in collection.unique:
            value = sent.get(property)
            holder = None if value in NOTHING else collection.holder(property, value, fold)
            if holder is not None and holder != number:
                id = str(collection.living(holder)[resource.id.property])
                taken = Violation("body", f"/{property}", f"is taken by {resource.title} {id}")
                raise Duplicate(resource.title, property, str(value), id, violations=(taken,))

    def _counted(self, collection: Collection, counter: Counter, number: int) -> str | int:
        """The counter's next value that no record has: a client may have taken one."""
        year = int(clock.written(self.world.clock.now(), self.state.contract.times)[:4])
        while counter.settable and collection.holder(counter.property, counter.value(number, year), fold=False) is not None:
            number += 1
        return counter.value(number, year)

    def _now(self, resource: Resource, property: str) -> str:
        day = resource.stored[property].get("format") == "date"
        return clock.written(self.world.clock.now(), self.state.contract.times, day=day)

    def _put(self, collection: Collection, number: int, record: Record | None) -> None:
        """Store a record, or none where it is deleted."""
        self._before.append((collection, collection.mark(number)))
        if record is None:
            collection.remove(number)
        else:
            collection.put(number, record)

    def _clear_others(self, collection: Collection, number: int) -> None:
        """Of an exclusive property one record of a parent is true: the one written last."""
        record = collection.living(number)
        for property in collection.resource.exclusive:
            if record.get(property) is not True:
                continue
            for other in collection.children(record[collection.parent.property]):
                sibling = collection.living(other)
                if other != number and sibling.get(property) is True:
                    self._put(collection, other, {**sibling, property: False})

    def _guard(self, resource: Resource, record: Record, guard: Guard) -> None:
        collection = self.state.collections[guard.resource]
        id, below = record[resource.id.property], collection.resource
        others = (collection.living(number) for number in collection.referring(guard.property, id))
        blocking = [other for other in others if not _harmless(other, guard)]
        if blocking:
            told = tuple(
                Violation("state", _path_to(self.state.contract, below, other), f"{below.title} is {_told(other, guard)}")
                for other in blocking
            )
            raise Guarded(resource.title, str(id), guard.message, violations=told)

    def _remove(self, collection: Collection, number: int, root: tuple[str, int]) -> None:
        resource, record = collection.resource, collection.living(number)
        for other, property in self._dependents(resource):
            for dependent in other.referring(property, record[resource.id.property]):
                if other.get(dependent) is not None:  # It may have gone already, with another of the dependents.
                    self._remove(other, dependent, root)
        self._put(collection, number, None)
        if resource.trash:
            self._trashed.append(Trashed(resource.name, number, record, self.world.clock.now(), root))

    def _dependents(self, resource: Resource) -> Iterator[tuple[Collection, str]]:
        """The collections whose records go with a record of this resource, and the property by which they belong to it."""
        for other in self.state.collections.values():
            parent = other.resource.parent
            if parent and parent.resource == resource.name:
                yield other, parent.property
            if other.resource.name in resource.cascades:
                yield from ((other, r.property) for r in other.resource.references if r.resource == resource.name and not r.by)


def blank(contract: Contract, resource: Resource) -> Record:
    """Every stored property without a value."""
    pairs = ((name, unset(contract, schema)) for name, schema in resource.stored.items())
    return {name: value for name, value in pairs if value is not MISSING}


def storable(contract: Contract, resource: Resource, known: Mapping[str, Schema], body: Json, *, new: bool) -> Record:
    """What of a body can be stored: known, neither assigned nor computed, its objects whole; a number only of a new record."""
    kept = {*resource.assigned, *resource.shown, *(children.property for children in resource.children)}
    if not new:
        kept |= {counter.property for counter in resource.numbers}
    return {
        name: filled_in(contract, known[name], value)
        for name, value in body.items()
        if name in known and name not in kept and not merged(known[name]).get("readOnly")
    }


def dangling(contract: Contract, resource: str, property: str, value: Json) -> Dangling:
    """The refusal of a body's property that names no record."""
    title = contract.resources[resource].title
    violation = Violation("body", f"/{property}", f"names {title} {value}, which does not exist")
    return Dangling(title, str(value), violations=(violation,))


def shallow(contract: Contract, resource: Resource, old: Record, sent: Record) -> Record:
    """A property sent replaces the one stored, the others stay."""
    return {**old, **sent}


def deep(contract: Contract, resource: Resource, old: Record, sent: Record) -> Record:
    """Objects merge property by property."""

    def merged(before: Json, now: Json) -> Json:
        if isinstance(before, dict) and isinstance(now, dict):
            return {**before, **{name: merged(before.get(name), value) for name, value in now.items()}}
        return now

    return {**old, **{name: merged(old.get(name), value) for name, value in sent.items()}}


def replaced(contract: Contract, resource: Resource, old: Record, sent: Record) -> Record:
    """What is not sent is reset, what the server assigns stays."""
    kept = resource.assigned | {counter.property for counter in resource.numbers}
    kept |= {name for name, schema in resource.stored.items() if merged(schema).get("readOnly")}
    return {**blank(contract, resource), **{name: value for name, value in old.items() if name in kept}, **sent}


MERGES: Mapping[str, Callable[[Contract, Resource, Record, Record], Record]] = {
    "shallow": shallow,
    "deep": deep,
    "replace": replaced,
}


def _harmless(record: Record, guard: Guard) -> bool:
    return any(record.get(property) in values for property, values in guard.unless.items())


def _told(record: Record, guard: Guard) -> str:
    return ", ".join(str(record.get(property)) for property in guard.unless) or "there"


def _path_to(contract: Contract, resource: Resource, record: Record) -> str:
    """Where a client gets the record."""
    id = str(record[resource.id.property])
    for operation in contract.operations.values():
        if operation.action == "get" and operation.resource is resource and operation.identifier and not operation.ancestors:
            return operation.path.replace(f"{{{operation.identifier.name}}}", id)
    return f"/{resource.name}/{id}"
