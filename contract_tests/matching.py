"""What the `match` of a filter means, for the suites: whether a record should be in the answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from mock_server.contract import Filter, Json, Match

Verdict = bool | None  # None: the record does not say
Test = Callable[[Json], bool]


@dataclass(frozen=True, slots=True)
class Held:
    """What a record holds where a filter looks, as the filter compares it."""

    values: tuple[Json, ...]
    whole: bool  # whether all of it is known


def met(filter: Filter, record: Mapping[str, Json], wanted: Json) -> Verdict:
    """Whether a record meets a filter with this value; None where none of what is known of the record tells."""
    return judge(filter, wanted)(held(filter, record))


def held(filter: Filter, record: Mapping[str, Json]) -> Held:
    """What a record holds for a filter: read once, however many values are asked for."""
    known = [path for path in filter.paths if path[0] in record]
    values = (value for path in known for value in _values(record[path[0]], path[1:]))
    return Held(tuple(_compared(filter, values)), len(known) == len(filter.paths))


def judge(filter: Filter, wanted: Json) -> Callable[[Held], Verdict]:
    """What decides whether records meet a filter with this value."""
    if filter.match in _OF_ALL:
        of_all, on = _OF_ALL[filter.match], _on(wanted)
        return lambda held: of_all(held.values) == on if held.whole else None
    test = _TESTS[filter.match](_folded(wanted, filter.fold))
    return lambda held: True if any(map(test, held.values)) else False if held.whole else None


def moment(value: Json) -> datetime | None:
    """A date (its midnight) or a date-time as a point in time; without a zone it is UTC."""
    return _read(value) if isinstance(value, str) else None


@lru_cache(5_000)
def _read(value: str) -> datetime | None:
    if not _DAY.match(value):
        return None
    try:
        read = datetime.fromisoformat(value.upper())
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def is_zoned(value: Json) -> bool:
    """Whether a text is a time that says in which zone it is."""
    return isinstance(value, str) and _ZONED.search(value) is not None


def is_day(value: Json) -> bool:
    """Whether a text is a date without a time."""
    try:
        return isinstance(value, str) and len(value) == 10 and date.fromisoformat(value) is not None
    except ValueError:
        return False


def _values(value: Json, path: Sequence[str]) -> Iterator[Json]:
    if value is None:
        return
    if not path:
        yield value
    elif path[0] == "*":
        for element in value if isinstance(value, list) else ():
            yield from _values(element, path[1:])
    elif isinstance(value, Mapping):
        yield from _values(value.get(path[0]), path[1:])


def _compared(filter: Filter, values: Iterable[Json]) -> Iterable[Json]:
    """Values as the tests of a match take them."""
    if filter.match in _OF_ALL:
        return values
    if filter.match in _ORDERED:
        return (at for value in values if (at := moment(value)) is not None)
    folded = (_folded(value, filter.fold) for value in values)
    return map(_written, folded) if filter.match in _OF_TEXTS else folded


def _folded(value: Json, fold: bool) -> Json:
    if isinstance(value, list):
        return [_folded(one, fold) for one in value]
    return value.casefold() if fold and isinstance(value, str) else value


def _written(value: Json) -> str | None:
    """A value as text; None if it is no text and no number."""
    return value if isinstance(value, str) else None if isinstance(value, (bool, list, dict)) else str(value)


def _same(wanted: Json) -> Test:
    return lambda value: type(value) is type(wanted) and bool(value == wanted)


def _contains(wanted: Json) -> Test:
    part = _written(wanted) or ""
    return lambda text: text is not None and part in text


def _like(wanted: Json) -> Test:
    pattern = _written(wanted) or ""
    if "%" not in pattern:
        return _contains(wanted)
    fits = re.compile(".*".join(map(re.escape, pattern.split("%"))), re.DOTALL).fullmatch
    return lambda text: fits(text or "") is not None


def _among(wanted: Json) -> Test:
    tests = list(map(_same, wanted if isinstance(wanted, list) else [wanted]))
    return lambda value: any(test(value) for test in tests)


def _ordered(accept: Callable[[datetime, datetime], bool]) -> Callable[[Json], Test]:
    def bounded(wanted: Json) -> Test:
        bound = moment(wanted)
        return lambda at: bound is not None and accept(at, bound)

    return bounded


def _to(wanted: Json) -> Test:
    bound = moment(wanted)
    if bound is None:
        return lambda _: False
    if is_day(wanted):
        end = bound + timedelta(days=1)
        return lambda at: at < end
    return lambda at: at <= bound


def _on(value: Json) -> bool:
    return bool(value) and value not in ("0", "false")


_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_ZONED = re.compile(r":.*([Zz]|[+-]\d\d(:?\d\d)?)\Z", re.DOTALL)
_TESTS: Mapping[Match, Callable[[Json], Test]] = {  # what is asked for -> whether a value that is held is that
    "equals": _same,
    "contains": _contains,
    "like": _like,
    "in": _among,
    "after": _ordered(lambda at, bound: at > bound),
    "from": _ordered(lambda at, bound: at >= bound),
    "before": _ordered(lambda at, bound: at < bound),
    "to": _to,
}
_OF_TEXTS = frozenset({"contains", "like"})
_ORDERED = frozenset({"after", "from", "before", "to"})
_OF_ALL: Mapping[Match, Callable[[Sequence[Json]], bool]] = {
    "flag": lambda values: any(map(bool, values)),
    "present": lambda values: any(value not in ("", [], {}) for value in values),
}
