"""Record number -> block, kind and parent, and back: arithmetic only."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from functools import cached_property
from itertools import accumulate, islice

from mock_server.seeded.caches import Bounded
from mock_server.seeded.chance import mix

ROTATIONS_KEPT = 4096
SIZE = 4096  # kinds of a table without parent
AT_ONCE = 256  # kinds of parents whose records are counted together


class Scattered:
    """A table without parent: each block goes through the same kinds, entering the circle at another place."""

    size = SIZE

    def __init__(self, base: int, count: int) -> None:
        self._base = base
        self.count = count
        self._rotations = Bounded[int, int](ROTATIONS_KEPT)

    def rotation(self, block: int) -> int:
        """The kind of the block's first record; in the first block, kind and number are the same."""
        rotation = self._rotations.get(block)
        if rotation is None:
            rotation = self._rotations[block] = mix(self._base ^ block) % self.size if block else 0
        return rotation

    def kind(self, number: int) -> tuple[int, int]:
        """The block and the kind of a record."""
        if number < SIZE:
            return 0, number
        block, offset = divmod(number, SIZE)
        return block, (offset + self.rotation(block)) % SIZE

    def number(self, block: int, kind: int) -> int:
        """The number of the record of this kind in a block."""
        return block * SIZE + (kind - self.rotation(block)) % SIZE if block else kind

    def leads(self, number: int) -> bool:
        """Whether a number is in the first block."""
        return number < SIZE


class Grouped:
    """A table whose records belong to those of another: how many do depends on the parent's kind only.

    The kinds are counted as far as somebody asks: of thousands, a small world needs the first few.
    """

    def __init__(self, base: int, above: Scattered | Grouped, least: int, most: int, first: int, percent: int) -> None:
        self._base = base
        self.above = above
        self._least, self._most, self._percent = least, most, percent
        self._until = array("Q", [first])  # how many kinds belong to the parents of each kind and those before it

    def first(self, kind: int) -> int:
        """The first kind that belongs to a parent of this kind. How many the first kind of parent has is said."""
        if kind > len(self._until):
            self._count_to(kind)
        return self._until[kind - 1] if kind else 0

    def kinds(self, owner: int) -> tuple[int, int]:
        """The first kind that belongs to a kind of parent, and the first no longer."""
        until = self._until
        if owner >= len(until):
            self._count_to(owner + 1)
        return until[owner - 1] if owner else 0, until[owner]

    def _count_to(self, kind: int) -> None:
        """Count the kinds of the parents up to a kind, and some more."""
        base, least, width, percent = self._base, self._least, self._most - self._least + 1, self._percent
        kinds = range(len(self._until), min(max(kind, len(self._until) + AT_ONCE), self.above.size))
        numbers = (mix(base ^ kind) for kind in kinds)
        counts = (least + number % width if (number >> 32) % 100 < percent else 0 for number in numbers)
        self._until.extend(islice(accumulate(counts, initial=self._until[-1]), 1, None))

    def leads(self, number: int) -> bool:
        """Whether a number is in the first block for certain: no more has to be counted to know."""
        while self._until[-1] <= number and self.above.leads(len(self._until)):
            self._count_to(len(self._until) + 1)
        return number < self._until[-1]

    @cached_property
    def size(self) -> int:
        return max(self.first(self.above.size), 1)

    def rotation(self, block: int) -> int:
        return self.first(self.above.rotation(block)) % self.size if block else 0

    def kind(self, number: int) -> tuple[int, int]:
        """The block and the kind of a record."""
        if self.leads(number):
            return 0, number
        block, offset = divmod(number, self.size)
        return block, (offset + self.rotation(block)) % self.size

    def number(self, block: int, kind: int) -> int:
        """The number of the record of this kind in a block."""
        return block * self.size + (kind - self.rotation(block)) % self.size if block else kind

    @cached_property
    def count(self) -> int:
        return self.start(self.above.count)

    def start(self, parent: int) -> int:
        """The first number that belongs to a parent, or would."""
        return self.after(*self.above.kind(parent))

    def after(self, block: int, kind: int) -> int:
        """The first number that belongs to the parent of this kind in a block."""
        if not block:
            return self.first(kind)
        turn, whole = self.above.rotation(block), self.first(self.above.size)
        return block * whole + self.first(kind) - self.first(turn) + (whole if kind < turn else 0)

    def children(self, parent: int) -> range:
        """The numbers that belong to a parent of the baseline; none to any other."""
        if not 0 <= parent < self.above.count:
            return range(0)
        block, kind = self.above.kind(parent)
        start = self.after(block, kind)
        return range(start, start + self.first(kind + 1) - self.first(kind))

    def owner(self, kind: int) -> tuple[int, int]:
        """The kind of the parent, and which of its children this is."""
        self.leads(kind)
        above = bisect_right(self._until, kind)
        return above, kind - self.first(above)

    def owners(self) -> list[int]:
        """The kind of the parent of each kind that there is."""
        counts = (self.kinds(kind) for kind in range(min(self.above.size, self.above.count)))
        return [kind for kind, (first, stop) in enumerate(counts) for _ in range(first, stop)]

    def parent(self, number: int) -> int:
        """The number of the parent."""
        block, kind = self.kind(number)
        return self.above.number(block, self.owner(kind)[0])


Arrangement = Scattered | Grouped
