"""Every documented error, and the way to it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from mock_server import worlds
from mock_server.atlas import Recipe, script, trial
from mock_server.contract import Contract
from mock_server.settings import Settings
from tests.conftest import serving

ONE_MISTAKE = {"invalid_parameter", "invalid_body", "dangling", "duplicate", "not_found"}

LIBRARY = """\
openapi: 3.0.3
info: {title: Library, version: v1}
x-origin: seed
servers: [{url: http://localhost:8080/library/v1}]
security: [{key: []}, {cookie: []}]
x-semantics:
  envelopes: {one: $record, page: {books: $records}, done: {made: {id: $id}}}
  refusals:
    body: {why: $code, what: $message, all: $violations}
    violation: {at: $pointer, message: $message}
    statuses: {duplicate: 422, guarded: 423}
  resources:
    book:
      schema: "#/components/schemas/Book"
      id: {property: id, pattern: "b-{n}"}
      numbers: [{property: shelf_mark, settable: true}]
      deletion:
        guards: [{resource: loan, property: book_id, unless: {state: [returned]}}]
    loan:
      schema: "#/components/schemas/Loan"
      id: {property: id}
      parent: {resource: book, property: book_id}
      initial: {state: out}
paths:
  /books:
    parameters:
      - {name: X-Branch, in: header, required: true, schema: {type: string, enum: [north, south]}}
      - {name: tint, in: cookie, schema: {type: integer}}
    get:
      operationId: listBooks
      x-semantics: {action: list, resource: book, envelope: page}
      parameters:
        - name: shelf
          in: query
          required: true
          schema: {type: integer, minimum: 1}
          x-semantics: {filters: [shelf_mark], match: equals}
      responses:
        "200":
          description: They.
          content:
            application/json:
              schema:
                type: object
                properties: {books: {type: array, items: {$ref: "#/components/schemas/Book"}}}
        "400": {$ref: "#/components/responses/Refused"}
        "406": {$ref: "#/components/responses/Refused"}
    post:
      operationId: createBook
      x-semantics: {action: create, resource: book, envelope: done}
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/NewBook"}}}
      responses:
        "200": {description: Made., content: {application/json: {schema: {$ref: "#/components/schemas/Made"}}}}
        "400": {$ref: "#/components/responses/Refused"}
        "405": {$ref: "#/components/responses/Refused"}
        "422": {$ref: "#/components/responses/Refused"}
        "500": {$ref: "#/components/responses/Refused"}
  /books/{book}:
    parameters:
      - {name: book, in: path, required: true, schema: {type: string}, x-semantics: {identifies: book}}
    delete:
      operationId: deleteBook
      x-semantics: {action: delete, resource: book, envelope: done}
      responses:
        "200": {description: Gone., content: {application/json: {schema: {$ref: "#/components/schemas/Made"}}}}
        "401": {$ref: "#/components/responses/Refused"}
        "423": {$ref: "#/components/responses/Refused"}
  /loans:
    post:
      operationId: createLoan
      x-semantics: {action: create, resource: loan, envelope: done}
      security: []
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, required: [book_id], properties: {book_id: {type: string}, state: {type: string}}}
      responses:
        "200": {description: Made., content: {application/json: {schema: {$ref: "#/components/schemas/Made"}}}}
        "409": {$ref: "#/components/responses/Refused"}
        "415": {$ref: "#/components/responses/Refused"}
  /books/{book}/loans/{loan}:
    parameters:
      - {name: book, in: path, required: true, schema: {type: string}, x-semantics: {identifies: book}}
      - {name: loan, in: path, required: true, schema: {type: integer}, x-semantics: {identifies: loan}}
    get:
      operationId: getLoan
      x-semantics: {action: get, resource: loan, envelope: one}
      responses:
        "200": {description: It., content: {application/json: {schema: {$ref: "#/components/schemas/Loan"}}}}
        "404": {$ref: "#/components/responses/Refused"}
components:
  securitySchemes:
    key: {type: apiKey, in: query, name: key}
    cookie: {type: apiKey, in: cookie, name: pass}
  responses:
    Refused: {description: No., content: {application/json: {schema: {type: object, required: [why]}}}}
  schemas:
    Made: {type: object, required: [made], properties: {made: {type: object, properties: {id: {}}}}}
    Loan: {type: object, required: [id], properties: {id: {type: integer}, state: {type: string}}}
    Book:
      type: object
      required: [id, title]
      properties:
        id: {type: string}
        title: {type: string, minLength: 2}
        shelf_mark: {type: integer, format: int32, minimum: 1, maximum: 9000}
        genre: {type: string, enum: [novel, poem]}
        authors: {type: array, items: {type: object, required: [name], properties: {name: {type: string}}}}
    NewBook:
      type: object
      additionalProperties: false
      required: [title]
      properties:
        title: {type: string, minLength: 2, maxLength: 60}
        shelf_mark: {type: integer, format: int32, minimum: 1, maximum: 9000}
        genre: {type: string, enum: [novel, poem]}
        authors: {type: array, items: {type: object, required: [name], properties: {name: {type: string}}}}
"""


def told(address: str) -> list[Recipe]:
    """The recipes that a server has."""
    answer = httpx.get(f"{address}/_mock/errors")
    assert answer.status_code == 200, answer.text
    return [Recipe.read(document) for document in answer.json()["errors"]]


def missed(recipes: list[Recipe], address: str) -> list[tuple[str, str, str]]:
    """The recipes that do not lead to their error, and what is seen instead."""
    return [(o.recipe.name, o.recipe.title, o.seen) for o in trial.follow(recipes, address) if o.seen]


def one_of_each(recipes: list[Recipe]) -> list[Recipe]:
    """The first recipe of each API, status and reason."""
    return list({(one.api, one.status, one.reason): one for one in reversed(recipes)}.values())


@pytest.fixture(scope="module")
def recipes(address: str) -> list[Recipe]:
    return told(address)


def test_every_recipe_leads_to_its_error(recipes: list[Recipe], address: str) -> None:
    """Followed in a new world, the last request is answered with the status, for the reason that is told."""
    assert missed(recipes, address) == []


def test_every_documented_error_has_a_recipe(recipes: list[Recipe], contracts: dict[str, Contract]) -> None:
    documented = {
        (api.name, operation.operation_id, status)
        for api in contracts.values()
        for operation in api.operations.values()
        for status in operation.statuses
        if status >= 400
    }

    assert {(one.api, one.operation, one.status) for one in recipes} == documented
    assert [one.name for one in recipes if not one.organic] == []


@pytest.mark.parametrize(
    ("api", "operation", "status", "reasons"),
    [
        ("fentu", "updateCustomer", 409, ["dangling", "duplicate"]),
        ("fentu", "deleteCustomer", 409, ["guarded"]),
        ("fentu", "createWorkOrder", 409, ["dangling"] * 3),
        ("fentu", "getAsset", 403, ["forbidden"]),
        ("fentu", "listAssets", 429, ["rate_limited"]),
        ("lemonsoft", "logIn", 401, ["login_failed"] * 4),
        ("lemonsoft", "getCustomer", 401, ["unauthenticated"] * 3),  # nothing, something unknown, an old session
        ("lemonsoft", "deleteCustomerContact", 404, ["not_found"] * 3),  # no customer, no contact, one of another customer
        ("keychain", "listCustomers", 400, ["invalid_parameter"] * 2),
    ],
)
def test_every_reason_for_an_error_has_its_recipes(
    recipes: list[Recipe], api: str, operation: str, status: int, reasons: list[str]
) -> None:
    found = [one.reason for one in recipes if (one.api, one.operation, one.status) == (api, operation, status)]

    assert found == reasons


def test_a_recipe_makes_one_mistake(recipes: list[Recipe], address: str) -> None:
    """What the title tells is all that is against the request."""
    line = trial.Line(address)
    wrong = []
    for one in one_of_each([recipe for recipe in recipes if recipe.reason in ONE_MISTAKE]):
        world = f"mistakes-{one.name}"[:64]
        for outcome in trial.follow([one], address):
            assert outcome.seen == ""
        session = ""
        for request in one.requests:
            answer = trial.sent(request, line, world, session)
            session = trial.session_in(answer, request) or session
        noted = httpx.get(f"{address}/_mock/worlds/{world}/journal").json()["exchanges"][-1]
        if len(noted["violations"]) != 1:
            wrong.append((one.name, noted["violations"]))
    line.close()

    assert wrong == []


def test_a_recipe_that_leads_elsewhere_is_told(recipes: list[Recipe], address: str) -> None:
    """By its status, by its reason, and by a request that fails before."""
    one = next(recipe for recipe in recipes if recipe.reason == "duplicate")
    early = replace(one.requests[0], method="POST", target="/_mock/worlds/{world}/clock/advance", body="{}")
    others = [
        replace(one, status=422),
        replace(one, reason="dangling"),
        replace(one, organic=False),
        replace(one, requests=(early, *one.requests)),
    ]

    seen = [outcome.seen for outcome in trial.follow(others, address)]

    assert seen[0].startswith("it was answered 409 ")
    assert seen[1].startswith("the reason was duplicate, not dangling: 409 ")
    assert seen[2].startswith("it came without being asked for: 409 ")
    assert seen[3].startswith("POST /_mock/worlds/{world}/clock/advance before it was answered 400 ")


def test_a_trial_leaves_no_world_behind(recipes: list[Recipe], address: str) -> None:
    before = httpx.get(f"{address}/_mock/worlds").json()

    list(trial.follow(recipes[:10], address))

    assert httpx.get(f"{address}/_mock/worlds").json() == before


def test_a_recipe_has_a_name_that_a_world_can_have(recipes: list[Recipe]) -> None:
    assert len({one.name for one in recipes}) == len(recipes)
    assert [one.name for one in recipes if not worlds.NAME.fullmatch(one.name)] == []


def test_recipes_are_read_as_they_are_told(recipes: list[Recipe]) -> None:
    assert [Recipe.read(one.document()) for one in recipes] == recipes


@pytest.mark.parametrize(
    "settings",
    [
        Settings(scale=0),
        Settings(auth="lenient", max_body=150, strict_query=True),
        Settings(situation="expired-session"),
        Settings(situation="read-only", journal=0),
    ],
    ids=["no records", "lenient and small", "sessions that never live", "read-only"],
)
def test_the_recipes_are_those_of_the_server(settings: Settings) -> None:
    """Without records, with other credentials, with another limit: every error is reached, if need be by asking for it."""
    with serving(replace(settings, log="off", check_replies="all")) as base:
        assert missed(one_of_each(told(base)), base) == []


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of an API that has no examples, and whose books are not lent."""
    folder = tmp_path_factory.mktemp("library")
    for name, text in {
        "openapi/library/openapi.yaml": LIBRARY,
        "fixtures/library/credentials.yaml": "credentials: [{name: reader, secret: s3cret-key}]",
        "fixtures/library/data.yaml": "counts: {book: 3, loan: {per: book, min: 0, max: 0}}",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with serving(Settings(openapi=folder / "openapi", fixtures=folder / "fixtures", log="off", check_replies="all")) as base:
        yield base


def test_the_errors_of_another_api_are_reached(library: str) -> None:
    """Nothing but its documents is known of it."""
    recipes = told(library)

    assert missed(recipes, library) == []
    assert [one.name for one in recipes if not one.organic] == ["library-createBook-500-1"]


def test_a_record_that_stands_in_the_way_is_made_where_there_is_none(library: str) -> None:
    [guarded] = [one for one in told(library) if one.reason == "guarded"]

    assert [f"{request.method} {request.target.partition('?')[0]}" for request in guarded.requests] == [
        "POST /library/v1/books",
        "POST /library/v1/loans",
        "DELETE /library/v1/books/b-4",
    ]


def test_a_body_is_broken_in_every_way_that_its_schema_allows(library: str) -> None:
    titles = [one.title for one in told(library) if one.reason == "invalid_body"]

    assert titles == [
        "In the body, title is required.",
        "In the body, title must be a text, not null.",
        "In the body, title must be a text, not a number.",
        "In the body, genre must be one of novel, poem.",
        "In the body, title must have at most 60 characters.",
        "In the body, shelf_mark must be <= 9000.",
        "In the body, none-such is not known here.",
    ]


def test_a_parameter_is_broken_where_it_stands(library: str) -> None:
    """In the header, in a cookie, in the query; the others are sent as they must be."""
    found = [one for one in told(library) if one.reason == "invalid_parameter" and one.operation == "listBooks"]

    assert [(one.title, one.requests[-1].target.partition("?")[2], one.requests[-1].headers) for one in found] == [
        (
            "The header parameter X-Branch must be one of north, south.",
            "shelf=1&key=s3cret-key",
            (("X-Branch", "none-such"),),
        ),
        (
            "The cookie parameter tint must be an integer, not 'none-such'.",
            "shelf=1&key=s3cret-key",
            (("X-Branch", "north"), ("Cookie", "tint=none-such")),
        ),
        ("The query parameter shelf must be >= 1.", "key=s3cret-key&shelf=0", (("X-Branch", "north"),)),
    ]


@pytest.mark.parametrize(
    ("api", "operation", "reason"),
    [
        ("lemonsoft", "getCustomer", "unauthenticated"),  # the last of them has a session that ends
        ("fentu", "createCustomer", "too_large"),
        ("fentu", "listAssets", "rate_limited"),
        ("fentu", "createCustomer", "invalid_body"),
    ],
)
def test_a_shell_gets_the_error(recipes: list[Recipe], address: str, api: str, operation: str, reason: str) -> None:
    """The lines as they are printed, in any POSIX shell that has curl."""
    shell, there = shutil.which("sh"), shutil.which("curl")
    if shell is None or there is None:
        pytest.skip("no shell with curl")
    recipe = [one for one in recipes if (one.api, one.operation, one.reason) == (api, operation, reason)][-1]

    said = subprocess.run([shell], input="\n".join(script.lines(recipe, address)), capture_output=True, text=True, check=True)

    assert f"HTTP/1.1 {recipe.status} " in said.stdout.rpartition("100 Continue")[2]


def test_the_errors_asked_for_are_told(address: str) -> None:
    """By API, operation and status; a name that nothing has is refused with what was meant."""
    wanted: dict[str, str | int] = {"api": "fentu", "operation": "deleteCustomer", "status": 409}

    found = httpx.get(f"{address}/_mock/errors", params=wanted).json()["errors"]
    unknown = httpx.get(f"{address}/_mock/errors", params={"api": "fentu", "operation": "deleteCustomers"})

    assert [(one["api"], one["operation"], one["status"]) for one in found] == [("fentu", "deleteCustomer", 409)]
    assert unknown.status_code == 404
    assert unknown.json()["violations"] == [
        {
            "in": "query",
            "pointer": "/operation",
            "message": "names operation deleteCustomers, which does not exist; did you mean deleteCustomer?",
        }
    ]


def test_no_path_leads_out_of_the_server(recipes: list[Recipe]) -> None:
    """A recipe goes to its API and to the control of its world, and nowhere else."""
    targets = {request.target for one in recipes for request in one.requests}

    assert [t for t in targets if not t.startswith(("/fentu/", "/lemonsoft/", "/keychain/", "/_mock/worlds/{world}/"))] == []
