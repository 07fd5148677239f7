"""A record while it is made: its properties are computed when somebody asks for them, and helpers with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_server.contract import Json
from mock_server.seeded.chance import MASK, ODD, mix

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

    `kind` is what a value may depend on so that filters on it need not read every record; a row with a probe has no number,
    it stands for all records of its kind in a block.
    """

    __slots__ = (
        "_number",
        "_offspring",
        "_orders",
        "_parent",
        "_referred",
        "block",
        "coordinate",
        "index",
        "key",
        "kind",
        "own_key",
        "owner",
        "probe",
        "table",
    )

    def __init__(
        self, table: Table, number: int | None, block: int, kind: int, probe: Probe | None, place: tuple[int, int, int]
    ) -> None:
        self.table = table
        self._orders = table.orders
        self._number = number
        self._parent: Row | None = None
        self._offspring: dict[str, list[Row]] | None = None
        self._referred: dict[str, Row | None] | None = None
        self.block = block
        self.kind = kind
        self.probe = probe
        self.owner, self.index, self.coordinate = place  # see Table.placed
        key = (table.base ^ self.coordinate << 1) + ODD & MASK  # `mix`, written out
        key = (key ^ key >> 30) * 0xBF58476D1CE4E5B9 & MASK
        key = (key ^ key >> 27) * 0x94D049BB133111EB & MASK
        self.key = key ^ key >> 31  # what chance starts from
        self.own_key = 0  # unknown
        if table.pins and probe is None and self.number in table.pins:
            self.update(table.pins[self.number])

    def __missing__(self, name: str) -> Json:
        for step, make in self._orders[name]:
            if step not in self:
                value = self[step] = make(self)
        return value

    @property
    def number(self) -> int:
        if self._number is None:
            if self.probe is not None:
                raise NeedsRecord
            self._number = self.table.layout.number(self.block, self.kind)
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
            self._parent = above.kin(self.block, self.owner, self.probe)
        return self._parent

    def offspring(self, table: Table) -> list[Row]:
        """The rows of a table that belong to this one."""
        if self._offspring is None:
            self._offspring = {}
        rows = self._offspring.get(table.name)
        if rows is None:
            rows = self._offspring[table.name] = self.born(table)
        return rows

    def born(self, table: Table) -> list[Row]:
        """The same, each time anew: they know this one, and it does not know them."""
        first, stop = table.kinds_of(self.kind)
        kind, block, probe, coordinate = self.kind, self.block, self.probe, self.coordinate << 10
        rows = []
        for index in range(stop - first):
            row = Row(table, None, block, first + index, probe, (kind, index, coordinate | index))
            row._parent = self
            rows.append(row)
        return rows

    def referred(self, name: str) -> Row | None:
        """The row that a reference names, or the recipe `siblings`; None for what is no reference, or names nothing."""
        if name == SIBLING:
            return self.get(SIBLING)
        if name not in self.table.references:
            return None
        if self._referred is None:
            self._referred = {}
        if name not in self._referred:
            self._referred[name] = self.table.referred(self, name)
        return self._referred[name]

    def release(self) -> None:
        """Let go of the rows below, which know this one: so that it goes at once, not when the garbage is collected."""
        if self._offspring:
            for rows in self._offspring.values():
                for row in rows:
                    row.release()
            self._offspring = None

    def single_key(self) -> int:
        """What chance starts from where each single record has a value of its own; kept as `own_key`."""
        self.own_key = mix(self.table.base ^ (self.number << 1 | 1))
        return self.own_key

    def at(self, path: tuple[str, ...]) -> Json:
        """The value at a path, which may lead through `parent` and through references."""
        row, name, rest = self, path[0], path[1:]
        while rest:
            following = row.parent if name == "parent" else row.referred(name)
            if following is None:
                break
            row, name, rest = following, rest[0], rest[1:]
        value = row[name]
        for step in rest:
            value = value.get(step) if isinstance(value, dict) else None
        return value
