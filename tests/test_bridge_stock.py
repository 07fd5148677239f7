"""The compiled stack beside stock Connexion: the same answers, but for what stock Connexion gets wrong."""

from __future__ import annotations

import asyncio
import random
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlencode

import orjson
import pytest

from mock_server import bridge
from mock_server.bridge import BridgeSettings
from mock_server.call import Call, Identity
from mock_server.contract import Contract, Json, Operation, Parameter, Schema
from mock_server.credentials import scopes_of
from mock_server.refusals import Unauthenticated
from mock_server.reply import Reply
from mock_server.schemas import json_type, merged, properties, required

REQUESTS = 3000
BAD = {"string": 7, "integer": "x", "number": "x", "boolean": "x", "array": "x", "object": "x"}
FORMATS = {"date": "2024-01-31", "date-time": "2024-01-31T12:00:00Z", "email": "jane@example.com", "uri": "https://example.com/"}


@dataclass
class Request:
    operation: Operation
    path: str  # percent-encoded
    method: str
    query: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def _shape(request: Request, wanted: Callable[[Parameter], bool]) -> Parameter | None:
    return next((p for p in request.operation.parameters if p.where == "query" and wanted(p)), None)


def _send(request: Request, wanted: Callable[[Parameter], bool], *values: str) -> bool:
    parameter = _shape(request, wanted)
    if parameter is not None:
        request.query = [pair for pair in request.query if pair[0] != parameter.name]
        request.query += [(parameter.name, value) for value in values]
    return parameter is not None


def _of(kind: str) -> Callable[[Parameter], bool]:
    return lambda parameter: json_type(parameter.schema) == kind


def _timed(parameter: Parameter) -> bool:
    return parameter.schema.get("format") in {"date", "date-time"}


def _encode_slash(request: Request) -> bool:
    identifier = next((p for p in request.operation.parameters if p.where == "path" and json_type(p.schema) == "string"), None)
    if identifier is None:
        return False
    request.path = request.path.rpartition("/")[0] + "/a%2Fb" if request.operation.path.endswith("}") else request.path
    return "%2F" in request.path


def _trail(request: Request) -> bool:
    request.path += "/"
    return True


def _retype(content_type: str) -> Callable[[Request], bool]:
    def retype(request: Request) -> bool:
        request.headers["content-type"] = content_type
        request.body = request.body and b'["not an object"]'
        return bool(request.body)

    return retype


def _refuse_json(request: Request) -> bool:
    request.headers["accept"] = "text/html"
    return True


def _replace(body: bytes) -> Callable[[Request], bool]:
    def replace(request: Request) -> bool:
        request.body = request.body and body
        return bool(request.body)

    return replace


def _change_case(request: Request) -> bool:
    if not request.operation.fold_names or not request.body.startswith(b'{"'):
        return False
    request.body = orjson.dumps({name.upper(): value for name, value in orjson.loads(request.body).items()})
    return True


# What a request may have that the two stacks see differently -> how it gets it; each says whether it could.
DIFFERENT: Mapping[str, Callable[[Request], bool]] = {
    "a scalar given twice is refused; stock takes the last": lambda r: _send(r, _of("integer"), "1", "1"),
    "an integer is written as in JSON; stock reads 01, +1 and 1_0": lambda r: _send(r, _of("integer"), "01"),
    "formats are checked; stock checks e-mail and IP addresses only": lambda r: _send(r, _timed, "yesterday"),
    "an encoded slash belongs to an id; stock finds no path": _encode_slash,
    "a slash at the end is another path; stock redirects": _trail,
    "an Accept that cannot be met is refused; stock ignores it": _refuse_json,
    "a media type is read whatever its case; stock checks no body then": _retype("APPLICATION/JSON"),
    "a body that is not UTF-8 is refused; stock crashes": _replace(b'{"name": "\xff"}'),
    "a name given twice in a body is refused; stock takes the last": _replace(b'{"zz": 1, "zz": 2}'),
    "names of a body match whatever their case where the contract says so; stock cannot": _change_case,
}


class Requests(random.Random):
    """Requests for the operations of a contract, good and bad."""

    def request(self, contract: Contract) -> Request:
        operation = self.choice(list(contract.operations.values()))
        path = operation.path
        for parameter in operation.parameters:
            if parameter.where == "path":
                path = path.replace(f"{{{parameter.name}}}", quote(self._text(parameter.schema), safe=""))
        method = operation.method if self._mostly() else self.choice(["GET", "POST", "PUT", "DELETE", "PATCH"])
        made = Request(operation, contract.base_path + (path if self._mostly() else path + "x/y"), method)
        for parameter in operation.parameters:
            if parameter.where == "query" and (parameter.required or self.random() < 0.3):
                made.query += [(parameter.name, text) for text in self._texts(parameter)]
        if self.random() < 0.1:
            made.query.append(("unknown", "1"))
        if operation.body is not None and self._mostly():
            made.body = (
                orjson.dumps(self.value(operation.body)) if self._mostly() else self.choice([b"{", b"[]", b"null", b"nope"])
            )
            made.headers["content-type"] = "application/json" if self._mostly() else "text/plain"
        self._authenticate(made, contract)
        return made

    def value(self, schema: Schema, depth: int = 0) -> Json:
        kind = json_type(schema)
        if self.random() < 0.02 and "format" not in schema:
            return BAD[kind]
        if schema.get("enum"):
            return self.choice(schema["enum"])
        if kind == "object":
            wanted, parts = required(schema), properties(schema)
            names = [name for name in parts if name in wanted or (depth < 3 and self.random() < 0.4)]
            return {name: self.value(parts[name], depth + 1) for name in names if self._mostly()}
        if kind == "array":
            return [self.value(merged(schema)["items"], depth + 1) for _ in range(self.randrange(3))]
        return {"boolean": True, "number": 1.5}.get(kind) or self._plain(kind, schema)

    def _plain(self, kind: str, schema: Schema) -> Json:
        if kind == "integer":
            least, most = schema.get("minimum", -5), schema.get("maximum", 200)
            return self.randint(least - (not self._mostly()), most + (not self._mostly()))
        if schema.get("format") in FORMATS:
            return FORMATS[schema["format"]]
        return "ä b" * self.randrange(4) if "pattern" not in schema else schema.get("example", "x")

    def _mostly(self) -> bool:
        return self.random() < 0.95

    def _texts(self, parameter: Parameter) -> list[str]:
        if json_type(parameter.schema) == "array":
            texts = [self._text(parameter.schema["items"]).replace(",", "") for _ in range(self.randint(1, 3))]
            return texts if parameter.explode else [",".join(texts)]
        return [self._text(parameter.schema)]

    def _text(self, schema: Schema) -> str:
        if json_type(schema) == "boolean":
            return self.choice(["true", "false"])
        value = self.value(schema)
        return (value if isinstance(value, str) else orjson.dumps(value).decode()) or "x"

    def _authenticate(self, request: Request, contract: Contract) -> None:
        token = "admin" if self._mostly() else self.choice(["reader", "wrong", ""])
        if not token:
            return
        for scheme in contract.security_schemes.values():
            bearer = scheme["type"] != "apiKey"
            request.headers["authorization" if bearer else scheme["name"].lower()] = f"Bearer {token}" if bearer else token


def authenticate(contract: Contract, scheme: str, value: str | None, _world: str) -> Identity:
    if value not in {"admin", "reader"}:
        raise Unauthenticated(scheme, "unknown")
    return Identity(value, scopes_of(contract, scheme) if value == "admin" else frozenset())


def echo(call: Call) -> Reply:
    """An answer that tells all about the call."""
    told = [call.operation.operation_id, call.world, call.path, call.query, call.body, sorted(call.ignored)]
    return Reply(200, orjson.dumps([*told, call.identity.name if call.identity else None]))


async def exchanged(app: Any, request: Request) -> tuple[int, Json]:
    messages: list[Any] = []
    body = request.body
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "path": unquote(request.path),
        "raw_path": request.path.encode(),
        "query_string": urlencode(request.query).encode(),
        "root_path": "",
        "scheme": "http",
        "headers": [
            (b"content-length", b"%d" % len(body)),
            *((name.encode(), value.encode()) for name, value in request.headers.items()),
        ],
        "mock.world": "w",
    }

    async def receive() -> Mapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        messages.append(message)

    await app(scope, receive, send)
    sent = b"".join(message.get("body", b"") for message in messages[1:])
    return messages[0]["status"], orjson.loads(sent) if sent else None


Stacks = tuple[Any, Any]  # compiled, stock


@pytest.fixture(scope="module")
def stacks(contracts: dict[str, Contract]) -> Stacks:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of stock Connexion's.
        compiled, stock = (
            bridge.build(contracts, echo, authenticate, BridgeSettings(check_replies="off", stock=stock)).app
            for stock in (False, True)
        )
    return compiled, stock


Answers = tuple[tuple[int, Json], tuple[int, Json]]


def both(stacks: Stacks, requests: list[Request]) -> list[Answers]:
    """What the compiled and the stock stack answer to each request."""
    compiled, stock = stacks

    async def ask() -> list[Answers]:
        return [(await exchanged(compiled, request), await exchanged(stock, request)) for request in requests]

    return asyncio.run(ask())


def same(compiled: tuple[int, Json], stock: tuple[int, Json]) -> bool:
    """Valid requests get the same answer, others the same class of refusal."""
    return compiled == stock if compiled[0] < 400 else compiled[0] // 100 == stock[0] // 100


@pytest.mark.filterwarnings("ignore")  # Of stock Connexion's.
def test_the_compiled_stack_answers_as_stock_connexion(contracts: dict[str, Contract], stacks: Stacks) -> None:
    """Whatever is compiled means what Connexion means."""
    dice = Requests(1)
    requests = [dice.request(dice.choice(list(contracts.values()))) for _ in range(REQUESTS)]

    answers = both(stacks, requests)

    different = [(request, *pair) for request, pair in zip(requests, answers, strict=True) if not same(*pair)]
    assert different == []
    assert {status for (status, _), _ in answers} >= {200, 400, 401, 403, 404, 405, 415, 422}
    assert sum(status == 200 for (status, _), _ in answers) > REQUESTS / 3


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("reason", DIFFERENT)
def test_stock_connexion_differs_where_it_is_known_to(contracts: dict[str, Contract], stacks: Stacks, reason: str) -> None:
    """A difference that is gone is struck from the list."""
    dice = Requests(2)
    tried = [dice.request(dice.choice(list(contracts.values()))) for _ in range(2000)]
    requests = [request for request in tried if request.method == request.operation.method and DIFFERENT[reason](request)]

    answers = both(stacks, requests[:30])

    assert [pair for pair in answers if not same(*pair)] != [], len(requests)
    assert all(status < 500 for (status, _), _ in answers)
