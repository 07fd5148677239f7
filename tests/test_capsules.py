"""The file of a capsule: what it holds, and what it cannot be made to do."""

from __future__ import annotations

import base64
import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server import contract, documents
from mock_server.capsules import reading, writing
from mock_server.capsules.capsule import Answer, Body, Capsule, Request, Stored, body_of
from mock_server.contract import BrokenContract
from tests.conftest import ROOT

CONTRACTS = contract.load_all(ROOT / "openapi")
REQUEST = Request(
    id="7",
    at=1_772_366_400_123_456,
    api="fentu",
    operation="createCustomer",
    method="POST",
    target="/fentu/api/v1/customers?x=1",
    headers=(("authorization", "Bearer ${fentu.admin}"), ("content-type", "application/json")),
    body=Body("body", {"name": "Acme", "tags": [1, 1.5, None, True, "yes"]}),
    answer=Answer(409, (("content-type", "application/json"),), Body("body", {"error": {"code": "conflict"}})),
)
CAPSULE = Capsule(
    title="createCustomer of fentu answers 409: duplicate",
    contracts={"fentu": "0" * 64},
    requests=(REQUEST,),
    shows="7",
    seed=3,
    scale=20,
    situation="blocked",
    records=(Stored("fentu", "customer", "cust-061", {"id": "cust-061"}), Stored("lemonsoft", "customer", "4", None)),
    faults=({"name": "second", "error": 409},),
    rate_limits=(("fentu", 3),),
)


def read(text: str) -> Capsule:
    return reading.capsule_in(documents.read(text.encode(), "c.yaml"), CONTRACTS)


def mistakes(text: str) -> list[str]:
    with pytest.raises(BrokenContract) as broken:
        read(text)
    return str(broken.value).splitlines()


def test_a_capsule_is_read_as_it_was_written() -> None:
    """To the last microsecond."""
    assert read(writing.written(CAPSULE)) == CAPSULE


def test_a_capsule_can_be_read_by_people() -> None:
    """A JSON body is YAML, not a text in quotes."""
    text = writing.written(CAPSULE)

    assert "  body:\n    name: Acme\n    tags:\n    - 1\n    - 1.5\n    - null\n    - true\n    - 'yes'\n" in text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_any_json_is_kept(value: Any) -> None:
    """Whatever YAML would make of it: 0o17, 1e5, null, ~ and the like are texts."""
    body = Body("body", value)

    assert read(writing.written(replace(CAPSULE, requests=(replace(REQUEST, body=body),)))).requests[0].body == body


@given(
    st.text()
    | st.sampled_from(["0o17", "1e5", ".5", "null", "~", "<<", "=", "yes", "2024-01-01", "-", "- a", "a: b", "\x85", "'"])
)
def test_any_text_is_kept(text: str) -> None:
    """Control characters too."""
    kept = replace(CAPSULE, title=text or "x", requests=(replace(REQUEST, body=Body("text", text)),))

    assert read(writing.written(kept)) == kept


@given(st.text() | JSON.map(json.dumps))
def test_a_body_is_sent_as_it_was(text: str) -> None:
    """As the same JSON, or as the same bytes."""
    body = body_of(text)

    assert body is not None
    if body.form == "text":
        assert body.encoded == text.encode("utf-8", "surrogatepass")
    else:
        again = body_of(body.encoded.decode())
        assert again is not None
        assert again.value == body.value


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "NaN", "1e999", '"\\ud800"', "[" * 90 + "]" * 90, "{", ""])
def test_what_yaml_would_change_stays_a_text(text: str) -> None:
    """Doubled names, numbers beyond all bounds, half characters, deep nesting."""
    assert body_of(text) == Body("text", text)


def test_a_large_body_stands_as_it_was_sent() -> None:
    """On as few lines as it has."""
    large = replace(CAPSULE, requests=(replace(REQUEST, body=Body("body", {"rows": [{"n": n} for n in range(1000)]})),))

    assert read(writing.written(large)) == large
    assert writing.written(large).count("\n") < 200


def test_bytes_are_base64() -> None:
    """A body that is no text."""
    assert Body("base64", base64.b64encode(b"\xff\x00").decode()).encoded == b"\xff\x00"


def test_every_mistake_is_told_with_its_line() -> None:
    """A person who edits a capsule is told what is wrong, where, and what would be right."""
    text = writing.written(CAPSULE).replace("method: POST", "method: post").replace("status: 409", "status: much")
    text = text.replace("title:", "tittle: red\ntitle:").replace("cust-061:", "cust-1:").replace('shows: "7"', 'shows: "8"')

    assert [line.partition(" ")[2] for line in mistakes(text)] == [
        "/tittle: is not known here; did you mean title?",
        "/shows: is the id of no request; there are 7",
        "/records/fentu/customer/cust-1: cust-1 is no id of customer; the first is cust-001",
        "/requests/0/method: must be a method such as GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE",
        "/requests/0/answer/status: must be a whole number from 0 to 999",
    ]


WRONG = [
    (
        "Bearer ${fentu.admin}",
        "Bearer ${fentu.nope}",
        "/requests/0/headers/authorization: ${fentu.nope} stands for no credential",
    ),
    ("Bearer ${fentu.admin}", "Bearer ${session.9}", "${session.9} is the session of no request before"),
    ("Bearer ${fentu.admin}", "Bearer ${HOME}", "${HOME} stands for no credential of fentu"),
    ("Bearer ${fentu.admin}", "Bearer ${lemonsoft.demo}", "${lemonsoft.demo} stands for no credential of fentu"),
    ("Bearer ${fentu.admin}", "Bearer ${", "has a placeholder without an end"),
    ("method: POST", "method: CONNECT", "/requests/0/method: must be a method such as"),
    ("?x=1", "?x=1#y", "/requests/0/target: must be a path below"),
    ("?x=1", "?x=ä|", "/requests/0/target: must be a path below"),
    ('shows: "7"', "shows: 7", "/shows: must be the id of a request"),
    ("operation: createCustomer", "operation: createCustmer", "/requests/0/operation: must be the id of an operation"),
]


@pytest.mark.parametrize(("right", "wrong", "message"), WRONG)
def test_what_could_only_fail_later_is_told_at_once(right: str, wrong: str, message: str) -> None:
    """Before anything is sent."""
    text = writing.written(CAPSULE)
    assert right in text

    with pytest.raises(BrokenContract) as broken:
        reading.capsule_in(documents.read(text.replace(right, wrong).encode(), "c.yaml"), CONTRACTS, {"fentu.admin"})

    assert message in str(broken.value)


@pytest.mark.parametrize(
    ("name", "value"), [("records", "x"), ("contracts", []), ("contracts", {"nope": "0"}), ("rate_limits", [1]), ("trash", "x")]
)
def test_another_type_is_told(name: str, value: Any) -> None:
    """With its line, not read as nothing."""
    assert any(f": /{name}" in line for line in mistakes(json.dumps({**TOLD, name: value})))


@pytest.mark.parametrize(("name", "value"), [("headers", "x"), ("headers", {"x": {"a": 1}}), ("at", "2024-01-01")])
def test_another_type_in_a_request_is_told(name: str, value: Any) -> None:
    """Likewise."""
    request = {**TOLD["requests"][0], name: value}

    assert any(f": /requests/0/{name}" in line for line in mistakes(json.dumps({**TOLD, "requests": [request]})))


def test_another_file_is_no_capsule() -> None:
    """One sentence, not one for each of its lines."""
    assert mistakes("a: 1\nb: 2\n") == ["c.yaml:1: /: is no capsule; one begins with format: mock-capsule/1"]


def test_a_tag_is_refused() -> None:
    """No object is ever made of a file."""
    assert "has the tag" in mistakes(f"{writing.written(CAPSULE)}\nx: !!python/object/apply:os.system [ls]\n")[-1]


@pytest.mark.parametrize(
    ("api", "target"),
    [
        ("fentu", "http://elsewhere.example/fentu/api/v1/customers"),
        ("fentu", "//elsewhere.example/fentu/api/v1/customers"),
        ("fentu", "/lemonsoft/api/customers"),
        ("fentu", "/fentu/api/v1/../../../_mock/worlds"),
        ("fentu", "/fentu/api/v1/%2e%2e/%2e%2e/x"),
        ("fentu", "/fentu/api/v1\\..\\..\\x"),
        ("fentu", "/fentu/api/v11/customers"),
        ("fentu", "/fentu/api/v1/customers HTTP/1.1"),
        ("fentu", "/fentu/api/v1/a\nHost: elsewhere"),
        ("control", "/_mock/worlds/default/faults"),
        ("control", "/_mock/worlds/${world}/export"),
        ("control", "/_mock/worlds/${world}/faults/../../default/reset"),
        ("control", "/_mock/worlds/${world}/faultsx"),
    ],
)
def test_a_request_cannot_lead_elsewhere(api: str, target: str) -> None:
    """A capsule from a stranger asks nothing but the API, and of the control API nothing but its own world's faults and trash."""
    hostile = replace(CAPSULE, requests=(replace(REQUEST, api=api, target=target),))

    assert any("/requests/0/target: must be" in line for line in mistakes(writing.written(hostile)))


SMUGGLED = {
    "Host": "elsewhere",
    "content-length": "5",
    "Transfer-Encoding": "chunked",
    "X-Mock-World": "default",
    "x": "a\r\nHost: b",
    "a b": "c",
    "Proxy-Authorization": "x",
}


@pytest.mark.parametrize(("name", "value"), SMUGGLED.items())
def test_a_header_field_cannot_smuggle(name: str, value: str) -> None:
    """What frames a request, or names its host or world, is written by whoever replays."""
    hostile = replace(CAPSULE, requests=(replace(REQUEST, headers=((name, value),)),))

    assert any("/requests/0/headers" in line for line in mistakes(writing.written(hostile)))


TOLD = documents.read(writing.written(CAPSULE).encode(), "c.yaml").value


def ways(value: Any, way: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The ways to all parts of a value."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(inner for step, part in parts for inner in ways(part, (*way, step)))]


def put(value: Any, way: tuple[str | int, ...], other: Any) -> Any:
    """The value with another one at the end of the way."""
    if not way:
        return other
    if isinstance(value, dict):
        return {step: put(part, way[1:], other) if step == way[0] else part for step, part in value.items()}
    return [put(part, way[1:], other) if step == way[0] else part for step, part in enumerate(value)]


@given(st.sampled_from(ways(TOLD)), JSON)
def test_whatever_stands_in_a_file_is_read_or_told(way: tuple[str | int, ...], other: Any) -> None:
    """A capsule that is wrong anywhere is a list of mistakes, never a traceback."""
    text = json.dumps(put(TOLD, way, other), ensure_ascii=True)

    with contextlib.suppress(BrokenContract):
        assert isinstance(read(text), Capsule)
