"""The line that is written for a request."""

from __future__ import annotations

import io
import time

import pytest

from mock_server import log


def written(target: str, world: str = "default") -> str:
    """What stands in the log after one request."""
    stream = io.StringIO()
    line = log.lines("requests", stream)
    assert line is not None
    line("GET", target, 200, 0.001, world, "")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/a?api_key=x&page=2", "/a?api_key=***&page=2"),
        ("/a?page=2&Access-Token=x=y", "/a?page=2&Access-Token=***"),
        ("/a?pass%77ord=x", "/a?pass%77ord=***"),
        ("/a?session+id=x&&", "/a?session+id=***&&"),
        ("/a?secret", "/a?secret"),
        ("/a?page=key", "/a?page=key"),
        ("/keys/a=b", "/keys/a=b"),
        ("/a\n\x1b[31m?b=\r", "/a??[31m?b=?"),
    ],
)
def test_a_secret_is_not_written(target: str, shown: str) -> None:
    """By the parameter's name, however it is encoded; nothing reaches the terminal that it would obey."""
    assert written(target) == f"200 GET     {shown}  1.0 ms\n"


def test_a_world_cannot_write_a_line_of_its_own() -> None:
    """Its name comes from the client."""
    assert written("/a", "a\nINJECTED").count("\n") == 1


def test_a_long_query_takes_no_time() -> None:
    """The time to mask it grows with its length only."""
    started = time.process_time()
    written("/a?" + "key-" * 10_000)

    assert time.process_time() - started < 0.5
