"""Failures recorded under load, among other traffic of the same world: each becomes a small file that shows it again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mock_server import fixtures
from mock_server.capsules import reading, writing
from mock_server.capsules.saving import Saving
from mock_server.client import Server, started
from mock_server.commands import capsule as command
from mock_server.contract import Contract
from mock_server.settings import Settings
from tests.conftest import ROOT, serving

WORLD = "load"
PLANTED = "s3cr3t-9f8e7d6c5b4a-planted"  # sent as a credential, and echoed in records, queries and ids
ADMIN, READ = {"Authorization": "Bearer test-admin"}, {"Authorization": "Bearer test-read"}
DEMO = dict.fromkeys(("UserName", "Password", "Database", "ApiKey"), "demo")
Client = httpx.Client


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, contracts: dict[str, Contract]) -> dict[str, Path]:
    """A file for each failure, saved while others go on; the journal does not keep all of it."""
    known, _ = fixtures.load(ROOT / "fixtures", contracts, lenient=False)
    saving, folder = Saving(contracts, list(known.values())), tmp_path_factory.mktemp("recorded")
    headers, over = {"X-Mock-World": WORLD}, threading.Event()
    with serving(Settings(log="off", journal=120)) as base, httpx.Client(base_url=base, headers=headers) as client:
        for count in range(25):
            traffic(client, f"before{count}")
        threads = [threading.Thread(target=endless, args=(base, name, over)) for name in ("a", "b")]
        for thread in threads:
            thread.start()
        try:
            for failure, status in FAILURES:
                answer = failure(client)
                assert answer.status_code == status
                id = answer.headers["X-Mock-Request"].rpartition("/")[2]
                made = saving.from_journal(Server(base), WORLD, [id])
                (folder / failure.__name__).write_text(writing.written(made))
        finally:
            over.set()
            for thread in threads:
                thread.join()
    return {failure.__name__: folder / failure.__name__ for failure, _ in FAILURES}


@pytest.fixture(scope="module")
def fresh() -> Iterator[Server]:
    """Another process, which has seen nothing of it."""
    with started() as server:
        yield server


def endless(address: str, name: str, over: threading.Event) -> None:
    """What other people do meanwhile."""
    with httpx.Client(base_url=address, headers={"X-Mock-World": WORLD}) as client:
        count = 0
        while not over.wait(0.05):
            count += 1
            traffic(client, f"{name}{count}")


def traffic(client: Client, name: str) -> None:
    """A few requests of every kind."""
    client.post("/fentu/api/v1/customers", json={"name": name, "email": f"{name}@example.com"}, headers=ADMIN)
    client.get("/fentu/api/v1/customers", params={"search": name[0], "per_page": 3}, headers=ADMIN)
    client.get("/keychain/v1/customers", params={"limit": 2}, headers={"X-API-Key": "test-key"})
    client.get("/fentu/api/v1/customers", params={"api_key": PLANTED}, headers={"Authorization": f"Bearer {PLANTED}"})
    client.post("/lemonsoft/api/customers", json={"name": name}, headers=session(client))


def session(client: Client) -> dict[str, str]:
    answer = client.post("/lemonsoft/api/auth/login", json=DEMO)
    return {"Session-Id": answer.json()["session_id"]} if answer.status_code == 200 else {}


def created(client: Client, path: str, **body: Any) -> str:
    answer = client.post(f"/fentu/api/v1{path}", json=body, headers=ADMIN)
    return str(answer.json()["data"]["id"])


# Ten failures: each does what it takes, and answers with the answer that shows it.


def duplicate(client: Client) -> httpx.Response:
    created(client, "/customers", name=PLANTED, email="twice@example.com")
    return client.post(
        "/fentu/api/v1/customers", json={"name": "Second", "email": "TWICE@example.com", "fax": "1"}, headers=ADMIN
    )


def guarded(client: Client) -> httpx.Response:
    id = created(client, "/customers", name="With orders", email="orders@example.com")
    for title in ("One", "Two", "Three"):
        created(client, "/work-orders", customer_id=id, title=title, description=title)
    return client.delete(f"/fentu/api/v1/customers/{id}", headers=ADMIN)


def gone(client: Client) -> httpx.Response:
    id = created(client, "/customers", name="Gone", email="gone@example.com")
    client.delete(f"/fentu/api/v1/customers/{id}", headers=ADMIN)
    return client.get(f"/fentu/api/v1/customers/{id}", headers=ADMIN)


def contact_gone(client: Client) -> httpx.Response:
    id = created(client, "/customers", name="Parent", email="parent@example.com")
    contact = created(client, f"/customers/{id}/contacts", name="Ann Other")
    client.delete(f"/fentu/api/v1/customers/{id}", headers=ADMIN)
    return client.put(f"/fentu/api/v1/contacts/{contact}", json={"name": "Ann"}, headers=ADMIN)


def dangling(client: Client) -> httpx.Response:
    body = {"customer_id": "cust-999999", "title": "None", "description": PLANTED}
    return client.post("/fentu/api/v1/work-orders", json=body, headers=ADMIN)


def invalid(client: Client) -> httpx.Response:
    id = created(client, "/customers", name="Valid", email="valid@example.com")
    body = {"email": "no address", "status": "asleep", "phone": 5, "notes": "fine"}
    return client.put(f"/fentu/api/v1/customers/{id}", json=body, headers=ADMIN)


def forbidden(client: Client) -> httpx.Response:
    return client.post("/fentu/api/v1/customers", json={"name": "Mine", "email": "mine@example.com"}, headers=READ)


def unknown_credential(client: Client) -> httpx.Response:
    return client.get(f"/fentu/api/v1/customers?page=1&token={PLANTED}", headers={"Authorization": f"Bearer {PLANTED}"})


def expired(client: Client) -> httpx.Response:
    headers = session(client)
    client.post(f"/_mock/worlds/{WORLD}/clock/advance", json={"seconds": 3600})
    return client.get("/lemonsoft/api/customers", headers=headers)


def taken_number(client: Client) -> httpx.Response:
    headers = session(client)
    client.post("/lemonsoft/api/customers", json={"name": "First", "number": 7654321}, headers=headers)
    return client.post("/lemonsoft/api/customers", json={"name": "Second", "number": 7654321}, headers=headers)


def broken_body(client: Client) -> httpx.Response:
    lost = {"pointer": "/data/name", "way": "missing"}
    fault = {"name": "lost name", "api": "fentu", "operation": "getCustomer", "times": 1, "break": lost}
    client.post(f"/_mock/worlds/{WORLD}/faults", json=fault)
    return client.get("/fentu/api/v1/customers/cust-001", headers=ADMIN)


def rate_limited(client: Client) -> httpx.Response:
    client.put(f"/_mock/worlds/{WORLD}/rate-limits/fentu", json={"limit": 1})
    answers = [client.get("/fentu/api/v1/assets", headers=READ) for _ in range(2)]
    client.delete(f"/_mock/worlds/{WORLD}/rate-limits/fentu")
    return answers[-1]


FAILURES: list[tuple[Callable[[Client], httpx.Response], int]] = [
    (duplicate, 409),
    (guarded, 409),
    (gone, 404),
    (contact_gone, 404),
    (dangling, 409),
    (invalid, 422),
    (forbidden, 403),
    (unknown_credential, 401),
    (expired, 401),
    (taken_number, 400),
    (broken_body, 200),
    (rate_limited, 429),
]


@pytest.mark.parametrize("failure", [failure.__name__ for failure, _ in FAILURES])
def test_a_failure_becomes_a_small_file_that_shows_it_again(
    failure: str, recorded: dict[str, Path], fresh: Server, tmp_path: Path, contracts: dict[str, Contract]
) -> None:
    """At most five requests are left of all that went on, it reproduces elsewhere, and no secret is in the file."""
    whole, small = recorded[failure], tmp_path / "small.yaml"

    assert command.main(["shrink", str(whole), "--url", fresh.address, "--out", str(small)]) == 0

    assert len(reading.load(small, contracts).requests) <= 5
    assert command.main(["replay", str(small), "--url", fresh.address]) == command.REPRODUCED
    for file in (whole, small):
        assert PLANTED not in file.read_text()
        assert "test-admin" not in file.read_text()
