"""Times of a record: most are counted from its moment, which follows from its place among the records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from mock_server import clock
from mock_server.contract import Json, Schema
from mock_server.schemas import json_type
from mock_server.seeded.chance import drawn, salt
from mock_server.seeded.kitchen import Kitchen, Maker, Recipe, Wrong, known, word_of
from mock_server.seeded.rows import Row
from mock_server.seeded.timeline import within

if TYPE_CHECKING:
    from mock_server.seeded.tables import Table

_QUARTER, _HOUR, _DAY = (seconds * clock.MICROSECONDS for seconds in (900, 3600, 24 * 3600))
_OPENS, _CLOSES = 7 * _HOUR, 17 * _HOUR  # Appointments begin from 7:00 to 16:45.
_EPOCH = date(1970, 1, 1)
_UPDATES = tuple(
    days * _DAY + hours * _HOUR + minutes * 60 * clock.MICROSECONDS + milliseconds * 1000
    for days, hours, minutes, milliseconds in (
        (0, 0, 0, 0),
        (0, 3, 17, 42_381),
        (7, 1, 26, 5_914),
        (21, 4, 8, 51_607),
        (44, 2, 39, 13_248),
        (70, 5, 52, 28_773),
    )
)
Time = tuple[bool, int]  # Microseconds: true, after the record's moment; false, since 1970.


@dataclass(frozen=True)
class Timing:
    """When something about a record is; None is no time."""

    delays: frozenset[int]  # those that `of` may give
    of: Callable[[Row], Time | None]
    rounding: str = ""  # a name in ROUNDINGS
    depends_on: str = ""  # a path to what else in the record decides

    @property
    def always(self) -> bool:
        """Whether it is one delay in every record."""
        return self.of is _at_once


def _at_once(row: Row) -> Time | None:  # As every Timing is asked.
    return True, 0


def timings(table: Table) -> dict[str, Timing]:
    """The properties of a table that are times which follow from the record's place in the order of creation."""
    resource = table.resource
    found: dict[str, Timing] = {}
    if resource.created:
        found[resource.created] = Timing(frozenset((0,)), _at_once)
    if resource.updated:
        found[resource.updated] = _later(resource.updated, _UPDATES, "")
    for name, tree in table.baseline.data.recipes.get(table.name, {}).items():
        found.pop(name, None)
        timing = _timing(name, tree)
        if timing and timing.delays:
            found[name] = timing
    return {name: timing for name, timing in found.items() if name in known(table)}


def _timing(name: str, tree: Json) -> Timing | None:
    """`moment`, `{moment: midnight}`, `{later: [1, 7, null], at: quarter}`, or a `when` of such, `between` and null."""
    if tree is None:
        return Timing(frozenset(), lambda row: None)
    if tree in ("moment", {"moment": "midnight"}):
        return Timing(frozenset((0,)), _at_once, "" if tree == "moment" else "midnight")
    if not isinstance(tree, dict):
        return None
    days, rounding = tree.get("later"), tree.get("at", "")
    if isinstance(days, list) and days and {*tree} <= {"later", "at"} and _rounds(rounding):
        numbers = all(day is None or type(day) in (int, float) for day in days)
        return _later(name, tuple(None if day is None else int(day * _DAY) for day in days), rounding) if numbers else None
    if {*tree} == {"between"}:
        return _between(name, tree["between"])
    return _when(name, tree["when"]) if {*tree} == {"when"} else None


def _rounds(name: Json) -> bool:
    return isinstance(name, str) and name in ROUNDINGS


def _later(name: str, offsets: tuple[int | None, ...], rounding: str) -> Timing:
    number = salt(f"{name}/delay")
    times = [None if offset is None else (True, offset) for offset in offsets]
    delays = frozenset(offset for offset in offsets if offset is not None)
    return Timing(delays, lambda row: times[drawn(row.key, number) % len(times)], rounding)


def _between(name: str, needs: Json) -> Timing | None:
    try:
        draw, rounding = _span(needs)
    except Wrong:  # It is found as a recipe.
        return None
    number = salt(f"{name}/day")
    return Timing(frozenset(), lambda row: (False, draw(drawn(row.key, number))), rounding)


def _when(name: str, needs: Json) -> Timing | None:
    cases = next(iter(needs.values())) if isinstance(needs, dict) and len(needs) == 1 else None
    if not isinstance(cases, dict):
        return None
    path = next(iter(needs))
    timings = {value: _timing(name, tree) for value, tree in cases.items()}
    known_ones = {value: timing for value, timing in timings.items() if timing is not None}
    roundings = {known_ones[value].rounding for value, tree in cases.items() if tree is not None and value in known_ones}
    if len(known_ones) < len(timings) or len(roundings) != 1 or any(timing.depends_on for timing in known_ones.values()):
        return None
    otherwise = known_ones.get("else", Timing(frozenset(), lambda row: None))
    steps = tuple(path.split("."))

    def of(row: Row) -> Time | None:
        return known_ones.get(word_of(row.at(steps)), otherwise).of(row)

    return Timing(frozenset().union(*(timing.delays for timing in known_ones.values())), of, roundings.pop(), path)


def between(kitchen: Kitchen, needs: Json) -> Recipe:
    """{from: DAY, to: DAY, at: quarter}: a working day, not before the one and not after the other."""
    draw, rounding = _span(needs)
    write = _writing(kitchen.table, kitchen.schema, rounding)
    return lambda row, key: write(draw(key))


def _span(needs: Json) -> tuple[Callable[[int], int], str]:
    """What draws an instant within working hours, and how it is rounded."""
    try:
        first, last = (date.fromisoformat(needs[part]) for part in ("from", "to"))
        rounding = needs.get("at", "")
    except (TypeError, KeyError, ValueError, AttributeError):
        raise Wrong('between needs {from: "2025-12-01", to: "2026-02-13"}; besides it takes `at`') from None
    if not {*needs} <= {"from", "to", "at"} or not _rounds(rounding):
        raise Wrong(f"between takes from, to, and at: {' or '.join(filter(None, ROUNDINGS))}")
    day, span = (first - _EPOCH).days, (last - first).days + 1
    if not 1 <= span <= 10_000:
        raise Wrong("between needs a day not before the first, and not 10,000 days after it")
    days = [day + after for after in range(span) if (day + after + 3) % 7 < 5] or [day]

    def draw(key: int) -> int:
        return days[key % len(days)] * _DAY + _OPENS + (key >> 16) % 36_000_000 * 1000

    return draw, rounding


def moment(row: Row) -> int:
    """When the record was made, in microseconds since 1970: what its times are counted from."""
    table = row.table
    return table.timeline.instant(within(*table.slot(row), row.key))


def writing(table: Table, name: str) -> Callable[[int], Json]:
    """How a time is written in a property."""
    return _writing(table, table.resource.stored.get(name, {}), table.timings[name].rounding)


def _writing(table: Table, schema: Schema, rounding: str) -> Callable[[int], Json]:
    times, rounded = table.baseline.contract.times, ROUNDINGS[rounding]
    if json_type(schema) in ("integer", "number"):
        return lambda instant: rounded(instant) // clock.MICROSECONDS
    day = schema.get("format") == "date"
    if not rounding:
        return lambda instant: clock.written(instant, times, day=day)
    return lambda instant: clock.written(rounded(instant), times, day=day)


def timed(table: Table, name: str) -> Maker:
    """What computes a time of the record."""
    write, of = writing(table, name), table.timings[name].of
    if table.timings[name].always:
        return lambda row: write(row["_moment"])

    def value(row: Row) -> Json:
        time = of(row)
        return None if time is None else write(row["_moment"] + time[1] if time[0] else time[1])

    return value


def noted(table: Table) -> Maker:
    """What computes the moment of a record that is kept with it; for one that data.yaml writes down, what it says."""
    created = table.resource.created
    written = (
        {number: pins[created] for number, pins in table.pins.items() if isinstance(pins.get(created), str)} if created else {}
    )
    if not written:
        return moment

    def value(row: Row) -> int:
        number = row.number
        return clock.read(written[number]) if number in written else moment(row)

    return value


def _to_quarter(instant: int) -> int:
    """A full quarter of an hour on a working day; never an earlier one for a later instant."""
    days, time = divmod(instant, _DAY)
    weekday = (days + 3) % 7  # 1970 began on a Thursday.
    if weekday > 4:
        return (days + 7 - weekday) * _DAY + _OPENS
    return days * _DAY + min(max(time // _QUARTER * _QUARTER, _OPENS), _CLOSES - _QUARTER)


ROUNDINGS: dict[str, Callable[[int], int]] = {
    "": lambda instant: instant,
    "midnight": lambda instant: instant // _DAY * _DAY,
    "quarter": _to_quarter,
}
