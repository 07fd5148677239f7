"""Body -> records created, changed and deleted, with all that follows from it in other records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from mock_server import clock
from mock_server.contract import NOTHING, Contract, Counter, Guard, Json, Record, Resource
from mock_server.intake import Intake
from mock_server.refusals import Dangling, Duplicate, Guarded, Refusal, Violation
from mock_server.state import Collection, Mark, State, Trashed, Write

if TYPE_CHECKING:
    from mock_server.worlds import World


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
        self._check(collection, {**sent, **given} if given else sent, None, at)
        chosen = resource.id.number(given.get(resource.id.property)) if given else None
        number = collection.next if chosen is None else chosen
        record = {**self.state.contract.blanks[resource.name], **sent}
        for counter in resource.counters:
            if not counter.settable or record.get(counter.property) in NOTHING:
                record[counter.property] = self._counted(collection, counter, number)
        if resource.times:
            now = self.world.clock.now()
            for property in resource.times:
                record[property] = self._written(resource, property, now)
        if given:
            record |= given
        self._put(collection, number, record)
        self._clear_others(collection, number, record)
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
        self._clear_others(collection, number, new)

    def write_children(self, intake: Intake, number: int, body: Json, at: str = "") -> None:
        """The child records that a body lists: with a known id it is changed, else created; one not listed is deleted."""
        resource = intake.resource
        for children in resource.children:
            listed = body.get(children.property) if children.writable and isinstance(body, dict) else None
            if isinstance(listed, list):
                id = self.state.collections[resource.name].living(number)[resource.id.property]
                self._write_child_list(intake.below(children), id, listed, f"{at}/{children.property}")

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

    def _write_child_list(self, intake: Intake, parent: Json, listed: list[Json], at: str) -> None:
        resource = intake.resource
        collection = self.state.collections[resource.name]
        before = set(collection.children(parent))
        kept = set[int]()
        for place, item in enumerate(listed):
            found = collection.find(item.get(resource.id.property))
            known = found if found is not None and found[0] in before else None
            if known is not None:
                number, old = known
                sent = intake.of_old(item)
                self.change(resource, number, replaced(intake, old, sent), sent, f"{at}/{place}")
            else:
                number = self.create(resource, {**intake.of_new(item), collection.parent.property: parent}, f"{at}/{place}")
            kept.add(number)
            self.write_children(intake, number, item, f"{at}/{place}")
        for number in sorted(before - kept):
            self._remove(collection, number, (resource.name, number))

    def _check(self, collection: Collection, sent: Record, number: int | None, at: str) -> None:
        _raise_first([*self._dangling(collection.resource, sent, at), *self._taken(collection, sent, number, at)])

    def _dangling(self, resource: Resource, sent: Record, at: str) -> Iterator[Refusal]:
        """References, and the parent, name records that live."""
        for reference in resource.checked:
            if reference.property not in sent:
                continue
            value = sent[reference.property]
            refers = value not in NOTHING or reference is resource.parent
            if refers and self.state.referred(reference, value) is None:
                title = self.state.contract.resources[reference.resource].title
                told = Violation("body", f"{at}/{reference.property}", f"names {title} {value}, which does not exist")
                yield Dangling(title, str(value), violations=(told,))

    @staticmethod
    def _taken(collection: Collection, sent: Record, number: int | None, at: str) -> Iterator[Refusal]:
        """Unique values are free."""
        for property in collection.unique:
            value = sent.get(property)
            holder = None if value in NOTHING else collection.holder(property, value)
            if holder is not None and holder != number:
                title = collection.resource.title
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
        return clock.written(instant, self.state.contract.times, day=property in resource.days)

    def _put(self, collection: Collection, number: int, record: Record | None) -> None:
        """Store a record, or none where it is deleted."""
        self._before.append((collection, collection.mark(number)))
        if record is None:
            collection.remove(number)
        else:
            collection.put(number, record)

    def _clear_others(self, collection: Collection, number: int, record: Record) -> None:
        """Of an exclusive property one record of a parent is true: the one written last."""
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


def shallow(_intake: Intake, old: Record, sent: Record) -> Record:
    """A property sent replaces the one stored, the others stay."""
    return {**old, **sent}


def deep(intake: Intake, old: Record, sent: Record) -> Record:
    """Objects merge property by property."""

    def merge(before: Json, now: Json) -> Json:
        if isinstance(before, dict) and isinstance(now, dict):
            return {**before, **{name: merge(before.get(name), value) for name, value in now.items()}}
        return now

    return {**old, **{name: intake.filled_in(name, merge(old.get(name), value)) for name, value in sent.items()}}


def replaced(intake: Intake, old: Record, sent: Record) -> Record:
    """What is not sent is reset, what the server assigns stays."""
    held = {name: value for name, value in old.items() if name in intake.resource.kept}
    return {**intake.contract.blanks[intake.resource.name], **held, **sent}


MERGES: Mapping[str, Callable[[Intake, Record, Record], Record]] = {
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
