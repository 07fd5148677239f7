"""Call -> the behaviour that its operation asks for -> Reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote

from mock_server.behaviours import BEHAVIOURS
from mock_server.call import Call
from mock_server.contract import Contract
from mock_server.plans import Plan, plan
from mock_server.reply import Reply
from mock_server.worlds import Worlds

IGNORED = b"x-mock-ignored-parameters"


def answering(contracts: Mapping[str, Contract], worlds: Worlds) -> Callable[[Call], Reply]:
    """The function that answers every call; it raises Refusal."""
    plans: dict[tuple[str, str], Plan] = {
        (contract.name, operation.operation_id): plan(contract, operation)
        for contract in contracts.values()
        for operation in contract.operations.values()
    }

    def answer(call: Call) -> Reply:
        operation = call.operation
        world = worlds.get(call.world)
        made = plans[operation.api, operation.operation_id]
        reply = BEHAVIOURS[operation.action](made, call, world, world.state(operation.api))
        return _warned(reply, call.ignored) if call.ignored else reply

    return answer


def _warned(reply: Reply, ignored: tuple[str, ...]) -> Reply:
    """The reply with the names of the query parameters that changed nothing."""
    names = ", ".join(quote(name, safe="._[]~-")[:100] for name in ignored[:20])
    return Reply(reply.status, reply.body, (*reply.headers, (IGNORED, names.encode())))
