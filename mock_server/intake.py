"""Body -> what is stored of it, compiled from its schema when the first one comes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from mock_server.contract import Children, Contract, Json, Record, Resource, Schema
from mock_server.schemas import MISSING, items, merged, properties, unset


class Filling:
    """Makes a value of one schema as it is stored: without what the schema does not know, its objects with every property."""

    def __init__(self, schema: Schema, empty: Mapping[str, Json]) -> None:
        self._schema = schema
        self._empty = empty  # JSON type -> what a property without a value has

    def __call__(self, value: Json) -> Json:
        if isinstance(value, dict):
            return self._object(value) if self._parts else value
        if isinstance(value, list) and self._element is not None:
            return [self._element(item) for item in value]
        return value

    def _object(self, value: Record) -> Record:
        filled: Record = {}
        for name, filling, nothing in self._parts:
            if name in value:
                filled[name] = value[name] if filling is None else filling(value[name])
            elif nothing is not MISSING:
                filled[name] = nothing
        return filled

    # Not before a value comes: a schema may contain itself.

    @cached_property
    def _parts(self) -> list[tuple[str, Filling | None, Json]]:
        known = properties(self._schema)
        return [(name, filling(part, self._empty), unset(part, self._empty)) for name, part in known.items()]

    @cached_property
    def _element(self) -> Filling | None:
        return filling(items(self._schema), self._empty)


def filling(schema: Schema, empty: Mapping[str, Json]) -> Filling | None:
    """What makes values of this schema as they are stored; None where they are stored as they are."""
    return Filling(schema, empty) if properties(schema) or items(schema) else None


class Intake:
    """What the bodies of one schema, or parts of them, say of a record of one resource, and of those below it."""

    def __init__(self, contract: Contract, resource: Resource, schema: Schema) -> None:
        self.contract = contract
        self.resource = resource
        self._schema = schema
        self._below: dict[str, Intake] = {}

    def of_new(self, body: Mapping[str, Json]) -> Record:
        """What a new record takes from a body: what is known, and neither assigned nor computed."""
        return _taken(self._of_new, body)

    def of_old(self, body: Mapping[str, Json]) -> Record:
        """What a record that is there takes from a body: the same, and no numbers."""
        return _taken(self._of_old, body)

    def parts_of_old(self, body: Mapping[str, Json]) -> Record:
        """The same, its objects with no more than was sent."""
        return {name: value for name, value in body.items() if name in self._of_old}

    def filled_in(self, name: str, value: Json) -> Json:
        """The value of a stored property, whole."""
        filling = self._stored[name]
        return value if filling is None else filling(value)

    def below(self, children: Children) -> Intake:
        """The same for the elements of a property that lists child records."""
        intake = self._below.get(children.property)
        if intake is None:
            element = items(properties(self._schema).get(children.property, {}))
            intake = Intake(self.contract, self.contract.resources[children.resource], element)
            self._below[children.property] = intake
        return intake

    @cached_property
    def _of_new(self) -> dict[str, Filling | None]:
        return self._fillings(self.resource.computed)

    @cached_property
    def _of_old(self) -> dict[str, Filling | None]:
        return self._fillings(self.resource.computed_later)

    @cached_property
    def _stored(self) -> dict[str, Filling | None]:
        return {name: filling(part, self.contract.unset) for name, part in self.resource.stored.items()}

    def _fillings(self, computed: frozenset[str]) -> dict[str, Filling | None]:
        return {
            name: filling(part, self.contract.unset)
            for name, part in properties(self._schema).items()
            if name not in computed and not merged(part).get("readOnly")
        }


def _taken(known: Mapping[str, Filling | None], body: Mapping[str, Json]) -> Record:
    return {name: value if (filling := known[name]) is None else filling(value) for name, value in body.items() if name in known}
