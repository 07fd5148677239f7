"""Where the worlds' writes are kept: in this process, or in a database that outlives and joins processes.

A world is looked at in memory, whatever the store. A store that is shared brings it up to date before it is looked
at, and lets one process at a time write to it; what was written is kept before it is answered.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mock_server.journal import Exchange
    from mock_server.worlds import World


class Store(Protocol):
    """What every store does."""

    shared: bool  # several processes may use it at once

    def refresh(self, world: World) -> None:
        """Bring a world to what it is by now; a world that the store does not know is new."""

    def writing(self, world: World) -> AbstractContextManager[None]:
        """A world that nobody else writes to meanwhile; at the end everything that changed is kept, or after an error nothing."""

    def names(self) -> list[str]:
        """The worlds that there are, in order."""

    def count(self) -> int:
        """How many they are."""

    def forget(self, name: str) -> None:
        """Delete a world."""

    def expire(self, before: int, kept: str) -> list[str]:
        """Delete the worlds last used before an instant, one aside; answer their names."""

    def record(self, world: World, exchange: Exchange) -> None:
        """Keep an exchange in a world's journal, and give it its number."""

    def journal(self, world: World) -> list[Exchange]:
        """The exchanges that are kept, the oldest first."""

    def erase(self, world: World) -> None:
        """Forget a world's exchanges."""

    def snapshots(self) -> list[str]:
        """The names of what was snapshot, in order."""

    def snapshot(self, name: str) -> bytes | None:
        """A world's export, kept under this name."""

    def keep(self, name: str, export: bytes | None) -> None:
        """Keep a world's export under a name; None deletes it."""

    def close(self) -> None:
        """Let go of files and connections."""


class UnknownStore(ValueError):
    """An address that names no store that there is."""


def opened(address: str, kept: int = 1000, lifetime: int = 0) -> Store:
    """The store at an address: memory, sqlite:///FILE or postgresql://….

    A world's journal has so many exchanges at most; `lifetime` is how many seconds an idle world lives, 0 for ever.

    Raises UnknownStore: the address is wrong, or nothing answers there.
    """
    # Imported late: most servers need one of them, and SQLAlchemy takes 160 ms to import.
    if address == "memory":
        from mock_server.stores.memory import Memory  # noqa: PLC0415

        return Memory(kept)
    from mock_server.stores.sql import Sql  # noqa: PLC0415

    return Sql(address, kept, lifetime)
