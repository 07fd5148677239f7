"""A request, once HTTP is over: frozen data that a behaviour reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mock_server.contract import Json, Operation


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls: the name of a credential, what it may do, and the session it came with, if any."""

    name: str
    scopes: frozenset[str] = frozenset()
    session: str | None = None


@dataclass(slots=True)
class Call:
    """One valid request for one operation. Treat as frozen; it is not declared so, because that costs a microsecond."""

    operation: Operation
    world: str
    path: Mapping[str, Json] = field(default_factory=dict)  # parameter name -> value, of its schema's type
    query: Mapping[str, Json] = field(default_factory=dict)  # what was sent; defaults are not filled in
    body: Json = None
    identity: Identity | None = None
    ignored: tuple[str, ...] = ()  # names of query parameters that the contract does not know
