"""The Python client, on a server that runs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from mock_server import client
from mock_server.client import NotStarted, Refused, Server, Unreachable, World
from tests.conftest import ROOT

ACME = "/customers/cust-001"
NOTES = "VIP customer - priority service"  # of ACME, before anything is written


@pytest.fixture
def server(address: str) -> Server:
    return Server(address)


@pytest.fixture
def mine(server: Server, world: str) -> World:
    """The test's own world."""
    made = server.world(world)
    made.reset()
    return made


def notes(world: World) -> Any:
    return httpx.get(world.address("fentu") + ACME, headers=world.headers("fentu")).json()["data"]["notes"]


def write(world: World, text: str) -> None:
    httpx.put(world.address("fentu") + ACME, headers=world.headers("fentu"), json={"notes": text}).raise_for_status()


def delete_customer(world: World) -> None:
    httpx.delete(world.address("fentu") + "/customers/cust-060", headers=world.headers("fentu")).raise_for_status()


@pytest.mark.parametrize("api", ["fentu", "lemonsoft", "keychain"])
def test_address_and_headers_are_all_that_a_client_needs(mine: World, api: str) -> None:
    """Whatever the API's credentials are; a session is opened where there are sessions."""
    customers = mine.address(api) + "/customers"

    assert httpx.get(customers, headers=mine.headers(api)).status_code == 200
    assert httpx.get(customers).status_code == 401


def test_a_session_is_kept_until_the_world_changes(mine: World) -> None:
    """One login for all requests; after a reset, and after a move of the clock, another."""
    first, again = mine.headers("lemonsoft"), mine.headers("lemonsoft")
    mine.clock.advance(3600)
    later = mine.headers("lemonsoft")

    customers = mine.address("lemonsoft") + "/customers"
    assert first == again
    assert httpx.get(customers, headers=first).status_code == 401
    assert httpx.get(customers, headers=later).status_code == 200


def test_another_credential_is_asked_for_by_its_name(mine: World) -> None:
    reader = mine.headers("fentu", "read")

    refused = httpx.put(mine.address("fentu") + ACME, headers=reader, json={"notes": "mine"})

    assert refused.status_code == 403
    with pytest.raises(LookupError, match="there are: admin, read"):
        mine.headers("fentu", "nobody")


def test_worlds_do_not_see_each_other(server: Server, mine: World) -> None:
    write(mine, "mine")

    assert notes(mine) == "mine"
    assert notes(server.world(f"{mine.name}-other")) == NOTES


def test_a_reset_begins_again(mine: World) -> None:
    """With another seed and scale if wanted; without them, as the server was started."""
    write(mine, "mine")

    mine.reset(seed=0, scale=0)
    empty = mine.describe()
    mine.reset()

    assert (empty["seed"], empty["scale"]) == (0, 0)
    assert (mine.describe()["seed"], mine.describe()["scale"]) == (1, 60)
    assert notes(mine) == NOTES


def test_a_situation_is_a_starting_point(mine: World) -> None:
    mine.situation("blocked")
    begun = mine.describe()["situation"]
    mine.reset(situation="")

    assert begun == "blocked"
    assert not mine.describe()["situation"]


def test_a_fork_begins_as_a_copy(mine: World) -> None:
    """What is written to either later, the other does not see."""
    write(mine, "before")
    copy = mine.fork(f"{mine.name}-copy")
    write(mine, "after")

    assert notes(copy) == "before"
    assert notes(mine) == "after"


def test_a_snapshot_is_come_back_to(mine: World) -> None:
    write(mine, "kept")
    mine.snapshot(mine.name)
    write(mine, "lost")

    mine.restore(mine.name)

    assert notes(mine) == "kept"
    assert mine.name in mine.server.control("GET", "/snapshots")["snapshots"]


def test_an_export_makes_the_same_world(server: Server, mine: World) -> None:
    """Elsewhere too: its digest is the same."""
    write(mine, "exported")
    export = mine.export()
    other = server.world(f"{mine.name}-other")

    other.load(export)

    assert notes(other) == "exported"
    assert other.export()["digest"] == export["digest"]


def test_an_export_of_other_contracts_wants_force(mine: World) -> None:
    write(mine, "exported")
    export = mine.export()
    export["contracts"]["fentu"] = "0" * 64

    with pytest.raises(Refused) as refused:
        mine.load(export)
    mine.load(export, force=True)

    assert refused.value.status in (400, 409)
    assert notes(mine) == "exported"


def test_the_trash_tells_what_was_deleted(mine: World) -> None:
    delete_customer(mine)

    assert ("fentu", "customer", "cust-060") in [(item["api"], item["resource"], item["id"]) for item in mine.trash()]


def test_faults_limits_and_journal_are_at_hand(mine: World) -> None:
    """Armed, counted, told and disarmed; logins go on."""
    session = mine.headers("lemonsoft")
    mine.fault(name="late", api="fentu", delay={"seconds": 0}, from_="2020-01-01T00:00:00Z")
    mine.rate_limit("fentu", 1)

    asked = [httpx.get(f"{mine.address('fentu')}/customers", headers=mine.headers("fentu")).status_code for _ in range(2)]

    assert asked == [200, 429]
    assert [exchange["answer"]["status"] for exchange in mine.journal(api="fentu")] == asked
    assert [fault["name"] for fault in mine.faults(fired=True)] == ["late"]
    mine.disarm("late")
    mine.disarm()
    assert mine.faults() == []
    assert mine.headers("lemonsoft") == session


def test_a_deleted_world_is_gone(mine: World) -> None:
    """Deleting it again is no mistake; its next use makes a new one."""
    write(mine, "mine")
    before = mine.name in mine.server.worlds()
    mine.delete()
    after = mine.name in mine.server.worlds()
    mine.delete()

    assert (before, after) == (True, False)
    assert notes(mine) == NOTES


@pytest.mark.parametrize(
    "at",
    [
        "2025-12-31T23:59:50Z",
        datetime(2025, 12, 31, 23, 59, 50),  # It has no zone.
        datetime(2026, 1, 1, 1, 59, 50, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_a_clock_stands_still_where_it_is_told(mine: World, at: str | datetime) -> None:
    """A datetime without a zone is UTC."""
    mine.clock.freeze(at)
    before = mine.clock.now()
    mine.clock.advance(20)

    assert before.startswith("2025-12-31T23:59:50")
    assert mine.clock.now().startswith("2026-01-01T00:00:10")


def test_a_clock_that_was_set_runs(mine: World) -> None:
    def frozen() -> bool:
        return bool(mine.describe()["clock"]["frozen"])

    steps: list[Callable[[], None]] = [
        lambda: mine.clock.set("2030-06-01T08:00:00Z"),
        mine.clock.freeze,
        mine.clock.run,
    ]
    seen = []
    for step in steps:
        step()
        seen.append(frozen())

    assert seen == [False, True, False]
    assert mine.clock.now().startswith("2030-06-01T08:0")


def test_a_refusal_tells_all_that_is_wrong(mine: World) -> None:
    with pytest.raises(Refused) as refused:
        mine.server.control("POST", f"/worlds/{mine.name}/reset", {"seed": -1, "scale": "many"})

    assert refused.value.status == 400
    assert {violation.pointer for violation in refused.value.violations} == {"/seed", "/scale"}
    assert all(violation.message in str(refused.value) for violation in refused.value.violations)


@pytest.mark.parametrize("name", ["../worlds", "a/b", "-x", "ä"])
def test_an_impossible_world_is_refused(server: Server, name: str) -> None:
    """A name stays within its segment of the path."""
    with pytest.raises(Refused):
        server.world(name).reset()


def test_where_nothing_answers_the_address_is_told() -> None:
    with socket.socket() as taken:  # Bound and not listening: nobody else gets the port meanwhile.
        taken.bind(("127.0.0.1", 0))
        silent = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Unreachable, match=f"http://{silent}"):
            Server(silent).worlds()


def test_a_server_is_started_as_wished_and_stopped() -> None:
    """Its own fixtures and contracts, if it was given some, are where credentials and addresses come from."""
    with client.started("--scale", "2", seed=7, api="keychain", log=None, strict_query=True) as server:
        world = server.world("one")
        customers = world.address("keychain") + "/customers"
        listed = httpx.get(customers, headers=world.headers("keychain"))
        refused = httpx.get(customers, headers=world.headers("keychain"), params={"unknown": 1})

    assert listed.status_code == 200
    assert refused.status_code == 400
    with pytest.raises(Unreachable):
        server.worlds()


KILLED = """
import os, signal, sys
from mock_server import client

with client.started(api="keychain", **dict(eval(sys.argv[1]))) as server:
    print(server.address, flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def wait_until_closed(address: str) -> None:
    """Wait until nobody listens there any more: whoever does, hangs up when it ends."""
    root = urlsplit(address)
    while True:
        try:
            with socket.create_connection((root.hostname or "", root.port or 0), timeout=30) as client:
                client.recv(1)
        except ConnectionResetError:  # It ended before it had taken the connection.
            continue
        except ConnectionRefusedError:
            return


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_does_not_outlive_who_started_it(tmp_path: Path, workers: int) -> None:
    """Not even one who is killed and cleans up nothing: its port is closed soon afterwards."""
    settings: dict[str, Any] = {"workers": 2, "store": f"sqlite:///{tmp_path}/worlds.db"} if workers == 2 else {}
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, repr(settings)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as killed:
        assert killed.stdin is not None
        assert killed.stdout is not None
        address = killed.stdout.readline().strip()
        there = Server(address).worlds()
        killed.communicate("now\n", timeout=30)

    assert there == []
    assert killed.returncode == -signal.SIGKILL
    wait_until_closed(address)


def test_a_server_that_does_not_start_says_why() -> None:
    with pytest.raises(NotStarted, match="--seed must be a whole number"), client.started(seed="one"):
        pass


def test_what_the_server_said_is_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    """It stands on the standard error once the server has ended."""
    with client.started(api="keychain", log="requests") as server:
        server.world("seen").reset()

    assert "seen" in capsys.readouterr().err


def test_a_server_has_the_credentials_of_its_own_fixtures(tmp_path: Any) -> None:
    folder = tmp_path / "keychain"
    folder.mkdir()
    (folder / "credentials.yaml").write_text("credentials: [{name: mine, secret: of-my-own}]\n", "utf-8")
    world = Server("http://localhost:1", ("--fixtures", os.fspath(tmp_path))).world("w")

    assert world.headers("keychain") == {"X-API-Key": "of-my-own"}
    assert world.address("keychain") == "http://localhost:1/w/w/keychain/v1"
