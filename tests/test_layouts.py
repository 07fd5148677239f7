"""Which records belong to which: arithmetic that counts no further than it is asked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mock_server.seeded.layouts import SIZE, Grouped, Scattered

SCALES = st.sampled_from([0, 1, 60, SIZE - 1, SIZE, SIZE + 1, 10_000])
BOUNDS = st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from([100, 90]))


def grouped(scale: int, bounds: tuple[tuple[int, int, int], ...]) -> Grouped:
    """A table below as many others."""
    layout: Scattered | Grouped = Scattered(7, scale)
    for base, (least, more, percent) in enumerate(bounds):
        layout = Grouped(base, layout, least, least + more, least + more, percent)
    assert isinstance(layout, Grouped)
    return layout


@given(scale=SCALES, bounds=st.lists(BOUNDS, min_size=1, max_size=2).map(tuple), data=st.data())
def test_every_record_belongs_to_one_parent(scale: int, bounds: tuple[tuple[int, int, int], ...], data: st.DataObject) -> None:
    """A parent's records follow those of the parent before, and each of them names it."""
    layout = grouped(scale, bounds)
    parent = data.draw(st.integers(0, max(layout.above.count - 1, 0)))

    children = layout.children(parent)

    assert [layout.parent(number) for number in children] == [parent] * len(children)
    assert children.stop == layout.start(parent + 1) or not layout.above.count
    assert layout.start(layout.above.count) == layout.count


@given(scale=SCALES, bounds=st.lists(BOUNDS, min_size=1, max_size=2).map(tuple), number=st.integers(0, 20_000))
def test_how_far_it_has_counted_makes_no_difference(scale: int, bounds: tuple[tuple[int, int, int], ...], number: int) -> None:
    """Asked about one record at once, a table says what one that has counted all its kinds says."""
    fresh, counted = grouped(scale, bounds), grouped(scale, bounds)
    assert counted.size > 0

    assert fresh.kind(number) == counted.kind(number)
    assert fresh.start(number) == counted.start(number)
    assert fresh.count == counted.count
    assert fresh.size == counted.size


@given(scale=SCALES, bounds=st.lists(BOUNDS, min_size=1, max_size=2).map(tuple), number=st.integers(0, 20_000))
def test_a_block_and_a_kind_name_one_number(scale: int, bounds: tuple[tuple[int, int, int], ...], number: int) -> None:
    """As a number names its block and its kind; and a kind its owner's, whichever way it is asked for."""
    layout = grouped(scale, bounds)
    owners = layout.owners()

    block, kind = layout.kind(number)

    assert layout.number(block, kind) == number
    assert kind >= len(owners) or owners[kind] == layout.owner(kind)[0]
    for owner in range(min(layout.above.size, 20)):
        assert layout.kinds(owner) == (layout.first(owner), layout.first(owner + 1))
