"""Accept, Accept-Encoding and Content-Type: what a client takes, and what it says it sends."""

from __future__ import annotations

from functools import lru_cache

JSON = "application/json"
CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii"})  # JSON is UTF-8; ASCII is a part of it


@lru_cache(maxsize=256)
def accepts_json(header: bytes) -> bool:
    """Whether an Accept header admits JSON: the most specific range that matches decides (RFC 9110)."""
    ranges = [_range(part) for part in header.decode("latin-1").split(",") if part.strip()]
    if not ranges:
        return True
    matching = [(specific, weight) for name, weight in ranges if (specific := _specific(name))]
    return bool(matching) and max(matching)[1] > 0


@lru_cache(maxsize=256)
def is_json(header: bytes) -> bool:
    """Whether a Content-Type says that the body is JSON that can be read."""
    name, *parameters = header.decode("latin-1").split(";")
    if name.strip().lower() != JSON:
        return False
    given = dict(_pair(parameter) for parameter in parameters)
    return given.get("charset", "").strip('"').lower() in CHARSETS


@lru_cache(maxsize=256)
def takes_gzip(header: bytes) -> bool:
    """Whether an Accept-Encoding header names gzip, and not to refuse it."""
    return dict(_range(part) for part in header.decode("latin-1").split(",")).get("gzip", 0) > 0


def _range(part: str) -> tuple[str, float]:
    name, *parameters = part.split(";")
    weight = dict(_pair(parameter) for parameter in parameters).get("q", "1")
    try:
        return name.strip().lower(), float(weight)
    except ValueError:
        return name.strip().lower(), 1.0


def _pair(parameter: str) -> tuple[str, str]:
    name, _, value = parameter.partition("=")
    return name.strip().lower(), value.strip()


def _specific(name: str) -> int:
    """How closely a media range describes application/json; 0: not at all."""
    if name == JSON:
        return 4
    if name.endswith("+json"):  # A client that reads application/problem+json reads JSON.
        return 3
    return {"application/*": 2, "*/*": 1, "*": 1}.get(name, 0)
