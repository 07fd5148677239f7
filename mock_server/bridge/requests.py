"""A request for an operation -> a Call: what the client accepts, its body, its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connexion.middleware.request_validation import (
    RequestValidationAPI,
    RequestValidationMiddleware,
    RequestValidationOperation,
)
from connexion.operations import AbstractOperation
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.bridge import bodies, media, violations
from mock_server.bridge.compiled import Dispatching
from mock_server.bridge.parameters import Parameters, Uncompiled
from mock_server.bridge.schemas import Compiled, Schemas
from mock_server.bridge.scope import CALL, IDENTITY, headers_of, reading_of
from mock_server.call import Call
from mock_server.contract import Contract, Json, Operation, Schema
from mock_server.refusals import (
    InvalidBody,
    InvalidParameter,
    Malformed,
    NotAcceptable,
    UnsupportedEncoding,
    UnsupportedMediaType,
    Violation,
)
from mock_server.schemas import properties


@dataclass(slots=True)
class Body:
    """How an operation's body is read."""

    validator: Compiled
    required: bool
    names: Mapping[str, str] | None  # in lower case -> as the schema has them; None where case matters
    limit: int  # bytes

    async def received(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """Raises UnsupportedMediaType, UnsupportedEncoding, TooLarge and ClientDisconnect."""
        sent = headers.get(b"content-type")
        if sent and sent != b"application/json" and not media.is_json(sent):
            raise UnsupportedMediaType(sent.decode("latin-1"), (media.JSON,))
        packed = headers.get(b"content-encoding", b"identity").decode("latin-1")
        if packed.lower() not in ("identity", ""):
            wrong = Violation("header", "/Content-Encoding", "must be identity, or missing")
            raise UnsupportedEncoding(packed, violations=(wrong,))
        return await bodies.received(receive, headers.get(b"content-length"), self.limit)

    def read(self, sent: bytes, found: list[Violation]) -> Json:
        """The value of a body; what is wrong with it is added to `found`.

        Raises Unreadable.
        """
        if not sent:
            if self.required:
                raise bodies.Unreadable("A body is required.")
            return None
        value = bodies.parsed(sent)
        if self.names is not None and isinstance(value, dict):
            value = self._folded(value, self.names, found)
        if not self.validator.is_valid(value):
            found += violations.found(self.validator, value, "body")
        return value

    @staticmethod
    def _folded(value: Mapping[str, Json], names: Mapping[str, str], found: list[Violation]) -> dict[str, Json]:
        folded: dict[str, Json] = {}
        for sent, part in value.items():
            name = names.get(sent.lower(), sent)
            if name in folded:
                found.append(Violation("body", violations.pointer([sent]), f"is given twice: it stands for {name}"))
            folded.setdefault(name, part)
        return folded


@dataclass(slots=True)
class Plan:
    """How an operation's requests are read."""

    operation: Operation
    parameters: Parameters
    body: Body | None
    offered: tuple[str, ...]  # media types of the answers

    async def call(self, scope: Scope, receive: Receive) -> Call:
        """Raises whatever Refusal the request deserves, and ClientDisconnect."""
        headers = headers_of(scope)
        accept = headers.get(b"accept")
        if accept and accept != b"*/*" and media.JSON in self.offered and not media.accepts_json(accept):
            raise NotAcceptable(self.offered)
        body = self.body
        sent = b"" if body is None else await body.received(headers, receive)
        read = self.parameters.read(scope)
        wrong: list[Violation] = []
        try:
            value = None if body is None else body.read(sent, wrong)
        except bodies.Unreadable as reason:
            wrong = [Violation("body", "", str(reason))]
            if not read.violations:
                raise Malformed(violations=tuple(wrong)) from None
        if read.violations:
            raise InvalidParameter(violations=(*read.violations, *wrong))
        if wrong:
            raise InvalidBody(violations=tuple(wrong))
        return Call(self.operation, reading_of(scope), read.path, read.query, value, scope.get(IDENTITY), read.ignored)


def plan(contract: Contract, operation: Operation, schemas: Schemas, *, strict_query: bool, max_body: int) -> Plan:
    """Compile an operation.

    Raises Uncompiled for one that is left to stock Connexion.
    """
    definition = schemas.operation(operation)
    parameters = Parameters(contract, operation, schemas, strict=strict_query)
    return Plan(operation, parameters, _body(operation, definition, schemas, max_body), schemas.media_types(definition))


def _body(operation: Operation, definition: Schema, schemas: Schemas, max_body: int) -> Body | None:
    if "requestBody" not in definition:
        return None
    content = schemas.resolved(definition["requestBody"])["content"]
    if list(content) != [media.JSON]:
        raise Uncompiled(", ".join(content))
    validator = schemas.compiled(content[media.JSON].get("schema", {}), "request")
    names = {name.lower(): name for name in properties(operation.body or {})} if operation.fold_names else None
    return Body(validator, operation.body_required, names, max_body)


class _Operation(RequestValidationOperation):  # type: ignore[misc]
    """An operation that reads its requests by its plan."""

    def __init__(self, next_app: ASGIApp, *, plan: Plan, **arguments: Json) -> None:
        super().__init__(next_app, **arguments)
        self._plan = plan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            scope[CALL] = await self._plan.call(scope, receive)
        except ClientDisconnect:  # Nobody is left to answer.
            return
        await self.next_app(scope, receive, send)


class _Api(RequestValidationAPI):  # type: ignore[misc]
    def __init__(self, *arguments: Json, plans: Mapping[str, Plan], **named: Json) -> None:
        self._plans = plans
        super().__init__(*arguments, **named)

    def make_operation(self, operation: AbstractOperation) -> RequestValidationOperation:
        plan = self._plans.get(operation.operation_id)
        if plan is None:
            return super().make_operation(operation)
        return _Operation(self.next_app, operation=operation, plan=plan)


class CompiledRequestValidationMiddleware(Dispatching, RequestValidationMiddleware):  # type: ignore[misc]
    """Connexion's checking of requests over compiled operations."""

    api_cls = _Api
