"""What answers a request: every stage of Connexion's stack in its order, compiled for each operation, in one middleware."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connexion.middleware.abstract import SpecMiddleware
from connexion.spec import Specification
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.bridge.application import Answer, headers
from mock_server.bridge.errors import Errors
from mock_server.bridge.replies import Answers
from mock_server.bridge.requests import Plan
from mock_server.bridge.routing import Routes
from mock_server.bridge.scope import CALL, HEADERS, IDENTITY, LEFT, REPLY, ROUTE
from mock_server.bridge.scope import headers as headers_by_name
from mock_server.bridge.security import Guard, Guards
from mock_server.contract import Contract, Json
from mock_server.refusals import Refusal
from mock_server.reply import Reply


@dataclass(frozen=True, slots=True)
class Stages:
    """What one operation's requests go through once they are routed."""

    guard: Guard
    plan: Plan | None  # None: its requests are read by Connexion
    answers: Answers


class Pipeline(SpecMiddleware):  # type: ignore[misc]
    """Stands before Connexion's own stack, and leaves to it what is not compiled.

    A request through that stack meets eight applications, and each costs some microseconds for what it needs to know of the
    others; together four times what is done for the request itself.
    """

    def __init__(self, next_app: ASGIApp, *, routes: Routes, answer: Answer, errors: Errors) -> None:
        self._next_app = next_app
        self._routes = routes
        self._answer = answer
        self._errors = errors
        self._stages: dict[tuple[str, str], Stages] = {}  # by API and operation id

    def add_api(
        self,
        specification: Specification,
        *,
        contract: Contract,
        plans: Mapping[str, Plan],
        answers: Mapping[str, Answers],
        **arguments: Json,
    ) -> None:
        guards = Guards(specification, next_app=self._next_app, **arguments).operations
        for id_, guard in guards.items():
            self._stages[contract.name, id_] = Stages(guard, plans.get(id_), answers[id_])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            reply = None if scope["type"] != "http" or LEFT in scope else await self.reply(scope, receive)
        except ClientDisconnect:  # Nobody is left to answer.
            return
        if reply is None:
            await self._next_app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": reply.status, "headers": headers(reply)})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else reply.body or b""})

    async def reply(self, scope: Scope, receive: Receive) -> Reply | None:
        """What a request is answered; None where Connexion has to.

        Raises ClientDisconnect.
        """
        try:
            values: list[Json] = []
            route = self._routes.route(scope, values)
            if route is None:
                return None
            stages = self._stages[route.key]
            plan, answers = stages.plan, stages.answers
            scope[ROUTE] = route
            scope["path_params"] = dict(zip(route.names, values)) if values else {}  # noqa: B905  # slow, and they are as many
            if HEADERS not in scope:
                scope[HEADERS] = headers_by_name(scope["headers"], route.single)
            scope[IDENTITY] = stages.guard.identity(scope)
            if plan is None:
                scope[LEFT] = True
                return None
            call = scope[CALL] = plan.understood(scope) if plan.body is None else await plan.call(scope, receive)
            reply: Reply = self._answer(call)
            scope[REPLY] = reply
            if answers.due() and (mistake := answers.mistake(reply.status, reply.body)) is not None:
                return self._errors.mistaken(scope, mistake)
            return reply
        except Refusal as refusal:
            return self._errors.reply(scope, refusal)
        except ClientDisconnect:
            raise
        except Exception as error:  # A mistake of ours.
            return self._errors.crashed(scope, error)
