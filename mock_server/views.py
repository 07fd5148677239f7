"""Record -> what an answer shows of it: dictionaries and ready bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import orjson

from mock_server.contract import (
    Children,
    Contract,
    Joined,
    Json,
    Record,
    Reference,
    Resource,
    Schema,
    Shown,
    properties,
)
from mock_server.schemas import MISSING, items, unset
from mock_server.seeded import Baseline, Bounded
from mock_server.state import State

BASELINES_KEPT = 64  # of which a view keeps bytes
BYTES_KEPT = 2 << 20  # of the records of one baseline
BYTES_OVERHEAD = 150  # of a record beside its JSON

Show = Callable[[State, int, Record], Json]


def _json(value: Json) -> bytes:
    """Bytes to be kept: those that orjson makes stand in a buffer of 4 KiB or more, all of which they hold."""
    return bytes(memoryview(orjson.dumps(value)))


class View:
    """What the operations with one schema show of one resource's records."""

    def __init__(self, contract: Contract, resource: Resource, schema: Schema) -> None:
        self.contract = contract
        self.resource = resource
        self.depends: dict[str, None] = {}  # resources beside the own one whose records are shown
        self._kept: dict[Baseline, Bounded[int, bytes]] = {}  # of the baseline, as long as nothing shown was written
        self.fields: list[tuple[str, Show | None, Json]] = [
            (name, self._computed(name, part), unset(part, contract.unset)) for name, part in properties(schema).items()
        ]

    def shown(self, state: State, number: int, record: Record) -> Record:
        """The record as a dictionary in the order of the view's schema."""
        shown = {}
        for name, show, nothing in self.fields:
            value = record.get(name, nothing) if show is None else show(state, number, record)
            if value is not MISSING:
                shown[name] = value
        return shown

    def rendered(self, state: State, number: int) -> bytes:
        """The living record with this number as JSON."""
        if self.depends or number not in state.collections[self.resource.name].written:
            return self.page(state, (number,))[0]
        return self._written(state, number, ())

    def page(self, state: State, numbers: Sequence[int]) -> list[bytes]:
        """The living records with these numbers, each as JSON: their bytes are made once and kept."""
        collections = state.collections
        written = collections[self.resource.name].written
        stamp = tuple([collections[name].version for name in self.depends])
        if any(stamp):
            return [self._written(state, number, stamp) for number in numbers]
        kept = self._kept.get(state.baseline)
        if kept is None:
            if len(self._kept) >= BASELINES_KEPT:  # Worlds may have seeds and scales of their own.
                self._kept.clear()
            kept = self._kept[state.baseline] = Bounded(BYTES_KEPT, lambda ready: BYTES_OVERHEAD + len(ready))
        return [
            self._written(state, number, stamp) if number in written else kept.get(number) or self._baseline(state, number, kept)
            for number in numbers
        ]

    def _written(self, state: State, number: int, stamp: tuple[int, ...]) -> bytes:
        """A record that was written, or shows others that may have been."""
        record = state.collections[self.resource.name].living(number)
        key = (state.own, self, number)
        known = state.baseline.rendered.get(key)
        if known is not None and known[0] is record and known[1] == stamp:
            return known[2]
        ready = _json(self.shown(state, number, record))
        state.baseline.rendered[key] = (record, stamp, ready)
        return ready

    def _baseline(self, state: State, number: int, kept: Bounded[int, bytes]) -> bytes:
        """A record as the baseline has it, where nothing that it shows was written."""
        ready = _json(self.shown(state, number, state.collections[self.resource.name].table.record(number)))
        kept[number] = ready
        return ready

    def _computed(self, name: str, schema: Schema) -> Show | None:
        """What computes a property; None if the record has it."""
        for children in self.resource.children:
            if children.property == name:
                return self._children(children, schema)
        reference = self.resource.shown.get(name)
        if reference is not None:
            return self._reference(reference, reference.show[name], schema)
        return None

    def _children(self, children: Children, schema: Schema) -> Show:
        view = View(self.contract, self.contract.resources[children.resource], items(schema))
        self.depends |= {children.resource: None} | view.depends
        own = self.resource.id.property

        def show(state: State, _number: int, record: Record) -> Json:
            collection = state.collections[children.resource]
            numbers = collection.children(record[own])
            return [view.shown(state, number, child) for number in numbers if (child := collection.get(number)) is not None]

        return show

    def _reference(self, reference: Reference, shown: Shown, schema: Schema) -> Show:
        self.depends[reference.resource] = None
        nothing = unset(schema, self.contract.unset)
        take = _taken(shown, schema)

        def show(state: State, _number: int, record: Record) -> Json:
            other = state.referred(reference, record.get(reference.property))
            return nothing if other is None else take(other)

        return show


def _taken(shown: Shown, schema: Schema) -> Callable[[Record], Json]:
    """What is shown of another record, as far as the schema has it."""
    if isinstance(shown, Joined):
        return lambda other: (
            shown.separator.join(str(part) for path in shown.sources if (part := _at(other, path)) not in (None, "")) or None
        )
    if isinstance(shown, Mapping):
        known = properties(schema)
        parts = {name: _taken(part, known[name]) for name, part in shown.items() if name in known}
        return lambda other: {name: take(other) for name, take in parts.items()}
    return lambda other: _at(other, shown)


def _at(record: Json, path: tuple[str, ...]) -> Json:
    for step in path:
        record = record.get(step) if isinstance(record, dict) else None
    return record
