"""The control API: what each of its operations does to the worlds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import orjson

from mock_server import clock, control_orders, exports
from mock_server.account import EXACT, Accounts
from mock_server.atlas import Recipe
from mock_server.call import Call
from mock_server.changes import Changes
from mock_server.clock import MICROSECONDS, Clock
from mock_server.contract import Contract, Json
from mock_server.journal import Exchange
from mock_server.refusals import Conflict, NotFound, Violation
from mock_server.reply import Reply
from mock_server.situations import Start
from mock_server.state import State, Trashed
from mock_server.worlds import World, Worlds

LAST = clock.read("9999-12-31T23:59:59Z")  # Later times cannot be written.


@dataclass(frozen=True, slots=True)
class Control:
    """What the operations act on."""

    worlds: Worlds
    start: Start
    accounts: Accounts
    noting: bool  # whether there are journals
    errors: Callable[[], Sequence[Recipe]]  # how to get those that the contracts document

    def world(self, call: Call) -> World:
        """The world in the path, which must be there.

        Raises NotFound.
        """
        return self.there(call.path["world"])

    def there(self, name: str) -> World:
        """The world of this name, as it is by now.

        Raises NotFound.
        """
        if name not in self.worlds.names():
            raise NotFound("World", name)
        world = self.worlds.look(name)
        self.worlds.store.refresh(world)
        return world

    def snapshot(self, name: str) -> bytes:
        """What is kept under a name.

        Raises NotFound.
        """
        kept = self.worlds.store.snapshot(name)
        if kept is None:
            raise control_orders.missing("Snapshot", name, self.worlds.store.snapshots(), "/name")
        return kept

    def becomes(self, call: Call, make: Callable[[World], World]) -> Json:
        """The world in the path becomes another, and is made if it is new; the answer describes it."""
        world = self.worlds.get(call.path["world"])
        with self.worlds.store.writing(world):
            world.become(make(world))
        return described(world)


Operation = Callable[[Control, Call], Json | Reply]


def answering(contract: Contract, control: Control) -> Callable[[Call], Reply]:
    """The function that answers the calls of the control API.

    Raises LookupError, naming the operations that nothing answers.
    """
    unanswered = [name for name in contract.operations if name not in OPERATIONS]
    if unanswered:
        raise LookupError(f"{contract.file}: nothing answers {', '.join(unanswered)}; add it to {__name__}")

    def answer(call: Call) -> Reply:
        name = call.operation.operation_id
        answered = OPERATIONS[name](control, call)
        if not isinstance(answered, Reply):
            answered = Reply(call.operation.status, None if answered is None else orjson.dumps(answered))
        if name in control_orders.NOTED and control.noting:
            world = control.there(call.path["world"])
            control.worlds.store.record(world, noted(contract, world, call, answered))
        return answered

    return answer


def noted(contract: Contract, world: World, call: Call, reply: Reply) -> Exchange:
    """What was done to a world, for its journal: a capsule does it again."""
    path = call.operation.path
    for name, value in call.path.items():
        path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    sent = () if call.body is None else ((b"content-type", b"application/json"),)
    return Exchange(
        world=world.name,
        at=world.clock.now(),
        seconds=0,
        api=contract.name,
        operation=call.operation.operation_id,
        method=call.operation.method,
        target=contract.base_path + path,
        request_headers=sent,
        request_body=None if call.body is None else orjson.dumps(call.body),
        status=reply.status,
        answer_headers=(),
        answer_body=reply.body,
        written=tuple(reply.written),
    )


# Worlds


def list_worlds(control: Control, _call: Call) -> Json:
    return {"worlds": control.worlds.names()}


def get_world(control: Control, call: Call) -> Json:
    return described(control.world(call))


def delete_world(control: Control, call: Call) -> Json:
    control.worlds.forget(control.world(call).name)


def reset_world(control: Control, call: Call) -> Json:
    """Back to a starting point."""
    body = call.body or {}
    name = body.get("situation", control.start.situation) or ""
    if name and name not in control.start.situations:
        raise control_orders.missing("Situation", name, control.start.situations, "/situation")
    return control.becomes(call, lambda world: control.start.world(world, name, body.get("seed"), body.get("scale")))


def fork_world(control: Control, call: Call) -> Json:
    """A copy of another world, which may be the world itself: then its sessions end."""
    original = control.there(call.body["from"])
    return control.becomes(call, lambda world: exports.copied(original, world.name))


def described(world: World) -> Json:
    """What a person wants to know of a world."""
    written = {
        api: {name: len(collection.written) for name, collection in state.collections.items() if collection.written}
        for api, state in sorted(world.states.items())
        if exports.written(state)
    }
    return {
        "name": world.name,
        "seed": world.seed,
        "scale": world.scale,
        "situation": world.situation or None,
        "clock": shown(world.clock),
        "used": clock.written(world.used, EXACT),
        "records": written,
        "trash": sum(len(state.trash) for state in world.states.values()),
    }


# Snapshots and exports


def snapshot_world(control: Control, call: Call) -> Json:
    document = exports.document(control.world(call))
    control.worlds.store.keep(call.body["name"], orjson.dumps(document))
    return {"name": call.body["name"], "digest": document["digest"]}


def restore_world(control: Control, call: Call) -> Json:
    document, force = orjson.loads(control.snapshot(call.body["name"])), call.query.get("force", False)
    return control.becomes(call, lambda world: exports.world_in(document, world, force=force))


def list_snapshots(control: Control, _call: Call) -> Json:
    return {"snapshots": control.worlds.store.snapshots()}


def delete_snapshot(control: Control, call: Call) -> Json:
    control.snapshot(call.path["name"])
    control.worlds.store.keep(call.path["name"], None)


def export_world(control: Control, call: Call) -> Json:
    return exports.document(control.world(call))


def import_world(control: Control, call: Call) -> Json:
    force = call.query.get("force", False)
    return control.becomes(call, lambda world: exports.world_in(call.body, world, force=force))


# Clock


def get_clock(control: Control, call: Call) -> Json:
    return shown(control.world(call).clock)


def set_clock(control: Control, call: Call) -> Json:
    """Stop the clock or let it run, from the time that it has or another."""
    world = control.worlds.get(call.path["world"])
    with control.worlds.store.writing(world):
        at = _instant(call.body["at"]) if "at" in call.body else world.clock.now()
        world.clock = _clock(world.clock, at, frozen=call.body["frozen"])
        return shown(world.clock)


def advance_clock(control: Control, call: Call) -> Json:
    """Move the clock, whether it stands or runs."""
    world = control.worlds.get(call.path["world"])
    with control.worlds.store.writing(world):
        at = world.clock.now() + round(call.body["seconds"] * MICROSECONDS)
        world.clock = _clock(world.clock, at, frozen=world.clock.frozen is not None)
        return shown(world.clock)


def shown(time: Clock) -> Json:
    """A clock as it is told."""
    return {"frozen": time.frozen is not None, "now": clock.written(time.now(), EXACT)}


def _clock(before: Clock, at: int, *, frozen: bool) -> Clock:
    if not 0 <= at <= LAST:
        raise _conflict("/at", "leads out of the years 1970 to 9999")
    return Clock(at, before.offset, before.system) if frozen else Clock(None, at - before.system(), before.system)


def _instant(text: str) -> int:
    try:
        return clock.read(text.upper())
    except ValueError:  # A leap second, or a year that the calendar does not have.
        raise _conflict("/at", "is a time that this clock does not know") from None


# Trash


def list_trash(control: Control, call: Call) -> Json:
    world = control.world(call)
    entries = sorted(_entries(world), key=lambda pair: _order(*pair))
    return {"trash": [_told(state, one) for state, one in entries]}


def restore_trash(control: Control, call: Call) -> Reply:
    """A deleted record lives again, with what went with it."""
    world = control.world(call)
    with control.worlds.store.writing(world):
        state, chosen = _chosen(world, call.body)
        group = [one for one in _with(state, chosen) if one is not chosen]
        with Changes(world, state) as changes:
            changes.restore([chosen, *group])
        for one in (chosen, *group):
            del state.trash[one.resource, one.number]
        written = tuple(world.unsaved)
    restored = {"restored": [_named(state, one.resource, one.record) for one in (chosen, *group)]}
    return Reply(call.operation.status, orjson.dumps(restored), written=written)


def purge_trash(control: Control, call: Call) -> Reply:
    """Deleted records that are gone for good."""
    world, wanted = control.world(call), call.body or {}
    with control.worlds.store.writing(world):
        chosen = {
            (state.contract.name, one.resource, one.number)
            for state, found in _entries(world)
            if all(_named(state, found.resource, found.record)[name] == value for name, value in wanted.items())
            for one in _with(state, found)
        }
        for api, resource, number in sorted(chosen):
            state = world.state(api)
            world.unsaved.append(state.write(resource, number))
            del state.trash[resource, number]
        written = tuple(world.unsaved)
    return Reply(call.operation.status, orjson.dumps({"purged": len(chosen)}), written=written)


def _entries(world: World) -> Iterator[tuple[State, Trashed]]:
    for _, state in sorted(world.states.items()):
        yield from ((state, one) for one in state.trash.values())


def _chosen(world: World, wanted: Mapping[str, Json]) -> tuple[State, Trashed]:
    for state, one in _entries(world):
        if _named(state, one.resource, one.record) == wanted:
            return state, one
    raise NotFound("Trashed record", f"{wanted['api']} {wanted['resource']} {wanted['id']}")


def _with(state: State, one: Trashed) -> list[Trashed]:
    """What went with a record; of one that went with another, itself alone."""
    key = (one.resource, one.number)
    group = (other for other in state.trash.values() if other.root == key)
    return sorted(group, key=lambda other: _order(state, other)) if one.root == key else [one]


def _order(state: State, one: Trashed) -> tuple[int, str, tuple[str, int], bool, str, int]:
    """By time; at the same time by record, each followed by what went with it."""
    return one.deleted, state.contract.name, one.root, one.root != (one.resource, one.number), one.resource, one.number


def _named(state: State, resource: str, record: Mapping[str, Json]) -> dict[str, Json]:
    return {"api": state.contract.name, "resource": resource, "id": record[state.contract.resources[resource].id.property]}


def _told(state: State, one: Trashed) -> Json:
    root = None if one.root == (one.resource, one.number) else state.trash.get(one.root)
    return {
        **_named(state, one.resource, one.record),
        "deleted": clock.written(one.deleted, EXACT),
        "with": None if root is None else _named(state, root.resource, root.record),
        "record": one.record,
    }


# Situations


def list_situations(control: Control, _call: Call) -> Json:
    found = control.start.situations.values()
    return {"situations": [{"name": one.name, "description": one.description} for one in found]}


# Errors


def list_errors(control: Control, call: Call) -> Json:
    """The recipes asked for."""
    contracts = control.accounts.contracts
    control_orders.look_up(call, {name: contract.operations for name, contract in contracts.items()})
    wanted = {name: call.query.get(name) for name in ("api", "operation", "status")}
    told = (recipe.document() for recipe in control.errors())
    return {"errors": [one for one in told if all(value in (None, one[name]) for name, value in wanted.items())]}


OPERATIONS: Mapping[str, Operation] = {
    **control_orders.OPERATIONS,
    "listErrors": list_errors,
    "listWorlds": list_worlds,
    "getWorld": get_world,
    "deleteWorld": delete_world,
    "resetWorld": reset_world,
    "forkWorld": fork_world,
    "snapshotWorld": snapshot_world,
    "restoreWorld": restore_world,
    "listSnapshots": list_snapshots,
    "deleteSnapshot": delete_snapshot,
    "exportWorld": export_world,
    "importWorld": import_world,
    "getClock": get_clock,
    "setClock": set_clock,
    "advanceClock": advance_clock,
    "listTrash": list_trash,
    "restoreTrash": restore_trash,
    "purgeTrash": purge_trash,
    "listSituations": list_situations,
}


def _conflict(pointer: str, message: str) -> Conflict:
    return Conflict(f"The clock cannot be set: {pointer[1:]} {message}.", violations=(Violation("body", pointer, message),))
