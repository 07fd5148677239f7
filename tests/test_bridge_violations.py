"""Schemas as requests and answers read them, and what a caller is told."""

from __future__ import annotations

import time
from typing import Any

import pytest

from mock_server.bridge import violations
from mock_server.bridge.schemas import Schemas, Side
from mock_server.refusals import Violation

DOCUMENT: dict[str, Any] = {
    "components": {
        "schemas": {
            "Id": {"type": "integer", "readOnly": True},
            "Secret": {"type": "string", "writeOnly": True},
            "Account": {
                "type": "object",
                "required": ["id", "name", "secret"],
                "properties": {
                    "id": {"$ref": "#/components/schemas/Id"},
                    "name": {"type": "string"},
                    "secret": {"$ref": "#/components/schemas/Secret"},
                },
            },
            "Folder": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string"},
                    "inside": {"type": "array", "items": {"$ref": "#/components/schemas/Folder"}},
                },
            },
        }
    }
}
SCHEMAS = Schemas(DOCUMENT)
ACCOUNT = {"$ref": "#/components/schemas/Account"}
FOLDER = {"$ref": "#/components/schemas/Folder"}


def told(schema: dict[str, Any], value: object, side: Side = "request") -> list[str]:
    """The pointer and message of each violation."""
    found = violations.found(SCHEMAS.compiled(schema, side), value, "body")
    assert all(violation.where == "body" for violation in found)
    return [f"{violation.pointer} {violation.message}".lstrip() for violation in found]


@pytest.mark.parametrize(
    ("schema", "value", "messages"),
    [
        ({"type": "integer"}, "x", ["must be an integer, not a text"]),
        ({"type": "integer"}, 1.0, ["must be an integer, not a decimal number"]),
        ({"type": "integer"}, True, ["must be an integer, not true or false"]),
        ({"type": "string"}, None, ["must be a text, not null"]),
        ({"type": "object"}, [], ["must be an object, not a list"]),
        ({"type": "string", "nullable": True}, 3, ["must be a text or null, not a number"]),
        ({"enum": ["a", "b", ""]}, "c", ['must be one of a, b, ""']),
        ({"enum": ["a"]}, "c", ["must be a"]),
        ({"enum": [1, None]}, "c", ["must be one of 1, null"]),
        ({"minimum": 0}, -1, ["must be >= 0"]),
        ({"maximum": 100}, 101, ["must be <= 100"]),
        ({"minimum": 0, "exclusiveMinimum": True}, 0, ["must be > 0"]),
        ({"maximum": 1, "exclusiveMaximum": True}, 1, ["must be < 1"]),
        ({"multipleOf": 5}, 7, ["must be a multiple of 5"]),
        ({"maxLength": 1}, "ab", ["must have at most 1 character"]),
        ({"minLength": 3}, "ab", ["must have at least 3 characters"]),
        ({"maxItems": 2}, [1, 2, 3], ["must have at most 2 items"]),
        ({"minItems": 1}, [], ["must have at least 1 item"]),
        ({"uniqueItems": True}, [1, 1], ["must not list a value twice"]),
        ({"minProperties": 1}, {}, ["must have at least 1 property"]),
        ({"maxProperties": 0}, {"a": 1}, ["must have at most 0 properties"]),
        ({"pattern": "^[A-Z]+$"}, "abc", ["has a wrong form"]),
        ({"pattern": "^[A-Z]+$", "example": "ABC"}, "abc", ["must look like ABC"]),
        ({"pattern": "^[A-Z]+$", "title": "A code"}, "abc", ["has a wrong form: A code"]),
        (
            {"pattern": "^[A-Z]+$", "description": "A code, v1.0\n of us. Or not."},
            "abc",
            ["has a wrong form: A code, v1.0 of us"],
        ),
        (
            {"properties": {"a": {"nullable": True, "allOf": [{"pattern": "^A$", "example": "A"}]}}},
            {"a": "b"},
            ["/a must look like A"],
        ),
        ({"pattern": "^A$", "format": "email", "minLength": 1}, "", ["must be an e-mail address like jane@example.com, not ''"]),
        ({"type": "string", "enum": ["a", "b"]}, 1, ["must be one of a, b"]),
        ({"allOf": [{"maxLength": 1}, {"maxLength": 1}]}, "ab", ["must have at most 1 character"]),
        ({"format": "date"}, "31.1.2024", ["must be a date like 2024-01-31, not '31.1.2024'"]),
        ({"format": "date-time"}, "2024-01-31", ["must be a date and time like 2024-01-31T12:00:00Z, not '2024-01-31'"]),
        ({"format": "email"}, "jane", ["must be an e-mail address like jane@example.com, not 'jane'"]),
        ({"format": "uuid"}, "1", ["must be a UUID like 123e4567-e89b-12d3-a456-426614174000, not '1'"]),
        ({"format": "date"}, "x" * 99, [f"must be a date like 2024-01-31, not '{'x' * 39}…'"]),
        ({"required": ["a/b~c"]}, {}, ["/a~1b~0c is required"]),
        ({"additionalProperties": False}, {"x": 1}, ["/x is not known here"]),
        ({"properties": {"a": {"items": {"type": "string"}}}}, {"a": ["x", 1]}, ["/a/1 must be a text, not a number"]),
        ({"allOf": [{"required": ["a"]}, {"required": ["b"]}]}, {}, ["/a is required", "/b is required"]),
        ({"not": {"type": "string"}}, "x", ["must not be there, or not in this form"]),
        ({"type": "integer", "format": "int32"}, 2**31, ["must be <= 2147483647"]),
        ({"type": "integer", "format": "int32", "minimum": 5}, 4, ["must be >= 5"]),
        ({"type": "integer", "format": "int64"}, -(2**63) - 1, ["must be >= -9223372036854775808"]),
    ],
)
def test_a_caller_is_told_what_would_be_right(schema: dict[str, Any], value: object, messages: list[str]) -> None:
    """In words, with the place, and without the whole value."""
    assert told(schema, value) == messages


def test_all_violations_are_told() -> None:
    """Not the first only."""
    schema = {"required": ["a"], "properties": {"b": {"type": "string"}, "c": {"maxLength": 1}}}

    assert sorted(told(schema, {"b": 1, "c": "xx"})) == [
        "/a is required",
        "/b must be a text, not a number",
        "/c must have at most 1 character",
    ]


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        ({"name": "x"}, []),
        (None, []),
        ({"name": 3}, ["/name must be a text, not a number"]),
        ({}, ["/name is required"]),
        (3, ["must be an object, not a number"]),
    ],
)
def test_a_nullable_composition_is_told_as_what_it_composes(value: object, messages: list[str]) -> None:
    """Null fits it; the rest is judged as if there were no null."""
    assert told({"nullable": True, "allOf": [FOLDER]}, value) == messages


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        ("x", []),
        ({"name": 1}, ["/name must be a text, not a number"]),
        (1, ["must fit one of 2 forms and fits none"]),
    ],
)
def test_of_alternatives_the_one_that_was_meant_is_told(value: object, messages: list[str]) -> None:
    """By the type of the value, if that leaves one."""
    assert told({"anyOf": [{"type": "string"}, FOLDER]}, value) == messages
    assert told({"oneOf": [{"type": "string"}, FOLDER]}, value) == messages


def test_what_fits_several_of_one_is_told() -> None:
    """Exactly one is what oneOf means."""
    assert told({"oneOf": [{"type": "integer"}, {"minimum": 0}]}, 1) == ["must fit exactly one of several forms and fits more"]


def test_recursive_schemas_are_followed() -> None:
    """As deep as the value goes."""
    value = {"name": "a", "inside": [{"name": "b", "inside": [{}]}]}

    assert told(FOLDER, value) == ["/inside/0/inside/0/name is required"]


def test_what_the_server_assigns_is_not_demanded_of_a_request() -> None:
    """What is required and readOnly is for answers; sent all the same, it passes."""
    assert told(ACCOUNT, {"name": "x", "secret": "s"}) == []
    assert told(ACCOUNT, {"id": 1, "name": "x", "secret": "s"}) == []


def test_a_secret_is_not_answered() -> None:
    """What is required and writeOnly is for requests; in an answer it is a mistake."""
    assert told(ACCOUNT, {"id": 1, "name": "x"}, "response") == []
    assert told(ACCOUNT, {"name": "x", "secret": "s"}, "response") == [
        "/id is required",
        "/secret must not be there, or not in this form",
    ]


def test_null_fits_an_enumeration_without_null_in_answers_only() -> None:
    """OpenAPI 3.0.3 wants null listed; answers are read leniently, as Schemathesis reads them."""
    schema = {"type": "string", "nullable": True, "enum": ["a", "b"]}

    assert told(schema, None) == ["must be one of a, b"]
    assert told(schema, None, "response") == []


def test_a_time_may_lack_its_zone_where_the_api_has_none() -> None:
    """In parameters of such an API."""
    validator = SCHEMAS.compiled({"type": "string", "format": "date-time"}, "request", local_time=True)

    for text in (
        "2024-05-17T11:36:35.457",
        "2024-05-17T11:36",
        "2024-05-17",
        "2024-05-17T11:36:35Z",
        "2024-05-17T11:36:35+02:00",
    ):
        assert validator.is_valid(text), text
    for text in ("2024-05-32", "17.5.2024", "2024-05-17 11:36", "2024-05-17T25:00", "", "٢٠٢٤-05-17"):
        assert violations.found(validator, text, "query") == [
            Violation("query", "", f"must be a date and time like 2024-01-31T12:00:00, not '{text}'")
        ]


def test_there_is_an_end_to_violations() -> None:
    """A megabyte of mistakes is not answered with a hundred."""
    assert len(told({"items": {"type": "string"}}, list(range(5000)))) == violations.MOST


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"items": {"type": "string"}}, "/0 must be a text, not a number"),
        ({"nullable": True, "allOf": [{"items": {"type": "string"}}]}, "does not fit its schema"),
    ],
)
def test_a_megabyte_of_mistakes_takes_no_seconds(schema: dict[str, Any], message: str) -> None:
    """Of a very large value, one mistake is told, and that there may be more."""
    started = time.process_time()

    assert told(schema, list(range(400_000))) == [message, "has 10000 values or more, and so not every mistake in it is told"]
    assert time.process_time() - started < 1
