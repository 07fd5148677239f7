"""Replaying a capsule: on a mock server, on a real address, after a change."""

from __future__ import annotations

import json
import re
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from mock_server.capsules import reading
from mock_server.client import Server
from mock_server.commands import capsule as command
from mock_server.contract import Contract, Json
from mock_server.settings import Settings, WrongUsage
from tests.conftest import ROOT, Client, serving

Save = Callable[..., Path]
Said = pytest.CaptureFixture[str]
DEMO = dict.fromkeys(("UserName", "Password", "Database", "ApiKey"), "demo")


@pytest.fixture
def save(address: str, world: str, tmp_path: Path) -> Save:
    """Saves what the test's world was asked."""

    def saved(*arguments: str) -> Path:
        file = tmp_path / "capsule.yaml"
        assert command.main(["save", "--world", world, "--url", address, "--out", str(file), *arguments]) == 0
        return file

    return saved


def changed(file: Path, old: str, new: str) -> Path:
    """The capsule edited by hand."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    return file


def replay(file: Path, address: str) -> int:
    return command.main(["replay", str(file), "--url", address])


def guarded(fentu: Client) -> None:
    """A customer that cannot be deleted, made by the requests before."""
    for name in ("Other", "Blocked"):
        id = fentu.post("customers", json={"name": name, "email": f"{name}@example.com"}).json()["data"]["id"]
    fentu.get(f"customers/{id}")
    fentu.post("work-orders", json={"customer_id": id, "title": "Open", "description": id})
    assert fentu.delete(f"customers/{id}").status_code == 409


def test_what_happens_again_is_reproduced(fentu: Client, save: Save, address: str, capsys: Said) -> None:
    """Exit status 0, and the world it took is gone."""
    guarded(fentu)
    worlds = Server(address).worlds()

    assert replay(save(), address) == 0
    assert "REPRODUCED  deleteCustomer of fentu answers 409: guarded" in capsys.readouterr().out
    assert Server(address).worlds() == worlds


def test_ids_may_be_others_now(fentu: Client, save: Save, address: str) -> None:
    """The first customer of the recording is taken out by hand: the second has another id and number from here on."""
    guarded(fentu)
    file = save()
    text = file.read_text()
    first = re.search(r"- id: \"1\".*?(?=- id: \"2\")", text, re.DOTALL)
    assert first is not None
    file.write_text(text.replace(first[0], ""))

    assert replay(file, address) == 0


def test_what_is_otherwise_is_told(fentu: Client, save: Save, address: str, capsys: Said) -> None:
    """Exit status 1: which request, where, what was expected and what was seen."""
    guarded(fentu)
    file = changed(save(), "name: Blocked", "name: Blokked")
    changed(file, "  body:\n    name: Blokked", "  body:\n    name: Blocked")

    assert replay(file, address) == 1
    told = capsys.readouterr().out
    assert "CHANGED  deleteCustomer" in told
    assert '    body /data/name: expected "Blokked", seen "Blocked"' in told
    assert "  request 2: POST /fentu/api/v1/customers\n" in told


def test_what_no_longer_fails_is_fixed(fentu: Client, save: Save, address: str, capsys: Said) -> None:
    """Exit status 3."""
    assert fentu.get("customers/cust-999").status_code == 404
    file = changed(save(), "/customers/cust-999", "/customers/cust-001")

    assert replay(file, address) == command.FIXED
    assert "FIXED" in capsys.readouterr().out


def test_an_answer_that_broke_the_contract_can_be_fixed(fentu: Client, save: Save, address: str) -> None:
    """Though it was granted."""
    fentu.get("customers/cust-001")
    file = changed(save("--request", "1"), "name: Acme Corporation", "nom: Acme Corporation")

    assert replay(file, address) == command.FIXED


def test_time_is_that_of_the_recording(fentu: Client, save: Save, address: str, world: str) -> None:
    """Whatever the clock of the server says."""
    Server(address).world(world).clock.freeze("2031-01-01T00:00:00Z")
    fentu.post("customers", json={"name": "Late", "email": "late@example.com"})
    fentu.get("customers", params={"created_after": "2030-12-31"})
    fentu.post("customers", json={"name": "Late", "email": "late@example.com"})
    file = save()

    assert "2031-01-01T00:00:00Z" in file.read_text()
    assert replay(file, address) == 0


def test_a_session_is_opened_again(lemonsoft: Client, save: Save, address: str) -> None:
    """Each of several, and the one whose login is not in the journal."""
    first = lemonsoft.headers["Session-Id"]
    second = lemonsoft.post("auth/renew", json=DEMO).json()["session_id"]
    for session in (first, second):
        lemonsoft.get("customers/1", headers={"Session-Id": session})
    lemonsoft.get("customers/999999", headers={"Session-Id": second})
    file = save()

    assert first not in file.read_text()
    assert second not in file.read_text()
    assert replay(file, address) == 0


def test_a_session_that_was_opened_before_the_journal_begins(lemonsoft: Client, save: Save, address: str, world: str) -> None:
    """A request that was let in needs some session; one that was not needs none."""
    Server(address).control("DELETE", f"/worlds/{world}/journal")
    lemonsoft.get("customers/1")
    assert lemonsoft.get("customers/999999").status_code == 404
    file = save()

    assert "${session}" in file.read_text()
    assert replay(file, address) == 0
    assert lemonsoft.get("customers/1", headers={"Session-Id": "made-up-session"}).status_code == 401
    assert replay(save(), address) == 0


@pytest.mark.parametrize(
    "effect",
    [{"error": 409}, {"status": 418, "body": {"a": 1}}, {"reset": "before"}, {"reset": "during"}, {"truncate": 0.5},
     {"malformed": True}, {"content_type": "text/html"}, {"timeout": {"seconds": 0.1}}],
    ids=lambda effect: next(iter(effect)),
)  # fmt: skip
def test_a_fault_acts_again(effect: Json, fentu: Client, save: Save, address: str, world: str) -> None:
    """Also one that loses the connection: then the journal says what would have been answered."""
    Server(address).control(
        "POST", f"/worlds/{world}/faults", {"api": "fentu", "operation": "createCustomer", "calls": [2], **effect}
    )
    for name in ("One", "Two"):
        try:
            fentu.post("customers", json={"name": name, "email": f"{name}@example.com"})
        except httpx.HTTPError:
            continue

    last = Server(address).control("GET", f"/worlds/{world}/journal")["exchanges"][-1]["id"]
    assert replay(save("--request", last), address) == 0


def test_what_was_written_before_the_journal_began_is_kept(fentu: Client, save: Save, address: str, world: str) -> None:
    """As the records of the start, also on top of a situation."""
    Server(address).world(world).reset(situation="blocked")
    id = fentu.post("customers", json={"name": "Before", "email": "before@example.com"}).json()["data"]["id"]
    fentu.delete("customers/cust-002")
    Server(address).control("DELETE", f"/worlds/{world}/journal")
    assert fentu.get(f"customers/{id}").status_code == 200
    assert fentu.get("customers/cust-002").status_code == 404
    file = save()

    assert replay(file, address) == 0
    assert "situation: blocked" in file.read_text()


def test_the_faults_of_a_situation_act_again(tmp_path: Path, world: str) -> None:
    """Also where records were written before the journal began."""
    folder, out = tmp_path / "fixtures", tmp_path / "c.yaml"
    shutil.copytree(ROOT / "fixtures", folder)
    fault = "{name: no list, api: fentu, operation: listCustomers, calls: [2], error: 429}"
    (folder / "situations" / "limited.yaml").write_text(f"description: x\nfaults:\n  - {fault}\n")
    with serving(Settings(fixtures=folder, log="off")) as base, httpx.Client(base_url=f"{base}/fentu/api/v1/") as client:
        client.headers.update({"X-Mock-World": world, "Authorization": "Bearer test-admin"})
        Server(base).world(world).reset(situation="limited")
        client.post("customers", json={"name": "Before", "email": "before@example.com"})
        Server(base).control("DELETE", f"/worlds/{world}/journal")
        assert [client.get("customers").status_code for _ in range(2)] == [200, 429]

        assert command.main(["save", "--world", world, "--url", base, "--out", str(out), "--fixtures", str(folder)]) == 0
        assert command.main(["replay", str(out), "--url", base, "--fixtures", str(folder)]) == 0
        assert command.main(["shrink", str(out), "--url", base, "--fixtures", str(folder)]) == 0


def test_a_real_address(fentu: Client, save: Save, address: str, monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    """The credential is that of the environment; other records are there, and ids are others."""
    guarded(fentu)
    file = save()
    with httpx.Client(base_url=f"{address}/w/real/fentu/api/v1/", headers=fentu.headers) as there:
        there.headers["X-Mock-World"] = "real"
        for name in ("a", "b", "c"):
            there.post("customers", json={"name": name, "email": f"{name}@example.com"})
    arguments = ["replay", str(file), "--api-url", f"{address}/w/real/fentu/api/v1"]

    with pytest.raises(WrongUsage, match="FENTU_API_KEY must be in the environment"):
        command.main(arguments)
    monkeypatch.setenv("FENTU_API_KEY", "test-admin")
    assert command.main(arguments) == 0
    told = capsys.readouterr().out
    assert "Not set there: the clock, seed 1, scale 60." in told
    assert "test-admin" not in told


def test_nothing_answers(fentu: Client, save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit status 4."""
    fentu.get("customers/cust-999")
    file = save()
    monkeypatch.setenv("FENTU_API_KEY", "x")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"

    assert command.main(["replay", str(file), "--url", url]) == command.UNREACHABLE
    assert command.main(["replay", str(file), "--api-url", url]) == command.UNREACHABLE


def test_a_credential_is_sent_where_it_belongs_only(
    fentu: Client, save: Save, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A capsule from a stranger cannot have a password written into a record, nor sent to another API."""
    fentu.post("customers", json={"name": "x", "email": "Not an address", "notes": "SPY", "fax": "SPY2"})
    file = changed(changed(save(), "SPY2", "${lemonsoft.demo.Password}"), "SPY", "${fentu.admin}")
    monkeypatch.setenv("FENTU_API_KEY", "test-admin")

    command.main(["replay", str(file), "--api-url", f"{address}/w/stranger/fentu/api/v1"])

    [seen] = Server(address).control("GET", "/worlds/stranger/journal")["exchanges"]
    sent = json.loads(seen["request"]["body"])
    assert sent["notes"] == "${fentu.admin}"
    assert sent["fax"] == "${lemonsoft.demo.Password}"


def test_shrinking_is_the_same_each_time(
    fentu: Client, save: Save, address: str, tmp_path: Path, contracts: dict[str, Contract]
) -> None:
    """Byte for byte."""
    guarded(fentu)
    file = save()
    texts = []
    for name in ("a", "b"):
        assert command.main(["shrink", str(file), "--url", address, "--out", str(tmp_path / name)]) == 0
        texts.append((tmp_path / name).read_text())

    assert texts[0] == texts[1]
    small = reading.load(tmp_path / "a", contracts)
    assert [request.operation for request in small.requests] == ["createCustomer", "createWorkOrder", "deleteCustomer"]
    assert small.requests[0].body is not None
    assert small.requests[0].body.value == {"name": "Blocked"}


def test_what_does_not_happen_cannot_be_shrunk(fentu: Client, save: Save, address: str, capsys: Said) -> None:
    """Exit status 1, and the file stays as it is."""
    fentu.get("customers/cust-999")
    file = changed(save(), "/customers/cust-999", "/customers/cust-001")
    text = file.read_text()

    assert command.main(["shrink", str(file), "--url", address]) == 1
    assert "It answers 200 instead of 404" in capsys.readouterr().err
    assert file.read_text() == text


def test_a_fault_that_cannot_be_armed_is_told_with_its_line(fentu: Client, save: Save, address: str) -> None:
    """And the world is gone."""
    guarded(fentu)
    file = save()
    file.write_text(file.read_text().replace("requests:\n", "faults:\n- nonsense: 1\nrequests:\n", 1))
    worlds = Server(address).worlds()

    with pytest.raises(WrongUsage, match=r"capsule\.yaml:[0-9]+: /faults/0: .*nonsense"):
        replay(file, address)

    assert Server(address).worlds() == worlds
