"""Times of a record: all are counted from its moment, which follows from its place among the records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mock_server import clock
from mock_server.contract import Json
from mock_server.schemas import json_type
from mock_server.seeded.chance import drawn, salt
from mock_server.seeded.kitchen import Maker, known
from mock_server.seeded.rows import Row
from mock_server.seeded.timeline import within

if TYPE_CHECKING:
    from mock_server.seeded.tables import Table

_HOUR, _DAY = 3600 * clock.MICROSECONDS, 24 * 3600 * clock.MICROSECONDS
_UPDATES = tuple(days * _DAY + hours * _HOUR for days, hours in ((0, 0), (0, 3), (7, 1), (21, 4), (49, 2), (84, 5)))


@dataclass(frozen=True)
class Delays:
    """By how many microseconds a time is later than the record's moment; None is no time."""

    known: tuple[int | None, ...]
    of: Callable[[Row], int | None]
    midnight: bool = False  # the day only


def delays(table: Table) -> dict[str, Delays]:
    """The properties of a table that are times which follow from the record's place in the order of creation."""
    resource = table.resource
    written = table.baseline.data.recipes.get(table.name, {})
    found: dict[str, Delays] = {}
    if resource.created:
        found[resource.created] = Delays((0,), lambda row: 0)
    if resource.updated:
        found[resource.updated] = _delays(resource.updated, _UPDATES)
    for name, tree in written.items():
        found.pop(name, None)
        if (delay := _written_delay(name, tree)) is not None:
            found[name] = delay
    return {name: delay for name, delay in found.items() if name in known(table)}


def _written_delay(name: str, tree: Json) -> Delays | None:
    """`moment`, `{moment: midnight}`, `{later: [1, 7, null]}` or `{later: [1, 7], at: midnight}`."""
    if tree == "moment":
        return Delays((0,), lambda row: 0)
    if tree == {"moment": "midnight"}:
        return Delays((0,), lambda row: 0, midnight=True)
    if not isinstance(tree, dict) or not {*tree} <= {"later", "at"} or tree.get("at", "midnight") != "midnight":
        return None
    days = tree.get("later")
    if not isinstance(days, list) or not days or not all(day is None or type(day) in (int, float) for day in days):
        return None
    return replace(_delays(name, tuple(None if day is None else int(day * _DAY) for day in days)), midnight="at" in tree)


def _delays(name: str, offsets: tuple[int | None, ...]) -> Delays:
    number = salt(f"{name}/delay")
    return Delays(tuple(dict.fromkeys(offsets)), lambda row: offsets[drawn(row.key, number) % len(offsets)])


def moment(row: Row) -> int:
    """When the record was made, in microseconds since 1970: what its times are counted from."""
    low, width = row.table.slot(row)
    return row.table.timeline.instant(within(low, width, row.key))


def writing(table: Table, name: str) -> Callable[[int], Json]:
    """How a time is written in a property."""
    schema = table.resource.stored.get(name, {})
    times = table.baseline.contract.times
    if json_type(schema) in ("integer", "number"):
        return lambda instant: instant // clock.MICROSECONDS
    if schema.get("format") == "date":
        return lambda instant: clock.written(instant, times, day=True)
    precise = _DAY if table.delays[name].midnight else 1000 if times.milliseconds else clock.MICROSECONDS
    return lambda instant: clock.written(instant // precise * precise, times)


def timed(table: Table, name: str) -> Maker:
    """What computes a time of the record."""
    write, of = writing(table, name), table.delays[name].of

    def value(row: Row) -> Json:
        delay = of(row)
        return None if delay is None else write(row["_moment"] + delay)

    return value


def noted(row: Row) -> int:
    """The moment of a record that is kept with it; for one that data.yaml writes down, what it says."""
    created = row.table.resource.created
    pinned = row.table.pins.get(row.number, {}).get(created) if created else None
    return clock.read(pinned) if isinstance(pinned, str) else moment(row)
