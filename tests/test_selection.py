"""Sets of record numbers do what sets of integers do, in order."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.seeded.chance import mix
from mock_server.seeded.selection import Selection, bits

NUMBERS = st.integers(0, 79)
SETS = st.frozensets(NUMBERS)


@dataclass(frozen=True)
class Blocks:
    """A layout with blocks small enough to have many."""

    size: int
    base: int

    def rotation(self, block: int) -> int:
        return mix(self.base ^ block) % self.size if block else 0


LAYOUTS = st.builds(Blocks, st.sampled_from([1, 2, 7, 8, 16]), st.integers(0, 5))


@given(LAYOUTS, SETS)
def test_a_selection_holds_its_numbers_in_order(layout: Blocks, numbers: frozenset[int]) -> None:
    """What was put in is in, once and sorted."""
    chosen = Selection.of(layout, numbers)

    assert [*chosen] == sorted(numbers)
    assert len(chosen) == len(numbers)
    assert all((number in chosen) == (number in numbers) for number in range(90))


@given(LAYOUTS, SETS, SETS)
def test_selections_meet_and_join_like_sets(layout: Blocks, one: frozenset[int], other: frozenset[int]) -> None:
    """and, or and minus are those of sets."""
    first, second = Selection.of(layout, one), Selection.of(layout, other)

    assert [*(first & second)] == sorted(one & other)
    assert [*(first | second)] == sorted(one | other)
    assert [*(first - second)] == sorted(one - other)


@given(LAYOUTS, SETS, st.integers(0, 90), st.integers(0, 30), st.booleans())
def test_a_page_is_a_slice(layout: Blocks, numbers: frozenset[int], offset: int, limit: int, newest_first: bool) -> None:
    """Pages cut the whole in order, from either end; beyond it they are empty."""
    whole = sorted(numbers, reverse=newest_first)

    assert Selection.of(layout, numbers).page(offset, limit, newest_first) == whole[offset : offset + limit]


@given(LAYOUTS, SETS, st.frozensets(st.integers(0, 300)), st.frozensets(st.integers(0, 300)))
def test_a_change_adds_after_it_removes(
    layout: Blocks, numbers: frozenset[int], add: frozenset[int], remove: frozenset[int]
) -> None:
    """Numbers beyond the baseline may come in; the selection that was changed stays what it was."""
    before = Selection.of(layout, numbers)

    after = before.changed(add, remove)

    assert [*after] == sorted((numbers - remove) | add)
    assert [*before] == sorted(numbers)


@given(LAYOUTS, st.integers(-5, 100), st.integers(-5, 100))
def test_a_span_is_a_range(layout: Blocks, start: int, stop: int) -> None:
    """Between two numbers lie all from the first up to the second."""
    assert [*Selection.between(layout, start, stop)] == [*range(max(start, 0), stop)]


@given(LAYOUTS, st.integers(0, 100), st.data())
def test_what_is_true_of_a_kind_is_true_in_every_block(layout: Blocks, count: int, data: st.DataObject) -> None:
    """Kinds are tiled over all blocks, up to the number of records."""
    kinds = data.draw(st.lists(st.booleans(), min_size=layout.size, max_size=layout.size))

    chosen = Selection.tiled(layout, count, bits(kinds))

    size = layout.size
    assert [*chosen] == [n for n in range(count) if kinds[(n % size + layout.rotation(n // size)) % size]]


@given(LAYOUTS, st.lists(st.builds(range, NUMBERS, NUMBERS, st.integers(1, 9)), max_size=6))
def test_spans_are_joined(layout: Blocks, spans: list[range]) -> None:
    """Many numbers or few, side by side or not."""
    assert [*Selection.spans(layout, 80, spans)] == sorted({number for span in spans for number in span})


@given(LAYOUTS, SETS, st.data())
def test_what_belongs_to_a_selection_is_one(layout: Blocks, numbers: frozenset[int], data: st.DataObject) -> None:
    """In a layout whose blocks hold what belongs to those of the first."""
    owners = data.draw(st.lists(st.integers(0, layout.size - 1), min_size=1, max_size=20).map(sorted))
    below = Blocks(len(owners), 0)

    chosen = Selection.of(layout, numbers).below(below, owners)

    owning = {divmod(n, layout.size) for n in numbers}
    kinds = {(block, (offset + layout.rotation(block)) % layout.size) for block, offset in owning}
    wanted = [n for n in range(80 * len(owners)) if (n // len(owners), owners[_kind(below, n)]) in kinds]
    assert [*chosen] == wanted


def _kind(layout: Blocks, number: int) -> int:
    return (number % layout.size + layout.rotation(number // layout.size)) % layout.size


@pytest.mark.parametrize("count", [10**6, 10**9])
def test_a_selection_takes_the_same_room_at_every_scale(count: int) -> None:
    """A billion records with one status are a few runs."""
    layout = Blocks(4096, 3)

    half = Selection.tiled(layout, count, bits(kind % 2 == 0 for kind in range(4096)))

    assert half.weight < 3000
    assert abs(len(half) - count // 2) <= 4096
    assert half.page(len(half) - 1, 5) == [*half.page(0, 1, newest_first=True)]
