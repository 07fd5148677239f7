"""Laws of parents: a child is below its own, and what only one child may have is had by one."""

from __future__ import annotations

from collections.abc import Mapping

from contract_tests.callers import WITHOUT_BODY, Handle
from contract_tests.laws.bench import Bench, named_in
from contract_tests.laws.written import resource_of
from contract_tests.schemas import properties
from contract_tests.shapes import shortened
from contract_tests.trials import Trial, needed
from mock_server.contract import Json, Operation


def exclusive_is_exclusive(bench: Bench) -> None:
    """Of the records below one parent at most one has the flag: the one that was given it last."""
    for operation in bench.caller.of("create", "update"):
        resource = resource_of(operation)
        for name in resource.exclusive:
            if name in bench.caller.writable(operation):
                with bench.trial(operation, name) as trial:
                    _exclusive(bench, operation, name, trial)
        for name in resource.exclusive if operation.action == "update" else ():
            for how in ("taken away", "deleted"):
                with bench.trial(operation, f"{name} {how}") as trial:
                    _given_up(bench, operation, (name, how), trial)


def _exclusive(bench: Bench, operation: Operation, name: str, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    parent = resource.parent
    if parent is None:
        return
    above = caller.make(caller.contract.resources[parent.resource])
    other = caller.make(caller.contract.resources[parent.resource])
    elsewhere = caller.make(resource, {name: True}, other.ids)
    first = caller.make(resource, {name: True}, above.ids)
    others = [caller.make(resource, {name: operation.action == "create"}, above.ids) for _ in range(2)]
    told = (*first.exchanges, *(other.exchanges[-1] for other in others))
    for one in others if operation.action == "update" else ():
        body = caller.body(operation, one.parents, {name: True})
        told += (needed(caller.call(operation, one.ids, body=body), operation.status),)
    for handle, expected, why in (
        (others[1], True, "it was set last"),
        (others[0], False, f"{others[1]} has it now"),
        (first, False, f"{others[1]} has it now"),
        (elsewhere, True, "it is below another parent"),
    ):
        record, sight = caller.seen(handle)
        extra = elsewhere.exchanges if handle is elsewhere else ()
        trial.hold(
            record.get(name) is expected,
            f"{name} of {handle} is {expected}: {why}",
            shortened(record.get(name)),
            *extra,
            *told,
            *sight.exchanges,
        )


def _given_up(bench: Bench, update: Operation, part: tuple[str, str], trial: Trial) -> None:
    """A flag that a record loses, or that is deleted with it, goes to nobody else."""
    caller, resource = bench.caller, resource_of(update)
    name, how = part
    if resource.parent is None:
        return
    above = caller.make(caller.contract.resources[resource.parent.resource])
    others = [caller.make(resource, {name: False}, above.ids) for _ in range(2)]
    holder = caller.make(resource, {name: True}, above.ids)
    removal = caller.deletion(holder)
    if how == "deleted":
        if removal is None:
            return
        done = caller.call(removal, holder.ids)
        trial.answered(done, removal.status, f"{holder} can be deleted, {name} or not", *holder.exchanges)
    else:
        done = needed(caller.call(update, holder.ids, body=caller.body(update, holder.parents, {name: False})), update.status)
    for other in others:
        record, sight = caller.seen(other)
        told = (*other.exchanges, holder.exchanges[-1], done, *sight.exchanges)
        trial.hold(record.get(name) is False, f"{name} of {other} is false, as it was sent", shortened(record.get(name)), *told)


def parents_keep_their_own(bench: Bench) -> None:
    """A child is below its parent and below no other, and nothing is below a parent that is not there."""
    for operation in bench.caller.of("create"):
        resource = resource_of(operation)
        if resource.parent is not None:
            with bench.trial(operation, resource.parent.property, origin=resource.parent.origin) as trial:
                _below(bench, operation, trial)
    for operation in bench.caller.of("update"):
        parent = resource_of(operation).parent
        if parent is not None and parent.property in properties(operation.body or {}):
            with bench.trial(operation, parent.property, origin=parent.origin) as trial:
                _moved_away(bench, operation, trial)
    for operation in bench.caller.of("create", "list"):
        if len(operation.ancestors) > 1:
            with bench.trial(operation, "another parent's child") as trial:
                _grandchild(bench, operation, trial)
    for operation in bench.caller.of("list", "get", "update", "delete"):
        if operation.ancestors:
            with bench.trial(operation, "another parent") as trial:
                _misplaced(bench, operation, trial)


def _moved_away(bench: Bench, operation: Operation, trial: Trial) -> None:
    """A body that names another parent does not move the record: where it belongs is settled when it is made."""
    caller, resource = bench.caller, resource_of(operation)
    parent = resource.parent
    if parent is None:
        return
    above = caller.contract.resources[parent.resource]
    other = caller.make(above, None, caller.home_of(above))
    handle = caller.make(resource)
    body = caller.body(operation, handle.parents, {}) | {parent.property: other.id}
    exchange = caller.call(operation, handle.ids, body=body)
    told = (*other.exchanges, *handle.exchanges, exchange)
    sight = caller.look(handle)
    trial.hold(
        sight.record is not None,
        f"{handle} where it was made",
        f"{exchange.answer.status}, and it is gone",
        *told,
        *sight.exchanges,
    )
    moved = Handle(resource, handle.id, {**handle.parents, **other.ids})
    for view in caller.views(resource):
        if parent.resource in named_in(view.operation) and caller.reaches(view, moved):
            sight = caller.look(moved, view)
            trial.hold(sight.record is None, f"no {handle} below {other}", "it is there", *told, *sight.exchanges)


def _below(bench: Bench, operation: Operation, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    parent = resource.parent
    if parent is None:
        return
    above = caller.contract.resources[parent.resource]
    one, other = caller.make(above), caller.make(above)
    parents = {**one.ids}
    body = caller.body(operation, parents, {})
    exchange = needed(caller.call(operation, parents, body=body), operation.status)
    handle = caller.handle(operation, parents, body, exchange)
    told = (*one.exchanges, *other.exchanges, exchange)
    for view in caller.views(resource):
        depends = parent.resource in named_in(view.operation)
        if not caller.reaches(view, handle):
            continue
        sight = caller.look(handle, view)
        trial.hold(sight.record is not None, f"{handle} in {view.name}", "it is not there", *told, *sight.exchanges)
        if depends:
            wrong = Handle(resource, handle.id, other.ids)
            sight = caller.look(wrong, view)
            trial.hold(sight.record is None, f"no {handle} below {other}", "it is there", *told, *sight.exchanges)
    for name, shown in parent.show.items():
        record, sight = caller.seen(handle)
        if isinstance(shown, Mapping) and isinstance(record.get(name), dict) and "id" in shown:
            trial.hold(
                record[name].get("id") == one.id, f"{name}/id is {one.id}", shortened(record[name]), *told, *sight.exchanges
            )


def _grandchild(bench: Bench, operation: Operation, trial: Trial) -> None:
    """Below a parent that does not belong to its own parent in the path there is nothing."""
    caller = bench.caller
    above, nearest = (caller.contract.resources[str(one.identifies)] for one in operation.ancestors[-2:])
    child, other = caller.make(nearest), caller.make(above, None, caller.home_of(above))
    ids = {**child.ids, **other.ids, nearest.name: child.id}
    body: Json = caller.body(operation, ids, {}) if operation.body is not None else WITHOUT_BODY
    exchange = caller.call(operation, ids, body=body)
    why = f"{child} does not belong to {other}"
    trial.answered(exchange, caller.status_of("not_found"), why, *child.exchanges, *other.exchanges)


def _misplaced(bench: Bench, operation: Operation, trial: Trial) -> None:
    """A record named below a parent that is not its own is not found."""
    caller, resource = bench.caller, resource_of(operation)
    if operation.action == "list" or not caller.can_write or not caller.of("create", resource=resource):
        return
    handle = caller.make(resource)
    nearest = caller.contract.resources[str(operation.ancestors[-1].identifies)]
    other = caller.make(nearest, None, caller.home_of(nearest) if nearest.parent else None)
    ids = {**handle.ids, **other.ids, resource.name: handle.id}
    if operation.body is not None:
        exchange = caller.call(operation, ids, body=caller.body(operation, other.ids, {}))
    else:
        exchange = caller.call(operation, ids)
    trial.answered(
        exchange, caller.status_of("not_found"), f"{handle} does not belong to {other}", *handle.exchanges, *other.exchanges
    )
    sight = caller.look(handle)
    trial.hold(sight.record is not None, f"{handle} still there", "it is gone", *handle.exchanges, exchange, *sight.exchanges)
