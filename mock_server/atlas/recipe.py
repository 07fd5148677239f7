"""A recipe: how a client gets one documented error, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from mock_server.contract import Json
from mock_server.schemas import pointed

WORLD, SESSION = "{world}", "{session}"  # what whoever follows a recipe fills in
OWN = "/_mock/"  # where the server itself is controlled
LONGEST = 64  # characters of a world's name

Headers = tuple[tuple[str, str], ...]
JSON_TYPE = ("Content-Type", "application/json")


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a recipe."""

    method: str
    target: str  # below the server's root; that of a control operation has {world} in it
    headers: Headers = ()  # a value may be {session}
    body: str | None = None
    padded: int = 0  # bytes up to which the body is filled with spaces
    session: str = ""  # JSON pointer, in the answer, of what {session} is from here on

    def addressed(self, world: str) -> str:
        """The target in a world."""
        return self.target.replace(WORLD, world) if self.target.startswith(OWN) else f"/w/{world}{self.target}"

    def content(self) -> bytes | None:
        """The body as it is sent."""
        return None if self.body is None else self.body.encode().ljust(self.padded)

    @property
    def path(self) -> tuple[str, ...]:
        """The names that lead to the session in its answer."""
        return pointed(f"#{self.session}") or ()

    def document(self) -> dict[str, Json]:
        return {
            "method": self.method,
            "target": self.target,
            "headers": [list(pair) for pair in self.headers],
            "body": self.body,
            "padded": self.padded,
            "session": self.session,
        }

    @classmethod
    def read(cls, document: Mapping[str, Json]) -> Request:
        headers = tuple((name, value) for name, value in document["headers"])
        return cls(**{**document, "headers": headers})


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a client gets one documented error: in a world that is new, the last of the requests is answered with it."""

    api: str
    operation: str
    status: int
    reason: str  # of the refusal
    title: str  # one sentence
    organic: bool  # the state and the requests cause it; else it is asked for with Prefer
    requests: tuple[Request, ...]
    place: int = 1  # among the recipes of this operation and status

    @property
    def name(self) -> str:
        """What the recipe is called, and the world that it is followed in."""
        end = f"-{self.status}-{self.place}"
        return f"{self.api}-{self.operation}"[: LONGEST - len(end)] + end

    def document(self) -> dict[str, Json]:
        """The recipe as the control API tells it."""
        return {
            "name": self.name,
            "api": self.api,
            "operation": self.operation,
            "status": self.status,
            "reason": self.reason,
            "title": self.title,
            "organic": self.organic,
            "requests": [request.document() for request in self.requests],
            "place": self.place,
        }

    @classmethod
    def read(cls, document: Mapping[str, Json]) -> Recipe:
        """The recipe that the control API told."""
        rest = {name: value for name, value in document.items() if name != "name"}
        return cls(**{**rest, "requests": tuple(map(Request.read, document["requests"]))})


def written(body: Json) -> str:
    """A body as it is sent."""
    return orjson.dumps(body).decode()
