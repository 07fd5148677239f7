"""Which counted values hold a text: found by their digits, not by counting through them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mock_server.contract import Counter

Side = Literal["start", "end", ""]


def holding(counter: Counter, needle: str, count: int, fold: bool, side: Side = "") -> Iterator[range]:
    """The numbers, below `count`, of the records whose value has this text in it, or at this side; some may come twice."""
    before, width, after = counter.parts
    if fold:
        before, after = before.casefold(), after.casefold()
    first, last = counter.start, counter.start + count - 1
    for length in range(max(width, len(str(first))), max(width, len(str(last))) + 1):
        low, high = max(first, 0 if length == width else 10 ** (length - 1)), min(last, 10**length - 1)
        form = before + "0" * length + after
        places = range(len(form) - len(needle) + 1)
        for place in places[:1] if side == "start" else places[-1:] if side == "end" else places:
            fixed = _fixed(needle, place, len(before), length, form)
            if fixed is not None:
                yield from (_counts(*fixed, length, low, high, counter.start))


def _fixed(needle: str, place: int, start: int, length: int, form: str) -> tuple[int, str] | None:
    """Which digits the needle fixes when it stands at this place: the first one's place and the digits; None if it cannot."""
    low, high = max(place, start), min(place + len(needle), start + length)
    digits = needle[low - place : high - place] if low < high else ""
    if digits and not (digits.isascii() and digits.isdecimal()):
        return None
    around = (needle[: max(low - place, 0)], form[place:low]) if low < high else (needle, form[place : place + len(needle)])
    if around[0] != around[1]:
        return None
    if low < high and needle[high - place :] != form[high : place + len(needle)]:
        return None
    if low >= high and not (place + len(needle) <= start or place >= start + length):
        return None
    return max(low - start, 0), digits


def _counts(first: int, digits: str, length: int, low: int, high: int, start: int) -> Iterator[range]:
    if not digits:
        yield range(low - start, high + 1 - start)
        return
    tail, step = 10 ** (length - first - len(digits)), 10 ** (length - first)  # So many have them, again after so many.
    begin = int(digits) * tail
    if tail < high // step - low // step:
        yield from (range(low + (rest - low) % step - start, high + 1 - start, step) for rest in range(begin, begin + tail))
        return
    for lowest in range(low // step * step + begin, high + 1, step):
        span = range(max(lowest, low) - start, min(lowest + tail - 1, high) + 1 - start)
        if span:
            yield span
