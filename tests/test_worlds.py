"""How many worlds there are, and how long they live."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

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


def worlds(ticking: Ticking, *, limit: int = 10, lifetime: int = 0, store: str = "memory") -> Worlds:
    """Without any API."""
    kept = opened(store, lifetime=lifetime)
    return Worlds(kept, lambda name: World(name, 1, 1, {}, nothing, {}, Clock(system=ticking)), limit, lifetime)


@contextlib.contextmanager
def two_processes(store: str, ticking: Ticking, *, limit: int = 10, lifetime: int = 0) -> Iterator[tuple[Worlds, Worlds]]:
    """The worlds of a store as two processes know them."""
    one, other = (worlds(ticking, limit=limit, lifetime=lifetime, store=store) for _ in range(2))
    yield one, other
    for every in (one, other):
        every.store.close()


def used(every: Worlds, name: str) -> World:
    """A world that has been asked something."""
    world = every.get(name)
    every.store.refresh(world)
    return world


def written(every: Worlds, name: str, situation: str) -> None:
    """A world to which something was done that shows."""
    world = every.get(name)
    with every.store.writing(world):
        world.situation = situation


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


def test_every_process_forgets_an_idle_world(store: str) -> None:
    """Of a store that they share: whichever used it last. `default` stays, and so does what only the other one uses."""
    ticking = Ticking()
    with two_processes(store, ticking, lifetime=60) as (one, other):
        for every in (one, other):
            for name in (DEFAULT, "idle", "busy"):
                used(every, name)
        written(one, "idle", "gone")
        written(one, "busy", "stays")
        written(other, DEFAULT, "stays")

        for _ in range(4):
            ticking.now += 20 * SECOND
            used(other, "busy")

        assert [every.names() for every in (one, other)] == [["busy", DEFAULT]] * 2
        assert [used(every, "busy").situation for every in (one, other)] == ["stays"] * 2
        assert [used(every, DEFAULT).situation for every in (one, other)] == ["stays"] * 2
        assert [used(every, "idle").situation for every in (one, other)] == [""] * 2


def test_a_world_does_not_end_before_its_time(store: str) -> None:
    """When it was last used is kept exactly enough for however short a lifetime, though not every use is written down."""
    ticking = Ticking()
    with two_processes(store, ticking, lifetime=30) as (one, other):
        used(one, "read")
        for _ in range(3):
            ticking.now += 29 * SECOND
            used(one, "read")
            other.expire(ticking.now + 29 * SECOND)
            lived = other.store.names()
        other.expire(ticking.now + 31 * SECOND)

        assert (lived, other.store.names()) == (["read"], [])


def test_the_limit_counts_the_worlds_of_every_process(store: str) -> None:
    """Those that another one has made count, those that it has deleted do not."""
    ticking = Ticking()
    with two_processes(store, ticking, limit=2) as (one, other):
        used(one, "a")
        used(one, "b")
        with pytest.raises(TooManyWorlds):
            other.get("c")
        for name in ("a", "b"):
            other.forget(name)

        made = [used(every, name).name for every, name in ((other, "c"), (one, "d"))]

        assert made == ["c", "d"]
        assert set(one.known) <= {DEFAULT, "d"}
        with pytest.raises(TooManyWorlds):
            other.get("e")


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


def test_a_world_holds_so_many_records_whoever_added_them(tmp_path: Path) -> None:
    """What another server on the store has added counts, and what it has deleted does not."""
    headers, path = {"Authorization": "Bearer test-admin"}, "/fentu/api/v1/customers"
    shared = Settings(max_records=2, log="off", store=f"sqlite:///{tmp_path}/worlds.db")
    with serving(shared) as one, serving(shared) as other:
        made = [httpx.post(f"{base}{path}", headers=headers, json={"name": "N"}) for base in (one, other, one, other)]
        gone = httpx.delete(f"{one}{path}/{made[0].json()['data']['id']}", headers=headers)
        again = httpx.post(f"{other}{path}", headers=headers, json={"name": "N"})

    assert [answer.status_code for answer in (*made, gone, again)] == [201, 201, 507, 507, 204, 201]


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
