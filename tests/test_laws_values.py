"""What the laws send and how they judge: values that fit, filters read for themselves, shapes, groups of findings."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.comparing import same
from contract_tests.exchanges import Answer, Exchange, Request
from contract_tests.findings import Finding, Proof, Result, Unproved
from contract_tests.grouping import grouped
from contract_tests.laws.answered import mistakes
from contract_tests.matching import is_zoned, met
from contract_tests.schemas import merged
from contract_tests.shapes import Shape, fits, flaws
from contract_tests.values import MANY, Values
from mock_server import contract
from mock_server.contract import Filter, Match, Origin, Place
from mock_server.schemas import resolved

ROOT = Path(__file__).parent.parent
CONTRACTS = contract.load_all(ROOT / "openapi")
BODIES = [(name, o.operation_id) for name, api in CONTRACTS.items() for o in api.operations.values() if o.body is not None]


@pytest.mark.parametrize(("api", "operation"), BODIES)
def test_every_value_fits_its_schema(api: str, operation: str) -> None:
    """What is sent as valid is valid, property by property."""
    body = CONTRACTS[api].operations[operation].body
    assert body is not None
    values = Values(seed=5, zoned=CONTRACTS[api].times.zoned)

    for name, schema in contract.properties(body).items():
        assert fits(schema, values.plain(schema, name)), name
        assert all(fits(schema, sample) for sample in values.samples(schema)), name


def test_values_are_a_function_of_the_seed() -> None:
    """Two runs with one seed send the same, another seed sends something else."""
    schema = {"type": "string"}

    first, second, other = (Values(seed).samples(schema) for seed in (3, 3, 4))

    assert first == second
    assert first != other


def test_no_two_plain_texts_are_the_same() -> None:
    """Else unique properties would collide."""
    values = Values()

    assert len({values.plain({"type": "string", "maxLength": 8}) for _ in range(1000)}) == 1000


def test_null_and_empty_objects_follow_whole_ones() -> None:
    """An update with them has something to take away."""
    text = {"type": "string"}
    schema = {"type": "object", "nullable": True, "properties": {"a": text, "b": text}}

    samples = Values().samples(schema)

    assert sorted(samples[samples.index(None) - 1]) == ["a", "b"]
    assert sorted(samples[samples.index({}) - 1]) == ["a", "b"]


def test_a_free_mapping_may_be_large() -> None:
    """More entries than anybody makes room for by hand."""
    samples = Values().samples({"type": "object", "additionalProperties": {"type": "string"}})

    assert max(map(len, samples)) == MANY


CASES: list[tuple[Match, bool, Any, Any, bool]] = [
    ("equals", False, "open", "open", True),
    ("equals", False, "Open", "open", False),
    ("equals", True, "Open", "open", True),
    ("equals", False, 1, True, False),
    ("contains", False, "50% off", "0% o", True),
    ("contains", False, "a_b", "a.b", False),
    ("like", False, "Acme Oy", "A%Oy", True),
    ("like", False, "Acme Oy", "A%O", False),
    ("like", False, "a_b", "a_", True),
    ("like", False, "axb", "a_b", False),
    ("in", False, 5, [4, 5], True),
    ("in", False, 5, [], False),
    ("after", False, "2024-01-01T00:00:00Z", "2024-01-01", False),
    ("from", False, "2024-01-01T00:00:00Z", "2024-01-01", True),
    ("before", False, "2024-01-01T00:00:00Z", "2024-01-01T03:00:00+02:00", True),
    ("to", False, "2024-01-31T23:59:59Z", "2024-01-31", True),
    ("to", False, "2024-02-01T00:00:00Z", "2024-01-31", False),
    ("flag", False, None, 0, True),
    ("flag", False, True, 0, False),
    ("present", False, "", 1, False),
    ("present", False, "x", 1, True),
]


@pytest.mark.parametrize(("match", "fold", "held", "wanted", "expected"), CASES)
def test_a_filter_is_read_as_the_contract_says(match: Match, fold: bool, held: Any, wanted: Any, expected: bool) -> None:
    """openapi/README.md, row by row."""
    assert met(Filter((("a",),), match, fold), {"a": held}, wanted) is expected


@given(
    st.sampled_from(sorted({case[0] for case in CASES})),
    st.booleans(),
    st.lists(st.sampled_from([case[2] for case in CASES]), max_size=3),
    st.sampled_from([case[3] for case in CASES]),
)
def test_a_filter_reads_many_values_as_it_reads_each(match: Match, fold: bool, values: list[Any], wanted: Any) -> None:
    """A record with several matches as soon as one does; no value asked before leaves anything behind."""
    filter = Filter((("a", "*"),), match, fold)

    whole = met(filter, {"a": values}, wanted)

    each = [met(filter, {"a": [value]}, wanted) for value in values]
    nothing = met(filter, {"a": []}, wanted)
    assert whole is (any(each) if nothing is False else all(each))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-02-29T23:59:59Z", True),
        ("2024-02-29t23:59:59.5z", True),
        ("2024-02-29T23:59:59+02:00", True),
        ("2024-02-29T23:59-0330", True),
        ("2024-02-29T23:59:59+02", True),
        ("2024-02-29T23:59:59", False),
        ("2024-02-29T23:59:59Z\n", False),
        ("2024-02-29", False),
        (20240229, False),
        (None, False),
    ],
)
def test_a_time_says_its_zone(text: Any, expected: bool) -> None:
    """Which a date does not have."""
    assert is_zoned(text) is expected


@pytest.mark.parametrize(
    ("body", "is_json"),
    [
        (b"null", True),
        (b"1" * 30, True),
        (b'"\\ud800"', True),
        (b"NaN", False),
        (b"-Infinity", False),
        ('"a"'.encode("utf-16"), False),
        (b"\xef\xbb\xbfnull", False),
        (b"[" * 100_000, False),
        (b"", False),
    ],
)
def test_what_is_no_json_is_told(body: bytes, is_json: bool) -> None:
    """As RFC 8259 has it, in UTF-8."""
    exchange = Exchange(Request("GET", "/"), Answer(200, (("Content-Type", "application/json"),), body))

    found = [expected for _, expected, *_ in mistakes({"content": {"application/json": {}}}, "200", exchange, {}, {})]

    assert ("JSON" not in found) is is_json


def test_a_body_is_read_once() -> None:
    """However often it is asked for, and by whomever: readings are shared."""
    one, other = Answer(200, (), b'{"a": [1]}'), Answer(200, (), b'{"a": [1]}'[:])

    assert one.json() is one.json() is other.json()


def test_a_schema_is_read_once() -> None:
    """One that is equal is another: schemas may be cyclic."""
    schema = {"allOf": [{"properties": {"a": {"type": "string"}}}]}

    assert merged(schema) is merged(schema)
    assert merged(schema) is not merged(dict(schema))
    assert merged(schema) == merged(dict(schema))


def test_a_record_that_does_not_tell_is_not_judged() -> None:
    """A list need not show what it is filtered by."""
    filter = Filter((("a",), ("b",)), "equals", fold=False)

    assert met(filter, {"b": "y"}, "x") is None
    assert met(filter, {"b": "x"}, "x") is True
    assert met(filter, {"a": "y", "b": "y"}, "x") is False


SCHEMA = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "integer", "format": "int32"},
        "at": {"type": "string", "format": "date-time", "nullable": True},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}},
    },
}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"id": 1, "at": None, "kind": "a", "tags": ["abc"]}, []),
        ({"id": True}, ["/id type"]),
        ({"id": 2**31}, ["/id maximum"]),
        ({}, ["/id required"]),
        ({"id": 1, "at": "2024-02-30T00:00:00Z"}, ["/at format"]),
        ({"id": 1, "kind": None}, ["/kind null"]),
        ({"id": 1, "kind": "c"}, ["/kind enum"]),
        ({"id": 1, "tags": ["abcd", "x"]}, ["/tags/0 maxLength"]),
        ({"id": 1, "more": 1}, ["/more undeclared"]),
    ],
)
def test_a_flaw_is_named_with_its_place(value: Any, found: list[str]) -> None:
    """Quickly and closely looked at, the answer is the same."""
    assert [f"{flaw.pointer} {flaw.keyword}" for flaw in flaws(SCHEMA, value)] == found
    assert [f"{flaw.pointer} {flaw.keyword}" for flaw in Shape(SCHEMA).flaws(value)] == found


def test_every_documented_example_of_an_answer_has_its_shape() -> None:
    """The contracts' own examples have no flaw."""
    count = 0
    for api in CONTRACTS.values():
        for response in _responses(api.document):
            shape = Shape(resolved(response.get("schema") or {}, api.document, {}))
            for example in (response.get("examples") or {}).values():
                whole = resolved(example, api.document, {})
                assert list(shape.flaws(whole["value"])) == [], whole
                count += 1
    assert count > 50


def _responses(document: Any) -> list[Any]:
    found = []
    for item in document["paths"].values():
        for operation in item.values():
            for response in operation["responses"].values() if isinstance(operation, dict) and "responses" in operation else ():
                whole = resolved(response, document, {})
                found += [part for name, part in (whole.get("content") or {}).items() if name == "application/json"]
    return found


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(string.ascii_letters, max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


@given(json_values, json_values)
def test_two_json_values_are_the_same_if_they_are_written_the_same(one: Any, other: Any) -> None:
    """Among whole numbers; 1 is not true."""
    assert same(one, other) == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))
    assert same(1, 1.0)


def finding(
    law: str = "methods", operation: str = "listA", subject: str = "PUT", expected: str = "405: no such", seen: str = "200"
) -> Finding:
    exchange = Exchange(Request("GET", "/a"), Answer(200), operation)
    return Finding(law, "x", operation, subject, expected, seen, (exchange,), Place("x.yaml", 1), Origin("seed"))


def test_what_is_wrong_everywhere_is_told_once() -> None:
    """Three operations or more make one finding, with its count; two stay two."""
    three = grouped([finding(operation=name) for name in ("a", "b", "c")])
    two = grouped([finding(operation=name) for name in ("a", "b")])

    assert [(one.operation, one.times) for one in three] == [("", 3)]
    assert [one.operation for one in two] == ["a", "b"]


def test_what_follows_from_an_undeclared_status_is_left_out() -> None:
    """The law about declared answers tells it."""
    cause = finding("declared-answers", "createA", "status 200", "one of 201", "200")
    effect = finding("create-persists", "createA", "name", "201: name may be x", "200")

    assert grouped([effect, cause]) == [cause]


def test_verdicts_of_one_key_are_one() -> None:
    """A key that was broken is not proved, and one that was proved is not unproved."""
    result = Result()

    result.add([finding(), finding(), Proof("methods", "x", "listA", "PUT"), Proof("l", "x", "o", "s", 2)])
    result.add([Proof("l", "x", "o", "s", 3), Unproved("l", "x", "o", "s", "why"), Unproved("l", "x", "o", "t", "why")])

    assert [one.times for one in result.findings] == [2]
    assert [(one.subject, one.checks) for one in result.proofs] == [("s", 5)]
    assert [one.subject for one in result.unproved] == ["t"]
