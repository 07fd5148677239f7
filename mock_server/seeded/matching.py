"""What each `match` of a filter means: the one place for it.

`matches(filter, value)` reads the value once; the test it gives looks at the values that stand at one of the filter's paths,
and a record passes if those at any path do:

    test = compiled(filter, "acme")
    if any(test(values(record, path)) for path in filter.paths): ...
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date

from mock_server.contract import Filter, Json, Match
from mock_server.seeded.caches import Bounded

Test = Callable[[Iterable[Json]], bool]
Instant = tuple[int, str]  # Seconds since 1970, decimals without trailing zeros: compares exactly, however many decimals.

_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(?:[Zz]|([+-])(\d\d):?(\d\d))?", re.ASCII)
_EPOCH = date(1970, 1, 1).toordinal()
_DAYS_IN_400_YEARS = 146_097
_DAY = 86400


def matches(filter: Filter, value: Json) -> Test:
    """The test for the values at the filter's paths."""
    return _MATCHES[filter.match](value, filter.fold)


def compiled(filter: Filter, value: Json) -> Test:
    """The same, kept for the next time."""
    key = (filter, repr(value))
    test = _compiled.get(key)
    if test is None:
        test = _compiled[key] = matches(filter, value)
    return test


_compiled: Bounded[tuple[Filter, str], Test] = Bounded(512)


def values(record: Mapping[str, Json], path: Sequence[str]) -> Iterator[Json]:
    """The values at a path of a record: "*" is every element, null is no value."""
    return walked(record.get(path[0]), path, 1)


def instant(text: Json) -> Instant | None:
    """A date (its midnight) or date-time as a point in time: without a zone it is UTC; the leap second 60 is the next second."""
    if not isinstance(text, str):
        return None
    if day := _day(text):
        return day * _DAY, ""
    parts = _INSTANT.fullmatch(text)
    day = _day(parts[1]) if parts else None
    if parts is None or day is None:
        return None
    hours, minutes, seconds = int(parts[2]), int(parts[3]), int(parts[4] or 0)
    if hours > 23 or minutes > 59 or seconds > 60:
        return None
    ahead = (int(parts[7]) * 3600 + int(parts[8]) * 60) * (-1 if parts[6] == "-" else 1) if parts[6] else 0
    return day * _DAY + hours * 3600 + minutes * 60 + seconds - ahead, (parts[5] or "").rstrip("0")


def _day(text: str) -> int | None:
    parts = _DATE.fullmatch(text)
    if parts is None:
        return None
    year = int(parts[1])
    shift = 0 if year else 400  # Python knows no year 0000; every 400 years the calendar is the same.
    try:
        return date(year + shift, int(parts[2]), int(parts[3])).toordinal() - _EPOCH - (_DAYS_IN_400_YEARS if shift else 0)
    except ValueError:
        return None


def walked(value: Json, path: Sequence[str], depth: int) -> Iterator[Json]:
    """The values at the steps of a path from `depth` on."""
    if value is None:
        return
    if depth == len(path):
        yield value
    elif path[depth] == "*":
        for element in value if isinstance(value, (list, tuple)) else ():
            yield from walked(element, path, depth + 1)
    elif isinstance(value, dict):
        yield from walked(value.get(path[depth]), path, depth + 1)


def comparable(value: Json, fold: bool) -> Json:
    """What two equal values have in common: as a key of a dict, true is not 1."""
    if isinstance(value, str):
        return value.casefold() if fold else value
    if isinstance(value, bool):
        return ("boolean", value)
    return value if isinstance(value, (int, float)) or value is None else repr(value)


def text(value: Json, fold: bool) -> str | None:
    """A value as the text that is searched: numbers are searched as they are written."""
    if isinstance(value, str):
        return value.casefold() if fold else value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _equals(wanted: Json, fold: bool) -> Test:
    key = comparable(wanted, fold)
    return lambda values: any(comparable(value, fold) == key for value in values)


def _in(wanted: Json, fold: bool) -> Test:
    keys = {comparable(one, fold) for one in (wanted if isinstance(wanted, list) else [wanted])}
    return lambda values: any(comparable(value, fold) in keys for value in values)


def _contains(wanted: Json, fold: bool) -> Test:
    needle = text(wanted, fold)
    if needle is None:
        return lambda values: False
    part = needle

    def test(values: Iterable[Json]) -> bool:  # A loop, since it is run for thousands of kinds.
        for value in values:
            found = text(value, fold)
            if found is not None and part in found:
                return True
        return False

    return test


def _like(wanted: Json, fold: bool) -> Test:
    pattern = text(wanted, fold)
    if pattern is None or "%" not in pattern:
        return _contains(wanted, fold)
    pieces = pattern.split("%")
    return lambda values: any(fits(found, pieces) for value in values if (found := text(value, fold)) is not None)


def fits(whole: str, pieces: Sequence[str]) -> bool:
    """Whether the pieces stand in the text in this order, the first at its start, the last at its end."""
    first, *middle, last = pieces
    if not (whole.startswith(first) and whole.endswith(last) and len(whole) >= len(first) + len(last)):
        return False
    place, end = len(first), len(whole) - len(last)
    for piece in middle:
        place = whole.find(piece, place, end)
        if place < 0:
            return False
        place += len(piece)
    return True


def _compare(accept: Callable[[Instant, Instant], bool]) -> Callable[[Json, bool], Test]:
    def build(wanted: Json, fold: bool) -> Test:
        bound = instant(wanted)
        if bound is None:
            return lambda values: False
        limit = bound
        return lambda values: any(accept(found, limit) for value in values if (found := instant(value)) is not None)

    return build


def _to(wanted: Json, fold: bool) -> Test:
    if isinstance(wanted, str) and (day := _day(wanted)) is not None:
        midnight = ((day + 1) * _DAY, "")
        return lambda values: any(found < midnight for value in values if (found := instant(value)) is not None)
    return _compare(lambda one, bound: one <= bound)(wanted, fold)


def _on(value: Json) -> bool:
    return bool(value) and value not in ("0", "false")


def _flag(wanted: Json, fold: bool) -> Test:
    """Null is false."""
    on = _on(wanted)
    return lambda values: any(map(bool, values)) == on


def _present(wanted: Json, fold: bool) -> Test:
    """An empty text, array or object is no value."""
    on = _on(wanted)
    return lambda values: any(value is not None and value not in ("", [], {}) for value in values) == on


_MATCHES: dict[Match, Callable[[Json, bool], Test]] = {
    "equals": _equals,
    "contains": _contains,
    "like": _like,
    "in": _in,
    "after": _compare(lambda one, bound: one > bound),
    "from": _compare(lambda one, bound: one >= bound),
    "before": _compare(lambda one, bound: one < bound),
    "to": _to,
    "flag": _flag,
    "present": _present,
}
