"""For pytest: one mock server for the whole run, and in it a world of its own for each test."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing.connection import Client, Listener
from threading import Lock, Thread
from typing import Protocol

import pytest

from mock_server.client import NotStarted, Refused, Server, World, started

MARKER = "situation(name): the named starting point of the test's mock_world"
INPUT = "mock_server_desk"  # what the workers of pytest-xdist are handed
EACH = "mock_server_each"  # whether it was --dist each
_START, _CLOSE = b"where?", b"close"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class Source(Protocol):
    """Where the server of this run comes from."""

    def address(self) -> str:
        """The server's address. Raises NotStarted."""

    def close(self) -> None:
        """The run is over."""


class Worker(Protocol):
    """A worker of pytest-xdist, as the process that controls it sees it."""

    config: pytest.Config
    workerinput: dict[str, object]


class Given:
    """A server that runs already."""

    def __init__(self, address: str) -> None:
        self._address = address

    def address(self) -> str:
        return self._address

    def close(self) -> None:
        pass


class Own:
    """A server that is started when it is first asked for."""

    def __init__(self, options: list[str]) -> None:
        self._options = options
        self._running = ExitStack()
        self._address = ""
        self._lock = Lock()

    def address(self) -> str:
        with self._lock:
            if not self._address:
                self._address = self._running.enter_context(started(*self._options)).address
            return self._address

    def close(self) -> None:
        self._running.close()


class Desk:
    """Where the workers of pytest-xdist ask for the server of the process that controls them: the first has it started."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._key = secrets.token_bytes(16)
        self._listener = Listener(backlog=128, authkey=self._key)
        self._thread = Thread(target=self._answer, daemon=True)
        self._thread.start()
        self.ticket = (self._listener.address, self._key)

    def close(self) -> None:
        with Client(self._listener.address, authkey=self._key) as asking:
            asking.send_bytes(_CLOSE)
        self._thread.join()
        self._listener.close()

    def _answer(self) -> None:
        asked = _START
        while asked == _START:
            with self._listener.accept() as asking:
                asked = asking.recv_bytes()
                if asked == _START:
                    asking.send_bytes(self._told())

    def _told(self) -> bytes:
        try:
            return b"+" + self._source.address().encode()
        except NotStarted as failure:
            return b"-" + str(failure).encode()


class Asked:
    """The server of the process that controls this worker."""

    def __init__(self, address: str, key: bytes) -> None:
        self._desk, self._key = address, key

    def address(self) -> str:
        with Client(self._desk, authkey=self._key) as asking:
            asking.send_bytes(_START)
            answer = asking.recv_bytes()
        if answer[:1] == b"-":
            raise NotStarted(answer[1:].decode())
        return answer[1:].decode()

    def close(self) -> None:
        pass


SOURCE = pytest.StashKey[Source]()
DESK = pytest.StashKey[Desk]()
RUN = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mock-server")
    told = "of a running mock server, for all tests; without one, the run starts its own on a free port"
    group.addoption("--mock-server", metavar="ADDRESS", help=f"address {told}")
    group.addoption("--fail-unfired", action="store_true", help="fail a test whose mock_world has a fault that never fired")
    parser.addini("mock_server", f"address {told}", default="")
    parser.addini("mock_settings", "options of the server that is started: --seed 7 --scale 200", type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    address = config.getoption("mock_server") or config.getini("mock_server")
    # Worlds on a shared server must not meet those of another run; on one's own the same test has the same world each time.
    config.stash[RUN] = secrets.token_hex(8) if address else ""
    config.stash[SOURCE] = _source(config, address)


def pytest_unconfigure(config: pytest.Config) -> None:
    if DESK in config.stash:
        config.stash[DESK].close()
    config.stash[SOURCE].close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Worker) -> None:
    """Hand a worker of pytest-xdist the way to the desk, and tell it whether others run the same tests."""
    stash = node.config.stash
    if DESK not in stash:
        stash[DESK] = Desk(stash[SOURCE])
    node.workerinput[INPUT] = stash[DESK].ticket
    node.workerinput[EACH] = node.config.getoption("dist") == "each"


@pytest.fixture(scope="session")
def mock_server(pytestconfig: pytest.Config) -> Server:
    """The mock server of this run."""
    try:
        address = pytestconfig.stash[SOURCE].address()
    except NotStarted as failure:
        raise pytest.fail.Exception(f"The mock server does not start. {failure}", pytrace=False) from None
    return Server(address, pytestconfig.getini("mock_settings"))


@pytest.fixture
def mock_world(mock_server: Server, request: pytest.FixtureRequest) -> Iterator[World]:
    """The test's own world, in the situation that its marker names; it is deleted afterwards."""
    world = mock_server.world(world_name(_test(request), request.config.stash[RUN]))
    world.reset(situation=_situation(request.node))
    yield world
    unfired = _unfired(world) if request.config.getoption("fail_unfired") else []
    world.delete()
    if unfired:
        pytest.fail(f"Armed and never fired: {', '.join(unfired)}.", pytrace=False)


def _unfired(world: World) -> list[str]:
    """The names of the faults that never fired; a world that the test has deleted has none."""
    try:
        return [fault["name"] for fault in world.faults(fired=False)]
    except Refused as refused:
        if refused.status != 404:
            raise
        return []


def world_name(node_id: str, run: str = "") -> str:
    """A name that a world may have: the end of the test's id, readable, and a digest of all of it and of the run."""
    readable = _UNSAFE.sub("-", node_id)[-51:].strip("-._") or "test"
    return f"{readable}-{hashlib.blake2b(f'{run}/{node_id}'.encode(), digest_size=6).hexdigest()}"


def _test(request: pytest.FixtureRequest) -> str:
    """The test's id; with the worker's, if every worker of pytest-xdist runs every test."""
    told = getattr(request.config, "workerinput", {})
    node_id: str = request.node.nodeid
    return f"{node_id}@{told['workerid']}" if told.get(EACH) else node_id


def _source(config: pytest.Config, address: str) -> Source:
    if address:
        return Given(address)
    ticket = getattr(config, "workerinput", {}).get(INPUT)
    return Asked(*ticket) if ticket else Own(config.getini("mock_settings"))


def _situation(item: pytest.Item) -> str | None:
    marker = item.get_closest_marker("situation")
    if marker is None:
        return None
    if len(marker.args) != 1 or marker.kwargs or not isinstance(marker.args[0], str):
        pytest.fail('The marker is written @pytest.mark.situation("name").', pytrace=False)
    name: str = marker.args[0]
    return name
