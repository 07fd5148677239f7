"""The store that keeps nothing beyond this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mock_server.journal import Exchange
    from mock_server.worlds import World


class Memory:
    """Worlds live in the process that made them."""

    shared = False

    def __init__(self, kept: int) -> None:
        self._kept = kept  # exchanges of a world
        self._worlds: dict[str, World] = {}
        self._snapshots: dict[str, bytes] = {}

    def refresh(self, world: World) -> None:
        if world.name not in self._worlds:
            self._worlds[world.name] = world
            world.begin(world)
            world.saved()

    def writing(self, world: World) -> _Writing:
        return _Writing(self, world, world.name not in self._worlds)

    def names(self) -> list[str]:
        return sorted(self._worlds)

    def count(self) -> int:
        return len(self._worlds)

    def forget(self, name: str) -> None:
        self._worlds.pop(name, None)

    def expire(self, before: int, kept: str) -> list[str]:
        gone = [name for name, world in self._worlds.items() if world.used < before and name != kept]
        for name in gone:
            del self._worlds[name]
        return gone

    def record(self, world: World, exchange: Exchange) -> None:
        world.journal.add(exchange, self._kept)

    def journal(self, world: World) -> list[Exchange]:
        return list(world.journal.exchanges)

    def erase(self, world: World) -> None:
        world.journal.clear()

    def snapshots(self) -> list[str]:
        return sorted(self._snapshots)

    def snapshot(self, name: str) -> bytes | None:
        return self._snapshots.get(name)

    def keep(self, name: str, export: bytes | None) -> None:
        if export is None:
            self._snapshots.pop(name, None)
        else:
            self._snapshots[name] = export

    def close(self) -> None:
        pass


@dataclass(slots=True)
class _Writing:
    """A write of a world. A class, since a generator takes five times as long to begin and end."""

    store: Memory
    world: World
    new: bool

    def __enter__(self) -> None:
        self.store.refresh(self.world)

    def __exit__(self, refused: object, *_: object) -> None:
        if refused is None:
            self.world.version += 1
        elif self.new:  # A world that was not there does not come into being by what was refused.
            self.store.forget(self.world.name)
        self.world.saved()
