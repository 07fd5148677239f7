"""A world <-> one JSON document: what was written in it, and what the rest of it follows from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import orjson

from mock_server.bridge import violations
from mock_server.clock import Clock
from mock_server.contract import Json, Resource
from mock_server.documents import meant, pointer
from mock_server.refusals import Conflict, Violation
from mock_server.shapes import Shapes
from mock_server.state import State, Trashed
from mock_server.worlds import World

FORMAT = "mock-world/1"
HIGHEST = (1 << 53) - 1  # the number of a record


def document(world: World) -> dict[str, Json]:
    """The world as one document; sessions are secrets, and left out."""
    made: dict[str, Json] = {
        "format": FORMAT,
        "contracts": {name: contract.digest for name, contract in world.contracts.items()},
        "seed": world.seed,
        "scale": world.scale,
        "situation": world.situation or None,
        "clock": {"frozen": world.clock.frozen, "offset": world.clock.offset},
        "apis": {name: _exported(world.states[name]) for name in sorted(world.states) if written(world.states[name])},
    }
    return {**made, "digest": digest(made)}


def digest(document: Mapping[str, Json]) -> str:
    """SHA-256 of the document without its digest: names in order, no spaces, whole numbers without a decimal point."""
    rest = {name: _whole(part) for name, part in document.items() if name != "digest"}
    return hashlib.sha256(orjson.dumps(rest, option=orjson.OPT_SORT_KEYS)).hexdigest()


def world_in(document: Mapping[str, Json], like: World, *, force: bool) -> World:
    """A world that is what a document says, for `like` to become; the form of the document is known to be right.

    Raises Conflict with everything in it that does not fit what is served here.
    """
    found = tuple(_violations(document, like, force=force))
    if found:
        raise Conflict("The document does not fit what this server serves.", violations=found)
    kept = document["clock"]
    clock = Clock(kept["frozen"], kept["offset"], like.clock.system)
    made = new(like, document["seed"], document["scale"], document["situation"] or "", clock)
    for api, part in document["apis"].items():
        state = made.state(api)
        trash = {
            (one["resource"], one["number"]): Trashed(
                one["resource"], one["number"], one["record"], one["deleted"], (one["with"]["resource"], one["with"]["number"])
            )
            for one in part["trash"]
        }
        for resource, records in part["records"].items():
            for number, record in records.items():
                _put(made, state, resource, int(number), record)
        state.trash.update(trash)
    return made


def copied(world: World, name: str) -> World:
    """A world like this one, for another to become. It shares records, which are never changed in place, and nothing else."""
    clock = Clock(world.clock.frozen, world.clock.offset, world.clock.system)
    made = new(world, world.seed, world.scale, world.situation, clock, name)
    for api, original in world.states.items():
        if not written(original):
            continue
        state = made.state(api)
        for resource, collection in original.collections.items():
            for number, record in collection.written.items():
                _put(made, state, resource, number, record)
        state.trash.update(original.trash)
    return made


def new(like: World, seed: int, scale: int, situation: str, clock: Clock, name: str = "") -> World:
    """A world on the same contracts in which nothing is written, for another to become."""
    return World(
        name or like.name,
        seed,
        scale,
        like.contracts,
        like.baselines,
        like.credentials,
        clock,
        situation,
        situations=like.situations,
    )


def written(state: State) -> bool:
    """Whether anything was written in a state."""
    return any(collection.written for collection in state.collections.values())


def _put(world: World, state: State, resource: str, number: int, record: Json) -> None:
    world.unsaved.append(state.write(resource, number))
    state.restore(resource, number, record, None)


def _exported(state: State) -> dict[str, Json]:
    return {
        "records": {
            name: {str(number): collection.written[number] for number in sorted(collection.written)}
            for name, collection in state.collections.items()
            if collection.written
        },
        "trash": [
            {
                "resource": one.resource,
                "number": one.number,
                "record": one.record,
                "deleted": one.deleted,
                "with": {"resource": one.root[0], "number": one.root[1]},
            }
            for one in sorted(state.trash.values(), key=lambda one: (one.deleted, one.resource, one.number))
        ],
    }


def _whole(value: Json) -> Json:
    """The value as a client may have rewritten it without changing it: 1.0 is 1."""
    if isinstance(value, dict):
        return {name: _whole(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_whole(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < HIGHEST else value


# What does not fit


def _violations(document: Mapping[str, Json], like: World, *, force: bool) -> Iterator[Violation]:
    if not force:
        yield from _strangers(document, like)
    if document["situation"] and document["situation"] not in like.situations:
        yield _violation(("situation",), f"is no situation{meant(document['situation'], like.situations)}")
    for api, part in document["apis"].items():
        contract = like.contracts.get(api)
        if contract is None:
            yield _violation(("apis", api), f"is not served here{meant(api, like.contracts)}")
            continue
        shapes = Shapes(contract, "response", whole=True)
        for name, records in part["records"].items():
            yield from _of_records(shapes, name, records, ("apis", api, "records", name))
        for index, one in enumerate(part["trash"]):
            yield from _of_trashed(shapes, one, part["records"], ("apis", api, "trash", index))


def _strangers(document: Mapping[str, Json], like: World) -> Iterator[Violation]:
    """What is refused without `force`."""
    for api, named in document["contracts"].items():
        if api in like.contracts and named != like.contracts[api].digest:
            yield _violation(("contracts", api), "is another contract than the one served here; force=true takes it all the same")
    if "digest" in document and document["digest"] != digest(document):
        yield _violation(("digest",), "is not that of the document, which was changed; leave it out, or send force=true")


def _of_records(shapes: Shapes, name: str, records: Mapping[str, Json], path: tuple[str, ...]) -> Iterator[Violation]:
    known = shapes.contract.resources
    resource = known.get(name)
    if resource is None:
        yield _violation(path, f"is no resource of {shapes.contract.name}{meant(name, known)}")
        return
    for number, record in records.items():
        if not number.isdecimal() or not number.isascii() or str(int(number[:20])) != number or int(number) > HIGHEST:
            yield _violation((*path, number), "is no number of a record; the first is 0")
        elif record is not None:
            yield from _of_record(shapes, resource, int(number), record, (*path, number))


def _of_record(shapes: Shapes, resource: Resource, number: int, record: Json, path: tuple[str | int, ...]) -> Iterator[Violation]:
    broken = violations.found(shapes.of(resource), record, "body", pointer(path))
    yield from broken
    id = record.get(resource.id.property)
    if not broken and not resource.id.settable and resource.id.number(id) != number:
        yield _violation(
            (*path, resource.id.property), f"is not the id of {resource.name} {number}, which is {resource.id.value(number)}"
        )


def _of_trashed(
    shapes: Shapes, one: Mapping[str, Json], records: Mapping[str, Json], path: tuple[str | int, ...]
) -> Iterator[Violation]:
    resource = shapes.contract.resources.get(one["resource"])
    if resource is None or not resource.trash:
        yield _violation((*path, "resource"), f"is no resource of {shapes.contract.name} with a trash")
        return
    if records.get(resource.name, {}).get(str(one["number"]), resource) is not None:
        yield _violation((*path, "number"), "is not among the deleted records")
    yield from _of_record(shapes, resource, one["number"], one["record"], (*path, "record"))


def _violation(path: tuple[str | int, ...], message: str) -> Violation:
    return Violation("body", pointer(path), message)
