"""Recorded exchanges, held against the contracts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_tests.__main__ import main
from contract_tests.exchanges import Answer, Exchange, Request
from contract_tests.masking import entry
from contract_tests.targets import InProcess
from contract_tests.traffic import telling
from contract_tests.traffic.command import hear
from contract_tests.traffic.telling import Heard
from mock_server import app, contract, har
from mock_server.contract import Json
from mock_server.settings import Settings

ROOT = Path(__file__).parent.parent
CONTRACTS = contract.load_all(ROOT / "openapi")
BASE = "https://api.fentu.io/api/v1"
ADDRESS = "https://x.example/lemonsoft/api"
TOKEN = "t0ken-pl4nted-98765"
BEARER = (("Authorization", f"Bearer {TOKEN}"), ("Content-Type", "application/json"))
JSON = (("Content-Type", "application/json; charset=utf-8"),)


def said(method: str, target: str, status: int, answer: Json = None, body: Json = None, **changed: Json) -> Exchange:
    """An exchange with Fentu, as a client with a credential has it."""
    sent = None if body is None else json.dumps(body).encode()
    came = b"" if answer is None else json.dumps(answer).encode()
    headers = changed.get("headers", JSON if came else ())
    return Exchange(Request(method, target, changed.get("sent", BEARER), sent), Answer(status, headers, changed.get("raw", came)))


def archive(exchanges: Sequence[Exchange], base: str = BASE) -> bytes:
    told = [{"at": "2026-03-01T12:00:00Z", **entry("fentu", one)} for one in exchanges]
    made = har.document(told, base)
    for one, exchange in zip(made["log"]["entries"], exchanges, strict=True):
        if not exchange.answer.body and exchange.answer.status != 200:
            del one["response"]["content"]["text"]  # As a browser does that has kept no body.
    return json.dumps(made).encode()


def heard(*exchanges: Exchange, base: str = BASE, addresses: dict[str, str] | None = None) -> Heard:
    return hear("a.har", har.read(archive(exchanges, base)), CONTRACTS, addresses or {})


def found(made: Heard) -> list[tuple[str, str, str, str]]:
    """Side, law, operation and subject of every fault."""
    return [(one.side, one.finding.law, one.finding.operation, one.finding.subject) for one in made.judged]


CUSTOMER = {"id": "cust-001", "customer_number": "C-10001", "name": "A", "status": "active", "created_at": "2024-01-27T16:00:00Z"}
CREATED = said("POST", "/customers", 201, {"data": CUSTOMER}, {"name": "A", "email": "a@example.com"})


def test_the_mocks_own_traffic_is_clean() -> None:
    """Whatever a client of the mock asks, granted and refused; its usage is counted."""
    target = InProcess("mock", app.build(Settings(apis=("fentu",), log="off")), "/fentu/api/v1")
    bearer = (("Authorization", "Bearer test-admin"),)
    asked = [
        Request("GET", "/customers?per_page=2&status=active", bearer),
        Request("GET", "/customers/cust-001", bearer),
        Request("GET", "/customers/cust-999999", bearer),
        Request("POST", "/customers", (*bearer, *JSON), b'{"name": "\xc3\xa9"}'),
        Request("HEAD", "/customers/cust-001", bearer),
        Request("OPTIONS", "/customers", bearer),
    ]
    try:
        made = heard(*(Exchange(request, target.send(request)) for request in asked))
    finally:
        target.close()

    assert found(made) == []
    assert made.recording.skipped == {"asks as a browser what it may send": 1}
    usage = made.usage["fentu"].operations
    assert usage["listCustomers"].parameters == {"per_page": 1, "status": 1}
    assert usage["getCustomer"].statuses == {200: 2, 404: 1}
    assert usage["createCustomer"].sent == {"/name": 1}
    assert "/data/*/name" in usage["listCustomers"].received
    assert "deleteCustomer" in made.usage["fentu"].unused


@pytest.mark.parametrize(
    ("exchange", "faults"),
    [
        (CREATED, []),
        (said("GET", "/customers/cust-001", 200), [("provider", "answer-keeps-schema", "getCustomer", "200")]),
        (said("GET", "/customers/cust-001", 418), [("provider", "declared-status", "getCustomer", "418")]),
        (
            said("GET", "/customers/cust-001", 200, raw=b"<p>hi</p>", headers=(("Content-Type", "text/html"),)),
            [("provider", "declared-media-type", "getCustomer", "200")],
        ),
        (
            said("GET", "/customers/cust-001", 200, raw=b"{", headers=JSON),
            [("provider", "answer-keeps-schema", "getCustomer", "200")],
        ),
        (
            said("POST", "/customers", 201, {"data": CUSTOMER | {"name": 3, "created_at": "noon"}}, {"name": "A"}),
            [
                ("provider", "answer-keeps-schema", "createCustomer", "201 /data/created_at"),
                ("provider", "answer-keeps-schema", "createCustomer", "201 /data/name"),
            ],
        ),
        (
            said("GET", "/customers?nme=x&per_page=0", 400),
            [
                ("consumer", "known-parameters", "listCustomers", "query /nme"),
                ("consumer", "valid-parameters", "listCustomers", "query /per_page"),
            ],
        ),
        (
            said("POST", "/customers", 201, {"data": CUSTOMER}, {"email": 3}),
            [
                ("provider", "broken-request-refused", "createCustomer", "body /name"),
                ("consumer", "valid-body", "createCustomer", "body /email"),
                ("consumer", "valid-body", "createCustomer", "body /name"),
            ],
        ),
        (said("POST", "/customers", 400), [("consumer", "valid-body", "createCustomer", "body")]),
        (said("GET", "/invoices/17", 404), [("undeclared", "known-path", "", "GET /invoices/*")]),
        (said("PURGE", "/customers", 405), [("undeclared", "known-path", "", "PURGE /customers")]),
    ],
)
def test_a_fault_is_told_with_the_side_that_made_it(exchange: Exchange, faults: list[tuple[str, str, str, str]]) -> None:
    """Exactly what is wrong, and whose fault it is."""
    sides: list[str] = list(telling.HEADINGS)
    made = found(heard(exchange))

    assert sorted(made) == sorted(faults)
    assert [sides.index(side) for side, *_ in made] == sorted(sides.index(side) for side, *_ in made)


def test_a_name_is_no_id() -> None:
    """PUT of the path that only lists is no update of a record with that id, and its 405 is nobody's fault."""
    made = heard(said("PUT", "/customers/base", 405, body={}), base=ADDRESS, addresses={"lemonsoft": ADDRESS})

    assert found(made) == [("undeclared", "known-path", "", "PUT /customers/base")]
    assert made.judged[0].finding.expected == "one of GET at this path"


def test_a_fault_stands_at_its_line_of_the_contract() -> None:
    """The provider's at the property of the answer, the consumer's at the parameter."""
    made = heard(said("GET", "/customers?per_page=0", 200, {"data": [{"id": 3}], "meta": {}}))
    lines = (ROOT / "openapi/fentu/openapi.yaml").read_text().splitlines()

    named = {one.finding.subject: lines[one.finding.place.line - 1].strip() for one in made.judged}

    assert named["200 /data/*/id"].startswith("id:")
    assert named["query /per_page"] == "name: per_page"


def test_one_fault_is_one_finding() -> None:
    """With the entries that show it."""
    wrong = said("POST", "/customers", 201, {"data": CUSTOMER | {"name": 3}}, {"name": "A"})

    (one,) = heard(wrong, CREATED, wrong).judged

    assert (one.entries, one.finding.times) == ([0, 2], 2)


def test_credentials_that_a_browser_left_out_are_not_missed() -> None:
    """Only if other requests in the file carry one, or the answer is 401, is a client at fault."""
    bare, refused = said("GET", "/customers", 403, sent=()), said("GET", "/customers", 401, sent=())
    missing = ("consumer", "credentials-sent", "listCustomers", "")

    assert missing not in found(heard(bare))
    assert heard(bare).without_credentials == ("fentu",)
    assert missing in found(heard(refused))
    assert missing in found(heard(bare, CREATED))


def test_other_addresses_are_counted() -> None:
    """And one that only the caller knows is judged when it is named."""
    other = said("GET", "/nothing-of-ours", 200)

    assert heard(other, base="https://cdn.example.com").recording.elsewhere == {"cdn.example.com": 1}
    staged = heard(
        said("GET", "/customers/cust-001", 418), base="https://st.example.com/x", addresses={"fentu": "https://st.example.com/x"}
    )
    assert found(staged) == [("provider", "declared-status", "getCustomer", "418")]


def test_fields_that_the_contract_does_not_know_are_usage() -> None:
    """An answer may hold more than the contract describes, unless it forbids that: it is told, and no fault."""
    made = heard(said("POST", "/customers", 201, {"data": CUSTOMER | {"colour": "red"}}, {"name": "A"}))

    assert found(made) == []
    assert made.usage["fentu"].operations["createCustomer"].undeclared == {"/data/colour": 1}


@settings(max_examples=30)
@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=12, max_size=24))
def test_no_secret_is_told(token: str) -> None:
    """A credential in an archive is in neither report."""
    token = f"zq{token}"
    made = heard(
        said("GET", f"/customers?api_key={token}", 500, raw=token.encode(), sent=(("Authorization", f"Bearer {token}"),)),
        said("GET", f"/nowhere?token={token}", 404, {"echo": token}),
    )

    assert made.judged
    assert token not in telling.text(made) + json.dumps(telling.value(made))


def test_what_the_command_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 all kept, 1 violations, 3 nothing of an API; a text for a person, JSON for a program."""
    paths = {name: tmp_path / f"{name}.har" for name in ("good", "bad", "other")}
    paths["good"].write_bytes(archive([CREATED]))
    paths["bad"].write_bytes(archive([said("DELETE", "/customers/cust-001", 299)]))
    paths["other"].write_bytes(archive([CREATED], "https://www.example.com/x"))

    assert [main(["traffic", str(path)]) for path in paths.values()] == [0, 1, 3]

    written = capsys.readouterr().out
    for part in (
        "Fentu FSM API: 1 of 18 operations are used",
        "sent        /email (1), /name (1)",
        "The provider breaks the contract",
        "1. fentu: declared-status, deleteCustomer, 299, entry 0",
        "1 entries, 1 judged: 1 of the provider, 0 of the consumer, 0 undeclared",
        "Of no contract: www.example.com (1)",
    ):
        assert part in written
    assert main(["traffic", str(paths["bad"]), "--json"]) == 1
    value = json.loads(capsys.readouterr().out)
    assert [(one["side"], one["entries"], one["place"]["file"]) for one in value["findings"]] == [
        ("provider", [0], value["findings"][0]["place"]["file"])
    ]
    assert value["usage"]["fentu"]["operations"]["deleteCustomer"]["statuses"] == {"299": 1}
