"""Bodies that break their schema in one chosen way, at one chosen place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS30ReadValidator, oas30_format_checker

from mock_server import breaks, contract, documents, fixtures
from mock_server.breaks import WAYS, Unbreakable, broken, check, ways
from mock_server.contract import Contract, Json
from mock_server.documented import Documented
from mock_server.documents import pointer as pointer_of
from mock_server.reply import Reply
from mock_server.schemas import followed, resolved

ROOT = Path(__file__).parent.parent
CONTRACTS = contract.load_all(ROOT / "openapi")
_, DATA = fixtures.load(ROOT / "fixtures", CONTRACTS, lenient=False)

WORKSHOP = """\
openapi: 3.0.3
info: {title: Workshop, version: v1}
x-origin: seed
servers: [{url: "http://localhost:8080/workshop"}]
x-semantics:
  times: {zone: Z, precision: seconds}
  envelopes: {one: $record}
  refusals: {body: {message: $message}}
  resources:
    tool:
      schema: "#/components/schemas/Tool"
      id: {property: id}
paths:
  /tools/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}, x-semantics: {identifies: tool}}]
    get:
      operationId: getTool
      x-semantics: {action: get, resource: tool, envelope: one}
      responses:
        "200":
          description: A tool.
          content: {application/json: {schema: {$ref: "#/components/schemas/Tool"}}}
        "204": {description: Nothing.}
        4XX: {description: Why not., content: {application/json: {schema: {$ref: "#/components/schemas/Why"}}}}
components:
  schemas:
    Why: {type: object, required: [message], properties: {message: {type: string}}}
    Tool:
      type: object
      additionalProperties: false
      required: [id, "a/b~c", secret]
      properties:
        id: {type: integer, format: int64, minimum: 1}
        "a/b~c": {type: boolean}
        secret: {type: string, writeOnly: true}
        free: {}
        any: {oneOf: [{type: integer}, {type: string}]}
        name: {type: string, minLength: 2, maxLength: 5, nullable: true}
        code: {type: string, pattern: "^[A-Z]{3}$", example: ABC}
        serial: {type: string, pattern: "^[a-z]*$", minLength: 4, maxLength: 8, example: abcd}
        mail: {type: string, format: email, maxLength: 40}
        day: {type: string, format: date, pattern: "^[0-9-]*$"}
        kind: {type: string, enum: [hand, power]}
        grade: {type: integer, enum: [1, 2, 3], nullable: true}
        level: {enum: [low, high]}
        count: {type: integer, format: int32}
        step: {type: integer, minimum: 10, maximum: 20, multipleOf: 10}
        share: {type: number, minimum: 0, exclusiveMinimum: true, maximum: 1, exclusiveMaximum: true}
        worn: {type: boolean, enum: [false]}
        marks: {type: array, minItems: 1, maxItems: 3, items: {type: string, maxLength: 3}}
        few: {type: array, maxItems: 3, items: {type: integer}}
        distinct: {type: array, maxItems: 3, uniqueItems: true, items: {type: integer}}
        by: {type: object, additionalProperties: {type: string}}
        size: {nullable: true, allOf: [{$ref: "#/components/schemas/Size"}, {required: [tall]}]}
        parts: {type: array, items: {$ref: "#/components/schemas/Tool"}}
    Size:
      type: object
      required: [wide]
      properties: {wide: {type: number, minimum: 0}, tall: {type: number}}
"""
TOOL: dict[str, Any] = {
    "id": 1,
    "a/b~c": True,
    "free": 1,
    "any": 1,
    "name": "saw",
    "code": "ABC",
    "serial": "abcd",
    "mail": "a@b.example",
    "day": "2024-01-31",
    "kind": "hand",
    "grade": 2,
    "level": "low",
    "count": 5,
    "step": 20,
    "share": 0.5,
    "worn": False,
    "marks": ["a", "b"],
    "few": [1, 2],
    "distinct": [1, 2],
    "by": {"ann": "x", "bob": "y"},
    "size": {"wide": 1, "tall": 2},
    "parts": [{"id": 2, "a/b~c": False}],
}
TEXT, ALL = ("null", "type"), ("missing", "null", "type")
OF_TOOL = {  # pointer -> ways
    "": (*TEXT, "extra"),
    "/id": (*ALL, "bounds"),
    "/a~1b~0c": ALL,
    "/name": ("type", "length"),
    "/code": (*TEXT, "pattern"),
    "/serial": (*TEXT, "pattern", "length"),
    "/mail": (*TEXT, "format", "length"),
    "/day": (*TEXT, "format"),
    "/kind": (*TEXT, "enum"),
    "/grade": ("type", "enum"),
    "/level": ("enum",),
    "/count": (*TEXT, "bounds"),
    "/step": (*TEXT, "bounds"),
    "/share": (*TEXT, "bounds"),
    "/worn": (*TEXT, "enum"),
    "/marks": (*TEXT, "length"),
    "/marks/*": (*TEXT, "length"),
    "/few": (*TEXT, "length"),
    "/few/*": TEXT,
    "/distinct": TEXT,
    "/distinct/*": TEXT,  # of the first
    "/by": TEXT,
    "/by/*": TEXT,
    "/size": ("type",),
    "/size/wide": (*ALL, "bounds"),
    "/size/tall": ALL,
    "/parts": TEXT,
}
SINGLY = [(pointer, way) for pointer, there in OF_TOOL.items() for way in there if pointer != "/distinct/*"]


def compiled(text: str) -> Contract:
    path = Path("openapi/workshop/openapi.yaml")
    return contract.compiled(documents.read(text.encode(), str(path)), path, "workshop")


API = compiled(WORKSHOP)
GET = API.operations["getTool"]
EVERY = {**CONTRACTS, contract.CONTROL: contract.load(ROOT / "openapi" / "control" / "openapi.yaml", contract.CONTROL)}
DOCUMENTED = {name: Documented(api, DATA.get(name)) for name, api in EVERY.items()}


@cache
def breakable() -> tuple[tuple[str, str, int, str, str], ...]:
    """Whatever can be broken: API, operation, status, pointer, way. Of a refusal only one operation's: they are alike."""
    found: dict[tuple[str, object, int], str] = {}
    for name, api in EVERY.items():
        for id, operation in api.operations.items():
            for status in operation.statuses:
                key = (name, id if status == operation.status else "", status)
                found.setdefault(key, id)
    return tuple(
        (name, id, status, pointer, way)
        for (name, _, status), id in found.items()
        for pointer, there in ways(EVERY[name], EVERY[name].operations[id], status).items()
        for way in there
    )


Steps = tuple[str, ...]


def standing(value: Json, steps: Steps, path: Steps = ()) -> Iterator[tuple[Steps, Json]]:
    """What stands in a body at a pointer, with the way to it."""
    if not steps:
        yield path, value
    elif isinstance(value, list):
        for index, part in enumerate(value):
            if steps[0] in ("*", str(index)):
                yield from standing(part, steps[1:], (*path, str(index)))
    elif isinstance(value, dict):
        for name, part in value.items():
            if steps[0] in ("*", name):
                yield from standing(part, steps[1:], (*path, name))


def steps_of(pointer: str) -> Steps:
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def violated(api: Contract, id: str, status: int, body: bytes) -> set[tuple[str, str]]:
    """Keyword and pointer of all that a body breaks, as a validator sees it that the server does not use."""
    responses = api.document["paths"][api.operations[id].path][api.operations[id].method.lower()]["responses"]
    content = followed(responses.get(str(status), responses.get("4XX")), api.document)["content"]
    schema = resolved(content["application/json"]["schema"], api.document, {})
    found = set()
    for error in OAS30ReadValidator(schema, format_checker=oas30_format_checker).iter_errors(json.loads(body)):
        path = tuple(map(str, error.absolute_path))
        for name in _blamed(error):
            keyword = "maximum" if error.validator == "format" and isinstance(error.instance, int) else str(error.validator)
            found.add((keyword, pointer_of((*path, *name))))  # To this validator int32 is a format; to the server it is bounds.
    return found


def _blamed(error: Any) -> list[tuple[str, ...]]:
    """The properties of the value that an error is about; the value itself, if it names none."""
    if error.validator == "required":
        return [(name,) for name in error.validator_value if name not in error.instance and f"'{name}'" in error.message]
    if error.validator == "additionalProperties":
        return [(name,) for name in error.instance if f"'{name}'" in error.message]
    return [()]


BESIDE = {"null": {"enum"}, "type": {"enum"}}  # What has a wrong type is no member either.


def held(api: Contract, id: str, reply: Reply, pointer: str, way: str) -> None:
    """That a reply, broken so, breaks that and nothing else; and that it is broken if it has anything there."""
    assert reply.body is not None
    assert violated(api, id, reply.status, reply.body) == set()
    there = dict(standing(json.loads(reply.body), steps_of(pointer)))
    wanted = {path for path, value in there.items() if changeable(value, way)}
    spoiled = broken(api, api.operations[id], reply, pointer, way)
    if spoiled is None:
        assert not wanted
        return
    assert spoiled.body is not None
    assert (spoiled.status, spoiled.headers) == (reply.status, reply.headers)
    found = violated(api, id, reply.status, spoiled.body)
    beyond = ("unexpected",) if way == "extra" else ()
    assert {where for keyword, where in found if keyword in WAYS[way]} == {pointer_of((*path, *beyond)) for path in wanted}
    assert {where for _, where in found} == {pointer_of((*path, *beyond)) for path in wanted}
    assert {keyword for keyword, _ in found} <= WAYS[way] | BESIDE.get(way, set())


def changeable(value: Json, way: str) -> bool:
    """Nothing can be added to what is no object, and an empty list has nothing to repeat."""
    return isinstance(value, dict) if way == "extra" else way != "length" or value != []


@settings(max_examples=300)
@given(st.data(), st.integers(0, 2**64), st.booleans())
def test_a_broken_answer_breaks_what_was_chosen_and_nothing_else(data: st.DataObject, seed: int, dynamic: bool) -> None:
    """For every operation, status, pointer and way that the contracts leave."""
    name, id, status, pointer, way = data.draw(st.sampled_from(breakable()))
    reply = DOCUMENTED[name].reply(EVERY[name].operations[id], status, dynamic=dynamic, seed=seed)

    check(EVERY[name], EVERY[name].operations[id], status, pointer, way)
    held(EVERY[name], id, reply, pointer, way)


def test_the_contracts_can_be_broken_in_every_way() -> None:
    assert {way for *_, way in breakable()} == set(WAYS)
    assert {name for name, *_ in breakable()} == set(EVERY)


def test_an_answer_of_the_server_is_broken_as_well(fentu: httpx.Client) -> None:
    """Of a page of real records each one, or the one that is named."""
    answer = fentu.get("customers", params={"per_page": 5})
    reply = Reply(answer.status_code, answer.content)
    api = EVERY["fentu"]

    for pointer, there in ways(api, api.operations["listCustomers"], 200).items():
        for way in there:
            held(api, "listCustomers", reply, pointer, way)
            held(api, "listCustomers", reply, pointer.replace("*", "3"), way)


def test_every_way_there_is_is_listed() -> None:
    """By pointer; what contains itself is entered once, and what has alternatives is not entered."""
    assert ways(API, GET, 200) == OF_TOOL


@pytest.mark.parametrize(("pointer", "way"), SINGLY)
def test_each_way_breaks_one_keyword(pointer: str, way: str) -> None:
    """Also where a value has to keep others: a format within a length, a length within a pattern."""
    reply = Reply(200, json.dumps(TOOL).encode(), ((b"x-a", b"b"),))

    check(API, GET, 200, pointer, way)
    assert broken(API, GET, reply, pointer, way) is not None
    held(API, "getTool", reply, pointer, way)


@pytest.mark.parametrize(
    ("pointer", "way", "changes"),
    [
        ("/marks/1", "null", {"marks": ["a", None]}),
        ("/marks/*", "null", {"marks": [None, None]}),
        ("/marks", "length", {"marks": []}),
        ("/few", "length", {"few": [1, 2, 1, 2]}),
        ("/distinct/*", "type", {"distinct": ["17", 2]}),
        ("/by/bob", "type", {"by": {"ann": "x", "bob": 17}}),
        ("/by/*", "null", {"by": {"ann": None, "bob": None}}),
        ("/size/wide", "missing", {"size": {"tall": 2}}),
        ("/id", "bounds", {"id": 0}),
        ("/kind", "enum", {"kind": "unknown"}),
        ("", "extra", {"unexpected": True}),
        ("/parts/0/id", "type", {"parts": [{"id": "17", "a/b~c": False}]}),
        ("/parts/*", "extra", {"parts": [{"id": 2, "a/b~c": False, "unexpected": True}]}),
    ],
)
def test_what_is_broken_looks_like_a_mistake_that_happens(pointer: str, way: str, changes: dict[str, Json]) -> None:
    """A * means every element, an index one; what is below what contains itself can be named too."""
    spoiled = broken(API, GET, Reply(200, json.dumps(TOOL).encode()), pointer, way)

    assert spoiled is not None
    assert json.loads(spoiled.body or b"") == TOOL | changes


@pytest.mark.parametrize(
    ("body", "pointer", "way"),
    [
        (b'{"id": 1, "a/b~c": true}', "/name", "type"),
        (b'{"id": 1, "a/b~c": true, "marks": ["a"]}', "/marks/1", "null"),
        (b'{"id": 1, "a/b~c": true, "few": []}', "/few", "length"),
        (b'{"id": 1, "a/b~c": true, "size": null}', "/size/wide", "missing"),
        (b'{"id": 1, "a/b~c": true}', "/nowhere", "type"),
        (b'{"id": 1, "a/b~c": true}', "/id", "format"),
        (b"[]", "/id", "type"),
        (b"no JSON", "", "type"),
        (b"", "", "type"),
        (None, "", "type"),
    ],
)
def test_a_body_that_has_nothing_there_is_left_alone(body: bytes | None, pointer: str, way: str) -> None:
    assert broken(API, GET, Reply(200, body), pointer, way) is None


def test_a_body_that_is_broken_already_is_broken_further() -> None:
    """Two faults can act on one answer."""
    spoiled = broken(API, GET, Reply(200, b'{"id": 0, "name": "saw"}'), "/name", "type")

    assert spoiled == Reply(200, b'{"id":0,"name":17}')


def test_answers_by_range_are_known() -> None:
    assert broken(API, GET, Reply(404, b'{"message":"gone"}'), "/message", "missing") == Reply(404, b"{}")
    assert broken(API, GET, Reply(500, b'{"message":"gone"}'), "/message", "missing") is None


@pytest.mark.parametrize(
    ("status", "pointer", "way", "told"),
    [
        (
            200,
            "/id",
            "gone",
            "there is no way 'gone' to break a body; there are missing, null, type, enum, format, pattern, length, bounds, extra",
        ),
        (200, "/name", "missing", "/name of getTool 200 can be broken by type, length, not by missing"),
        (200, "/free", "type", "/free of getTool 200 can be broken in no way, not by type"),
        (200, "", "bounds", "the body of getTool 200 can be broken by null, type, extra, not by bounds"),
        (200, "/secret", "missing", "getTool 200 has nothing at '/secret'; there is /share, /serial, /step, /size, /code"),
        (200, "/size/width", "missing", "getTool 200 has nothing at '/size/width'; there is /size/wide, /size/tall, /size"),
        (204, "", "type", "getTool 204 has no JSON body in the contract, so nothing in it can be broken"),
        (500, "", "type", "getTool 500 has no JSON body in the contract, so nothing in it can be broken"),
    ],
)
def test_what_cannot_be_broken_is_told_with_what_can(status: int, pointer: str, way: str, told: str) -> None:
    """The ways that there are at a place, or the places near."""
    with pytest.raises(Unbreakable) as caught:
        check(API, GET, status, pointer, way)

    assert str(caught.value) == told


def test_a_pointer_far_from_all_is_told_some() -> None:
    with pytest.raises(Unbreakable) as caught:
        check(API, GET, 200, "/zzzzzzzz", "type")

    assert str(caught.value).startswith("getTool 200 has nothing at '/zzzzzzzz'; there is (the body), /id, ")


@given(st.text(), st.sampled_from([*WAYS]))
def test_whatever_pointer_is_given_is_checked_or_refused(pointer: str, way: str) -> None:
    """Never anything else."""
    try:
        check(API, GET, 200, pointer, way)
    except Unbreakable:
        return
    assert way in breaks.WAYS
