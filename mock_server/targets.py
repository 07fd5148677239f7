"""Path -> the records that it names: the one acted on, and its parents."""

from __future__ import annotations

from dataclasses import dataclass

from mock_server.call import Call
from mock_server.contract import Json, Record, Resource
from mock_server.documents import pointer
from mock_server.plans import Plan
from mock_server.refusals import NotFound, Violation
from mock_server.state import State

LONGEST = 100  # characters of an id that are repeated


@dataclass(frozen=True, slots=True)
class Ancestor:
    """The parent that a path names."""

    resource: str
    id: Json
    record: Record


def nearest_ancestor(plan: Plan, call: Call, state: State) -> Ancestor | None:
    """The nearest of the parents in the path, all of which exist and belong together."""
    nearest: Ancestor | None = None
    for parameter in plan.operation.ancestors:
        collection = state.collections[str(parameter.identifies)]
        found = collection.find(call.path[parameter.name])
        if found is None or (nearest is not None and not _belongs(state, collection.resource, found[1], nearest)):
            raise _missing(collection.resource, call.path[parameter.name], "path", parameter.name)
        nearest = Ancestor(collection.resource.name, found[1][collection.resource.id.property], found[1])
    return nearest


def target(plan: Plan, call: Call, state: State) -> tuple[int, Record]:
    """The record acted on, which belongs to the parents in the path."""
    collection = state.collections[plan.resource.name]
    nearest = nearest_ancestor(plan, call, state)
    identifier = plan.operation.identifier
    id = call.path[identifier.name] if identifier else (call.body or {}).get(plan.operation.target)
    found = collection.find(id)
    if found is None or (nearest is not None and not _belongs(state, collection.resource, found[1], nearest)):
        where, name = ("path", identifier.name) if identifier else ("body", str(plan.operation.target))
        raise _missing(collection.resource, id, where, name)
    return found


def _belongs(state: State, resource: Resource, record: Record, ancestor: Ancestor) -> bool:
    """Whether the ancestor is one of the record's parents."""
    while resource.parent is not None:
        id = record[resource.parent.property]
        if (resource.parent.resource, id) == (ancestor.resource, ancestor.id):
            return True
        above = state.collections[resource.parent.resource]
        found = above.find(id)
        if found is None:
            return False
        resource, record = above.resource, found[1]
    return False


def _missing(resource: Resource, id: Json, where: str, name: str) -> NotFound:
    told = "" if id is None else str(id)
    shown = told if len(told) <= LONGEST else f"{told[:LONGEST]}…"
    return NotFound(resource.title, told, violations=(Violation(where, pointer([name]), f"names no {resource.title}: {shown}"),))
