"""Exceptions -> answers in the API's own shape."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus

import orjson
from connexion import AsyncApp
from connexion.exceptions import ExtraParameterProblem, NonConformingResponse, ProblemException, TypeValidationError
from connexion.lifecycle import ConnexionRequest, ConnexionResponse
from connexion.middleware.exceptions import ExceptionMiddleware
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.bridge import media
from mock_server.bridge.application import headers, sent
from mock_server.bridge.replies import Answers
from mock_server.bridge.routing import Route, Routes
from mock_server.bridge.scope import OPERATION, REFUSAL
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

    def __init__(self, routes: Routes, answers: Mapping[str, Answers], on_mistake: Callable[[str], None] | None) -> None:
        self._routes = routes
        self._answers = answers  # by the key of the operation
        self._on_mistake = on_mistake

    def register(self, app: AsyncApp) -> None:
        app.add_error_handler(Refusal, self.refusal)
        app.add_error_handler(NonConformingResponse, self.mistake)
        app.add_error_handler(ProblemException, self.translated)
        app.add_error_handler(HTTPException, self.translated)
        app.add_error_handler(Exception, self.crash)

    async def refusal(self, request: ConnexionRequest, refusal: Refusal) -> ConnexionResponse:
        return self._response(request.scope, refusal)

    async def mistake(self, request: ConnexionRequest, problem: NonConformingResponse) -> ConnexionResponse:
        """A reply of ours that breaks the contract."""
        self._report(str(problem.detail))
        return self._response(request.scope, Internal())

    async def translated(self, request: ConnexionRequest, problem: HTTPException) -> ConnexionResponse:
        """What Connexion or Starlette refused on a path that is not compiled."""
        return self._response(request.scope, self._refusal(request.scope, problem))

    async def crash(self, request: ConnexionRequest, error: Exception) -> ConnexionResponse:
        logger.error("%s %s failed", request.scope["method"], request.scope["path"], exc_info=error)
        return self._response(request.scope, Internal())

    def reply(self, scope: Scope, refusal: Refusal) -> Reply:
        """What a refused request gets, held against the contract like any reply."""
        scope[REFUSAL] = refusal
        route = self._route(scope)
        contract = route.contract if route is not None else self._routes.contract(scope["path"])
        if contract is None:
            return _problem(refusal)
        reply = _rendered(contract, route, refusal, scope["method"])
        answers = self._answers[route.key] if route is not None and not isinstance(refusal, Internal) else None
        if answers is None or not answers.due():
            return reply
        mistake = answers.mistake(reply.status, reply.body)
        if mistake is None:
            return reply
        self._report(mistake)
        return _rendered(contract, route, Internal(), scope["method"])

    def _response(self, scope: Scope, refusal: Refusal) -> ConnexionResponse:
        reply = self.reply(scope, refusal)
        described = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers(reply)}
        body = b"" if scope["method"] == "HEAD" else reply.body
        return ConnexionResponse(reply.status, described["content-type"], body=body, headers=described)

    def _route(self, scope: Scope) -> Route | None:
        known = self._routes.by_key.get(scope.get(OPERATION, ""))
        if known is not None:
            return known
        try:
            return self._routes.route(scope, [])
        except Refusal:
            return None

    def _report(self, mistake: str) -> None:
        logger.error("A reply breaks the contract: %s", mistake)
        if self._on_mistake is not None:
            self._on_mistake(mistake)

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


class CompiledExceptionMiddleware(ExceptionMiddleware):  # type: ignore[misc]
    """Connexion's handling of exceptions, around a shorter way for refusals: half of it was building objects nobody reads."""

    def __init__(self, next_app: ASGIApp, *, errors: Errors) -> None:
        super().__init__(_answering_refusals(next_app, errors))


def _answering_refusals(next_app: ASGIApp, errors: Errors) -> ASGIApp:
    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await next_app(scope, receive, send)
        except Refusal as refusal:
            await sent(errors.reply(scope, refusal), scope, send)

    return answering
