"""What a client accepts, and what it says it sends."""

from __future__ import annotations

import pytest

from mock_server.bridge import media


@pytest.mark.parametrize(
    ("accept", "taken"),
    [
        (b"", True),
        (b" , ", True),
        (b"*/*", True),
        (b"*", True),  # Java's HttpURLConnection sends it.
        (b"application/json", True),
        (b"APPLICATION/JSON; charset=utf-8", True),
        (b"application/*", True),
        (b"text/html, */*;q=0.1", True),
        (b"text/html;q=0.9, application/json;q=0.1", True),
        (b"application/problem+json", True),
        (b"application/json;q=high", True),
        (b"text/html", False),
        (b"text/*", False),
        (b"application/xml, text/plain;q=0.5", False),
        (b"application/json;q=0", False),
        (b"application/json;q=0, */*", False),  # The most specific range decides.
        (b"*/*;q=0, application/json", True),
        (b"application/*;q=0, */*;q=1", False),
        (b"nonsense", False),
    ],
)
def test_accept(accept: bytes, *, taken: bool) -> None:
    """JSON goes out only to those who take it."""
    assert media.accepts_json(accept) is taken


@pytest.mark.parametrize(
    ("content_type", "read"),
    [
        (b"application/json", True),
        (b"Application/JSON", True),
        (b"application/json;charset=utf-8", True),
        (b'application/json ; Charset="UTF-8"', True),
        (b"application/json; charset=us-ascii", True),
        (b"application/json; v=1", True),
        (b"application/json;", True),
        (b"application/json; charset=utf-16", False),
        (b"application/json; charset=latin-1", False),
        (b"application/vnd.api+json", False),
        (b"text/plain", False),
        (b"application/x-www-form-urlencoded", False),
        (b"json", False),
    ],
)
def test_content_type(content_type: bytes, *, read: bool) -> None:
    """A body is read if it is JSON in UTF-8."""
    assert media.is_json(content_type) is read
