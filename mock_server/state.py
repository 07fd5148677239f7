"""One API's records in one world: the virtual baseline, and what was written over it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from mock_server.contract import Contract, Filter, Json, Record, Reference, Resource
from mock_server.seeded import Baseline, Selection, Table, compiled, values

if TYPE_CHECKING:
    from mock_server.reply import Reply

SELECTIONS_KEPT = 64  # filters whose answer a collection keeps up to date
WRITES_KEPT = 4096  # writes after which the selections start anew


@dataclass(frozen=True, slots=True)
class Condition:
    """A filter with the value that a call gave it."""

    filter: Filter
    value: Json

    @property
    def key(self) -> Hashable:
        """What two conditions share that select the same records; true is not 1."""
        value = tuple(self.value) if isinstance(self.value, list) else self.value
        return (self.filter, type(self.value), value)


@dataclass(slots=True)
class Trashed:
    """A deleted record: what it was, when it went (microseconds), and with which record."""

    resource: str
    number: int
    record: Record
    deleted: int
    root: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Mark:
    """How one record and the next number stood before a write."""

    number: int
    was_written: bool
    record: Record | None
    next: int


class Write(NamedTuple):
    """One record written in a world: what it was before, and what it is then."""

    api: str
    resource: str
    number: int
    was_written: bool
    record: Record | None  # None: it was deleted, or, if it was not written, as the baseline has it
    trashed: Trashed | None
    after: Record | None = None  # None: it is deleted

    @property
    def key(self) -> tuple[str, str, int]:
        return self.api, self.resource, self.number


def key_of(value: Json, fold: bool) -> Hashable:
    """What two values share that collide; None for a value that never collides."""
    if value is None or value == "" or isinstance(value, (dict, list)):
        return None
    return value.casefold() if fold and isinstance(value, str) else value


class Collection:
    """The records of one resource in one world, by record number. Records are never changed in place."""

    __slots__ = (
        "_by_parent",
        "_keys",
        "_selections",
        "_touched",
        "_writes",
        "next",
        "resource",
        "state",
        "table",
        "unique",
        "version",
        "written",
    )

    def __init__(self, resource: Resource, table: Table, state: State) -> None:
        self.resource = resource
        self.table = table
        self.state = state
        self.unique = {counter.property: False for counter in resource.numbers}  # each property no two share -> case is folded
        self.unique |= {unique.property: unique.fold for unique in resource.unique}
        self.written: dict[int, Record | None] = {}  # None: deleted
        self.next = table.count
        self.version = 0  # counts writes, those of its records' children included
        self._by_parent: dict[Json, set[int]] = {}  # parent's id -> numbers written
        self._keys: dict[str, dict[Hashable, int]] = {name: {} for name in self.unique}  # value -> number, of what is written
        self._touched: set[int] = set()  # numbers that may be in other selections than the table says
        self._writes: list[int] = []  # the same in the order of their writes: selections catch up from it
        self._selections: dict[tuple[Hashable, ...], tuple[int, Selection]] = {}

    def get(self, number: int | None) -> Record | None:
        """The living record with this number."""
        if number is None:
            return None
        if number in self.written:
            return self.written[number]
        return self.table.record(number) if 0 <= number < self.table.count else None

    def living(self, number: int) -> Record:
        """The record with this number, which is known to live."""
        record = self.get(number)
        if record is None:
            raise LookupError(f"{self.resource.name} {number} does not live")
        return record

    def find(self, id: Json) -> tuple[int, Record] | None:
        """The living record with this id, and its number."""
        number = self.resource.id.number(id)
        record = self.get(number)
        if number is None or record is None or record[self.resource.id.property] != id:  # SO-2019-0189 is not SO-2025-0189.
            return None
        return number, record

    def holder(self, property: str, value: Json) -> int | None:
        """The number of the living record that has this value in a unique property."""
        fold = self.unique.get(property, False)
        key = key_of(value, fold)
        if key is None:
            return None
        number = self._keys[property].get(key) if property in self._keys else None
        if number is not None:
            return number
        number = self._virtual_holder(property, value, fold)
        return None if number in self.written else number

    def put(self, number: int, record: Record) -> None:
        """Store a record, new or changed."""
        self._forget(number)
        self.written[number] = record
        self.next = max(self.next, number + 1)
        self.state.added += number >= self.table.count
        if self.resource.parent:
            self._by_parent.setdefault(record[self.resource.parent.property], set()).add(number)
        for property, fold in self.unique.items():
            key = key_of(record.get(property), fold)
            if key is not None:
                self._keys[property][key] = number
        self._note(number, record)

    def remove(self, number: int) -> None:
        """Delete a record."""
        record = self.get(number)
        self._forget(number)
        self.written[number] = None
        self.next = max(self.next, number + 1)
        self._note(number, record)

    def mark(self, number: int) -> Mark:
        """What has to be known to take a write of this record back."""
        return Mark(number, number in self.written, self.written.get(number), self.next)

    def revert(self, mark: Mark) -> None:
        """Take the writes since the mark back: its record's, and the numbers given to new ones."""
        record = self.get(mark.number)
        if mark.record is not None:
            self.put(mark.number, mark.record)
        else:
            self._forget(mark.number)
            self.written.pop(mark.number, None)
            if mark.was_written:
                self.written[mark.number] = None
        self.next = mark.next
        self._note(mark.number, record if record is not None else self.get(mark.number))

    def children(self, parent: Json) -> list[int]:
        """The numbers of the living records whose parent has this id, in order."""
        above = self.state.collections[self.parent.resource].find(parent)
        virtual = self.table.children(above[0]) if above else range(0)
        living = {n for n in virtual if n not in self.written} | self._by_parent.get(parent, set())
        return sorted(living)

    def referring(self, property: str, value: Json) -> list[int]:
        """The numbers of the living records that hold this value in a property, in order."""
        if self.resource.parent and self.resource.parent.property == property:
            return self.children(value)
        found = self.select((Condition(Filter(((property,),), "equals", False), value),))
        return found.page(0, len(found))

    def select(self, conditions: tuple[Condition, ...]) -> Selection:
        """The living records that meet every condition."""
        key = tuple(condition.key for condition in conditions)
        known = self._selections.get(key)
        if known is None:
            selection = self.table.all()
            for condition in conditions:
                selection &= self.table.select(condition.filter, condition.value)
            changed = self._touched
            if len(self._selections) >= SELECTIONS_KEPT:
                self._selections.pop(next(iter(self._selections)))
        else:
            seen, selection = known
            if seen == len(self._writes):
                return selection
            changed = set(self._writes[seen:])
        add = self.meeting(changed, conditions)
        selection = selection.changed(add, set(changed).difference(add))
        self._selections[key] = (len(self._writes), selection)
        return selection

    def meeting(self, numbers: Iterable[int], conditions: tuple[Condition, ...]) -> list[int]:
        """Those of the numbers whose records live and meet every condition."""
        tests = [(compiled(condition.filter, condition.value), condition.filter.paths) for condition in conditions]

        def meets(record: Record) -> bool:
            return all(
                test(value for path in paths for value in values(self.state.expanded(self.resource, record, path), path))
                for test, paths in tests
            )

        return [number for number in numbers if (record := self.get(number)) is not None and meets(record)]

    @property
    def parent(self) -> Reference:
        if self.resource.parent is None:
            raise LookupError(f"{self.resource.name} has no parent")
        return self.resource.parent

    def _forget(self, number: int) -> None:
        old = self.written.get(number)
        if old is None:
            return
        self.state.added -= number >= self.table.count
        if self.resource.parent:
            self._by_parent[old[self.resource.parent.property]].discard(number)
        for property, fold in self.unique.items():
            key = key_of(old.get(property), fold)
            if self._keys[property].get(key) == number:
                del self._keys[property][key]

    def _virtual_holder(self, property: str, value: Json, fold: bool) -> int | None:
        counter = self.table.counters.get(property)
        if counter is None:
            return self.table.find(property, value, fold)
        number = counter.number(value)
        held = number is not None and number < self.table.count and self.table.record(number)[property] == value
        return number if held else None

    def _note(self, number: int, record: Record | None) -> None:
        """Note a write: what selections catch up from, here and, since a parent's filters see its children, above."""
        self.version += 1
        self.state.version += 1
        self._touched.add(number)
        self._writes.append(number)
        if len(self._writes) > WRITES_KEPT:
            self._writes.clear()
            self._selections.clear()
        if self.resource.parent and record is not None:
            above = self.state.collections[self.resource.parent.resource]
            found = above.find(record[self.resource.parent.property])
            if found:
                above._note(*found)


@dataclass(slots=True)
class Session:
    """A login that lives until `ends` (microseconds)."""

    id: str
    ends: int


@dataclass(slots=True)
class State:
    """All of one API's state in one world."""

    contract: Contract
    baseline: Baseline
    collections: dict[str, Collection] = field(default_factory=dict)
    trash: dict[tuple[str, int], Trashed] = field(default_factory=dict)  # by resource and number, in the order of deletion
    sessions: dict[str, Session] = field(default_factory=dict)
    version: int = 0  # counts writes
    added: int = 0  # living records beyond those of the baseline
    own: object = field(default_factory=object)  # what keys of the baseline's caches have in which this state has a part

    def __post_init__(self) -> None:
        tables = self.baseline.tables
        self.collections = {name: Collection(resource, tables[name], self) for name, resource in self.contract.resources.items()}

    def kept(self, key: Hashable) -> Reply | None:
        """The reply that was kept under a key, if nothing was written since."""
        return self.baseline.replies.get((self.own, self.version, key) if self.version else key)

    def keep(self, key: Hashable, reply: Reply) -> None:
        """Keep a reply until the next write."""
        # All worlds in which nothing was written share what they show.
        self.baseline.replies[(self.own, self.version, key) if self.version else key] = reply

    def restore(self, resource: str, number: int, record: Record | None, trashed: Trashed | None) -> None:
        """Put a record back as a store kept it; None: it is deleted."""
        collection = self.collections[resource]
        if record is None:
            collection.remove(number)
        else:
            collection.put(number, record)
        self.trash.pop((resource, number), None)
        if trashed is not None:
            self.trash[resource, number] = trashed

    def write(self, resource: str, number: int) -> Write:
        """What a write of this record has to note before it happens."""
        written = self.collections[resource].written
        return Write(
            self.contract.name, resource, number, number in written, written.get(number), self.trash.get((resource, number))
        )

    def expanded(self, resource: Resource, record: Record, path: Sequence[str]) -> Mapping[str, Json]:
        """The record, with the children in it that a path leads through."""
        for children in resource.children:
            if children.property == path[0]:
                collection = self.collections[children.resource]
                return {children.property: [collection.get(n) for n in collection.children(record[resource.id.property])]}
        return record

    def referred(self, reference: Reference, value: Json) -> Record | None:
        """The living record that a reference's value names."""
        collection = self.collections[reference.resource]
        if reference.by in (None, collection.resource.id.property):
            found = collection.find(value)
            return found[1] if found else None
        return collection.get(collection.holder(str(reference.by), value))
