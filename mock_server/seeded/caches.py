"""A dictionary that forgets what it took first, so that it never grows beyond a bound."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

REPLIES_KEPT = 1 << 20  # bytes
REPLY_OVERHEAD = 400  # bytes of a reply beside its body

K = TypeVar("K")
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """At most `room`, counted in entries or by weight; what is heavier than that is not taken at all."""

    __slots__ = ("_entries", "_room", "_taken", "_weight")

    def __init__(self, room: int, weight: Callable[[V], int] | None = None) -> None:
        self._room = room
        self._weight = weight
        self._taken = 0
        self._entries: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        return self._entries.get(key)

    def __setitem__(self, key: K, value: V) -> None:
        entries, weight = self._entries, self._weight
        taken = weight(value) if weight else 1
        if taken > self._room:
            return
        while entries and self._taken + taken > self._room:
            forgotten = entries.pop(next(iter(entries)))
            self._taken -= weight(forgotten) if weight else 1
        entries[key] = value
        self._taken += taken


class Replies(Bounded[Hashable, Any]):
    """What reads were answered, as long as nothing is written."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(REPLIES_KEPT, lambda reply: REPLY_OVERHEAD + len(reply.body or b""))
