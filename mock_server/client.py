"""A running mock server and its worlds, for tests in Python: nothing but the standard library talks to it."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import IO, TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from mock_server.refusals import Violation

if TYPE_CHECKING:
    # Not at run time: what does not ask for an API must not wait for the code that reads contracts.
    from mock_server.contract import Contract, Json
    from mock_server.credentials import Credential, Credentials

CONTROL = "/_mock"
ORDERS = ("/faults", "/rate-limits")  # what leaves sessions as they are
MANY = 1_000_000  # exchanges: all there are
PATIENCE = 60.0  # seconds for one answer
GRACE = 10.0  # seconds for a server to stop by itself
_ROOT = re.compile(r"https?://\S+?(?=/\s)")  # in the first line that mock-server prints


class NotStarted(Exception):
    """`mock-server` ended instead of serving; the message is what it said."""


class Unreachable(ConnectionError):
    """Nothing answers at the server's address."""


class Refused(Exception):
    """The server turned down what a test asked of it."""

    def __init__(self, status: int, message: str, violations: Sequence[Violation] = ()) -> None:
        super().__init__(status, message, tuple(violations))
        self.status = status
        self.message = message
        self.violations = tuple(violations)

    def __str__(self) -> str:
        return "\n".join([f"{self.status}: {self.message}", *(f"  {violation}" for violation in self.violations)])


@contextmanager
def started(*arguments: str, **settings: str | bool | int | None) -> Iterator[Server]:
    """A server in a process of its own on a free port: `started(seed=7, strict_query=True)` or `started("--seed", "7")`.

    Raises NotStarted.
    """
    options = [*arguments, *_arguments(settings)]
    command = [sys.executable, "-m", "mock_server", "--port", "0", "--ends-with-stdin", *options]
    # In a group of its own: Ctrl-C at a terminal must not end it before the tests have cleaned up. It ends when its standard
    # input does: this process may be killed, and then cleans up nothing.
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said,
        subprocess.Popen(  # noqa: S603  # our own command
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, encoding="utf-8", process_group=0
        ) as process,
    ):
        root = None
        try:
            root = _ROOT.search(process.stdout.readline()) if process.stdout else None
            if root:
                yield Server(root[0], options)
        finally:
            _stop(process)
            if root:
                sys.stderr.write(_read(said))
        if root is None:
            raise NotStarted(_read(said).strip() or f"mock-server ended with status {process.returncode}.")


class Server:
    """A running mock server; `options` are those it was started with, if contracts or credentials are not those shipped."""

    def __init__(self, address: str, options: Sequence[str] = ()) -> None:
        self.address = (address if "//" in address else f"http://{address}").rstrip("/")
        self.options = tuple(options)

    def __repr__(self) -> str:
        return f"Server({self.address!r})"

    def world(self, name: str) -> World:
        """The world of this name; it comes into being at its first use."""
        return World(self, name)

    def worlds(self) -> list[str]:
        """The names of all worlds."""
        found: list[str] = self.control("GET", "/worlds")["worlds"]
        return found

    def credentials(self, api: str) -> tuple[Credential, ...]:
        """The well-known credentials of an API."""
        return _known(api, self.options)[1].known

    def control(self, method: str, path: str, body: Json = None) -> Json:
        """What an operation of the control API answers; its paths begin after `/_mock`.

        Raises Refused, Unreachable.
        """
        return _answer(method, f"{self.address}{CONTROL}{path}", body)


@dataclass(eq=False)
class World:
    """A server of one's own: what is written here, no other world sees."""

    server: Server
    name: str
    _sessions: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)

    @property
    def clock(self) -> Clock:
        return Clock(self)

    def address(self, api: str) -> str:
        """The API's base address with this world in it: a client that is given it needs no header."""
        contract, _ = _known(api, self.server.options)
        return f"{self.server.address}/w/{self.name}{contract.base_path}"

    def headers(self, api: str, who: str = "") -> dict[str, str]:
        """What a request sends to be let in: the credential of this name in credentials.yaml, else the first.

        Where the API has sessions, the first call logs in; the session is kept until the world or its clock is changed.
        """
        contract, known = _known(api, self.server.options)
        credential = next((c for c in known.known if who in ("", c.name)), None)
        if credential is None:
            there = ", ".join(c.name for c in known.known) or "none"
            raise LookupError(f"{api} has no credential {who!r}; there are: {there}")
        if credential.secret is None and contract.sessions is not None:
            return {contract.sessions.header: self._session(contract, credential)}
        for scheme in contract.security_schemes.values():
            if scheme["type"] == "apiKey":
                return {scheme["name"]: str(credential.secret)}
        return {"Authorization": f"Bearer {credential.secret}"}

    def describe(self) -> Json:
        """Seed, scale, situation, clock, and how much was written."""
        return self._ask("GET")

    def reset(self, *, seed: int | None = None, scale: int | None = None, situation: str | None = None) -> None:
        """Begin again, as every new world of this server or as said here; the situation "" is none."""
        said = {"seed": seed, "scale": scale, "situation": situation}
        self._ask("POST", "/reset", {name: None if value == "" else value for name, value in said.items() if value is not None})

    def situation(self, name: str) -> None:
        """Begin again from a named starting point."""
        self.reset(situation=name)

    def fork(self, to: str) -> World:
        """Another world that begins as a copy of this one."""
        copy = self.server.world(to)
        copy._ask("POST", "/fork", {"from": self.name})
        return copy

    def snapshot(self, name: str) -> None:
        """Keep the world as it is now under a name, for this or another world to be brought back to."""
        self._ask("POST", "/snapshot", {"name": name})

    def restore(self, name: str, *, force: bool = False) -> None:
        """Bring the world to what was kept under a name; `force` takes what was kept with other contracts."""
        self._ask("POST", "/restore?force=true" if force else "/restore", {"name": name})

    def export(self) -> Json:
        """The whole world as one JSON document."""
        return self._ask("GET", "/export")

    def load(self, export: Json, *, force: bool = False) -> None:
        """Make the world what was exported; `force` takes an export that was made with other contracts."""
        self._ask("PUT", "/import?force=true" if force else "/import", export)

    def trash(self) -> list[Json]:
        """What was deleted and can be restored."""
        found: list[Json] = self._ask("GET", "/trash")["trash"]
        return found

    def journal(self, **only: str | int) -> list[Json]:
        """What the world was asked and what it answered, the oldest first; `only` are api, operation, status, after, limit."""
        found: list[Json] = self._ask("GET", f"/journal?{urlencode({'limit': MANY} | only)}")["exchanges"]
        return found

    def fault(self, **told: Json) -> str:
        """Arm a fault, told as POST /_mock/worlds/NAME/faults takes it; answer its name. `from_` is its `from`."""
        name: str = self._ask("POST", "/faults", {key.rstrip("_"): value for key, value in told.items()})["name"]
        return name

    def faults(self, *, fired: bool | None = None) -> list[Json]:
        """The faults with their counts; only those that fired, or never did."""
        query = "" if fired is None else f"?fired={str(fired).lower()}"
        found: list[Json] = self._ask("GET", f"/faults{query}")["faults"]
        return found

    def disarm(self, name: str = "") -> None:
        """Take away the fault of this name, or all."""
        self._ask("DELETE", f"/faults/{quote(name, safe='')}" if name else "/faults")

    def rate_limit(self, api: str, limit: int | None = None) -> None:
        """Count the API's requests from now on; without a number against the limit of its contract."""
        self._ask("PUT", f"/rate-limits/{api}", {} if limit is None else {"limit": limit})

    def delete(self) -> None:
        """Forget the world, if it is there; its next use makes a new one."""
        try:
            self._ask("DELETE")
        except Refused as refused:
            if refused.status != 404:
                raise

    def _ask(self, method: str, path: str = "", body: Json = None) -> Json:
        if method != "GET" and not path.startswith(ORDERS):
            self._sessions.clear()  # They may have ended with what they were opened in.
        return self.server.control(method, f"/worlds/{quote(self.name, safe='')}{path}", body)

    def _session(self, contract: Contract, credential: Credential) -> str:
        key = contract.name, credential.name
        if key not in self._sessions:
            login = next(operation for operation in contract.operations.values() if operation.action == "login")
            answer = _answer(login.method, self.address(contract.name) + login.path, dict(credential.login))
            self._sessions[key] = str(next(_found(login.envelope, "$session", answer)))
        return self._sessions[key]


@dataclass(frozen=True)
class Clock:
    """A world's clock. A time is a text like 2025-12-31T23:59:50Z, or a datetime; one without a zone is UTC."""

    world: World

    def now(self) -> str:
        """The time that it is in this world."""
        return str(self.world._ask("GET", "/clock")["now"])

    def freeze(self, at: str | datetime | None = None) -> None:
        """Stand still, now or at a time."""
        self._put({"frozen": True} | _time(at))

    def set(self, at: str | datetime) -> None:
        """Run on from a time."""
        self._put({"frozen": False} | _time(at))

    def advance(self, seconds: float) -> None:
        """Move on, or back; it stands or runs as before."""
        self.world._ask("POST", "/clock/advance", {"seconds": seconds})

    def run(self) -> None:
        """Run on."""
        self._put({"frozen": False})

    def _put(self, body: Json) -> None:
        self.world._ask("PUT", "/clock", body)


def _time(at: str | datetime | None) -> dict[str, str]:
    if at is None:
        return {}
    if isinstance(at, datetime):
        return {"at": (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat()}
    return {"at": at}


def _arguments(settings: Mapping[str, str | bool | int | None]) -> list[str]:
    """Settings as options of the command: {"strict_query": True, "seed": 7} is --strict-query --seed 7."""
    arguments = []
    for name, value in settings.items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            arguments.append(flag)
        elif value is not None and value is not False:
            arguments += [flag, str(value)]
    return arguments


@lru_cache
def _known(api: str, options: tuple[str, ...]) -> tuple[Contract, Credentials]:
    """The API's contract and credentials, as a server with these options has them."""
    from mock_server import contract, fixtures, settings  # noqa: PLC0415

    chosen = settings.read(options)
    found = contract.load_all(chosen.openapi, [api])
    credentials, _ = fixtures.load(chosen.fixtures, found, lenient=False)
    return found[api], credentials[api]


def _answer(method: str, address: str, body: Json = None) -> Json:
    """The JSON that is answered at an address; None if nothing is.

    Raises Refused, Unreachable.
    """
    parts = urlsplit(address)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=PATIENCE)
    sent = None if body is None else json.dumps(body)
    try:
        connection.request(method, address.partition(parts.netloc)[2], sent, {"Content-Type": "application/json"} if sent else {})
        answer = connection.getresponse()
        status, text = answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"No mock server answers at {parts.scheme}://{parts.netloc}: {error}") from error
    finally:
        connection.close()
    if status >= 300:
        raise _refused(status, text)
    return json.loads(text) if text else None


def _refused(status: int, text: bytes) -> Refused:
    try:
        problem = json.loads(text)
        told = [Violation(v.get("in", ""), v.get("pointer", ""), v["message"]) for v in problem.get("violations", ())]
        return Refused(status, problem["detail"], told)
    except (ValueError, LookupError, AttributeError, TypeError):  # It is another API's refusal, or no mock server's.
        return Refused(status, text.decode(errors="replace")[:1000])


def _found(template: Json, token: str, answer: Json) -> Iterator[Json]:
    """What stands in an answer where the template of its envelope has the token."""
    if template == token:
        yield answer
    elif isinstance(template, dict):
        for name, part in template.items():
            yield from _found(part, token, answer[name])


def _read(said: IO[str]) -> str:
    said.seek(0)
    return said.read()


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
