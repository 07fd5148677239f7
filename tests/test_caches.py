from __future__ import annotations

from mock_server.seeded import Bounded


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
