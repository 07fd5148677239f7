"""One server for all tests, a world for each: its tests talk to it over HTTP."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import hypothesis
import pytest
import uvicorn

from mock_server import app, clock, contract
from mock_server import serving as http_server
from mock_server.contract import Contract
from mock_server.settings import Settings
from tests import postgres as postgresql

ROOT = Path(__file__).parent.parent
NOW = "2026-03-01T12:00:00Z"
Client = httpx.Client


@contextlib.contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """A server on a free port, in a thread; its address. It fails when a reply broke the contract."""
    mistakes: list[str] = []
    with running(http_server.server(app.build(settings, on_mistake=mistakes.append))) as root:
        yield root
    assert mistakes == []


# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("any machine")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # In a background job; the servers that tests start would ignore it too.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def running(server: uvicorn.Server) -> Iterator[str]:
    """An HTTP server on a free port, in a thread; its address."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)  # From here on requests wait until the server takes them.
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@pytest.fixture(scope="session")
def contracts() -> dict[str, Contract]:
    return contract.load_all(ROOT / "openapi")


@pytest.fixture(scope="session")
def own() -> Contract:
    """The contract of the server itself."""
    return contract.load(ROOT / "openapi" / "control" / "openapi.yaml", "control")


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Of a server whose clock stands still, and which checks every reply."""
    with serving(Settings(clock=clock.read(NOW), check_replies="all", log="off")) as base:
        yield base


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL."""
    with postgresql.running() as address:
        yield address


@contextlib.contextmanager
def emptied(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """The address of an empty store of the kind that a fixture's parameter names."""
    if request.param == "postgresql":
        with postgresql.database(request.getfixturevalue("postgres")) as address:
            yield address
    else:
        yield "memory" if request.param == "memory" else f"sqlite:///{folder}/worlds.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    with emptied(request, tmp_path) as address:
        yield address


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty store."""
    with emptied(request, tmp_path) as address:
        yield address


@pytest.fixture
def world(request: pytest.FixtureRequest) -> str:
    """The name of the test's own world."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", request.node.name).strip("-._")[:60]


@pytest.fixture
def client(address: str, world: str) -> Iterator[Client]:
    """At the root of the server, in the test's own world."""
    with httpx.Client(base_url=address, headers={"X-Mock-World": world}) as made:
        yield made


@pytest.fixture
def fentu(client: Client) -> Client:
    """Fentu with all scopes."""
    client.base_url = client.base_url.join("/fentu/api/v1/")
    client.headers["Authorization"] = "Bearer test-admin"
    return client


@pytest.fixture
def keychain(client: Client) -> Client:
    client.base_url = client.base_url.join("/keychain/v1/")
    client.headers["X-API-Key"] = "test-key"
    return client


@pytest.fixture
def lemonsoft(client: Client) -> Client:
    """Lemonsoft, logged in."""
    client.base_url = client.base_url.join("/lemonsoft/api/")
    answer = client.post("auth/login", json={"UserName": "demo", "Password": "demo", "Database": "demo", "ApiKey": "demo"})
    client.headers["Session-Id"] = answer.json()["session_id"]
    return client


@pytest.fixture
def into(request: pytest.FixtureRequest) -> Callable[[str], Client]:
    """The client of an API by its name."""
    return request.getfixturevalue
