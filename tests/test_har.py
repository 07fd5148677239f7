"""Exchanges <-> an HTTP Archive (HAR 1.2)."""

from __future__ import annotations

import base64
from typing import Any

import jsonschema
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mock_server import har, messages
from mock_server.curl import Request
from mock_server.har import Answer, BrokenHar

BASE = "http://localhost:8080"
NAMES = st.from_regex(r"[a-z][a-z-]{0,8}", fullmatch=True)
TEXTS = st.text(max_size=12)
HEADERS = st.lists(st.tuples(NAMES, TEXTS).map(list), max_size=3)
BODIES = st.one_of(
    st.just({"body": None}),
    TEXTS.map(lambda text: {"body": text}),
    st.binary(max_size=12).map(lambda body: {"body": base64.b64encode(body).decode(), "encoding": "base64"}),
)
REQUESTS = st.builds(
    lambda method, target, headers, body: {"method": method, "target": f"/{target}", "headers": headers, **body},
    st.sampled_from(["GET", "POST", "DELETE"]),
    st.text("ab/?=&%20", max_size=8),
    HEADERS,
    BODIES,
)
ANSWERS = st.builds(
    lambda status, headers, body: {"status": status, "headers": headers, **body},
    st.sampled_from([200, 204, 404, 418, 599]),
    HEADERS,
    BODIES,
)
EXCHANGES = st.builds(
    lambda number, request, answer: {
        "id": str(number),
        "world": "default",
        "at": "2026-03-01T12:00:00.000Z",
        "milliseconds": 1.5,
        "api": "shop",
        "operation": None,
        "request": request,
        "answer": answer,
        "reason": "duplicate",
        "violations": [{"in": "body", "pointer": "/email", "message": "is taken", "place": "openapi.yaml:7"}],
    },
    st.integers(1, 99),
    REQUESTS,
    ANSWERS,
)

TEXT, NUMBER = {"type": "string"}, {"type": "number"}


def listed(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


def exactly(**properties: dict[str, Any]) -> dict[str, Any]:
    """An object of HAR 1.2 with these members, and custom ones, which begin with an underscore."""
    optional = {"postData", "comment", "text", "encoding", "_mock", "_encoding"}
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "patternProperties": {"^_": {}},
        "additionalProperties": False,
    }


PAIR = exactly(name=TEXT, value=TEXT)
HAR = exactly(  # http://www.softwareishard.com/blog/har-12-spec/
    log=exactly(
        version={"const": "1.2"},
        creator=exactly(name=TEXT, version=TEXT),
        entries=listed(
            exactly(
                startedDateTime={"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
                time=NUMBER,
                request=exactly(
                    method=TEXT,
                    url={"type": "string", "pattern": "^https?://"},
                    httpVersion=TEXT,
                    cookies=listed(PAIR),
                    headers=listed(PAIR),
                    queryString=listed(PAIR),
                    headersSize=NUMBER,
                    bodySize=NUMBER,
                    postData=exactly(mimeType=TEXT, params=listed(PAIR), text=TEXT),
                ),
                response=exactly(
                    status={"type": "integer"},
                    statusText=TEXT,
                    httpVersion=TEXT,
                    cookies=listed(PAIR),
                    headers=listed(PAIR),
                    content=exactly(size=NUMBER, mimeType=TEXT, text=TEXT, encoding={"const": "base64"}),
                    redirectURL=TEXT,
                    headersSize=NUMBER,
                    bodySize=NUMBER,
                ),
                cache={"type": "object"},
                timings=exactly(send=NUMBER, wait=NUMBER, receive=NUMBER),
            )
        ),
    )
)


@given(st.lists(EXCHANGES, max_size=3))
def test_what_is_written_is_valid(exchanges: list[Any]) -> None:
    """A browser opens it: HAR 1.2, and nothing beside it but members that begin with an underscore."""
    jsonschema.validate(har.document(exchanges, BASE), HAR)


@given(st.lists(EXCHANGES, max_size=3))
def test_what_is_written_is_read_again(exchanges: list[Any]) -> None:
    """Requests and answers are the same, byte for byte."""
    read = har.read(orjson.dumps(har.document(exchanges, BASE)))

    for entry, exchange in zip(read, exchanges, strict=True):
        sent, answered = exchange["request"], exchange["answer"]
        headers = tuple((name, value) for name, value in sent["headers"])
        assert entry.request == Request(sent["method"], BASE + sent["target"], headers, messages.body(sent))
        assert entry.answer == Answer(answered["status"], tuple(map(tuple, answered["headers"])), messages.body(answered))
        assert entry.extra["id"] == exchange["id"]
        assert entry.extra["violations"] == exchange["violations"]
        assert (entry.at, entry.milliseconds) == (exchange["at"], exchange["milliseconds"])


def test_cookies_and_query_stand_beside_the_header_fields() -> None:
    """As the panels of browsers show them."""
    exchange = {
        "id": "1",
        "at": "2026-03-01T12:00:00Z",
        "request": {"method": "GET", "target": "/a?x=1&y=%20&x=", "headers": [["Cookie", "a=1; b=2=3"]], "body": None},
        "answer": {"status": 200, "headers": [["set-cookie", "s=9; Path=/"], ["set-cookie", "t="]], "body": ""},
    }

    entry = har.document([exchange], BASE)["log"]["entries"][0]

    assert entry["request"]["cookies"] == [{"name": "a", "value": "1"}, {"name": "b", "value": "2=3"}]
    assert entry["request"]["queryString"] == [
        {"name": "x", "value": "1"},
        {"name": "y", "value": " "},
        {"name": "x", "value": ""},
    ]
    assert entry["response"]["cookies"] == [{"name": "s", "value": "9"}, {"name": "t", "value": ""}]


CHROME = {
    "startedDateTime": "2026-03-01T12:00:00.000Z",
    "time": 12.5,
    "_resourceType": "fetch",
    "request": {
        "method": "post",
        "url": "https://api.example.com/v1/customers",
        "httpVersion": "http/2.0",
        "headers": [{"name": ":authority", "value": "api.example.com"}, {"name": "content-type", "value": "application/json"}],
        "queryString": [],
        "cookies": [],
        "postData": {"mimeType": "application/json", "text": '{"name":"ä"}'},
    },
    "response": {"status": 0, "headers": [], "content": {"size": 0, "mimeType": "x-unknown"}},
    "cache": {},
    "timings": {},
}


def test_a_browsers_entry_is_read_alone_or_in_its_archive() -> None:
    """Copied from the network panel, with HTTP/2's own header fields left out; status 0 is no answer."""
    alone = har.read(orjson.dumps(CHROME))
    archived = har.read(b"\xef\xbb\xbf" + orjson.dumps({"log": {"entries": [CHROME]}}))

    assert alone == archived
    assert alone[0].request == Request(
        "POST", "https://api.example.com/v1/customers", (("content-type", "application/json"),), '{"name":"ä"}'.encode()
    )
    assert alone[0].answer is None


def test_a_form_without_its_text_is_put_together_from_its_parameters() -> None:
    posted = {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "a", "value": "x y"}, {"name": "b"}]}

    (entry,) = har.read(orjson.dumps({**CHROME, "request": {**CHROME["request"], "postData": posted}}))  # type: ignore[dict-item]  # the literal is one

    assert entry.request.body == b"a=x+y&b="


def test_all_that_is_wrong_is_told_with_its_entry() -> None:
    """One run tells every mistake."""
    good = {"request": {"method": "GET", "url": "http://localhost/"}, "response": {"status": 200}}
    entries = [
        good,
        {"request": {"method": 1, "headers": {}}},
        {**good, "response": {"status": "200", "content": {"text": "%", "encoding": "base64"}}},
        "nothing",
        {**good, "request": {"method": "GET", "url": "nowhere", "headers": [{"name": 1}], "postData": {"text": 2}}},
    ]

    with pytest.raises(BrokenHar) as broken:
        har.read(orjson.dumps({"log": {"entries": entries}}))

    assert str(broken.value).splitlines() == [
        "entry 1: /request/method must be a text, not a number",
        "entry 1: /request/url must be a text",
        "entry 1: /request/headers must be a list, not an object",
        "entry 2: /response/status must be a number, not a text",
        "entry 2: /response/content/text is not base64, which its encoding says",
        "entry 3: /request must be an object",
        "entry 4: /request/url is no address: 'nowhere'",
        "entry 4: /request/headers/0/name must be a text, not a number",
        "entry 4: /request/postData/text must be a text, not a number",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"{", "it is not JSON: line 1, column 2"),
        (b"[]", "it is no HTTP Archive"),
        (b'{"log": {}}', "it has no list log.entries"),
        (b"[" * 2000, "it is not JSON"),
    ],
)
def test_another_file_is_refused(text: bytes, told: str) -> None:
    with pytest.raises(BrokenHar, match=told):
        har.read(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 999) | st.sampled_from(["", "x", "http://[", "base64"]),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(
        st.sampled_from(["request", "response", "method", "url", "headers", "name", "value", "status", "content", "text",
                         "encoding", "postData", "params", "mimeType", "time", "_mock"]),
        inner,
        max_size=4,
    ),
    max_leaves=8,
)  # fmt: skip


@given(JSON)
@example({"request": {"url": "http://[::1"}, "response": {}})
def test_any_json_is_read_or_refused(value: Any) -> None:
    """No file makes it fail in another way."""
    for told in (value, {"log": {"entries": [value]}}):
        try:
            har.read(orjson.dumps(told))
        except BrokenHar as broken:
            assert broken.mistakes  # noqa: PT017  # Either will do, and one that says nothing will not.
