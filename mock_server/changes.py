"""Body -> records created, changed and deleted, with all that follows from it in other records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from mock_server import clock
from mock_server.contract import Children, Contract, Counter, Guard, Json, Record, Resource, Schema, properties
from mock_server.refusals import Dangling, Duplicate, Guarded, Refusal, Violation
from mock_server.schemas import items, merged
from mock_server.state import Collection, Mark, State, Trashed, Write
from mock_server.views import filled_in

if TYPE_CHECKING:
    from mock_server.worlds import World

NOTHING = (None, "", 0)  # What asks the server for a value, and refers to no record.


@dataclass(slots=True)
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
            api = self.state.contract.name
            trash = self.state.trash
            self.world.unsaved.extend(
                Write(
                    api,
                    collection.resource.name,
                    mark.number,
                    mark.was_written,
                    mark.record,
                    trash.get((collection.resource.name, mark.number)),
                    collection.written[mark.number],
                )
                for collection, mark in self._before
            )
            trash.update({(trashed.resource, trashed.number): trashed for trashed in self._trashed})
            return
        for collection, mark in reversed(self._before):
            collection.revert(mark)

    def create(self, resource: Resource, sent: Record, at: str = "", given: Record | None = None) -> int:
        """Store a new record with what the server assigns, but for `given`; answer its number. `at` points at what was sent.

        Raises Dangling, Duplicate: the first of the reasons against it, with the violations of all.
        """
        collection = self.state.collections[resource.name]
        given = given or {}
        self._check(collection, {**sent, **given}, None, at)
        chosen = resource.id.number(given.get(resource.id.property))
        number = collection.next if chosen is None else chosen
        record = {**self.state.contract.blanks[resource.name], **resource.initial, **sent}
        for counter in (resource.id, *resource.numbers):
            if not counter.settable or record.get(counter.property) in NOTHING:
                record[counter.property] = self._counted(collection, counter, number)
        now = self.world.clock.now()
        for property in resource.times:
            record[property] = self._written(resource, property, now)
        record |= given
        self._put(collection, number, record)
        self._clear_others(collection, number)
        return number

    def change(self, resource: Resource, number: int, new: Record, sent: Record, at: str = "") -> None:
        """Store a record anew, of which `sent` was sent.

        Raises Dangling, Duplicate, as `create` does.
        """
        collection = self.state.collections[resource.name]
        self._check(collection, {name: new[name] for name in sent}, number, at)
        if resource.updated:
            new[resource.updated] = self._written(resource, resource.updated, self.world.clock.now())
        self._put(collection, number, new)
        self._clear_others(collection, number)

    def write_children(self, resource: Resource, number: int, body: Json, schema: Schema, at: str = "") -> None:
        """The child records that a body lists: with a known id it is changed, else created; one not listed is deleted."""
        for children in resource.children:
            items_ = body.get(children.property) if children.writable and isinstance(body, dict) else None
            if isinstance(items_, list):
                id = self.state.collections[resource.name].living(number)[resource.id.property]
                known = items(properties(schema).get(children.property, {}))
                self._write_child_list(children, id, items_, known, f"{at}/{children.property}")

    def delete(self, resource: Resource, number: int) -> None:
        """Delete a record with what belongs to it.

        Raises Guarded.
        """
        record = self.state.collections[resource.name].living(number)
        for guard in resource.guards:
            self._guard(resource, record, guard)
        self._remove(self.state.collections[resource.name], number, (resource.name, number))

    def restore(self, trashed: Sequence[Trashed]) -> None:
        """Store deleted records as they were.

        Raises Dangling, Duplicate.
        """
        records = [(self.state.collections[one.resource], one) for one in trashed]
        for collection, one in records:  # Before it is stored, so that another record keeps the value.
            _raise_first(self._taken(collection, one.record, one.number, ""))
            self._put(collection, one.number, one.record)
        for collection, one in records:
            _raise_first(self._dangling(collection.resource, one.record, ""))

    def _write_child_list(self, children: Children, parent: Json, listed: list[Json], schema: Schema, at: str) -> None:
        contract, collection = self.state.contract, self.state.collections[children.resource]
        resource = collection.resource
        before = set(collection.children(parent))
        kept = set[int]()
        for place, item in enumerate(listed):
            found = collection.find(item.get(resource.id.property))
            known = found if found is not None and found[0] in before else None
            sent = storable(contract, resource, properties(schema), item, new=known is None)
            if known is not None:
                number, old = known
                self.change(resource, number, replaced(contract, resource, old, sent), sent, f"{at}/{place}")
            else:
                number = self.create(resource, {**sent, collection.parent.property: parent}, f"{at}/{place}")
            kept.add(number)
            self.write_children(resource, number, item, schema, f"{at}/{place}")
        for number in sorted(before - kept):
            self._remove(collection, number, (resource.name, number))

    def _check(self, collection: Collection, sent: Record, number: int | None, at: str) -> None:
        _raise_first([*self._dangling(collection.resource, sent, at), *self._taken(collection, sent, number, at)])

    def _dangling(self, resource: Resource, sent: Record, at: str) -> Iterator[Refusal]:
        """References, and the parent, name records that live."""
        for reference in (*resource.references, *((resource.parent,) if resource.parent else ())):
            value = sent.get(reference.property)
            absent = reference.property not in sent or (value in NOTHING and reference is not resource.parent)
            if reference.checked and not absent and self.state.referred(reference, value) is None:
                title = self.state.contract.resources[reference.resource].title
                told = Violation("body", f"{at}/{reference.property}", f"names {title} {value}, which does not exist")
                yield Dangling(title, str(value), violations=(told,))

    @staticmethod
    def _taken(collection: Collection, sent: Record, number: int | None, at: str) -> Iterator[Refusal]:
        """Unique values are free."""
        title = collection.resource.title
        for property in collection.unique:
            value = sent.get(property)
            holder = None if value in NOTHING else collection.holder(property, value)
            if holder is not None and holder != number:
                id = str(collection.living(holder)[collection.resource.id.property])
                told = Violation("body", f"{at}/{property}", f"is taken by {title} {id}")
                yield Duplicate(title, property, str(value), id, violations=(told,))

    def _counted(self, collection: Collection, counter: Counter, number: int) -> str | int:
        """The counter's next value that no record has: a client may have taken one."""
        year = int(clock.written(self.world.clock.now(), self.state.contract.times)[:4]) if counter.yearly else 0
        while counter.settable and collection.holder(counter.property, counter.value(number, year)) is not None:
            number += 1
        return counter.value(number, year)

    def _written(self, resource: Resource, property: str, instant: int) -> str:
        """An instant (microseconds) as a property has it."""
        return clock.written(instant, self.state.contract.times, day=resource.stored[property].get("format") == "date")

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
        dependents = [
            (other, dependent)
            for other, property, held in self._dependents(resource)
            for dependent in other.referring(property, record.get(held))
        ]
        self._put(collection, number, None)
        if resource.trash:
            self._trashed.append(Trashed(resource.name, number, record, self.world.clock.now(), root))
        for other, dependent in dependents:
            if other.get(dependent) is not None:  # It may have gone already, with another of the dependents.
                self._remove(other, dependent, root)

    def _dependents(self, resource: Resource) -> Iterator[tuple[Collection, str, str]]:
        """The collections whose records go with a record of this resource, by which property, and what of the record it holds."""
        for other in self.state.collections.values():
            parent = other.resource.parent
            if parent and parent.resource == resource.name:
                yield other, parent.property, resource.id.property
            if other.resource.name in resource.cascades:
                for reference in other.resource.references:
                    if reference.resource == resource.name:
                        yield other, reference.property, reference.by or resource.id.property


def _raise_first(refusals: Iterable[Refusal]) -> None:
    """Raise the first of the refusals, if there is one, with the violations of all."""
    every = list(refusals)
    if every:
        every[0].violations = tuple(violation for refusal in every for violation in refusal.violations)
        raise every[0]


def storable(  # each says something else about the body
    contract: Contract, resource: Resource, known: Mapping[str, Schema], body: Json, *, new: bool, whole: bool = True
) -> Record:
    """What of a body can be stored: known, neither assigned nor computed; a number only of a new record; objects whole, if so."""
    kept = resource.computed if new else resource.computed_later
    return {
        name: filled_in(contract, known[name], value) if whole else value
        for name, value in body.items()
        if name in known and name not in kept and not merged(known[name]).get("readOnly")
    }


def shallow(contract: Contract, resource: Resource, old: Record, sent: Record) -> Record:
    """A property sent replaces the one stored, the others stay."""
    return {**old, **sent}


def deep(contract: Contract, resource: Resource, old: Record, sent: Record) -> Record:
    """Objects merge property by property."""

    def merge(before: Json, now: Json) -> Json:
        if isinstance(before, dict) and isinstance(now, dict):
            return {**before, **{name: merge(before.get(name), value) for name, value in now.items()}}
        return now

    return {
        **old,
        **{name: filled_in(contract, resource.stored[name], merge(old.get(name), value)) for name, value in sent.items()},
    }


def replaced(contract: Contract, resource: Resource, old: Record, sent: Record) -> Record:
    """What is not sent is reset, what the server assigns stays."""
    kept = resource.assigned | {counter.property for counter in resource.numbers}
    kept |= {name for name, schema in resource.stored.items() if merged(schema).get("readOnly")}
    held = {name: value for name, value in old.items() if name in kept}
    return {**contract.blanks[resource.name], **resource.initial, **held, **sent}


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
