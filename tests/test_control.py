"""The control API over HTTP, on every store: worlds, snapshots, exports, clocks, trash."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from mock_server import clock
from mock_server.settings import Settings
from tests.conftest import NOW, ROOT, emptied, serving

Json = Any
ADMIN = {"Authorization": "Bearer test-admin"}


@pytest.fixture(scope="module", params=["memory", "sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server on each store."""
    with emptied(request, tmp_path_factory.mktemp("store")) as store, serving(on(store)) as base:
        yield base


def on(store: str) -> Settings:
    """Of a server on a store."""
    return Settings(clock=clock.read(NOW), check_replies="all", log="off", store=store)


@pytest.fixture
def control(server: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server}/_mock/") as made:
        yield made


@pytest.fixture
def fentu_in(server: str) -> Iterator[Callable[[str], httpx.Client]]:
    """A client of Fentu in the world of a name."""
    made: list[httpx.Client] = []

    def client(world: str) -> httpx.Client:
        made.append(httpx.Client(base_url=f"{server}/w/{world}/fentu/api/v1/", headers=ADMIN))
        return made[-1]

    yield client
    for one in made:
        one.close()


def create(fentu: httpx.Client, name: str, email: str) -> str:
    answer = fentu.post("customers", json={"name": name, "email": email})
    assert answer.status_code == 201, answer.text
    id: str = answer.json()["data"]["id"]
    return id


def digest(control: httpx.Client, world: str) -> str:
    text: str = control.get(f"worlds/{world}/export").json()["digest"]
    return text


def test_a_world_is_listed_and_described_once_it_was_used(
    control: httpx.Client, fentu_in: Callable[[str], httpx.Client], world: str
) -> None:
    """Its seed, scale, clock, and how many records were written in it."""
    assert control.get(f"worlds/{world}").status_code == 404

    create(fentu_in(world), "One", "one@described.example")

    described = control.get(f"worlds/{world}").json()
    assert world in control.get("worlds").json()["worlds"]
    assert described.pop("used")
    assert described == {
        "name": world,
        "seed": 1,
        "scale": 60,
        "situation": None,
        "clock": {"frozen": True, "now": "2026-03-01T12:00:00.000Z"},
        "records": {"fentu": {"customer": 1}},
        "trash": 0,
    }


def test_a_deleted_world_is_gone_until_it_is_used_again(
    control: httpx.Client, fentu_in: Callable[[str], httpx.Client], world: str
) -> None:
    """Everything that was written in it is gone; the next use finds a new one. `default` is no exception."""
    for name in (world, "default"):
        fentu = fentu_in(name)
        id = create(fentu, "Gone", "gone@deleted.example")

        assert control.delete(f"worlds/{name}").status_code == 204

        assert control.get(f"worlds/{name}").status_code == 404
        assert fentu.get(f"customers/{id}").status_code == 404
        assert control.get(f"worlds/{name}").status_code == 200


def test_a_reset_starts_anew_with_the_seed_and_scale_asked_for(
    control: httpx.Client, fentu_in: Callable[[str], httpx.Client], world: str
) -> None:
    """What was written is gone, and the data are others."""
    fentu = fentu_in(world)
    id, first = create(fentu, "Gone", "gone@reset.example"), fentu.get("customers/cust-010").json()

    described = control.post(f"worlds/{world}/reset", json={"seed": 7, "scale": 200}).json()

    assert (described["seed"], described["scale"], described["records"]) == (7, 200, {})
    assert fentu.get("customers").json()["meta"]["total_count"] == 200
    assert fentu.get("customers/cust-010").json() != first
    assert control.post(f"worlds/{world}/reset").json()["scale"] == 60
    assert fentu.get("customers/cust-010").json() == first
    assert fentu.get(f"customers/{id}").status_code == 404


def test_a_reset_to_an_unknown_situation_changes_nothing(
    control: httpx.Client, fentu_in: Callable[[str], httpx.Client], world: str
) -> None:
    """It is refused with what may have been meant."""
    create(fentu_in(world), "Stays", "stays@reset.example")
    before = digest(control, world)

    refused = control.post(f"worlds/{world}/reset", json={"situation": "blockd"})

    assert refused.status_code == 404
    assert "did you mean blocked?" in refused.json()["violations"][0]["message"]
    assert digest(control, world) == before


def test_a_fork_does_not_see_what_its_parent_does_later(
    control: httpx.Client, fentu_in: Callable[[str], httpx.Client], world: str
) -> None:
    """Its export has the same digest as before; and the other way round."""
    parent, fork = fentu_in(f"{world}-a"), fentu_in(f"{world}-b")
    id = create(parent, "Before", "before@fork.example")
    parent.delete(f"customers/{create(parent, 'Binned', 'binned@fork.example')}")

    assert control.post(f"worlds/{world}-b/fork", json={"from": f"{world}-a"}).status_code == 200
    before = digest(control, f"{world}-b")
    assert before == digest(control, f"{world}-a")
    parent.put(f"customers/{id}", json={"name": "Changed in the parent"})
    parent.delete("customers/cust-060")
    create(parent, "After", "after@fork.example")

    assert digest(control, f"{world}-b") == before
    assert fork.get(f"customers/{id}").json()["data"]["name"] == "Before"
    changed = digest(control, f"{world}-a")
    fork.put(f"customers/{id}", json={"name": "Changed in the fork"})
    assert digest(control, f"{world}-a") == changed
    assert digest(control, f"{world}-b") != before


def test_a_fork_of_nothing_is_refused(control: httpx.Client, world: str) -> None:
    """The world that it names does not exist."""
    assert control.post(f"worlds/{world}/fork", json={"from": "nobody-was-here"}).status_code == 404
    assert control.get(f"worlds/{world}").status_code == 404


def test_a_snapshot_brings_a_world_back(control: httpx.Client, fentu_in: Callable[[str], httpx.Client], world: str) -> None:
    """Records, trash and clock are as they were when it was taken; other worlds can become it too."""
    fentu = fentu_in(world)
    id = create(fentu, "Kept", "kept@snapshot.example")
    kept = control.post(f"worlds/{world}/snapshot", json={"name": world}).json()
    fentu.delete(f"customers/{id}")
    control.post(f"worlds/{world}/clock/advance", json={"seconds": 60})

    control.post(f"worlds/{world}/restore", json={"name": world})
    control.post(f"worlds/{world}-2/restore", json={"name": world})

    assert fentu.get(f"customers/{id}").json()["data"]["name"] == "Kept"
    assert control.get(f"worlds/{world}/clock").json()["now"] == "2026-03-01T12:00:00.000Z"
    assert kept == {"name": world, "digest": digest(control, world)}
    assert digest(control, f"{world}-2") == kept["digest"]
    assert world in control.get("snapshots").json()["snapshots"]
    assert control.delete(f"snapshots/{world}").status_code == 204
    assert control.delete(f"snapshots/{world}").status_code == 404
    assert control.post(f"worlds/{world}/restore", json={"name": world}).status_code == 404


def test_the_clock_is_frozen_set_advanced_and_run(
    control: httpx.Client, fentu_in: Callable[[str], httpx.Client], world: str
) -> None:
    """What is created afterwards has the time that it shows."""
    frozen = control.put(f"worlds/{world}/clock", json={"frozen": True, "at": "2025-12-31T23:59:50Z"}).json()
    advanced = control.post(f"worlds/{world}/clock/advance", json={"seconds": 10.5}).json()
    id = create(fentu_in(world), "Late", "late@clock.example")
    running = control.put(f"worlds/{world}/clock", json={"frozen": False}).json()
    other = control.put(f"worlds/{world}/clock", json={"frozen": False, "at": "2030-01-01T00:00:00+02:00"}).json()

    assert frozen == {"frozen": True, "now": "2025-12-31T23:59:50.000Z"}
    assert advanced == {"frozen": True, "now": "2026-01-01T00:00:00.500Z"}
    assert fentu_in(world).get(f"customers/{id}").json()["data"]["created_at"] == "2026-01-01T00:00:00Z"
    assert (running["frozen"], running["now"][:16]) == (False, "2026-01-01T00:00")
    assert other["now"] >= "2029-12-31T22:00:00"
    assert control.get(f"worlds/{world}/clock").json()["now"] >= other["now"]


def test_a_clock_does_not_leave_the_calendar(control: httpx.Client, world: str) -> None:
    """It stays where it was."""
    control.put(f"worlds/{world}/clock", json={"frozen": True, "at": "9999-12-31T23:00:00Z"})

    refused = control.post(f"worlds/{world}/clock/advance", json={"seconds": 7200})

    assert refused.status_code == 409
    assert control.get(f"worlds/{world}/clock").json()["now"] == "9999-12-31T23:00:00.000Z"


def test_what_was_deleted_comes_back_with_all_that_went_with_it(
    control: httpx.Client, fentu_in: Callable[[str], httpx.Client], world: str
) -> None:
    """A customer with its contacts; the trash is empty then."""
    fentu = fentu_in(world)
    id = create(fentu, "Twice", "twice@trash.example")
    fentu.post(f"customers/{id}/contacts", json={"name": "Ann"})
    before = fentu.get(f"customers/{id}").json()
    fentu.delete(f"customers/{id}")
    customer, contact = control.get(f"worlds/{world}/trash").json()["trash"]

    restored = control.post(f"worlds/{world}/trash/restore", json={"api": "fentu", "resource": "customer", "id": id}).json()

    assert (customer["id"], customer["with"], contact["with"]["id"]) == (id, None, id)
    assert [one["resource"] for one in restored["restored"]] == ["customer", "contact"]
    assert fentu.get(f"customers/{id}").json() == before
    assert control.get(f"worlds/{world}/trash").json()["trash"] == []


def test_what_no_longer_fits_stays_in_the_trash(
    control: httpx.Client, fentu_in: Callable[[str], httpx.Client], world: str
) -> None:
    """Its e-mail address was given to another, or the customer that it belonged to is gone."""
    fentu = fentu_in(world)
    id = create(fentu, "First", "taken@trash.example")
    contact = fentu.post(f"customers/{id}/contacts", json={"name": "Ann"}).json()["data"]["id"]
    fentu.delete(f"customers/{id}")
    second = create(fentu, "Second", "TAKEN@trash.example")

    taken = control.post(f"worlds/{world}/trash/restore", json={"api": "fentu", "resource": "customer", "id": id})
    orphan = control.post(f"worlds/{world}/trash/restore", json={"api": "fentu", "resource": "contact", "id": contact})

    assert (taken.status_code, orphan.status_code) == (409, 409)
    assert second in taken.json()["detail"]
    assert fentu.post("customers", json={"name": "Third", "email": "taken@trash.example"}).status_code == 409
    assert len(control.get(f"worlds/{world}/trash").json()["trash"]) == 2


def test_a_purged_record_cannot_come_back(control: httpx.Client, fentu_in: Callable[[str], httpx.Client], world: str) -> None:
    """Neither can what went with it; other records stay in the trash."""
    fentu = fentu_in(world)
    first, second = create(fentu, "A", "a@purge.example"), create(fentu, "B", "b@purge.example")
    fentu.post(f"customers/{first}/contacts", json={"name": "Ann"})
    for id in (first, second):
        fentu.delete(f"customers/{id}")
    named = {"api": "fentu", "resource": "customer", "id": first}

    assert control.post(f"worlds/{world}/trash/purge", json=named).json() == {"purged": 2}

    assert control.post(f"worlds/{world}/trash/restore", json=named).status_code == 404
    assert [one["id"] for one in control.get(f"worlds/{world}/trash").json()["trash"]] == [second]
    assert control.post(f"worlds/{world}/trash/purge").json() == {"purged": 1}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:1234"}, 200),
        ({"Host": "mock.localhost"}, 200),
        ({"Host": "127.8.9.1:80"}, 200),
        ({"Host": "[::1]:8080"}, 200),
        ({"Host": "localhost:1234", "Origin": "http://localhost:1234"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost.evil.example"}, 403),
        ({"Host": "192.0.2.1"}, 403),
        ({"Host": "localhost:1234", "Origin": "http://localhost:3000"}, 403),
        ({"Host": "localhost:1234", "Origin": "null"}, 403),
        ({"Origin": "https://evil.example"}, 403),
    ],
)
@pytest.mark.parametrize("path", ["worlds", "openapi.yaml"])
def test_the_control_api_is_closed_to_others(control: httpx.Client, path: str, headers: dict[str, str], status: int) -> None:
    """To pages of other origins, and to names that somebody lets point at this machine; no CORS header opens it."""
    answer = control.get(path, headers=headers)

    assert answer.status_code == status
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_page_of_another_origin_is_not_let_ask(control: httpx.Client) -> None:
    """The preflight request is refused too."""
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}

    assert control.options("worlds/default/reset", headers=asked).status_code == 403


def test_the_control_api_has_docs_and_a_contract(control: httpx.Client) -> None:
    """As the other APIs do, at the address where the server was found."""
    assert "swagger" in control.get("docs").text
    assert f"url: {str(control.base_url).rstrip('/')}\n" in control.get("openapi.yaml").text


def test_a_world_survives_a_restart(store: str, world: str) -> None:
    """In a database: its export, its snapshots and its trash."""
    settings = Settings(check_replies="all", log="off", store=store)
    api = f"w/{world}/fentu/api/v1"
    with serving(settings) as base, httpx.Client(base_url=base, headers=ADMIN) as client:
        client.post(f"_mock/worlds/{world}/reset", json={"situation": "duplicates"})
        client.delete(f"{api}/customers/cust-902")
        client.post(f"{api}/customers", json={"name": "New", "email": "new@restart.example"})
        client.post(f"_mock/worlds/{world}/snapshot", json={"name": "kept"})
        before = client.get(f"_mock/worlds/{world}/export").json()

    with serving(settings) as base, httpx.Client(base_url=base, headers=ADMIN) as client:
        assert client.get(f"_mock/worlds/{world}/export").json() == before
        assert client.get("_mock/snapshots").json() == {"snapshots": ["kept"]}
        assert client.post(
            f"_mock/worlds/{world}/trash/restore", json={"api": "fentu", "resource": "customer", "id": "cust-902"}
        ).json() == {"restored": [{"api": "fentu", "resource": "customer", "id": "cust-902"}]}
        assert client.get(f"_mock/worlds/{world}").json()["situation"] == "duplicates"


def test_what_was_refused_makes_no_world(control: httpx.Client, world: str) -> None:
    """A reset, a clock and a snapshot that cannot be had; another use makes it then."""
    path = f"worlds/{world}"
    refused = [
        control.post(f"{path}/reset", json={"situation": "many-contacts", "scale": 0}),
        control.put(f"{path}/clock", json={"frozen": True, "at": "1969-12-31T23:59:59Z"}),
        control.post(f"{path}/restore", json={"name": "never-taken"}),
        control.post(f"{path}/fork", json={"from": "nobody-was-here"}),
    ]

    assert [answer.status_code for answer in refused] == [409, 409, 404, 404]
    assert control.get(path).status_code == 404
    assert control.post(f"{path}/reset").status_code == 200


def test_a_snapshot_of_another_contract_wants_force(tmp_path: Path, world: str) -> None:
    """As an import does; without it nothing changes. What no longer fits its schema is refused all the same."""
    later, body = tmp_path / "openapi", {"name": world}
    shutil.copytree(ROOT / "openapi" / "fentu", later / "fentu")
    contract = later / "fentu" / "openapi.yaml"
    settings = replace(on(f"sqlite:///{tmp_path}/worlds.db"), apis=("fentu",))
    customers, restore = f"w/{world}/fentu/api/v1/customers", f"_mock/worlds/{world}/restore"

    with serving(settings) as base, httpx.Client(base_url=base, headers=ADMIN) as client:
        made = client.post(customers, json={"name": "Kept"})
        client.post(f"_mock/worlds/{world}/snapshot", json=body).raise_for_status()
        client.post(f"_mock/worlds/{world}/reset").raise_for_status()

    contract.write_text(contract.read_text() + "\n# By now it is another.\n")
    with serving(replace(settings, openapi=later)) as base, httpx.Client(base_url=base, headers=ADMIN) as client:
        refused = client.post(restore, json=body)
        untouched = client.get(f"_mock/worlds/{world}").json()["records"]
        forced = client.post(f"{restore}?force=true", json=body)
        kept = client.get(f"{customers}/{made.json()['data']['id']}")

    assert made.status_code == 201, made.text
    assert (refused.status_code, refused.json()["violations"][0]["pointer"]) == (409, "/contracts/fentu")
    assert "force=true" in refused.json()["violations"][0]["message"]
    assert (untouched, forced.status_code, kept.json()["data"]["name"]) == ({}, 200, "Kept")


def test_names_are_in_one_order_on_every_store(control: httpx.Client, world: str) -> None:
    """By character, whatever the database's language is."""
    names = [f"{world[:20]}{end}" for end in ("-b", ".A", "A", "_a", "a", "B")]
    for name in names:
        control.post(f"worlds/{name}/reset")
        control.post(f"worlds/{name}/snapshot", json={"name": name})

    listed = control.get("worlds").json()["worlds"], control.get("snapshots").json()["snapshots"]

    assert [[name for name in found if name in names] for found in listed] == [sorted(names)] * 2
