"""A request for an operation -> a Call: what the client accepts, its body, its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import Receive, Scope

from mock_server.bridge import bodies, media, violations
from mock_server.bridge.parameters import Parameters, Uncompiled
from mock_server.bridge.schemas import Compiled, Schemas
from mock_server.bridge.scope import IDENTITY, headers_of, reading_of
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
        body = self.body
        if body is None:
            return self.understood(scope)
        headers = headers_of(scope)
        self._offer(headers)
        sent = await body.received(headers, receive)
        read = self.parameters.of(scope)
        wrong: list[Violation] = []
        try:
            value = body.read(sent, wrong)
        except bodies.Unreadable as reason:
            wrong = [Violation("body", "", str(reason))]
            if not read.violations:
                raise Malformed(violations=tuple(wrong)) from None
        if read.violations:
            raise InvalidParameter(violations=(*read.violations, *wrong))
        if wrong:
            raise InvalidBody(violations=tuple(wrong))
        return Call(self.operation, reading_of(scope), read.path, read.query, value, scope[IDENTITY], read.ignored)

    def understood(self, scope: Scope) -> Call:
        """The call of an operation without a body.

        Raises whatever Refusal the request deserves.
        """
        self._offer(headers_of(scope))
        read = self.parameters.of(scope)
        if read.violations:
            raise InvalidParameter(violations=tuple(read.violations))
        return Call(self.operation, reading_of(scope), read.path, read.query, None, scope[IDENTITY], read.ignored)

    def _offer(self, headers: Mapping[bytes, bytes]) -> None:
        """Raises NotAcceptable where the client takes none of the media types of the answers."""
        accept = headers.get(b"accept")
        if accept and accept != b"*/*" and media.JSON in self.offered and not media.accepts_json(accept):
            raise NotAcceptable(self.offered)


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
