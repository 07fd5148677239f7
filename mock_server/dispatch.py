"""Call -> the behaviour that its operation asks for -> Reply."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from urllib.parse import quote

from mock_server.behaviours import BEHAVIOURS, READS, WRITES
from mock_server.call import Call
from mock_server.contract import Contract
from mock_server.outline import CONTROL
from mock_server.plans import Plan, plan
from mock_server.reply import Reply
from mock_server.state import State
from mock_server.worlds import World, Worlds

IGNORED = b"x-mock-ignored-parameters"


def answering(
    contracts: Mapping[str, Contract], worlds: Worlds, control: Callable[[Call], Reply] | None = None
) -> Callable[[Call], Reply]:
    """The function that answers every call, those of the control API by `control`; it raises Refusal."""
    plans: dict[tuple[str, str], Plan] = {
        (contract.name, operation.operation_id): plan(contract, operation)
        for contract in contracts.values()
        for operation in contract.operations.values()
    }

    def read(made: Plan, call: Call, world: World, state: State) -> Reply:
        """The answer of an operation that changes nothing: as long as nothing was written, the one that was given before."""
        key = _asked(call)
        kept = None if key is None else state.kept(key)
        if kept is not None:
            return kept
        reply = BEHAVIOURS[call.operation.action](made, call, world, state)
        if key is not None:
            state.keep(key, reply)
        return reply

    def answer(call: Call) -> Reply:
        operation = call.operation
        if control is not None and operation.action == CONTROL:
            reply = control(call)
            return _warned(reply, call.ignored) if call.ignored else reply
        world = worlds.look(call.world)
        made = plans[operation.api, operation.operation_id]
        if operation.action in READS:
            reply = read(made, call, world, world.state(operation.api))
        elif operation.action in WRITES:
            with worlds.store.writing(world):
                reply = BEHAVIOURS[operation.action](made, call, world, world.state(operation.api))
                if world.unsaved:
                    reply.written = tuple(world.unsaved)
        else:
            reply = BEHAVIOURS[operation.action](made, call, world, world.state(operation.api))
        return _warned(reply, call.ignored) if call.ignored else reply

    return answer


def _asked(call: Call) -> Hashable:
    """What two calls share that read the same; None where that cannot be told by a look."""
    key = (call.operation.operation_id, tuple(call.path.values()), tuple(call.query.items()))
    try:
        hash(key)
    except TypeError:  # A list is among the values.
        return None
    return key


def _warned(reply: Reply, ignored: tuple[str, ...]) -> Reply:
    """The reply with the names of the query parameters that changed nothing."""
    names = ", ".join(quote(name, safe="._[]~-")[:100] for name in ignored[:20] if name)
    if not names:
        return reply
    return replace(reply, headers=(*reply.headers, (IGNORED, names.encode())))
