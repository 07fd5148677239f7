"""What each action does: list, get, create, update, delete, login, renew, alive."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import orjson

from mock_server.call import Call
from mock_server.changes import MERGES, Changes
from mock_server.contract import Record
from mock_server.envelopes import array
from mock_server.plans import Plan
from mock_server.refusals import LoginFailed
from mock_server.reply import Reply
from mock_server.state import Condition, State
from mock_server.targets import Ancestor, nearest_ancestor, target

if TYPE_CHECKING:
    from mock_server.worlds import World

UNLIMITED = 1 << 62


def list_records(plan: Plan, call: Call, world: World, state: State) -> Reply:
    """The page asked for of the records that meet every filter."""
    collection = state.collections[plan.resource.name]
    conditions = tuple(
        Condition(parameter.filter, call.query[parameter.name])
        for parameter in plan.operation.filters
        if parameter.filter and parameter.name in call.query
    )
    offset, limit = _window(plan, call)
    newest_first = plan.resource.newest_first
    parent = nearest_ancestor(plan, call, state)
    if parent is None:
        selection = collection.select(conditions)
        total, page = len(selection), selection.page(offset, limit, newest_first)
    else:
        numbers = collection.meeting(collection.children(parent.id), conditions)
        numbers = numbers[::-1] if newest_first else numbers
        total, page = len(numbers), numbers[offset : offset + limit]
    return _listed(plan, state, page, parent, total=total, offset=offset, limit=limit)


def get(plan: Plan, call: Call, world: World, state: State) -> Reply:
    """The record that the path names."""
    number, record = target(plan, call, state)
    return _answer(plan, state, number, record)


def create(plan: Plan, call: Call, world: World, state: State) -> Reply:
    """A new record, with what the server assigns."""
    resource, intake = plan.resource, plan.intake
    sent = intake.of_new(call.body)
    if resource.parent is not None:
        parent = nearest_ancestor(plan, call, state)
        sent[resource.parent.property] = parent.id if parent else call.body.get(resource.parent.property)
    with Changes(world, state) as changes:
        number = changes.create(resource, sent)
        changes.write_children(intake, number, call.body)
    return _answer(plan, state, number, state.collections[resource.name].living(number))


def update(plan: Plan, call: Call, world: World, state: State) -> Reply:
    """The record changed as the operation merges."""
    intake, merge = plan.intake, plan.operation.merge
    number, old = target(plan, call, state)
    sent = intake.parts_of_old(call.body) if merge == "deep" else intake.of_old(call.body)
    with Changes(world, state) as changes:
        changes.change(plan.resource, number, MERGES[merge](intake, old, sent), sent)
        changes.write_children(intake, number, call.body)
    return _answer(plan, state, number, old)


def delete(plan: Plan, call: Call, world: World, state: State) -> Reply:
    """The record gone, unless another stands in the way; what belongs to it goes with it."""
    number, record = target(plan, call, state)
    with Changes(world, state) as changes:
        changes.delete(plan.resource, number)
    return _answer(plan, state, number, record)


def login(plan: Plan, call: Call, world: World, state: State) -> Reply:
    """A new session for the credentials in the body.

    Raises LoginFailed.
    """
    sessions = plan.contract.sessions
    if sessions is None:
        raise LookupError(f"{plan.operation.operation_id}: the contract has no sessions")
    if not world.known_credentials(plan.contract.name).logs_in(call.body):
        raise LoginFailed("These credentials are not known.")
    now = world.clock.now()
    state.sessions = {id: session for id, session in state.sessions.items() if session.ends > now}
    session = world.open_session(plan.contract.name, sessions.lifetime)
    return _sealed(plan, {"$session": orjson.dumps(session.id)})


def alive(plan: Plan, call: Call, world: World, state: State) -> Reply:
    """That the session lives: security has looked at it already."""
    return _sealed(plan, {"$session": orjson.dumps(call.identity.session if call.identity else None)})


READS = frozenset({"list", "get"})  # answered by the state alone
WRITES = frozenset({"create", "update", "delete", "login", "renew"})
BEHAVIOURS: Mapping[str, Callable[[Plan, Call, World, State], Reply]] = {
    "list": list_records,
    "get": get,
    "create": create,
    "update": update,
    "delete": delete,
    "login": login,
    "renew": login,
    "alive": alive,
}


def _window(plan: Plan, call: Call) -> tuple[int, int]:
    """Offset and limit of the page asked for."""
    if "number" in plan.paging or "size" in plan.paging:
        size = plan.paged(call, "size") or UNLIMITED
        return ((plan.paged(call, "number") or 1) - 1) * size, size
    limit = plan.paged(call, "limit")
    return plan.paged(call, "offset") or 0, UNLIMITED if limit is None else limit


def _listed(  # noqa: PLR0913  # everything that an envelope may tell of a page
    plan: Plan, state: State, page: list[int], parent: Ancestor | None, *, total: int, offset: int, limit: int
) -> Reply:
    if plan.view is None or plan.envelope is None:
        raise LookupError(f"{plan.operation.operation_id}: a list without view or envelope")
    size = limit or 1
    values = {
        "$records": array(plan.view.page(state, page)),
        "$total": b"%d" % total,
        "$count": b"%d" % len(page),
        "$page": b"%d" % (offset // size + 1),
        "$pages": b"%d" % -(-total // size),
        "$offset": b"%d" % offset,
        "$limit": b"%d" % limit,
        "$more": b"true" if offset + len(page) < total else b"false",
    }
    for token in plan.envelope.of_parent:
        values[token] = orjson.dumps(parent.record.get(token.partition(".")[2]) if parent else None)
    return _sealed(plan, values, page)


def _answer(plan: Plan, state: State, number: int, record: Record) -> Reply:
    """The record as the operation shows it; `record` has its id, and may be gone."""
    values: dict[str, bytes] = {}
    if plan.envelope is not None and "$id" in plan.envelope.tokens:
        values["$id"] = orjson.dumps(record[plan.resource.id.property])
    if plan.view is not None:
        values["$record"] = plan.view.rendered(state, number)
    return _sealed(plan, values, (number,))


def _sealed(plan: Plan, values: Mapping[str, bytes], read: Sequence[int] = ()) -> Reply:
    body = None if plan.envelope is None else plan.envelope.sealed(values)
    return Reply(plan.operation.status, body, (), (plan.resource.name, read) if read else None)
