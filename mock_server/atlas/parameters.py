"""A parameter -> texts that the server takes for it, and texts that it does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from mock_server.bridge.parameters import UNSENT
from mock_server.bridge.requests import Plan
from mock_server.bridge.violations import pointer
from mock_server.contract import Json, Parameter
from mock_server.refusals import Violation
from mock_server.schemas import items, json_type, merged

TEXTS = ("1", "0", "true", "text", "2024-01-31", "2024-01-31T12:00:00Z", "jane@example.com", "https://example.com/", "-1", "1.5")
UNREADABLE = "%FF=1"  # a query with a name that is not UTF-8


def taken(plan: Plan, parameter: Parameter) -> str | None:
    """A text that the server takes."""
    shown = (parameter.schema.get(word) for word in ("example", "default"))
    known = [*shown, *(parameter.schema.get("enum") or ())]
    candidates = [*(_text(value) for value in known if value is not None), *TEXTS]
    return next((text for text in candidates if not against(plan, parameter, [text])), None)


def refused(plan: Plan, parameter: Parameter) -> tuple[list[str], Violation] | None:
    """Texts that the server does not take, and what it has against them."""
    for texts in _broken(parameter):
        found = against(plan, parameter, texts)
        if len(found) == 1:
            return texts, found[0]
    return None


def against(plan: Plan, parameter: Parameter, texts: Sequence[str]) -> list[Violation]:
    """What the server has against a parameter that is sent with these texts."""
    if parameter.where == "header" and parameter.name.lower() in UNSENT:
        return []
    path = {other.name: "1" for other in plan.operation.parameters if other.where == "path"}
    scope: dict[str, Any] = {"path_params": path, "query_string": b"", "headers": []}
    if parameter.where == "path":
        path[parameter.name] = texts[0]
    elif parameter.where == "query":
        scope["query_string"] = sent(parameter, texts).encode()
    elif parameter.where == "header":
        scope["headers"] = [(parameter.name.lower().encode("latin-1"), text.encode("latin-1")) for text in texts]
    else:
        scope["headers"] = [(b"cookie", f"{parameter.name}={texts[0]}".encode())]
    place = pointer([parameter.name])
    found = plan.parameters.read(scope).violations
    return [wrong for wrong in found if wrong.where == parameter.where and f"{wrong.pointer}/".startswith(f"{place}/")]


def sent(parameter: Parameter, texts: Iterable[str]) -> str:
    """A query parameter as it is sent."""
    return urlencode([(parameter.name, text) for text in texts], quote_via=quote)


def _broken(parameter: Parameter) -> Iterator[list[str]]:
    """Texts that may break a parameter, the most telling ones first."""
    schema = merged(parameter.schema)
    one = merged(items(schema)) if json_type(schema) == "array" else schema
    if "maximum" in one:
        yield [_text(one["maximum"] + 1)]
    if "minimum" in one:
        yield [_text(one["minimum"] - 1)]
    yield ["none-such"]
    if "maxLength" in one:
        yield ["x" * (one["maxLength"] + 1)]
    if parameter.where == "query":
        yield [""]
        known = _text(schema.get("default", 1))
        yield [known, known]


def _text(value: Json) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
