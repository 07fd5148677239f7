"""The records that the Keychain implementation starts with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from contract_tests.defects.serving import Record

CUSTOMERS = 57  # three pages
CROWDED = 2  # the customer with more orders than a page holds
MAKERS = ("Sunrise", "Harvest", "Northwind", "Blue Ridge", "Copper Kettle", "Olive Branch", "Prairie", "Saltwater")
GOODS = ("Beverages", "Foods", "Bakery", "Snacks", "Dairy")
PRODUCTS = ("Roasted Garlic Hummus", "Ginger Ale", "Oat Crackers", "Chili Oil", "Crème Fraîche", "Tomato Soup")
STATUSES = ("draft", "confirmed", "scheduled", "completed", "cancelled")
BEGUN = date(2024, 11, 4)


def rows() -> Mapping[str, list[Record]]:
    """The records by kind, in the order in which they were made."""
    customers = [_customer(n) for n in range(CUSTOMERS)]
    skus = [_sku(number, of) for number, of in enumerate(n for n in range(CUSTOMERS) for _ in range(n % 3))]
    owners = [n for n in range(CUSTOMERS) for _ in range(45 if n == CROWDED else n % 4)]
    mixed = sorted(range(len(owners)), key=lambda place: place * 37 % 101)  # A customer's orders do not follow each other.
    orders = [_order(number, customers[owners[place]], skus) for number, place in enumerate(mixed)]
    return {"customer": customers, "sku": skus, "sales_order": orders}


def _customer(n: int) -> Record:
    name = f"{MAKERS[n % 8]} {GOODS[n % 5]}"
    person = {"name": "Ada Reyes", "email": f"ada{n}@buyers.example", "phone": f"+1-555-01{n:02}", "isPrimary": True}
    place = {"addressType": "both", "street": f"{n + 1} Mill Road", "city": "Portland", "state": "OR"}
    return {
        "id": str(4021 + n),
        "name": name,
        "code": f"{MAKERS[n % 8][:4].upper()}{n:02}",
        "companyName": f"{name} LLC" if n % 3 else None,
        "email": f"orders{n}@{GOODS[n % 5].lower()}.example" if n % 7 else None,
        "phone": f"+1-555-10{n:02}" if n % 5 else None,
        "paymentTerms": ("Net 30", "Due on receipt", None)[n % 3],
        "notes": "Delivers at night" if n % 4 == 0 else None,
        "contacts": [person, {**person, "name": "Lee Chang", "email": None, "isPrimary": False}][: n % 3],
        "addresses": [{**place, "zipCode": f"97{n:03}", "country": "US", "isPrimary": True}][: (n + 1) % 4],
    }


def _sku(number: int, of: int) -> Record:
    return {
        "id": str(1042 + number),
        "customerId": str(4021 + of),
        "name": f"{PRODUCTS[number % 6]} {number // 6 + 1}",
        "version": number % 4 + 1,
        "status": "inactive" if number % 6 == 5 else "active",
        "description": f"Batch recipe {number}" if number % 3 else None,
        "batchSize": (500, 62.5, 1200)[number % 3],
        "batchUnit": ("lbs", "gal", "units")[number % 3],
        "itemType": "wip" if number % 10 == 9 else "finished_good",
    }


def _order(number: int, customer: Record, skus: list[Record]) -> Record:
    day = BEGUN + timedelta(days=number * 3)
    sku, price, quantity = skus[number % len(skus)], (12.5, 8, 21.75)[number % 3], 4 * (number % 9 + 1)
    line = {"skuId": sku["id"], "skuName": sku["name"], "quantity": quantity, "unit": sku["batchUnit"], "unitPrice": price}
    subtotal, discount, tax, shipping = price * quantity, (0, 5)[number % 2], number % 4 * 2.5, (0, 30)[number % 2]
    return {
        "orderNumber": f"SO-{day.year}-{189 + number:04}",
        "customerId": customer["id"],
        "customerName": customer["name"],
        "orderDate": day.isoformat(),
        "expectedDeliveryDate": (day + timedelta(days=25)).isoformat() if number % 6 else None,
        "status": STATUSES[number % 5],
        "subtotal": subtotal,
        "discountAmount": discount,
        "taxAmount": tax,
        "shippingCharges": shipping,
        "totalAmount": subtotal - discount + tax + shipping,
        "paymentTerms": customer["paymentTerms"],
        "referenceNumber": f"PO-{number}" if number % 3 else None,
        "notes": None,
        "lineItems": [{**line, "subtotal": subtotal}],
    }
