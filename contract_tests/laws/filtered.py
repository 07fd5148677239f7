"""Laws of filters: a filter gives the records that match, all of them, and no others."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta, timezone

from contract_tests import envelopes
from contract_tests.callers import Caller, Handle, Ids, Walk, largest
from contract_tests.comparing import shown_at
from contract_tests.exchanges import Exchange
from contract_tests.laws.bench import Bench, attempt
from contract_tests.laws.listed import TOLD, Listing, listings, told_right
from contract_tests.laws.written import all_but_flags, resource_of
from contract_tests.matching import Held, held, judge, moment
from contract_tests.schemas import json_type, merged, properties
from contract_tests.shapes import fits, shortened
from contract_tests.trials import Premise, Trial, needed
from mock_server.contract import Filter, Json, Operation, Parameter, Record, Resource, Schema

CLOSE = 24  # records that are looked at one by one, for what a list does not show
NEVER = "never matched a record"  # a filter that is as good as untried
VALUES = 30  # of one parameter
PAGED = range(4, 41)  # so many records that match are walked in small pages too
FEW = 5  # of one that another list of the same records has as well
CRAFTED = 6  # records that are made for filters to show what they do
SIGNS = "_%'\"&+\u00f6"  # that patterns, statements or addresses give a meaning of their own
PAIRS = 12  # of one list
Wanted = Sequence[tuple[Parameter, Json]]  # a parameter, and the value it is sent with
ELSEWHERE = 4  # texts that a filter must not find
SHORT = 6  # signs of a text that may be part of others


@dataclass(frozen=True)
class Item:
    """A record of a list, and what is known of its stored properties."""

    id: Json
    stored: Record
    own: bool
    exchanges: tuple[Exchange, ...] = ()  # how it came to be, or where it was seen


@dataclass
class Corpus:
    """All that a list lists without filters."""

    items: dict[object, Item] = field(default_factory=dict)
    whole: bool = True  # whether it is all of it
    read: dict[str, dict[object, Held]] = field(default_factory=dict)  # parameter -> what each item holds for it

    def held(self, parameter: Parameter) -> dict[object, Held]:
        """What each item holds where a parameter looks."""
        if parameter.name not in self.read:
            filter = _filter(parameter)
            self.read[parameter.name] = {key: held(filter, item.stored) for key, item in self.items.items()}
        return self.read[parameter.name]

    def verdicts(self, wanted: Wanted) -> dict[object, bool | None]:
        """Whether each item meets all that is wanted; None where what is known of it does not tell."""
        every = [map(judge(_filter(one), value), self.held(one).values()) for one, value in wanted]
        return {key: _all(answers) for key, answers in zip(self.items, zip(*every, strict=True), strict=True)}


def _all(answers: Sequence[bool | None]) -> bool | None:
    return False if False in answers else None if None in answers else True


def filters_are_exact(bench: Bench) -> None:
    tried: set[tuple[str, str]] = set()
    for listing in listings(bench):
        operation = listing.operation
        if not operation.filters:
            continue
        with bench.trial(operation, "records"):
            corpus = _corpus(bench, listing)
            for parameter in operation.filters:
                key = (resource_of(operation).name, parameter.name)
                most = FEW if key in tried else VALUES
                tried.add(key)
                with bench.trial(operation, parameter.name, origin=parameter.origin, place=parameter.place) as trial:
                    _exact(bench, listing, corpus, (parameter, asked_values(parameter, corpus)[:most]), trial)


def filters_follow_changes(bench: Bench) -> None:
    """A record that was changed is found by what it holds now, and no more by what it held."""
    caller = bench.caller
    for operation in caller.of("list"):
        resource = operation.resource
        update = caller.first("update", resource) if resource else None
        if resource is None or update is None or not caller.of("create", resource=resource):
            continue
        for parameter in operation.filters:
            name = parameter.filter.paths[0][0] if parameter.filter else ""
            plain = parameter.filter is not None and len(parameter.filter.paths[0]) == 1
            if plain and parameter.filter.match in ("equals", "contains", "like", "in") and name in caller.writable(update):  # type: ignore[union-attr]
                with bench.trial(operation, parameter.name, origin=parameter.origin, place=parameter.place) as trial:
                    _followed(bench, (operation, update), parameter, name, trial)


def _followed(bench: Bench, pair: tuple[Operation, Operation], parameter: Parameter, name: str, trial: Trial) -> None:
    caller = bench.caller
    operation, update = pair
    resource = resource_of(update)
    schema = caller.writable(update)[name]
    parents = caller.home_of(resource)
    values = [
        v
        for v in caller.samples(update, name, schema, parents)
        if v not in (None, "") and fits(parameter.schema, _asked(parameter, v))
    ]
    if _is_free(schema) and caller.reference(resource, name) is None:
        values = [f"before {caller.values.mark()}", f"after {caller.values.mark()}"]
    if len(values) < 2:
        raise Premise(f"{name} has fewer than two values")
    old, new = values[0], values[1]
    handle = caller.make(resource, {name: old}, parents)
    body = caller.body(update, handle.parents, {name: new})
    changed = needed(caller.call(update, handle.ids, body=body), update.status)
    for value, there in ((new, True), (old, False)):
        walk = caller.walk(operation, handle.ids, {parameter.name: _asked(parameter, value)})
        found = any(record.get(resource.id.property) == handle.id for record in walk.records)
        if walk.whole or (found and not there):
            asked = f"{parameter.name}={shortened(value)}: {name} is {shortened(new)} now"
            told = f"{handle} {'in' if there else 'not in'} the answer to {asked}"
            trial.hold(
                found is there, told, "it is there" if found else "it is not there", *handle.exchanges, changed, *walk.exchanges
            )
    removal = caller.deletion(handle)
    if removal is not None:
        gone = needed(caller.call(removal, handle.ids), removal.status)
        walk = caller.walk(operation, handle.ids, {parameter.name: _asked(parameter, new)})
        found = any(record.get(resource.id.property) == handle.id for record in walk.records)
        trial.hold(not found, f"no {handle}: it was deleted", "it is there", *handle.exchanges, gone, *walk.exchanges)


def _filter(parameter: Parameter) -> Filter:
    if parameter.filter is None:
        raise Premise(f"{parameter.name} filters nothing")
    return parameter.filter


def _asked(parameter: Parameter, value: Json) -> Json:
    return [value] if parameter.filter and parameter.filter.match == "in" else value


def filters_combine(bench: Bench) -> None:
    """All filters that are sent must match."""
    for listing in listings(bench):
        operation = listing.operation
        if len(operation.filters) < 2:
            continue
        with bench.trial(operation, "records"):
            _combined(bench, listing, _corpus(bench, listing))


def _exact(bench: Bench, listing: Listing, corpus: Corpus, asked: tuple[Parameter, list[Json]], trial: Trial) -> None:
    parameter, values = asked
    matched = excluded = paged = False
    for value in values:
        walk = _filtered(bench, listing, {parameter.name: value}, trial)
        _judged(trial, corpus, listing, walk, [(parameter, value)])
        _total(trial, listing, walk)
        if walk.whole and len(walk.records) in PAGED and not paged:
            paged = True
            _paged(bench, listing, walk, {parameter.name: value}, trial)
        matched |= bool(walk.records)
        excluded |= len(walk.records) < len(corpus.items)
    if not matched or not excluded:
        raise Premise(f"{parameter.name} {'never left a record out' if matched else NEVER}")


def _paged(bench: Bench, listing: Listing, walk: Walk, query: Mapping[str, Json], trial: Trial) -> None:
    """In small pages a filter gives the same records."""
    small = bench.caller.walk(listing.operation, listing.ids, query, size=len(walk.records) // 2)
    one, other = ([record.get(listing.id) for record in part.records] for part in (walk, small))
    expected = f"the same {len(one)} records in pages of {len(one) // 2}"
    trial.hold(
        one == other, expected, f"{len(other)} records, {shortened(other[-1:])} the last", *walk.exchanges[:1], *small.exchanges
    )
    for token in _tokens(listing):
        told_right(trial, listing.operation, token, small.exchanges[0], (len(one), len(one) // 2, 1))


def _filtered(bench: Bench, listing: Listing, query: Mapping[str, Json], trial: Trial) -> Walk:
    try:
        return bench.caller.walk(listing.operation, listing.ids, query)
    except Premise:
        last = bench.caller.exchanges[-1]
        told = ", ".join(f"{name}={shortened(value)}" for name, value in query.items())
        trial.answered(last, listing.operation.status, f"{told} is what the contract allows")
        raise


def _judged(trial: Trial, corpus: Corpus, listing: Listing, walk: Walk, wanted: Wanted) -> None:
    """What is listed matches, and what matches is listed."""
    found = {_key(record.get(listing.id)) for record in walk.records}
    verdicts = corpus.verdicts(wanted)
    trial.checks += len(found & verdicts.keys())
    wrong = next((key for key in corpus.items if key in found and verdicts[key] is False), None)
    if wrong is not None:
        told, item = _told(wanted), corpus.items[wrong]
        seen = f"{item.id}: {_relevant(item, wanted)}"
        trial.hold(False, f"only records that match {told}", seen, *item.exchanges, *walk.exchanges)
    if corpus.whole and (strange := found - corpus.items.keys()):
        expected = f"only records that the list has without {_told(wanted)}"
        trial.hold(False, expected, shortened(next(iter(strange))), *walk.exchanges)
    _in_order(trial, corpus, listing, walk, wanted)
    if not walk.whole:
        return
    matching = [key for key, verdict in verdicts.items() if verdict is True]
    trial.checks += len(matching)
    missed = next((key for key in matching if key not in found), None)
    if missed is not None:
        told, item = _told(wanted), corpus.items[missed]
        expected = f"{item.id}, which matches {told}: {_relevant(item, wanted)}"
        trial.hold(False, expected, "it is not listed", *item.exchanges, *walk.exchanges)


def _in_order(trial: Trial, corpus: Corpus, listing: Listing, walk: Walk, wanted: Wanted) -> None:
    """What is listed stands in the order that it has in the whole list."""
    places = {key: place for place, key in enumerate(corpus.items)}
    known = [record.get(listing.id) for record in walk.records if _key(record.get(listing.id)) in places]
    for one, other in itertools.pairwise(known):
        expected = f"{other} before {one} with {_told(wanted)}, as in the whole list"
        right = places[_key(one)] <= places[_key(other)]
        trial.hold(right, expected, f"{one} before {other}", *walk.exchanges, origin=resource_of(listing.operation).origin)


def _told(wanted: Wanted) -> str:
    return " and ".join(f"{parameter.name}={shortened(value)}" for parameter, value in wanted)


def _relevant(item: Item, wanted: Wanted) -> str:
    """What an item shows of that by which it is filtered."""
    names = dict.fromkeys(path[0] for parameter, _ in wanted for path in _filter(parameter).paths)
    return ", ".join(f"{name} {shortened(item.stored[name], 80)}" for name in names if name in item.stored)


def _total(trial: Trial, listing: Listing, walk: Walk) -> None:
    """The totals are those of what matches."""
    size = largest(Caller.paging(listing.operation, "size", "limit")) or len(walk.records) or 1
    for token in _tokens(listing) if walk.whole else ():
        told_right(trial, listing.operation, token, walk.exchanges[0], (len(walk.records), size, 1))


def _tokens(listing: Listing) -> list[str]:
    """What each page of a list tells of it; not the size of pages where nobody can choose it."""
    left_out = () if Caller.paging(listing.operation, "size", "limit") else ("$limit",)
    return [token for token in TOLD if envelopes.has(listing.operation, token) and token not in left_out]


def _combined(bench: Bench, listing: Listing, corpus: Corpus) -> None:
    """Pairs of filters, with values of one record and of two."""
    operation = listing.operation
    usable = [
        (parameter, [v for v in asked_values(parameter, corpus)[:4] if _matches(corpus, parameter, v)])
        for parameter in operation.filters
    ]
    usable = [(parameter, found) for parameter, found in usable if found]
    pairs = list(itertools.combinations(usable, 2))
    step = max(1, -(-len(pairs) // PAIRS))
    for (one, values), (other, others) in pairs[::step]:
        name = f"{one.name}, {other.name}"
        origin = one.origin if one.origin.kind == "inferred" else other.origin
        with bench.trial(operation, name, origin=origin, place=one.place) as trial:
            for a, b in ((values[0], others[0]), (values[-1], others[0]), (values[0], others[-1])):
                walk = _filtered(bench, listing, {one.name: a, other.name: b}, trial)
                _judged(trial, corpus, listing, walk, [(one, a), (other, b)])
                _total(trial, listing, walk)


def _matches(corpus: Corpus, parameter: Parameter, value: Json) -> bool:
    return True in corpus.verdicts([(parameter, value)]).values()


# ------------------------------------------------------------------------------------------------------------ what there is


def _corpus(bench: Bench, listing: Listing) -> Corpus:
    """Everything listed, with records of our own among it whose texts differ in case and in signs only."""
    caller, operation = bench.caller, listing.operation
    resource = operation.resource
    if resource is None or operation.view is None:
        raise Premise(f"{operation.operation_id} lists no records")
    if caller.can_write and caller.of("create", resource=resource):
        attempt(lambda: _craft(bench, resource, listing.ids))
    walk = caller.walk(operation, listing.ids)
    corpus = Corpus(whole=walk.whole)
    hidden = [
        path[0]
        for p in operation.filters
        if p.filter
        for path in p.filter.paths
        if shown_at(resource, path[0], operation.view) is None
    ]
    paths = told_at(resource, operation.view)
    for record, exchange in _with_exchange(walk):
        id = record.get(listing.id)
        handle = caller.made.get((resource.name, repr(id)))
        known = stored_in(record, paths)
        corpus.items[_key(id)] = Item(id, known, handle is not None, handle.exchanges if handle else (exchange,))
    if hidden:
        _look_closer(bench, resource, listing.ids, corpus)
    return corpus


def _look_closer(bench: Bench, resource: Resource, ids: Ids, corpus: Corpus) -> None:
    """What another view shows of the first and the last records."""
    caller = bench.caller
    view = next((one for one in caller.views(resource) if one.operation.action == "get" and not one.inside), None)
    if view is None:
        return
    paths, keys = told_at(resource, view.schema), list(corpus.items)
    for key in dict.fromkeys((*keys[: CLOSE // 2], *keys[-CLOSE // 2 :])):
        item = corpus.items[key]
        handle = Handle(resource, item.id, ids)
        sight = caller.look(handle, view)
        if sight.record is not None:
            stored = {**stored_in(sight.record, paths), **item.stored}
            corpus.items[key] = Item(item.id, stored, item.own, item.exchanges if item.own else sight.exchanges)


def _with_exchange(walk: Walk) -> Iterator[tuple[Record, Exchange]]:
    for page, exchange in zip(walk.pages, walk.exchanges, strict=False):
        for record in page:
            yield record, exchange


def told_at(resource: Resource, view: Schema) -> dict[str, tuple[str, ...]]:
    """Where a view shows the stored properties, and the children."""
    shown = {name: path for name in resource.stored if (path := shown_at(resource, name, view)) is not None}
    return shown | {one.property: (one.property,) for one in resource.children if one.property in properties(view)}


def stored_in(record: Record, paths: Mapping[str, tuple[str, ...]]) -> Record:
    """The stored properties that a view tells."""
    found: Record = {}
    for name, path in paths.items():
        value: Json = record
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if len(path) > 1 or name in record:
            found[name] = value
    return found


def _craft(bench: Bench, resource: Resource, parents: Ids) -> None:
    """Four records whose filtered texts differ in case, in signs, and in being there."""
    caller = bench.caller
    creation = caller.creation(resource)
    known = caller.writable(creation)
    names = {path[0] for o in caller.of("list", resource=resource) for p in o.filters if p.filter for path in p.filter.paths}
    done = f"crafted {resource.name} {sorted(map(str, parents.values()))}"
    if done in caller.notes:
        return
    caller.notes.add(done)
    mark = caller.values.mark()
    texts = (f"Zeta_{mark} 50%Off", f"zETA_{mark} 50%oFF", f"ZetaX{mark} 50xyOff", f'O\'Neil & "Söhne" {mark} #1+=? ; é')
    free = [name for name in known if name in names and _is_free(known[name]) and caller.reference(resource, name) is None]
    above = parents or caller.home_of(resource)
    for place, text in enumerate(texts):
        given = {name: text for name in free if fits(known[name], text)}
        for name in sorted(names & set(known) - set(given)):
            attempt(lambda name=name, place=place, given=given: _give(bench, creation, name, place, given, above))  # type: ignore[misc]
        attempt(lambda given=given: caller.make(resource, given, above))  # type: ignore[misc]
    attempt(lambda: caller.make(resource, None, above))
    attempt(lambda: caller.make(resource, all_but_flags(bench, creation, above), above))


def _give(bench: Bench, creation: Operation, name: str, place: int, given: dict[str, Json], parents: Ids) -> None:
    """A value for a filtered property that is no free text: others for each record, as far as there are others."""
    schema = bench.caller.writable(creation)[name]
    samples = bench.caller.samples(creation, name, schema, parents)
    given[name] = samples[place % len(samples)]


def _is_free(schema: Schema) -> bool:
    whole = merged(schema)
    return json_type(whole) == "string" and not {"format", "pattern", "enum"} & set(whole)


# ------------------------------------------------------------------------------------------------------------ what to ask for


def asked_values(parameter: Parameter, corpus: Corpus) -> list[Json]:
    """Values to filter by: what some records hold, what is near it, and what none has."""
    filter = parameter.filter
    if filter is None:
        return []
    holding = _held(filter, corpus)
    wanted = [value for value in _ASKED[filter.match](filter, holding, parameter) if value is not None]
    if filter.match in ("contains", "like"):
        wanted += _elsewhere(filter, corpus)
    unique = list({repr(value): value for value in wanted}.values())
    kind, exact = json_type(parameter.schema), filter.match == "equals"
    return [value for value in unique if fits(parameter.schema, value) and (kind != "string" or value != "" or exact)]


def _held(filter: Filter, corpus: Corpus) -> list[Json]:
    """What records hold at the filter's paths: of those crafted for it, the first, one in the middle and the last."""
    items = list(corpus.items.values())
    crafted = [item for item in items if item.own][-CRAFTED:]
    by_path: list[list[Json]] = []
    for path in filter.paths:
        holding = [value for item in items for value in _walked(item.stored.get(path[0]), path[1:]) if value not in (None, "")]
        made = [value for item in crafted for value in _walked(item.stored.get(path[0]), path[1:]) if value not in (None, "")]
        spread = [holding[place] for place in sorted({0, len(holding) // 2, len(holding) - 1}) if holding]
        if filter.match in ("after", "from", "before", "to"):  # An hour that another zone would call the day before.
            spread += sorted((one for one in holding if str(one)[11:] > "00:00:00"), key=lambda one: str(one)[11:])[:1]
        by_path.append([*made[:2], *spread, *made[2:]])
    found = [value for turn in itertools.zip_longest(*by_path) for value in turn if value is not None]
    return list({repr(value): value for value in found}.values())


def _elsewhere(filter: Filter, corpus: Corpus) -> list[Json]:
    """Texts that a record of our own holds where the filter does not look."""
    names = {path[0] for path in filter.paths}
    own = next((item for item in reversed(corpus.items.values()) if item.own), None)
    texts = [v for n, v in own.stored.items() if n not in names and isinstance(v, str) and len(v) > SHORT] if own else []
    return texts[:: max(1, len(texts) // ELSEWHERE)][:ELSEWHERE]


def _walked(value: Json, path: Sequence[str]) -> Iterator[Json]:
    if not path:
        yield value
    elif path[0] == "*":
        for element in value if isinstance(value, list) else ():
            yield from _walked(element, path[1:])
    elif isinstance(value, dict):
        yield from _walked(value.get(path[0]), path[1:])


def _exactly(_filter: Filter, held: Sequence[Json], parameter: Parameter) -> Iterator[Json]:
    enum = merged(parameter.schema).get("enum", ())
    yield from held[:3]
    for value in held[:2]:
        if isinstance(value, str) and len(value) > 1:
            yield from (value.swapcase(), value[:-1], f"{value}x", f"{value[:-1]}%", f"{value[:-1]}_")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield from (value + 1, 0)
    texts = [value for value in held[:2] if isinstance(value, str)]
    yield from [f"{texts[0]},{texts[1]}"] if len(texts) > 1 else []
    yield from enum
    yield from (_nobody(parameter), "")  # Nothing is a text too.


def _partly(filter: Filter, held: Sequence[Json], parameter: Parameter) -> Iterator[Json]:
    texts = [value if isinstance(value, str) else str(value) for value in held if not isinstance(value, (bool, dict, list))]
    for text in texts[:1]:
        yield from (text, text.swapcase(), text[1:-1].strip() or text, f"{text} ", f" {text}")
    for sign in SIGNS:
        yield next((_around(text, sign) for text in texts if sign in text.strip()), None)
    if filter.fold:
        parts = [_around(text, sign) for sign in SIGNS if not sign.isascii() for text in texts if sign in text.strip()]
        yield next((part.swapcase() for part in parts if part.swapcase().swapcase() == part), None)
    yield next((_bare(text) for text in texts if _bare(text) != text), None)
    for text in texts[:1]:
        yield from (f"{text[:3]}*", f"-{text[:3]}", f'"{text[:3]}"', text[:2], f"{text[:2]}.{text[3:5]}")
    for text in texts[:1]:
        middle = len(text) // 2
        if filter.match == "like":
            yield from (f"{text[:middle]}%{text[-2:]}", f"{text[:middle]}%", f"%{text[middle:]}", f"%{text[1:-1]}%")
        yield f"{text[:middle]}_{text[middle + 1 :]}"
        yield from (text[:middle].rstrip(), text[middle:].lstrip())
    yield from (text[: max(3, len(text) // 2)].strip() for text in texts[1:])
    yield _nobody(parameter)


def _bare(text: str) -> str:
    """A text without its accents."""
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))


def _around(text: str, sign: str) -> str:
    """The part of a text around a sign."""
    place = text.strip().index(sign)
    return text.strip()[max(0, place - 3) : place + 4].strip()


def _among(_filter: Filter, held: Sequence[Json], _parameter: Parameter) -> Iterator[Json]:
    yield from ([value] for value in held[:2])
    yield list(held[:3])
    yield [*held[-2:], _absent(held)]
    yield [_absent(held)]


def _absent(held: Sequence[Json]) -> Json:
    return 1_999_999_999 if any(isinstance(value, int) for value in held) or not held else "nobody-has-this"


def _timely(_filter: Filter, held: Sequence[Json], parameter: Parameter) -> Iterator[Json]:
    day_only = merged(parameter.schema).get("format") == "date"
    for value in (*held[:4], *sorted((one for one in held[4:] if isinstance(one, str)), key=lambda one: one[10:])[:1]):
        at = moment(value)
        if at is None:
            continue
        if not day_only:
            yield value
        yield from (str((at + timedelta(days=days)).date()) for days in ((0, 1, -1) if day_only else (0,)))
        if not day_only:
            yield (at + timedelta(seconds=1)).isoformat().replace("+00:00", "Z")
            yield at.astimezone(timezone(timedelta(hours=3))).isoformat()
    yield from ("1904-02-29", "2999-12-31")
    if not day_only:
        yield from ("1904-02-29T00:00:00Z", "2999-12-31T00:00:00Z")


def _switched(_filter: Filter, _held: Sequence[Json], parameter: Parameter) -> Iterator[Json]:
    yield from ((True, False) if json_type(parameter.schema) == "boolean" else (1, 0))


def _nobody(parameter: Parameter) -> Json:
    return 1_999_999_999 if json_type(parameter.schema) in ("integer", "number") else "nobody-has-this"


_ASKED = {
    "equals": _exactly,
    "contains": _partly,
    "like": _partly,
    "in": _among,
    **dict.fromkeys(("after", "from", "before", "to"), _timely),
    **dict.fromkeys(("flag", "present"), _switched),
}


def _key(value: Json) -> object:
    return value if isinstance(value, (str, int)) else repr(value)
