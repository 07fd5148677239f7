"""Where a capsule is replayed: a fresh world of a mock server, or the real address of an API."""

from __future__ import annotations

import base64
import http.client
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote, urlsplit

from mock_server import clock
from mock_server.capsules.capsule import WORLD, Answer, Body, Capsule, Headers, Request, Stored, body_of
from mock_server.capsules.reading import number
from mock_server.client import Refused, Server, Unreachable
from mock_server.contract import Contract, Json, Times
from mock_server.outline import CONTROL

PATIENCE = 330.0  # seconds for one answer: a fault may keep it back for 300
LOST = 0  # the status of an answer that never came
EXACT = Times(zoned=True, milliseconds=True)


@dataclass(frozen=True)
class Sent:
    """A request with its credentials."""

    request: Request
    target: str
    headers: Headers
    body: Body | None


class NotSet(Refused):
    """A part of a capsule that the mock server turned down, with the way to it."""

    def __init__(self, way: tuple[str | int, ...], refused: Refused) -> None:
        super().__init__(refused.status, refused.message, refused.violations)
        self.way = way


class Destination(Protocol):
    """What a capsule is replayed on."""

    def begin(self, capsule: Capsule) -> None:
        """Bring it to the capsule's start."""

    def ask(self, sent: Sent) -> Answer | None:
        """What it answers; None if this request is none for it."""

    def end(self) -> None:
        """Leave nothing behind."""


class MockWorld:
    """A world of its own on a mock server, which begins anew with each capsule."""

    def __init__(self, server: Server, contracts: Mapping[str, Contract]) -> None:
        self._server = server
        self._contracts = contracts
        there = set(server.worlds())
        self.world = server.world(
            next(name for n in range(len(there) + 1) if (name := f"capsule-{os.getpid()}-{n}") not in there)
        )
        self._path = f"/worlds/{self.world.name}"
        self._connection = _Connection(server.address)
        self._time: int | None = None
        # What seed, scale and situation make: records, faults, limits.
        self._starts: dict[tuple[int, int, str], tuple[Json, tuple[Json, ...], tuple[tuple[str, int], ...]]] = {}
        self._noted = ""  # the id of the last exchange that the journal told of

    def begin(self, capsule: Capsule) -> None:
        """Bring the world to the capsule's start.

        Raises Refused, Unreachable.
        """
        self._time = None
        begins = {"seed": capsule.seed, "scale": capsule.scale, "situation": capsule.situation or None}
        self._set(("situation",), "POST", "/reset", begins)
        if capsule.records or capsule.trash:
            key = (capsule.seed, capsule.scale, capsule.situation)
            if key not in self._starts:
                self._starts[key] = self._start()
            start, faults, limits = self._starts[key]
            self._control("PUT", "/import?force=true", self._with(start, capsule))
            self._arm(faults, limits)  # An import ends those of the situation.
        self._arm(capsule.faults, capsule.rate_limits)

    def _start(self) -> tuple[Json, tuple[Json, ...], tuple[tuple[str, int], ...]]:
        """Records, faults and rate limits of the world as it begins."""
        faults = (without_counts(fault) for fault in self._control("GET", "/faults")["faults"])
        limits = ((api, one["limit"]) for api, one in self._control("GET", "/rate-limits").items())
        return self._control("GET", "/export"), tuple(faults), tuple(limits)

    def _arm(self, faults: Sequence[Json], limits: Sequence[tuple[str, int]]) -> None:
        """Arm faults, in the place of those that have their names, and set limits."""
        there = {fault["name"] for fault in self._control("GET", "/faults")["faults"]} if faults else set()
        for index, fault in enumerate(faults):
            if fault.get("name") in there:
                self._control("DELETE", f"/faults/{quote(fault['name'], safe='')}")
            self._set(("faults", index), "POST", "/faults", fault)
        for api, limit in limits:
            self._set(("rate_limits", api), "PUT", f"/rate-limits/{quote(api, safe='')}", {"limit": limit})

    def _set(self, way: tuple[str | int, ...], method: str, path: str, body: Json) -> None:
        """Raises NotSet, Unreachable."""
        try:
            self._control(method, path, body)
        except Refused as refused:
            raise NotSet(way, refused) from None

    def ask(self, sent: Sent) -> Answer:
        """What the world answers at the request's time; what the journal has of it, if the connection was lost."""
        at = sent.request.at
        if at is not None and at != self._time:
            self._control("PUT", "/clock", {"frozen": True, "at": _written(at)})
            self._time = at
        target = sent.target.replace(quote(WORLD, safe="$"), self.world.name).replace(WORLD, self.world.name)
        headers = sent.headers if sent.request.api == CONTROL else (*sent.headers, ("X-Mock-World", self.world.name))
        try:
            return self._connection.ask(sent.request.method, target, headers, sent.body)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return self._noted_in_journal() or _lost(error)

    def account(self, answer: Answer) -> Json:
        """What the journal tells of the exchange with this answer; {} if it has none."""
        id = answer.header("x-mock-request").rpartition("/")[2]
        return self._control("GET", f"/journal/{id}") if id else {}

    def end(self) -> None:
        """Delete the world."""
        self._connection.close()
        self.world.delete()

    def _noted_in_journal(self) -> Answer | None:
        last = self._control("GET", "/journal?limit=1")["exchanges"]
        if not last or last[0]["id"] == self._noted:
            return None
        self._noted = last[0]["id"]
        return answer_of(last[0]["answer"])

    def _control(self, method: str, path: str, body: Json = None) -> Json:
        """What an operation of the control API answers.

        Raises Refused, Unreachable.
        """
        told = None if body is None else Body("body", body)
        headers = (("Content-Type", "application/json"),) if told else ()
        try:
            answer = self._connection.ask(method, f"/_mock{self._path}{path}", headers, told)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"No mock server answers at {self._server.address}: {error}") from error
        value = answer.body.value if answer.body is not None and answer.body.form == "body" else None
        if answer.status >= 300:
            raise Refused(answer.status, f"{method} {path}: {_told(value)}")
        return value

    def _with(self, start: Json, capsule: Capsule) -> Json:
        """An export with the records of the capsule."""
        apis: dict[str, Json] = {api: {**part, "records": {**part["records"]}} for api, part in start["apis"].items()}
        for one in capsule.records:
            records = apis.setdefault(one.api, {"records": {}, "trash": []})["records"]
            records[one.resource] = {**records.get(one.resource, {}), str(self._number(one)): one.record}
        for told in capsule.trash:
            part = apis.setdefault(told["api"], {"records": {}, "trash": []})
            part["trash"] = [*part["trash"], {name: value for name, value in told.items() if name != "api"}]
        return {**{name: part for name, part in start.items() if name != "digest"}, "apis": apis}

    def _number(self, one: Stored) -> int:
        found = number(self._contracts[one.api], one.resource, one.id)
        if found is None:
            raise LookupError(f"{one.id} is no id of {one.resource}")
        return found


class RealAddress:
    """The addresses of real APIs: what was there stays there."""

    def __init__(self, bases: Mapping[str, str], contracts: Mapping[str, Contract]) -> None:
        self._bases = bases
        self._contracts = contracts

    def begin(self, capsule: Capsule) -> None:
        """Nothing can be set."""

    def ask(self, sent: Sent) -> Answer | None:
        """What the API answers; a control request is none for it.

        Raises Unreachable.
        """
        if sent.request.api == CONTROL:
            return None
        base = self._bases[sent.request.api].rstrip("/")
        connection = _Connection(base)  # A new one each time: what was sent once must not be sent again.
        target = urlsplit(base).path + sent.target.removeprefix(self._contracts[sent.request.api].base_path)
        try:
            return connection.ask(sent.request.method, target, sent.headers, sent.body)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{base} does not answer: {error or type(error).__name__}") from error
        finally:
            connection.close()

    def end(self) -> None:
        """Nothing is to be done."""


@dataclass
class _Connection:
    """A connection to the host of an address, opened when it is needed."""

    address: str
    _open: http.client.HTTPConnection | None = field(default=None, repr=False)

    def ask(self, method: str, target: str, headers: Headers, body: Body | None) -> Answer:
        """Raises OSError, HTTPException."""
        if self._open is None:
            parts = urlsplit(self.address)
            kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
            self._open = kind(parts.netloc, timeout=PATIENCE)
        sent = body.encoded if body is not None else None
        self._open.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            self._open.putheader(name, value.encode("latin-1"))
        if sent is not None or method in ("POST", "PUT", "PATCH"):
            self._open.putheader("Content-Length", str(len(sent or b"")))
        self._open.endheaders(sent)
        answer = self._open.getresponse()
        text = answer.read()
        if answer.will_close:
            self.close()
        return Answer(answer.status, tuple(answer.getheaders()), _body(text))

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None


def without_counts(fault: Mapping[str, Json]) -> dict[str, Json]:
    """A fault as it was armed."""
    return {name: part for name, part in fault.items() if name not in ("matched", "fired", "used_up")}


def answer_of(told: Json) -> Answer:
    """An answer as the journal tells it."""
    headers = tuple((str(name), str(value)) for name, value in told["headers"])
    return Answer(told["status"], headers, body_of(told.get("body"), told.get("encoding", "")))


def _body(text: bytes) -> Body | None:
    if not text:
        return None
    try:
        return body_of(text.decode())
    except UnicodeDecodeError:
        return Body("base64", base64.b64encode(text).decode())


def _lost(error: Exception) -> Answer:
    return Answer(LOST, (), Body("text", f"The connection was lost: {error or type(error).__name__}"))


def _written(at: int) -> str:
    """A time to the microsecond."""
    return f"{clock.written(at, EXACT)[:-1]}{at % 1000:03}Z"


def _told(value: Json) -> str:
    """A refusal of the control API in one line."""
    if not isinstance(value, dict) or "detail" not in value:
        return json.dumps(value)[:1000]
    violations = [f"{one['pointer']} {one['message']}" for one in value.get("violations", ())]
    return f"{value['detail']} {'; '.join(violations)}".rstrip()
