"""Named starting points: those shipped do what they say, and a mistake in one stops the start."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from mock_server import app, clock, situations
from mock_server.contract import BrokenContract, Contract
from mock_server.settings import Settings
from mock_server.situations import Start, UnknownSituation
from tests.conftest import NOW, ROOT, serving

ADMIN = {"Authorization": "Bearer test-admin"}
KEY = {"X-API-Key": "test-key"}
LOGIN = {"UserName": "demo", "Password": "demo", "Database": "demo", "ApiKey": "demo"}
SHIPPED = {
    "bad-day", "blocked", "duplicates", "empty", "everything", "expired-session", "many-contacts", "page-0", "page-100",
    "page-101", "read-only", "unicode", "year-turn",
}  # fmt: skip


@pytest.fixture
def at(client: httpx.Client, world: str) -> Callable[[str], httpx.Client]:
    """The client, once the test's world starts from a situation."""

    def start(situation: str) -> httpx.Client:
        answer = client.post(f"/_mock/worlds/{world}/reset", json={"situation": situation})
        assert answer.status_code == 200, answer.text
        client.headers.update({**ADMIN, **KEY})
        return client

    return start


def test_every_situation_is_listed_with_a_sentence(client: httpx.Client) -> None:
    """In the order of their names."""
    found = client.get("/_mock/situations").json()["situations"]

    assert [one["name"] for one in found] == sorted(SHIPPED)
    assert all(one["description"].endswith(".") for one in found)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_situation_can_be_exported_and_imported(at: Callable[[str], httpx.Client], world: str, name: str) -> None:
    """Its records are ordinary writes; the world that is made of the document is like the other."""
    client = at(name)
    document = client.get(f"/_mock/worlds/{world}/export").json()

    assert client.put(f"/_mock/worlds/{world}-2/import", json=document).status_code == 200
    assert client.get(f"/_mock/worlds/{world}-2/export").json() == document


@pytest.mark.parametrize(
    ("name", "total", "pages"), [("page-0", 0, 0), ("page-100", 100, 1), ("page-101", 101, 2), ("empty", 0, 0)]
)
def test_results_around_the_page_limit(at: Callable[[str], httpx.Client], name: str, total: int, pages: int) -> None:
    """0, 100 and 101 customers, in every API."""
    client = at(name)

    meta = client.get("/fentu/api/v1/customers?per_page=100").json()["meta"]

    assert (meta["total_count"], meta["total_pages"]) == (total, pages)
    assert client.get("/keychain/v1/customers").json()["pagination"]["total"] == total


def test_blocked(at: Callable[[str], httpx.Client]) -> None:
    """The customer with a work order in progress cannot be deleted, the one whose order is completed can."""
    client = at("blocked")

    assert client.delete("/fentu/api/v1/customers/cust-901").status_code == 409
    assert client.delete("/fentu/api/v1/customers/cust-902").status_code == 204


def test_duplicates(at: Callable[[str], httpx.Client]) -> None:
    """A twin cannot take the other's address, whatever its case."""
    client = at("duplicates")

    refused = client.put("/fentu/api/v1/customers/cust-902", json={"email": "TWIN@tools.example"})

    assert refused.status_code == 409
    assert client.get("/fentu/api/v1/customers?search=twin").json()["meta"]["total_count"] == 2


def test_everything(at: Callable[[str], httpx.Client]) -> None:
    """One customer, of whom nothing is unset, with work orders in every state that Fentu knows."""
    client = at("everything")

    customer = client.get("/fentu/api/v1/customers/cust-001").json()["data"]
    orders = client.get("/fentu/api/v1/customers/cust-001/work-orders?per_page=100").json()["data"]

    assert [name for name, value in customer.items() if value in (None, "", [])] == []
    assert {order["status"] for order in orders} >= {"open", "assigned", "in_progress", "on_hold", "completed", "cancelled"}
    assert client.get("/fentu/api/v1/customers").json()["meta"]["total_count"] == 1
    assert client.get("/fentu/api/v1/customers/cust-001/assets").json()["data"]


def test_expired_session(at: Callable[[str], httpx.Client]) -> None:
    """The login succeeds, and the session is over."""
    client = at("expired-session")

    session = client.post("/lemonsoft/api/auth/login", json=LOGIN).json()["session_id"]

    assert client.get("/lemonsoft/api/customers", headers={"Session-Id": session}).status_code == 401


def test_read_only(at: Callable[[str], httpx.Client]) -> None:
    """What reads works, what writes is forbidden; in this world only."""
    client = at("read-only")
    body = {"name": "A", "email": "a@readonly.example"}

    assert client.get("/fentu/api/v1/customers").status_code == 200
    assert client.post("/fentu/api/v1/customers", json=body).status_code == 403
    assert client.post("/w/elsewhere/fentu/api/v1/customers", json=body).status_code == 201


def test_unicode(at: Callable[[str], httpx.Client]) -> None:
    """Emoji, right-to-left and 10,000 characters come as they were written, and are found."""
    client = at("unicode")

    found = client.get("/fentu/api/v1/customers?search=👩🏽‍🔧").json()["data"]
    names = [one["name"] for one in client.get("/fentu/api/v1/customers?per_page=100").json()["data"]]

    assert [one["name"] for one in found] == ["🛠️ Fix & Co. 👩🏽‍🔧"]
    assert max(map(len, names)) == 10_000
    assert client.get("/keychain/v1/customers?limit=100").json()["data"][-1]["name"] == "مطبخ الشرق"


def test_year_turn(at: Callable[[str], httpx.Client], world: str) -> None:
    """Ten seconds on, what is created is of the next year."""
    client = at("year-turn")
    body = {"name": "A", "email": "a@year.example"}

    old = client.post("/fentu/api/v1/customers", json=body).json()["data"]
    client.post(f"/_mock/worlds/{world}/clock/advance", json={"seconds": 10})
    new = client.post("/fentu/api/v1/customers", json={**body, "email": "b@year.example"}).json()["data"]

    assert (old["created_at"], new["created_at"]) == ("2025-12-31T23:59:50Z", "2026-01-01T00:00:00Z")


def test_many_contacts(at: Callable[[str], httpx.Client]) -> None:
    """All of them are in the customer, and in its list."""
    client = at("many-contacts")

    contacts = client.get("/fentu/api/v1/customers/cust-001").json()["data"]["contacts"]

    assert len(contacts) >= 1000
    assert contacts[-1]["name"] == "Contact Number 1000"


def test_every_new_world_starts_from_the_situation_of_the_server(any_store: str) -> None:
    """So does a world that was deleted, in a database too; `situation: null` starts from the data alone."""
    with (
        serving(Settings(log="off", check_replies="all", store=any_store, situation="blocked")) as base,
        httpx.Client(base_url=base, headers=ADMIN) as client,
    ):
        path = "/fentu/api/v1/customers/cust-901"
        assert [client.get(f"{prefix}{path}").status_code for prefix in ("", "/w/one")] == [200, 200]
        client.put(f"/w/one{path}", json={"name": "Changed"})
        client.delete("/_mock/worlds/one")
        assert client.get(f"/w/one{path}").json()["data"]["name"] == "Blocked Brewing"
        client.post("/_mock/worlds/one/reset", json={"situation": None})
        assert client.get(f"/w/one{path}").status_code == 404


def test_a_situation_that_does_not_fit_the_scale_asked_for_changes_nothing(client: httpx.Client, world: str) -> None:
    """Without customers nobody can get a thousand contacts."""
    client.post(f"/_mock/worlds/{world}/reset", json={"situation": "blocked"})

    refused = client.post(f"/_mock/worlds/{world}/reset", json={"situation": "many-contacts", "scale": 0})

    assert refused.status_code == 409
    assert "many-contacts.yaml:" in refused.json()["violations"][0]["message"]
    assert client.get(f"/_mock/worlds/{world}").json()["situation"] == "blocked"


def test_an_unknown_situation_stops_the_start() -> None:
    """With the names of those that there are."""
    with pytest.raises(UnknownSituation, match=r"--situation must be one of bad-day, .*, not 'blockd'"):
        app.build(Settings(situation="blockd"))


MISTAKES = {
    "descripton: x": "1: /descripton: is not known here; did you mean description?",
    "scale: many": "1: /scale: must be a whole number from 0 to 10000000",
    "clock: noon": '1: /clock: must be a time like "2025-12-31T23:59:50Z"',
    "sessions: {fentu: {expired: true}}": "1: /sessions/fentu: fentu has no sessions",
    "credentials: {fentu: []}": "1: /credentials/fentu: it must be a list of credentials, not empty",
    "records: {fantu: {}}": "1: /records/fantu: is no API; did you mean fentu?",
    "records: {fentu: {costumer: {}}}": "1: /records/fentu/costumer: is no resource of fentu; did you mean customer?",
    "records: {fentu: {customer: {ad: []}}}": "1: /records/fentu/customer/ad: is not known here; did you mean add?",
    "records: {fentu: {customer: {add: [{nam: A}]}}}": (
        "1: /records/fentu/customer/add/0/nam: is not known here; did you mean name?"
    ),
    "records: {fentu: {customer: {add: [{name: 7}]}}}": (
        "1: /records/fentu/customer/add/0/name: must be a text, not a number"
    ),
    "records: {fentu: {customer: {add: {times: 0, record: {name: A}}}}}": (
        "1: /records/fentu/customer/add/times: must be a whole number from 1 to 100000"
    ),
    "records: {fentu: {customer: {change: {cust-1: {name: A}}}}}": (
        "1: /records/fentu/customer/change/cust-1: cust-1 is no id of customer; the first is cust-001"
    ),
    "records: {fentu: {customer: {change: {cust-001: {id: cust-002}}}}}": (
        "1: /records/fentu/customer/change/cust-001/id: is set by the server and cannot be changed"
    ),
}  # fmt: skip
TRIED = {
    "records: {fentu: {customer: {change: {cust-999: {name: A}}}}}": "Customer cust-999 does not exist.",
    "records: {fentu: {customer: {remove: [cust-999]}}}": "Customer cust-999 does not exist.",
    "records: {fentu: {customer: {add: [{id: cust-001, name: A}]}}}": "Customer cust-001 exists already.",
    "records: {fentu: {customer: {add: {times: 9, record: {name: A, email: a@b.example}}}}}": (
        "Customer cust-061 has the email a@b.example already."
    ),
    "records: {fentu: {customer: {add: [{name: A, branch_id: branch-999}]}}}": "Branch branch-999 does not exist.",
    "records: {fentu: {contact: {add: [{name: A}]}}}": "customer_id is missing: the Contact belongs to one.",
    "records: {fentu: {contact: {add: [{name: A, customer_id: cust-999}]}}}": "Customer cust-999 does not exist.",
}


def written(folder: Path, text: str) -> Path:
    (folder / "situations").mkdir()
    (folder / "situations" / "wrong.yaml").write_text(f"{text}\ndescription: x.\n")
    return folder


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_with_file_and_line(tmp_path: Path, contracts: dict[str, Contract], own: Contract, text: str) -> None:
    """And with what may have been meant."""
    with pytest.raises(BrokenContract) as broken:
        situations.load(written(tmp_path, text), contracts, (), own, lenient=False)

    assert MISTAKES[text] in re.sub(r"^.*wrong\.yaml:", "", str(broken.value), flags=re.MULTILINE).splitlines()


@pytest.mark.parametrize("text", TRIED)
def test_what_does_not_work_stops_the_start(tmp_path: Path, text: str) -> None:
    """References that dangle, values that collide, ids that do not exist."""
    with pytest.raises(BrokenContract, match=re.escape(TRIED[text])):
        app.build(Settings(fixtures=written(tmp_path, text), log="off"))


def test_all_mistakes_are_told_at_once(tmp_path: Path, contracts: dict[str, Contract], own: Contract) -> None:
    """In every file."""
    folder = written(tmp_path, "scale: -1\nseed: x")
    (folder / "situations" / "other.yaml").write_text("clock: 7\n")

    with pytest.raises(BrokenContract) as broken:
        situations.load(folder, contracts, (), own, lenient=False)

    assert len(broken.value.mistakes) == 4


def test_what_is_said_of_an_api_that_is_not_served_is_left_out(
    tmp_path: Path, contracts: dict[str, Contract], own: Contract
) -> None:
    """--api fentu can start with the situations of all."""
    folder = written(tmp_path, "records: {lemonsoft: {customer: {add: [{name: A}]}}}")

    found = situations.load(folder, {"fentu": contracts["fentu"]}, ("lemonsoft",), own, lenient=False)

    assert Start(1, 60, None, "", found).situations["wrong"].steps == ()


def test_shipped_situations_speak_of_shipped_apis_alone(tmp_path: Path) -> None:
    """Contracts of one's own can lack some of the shipped APIs; an API that is nowhere is still a mistake."""
    shutil.copytree(ROOT / "openapi" / "keychain", tmp_path / "openapi" / "keychain")
    own = Settings(openapi=tmp_path / "openapi", log="off", check_replies="all")
    with serving(own) as base, httpx.Client(base_url=base, headers=KEY) as client:
        started = client.post("/_mock/worlds/default/reset", json={"situation": "unicode"})
        names = [one["name"] for one in client.get("/keychain/v1/customers?limit=100").json()["data"]]

    shutil.copytree(ROOT / "fixtures" / "keychain", tmp_path / "fixtures" / "keychain")
    text = "records: {fentu: {customer: {remove: [cust-001]}}, nowhere: {customer: {remove: [1]}}}"
    with pytest.raises(BrokenContract) as broken:
        app.build(replace(own, fixtures=written(tmp_path / "fixtures", text)))

    assert (started.status_code, "مطبخ الشرق" in names) == (200, True)
    assert [mistake.message for mistake in broken.value.mistakes] == ["is no API; there are keychain"]


def test_a_situation_is_in_a_store_what_it_is_in_memory(store: str, client: httpx.Client, world: str) -> None:
    """For the other server on it too."""
    shared = Settings(store=store, log="off", clock=clock.read(NOW))
    with serving(shared) as one, serving(shared) as other:
        for name in ("many-contacts", "duplicates", "expired-session"):
            for base in ("", one):
                client.post(f"{base}/_mock/worlds/{world}/reset", json={"situation": name}).raise_for_status()
            found = [client.get(f"{base}/_mock/worlds/{world}/export").json() for base in ("", one, other)]
            assert found[1:] == [found[0]] * 2
            login = client.post(f"{other}/w/{world}/lemonsoft/api/auth/login", json=LOGIN).json()
            listed = client.get(f"{one}/w/{world}/lemonsoft/api/customers", headers={"Session-Id": login["session_id"]})
            assert listed.status_code == (401 if name == "expired-session" else 200)
