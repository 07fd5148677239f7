"""mock-server explain: what a request met, and where the contract says so."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from mock_server.commands import explain
from mock_server.explaining import Explanation
from mock_server.explanation import Page
from mock_server.settings import WrongUsage

Told = Callable[..., str]


@pytest.fixture
def told(address: str, capsys: pytest.CaptureFixture[str]) -> Told:
    """What the command prints, of the tests' server."""

    def told(*arguments: str) -> str:
        assert explain.main(["--url", address, *arguments]) == 0
        return capsys.readouterr().out

    return told


def test_an_exchange_is_explained_by_its_number(told: Told, fentu: httpx.Client, world: str) -> None:
    """All that was wrong, each with file and line, and what is right."""
    answer = fentu.post("customers?colour=red", json={"name": "", "address": {"city": 5}})

    page = told(answer.headers["X-Mock-Request"])

    lines = page.splitlines()
    assert lines[0] == "POST /fentu/api/v1/customers?colour=red"
    assert f"422 Unprocessable Entity (invalid body); world {world}" in " ".join(page.split())
    assert "Matched    Fentu FSM API, createCustomer: Create a customer" in lines
    assert "Wrong      body /name must have at least 1 character" in lines
    assert "           body /address/city must be a text or null, not a number" in lines
    assert "Ignored    query colour, which the contract does not know" in lines
    assert sum("openapi/fentu/openapi.yaml:" in line for line in lines) >= 3
    assert lines[-2] == "Right is, for example"
    assert lines[-1].startswith("curl -X POST http://127.0.0.1:")


def test_a_number_alone_is_of_the_world_that_is_named(told: Told, fentu: httpx.Client, world: str) -> None:
    number = fentu.get("customers/cust-001").headers["X-Mock-Request"].rpartition("/")[2]

    page = told(number, "--world", world)

    assert "Read       customer cust-001" in page.splitlines()
    assert "Wrong" not in page
    assert "Right is" not in page


def test_lines_fit_a_terminal(told: Told, fentu: httpx.Client) -> None:
    """80 columns, but for what must be copied whole."""
    page = told(fentu.post("customers", json={"name": "", "email": "x", "fax": 1}).headers["X-Mock-Request"])

    assert [line for line in page.splitlines() if len(line) > 80 and " " in line.strip() and not line.startswith("curl")] == []


def test_a_pasted_request_is_explained_in_a_world_of_its_own(told: Told, address: str) -> None:
    """The vendor's address and credential; nothing is sent there, and no world stays behind."""
    before = httpx.get(f"{address}/_mock/worlds").json()

    page = told(
        "curl 'https://api.fentu.io/v1/customers' -H 'Authorization: Bearer theirs-1234567890' --json '{\"email\": \"x\"}'"
    )

    assert "body /name is required" in page
    assert "https://api.fentu.io/v1/customers is /fentu/api/v1/customers here." in page
    assert "only the vendor can say" in page
    assert "theirs-1234567890" not in page
    assert httpx.get(f"{address}/_mock/worlds").json() == before


def test_a_command_may_be_given_as_the_shell_has_split_it(told: Told, address: str) -> None:
    """Without quotes around the whole."""
    page = told("curl", "-X", "DELETE", f"{address}/fentu/api/v1/customers/none", "-H", "Authorization: Bearer test-admin")

    assert "path /id names no Customer: none" in page


def test_a_request_that_is_not_let_in_is_explained_beyond_that(told: Told, address: str) -> None:
    """Without a credential, with a wrong one, without the scope: and what else is wrong."""
    for credential in ([], ["-H", "Authorization: Bearer nobody"], ["-H", "Authorization: Bearer test-read"]):
        page = told("curl", f"{address}/fentu/api/v1/customers", "-d", "{}", "-H", "Content-Type: application/json", *credential)

        assert "(unauthenticated)" in page or "(forbidden)" in page
        assert "body /name is required" in page
        assert "It was not let in" in page


def test_a_session_is_opened_for_a_request_that_has_none(told: Told) -> None:
    page = told("curl", "https://erp.example.com/LemonRest/api/customers/0", "-H", "Session-Id: theirs")

    assert "path /customer_id names no Customer: 0" in page


def test_an_unknown_path_is_explained_by_the_nearest_ones(told: Told) -> None:
    page = told("curl", "https://api.fentu.io/v1/custmers")

    assert "Nearest    GET /fentu/api/v1/customers" in page.splitlines()


def test_a_request_meets_a_copy_of_a_world(told: Told, fentu: httpx.Client, world: str) -> None:
    """What it would do there it does to the copy."""
    made = fentu.post("customers", json={"name": "Only here"}).json()["data"]["id"]

    page = told(
        "--world", world, "curl", "-X", "DELETE", f"{fentu.base_url}customers/{made}", "-H", "Authorization: Bearer test-admin"
    )

    assert f"Written    deleted customer {made}" in page.splitlines()
    assert fentu.get(f"customers/{made}").status_code == 200


def entry(path: str, status: int) -> dict[str, Any]:
    headers = [{"name": "Authorization", "value": "Bearer test-admin"}]
    return {
        "request": {"method": "GET", "url": f"http://localhost:8080/fentu/api/v1{path}", "headers": headers},
        "response": {"status": status},
    }


def test_a_har_file_is_explained_by_its_last_refusal_or_the_entry_named(told: Told, tmp_path: Path) -> None:
    """From the network panel of a browser."""
    file = tmp_path / "recorded.har"
    file.write_text(
        json.dumps({"log": {"entries": [entry("/assets", 200), entry("/customers?page=0", 500), entry("/assets", 200)]}})
    )

    refused, named = told(str(file)), told(str(file), "--entry", "2")

    assert "query /page must be >= 1" in refused
    assert "The answer that was recorded has the status 500." in refused
    assert "GET /fentu/api/v1/assets" in named
    assert "recorded" not in named
    assert "This is entry 1 of 3; the first is 0." in refused


def test_one_entry_may_be_pasted(told: Told) -> None:
    assert "query /page must be >= 1" in told(json.dumps(entry("/customers?page=0", 400)))


def test_as_json_it_is_the_journals_account(told: Told, fentu: httpx.Client) -> None:
    id = fentu.get("customers?page=0").headers["X-Mock-Request"]

    explanation = json.loads(told(id, "--json"))

    assert explanation["exchanges"][0]["reason"] == "invalid_parameter"
    assert explanation["exchanges"][0]["violations"][0]["pointer"] == "/page"
    assert explanation["right"].startswith("curl ")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nonsense"], "'nonsense' is no id like default/17, no curl command and no file that can be read"),
        (["curl", "-d", "@/etc/passwd", "localhost"], "no file is read here"),
        (["curl", "https://example.com/v1/custmers?token=abc"], "https://example.com/v1/custmers is the address of none"),
        (["curl", "http://localhost/fentu/api/v1/assets", "-H", "A b: c"], "this is not HTTP"),
        (["curl", "http://localhost/fentu/api/v1/assets", "-H", "A: b\nc"], "there is a line break in the header field 'A'"),
        (["default/1", "--entry", "0"], "--entry is for HAR files"),
        ([""], "it is empty"),
        (["[1]"], "no file that can be read"),
        (['curl ^"http://localhost/x^" ^\n  -H ^"a: b^"'], "Copy as cURL (bash)"),
        (["fetch(\"http://localhost/x\", {});"], "Copy as cURL (bash)"),
        (["Invoke-WebRequest -Uri http://localhost/x"], "Copy as cURL (bash)"),
        (["default/999999999"], "404"),
        (["none-such/1"], "404"),
        (["a/1", "--world", "b"], "a/1 is of the world a, not of b"),
        (["--entry", "1", "curl", "localhost"], "--entry is for HAR files"),
        (['{"log": {"entries": []}}'], "the HAR file has no entry"),
        (["--entry", "3", json.dumps(entry("/assets", 200))], "--entry must be from 0 to 0, not 3"),
        (['{"log": 1}'], "it is no HTTP Archive"),
        (["--world", "none-such", "curl", "http://localhost/fentu/api/v1/assets"], "404"),
    ],
)  # fmt: skip
def test_what_cannot_be_explained_is_told(address: str, arguments: list[str], problem: str) -> None:
    """On one line, or a line for each mistake; without a traceback."""
    with pytest.raises(WrongUsage) as wrong:
        explain.main(["--url", address, *arguments])

    assert problem in str(wrong.value)
    assert "abc" not in str(wrong.value)


@pytest.mark.parametrize(("text", "problem"), [("[1]", "it is no HTTP Archive"), ("5", "it is no HTTP Archive"), ("", "empty")])
def test_a_file_that_is_no_archive_is_told(tmp_path: Path, text: str, problem: str) -> None:
    """Not taken for a curl command."""
    path = tmp_path / "a.har"
    path.write_text(text)

    with pytest.raises(WrongUsage) as wrong:
        explain.main([str(path)])

    assert problem in str(wrong.value)


def test_nothing_that_was_sent_moves_the_cursor(told: Told, fentu: httpx.Client) -> None:
    """Bodies come from strangers: what a terminal would obey is not printed."""
    answer = fentu.put("customers/cust-001", json={"status": "\u001b[31m\u202e", "\u0007bell": 1, "address": "\u001b]0;x\u0007"})

    page = told(answer.headers["X-Mock-Request"])

    assert all(character.isprintable() or character == "\n" for character in page)


def test_colours_are_for_terminals() -> None:
    """And stand around sentences, not in them."""
    exchange = {
        "api": "shop", "operation": None, "request": {"method": "GET", "target": "/x\u001b[0m"}, "reason": "no_such_path",
        "answer": {"status": 404}, "violations": [{"in": "path", "pointer": "", "message": "is not there", "place": None}],
        "nearest": [], "read": [], "written": [], "ignored": [], "fault": "first", "preference": None, "inferred": [],
    }  # fmt: skip

    coloured = Page({}, coloured=True).text(Explanation((exchange,)))
    plain = Page({}, coloured=False).text(Explanation((exchange,)))

    assert "\033[31mpath is not there\033[0m" in coloured
    assert "\033" not in plain
    assert "Acted      fault first" in plain


def test_the_command_starts_a_server_and_reads_what_is_pasted() -> None:
    """mock-server explain -, without any server."""
    done = subprocess.run(
        [sys.executable, "-m", "mock_server", "explain", "-"],
        input="curl https://api.keychain.com/v1/customers?limit=0 \\\n -H 'X-API-Key: test-key'\n",
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "query /limit must be >= 1" in done.stdout
    assert "curl http://localhost:8080/keychain/v1/customers" in done.stdout
