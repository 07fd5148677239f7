"""Where a contract says what, held against the files themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from mock_server import contract, nearest, sources
from mock_server.contract import Contract, Operation, json_type, properties
from mock_server.documents import pointer
from mock_server.journal import Exchange
from mock_server.refusals import Violation
from mock_server.schemas import items, pointed
from mock_server.settings import Settings
from tests.conftest import ROOT, serving

GONE = object()  # A property that is taken away.

Planted = Mapping[str, Any]  # "in pointer" -> the value put there
DAY, TIME = "2024-13-01", "tomorrow"
CUSTOMER = {"name": "Kinnunen Oy", "email": "info@kinnunen.example"}

# What is sent, right but for what is planted in it: API, method, path, body, planted.
CASES: list[tuple[str, str, str, Any, Planted]] = [
    ("fentu", "GET", "/customers", None, {"query /page": "0", "query /per_page": "101"}),
    ("fentu", "GET", "/customers", None, {"query /page": "two", "query /created_after": DAY, "query /colour": "red"}),
    ("fentu", "GET", "/customers", None, {"query /page": "99999999999", "query /per_page": ""}),
    ("fentu", "GET", "/work-orders", None, {"query /status": "lost", "query /from_date": DAY, "query /to_date": "x"}),
    ("fentu", "GET", "/assets", None, {"query /per_page": "-1", "query /page": "1.5", "query /sort~1order": "name"}),
    ("fentu", "GET", "/customers/cust-001/contacts", None, {"query /page": "true", "query /per_page": "1000"}),
    ("fentu", "POST", "/customers", {}, {"body /name": GONE}),
    ("fentu", "POST", "/customers", CUSTOMER, {"body /name": "", "body /email": "no address"}),
    ("fentu", "POST", "/customers", CUSTOMER, {"body /address/city": 7, "body /address/street": [], "body /phone": False}),
    ("fentu", "POST", "/customers", CUSTOMER, {"body /billing_address/postal_code": 101, "body /custom_fields/staff": 500}),
    ("fentu", "POST", "/customers", CUSTOMER, {"body /address": "Main Street", "body /branch_id": 2, "query /notify": "1"}),
    ("fentu", "POST", "/customers", CUSTOMER, {"body /name": GONE, "body /email": 1, "body /notes": {}, "query /a b": "1"}),
    ("fentu", "PUT", "/customers/cust-001", {}, {"body /address/country": 1, "body /status": None, "query /dry": "1"}),
    ("fentu", "PUT", "/customers/cust-001", {}, {"body /billing_address/state": 1, "body /custom_fields/a~1b": None}),
    ("fentu", "POST", "/customers/cust-001/contacts", {"name": "A"}, {"body /is_primary": "yes", "body /email": "@"}),
    ("fentu", "PUT", "/contacts/contact-001", {}, {"body /name": "", "body /title": 1, "body /phone": 2}),
    ("fentu", "POST", "/work-orders", {"customer_id": "cust-001"}, {"body /status": "lost", "body /estimated_duration": -1}),
    ("fentu", "POST", "/work-orders", {}, {"body /customer_id": GONE, "body /scheduled_date": TIME, "query /at": "1"}),
    ("fentu", "PUT", "/work-orders/wo-12345", {}, {"body /estimated_duration": 1.5, "body /priority": 1}),
    ("lemonsoft", "GET", "/customers", None, {"query /filter.page": "x", "query /filter.has_email": "maybe", "query /nope": "1"}),
    ("lemonsoft", "GET", "/customers/99999999999", None, {"path /customer_id": None, "query /fields": "all"}),
    ("lemonsoft", "POST", "/customers", CUSTOMER, {"body /name": GONE, "body /email": GONE, "query /x": "1"}),
    ("lemonsoft", "POST", "/customers", CUSTOMER, {"body /contacts/0/customer_id": "1", "body /contacts/0/name": 5}),
    ("lemonsoft", "POST", "/customers", CUSTOMER, {"body /agreements/0/products/0/agreement_id": "x",
                                                   "body /agreements/0/date": "soon", "body /is_customer": "yes"}),
    ("lemonsoft", "POST", "/customers", CUSTOMER, {"body /texts": {}, "body /delivery_term": 1.5, "body /currency_code": 1}),
    ("lemonsoft", "PUT", "/customers/99999999999", CUSTOMER, {"path /customer_id": None, "body /is_supplier": 1, "query /x": ""}),
    ("lemonsoft", "POST", "/invoices", {"date": "2024-05-17T11:36:35"}, {"body /date": "soon", "body /cash_amount": "1,5"}),
    ("lemonsoft", "POST", "/invoices", {}, {"body /date": GONE, "body /agreed_due_date": "soon", "query /copy": "true"}),
    ("keychain", "GET", "/customers", None, {"query /offset": "-1", "query /limit": "0", "query /page": "1"}),
    ("keychain", "GET", "/customers/4021/sales-orders", None, {"query /limit": "many", "query /offset": "1e3"}),
]  # fmt: skip


def planted_in(body: Any, planted: Planted) -> Any:
    """The body with what is planted in it."""
    body = orjson.loads(orjson.dumps(body))
    for name, value in planted.items():
        where, _, place = name.partition(" ")
        if where != "body":
            continue
        *way, last = pointed(f"#{place}") or ()
        node = body
        for step, after in zip(way, [*way, last][1:], strict=False):
            if isinstance(node, list):
                node.extend([] if len(node) > int(step) else [{}])
                node = node[int(step)]
            else:
                node = node.setdefault(step, [] if after.isdecimal() else {})
        if value is GONE:
            node.pop(last, None)
        else:
            node[last] = value
    for contact in body.get("contacts", ()) if isinstance(body, dict) else ():
        contact.setdefault("customer_id", 1)
    return body


def line_of(place: str) -> str:
    """The line of a file that a place is."""
    file, _, number = place.rpartition(":")
    return Path(file if Path(file).is_absolute() else Path.cwd() / file).read_text("utf-8").splitlines()[int(number) - 1]


@pytest.fixture(scope="module")
def strict() -> Iterator[str]:
    """The address of a server that refuses unknown query parameters."""
    with serving(Settings(strict_query=True, check_replies="all", log="off")) as address:
        yield address


@pytest.fixture(scope="module")
def headers(strict: str) -> dict[str, dict[str, str]]:
    """What each API's requests are let in with."""
    login = dict.fromkeys(("UserName", "Password", "Database", "ApiKey"), "demo")
    session = httpx.post(f"{strict}/lemonsoft/api/auth/login", json=login).json()["session_id"]
    return {
        "fentu": {"Authorization": "Bearer test-admin"},
        "lemonsoft": {"Session-Id": session},
        "keychain": {"X-API-Key": "test-key"},
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[1]} {case[2]} {' '.join(case[4])}")
def test_all_that_is_wrong_is_found_with_its_line(
    strict: str,
    headers: dict[str, dict[str, str]],
    contracts: dict[str, Contract],
    case: tuple[str, str, str, Any, Planted],
) -> None:
    """The journal names every mistake of a request, nothing else, and for each the line of the contract that says so."""
    api, method, path, body, planted = case
    query = {(pointed(f"#{n[6:]}") or ("",))[0]: value for n, value in planted.items() if n.startswith("query ")}
    sent = {} if body is None else {"json": planted_in(body, planted)}
    answer = httpx.request(
        method, f"{strict}{contracts[api].base_path}{path}", params=query or None, headers=headers[api], **sent
    )
    world, _, number = answer.headers["X-Mock-Request"].partition("/")

    told = httpx.get(f"{strict}/_mock/worlds/{world}/journal/{number}").json()

    assert {f"{violation['in']} {violation['pointer']}" for violation in told["violations"]} == set(planted)
    for violation in told["violations"]:
        name = (pointed(f"#{violation['pointer']}") or ("",))[-1]
        known = any(
            parameter.name == name for parameter in contracts[api].operations[told["operation"]].parameters
        ) or violation["in"] == "body"  # fmt: skip
        free = "/custom_fields/" in violation["pointer"]  # Its names are not described one by one.
        expected = "additionalProperties" if free else name if known else "parameters:|operationId|post:|put:|get:"
        assert re.search(expected, line_of(violation["place"])), (violation, line_of(violation["place"]))


def pointers(schema: Any, deepest: int = 4) -> Iterator[tuple[str, ...]]:
    """The ways to all properties of a schema, as deep as that; through a list by its first element."""
    for name, part in properties(schema).items():
        yield (name,)
        if deepest:
            inner = items(part) if json_type(part) == "array" else part
            before = (name, "0") if json_type(part) == "array" else (name,)
            yield from ((*before, *way) for way in pointers(inner, deepest - 1))


def every_operation() -> list[Any]:
    found = contract.load_all(ROOT / "openapi")
    return [
        pytest.param(one, operation, id=f"{one.name}-{name}")
        for one in found.values()
        for name, operation in one.operations.items()
    ]


@pytest.mark.parametrize(("one", "operation"), every_operation())
def test_every_parameter_and_property_has_its_line(one: Contract, operation: Operation) -> None:
    """Whatever of a request is wrong: the line that the place names says the name."""
    wrong = [Violation(p.where, pointer([p.name]), "") for p in operation.parameters]
    wrong += [Violation("body", pointer(way), "") for way in pointers(operation.body or {})]

    for violation in wrong:
        place = sources.place(one, operation, violation)
        name = (pointed(f"#{violation.pointer}") or ("",))[-1]
        assert re.search(rf"(^|[\s'\"]){re.escape(name)}['\"]?(:|\s|$)", line_of(str(place))), (violation, place)


# Other places


@pytest.mark.parametrize(
    ("operation_id", "violation", "reason", "said"),
    [
        ("createCustomer", Violation("body", "/email", "is taken"), "duplicate", "- property: email"),
        ("createCustomer", Violation("body", "/branch_id", "names none"), "dangling", "branch_id:"),
        ("createCustomer", Violation("body", "/branch_id", "names none"), "duplicate", "branch_id:"),
        ("createWorkOrder", Violation("body", "/customer_id", "names none"), "dangling", "property: customer_id"),
        ("createCustomer", Violation("body", "/email", "is no address"), "invalid_body", "email: {$ref"),
        ("deleteCustomer", Violation("state", "/work-orders/wo-1", "is open"), "guarded", "- resource: work_order"),
        ("listCustomers", Violation("header", "/Authorization", "is missing"), "unauthenticated", "oauth2: [read:customers]"),
        ("createCustomer", Violation("header", "", "lacks a scope"), "forbidden", "oauth2: [write:customers]"),
        ("createCustomer", Violation("header", "/Content-Type", "must be JSON"), "unsupported_media_type", "application/json:"),
        ("createCustomer", Violation("header", "/Content-Encoding", "must be none"), "unsupported_media_type", "requestBody:"),
        ("listCustomers", Violation("header", "/Accept", "must take JSON"), "not_acceptable", "content:"),
        ("createCustomer", Violation("body", "", "is no JSON"), "malformed", "requestBody:"),
        ("listCustomers", Violation("query", "/colour", "is not known"), "invalid_parameter", "parameters:"),
        ("getCustomer", Violation("path", "/id", "names none"), "not_found", "name: id"),
        ("getCustomer", Violation("state", "", "is used up"), "rate_limited", "rateLimit:"),
        (None, Violation("path", "", "is not there"), "no_such_path", "paths:"),
    ],
)
def test_a_rule_has_its_line(
    contracts: dict[str, Contract], operation_id: str | None, violation: Violation, reason: str, said: str
) -> None:
    """Semantic rules, credentials and media types too."""
    fentu = contracts["fentu"]
    operation = fentu.operations[operation_id] if operation_id else None

    assert said in line_of(str(sources.place(fentu, operation, violation, reason)))


def test_a_record_listed_in_a_body_is_judged_by_its_own_rules(contracts: dict[str, Contract]) -> None:
    """A child's property is no property of its parent."""
    lemonsoft = contracts["lemonsoft"]
    taken = Violation("body", "/number", "is taken")
    nested = Violation("body", "/contacts/0/number", "is taken")

    place = sources.place(lemonsoft, lemonsoft.operations["createCustomer"], taken, "duplicate")
    other = sources.place(lemonsoft, lemonsoft.operations["createCustomer"], nested, "duplicate")

    assert "- {property: number}" in line_of(str(place))
    assert "- {property: number}" not in line_of(str(other))


# What is inferred


@pytest.fixture
def told(fentu: httpx.Client, world: str) -> Callable[..., dict[str, str]]:
    """Sends a request and answers what of its answer is inferred: part -> line."""

    def told(method: str, path: str, **sent: Any) -> dict[str, str]:
        answer = fentu.request(method, path, **sent)
        number = answer.headers["X-Mock-Request"].partition("/")[2]
        entry = httpx.get(f"{fentu.base_url.copy_with(path='/')}_mock/worlds/{world}/journal/{number}").json()
        assert all(one["reason"] for one in entry["inferred"])
        return {one["part"]: line_of(one["place"]).strip() for one in entry["inferred"]}

    return told


def test_a_documented_answer_rests_on_nothing_of_ours(told: Callable[..., dict[str, str]]) -> None:
    """The documented customer, read as documented."""
    assert told("GET", "customers/cust-001") == {}


def test_the_rule_that_refused_is_named_first(told: Callable[..., dict[str, str]]) -> None:
    """A duplicate is our reading of 409, and so is the form of the error."""
    found = told("POST", "customers", json={"name": "Acme", "email": "contact@acme.com"})

    assert list(found)[:2] == ["refusal duplicate of email", "how a refusal looks"]
    assert found["refusal duplicate of email"] == "- property: email"
    assert found["property name"] == "name:"


def test_a_parameter_of_ours_is_named_only_if_it_was_sent(told: Callable[..., dict[str, str]]) -> None:
    """How `search` matches is our reading; without it a list rests on nothing of ours but what shows where nothing is."""
    assert "what search does" in told("GET", "customers?search=acme")
    assert "what search does" not in told("GET", "customers")
    assert {"parameter page", "answer 200"} < set(told("GET", "customers/cust-001/contacts?page=1"))


def test_what_was_written_beside_is_named(told: Callable[..., dict[str, str]]) -> None:
    """A new primary contact takes the mark from the old one: our reading."""
    found = told("POST", "customers/cust-001/contacts", json={"name": "Ann", "is_primary": True})

    assert found["is_primary is true of one contact only"] == "- property: is_primary"


def test_an_operation_of_ours_is_named_once(told: Callable[..., dict[str, str]]) -> None:
    """Its parameters and answers have the same reason and are not told again."""
    found = told("POST", "work-orders", json={"customer_id": "cust-001"})

    assert found["operation createWorkOrder"] == "post:"
    assert not [part for part in found if part.startswith("parameter")]


@pytest.mark.parametrize("one", contract.load_all(ROOT / "openapi").values(), ids=lambda one: one.name)
def test_any_exchange_is_judged(one: Contract) -> None:
    """Bodies that are no JSON, statuses that are not declared, operations that are not there."""
    for operation in [None, *one.operations.values()]:
        for body, status in ((b"\xff", 599), (b"[1, {}]", 200), (None, 204), (b'{"data": [null, []]}', 200)):
            exchange = Exchange(
                world="default", at=0, seconds=0, api=one.name, operation="", method="GET", target="/?a", request_headers=(),
                request_body=body, status=status, answer_headers=(), answer_body=body,
            )  # fmt: skip

            found = sources.inferred(one, operation, exchange)

            assert len({(part.part, part.place) for part in found}) == len(found)


# Near paths


@pytest.mark.parametrize(
    ("method", "path", "first"),
    [
        ("GET", "/fentu/api/v1/custmers", "GET /fentu/api/v1/customers"),
        ("POST", "/fentu/api/v1/customer", "POST /fentu/api/v1/customers"),
        ("GET", "/fentu/api/v1/customer/cust-001", "GET /fentu/api/v1/customers/{id}"),
        ("GET", "/fentu/v1/customers/cust-001/contact?x=/", "GET /fentu/api/v1/customers/{customer_id}/contacts"),
        ("GET", "/fentu/v2/work_orders", "GET /fentu/api/v1/work-orders"),
        ("PATCH", "/fentu/api/v1/customers/cust-001", "GET /fentu/api/v1/customers/{id}"),
        ("GET", "/keychain/v1/salesorders/SO-2025-0189", "GET /keychain/v1/sales-orders/{salesOrderNumber}"),
        ("GET", "/sales-orders/SO-2025-0189", "GET /keychain/v1/sales-orders/{salesOrderNumber}"),
        ("GET", "/lemonsoft/api/Customers", "GET /lemonsoft/api/customers"),
        ("POST", "/lemonsoft/login", "POST /lemonsoft/api/auth/login"),
    ],
)
def test_an_unknown_path_has_near_ones(contracts: dict[str, Contract], method: str, path: str, first: str) -> None:
    """The likeliest comes first, and no more than five are told."""
    found = nearest.operations(contracts, method, path)

    assert found[0] == first
    assert len(found) <= 5


def test_another_method_of_the_path_is_told(contracts: dict[str, Contract]) -> None:
    found = nearest.operations(contracts, "PATCH", "/fentu/api/v1/customers/cust-001")

    assert set(found) == {f"{method} /fentu/api/v1/customers/{{id}}" for method in ("GET", "PUT", "DELETE")}


@pytest.mark.parametrize("path", ["/", "/static/js/main.chunk.js", "/favicon.ico", "/" + "a/" * 5000])
def test_what_is_near_nothing_has_none(contracts: dict[str, Contract], path: str) -> None:
    assert nearest.operations(contracts, "GET", path) == []
