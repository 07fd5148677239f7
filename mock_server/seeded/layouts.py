"""Record number -> block, kind and parent, and back: arithmetic only."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from functools import cached_property
from itertools import accumulate

from mock_server.seeded.caches import Bounded
from mock_server.seeded.chance import mix

ROTATIONS_KEPT = 4096
SIZE = 4096  # kinds of a table without parent


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


class Grouped:
    """A table whose records belong to those of another: how many do depends on the parent's kind only."""

    def __init__(self, base: int, above: Scattered | Grouped, least: int, most: int, first: int, percent: int) -> None:
        self._base = base
        self.above = above
        self._least, self._most, self._of_first, self._percent = least, most, first, percent

    @cached_property
    def _until(self) -> array[int]:
        """How many kinds come before those of each kind of parent, and how many there are."""
        base, least, width = self._base, self._least, self._most - self._least + 1
        drawn = (mix(base ^ kind) for kind in range(1, self.above.size))
        counts = (least + number % width if (number >> 32) % 100 < self._percent else 0 for number in drawn)
        return array("Q", accumulate(counts, initial=self._of_first))

    def first(self, kind: int) -> int:
        """The first kind that belongs to a parent of this kind. How many the first kind of parent has is said."""
        return self._until[kind - 1] if kind else 0

    @cached_property
    def size(self) -> int:
        return max(self.first(self.above.size), 1)

    def rotation(self, block: int) -> int:
        return self.first(self.above.rotation(block)) % self.size

    @cached_property
    def count(self) -> int:
        return self.start(self.above.count)

    def start(self, parent: int) -> int:
        """The first number that belongs to a parent, or would."""
        block, offset = divmod(parent, self.above.size)
        turn = self.above.rotation(block)
        end, whole = turn + offset, self.first(self.above.size)
        if end < self.above.size:
            before = self.first(end) - self.first(turn)
        else:
            before = whole - self.first(turn) + self.first(end - self.above.size)
        return block * whole + before

    def children(self, parent: int) -> range:
        """The numbers that belong to a parent of the baseline; none to any other."""
        if not 0 <= parent < self.above.count:
            return range(0)
        start, block = self.start(parent), parent // self.above.size
        kind = (parent + self.above.rotation(block)) % self.above.size
        return range(start, start + self.first(kind + 1) - self.first(kind))

    def owner(self, kind: int) -> tuple[int, int]:
        """The kind of the parent, and which of its children this is."""
        above = bisect_right(self._until, kind)
        return above, kind - self.first(above)

    def parent(self, number: int) -> int:
        """The number of the parent."""
        block, offset = divmod(number, self.size)
        above, _ = self.owner((offset + self.rotation(block)) % self.size)
        return block * self.above.size + (above - self.above.rotation(block)) % self.above.size


Arrangement = Scattered | Grouped
