"""What recipes are put together with, once, at start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import TYPE_CHECKING

from mock_server.contract import Json, Schema
from mock_server.documents import Steps, meant
from mock_server.seeded.rows import SIBLING, Row

if TYPE_CHECKING:
    from mock_server.seeded.tables import Table

Maker = Callable[[Row], Json]
Recipe = Callable[[Row, int], Json]  # With a key that chance starts from.
Path = tuple[str, ...]
Order = tuple[tuple[str, Maker], ...]  # what is to be computed, one after the other
Reads = dict[str, dict[str, bool]]  # property or helper -> what of the same record it reads -> whether always


class Wrong(Exception):  # A mistake in data.yaml, on its way to the list of all of them.
    """What a recipe was given is not what it needs; the message says what would be right."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A recipe, or what it makes for a property, that always gives the same."""

    value: Json

    def __call__(self, row: Row, key: int = 0) -> Json:  # noqa: ARG002  # What every recipe is asked with.
        return self.value


@dataclass(frozen=True, slots=True)
class Derived:
    """A recipe for what follows from other values and leaves nothing to chance: it needs no key, which saves much of the time."""

    make: Maker

    def __call__(self, row: Row, key: int = 0) -> Json:  # noqa: ARG002  # What every recipe is asked with.
        return self.make(row)


@dataclass(frozen=True, slots=True)
class Choice:
    """A recipe for one of some values."""

    values: Sequence[Json]

    def __call__(self, row: Row, key: int) -> Json:  # noqa: ARG002  # What every recipe is asked with.
        return self.values[key % len(self.values)]


@dataclass(frozen=True)
class Kitchen:
    """What a recipe can look at when it is put together: once, at start."""

    table: Table
    name: str
    schema: Schema
    path: Steps = ()
    mistakes: list[tuple[Steps, str]] = field(default_factory=list)
    beside: Table | None = None  # whose records `_sibling` is one of
    reads: dict[str, bool] = field(default_factory=dict)  # what of the same record is read -> whether whenever this is made
    always: bool = True  # whether what is put together is used whenever the property is made

    def below(self, step: str | int, schema: Schema | None = None) -> Kitchen:
        return replace(self, path=(*self.path, step), schema=self.schema if schema is None else schema)

    def perhaps(self, step: str | int, schema: Schema | None = None) -> Kitchen:
        """For a part that is not made in every record."""
        return replace(self.below(step, schema), always=False)

    def words(self, name: Json) -> list[Json]:
        """A list of data.yaml's `words`."""
        lists = self.table.baseline.data.words
        if not isinstance(name, str) or name not in lists:
            raise Wrong(f"no list {name!r} under `words`{meant(str(name), lists)}")
        return lists[name]

    def resource(self, name: Json) -> Table:
        """The table of a resource."""
        tables = self.table.baseline.tables
        if not isinstance(name, str) or name not in tables:
            raise Wrong(f"there is no resource {name!r}{meant(str(name), tables)}")
        return tables[name]

    def property(self, table: Table, name: Json) -> str:
        """The name of a property or helper of a table's records, checked."""
        if not isinstance(name, str) or name not in known(table):
            raise Wrong(f"{table.name} has no property or helper {name!r}{meant(str(name), known(table))}")
        return name

    def reading(self, text: Json) -> Path:
        """A path to another value of the record, checked."""
        if not isinstance(text, str) or not text:
            raise Wrong("the name of a property, or a path like parent.name, is needed")
        path = tuple(text.split("."))
        self._check(self.table, path)
        return path

    def getter(self, text: Json) -> Callable[[Row], Json]:
        """What reads the value at a path, checked."""
        return self.reader(self.reading(text))

    def reader(self, path: Path) -> Callable[[Row], Json]:
        """What reads the value at a path of the record, checked before."""
        return _reader(self.table, path)

    def _check(self, table: Table, path: Path) -> None:
        name = path[0]
        if name == "parent" and table.above is not None and len(path) > 1:
            self._check(table.above, path[1:])
        elif name in table.references and len(path) > 1:
            self._check(table.baseline.tables[table.references[name].resource], path[1:])
        elif name == SIBLING and self.beside is not None and table is self.table and len(path) > 1:
            self._check(self.beside, path[1:])
        elif self.property(table, name) and table is self.table:
            self.reads[name] = self.always or self.reads.get(name, False)


def _reader(table: Table | None, path: Path) -> Callable[[Row], Json]:
    """As `Row.at`, for one path."""
    name, *steps = path
    if not steps:
        return itemgetter(name)
    if table is not None and name == "parent":
        read = _reader(table.above, path[1:])
        return lambda row: read(row.parent)
    if table is None or name == SIBLING or name in table.references:
        return lambda row: row.at(path)

    def read_within(row: Row) -> Json:
        value = row[name]
        for step in steps:
            value = value.get(step) if isinstance(value, dict) else None
        return value

    return read_within


def known(table: Table) -> dict[str, Json]:
    """The properties and helpers of a table's records -> the recipe in data.yaml, None if there is none.

    `_mark` is what tells blocks apart, `_moment` what times are counted from, `_item` the object that the recipe `object` is
    making, its helpers included.
    """
    written = table.baseline.data.recipes.get(table.name, {})
    return {"_mark": None, "_item": None, "_moment": None, **dict.fromkeys(table.resource.stored), **written}


def word_of(value: Json) -> str:
    """A value as it is written in YAML, as a key."""
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)
