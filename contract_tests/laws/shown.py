"""The law of references that are shown: what a record shows of another is what that one shows itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contract_tests.callers import Handle
from contract_tests.comparing import same
from contract_tests.exchanges import Exchange
from contract_tests.laws.bench import Bench
from contract_tests.laws.written import all_long, own_parents
from contract_tests.schemas import properties
from contract_tests.shapes import fits, shortened
from contract_tests.trials import Trial, needed
from mock_server.contract import Joined, Json, Reference, Resource, Shown


def references_show(bench: Bench) -> None:
    """What a record shows of another is what that one shows itself, also once it has changed."""
    for resource in bench.contract.resources.values():
        for reference in (*resource.references, *((resource.parent,) if resource.parent else ())):
            if reference.show and bench.caller.views(resource):
                operation = bench.caller.views(resource)[0].operation
                for name, shown in reference.show.items():
                    with bench.trial(operation, name, origin=reference.origin) as trial:
                        _shows(bench, resource, reference, (name, shown), trial)


def _shows(bench: Bench, resource: Resource, reference: Reference, part: tuple[str, Shown], trial: Trial) -> None:
    caller, other = bench.caller, bench.contract.resources[reference.resource]
    if not caller.views(other):
        return
    own = caller.can_write and caller.of("create", resource=resource) and caller.of("create", resource=other)
    if own:
        is_parent = reference is resource.parent
        above = None if is_parent else own_parents(bench, resource)
        kin = resource.parent is not None and other.parent is not None and resource.parent.resource == other.parent.resource
        pair = caller.make(other, _in_part(bench, other, part[1]), above if kin else None)
        held = (
            {} if is_parent else {reference.property: pair.id if reference.by is None else caller.seen(pair)[0].get(reference.by)}
        )
        pairs = [(caller.make(resource, held, pair.ids if is_parent else above), pair)]
    else:
        pairs = list(_related(bench, resource, reference, part))
    for handle, shown_one in pairs[:3]:
        _compared(bench, trial, (handle, shown_one), part, ())
    update = caller.first("update", other)
    if own and update is not None:
        handle, shown_one = pairs[0]
        body = caller.body(update, shown_one.parents, all_long(bench, update, shown_one.parents))
        exchange = needed(caller.call(update, shown_one.ids, body=body), update.status)
        _compared(bench, trial, (handle, shown_one), part, (exchange,))


def _in_part(bench: Bench, other: Resource, shown: Shown) -> dict[str, Json]:
    """Objects of which every other part is missing that a line shows."""
    known = bench.caller.writable(bench.caller.creation(other))
    found: dict[str, dict[str, Json]] = {}
    for joined in _joins(shown):
        for path in joined.sources[1::2]:
            part = properties(known.get(path[0], {})).get(path[-1])
            if part is not None and len(path) == 2:
                found.setdefault(path[0], {})[path[1]] = bench.caller.values.plain(part, path[1])
    return {name: given for name, given in found.items() if fits(known[name], given)}


def _joins(shown: Shown) -> Iterator[Joined]:
    if isinstance(shown, Joined):
        yield shown
    for part in shown.values() if isinstance(shown, Mapping) else ():
        yield from _joins(part)


def _related(bench: Bench, resource: Resource, reference: Reference, part: tuple[str, Shown]) -> Iterator[tuple[Handle, Handle]]:
    """Records that are there, with the one that each refers to, where a view tells its id."""
    other = bench.contract.resources[reference.resource]
    name, shown = part
    for handle, _ in bench.caller.existing(resource)[:: max(1, len(bench.caller.existing(resource)) // 3)]:
        record = bench.caller.look(handle).record or {}
        id = record.get(reference.property)
        if isinstance(shown, Mapping) and isinstance(record.get(name), dict):
            id = next((record[name].get(own) for own, source in shown.items() if source == (other.id.property,)), id)
        if id is not None and reference.by is None:
            yield handle, Handle(other, id, handle.parents)


def _compared(
    bench: Bench, trial: Trial, pair: tuple[Handle, Handle], part: tuple[str, Shown], told: tuple[Exchange, ...]
) -> None:
    """What one record shows of another, in every view of the one, beside the other itself."""
    caller = bench.caller
    handle, other = pair
    name, shown = part
    record, source = caller.seen(other)
    for view in caller.views(handle.resource):
        if not caller.reaches(view, handle) or name not in properties(view.schema):
            continue
        sight = caller.look(handle, view)
        expected = _taken(record, shown)
        seen = (sight.record or {}).get(name)
        before = (*handle.exchanges, *other.exchanges[-1:], *told, *source.exchanges, *sight.exchanges)
        if expected is not _UNKNOWN:
            fitting = _common(expected, seen)
            trial.hold(
                fitting, f"{name} is {shortened(_plainly(expected))}, as {other} is", f"{shortened(seen)} in {view.name}", *before
            )


_UNKNOWN = object()  # The view of the other record does not tell.


def _taken(record: Json, shown: Shown) -> Json:
    """What is to be shown of a record."""
    if isinstance(shown, Joined):
        parts = [_at(record, path) for path in shown.sources]
        if _UNKNOWN in parts:
            return _UNKNOWN
        return shown.separator.join(str(one) for one in parts if one not in (None, "")) or None
    if isinstance(shown, Mapping):
        return {name: _taken(record, part) for name, part in shown.items()}
    return _at(record, shown)


def _at(record: Json, path: tuple[str, ...]) -> Json:
    for step in path:
        if record is None:
            return None
        if not isinstance(record, dict) or step not in record:
            return _UNKNOWN
        record = record[step]
    return record


def _common(expected: Json, seen: Json) -> bool:
    if expected is _UNKNOWN:
        return True
    if isinstance(expected, dict) and isinstance(seen, dict):
        return all(_common(expected[name], part) for name, part in seen.items() if name in expected)
    return same(expected, seen)


def _plainly(expected: Json) -> Json:
    return {n: v for n, v in expected.items() if v is not _UNKNOWN} if isinstance(expected, dict) else expected
