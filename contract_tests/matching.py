"""What the `match` of a filter means, for the suites: whether a record should be in the answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from mock_server.contract import Filter, Json, Match

Verdict = bool | None  # None: the record does not say


def met(filter: Filter, record: Mapping[str, Json], wanted: Json) -> Verdict:
    """Whether a record meets a filter with this value; None where none of what is known of the record tells."""
    unknown = False
    found: list[Json] = []
    for path in filter.paths:
        if path[0] in record:
            found += _values(record[path[0]], path[1:])
        else:
            unknown = True
    if filter.match in _OF_ALL:
        return None if unknown else _OF_ALL[filter.match](found) == _on(wanted)
    test = _TESTS[filter.match]
    if any(test(_folded(value, filter.fold), _folded(wanted, filter.fold)) for value in found):
        return True
    return None if unknown else False


def moment(value: Json) -> datetime | None:
    """A date (its midnight) or a date-time as a point in time; without a zone it is UTC."""
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d", value):
        return None
    try:
        read = datetime.fromisoformat(value.upper())
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


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


def _folded(value: Json, fold: bool) -> Json:
    if isinstance(value, list):
        return [_folded(one, fold) for one in value]
    return value.casefold() if fold and isinstance(value, str) else value


def _same(value: Json, wanted: Json) -> bool:
    return type(value) is type(wanted) and bool(value == wanted)


def _written(value: Json) -> str:
    return value if isinstance(value, str) else "" if isinstance(value, (bool, list, dict)) else str(value)


def _contains(value: Json, wanted: Json) -> bool:
    return _written(wanted) in _written(value) and not isinstance(value, (bool, list, dict))


def _like(value: Json, wanted: Json) -> bool:
    if "%" not in _written(wanted):
        return _contains(value, wanted)
    pattern = ".*".join(map(re.escape, _written(wanted).split("%")))
    return re.fullmatch(pattern, _written(value), re.DOTALL) is not None


def _ordered(accept: Callable[[datetime, datetime], bool]) -> Callable[[Json, Json], bool]:
    def test(value: Json, wanted: Json) -> bool:
        one, bound = moment(value), moment(wanted)
        return one is not None and bound is not None and accept(one, bound)

    return test


def _to(value: Json, wanted: Json) -> bool:
    one, bound = moment(value), moment(wanted)
    if one is None or bound is None:
        return False
    return one < bound + timedelta(days=1) if is_day(wanted) else one <= bound


def _on(value: Json) -> bool:
    return bool(value) and value not in ("0", "false")


_TESTS: Mapping[Match, Callable[[Json, Json], bool]] = {
    "equals": _same,
    "contains": _contains,
    "like": _like,
    "in": lambda value, wanted: any(_same(value, one) for one in (wanted if isinstance(wanted, list) else [wanted])),
    "after": _ordered(lambda one, bound: one > bound),
    "from": _ordered(lambda one, bound: one >= bound),
    "before": _ordered(lambda one, bound: one < bound),
    "to": _to,
}
_OF_ALL: Mapping[Match, Callable[[Sequence[Json]], bool]] = {
    "flag": lambda values: any(map(bool, values)),
    "present": lambda values: any(value not in ("", [], {}) for value in values),
}
