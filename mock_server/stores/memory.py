"""The store that keeps nothing beyond this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mock_server.worlds import World


class Memory:
    """Worlds live in the process that made them."""

    shared = False

    def __init__(self) -> None:
        self._worlds: dict[str, World] = {}
        self._snapshots: dict[str, bytes] = {}

    def refresh(self, world: World) -> None:
        if world.name not in self._worlds:
            self._worlds[world.name] = world
            world.begin(world)
            world.saved()

    @contextmanager
    def writing(self, world: World) -> Iterator[None]:
        self.refresh(world)
        try:
            yield
            world.version += 1
        finally:
            world.saved()

    def names(self) -> list[str]:
        return sorted(self._worlds)

    def forget(self, name: str) -> None:
        self._worlds.pop(name, None)

    def expire(self, before: int, kept: str) -> list[str]:
        gone = [name for name, world in self._worlds.items() if world.used < before and name != kept]
        for name in gone:
            del self._worlds[name]
        return gone

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
