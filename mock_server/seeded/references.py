"""Ids of other records, in a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_server.contract import Json
from mock_server.seeded.kitchen import Recipe
from mock_server.seeded.rows import Row

if TYPE_CHECKING:
    from mock_server.seeded.tables import Table


def reference(table: Table, resource: str, by: str | None) -> Recipe:
    """The id of another record: of an ancestor, of one that belongs to the same record, or of any."""
    other = table.baseline.tables[resource]
    held = by or other.resource.id.property
    line = table.lineage
    if other in line:
        steps = line.index(other) + 1
        return lambda row, key: _ancestor(row, steps)[held]
    if other.above is not None and other.above in line:
        steps = line.index(other.above) + 1
        return lambda row, key: _sibling(row, steps, other, held, key)
    return lambda row, key: _stranger(row, other, held, key)


def _ancestor(row: Row, steps: int) -> Row:
    for _ in range(steps):
        row = row.parent
    return row


def _sibling(row: Row, steps: int, other: Table, held: str, key: int) -> Json:
    near = _ancestor(row, steps).offspring(other)
    return near[key % len(near)][held] if near else None


def _stranger(row: Row, other: Table, held: str, key: int) -> Json:
    """Where the number of the others grows with the scale, one not after this: so that the scale moves no reference."""
    if not other.count:
        return None
    if other.growing:
        return other.row(key % min(row.number + 1, other.count))[held]
    return other.kept_row(key % other.count)[held]
