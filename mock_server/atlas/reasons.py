"""Reason of a refusal -> the requests that bring it about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from mock_server.atlas import bodies, parameters
from mock_server.atlas.door import Access
from mock_server.atlas.ground import Ground, Scene, control
from mock_server.atlas.recipe import SESSION, Request, written
from mock_server.contract import NOTHING, Guard, Json, Operation, Parameter, Record, Resource

METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE")


class Way(NamedTuple):
    """How to get one error: a sentence, and the requests."""

    title: str
    requests: tuple[Request, ...]


# ------------------------------------------------------------------------------------------------ before it is read


def unauthenticated(ground: Ground, operation: Operation) -> Iterator[Way]:
    alternatives, ids = ground.door.alternatives(operation), _named(ground, operation)
    if not alternatives or not all(alternatives):  # It lets in whoever comes.
        return
    body = ground.body(operation, ids)
    yield Way("The request carries no credential.", (ground.request(operation, ids, body=body, access=Access()),))
    if not ground.door.credentials.lenient:
        wrong = ground.door.carried(alternatives[0], "unknown")
        yield Way("The credential is none that is known.", (ground.request(operation, ids, body=body, access=wrong),))
    session, sessions = ground.door.carried(alternatives[0], SESSION), ground.contract.sessions
    if sessions is not None and sessions.scheme in alternatives[0] and ground.door.login is not None:
        later = control("POST", "/clock/advance", {"seconds": sessions.lifetime + 1})
        late = ground.request(operation, ids, body=body, access=session)
        yield Way("The session has ended: the world's clock is past its life.", (later, late))


def login_failed(ground: Ground, operation: Operation) -> Iterator[Way]:
    body, sessions = ground.body(operation, {}), ground.contract.sessions
    if operation.action in ("login", "renew") and isinstance(body, dict) and sessions:
        wrong = "" if ground.door.credentials.lenient else "wrong"
        for name in sessions.credentials:
            yield Way(f"The {name} is wrong.", (ground.request(operation, {}, body={**body, name: wrong}),))


def forbidden(ground: Ground, operation: Operation) -> Iterator[Way]:
    ids = _named(ground, operation)
    body = ground.body(operation, ids)
    for credential, access, missing in ground.door.lacking(operation):
        title = f"The credential {credential.name} lacks {', '.join(missing)}."
        yield Way(title, (ground.request(operation, ids, body=body, access=access),))


def rate_limited(ground: Ground, operation: Operation) -> Iterator[Way]:
    if ground.contract.rate_limit is not None:
        limit = control("PUT", f"/rate-limits/{ground.contract.name}", {"limit": 0})
        granted = _granted(ground, operation)
        yield Way("The requests that the credential has are used up: the world's limit is 0.", (limit, granted))


def method_not_allowed(ground: Ground, operation: Operation) -> Iterator[Way]:
    taken = {other.method for other in ground.contract.operations.values() if other.path == operation.path}
    method = next((name for name in METHODS if name not in taken), None)
    if method is not None:
        yield Way(f"The path has no {method}.", (replace(ground.request(operation, _named(ground, operation)), method=method),))


# ------------------------------------------------------------------------------------------------------- as it is read


def not_acceptable(ground: Ground, operation: Operation) -> Iterator[Way]:
    yield Way("The client accepts XML only.", (_granted(ground, operation, ("Accept", "application/xml")),))


def unsupported_media_type(ground: Ground, operation: Operation) -> Iterator[Way]:
    if operation.body is not None:
        form = _granted(ground, operation, ("Content-Type", "application/x-www-form-urlencoded"))
        yield Way("The body is sent as a form.", (replace(form, body="name=value"),))
        yield Way("The body is said to be packed.", (_granted(ground, operation, ("Content-Encoding", "gzip")),))


def too_large(ground: Ground, operation: Operation) -> Iterator[Way]:
    if operation.body is not None:
        large = replace(_granted(ground, operation), padded=ground.max_body + 1)
        yield Way(f"The body has more than {ground.max_body} bytes.", (replace(large, body=large.body or "{}"),))


def malformed(ground: Ground, operation: Operation) -> Iterator[Way]:
    if operation.body is None:
        return
    granted = _granted(ground, operation)
    yield Way("The body is JSON that breaks off.", (replace(granted, body='{"name": '),))
    yield Way("The body has a name twice.", (replace(granted, body='{"name": 1, "name": 2}'),))
    if operation.body_required:
        bare = replace(_granted(ground, operation, ("Content-Type", "")), body=None)
        yield Way("There is no body.", (bare,))


def invalid_parameter(ground: Ground, operation: Operation) -> Iterator[Way]:
    plan, found = ground.plan(operation), False
    for parameter in operation.parameters if plan else ():
        broken = parameters.refused(plan, parameter) if plan else None
        if broken is not None:
            texts, wrong = broken
            found = True
            title = f"The {parameter.where} parameter {bodies.told(wrong)}."
            yield Way(title, (_with_parameter(ground, operation, parameter, texts),))
    if plan is not None and not found:  # There is a query to be read all the same.
        ids = _named(ground, operation)
        request = ground.request(operation, ids, query=parameters.UNREADABLE, body=ground.body(operation, ids))
        yield Way("The query has a name that is not UTF-8.", (request,))


def invalid_body(ground: Ground, operation: Operation) -> Iterator[Way]:
    plan, ids = ground.plan(operation), _named(ground, operation)
    body = ground.body(operation, ids)
    if plan is None or plan.body is None or operation.body is None or body is None:
        return
    for wrong, violation in bodies.broken(plan.body.validator, operation.body, body):
        request = replace(ground.request(operation, ids, body=body), body=written(wrong))
        yield Way(f"In the body, {bodies.told(violation)}.", (request,))


# -------------------------------------------------------------------------------------------- what the records forbid


def not_found(ground: Ground, operation: Operation) -> Iterator[Way]:
    resource, scene, ids = operation.resource, ground.scene(operation), _named(ground, operation)
    body = ground.body(operation, ids)
    if resource is None or (body is None and operation.body_required):
        return
    before = scene.requests if scene else ()
    for parameter in [p for p in operation.parameters if p.where == "path" and p.identifies][: None if scene else 1]:
        nobody = ground.nobody(str(parameter.identifies))
        request = ground.request(operation, ids, path={parameter.name: nobody}, body=body)
        yield Way(f"No {_title(ground, parameter)} has the id {nobody}.", (*before, request))
    if operation.target and isinstance(body, dict):
        nobody = ground.nobody(resource)
        request = ground.request(operation, ids, body={**body, operation.target: nobody})
        yield Way(f"No {resource.title} has the id {nobody} that the body names.", (*before, request))
    if scene is not None:
        yield from _misplaced(ground, operation, scene, body)


def _misplaced(ground: Ground, operation: Operation, scene: Scene, body: Json) -> Iterator[Way]:
    """The record is there, below another parent."""
    named = [*operation.ancestors, *([operation.identifier] if operation.identifier else [])]
    for parameter, below in pairwise(named):
        own = scene.ids.get(str(parameter.identifies))
        other = ground.of(str(parameter.identifies), 1)
        if other is None or own is None or other.ids[str(parameter.identifies)] == own:
            continue
        path = {parameter.name: other.ids[str(parameter.identifies)]}
        request = ground.request(operation, scene.ids, path=path, body=body)
        title = f"The {_title(ground, below)} belongs to another {_title(ground, parameter)}."
        yield Way(title, (*scene.requests, *other.requests, request))


def dangling(ground: Ground, operation: Operation) -> Iterator[Way]:
    scene = ground.scene(operation)
    body = ground.body(operation, scene.ids) if scene else None
    if operation.action not in ("create", "update") or scene is None or not isinstance(body, dict):
        return
    for reference in ground.referring(operation):
        nobody = ground.nobody(reference.resource, reference.by)
        wrong = {**body, reference.property: nobody}
        if nobody is not None and ground.takes(operation, wrong):
            title = f"{reference.property} names a {ground.contract.resources[reference.resource].title} that does not exist."
            yield Way(title, (*scene.requests, ground.request(operation, scene.ids, body=wrong)))


def duplicate(ground: Ground, operation: Operation) -> Iterator[Way]:
    scene, resource = ground.scene(operation), operation.resource
    body = ground.body(operation, scene.ids) if scene else None
    if operation.action not in ("create", "update") or scene is None or resource is None or not isinstance(body, dict):
        return
    for property in ground.collection(resource).unique:
        if ground.settable(operation, property):
            ways = (*_held(ground, operation, scene, body, property), *_twice(ground, operation, scene, body, property))
            yield from ways[:1]


def _held(ground: Ground, operation: Operation, scene: Scene, body: Record, property: str) -> Iterator[Way]:
    """A record that a new world has holds the value."""
    resource = ground.resource(operation)
    own = None if operation.action == "create" else scene.ids.get(resource.name)
    for _, record in ground.records(resource):
        id, value = record[resource.id.property], record.get(property)
        if id != own and value not in NOTHING and ground.takes(operation, {**body, property: value}):
            request = ground.request(operation, scene.ids, body={**body, property: value})
            yield Way(f"{resource.title} {id} has this {property} already.", (*scene.requests, request))
            return


def _twice(ground: Ground, operation: Operation, scene: Scene, body: Record, property: str) -> Iterator[Way]:
    """A record is made that holds the value, then another."""
    if operation.action != "create":
        return
    shown = [candidate.get(property) for candidate in ground.candidates(operation) if isinstance(candidate, dict)]
    for value in (*shown, ground.nobody(ground.resource(operation), property)):
        twice = {**body, property: value}
        if twice[property] not in NOTHING and ground.takes(operation, twice):
            request = ground.request(operation, scene.ids, body=twice)
            title = f"The {ground.resource(operation).title} made before has this {property}."
            yield Way(title, (*scene.requests, request, request))
            return


def guarded(ground: Ground, operation: Operation) -> Iterator[Way]:
    resource = operation.resource
    if operation.action != "delete" or resource is None:
        return
    for guard in resource.guards:
        scene = _blocked(ground, resource, guard)
        if scene is not None:
            title = f"A {ground.contract.resources[guard.resource].title} stands in the way."
            yield Way(title, (*scene.requests, ground.request(operation, scene.ids)))


def _blocked(ground: Ground, resource: Resource, guard: Guard) -> Scene | None:
    """A record that cannot be deleted because of another, found or made."""
    others = ground.collection(guard.resource)
    for _, record in ground.records(resource):
        referring = others.referring(guard.property, record[resource.id.property])
        if any(_blocks(others.living(number), guard) for number in referring):
            return Scene(ground.named(resource, record))
    made = ground.made(resource)
    other = ground.made(others.resource, made.ids, without=tuple(guard.unless)) if made else None
    if made is None or other is None or not _blocks(others.resource.initial, guard):
        return None
    return Scene(made.ids, (*made.requests, *other.requests))


def _blocks(record: Mapping[str, Json] | Record, guard: Guard) -> bool:
    return not any(record.get(property) in values for property, values in guard.unless.items())


AT_THE_DOOR = frozenset({"unauthenticated", "forbidden", "method_not_allowed"})  # for these nobody has to be let in
REASONS: Mapping[str, Callable[[Ground, Operation], Iterator[Way]]] = {
    "malformed": malformed,
    "invalid_parameter": invalid_parameter,
    "invalid_body": invalid_body,
    "unauthenticated": unauthenticated,
    "login_failed": login_failed,
    "forbidden": forbidden,
    "not_found": not_found,
    "method_not_allowed": method_not_allowed,
    "not_acceptable": not_acceptable,
    "dangling": dangling,
    "duplicate": duplicate,
    "guarded": guarded,
    "too_large": too_large,
    "unsupported_media_type": unsupported_media_type,
    "rate_limited": rate_limited,
}


def _named(ground: Ground, operation: Operation) -> Mapping[str, Json]:
    """Ids for a request that is refused before anybody looks for a record: those of records, if there are any."""
    scene = ground.scene(operation)
    return {name: ground.nobody(name) for name in ground.contract.resources} if scene is None else scene.ids


def _granted(ground: Ground, operation: Operation, *headers: tuple[str, str]) -> Request:
    """A request as it is granted, but for some header fields."""
    ids = _named(ground, operation)
    return ground.request(operation, ids, headers=headers, body=ground.body(operation, ids))


def _with_parameter(ground: Ground, operation: Operation, parameter: Parameter, texts: list[str]) -> Request:
    ids = _named(ground, operation)
    body = ground.body(operation, ids)
    if parameter.where == "path":
        return ground.request(operation, ids, path={parameter.name: texts[0]}, body=body)
    if parameter.where == "query":
        return ground.request(operation, ids, query=parameters.sent(parameter, texts), body=body)
    name, value = ("Cookie", f"{parameter.name}={texts[0]}") if parameter.where == "cookie" else (parameter.name, texts[0])
    return ground.request(operation, ids, headers=((name, value),), body=body)


def _title(ground: Ground, parameter: Parameter) -> str:
    resource = ground.contract.resources.get(str(parameter.identifies))
    return resource.title if resource else parameter.name
