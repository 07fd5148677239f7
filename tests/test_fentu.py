"""What Fentu's pages say, over HTTP."""

from __future__ import annotations

import httpx

from mock_server.contract import Contract

Client = httpx.Client
ACME = "customers/cust-001"
NEW = {
    "name": "New Company Inc",
    "customer_type": "commercial",
    "email": "info@brandnew.example",
    "phone": "+1-555-999-8888",
    "address": {"street": "789 Business Blvd", "city": "Chicago", "state": "IL", "postal_code": "60601", "country": "US"},
    "branch_id": "branch-002",
    "payment_terms": "net30",
}


def created(fentu: Client, **changes: object) -> str:
    answer = fentu.post("customers", json=NEW | changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["data"]["id"])


def test_the_documented_customer_is_there(fentu: Client, contracts: dict[str, Contract]) -> None:
    """Acme Corporation is cust-001, to the letter of the vendor's page."""
    content = contracts["fentu"].document["paths"]["/customers/{id}"]["get"]["responses"]["200"]["content"]["application/json"]

    assert fentu.get(ACME).json() == content["examples"]["documented"]["value"]


def test_the_documented_creation_works(fentu: Client, contracts: dict[str, Contract]) -> None:
    """The body on the vendor's page is accepted, and answered with its five properties."""
    content = contracts["fentu"].document["paths"]["/customers"]["post"]["requestBody"]["content"]["application/json"]

    answer = fentu.post("customers", json=content["examples"]["documented"]["value"])

    assert answer.status_code == 201
    assert answer.json()["data"]["name"] == "New Company Inc"


def test_a_customer_has_three_views(fentu: Client) -> None:
    """The list shows eight properties, the creation five, the detail all."""
    made = fentu.post("customers", json=NEW).json()["data"]
    detail = fentu.get(f"customers/{made['id']}").json()["data"]
    listed = fentu.get("customers", params={"search": "New Company Inc", "per_page": 100}).json()["data"][-1]

    assert list(made) == ["id", "customer_number", "name", "status", "created_at"]
    assert list(listed) == ["id", "name", "customer_number", "status", "email", "phone", "address", "created_at"]
    assert detail.items() >= listed.items()
    assert detail["contacts"] == []
    assert detail["branch"]["id"] == "branch-002"
    assert "branch_id" not in detail


def test_a_new_contact_shows_in_its_customer(fentu: Client) -> None:
    """Contacts are written at their own paths and shown in the customer's detail."""
    customer = created(fentu)
    contact = fentu.post(f"customers/{customer}/contacts", json={"name": "Jane Doe", "is_primary": True}).json()["data"]
    fentu.put(f"contacts/{contact['id']}", json={"title": "Operations Manager"})

    shown = fentu.get(f"customers/{customer}").json()["data"]["contacts"]

    assert [(c["id"], c["title"], c["is_primary"]) for c in shown] == [(contact["id"], "Operations Manager", True)]


def test_one_contact_is_primary(fentu: Client) -> None:
    """A second primary contact takes the place of the first."""
    customer = created(fentu)
    for name in ("First", "Second"):
        fentu.post(f"customers/{customer}/contacts", json={"name": name, "is_primary": True})

    contacts = fentu.get(f"customers/{customer}/contacts").json()["data"]

    assert [(c["name"], c["is_primary"]) for c in contacts] == [("First", False), ("Second", True)]


def test_active_work_orders_guard_their_customer(fentu: Client) -> None:
    """Deleting says which work orders are in the way; once they are cancelled the customer can go."""
    customer = created(fentu)
    orders = [
        fentu.post("work-orders", json={"customer_id": customer, "description": "Repair"}).json()["data"]["id"] for _ in range(2)
    ]

    refused = fentu.delete(f"customers/{customer}")

    assert refused.status_code == 409
    assert all(order in refused.text for order in orders)
    assert fentu.get(f"customers/{customer}").status_code == 200
    for order in orders:
        assert fentu.put(f"work-orders/{order}", json={"status": "cancelled"}).status_code == 200
    assert fentu.delete(f"customers/{customer}").status_code == 204
    assert fentu.get(f"work-orders/{orders[0]}").status_code == 404


def test_acme_is_guarded_from_the_start(fentu: Client) -> None:
    """The documented work order wo-12345 is open."""
    refused = fentu.delete(ACME)

    assert refused.status_code == 409
    assert "wo-12345" in refused.text


def test_contacts_go_with_their_customer(fentu: Client) -> None:
    """A deleted customer is gone everywhere, and its contacts with it."""
    customer = created(fentu)
    contact = fentu.post(f"customers/{customer}/contacts", json={"name": "Jane Doe"}).json()["data"]["id"]

    fentu.delete(f"customers/{customer}")

    assert fentu.get(f"customers/{customer}").status_code == 404
    assert fentu.get(f"customers/{customer}/contacts").status_code == 404
    assert fentu.put(f"contacts/{contact}", json={"name": "Ghost"}).status_code == 404


def test_an_email_is_taken_once(fentu: Client) -> None:
    """A second customer with an e-mail is a duplicate, whatever its case; a deleted one frees it."""
    customer = created(fentu)

    again = fentu.post("customers", json=NEW | {"email": "INFO@brandnew.example"})

    assert again.status_code == 409
    assert again.json()["error"]["details"][0]["pointer"] == "/email"
    fentu.delete(f"customers/{customer}")
    assert created(fentu) != customer


def test_an_email_of_the_baseline_is_taken(fentu: Client) -> None:
    """Also by a record that nobody has looked at."""
    assert fentu.post("customers", json=NEW | {"email": "contact@acme.com"}).status_code == 409


def test_put_changes_what_it_is_sent(fentu: Client) -> None:
    """PUT is partial: three properties change, the others stay."""
    before = fentu.get(ACME).json()["data"]
    body = {"email": "newemail@company.com", "phone": "+1-555-888-7777", "notes": "Updated contact information"}

    after = fentu.put(ACME, json=body).json()["data"]

    assert after == before | body | {"updated_at": "2026-03-01T12:00:00Z"}
    assert fentu.get(ACME).json()["data"] == after


def test_a_reader_cannot_write(fentu: Client) -> None:
    """The read key may look at everything and change nothing."""
    fentu.headers["Authorization"] = "Bearer test-read"

    assert fentu.get(ACME).status_code == 200
    refused = fentu.post("customers", json=NEW)
    assert refused.status_code == 403
    assert "write:customers" in refused.json()["error"]["message"]


def test_a_writer_cannot_read(fentu: Client) -> None:
    """The write key may make a customer and not look at it."""
    fentu.headers["Authorization"] = "Bearer test-write"

    made = created(fentu)
    refused = fentu.get(f"customers/{made}")

    assert refused.status_code == 403
    assert "read:customers" in refused.json()["error"]["message"]


def test_both_documented_addresses_answer(client: Client) -> None:
    """The vendor's pages say /api/v1 and /v1; both work, by path and by host name."""
    headers = {"Authorization": "Bearer test-admin"}
    found = [
        client.get("/fentu/api/v1/customers/cust-001", headers=headers),
        client.get("/fentu/v1/customers/cust-001", headers=headers),
        client.get("/api/v1/customers/cust-001", headers=headers | {"Host": "fentu.localhost:8080"}),
        client.get("/v1/customers/cust-001", headers=headers | {"Host": "fentu.localhost"}),
    ]

    assert [answer.json()["data"]["id"] for answer in found] == ["cust-001"] * 4


def test_a_page_beyond_the_end_is_empty(fentu: Client) -> None:
    answer = fentu.get("customers", params={"page": 999}).json()

    assert answer["data"] == []
    assert answer["meta"]["current_page"] == 999


def test_paging_out_of_range_is_refused(fentu: Client) -> None:
    """All that is wrong with a request is told at once."""
    refused = fentu.get("customers", params={"page": 0, "per_page": 101, "created_after": "yesterday"})

    assert refused.status_code == 400
    assert {d["pointer"] for d in refused.json()["error"]["details"]} == {"/page", "/per_page", "/created_after"}


def test_all_violations_of_a_body_are_told(fentu: Client) -> None:
    """422 with a JSON pointer for each."""
    refused = fentu.post("customers", json={"email": 5, "address": {"city": 7}})

    assert refused.status_code == 422
    assert {d["pointer"] for d in refused.json()["error"]["details"]} == {"/name", "/email", "/address/city"}


def test_an_integer_beyond_64_bits_is_none(fentu: Client) -> None:
    """It is not silently rounded."""
    refused = fentu.post("work-orders", json={"customer_id": "cust-001", "estimated_duration": 10**20})

    assert refused.status_code == 422
    assert {d["pointer"] for d in refused.json()["error"]["details"]} == {"/estimated_duration"}
