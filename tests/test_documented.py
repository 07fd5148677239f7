"""What the contracts show of their answers, and what is made up from their schemas."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS30ReadValidator, oas30_format_checker

from mock_server import contract, documents, fixtures
from mock_server.bridge.schemas import Schemas
from mock_server.contract import Contract, Json
from mock_server.documented import Documented, Undeclared
from mock_server.reply import Reply
from mock_server.schemas import followed, resolved

ROOT = Path(__file__).parent.parent
CONTRACTS = contract.load_all(ROOT / "openapi")
_, DATA = fixtures.load(ROOT / "fixtures", CONTRACTS, lenient=False)
EVERY = {**CONTRACTS, contract.CONTROL: contract.load(ROOT / "openapi" / "control" / "openapi.yaml", contract.CONTROL)}
DOCUMENTED = {name: Documented(api, DATA.get(name)) for name, api in EVERY.items()}
BARE = {name: Documented(api) for name, api in EVERY.items()}
CASES = [
    (name, operation.operation_id, status)
    for name, api in EVERY.items()
    for operation in api.operations.values()
    for status in sorted(operation.statuses)
]
SCHEMAS = {name: Schemas(api.document) for name, api in EVERY.items()}

LIBRARY = """\
openapi: 3.0.3
info: {title: Library, version: v1}
x-origin: seed
servers: [{url: "http://localhost:8080/library"}]
x-semantics:
  times: {zone: Z, precision: seconds}
  envelopes:
    page: {found: $records, page: $page, pages: $pages, count: $count, total: $total, more: $more, kind: books}
    one: $record
  refusals:
    body: {status: $status, code: $code, message: $message, details: $violations, ok: false}
    violation: {message: $message}
    codes: {not_found: gone}
  resources:
    book:
      schema: "#/components/schemas/Book"
      id: {property: id, pattern: "book-{n:03}"}
paths:
  /books:
    get:
      operationId: listBooks
      x-semantics: {action: list, resource: book, envelope: page}
      responses:
        "200":
          description: Books.
          content: {application/json: {schema: {$ref: "#/components/schemas/Books"}}}
        "404":
          description: There are none.
          content:
            text/html: {schema: {type: string}, example: "<h1>None</h1>"}
            application/json:
              schema: {$ref: "#/components/schemas/Error"}
              examples:
                elsewhere: {externalValue: "https://library.example/none.json"}
                none: {value: {status: 404, code: gone, message: None., details: [], ok: false}}
                closed: {$ref: "#/components/examples/Closed"}
        "409":
          description: There are too many.
          content: {application/json: {schema: {$ref: "#/components/schemas/Error"}}}
        4XX:
          description: Anything else.
          content: {text/plain: {schema: {type: string, enum: [sorry]}}}
        default: {description: Whatever.}
  /books/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}, x-semantics: {identifies: book}}]
    get:
      operationId: getBook
      x-semantics: {action: get, resource: book, envelope: one}
      responses:
        "200":
          description: A book.
          headers:
            X-Count: {schema: {type: integer, minimum: 5, maximum: 7}}
            X-Shown: {example: shown, schema: {type: string, example: hidden}}
            X-First: {examples: {one: {value: [1, 2]}}, schema: {type: array, items: {type: integer}}}
            X-Schema: {schema: {type: boolean, example: true}}
            X-Line: {example: "two\\nlines", schema: {type: string}}
            Content-Type: {schema: {type: string}}
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Book"}
              examples:
                emma: {value: {id: book-001, title: Emma, anything: {}}}
                same: {value: {id: book-002, title: Persuasion, anything: {}}}
        "400":
          description: No such id.
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Error"}
              examples: {same: {value: {status: 400, code: malformed, message: No., details: [], ok: false}}}
components:
  examples:
    Closed: {value: {status: 404, code: closed, message: Closed., details: [], ok: false}}
  schemas:
    Books:
      type: object
      required: [found, page, pages, count, total, more, kind]
      properties:
        found: {type: array, items: {$ref: "#/components/schemas/Book"}}
        page: {type: integer}
        pages: {type: integer}
        count: {type: integer}
        total: {type: integer}
        more: {type: boolean}
        kind: {type: string, enum: [books]}
    Book:
      type: object
      required: [id, title, secret, anything]
      properties:
        id: {type: string}
        title: {type: string, example: Persuasion}
        secret: {type: string, writeOnly: true}
        state: {type: string, nullable: true, enum: [lent, here]}
        year: {type: integer, minimum: 1800, maximum: 2024, exclusiveMaximum: true}
        tags: {type: array, minItems: 2, maxItems: 4, uniqueItems: true, items: {type: string, pattern: "^[a-c]$"}}
        size: {oneOf: [{type: integer, multipleOf: 5}, {type: string, maxLength: 3}]}
        names: {type: object, additionalProperties: {type: string, minLength: 12}}
        written: {allOf: [{type: string, format: date-time}, {description: When.}]}
        parts: {type: array, items: {$ref: "#/components/schemas/Book"}}
    Error:
      type: object
      required: [status, code, message, details, ok]
      properties:
        status: {type: integer}
        code: {type: string}
        message: {type: string}
        details: {type: array, items: {type: object, properties: {message: {type: string}}}}
        ok: {type: boolean}
"""


def library(text: str = LIBRARY) -> Contract:
    path = Path("openapi/library/openapi.yaml")
    return contract.compiled(documents.read(text.encode(), str(path)), path, "library")


LIBRARY_API = library()


def answered(documented: Documented, id: str, status: int | None, **asked: Any) -> Reply:
    return documented.reply(documented.contract.operations[id], status, **asked)


def body(reply: Reply) -> Any:
    return json.loads(reply.body or b"null")


def declared(name: str, id: str, status: int) -> Json:
    """An answer as the document has it."""
    api = EVERY[name]
    return SCHEMAS[name].answers(SCHEMAS[name].operation(api.operations[id]))[str(status)]


def mistakes(name: str, id: str, status: int, reply: Reply) -> Iterator[str]:
    """What is wrong with a reply, as two validators see it, of which the server uses one."""
    content = declared(name, id, status).get("content", {})
    if reply.body is None or not content:
        assert (reply.body is None) == (not content)
        return
    media, found = next(iter(content.items()))
    value = json.loads(reply.body) if media == "application/json" else reply.body.decode()
    if not SCHEMAS[name].compiled(found["schema"], "response").is_valid(value):
        yield "the bridge refuses it"
    whole = resolved(found["schema"], EVERY[name].document, {})
    yield from (error.message for error in OAS30ReadValidator(whole, format_checker=oas30_format_checker).iter_errors(value))


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("documented", [DOCUMENTED, BARE], ids=["with data.yaml", "without"])
def test_every_status_can_be_had_made_up_or_not(name: str, documented: dict[str, Documented]) -> None:
    """Of every operation; and each answer keeps the contract."""
    wrong = [
        f"{id} {status}: {mistake}"
        for api, id, status in CASES
        if api == name
        for dynamic in (False, True)
        for mistake in mistakes(name, id, status, answered(documented[name], id, status, dynamic=dynamic))
    ]

    assert wrong == []


@settings(max_examples=300)
@given(st.sampled_from(CASES), st.integers(-(2**70), 2**70), st.sampled_from([DOCUMENTED, BARE]))
def test_what_is_made_up_fits_its_schema(case: tuple[str, str, int], seed: int, documented: dict[str, Documented]) -> None:
    """Whatever the seed."""
    name, id, status = case

    assert list(mistakes(*case, answered(documented[name], id, status, dynamic=True, seed=seed))) == []


@settings(max_examples=60)
@given(st.sampled_from(CASES), st.integers(0, 2**64))
def test_the_same_seed_makes_up_the_same_bytes(case: tuple[str, str, int], seed: int) -> None:
    """Whatever was asked for before."""
    name, id, status = case
    reply = answered(DOCUMENTED[name], id, status, dynamic=True, seed=seed)

    assert answered(Documented(EVERY[name], DATA.get(name)), id, status, dynamic=True, seed=seed) == reply


def test_another_seed_makes_up_another_answer() -> None:
    replies = {answered(DOCUMENTED["fentu"], "getCustomer", 200, dynamic=True, seed=seed).body for seed in range(50)}

    assert len(replies) == 50


def test_a_new_property_moves_no_other_value() -> None:
    """A value follows from the seed, the operation, the status and its own place alone."""
    more = library(LIBRARY.replace("        tags:", "        shelf: {type: string}\n        tags:"))
    for seed in range(20):
        before = body(answered(Documented(LIBRARY_API), "listBooks", 200, dynamic=True, seed=seed))
        after = body(answered(Documented(more), "listBooks", 200, dynamic=True, seed=seed))
        assert "shelf" in after["found"][0]
        assert without(after, "shelf") == before


def without(value: Json, name: str) -> Json:
    if isinstance(value, list):
        return [without(part, name) for part in value]
    return {key: without(part, name) for key, part in value.items() if key != name} if isinstance(value, dict) else value


@pytest.mark.parametrize("name", EVERY)
def test_every_example_can_be_had_by_its_name(name: str) -> None:
    """To the letter; and the first one without its name."""
    for _, id, status in (case for case in CASES if case[0] == name):
        content = declared(name, id, status).get("content", {})
        shown = next(iter(content.values()))["examples"] if content and "examples" in next(iter(content.values())) else {}
        values = {key: followed(example, EVERY[name].document)["value"] for key, example in shown.items()}
        for key, value in values.items():
            assert body(answered(BARE[name], id, status, example=key)) == value
        assert BARE[name].examples(EVERY[name].operations[id], status) == tuple(values)
        if values:
            assert body(answered(BARE[name], id, status)) == next(iter(values.values()))


def test_without_a_status_it_is_that_of_success_or_of_the_example() -> None:
    """As Prism has it: an example finds its status."""
    documented = DOCUMENTED["fentu"]

    assert answered(documented, "createCustomer", None).status == 201
    assert answered(documented, "createCustomer", None, dynamic=True).status == 201
    assert answered(documented, "createCustomer", None, example="duplicate").status == 409
    assert answered(Documented(LIBRARY_API), "getBook", None, example="same").status == 200
    assert answered(documented, "deleteCustomer", None, dynamic=True) == Reply(204, None)


def test_an_example_is_not_made_up() -> None:
    """Whoever names one gets that one."""
    named = answered(DOCUMENTED["fentu"], "getCustomer", 404, example="not_found", dynamic=True)

    assert body(named)["error"] == {"code": "not_found", "message": "Customer not found", "details": []}


@pytest.mark.parametrize(
    ("id", "status", "example", "told"),
    [
        ("createCustomer", 418, None, "createCustomer answers 201, 400, 401, 403, 406, 409, 413, 415, 422, 429, not 418."),
        ("createCustomer", 409, "none", "createCustomer has no example 'none' of 409; there are duplicate, dangling."),
        ("deleteContact", 204, "gone", "deleteContact has no example 'gone' of 204; there are none."),
    ],
)
def test_what_the_contract_does_not_show_is_told_with_what_it_does(id: str, status: int, example: str | None, told: str) -> None:
    with pytest.raises(Undeclared, match=f"^{re.escape(told)}$"):
        answered(DOCUMENTED["fentu"], id, status, example=example)


def test_an_unknown_example_is_told_with_those_of_all_statuses() -> None:
    with pytest.raises(Undeclared) as caught:
        answered(DOCUMENTED["fentu"], "deleteContact", None, example="x")

    names = DOCUMENTED["fentu"].examples(EVERY["fentu"].operations["deleteContact"])
    assert str(caught.value) == f"deleteContact has no example 'x'; there are {', '.join(names)}."
    assert "not_found" in names


def test_declared_header_fields_are_there() -> None:
    """As the contract shows them, or with a value of their schema."""
    reply = answered(Documented(LIBRARY_API), "getBook", None)
    fields = dict(reply.headers)
    count = fields.pop(b"x-count")

    assert fields == {b"x-shown": b"shown", b"x-first": b"1,2", b"x-schema": b"true", b"x-line": b"two lines"}
    assert count in (b"5", b"6", b"7")


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_refusal_for_want_of_a_credential_says_how_to_authenticate(name: str) -> None:
    for id, operation in CONTRACTS[name].operations.items():
        if 401 in operation.statuses and "headers" in declared(name, id, 401):
            assert dict(answered(DOCUMENTED[name], id, 401).headers)[b"www-authenticate"]


def test_a_rate_limit_is_told_with_its_header_fields() -> None:
    fields = dict(answered(DOCUMENTED["fentu"], "listCustomers", 429, dynamic=True).headers)

    assert fields[b"retry-after"].isdigit()
    assert {b"x-ratelimit-limit", b"x-ratelimit-remaining", b"x-ratelimit-reset"} <= set(fields)


def test_ranges_and_defaults_of_statuses_are_known() -> None:
    """4XX is any client error that is not declared by itself, `default` any other status."""
    documented = Documented(LIBRARY_API)

    assert answered(documented, "listBooks", 418) == Reply(418, b"sorry", ((b"content-type", b"text/plain"),))
    assert answered(documented, "listBooks", 503) == Reply(503, None)
    assert documented.statuses(documented.contract.operations["listBooks"]) == (200, 404, 409)


def test_json_comes_before_other_media_types() -> None:
    documented = Documented(LIBRARY_API)

    assert body(answered(documented, "listBooks", 404))["code"] == "gone"
    assert body(answered(documented, "listBooks", None, example="closed"))["code"] == "closed"
    assert documented.examples(documented.contract.operations["listBooks"]) == ("none", "closed")
    assert body(answered(documented, "getBook", None)) == {"id": "book-001", "title": "Emma", "anything": {}}


@settings(max_examples=60)
@given(st.integers(0, 2**64), st.booleans())
def test_a_made_up_list_is_whole(seed: int, dynamic: bool) -> None:
    """What its envelope says of it is true, each record has an id of its own kind, and what is secret is not shown."""
    api = LIBRARY_API
    page = body(answered(Documented(api), "listBooks", 200, dynamic=dynamic, seed=seed))
    books = page.pop("found")

    assert page == {"page": 1, "pages": 1, "count": len(books), "total": len(books), "more": False, "kind": "books"}
    assert books
    assert all(re.fullmatch("book-[0-9]{3,}", book["id"]) and "secret" not in book for book in books)
    schema = api.document["components"]["schemas"]["Books"]
    assert Schemas(api.document).compiled(schema, "response").is_valid({"found": books, **page})
    if not dynamic:
        assert {book["title"] for book in books} == {"Persuasion"}


@pytest.mark.parametrize("dynamic", [False, True])
def test_a_made_up_refusal_has_the_form_of_the_api(dynamic: bool) -> None:
    """Its status and code are right, and what is the same in all is."""
    refusal = body(answered(Documented(LIBRARY_API), "listBooks", 409, dynamic=dynamic))

    assert (refusal["status"], refusal["ok"]) == (409, False)
    assert refusal["code"] in {"conflict", "dangling", "duplicate", "guarded"}


def test_made_up_records_are_like_those_of_the_data() -> None:
    """With data.yaml a record is one that might be there: its parts agree."""
    for seed in range(20):
        customer = body(answered(DOCUMENTED["fentu"], "getCustomer", 200, dynamic=True, seed=seed))["data"]
        contact = customer["contacts"][0]
        assert customer["customer_number"] == f"C-{10000 + int(customer['id'].removeprefix('cust-'))}"
        assert contact["email"].partition("@")[0].endswith(contact["name"].split()[-1].lower().replace("'", ""))


@settings(max_examples=60)
@given(st.integers(0, 2**64))
def test_null_is_made_up_only_where_every_reading_admits_it(seed: int) -> None:
    """An enumeration without null may or may not take it."""
    books = body(answered(Documented(LIBRARY_API), "listBooks", 200, dynamic=True, seed=seed))["found"]

    assert {book["state"] for book in books} <= {"lent", "here"}


def test_null_is_made_up_as_well() -> None:
    """A client meets it before it meets the real API."""
    customers = [body(answered(BARE["fentu"], "getCustomer", 200, dynamic=True, seed=seed))["data"] for seed in range(40)]

    assert {type(customer["notes"]) for customer in customers} == {str, type(None)}


def test_what_cannot_be_made_up_wants_an_example() -> None:
    """The contract is at fault, and it is told how."""
    text = LIBRARY.replace("year: {type: integer, minimum: 1800", "year: {type: integer, minimum: 2030").replace(
        "required: [id, title,", "required: [id, title, year,"
    )

    with pytest.raises(Undeclared, match="listBooks 200 has no example, and nothing that was made up fits its schema"):
        answered(Documented(library(text)), "listBooks", 200)


def test_nothing_is_read_before_it_is_asked_for() -> None:
    """A server with a thousand operations starts as fast as without this."""
    documented = Documented(EVERY["fentu"])

    assert [name for name, value in vars(documented).items() if name not in ("contract", "_data") and value] == []
