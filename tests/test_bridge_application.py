"""Requests through the whole bridge: what becomes a Call, and how the others are refused."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

import orjson
import pytest

from mock_server import bridge, contract
from mock_server.bridge import Bridge, BridgeSettings
from mock_server.call import Call, Identity
from mock_server.contract import Contract
from mock_server.refusals import NotFound, Unauthenticated
from mock_server.reply import Reply

SHOP = """
openapi: 3.0.3
info: {title: Shop, version: v1}
servers: [{url: "http://localhost:8080/shop/v1"}]
security: [{oauth: [read]}]
x-semantics:
  aliases: [/v2]
  times: {zone: none, precision: seconds}
  envelopes: {one: $record, page: {data: $records}}
  refusals:
    body: {code: $code, message: $message, violations: $violations}
    violation: {in: $in, pointer: $pointer, message: $message}
    statuses: {invalid_body: 422}
    messages: {not_found: "{resource} not found"}
  resources:
    item: {schema: "#/components/schemas/Item", id: {property: id}}
    note: {schema: "#/components/schemas/Note", id: {property: code, pattern: "note-{n}"}}
paths:
  /items/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer, minimum: 1}, x-semantics: {identifies: item}}
    get:
      operationId: getItem
      x-semantics: {action: get, resource: item, envelope: one}
      responses: &read
        "200": {description: ok, content: {application/json: {schema: {$ref: "#/components/schemas/Item"}}}}
        "400": {$ref: "#/components/responses/Refused"}
        "401": {$ref: "#/components/responses/Refused"}
        "403": {$ref: "#/components/responses/Refused"}
        "404": {$ref: "#/components/responses/Refused"}
        "406": {$ref: "#/components/responses/Refused"}
    delete:
      operationId: deleteItem
      security: [{oauth: [read, write]}]
      x-semantics: {action: delete, resource: item}
      responses:
        "204": {description: done}
        "400": {$ref: "#/components/responses/Refused"}
        "401": {$ref: "#/components/responses/Refused"}
        "403": {$ref: "#/components/responses/Refused"}
        "404": {$ref: "#/components/responses/Refused"}
  /items/top:
    get:
      operationId: listTop
      security: [{header: []}, {query: []}, {cookie: [], oauth: []}]
      x-semantics: {action: list, resource: item, envelope: page}
      responses: &list
        "200":
          description: ok
          content: {application/json: {schema: {$ref: "#/components/schemas/Page"}}}
        "400": {$ref: "#/components/responses/Refused"}
        "401": {$ref: "#/components/responses/Refused"}
        "406": {$ref: "#/components/responses/Refused"}
  /items:
    get:
      operationId: listItems
      security: [{}, {oauth: [read]}]
      x-semantics: {action: list, resource: item, envelope: page}
      parameters:
        - {name: page, in: query, schema: {type: integer, minimum: 1, default: 1}, x-semantics: {paging: number}}
        - {name: big, in: query, schema: {type: integer}, x-semantics: {filters: [stock], match: equals}}
        - {name: price, in: query, schema: {type: number}, x-semantics: {filters: [price], match: equals}}
        - {name: active, in: query, schema: {type: boolean}, x-semantics: {filters: [active], match: equals}}
        - {name: filter.name, in: query, schema: {type: string, maxLength: 5}, x-semantics: {filters: [name], match: equals}}
        - {name: since, in: query, schema: {type: string, format: date-time}, x-semantics: {filters: [made], match: from}}
        - {name: tags, in: query, schema: {type: array, items: {type: string}}, x-semantics: {filters: [name], match: in}}
        - name: stocks
          in: query
          explode: false
          schema: {type: array, maxItems: 3, items: {type: integer}}
          x-semantics: {filters: [stock], match: in}
        - {name: X-Depth, in: header, schema: {type: integer, maximum: 3}}
        - {name: theme, in: cookie, schema: {type: string, enum: [dark, light]}}
      responses: *list
    post:
      operationId: createItem
      security: [{oauth: [write]}]
      x-semantics: {action: create, resource: item, envelope: one}
      parameters:
        - {name: X-Source, in: header, required: true, schema: {type: string}}
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Item"}}}
      responses:
        "201": {description: ok, content: {application/json: {schema: {$ref: "#/components/schemas/Item"}}}}
        "400": {$ref: "#/components/responses/Refused"}
        "401": {$ref: "#/components/responses/Refused"}
        "403": {$ref: "#/components/responses/Refused"}
        "406": {$ref: "#/components/responses/Refused"}
        "413": {$ref: "#/components/responses/Refused"}
        "415": {$ref: "#/components/responses/Refused"}
        "422": {$ref: "#/components/responses/Refused"}
  /notes:
    post:
      operationId: createNote
      security: []
      x-semantics: {action: create, resource: note, envelope: one, names: case-insensitive}
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Note"}}}
      responses:
        "200": {description: ok, content: {application/json: {schema: {$ref: "#/components/schemas/Note"}}}}
        "400": {$ref: "#/components/responses/Refused"}
        "422": {$ref: "#/components/responses/Refused"}
  /notes/{code}:
    get:
      operationId: getNote
      security: []
      x-semantics: {action: get, resource: note, envelope: one}
      parameters:
        - {name: code, in: path, required: true, schema: {type: string, maxLength: 9}, x-semantics: {identifies: note}}
      responses:
        "200": {description: ok, content: {application/json: {schema: {$ref: "#/components/schemas/Note"}}}}
        "400": {$ref: "#/components/responses/Refused"}
        "404": {$ref: "#/components/responses/Refused"}
components:
  securitySchemes:
    oauth:
      type: oauth2
      flows: {clientCredentials: {tokenUrl: "http://localhost/token", scopes: {read: to read, write: to write}}}
    header: {type: apiKey, in: header, name: X-Key}
    query: {type: apiKey, in: query, name: key}
    cookie: {type: apiKey, in: cookie, name: session}
  responses:
    Refused: {description: refused, content: {application/json: {schema: {$ref: "#/components/schemas/Refusal"}}}}
  schemas:
    Refusal: {type: object, required: [code, message], properties: {code: {type: string}, message: {type: string}}}
    Page: {type: object, properties: {data: {type: array, items: {$ref: "#/components/schemas/Item"}}}}
    Item:
      type: object
      required: [name]
      properties:
        id: {type: integer, readOnly: true}
        name: {type: string, maxLength: 10}
        price: {type: number}
        stock: {type: integer, format: int32}
        active: {type: boolean}
        made: {type: string, format: date-time}
        address: {type: object, properties: {postal_code: {type: string}}}
    Note:
      type: object
      properties: {code: {type: string, readOnly: true}, UserName: {type: string}, text: {type: string}}
"""
BASE = "/shop/v1"
KNOWN = {
    "admin": Identity("admin", frozenset({"read", "write"})),
    "reader": Identity("reader", frozenset({"read"})),
    "s1": Identity("somebody", frozenset(), "s1"),
}
OK = {"createItem": 201, "deleteItem": 204}

Headers = Iterable[tuple[str, str]]


def authenticate(_contract: Contract, scheme: str, value: str | None, world: str) -> Identity:
    if value in KNOWN and world != "closed":
        return KNOWN[value]
    raise Unauthenticated(f'{scheme} realm="shop"', "unknown" if value else "nothing sent")


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def violations(self) -> list[str]:
        return [f"{v['in']} {v['pointer']} {v['message']}" for v in self.json["violations"]]


@dataclass
class Shop:
    """A bridge whose answers are ready made, and the calls that reached them."""

    made: Contract
    settings: BridgeSettings = field(default_factory=BridgeSettings)
    replies: dict[str, Callable[[Call], Reply]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    sent: int = 0  # parts of a body that were asked for

    def __post_init__(self) -> None:
        self.bridge: Bridge = bridge.build({"shop": self.made}, self.answer, authenticate, self.settings)

    def answer(self, call: Call) -> Reply:
        self.calls.append(call)
        made = self.replies.get(call.operation.operation_id)
        if made is not None:
            return made(call)
        status = OK.get(call.operation.operation_id, 200)
        return Reply(status, None if status == 204 else b'{"name": "x"}')

    def ask(
        self,
        method: str,
        target: str,
        *,
        base: str = BASE,
        headers: Headers = (),
        body: bytes = b"",
        token: str = "admin",
        world: str = "w",
    ) -> Answer:
        """Send a request as an HTTP server would: `target` is percent-encoded."""
        raw, _, query = (base + target).partition("?")
        fields = [("content-length", str(len(body)))] if body else []
        fields += [("authorization", f"Bearer {token}")] if token else []
        return asyncio.run(self._exchange(method, raw, query, [*fields, *headers], body, world))

    async def _exchange(self, method: str, raw: str, query: str, headers: Headers, body: bytes, world: str) -> Answer:
        messages: list[Any] = []
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": unquote(raw),
            "raw_path": raw.encode(),
            "query_string": query.encode("latin-1"),
            "root_path": "",
            "scheme": "http",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
            "mock.world": world,
        }

        async def receive() -> Mapping[str, Any]:
            self.sent += 1
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Mapping[str, Any]) -> None:
            messages.append(message)

        await self.bridge.app(scope, receive, send)  # type: ignore[arg-type]  # Starlette's types want mutable mappings.
        start, *rest = messages
        sent = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], sent, b"".join(part["body"] for part in rest))

    @property
    def last(self) -> Call:
        return self.calls[-1]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    path = tmp_path_factory.mktemp("shop") / "openapi.yaml"
    path.write_text(SHOP)
    return contract.load(path, "shop")


@pytest.fixture
def shop(made: Contract) -> Shop:
    return Shop(made)


SOURCE = [("X-Source", "test")]


# Paths and methods


def test_a_call_carries_what_was_sent(shop: Shop) -> None:
    """Path, query, body, world and identity, as values of their schemas' types."""
    shop.ask("GET", "/items?page=2&price=1.5&active=true&tags=a&tags=b%2Cc&stocks=1,2&since=2024-05-17T11:36&filter.name=x")

    assert shop.last.operation.operation_id == "listItems"
    assert shop.last.world == "w"
    assert shop.last.identity == KNOWN["admin"]
    assert shop.last.query == {
        "page": 2,
        "price": 1.5,
        "active": True,
        "tags": ["a", "b,c"],
        "stocks": [1, 2],
        "since": "2024-05-17T11:36",
        "filter.name": "x",
    }


def test_defaults_are_not_filled_in(shop: Shop) -> None:
    """A behaviour can tell what was sent from what was not."""
    shop.ask("GET", "/items")

    assert shop.last.query == {}


def test_a_fixed_segment_comes_before_a_parameter(shop: Shop) -> None:
    """Whatever the order in the document."""
    assert shop.ask("GET", "/items/top", headers=[("X-Key", "admin")]).status == 200
    assert shop.last.operation.operation_id == "listTop"


@pytest.mark.parametrize("id_", ["x", "1.0", "01", "+1", "%201", "1e3", "%D9%A1", "", "1/", "99999999999999999999", "-"])
def test_what_is_no_integer_is_no_id(shop: Shop, id_: str) -> None:
    """The path does not exist, as for any other wrong path."""
    answer = shop.ask("GET", f"/items/{id_}")

    assert (answer.status, answer.json["code"]) == (404, "no_such_path")
    assert shop.calls == []


def test_an_integer_id_is_held_against_its_schema(shop: Shop) -> None:
    """It is an integer, but not a possible one."""
    answer = shop.ask("GET", "/items/-5")

    assert (answer.status, answer.violations) == (400, ["path /id must be >= 1"])


@pytest.mark.parametrize(
    ("raw", "code"),
    [("a%2Fb", "a/b"), ("a%20b", "a b"), ("%C3%A4", "ä"), ("a%2520", "a%20"), ("a+b", "a+b"), ("a:b", "a:b")],
)
def test_an_id_is_decoded_once(shop: Shop, raw: str, code: str) -> None:
    """An encoded slash stays inside the id."""
    assert shop.ask("GET", f"/notes/{raw}").status == 200
    assert shop.last.path == {"code": code}


@pytest.mark.parametrize("target", ["/items/", "//items", "/notes/%FF", "/nothing", "/items/1/2", "/", "x/items", ""])
def test_other_paths_do_not_exist(shop: Shop, target: str) -> None:
    """No redirects for a slash at the end, no guesses for two slashes."""
    assert shop.ask("GET", target).status == 404
    assert shop.calls == []


def test_a_path_is_the_same_however_it_is_encoded(shop: Shop) -> None:
    """Its base path too."""
    assert shop.ask("GET", "/%69tems/7").status == 200
    assert shop.ask("GET", "/items/7", base="/%73hop/v1").status == 200


def test_an_alias_is_the_same_api(shop: Shop) -> None:
    """The vendor's pages disagree about the base path."""
    assert shop.ask("GET", "/items/7", base="/shop/v2").status == 200
    assert shop.last.path == {"id": 7}


def test_a_wrong_method_is_told_all_right_ones(shop: Shop) -> None:
    """Before anybody asks for a credential."""
    answer = shop.ask("PATCH", "/items/1", token="")

    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, DELETE, OPTIONS")


def test_the_bridge_knows_its_paths(shop: Shop) -> None:
    """For whoever answers OPTIONS."""
    assert shop.bridge.allowed(f"{BASE}/items") == ("GET", "HEAD", "POST", "OPTIONS")
    assert shop.bridge.allowed(f"{BASE}/notes") == ("POST", "OPTIONS")
    assert shop.bridge.allowed(f"{BASE}/nothing") == ()
    assert shop.bridge.allowed("/elsewhere") == ()
    assert shop.bridge.contract(f"{BASE}/whatever") is shop.made
    assert shop.bridge.contract(BASE) is shop.made
    assert shop.bridge.contract("/shop/v10") is None


def test_head_is_get_without_a_body(shop: Shop) -> None:
    """Its header fields are the same, for refusals too."""
    head, get = shop.ask("HEAD", "/items/1"), shop.ask("GET", "/items/1")
    refused, told = shop.ask("HEAD", "/items/1", token=""), shop.ask("GET", "/items/1", token="")

    assert (head.status, head.headers, head.body) == (get.status, get.headers, b"")
    assert (refused.status, refused.headers, refused.body) == (told.status, told.headers, b"")


# Security


@pytest.mark.parametrize(
    ("headers", "query", "who"),
    [
        ([("X-Key", "admin")], "", "admin"),
        ([], "?key=reader", "reader"),
        ([("Cookie", "a=b; session=s1"), ("Authorization", "bearer reader")], "", "somebody and reader"),
        ([("X-Key", "wrong")], "?key=reader", "reader"),
    ],
)
def test_any_alternative_opens_the_door(shop: Shop, headers: Headers, query: str, who: str) -> None:
    """All parts of one are needed."""
    assert shop.ask("GET", f"/items/top{query}", headers=headers, token="").status == 200
    assert shop.last.identity is not None
    assert shop.last.identity.name == who
    assert shop.last.ignored == ()


@pytest.mark.parametrize(
    ("headers", "message", "challenge"),
    [
        ([], "nothing sent", "header"),
        ([("X-Key", "")], "nothing sent", "header"),
        ([("Cookie", "session=s1")], "nothing sent", "oauth"),
        ([("Cookie", "session=wrong")], "unknown", "cookie"),
        ([("Authorization", "Basic YTpi"), ("Cookie", "session=s1")], "nothing sent", "oauth"),
    ],
)
def test_the_most_telling_refusal_is_told(shop: Shop, headers: Headers, message: str, challenge: str) -> None:
    """A credential that is wrong says more than one that is missing."""
    answer = shop.ask("GET", "/items/top", headers=headers, token="")

    assert (answer.status, answer.json["message"]) == (401, message)
    assert answer.headers["www-authenticate"] == f'{challenge} realm="shop"'


def test_scopes_are_demanded(shop: Shop) -> None:
    """Each that is missing is named."""
    answer = shop.ask("DELETE", "/items/1", token="reader")

    assert (answer.status, answer.json["message"]) == (403, "This credential lacks write.")


def test_an_optional_credential_is_read_if_it_is_sent(shop: Shop) -> None:
    """Without one, nobody calls."""
    shop.ask("GET", "/items", token="reader")
    shop.ask("GET", "/items", token="")

    assert [call.identity for call in shop.calls] == [KNOWN["reader"], None]


def test_a_world_has_credentials_of_its_own(shop: Shop) -> None:
    """Whoever authenticates is told the world."""
    assert shop.ask("GET", "/items/1", world="closed").status == 401


# The order of the checks

WRONG: Mapping[int, Mapping[str, Any]] = {  # status -> what earns it, in the order of the checks
    404: {"target": "/nope"},
    405: {"method": "PUT"},
    401: {"token": "wrong"},
    403: {"token": "reader"},
    406: {"Accept": "text/html"},
    415: {"Content-Type": "text/plain"},
    413: {"body": b'{"name": "' + b"x" * 2000 + b'"}'},
    400: {"X-Source": ""},
    422: {"body": b"{}"},
    201: {},
}


@pytest.mark.parametrize("status", WRONG)
def test_checks_come_in_order(made: Contract, status: int) -> None:
    """Of all mistakes in a request, the first is told."""
    request: dict[str, Any] = {
        "method": "POST",
        "target": "/items",
        "token": "admin",
        "body": b'{"name": "x"}',
        "X-Source": "test",
    }
    for mistake in reversed(list(WRONG)[list(WRONG).index(status) :]):
        request |= WRONG[mistake]
    fields = [(name, request[name]) for name in ("X-Source", "Accept", "Content-Type") if request.get(name)]

    answer = Shop(made, BridgeSettings(max_body=1000)).ask(
        request["method"], request["target"], token=request["token"], headers=fields, body=request["body"]
    )

    assert answer.status == status


def test_a_body_that_is_announced_too_large_is_not_read(made: Contract) -> None:
    """The client need not send it."""
    shop = Shop(made, BridgeSettings(max_body=10))

    assert shop.ask("POST", "/items", headers=SOURCE, body=b"x" * 11).status == 413
    assert shop.sent == 0


@pytest.mark.parametrize("content_type", [None, "application/json", "Application/Json; charset=UTF-8"])
def test_a_body_without_a_type_is_json(shop: Shop, content_type: str | None) -> None:
    """As the vendors read it."""
    fields = [("Content-Type", content_type)] if content_type else []

    assert shop.ask("POST", "/items", headers=[*SOURCE, *fields], body=b'{"name": "x"}').status == 201
    assert shop.last.body == {"name": "x"}


def test_an_operation_without_a_body_reads_none(shop: Shop) -> None:
    """Whatever a client sends along with GET."""
    assert shop.ask("GET", "/items/1", headers=[("Content-Type", "text/plain")], body=b"\xff").status == 200
    assert shop.sent == 0


# Parameters


@pytest.mark.parametrize(
    ("query", "violations"),
    [
        ("page=0", ["query /page must be >= 1"]),
        ("page=1.0", ["query /page must be an integer, not '1.0'"]),
        ("page=", ["query /page must be an integer, not empty"]),
        ("page=+1", ["query /page must be an integer, not ' 1'"]),
        ("page=%D9%A1", ["query /page must be an integer, not '\u0661'"]),
        ("page=1_0", ["query /page must be an integer, not '1_0'"]),
        ("page=1&page=1", ["query /page is given twice"]),
        ("page=" + "x" * 60, [f"query /page must be an integer, not '{'x' * 39}…'"]),
        ("big=9223372036854775808", ["query /big must be <= 9223372036854775807"]),
        ("big=-" + "9" * 5000, ["query /big must be >= -9223372036854775808"]),
        ("price=abc", ["query /price must be a number, not 'abc'"]),
        ("price=1e999", ["query /price must be a number, not '1e999'"]),
        ("price=NaN", ["query /price must be a number, not 'NaN'"]),
        ("active=1", ["query /active must be true or false, not '1'"]),
        ("active=True", ["query /active must be true or false, not 'True'"]),
        ("filter.name=%FF", ["query /filter.name is not UTF-8"]),
        ("%FF=1", ["query  has a name that is not UTF-8"]),
        ("filter.name=123456", ["query /filter.name must have at most 5 characters"]),
        ("since=yesterday", ["query /since must be a date and time like 2024-01-31T12:00:00, not 'yesterday'"]),
        ("stocks=1,x,3", ["query /stocks/1 must be an integer, not 'x'"]),
        ("stocks=1&stocks=2", ["query /stocks is given twice"]),
        ("stocks=1,2,3,4", ["query /stocks must have at most 3 items"]),
    ],
)
def test_a_wrong_parameter_is_refused(shop: Shop, query: str, violations: list[str]) -> None:
    """With its name and what would be right."""
    answer = shop.ask("GET", f"/items?{query}")

    assert (answer.status, answer.json["code"], answer.violations) == (400, "invalid_parameter", violations)
    assert shop.calls == []


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("filter.name=", {"filter.name": ""}),
        ("filter.name", {"filter.name": ""}),
        ("filter.name=a+b", {"filter.name": "a b"}),
        ("filter.name=a%2Bb", {"filter.name": "a+b"}),
        ("filter.name=%E2%82%AC", {"filter.name": "€"}),
        ("filter.name=a=b", {"filter.name": "a=b"}),
        ("filter%2Ename=x", {"filter.name": "x"}),
        ("&&page=3&", {"page": 3}),
        ("big=-0", {"big": 0}),
        ("price=-1e2", {"price": -100.0}),
        ("price=7", {"price": 7}),
        ("tags=", {"tags": [""]}),
        ("tags=a,b", {"tags": ["a,b"]}),
        ("stocks=1%2C2", {"stocks": [1, 2]}),
        ("since=2024-05-17", {"since": "2024-05-17"}),
    ],
)
def test_a_right_parameter_arrives(shop: Shop, query: str, sent: Mapping[str, Any]) -> None:
    """Decoded once."""
    assert shop.ask("GET", f"/items?{query}").status == 200
    assert shop.last.query == sent


def test_header_and_cookie_parameters_are_checked(shop: Shop) -> None:
    """By their types too."""
    wrong = shop.ask("GET", "/items", headers=[("X-Depth", "4"), ("Cookie", "theme=red; x=y")])
    mistyped = shop.ask("GET", "/items", headers=[("X-Depth", "deep")])
    right = shop.ask("GET", "/items", headers=[("X-Depth", "3"), ("Cookie", "x=y; theme=dark")])

    assert wrong.violations == ["header /X-Depth must be <= 3", "cookie /theme must be one of dark, light"]
    assert mistyped.violations == ["header /X-Depth must be an integer, not 'deep'"]
    assert right.status == 200


def test_a_header_sent_twice_is_refused(shop: Shop) -> None:
    """Nobody can tell which one is meant."""
    answer = shop.ask("GET", "/items", headers=[("X-Depth", "1"), ("X-Depth", "2")])

    assert answer.violations == ["header /X-Depth is given twice"]


@pytest.mark.parametrize(
    ("method", "target", "name"),
    [("GET", "/items/1", "Authorization"), ("GET", "/items/top", "X-Key"), ("POST", "/items", "Content-Type")],
)
def test_what_decides_is_sent_once(shop: Shop, method: str, target: str, name: str) -> None:
    """Two credentials or two types of one body: whichever the server took, another server would take the other."""
    answer = shop.ask(method, target, headers=[*SOURCE, (name, "a"), (name, "b")], body=b"{}", token="")

    assert (answer.status, answer.json["code"], answer.violations) == (
        400,
        "invalid_parameter",
        [f"header /{name} is given twice"],
    )


def test_a_list_may_be_sent_in_several_lines(shop: Shop) -> None:
    """Accept, and cookies, which HTTP/2 splits."""
    assert shop.ask("GET", "/items/1", headers=[("Accept", "application/json"), ("Accept", "text/html")]).status == 200
    assert shop.ask("GET", "/items", headers=[("Cookie", "theme=red"), ("Cookie", "x=y")]).status == 400


@pytest.mark.parametrize(("encoding", "status"), [("identity", 201), ("gzip", 415), ("identity, br", 415)])
def test_a_packed_body_is_not_taken_for_json(shop: Shop, encoding: str, status: int) -> None:
    answer = shop.ask("POST", "/items", headers=[*SOURCE, ("Content-Encoding", encoding)], body=b'{"name": "x"}')

    assert answer.status == status
    if status == 415:
        assert answer.violations == ["header /Content-Encoding must be identity, or missing"]
        assert answer.headers["accept-encoding"] == "identity"


def test_unknown_parameters_are_ignored_and_named(shop: Shop) -> None:
    """As the vendors do, except that the behaviour can tell."""
    assert shop.ask("GET", "/items?pgae=2&x&page=1").status == 200
    assert shop.last.ignored == ("pgae", "x")
    assert shop.last.query == {"page": 1}


def test_unknown_parameters_are_refused_if_asked_for(made: Contract) -> None:
    """A strict server finds typing errors."""
    shop = Shop(made, BridgeSettings(strict_query=True))

    assert shop.ask("GET", "/items?pgae=2").violations == ["query /pgae is not known here"]
    assert shop.ask("GET", "/items/top?key=reader", token="").status == 200


# Bodies


def test_all_violations_of_a_request_are_told(shop: Shop) -> None:
    """Those of its parameters and of its body."""
    answer = shop.ask("POST", "/items", body=b'{"name": "12345678901", "price": "1", "address": {"postal_code": 7}}')

    assert (answer.status, answer.json["code"]) == (400, "invalid_parameter")
    assert sorted(answer.violations) == [
        "body /address/postal_code must be a text, not a number",
        "body /name must have at most 10 characters",
        "body /price must be a number, not a text",
        "header /X-Source is required",
    ]


def test_a_wrong_body_alone_is_an_invalid_body(shop: Shop) -> None:
    """With the status that the vendor gives it."""
    answer = shop.ask("POST", "/items", headers=SOURCE, body=b'{"stock": 2147483648}')

    assert (answer.status, answer.json["code"]) == (422, "invalid_body")
    assert sorted(answer.violations) == ["body /name is required", "body /stock must be <= 2147483647"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "A body is required."),
        (b'{\n"name": }', "line 2, column 9: "),
        (b'{"name": "\xe4"}', "line 1, column 11: this is not UTF-8"),
    ],
)
def test_an_unreadable_body_is_malformed(shop: Shop, body: bytes, message: str) -> None:
    """With line and column."""
    answer = shop.ask("POST", "/items", headers=SOURCE, body=body)

    assert (answer.status, answer.json["code"]) == (400, "malformed")
    assert answer.json["message"].startswith(message)


def test_an_unreadable_body_beside_a_wrong_parameter_is_told_too(shop: Shop) -> None:
    """One answer says both."""
    answer = shop.ask("POST", "/items", body=b"[")

    assert answer.json["code"] == "invalid_parameter"
    assert [violation.partition(" ")[0] for violation in answer.violations] == ["header", "body"]


def test_what_the_server_assigns_is_passed_on(shop: Shop) -> None:
    """A behaviour ignores it."""
    assert shop.ask("POST", "/items", headers=SOURCE, body=b'{"name": "x", "id": 5}').status == 201
    assert shop.last.body == {"name": "x", "id": 5}


def test_a_body_that_is_not_required_may_be_missing(made: Contract) -> None:
    """It arrives as None."""
    optional = replace(made.operations["createNote"], body_required=False)
    shop = Shop(replace(made, operations={**made.operations, "createNote": optional}))

    assert shop.ask("POST", "/notes", token="").status == 200
    assert shop.last.body is None


def test_names_are_matched_whatever_their_case(shop: Shop) -> None:
    """Where the contract says so."""
    assert shop.ask("POST", "/notes", body=b'{"username": "u", "TEXT": "t", "Other": 1}').status == 200
    assert shop.last.body == {"UserName": "u", "text": "t", "Other": 1}


def test_two_names_for_one_property_are_refused(shop: Shop) -> None:
    """Nobody can tell which one is meant."""
    answer = shop.ask("POST", "/notes", body=b'{"username": "u", "USERNAME": 1}')

    assert (answer.status, answer.violations) == (422, ["body /USERNAME is given twice: it stands for UserName"])


# Answers


def test_a_reply_goes_out_as_it_is(made: Contract) -> None:
    """With its length, type and header fields."""
    reply = Reply(200, b'{"name": "y"}', ((b"x-ignored", b"a"),))
    answer = Shop(made, replies={"getItem": lambda _call: reply}).ask("GET", "/items/1")

    assert (answer.status, answer.json) == (200, {"name": "y"})
    assert answer.headers == {"content-type": "application/json", "content-length": "13", "x-ignored": "a"}


def test_no_content_has_no_type_and_no_length(shop: Shop) -> None:
    """204 ends with its header."""
    answer = shop.ask("DELETE", "/items/1")

    assert (answer.status, answer.headers, answer.body) == (204, {}, b"")


def test_a_behaviour_may_refuse(made: Contract) -> None:
    """In the API's own shape, with the resource's title."""

    def refuse(_call: Call) -> Reply:
        raise NotFound("Thing", "1")

    answer = Shop(made, replies={"getItem": refuse}).ask("GET", "/items/1")

    assert (answer.status, answer.json["message"]) == (404, "Thing not found")


def test_nobody_is_answered_who_went_away(shop: Shop) -> None:
    """A body that breaks off makes no call."""
    messages: list[Any] = []
    scope = {"type": "http", "method": "POST", "path": f"{BASE}/notes", "query_string": b"", "headers": []}

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        messages.append(message)

    async def ask() -> None:
        await shop.bridge.app(scope, receive, send)

    asyncio.run(ask())

    assert messages == []
    assert shop.calls == []


def test_the_application_starts_and_stops(shop: Shop) -> None:
    """As servers ask it to."""
    asked = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    told: list[str] = []

    async def receive() -> Any:
        return next(asked)

    async def send(message: Any) -> None:
        told.append(message["type"])

    async def ask() -> None:
        await shop.bridge.app({"type": "lifespan"}, receive, send)

    asyncio.run(ask())

    assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_crash_is_told_to_the_log_only(made: Contract, caplog: pytest.LogCaptureFixture) -> None:
    """The client learns that it was our mistake."""

    def crash(_call: Call) -> Reply:
        raise ZeroDivisionError("a secret")

    answer = Shop(made, replies={"getItem": crash}).ask("GET", "/items/1")

    assert (answer.status, answer.json["code"]) == (500, "internal")
    assert b"secret" not in answer.body
    assert [(record.name, record.levelno) for record in caplog.records] == [("mock_server", logging.ERROR)]
    assert "ZeroDivisionError: a secret" in caplog.text


MISTAKES = [
    (Reply(200, b'{"name": 1}'), "shop getItem answers 200: /name must be a text, not a number"),
    (Reply(200, b"{"), "shop getItem answers 200: the body is not JSON: "),
    (Reply(200, None), "shop getItem answers 200: the contract declares a body"),
    (Reply(202, b"{}"), "shop getItem answers 202: the contract does not declare this status"),
]


@pytest.mark.parametrize(("reply", "told"), MISTAKES)
def test_a_reply_that_breaks_the_contract_does_not_go_out(
    made: Contract, caplog: pytest.LogCaptureFixture, reply: Reply, told: str
) -> None:
    """It is logged, and told to whoever listens."""
    mistakes: list[str] = []
    settings = BridgeSettings(check_replies="all", on_mistake=mistakes.append)

    answer = Shop(made, settings, {"getItem": lambda _call: reply}).ask("GET", "/items/1")

    assert (answer.status, answer.json["code"]) == (500, "internal")
    assert len(mistakes) == 1
    assert mistakes[0].startswith(told)
    assert told in caplog.text


def test_a_body_where_none_is_declared_is_a_mistake(made: Contract) -> None:
    """204 has no content."""
    mistakes: list[str] = []
    settings = BridgeSettings(check_replies="all", on_mistake=mistakes.append)

    Shop(made, settings, {"deleteItem": lambda _call: Reply(204, b"{}")}).ask("DELETE", "/items/1")

    assert mistakes == ["shop deleteItem answers 204: the contract declares no body"]


def test_a_refusal_that_is_not_declared_is_a_mistake(made: Contract) -> None:
    """Refusals are held against the contract like other replies."""

    def refuse(_call: Call) -> Reply:
        raise NotFound("Note", "1")

    mistakes: list[str] = []
    settings = BridgeSettings(check_replies="all", on_mistake=mistakes.append)
    answer = Shop(made, settings, {"createNote": refuse}).ask("POST", "/notes", body=b"{}")

    assert answer.status == 500
    assert mistakes == ["shop createNote answers 404: the contract does not declare this status"]


def test_a_listener_that_fails_is_a_failure_of_the_server(made: Contract, caplog: pytest.LogCaptureFixture) -> None:
    """The client gets a 500, the log says what it was."""

    def fail(mistake: str) -> None:
        raise AssertionError(mistake)

    shop = Shop(made, BridgeSettings(on_mistake=fail), {"getItem": lambda _call: Reply(200, b"[]")})

    assert shop.ask("GET", "/items/1").status == 500
    assert "GET /shop/v1/items/1 failed" in caplog.text
    assert "AssertionError: shop getItem answers 200: / must be an object, not a list" in caplog.text


@pytest.mark.parametrize(("check_replies", "caught"), [("off", []), ("sample", [0, 16, 32]), ("all", list(range(40)))])
def test_replies_are_checked_as_often_as_asked_for(made: Contract, check_replies: Any, caught: list[int]) -> None:
    """A sample is every sixteenth, beginning with the first."""
    shop = Shop(made, BridgeSettings(check_replies=check_replies), {"getItem": lambda _call: Reply(200, b"[]")})

    statuses = [shop.ask("GET", "/items/1").status for _ in range(40)]

    assert [index for index, status in enumerate(statuses) if status == 500] == caught


# What is left to stock Connexion


def test_an_operation_that_cannot_be_compiled_is_served_by_connexion(made: Contract) -> None:
    """It becomes the same call."""
    operation = made.operations["listItems"]
    odd = replace(operation, parameters=(*operation.parameters, replace(operation.parameters[0], name="odd", style="deepObject")))
    shop = Shop(replace(made, operations={**made.operations, "listItems": odd}))

    assert shop.ask("GET", "/items?page=2&filter.name=x&tags=a&tags=b&unknown=1").status == 200
    assert shop.last == Call(
        odd, "w", {}, {"page": 2, "filter.name": "x", "tags": ["a", "b"]}, None, KNOWN["admin"], ignored=("unknown",)
    )


def test_who_calls_is_asked_once_whoever_serves_the_operation(made: Contract) -> None:
    """Each time counts against a rate limit, also where Connexion's stack is entered after it was left to it."""
    operation = made.operations["listItems"]
    odd = replace(operation, parameters=(*operation.parameters, replace(operation.parameters[0], name="odd", style="deepObject")))
    asked: list[str | None] = []

    def counting(contract: Contract, scheme: str, value: str | None, world: str) -> Identity:
        asked.append(value)
        return authenticate(contract, scheme, value, world)

    own = replace(made, operations={**made.operations, "listItems": odd})
    built = bridge.build({"shop": own}, lambda _call: Reply(200, b'{"name": "x"}'), counting)
    scope: dict[str, Any] = {
        **{
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "server": ("x", 1),
        },
        **{"path": "/shop/v1/items", "raw_path": b"/shop/v1/items", "query_string": b"", "root_path": "", "client": ("x", 1)},
        "headers": [(b"authorization", b"Bearer admin"), (b"host", b"x")],
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    async def through() -> None:
        assert await built.reply(scope, receive) is None
        await built.app(scope, receive, send)

    asyncio.run(through())

    assert sent[0]["status"] == 200
    assert asked.count("admin") == 1


def test_its_refusals_have_the_same_shape(made: Contract) -> None:
    """Connexion's exceptions are translated."""
    operation = made.operations["listItems"]
    odd = replace(operation, parameters=(replace(operation.parameters[0], style="deepObject"),))
    shop = Shop(replace(made, operations={**made.operations, "listItems": odd}))

    answer = shop.ask("GET", "/items?page=0")

    assert (answer.status, answer.json["code"]) == (400, "malformed")
    assert "0 is less than the minimum of 1" in answer.json["message"]


def test_a_template_may_stand_inside_a_segment(made: Contract) -> None:
    """What is around it must be there."""
    paths = dict(made.document["paths"])
    paths["/notes/{code}.txt"] = paths.pop("/notes/{code}")
    note = replace(made.operations["getNote"], path="/notes/{code}.txt")
    shop = Shop(replace(made, document={**made.document, "paths": paths}, operations={**made.operations, "getNote": note}))

    assert shop.ask("GET", "/notes/a.txt").status == 200
    assert shop.last.path == {"code": "a"}
    assert shop.ask("GET", "/notes/0123456789.txt").violations == ["path /code must have at most 9 characters"]
    assert shop.ask("GET", "/notes/a.pdf").json["code"] == "no_such_path"
    assert shop.ask("DELETE", "/notes/a.txt").json["code"] == "method_not_allowed"


def test_where_there_is_no_api_there_is_no_shape(shop: Shop) -> None:
    """A problem document says so."""
    answer = shop.ask("GET", "/elsewhere", base="")

    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


def test_a_scheme_that_is_not_supported_stops_the_start(made: Contract) -> None:
    """Instead of answering 401 for ever, as Connexion would."""
    broken = replace(made, security_schemes={**made.security_schemes, "odd": {"type": "openIdConnect"}})

    with pytest.raises(LookupError, match="odd"):
        bridge.build({"shop": broken}, lambda _call: Reply(200, b"{}"), authenticate)
