"""What Keychain's pages say, over HTTP."""

from __future__ import annotations

import httpx

Client = httpx.Client


def test_the_documented_customer_is_there(keychain: Client) -> None:
    """Sunrise Craft Beverages is 4021, a bare object."""
    sunrise = keychain.get("customers/4021").json()

    assert (sunrise["id"], sunrise["name"], sunrise["code"], sunrise["paymentTerms"]) == (
        "4021",
        "Sunrise Craft Beverages",
        "SUNRISE",
        "Net 30",
    )


def test_the_documented_order_adds_up(keychain: Client) -> None:
    """SO-2025-0189: 500 lbs of hummus."""
    order = keychain.get("sales-orders/SO-2025-0189").json()

    assert order["customerName"] == "Sunrise Craft Beverages"
    assert (order["subtotal"], order["taxAmount"], order["shippingCharges"], order["totalAmount"]) == (6250, 500, 275, 7025)


def test_every_order_adds_up(keychain: Client) -> None:
    """Total = subtotal - discount + tax + shipping, subtotal = the lines."""
    for customer in keychain.get("customers", params={"limit": 20}).json()["data"]:
        for order in keychain.get(f"customers/{customer['id']}/sales-orders", params={"limit": 100}).json()["data"]:
            lines = sum(line["subtotal"] for line in order["lineItems"])
            total = order["subtotal"] - order["discountAmount"] + order["taxAmount"] + order["shippingCharges"]
            assert round(lines, 2) == order["subtotal"]
            assert round(total, 2) == order["totalAmount"]


def test_exactly_one_contact_and_address_is_primary(keychain: Client) -> None:
    for customer in keychain.get("customers", params={"limit": 60}).json()["data"]:
        detail = keychain.get(f"customers/{customer['id']}").json()
        assert [sum(item["isPrimary"] for item in detail[part]) for part in ("contacts", "addresses")] == [1, 1]


def test_offset_and_limit_partition_the_list(keychain: Client) -> None:
    pages = [keychain.get("customers", params={"offset": offset, "limit": 7}).json() for offset in range(0, 63, 7)]

    ids = [customer["id"] for page in pages for customer in page["data"]]
    assert ids == [str(4021 + n) for n in range(60)]
    assert {page["pagination"]["total"] for page in pages} == {60}


def test_out_of_range_is_refused_in_the_documented_words(keychain: Client) -> None:
    refused = keychain.get("customers", params={"offset": -1})

    assert refused.status_code == 400
    assert refused.json() == {"code": 400, "message": "Invalid parameter: offset must be >= 0"}


def test_every_violation_is_told(keychain: Client) -> None:
    refused = keychain.get("customers", params={"offset": -1, "limit": 101})

    assert refused.json()["message"] == "Invalid parameter: offset must be >= 0; limit must be <= 100"


def test_a_wrong_key_is_refused(keychain: Client) -> None:
    keychain.headers["X-API-Key"] = "wrong"

    assert keychain.get("customers").json() == {"code": 401, "message": "Missing or invalid API key"}


def test_nothing_can_be_written(keychain: Client) -> None:
    """The API is read-only."""
    refused = keychain.post("customers", json={"name": "x"})

    assert refused.status_code == 405
    assert refused.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_a_customers_skus_name_their_customer(keychain: Client) -> None:
    answer = keychain.get("customers/4021/skus").json()

    assert (answer["customerId"], answer["customerName"]) == ("4021", "Sunrise Craft Beverages")
    assert answer["skus"][0]["name"] == "Roasted Garlic Hummus"


def test_orders_are_found_by_date(keychain: Client) -> None:
    """Both bounds are inclusive."""
    orders = keychain.get("customers/4022/sales-orders", params={"limit": 100}).json()["data"]
    dates = sorted(order["orderDate"] for order in orders)
    first, last = dates[0], dates[len(dates) // 2]

    found = keychain.get("customers/4022/sales-orders", params={"startDate": first, "endDate": last, "limit": 100}).json()

    assert sorted(order["orderDate"] for order in found["data"]) == [date for date in dates if first <= date <= last]


def test_an_order_is_found_by_its_whole_number(keychain: Client) -> None:
    """SO-2019-0189 is not SO-2025-0189."""
    assert keychain.get("sales-orders/SO-2019-0189").status_code == 404
