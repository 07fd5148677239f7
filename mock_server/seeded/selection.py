"""Sets of record numbers, small whatever their size.

Numbers are cut in blocks of `layout.size`. In each block the records' kinds follow each other in the same circle, entered at
another place: kind = (number + layout.rotation(block)) modulo size. What is true of a kind is true in every block, so a set is
kept as bits by kind, and one run of blocks with the same bits stands for all of them. A million records with one status are
a run or two.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, compress, pairwise
from operator import and_, or_
from typing import Protocol

_BITS = bytes.maketrans(b"01", b"\0\1")
_TEXT = bytes.maketrans(b"\0\1", b"01")


class Layout(Protocol):
    """How numbers are cut in blocks and the blocks turned."""

    @property
    def size(self) -> int: ...

    def rotation(self, block: int) -> int: ...


def bits(flags: Iterable[int]) -> int:
    """Bit k is set where flag k is true, or 1."""
    return int(b"0" + bytes(flags)[::-1].translate(_TEXT), 2)


def placed(size: int, places: Iterable[int]) -> int:
    """The bits at these places below `size` are set."""
    flags = bytearray(size)
    for place in places:
        flags[place] = 1
    return bits(flags)


class Run:
    """Blocks first, …, stop - 1 with the same kinds set."""

    __slots__ = ("_places", "bits", "count", "first", "stop")

    def __init__(self, first: int, stop: int, bits: int) -> None:
        self.first, self.stop, self.bits, self.count = first, stop, bits, bits.bit_count()
        self._places: Sequence[int] | None = None

    @property
    def places(self) -> Sequence[int]:
        """The kinds set, in order."""
        if self._places is None:
            length = self.bits.bit_length()
            if self.count == length:
                self._places = range(length)
            else:
                self._places = array("I", compress(range(length), f"{self.bits:b}".encode()[::-1].translate(_BITS)))
        return self._places


class Selection:
    """An immutable set of record numbers, in their order."""

    __slots__ = ("__dict__", "_layout", "_runs")

    def __init__(self, layout: Layout, runs: Iterable[Run] = ()) -> None:
        self._layout = layout
        self._runs = tuple(runs)

    @classmethod
    def between(cls, layout: Layout, start: int, stop: int) -> Selection:
        """The numbers start, …, stop - 1."""
        size = layout.size
        start = max(start, 0)
        if start >= stop:
            return cls(layout)
        (first, low), (last, high) = divmod(start, size), divmod(stop - 1, size)
        if first == last:
            return cls(layout, [Run(first, first + 1, _turned(layout, first, _span(low, high + 1)))])
        pieces = [(first, first + 1, low, size), (first + 1, last, 0, size), (last, last + 1, 0, high + 1)]
        return cls(layout, [Run(a, b, _turned(layout, a, _span(one, end))) for a, b, one, end in pieces if a < b])

    @classmethod
    def tiled(cls, layout: Layout, count: int, kinds: int, first: int = 0) -> Selection:
        """The numbers below `count`, from block `first` on, whose kinds are set."""
        return cls.between(layout, first * layout.size, count) & cls(layout, _runs([(first, -(-count // layout.size), kinds)]))

    @classmethod
    def by_block(cls, layout: Layout, count: int, kinds: Iterable[tuple[int, int]]) -> Selection:
        """The numbers below `count` of the blocks, in rising order, whose kinds are set."""
        return cls.between(layout, 0, count) & cls(layout, _runs((block, block + 1, set_) for block, set_ in kinds))

    @classmethod
    def of(cls, layout: Layout, numbers: Iterable[int]) -> Selection:
        """Exactly these numbers."""
        return cls(layout).changed(numbers, ())

    @classmethod
    def spans(cls, layout: Layout, count: int, spans: Sequence[range]) -> Selection:
        """The numbers, all below `count`, that are in any of these ranges."""
        size = layout.size
        if sum(map(len, spans)) < size:
            return cls.of(layout, chain.from_iterable(spans))
        flags = bytearray(count)
        for span in spans:
            flags[span.start : span.stop : span.step] = b"\1" * len(span)
        blocks = range(-(-count // size))
        offsets = (bits(flags[block * size : (block + 1) * size]) for block in blocks)
        return cls(
            layout, _runs((block, block + 1, _turned(layout, block, set_)) for block, set_ in zip(blocks, offsets, strict=True))
        )

    def __len__(self) -> int:
        return self._before[-1]

    def __iter__(self) -> Iterator[int]:
        size = self._layout.size
        for run in self._runs:
            for block in range(run.first, run.stop):
                yield from _numbers(run.places, self._layout.rotation(block), size, block * size, 0, run.count)

    def __contains__(self, number: int) -> bool:
        block, offset = divmod(number, self._layout.size)
        place = bisect_right(self._firsts, block) - 1
        if place < 0 or block >= self._runs[place].stop:
            return False
        kind = (offset + self._layout.rotation(block)) % self._layout.size
        return bool(self._runs[place].bits >> kind & 1)

    def __and__(self, other: Selection) -> Selection:
        return self._merged(other, and_)

    def __or__(self, other: Selection) -> Selection:
        return self._merged(other, or_)

    def __sub__(self, other: Selection) -> Selection:
        return self._merged(other, lambda one, two: one & ~two)

    @property
    def weight(self) -> int:
        """About how many bytes it takes."""
        return 200 + len(self._runs) * (100 + self._layout.size // 8)

    def page(self, offset: int, limit: int, newest_first: bool = False) -> list[int]:
        """At most `limit` numbers after the first `offset`, in order or from the last one back."""
        total = len(self)
        if newest_first:
            stop = max(total - offset, 0)
            return self._slice(max(stop - limit, 0), stop)[::-1]
        return self._slice(offset, min(offset + limit, total))

    def changed(self, add: Iterable[int], remove: Iterable[int]) -> Selection:
        """The set with some numbers more and some less; one that is in both is in."""
        set_, clear = self._masks(add), self._masks(remove)
        blocks = sorted({*set_, *clear})
        if not blocks:
            return self
        pieces = [(block, block + 1, self._at(block) & ~clear.get(block, 0) | set_.get(block, 0)) for block in blocks]
        kept = self
        if self._runs:
            touched = Selection(self._layout, _runs([(block, block + 1, -1) for block in blocks]))
            kept = self - touched
        return kept | Selection(self._layout, _runs(pieces))

    def below(self, layout: Layout, owners: Sequence[int]) -> Selection:
        """The numbers of what belongs to these: its blocks to the same blocks, its kinds to those in `owners`."""
        form = f"0{self._layout.size}b"

        def kinds(owning: int) -> int:
            flags = format(owning, form)[::-1]
            return int("0" + "".join([flags[owner] for owner in reversed(owners)]), 2)

        return Selection(layout, _runs((run.first, run.stop, kinds(run.bits)) for run in self._runs))

    def _masks(self, numbers: Iterable[int]) -> Mapping[int, int]:
        layout, size = self._layout, self._layout.size
        offsets = defaultdict[int, list[int]](list)
        for number in numbers:
            block, offset = divmod(number, size)
            offsets[block].append(offset)
        return {block: _turned(layout, block, placed(size, found)) for block, found in offsets.items()}

    def _at(self, block: int) -> int:
        place = bisect_right(self._firsts, block) - 1
        return self._runs[place].bits if place >= 0 and block < self._runs[place].stop else 0

    @cached_property
    def _firsts(self) -> list[int]:
        return [run.first for run in self._runs]

    @cached_property
    def _before(self) -> list[int]:
        """How many numbers come before each run, and how many there are."""
        totals = [0]
        for run in self._runs:
            totals.append(totals[-1] + run.count * (run.stop - run.first))
        return totals

    def _slice(self, start: int, stop: int) -> list[int]:
        numbers: list[int] = []
        size, place = self._layout.size, bisect_right(self._before, start) - 1
        while start < stop:
            run = self._runs[place]
            blocks, skip = divmod(start - self._before[place], run.count)
            block = run.first + blocks
            if block >= run.stop:
                place += 1
                continue
            taken = min(run.count - skip, stop - start)
            numbers += _numbers(run.places, self._layout.rotation(block), size, block * size, skip, taken)
            start += taken
        return numbers

    def _merged(self, other: Selection, operation: Callable[[int, int], int]) -> Selection:
        edges = sorted({edge for side in (self, other) for run in side._runs for edge in (run.first, run.stop)})
        left, right = _Cursor(self._runs), _Cursor(other._runs)
        return Selection(self._layout, _runs([(a, b, operation(left.at(a), right.at(a))) for a, b in pairwise(edges)]))


class _Cursor:
    """The bits of blocks asked for in rising order."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs, self._place = runs, 0

    def at(self, block: int) -> int:
        while self._place < len(self._runs) and self._runs[self._place].stop <= block:
            self._place += 1
        if self._place == len(self._runs) or self._runs[self._place].first > block:
            return 0
        return self._runs[self._place].bits


def _runs(pieces: Iterable[tuple[int, int, int]]) -> list[Run]:
    """Runs without empty ones, neighbours with the same bits made one."""
    runs: list[Run] = []
    for first, stop, kinds in pieces:
        if not kinds or first >= stop:
            continue
        if runs and runs[-1].stop == first and runs[-1].bits == kinds:
            runs[-1].stop = stop
        else:
            runs.append(Run(first, stop, kinds))
    return runs


def _span(low: int, high: int) -> int:
    """The offsets low, …, high - 1."""
    return (1 << high) - (1 << low)


def _turned(layout: Layout, block: int, offsets: int) -> int:
    """The kinds of some offsets of a block."""
    whole = _span(0, layout.size)
    if offsets == whole:
        return whole
    wide = offsets << layout.rotation(block)
    return (wide | wide >> layout.size) & whole


def _numbers(places: Sequence[int], rotation: int, size: int, base: int, skip: int, taken: int) -> list[int]:
    """`taken` numbers of a block, after `skip`: its kinds in the order in which the block has them."""
    count = len(places)
    start = (bisect_left(places, rotation) + skip) % count
    chosen = [*places[start : start + taken]]
    if len(chosen) < taken:
        chosen += places[: taken - len(chosen)]
    shift = base - rotation
    turn = base + size - rotation
    return [place + shift if place >= rotation else place + turn for place in chosen]
