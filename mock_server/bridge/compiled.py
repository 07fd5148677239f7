"""What the compiled middlewares share."""

from __future__ import annotations

from collections.abc import Awaitable

from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
from connexion.spec import Specification
from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.bridge.scope import OPERATION, key
from mock_server.contract import Contract, Json


class Dispatching(RoutedMiddleware):  # type: ignore[misc]
    """A routed middleware that finds its operation with one look-up."""

    def __init__(self, *arguments: Json) -> None:
        super().__init__(*arguments)
        self._operations: dict[str | None, ASGIApp] = {}

    def add_api(self, specification: Specification, *, contract: Contract, **arguments: Json) -> RoutedAPI:
        api = super().add_api(specification, contract=contract, **arguments)
        self._operations |= {key(contract, operation_id): operation for operation_id, operation in api.operations.items()}
        return api

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Not a coroutine function itself: that would cost one more frame at each stage."""
        operation = self._operations.get(scope.get(OPERATION))
        return super().__call__(scope, receive, send) if operation is None else operation(scope, receive, send)
