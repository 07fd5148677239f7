"""A state against the plainest possible one: every list, filter, page and total after any writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server import contract, seeded
from mock_server.changes import Changes
from mock_server.clock import Clock
from mock_server.contract import Json, Parameter, Record, Resource
from mock_server.refusals import Duplicate, Guarded
from mock_server.seeded import Baseline, compiled, values
from mock_server.state import Collection, Condition, State
from mock_server.worlds import World

CONTRACTS = contract.load_all(Path(__file__).parent.parent / "openapi")
SCALE = 40
BASELINES = {name: Baseline(api, seeded.read(api, None), seed=7, scale=SCALE) for name, api in CONTRACTS.items()}
NAMES = st.sampled_from(["Acme", "acme corporation", "Zürich Räder", "", "%", "C-10001", "A" * 300, "عربى", "🙂"])


def new_world() -> World:
    return World("test", 7, SCALE, CONTRACTS, lambda api, *_: BASELINES[api], {}, Clock(frozen=1_772_366_400_000_000))


def lists() -> Iterator[tuple[str, str, Parameter]]:
    """Every filter of every list."""
    for name, api in CONTRACTS.items():
        for operation in api.operations.values():
            if operation.action == "list" and operation.resource:
                yield from ((name, operation.resource.name, parameter) for parameter in operation.filters)


def living(collection: Collection) -> dict[int, Record]:
    """All living records, looked at one by one."""
    return {n: record for n in range(collection.next) if (record := collection.get(n)) is not None}


def expected(state: State, collection: Collection, conditions: tuple[Condition, ...]) -> list[int]:
    def meets(record: Record, condition: Condition) -> bool:
        found: list[Json] = []
        for path in condition.filter.paths:
            children = next((c for c in collection.resource.children if c.property == path[0]), None)
            whole: Record = record
            if children:
                below = state.collections[children.resource]
                parent = record[collection.resource.id.property]
                mine = [r for r in living(below).values() if r[below.parent.property] == parent]
                whole = {children.property: mine}
            found += values(whole, path)
        return compiled(condition.filter, condition.value)(found)

    return [n for n, record in living(collection).items() if all(meets(record, condition) for condition in conditions)]


def scribble(data: st.DataObject, state: State, world: World, resource: Resource) -> None:
    """One write, whatever it is."""
    collection = state.collections[resource.name]
    numbers = list(living(collection))
    texts = [n for n, schema in resource.stored.items() if contract.json_type(schema) == "string" and n not in resource.assigned]
    sent: Record = {name: data.draw(NAMES) for name in data.draw(st.lists(st.sampled_from(texts), max_size=3))} if texts else {}
    for reference in resource.references:
        sent.pop(reference.property, None)
    kind = data.draw(st.sampled_from(["create", "update", "delete"]))
    try:
        with Changes(world, state) as changes:
            if kind == "create":
                if resource.parent:
                    parents = living(state.collections[resource.parent.resource])
                    parent = data.draw(st.sampled_from(list(parents.values())))
                    sent[resource.parent.property] = parent[state.contract.resources[resource.parent.resource].id.property]
                changes.create(resource, sent)
            elif numbers:
                number = data.draw(st.sampled_from(numbers))
                if kind == "delete":
                    changes.delete(resource, number)
                else:
                    changes.change(resource, number, {**collection.living(number), **sent}, sent)
    except (Duplicate, Guarded):
        pass


def value_for(data: st.DataObject, collection: Collection, parameter: Parameter) -> Json:
    """A value that a client may send: of a record, or made up."""
    record = data.draw(st.sampled_from(list(living(collection).values())))
    assert parameter.filter is not None
    kind = contract.json_type(parameter.schema)
    found = [v for path in parameter.filter.paths for v in values(record, path)] or [None]
    sample = data.draw(st.sampled_from(found))
    match kind:
        case "array":
            return data.draw(st.lists(st.integers(0, 2 * SCALE) | st.just(sample if isinstance(sample, int) else 1), max_size=3))
        case "integer":
            return sample if isinstance(sample, int) and data.draw(st.booleans()) else data.draw(st.integers(-1, 5))
    if parameter.filter.match in {"after", "from", "before", "to"}:
        text = sample if isinstance(sample, str) else "2024-06-01T00:00:00Z"
        return text[: data.draw(st.sampled_from([10, 30]))]
    if isinstance(sample, str) and sample and data.draw(st.booleans()):
        start = data.draw(st.integers(0, len(sample) - 1))
        return sample[start : start + data.draw(st.integers(1, 5))]
    return data.draw(NAMES)


@pytest.mark.parametrize(
    ("name", "resource", "parameter"), [pytest.param(*row, id=f"{row[0]}-{row[1]}-{row[2].name}") for row in lists()]
)
@settings(max_examples=8)
@given(data=st.data())
def test_a_filter_finds_what_it_should_after_any_writes(
    data: st.DataObject, name: str, resource: str, parameter: Parameter
) -> None:
    """Alone and with another filter: the same records, the same total, pages that partition."""
    api = CONTRACTS[name]
    world = new_world()
    state = world.state(name)
    collection = state.collections[resource]
    others = [p for n, r, p in lists() if (n, r) == (name, resource)]
    touched = [api.resources[resource], *(api.resources[c.resource] for c in api.resources[resource].children)]

    for _ in range(3):
        for _ in range(data.draw(st.integers(0, 4))):
            scribble(data, state, world, data.draw(st.sampled_from(touched)))
        if not living(collection):
            return
        chosen = {parameter.name: parameter} | {p.name: p for p in data.draw(st.lists(st.sampled_from(others), max_size=1))}
        conditions = tuple(Condition(p.filter, value_for(data, collection, p)) for p in chosen.values() if p.filter)
        found = collection.select(conditions)

        want = expected(state, collection, conditions)
        size = data.draw(st.integers(1, 7))
        assert len(found) == len(want)
        assert [n for offset in range(0, len(want) + size, size) for n in found.page(offset, size)] == want
        assert found.page(0, len(want), newest_first=True) == want[::-1]


@pytest.mark.parametrize("name", CONTRACTS)
@settings(max_examples=25)
@given(data=st.data())
def test_children_are_those_of_living_parents(data: st.DataObject, name: str) -> None:
    """After any writes no child is without its parent, and each parent lists exactly its own."""
    api = CONTRACTS[name]
    world = new_world()
    state = world.state(name)
    for _ in range(data.draw(st.integers(0, 8))):
        scribble(data, state, world, data.draw(st.sampled_from(list(api.resources.values()))))

    for collection in state.collections.values():
        if collection.resource.parent is None:
            continue
        above = state.collections[collection.parent.resource]
        parents = {record[above.resource.id.property] for record in living(above).values()}
        records = living(collection)
        assert {record[collection.parent.property] for record in records.values()} <= parents
        for parent in parents:
            own = [n for n, record in records.items() if record[collection.parent.property] == parent]
            assert collection.children(parent) == own


def test_a_change_refused_half_way_leaves_nothing() -> None:
    """What a call did before it was refused is taken back: records, children, totals, the next id."""
    api = CONTRACTS["fentu"]
    world = new_world()
    state = world.state("fentu")
    customers = state.collections["customer"]
    before, following = living(customers), customers.next
    taken = customers.living(3)["email"]

    def half_way() -> None:
        with Changes(world, state) as changes:
            changes.create(api.resources["customer"], {"name": "First", "email": "first@first.example"})
            changes.change(api.resources["customer"], 2, {**customers.living(2), "name": "Renamed"}, {"name": "Renamed"})
            changes.create(api.resources["customer"], {"name": "Second", "email": taken})

    with pytest.raises(Duplicate):
        half_way()

    assert living(customers) == before
    assert customers.next == following
    assert len(customers.select(())) == len(before)
    assert customers.holder("email", "first@first.example") is None
