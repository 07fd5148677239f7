"""What is known of Lemonsoft, over HTTP."""

from __future__ import annotations

import re

import httpx
import pytest

Client = httpx.Client
LOGIN = {"UserName": "demo", "Password": "demo", "Database": "demo", "ApiKey": "demo"}


def created(lemonsoft: Client, **body: object) -> int:
    answer = lemonsoft.post("customers", json={"name": "Testi Oy", "email": "testi@testi.example"} | body)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


def test_a_creation_answers_200_with_the_id(lemonsoft: Client) -> None:
    """Not 201, not the record: {ok, id, has_errors, errors}."""
    answer = lemonsoft.post("customers", json={"name": "Testi Oy", "email": "testi@testi.example"})

    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "id": answer.json()["id"], "has_errors": False, "errors": []}


def test_a_customer_is_a_bare_object(lemonsoft: Client) -> None:
    """With its id and number, and times without a zone."""
    customer = lemonsoft.get("customers/1").json()

    assert customer["id"] == 1
    assert customer["number"] == 100001
    assert len(customer) == 68
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}", customer["created"])


def test_a_list_tells_the_rows_of_its_page(lemonsoft: Client) -> None:
    """result_count is not a total: the vendor's own loop stops when it is 0."""
    counts, page = [], 1
    while True:
        answer = lemonsoft.get("customers", params={"filter.page": page, "filter.page_size": 25}).json()
        counts.append((answer["result_count"], len(answer["results"]), answer["has_next_page"]))
        if answer["result_count"] == 0:
            break
        page += 1

    assert counts == [(25, 25, True), (25, 25, True), (10, 10, False), (0, 0, False)]


def test_page_works_with_and_without_prefix(lemonsoft: Client) -> None:
    """The vendor's example sends ?page=2, its documentation names filter.page."""
    plain = lemonsoft.get("customers", params={"page": 2}).json()
    prefixed = lemonsoft.get("customers", params={"filter.page": 2}).json()

    assert plain == prefixed
    assert [row["id"] for row in plain["results"]] == list(range(11, 21))


def test_numbers_are_given_as_repeated_parameters(lemonsoft: Client) -> None:
    found = lemonsoft.get("customers", params={"filter.customer_number": [100003, 100005]}).json()["results"]

    assert [row["number"] for row in found] == [100003, 100005]


def test_base_is_never_an_id(lemonsoft: Client) -> None:
    """/customers/base lists 24 properties of each customer."""
    rows = lemonsoft.get("customers/base").json()["results"]

    assert len(rows) == 10
    assert len(rows[0]) == 24
    assert lemonsoft.get("customers/first").status_code == 404


def test_a_customer_cannot_be_deleted(lemonsoft: Client) -> None:
    """There is no such operation, and Allow tells what there is."""
    refused = lemonsoft.delete("customers/1")

    assert refused.status_code == 405
    assert {"GET", "PUT"} <= set(refused.headers["Allow"].split(", "))
    assert "DELETE" not in refused.headers["Allow"]
    assert "DELETE" in refused.text


@pytest.mark.parametrize("names", [str, str.lower, str.upper])
def test_the_login_matches_names_whatever_their_case(client: Client, names: type[str]) -> None:
    """The vendor's examples send username, its schema says UserName."""
    answer = client.post("/lemonsoft/api/auth/login", json={names(name): value for name, value in LOGIN.items()})

    assert answer.status_code == 200
    assert answer.json()["message"] == "ok"
    assert client.get("/lemonsoft/api/auth/alive", headers={"Session-Id": answer.json()["session_id"]}).status_code == 200


def test_a_wrong_password_opens_nothing(client: Client) -> None:
    refused = client.post("/lemonsoft/api/auth/login", json=LOGIN | {"Password": "guess"})

    assert refused.status_code == 401
    assert refused.json()["has_errors"] is True


def test_no_session_no_data(client: Client) -> None:
    assert client.get("/lemonsoft/api/customers").status_code == 401
    assert client.get("/lemonsoft/api/customers", headers={"Session-Id": "made-up"}).status_code == 401


def test_children_come_and_go_with_their_customer_record(lemonsoft: Client) -> None:
    """A customer's body creates its contacts; their own paths add and delete; the record shows all."""
    customer = created(lemonsoft, contacts=[{"customer_id": 0, "name": "Maija"}])
    added = lemonsoft.post(f"customers/{customer}/contacts", json={"customer_id": customer, "name": "Ville"}).json()["id"]
    assert [c["name"] for c in lemonsoft.get(f"customers/{customer}").json()["contacts"]] == ["Maija", "Ville"]

    assert lemonsoft.delete(f"customers/{customer}/contacts/{added}").status_code == 200

    assert [c["name"] for c in lemonsoft.get(f"customers/{customer}").json()["contacts"]] == ["Maija"]
    assert lemonsoft.delete(f"customers/{customer}/contacts/{added}").status_code == 404


def test_a_child_of_another_customer_is_not_found(lemonsoft: Client) -> None:
    """The customer in the path must be the account's own."""
    mine, other = created(lemonsoft), created(lemonsoft)
    account = lemonsoft.post(f"customers/{mine}/accounts", json={"iban": "FI2112345600000785"}).json()["id"]

    assert lemonsoft.delete(f"customers/{other}/accounts/{account}").status_code == 404
    assert lemonsoft.delete(f"customers/{mine}/accounts/{account}").status_code == 200


def test_agreements_have_products(lemonsoft: Client) -> None:
    customer = created(lemonsoft)
    agreement = lemonsoft.post(f"customers/{customer}/agreements", json={"description": "Huolto"}).json()["id"]
    product = lemonsoft.post(f"customers/{customer}/agreements/{agreement}/products", json={"product_code": "A1"}).json()["id"]

    shown = lemonsoft.get(f"customers/{customer}").json()["agreements"]
    assert [(a["id"], [p["product_code"] for p in a["products"]]) for a in shown] == [(agreement, ["A1"])]
    assert lemonsoft.delete(f"customers/{customer}/agreements/products/{product}").status_code == 200
    assert lemonsoft.get(f"customers/{customer}").json()["agreements"][0]["products"] == []


def test_put_takes_the_whole_record(lemonsoft: Client) -> None:
    """Read, edit, put back changes what was edited; what is not sent is reset."""
    record = lemonsoft.get("customers/3").json()

    lemonsoft.put("customers/3", json=record | {"name2": "Edited"})
    edited = lemonsoft.get("customers/3").json()
    lemonsoft.put("customers/3", json={"name": "Only", "email": "only@only.example"})
    reset = lemonsoft.get("customers/3").json()

    assert edited == record | {"name2": "Edited", "modified": "2026-03-01T12:00:00.000"}
    assert (reset["name"], reset["name2"], reset["number"]) == ("Only", "", record["number"])
    assert reset["contacts"] == record["contacts"]


def test_percent_is_a_wildcard(lemonsoft: Client) -> None:
    """filter.name is a part of the name, whatever its case; % stands for any text."""
    name = lemonsoft.get("customers/7").json()["name"]

    for pattern in (name[1:4].upper(), f"%{name[2:5].lower()}%", f"{name[:2]}%{name[-2:]}"):
        found = lemonsoft.get("customers", params={"filter.name": pattern, "filter.page_size": 100}).json()["results"]
        assert 7 in [row["id"] for row in found], pattern


def test_filters_accept_times_without_zone(lemonsoft: Client) -> None:
    """As the API writes them."""
    created = [row["created"] for row in lemonsoft.get("customers", params={"page_size": 60}).json()["results"]]
    bound = sorted(created)[30]

    found = lemonsoft.get("customers", params={"filter.created_after": bound, "page_size": 60})

    assert found.status_code == 200
    assert [row["created"] for row in found.json()["results"]] == [time for time in created if time > bound]
