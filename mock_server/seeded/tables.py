"""The baseline: every record of every resource, none of which exists before somebody looks.

What a filter costs the first time, by what it looks at (the answer is kept, a second time costs next to nothing):

* counted properties and ids of records of the same family: arithmetic;
* the time of creation, and times counted from it (`updated`, the recipes `moment` and `later`): a binary search;
* whatever depends on the record's kind: one test a kind, whatever the scale;
* the same with the number of its block in it: one test more for each block and each way in which a text can reach into it;
* references to a record above: its family; of many, a shift of bits for each block;
* references to a record beside, of the same parent: the records of that parent;
* everything else (what `own` in data.yaml makes different in every record, what is copied from an id, parts of counted
  properties with the year in them): every record is read, some 10 to 60 microseconds each.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import chain, islice
from typing import Any

from mock_server.contract import Contract, Counter, Filter, Json, Record, Reference, Resource
from mock_server.schemas import json_type
from mock_server.seeded import counted, makers, moments
from mock_server.seeded.caches import REPLY_OVERHEAD, Bounded
from mock_server.seeded.chance import mix, salt
from mock_server.seeded.datafile import Amount, DataFile, Each, Fixed, Scaled
from mock_server.seeded.kitchen import Constant, Maker, Order, Reads
from mock_server.seeded.layouts import Arrangement, Grouped, Scattered
from mock_server.seeded.marked import Marked, agree, wanted
from mock_server.seeded.matching import Test, comparable, compiled, text, walked
from mock_server.seeded.rows import UNKNOWN_BLOCK, NeedsRecord, Probe, Row
from mock_server.seeded.selection import Selection, bits
from mock_server.seeded.timeline import UNIT, Timeline
from mock_server.seeded.words import Words

Path = tuple[str, ...]

PROPERTIES_KEPT = 24_000  # of whole records
ROWS_KEPT = 1024
COLUMNS_KEPT = 24
NAMES_KEPT = 64  # for the recipes that read one
SELECTION_BYTES_KEPT = 4_000_000
REPLIES_KEPT = 4 << 20  # bytes
RENDERED_KEPT = 4 << 20  # bytes of records that were written, as they are shown
RENDERED_OVERHEAD = 300  # bytes of one
RECORD_TO_JSON = 3  # what a record takes with its JSON beside that alone
FAMILIES = 256  # as many are looked through one by one
_RISING, _FALLING = frozenset({"after", "from"}), frozenset({"before", "to"})
_DIGITS = frozenset("0123456789")
_UNDIGITED = str.maketrans("", "", "0123456789")


class Baseline:
    """All records of one contract at one seed and scale, shared by all worlds."""

    def __init__(self, contract: Contract, data: DataFile, seed: int, scale: int) -> None:
        self.contract = contract
        self.data = data
        self.seed = seed
        self.scale = scale
        self.words = Words(data.locale, seed)
        # What is kept for the worlds that begin with it, however many they are: what their states showed.
        self.replies = Bounded[Hashable, Any](REPLIES_KEPT, lambda reply: REPLY_OVERHEAD + len(reply.body or b""))
        self.rendered = Bounded[Hashable, tuple[Record, tuple[int, ...], bytes]](
            RENDERED_KEPT, lambda known: RENDERED_OVERHEAD + RECORD_TO_JSON * len(known[2])
        )
        self.tables: Mapping[str, Table] = {name: Table(self, resource) for name, resource in contract.resources.items()}


class Table:
    """The records of one resource."""

    def __init__(self, baseline: Baseline, resource: Resource) -> None:
        self.baseline = baseline
        self.resource = resource
        self.name = resource.name
        self.base = mix(baseline.seed ^ salt(f"{baseline.contract.name}/{resource.name}"))
        self.pins = baseline.data.records.get(resource.name, {})
        self._records = Bounded[int, Record](PROPERTIES_KEPT, weight=len)
        self._rows_kept = Bounded[int, Row](ROWS_KEPT)
        self._columns = Bounded[Path, list[tuple[Json, ...]]](COLUMNS_KEPT)
        self._texts = Bounded[Path, Marked](COLUMNS_KEPT)
        self._selections = Bounded[Hashable, Selection](SELECTION_BYTES_KEPT, weight=lambda selection: selection.weight)
        self._finders = Bounded[tuple[Path, bool], Mapping[Json, list[int]]](COLUMNS_KEPT)
        self._irregular_values = Bounded[tuple[str, bool], Mapping[Json, int]](COLUMNS_KEPT)
        self._times = Bounded[str, list[moments.Time | None]](COLUMNS_KEPT)
        self._names: dict[int, Callable[[int], tuple[int, int]]] = {}
        self._marked: dict[Path, bool] = {}  # path -> whether what stands there has the block in it
        self._single: set[Path] = set()  # paths to what depends on more than the record's kind

    # ---------------------------------------------------------------------------------------------------- numbers

    @cached_property
    def above(self) -> Table | None:
        """The table whose records these belong to: the parent's, or that of `per` in data.yaml."""
        each = self._each
        return self.baseline.tables[each.resource] if isinstance(each, Each) else None

    @cached_property
    def grouped(self) -> bool:
        """Whether its records belong to those of another table."""
        return self.above is not None

    @cached_property
    def layout(self) -> Arrangement:
        each = self._each
        if isinstance(each, Each):
            return Grouped(self.base, self.baseline.tables[each.resource].layout, each.least, each.most, each.first, each.percent)
        return Scattered(self.base, each.count) if isinstance(each, Fixed) else Scattered(self.base, self.baseline.scale)

    @cached_property
    def count(self) -> int:
        """How many records the baseline has."""
        return self.layout.count

    def children(self, parent: int) -> range:
        """The numbers of the records that belong to record `parent` of the table above."""
        return self._grouped.children(parent)

    def parent(self, number: int) -> int:
        """The number, in the table above, of the record that this one belongs to."""
        return self._grouped.parent(number)

    def placed(self, kind: int) -> tuple[int, int, int]:
        """The kind of a kind's owner, which of the owner's records it is, and what is the same however many these are."""
        if self.above is None:
            return 0, 0, kind
        owner, index = self._grouped.owner(kind)
        return owner, index, (self.above.placed(owner)[2] if self.above.grouped else owner) << 10 | index

    def kinds_of(self, owner: int) -> tuple[int, int]:
        """The first kind of what belongs to a kind of owner, and the first no longer."""
        return self._grouped.kinds(owner)

    @property
    def growing(self) -> bool:
        """Whether the scale is how many there are."""
        return isinstance(self._each, Scaled)

    @property
    def _each(self) -> Amount:
        return self.baseline.data.amount(self.resource)

    @cached_property
    def _grouped(self) -> Grouped:
        if not isinstance(self.layout, Grouped):
            raise LookupError(f"{self.name} belongs to no other resource")
        return self.layout

    # ---------------------------------------------------------------------------------------------------- records

    def record(self, number: int) -> Record:
        """The stored record with this number: not to be changed."""
        record = self._records.get(number)
        if record is None:
            if not 0 <= number < self.count:
                raise IndexError(f"{self.name} has no record {number}")
            row = self.row(number)
            record = self._records[number] = self._written_down(row) if number in self.pins else self._made_up(row)
            row.release()
        return record

    def _written_down(self, row: Row) -> Record:
        return {name: row[name] for name in self.resource.stored}

    def _made_up(self, row: Row) -> Record:
        record = self._template.copy()
        read, unread, helpers = self._order
        for name, make in read:
            if name not in row:
                row[name] = make(row)
            record[name] = row[name]
        for name, make in unread:
            record[name] = make(row)
        for name in helpers:
            del record[name]
        return record

    @cached_property
    def _template(self) -> Record:
        """What all records have in common; None stands for the rest."""
        found = ((name, self.makers[name]) for name in self.resource.stored)
        return {name: maker.value if isinstance(maker, Constant) else None for name, maker in found}

    @cached_property
    def _varying(self) -> tuple[str, ...]:
        return tuple(name for name in self.resource.stored if not isinstance(self.makers[name], Constant))

    def row(self, number: int) -> Row:
        """The record with this number, of which nothing is computed yet."""
        block, kind = self.layout.kind(number)
        return Row(self, number, block, kind, None, self.placed(kind) if self.above else (0, 0, kind))

    def kin(self, block: int, kind: int, probe: Probe | None) -> Row:
        """The record of a kind in a block, or with a probe whatever record of that kind in the block."""
        return Row(self, None, block, kind, probe, self.placed(kind) if self.above else (0, 0, kind))

    def referred(self, row: Row, name: str) -> Row | None:
        """The row that a reference of a row names; None if it names nothing."""
        reference = self.references[name]
        other = self.baseline.tables[reference.resource]
        ancestor: Row | None = row
        while ancestor is not None and ancestor.table is not other:
            ancestor = ancestor.parent if ancestor.table.above else None
        if ancestor is not None and ancestor is not row:
            return ancestor
        number = other.find(reference.by or other.resource.id.property, row[name], fold=False)
        if number is None:
            return None
        return other.row(number) if other.growing or other.grouped else other.kept_row(number)

    def kept_row(self, number: int) -> Row:
        """The row of a table that is small whatever the scale, with all that was computed of it."""
        row = self._rows_kept.get(number)
        if row is None:
            row = self._rows_kept[number] = self.row(number)
        return row

    @cached_property
    def references(self) -> Mapping[str, Reference]:
        found = [*self.resource.references, *([self.resource.parent] if self.resource.parent else [])]
        return {reference.property: reference for reference in found}

    @cached_property
    def counters(self) -> Mapping[str, Counter]:
        return {counter.property: counter for counter in (*self.resource.numbers, self.resource.id)}

    @property
    def makers(self) -> Mapping[str, Maker]:
        """Property or helper -> what computes it."""
        return self._made[0]

    @cached_property
    def _made(self) -> tuple[dict[str, Maker], Reads]:
        return makers.makers(self)

    @cached_property
    def orders(self) -> Mapping[str, Order]:
        """Property or helper -> what has to be computed for it."""
        return {name: makers.order(*self._made, (name,)) for name in self.makers}

    @cached_property
    def _order(self) -> tuple[Order, Order, tuple[str, ...]]:
        """What has to be computed for a record: what else in it is made from, what nothing is, and what of it no record has."""
        order = makers.order(*self._made, self._varying)
        read = {name for reads in self._made[1].values() for name in reads}
        first = tuple(step for step in order if step[0] in read or step[0] not in self.resource.stored)
        return (
            first,
            tuple(step for step in order if step not in first),
            tuple(n for n, _ in first if n not in self.resource.stored),
        )

    def names(self, words: int) -> Callable[[int], tuple[int, int]]:
        """What gives, for a kind, the places of a last name and of one of so many words; no two kinds have the same."""
        if words not in self._names:
            self._names[words] = lru_cache(NAMES_KEPT)(self._placing(words))
        return self._names[words]

    def _placing(self, words: int) -> Callable[[int], tuple[int, int]]:
        base, pool = self.base, self.baseline.words.pool

        def places(kind: int) -> tuple[int, int]:
            # Multiplied by an odd number modulo a power of two, kinds change places and no two meet.
            turn, last = divmod(kind * (base | 1) & (1 << (self.layout.size - 1).bit_length()) - 1, len(pool("last_name")))
            return last, (turn + mix(base ^ last)) % words

        return places

    @cached_property
    def timeline(self) -> Timeline:
        return self.baseline.data.timeline(self.resource)

    def slot(self, row: Row) -> tuple[int, int]:
        """The place of a row on the line of time, and its length."""
        if self.above is None:
            return row.number * UNIT, UNIT
        low, width = self.above.slot(row.parent)
        first, stop = self.kinds_of(row.owner)
        width >>= 1
        share = width // (stop - first)
        return low + width + row.index * share, share

    # ---------------------------------------------------------------------------------------------------- looking for records

    def all(self) -> Selection:
        """Every record."""
        return self._kept("all", lambda: Selection.between(self.layout, 0, self.count))

    def select(self, filter: Filter, value: Json) -> Selection:
        """The records that a filter with this value lets through."""
        return self._kept((filter, repr(value)), lambda: self._selected(filter, value))

    def find(self, property: str, value: Json, fold: bool) -> int | None:
        """The number of the record that has this value in a unique property."""
        if value is None:
            return None
        key = comparable(value, fold)
        written = self._written(property, fold).get(key)
        if written is not None:
            return written
        for number in self._candidates(property, value, fold):
            if 0 <= number < self.count and comparable(self.row(number)[property], fold) == key:
                return number
        return None

    def _written(self, property: str, fold: bool) -> Mapping[Json, int]:
        """The values of the irregular records -> their numbers."""
        written = self._irregular_values.get((property, fold))
        if written is None:
            pairs = ((comparable(self.row(number)[property], fold), number) for number in reversed(self.irregular))
            written = self._irregular_values[property, fold] = dict(pairs)
        return written

    def _candidates(self, property: str, value: Json, fold: bool) -> Iterable[int]:
        if property in self.counters:
            number = self.counters[property].number(value)
            return () if number is None else (number,)
        path = (property,)
        if self._depends_on_record(path):
            return self._by_record(path, compiled(Filter((path,), "equals", fold), value)).page(0, 1)
        return self._holding(path, value, fold)

    def _holding(self, path: Path, value: Json, fold: bool) -> Iterator[int]:
        """The numbers that a text names by its words, which tell the kind, and by its digits, which may hold the block."""
        kinds = self._finder(path, fold).get(_undigited(comparable(value, fold)), [])
        if not kinds:
            return
        blocks = range(-(-self.count // self.layout.size))
        named = {0, *_numbers_in(value)} if self._marked[path] else blocks
        for block in sorted(block for block in named if block in blocks):
            yield from (self.layout.number(block, kind) for kind in kinds)

    def _finder(self, path: Path, fold: bool) -> Mapping[Json, list[int]]:
        finder = self._finders.get((path, fold))
        if finder is None:
            found: dict[Json, list[int]] = {}
            for kind, values in enumerate(self._column(path)):
                for value in values:
                    found.setdefault(_undigited(comparable(value, fold)), []).append(kind)
            finder = self._finders[path, fold] = found
        return finder

    def _kept(self, key: Hashable, make: Callable[[], Selection]) -> Selection:
        selection = self._selections.get(key)
        if selection is None:
            selection = self._selections[key] = make()
        return selection

    def _selected(self, filter: Filter, value: Json) -> Selection:
        test = compiled(filter, value)
        chosen = Selection(self.layout)
        for path in filter.paths:
            chosen |= self._regular(path, filter, value, test) if self.count else chosen
        passing = [number for number in self.irregular if any(test(self._values(number, path)) for path in filter.paths)]
        return chosen.changed(passing, set(self.irregular) - set(passing))

    def _values(self, number: int, path: Path) -> Iterator[Json]:
        return self._walked(self.row(number), path)

    def _walked(self, row: Row, path: Path) -> Iterator[Json]:
        """The values at a path; through the properties that list children, those of the children."""
        below = self._below.get(path[0])
        if below is None:
            return walked(row[path[0]], path, 1)
        if len(path) < 3 or path[1] != "*":
            return iter(())
        return (value for child in row.offspring(below) for value in below._walked(child, path[2:]))

    @cached_property
    def _below(self) -> Mapping[str, Table]:
        return {children.property: self.baseline.tables[children.resource] for children in self.resource.children}

    def _regular(self, path: Path, filter: Filter, value: Json, test: Test) -> Selection:
        """What one path lets through; wrong about irregular records."""
        name = path[0]
        if name in self.counters and len(path) == 1:
            return self._by_counter(self.counters[name], filter, value, test)
        if name in self.references and len(path) == 1 and filter.match not in ("present", "flag"):
            found = self._referring(self.references[name], filter, value, test)
            if found is not None:
                return found
        if name in self.timings and filter.match in _RISING | _FALLING:
            with suppress(NeedsRecord):  # What decides between its times may differ in each record.
                return self._by_time(name, filter, test)
        searched = filter.match not in ("present", "flag") and _without_digits(filter, value)
        if searched and self._holds_numbers(path) and not any(test((number,)) for number in (0, -1)):
            return Selection(self.layout)
        if not self._depends_on_record(path):
            return self._by_kind(path, filter, value, test)
        return self._by_record(path, test)

    def _holds_numbers(self, path: Path) -> bool:
        """Whether only digits can stand there: where one has no text that passes, none has."""
        return len(path) == 1 and json_type(self.resource.stored.get(path[0], {})) == "integer"

    def _by_counter(self, counter: Counter, filter: Filter, value: Json, test: Test) -> Selection:
        if filter.match in ("equals", "in") and not filter.fold:
            values = value if isinstance(value, list) and filter.match == "in" else [value]
            numbers = {number for one in values if (number := counter.number(one)) is not None and number < self.count}
            return Selection.of(self.layout, (n for n in numbers if test([self.row(n)[counter.property]])))
        if filter.match == "flag":
            return self._by_record((counter.property,), test)
        if _without_digits(filter, value):
            return self.all() if test([counter.value(0)]) else Selection(self.layout)
        texts = _texts(filter, value)
        if texts is None or counter.yearly:
            return self._by_record((counter.property,), test)
        chosen = Selection(self.layout)
        for pieces in texts:
            chosen |= self._counted(counter, pieces, filter.fold)
        if all(len(pieces) > 1 and sum(map(bool, pieces)) <= 1 for pieces in texts):
            return chosen
        return Selection.of(self.layout, (number for number in chosen if test((counter.value(number),))))

    def _counted(self, counter: Counter, pieces: list[str], fold: bool) -> Selection:
        """The records whose value has all the pieces in it, the first at its start, the last at its end."""
        chosen = self.all()
        for place, piece in enumerate(pieces):
            side: counted.Side = "start" if not place else "end" if place == len(pieces) - 1 else ""
            if piece:
                chosen &= Selection.spans(self.layout, self.count, [*counted.holding(counter, piece, self.count, fold, side)])
        return chosen

    def _referring(self, reference: Reference, filter: Filter, value: Json, test: Test) -> Selection | None:
        """The records that refer to one of the same family that passes; None if those may be anywhere."""
        name, other = reference.property, self.baseline.tables[reference.resource]
        if other not in self.lineage and (other.above is None or other.above not in self.lineage):
            return None
        held = (reference.by or other.resource.id.property,)
        found = other.select(replace(filter, paths=(held,)), value)
        own = other in self.lineage and name not in self.baseline.data.recipes.get(self.name, {})  # Each refers to its own.
        if own and len(found) > FAMILIES:
            return self._below_all(found, other)
        numbers = sorted({number for one in found for number in self._family(other, one)})
        return Selection.of(self.layout, (number for number in numbers if own or test(self._values(number, (name,)))))

    def _below_all(self, found: Selection, other: Table) -> Selection:
        """The records that belong to those found in a table above."""
        if self.above is None or self.above is other:
            return found.below(self.layout, self._grouped.owners())
        return self.above._below_all(found, other).below(self.layout, self._grouped.owners())

    def _family(self, other: Table, number: int) -> range:
        """The records that belong to a record of a table above, or to the owner of one beside."""
        if other not in self.lineage:
            return self._family(*_owner(other, number))
        if self.above is other:
            return self.children(number)
        if self.above is None:
            return range(self.count)
        within = self.above._family(other, number)
        return range(self.children(within.start).start, self.children(within.stop - 1).stop) if within else range(0)

    @cached_property
    def lineage(self) -> tuple[Table, ...]:
        """The tables above, the nearest first."""
        return (self.above, *self.above.lineage) if self.above else ()

    def _by_time(self, name: str, filter: Filter, test: Test) -> Selection:
        """Most times are as late as the record is, after a delay that depends on its kind: one search for each delay."""
        chosen, write, timing = Selection(self.layout), moments.writing(self, name), self.timings[name]
        rising = filter.match in _RISING
        for delay in timing.delays:

            def passes(number: int, delay: int = delay) -> bool:
                return test([write(moments.moment(self.row(number)) + delay)])

            edge = _edge(self.count, passes, rising=rising)
            span = Selection.between(self.layout, edge if rising else 0, self.count if rising else edge)
            chosen |= span & self._kept((name, delay), lambda delay=delay: self._delayed(name, delay))  # type: ignore[misc]
        if timing.always:
            return chosen
        fixed = (time is not None and not time[0] and test([write(time[1])]) for time in self._times_of_kinds(name))
        return chosen | Selection.tiled(self.layout, self.count, bits(fixed))

    def _delayed(self, name: str, delay: int) -> Selection:
        if self.timings[name].always:
            return self.all()
        return Selection.tiled(self.layout, self.count, bits(time == (True, delay) for time in self._times_of_kinds(name)))

    def _times_of_kinds(self, name: str) -> list[moments.Time | None]:
        times = self._times.get(name)
        if times is None:
            times = self._times[name] = [self.timings[name].of(row) for row in self._rows(0, Probe())]
        return times

    @cached_property
    def timings(self) -> Mapping[str, moments.Timing]:
        """The properties that are a time after the record's moment -> by how much."""
        return moments.timings(self)

    def _by_kind(self, path: Path, filter: Filter, value: Json, test: Test) -> Selection:
        size, in_first = self.layout.size, bits(map(test, self._column(path)))
        if self.count <= size or not self._marked[path]:
            return Selection.tiled(self.layout, self.count, in_first)
        marked = self._marked_texts(path)
        if marked is None:
            self._single.add(path)
            return self._by_record(path, test)
        passing = marked.passing(filter, value, test)
        rest = ((block, passing(block)) for block in range(1, -(-self.count // size)))
        return Selection.by_block(self.layout, self.count, [(0, in_first), *rest])

    def _marked_texts(self, path: Path) -> Marked | None:
        """The texts of all blocks but the first; None if the number of the block does more than stand in them."""
        marked = self._texts.get(path)
        if marked is None:
            with suppress(NeedsRecord):
                column = []
                # Side by side, so that what both are made from is still kept.
                for values, first in zip(
                    self._of_kinds(path, UNKNOWN_BLOCK, Probe()), self._of_kinds(path, 1, Probe()), strict=True
                ):
                    if not agree(values, 1, first):
                        return None
                    column.append(values)
                marked = self._texts[path] = Marked(column)
        return marked

    def _depends_on_record(self, path: Path) -> bool:
        if path not in self._marked and path not in self._single:
            try:
                self._column(path)
            except NeedsRecord:
                self._single.add(path)
        return path in self._single

    def _column(self, path: Path) -> list[tuple[Json, ...]]:
        """What stands at a path in each kind of the first block that is there."""
        column = self._columns.get(path)
        if column is None:
            probe = Probe()
            column = self._columns[path] = [*self._of_kinds(path, 0, probe)]
            self._marked[path] = self._marked.get(path, False) or probe.marked
        return column

    def _of_kinds(self, path: Path, block: int, probe: Probe) -> Iterator[tuple[Json, ...]]:
        """What stands at a path in each kind that the block has."""
        name, plain = path[0], len(path) == 1 and path[0] not in self._below
        for row in self._rows(block, probe):
            if plain:
                value = row[name]
                yield () if value is None else (value,)
            else:
                yield tuple(self._walked(row, path))
            row.release()

    def _rows(self, block: int, probe: Probe) -> Iterator[Row]:
        """A row for each kind that the block has; those with the same owner share its row."""
        stop = self.layout.size if block else min(self.count, self.layout.size)
        if self.above is None:
            return (self.kin(block, kind, probe) for kind in range(stop))
        return islice(chain.from_iterable(owner.born(self) for owner in self.above._rows(block, probe)), stop)

    def _by_record(self, path: Path, test: Test) -> Selection:
        return Selection.of(self.layout, (number for number in range(self.count) if test(self._values(number, path))))

    @cached_property
    def irregular(self) -> tuple[int, ...]:
        """The records that data.yaml writes down, and all of the same families: what is true of their kind may not be of them."""
        roots = {self._root(name, number) for name, pins in self.baseline.data.records.items() for number in pins}
        top = self.lineage[-1] if self.lineage else self
        numbers = {number for name, number in roots if name == top.name}
        if self.lineage:
            return tuple(sorted({n for number in numbers for n in self._family(top, number)}))
        return tuple(sorted(number for number in numbers if number < self.count))

    def _root(self, name: str, number: int) -> tuple[str, int]:
        table = self.baseline.tables[name]
        while table.above is not None:
            table, number = _owner(table, number)
        return table.name, number


def _owner(table: Table, number: int) -> tuple[Table, int]:
    if table.above is None:
        raise LookupError(f"{table.name} belongs to no other resource")
    return table.above, table.parent(number)


def _edge(count: int, passes: Callable[[int], bool], *, rising: bool) -> int:
    """The first number that passes, of those that pass from somewhere on; or the first that does not."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if passes(middle) == rising:
            high = middle
        else:
            low = middle + 1
    return low


def _without_digits(filter: Filter, value: Json) -> bool:
    """Whether digits in a text make no difference to the filter."""
    if filter.match in ("present", "flag"):
        return True
    texts = value if isinstance(value, list) else [value]
    return all(isinstance(text, str) and not _DIGITS & set(text) for text in texts)


def _texts(filter: Filter, value: Json) -> list[list[str]] | None:
    """The texts one of which must be there, each in the pieces that must follow each other in it; None if no text must."""
    if filter.match in ("equals", "in"):
        values = value if filter.match == "in" and isinstance(value, list) else [value]
        return [[whole] for one in values if (whole := text(one, filter.fold)) is not None]
    pieces = wanted(filter, value)
    return None if pieces is None else [pieces]


def _undigited(value: Json) -> Json:
    return value.translate(_UNDIGITED) if isinstance(value, str) else value


def _numbers_in(value: Json) -> Iterator[int]:
    """Every number that some digits of a text, side by side, may be."""
    runs = "".join(char if char in _DIGITS else " " for char in value).split() if isinstance(value, str) else []
    for run in runs:
        for start in range(len(run)):
            for stop in range(start + 1, min(start + 10, len(run) + 1)):
                yield int(run[start:stop])
