"""What a server does beside answering, found out by asking it; so that no stub's speed is read as a server's."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.load import NUMBER, NUMBER_DIGITS
from benchmarks.processes import asked
from benchmarks.rows import CREDENTIAL, INVALID, PAGE, VALID, Target
from benchmarks.servers import Server

PROBED = 9_000_000_000  # numbers from here on are those of the probes
NAMES = ("state", "filters", "authentication", "validation")


class Asker:
    """One server, asked for customers in its own words."""

    def __init__(self, server: Server, port: int) -> None:
        self._server = server
        self._port = port

    def ask(self, target: Target, credential: str = CREDENTIAL) -> tuple[int, Any]:
        """Status, and the body as JSON; None where it is none."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": credential} if credential else {})
        body = json.dumps(target.body, separators=(",", ":")) if target.body else None
        path = target.path(self._server.base, self._server.spelled)
        status, content = asked(self._port, "POST" if body else "GET", path, headers, body)
        with contextlib.suppress(ValueError):
            return status, json.loads(content)
        return status, None


def state(asker: Asker) -> bool:
    """Whether a new customer is there to be read, under the name that it was given."""
    _, made = asker.ask(Target(body=numbered(VALID, PROBED)))
    status, read = asker.ask(Target(id=str(record(made).get("id", "none"))))
    return status == 200 and record(read).get("name") == numbered(VALID, PROBED)["name"]


def filters(asker: Asker) -> bool:
    """Whether a search for what nobody is called finds nobody, and one for somebody does."""
    found = [
        listed(asker.ask(Target(query={"page": 1, "per_page": PAGE, "search": word}))[1]) for word in ("acme", "nobodyatall")
    ]
    return bool(found[0]) and not found[1]


def authentication(asker: Asker) -> bool:
    """Whether a request without credentials is refused."""
    return asker.ask(Target(id="cust-001"), credential="")[0] in (400, 401, 403)


def validation(asker: Asker) -> bool:
    """Whether a body that breaks its schema is refused, and one that keeps it is not."""
    return asker.ask(Target(body=numbered(INVALID, PROBED)))[0] in (400, 422) and (
        asker.ask(Target(body=numbered(VALID, PROBED + 1)))[0] in (200, 201)
    )


PROBES: Mapping[str, Callable[[Asker], bool]] = dict(zip(NAMES, (state, filters, authentication, validation), strict=True))


def found(server: Server, port: int) -> dict[str, bool | int]:
    """What it does, and how many records there are on a page of 25."""
    asker = Asker(server, port)
    shown = listed(asker.ask(Target(query={"page": 1, "per_page": PAGE}))[1])
    return {name: probe(asker) for name, probe in PROBES.items()} | {"records": len(shown)}


def numbered(body: Mapping[str, object], number: int) -> dict[str, Any]:
    """A body with its own number in it."""
    told: dict[str, Any] = json.loads(json.dumps(body).replace(NUMBER, f"{number:0{NUMBER_DIGITS}}"))
    return told


def record(answer: Any) -> dict[str, Any]:
    """The record in an answer, with an envelope or without; an empty one if there is none."""
    inner = answer.get("data", answer) if isinstance(answer, dict) else {}
    return inner if isinstance(inner, dict) else {}


def listed(answer: Any) -> list[Any]:
    """The records in the answer of a list."""
    inner = answer.get("data", []) if isinstance(answer, dict) else answer
    return inner if isinstance(inner, list) else []
