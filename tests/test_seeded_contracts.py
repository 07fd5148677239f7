"""The baselines of the three APIs: valid, whole, and what a person believes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import jsonschema_rs
import pytest

from mock_server import contract as contracts
from mock_server import documents
from mock_server.contract import Contract, Filter, Json, Match, Record, Schema
from mock_server.schemas import properties
from mock_server.seeded import Baseline, DataFile, compiled, read

ROOT = Path(__file__).parents[1]
APIS = ("fentu", "keychain", "lemonsoft")


@pytest.fixture(scope="module")
def loaded() -> dict[str, Contract]:
    return contracts.load_all(ROOT / "openapi", APIS)


@pytest.fixture(scope="module")
def baselines(loaded: dict[str, Contract]) -> dict[str, Baseline]:
    return {name: _baseline(made, 60) for name, made in loaded.items()}


def _baseline(made: Contract, scale: int) -> Baseline:
    return Baseline(made, read(made, documents.load(ROOT / "fixtures" / made.name / "data.yaml")), 1, scale)


def _strict(schema: Schema) -> Json:
    """The schema as jsonschema-rs reads it: what may be null may be null."""
    plain: dict[str, Json] = {
        key: {name: _strict(part) for name, part in value.items()}
        if key == "properties"
        else [_strict(part) for part in value]
        if key in ("allOf", "anyOf", "oneOf")
        else _strict(value)
        if key == "items"
        else value
        for key, value in schema.items()
        if key not in ("example", "nullable", "readOnly", "writeOnly") and not key.startswith("x-")
    }
    if plain.get("additionalProperties") not in (None, True, False):
        plain["additionalProperties"] = _strict(plain["additionalProperties"])
    return {"anyOf": [{"type": "null"}, plain]} if schema.get("nullable") else plain


def _mistakes(baseline: Baseline) -> Iterator[str]:
    for name, table in baseline.tables.items():
        checks = {
            property: jsonschema_rs.Draft4Validator(_strict(schema), validate_formats=True)
            for property, schema in table.resource.stored.items()
            # A time that no schema has is given one with a zone, whatever the API writes.
            if property in properties(table.resource.schema) or property != table.resource.updated
        }
        for number in [*range(min(table.count, 300)), *range(max(300, table.count - 5), table.count)]:
            record = table.record(number)
            assert [*record] == [*table.resource.stored]
            for property, check in checks.items():
                yield from (f"{name} {number} {property}: {error.message}" for error in check.iter_errors(record[property]))


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("scale", [0, 1, 60, 100_000])
def test_every_record_is_what_the_contract_says(loaded: dict[str, Contract], api: str, scale: int) -> None:
    """Every value fits its schema, in the first records and in the last."""
    assert [*_mistakes(_baseline(loaded[api], scale))] == []


@pytest.mark.parametrize("api", APIS)
def test_an_api_needs_no_data_file(loaded: dict[str, Contract], api: str) -> None:
    """What the schemas alone suggest fits them too."""
    assert [*_mistakes(Baseline(loaded[api], DataFile(), 1, 60))] == []


def _find(baselines: dict[str, Baseline], api: str, resource: str, id: Json) -> Record:
    table = baselines[api].tables[resource]
    number = table.find(table.resource.id.property, id, fold=False)
    assert number is not None
    return table.record(number)


DOCUMENTED = [
    (
        "fentu",
        "customer",
        "cust-001",
        {
            "name": "Acme Corporation",
            "customer_number": "C-10001",
            "created_at": "2023-06-15T10:30:00Z",
            "branch_id": "branch-001",
        },
    ),
    (
        "fentu",
        "customer",
        "cust-002",
        {
            "name": "New Company Inc",
            "customer_number": "C-10002",
            "created_at": "2024-01-27T16:00:00Z",
            "branch_id": "branch-002",
        },
    ),
    ("fentu", "contact", "contact-001", {"name": "John Smith", "customer_id": "cust-001", "is_primary": True}),
    ("fentu", "branch", "branch-001", {"name": "Northeast Region"}),
    (
        "fentu",
        "work_order",
        "wo-12345",
        {"work_order_number": "WO-2024-001", "status": "open", "customer_id": "cust-001", "contact_id": "contact-001"},
    ),
    (
        "fentu",
        "asset",
        "asset-001",
        {"asset_tag": "A-10001", "product_id": "prod-001", "object_id": "obj-001", "customer_id": "cust-001"},
    ),
    ("keychain", "customer", "4021", {"name": "Sunrise Craft Beverages", "code": "SUNRISE", "paymentTerms": "Net 30"}),
    ("keychain", "sku", "1042", {"name": "Roasted Garlic Hummus", "batchSize": 500, "customerId": "4021"}),
    ("keychain", "sales_order", "SO-2025-0189", {"totalAmount": 7025, "orderDate": "2025-02-18", "customerId": "4021"}),
    ("lemonsoft", "customer", 1, {"number": 100001}),
]


@pytest.mark.parametrize(("api", "resource", "id", "part"), DOCUMENTED)
def test_the_documented_examples_are_records(
    baselines: dict[str, Baseline], api: str, resource: str, id: str | int, part: Record
) -> None:
    """What the vendor's pages show is there, under its id."""
    assert part.items() <= _find(baselines, api, resource, id).items()


def test_acme_keeps_its_open_work_order_and_most_customers_have_none(baselines: dict[str, Baseline]) -> None:
    """So most deletions succeed, and the documented one is refused."""
    tables = baselines["fentu"].tables
    orders = [tables["work_order"].record(number) for number in range(tables["work_order"].count)]
    active = {order["customer_id"] for order in orders if order["status"] not in ("completed", "cancelled")}

    assert "cust-001" in active
    assert 3 <= len(active) <= 20


def test_addresses_phones_and_domains_belong_to_nobody(baselines: dict[str, Baseline]) -> None:
    """Domains end in .example and phone numbers lie in ranges for fiction, but for the vendor's own examples."""
    for number in range(2, 60):
        customer = baselines["fentu"].tables["customer"].record(number)
        assert customer["email"].endswith(".example")
        assert re.fullmatch(r"\+1-\d{3}-555-01\d\d", customer["phone"])
        assert customer["website"].removeprefix("https://www.") == customer["email"].removeprefix("contact@")


def test_a_contacts_mail_fits_the_name_and_the_company(baselines: dict[str, Baseline]) -> None:
    """The first letter and the last name, at the company's domain."""
    tables = baselines["fentu"].tables
    for number in range(10, 60):
        contact = tables["contact"].record(number)
        first, *_, last = contact["name"].lower().split()
        company = tables["customer"].record(tables["contact"].parent(number))
        assert contact["email"].partition("@")[2] == company["email"].partition("@")[2]
        assert contact["email"].startswith(first[0])
        assert last[:3] in contact["email"]


def test_exactly_one_contact_and_address_is_primary(baselines: dict[str, Baseline]) -> None:
    """As Keychain's schema says."""
    for number in range(60):
        customer = baselines["keychain"].tables["customer"].record(number)
        for part in ("contacts", "addresses"):
            assert [element["isPrimary"] for element in customer[part]].count(True) == 1


def test_sales_orders_add_up_to_the_cent(baselines: dict[str, Baseline]) -> None:
    """Lines, subtotal and total; and every line orders a SKU of the same customer."""
    tables = baselines["keychain"].tables
    for number in range(tables["sales_order"].count):
        order = tables["sales_order"].record(number)
        exact = {
            name: Decimal(str(order[name]))
            for name in ("subtotal", "discountAmount", "taxAmount", "shippingCharges", "totalAmount")
        }
        lines = order["lineItems"]
        assert all(
            Decimal(str(line["quantity"])) * Decimal(str(line["unitPrice"])) == Decimal(str(line["subtotal"])) for line in lines
        )
        assert sum(Decimal(str(line["subtotal"])) for line in lines) == exact["subtotal"]
        assert exact["subtotal"] - exact["discountAmount"] + exact["taxAmount"] + exact["shippingCharges"] == exact["totalAmount"]
        assert order["expectedDeliveryDate"] > order["orderDate"]
        for line in lines:
            sku = _find(baselines, "keychain", "sku", line["skuId"])
            assert (sku["customerId"], sku["name"], sku["batchUnit"]) == (order["customerId"], line["skuName"], line["unit"])


def _business_id_is_right(text: str) -> bool:
    number, check = text.split("-")
    rest = sum(int(digit) * weight for digit, weight in zip(number, (7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    return rest != 1 and int(check) == (11 - rest if rest else 0)


def _iban_is_right(text: str) -> bool:
    moved = text[4:] + text[:4]
    return int("".join(str(int(char, 36)) for char in moved)) % 97 == 1


def _reference_is_right(text: str) -> bool:
    digits = [int(digit) for digit in text]
    total = sum(digit * weight for digit, weight in zip(reversed(digits[:-1]), (7, 3, 1) * 7, strict=False))
    return (total + digits[-1]) % 10 == 0


def test_finnish_numbers_have_right_check_digits(baselines: dict[str, Baseline]) -> None:
    """Business ids, IBANs, reference numbers, and electronic addresses made of the business id."""
    tables = baselines["lemonsoft"].tables
    for number in range(60):
        customer, account, invoice = (tables[name].record(number) for name in ("customer", "account", "invoice"))
        assert _business_id_is_right(customer["vat"])
        assert customer["finvoice_address"] == "0037" + customer["vat"].replace("-", "")
        assert _iban_is_right(account["iban"])
        assert len(account["iban"]) == 18
        assert _reference_is_right(invoice["reference"])
        assert _iban_is_right(invoice["rf_reference"])
        assert invoice["rf_reference"].endswith(invoice["reference"])


def test_invoices_add_up(baselines: dict[str, Baseline]) -> None:
    """An invoice is the sum of its rows with tax; what is open is the sum of a customer's unpaid invoices."""
    tables = baselines["lemonsoft"].tables
    invoices, rows, payments = (tables[name] for name in ("invoice", "invoice_row", "invoice_payment"))
    for number in range(20):
        open_sum = Decimal(0)
        for child in invoices.children(number):
            invoice = invoices.record(child)
            total = sum(Decimal(str(rows.record(row)[part])) for row in rows.children(child) for part in ("total", "tax_amount"))
            assert total == Decimal(str(invoice["total_sum"]))
            assert invoice["due_date"] > invoice["date"]
            open_sum += total - sum(Decimal(str(payments.record(payment)["total"])) for payment in payments.children(child))
        customer = tables["customer"].record(number)
        assert Decimal(str(customer["open_invoice_sum"])) == open_sum
        assert customer["due_invoice_sum"] <= customer["open_invoice_sum"]


def test_a_million_customers_are_there_at_once(loaded: dict[str, Contract]) -> None:
    """Nothing is made before somebody looks: the last of ten million is as near as the first."""
    table = _baseline(loaded["fentu"], 10_000_000).tables["customer"]

    assert table.record(9_999_999)["id"] == "cust-10000000"
    assert table.find("email", table.record(9_876_543)["email"], fold=True) == 9_876_543
    chosen = table.select(Filter((("status",),), "equals", False), "inactive")
    assert table.record(chosen.page(len(chosen) - 1, 1)[0])["status"] == "inactive"


def test_times_of_day_are_not_copied(baselines: dict[str, Baseline]) -> None:
    """Appointments begin at full quarters of an hour in the day, changes at any second; neither repeats that of creation."""
    tables = baselines["fentu"].tables
    orders = [tables["work_order"].record(number) for number in range(1, tables["work_order"].count)]
    times = [order["scheduled_date"][11:] for order in orders if order["scheduled_date"]]
    customers = [tables["customer"].record(number) for number in range(2, 60)]
    changed = [customer for customer in customers if customer["updated_at"] != customer["created_at"]]

    assert all(re.fullmatch(r"(0[7-9]|1[0-6]):(00|15|30|45):00Z", time) for time in times)
    assert len(changed) > 30
    assert all(customer["updated_at"][14:] != customer["created_at"][14:] for customer in changed)


def test_work_that_is_not_done_lies_ahead(baselines: dict[str, Baseline]) -> None:
    """Open work orders are scheduled from the end of 2025 on, those that are done soon after they were created."""
    table = baselines["fentu"].tables["work_order"]
    for number in range(1, table.count):
        order = table.record(number)
        if order["status"] in ("completed", "cancelled"):
            assert order["created_at"][:10] < order["scheduled_date"][:10] < "2026"
        elif order["status"] != "draft":
            assert "2025-12-15" <= order["scheduled_date"] < "2026-03"


def test_customers_are_created_over_the_whole_time(loaded: dict[str, Contract]) -> None:
    """The default world's from January 2024 on, half of them in 2025 or near to it; of a million, thousands lie months back."""
    small, large = (_baseline(loaded["fentu"], scale).tables["customer"] for scale in (60, 1_000_000))
    created = [small.record(number)["created_at"] for number in range(2, 60)]
    before = Filter((("created_at",),), "before", False)

    assert "2024-01-29" <= created[0] < "2024-03"
    assert "2025-06" <= created[-1] < "2025-12-20"
    assert len({time[:7] for time in created}) >= 15
    assert large.record(999_999)["created_at"] < "2025-12-20"
    shares = [len(large.select(before, day)) for day in ("2025-09-01", "2025-10-01", "2025-11-01", "2025-12-01")]
    assert all(1.5 < later / earlier < 20 for earlier, later in itertools.pairwise([60, *shares][1:]))


def test_assets_stand_where_they_can(baselines: dict[str, Baseline]) -> None:
    """No two of a customer have one name; lifts are not in the yard, and nothing is much older than its installation."""
    table = baselines["fentu"].tables["asset"]
    for customer in range(60):
        assets = [table.record(number) for number in table.children(customer)]
        assert len({asset["name"] for asset in assets}) == len(assets)
        for asset in assets:
            assert not re.search("Yard.*(Elevator|Fire Pump|Cooler)|Dock Dock", asset["name"])
            assert int(asset["serial_number"].split("-")[1]) >= int(asset["install_date"][:4]) - 1
            assert asset["warranty_expiry"] > asset["install_date"]
            assert asset["last_service"] is None or asset["last_service"] > asset["install_date"]


def test_customers_fit_their_trade(baselines: dict[str, Baseline]) -> None:
    """A brewery is industrial and makes food."""
    table = baselines["fentu"].tables["customer"]
    found = {
        (customer["customer_type"], customer["custom_fields"]["industry"])
        for customer in map(table.record, range(2, 60))
        if "Brewing" in customer["name"]
    }

    assert found == {("industrial", "Food Processing")}


def test_who_has_invoices_is_a_customer(baselines: dict[str, Baseline]) -> None:
    """A prospect has none."""
    tables = baselines["lemonsoft"].tables
    prospects = 0
    for number in range(60):
        customer, invoices = tables["customer"].record(number), tables["invoice"].children(number)
        prospects += customer["is_prospect"]
        assert customer["is_customer"] != customer["is_prospect"]
        assert customer["is_customer"] or not invoices
    assert prospects


def test_invoices_are_as_agreed_and_mostly_paid(baselines: dict[str, Baseline]) -> None:
    """The customer's term of payment; the prices of a product differ by a tenth; the tax of the day; old debts have reminders."""
    tables = baselines["lemonsoft"].tables
    prices: dict[str, set[float]] = {}
    unpaid = 0
    for number in range(tables["invoice"].count):
        invoice = tables["invoice"].record(number)
        customer = tables["customer"].record(tables["invoice"].parent(number))
        day, due = (date.fromisoformat(invoice[name][:10]) for name in ("date", "due_date"))
        paid = bool(tables["invoice_payment"].children(number))
        unpaid += not paid
        assert customer["payment_term_number"] == invoice["payment_term"] == (due - day).days
        assert invoice["reminder_bit"] == (not paid and due < date(2025, 12, 1)) == bool(invoice["reminder_count"])
        assert (invoice["reminder_date"] is not None) == invoice["reminder_bit"]
        for child in tables["invoice_row"].children(number):
            row = tables["invoice_row"].record(child)
            prices.setdefault(row["product_code"], set()).add(row["unit_price"])
            assert row["tax_rate"] == (24 if day < date(2024, 9, 1) else 25.5)
    assert 0 < unpaid < tables["invoice"].count / 6
    assert all(max(each) <= min(each) * 1.4 for each in prices.values())


def test_mobile_numbers_are_mobile(baselines: dict[str, Baseline]) -> None:
    """And one digit too short to be anybody's."""
    table = baselines["lemonsoft"].tables["contact"]
    assert all(re.fullmatch(r"\+358 4\d 0\d\d \d{3}", table.record(number)["gsm"]) for number in range(60))


def test_products_are_made_in_their_own_units_and_sold_while_active(baselines: dict[str, Baseline]) -> None:
    """Kombucha comes in gallons, bars by the piece; what is inactive is in no order."""
    tables = baselines["keychain"].tables
    skus = [tables["sku"].record(number) for number in range(tables["sku"].count)]
    units = {sku["name"].split()[-1]: sku["batchUnit"] for sku in skus}
    ordered = {
        line["skuId"]
        for number in range(tables["sales_order"].count)
        for line in tables["sales_order"].record(number)["lineItems"]
    }

    assert all(units[sku["name"].split()[-1]] == sku["batchUnit"] for sku in skus)
    assert (units["Kombucha"], units["Bites"], units["Hummus"]) == ("gal", "each", "lbs")
    assert not ordered & {sku["id"] for sku in skus if sku["status"] != "active"}
    assert any(sku["status"] == "inactive" for sku in skus)
    assert all(tables["sales_order"].record(number)["lineItems"] for number in range(tables["sales_order"].count))


@pytest.mark.parametrize("match", ["after", "from", "before", "to"])
def test_times_that_a_status_decides_are_searched_exactly(loaded: dict[str, Contract], match: Match) -> None:
    """Some count from creation, some do not, in two blocks of customers."""
    table = _baseline(loaded["fentu"], 4_500).tables["work_order"]
    filter = Filter((("scheduled_date",),), match, False)
    dates = [table.record(number)["scheduled_date"] for number in range(table.count)]
    for bound in ("2024-05-13T07:00:00Z", "2025-06-10", "2025-12-22", "2026-01-07T10:15:00Z", "2023-01-01", "2027-01-01"):
        test = compiled(filter, bound)

        assert [*table.select(filter, bound)] == [number for number, day in enumerate(dates) if day and test((day,))]
