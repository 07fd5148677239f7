from __future__ import annotations

from mock_server.seeded import Bounded
from tests.conftest import Client


def test_what_is_heavier_than_the_room_pushes_nothing_out() -> None:
    """One vast export must not stay in memory, nor cost all that is kept."""
    kept = Bounded[str, int](10, lambda weight: weight)
    kept["small"] = 4
    kept["vast"] = 11

    assert (kept.get("small"), kept.get("vast")) == (4, None)


def test_what_came_first_goes_first() -> None:
    """Until the newest has room."""
    kept = Bounded[str, int](10, lambda weight: weight)
    for name, weight in (("first", 4), ("second", 4), ("third", 6)):
        kept[name] = weight

    assert [kept.get(name) for name in ("first", "second", "third")] == [None, 4, 6]


def test_what_is_replaced_makes_room() -> None:
    """It is not counted twice."""
    kept = Bounded[str, int](10, lambda weight: weight)
    kept["other"] = 2
    for weight in (7, 8, 4):
        kept["one"] = weight
    kept["third"] = 4

    assert [kept.get(name) for name in ("other", "one", "third")] == [2, 4, 4]


def test_what_is_replaced_by_what_is_too_heavy_is_gone() -> None:
    """The old value would be wrong."""
    kept = Bounded[str, int](10, lambda weight: weight)
    for weight in (7, 11):
        kept["one"] = weight

    assert (kept.get("one"), len(kept)) == (None, 0)


def test_worlds_that_wrote_as_often_show_each_its_own(fentu: Client) -> None:
    """What they answered is kept in one place, for all that begin with the same data."""
    worlds = [f"twin-{number}" for number in range(4)]
    for world in worlds:
        fentu.post("customers", headers={"X-Mock-World": world}, json={"name": world}).raise_for_status()

    for _ in range(2):  # The second time it is kept.
        for world in worlds:
            told = {"X-Mock-World": world}
            id = fentu.get("customers", params={"search": world}, headers=told).json()["data"][0]["id"]
            assert fentu.get(f"customers/{id}", headers=told).json()["data"]["name"] == world
