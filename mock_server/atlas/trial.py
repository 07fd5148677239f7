"""A recipe followed over HTTP -> whether its error happened, or what was seen instead."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from mock_server.atlas.recipe import LONGEST, OWN, SESSION, Recipe, Request
from mock_server.client import PATIENCE, Unreachable
from mock_server.contract import Json
from mock_server.schemas import at

ID, APPLIED = "X-Mock-Request", "Preference-Applied"
QUOTED = 200  # characters of an answer


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a recipe."""

    recipe: Recipe
    seen: str = ""  # instead of the error; empty if it happened


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(slots=True)
class Line:
    """A server that is asked over and over, through one connection as long as it lasts."""

    address: str
    _connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.netloc, timeout=PATIENCE)

    def ask(self, method: str, target: str, headers: Sequence[tuple[str, str]] = (), body: bytes | None = None) -> Answer:
        """Raises Unreachable."""
        try:
            return self._asked_again(method, target, headers, body)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(f"No mock server answers at {self.address}: {error}") from error

    def close(self) -> None:
        self._connection.close()

    def _asked_again(self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes | None) -> Answer:
        try:
            return self._asked(method, target, headers, body)
        except ConnectionError:  # The server closes a connection that was idle for long.
            self.close()
            return self._asked(method, target, headers, body)

    def _asked(self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes | None) -> Answer:
        connection = self._connection
        connection.putrequest(method, urlsplit(self.address).path + target, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None or method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(body or b"")))
        connection.endheaders(body)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())


def follow(recipes: Sequence[Recipe], address: str) -> Iterator[Outcome]:
    """What comes of each recipe, in a world of its own that is deleted afterwards.

    Raises Unreachable.
    """
    line = Line(address)
    try:
        for recipe in recipes:
            world = f"{recipe.name[: LONGEST - 12]}-{os.getpid()}"  # Another run may be at work.
            try:
                seen = _seen(recipe, line, world)
            except BaseException:
                line.close()  # The answer to what was asked may still be on its way.
                raise
            finally:
                line.ask("DELETE", f"{OWN}worlds/{world}")
            yield Outcome(recipe, seen)
    finally:
        line.close()


def _seen(recipe: Recipe, line: Line, world: str) -> str:
    session = ""
    for request in recipe.requests[:-1]:
        answer = sent(request, line, world, session)
        if answer.status >= 300:
            return f"{request.method} {request.target} before it was answered {_told(answer)}"
        session = session_in(answer, request) or session
    answer = sent(recipe.requests[-1], line, world, session)
    if answer.status != recipe.status:
        return f"it was answered {_told(answer)}"
    if not recipe.organic:
        return "" if answer.headers.get(APPLIED) else f"it came without being asked for: {_told(answer)}"
    noted = _noted(answer, line, world)
    if noted is not None and noted["reason"] != recipe.reason:
        return f"the reason was {noted['reason']}, not {recipe.reason}: {_told(answer)}"
    return ""


def session_in(answer: Answer, request: Request) -> str:
    """The session that an answer opens; empty if it opens none."""
    return str(at(json.loads(answer.body), request.path)) if request.session else ""


def sent(request: Request, line: Line, world: str, session: str) -> Answer:
    """What a request is answered in a world.

    Raises Unreachable.
    """
    headers = [(name, value.replace(SESSION, session)) for name, value in request.headers]
    target = request.addressed(world).replace(SESSION, session)
    return line.ask(request.method, target, headers, request.content())


def _noted(answer: Answer, line: Line, world: str) -> dict[str, Any] | None:
    """What the journal says of a request; None if there is no journal."""
    number = answer.headers.get(ID, "").rpartition("/")[2]
    if not number:
        return None
    found = line.ask("GET", f"{OWN}worlds/{world}/journal/{number}")
    document: Json = json.loads(found.body)
    return document if found.status == 200 else None  # It may keep fewer than there were.


def _told(answer: Answer) -> str:
    text = " ".join(answer.body[:QUOTED].decode(errors="replace").split())
    return f"{answer.status} {text}".rstrip()
