"""Schema -> a recipe for values that fit it, where no state is shown: what an answer may look like."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from mock_server.contract import Contract, Counter, Json, Origin, Record, Resource, Schema
from mock_server.documents import Steps
from mock_server.intake import Filling
from mock_server.schemas import MISSING, items, json_type, merged, properties, required, unset
from mock_server.seeded import Baseline, DataFile, Table, guesses
from mock_server.seeded.chance import mix, salt
from mock_server.seeded.kitchen import Constant, Kitchen, Recipe
from mock_server.seeded.rows import Row

DEPTH = 8  # Schemas may contain themselves: below, only what is required is made.
MOST = 3  # elements of a list beyond those that it must have, and names of an open mapping
DISTINCT = 16  # elements beyond those needed, of which the distinct ones are taken
WORDS = 1  # the seed of the words: to draw them anew for each answer would take too long
SCALE = 1000  # of the baseline that records are drawn from


@dataclass(frozen=True)
class Spot:
    """Where in an answer a value stands, and what the object around it is about."""

    table: Table
    record: Steps | None = None  # the way to the operation's own record; what stands on the way is about that too
    examples: bool = False  # the examples and defaults of the schemas are taken, as far as there are any
    drawn: bool = True  # what data.yaml says of records is taken
    path: Steps = ()
    depth: int = 0

    def below(self, step: str) -> Spot:
        """The spot of a property, or with * of an element."""
        return replace(self, path=(*self.path, step), depth=self.depth + 1)

    def inside(self) -> Spot:
        """The spot of an object for what is in it: its name tells what that is about."""
        names = [str(step) for step in self.path if step != "*"]
        if not names or self.path == (self.record or ())[: len(self.path)]:
            return self
        resource, baseline = self.table.resource, self.table.baseline
        below = {children.property: children.resource for children in resource.children}
        below |= {shown: reference.resource for shown, reference in resource.shown.items()}
        known = below.get(names[-1])
        table = baseline.tables[known] if known else Table(baseline, _bare(names[-1]))
        return replace(self, table=table, record=self.path if known else None)

    def records(self) -> Callable[[int], Record] | None:
        """Key -> a record, where the object shows one of which something is known."""
        count = self.table.count if self.drawn and self.path == self.record else 0
        return (lambda key: self.table.record(key % count)) if count else None


class Inventor:
    """Makes up the answers of one contract."""

    def __init__(self, contract: Contract, data: DataFile) -> None:
        self.contract = contract
        self.baseline = Baseline(contract, data, WORDS, SCALE)
        self._nobody = Table(self.baseline, _bare(""))
        self.row = Row(self._nobody, None, 0, 0, None, (0, 0, 0))  # what recipes are asked with

    def spot(self, resource: Resource | None, record: Steps | None, *, examples: bool, drawn: bool) -> Spot:
        """The root of an answer about a resource, and where in it the record stands."""
        return Spot(self.baseline.tables[resource.name] if resource else self._nobody, record, examples, drawn)

    def sentence(self, key: int) -> str:
        """A sentence that says nothing."""
        sentences = self.baseline.words.pool("sentence")
        return sentences[key % len(sentences)]


def recipe(spot: Spot, schema: Schema) -> Recipe:
    """What makes values that fit a schema."""
    whole = merged(schema)
    for keyword in ("example", "default") if spot.examples else ():
        if keyword in whole:
            return Constant(whole[keyword])
    made = _filled(spot, {keyword: part for keyword, part in whole.items() if keyword != "nullable"})
    if not spot.examples and _admits_null(schema):
        return lambda row, key: None if key % 5 == 0 else made(row, mix(key))
    return made


def _admits_null(schema: Schema) -> bool:
    """Whether null fits in whatever way `nullable` is read: beside allOf or an enum without null, readings differ."""
    branches = schema.get("allOf", ())
    if "type" in schema:
        own = schema.get("nullable") is True and None in schema.get("enum", (None,))
        return own and all(map(_admits_null, branches))
    return bool(branches) and all(map(_admits_null, branches)) and not {"enum", "oneOf", "anyOf", "not"} & {*schema}


def _filled(spot: Spot, schema: Schema) -> Recipe:
    if members := [member for member in schema.get("enum") or () if member is not None]:
        return lambda _row, key: members[key % len(members)]
    for keyword in ("oneOf", "anyOf"):
        if branches := schema.get(keyword):
            rest = {name: part for name, part in schema.items() if name != keyword}
            return _one_of(spot, [{"allOf": [rest, branch]} for branch in branches])
    return _KINDS.get(json_type(schema), _single)(spot, schema)


def _one_of(spot: Spot, schemas: list[Schema]) -> Recipe:
    deeper = replace(spot, depth=spot.depth + 1)
    choices = [_inner(deeper, schema) for schema in (schemas[:1] if spot.depth > DEPTH else schemas)]
    return lambda row, key: choices[key % len(choices)](row, mix(key))


def _single(spot: Spot, schema: Schema) -> Recipe:
    """What a text, a number or a boolean is likely to be, by its name and format."""
    return guesses.recipe(Kitchen(spot.table, "", schema, spot.path))


def _array(spot: Spot, schema: Schema) -> Recipe:
    needed, deep = schema.get("minItems", 0), spot.depth > DEPTH
    most = needed if deep else min(schema.get("maxItems", needed + MOST), needed + MOST)
    least = min(most, max(needed, 1))  # An empty list shows little.
    if not most:
        return lambda _row, _key: []
    element = _inner(spot.below("*"), items(schema))
    tries = DISTINCT if schema.get("uniqueItems") is True else 0

    def make(row: Row, key: int) -> Json:
        count = least + key % (most - least + 1)
        made = [element(row, mix(key ^ place)) for place in range(count + tries)]
        return [one for place, one in enumerate(made) if one not in made[:place]][:count] if tries else made

    return make


def _object(spot: Spot, schema: Schema) -> Recipe:
    spot = spot.inside()
    needed, deep, more = required(schema), spot.depth > DEPTH, schema.get("additionalProperties")
    any_value = more if isinstance(more, Mapping) else {"type": "object"}
    shown = {
        name: part
        for name, part in {**dict.fromkeys(needed, any_value), **properties(schema)}.items()
        if not merged(part).get("writeOnly") and (not deep or name in needed)
    }
    if not shown and isinstance(more, Mapping) and not deep:
        return _mapping(_inner(spot.below("*"), more))
    parts = [(name, salt(name), _inner(spot.below(name), part)) for name, part in shown.items()]
    draw = spot.records()
    if draw is None:
        return lambda row, key: {name: made(row, mix(key ^ number)) for name, number, made in parts}
    known = {name: shown[name] for name in _known(spot.table) if name in shown}

    def make(row: Row, key: int) -> Json:
        found = dict(_shown(spot.table.baseline.contract, known, draw(key)))
        return {name: found[name] if name in found else made(row, mix(key ^ number)) for name, number, made in parts}

    return make


def _known(table: Table) -> Iterator[str]:
    """The stored properties of which the contract or data.yaml says more than their schema."""
    resource, written = table.resource, table.baseline.data.recipes.get(table.name, {})
    times = {name for name in (resource.created, resource.updated) if name}
    return (name for name in resource.stored if name in written or name in table.counters or name in times)


def _shown(contract: Contract, known: Mapping[str, Schema], record: Record) -> Iterator[tuple[str, Json]]:
    """What a record has to show of the properties."""
    for name, part in known.items():
        value = record[name]
        value = unset(part, contract.unset) if value is None else Filling(part, contract.unset)(value)
        if value is not MISSING:
            yield name, value


def _mapping(element: Recipe) -> Recipe:
    """An object whose properties may have any names."""

    def make(row: Row, key: int) -> Json:
        words = row.table.baseline.words.pool("last_name")
        names = (words[mix(key + place) % len(words)].lower() for place in range(key % (MOST + 1)))
        return {name: element(row, mix(key ^ salt(name))) for name in names}

    return make


def _inner(spot: Spot, schema: Schema) -> Recipe:
    if spot.depth > 3 * DEPTH:  # It requires itself for ever: there is no such value.
        return Constant(None)
    return recipe(spot, schema)


_KINDS: Mapping[str, Callable[[Spot, Schema], Recipe]] = {"array": _array, "object": _object}


def _bare(name: str) -> Resource:
    """A resource of which only the name is known."""
    return Resource(
        name=name,
        title=name.replace("_", " ").capitalize().removesuffix("s"),
        schema={},
        id=Counter("id", None, 1),
        numbers=(),
        parent=None,
        children=(),
        references=(),
        unique=(),
        exclusive=(),
        initial={},
        created=None,
        updated=None,
        newest_first=False,
        trash=False,
        cascades=(),
        guards=(),
        stored={},
        origin=Origin("seed"),
    )
