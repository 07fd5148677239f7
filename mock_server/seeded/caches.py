"""A dictionary that forgets what it took first, so that it never grows beyond a bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

REPLY_OVERHEAD = 400  # bytes of a reply beside its body

K = TypeVar("K")
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """At most `room`, counted in entries or by weight; what is heavier than that is not taken at all."""

    __slots__ = ("_entries", "_room", "_taken", "_weight", "get")

    def __init__(self, room: int, weight: Callable[[V], int] | None = None) -> None:
        self._room = room
        self._weight = weight
        self._taken = 0
        self._entries: OrderedDict[K, V] = OrderedDict()  # Of a dict, the first entry is slow to find once others went before it.
        self.get: Callable[[K], V | None] = self._entries.get

    def __len__(self) -> int:
        return len(self._entries)

    def __setitem__(self, key: K, value: V) -> None:
        entries, weight = self._entries, self._weight
        if key in entries:
            self._forget(entries.pop(key))
        taken = weight(value) if weight else 1
        if taken > self._room:
            return
        while self._taken + taken > self._room:
            self._forget(entries.popitem(last=False)[1])
        entries[key] = value
        self._taken += taken

    def _forget(self, value: V) -> None:
        self._taken -= self._weight(value) if self._weight else 1
