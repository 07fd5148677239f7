"""A record while it is made: its properties are computed when somebody asks for them, and helpers with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_server.contract import Json
from mock_server.seeded.chance import mix

if TYPE_CHECKING:
    from mock_server.seeded.tables import Table


UNKNOWN_BLOCK = 7_777_777_777  # No table has as many: its number shows where a text has that of its block.
SIBLING = "_sibling"  # What the recipe `siblings` is looking at.


class NeedsRecord(Exception):  # Not an error: the answer to "is it the same in every block?"
    """The value depends on more than the record's kind."""


class Probe:
    """Notes whether values computed for a kind depend on the block."""

    __slots__ = ("marked",)

    def __init__(self) -> None:
        self.marked = False


class Row(dict[str, Json]):
    """Name -> value of a record, of its helpers (`_domain`) too; computed at first use.

    `kind` is what a value may depend on so that filters on it need not read every record; a row without a number
    stands for all records of its kind in a block.
    """

    __slots__ = (
        "_makers",
        "_number",
        "_offspring",
        "_parent",
        "_single_key",
        "block",
        "coordinate",
        "index",
        "key",
        "kind",
        "owner",
        "probe",
        "table",
    )

    def __init__(
        self, table: Table, number: int | None, block: int, kind: int, probe: Probe | None, place: tuple[int, int, int]
    ) -> None:
        self.table = table
        self._makers = table.makers
        self._number = number
        self._parent: Row | None = None
        self._offspring: dict[str, list[Row]] | None = None
        self.block = block
        self.kind = kind
        self.probe = probe
        self.owner, self.index, self.coordinate = place  # see Table.placed
        self.key = mix(table.base ^ self.coordinate << 1)  # what chance starts from
        self._single_key = -1
        if number is not None and number in table.pins:
            self.update(table.pins[number])

    def __missing__(self, name: str) -> Json:
        value = self[name] = self._makers[name](self)
        return value

    @property
    def number(self) -> int:
        if self._number is None:
            raise NeedsRecord
        return self._number

    @property
    def mark(self) -> str:
        """What makes a text of one block differ from that of another; the first has none."""
        if self.probe is not None:
            self.probe.marked = True
        return str(self.block) if self.block else ""

    @property
    def parent(self) -> Row:
        if self._parent is None:
            above = self.table.above
            if above is None:
                raise LookupError(f"{self.table.name} has no parent")
            number = None if self._number is None else self.table.parent(self._number)
            self._parent = above.kin(number, self.block, self.owner, self.probe)
        return self._parent

    def own(self, parent: Row) -> Row:
        """The same row, with a parent that is known already."""
        self._parent = parent
        return self

    def offspring(self, table: Table) -> list[Row]:
        """The rows of a table that belong to this one."""
        if self._offspring is None:
            self._offspring = {}
        rows = self._offspring.get(table.name)
        if rows is None:
            rows = self._offspring[table.name] = self._born(table)
        return rows

    def _born(self, table: Table) -> list[Row]:
        first, stop = table.kinds_of(self.kind)
        start = None if self._number is None else table.begin(self.block, self.kind)
        rows = []
        for index in range(stop - first):
            number = None if start is None else start + index
            place = (self.kind, index, self.coordinate << 10 | index)
            rows.append(Row(table, number, self.block, first + index, self.probe, place).own(self))
        return rows

    @property
    def single_key(self) -> int:
        """What chance starts from where each single record has a value of its own."""
        if self._single_key < 0:
            self._single_key = mix(self.table.base ^ (self.number << 1 | 1))
        return self._single_key

    def at(self, path: tuple[str, ...]) -> Json:
        """The value at a path, which may lead through `parent` and through references."""
        row, name, rest = self, path[0], path[1:]
        while rest:
            following = row.parent if name == "parent" else row.table.referred(row, name)
            if following is None:
                break
            row, name, rest = following, rest[0], rest[1:]
        value = row[name]
        for step in rest:
            value = value.get(step) if isinstance(value, dict) else None
        return value
