"""What computes each property of a table's records: the recipe in data.yaml, what the contract says, or a guess."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from mock_server.contract import Json
from mock_server.documents import Steps
from mock_server.seeded import guesses, moments
from mock_server.seeded.chance import BITS_48, ODD, salt
from mock_server.seeded.kitchen import Choice, Constant, Derived, Kitchen, Maker, Order, Reads, Recipe, Wrong, known
from mock_server.seeded.recipes import compiled, unset
from mock_server.seeded.references import reference
from mock_server.seeded.rows import Row

if TYPE_CHECKING:
    from mock_server.seeded.tables import Table


def makers(table: Table) -> tuple[dict[str, Maker], Reads]:
    """Every property and helper of a table's records -> what computes it, and what of the record that reads."""
    made, reads, _ = _prepared(table)
    return made, reads


def mistakes(table: Table) -> list[tuple[Steps, str]]:
    """What is wrong with the recipes of a table, each with the way to it in data.yaml."""
    return _prepared(table)[2]


def order(made: Mapping[str, Maker], reads: Reads, names: Iterable[str]) -> Order:
    """The makers of these properties, each after those of what it always reads: few have to be called from within others."""
    found: dict[str, Maker] = {}
    visited: set[str] = set()

    def visit(name: str) -> None:
        if name in visited:
            return
        visited.add(name)
        for other, always in reads.get(name, {}).items():
            if always:
                visit(other)
        found[name] = made[name]

    for name in names:
        visit(name)
    return tuple(found.items())


def _prepared(table: Table) -> tuple[dict[str, Maker], Reads, list[tuple[Steps, str]]]:
    mistakes: list[tuple[Steps, str]] = []
    made: dict[str, Maker] = {"_mark": lambda row: row.mark, "_item": Constant(None), "_moment": moments.noted(table)}
    reads: Reads = {}
    for name in known(table):
        if name in made:
            continue
        kitchen = Kitchen(table, name, table.resource.stored.get(name, {}), ("resources", table.name, name), mistakes)
        made[name] = _maker(kitchen)
        reads[name] = kitchen.reads
    mistakes += [(("resources", table.name, name), f"depends on itself through {way}") for name, way in _circles(reads)]
    return made, reads, mistakes


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
        timing = kitchen.table.timings[kitchen.name]
        if timing.always:
            kitchen.reading("_moment")
        if timing.depends_on:
            kitchen.reading(timing.depends_on)
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
    if isinstance(recipe, Derived):
        return recipe.make
    # What follows is `drawn`, written out: these are the hottest lines.
    if kitchen.name in kitchen.table.baseline.data.own.get(kitchen.table.name, ()):
        return lambda row: recipe(row, ((row.own_key or row.single_key()) ^ number) * ODD >> 16 & BITS_48)
    if isinstance(recipe, Choice):
        values, count = recipe.values, len(recipe.values)
        return lambda row: values[((row.key ^ number) * ODD >> 16 & BITS_48) % count]
    return lambda row: recipe(row, (row.key ^ number) * ODD >> 16 & BITS_48)


def _circles(reads: Reads) -> Iterator[tuple[str, str]]:
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
    if not counter.yearly:
        before, width, after = counter.parts  # As Counter.value, which is slower.
        return lambda row: before + str(start + row.number).zfill(width) + after
    if created is None:
        return lambda row: counter.value(row.number)
    dated = created

    def value(row: Row) -> Json:
        when = row[dated]
        return counter.value(row.number, int(when[:4])) if isinstance(when, str) else counter.value(row.number)

    return value
