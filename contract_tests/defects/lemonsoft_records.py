"""The kinds of record that the Lemonsoft implementation keeps, and those that it starts with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from contract_tests.defects.operations import Json, document
from contract_tests.defects.serving import Record


@dataclass(frozen=True)
class Kind:
    """A kind of record."""

    title: str
    schema: str  # of the document: what a record looks like
    id: str = "id"
    parent: str = ""
    parent_id: str = ""  # the property that holds the parent's id
    children: Mapping[str, str] = field(default_factory=dict)  # property of the record -> kind
    kept: tuple[str, ...] = ()  # further properties that only the server sets once the record stands

    @property
    def own(self) -> tuple[str, ...]:
        """The properties that an update does not touch."""
        return (self.id, *([self.parent_id] if self.parent else []), *self.kept)


KINDS = {
    "customer": Kind(
        "Customer",
        "Customer",
        children={
            **{"contacts": "contact", "texts": "text", "agreements": "agreement"},
            **{"accounts": "account", "circulations": "circulation"},
        },
        kept=("number", "created", "modified", "due_invoice_sum", "open_invoice_sum"),
    ),
    "contact": Kind("Contact", "CustomerContact", parent="customer", parent_id="customer_id", kept=("modified",)),
    "text": Kind("Text", "CustomerText", parent="customer", parent_id="customer_id"),
    "account": Kind("Account", "CustomerAccount", "account_id", "customer", "customer_id"),
    "circulation": Kind("Circulation", "CustomerCirculation", parent="customer", parent_id="customer_id"),
    "agreement": Kind(
        "Agreement", "CustomerAgreement", parent="customer", parent_id="customer_id", children={"products": "product"}
    ),
    "product": Kind("Agreement product", "CustomerAgreementProduct", "agreement_product_id", "agreement", "agreement_id"),
    "invoice": Kind(
        "Invoice", "Invoice", children={"rows": "row", "payments": "payment", "links": "link"}, kept=("number", "modified_date")
    ),
    "row": Kind("Invoice row", "InvoiceRow", parent="invoice", parent_id="invoice_id"),
    "payment": Kind("Invoice payment", "InvoicePayment", parent="invoice", parent_id="invoice_id"),
    "link": Kind("Link", "Link", parent="invoice", parent_id="invoice_id"),
}
EMPTY = {"string": "", "boolean": False, "array": []}
CUSTOMERS, INVOICES = 57, 43
CROWDED = 3  # the customer with more contacts than a page holds
TOWNS = (("Helsinki", "00100"), ("Oulu", "90100"), ("Turku", "20100"), ("Hämeenlinna", "13100"))
WORDS = ("Koivu", "Järvi", "Saari", "Mäki", "Lumi", "Kallio", "Ranta", "Pelto", "Harju")
TRADES = ("Rakennus", "Sähkö", "Kuljetus", "Leipomo", "Huolto")
PEOPLE = ("Aino Virtanen", "Eero Nieminen", "Päivi Mäkelä", "Juha Lahti", "Sanna O'Hara")
BEGUN = datetime(2023, 1, 9, 7, 30, 12, 345_000)  # The API's times have no zone.


def properties(kind: str) -> Mapping[str, Json]:
    """What a record of the kind shows: property -> schema."""
    return document("lemonsoft").schema(KINDS[kind].schema)


@lru_cache(maxsize=32)
def blank(kind: str) -> Record:
    """A record without values."""
    return {name: empty(schema) for name, schema in properties(kind).items()}


def empty(schema: Json) -> Json:
    """What a property shows that has no value."""
    return None if schema.get("nullable") else EMPTY.get(schema["type"])


def written(moment: datetime) -> str:
    """A time as the API writes it."""
    return moment.isoformat(timespec="milliseconds")


def rows() -> Mapping[str, list[Record]]:
    """The records by kind, in the order in which they were made."""
    made: dict[str, list[Record]] = {kind: [] for kind in KINDS}

    def add(kind: str, parent: int = 0, **values: Json) -> int:
        of, id = KINDS[kind], len(made[kind]) + 1
        made[kind].append({**blank(kind), of.id: id, **({of.parent_id: parent} if of.parent else {}), **values})
        return id

    for n in range(1, CUSTOMERS + 1):
        customer = add("customer", **_customer(n))
        for turn in range(14 if n == CROWDED else n % 3):
            add("contact", customer, **_contact(n + turn))
        for turn in range(n % 2):
            add("text", customer, header_number=turn, note=f"Toimitus {n}")
            add("account", customer, iban=f"FI{n:02}12345600000785", bank_name="Pohjola")
        for _ in range(n % 4 == 1):
            agreement = add("agreement", customer, type=n % 3, description=f"Huolto {n}", startdate="2024-01-01T00:00:00")
            for turn in range(2):
                add("product", agreement, product_code=f"HUOLTO-{turn}", product_amount=1.5, product_unitprice=99.9)
            add("circulation", customer, person_number=n, circulation_type=n % 2)
    for n in range(1, INVOICES + 1):
        invoice = add("invoice", **_invoice(n))
        for turn in range(n % 3):
            add("row", invoice, total=70.5 * n, unit_price=35.25, quantity=2 * n, product_code=f"T{turn}", unit="kpl")
        for _ in range(n % 2):
            add("payment", invoice, date="2025-07-01T00:00:00", total=10.25)
            add("link", invoice, target=f"file-{n}.pdf")
    return made


def _customer(n: int) -> Record:
    town, code = TOWNS[n % 4]
    made = BEGUN + timedelta(days=9 * n, hours=n, milliseconds=n)
    name = {11: "100 % Puhdas Oy", 23: "Ab_c Oy", 29: 'ÅÄÖ "Nopea" O\'Y'}.get(n, f"{WORDS[n % 9]} {TRADES[n % 5]} Oy")
    return {
        "number": 100_000 + n,
        "name": name,
        "name2": "Etelä" if n % 4 == 0 else "",
        "searchname": name.upper()[:12],
        "email": "" if n % 6 == 0 else f"info{n}@{WORDS[n % 9].lower().replace('ä', 'a')}.example",
        "phone": f"+358 9 {n:03} {n * 13 % 10_000:04}" if n % 5 else "",
        "vat": f"{1740598 + n}-{n % 10}",
        "street": f"Katu {n}",
        "city": town,
        "postal_code": code,
        "country": "FI",
        "currency_code": "EUR",
        "language_code": ("FIN", "SWE")[n % 2],
        "group": (1, 2, None)[n % 3],
        "type": (0, 1, None, 2)[n % 4],
        "creditlimit": n * 100.5 if n % 2 else None,
        "is_customer": n % 5 != 0,
        "is_supplier": n % 4 == 0,
        "attributes": [{"id": n % 3 + 1, "name": f"Ominaisuus {n % 3 + 1}", "selected": True}] if n % 2 else [],
        "created": written(made),
        "modified": written(made + timedelta(days=n)),
    }


def _contact(n: int) -> Record:
    name = PEOPLE[n % 5]
    email = f"{name.split()[0].lower()}{n}@henkilo.example".replace("ä", "a")
    seen = written(BEGUN + timedelta(days=500 + n))
    return {"name": name, "title": "Ostaja" if n % 2 else "", "email": email, "gsm": f"+358 40 {n:07}", "modified": seen}


def _invoice(n: int) -> Record:
    day = BEGUN + timedelta(days=700 + n, hours=1)
    return {
        "number": 20_000 + n,
        "customer_number": 100_000 + n % 20 + 1,
        "customer_name": f"{WORDS[n % 9]} {TRADES[n % 5]} Oy",
        "delivery_customer_number": 100_000 + n % 7 + 1 if n % 2 else None,
        "type": (0, 1, None)[n % 3],
        "date": f"{day.date()}T00:00:00",
        "due_date": f"{(day + timedelta(days=14)).date()}T00:00:00",
        "reference": f"{n * 1234567 % 10**8}",
        "description": "Kuukausilaskutus" if n % 2 else "",
        "currency_code": "EUR",
        "total_sum": 70.5 * n,
        "state": ("open", "paid")[n % 2],
        "modified_date": written(day),
    }
