"""The records that the Fentu implementation starts with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from contract_tests.defects.serving import Record

CUSTOMERS = 57  # three pages
CROWDED = 5  # the customer with more contacts, assets and work orders than a page holds
NAMES = ("Harbor", "Summit", "Cedar", "Union", "Bright", "Granite", "Lakeside", "Pioneer", "Sterling", "Coastal", "Maple")
TRADES = ("Foods", "Logistics", "Clinics", "Hotels", "Schools", "Printing", "Motors")
TOWNS = (("New York", "NY", "10001"), ("Boston", "MA", "02108"), ("Chicago", "IL", "60601"), ("Austin", "TX", "78701"))
PEOPLE = ("Ana Silva", "Bo Chen", "Chloé Dubois", "Dmitri Orlov", "Ebba Lund", "Farid Haddad", "Grace O'Neil", "Hana Sato")
ODD = {7: "100% Clean Services", 13: "Smith_Jones & Sons", 21: "Ångström Élevators", 34: 'O\'Brien "Quick" Repairs'}
STATUSES = ("open", "completed", "assigned", "cancelled", "draft", "in_progress", "on_hold")
BEGUN = datetime(2023, 1, 2, 8, 15, 30, tzinfo=UTC)


def rows() -> Mapping[str, list[Record]]:
    """The records by kind, in the order in which they were made."""
    customers = [_customer(number) for number in range(1, CUSTOMERS + 1)]
    return {
        "branch": [{"id": f"branch-{n:03}", "name": f"{side} Region"} for n, side in enumerate(("North", "South", "West"), 1)],
        "technician": [{"id": f"tech-{n:03}", "name": name} for n, name in enumerate(PEOPLE[:5], 1)],
        "product": [{"id": f"prod-{n:03}", "name": f"Unit {n}", "manufacturer": "CoolAir Inc"} for n in range(1, 5)],
        "object": [
            {"id": f"obj-{n:03}", "name": f"Building {n}", "address": f"{n} Main Street", "customer_id": f"cust-{n:03}"}
            for n in range(1, 13)
        ],
        "customer": customers,
        "contact": [_contact(number, of) for number, of in enumerate(_owners(lambda n: n % 4, 30), 1)],
        "asset": [_asset(number, of) for number, of in enumerate(_owners(lambda n: n % 3, 28), 1)],
        "work_order": [_work_order(number, of, customers) for number, of in enumerate(_owners(lambda n: n % 2, 27), 1)],
    }


def _owners(count: Callable[[int], int], crowd: int) -> list[int]:
    """Whose the records are: so many of each customer."""
    return [n for n in range(1, CUSTOMERS + 1) for _ in range(crowd if n == CROWDED else count(n))]


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _customer(n: int) -> Record:
    made = BEGUN + timedelta(days=11 * n, minutes=37 * n)
    if n % 19 == 1:  # Some were made at midnight.
        made = made.replace(hour=0, minute=0, second=0)
    town, state, code = TOWNS[n % 4]
    address = {"street": f"{n} Main Street", "city": town, "state": state, "postal_code": code, "country": "US"}
    return {
        "id": f"cust-{n:03}",
        "name": ODD.get(n, f"{NAMES[n % 11]} {TRADES[n % 7]}"),
        "customer_number": f"C-{10000 + n}",
        "status": ("active", "active", "inactive", "prospect")[n % 4],
        "customer_type": ("commercial", "residential", None)[n % 3],
        "email": None if n % 9 == 0 else f"office{n}@{NAMES[n % 11].lower()}.example",
        "phone": f"+1-555-{n:03}-{n * 7 % 1000:04}",
        "fax": f"+1-555-{n:03}-9999" if n % 5 == 0 else None,
        "website": f"https://{NAMES[n % 11].lower()}.example" if n % 2 else None,
        "address": None if n % 10 == 0 else address,
        "billing_address": {**address, "street": f"{n} Finance Ave"} if n % 3 == 0 else None,
        "branch_id": None if n % 6 == 0 else f"branch-{n % 3 + 1:03}",
        "tax_id": f"{n:02}-{n * 31337 % 10_000_000:07}",
        "payment_terms": ("net30", "net14", None)[n % 3],
        "notes": "Ring twice" if n % 4 == 1 else None,
        "custom_fields": {"industry": TRADES[n % 7]} if n % 2 else {},
        "created_at": _time(made),
        "updated_at": _time(made + timedelta(days=n, hours=3)),
    }


def _contact(number: int, of: int) -> Record:
    name = PEOPLE[number % 8]
    return {
        "id": f"contact-{number:03}",
        "customer_id": f"cust-{of:03}",
        "name": name,
        "title": ("Facilities Manager", "Owner", None)[number % 3],
        "email": f"{name.split()[0].lower()}{number}@people.example".replace("é", "e"),
        "phone": f"+1-555-777-{number:04}" if number % 4 else None,
        "is_primary": number % 5 == 0 and of != CROWDED,
    }


def _asset(number: int, of: int) -> Record:
    return {
        "id": f"asset-{number:03}",
        "customer_id": f"cust-{of:03}",
        "product_id": f"prod-{number % 4 + 1:03}",
        "object_id": f"obj-{of:03}" if of <= 12 and number % 2 else None,
        "name": f"Rooftop Unit #{number}",
        "asset_tag": f"A-{10000 + number}",
        "serial_number": f"HVAC-{2020 + number % 5}-{number:06}" if number % 8 else None,
        "model_number": f"RHVAC-{number % 6}T" if number % 7 else None,
        "location": ("Roof", "Cellar", None)[number % 3],
        "status": ("active", "active", "retired")[number % 3],
        "install_date": f"2023-{number % 12 + 1:02}-15",
        "warranty_start": f"2023-{number % 12 + 1:02}-15",
        "warranty_expiry": f"2028-{number % 12 + 1:02}-14" if number % 6 else None,
        "last_service": f"2025-{number % 12 + 1:02}-03T10:00:00Z" if number % 2 else None,
    }


def _work_order(number: int, of: int, customers: list[Record]) -> Record:
    made = BEGUN + timedelta(days=700 + 4 * number, minutes=number)
    hour = ("T00:00:00Z", "T09:00:00Z", "T14:30:00Z", "T23:59:59Z")[number % 4]
    return {
        "id": f"wo-{12344 + number}",
        "work_order_number": f"WO-{made.year}-{number:03}",
        "customer_id": f"cust-{of:03}",
        "customer_name": customers[of - 1]["name"],
        "contact_id": f"contact-{number:03}" if number % 5 == 0 else None,
        "technician_id": f"tech-{number % 5 + 1:03}" if number % 4 else None,
        "status": "completed" if of % 3 == 0 else STATUSES[number % 7],
        "priority": ("high", "medium", "low", None)[number % 4],
        "description": "Annual maintenance" if number % 3 else None,
        "scheduled_date": None if number % 9 == 0 else f"{(made + timedelta(days=10)).date()}{hour}",
        "estimated_duration": (60, 120, 0, None)[number % 4],
        "created_at": _time(made),
    }
