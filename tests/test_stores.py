"""Worlds in a database: they survive restarts and kills, and processes share them without losing anything."""

from __future__ import annotations

import contextlib
import random
import re
import signal
import subprocess
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from mock_server import clock, settings
from mock_server.journal import BYTES, Exchange
from mock_server.refusals import NotFound, Refusal
from mock_server.seeded import Baseline
from mock_server.settings import Settings, WrongUsage
from mock_server.stores import Store, UnknownStore, opened, statements
from mock_server.stores.sql import TRIM_STEP
from mock_server.worlds import World
from tests import postgres as postgresql
from tests.conftest import NOW, serving

ROOT = Path(__file__).parent.parent
ADMIN = {"Authorization": "Bearer test-admin"}
LOGIN = {"UserName": "demo", "Password": "demo", "Database": "demo", "ApiKey": "demo"}
KILLS = 20


@contextlib.contextmanager
def client(store: str, world: str = "default") -> Iterator[httpx.Client]:
    """Of a server of its own on the store."""
    chosen = Settings(store=store, clock=clock.read(NOW), check_replies="all", log="off")
    with serving(chosen) as base, httpx.Client(base_url=base, headers=ADMIN | {"X-Mock-World": world}) as made:
        yield made


def created(made: httpx.Client, **body: Any) -> httpx.Response:
    return made.post("/fentu/api/v1/customers", json={"name": "Kept Inc"} | body)


def test_worlds_survive_a_restart(store: str) -> None:
    """What was created, changed, deleted; the sessions; the next id."""
    with client(store, "mine") as made:
        first, second = (created(made).json()["data"]["id"] for _ in range(2))
        made.put(f"/fentu/api/v1/customers/{first}", json={"notes": "changed"})
        made.delete(f"/fentu/api/v1/customers/{second}")
        session = made.post("/lemonsoft/api/auth/login", json=LOGIN).json()["session_id"]

    with client(store, "mine") as made:
        assert made.get(f"/fentu/api/v1/customers/{first}").json()["data"]["notes"] == "changed"
        assert made.get(f"/fentu/api/v1/customers/{second}").status_code == 404
        assert made.get("/fentu/api/v1/customers").json()["meta"]["total_count"] == 61
        assert made.get("/lemonsoft/api/auth/alive", headers={"Session-Id": session}).status_code == 200
        assert created(made).json()["data"]["id"] == "cust-063"


def test_two_servers_see_each_other(store: str) -> None:
    """At once: writes, deletes, logins, in lists and totals too."""
    with client(store) as one, client(store) as other:
        id = created(one, email="one@one.example").json()["data"]["id"]
        assert other.get(f"/fentu/api/v1/customers/{id}").status_code == 200
        assert created(other, email="one@one.example").status_code == 409
        session = one.post("/lemonsoft/api/auth/login", json=LOGIN).json()["session_id"]
        assert other.get("/lemonsoft/api/auth/alive", headers={"Session-Id": session}).status_code == 200
        assert other.delete(f"/fentu/api/v1/customers/{id}").status_code == 204
        assert one.get("/fentu/api/v1/customers").json()["meta"]["total_count"] == 60


def test_worlds_of_a_store_do_not_see_each_other(store: str) -> None:
    with client(store, "one") as one:
        created(one)
        other = one.get("/fentu/api/v1/customers", headers={"X-Mock-World": "other"})

        assert other.json()["meta"]["total_count"] == 60
        assert one.get("/fentu/api/v1/customers").json()["meta"]["total_count"] == 61


def test_a_unique_value_is_taken_once(store: str) -> None:
    """1,000 concurrent creations with 500 distinct e-mails through two processes: 500 records, 500 refusals with 409."""
    with mock_server(store) as one, mock_server(store) as other, ThreadPoolExecutor(8) as pool:
        clients = [httpx.Client(base_url=address, headers=ADMIN, timeout=60) for address in (one, other)]
        emails = [f"c{number % 500}@unique.example" for number in range(1000)]
        random.Random(7).shuffle(emails)
        answers = list(pool.map(lambda job: created(clients[job[0] % 2], email=job[1]), enumerate(emails)))
        total = clients[0].get("/fentu/api/v1/customers").json()["meta"]["total_count"]
        for made in clients:
            made.close()

    assert Counter(answer.status_code for answer in answers) == {201: 500, 409: 500}
    assert len({answer.json()["data"]["id"] for answer in answers if answer.status_code == 201}) == 500
    assert total == 560


def test_no_update_is_lost(store: str) -> None:
    """Two processes change different properties of one record at once: both changes stand."""
    with mock_server(store) as one, mock_server(store) as other, ThreadPoolExecutor(2) as pool:

        def write(job: tuple[str, str]) -> None:
            address, property = job
            with httpx.Client(base_url=address, headers=ADMIN, timeout=60) as made:
                for count in range(50):
                    answer = made.put("/fentu/api/v1/customers/cust-005", json={property: f"{property} {count}"})
                    assert answer.json()["data"][property] == f"{property} {count}"

        list(pool.map(write, [(one, "notes"), (other, "fax")]))
        record = httpx.get(f"{one}/fentu/api/v1/customers/cust-005", headers=ADMIN).json()["data"]

    assert (record["notes"], record["fax"]) == ("notes 49", "fax 49")


def test_a_snapshot_is_kept_by_several_processes_at_once(store: str) -> None:
    """Under one name: the last one stands, and nobody is refused."""
    with contextlib.closing(opened(store)) as one, contextlib.closing(opened(store)) as other, ThreadPoolExecutor(2) as pool:

        def keep(kept: Store) -> None:
            for number in range(50):
                kept.keep("both", b"%d" % number)
                if number % 2 == 0:
                    kept.keep("both", None)

        list(pool.map(keep, (one, other)))
        found = one.snapshots(), one.snapshot("both")

    assert found == (["both"], b"49")


def asked(kept: Store, name: str, size: int = 0, status: int = 200) -> int:
    """The number of an exchange that a world's journal was given."""
    exchange = Exchange(name, 0, 0, "a", "o", "GET", "/", (), None, status, (), bytes(size))
    kept.record(known(name), exchange)
    return exchange.number


def known(name: str) -> World:
    """A world as a process knows it before it has asked the store; without any API."""

    def nothing(*_: object) -> Baseline:
        raise LookupError(name)

    return World(name, 1, 1, {}, nothing, {})


def numbers(kept: Store, name: str) -> list[int]:
    return [exchange.number for exchange in kept.journal(known(name))]


def test_an_exchange_is_in_the_journal_before_it_is_answered(store: str) -> None:
    """Whichever server is asked for it, reads and writes alike."""
    with client(store) as one, client(store) as other:
        for answer in (created(one), one.get("/fentu/api/v1/customers"), created(other, name=3), one.get("/fentu/nowhere")):
            world, _, number = answer.headers["X-Mock-Request"].partition("/")
            for made in (other, one):
                told = made.get(f"/_mock/worlds/{world}/journal/{number}").json()
                assert told["answer"]["status"] == answer.status_code


def test_the_numbers_of_exchanges_only_grow(store: str) -> None:
    """In all processes together, also after the journal was emptied: a number in an answer means one exchange for ever."""
    with contextlib.closing(opened(store)) as one, contextlib.closing(opened(store)) as other:
        given = [asked(kept, "w") for kept in (one, other) * 3]
        assert numbers(one, "w") == numbers(other, "w") == given
        one.erase(known("w"))
        assert numbers(other, "w") == []
        given += [asked(kept, "w") for kept in (other, one)]

    assert given == sorted(set(given))


def test_each_world_keeps_its_newest_exchanges(store: str) -> None:
    """However the requests to worlds alternate, no journal grows beyond its bound and one step of cleaning."""
    with contextlib.closing(opened(store, kept=5)) as one:
        given = [(asked(one, "w"), asked(one, "v")) for _ in range(TRIM_STEP + 1)]
    with contextlib.closing(opened(store, kept=1000)) as other:
        found = [numbers(other, name) for name in ("w", "v")]

    assert found == [[number[place] for number in given[-5:]] for place in (0, 1)]


def test_few_large_exchanges_are_kept(store: str) -> None:
    """No more bytes than may be, but always the last one."""
    with contextlib.closing(opened(store)) as one, contextlib.closing(opened(store)) as other:
        asked(one, "w", BYTES // 2)
        asked(one, "w", BYTES // 2)
        last = asked(other, "w", BYTES + 1)
        assert numbers(one, "w") == [last]


def test_a_lost_connection_is_made_again(postgres: str) -> None:
    """A database that restarts costs a request, and not the server."""
    with postgresql.database(postgres) as store, client(store) as made:
        created(made)
        with psycopg.connect(store, autocommit=True) as connection:
            others = "datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {others}")
        statuses = [made.get("/fentu/api/v1/customers").status_code for _ in range(2)]
        total = made.get("/fentu/api/v1/customers").json()["meta"]["total_count"]

    assert statuses[1:] == [200]
    assert total == 61


def test_what_a_refused_write_did_to_a_world_is_undone(store: str) -> None:
    """Its settings are again what the store has."""
    world = known("w")
    with contextlib.closing(opened(store)) as kept:
        kept.refresh(world)
        with contextlib.suppress(Refusal), kept.writing(world):
            world.scale, world.situation, world.clock = 7, "another", clock.Clock(frozen=1)
            raise NotFound("Record", "1")
        kept.refresh(world)

    assert (world.scale, world.situation, world.clock.frozen) == (1, "", None)


def test_workers_are_one_server(store: str) -> None:
    """Two processes at one port: whichever answers, it knows what the other wrote; a signal ends both."""
    with mock_server(store, "--workers", "2") as address:
        made = [httpx.post(f"{address}/fentu/api/v1/customers", headers=ADMIN, json={"name": f"N{n}"}).json() for n in range(20)]
        totals = {httpx.get(f"{address}/fentu/api/v1/customers", headers=ADMIN).json()["meta"]["total_count"] for _ in range(20)}
        PROCESSES[address].send_signal(signal.SIGTERM)
        status = PROCESSES[address].wait(30)

    assert [answer["data"]["id"] for answer in made] == [f"cust-{n:03}" for n in range(61, 81)]
    assert totals == {80}
    assert status == 0


def test_what_keeps_workers_from_starting_is_told_once(tmp_path: Path) -> None:
    """The first of them meets it, and the others do not start."""
    (tmp_path / "worlds.db").write_text("no database")
    command = [sys.executable, "-m", "mock_server", "--port", "0", "--store", f"sqlite:///{tmp_path}/worlds.db", "--workers", "3"]

    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)

    assert ended.returncode == 2
    assert re.fullmatch(r"mock-server: --store \S+ cannot be opened: .+\n", ended.stderr)


def test_a_server_waits_for_one_that_makes_the_tables(postgres: str) -> None:
    """Two that make the same table would meet errors of several kinds."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with postgresql.database(postgres) as store, ThreadPoolExecutor(1) as threads:
        engine = create_engine(store.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)
        with engine.begin() as first:
            first.execute(statements.ALONE)
            second = threads.submit(opened, store)
            while not (second.done() or first.execute(waiting).scalar()):
                pass
            statements.METADATA.create_all(first)
        with contextlib.closing(second.result()) as kept:
            assert kept.names() == []


def test_workers_in_memory_are_refused() -> None:
    """Each would have worlds of its own: the reason is told."""
    with pytest.raises(WrongUsage, match="in memory each would have worlds of its own"):
        settings.read(["--workers", "2"], {})


@pytest.mark.parametrize(
    "address",
    [
        "mysql://localhost/x",
        "nonsense",
        "sqlite:////nowhere/at/all.db",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://localhost:1/x",
    ],
)
def test_a_store_that_cannot_be_used_is_one_line(address: str) -> None:
    """What was wrong and what would be right; no password is shown."""
    with pytest.raises(UnknownStore) as refused:
        opened(address)

    assert str(refused.value).startswith("--store ")
    assert "\n" not in str(refused.value)


@contextlib.contextmanager
def mock_server(store: str, *arguments: str) -> Iterator[str]:
    """The command in a process of its own; its address. It is killed at the end if it still runs."""
    command = [sys.executable, "-m", "mock_server", "--port", "0", "--store", store, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        found = re.search(r"http://\S+?(?=/\s)", server.stdout.readline())
        assert found is not None
        PROCESSES[found[0]] = server
        try:
            yield found[0]
        finally:
            del PROCESSES[found[0]]
            server.kill()


PROCESSES: dict[str, subprocess.Popen[str]] = {}


@dataclass
class Loader:
    """Writes customers with two contacts each until the server is gone; remembers what was acknowledged."""

    acknowledged: dict[int, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, address: str, session: str, until: int) -> None:
        """Kill the server when so many more are acknowledged, with other requests under way."""
        goal = len(self.acknowledged) + until
        with contextlib.suppress(httpx.TransportError), httpx.Client(base_url=address, headers={"Session-Id": session}) as made:
            while True:
                name = uuid.uuid4().hex
                contacts = [{"customer_id": 0, "name": f"{name}-{which}"} for which in (1, 2)]
                body = {"name": name, "email": f"{name}@load.example", "contacts": contacts}
                answer = made.post("/lemonsoft/api/customers", json=body)
                with self.lock:
                    self.acknowledged[answer.json()["id"]] = name
                    if len(self.acknowledged) >= goal:
                        PROCESSES[address].send_signal(signal.SIGKILL)


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(store: str) -> None:
    """Killed with -9 under load, at random moments: every acknowledged write is there afterwards, and no half of one."""
    chance, loader = random.Random(11), Loader()
    for kill in range(KILLS + 1):
        with mock_server(store) as address:
            session = httpx.post(f"{address}/lemonsoft/api/auth/login", json=LOGIN).json()["session_id"]
            check(address, session, loader.acknowledged)
            if kill < KILLS:
                with ThreadPoolExecutor(3) as pool:
                    until = chance.randint(1, 25)
                    list(pool.map(lambda _: loader.run(address, session, until), range(3)))  # noqa: B023  # it ends in here

    assert len(loader.acknowledged) >= KILLS


def check(address: str, session: str, acknowledged: dict[int, str]) -> None:
    """Everything acknowledged is there, and every customer of the load has both its contacts."""
    with httpx.Client(base_url=address, headers={"Session-Id": session}) as made:
        found: dict[int, dict[str, Any]] = {}
        page = 1
        while rows := made.get(
            "/lemonsoft/api/customers", params={"filter.email": "@load.example", "page": page, "page_size": 500}
        ).json()["results"]:
            found |= {row["id"]: row for row in rows}
            page += 1
    assert {id: found[id]["name"] for id in acknowledged} == acknowledged
    for row in found.values():
        assert [contact["name"] for contact in row["contacts"]] == [f"{row['name']}-1", f"{row['name']}-2"]
