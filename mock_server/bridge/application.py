"""A Call -> its answer, as Connexion's own stack asks for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from connexion.context import scope as current_scope
from connexion.decorators.parameter import sanitized
from connexion.operations import AbstractOperation
from connexion.resolver import Resolution, Resolver
from starlette.responses import Response
from starlette.types import Scope

from mock_server.bridge.parameters import query_names
from mock_server.bridge.scope import IDENTITY, REPLY, reading_of
from mock_server.call import Call
from mock_server.contract import Json, Operation
from mock_server.reply import JSON, Reply

Answer = Callable[[Call], Reply]
Handler = Callable[..., Awaitable[Response]]


def headers(reply: Reply) -> list[tuple[bytes, bytes]]:
    """A reply's header fields, with those that describe its body."""
    if reply.body is None:
        return list(reply.headers)
    length = (b"content-length", b"%d" % len(reply.body))
    if reply.headers and any(name == b"content-type" for name, _ in reply.headers):
        return [length, *reply.headers]
    return [(b"content-type", JSON), length, *reply.headers]


class OneHandler(Resolver):  # type: ignore[misc]
    """Binds every operation of a contract to the one function that answers calls; nothing is imported by name."""

    def __init__(self, operations: Mapping[str, Operation], answer: Answer) -> None:
        super().__init__()
        self._operations = operations
        self._answer = answer

    def resolve(self, operation: AbstractOperation) -> Resolution:
        return Resolution(_handler(self._operations[operation.operation_id], self._answer), operation.operation_id)


def _handler(operation: Operation, answer: Answer) -> Handler:
    """What stock Connexion calls: its arguments become a Call."""
    names = {where: [p.name for p in operation.parameters if p.where == where] for where in ("path", "query")}

    async def handle(body: Json = None, **arguments: Json) -> Response:
        scope: Scope = current_scope
        sent = query_names(scope["query_string"])
        call = Call(
            operation,
            reading_of(scope),
            path={name: arguments[sanitized(name)] for name in names["path"]},
            query={name: arguments[sanitized(name)] for name in names["query"] if name in sent},
            body=body,
            identity=scope.get(IDENTITY),
            ignored=tuple(sorted(sent.difference(names["query"]))),
        )
        reply = scope[REPLY] = answer(call)
        response = Response(reply.body, reply.status)
        response.raw_headers = headers(reply)
        return response

    return handle
