"""Exceptions -> answers in the API's own shape."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus

import orjson
from connexion import AsyncApp
from connexion.exceptions import ExtraParameterProblem, NonConformingResponse, ProblemException, TypeValidationError
from connexion.lifecycle import ConnexionRequest, ConnexionResponse
from starlette.exceptions import HTTPException
from starlette.types import Scope

from mock_server.bridge import media
from mock_server.bridge.application import headers
from mock_server.bridge.replies import Answers
from mock_server.bridge.routing import Route, Routes
from mock_server.bridge.scope import REFUSAL, ROUTE
from mock_server.contract import Contract
from mock_server.refusals import (
    Forbidden,
    Internal,
    InvalidParameter,
    Malformed,
    MethodNotAllowed,
    NoSuchPath,
    Refusal,
    Unauthenticated,
    UnsupportedMediaType,
    Violation,
)
from mock_server.reply import Reply, refused

logger = logging.getLogger("mock_server")


class Errors:
    """Connexion's error handlers; they are coroutines, so that none of them needs a thread."""

    def __init__(
        self, routes: Routes, answers: Mapping[tuple[str, str], Answers], on_mistake: Callable[[str], None] | None
    ) -> None:
        self._routes = routes
        self._answers = answers  # by API and operation id
        self._on_mistake = on_mistake

    def register(self, app: AsyncApp) -> None:
        app.add_error_handler(Refusal, self.refusal)
        app.add_error_handler(NonConformingResponse, self.mistake)
        app.add_error_handler(ProblemException, self.translated)
        app.add_error_handler(HTTPException, self.translated)
        app.add_error_handler(Exception, self.crash)

    async def refusal(self, request: ConnexionRequest, refusal: Refusal) -> ConnexionResponse:
        return self._response(request.scope, self.reply(request.scope, refusal))

    async def mistake(self, request: ConnexionRequest, problem: NonConformingResponse) -> ConnexionResponse:
        """A reply of ours that breaks the contract."""
        return self._response(request.scope, self.mistaken(request.scope, str(problem.detail)))

    async def translated(self, request: ConnexionRequest, problem: HTTPException) -> ConnexionResponse:
        """What Connexion or Starlette refused on a path that is not compiled."""
        return self._response(request.scope, self.reply(request.scope, self._refusal(request.scope, problem)))

    async def crash(self, request: ConnexionRequest, error: Exception) -> ConnexionResponse:
        return self._response(request.scope, self.crashed(request.scope, error))

    def crashed(self, scope: Scope, error: Exception) -> Reply:
        """What a request gets that made the server fail."""
        logger.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
        return self.reply(scope, Internal())

    def mistaken(self, scope: Scope, mistake: str) -> Reply:
        """What a request gets in place of a reply that breaks the contract."""
        logger.error("A reply breaks the contract: %s", mistake)
        if self._on_mistake is not None:
            self._on_mistake(mistake)
        return self.reply(scope, Internal())

    def reply(self, scope: Scope, refusal: Refusal) -> Reply:
        """What a refused request gets, held against the contract like any reply."""
        scope[REFUSAL] = refusal
        refusal.__traceback__ = None  # Its frames hold the scope that holds it: a circle for the garbage collector.
        route = self._route(scope)
        contract = route.contract if route is not None else self._routes.contract(scope["path"])
        if contract is None:
            return _problem(refusal)
        reply = _rendered(contract, route, refusal, scope["method"])
        answers = self._answers[route.key] if route is not None and not isinstance(refusal, Internal) else None
        if answers is None or not answers.due():
            return reply
        mistake = answers.mistake(reply.status, reply.body)
        return reply if mistake is None else self.mistaken(scope, mistake)

    @staticmethod
    def _response(scope: Scope, reply: Reply) -> ConnexionResponse:
        described = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers(reply)}
        body = b"" if scope["method"] == "HEAD" else reply.body
        return ConnexionResponse(reply.status, described["content-type"], body=body, headers=described)

    def _route(self, scope: Scope) -> Route | None:
        known: Route | None = scope.get(ROUTE)
        if known is not None:
            return known
        try:
            return self._routes.route(scope, [])
        except Refusal:
            return None

    def _refusal(self, scope: Scope, problem: HTTPException) -> Refusal:
        detail = str(problem.detail or "")
        path: str = scope["path"]
        if isinstance(problem, ExtraParameterProblem | TypeValidationError):
            return InvalidParameter(violations=(Violation("query", "", detail),))
        made: Mapping[int, Callable[[], Refusal]] = {
            400: lambda: Malformed(violations=(Violation("body", "", detail),)),
            401: lambda: Unauthenticated("Bearer", detail),
            403: lambda: Forbidden(tuple(getattr(problem, "required_scopes", ()))),
            404: lambda: NoSuchPath(path),
            405: lambda: MethodNotAllowed(scope["method"], self._routes.allowed(path)),
            415: lambda: UnsupportedMediaType(detail, (media.JSON,)),
        }
        if problem.status_code not in made:
            logger.error("%s %s failed: %s", scope["method"], path, detail, exc_info=problem)
        return made.get(problem.status_code, Internal)()


def _rendered(contract: Contract, route: Route | None, refusal: Refusal, method: str) -> Reply:
    resource = route.operation.resource if route is not None else None
    return refused(contract, refusal, resource=resource.title if resource is not None else "", method=method)


def _problem(refusal: Refusal) -> Reply:
    """A refusal where no API is concerned (RFC 9457)."""
    status = HTTPStatus.NOT_FOUND if isinstance(refusal, NoSuchPath) else HTTPStatus.INTERNAL_SERVER_ERROR
    body = orjson.dumps({"status": status, "title": status.phrase, "detail": str(refusal)})
    return Reply(int(status), body, ((b"content-type", b"application/problem+json"),))
