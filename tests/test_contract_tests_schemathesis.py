"""Schemathesis as one of the laws: an id that is the name of another path is held against nobody, and time is kept."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract_tests import coverage, runner, settings
from contract_tests.callers import Caller
from contract_tests.defects import application
from contract_tests.findings import Result
from contract_tests.laws import SCHEMATHESIS
from contract_tests.meant import Meant
from contract_tests.schemathesis_suite import AFTER, LEAST, NOT_SENT, WHOLE, Through, allowed
from contract_tests.targets import InProcess
from mock_server import contract

LIBRARY = """\
openapi: 3.0.3
info: {title: Library, version: v1}
servers: [{url: http://localhost:8080/library/v1}]
x-origin: seed
x-semantics:
  envelopes: {one: $record, all: $records}
  refusals: {body: {message: $message}}
  resources:
    book: {schema: "#/components/schemas/Book", id: {property: id, pattern: "b-{n}"}}
paths:
  /books:
    get:
      operationId: listBooks
      x-semantics: {action: list, resource: book, envelope: all}
      responses: {"200": {$ref: "#/components/responses/Books"}}
    post:
      operationId: createBook
      x-semantics: {action: create, resource: book, envelope: one}
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Book"}}}}
      responses:
        "201": {$ref: "#/components/responses/Book"}
        "400": {$ref: "#/components/responses/Refusal"}
        "415": {$ref: "#/components/responses/Refusal"}
  /books/short:
    get:
      operationId: listShortBooks
      x-semantics: {action: list, resource: book, envelope: all}
      responses: {"200": {$ref: "#/components/responses/Books"}}
  /books/{id}:
    parameters:
      - name: id
        in: path
        required: true
        x-semantics: {identifies: book}
        schema: {type: string}
        examples: {there: {value: b-1}, odd: {value: short}, odder: {value: "short/"}, oddest: {value: Short}}
    get:
      operationId: getBook
      x-semantics: {action: get, resource: book, envelope: one}
      responses:
        "200": {$ref: "#/components/responses/Book"}
        "404": {$ref: "#/components/responses/Refusal"}
    put:
      operationId: updateBook
      x-semantics: {action: update, resource: book, envelope: one}
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Book"}}}}
      responses:
        "200": {$ref: "#/components/responses/Book"}
        "400": {$ref: "#/components/responses/Refusal"}
        "404": {$ref: "#/components/responses/Refusal"}
        "415": {$ref: "#/components/responses/Refusal"}
    delete:
      operationId: deleteBook
      x-semantics: {action: delete, resource: book}
      responses:
        "204": {description: It is gone.}
        "404": {$ref: "#/components/responses/Refusal"}
components:
  responses:
    Books: {description: Books., content: {application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Book"}}}}}
    Book: {description: A book., content: {application/json: {schema: {$ref: "#/components/schemas/Book"}}}}
    Refusal: {description: No., content: {application/json: {schema: {type: object, properties: {message: {type: string}}}}}}
  schemas:
    Book:
      type: object
      additionalProperties: false
      properties:
        id: {type: string, readOnly: true}
        title: {type: string}
"""
ALLOWED = {"books": "GET, POST", "short": "GET", "book": "GET, PUT, DELETE"}


class Library:
    """A sound implementation: what a path names exactly comes first, and what it does not have is 405."""

    def __init__(self, answers: Mapping[tuple[str, str], tuple[int, Any]] | None = None) -> None:
        self.books = {"b-1": {"id": "b-1", "title": "Emma"}}
        self.count = 1
        self.answers = answers or {}  # method and path -> what is answered in place of what is right

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        sent = b""
        while (message := await receive()).get("more_body"):
            sent += message["body"]
        method, path = scope["method"], scope["path"].removeprefix("/library/v1")
        own = self.answers.get((method, path)) or self.answers.get(("*", path))
        headers = dict(scope["headers"])
        status, body, more = (*own, {}) if own else self.answer(method, path, sent + message.get("body", b""), headers)
        named = {**more, **({} if body is None else {"content-type": "application/json"})}
        listed = [(name.encode(), value.encode()) for name, value in named.items()]
        await send({"type": "http.response.start", "status": status, "headers": listed})
        await send({"type": "http.response.body", "body": b"" if body is None else json.dumps(body).encode()})

    def answer(self, method: str, path: str, sent: bytes, headers: Mapping[bytes, bytes]) -> tuple[int, Any, dict[str, str]]:
        id = path.removeprefix("/books/")
        place = {"/books": "books", "/books/short": "short"}.get(path) or ("book" if "/" not in id and id else "")
        if not place:
            return 404, {"message": "no such path"}, {}
        if method not in ALLOWED[place]:
            return 405, {"message": "no such method"}, {"allow": ALLOWED[place]}
        if place == "book" and id not in self.books:
            return 404, {"message": "no such book"}, {}
        if method in ("POST", "PUT"):
            return self.write(method, id, sent, headers)
        if method == "DELETE":
            del self.books[id]
            return 204, None, {}
        return 200, self.books[id] if place == "book" else list(self.books.values()), {}

    def write(self, method: str, id: str, sent: bytes, headers: Mapping[bytes, bytes]) -> tuple[int, Any, dict[str, str]]:
        if headers.get(b"content-type", b"").partition(b";")[0] != b"application/json":
            return 415, {"message": "no JSON"}, {}
        try:
            value = json.loads(sent)
        except ValueError:
            return 400, {"message": "no JSON"}, {}
        if not isinstance(value, dict) or not isinstance(value.get("title", ""), str) or not set(value) <= {"id", "title"}:
            return 400, {"message": "no book"}, {}
        if method == "POST":
            self.count += 1
            id = f"b-{self.count}"
        self.books[id] = {"id": id, **{name: text for name, text in value.items() if name == "title"}}
        return 201 if method == "POST" else 200, self.books[id], {}


@pytest.fixture
def library(tmp_path: Path) -> contract.Contract:
    folder = tmp_path / "openapi" / "library"
    folder.mkdir(parents=True)
    (folder / "openapi.yaml").write_text(LIBRARY)
    return contract.load(folder / "openapi.yaml", "library")


def judged(library: contract.Contract, served: Library, *laws: str, seed: int = 1) -> Result:
    chosen = replace(
        settings.read(["fentu"], {}),
        contracts={"library": library},
        credentials={},
        laws=(SCHEMATHESIS, *laws),
        seed=seed,
        examples=10,
    )
    return runner.run(chosen, targets=lambda own: InProcess("library", served, own.base_path))


def told(result: Result) -> set[tuple[str, str, str]]:
    return {(one.law, one.operation, one.subject) for one in result.findings}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_id_that_is_the_name_of_another_path_is_held_against_nobody(library: contract.Contract, seed: int) -> None:
    """Not by the checks of Schemathesis, nor by laws that judge all answers, and it is no call of the operation."""
    result = judged(library, Library(), "declared-answers", "envelopes", "no-server-errors", seed=seed)

    exchanges = result.exchanges["library"]
    asked = {(one.request.method, one.request.target, one.answer.status) for one in exchanges}
    assert {("PUT", "/books/short", 405), ("DELETE", "/books/short", 405), ("GET", "/books/short", 200)} <= asked
    assert [(one.law, one.operation, one.subject, one.expected, one.seen) for one in result.findings] == []
    reached = {one.operation.operation_id: one.statuses for one in coverage.covered(library, exchanges)}
    assert 405 not in reached["updateBook"]
    assert set(reached["getBook"]) == {200, 404}


def test_a_server_that_fails_at_such_a_path_is_told(library: contract.Contract) -> None:
    """Nobody may fail, whoever is asked."""
    found = told(judged(library, Library({("PUT", "/books/short"): (500, {"message": "oh"})}), "no-server-errors"))

    assert {law for law, _, _ in found} == {SCHEMATHESIS, "no-server-errors"}


def test_a_fault_of_the_operation_itself_is_told(library: contract.Contract) -> None:
    """At ids that nothing else is called."""
    found = told(judged(library, Library({("GET", "/books/b-1"): (200, {"id": 7})}), "declared-answers"))

    assert (SCHEMATHESIS, "getBook", "response_schema_conformance") in found
    assert {operation for _, operation, _ in found} == {"getBook"}


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/books", "/books"),
        ("/books?title=/books/short", "/books"),
        ("/books/short", "/books/short"),
        ("/books/b-1", "/books/{id}"),
        ("/books/b%2D1?x=1", "/books/{id}"),
        ("/books/shorter", "/books/{id}"),
        ("/books/%25", "/books/{id}"),
        ("/books/%C3%A9%20", "/books/{id}"),
        ("/books/...", "/books/{id}"),
        ("/books/Short", None),
        ("/books/%73hort", None),
        ("/books/SH%4FRT", None),
        ("/books/short%2F", None),
        ("/books/b-1%2fshort", None),
        ("/books/a%5Cb", None),
        ("/books/.", None),
        ("/books/..", None),
        ("/books/%2e%2E", None),
        ("/books/", None),
        ("/books//", None),
        ("/books/b-1/", None),
        ("//books", None),
        ("/nobody-has-this", None),
    ],
)
def test_a_target_meets_one_path_or_none(library: contract.Contract, target: str, path: str | None) -> None:
    """None where servers may read it in more than one way."""
    meant, paths = Meant(library), dict.fromkeys(operation.path for operation in library.operations.values())

    assert [one for one in paths if meant.meets(one, target)] == ([path] if path else [])


def test_a_method_that_the_nearest_path_lacks_meets_nothing(library: contract.Contract) -> None:
    """Though it is what a creation that was not answered may have meant."""
    meant = Meant(library)

    assert meant.met("PUT", "/books/short") is None
    assert meant.by("PUT", "/books/short") == (library.operations["updateBook"], {"book": "short"})
    assert meant.met("GET", "/books/short") is library.operations["listShortBooks"]
    assert meant.met("PUT", "/books/b-1") is library.operations["updateBook"]
    assert meant.met("PATCH", "/books/b-1") is None


# Time


@pytest.mark.parametrize(
    ("spent", "left"),
    [(0, WHOLE - AFTER), (4, WHOLE - AFTER - 6), (10, WHOLE - AFTER - 15), (WHOLE / 2, LEAST), (3600, LEAST)],
)
def test_schemathesis_gets_what_is_left_of_a_minute(spent: float, left: float) -> None:
    """And never nothing, where the laws before it took long."""
    assert allowed(spent) == left


def asked(through: Through) -> tuple[int, bool]:
    """The status that an application answers a request with, and whether it is marked as none of the server's."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/keychain/v1/customers", "query_string": b"", "headers": []}
    asyncio.run(through(scope, receive, send))
    return int(sent[0]["status"]), NOT_SENT.encode() in dict(sent[0]["headers"])


def test_nothing_is_sent_once_the_time_is_over() -> None:
    """Schemathesis ends with the request that is under way, whatever it had planned."""
    contract = settings.read(["keychain"], {}).contracts["keychain"]
    caller = Caller(contract, InProcess("keychain", application("keychain"), contract.base_path))
    early, late = (Through(caller, time.perf_counter() + seconds) for seconds in (60, -1))

    assert (asked(early), early.over, early.late) == ((401, False), False, False)
    assert (asked(late), late.over, late.late) == ((503, True), True, True)
    assert len(caller.exchanges) == 1
    caller.target.close()
