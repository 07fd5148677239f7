"""Bodies: read exactly, or refused with the place of the mistake."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from mock_server.bridge import bodies
from mock_server.bridge.bodies import DEEPEST, Unreadable
from mock_server.refusals import TooLarge

NAMES = st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "line 1, column 2: "),
        (b'{\n  "a": 1,,\n}', "line 2, column 10: "),
        (b"nothing", "line 1, column "),
        (b'{"a": NaN}', "line 1, column 7: "),
        (b'{"a": 1e999}', "line 1, column 7: "),
        (b'"\xff"', "line 1, column 2: this is not UTF-8"),
        (b'{"a":\n"x\xc3("}', "line 2, column 3: this is not UTF-8"),
        (b'"\\ud800"', "line 1, column 2: "),
        (b'{"a": 1,\n "a": 2}', 'line 2, column 2: the name "a" is given twice in one object'),
        (b'{"a": 1, "\\u0061" : 2}', 'line 1, column 10: the name "\\u0061" is given twice in one object'),
        (b'{"x": [{"b": ":", "b": 1}]}', 'line 1, column 19: the name "b" is given twice in one object'),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), f"line 1, column {DEEPEST + 1}: this is nested deeper than"),
        (b"[" * 5000, "line 1, column "),
        (b"1" * 5000, "line 1, column 1: "),
    ],
)
def test_a_body_that_cannot_be_kept_is_refused(body: bytes, told: str) -> None:
    """The message says in which line and column."""
    with pytest.raises(Unreadable) as refused:
        bodies.parsed(body)

    assert str(refused.value).startswith(told)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b"18446744073709551615", 2**64 - 1),
        (b"-9999999999999999999", -1e19),
        (b"36893488147419103232", 2**65),  # A double of the same value.
        (b"1234567890123456789012.5", 1234567890123456789012.5),
        (b'{"a": "12345678901234567890123"}', {"a": "12345678901234567890123"}),
        (b'{"a": "\\"a\\": 99999999999999999999"}', {"a": '"a": 99999999999999999999'}),
        (b'[{"a": 1}, {"a": 2}, ":"]', [{"a": 1}, {"a": 2}, ":"]),
        (b"[" + b"[]," * 500 + b"[]]", [[]] * 501),
        (b"null", None),
    ],
)
def test_what_only_looks_suspicious_is_read(body: bytes, value: object) -> None:
    """Colons, brackets and digits in texts are no mistakes."""
    assert bodies.parsed(body) == value


@given(VALUES)
def test_json_is_read_as_it_was_written(value: object) -> None:
    """Nothing is lost, however it was written."""
    compact = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    spaced = json.dumps(value, indent=3, separators=(" ,", " : "))

    assert bodies.parsed(compact.encode()) == value
    assert bodies.parsed(spaced.encode()) == value


@given(st.binary() | st.text(alphabet='{}[]:,"\\ 019.eE-tfn').map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """No bytes do anything else; what is read is what Python's own reader says."""
    try:
        value = bodies.parsed(body)
    except Unreadable:
        return
    assert value == json.loads(body, parse_int=_as_doubles_beyond_64_bits)


def _as_doubles_beyond_64_bits(text: str) -> int | float:
    return int(text) if -(2**63) <= float(text) < 2**64 else float(text)


def receiving(*messages: Message) -> Receive:
    waiting: Iterator[Message] = iter(messages)

    async def receive() -> Message:
        return next(waiting)

    return receive


def part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_in_parts_is_put_together() -> None:
    """However the network cuts it."""
    receive = receiving(part(b"ab", more=True), part(b"", more=True), part(b"c"))

    assert asyncio.run(bodies.received(receive, None, 3)) == b"abc"


def test_a_body_that_is_announced_too_large_is_not_read() -> None:
    """The refusal comes before the first byte."""
    with pytest.raises(TooLarge):
        asyncio.run(bodies.received(receiving(), b"4", 3))


def test_a_body_that_grows_too_large_is_not_read_on() -> None:
    """Without an announcement, the refusal comes as soon as the limit is passed."""
    with pytest.raises(TooLarge):
        asyncio.run(bodies.received(receiving(part(b"ab", more=True), part(b"cd", more=True)), None, 3))
    with pytest.raises(TooLarge):
        asyncio.run(bodies.received(receiving(part(b"abcd")), None, 3))


def test_a_client_that_goes_away_is_noticed() -> None:
    """Half a body is none."""
    with pytest.raises(ClientDisconnect):
        asyncio.run(bodies.received(receiving(part(b"ab", more=True), {"type": "http.disconnect"}), None, 3))
