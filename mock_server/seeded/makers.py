"""What computes each property of a table's records: the recipe in data.yaml, what the contract says, or a guess."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mock_server.contract import Json
from mock_server.documents import Steps
from mock_server.seeded import guesses, moments
from mock_server.seeded.chance import BITS_48, ODD, drawn, salt
from mock_server.seeded.kitchen import Constant, Kitchen, Maker, Recipe, Wrong, known
from mock_server.seeded.recipes import CERTAIN, compiled, unset
from mock_server.seeded.references import reference
from mock_server.seeded.rows import Row

if TYPE_CHECKING:
    from mock_server.seeded.tables import Table


def makers(table: Table) -> dict[str, Maker]:
    """Every property and helper of a table's records -> what computes it."""
    made, _ = prepared(table)
    return made


def prepared(table: Table) -> tuple[dict[str, Maker], list[tuple[Steps, str]]]:
    """What computes every property and helper, and the mistakes in their recipes, with the way to them in data.yaml."""
    mistakes: list[tuple[Steps, str]] = []
    made: dict[str, Maker] = {"_mark": lambda row: row.mark, "_item": Constant(None), "_moment": moments.noted}
    reads: dict[str, set[str]] = {}
    for name in known(table):
        if name in made:
            continue
        kitchen = Kitchen(table, name, table.resource.stored.get(name, {}), ("resources", table.name, name), mistakes)
        made[name] = _maker(kitchen)
        reads[name] = kitchen.reads
    mistakes += [(("resources", table.name, name), f"depends on itself through {way}") for name, way in _circles(reads)]
    return made, mistakes


def _maker(kitchen: Kitchen) -> Maker:
    table, name = kitchen.table, kitchen.name
    if name in table.counters:
        return _counted(table, name)
    if table.resource.parent and name == table.resource.parent.property:
        held = table.resource.parent.by or table.baseline.tables[table.resource.parent.resource].resource.id.property
        return lambda row: row.parent[held]
    if name in table.timings:
        return _timed(kitchen)
    return _unwritten(kitchen) if _tree(kitchen) is _NONE else _chancy(kitchen, compiled(kitchen, _tree(kitchen)))


def _timed(kitchen: Kitchen) -> Maker:
    try:
        if path := kitchen.table.timings[kitchen.name].depends_on:
            kitchen.reading(path)
    except Wrong as wrong:
        kitchen.mistakes.append((kitchen.path, str(wrong)))
    return moments.timed(kitchen.table, kitchen.name)


def _unwritten(kitchen: Kitchen) -> Maker:
    """What computes a property of which data.yaml says nothing."""
    table, name = kitchen.table, kitchen.name
    if name in table.references:
        return _chancy(kitchen, reference(table, table.references[name].resource, table.references[name].by))
    if name in table.resource.exclusive:
        return lambda row: row.index == 0
    if table.name in table.baseline.data.unset:
        return _chancy(kitchen, unset(kitchen, None))
    return _chancy(kitchen, guesses.recipe(kitchen))


_NONE = object()


def _tree(kitchen: Kitchen) -> Json:
    """The recipe as data.yaml has it."""
    return kitchen.table.baseline.data.recipes.get(kitchen.table.name, {}).get(kitchen.name, _NONE)


def _chancy(kitchen: Kitchen, recipe: Recipe) -> Maker:
    number = salt(kitchen.name)
    if isinstance(recipe, Constant):
        return recipe
    if _leaves_nothing_to_chance(kitchen):
        return lambda row: recipe(row, 0)
    if kitchen.name in kitchen.table.baseline.data.own.get(kitchen.table.name, ()):
        return lambda row: recipe(row, drawn(row.single_key, number))
    return lambda row: recipe(row, (row.key ^ number) * ODD >> 16 & BITS_48)  # `drawn`, written out: this is the hottest line.


def _leaves_nothing_to_chance(kitchen: Kitchen) -> bool:
    """Whether the recipe follows from other values alone: then it needs no key, which saves much of the time."""
    tree = _tree(kitchen)
    name = tree if isinstance(tree, str) else next(iter(tree)) if isinstance(tree, dict) and len(tree) == 1 else None
    return name is not None and ("{" in name or name in CERTAIN)


def _circles(reads: Mapping[str, set[str]]) -> Iterator[tuple[str, str]]:
    """The names that depend on themselves, with the way."""
    for name in reads:
        todo, seen = [(name, [name])], set[str]()
        while todo:
            at, way = todo.pop()
            for following in reads.get(at, ()):
                if following == name:
                    yield name, " → ".join([*way, name])
                    todo.clear()
                    break
                if following not in seen:
                    seen.add(following)
                    todo.append((following, [*way, following]))


def _counted(table: Table, name: str) -> Maker:
    counter, start = table.counters[name], table.counters[name].start
    created, pattern = table.resource.created, table.counters[name].pattern
    if pattern is None:
        return lambda row: start + row.number
    if "{year}" not in pattern:  # The pattern is one of str.format, which is fast.
        write = pattern.format
        return lambda row: write(n=start + row.number)
    if created is None:
        return lambda row: counter.value(row.number)
    dated = created

    def value(row: Row) -> Json:
        when = row[dated]
        return counter.value(row.number, int(when[:4])) if isinstance(when, str) else counter.value(row.number)

    return value
