"""The contract -> what is asked of both sides. None of it names an API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from contract_tests.callers import NOBODY, WITHOUT_BODY, Caller, Handle, View, Walk, largest
from contract_tests.callers import Sight as Seen
from contract_tests.exchanges import Exchange
from contract_tests.laws.answered import out_of_bounds
from contract_tests.laws.filtered import Corpus, Item, asked_values
from contract_tests.laws.listed import TOLD, token_value
from contract_tests.laws.touched import wrong_values
from contract_tests.matching import met
from contract_tests.parity import twins
from contract_tests.parity.aligning import Sight
from contract_tests.parity.duo import Duo, Expected, Sending
from contract_tests.parity.twins import SIDES, Twin, TwinIds, Twins
from contract_tests.shapes import fits, shortened
from contract_tests.trials import Premise
from mock_server.contract import Json, Operation, Parameter, Record, Reference, Resource, Unique
from mock_server.credentials import Credential
from mock_server.schemas import json_type, merged, properties

MADE = 3  # records of a resource that lists, pages and filters are tried with
BORDERS = ((1, 1), (1, 2), (2, 2))  # size and number of pages that are asked for
LOOKED_AT = 3  # records that are there already, of each resource
ASKED = 12  # values of one filter
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
ODD = ("'", "a b", "%", "é")  # ids that a statement or an address may stumble over
FORGED = (424_242, "forged", "1987-06-05T04:03:02Z")  # for what the server assigns: a number, a text, a time
PARENTS = 8  # that are looked at for the one with most below it
UNKNOWN = (1_999_999_999, "nobody-has-this")  # ids of nothing: a number, a text


@dataclass(frozen=True)
class Scenario:
    """A life that both sides are led through."""

    name: str
    play: Callable[[Duo], Iterator[Premise]]  # yields what could not be compared
    writes: bool = True


def _attempt(play: Callable[[], object]) -> Iterator[Premise]:
    """Do something; what it lacked, if it could not be done."""
    try:
        play()
    except Premise as missing:
        yield missing


def _creatable(duo: Duo) -> Iterator[tuple[Resource, Operation]]:
    for resource in duo.contract.resources.values():
        for operation in duo.of("create", resource=resource)[:1]:
            yield resource, operation


def _callable(duo: Duo) -> Iterator[Operation]:
    for operation in duo.contract.operations.values():
        if duo.can_write or operation.method in ("GET", "HEAD"):
            yield operation


# ---------------------------------------------------------------------------------------------------------- records and views


def records(duo: Duo) -> Iterator[Premise]:
    """A record with all properties, and one with what it must have, as every view shows them."""
    for resource, operation in _creatable(duo):
        for full in (False, True):
            yield from _attempt(partial(_seen, duo, resource, operation, full))


def _seen(duo: Duo, resource: Resource, operation: Operation, full: bool) -> None:
    parents = duo.above(resource)
    twin = duo.create(resource, duo.full(operation, parents) if full else {}, parents)
    _look(duo, twin, "a new record is read")


def _look(duo: Duo, twin: Twin, why: str) -> None:
    """The record in each of its views."""
    for view in duo.callers[0].views(twin.resource):
        if not _named(view.operation) <= set(twin.all_ids):
            continue
        if view.operation.action == "get" and not view.inside:
            duo.ask(view.operation, twin.all_ids, duo.success(view.operation, why), sight=Sight(holding=duo.holding()))
        elif view.inside:
            above = {name: id for name, id in twin.all_ids.items() if name != twin.resource.name}
            duo.ask(view.operation, above, duo.success(view.operation, why), sight=Sight(holding=duo.holding()))
        else:
            _in_list(duo, twin, view, why)


def _named(operation: Operation) -> set[str]:
    return {str(parameter.identifies) for parameter in operation.parameters if parameter.identifies}


def _in_list(duo: Duo, twin: Twin, view: View, why: str) -> None:
    """The record in a list, on whichever page it is."""
    pages = [
        _page_with(caller, Handle(twin.resource, twins.of(side, twin.ids), twins.of(side, twin.parents)), view)
        for caller, side in zip(duo.callers, SIDES, strict=True)
    ]
    listed = [twin.ids]
    expected = Expected(why, frozenset({view.operation.status}), listed=listed)
    duo.compared(view.operation, expected, (pages[0][-1], pages[1][-1]), Sight("own", duo.holding()))


def _page_with(caller: Caller, handle: Handle, view: View) -> Sequence[Exchange]:
    found: Seen = caller.look(handle, view)
    if not found.exchanges:
        raise Premise(f"{view.name} was not answered")
    return found.exchanges


def values(duo: Duo) -> Iterator[Premise]:
    """Values by which mistakes show, of every property that can be written, in creations and updates."""
    for operation in duo.of("create", "update"):
        yield from _attempt(partial(_rounds, duo, operation))


def _rounds(duo: Duo, operation: Operation) -> None:
    resource, caller = operation.resource, duo.callers[0]
    if resource is None:
        return
    given = duo.callers[1].data.values.get(resource.name, {})
    known = {name: part for name, part in caller.writable(operation).items() if caller.reference(resource, name) is None}
    samples = {name: list(given.get(name) or caller.values.samples(part)) for name, part in known.items()}
    parents = duo.above(resource)
    for turn in range(max(map(len, samples.values()), default=0)):
        body = {name: listed[turn % len(listed)] for name, listed in samples.items()}
        body |= _fresh(duo, operation, resource)
        twin = (
            duo.create(resource, body, parents, "values of every kind") if operation.action == "create" else duo.create(resource)
        )
        if operation.action == "update":
            duo.update(operation, twin, body, "values of every kind")
        _read(duo, twin, "values of every kind are read back")
        _removed(duo, twin)


def _fresh(duo: Duo, operation: Operation, resource: Resource) -> dict[str, Json]:
    """Unique values that no other record has."""
    schemas = properties(operation.body or {})
    names = [one.property for one in resource.unique if one.property in duo.callers[0].writable(operation)]
    return {name: duo.value(operation, name, schemas[name], {}) for name in names}


def _read(duo: Duo, twin: Twin, why: str) -> None:
    """The record in its fullest view, where that is no walk through a list."""
    for view in duo.callers[0].views(twin.resource):
        if view.operation.action == "get" and _named(view.operation) - {twin.resource.name} <= set(twin.all_ids):
            duo.ask(view.operation, twin.all_ids, duo.success(view.operation, why), sight=Sight(holding=duo.holding()))
            return


def _removed(duo: Duo, twin: Twin) -> None:
    """What a round made is not needed any more."""
    for operation in duo.of("delete", resource=twin.resource):
        if _named(operation) <= set(twin.all_ids):
            duo.delete(operation, twin, duo.success(operation, "the record is deleted"))
            return


# ------------------------------------------------------------------------------------------------------------------- updates


def updates(duo: Duo) -> Iterator[Premise]:
    """One property after the other is changed, and nothing; each time the record is read."""
    for operation in duo.of("update"):
        yield from _attempt(partial(_changes, duo, operation))


def _changes(duo: Duo, operation: Operation) -> None:
    resource, caller = operation.resource, duo.callers[0]
    if resource is None:
        return
    creation, parents = caller.creation(resource), duo.above(resource)
    twin = duo.create(resource, duo.full(creation, parents), parents)
    for name, part in caller.writable(operation).items():
        for what in [duo.value(operation, name, part, parents), *_halved(duo, part)]:
            duo.update(operation, twin, {name: what}, f"an update of {name}")
            _read(duo, twin, f"after an update of {name}")
    if operation.merge != "replace":
        duo.update(operation, twin, {}, "an update of nothing")
        _read(duo, twin, "after an update of nothing")


def _halved(duo: Duo, part: Mapping[str, Json]) -> Iterator[Json]:
    """An object with one of its properties."""
    inner = {own: one for own, one in properties(part).items() if not merged(one).get("readOnly")}
    for own, one in list(inner.items())[:1]:
        half = {own: duo.callers[0].values.plain(one, own)}
        if fits(part, half):
            yield half


# ---------------------------------------------------------------------------------------------------------- lists and filters


@dataclass(frozen=True)
class Narrowed:
    """A list that shows records of this run alone."""

    operation: Operation
    ids: TwinIds
    query: Mapping[str, Json]
    made: tuple[Twin, ...]  # in the order in which they were made


def existing(duo: Duo) -> Iterator[Premise]:
    """What is there already, each side's for itself: records, as lists and other views show them; pages, totals, filters."""
    for operation in duo.of("list"):
        yield from _attempt(partial(_plain_list, duo, operation))
    for operation in duo.of("get"):
        yield from _attempt(partial(_there, duo, operation))


def _there(duo: Duo, operation: Operation) -> None:
    """The first records that each side lists, as they are got."""
    if operation.resource is None:
        return
    there = [caller.existing(operation.resource)[:LOOKED_AT] for caller in duo.callers]
    for mock, real in zip(*there, strict=False):
        ids = {name: Twins(mock[0].ids[name], real[0].ids.get(name)) for name in mock[0].ids}
        if _named(operation) <= set(ids):
            statuses = frozenset({operation.status})
            duo.ask(operation, ids, Expected("a record that is listed", statuses, record=Twins(mock[1], real[1])))


def _fullest(duo: Duo, operation: Operation) -> TwinIds:
    """The ids below which each side lists most."""
    if not operation.ancestors:
        return {}
    above = duo.contract.resources[str(operation.ancestors[-1].identifies)]
    fullest = []
    for caller in duo.callers:
        there = [handle for handle, _ in caller.existing(above)[:PARENTS]]
        counts = [len(caller.walk(operation, handle.ids).records) for handle in there]
        if not there:
            return duo.ids_for(operation)
        fullest.append(there[counts.index(max(counts))].ids)
    return {name: Twins(id, fullest[1].get(name)) for name, id in fullest[0].items()}


def _plain_list(duo: Duo, operation: Operation) -> None:
    ids = _fullest(duo, operation)
    form = Sight("form", whole=False)
    mock, real = (caller.walk(operation, twins.of(side, ids)) for caller, side in zip(duo.callers, SIDES, strict=True))
    statuses, whole = frozenset({operation.status}), mock.whole and real.whole
    counts = (len(mock.records), len(real.records))
    size_by = Caller.paging(operation, "size", "limit")
    first = size_by.default if size_by else max(counts)
    listed = Twins(*(_ids(operation, walk.records[:first]) for walk in (mock, real))) if whole and first else None
    duo.ask(operation, ids, Expected("a list without page and size", statuses, listed=listed), sight=form)
    for size, page in (*BORDERS, (5, -(-counts[1] // 5)), (1, 100_000)):
        query = _page(operation, size, page)
        if query and page and _fits(operation, query):
            told = _told(counts, size, page) if whole else _numbers(size, page)
            start = size * (page - 1)
            listed = Twins(*(_ids(operation, walk.records[start : start + size]) for walk in (mock, real))) if whole else None
            expected = Expected(f"page {page} of {size} each", statuses, listed=listed, told=told)
            duo.ask(operation, ids, expected, Sending(query), form)
    for parameter in operation.filters:
        for value in _held_by(parameter, mock.records, real.records):
            _filter_there(duo, (operation, ids), parameter, value, (mock, real))


def _filter_there(
    duo: Duo, listing: tuple[Operation, TwinIds], parameter: Parameter, value: Twins, walks: tuple[Walk, Walk]
) -> None:
    """A filter gives those of the records that match, as far as the list shows why."""
    operation, ids = listing
    found: list[Json] = []
    for walk, side in zip(walks, SIDES, strict=True):
        verdicts = [parameter.filter and met(parameter.filter, one, twins.of(side, value)) for one in walk.records]
        known = walk.whole and None not in verdicts
        matching = [one for one, verdict in zip(walk.records, verdicts, strict=True) if verdict]
        size = largest(Caller.paging(operation, "size", "limit")) or len(matching)
        found.append(_ids(operation, matching) if known and len(matching) <= size else None)
    why, query = f"{parameter.name}={shortened(value.real)}", {parameter.name: value}
    listed = Twins(*found) if None not in found else None
    told = {"$total": Twins(*map(len, found))} if None not in found else {}
    statuses = frozenset({operation.status})
    expected = Expected(why, statuses, "", parameter.place, parameter.origin, listed, told, query)
    size_by = Caller.paging(operation, "size", "limit")
    page = {size_by.name: largest(size_by)} if size_by and largest(size_by) else {}
    duo.ask(operation, ids, expected, Sending({**page, **query}), Sight("form", whole=False))


def _held_by(parameter: Parameter, *records: Sequence[Record]) -> Iterator[Twins]:
    """Values to filter by, of what each side's records hold."""
    found = [
        asked_values(parameter, Corpus({place: Item(place, record, False) for place, record in enumerate(listed)}))[:ASKED]
        for listed in records
    ]
    yield from (Twins(mock, real) for mock, real in zip(*found, strict=False))


def _ids(operation: Operation, records: Sequence[Record]) -> list[Json]:
    return [record.get(operation.resource.id.property) for record in records] if operation.resource else []


def _told(counts: tuple[int, int], size: int, page: int) -> dict[str, Json]:
    """What an envelope tells of a page, by how many records each side has."""
    return {token: Twins(*(token_value(token, count, size, page) for count in counts)) for token in TOLD}


def lists(duo: Duo) -> Iterator[Premise]:
    """Lists that are narrowed to what this run made: their pages, totals and filters."""
    for operation in duo.of("list"):
        yield from _attempt(partial(_narrowed, duo, operation))


def _numbers(size: int, page: int) -> dict[str, Json]:
    return {token: token_value(token, 0, size, page) for token in ("$page", "$offset", "$limit")}


def _page(operation: Operation, size: int, page: int) -> dict[str, Json]:
    size_by, at = Caller.paging(operation, "size", "limit"), Caller.paging(operation, "number", "offset")
    if size_by is None or at is None:
        return {}
    return {size_by.name: size, at.name: page if at.paging == "number" else size * (page - 1)}


def _fits(operation: Operation, query: Mapping[str, Json]) -> bool:
    schemas = {parameter.name: parameter.schema for parameter in operation.parameters}
    return all(fits(schemas[name], value) for name, value in query.items())


def _narrowed(duo: Duo, operation: Operation) -> None:
    narrowed = _narrow(duo, operation)
    _pages(duo, narrowed)
    for parameter in operation.filters:
        for value in _wanted(narrowed, parameter):
            _filter(duo, narrowed, parameter, value)


def _narrow(duo: Duo, operation: Operation) -> Narrowed:
    """Records of their own for a list, and the query that shows them alone. Raises Premise if there is none."""
    resource = operation.resource
    if resource is None or not duo.of("create", resource=resource):
        raise Premise(f"no operation creates what {operation.operation_id} lists")
    if resource.parent is not None:
        above = duo.create(duo.contract.resources[resource.parent.resource])
        query = _by_parent(operation, resource, above)
        if operation.ancestors or query:
            made = tuple(_one_of(duo, resource, above.all_ids, {}, turn) for turn in range(MADE))
            return Narrowed(operation, above.all_ids, query, made)
    return _by_text(duo, operation, resource)


def _by_parent(operation: Operation, resource: Resource, above: Twin) -> dict[str, Json]:
    """The filter by the parent's id."""
    if operation.ancestors or resource.parent is None:
        return {}
    paths = ((resource.parent.property,),)
    found = (one for one in operation.filters if one.filter and one.filter.match == "equals" and one.filter.paths == paths)
    return {one.name: above.ids for one in found}


def _by_text(duo: Duo, operation: Operation, resource: Resource) -> Narrowed:
    """The filter by a text that nothing else has in it."""
    creation = duo.callers[0].creation(resource)
    schemas = duo.callers[0].writable(creation)
    mark = duo.callers[0].values.mark()
    for parameter in operation.filters:
        name = parameter.filter.paths[0][0] if parameter.filter else ""
        fitting = parameter.filter and parameter.filter.match in ("contains", "like") and len(parameter.filter.paths[0]) == 1
        if fitting and name in schemas and fits(schemas[name], f"{mark} {MADE}") and not merged(schemas[name]).get("enum"):
            parents = duo.above(resource)
            made = tuple(_one_of(duo, resource, parents, {name: f"{mark} {turn}"}, turn) for turn in range(MADE))
            return Narrowed(operation, parents, {parameter.name: mark}, made)
    raise Premise(f"{operation.operation_id} has no filter that shows what this run made alone")


def _one_of(duo: Duo, resource: Resource, parents: TwinIds, given: Mapping[str, Json], turn: int) -> Twin:
    """One of several records that differ as far as their schemas let them."""
    creation = duo.callers[0].creation(resource)
    body: dict[str, Json] = duo.full(creation, parents) if turn else {}
    for name, part in duo.callers[0].writable(creation).items():
        choices = merged(part).get("enum")
        if choices and turn and name in body and body[name] in choices:
            body[name] = choices[turn % len(choices)] or choices[0]
    for name in resource.exclusive:
        body[name] = turn == 1
    return duo.create(resource, {**body, **given}, parents)


def _pages(duo: Duo, narrowed: Narrowed) -> None:
    """All pages of every size, the one behind the last, and what they tell."""
    operation, count = narrowed.operation, len(narrowed.made)
    ordered = _ordered(narrowed)
    pages = [(size, page) for size in (1, 2, count, count + 1) for page in range(1, -(-count // size) + 2)]
    for size, page in pages:
        query = _page(operation, size, page)
        if not query or not _fits(operation, query):
            continue
        start = size * (page - 1)
        told = {token: token_value(token, count, size, page) for token in TOLD}
        why = f"page {page} of {size} each, of {count} records"
        _select(duo, narrowed, Selection(why, query, ordered[start : start + size], told))
    _select(duo, narrowed, Selection(f"a list of {count} records", {}, ordered, {"$total": count, "$count": count}))


def _ordered(narrowed: Narrowed) -> list[Twin]:
    newest_first = narrowed.made[0].resource.newest_first
    return list(reversed(narrowed.made)) if newest_first else list(narrowed.made)


@dataclass(frozen=True)
class Selection:
    """What is asked of a narrowed list, and the records it must show, in their order."""

    why: str
    query: Mapping[str, Json]
    listed: Sequence[Twin]
    told: Mapping[str, Json]
    parameter: Parameter | None = None  # whose rule it is


def _select(duo: Duo, narrowed: Narrowed, selection: Selection) -> None:
    operation, rule = narrowed.operation, selection.parameter or narrowed.operation
    query = {**narrowed.query, **selection.query}
    statuses = frozenset({operation.status})
    expected = Expected(
        selection.why, statuses, "", rule.place, rule.origin, [twin.ids for twin in selection.listed], selection.told, query
    )
    duo.ask(operation, narrowed.ids, expected, Sending(query), Sight(holding=duo.holding()))


def _wanted(narrowed: Narrowed, parameter: Parameter) -> list[Json]:
    """Values to filter by: what the records hold, what is near it, and what none has. References differ from side to side."""
    if parameter.filter is None or parameter.name in narrowed.query:
        return []
    held = [dict(twin.stored) for twin in narrowed.made]
    references = [
        one for stored in held for name, one in stored.items() if isinstance(one, Twins) and ((name,),) == parameter.filter.paths
    ]
    if references:
        return [[one] if parameter.filter.match == "in" else one for one in dict.fromkeys(references)]
    plain = [{name: one for name, one in stored.items() if not isinstance(one, Twins)} for stored in held]
    corpus = Corpus({place: Item(place, stored, True) for place, stored in enumerate(plain)})
    return asked_values(parameter, corpus)[:ASKED]


def _filter(duo: Duo, narrowed: Narrowed, parameter: Parameter, value: Json) -> None:
    if parameter.filter is None:
        return
    verdicts = [met(parameter.filter, twins.of("mock", twin.stored), twins.of("mock", value)) for twin in _ordered(narrowed)]
    if None in verdicts:
        return  # What decides is not known before the answer: when the record was made, the number it got.
    listed = [twin for twin, verdict in zip(_ordered(narrowed), verdicts, strict=True) if verdict]
    told = {"$total": len(listed), "$count": len(listed)}
    why = f"{parameter.name}={shortened(twins.of('real', value))}"
    _select(duo, narrowed, Selection(why, {parameter.name: value}, listed, told, parameter))


# --------------------------------------------------------------------------------------------------------------- refused


def refused_bodies(duo: Duo) -> Iterator[Premise]:
    """Bodies that break their schema, or that are none."""
    for operation in duo.of("create", "update"):
        yield from _attempt(partial(_refused, duo, operation))


def _refused(duo: Duo, operation: Operation) -> None:
    ids = duo.ids_for(operation)
    for name, keyword, value, _ in wrong_values(operation):
        body: dict[str, Json] = {**duo.body(operation, ids, {}), name: value}
        if keyword == "required":
            del body[name]
        why = f"{name} is missing" if keyword == "required" else f"{name} is {shortened(value, 40)}"
        duo.ask(operation, ids, duo.refusal("invalid_body", why), Sending(body=body))
    duo.ask(operation, ids, duo.refusal("malformed", "the body is no JSON"), Sending(body=b'{"name": '))
    duo.ask(operation, ids, duo.refusal("invalid_body", "the body is a list"), Sending(body=[]))
    if operation.body_required:
        duo.ask(operation, ids, duo.refusal("malformed", "there is no body", "invalid_body"))
    if duo.status_of("unsupported_media_type") in operation.statuses:
        expected = duo.refusal("unsupported_media_type", "the body is a form")
        duo.ask(operation, ids, expected, Sending(body=b"name=x", headers=FORM))


def _body(duo: Duo, operation: Operation, ids: TwinIds) -> Json:
    """A valid body, or none where the operation takes none."""
    if operation.body is None:
        return WITHOUT_BODY
    if operation.action in ("login", "renew"):
        mock, real = (next((one.login for one in caller.credentials if one.login), {}) for caller in duo.callers)
        return {name: Twins(mock.get(name), real.get(name)) for name in mock}
    return duo.body(operation, ids, {})


def dangling(duo: Duo) -> Iterator[Premise]:
    """Bodies that refer to what does not exist."""
    for operation in duo.of("create", "update"):
        for reference in operation.resource.references if operation.resource else ():
            if reference.checked and reference.property in properties(operation.body or {}):
                yield from _attempt(partial(_dangling, duo, operation, reference))


def _dangling(duo: Duo, operation: Operation, reference: Reference) -> None:
    ids = duo.ids_for(operation)
    schema = properties(operation.body or {})[reference.property]
    unknown = UNKNOWN[0] if json_type(merged(schema)) == "integer" else UNKNOWN[1]
    if fits(schema, unknown):
        expected = duo.refusal("dangling", f"there is no {reference.resource} {unknown}", origin=reference.origin)
        duo.ask(operation, ids, expected, Sending(body=duo.body(operation, ids, {reference.property: unknown})))


def unknown_ids(duo: Duo) -> Iterator[Premise]:
    """Ids that name nothing, in every place of every path."""
    for operation in _callable(duo):
        for parameter in operation.parameters:
            if parameter.where == "path" and parameter.identifies:
                yield from _attempt(partial(_unknown, duo, operation, parameter))


def _unknown(duo: Duo, operation: Operation, parameter: Parameter) -> None:
    ids = duo.ids_for(operation)
    whole = json_type(parameter.schema) == "integer"
    for odd in () if whole or operation.method != "GET" else ODD:
        expected = duo.refusal(
            "not_found", f"the id is {odd}", "invalid_parameter", place=parameter.place, origin=parameter.origin
        )
        duo.ask(operation, {**ids, str(parameter.identifies): odd}, expected)
    id = UNKNOWN[0] if whole else UNKNOWN[1]
    expected = duo.refusal(
        "not_found", f"there is no {parameter.identifies} {id}", place=parameter.place, origin=parameter.origin
    )
    duo.ask(operation, {**ids, str(parameter.identifies): id}, expected, Sending(body=_body(duo, operation, ids)))


def limits(duo: Duo) -> Iterator[Premise]:
    """Parameters out of their bounds, or of the wrong form."""
    for operation in _callable(duo):
        for parameter in operation.parameters:
            if parameter.where == "query":
                yield from _attempt(partial(_out_of_bounds, duo, operation, parameter))


def _out_of_bounds(duo: Duo, operation: Operation, parameter: Parameter) -> None:
    ids = duo.ids_for(operation)
    for what, value in out_of_bounds(parameter):
        expected = duo.refusal("invalid_parameter", f"{parameter.name} is {what}", place=parameter.place, origin=parameter.origin)
        duo.ask(operation, ids, expected, Sending({parameter.name: value}, _body(duo, operation, ids)))


def media_types(duo: Duo) -> Iterator[Premise]:
    """Who accepts no JSON, and who accepts anything."""
    for operation in _callable(duo):
        if operation.method == "GET":
            yield from _attempt(partial(_accepted, duo, operation))


def _accepted(duo: Duo, operation: Operation) -> None:
    ids, form = duo.ids_for(operation), Sight("form", whole=False)
    duo.ask(operation, ids, duo.success(operation, "Accept is */*"), Sending(headers=(("Accept", "*/*"),)), form)
    if duo.status_of("not_acceptable") in operation.statuses:
        expected = duo.refusal("not_acceptable", "Accept is image/png")
        duo.ask(operation, ids, expected, Sending(headers=(("Accept", "image/png"),)))


def forgeries(duo: Duo) -> Iterator[Premise]:
    """Bodies with values for what the server assigns: they are ignored, or refused."""
    for operation in duo.of("create", "update"):
        yield from _attempt(partial(_forged, duo, operation))


def _forged(duo: Duo, operation: Operation) -> None:
    resource = operation.resource
    if resource is None:
        return
    above = duo.create(resource).all_ids if operation.action == "update" else duo.above(resource)
    for name in sorted(resource.assigned - {resource.parent.property if resource.parent else ""} - {operation.target}):
        value = _forgery(resource, name)
        statuses = frozenset({operation.status, duo.status_of("invalid_body")})
        expected = Expected(f"{name} was sent as {value}", statuses, forged={name: value})
        duo.ask(operation, above, expected, Sending(body={**duo.body(operation, above, {}), name: value}))


def _forgery(resource: Resource, name: str) -> Json:
    if name in (resource.created, resource.updated):
        return FORGED[2]
    return FORGED[0] if json_type(merged(resource.stored.get(name, {}))) == "integer" else FORGED[1]


def credentials(duo: Duo) -> Iterator[Premise]:
    """No credential, one that nobody knows, and one that may not do it."""
    for operation in _callable(duo):
        if duo.callers[0].demands(operation):
            yield from _attempt(partial(_uncredited, duo, operation))


def _uncredited(duo: Duo, operation: Operation) -> None:
    ids = _to_risk(duo, operation)
    stranger = Credential("stranger", "nobody-knows-this")
    for why, who in (
        ("no credential", NOBODY),
        ("an unknown credential", stranger),
        ("an empty credential", Credential("empty", "")),
    ):
        duo.ask(operation, ids, duo.refusal("unauthenticated", why), Sending(body=_body(duo, operation, ids), who=(who, who)))
    needed = {scope for scopes in duo.callers[0].demands(operation).values() for scope in scopes}
    lesser = [next((one for one in caller.credentials if needed - one.scopes), None) for caller in duo.callers]
    if needed and all(lesser):
        expected = duo.refusal("forbidden", "a credential that may not do it")
        duo.ask(operation, ids, expected, Sending(body=_body(duo, operation, ids), who=lesser))


def _to_risk(duo: Duo, operation: Operation) -> TwinIds:
    """Ids of records that may be lost if the request is let in after all."""
    resource = operation.resource
    if operation.action == "delete" and resource is not None and duo.of("create", resource=resource):
        return duo.create(resource).all_ids
    return duo.ids_for(operation)


# ----------------------------------------------------------------------------------------------------- conflicts and deletions


def duplicates(duo: Duo) -> Iterator[Premise]:
    """A second record with a value that must be unique."""
    for resource, operation in _creatable(duo):
        for unique in resource.unique:
            if unique.property in duo.callers[0].writable(operation):
                yield from _attempt(partial(_twice, duo, resource, operation, unique))


def _twice(duo: Duo, resource: Resource, operation: Operation, unique: Unique) -> None:
    name = unique.property
    parents = duo.above(resource)
    value = duo.value(operation, name, properties(operation.body or {})[name], parents)
    twin = duo.create(resource, {name: value}, parents)
    again = value.swapcase() if unique.fold and isinstance(value, str) else value
    refusal = duo.refusal("duplicate", f"another {resource.title} has this {name}")
    duo.ask(operation, parents, refusal, Sending(body=duo.body(operation, parents, {name: again})))
    for update in duo.of("update", resource=resource):
        duo.update(update, twin, {name: value}, f"an update with the {name} that the record has")
        other = duo.create(resource)
        if refusal.statuses <= update.statuses:
            duo.ask(update, other.all_ids, refusal, Sending(body=duo.body(update, other.parents, {name: value})))
            _read(duo, other, "after a refused update")
    _removed(duo, twin)
    _removed(duo, duo.create(resource, {name: value}, parents, f"a record with the {name} of one that is deleted"))


def guards(duo: Duo) -> Iterator[Premise]:
    """A deletion that another record forbids, and the same once that one is harmless."""
    for operation in duo.of("delete"):
        for place in range(len(operation.resource.guards) if operation.resource else 0):
            yield from _attempt(partial(_guarded, duo, operation, place))


def _guarded(duo: Duo, operation: Operation, place: int) -> None:
    resource = operation.resource
    if resource is None:
        return
    guard = resource.guards[place]
    child = duo.contract.resources[guard.resource]
    schemas = duo.callers[0].writable(duo.callers[0].creation(child))
    below = child.parent is not None and child.parent.property == guard.property
    for name, harmless in guard.unless.items():
        for value in merged(schemas.get(name, {})).get("enum", ()):
            twin = duo.create(resource)
            given = {name: value} if below else {name: value, guard.property: twin.ids}
            standing = duo.create(child, given, twin.all_ids if below else None)
            if value in harmless:
                duo.delete(operation, twin, duo.success(operation, f"a {child.title} with {name} {value} is there"))
                _gone(duo, standing, f"the {resource.title} that it belongs to is deleted")
                continue
            expected = duo.refusal("guarded", f"a {child.title} with {name} {value} is there", origin=guard.origin)
            duo.ask(operation, twin.all_ids, expected)
            _read(duo, twin, "after a refused deletion")
            _removed(duo, standing)
            duo.delete(operation, twin, duo.success(operation, "nothing stands in the way any more"))


def deletions(duo: Duo) -> Iterator[Premise]:
    """What is deleted is gone from every view, with its children, and cannot be changed or deleted again."""
    for operation in duo.of("delete"):
        yield from _attempt(partial(_deleted, duo, operation))


def _deleted(duo: Duo, operation: Operation) -> None:
    resource = operation.resource
    if resource is None:
        return
    twin = duo.create(resource)
    if not _named(operation) <= set(twin.all_ids):
        raise Premise(f"{operation.operation_id} names more than a {resource.title}")
    children = [
        duo.create(child, _harmless(resource, child), twin.all_ids)
        for child, _ in _creatable(duo)
        if child.parent is not None and child.parent.resource == resource.name
    ]
    duo.delete(operation, twin, duo.success(operation, "a record is deleted"))
    for one in (twin, *children):
        _gone(duo, one, "it was deleted" if one is twin else f"its {resource.title} was deleted")


def _harmless(resource: Resource, child: Resource) -> dict[str, Json]:
    """What a child must hold to not stand in the way of the deletion."""
    found = [guard for guard in resource.guards if guard.resource == child.name]
    return {name: allowed[0] for guard in found for name, allowed in guard.unless.items()}


def _gone(duo: Duo, twin: Twin, why: str) -> None:
    for operation in duo.of("get", "update", "delete", resource=twin.resource):
        if _named(operation) <= set(twin.all_ids):
            duo.ask(operation, twin.all_ids, duo.refusal("not_found", why), Sending(body=_body(duo, operation, twin.all_ids)))
    for operation in duo.contract.operations.values():
        if operation.action == "list" and operation.ancestors and operation.ancestors[-1].identifies == twin.resource.name:
            duo.ask(operation, twin.all_ids, duo.refusal("not_found", why))


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("records", records),
    Scenario("values", values),
    Scenario("updates", updates),
    Scenario("existing data", existing, writes=False),
    Scenario("lists", lists),
    Scenario("refused bodies", refused_bodies),
    Scenario("dangling references", dangling),
    Scenario("unknown ids", unknown_ids, writes=False),
    Scenario("limits", limits, writes=False),
    Scenario("media types", media_types, writes=False),
    Scenario("forgeries", forgeries),
    Scenario("credentials", credentials, writes=False),
    Scenario("duplicates", duplicates),
    Scenario("guards", guards),
    Scenario("deletions", deletions),
)
