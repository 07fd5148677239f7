"""Laws of side effects: a write touches one record, and one that is refused none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from contract_tests import envelopes
from contract_tests.callers import WITHOUT_BODY, Handle, Ids
from contract_tests.comparing import changes
from contract_tests.exchanges import Exchange
from contract_tests.laws.bench import ANYWHERE, Bench
from contract_tests.laws.written import all_but_flags, all_plain, have_children, origin_of, resource_of, shareable
from contract_tests.schemas import items, merged, properties
from contract_tests.shapes import fits, shortened
from contract_tests.trials import Trial, needed
from mock_server.contract import Json, Operation, Origin, Record, Resource, json_type

SEVERAL = 3  # things that are wrong in one body
INSIDE = 4  # properties of an object in a body that are broken
_MISTYPED: Mapping[str, Json] = {
    "string": 7,
    "integer": "seven",
    "number": "seven",
    "boolean": "yes",
    "array": {},
    "object": [],
}
_WRITTEN: Mapping[str, tuple[Json, ...]] = {  # what is easily taken for a value of the type
    "integer": ("7", True),
    "number": ("7", True),
    "boolean": ("true", 1),
}


def one_record_is_touched(bench: Bench) -> None:
    """A write touches the record it names; all others stay as they are."""
    for operation in bench.caller.of("create", "update", "delete"):
        with bench.trial(operation) as trial:
            _touched(bench, operation, trial)


def _touched(bench: Bench, operation: Operation, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    parents = caller.home_of(resource)
    handles = [caller.make(resource, all_but_flags(bench, caller.creation(resource), parents), parents) for _ in range(2)]
    handles.append(twin(bench, handles[1]))
    have_children(bench, handles[2])
    bystanders = [handles[0], handles[2], *_strangers(bench, resource)]
    before = census(bench, resource, parents, bystanders)
    one = handles[1]
    if operation.action == "create":
        body = caller.body(operation, parents, all_but_flags(bench, caller.creation(resource), parents))
        exchange = needed(caller.call(operation, parents, body=body), operation.status)
        own = caller.handle(operation, parents, body, exchange)
    else:
        own = one
        named = all_but_flags(bench, operation, parents) if operation.action == "update" else {}
        sent: Json = caller.body(operation, parents, named) if operation.body is not None else WITHOUT_BODY
        exchange = needed(caller.call(operation, own.ids, body=sent), operation.status)
    after = census(bench, resource, parents, bystanders)
    told = (*(h.exchanges[-1] for h in handles), exchange)
    _unchanged(trial, before, after, {repr(own.id)}, told, {"create": 1, "delete": -1}.get(operation.action, 0))


def twin(bench: Bench, handle: Handle) -> Handle:
    """A record beside another with the same values, but for those that no two may share."""
    return bench.caller.make(handle.resource, shareable(handle), handle.parents)


def _strangers(bench: Bench, resource: Resource) -> list[Handle]:
    there = [handle for handle, _ in bench.caller.existing(resource)]
    return [there[0], there[-1]] if len(there) > 1 else there


Census = dict[str, dict[str, tuple[Record, tuple[Exchange, ...]]]]  # view -> id -> the record, and where it was seen


def census(bench: Bench, resource: Resource, parents: Ids, bystanders: Sequence[Handle]) -> Census:
    """What there is: all lists of the resource, and a few records close by."""
    caller = bench.caller
    found: Census = {}
    for operation in caller.of("list", resource=resource):
        if not {str(p.identifies) for p in operation.ancestors} <= set(parents):
            continue
        walk = caller.walk(operation, parents)
        if walk.whole:
            own = resource.id.property
            found[operation.operation_id] = {
                repr(record.get(own)): (record, (exchange,))
                for page, exchange in zip(walk.pages, walk.exchanges, strict=False)
                for record in page
            }
    close: dict[str, tuple[Record, tuple[Exchange, ...]]] = {}
    for handle in bystanders:
        sight = caller.look(handle)
        if sight.record is not None:
            close[repr(handle.id)] = (sight.record, sight.exchanges)
    return {**found, "": close}


def _unchanged(
    trial: Trial, before: Census, after: Census, touched: set[str], told: tuple[Exchange, ...], more: int | None = None
) -> None:
    """Two censuses differ in the touched records alone."""
    for view, old in before.items():
        new = after.get(view, {})
        for id in old.keys() - new.keys() - touched:
            trial.hold(False, f"{id} still there", "it is gone", *told, *next(iter(new.values()))[1] if new else ())
        for id in new.keys() - old.keys() - touched:
            trial.hold(False, "no other record", f"{id} has come to be", *told, *new[id][1])
        for id in old.keys() & new.keys() - touched:
            found = changes(old[id][0], new[id][0])
            trial.hold(
                not found,
                f"{id} as it was: {found[0].told[0] if found else ''}",
                found[0].told[1] if found else "",
                *old[id][1],
                *told,
                *new[id][1],
            )
        if view and more is not None:
            trial.hold(len(new) == len(old) + more, f"{len(old) + more} records in {view}", str(len(new)), *told)
        trial.checks += 1


def refused_writes_change_nothing(bench: Bench) -> None:
    """A body that breaks its schema is refused, and leaves everything as it was."""
    for operation in bench.caller.of("create", "update"):
        with bench.trial(operation):
            _refusals(bench, operation)


def _refusals(bench: Bench, operation: Operation) -> None:
    caller, resource = bench.caller, resource_of(operation)
    parents = caller.home_of(resource)
    handle = caller.make(resource, all_but_flags(bench, caller.creation(resource), parents), parents)
    before = census(bench, resource, parents, [handle, *_strangers(bench, resource)])
    refused: list[Exchange] = []
    taken: list[Exchange] = []  # That is told already, and may have changed other records rightly.
    for name, keyword, value, part in wrong_values(operation):
        with bench.trial(operation, f"{name} {keyword}", origin=origin_of(part, operation.origin)) as trial:
            good = all_plain(bench, operation, parents) if len(properties(operation.body or {})) < 30 else {}
            body: dict[str, Json] = {**caller.body(operation, parents, good), name: value}
            if keyword == "required":
                del body[name]
            exchange = caller.call(operation, handle.ids if operation.action == "update" else parents, body=body)
            if 400 <= exchange.answer.status < 500:
                refused.append(exchange)
            else:
                taken.append(exchange)
            before_it = handle.exchanges if operation.action == "update" else ()
            trial.answered(exchange, caller.status_of("invalid_body"), _why(name, keyword, value), *before_it)
            _pointed(bench, exchange, [name], trial)
    wrong = {name: value for name, keyword, value, _ in reversed([*wrong_values(operation)]) if keyword == "type"}
    with bench.trial(operation, "several things at once", origin=refusals_origin(bench)) as trial:
        if len(wrong) > 1 and violations(bench) is not None:
            few = dict([*wrong.items()][-SEVERAL:])
            body = {**caller.body(operation, parents, {}), **few}
            exchange = caller.call(operation, handle.ids if operation.action == "update" else parents, body=body)
            trial.answered(exchange, caller.status_of("invalid_body"), f"{', '.join(few)} are of the wrong type")
            _pointed(bench, exchange, [*few], trial)
    with bench.trial(operation, "nothing changes") as trial:
        if refused and not taken:
            after = census(bench, resource, parents, [handle, *_strangers(bench, resource)])
            _unchanged(trial, before, after, set(), (*handle.exchanges, *_culprits(refused)))


def _pointed(bench: Bench, exchange: Exchange, names: Sequence[str], trial: Trial) -> None:
    """A refusal that tells what is wrong names the properties, and that they are in the body, if its form has places for that."""
    inside, part = (envelopes.located(bench.contract.refusals.violation, token) for token in ("$pointer", "$in"))
    listed = violations(bench, exchange)
    if listed is None or inside is None:
        return
    for name in names:
        told = [one for one in listed if f"{envelopes.at(one, inside)}/".startswith(f"/{name}/")]
        trial.hold(bool(told), f"what is wrong, at /{name}", shortened(listed) if listed else "nothing", exchange)
        if part is not None:
            seen = [envelopes.at(one, part) for one in told]
            trial.hold("body" in seen, f"what is wrong at /{name}, in the body", f"in {shortened(seen)}", exchange)


def violations(bench: Bench, exchange: Exchange | None = None) -> Sequence[Json] | None:
    """What a refusal tells to be wrong; None if its form has no place for that."""
    at = envelopes.located(bench.contract.refusals.body, "$violations")
    if at is None:
        return None
    listed = envelopes.at(exchange.answer.json(), at) if exchange else []
    return listed if isinstance(listed, list) else []


def refusals_origin(bench: Bench) -> Origin:
    """Where the form of refusals comes from."""
    semantics = bench.contract.document["x-semantics"]
    return origin_of(semantics.get("refusals", {}), origin_of(semantics, ANYWHERE))


def _culprits(refused: list[Exchange]) -> tuple[Exchange, ...]:
    return tuple(refused[:3])


def _why(name: str, keyword: str, value: Json) -> str:
    return f"{name} must be there" if keyword == "required" else f"{name} must not be {shortened(value)} ({keyword})"


def wrong_values(operation: Operation) -> Iterator[tuple[str, str, Json, Mapping[str, Json]]]:
    """Each way in which a body can break its schema: every type, and each other keyword at two properties of a kind.

    What is inside an object or an array is broken inside an otherwise valid one.
    """
    schema = merged(operation.body or {})
    needed_ = set(schema.get("required", ())) - {operation.target}
    seen: dict[tuple[str, str, str], int] = {}
    for name, part in properties(schema).items():
        whole = merged(part)
        if whole.get("readOnly") or name == operation.target:
            continue
        kind = json_type(whole)
        for keyword, value in _breaking(whole, kind):
            key = (kind, keyword, str(whole.get("format")))
            seen[key] = seen.get(key, 0) + 1
            if (seen[key] <= 2 or keyword == "type") and not fits(part, value):
                yield name, keyword, value, part
        yield from ((name, f"{inner} {keyword}", value, part) for inner, keyword, value in _breaking_inside(part))
        if name in needed_:
            yield name, "required", None, part


def _breaking_inside(part: Mapping[str, Json]) -> Iterator[tuple[str, str, Json]]:
    """An object, or an array with one, in which one property is of the wrong type."""
    whole = merged(part)
    is_array = json_type(whole) == "array"
    schema = merged(items(whole)) if is_array else whole
    if json_type(schema) != "object":
        return
    known = dict(list(properties(schema).items())[:INSIDE])
    more = schema.get("additionalProperties")
    if not known and isinstance(more, Mapping):
        known = {"nobody_has_this": more}
    for inner, own in known.items():
        value = {inner: _MISTYPED[json_type(merged(own))]}
        if not fits(own, value[inner]):
            yield inner, "type", [value] if is_array else value


def _breaking(schema: Mapping[str, Json], kind: str) -> Iterator[tuple[str, Json]]:
    yield "type", _MISTYPED[kind]
    yield from (("text", one) for one in _WRITTEN.get(kind, ()))
    if not schema.get("nullable"):
        yield "null", None
    if "enum" in schema:
        yield "enum", "nobody-has-this"
        yield from (("case", one.swapcase()) for one in schema["enum"][:1] if isinstance(one, str))
    elif kind == "string":
        yield from _breaking_texts(schema)
    elif kind in ("integer", "number"):
        yield from _breaking_numbers(schema, kind)


def _breaking_texts(schema: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    if schema.get("format") in ("email", "date", "date-time", "uuid", "uri"):
        yield "format", "not one"
    if schema.get("format") == "email":
        yield "nobody at no domain", "@"
    if schema.get("format") in ("date", "date-time"):
        yield "no such day", "2024-02-30" + ("T00:00:00Z" if schema["format"] == "date-time" else "")
    if schema.get("format") == "date-time":
        yield from (("a day", "2024-02-29"), ("no such hour", "2024-02-29T25:00:00Z"))
        yield from (("no zone", "2024-02-29T10:00:00"), ("an offset", "2024-02-29T10:00:00+00:00"))
    if schema.get("minLength"):
        yield "minLength", ""
    if "maxLength" in schema:
        yield "maxLength", "x" * (schema["maxLength"] + 1)
    if "pattern" in schema:
        yield "pattern", "\x07"


def _breaking_numbers(schema: Mapping[str, Json], kind: str) -> Iterator[tuple[str, Json]]:
    if "minimum" in schema:
        yield "minimum", schema["minimum"] - 1
    if "maximum" in schema:
        yield "maximum", schema["maximum"] + 1
    elif schema.get("format") == "int32":
        yield "maximum", 2**31
    if kind == "integer":
        yield "whole number", 1.5
