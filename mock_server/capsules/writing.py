"""A capsule -> the text of its file, for people to read and to compare."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from mock_server import clock
from mock_server.capsules.capsule import FORMAT, Body, Capsule, Headers, Request
from mock_server.contract import Json, Times

EXACT = Times(zoned=True, milliseconds=True)
WIDTH = 120
LARGE = 2000  # characters of a body that stands in the file as it was sent
HEAD = """\
# A failure that shows again anywhere: mock-server capsule replay FILE
# ${API.NAME} is a well-known credential, ${session.ID} the session that request ID opens, ${unknown} a secret that nobody kept.
"""


class _Dumper(yaml.CSafeDumper):
    """Texts stand in quotes wherever YAML 1.2 could read something else in them."""

    def ignore_aliases(self, data: Json) -> bool:  # noqa: ARG002  # PyYAML's signature
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    plain = text[:1].isalpha() or text[:1] == "/"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _text)


def written(capsule: Capsule) -> str:
    """The capsule as YAML."""
    told = {
        "format": FORMAT,
        "title": capsule.title,
        "shows": capsule.shows,
        "contracts": dict(capsule.contracts),
        "seed": capsule.seed,
        "scale": capsule.scale,
        "situation": capsule.situation or None,
        "records": _records(capsule),
        "trash": list(capsule.trash),
        "faults": list(capsule.faults),
        "rate_limits": dict(capsule.rate_limits),
        "requests": [dict(_request(request)) for request in capsule.requests],
    }
    wanted = {name: part for name, part in told.items() if part not in (None, {}, [])}
    return HEAD + yaml.dump(wanted, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)


def _records(capsule: Capsule) -> dict[str, dict[str, dict[str, Json]]]:
    found: dict[str, dict[str, dict[str, Json]]] = {}
    for one in capsule.records:
        record = None if one.record is None else dict(one.record)
        found.setdefault(one.api, {}).setdefault(one.resource, {})[one.id] = record
    return found


def _request(request: Request) -> Iterator[tuple[str, Json]]:
    yield "id", request.id
    if request.at is not None:
        yield (
            "at",
            clock.written(request.at, EXACT)
            if request.at % 1000 == 0
            else f"{clock.written(request.at, EXACT)[:-1]}{request.at % 1000:03}Z",
        )
    yield "api", request.api
    if request.operation:
        yield "operation", request.operation
    yield "method", request.method
    yield "target", request.target
    yield from _message(request.headers, request.body)
    yield "answer", {"status": request.answer.status, **dict(_message(request.answer.headers, request.answer.body))}


def _message(headers: Headers, body: Body | None) -> Iterator[tuple[str, Json]]:
    if headers:
        found: dict[str, Json] = {}
        for name, value in headers:
            before = found.get(name)
            found[name] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
        yield "headers", found
    if body is None:
        return
    if body.form == "body" and len(text := body.encoded.decode("utf-8", "surrogatepass")) > LARGE:
        yield "json", text  # Nobody reads it, and YAML takes seconds to read many of them.
    else:
        yield body.form, body.value
