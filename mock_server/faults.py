"""Faults: failures that somebody asked for, each with its condition, its budget and its effect, and when one acts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mock_server import clock
from mock_server.contract import Json, Operation
from mock_server.schemas import MISSING, at
from mock_server.seeded import chance

INSTEAD = ("error", "status")  # effects that answer without asking the API
HANDLING = ("stale", "duplicate")  # effects on how the request is handled
SPOILING = ("truncate", "malformed", "break")  # effects on the body
ENDING = ("timeout", "reset", "slow")  # effects on how the answer goes out
EFFECTS = (*INSTEAD, *HANDLING, *SPOILING, "content_type", "delay", *ENDING)
EXCLUDING = ((*INSTEAD, *HANDLING), SPOILING, ENDING)  # of each of these a fault has at most one
READS = frozenset({"list", "get"})
BITS = 64
NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Asked:
    """What conditions look at: a request for an operation, read as far as any of them needs it."""

    operation: Operation
    path: Mapping[str, Json]
    query: Mapping[str, Sequence[str]]
    headers: Mapping[bytes, bytes]
    body: Json  # MISSING: there is none, or it cannot be read
    credential: str  # its name; "" for one that is not known
    now: int  # by the world's clock


@dataclass(slots=True)
class Fault:
    """One fault of a world; `told` is what it was armed with, its name included."""

    name: str
    told: Mapping[str, Json]
    matched: int = 0  # requests that met its condition since it was armed
    fired: int = 0  # of these, those that it acted on
    begins: int = field(init=False)
    ends: int = field(init=False)

    def __post_init__(self) -> None:
        self.begins = clock.read(self.told["from"].upper()) if "from" in self.told else -NEVER
        self.ends = clock.read(self.told["until"].upper()) if "until" in self.told else NEVER

    @property
    def used_up(self) -> bool:
        return bool(self.fired >= self.told.get("times", NEVER))

    def acts(self, asked: Asked, seed: int) -> bool:
        """Whether it acts on a request, which is counted."""
        if not self.meets(asked):
            return False
        self.matched += 1
        if self.used_up or not self._is_due() or not self._is_drawn(seed):
            return False
        self.fired += 1
        return True

    def meets(self, asked: Asked) -> bool:
        """Whether a request meets the condition."""
        told, operation = self.told, asked.operation
        if (
            told.get("api", operation.api) != operation.api
            or told.get("operation", operation.operation_id) != operation.operation_id
        ):
            return False
        if not self.begins <= asked.now < self.ends or told.get("error", 0) not in (0, *operation.statuses):
            return False
        if ("stale" in told and operation.action not in READS) or ("duplicate" in told and operation.action != "create"):
            return False
        return all(MEETS[part](wanted, asked) for part, wanted in told.get("when", {}).items())

    def chance(self, seed: int, purpose: str) -> float:
        """A number from 0 to 1 for this firing or counting, the same for the same seed."""
        count = self.matched if purpose == "acts" else self.fired
        return chance.mix(chance.salt(f"{seed}/{self.name}/{purpose}") ^ count) / (1 << BITS)

    def _is_due(self) -> bool:
        calls = self.told.get("calls")
        if calls is None:
            return True
        if isinstance(calls, int | list):
            return self.matched in (calls if isinstance(calls, list) else [calls])
        first = calls.get("from", 1)
        return bool(first <= self.matched <= calls.get("to", NEVER) and (self.matched - first) % calls.get("every", 1) == 0)

    def _is_drawn(self, seed: int) -> bool:
        return bool(self.chance(seed, "acts") < self.told.get("probability", 1))


def _text(value: Json) -> str:
    """A value as it stands in a path or query."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _in_path(wanted: Mapping[str, Json], asked: Asked) -> bool:
    return all(_text(asked.path.get(name)) == _text(value) for name, value in wanted.items())


def _in_query(wanted: Mapping[str, Json], asked: Asked) -> bool:
    return all(_text(value) in asked.query.get(name, ()) for name, value in wanted.items())


def _in_headers(wanted: Mapping[str, str], asked: Asked) -> bool:
    return all(asked.headers.get(name.lower().encode()) == value.encode() for name, value in wanted.items())


def _in_body(wanted: Mapping[str, Json], asked: Asked) -> bool:
    return all(_same(_pointed(asked.body, place), value) for place, value in wanted.items())


def _same(found: Json, wanted: Json) -> bool:
    return found is not MISSING and found == wanted and isinstance(found, bool) == isinstance(wanted, bool)


def _pointed(value: Json, place: str) -> Json:
    """What a JSON pointer leads to; MISSING if to nothing."""
    for step in place.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        key: str | int = int(name) if isinstance(value, list) and name.isdecimal() else name
        inside = isinstance(value, dict) and key in value
        inside |= isinstance(value, list) and isinstance(key, int) and key < len(value)
        if not inside:
            return MISSING
        value = at(value, (key,))
    return value


MEETS: Mapping[str, Callable[[Json, Asked], bool]] = {
    "path": _in_path,
    "query": _in_query,
    "headers": _in_headers,
    "body": _in_body,
    "credential": lambda wanted, asked: asked.credential == wanted,
}
