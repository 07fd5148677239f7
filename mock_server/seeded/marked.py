"""Texts that have the number of their block in them: read once for all blocks, searched without making a record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, reduce
from operator import or_
from typing import NamedTuple

from mock_server.contract import Filter, Json
from mock_server.seeded.matching import Test, comparable, fits, text
from mock_server.seeded.rows import UNKNOWN_BLOCK
from mock_server.seeded.selection import bits, placed

_DIGITS = "0123456789"
_NUMBER = str(UNKNOWN_BLOCK)
Column = Sequence[tuple[Json, ...]]  # What stands at a path in each kind.
Pieces = tuple[str, ...]  # What stands around the number, wherever it comes.


class Marked:
    """What stands at a path in each kind of all blocks but the first, whatever the block."""

    def __init__(self, column: Column) -> None:
        """From the column of the unknown block."""
        self._column = column
        self._size = len(column)
        self._same = [tuple(value for value in values if not _has_number(value)) for values in column]
        self._texts = cache(self._pieces)

    def passing(self, filter: Filter, value: Json, test: Test) -> Callable[[int], int]:
        """What gives, for the number of a block, the kinds that pass in it, as bits."""
        if filter.match in ("present", "flag"):
            passing = bits(map(test, self._column))
            return lambda block: passing
        always = bits(map(test, self._same))
        parts = wanted(filter, value)
        if parts is not None:
            return self._like(parts, filter.fold, always)
        if filter.match in ("equals", "in"):
            named = self._named(value if filter.match == "in" and isinstance(value, list) else [value], filter.fold)
            return lambda block: always | named.get(block, 0)
        texts = self._texts(filter.fold)
        return lambda block: always | placed(self._size, [kind for kind, pieces in texts if test((str(block).join(pieces),))])

    def _pieces(self, fold: bool) -> list[tuple[int, Pieces]]:
        """Kinds and the pieces of their texts, ready to be compared."""
        texts = ((kind, value) for kind, values in enumerate(self._column) for value in values if _has_number(value))
        return [(kind, tuple((value.casefold() if fold else value).split(_NUMBER))) for kind, value in texts]

    def _like(self, wanted: list[str], fold: bool, always: int) -> Callable[[int], int]:
        """What is wanted is in the pieces, or the number has a part in it: then only what is near the number counts."""
        whole: list[int] = []
        near: dict[_Window, list[int]] = {}
        for kind, pieces in self._texts(fold):
            window = _near(wanted, pieces)
            if window is None:
                continue
            if window.wanted:
                near.setdefault(window, []).append(kind)
            else:
                whole.append(kind)
        always |= placed(self._size, whole)
        windows = [(window, placed(self._size, kinds)) for window, kinds in near.items()]
        return lambda block: reduce(or_, (kinds for window, kinds in windows if window.fits(str(block))), always)

    def _named(self, wanted: list[Json], fold: bool) -> dict[int, int]:
        """Blocks -> the kinds that have one of these values in them."""
        named: dict[int, list[int]] = {}
        for one in wanted:
            key = comparable(one, fold)
            for kind, pieces in self._texts(fold) if isinstance(key, str) else ():
                if (block := _block(key, pieces)) is not None:
                    named.setdefault(block, []).append(kind)
        return {block: placed(self._size, kinds) for block, kinds in named.items()}


def agree(unknown: tuple[Json, ...], block: int, values: tuple[Json, ...]) -> bool:
    """Whether a block has what the unknown one has: no text is cut within the number, or looked at in another way."""
    return values == tuple(value.replace(_NUMBER, str(block)) if isinstance(value, str) else value for value in unknown)


def _has_number(value: Json) -> bool:
    return isinstance(value, str) and _NUMBER in value


def wanted(filter: Filter, value: Json) -> list[str] | None:
    """The texts that must stand in this order in what passes, the first at its start, the last at its end.

    None for other filters.
    """
    whole = text(value, filter.fold) if filter.match in ("contains", "like") else None
    if whole is None:
        return None
    return ["", whole, ""] if filter.match == "contains" or "%" not in whole else whole.split("%")


class _Window(NamedTuple):
    """What of a text counts for a filter beside the number, and what is wanted there; nothing if it passes in every block."""

    pieces: Pieces
    wanted: tuple[str, ...]

    def fits(self, number: str) -> bool:
        return fits(number.join(self.pieces), self.wanted)


def _near(wanted: list[str], pieces: Pieces) -> _Window | None:
    """As much of a text as can have to do with the number; None if nothing can pass.

    What is wanted is taken from the left as early as it comes before the number, and from the right as late as it comes after it.
    """
    if len(pieces) > 2:
        return _Window(pieces, tuple(wanted))
    (before, after), (first, *middle, last) = pieces, wanted
    if not (_begins(before, first) and _begins(after[::-1], last[::-1])):
        return None
    if len(first) > len(before) or len(last) > len(after):
        return _Window(pieces, tuple(wanted))
    start, stop = len(first), len(after) - len(last)
    while middle and (found := before.find(middle[0], start)) >= 0:
        start = found + len(middle.pop(0))
    while middle and (found := after.rfind(middle[-1], 0, stop)) >= 0:
        stop = found
        middle.pop()
    if not middle:
        return _Window(("", ""), ())
    tail = before[max(start, len(before) - len(middle[0]) + 1) :]
    head = after[: min(stop, len(middle[-1]) - 1)]
    if not middle[0].strip(_DIGITS):
        tail = tail[len(tail.rstrip(_DIGITS)) :]
    if not middle[-1].strip(_DIGITS):
        head = head[: len(head) - len(head.lstrip(_DIGITS))]
    possible = all(word in tail or word in head for piece in middle for word in _words(piece))
    return _Window((tail, head), ("", *middle, "")) if possible else None


def _begins(piece: str, start: str) -> bool:
    """Whether a text that begins with this piece may begin so."""
    return piece.startswith(start) or start.startswith(piece)


def _words(piece: str) -> list[str]:
    """The parts without digits: no number can have one of these in it."""
    return "".join("\0" if char in _DIGITS else char for char in piece).split("\0")


def _block(whole: str, pieces: Pieces) -> int | None:
    """The block in which the pieces make this text."""
    count = len(pieces) - 1
    length, rest = divmod(len(whole) - sum(map(len, pieces)), count)
    number = whole[len(pieces[0]) : len(pieces[0]) + length]
    if rest or length < 1 or not (number.isascii() and number.isdecimal()) or number[0] == "0":
        return None
    return int(number) if number.join(pieces) == whole else None
