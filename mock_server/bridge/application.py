"""A Call -> its answer, sent: the end of the stack, compiled or as stock Connexion calls it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from connexion import AsyncApp
from connexion.apps.abstract import AbstractApp
from connexion.apps.asynchronous import AsyncApi, AsyncASGIApp, AsyncOperation
from connexion.context import scope as current_scope
from connexion.decorators.parameter import sanitized
from connexion.middleware.context import ContextMiddleware
from connexion.operations import AbstractOperation
from connexion.resolver import Resolution, Resolver
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mock_server.bridge.compiled import Dispatching
from mock_server.bridge.parameters import query_names
from mock_server.bridge.scope import CALL, IDENTITY, REPLY, reading_of
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


async def sent(reply: Reply, scope: Scope, send: Send) -> None:
    """Send a reply; to HEAD, without its body."""
    await send({"type": "http.response.start", "status": reply.status, "headers": headers(reply)})
    body = b"" if reply.body is None or scope["method"] == "HEAD" else reply.body
    await send({"type": "http.response.body", "body": body})


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


class _Operation(AsyncOperation):  # type: ignore[misc]
    """An operation that answers the Call which request validation has made, if it has."""

    def __init__(self, answer: Answer, *arguments: Json, **named: Json) -> None:
        super().__init__(*arguments, **named)
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = scope.get(CALL)
        if call is None:
            await super().__call__(scope, receive, send)
            return
        reply = scope[REPLY] = self._answer(call)  # To HEAD too with its body: replies are checked further out.
        await send({"type": "http.response.start", "status": reply.status, "headers": headers(reply)})
        await send({"type": "http.response.body", "body": reply.body or b""})


class _Api(AsyncApi):  # type: ignore[misc]
    def __init__(self, *arguments: Json, answer: Answer, **named: Json) -> None:
        self._answer = answer
        super().__init__(*arguments, **named)

    def make_operation(self, operation: AbstractOperation) -> AsyncOperation:
        return _Operation(
            self._answer,
            operation.function,
            jsonifier=self.jsonifier,
            operation_id=operation.operation_id,
            pythonic_params=self.pythonic_params,
        )


class _Application(Dispatching, AsyncASGIApp):  # type: ignore[misc]
    api_cls = _Api


class CompiledContextMiddleware(Dispatching, ContextMiddleware):  # type: ignore[misc]
    """Connexion's context, for those who read `connexion.request` while a call is answered."""


class CompiledApp(AsyncApp):  # type: ignore[misc]
    """Connexion's application around compiled operations."""

    def __init__(self, import_name: str, **arguments: Json) -> None:
        self._middleware_app = _Application()
        AbstractApp.__init__(self, import_name, **arguments)
