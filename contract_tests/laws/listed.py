"""Laws of lists: pages part what there is, and totals tell the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from contract_tests import envelopes
from contract_tests.callers import Handle, Ids, Walk, largest
from contract_tests.comparing import same
from contract_tests.exchanges import Exchange
from contract_tests.laws.bench import Bench, attempt
from contract_tests.laws.written import agree, resource_of
from contract_tests.matching import moment
from contract_tests.shapes import shortened
from contract_tests.trials import Premise, Trial, needed
from mock_server.contract import Json, Operation, Paging, Parameter, Record

ENOUGH = 7  # records without which pages show little
MIDDLE = 3  # a size of page that parts them unevenly
NARROW = 12  # records up to which a list is walked one by one


@dataclass(frozen=True)
class Listing:
    """One list: the operation, below which parents."""

    operation: Operation
    ids: Ids

    @property
    def id(self) -> str:
        return self.operation.resource.id.property if self.operation.resource else "id"


def listings(bench: Bench) -> Iterator[Listing]:
    """Every list of the API, below a parent that has some records where there is one."""
    for operation in bench.caller.of("list"):
        if not operation.ancestors:
            yield Listing(operation, {})
            continue
        parents = _fullest(bench, operation)
        if parents is not None:
            yield Listing(operation, parents)


def _fullest(bench: Bench, operation: Operation) -> Ids | None:
    """The ids of the parent, among some, below which most records are; a parent of our own if records can be made."""
    caller = bench.caller
    resource = operation.resource
    if resource is None:
        return None
    above = caller.contract.resources[str(operation.ancestors[-1].identifies)]
    found: tuple[int, Ids] | None = None
    with bench.trial(operation, "parents"):
        if caller.can_write and caller.of("create", resource=resource):
            own = caller.home_of(resource)
            for _ in range(max(0, ENOUGH - caller.count_below(resource, own))):
                attempt(lambda: caller.make(resource, None, own))
            return own
        for handle, _ in caller.existing(above)[:8]:
            walk = caller.walk(operation, handle.ids)
            if found is None or len(walk.records) > found[0]:
                found = len(walk.records), handle.ids
        if found is None:
            raise Premise(f"there is no {above.title}")
    return found[1] if found else None


def enough(bench: Bench) -> None:
    """Records of each resource that can be made and listed, so that there are pages."""
    caller = bench.caller
    if not caller.can_write:
        return
    for operation in caller.of("list"):
        resource = operation.resource
        if resource is None or operation.ancestors or not caller.of("create", resource=resource):
            continue
        for _ in range(ENOUGH - len(caller.existing(resource))):
            attempt(lambda resource=resource: caller.make(resource))  # type: ignore[misc]


def pages_part_the_list(bench: Bench) -> None:
    enough(bench)
    for listing in listings(bench):
        operation = listing.operation
        size_by = bench.caller.paging(operation, "size", "limit")
        if size_by is None:
            continue
        with bench.trial(operation, size_by.name, origin=size_by.origin, place=size_by.place) as trial:
            _parted(bench, listing, trial)


def _parted(bench: Bench, listing: Listing, trial: Trial) -> None:
    """Walked by different sizes, the list is the same records in the same order, each once."""
    caller, operation = bench.caller, listing.operation
    whole = caller.walk(operation, listing.ids)
    if len(whole.records) < 2:
        raise Premise(f"{operation.operation_id} lists {len(whole.records)} records: too few for pages")
    order = _ids(whole, listing)
    _no_doubles(trial, whole, listing)
    again = caller.walk(operation, listing.ids)
    _same_order(trial, order, _ids(again, listing), (*whole.exchanges[:1], *again.exchanges[:1]), "asked again")
    for size in _sizes(len(order), caller.most_pages):
        walk = caller.walk(operation, listing.ids, size=size)
        _no_doubles(trial, walk, listing)
        known = order if walk.whole and whole.whole else order[: len(walk.records)]
        where, exchanges = _deviation(known, walk, listing, size)
        _same_order(
            trial,
            known,
            _ids(walk, listing),
            (whole.exchanges[min(where, len(whole.exchanges) - 1)], *exchanges),
            f"in pages of {size}",
        )
        for page, exchange in zip(walk.pages, walk.exchanges, strict=False):
            trial.hold(len(page) <= size, f"{size} records at most on a page", f"{len(page)} records", exchange)
    _places(bench, listing, whole, trial)


def _places(bench: Bench, listing: Listing, whole: Walk, trial: Trial) -> None:
    """Single pages, of one record too, and from offsets that no page begins with."""
    caller, operation = bench.caller, listing.operation
    size_by, at = caller.paging(operation, "size", "limit"), caller.paging(operation, "number", "offset")
    if size_by is None or at is None or not whole.whole:
        return
    order = _ids(whole, listing)
    for size, place in ((1, 1), (1, 2), (2, 2)) if at.paging == "number" else ((1, 0), (1, 1), (3, 1), (2, 5)):
        start = size * (place - 1) if at.paging == "number" else place
        exchange = needed(caller.call(operation, listing.ids, query={size_by.name: size, at.name: place}), operation.status)
        found = [record.get(listing.id) for record in envelopes.records(operation, exchange.answer) or []]
        expected = order[start : start + size]
        told = f"{shortened(expected)} with {size_by.name} {size} and {at.name} {place}"
        trial.hold(found == expected, told, shortened(found), *whole.exchanges[:1], exchange)


def _sizes(count: int, pages: int) -> list[int]:
    """Sizes whose borders fall on and beside the end of the list."""
    wanted = [size for size in (1, MIDDLE, count // 2, count - 1, count, count + 1) if 0 < size <= 100]
    if count > NARROW:
        wanted = [size for size in wanted if count / size <= pages / 2]
        wanted.insert(0, max(1, count // 5))
    return sorted(set(wanted))


def _deviation(known: list[Json], walk: Walk, listing: Listing, size: int) -> tuple[int, tuple[Exchange, ...]]:
    """The pages around the first place where a walk leaves the known order."""
    found = _ids(walk, listing)
    place = next((n for n, (a, b) in enumerate(zip(known, found, strict=False)) if a != b), min(len(known), len(found)))
    page = min(place // size, len(walk.exchanges) - 1)
    return 0, walk.exchanges[max(0, page - 1) : page + 1]


def _same_order(trial: Trial, known: list[Json], found: list[Json], exchanges: tuple[Exchange, ...], how: str) -> None:
    there = set(map(_hashable, found))
    missing = [id for id in known if _hashable(id) not in there]
    if missing:
        seen = f"{', '.join(map(str, missing[:5]))} missing"
    elif len(found) != len(known):
        seen = f"{len(found)} records"
    else:
        first = next((n for n, (a, b) in enumerate(zip(known, found, strict=False)) if a != b), 0)
        seen = f"another order: {found[first] if found else 'none'} in place {first + 1}"
    trial.hold(found == known, f"the same {len(known)} records in the same order, {how}", seen, *exchanges)


def _no_doubles(trial: Trial, walk: Walk, listing: Listing) -> None:
    seen: dict[object, Exchange] = {}
    for page, exchange in zip(walk.pages, walk.exchanges, strict=False):
        for record in page:
            id = _hashable(record.get(listing.id))
            if id in seen:
                exchanges = (seen[id], exchange) if seen[id] is not exchange else (exchange,)
                trial.hold(False, "each record once", f"{id} twice", *exchanges)
            seen[id] = exchange
    trial.checks += len(seen)


TOLD = ("$total", "$count", "$page", "$pages", "$offset", "$limit", "$more")


def totals_are_true(bench: Bench) -> None:
    for listing in listings(bench):
        tokens = [token for token in TOLD if envelopes.has(listing.operation, token)]
        if tokens:
            _told(bench, listing, tokens)
            _empty(bench, listing, tokens)
        for token in _parent_tokens(listing.operation.envelope):
            with bench.trial(listing.operation, token.removeprefix("$")) as trial:
                _parent_told(bench, listing, token, trial)


def _empty(bench: Bench, listing: Listing, tokens: list[str]) -> None:
    """A list below a new parent has nothing, and says so."""
    caller, operation = bench.caller, listing.operation
    if not operation.ancestors or not caller.can_write:
        return
    above = bench.contract.resources[str(operation.ancestors[-1].identifies)]
    if not caller.of("create", resource=above):
        return
    with bench.trial(operation, "an empty list") as trial:
        parent = caller.make(above)
        exchange = needed(caller.call(operation, parent.ids), operation.status)
        listed = envelopes.records(operation, exchange.answer)
        trial.hold(listed == [], f"nothing: {parent} is new", shortened(listed), *parent.exchanges, exchange)
        size_by = caller.paging(operation, "size", "limit")
        size = size_by.default if size_by and isinstance(size_by.default, int) else largest(size_by) or 1
        for token in tokens:
            told_right(trial, operation, token, exchange, (0, size, 1), parent.exchanges)


def _parent_told(bench: Bench, listing: Listing, token: str, trial: Trial) -> None:
    """A list tells of the parent what the parent shows itself."""
    caller, operation = bench.caller, listing.operation
    name = str(operation.ancestors[-1].identifies)
    record, sight = caller.seen(Handle(bench.contract.resources[name], listing.ids[name], listing.ids))
    property = token.partition(".")[2]
    if property in record:
        exchange = needed(caller.call(operation, listing.ids), operation.status)
        seen = envelopes.taken(operation, exchange.answer, token)
        expected = f"{_path(operation, token)} is {shortened(record[property])}"
        trial.hold(seen == record[property], expected, _seen(seen), *sight.exchanges, exchange)


def _told(bench: Bench, listing: Listing, tokens: list[str]) -> None:
    """What each page tells of the list, at every border."""
    caller, operation = bench.caller, listing.operation
    with bench.trial(operation, "list"):
        whole = caller.walk(operation, listing.ids)
        if not whole.whole:
            raise Premise(f"{operation.operation_id} has more than {caller.most_pages} pages")
        asked = [(whole.exchanges[0], largest(caller.paging(operation, "size", "limit")) or len(whole.records), 1)]
        asked += _asked(bench, listing, len(whole.records))
        for token in tokens:
            with bench.trial(operation, token.removeprefix("$")) as trial:
                for exchange, size, page in asked:
                    told_right(trial, operation, token, exchange, (len(whole.records), size, page), whole.exchanges[:1])
        with bench.trial(operation, "records on a page") as trial:
            for exchange, size, page in asked:
                expected = max(0, min(size, len(whole.records) - size * (page - 1)))
                listed = envelopes.records(operation, exchange.answer) or []
                seen = f"{len(listed)} records"
                trial.hold(
                    len(listed) == expected, f"{expected} records on page {page} of {size} each", seen, *_proof(whole, exchange)
                )


def _asked(bench: Bench, listing: Listing, count: int) -> Iterator[tuple[Exchange, int, int]]:
    """The first page, the last, the one behind it, and the last that can be asked for, of several sizes."""
    caller, operation = bench.caller, listing.operation
    size_by, at = caller.paging(operation, "size", "limit"), caller.paging(operation, "number", "offset")
    if size_by is None or at is None:
        return
    pages = [(size, page) for size in _borders(count) for page in (1, -(-count // size), -(-count // size) + 1) if page > 0]
    most = at.schema.get("maximum")
    if isinstance(most, int):
        pages.append((largest(size_by) or 1, most) if at.paging == "number" else (1, most + 1))
    for size, page in dict.fromkeys(pages):
        exchange = caller.call(operation, listing.ids, query=page_query(bench, operation, page, size))
        with bench.trial(operation, "page") as trial:
            trial.answered(exchange, operation.status, f"page {page} of {size} each may be asked for")
            yield exchange, size, page


def told_right(
    trial: Trial,
    operation: Operation,
    token: str,
    exchange: Exchange,
    place: tuple[int, int, int],
    before: tuple[Exchange, ...] = (),
) -> None:
    """A page tells the truth about the list; `place` is how many records there are, the size of a page, and its number."""
    count, size, page = place
    expected = token_value(token, count, size, page)
    seen = envelopes.taken(operation, exchange.answer, token)
    right = seen == expected and isinstance(seen, bool) == isinstance(expected, bool)
    told = f"{_path(operation, token)} is {shortened(expected)}: there are {count} records, in pages of {size}"
    trial.hold(right, told, _seen(seen), *(one for one in before if one is not exchange), exchange)


def _proof(whole: Walk, exchange: Exchange) -> tuple[Exchange, ...]:
    return (exchange,) if exchange in whole.exchanges else (*whole.exchanges[:1], exchange)


def _seen(value: Json) -> str:
    return "nothing" if value is envelopes.MISSING else shortened(value)


def _path(operation: Operation, token: str) -> str:
    return "/".join(map(str, envelopes.located(operation.envelope, token) or ()))


def _borders(count: int) -> list[int]:
    return sorted({size for size in (2, count - 1, count, count + 1, -(-count // 2), 5) if 1 <= size <= 100})


def token_value(token: str, count: int, size: int, page: int) -> Json:
    offset = size * (page - 1)
    return {
        "$total": count,
        "$count": max(0, min(size, count - offset)),
        "$page": page,
        "$pages": -(-count // size),
        "$offset": offset,
        "$limit": size,
        "$more": offset + size < count,
    }[token]


def _parent_tokens(envelope: Json) -> Iterator[str]:
    for part in envelope.values() if isinstance(envelope, dict) else ():
        if isinstance(part, str) and part.startswith("$parent."):
            yield part


def page_query(bench: Bench, operation: Operation, page: int, size: int) -> dict[str, Json]:
    """The query that asks for a page of a size."""
    query: dict[str, Json] = {}
    size_by, at = bench.caller.paging(operation, "size", "limit"), bench.caller.paging(operation, "number", "offset")
    if size_by:
        query[size_by.name] = size
    if at:
        query[at.name] = page if at.paging == "number" else size * (page - 1)
    return query


def defaults_of_pages(bench: Bench) -> None:
    """Without page and size a list is what it is with their defaults; another name for a role means the same."""
    for listing in listings(bench):
        operation = listing.operation
        for parameter in operation.parameters:
            if parameter.paging is None:
                continue
            with bench.trial(operation, parameter.name, origin=parameter.origin, place=parameter.place) as trial:
                _default(bench, listing, parameter, trial)


def _default(bench: Bench, listing: Listing, parameter: Parameter, trial: Trial) -> None:
    caller, operation = bench.caller, listing.operation
    first = caller.paging(operation, *_role(parameter))
    if first is not None and first.name != parameter.name:
        value = 2 if parameter.paging in ("number", "size", "limit") else 1
        other = caller.paging(
            operation, *(("size", "limit") if parameter.paging in ("number", "offset") else ("number", "offset"))
        )
        rest = {other.name: 2 if other.paging in ("size", "limit") else 1} if other else {}
        one = needed(caller.call(operation, listing.ids, query={first.name: value, **rest}), operation.status)
        other_way = caller.call(operation, listing.ids, query={parameter.name: value, **rest})
        why = f"{parameter.name} means the same as {first.name}"
        _wins(bench, listing, (first, parameter), trial)
    elif parameter.default is not None:
        one = needed(caller.call(operation, listing.ids), operation.status)
        other_way = caller.call(operation, listing.ids, query={parameter.name: parameter.default})
        why = f"{parameter.name} is {parameter.default} if it is not sent"
    else:
        return
    trial.answered(other_way, operation.status, why, one)
    trial.hold(same(one.answer.json(), other_way.answer.json()), why, "another answer", one, other_way)


def _wins(bench: Bench, listing: Listing, pair: tuple[Parameter, Parameter], trial: Trial) -> None:
    """Of two parameters with one role, the one declared first wins if both are sent."""
    caller, operation = bench.caller, listing.operation
    first, second = pair
    one = needed(caller.call(operation, listing.ids, query={first.name: 2}), operation.status)
    both = caller.call(operation, listing.ids, query={second.name: 1, first.name: 2})
    why = f"{first.name}, which is declared before {second.name}, wins"
    trial.answered(both, operation.status, why, one)
    trial.hold(same(one.answer.json(), both.answer.json()), why, "another answer than with it alone", one, both)


def _role(parameter: Parameter) -> tuple[Paging, ...]:
    return ("size", "limit") if parameter.paging in ("size", "limit") else ("number", "offset")


def order_is_kept(bench: Bench) -> None:
    """A new record comes last, or first, and times of creation ascend."""
    for listing in listings(bench):
        resource = listing.operation.resource
        if resource is None:
            continue
        with bench.trial(listing.operation, "order", origin=resource.origin) as trial:
            _ordered(bench, listing, trial)


def _ordered(bench: Bench, listing: Listing, trial: Trial) -> None:
    caller, operation = bench.caller, listing.operation
    resource = resource_of(operation)
    if caller.can_write and caller.of("create", resource=resource):
        handle = caller.make(resource, None, listing.ids if operation.ancestors else None)
        walk = caller.walk(operation, listing.ids)
        ids = _ids(walk, listing)
        if walk.whole and ids:
            place, end = ("first", ids[0]) if resource.newest_first else ("last", ids[-1])
            trial.hold(
                handle.id in ids, f"the new {handle} in the list", "it is not there", *handle.exchanges, *walk.exchanges[-1:]
            )
            trial.hold(end == handle.id, f"the new {handle} {place}", f"{end} {place}", *handle.exchanges, *walk.exchanges[-1:])
    walk = caller.walk(operation, listing.ids)
    given = [(id, number) for id in _ids(walk, listing) if (number := resource.id.number(id)) is not None]
    for (one, before), (other, after) in pairwise(given):  # Ids are counted up in the order of creation.
        right = before > after if resource.newest_first else before < after
        trial.hold(right, "the order of creation, and so of the ids", f"{one} before {other}", *walk.exchanges)
    if resource.created and resource.created in (walk.records or [{}])[0]:
        times = [(record, moment(record.get(resource.created))) for record in walk.records]
        for (one, earlier), (other, later) in pairwise(times):
            if earlier is None or later is None:
                continue
            right = earlier >= later if resource.newest_first else earlier <= later
            trial.hold(
                right,
                f"{resource.created} in order",
                f"{_stamp(one, resource.created)} before {_stamp(other, resource.created)}",
                *walk.exchanges[:1],
            )


def _stamp(record: Record, name: str) -> str:
    return shortened(record.get(name))


def _ids(walk: Walk, listing: Listing) -> list[Json]:
    return [record.get(listing.id) for record in walk.records]


def _hashable(value: Json) -> object:
    return value if isinstance(value, (str, int, float)) else repr(value)


def views_agree(bench: Bench) -> None:
    """Two views of the same record show the same, as far as both show it."""
    caller = bench.caller
    for resource in caller.contract.resources.values():
        views = caller.views(resource)
        if not views:
            continue
        handles = _some(bench, resource.name)
        for view in views:
            with bench.trial(view.operation, resource.name) as trial:
                for handle in handles:
                    _agreeing(bench, trial, handle, view)


def _some(bench: Bench, name: str) -> list[Json]:
    """Records of a resource: the first, a middle one and the last, and one of our own."""
    caller, resource = bench.caller, bench.caller.contract.resources[name]
    there = [handle for handle, _ in caller.existing(resource)]
    chosen = [
        there[place] for place in sorted({0, len(there) // 3, len(there) // 2, len(there) - 1}) if there and place < len(there)
    ]
    own = [handle for key, handle in caller.made.items() if key[0] == name and key not in caller.gone]
    return [*chosen, *own[-1:]]


def _agreeing(bench: Bench, trial: Trial, handle: Json, view: Json) -> None:
    caller = bench.caller
    full, first = caller.seen(handle)
    if view.name == first.view.name or not caller.reaches(view, handle):
        return
    seen = caller.look(handle, view)
    trial.hold(
        seen.record is not None, f"{handle}, which {first.view.name} shows", "it is not there", *first.exchanges, *seen.exchanges
    )
    for name in set(full) & set(seen.record or {}):
        one, other = full[name], (seen.record or {})[name]
        trial.hold(
            agree(one, other),
            f"{name} is {shortened(one)}, as {first.view.name} shows",
            f"{shortened(other)} in {view.name}",
            *first.exchanges,
            *seen.exchanges,
        )
