"""How many worlds there are, and how long they live."""

from __future__ import annotations

import httpx
import pytest

from mock_server.clock import Clock
from mock_server.seeded import Baseline
from mock_server.settings import Settings
from mock_server.stores import opened
from mock_server.worlds import DEFAULT, TooManyWorlds, World, Worlds
from tests.conftest import serving

SECOND = 1_000_000


class Ticking:
    """A system's clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_772_366_400 * SECOND

    def __call__(self) -> int:
        return self.now


def nothing(*asked: object) -> Baseline:
    raise LookupError(asked)


def worlds(ticking: Ticking, *, limit: int = 10, lifetime: int = 0) -> Worlds:
    """Without any API."""
    return Worlds(opened("memory"), lambda name: World(name, 1, 1, {}, nothing, {}, Clock(system=ticking)), limit, lifetime)


def used(every: Worlds, name: str) -> World:
    """A world that has been asked something."""
    world = every.get(name)
    every.store.refresh(world)
    return world


def test_idle_worlds_end_and_default_never_does() -> None:
    """After --world-ttl without use a world is new at its next use; one that is used lives on."""
    ticking = Ticking()
    every = worlds(ticking, lifetime=60)
    default, idle, busy = (used(every, name) for name in (DEFAULT, "idle", "busy"))

    ticking.now += 50 * SECOND
    used(every, "busy")
    ticking.now += 50 * SECOND

    assert used(every, "idle") is not idle
    assert used(every, "busy") is busy
    assert used(every, DEFAULT) is default


def test_an_idle_world_makes_room() -> None:
    """The limit counts worlds that live."""
    ticking = Ticking()
    every = worlds(ticking, limit=2, lifetime=60)
    used(every, "one")
    used(every, "two")
    with pytest.raises(TooManyWorlds):
        every.get("three")

    ticking.now += 61 * SECOND

    assert used(every, "three").name == "three"


def test_one_world_too_many_is_told() -> None:
    """503 with what to do, and the worlds that there are go on."""
    with serving(Settings(max_worlds=2, log="off")) as address:
        answers = [
            httpx.get(f"{address}/w/{name}/keychain/v1/customers", headers={"X-API-Key": "test-key"})
            for name in ("one", "two", "three", "one")
        ]

    assert [answer.status_code for answer in answers] == [200, 200, 503, 200]
    assert "--max-worlds" in answers[2].json()["detail"]


def test_a_world_holds_so_many_records() -> None:
    """507 with what to do; reads, changes and deletions go on, and a deletion makes room."""
    headers = {"Authorization": "Bearer test-admin"}
    with serving(Settings(max_records=2, log="off")) as address:
        base = f"{address}/fentu/api/v1/customers"
        made = [httpx.post(base, headers=headers, json={"name": "One"}) for _ in range(3)]
        first = made[0].json()["data"]["id"]
        changed = httpx.put(f"{base}/{first}", headers=headers, json={"notes": "x"})
        elsewhere = httpx.post(base, headers=headers | {"X-Mock-World": "other"}, json={"name": "One"})
        gone = httpx.delete(f"{base}/{first}", headers=headers)
        again = httpx.post(base, headers=headers, json={"name": "One"})

    assert [answer.status_code for answer in made] == [201, 201, 507]
    assert "--max-records" in made[2].json()["detail"]
    assert [answer.status_code for answer in (changed, elsewhere, gone, again)] == [200, 201, 204, 201]
