"""The journal: what a world was asked, what it answered, and why."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server import clock
from mock_server.journal import BYTES, Exchange, Journal, decoded, encoded
from mock_server.refusals import Violation
from mock_server.settings import Settings
from mock_server.state import Trashed, Write
from tests.conftest import NOW, serving

Client = httpx.Client
ROOT = Path(__file__).parent.parent


def told(client: Client, world: str, **query: Any) -> list[Any]:
    answer = client.get(f"{client.base_url.copy_with(path='/')}_mock/worlds/{world}/journal", params=query)
    assert answer.status_code == 200, answer.text
    exchanges: list[Any] = answer.json()["exchanges"]
    return exchanges


def test_an_answer_names_its_exchange(fentu: Client, world: str) -> None:
    """The header X-Mock-Request leads to the journal."""
    answer = fentu.get("customers/cust-001")

    [exchange] = told(fentu, world)
    assert answer.headers["X-Mock-Request"] == f"{world}/{exchange['id']}"
    assert exchange["operation"] == "getCustomer"
    assert exchange["at"] == NOW.replace("Z", ".000Z")
    assert exchange["read"] == [{"api": "fentu", "resource": "customer", "id": "cust-001"}]
    assert json.loads(exchange["answer"]["body"]) == answer.json()


def test_what_was_written_is_told(fentu: Client, world: str) -> None:
    """Also what goes with it: a customer that is deleted takes its contacts along."""
    created = fentu.post("customers", json={"name": "A"}).json()["data"]["id"]
    contact = fentu.post(f"customers/{created}/contacts", json={"name": "C"}).json()["data"]["id"]
    fentu.put(f"customers/{created}", json={"notes": "x"})
    fentu.delete(f"customers/{created}")

    changes = [{(one["id"], one["change"]) for one in exchange["written"]} for exchange in told(fentu, world)]

    assert changes == [
        {(created, "created")},
        {(contact, "created")},
        {(created, "changed")},
        {(created, "deleted"), (contact, "deleted")},
    ]


def test_every_violation_has_its_place_in_the_contract(fentu: Client, world: str) -> None:
    """File and line of what says so, and the parts of the answer that are a reading of ours."""
    fentu.post("customers", json={"name": 3, "email": "no"})

    [exchange] = told(fentu, world)

    assert exchange["reason"] == "invalid_body"
    assert {violation["pointer"] for violation in exchange["violations"]} == {"/name", "/email"}
    for violation in exchange["violations"]:
        file, line = violation["place"].rsplit(":", 1)
        text = (ROOT / file).read_text().splitlines()[int(line) - 1]
        assert violation["pointer"].strip("/") in text or "type" in text or "format" in text
    assert any("no error body" in one["reason"].lower() or "body" in one["reason"].lower() for one in exchange["inferred"])


def test_a_parameter_that_changed_nothing_is_told(fentu: Client, world: str) -> None:
    fentu.get("customers?x=1")

    assert told(fentu, world)[0]["ignored"] == ["x"]


def test_an_unknown_path_has_its_neighbours(fentu: Client, world: str) -> None:
    """Below the base path, and where the base path itself is forgotten."""
    fentu.get("customer/cust-001")
    fentu.get(f"{fentu.base_url.copy_with(path='/')}fentu/customers")

    lost = told(fentu, world)

    assert "GET /fentu/api/v1/customers/{id}" in lost[0]["nearest"]
    assert "GET /fentu/api/v1/customers" in lost[1]["nearest"]
    assert [exchange["operation"] for exchange in lost] == [None, None]


def test_secrets_are_masked(client: Client, world: str) -> None:
    """Keys, passwords and sessions stand in no form of the journal, wherever they were sent."""
    login = {"UserName": "demo", "Password": "planted-password-1", "Database": "demo", "ApiKey": "planted-key-22"}
    client.post("/lemonsoft/api/auth/login", json=login)
    session = client.post("/lemonsoft/api/auth/login", json=dict.fromkeys(login, "demo")).json()["session_id"]
    client.get("/lemonsoft/api/customers", headers={"Session-Id": session})
    client.get("/fentu/api/v1/customers?token=planted-query-3", headers={"Authorization": "Bearer planted-bearer-4"})
    client.get("/fentu/api/v1/customers/planted-bearer-4", headers={"Authorization": "Bearer test-admin"})
    journal = f"/_mock/worlds/{world}/journal"

    texts = [client.get(journal + form).text for form in ("", ".ndjson", ".har", ".curl")]

    for text in texts:
        assert session not in text
        assert "planted-" not in text
        assert "test-admin" not in text
        assert "/lemonsoft/api/customers" in text


def test_secrets_are_told_if_the_server_was_told_to() -> None:
    with serving(Settings(show_secrets=True, log="off")) as address, httpx.Client(base_url=address) as client:
        client.get("/fentu/api/v1/customers", headers={"Authorization": "Bearer test-admin"})

        assert "Bearer test-admin" in client.get("/_mock/worlds/default/journal").text


def test_the_journal_comes_in_four_forms(fentu: Client, world: str) -> None:
    """JSON, NDJSON, HAR 1.2 and curl, narrowed by API, operation, status and number."""
    fentu.get("customers")
    fentu.get("customers/nope")
    fentu.get("customers/cust-001")
    root = f"{fentu.base_url.copy_with(path='/')}_mock/worlds/{world}/journal"

    lines = fentu.get(f"{root}.ndjson").text.splitlines()
    har = fentu.get(f"{root}.har").json()["log"]
    commands = fentu.get(f"{root}.curl").text.splitlines()

    assert [json.loads(line) for line in lines] == told(fentu, world, inferred="false")
    assert (har["version"], len(har["entries"])) == ("1.2", 3)
    assert [re.match(r"curl ", command) is not None for command in commands] == [True] * 3
    assert [one["answer"]["status"] for one in told(fentu, world, status=404)] == [404]
    assert [one["operation"] for one in told(fentu, world, operation="listCustomers")] == ["listCustomers"]
    assert told(fentu, world, api="keychain") == []
    assert [one["operation"] for one in told(fentu, world, after=1, limit=1)] == ["getCustomer"]


@pytest.mark.parametrize("form", ["", ".ndjson", ".har", ".curl"])
@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("api=fenty", "names API fenty, which does not exist; did you mean fentu?"),
        ("operation=getCustomers", "names operation getCustomers, which does not exist; did you mean getCustomer?"),
        ("api=lemonsoft&operation=setClocks", "names operation setClocks, which does not exist"),
    ],
)
def test_a_journal_narrowed_by_what_does_not_exist_is_refused(
    client: Client, world: str, form: str, query: str, message: str
) -> None:
    """An empty journal would say that nothing had been asked."""
    client.get(f"/w/{world}/fentu/api/v1/customers")

    refused = client.get(f"/_mock/worlds/{world}/journal{form}?{query}")

    assert refused.status_code == 404
    assert [one["message"] for one in refused.json()["violations"]] == [message]


def test_a_journal_is_narrowed_by_what_was_done_to_the_world(client: Client, world: str) -> None:
    client.put(f"/_mock/worlds/{world}/clock", json={"frozen": True})

    found = client.get(f"/_mock/worlds/{world}/journal?api=control&operation=setClock").json()["exchanges"]

    assert [one["operation"] for one in found] == ["setClock"]


def test_the_journal_is_bounded() -> None:
    """By --journal; the oldest exchanges go first, and what was written before the rest is told with it."""
    with serving(Settings(journal=3, log="off", clock=clock.read(NOW))) as address, httpx.Client(base_url=address) as client:
        client.headers["Authorization"] = "Bearer test-admin"
        for name in "abcde":
            client.post("/fentu/api/v1/customers", json={"name": name})

        journal = client.get("/_mock/worlds/default/journal").json()

    assert [json.loads(one["request"]["body"])["name"] for one in journal["exchanges"]] == ["c", "d", "e"]
    before = journal["start"]["apis"]["fentu"]["records"]["customer"]
    assert [record["name"] for record in before.values()] == ["a", "b"]


def test_there_is_no_journal_if_none_is_wanted() -> None:
    with serving(Settings(journal=0, log="off")) as address, httpx.Client(base_url=address) as client:
        answer = client.get("/fentu/api/v1/customers", headers={"Authorization": "Bearer test-admin"})

        assert "X-Mock-Request" not in answer.headers
        assert client.get("/_mock/worlds/default/journal").json() == {"exchanges": []}


def test_a_world_that_begins_anew_has_an_empty_journal(fentu: Client, world: str) -> None:
    control = f"{fentu.base_url.copy_with(path='/')}_mock/worlds/{world}"
    fentu.get("customers")
    fentu.post(f"{control}/clock/advance", json={"seconds": 60})
    assert [one["api"] for one in told(fentu, world)] == ["fentu", "control"]

    assert fentu.delete(f"{control}/journal").status_code == 204
    assert told(fentu, world) == []
    fentu.get("customers")
    fentu.post(f"{control}/reset")

    assert told(fentu, world) == []


def test_worlds_do_not_see_each_others_journals(fentu: Client, world: str) -> None:
    fentu.get("customers", headers={"X-Mock-World": f"{world}-b"})

    assert told(fentu, f"{world}-b")
    assert fentu.get(f"{fentu.base_url.copy_with(path='/')}_mock/worlds/{world}/journal").status_code == 404


def test_head_and_a_refused_body_are_told_as_they_were(fentu: Client, world: str) -> None:
    fentu.head("customers")
    fentu.post("customers", content=b"\xff{", headers={"Content-Type": "application/json"})

    head, broken = told(fentu, world)

    assert (head["request"]["method"], head["answer"]["body"]) == ("HEAD", None)
    assert (broken["request"]["encoding"], broken["reason"]) == ("base64", "malformed")


headers = st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=8)), max_size=3).map(tuple)
trashed = st.one_of(st.none(), st.just(Trashed("r", 3, {"id": 1}, 7, ("r", 3))))
records = st.none() | st.just({"id": 1})
writes = st.builds(Write, st.just("a"), st.just("r"), st.just(3), st.booleans(), records, trashed, records)
exchanges = st.builds(
    Exchange,
    world=st.just("w"),
    at=st.integers(0, 1 << 50),
    seconds=st.floats(0, 9),
    api=st.text(max_size=5),
    operation=st.text(max_size=5),
    method=st.text(max_size=5),
    target=st.text(max_size=9),
    request_headers=headers,
    request_body=st.none() | st.binary(max_size=9),
    status=st.integers(100, 599),
    answer_headers=headers,
    answer_body=st.none() | st.binary(max_size=9),
    reason=st.text(max_size=5),
    violations=st.lists(st.builds(Violation, st.text(), st.text(), st.text()), max_size=2).map(tuple),
    read=st.none() | st.tuples(st.text(), st.lists(st.integers(0, 9)).map(tuple)),
    written=st.lists(writes, max_size=2).map(tuple),
    ignored=st.lists(st.text(), max_size=2).map(tuple),
    fault=st.text(max_size=5),
    preference=st.text(max_size=5),
    number=st.integers(1, 9),
)


@given(exchanges)
def test_a_store_gives_an_exchange_back_as_it_was(exchange: Exchange) -> None:
    assert decoded(encoded(exchange), exchange.world, exchange.number) == exchange


@given(st.lists(st.integers(0, 6 << 20), max_size=12), st.integers(1, 5))
def test_the_newest_exchanges_are_kept(sizes: list[int], kept: int) -> None:
    """As many as may be, and not more bytes than may be, but always the last one."""
    journal = Journal()
    for size in sizes:
        journal.add(Exchange("w", 0, 0, "a", "o", "GET", "/", (), bytes(size), 200, (), None), kept)

    numbers = [exchange.number for exchange in journal.exchanges]

    assert numbers == list(range(len(sizes) - len(numbers) + 1, len(sizes) + 1))
    assert len(numbers) <= kept
    assert journal.size == sum(exchange.size for exchange in journal.exchanges)
    assert journal.size <= BYTES or len(numbers) == 1
    assert not sizes or numbers


@pytest.mark.parametrize("number", ["0", "99"])
def test_an_exchange_that_is_not_kept_is_told_so(fentu: Client, world: str, number: str) -> None:
    fentu.get("customers")

    answer = fentu.get(f"{fentu.base_url.copy_with(path='/')}_mock/worlds/{world}/journal/{number}")

    assert answer.status_code == 404
    assert "there are 1 to 1" in answer.text
