"""Contracts -> Connexion's application, with operations that are compiled at the start before its stack."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from connexion import AsyncApp
from connexion.middleware.context import ContextMiddleware
from connexion.middleware.exceptions import ExceptionMiddleware
from connexion.middleware.lifespan import LifespanMiddleware
from connexion.middleware.request_validation import RequestValidationMiddleware
from connexion.middleware.response_validation import ResponseValidationMiddleware
from connexion.middleware.routing import RoutingMiddleware
from connexion.middleware.security import SecurityMiddleware
from connexion.middleware.server_error import ServerErrorMiddleware
from starlette.types import ASGIApp, Receive, Scope

from mock_server.bridge import replies, requests, security
from mock_server.bridge.application import Answer, OneHandler
from mock_server.bridge.errors import Errors
from mock_server.bridge.parameters import Uncompiled
from mock_server.bridge.pipeline import Pipeline
from mock_server.bridge.replies import CheckReplies
from mock_server.bridge.requests import Plan
from mock_server.bridge.routing import Routes
from mock_server.bridge.schemas import Schemas
from mock_server.bridge.scope import Authenticate
from mock_server.bridge.valid import ValidApp
from mock_server.contract import CONTROL, Contract, Json
from mock_server.reply import Reply

EXPORT = 64 << 20  # bytes

logger = logging.getLogger("mock_server")

STACK: tuple[type[Any], ...] = (  # Connexion's own order; its Swagger UI is left out, since pages are served elsewhere.
    ServerErrorMiddleware,
    ExceptionMiddleware,
    RoutingMiddleware,
    SecurityMiddleware,
    RequestValidationMiddleware,
    ResponseValidationMiddleware,
    LifespanMiddleware,
    ContextMiddleware,
)


@dataclass(frozen=True)
class BridgeSettings:
    """How strict the bridge is."""

    strict_query: bool = False  # refuse query parameters that the contract does not know
    check_replies: CheckReplies = "all"
    max_body: int = 1 << 20  # bytes
    on_mistake: Callable[[str], None] | None = None  # told of every reply that breaks the contract
    stock: bool = False  # Connexion's own middlewares, for comparison


@dataclass(frozen=True)
class Bridge:
    """The application, and what its contracts say of paths."""

    app: ASGIApp  # takes `path` and `raw_path` with an API's base path, and the world's name in scope["mock.world"]
    routes: Routes
    reply: Callable[[Scope, Receive], Awaitable[Reply | None]]  # the same as a Reply; None where only the application has it

    def allowed(self, path: str, raw_path: bytes = b"") -> tuple[str, ...]:
        """The methods that the contracts give to a path, OPTIONS included; none if there is no such path."""
        return self.routes.allowed(path, raw_path)

    def contract(self, path: str) -> Contract | None:
        """The contract whose base path a path lies at or under."""
        return self.routes.contract(path)


def build(
    contracts: Mapping[str, Contract], answer: Answer, authenticate: Authenticate, settings: BridgeSettings | None = None
) -> Bridge:
    """The application that holds requests and replies against the contracts.

    Raises LookupError for a security scheme that is not supported.
    """
    settings = settings or BridgeSettings()
    routes = Routes(contracts.values())
    parts = [_Part(contract, Schemas(contract.document), settings) for contract in contracts.values()]
    answers = {(part.contract.name, id_): found for part in parts for id_, found in part.answers.items()}
    errors = Errors(routes, answers, settings.on_mistake)
    app = _application(routes, answer, errors, stock=settings.stock)
    for part in parts:
        app.add_api(
            part.document,
            base_path=part.contract.base_path,
            resolver=OneHandler(part.contract.operations, answer),
            security_map=security.handlers(part.contract, authenticate),
            strict_validation=settings.strict_query,
            validate_responses=settings.check_replies != "off",
            # What follows is for the pipeline; the others ignore it.
            contract=part.contract,
            plans=part.plans,
            answers=part.answers,
        )
    errors.register(app)
    # Connexion builds its stack at the first request; this one shall find it built, and mistakes of ours shall show now.
    app.middleware.app, app.middleware.middleware_stack = app.middleware._build_middleware_stack()
    pipeline = next((stage for stage in app.middleware.middleware_stack if isinstance(stage, Pipeline)), None)
    return Bridge(app, routes, _left_to_connexion if pipeline is None else pipeline.reply)


async def _left_to_connexion(_scope: Scope, _receive: Receive) -> None:
    """Nothing is compiled."""


def _application(routes: Routes, answer: Answer, errors: Errors, *, stock: bool) -> AsyncApp:
    # Without a handler, Connexion's last resort forgets to await its own answer.
    last_resort = {ServerErrorMiddleware: partial(ServerErrorMiddleware, handler=errors.crash)}
    own = [] if stock else [partial(Pipeline, routes=routes, answer=answer, errors=errors)]
    kind = AsyncApp if stock else ValidApp
    return kind(__name__, middlewares=[*own, *(last_resort.get(stage, stage) for stage in STACK)])


class _Part:
    """What one contract brings to the application."""

    def __init__(self, contract: Contract, schemas: Schemas, settings: BridgeSettings) -> None:
        self.contract = contract
        self.document = _for_connexion(contract)
        self.answers = {
            id_: replies.answers(contract, operation, schemas, settings.check_replies)
            for id_, operation in contract.operations.items()
        }
        self.plans: dict[str, Plan] = {}
        for id_, operation in contract.operations.items():
            try:
                self.plans[id_] = requests.plan(
                    contract, operation, schemas, strict_query=settings.strict_query, max_body=_max_body(contract, settings)
                )
            except Uncompiled as reason:
                logger.info("%s %s is left to stock Connexion because of %s", contract.name, id_, reason)


def _max_body(contract: Contract, settings: BridgeSettings) -> int:
    """The largest body in bytes; an export is as large as its world."""
    return max(settings.max_body, EXPORT) if contract.name == CONTROL else settings.max_body


def _for_connexion(contract: Contract) -> dict[str, Json]:
    """The document as Connexion gets it: its security schemes by name."""
    components = {**contract.document.get("components", {}), "securitySchemes": security.named(contract.security_schemes)}
    return {**contract.document, "components": components}
