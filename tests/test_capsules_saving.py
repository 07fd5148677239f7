"""Capsules from a world's journal, from a HAR file, from a finding."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mock_server.capsules import reading
from mock_server.client import Server
from mock_server.commands import capsule as command
from mock_server.contract import Contract, Json
from mock_server.settings import WrongUsage
from tests.conftest import Client

TOKEN = "eyJhbGciOi-planted-token"


def save(*arguments: str) -> str:
    """What is wrong with the arguments; "" if a capsule was saved."""
    try:
        assert command.main(["save", *arguments]) == 0
    except WrongUsage as wrong:
        return str(wrong)
    return ""


def entry(url: str, status: int, body: Json = None, *, method: str = "GET", sent: Json = None, **headers: str) -> Json:
    """An entry of a HAR file, as a browser writes it."""
    posted = {} if sent is None else {"postData": {"mimeType": "application/json", "text": json.dumps(sent)}}
    return {
        "startedDateTime": "2026-02-03T04:05:06.789Z",
        "time": 12.5,
        "request": {
            "method": method,
            "url": url,
            "httpVersion": "h2",
            "headers": [{"name": name.replace("_", "-"), "value": value} for name, value in headers.items()],
            **posted,
        },
        "response": {
            "status": status,
            "headers": [{"name": "content-type", "value": "application/json"}, {"name": "server", "value": "cloudflare"}],
            "content": {"mimeType": "application/json", "text": json.dumps(body)},
        },
    }


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """What a browser recorded at the vendor's address."""
    bearer = {"authorization": f"Bearer {TOKEN}", "user_agent": "Firefox", "sec_fetch_mode": "cors", "accept": "application/json"}
    refused = {"error": {"code": "not_found", "message": f"Customer {TOKEN} not found"}}
    entries = [
        entry("https://cdn.example.com/app.js", 200, "x"),
        entry("https://api.fentu.io/v1/customers?page=1", 200, {"data": []}, **bearer),
        entry("https://api.fentu.io/v1/customers/cust-901", 404, refused, **bearer),
        entry("https://api.fentu.io/v1/customers", 201, {"data": {}}, method="POST", sent={"name": "After"}, **bearer),
    ]
    path = tmp_path / "recorded.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
    return path


def test_a_har_file_from_anywhere(archive: Path, tmp_path: Path, contracts: dict[str, Contract]) -> None:
    """Requests are matched to the contracts by their address; what a browser adds is left out, and so are secrets."""
    out = tmp_path / "c.yaml"

    assert save("--har", str(archive), "--out", str(out)) == ""

    made = reading.load(out, contracts)
    assert [(one.id, one.operation, one.target) for one in made.requests] == [
        ("1", "listCustomers", "/fentu/api/v1/customers?page=1"),
        ("2", "getCustomer", "/fentu/api/v1/customers/cust-901"),
    ]
    assert made.failing.headers == (("authorization", "Bearer ${unknown}"), ("accept", "application/json"))
    assert made.failing.answer.headers == (("content-type", "application/json"),)
    assert TOKEN not in out.read_text()
    assert "2026-02-03T04:05:06.789Z" in out.read_text()


def test_an_entry_of_a_har_file(archive: Path, tmp_path: Path, contracts: dict[str, Contract]) -> None:
    """By its number, also one that was granted."""
    out = tmp_path / "c.yaml"

    assert save("--har", str(archive), "--entry", "3", "--seed", "7", "--situation", "blocked", "--out", str(out)) == ""

    made = reading.load(out, contracts)
    assert (made.shows, made.failing.operation, made.seed, made.situation) == ("3", "createCustomer", 7, "blocked")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--entry", "0"], "entry 0 is for no API that is known, or has no answer"),
        (["--entry", "9"], "entry 9 is not there: it has 4"),
        (["--seed", "-1"], "--seed must be a whole number"),
        (["--url", "localhost"], "--url and --request go with --world"),
        (["--finding", "x"], "not allowed with argument"),
    ],
)
def test_wrong_usage_is_one_line(archive: Path, arguments: list[str], told: str) -> None:
    """What was wrong, and what would be right."""
    assert told in save("--har", str(archive), *arguments)


def test_what_could_not_be_replayed_is_not_saved(tmp_path: Path) -> None:
    """Told with the number of the entry."""
    path = tmp_path / "a.har"
    wrong = entry("https://api.fentu.io/v1/customers", 404, {}, method="A B", x="a\x1b[31m\nb")
    path.write_text(json.dumps({"log": {"entries": [entry("https://cdn.example.com/x", 200), wrong]}}))

    assert save("--har", str(path), "--out", str(tmp_path / "c")).splitlines() == [
        "entry 1: /method: must be a method such as GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE",
        "entry 1: /headers/x: is no header field of HTTP: a name and a text on one line",
    ]
    assert not (tmp_path / "c").exists()


def test_requests_are_named_as_answers_name_them(fentu: Client, address: str, world: str, tmp_path: Path) -> None:
    """WORLD/ID or ID, in a list or one by one."""
    ids = [fentu.get(f"customers/none-{n}").headers["X-Mock-Request"] for n in range(3)]
    out = tmp_path / "c.yaml"

    assert (
        save("--url", address, "--request", f"{ids[0]},{ids[1]}", "--request", ids[2].rpartition("/")[2], "--out", str(out)) == ""
    )
    assert out.read_text().count("- id:") == 3
    assert (
        save("--url", address, "--request", ids[0], "--world", "other") == f"a capsule is of one world, not of other and {world}"
    )


def test_a_har_file_without_a_failure(tmp_path: Path) -> None:
    """Or none at all."""
    path = tmp_path / "a.har"
    path.write_text(json.dumps({"log": {"entries": [entry("https://api.fentu.io/v1/customers", 200, {})]}}))

    assert "no request was refused; name one with --entry NUMBER" in save("--har", str(path))
    path.write_text("{}")
    assert "it is no HTTP Archive" in save("--har", str(path))
    assert "cannot be read: No such file" in save("--har", str(tmp_path / "none"))


def test_a_finding_of_the_suites(tmp_path: Path, contracts: dict[str, Contract]) -> None:
    """Its targets may begin below the base address, and its credentials have the names of the environment."""
    request = {
        "method": "GET",
        "target": "/customers/cust-001",
        "headers": [["Authorization", "Bearer ${fentu.API_KEY}"]],
        "body": None,
    }
    answer = {"status": 200, "headers": [], "body": '{"data": {"name": "trimmed"}}'}
    finding = {"api": "fentu", "title": "names are trimmed", "requests": [{"request": request, "answer": answer}]}
    path, out = tmp_path / "finding.json", tmp_path / "c.yaml"
    path.write_text(json.dumps(finding))

    assert save("--finding", str(path), "--out", str(out)) == ""

    made = reading.load(out, contracts)
    assert made.title == "names are trimmed"
    assert made.failing.target == "/fentu/api/v1/customers/cust-001"
    assert made.failing.headers == (("Authorization", "Bearer ${fentu.admin}"),)
    assert made.failing.operation == "getCustomer"


GET = {"method": "GET", "target": "/x"}
NO_FINDINGS: list[tuple[Json, str]] = [
    ([], "it is no finding"),
    ({"api": "fentu", "requests": []}, "it is no finding"),
    ({"api": "fento", "requests": [{}]}, "fento is no API; did you mean fentu?"),
    ({"api": "fentu", "requests": [{}]}, "/requests/0 must have a request and an answer"),
    ({"api": "fentu", "requests": [{"request": {**GET, "target": "x"}, "answer": {}}]}, "/requests/0/request must have a method"),
    ({"api": "fentu", "requests": [{"request": GET, "answer": {}}]}, "/requests/0/answer must have a status"),
    ({"api": "fentu", "requests": [{"request": {**GET, "headers": [1]}, "answer": {"status": 1}}]}, "must be a list of pairs"),
]


@pytest.mark.parametrize(("finding", "told"), NO_FINDINGS)
def test_what_is_no_finding_is_told(finding: Json, told: str, tmp_path: Path) -> None:
    """With the place."""
    path = tmp_path / "finding.json"
    path.write_text(json.dumps(finding))

    assert told in save("--finding", str(path))


def test_the_last_refused_request_is_saved(
    fentu: Client, address: str, world: str, tmp_path: Path, contracts: dict[str, Contract]
) -> None:
    """Unless another one is named; of several, these alone. What only looks at the world, or sets its clock, is left out."""
    out = tmp_path / "c.yaml"
    fentu.get("customers/cust-001")
    Server(address).world(world).clock.freeze("2027-01-01T00:00:00Z")
    Server(address).world(world).describe()
    Server(address).control("PUT", f"/worlds/{world}/rate-limits/fentu", {"limit": 50})
    fentu.get("customers/cust-998")
    fentu.get("customers/cust-999")
    fentu.get("customers/cust-002")
    from_world = ["--world", world, "--url", address, "--out", str(out)]

    assert save(*from_world) == ""
    made = reading.load(out, contracts)
    assert [one.target.rpartition("/")[2] for one in made.requests] == ["cust-001", "fentu", "cust-998", "cust-999"]
    assert made.requests[1].target == "/_mock/worlds/${world}/rate-limits/fentu"
    assert made.title == "getCustomer of fentu answers 404: not_found"

    ids = [one.id for one in made.requests]
    assert save(*from_world, "--request", ids[0], "--request", ids[2]) == ""
    assert [one.id for one in reading.load(out, contracts).requests] == [ids[0], ids[2]]
    assert "has no request 99; there are" in save(*from_world, "--request", "99")


def test_a_world_without_failures(fentu: Client, address: str, world: str) -> None:
    """Says so, as does a world that is not there."""
    fentu.get("customers/cust-001")

    assert f"No request to the world {world} was refused; name one" in save("--world", world, "--url", address)
    assert "404" in save("--world", "nowhere", "--url", address)


def test_a_file_that_cannot_be_written(archive: Path, tmp_path: Path) -> None:
    """One line."""
    assert "cannot be written: No such file or directory" in save("--har", str(archive), "--out", str(tmp_path / "no" / "where"))


def test_a_capsule_can_go_to_the_terminal(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --out -."""
    assert save("--har", str(archive), "--out", "-") == ""
    assert "format: mock-capsule/1" in capsys.readouterr().out
