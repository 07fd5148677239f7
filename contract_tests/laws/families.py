"""The law of children in bodies: the array makes, changes and deletes them."""

from __future__ import annotations

from collections.abc import Mapping

from contract_tests.exchanges import Exchange
from contract_tests.laws.bench import Bench
from contract_tests.laws.written import agree, resource_of
from contract_tests.matching import moment
from contract_tests.schemas import items, merged, properties
from contract_tests.shapes import shortened
from contract_tests.trials import Premise, Trial
from mock_server.contract import Json, Operation, Record


def children_in_bodies(bench: Bench) -> None:
    """The array of children in a body creates, changes and deletes them; without it they stay."""
    for operation in bench.caller.of("update"):
        resource = resource_of(operation)
        for children in resource.children:
            part = properties(operation.body or {}).get(children.property)
            if children.writable and part is not None:
                with bench.trial(operation, children.property) as trial:
                    _children(bench, operation, children.property, trial)


def _children(bench: Bench, operation: Operation, name: str, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    children = next(one for one in resource.children if one.property == name)
    child = caller.contract.resources[children.resource]
    part = items(properties(operation.body or {})[name])
    own = child.id.property
    skipped = child.assigned | {own} | {one.property for one in child.children}
    fields = {n: p for n, p in properties(part).items() if n not in skipped and not merged(p).get("readOnly")}
    handle = caller.make(resource)

    def item(id: Json = None) -> dict[str, Json]:
        made = {n: caller.values.plain(p, n) for n, p in fields.items()}
        if child.parent is not None and child.parent.property in properties(part):
            made[child.parent.property] = handle.id
        return made if id is None else {**made, own: id}

    told = list(handle.exchanges)

    def put(extra: Mapping[str, Json]) -> list[Record]:
        body = caller.body(operation, handle.parents, {}) | dict(extra)
        exchange = caller.call(operation, handle.ids, body=body)
        trial.answered(exchange, operation.status, f"{name} may be sent", *told)
        record, sight = caller.seen(handle)
        told[:] = [
            *handle.exchanges,
            *(e for e in told[len(handle.exchanges) :] if e.request.method != "GET"),
            exchange,
            *sight.exchanges,
        ]
        shown = record.get(name)
        return shown if isinstance(shown, list) else []

    one, two = item(), item()
    listed = put({name: [one, two]})
    trial.hold(len(listed) == 2, f"the two {name} that were sent", f"{len(listed)}", *told)
    for sent, seen in zip((one, two), listed, strict=True):
        _holds(trial, sent, seen, name, told)
    ids = [seen.get(own) for seen in listed]
    if None in ids:
        raise Premise(f"{name} are shown without ids")
    trial.hold(ids[0] != ids[1], "ids of their own", shortened(ids), *told)
    changed, new = item(ids[0]), item()
    listed = put({name: [changed, new]})
    kept = {repr(seen.get(own)): seen for seen in listed}
    trial.hold(
        len(listed) == 2 and repr(ids[0]) in kept,
        f"{ids[0]}, which was named, and a new one",
        shortened([s.get(own) for s in listed]),
        *told,
    )
    trial.hold(repr(ids[1]) not in kept, f"{ids[1]} deleted: it was not named", "it is there", *told)
    _holds(trial, {n: v for n, v in changed.items() if n != own}, kept[repr(ids[0])], name, told)
    after = put({})
    trial.hold(
        [s.get(own) for s in after] == [s.get(own) for s in listed],
        f"{name} as they were: the array was not sent",
        shortened([s.get(own) for s in after]),
        *told,
    )
    trial.hold(put({name: []}) == [], f"no {name}: an empty array was sent", "some", *told)


def _holds(trial: Trial, sent: Mapping[str, Json], seen: Record, name: str, told: list[Exchange]) -> None:
    for key, value in sent.items():
        if key in seen and not (isinstance(value, str) and moment(value) and moment(value) == moment(seen[key])):
            trial.hold(agree(value, seen[key]), f"{name}/*/{key} is {shortened(value)}", shortened(seen[key]), *told)
