"""A new world -> the recipes of every documented error of its APIs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mock_server.atlas.ground import Ground
from mock_server.atlas.reasons import AT_THE_DOOR, REASONS, Way
from mock_server.atlas.recipe import SESSION, Recipe, Request
from mock_server.contract import Contract, Operation
from mock_server.refusals import STATUSES
from mock_server.worlds import World


def recipes(world: World, max_body: int) -> tuple[Recipe, ...]:
    """The atlas of errors of the APIs in a world that is new."""
    return tuple(recipe for contract in world.contracts.values() for recipe in _of(Ground(world, contract, max_body)))


def _of(ground: Ground) -> Iterator[Recipe]:
    for operation in ground.contract.operations.values():
        for status in sorted(status for status in operation.statuses if status >= 400):
            yield from _numbered(ground, operation, status)


def _numbered(ground: Ground, operation: Operation, status: int) -> Iterator[Recipe]:
    """The recipes of one documented error: all ways that cause it, else the one that asks for it."""
    reasons = _reasons(ground.contract, status)
    found = [
        Recipe(operation.api, operation.operation_id, status, reason, way.title, True, _complete(ground, way.requests))
        for reason in reasons
        for way in _ways(ground, operation, reason)
    ]
    for place, recipe in enumerate(found or [_forced(ground, operation, status, reasons)], 1):
        yield replace(recipe, place=place)


def _ways(ground: Ground, operation: Operation, reason: str) -> Iterator[Way]:
    """The ways that cause a refusal for a reason, if this server lets a client go them."""
    if reason not in REASONS or (reason not in AT_THE_DOOR and ground.door.access(operation) is None):
        return
    for way in REASONS[reason](ground, operation):
        small = all(request.padded or len((request.body or "").encode()) <= ground.max_body for request in way.requests)
        if small or reason in AT_THE_DOOR:
            yield way


def _reasons(contract: Contract, status: int) -> list[str]:
    """The reasons for which the API refuses with a status."""
    statuses = {**STATUSES, **contract.refusals.statuses}
    return [reason for reason, its in statuses.items() if its == status]


def _forced(ground: Ground, operation: Operation, status: int, reasons: list[str]) -> Recipe:
    """What asks for the error, where nothing is known that causes it."""
    scene = ground.scene(operation)
    ids = scene.ids if scene else {}
    asked = ground.request(operation, ids, headers=(("Prefer", f"code={status}"),), body=ground.body(operation, ids))
    way = Way("It is asked for; nothing that a client does is known to cause it.", (asked,))
    reason = next(iter([*filter(REASONS.get, reasons), *reasons]), "")
    return Recipe(operation.api, operation.operation_id, status, reason, way.title, False, _complete(ground, way.requests))


def _complete(ground: Ground, requests: tuple[Request, ...]) -> tuple[Request, ...]:
    """The requests, after a login if one of them carries the session."""
    carries = any(SESSION in value for request in requests for _, value in request.headers) or any(
        SESSION in request.target for request in requests
    )
    return (ground.door.login, *requests) if carries and ground.door.login else requests
