"""The body of a request or an answer <-> what JSON tells of it: a text, or base64 where it is none."""

from __future__ import annotations

from base64 import b64decode, b64encode

from mock_server.contract import Json


def told(body: bytes | None) -> dict[str, Json]:
    """The members of a message that tell its body."""
    if body is None:
        return {"body": None}
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body": b64encode(body).decode(), "encoding": "base64"}


def body(message: Json, errors: str = "surrogatepass") -> bytes | None:
    """The body that a message tells; `errors` is for half a character of UTF-16, which JSON can hold and UTF-8 cannot."""
    text = message.get("body")
    if text is None:
        return None
    return b64decode(text) if message.get("encoding") == "base64" else str(text).encode("utf-8", errors)
