"""The independent implementations keep the contracts when sound, and differ where a defect says so."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contract_tests.defects import CATALOGUE, IMPLEMENTATIONS, Defect, application
from contract_tests.defects.operations import answer_schema, document

Json = Any
LOGIN = {"UserName": "demo", "Password": "demo", "Database": "demo", "ApiKey": "demo"}
KEYS = {"fentu": {"authorization": "Bearer test-admin"}, "keychain": {"x-api-key": "test-key"}}
SLOW = "lists take half a second"


@dataclass(frozen=True)
class Ask:
    """A request; a header whose value is None is not sent."""

    method: str
    path: str
    body: Json = None
    headers: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """What a client sees of an answer."""

    status: int
    headers: Mapping[str, str]
    body: Json
    seconds: float = field(compare=False)


class Ticking:
    """A clock that goes on a second each time somebody looks."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


class Client:
    """Asks one application, with its well-known credentials."""

    def __init__(self, api: str, defect: str | None = None) -> None:
        self.clock = Ticking()
        self.app = application(api, defect, self.clock)
        self.base = self.app.document.bases[0]
        self.headers: dict[str, str] = {}
        self.headers = KEYS.get(api) or {"session-id": self.ask(post("/auth/login", LOGIN)).body["session_id"]}

    def ask(self, ask: Ask) -> Told:
        return asyncio.run(self._ask(ask))

    def ask_at_once(self, *asks: Ask) -> list[Told]:
        async def together() -> list[Told]:
            return await asyncio.gather(*map(self._ask, asks))

        return asyncio.run(together())

    async def _ask(self, ask: Ask) -> Told:
        path, _, query = ask.path.partition("?")
        sent = ask.body if isinstance(ask.body, bytes) else b"" if ask.body is None else json.dumps(ask.body).encode()
        headers = {"content-type": "application/json", **self.headers, **ask.headers}
        listed = [(name.encode(), value.encode()) for name, value in headers.items() if value is not None]
        scope = {"type": "http", "method": ask.method, "path": self.base + path, "raw_path": (self.base + path).encode()}
        parts: list[Mapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": sent, "more_body": False}

        async def send(part: Mapping[str, Any]) -> None:
            parts.append(part)

        begun = time.perf_counter()
        await self.app({**scope, "query_string": query.encode(), "headers": listed}, receive, send)
        start, *rest = parts
        body = b"".join(part["body"] for part in rest)
        kept = {
            name.decode(): value.decode() for name, value in start["headers"] if name != b"content-length" or ask.method == "HEAD"
        }
        return Told(start["status"], kept, json.loads(body) if body else None, time.perf_counter() - begun)


Witness = tuple[Ask | tuple[Ask, ...], ...]  # Requests one after the other; those in a tuple at once.


def get(path: str, **headers: str | None) -> Ask:
    return Ask("GET", path, None, named(headers))


def post(path: str, body: Json = None, **headers: str | None) -> Ask:
    return Ask("POST", path, body, named(headers))


def put(path: str, body: Json) -> Ask:
    return Ask("PUT", path, body)


def delete(path: str, **headers: str | None) -> Ask:
    return Ask("DELETE", path, None, named(headers))


def named(headers: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def made(body: Json) -> Witness:
    """A customer is created and read."""
    return post("/customers", {"name": "A", **body}), get("/customers/cust-058")


def ordered(body: Json) -> Witness:
    """A work order is created."""
    return (post("/work-orders", {"customer_id": "cust-002", **body}),)


def customer(body: Json) -> Witness:
    """A customer is created and read."""
    return post("/customers", {"name": "A", "email": "a@a.example", **body}), get("/customers/58")


def billed(row: Json) -> Witness:
    """An invoice with a row is created and read."""
    whole = {"total": 1, "unit_price": 1, "quantity": 1, **row}
    return post("/invoices", {"date": "2025-01-01T00:00:00", "rows": [whole]}), get("/invoices/44")


READER = {"authorization": "Bearer test-read"}
FEBRUARY = "2025-02-30"
BIG = b'{"name": "' + b"a" * (1 << 20) + b'", "email": ""}'
FENTU: Mapping[str, Witness] = {
    "filtered lists are newest first": (get("/customers?status=inactive"),),
    "an empty status is no filter": (get("/customers?status="),),
    "places in a list have 32 bits": (get("/customers?page=2147483647&per_page=100"),),
    "any text with @ is an e-mail address": made({"email": "@"}),
    "times need no zone": ordered({"scheduled_date": "2025-01-01T10:00:00"}),
    "only the first thing that is wrong is told": made({"phone": 1, "notes": 1}),
    "what is wrong with a body is told to be in the query": made({"phone": 1}),
    "a refused deletion names one work order": (
        post("/work-orders", {"customer_id": "cust-002"}),
        post("/work-orders", {"customer_id": "cust-002"}),
        delete("/customers/cust-002"),
    ),
    "numbers are taken for ids": (get("/customers/C-10001"),),
    "numbers may be hexadecimal": (get("/customers?page=0x1"),),
    "JSON may be called a text": (post("/customers", {"name": "A"}, content_type="text/plain"),),
    "JSON may be called anything that ends in json": (post("/customers", {"name": "A"}, content_type="application/a+json"),),
    "JSON may have single quotes": (post("/customers", b"{'name': 'A'}"),),
    "an empty body is taken for an empty object": (put("/customers/cust-001", b""),),
    "updates may have any size": (put("/customers/cust-001", BIG),),
    "what is not accepted at all is taken for accepted": (get("/customers", accept="application/json;q=0"),),
    "HEAD of what is not there is answered 200": (Ask("HEAD", "/customers/cust-900"),),
    "HEAD says that there are no bytes": (Ask("HEAD", "/customers"),),
    "HEAD does not tell the media type": (Ask("HEAD", "/customers"),),
    "a backslash in a search is a crash": (get("/customers?search=%5C"),),
    "NUL in a path is a crash": (get("/customers/a%00b"),),
    "deep bodies are a crash": (post("/customers", b'{"name": "A", "x": ' + b"[" * 300 + b"]" * 300 + b"}"),),
    "long numbers are a crash": (post("/customers", b'{"name": "A", "x": ' + b"9" * 40 + b"}"),),
    "half a surrogate pair is a crash": (post("/customers", b'{"name": "\\ud83d"}'),),
    "a custom field without a name is a crash": made({"custom_fields": {"": "a"}}),
    "what is no UTF-8 is not found": (get("/customers?search=%FF"),),
    "a wrong method is refused in another form": (Ask("PATCH", "/customers"),),
    "right-to-left marks are lost": made({"name": "A\u200f"}),
    "a NUL ends the notes": made({"notes": "A\0B"}),
    "custom fields are cut to ten": made({"custom_fields": dict.fromkeys("abcdefghijk", "")}),
    "addresses below long domains are refused": made({"email": "new@a.international"}),
    "the list cuts names to 40 letters": (put("/customers/cust-001", {"name": "A" * 41}), get("/customers")),
    "the list shows the billing address where there is no other": (
        put("/customers/cust-001", {"address": None, "billing_address": {"city": "Boston"}}),
        get("/customers"),
    ),
    "null does not clear an address": (put("/customers/cust-001", {"address": None}),),
    "an empty address does not replace one": (put("/customers/cust-001", {"address": {}}),),
    "an update is answered without contacts": (put("/customers/cust-001", {}),),
    "contacts inherit their customer's e-mail address": (post("/customers/cust-001/contacts", {"name": "A"}),),
    "a technician makes an open work order assigned": (
        put("/work-orders/wo-12345", {"status": "open"}),
        put("/work-orders/wo-12345", {"technician_id": "tech-001"}),
    ),
    "an address is copied to the billing address where there is none": (
        put("/customers/cust-001", {"billing_address": None}),
        put("/customers/cust-001", {"address": {"city": "Boston"}}),
    ),
    "a work order is moved to the customer that an update names": (put("/work-orders/wo-12345", {"customer_id": "cust-002"}),),
    "a new work order makes its customer active": (
        put("/customers/cust-002", {"status": "inactive"}),
        *ordered({}),
        get("/customers/cust-002"),
    ),
    "a completed work order changes its customer's status": (
        *ordered({}),
        put("/work-orders/wo-12345", {"status": "completed"}),
        get("/customers"),
    ),
    "a primary contact changes its customer's phone number": (
        post("/customers/cust-001/contacts", {"name": "A", "is_primary": True, "phone": "1"}),
        get("/customers/cust-001"),
    ),
    "a contact takes its namesakes along": (
        post("/customers/cust-001/contacts", {"name": "A"}),
        post("/customers/cust-001/contacts", {"name": "A"}),
        delete("/contacts/contact-115"),
        get("/customers/cust-001"),
    ),
    "a deletion takes the contacts of the whole branch": (
        put("/customers/cust-001", {"branch_id": "branch-001"}),
        put("/customers/cust-002", {"branch_id": "branch-001"}),
        delete("/customers/cust-002"),
        get("/customers/cust-001"),
    ),
    "a line of an address says None": (put("/customers/cust-002", {"address": {"city": "Boston"}}), *ordered({})),
    "a contact without a phone number shows its customer's": (
        put("/contacts/contact-005", {"phone": None}),
        get("/work-orders/wo-12349"),
    ),
    "work orders are counted for each customer": ordered({}),
    "only the first contact loses the flag": (
        *(post("/customers/cust-001/contacts", {"name": name, "is_primary": True}) for name in "ABC"),
        get("/customers/cust-001"),
    ),
    "addresses of contacts are taken for customers'": (
        put("/contacts/contact-001", {"email": "new@a.example"}),
        *made({"email": "new@a.example"}),
    ),
    "a contact goes with a work order that names it": (delete("/work-orders/wo-12349"), put("/contacts/contact-005", {})),
    "the list shows the phone number that a customer had": (put("/customers/cust-001", {"phone": "1"}), get("/customers")),
    "customers with an empty status are not listed": (put("/customers/cust-001", {"status": ""}), get("/customers")),
    "two creations at the same time may both be primary": (
        (
            post("/customers/cust-001/contacts", {"name": "A", "is_primary": True}),
            post("/customers/cust-001/contacts", {"name": "B", "is_primary": True}),
        ),
        get("/customers/cust-001/contacts"),
    ),
    "deletions at the same time all succeed": ((delete("/contacts/contact-001"), delete("/contacts/contact-001")),),
    "only the last work order stands in the way of a deletion": (
        post("/work-orders", {"customer_id": "cust-002", "status": "open"}),
        post("/work-orders", {"customer_id": "cust-002", "status": "completed"}),
        delete("/customers/cust-002"),
    ),
    "not found is called a conflict": (get("/customers/cust-900"),),
    "a work order with a technician is assigned": ordered({"technician_id": "tech-001"}),
    "a completed work order loses its technician": (put("/work-orders/wo-12345", {"status": "completed"}),),
    "any scheme is taken": (get("/customers", authorization="Basic test-admin"),),
    "names are trimmed": made({"name": " A "}),
    "names lose double spaces": made({"name": "A  B"}),
    "names are composed": made({"name": "A\u030a"}),
    "names are cut to 100 characters": made({"name": "a" * 101}),
    "notes are cut to 255 characters": made({"notes": "a" * 256}),
    "notes lose emoji": made({"notes": "\U0001f600"}),
    "e-mail addresses are lower-cased": made({"email": "New@a.example"}),
    "web sites are not stored": made({"website": "https://a.example"}),
    "empty phone numbers become null": made({"phone": ""}),
    "quotes in tax numbers are doubled": made({"tax_id": "'"}),
    "angle brackets in titles are escaped": (post("/customers/cust-001/contacts", {"name": "A", "title": "<b>"}),),
    "states are upper-cased": made({"address": {"state": "ny"}}),
    "postal codes lose leading zeros": made({"address": {"postal_code": "01"}}),
    "custom fields' names are lower-cased": made({"custom_fields": {"A": "a"}}),
    "a priority of null becomes medium": ordered({"priority": None}),
    "a part of a branch's id is enough": (get("/customers?branch_id=branch"),),
    "search takes spaces off its text": (get("/customers?search=%20harbor"),),
    "reading a customer is counted in its custom fields": (get("/customers/cust-001"), get("/customers/cust-001")),
    "of two updates at the same time one is lost": (
        (put("/customers/cust-001", {"phone": "1"}), put("/customers/cust-001", {"notes": "B"})),
        get("/customers/cust-001"),
    ),
    "of two updates of several values at the same time one is lost": (
        (put("/customers/cust-001", {"phone": "1", "fax": "1"}), put("/customers/cust-001", {"notes": "B", "tax_id": "1"})),
        get("/customers/cust-001"),
    ),
    "search folds the letters of ASCII only": (*made({"name": "Söhne"}), get("/customers?search=S%C3%96HNE")),
    "an update moves the customer to the end of the list": (put("/customers/cust-001", {"notes": "B"}), get("/customers")),
    "ids of contacts are given again": (
        post("/customers/cust-001/contacts", {"name": "A"}),
        delete("/contacts/contact-115"),
        post("/customers/cust-001/contacts", {"name": "A"}),
    ),
    "an update takes the primary contact's flag away": (
        put("/contacts/contact-001", {"is_primary": True}),
        put("/contacts/contact-001", {"name": "A"}),
    ),
    "work orders show a contact that is deleted": (delete("/contacts/contact-005"), get("/work-orders/wo-12349")),
    "work orders go with the contact that they name": (delete("/contacts/contact-005"), get("/work-orders/wo-12349")),
    "ids are found in any case": (get("/customers/CUST-001"),),
    "times have milliseconds": made({}),
    "a property that is not known is refused": made({"colour": "red"}),
    "empty custom fields are dropped": made({"custom_fields": {"a": ""}}),
    "a duration of 0 becomes 60": ordered({"estimated_duration": 0}),
    "long durations are cut to a day": ordered({"estimated_duration": 2147483647}),
    "scheduled times lose their zone": ordered({"scheduled_date": "2025-01-01T10:00:59Z"}),
    "the name of a scheme has a case": (get("/customers", authorization="bearer test-admin"),),
    "an empty date is taken for none": (get("/customers?created_after="),),
    "scheduled times lose their seconds": ordered({"scheduled_date": "2025-01-01T10:00:59Z"}),
    "a creation stores nothing": made({}),
    "updates of the fax number are lost": (put("/customers/cust-001", {"fax": "1"}),),
    "null does not take a value away": (put("/customers/cust-001", {"phone": None}),),
    "an update is answered with the old values": (put("/customers/cust-001", {"name": "B"}),),
    "notes are added to the old ones": (put("/customers/cust-001", {"notes": "B"}),),
    "a finished work order cannot be opened again": (put("/work-orders/wo-12346", {"status": "open"}),),
    "an update clears what it was not sent": (put("/customers/cust-001", {"notes": "B"}),),
    "an update of the name takes the branch away": (put("/customers/cust-001", {"name": "B"}),),
    "custom fields are added to the old ones": (put("/customers/cust-001", {"custom_fields": {"a": "b"}}),),
    "an update keeps the rest of an address": (put("/customers/cust-001", {"address": {"city": "Boston"}}),),
    "an update changes the next customer as well": (put("/customers/cust-001", {"notes": "B"}), get("/customers/cust-002")),
    "a refused creation leaves its customer behind": (
        post("/customers", {"name": "A", "email": "office1@summit.example"}),
        get("/customers"),
    ),
    "a refused update is stored all the same": (
        put("/customers/cust-001", {"branch_id": "branch-999", "notes": "B"}),
        get("/customers/cust-001"),
    ),
    "a refused deletion takes the contacts away": (delete("/customers/cust-005"), get("/customers/cust-005/contacts")),
    "clients can choose the id": made({"id": "cust-900"}),
    "clients can choose the number": made({"customer_number": "C-1"}),
    "clients can choose the time of creation": made({"created_at": "2001-01-01T00:00:00Z"}),
    "clients can set updated_at": (put("/customers/cust-001", {"updated_at": "2001-01-01T00:00:00Z"}),),
    "every customer gets the same number": made({}),
    "new customers are not active": made({}),
    "ids are given again": (*made({}), delete("/customers/cust-058"), *made({})),
    "an update does not move updated_at": (put("/customers/cust-001", {"notes": "B"}),),
    "an update moves created_at": (put("/customers/cust-001", {"notes": "B"}),),
    "customers are created in 1970": made({}),
    "deleted customers can still be read": (*made({}), delete("/customers/cust-058"), get("/customers/cust-058")),
    "deleted customers can be updated": (*made({}), delete("/customers/cust-058"), put("/customers/cust-058", {"notes": "B"})),
    "deleted customers stay in the list": (*made({}), delete("/customers/cust-058"), get("/customers?page=3")),
    "a customer can be deleted twice": (*made({}), delete("/customers/cust-058"), delete("/customers/cust-058")),
    "a deletion does nothing": (*made({}), delete("/customers/cust-058"), get("/customers/cust-058")),
    "a deletion takes the next customer as well": (delete("/customers/cust-002"), get("/customers")),
    "a customer shows deleted contacts": (delete("/contacts/contact-001"), get("/customers/cust-001")),
    "the list of customers is kept from its first time": (get("/customers?page=3"), *made({}), get("/customers?page=3")),
    "contacts outlive their customer": (delete("/customers/cust-002"), put("/contacts/contact-002", {"name": "B"})),
    "work orders outlive their customer": (delete("/customers/cust-003"), get("/work-orders/wo-12346")),
    "updating an unknown customer creates one": (put("/customers/cust-900", {"name": "B"}),),
    "an unknown customer is answered with the first": (get("/customers/cust-900"),),
    "nothing stands in the way of a deletion": (delete("/customers/cust-005"),),
    "drafts do not stand in the way of a deletion": (
        post("/work-orders", {"customer_id": "cust-002", "status": "draft"}),
        delete("/customers/cust-002"),
    ),
    "finished work orders stand in the way of a deletion": (delete("/customers/cust-003"),),
    "an address may be used twice": made({"email": "office1@summit.example"}),
    "an address may be used again in another case": made({"email": "OFFICE1@summit.example"}),
    "an update may take another's address": (put("/customers/cust-002", {"email": "office1@summit.example"}),),
    "the address of a deleted customer stays taken": (
        delete("/customers/cust-003"),
        *made({"email": "office3@union.example"}),
    ),
    "customers without an address are duplicates": made({"email": None}),
    "a customer is its own duplicate": (put("/customers/cust-001", {"email": "office1@summit.example"}),),
    "branches need not exist": made({"branch_id": "branch-999"}),
    "technicians need not exist": ordered({"technician_id": "tech-999"}),
    "work orders can be for customers that do not exist": ordered({"customer_id": "cust-999"}),
    "a customer can have two primary contacts": (
        post("/customers/cust-001/contacts", {"name": "A", "is_primary": True}),
        post("/customers/cust-001/contacts", {"name": "B", "is_primary": True}),
        get("/customers/cust-001"),
    ),
    "a contact that becomes primary leaves the old one primary": (
        put("/contacts/contact-002", {"is_primary": True}),
        put("/contacts/contact-003", {"is_primary": True}),
        get("/customers/cust-002"),
    ),
    "every third update of a customer is lost": tuple(put("/customers/cust-001", {"notes": notes}) for notes in "ABC"),
    "every page loses its last record": (get("/customers"),),
    "pages overlap by a record": (get("/customers?page=2"),),
    "every second list is in another order": (get("/customers"), get("/customers")),
    "lists are sorted by name": (get("/customers"),),
    "the last page is left out when it is not full": (get("/customers?page=3"),),
    "a page behind the last shows the last": (get("/customers?page=9"),),
    "pages have 25 records whatever is asked for": (get("/customers?per_page=3"),),
    "the default page has 20 records": (get("/customers"),),
    "a full last page counts as two": (get("/customers?per_page=19"),),
    "an empty list has a page": (get("/customers?status=none"),),
    "totals do not mind the filters": (get("/customers?status=inactive"),),
    "totals count what was deleted": (delete("/customers/cust-002"), get("/customers")),
    "totals count the page": (get("/customers"),),
    "current_page is always 1": (get("/customers?page=2"),),
    "the filter status does nothing": (get("/customers?status=inactive"),),
    "no branch has customers": (get("/customers?branch_id=branch-001"),),
    "search does nothing": (get("/customers?search=harbor"),),
    "search does not look at numbers": (get("/customers?search=c-10003"),),
    "search finds customers by the names that they had": (
        put("/customers/cust-001", {"name": "B"}),
        get("/customers?search=summit"),
    ),
    "search minds the case": (get("/customers?search=harbor"),),
    "search looks at the beginning only": (get("/customers?search=arbo"),),
    "search takes % and _ for wildcards": (get("/customers?search=H%25r"),),
    "a quote in a search is a crash": (get("/customers?search='"),),
    "created_after leaves its day out": (get("/customers?created_after=2023-02-04"),),
    "created_after lets its midnight in": (get("/customers?created_after=2023-08-10"),),
    "created_after looks at the last change": (get("/customers?created_after=2023-08-10"),),
    "one filter of several is enough": (get("/customers?status=inactive&search=harbor"),),
    "filters hold on the first page only": (get("/customers?status=active&page=2"),),
    "the filter location_id does nothing": (get("/assets?location_id=obj-001"),),
    "serial numbers are searched with their case": (get("/assets?serial_number=hvac-2021"),),
    "the filter status of work orders does nothing": (get("/work-orders?status=draft"),),
    "the filter customer_id of work orders does nothing": (get("/work-orders?customer_id=cust-001"),),
    "the filter technician_id of work orders does nothing": (get("/work-orders?technician_id=tech-001"),),
    "from_date leaves its midnight out": (
        *ordered({"scheduled_date": "2030-01-01T00:00:00Z"}),
        get("/work-orders?from_date=2030-01-01"),
    ),
    "to_date ends at its midnight": (
        *ordered({"scheduled_date": "1990-01-01T09:00:00Z"}),
        get("/work-orders?to_date=1990-01-01"),
    ),
    "to_date lets in what is not scheduled": (get("/work-orders?to_date=1990-01-01"),),
    "lists show phone numbers without signs": (get("/customers"),),
    "a customer shows its billing address as its address": (get("/customers/cust-003"),),
    "a customer shows its first two contacts": (get("/customers/cust-003"),),
    "work orders show the name that a customer had": (put("/customers/cust-001", {"name": "B"}), get("/work-orders/wo-12345")),
    "a customer's contacts are everybody's": (get("/customers/cust-001/contacts"),),
    "a customer that does not exist has empty lists": (get("/customers/cust-900/assets"),),
    "contacts are created under customers that do not exist": (post("/customers/cust-900/contacts", {"name": "A"}),),
    "any token is taken": (get("/customers", authorization="Bearer other"),),
    "any header that holds a token is taken": (get("/customers", authorization="Basic test-admin"),),
    "assets are listed without a token": (get("/assets", authorization=None),),
    "a missing token is answered 403": (get("/customers", authorization=None),),
    "401 does not say how to log in": (get("/customers", authorization=None),),
    "scopes are not looked at": (post("/customers", {"name": "A"}, **READER),),
    "reading needs no scope": (get("/customers", authorization="Bearer test-write"),),
    "a token that may only read may delete": (delete("/customers/cust-002", **READER),),
    "a token that may only read may not read assets": (get("/assets", **READER),),
    "dates that do not exist are taken": (get(f"/customers?created_after={FEBRUARY}"),),
    "bodies are not held against their schema": (post("/customers", {"name": 7}),),
    "answers have a property that is not declared": (get("/customers/cust-001"),),
    "a customer without notes shows none": (get("/customers/cust-002"),),
    "a creation is answered 200": made({}),
    "a deletion is answered 200 with a body": (delete("/customers/cust-002"),),
    "two creations at the same time may share an address": (
        (post("/customers", {"name": "A", "email": "n@n.example"}), post("/customers", {"name": "B", "email": "n@n.example"})),
    ),
    "of two contacts made at the same time one is lost": (
        (post("/customers/cust-001/contacts", {"name": "A"}), post("/customers/cust-001/contacts", {"name": "B"})),
        get("/customers/cust-001"),
    ),
    "an update of the notes alone does not move updated_at": (put("/customers/cust-001", {"notes": "B"}),),
    "an update moves updated_at of every customer": (put("/customers/cust-001", {"notes": "B"}), get("/customers/cust-002")),
    "an update is answered with the old updated_at": (put("/customers/cust-001", {"notes": "B"}),),
    "an update moves created_at of a work order": (put("/work-orders/wo-12345", {"description": "B"}),),
    "the list shows updated_at as created_at": (get("/customers"),),
    "a customer without contacts has no list of them": (get("/customers/cust-004/contacts"),),
    "deleting an unknown work order is a crash": (delete("/work-orders/wo-900"),),
    "two creations at the same time may share an id": ((post("/customers", {"name": "A"}), post("/customers", {"name": "B"})),),
}
KEYCHAIN: Mapping[str, Witness] = {
    "months may have one digit": (get("/customers/4023/sales-orders?startDate=2025-1-01"),),
    "the 29th of February is refused": (get("/customers/4023/sales-orders?startDate=2024-02-29"),),
    "lists without pages obey limit": (get("/customers/4023/skus?limit=1"),),
    "codes are taken for ids": (get("/customers/SUNR00"),),
    "ids may be decimal numbers": (get("/customers/4023.0"),),
    "limits are looked at before the key": (get("/customers?limit=0", x_api_key=None),),
    "the year 1 is a crash": (get("/customers/4023/sales-orders?startDate=0001-01-01"),),
    "a customer without SKUs has no list of them": (get("/customers/4060/skus"),),
    "offset does nothing": (get("/customers?offset=20"),),
    "offset counts pages": (get("/customers?offset=1"),),
    "pages overlap by a record": (get("/customers?offset=20"),),
    "every page loses its last record": (get("/customers"),),
    "limit does nothing": (get("/customers?limit=3"),),
    "the last record is not listed": (get("/customers?offset=40"),),
    "an offset behind the end is answered 404": (get("/customers?offset=900"),),
    "totals count the page": (get("/customers"),),
    "totals are one too many": (get("/customers"),),
    "totals do not mind the period": (get("/customers/4023/sales-orders?startDate=2025-02-01"),),
    "limit tells how many are shown": (get("/customers?offset=50"),),
    "offset tells the page": (get("/customers?offset=20"),),
    "every second list is in another order": (get("/skus"), get("/skus")),
    "startDate does nothing": (get("/customers/4023/sales-orders?startDate=2025-06-01"),),
    "endDate does nothing": (get("/customers/4023/sales-orders?endDate=2025-01-01"),),
    "startDate leaves its day out": tuple(
        get(f"/customers/4023/sales-orders?startDate=2025-01-{day:02}") for day in range(1, 32)
    ),
    "endDate leaves its day out": tuple(get(f"/customers/4023/sales-orders?endDate=2025-01-{day:02}") for day in range(1, 32)),
    "one end of a period is enough": (get("/customers/4023/sales-orders?startDate=2025-06-01&endDate=2025-01-01"),),
    "the period is of the delivery": (get("/customers/4023/sales-orders?startDate=2025-02-01"),),
    "lists show the name of the company": (get("/customers"),),
    "a customer by itself has no e-mail address": (get("/customers/4022"),),
    "a SKU by itself is in its first version": (get("/skus/1043"),),
    "a customer's SKUs are everybody's": (get("/customers/4022/skus"),),
    "inactive SKUs are not shown under a customer": tuple(get(f"/customers/{id}/skus") for id in range(4021, 4030)),
    "cancelled orders are not listed": (get("/customers/4023/sales-orders"),),
    "SKUs name the customer by its code": (get("/customers/4022/skus"),),
    "SKUs of an unknown customer are an empty list": (get("/customers/9/skus"),),
    "orders of an unknown customer are an empty list": (get("/customers/9/sales-orders"),),
    "an unknown SKU is answered with null": (get("/skus/9"),),
    "any key is taken": (get("/customers", x_api_key="other"),),
    "an empty key is taken": (get("/customers", x_api_key=""),),
    "SKUs are read without a key": (get("/skus/1042", x_api_key=None),),
    "a wrong key is answered 403": (get("/customers", x_api_key="other"),),
    "401 does not say how to log in": (get("/customers", x_api_key=None),),
    "a negative offset is taken for 0": (get("/customers?offset=-1"),),
    "dates that do not exist are taken": (get(f"/customers/4023/sales-orders?startDate={FEBRUARY}"),),
    "a quote in an id is a crash": (get("/skus/'"),),
    "batch sizes are texts": (get("/skus"),),
    "order dates have a time": (get("/customers/4023/sales-orders"),),
    "lists leave out a phone that is not known": (get("/customers"),),
    "the code of an error is always 0": (get("/customers/9"),),
}
SECOND = {"name": "B", "email": "b@b.example"}
LEMONSOFT: Mapping[str, Witness] = {
    "items take children of others": (
        put("/customers/2", {**SECOND, "contacts": [{"id": 1, "name": "A", "customer_id": 2}]}),
        get("/customers/2"),
    ),
    "names are not looked at beside VAT numbers": (get("/customers?filter.vat=1740599&filter.name=nobody"),),
    "a success says that it is none": (delete("/customers/1/contacts/1"),),
    "names are trimmed": customer({"name": " A "}),
    "names are cut to 60 characters": customer({"name": "a" * 61}),
    "umlauts in cities become question marks": customer({"city": "Jyväskylä"}),
    "search names are upper-cased": customer({"searchname": "a"}),
    "percent signs in names are dropped": customer({"name": "50 %"}),
    "credit limits are rounded": customer({"creditlimit": 0.25}),
    "delivery terms are not stored": customer({"delivery_term": 3}),
    "negative groups become positive": customer({"group": -3}),
    "large types are cut to a million": customer({"type": 2147483647}),
    "partial deliveries are never disabled": customer({"partial_delivery_disabled": True}),
    "attributes are never selected": customer({"attributes": [{"id": 1, "selected": True}]}),
    "only the first attribute is stored": customer({"attributes": [{"id": 1, "selected": True}, {"id": 2, "selected": True}]}),
    "an empty dimension becomes null": customer({"dimension": {}}),
    "line breaks in contacts' notes are lost": customer({"contacts": [{"customer_id": 0, "note": "a\nb"}]}),
    "texts are cut to 80 characters": customer({"texts": [{"note": "a" * 81}]}),
    "due dates lose their time": (
        post("/invoices", {"date": "2025-01-01T00:00:00", "due_date": "2025-01-01T10:00:00"}),
        get("/invoices/44"),
    ),
    "quantities are whole": billed({"quantity": 1.5}),
    "discounts of 0 become null": billed({"discount": 0}),
    "updates of the street are lost": (put("/customers/1", {**SECOND, "street": "new"}), get("/customers/1")),
    "an agreement is created without its products": customer({"agreements": [{"products": [{}]}]}),
    "items with an id are created anew": (
        put("/customers/1", {**SECOND, "contacts": [{"id": 1, "customer_id": 1}]}),
        get("/customers/1"),
    ),
    "items that are not sent stay": (put("/customers/1", {**SECOND, "contacts": []}), get("/customers/1")),
    "an array that is not sent empties the list": (put("/customers/1", SECOND), get("/customers/1")),
    "a creation answers with the number": customer({}),
    "a deletion answers with id 0": (delete("/customers/1/contacts/1"),),
    "an update keeps what it was not sent": (put("/customers/1", SECOND), get("/customers/1")),
    "an update keeps the phone number that it was not sent": (put("/customers/1", SECOND), get("/customers/1")),
    "an update changes the next customer as well": (put("/customers/1", SECOND), get("/customers/2")),
    "a contact can be moved to another customer": (put("/contacts/1", {"customer_id": 2}), get("/contacts/2")),
    "a refused creation leaves its record behind": (post("/customers", {**SECOND, "number": 100001}), get("/customers/58")),
    "an update changes the number": (put("/customers/1", {**SECOND, "number": 7}), get("/customers/1")),
    "clients can choose the time of creation": customer({"created": "2001-01-01T00:00:00"}),
    "clients cannot choose the number": customer({"number": 7}),
    "number 0 is stored as it is": customer({"number": 0}),
    "ids are given again": (
        post("/contacts/1", {"customer_id": 1}),
        delete("/customers/1/contacts/72"),
        post("/contacts/1", {"customer_id": 1}),
    ),
    "an update does not move the time of the last change": (put("/customers/1", SECOND), get("/customers/1")),
    "an update moves the time of creation": (put("/customers/1", SECOND), get("/customers/1")),
    "deleted contacts stay": (delete("/customers/1/contacts/1"), get("/contacts/1")),
    "products outlive their agreement": (delete("/customers/1/agreements/1"), delete("/customers/1/agreements/products/1")),
    "updating an unknown invoice creates one": (put("/invoices", {"id": 900, "date": "2025-01-01T00:00:00"}),),
    "a number may be used twice": customer({"number": 100001}),
    "the next number may be taken": (*customer({"number": 100059}), *customer({}), get("/customers/59")),
    "every second list is in another order": (get("/invoices"), get("/invoices")),
    "lists are newest first": (get("/invoices"),),
    "pages overlap by a record": (get("/invoices?page=2"),),
    "a page behind the last shows the last": (get("/invoices?page=9"),),
    "a full page always has a next": (get("/customers?filter.page=3&filter.page_size=19"),),
    "no page has a next": (get("/customers"),),
    "result_count counts all pages": (get("/customers"),),
    "result_count is the page size": (get("/customers?filter.page_size=50&page=2"),),
    "page wins over filter.page": (get("/customers?filter.page=2&page=3"),),
    "page without its prefix does nothing": (get("/customers?page=2"),),
    "the filter contact_email looks at the customer": (get("/customers?filter.contact_email=henkilo"),),
    "has_email 0 gives all": (get("/customers?filter.has_email=0"),),
    "the filter is_supplier does nothing": (get("/customers?filter.is_supplier=1"),),
    "the filter is_supplier looks at customers": (get("/customers?filter.is_supplier=1"),),
    "the short list does not filter by e-mail address": (get("/customers/base?filter.email=info7@"),),
    "names are filtered with their case": (get("/customers?filter.name=huolto"),),
    "% stands for itself": (get("/customers?filter.name=%25Oy"),),
    "% is a wildcard for contacts": (get("/contacts/3?filter.name=%25n"),),
    "search does not look at numbers": (get("/customers?filter.search=100003"),),
    "names are compared as a whole": (get("/customers?filter.name=huolto"),),
    "of several numbers the first counts": (get("/customers?filter.customer_number=100001&filter.customer_number=100002"),),
    "result_count does not mind the filters": (get("/customers?filter.group=1&filter.page_size=57"),),
    "before lets its own time in": (get("/invoices?filter.invoice_date_before=2024-12-12T00:00:00"),),
    "after lets its own time in": (get("/invoices?filter.invoice_date_after=2024-12-12T00:00:00"),),
    "zones of times in filters are not minded": (get("/invoices?filter.invoice_date_after=2024-12-12T03:00:00%2B04:00"),),
    "one filter of several is enough": (get("/customers?filter.is_supplier=1&filter.group=1"),),
    "the short list shows no second name": (get("/customers/base"),),
    "contacts are listed whoever's they are": (get("/contacts/1"),),
    "contacts of an unknown customer are an empty list": (get("/contacts/900"),),
    "another customer's records can be deleted": (delete("/customers/2/contacts/1"),),
    "agreements are anybody's": (post("/customers/2/agreements/1/products", {}),),
    "any session is taken": (get("/customers", session_id="other"),),
    "invoices are listed without a session": (get("/invoices", session_id=None),),
    "any password logs in": (post("/auth/login", {**LOGIN, "Password": "other"}),),
    "a renewed session does not live": (
        post("/auth/renew", LOGIN),
        get("/auth/alive", session_id="d4735e3a265e16eee03f59718b9b5d03"),
    ),
    "a login ends the sessions before it": (post("/auth/login", LOGIN), get("/auth/alive")),
    "a login minds the case of names": (post("/auth/login", {name.lower(): value for name, value in LOGIN.items()}),),
    "401 does not say how to log in": (get("/customers", session_id=None),),
    "bodies are not held against their schema": (post("/customers", {**SECOND, "phone": 7}),),
    "empty texts are null": (get("/customers"),),
    "the short list shows everything": (get("/customers/base"),),
    "two creations at the same time may share a number": (
        (post("/customers", {**SECOND, "number": 7}), post("/customers", {**SECOND, "number": 7})),
    ),
}
SIZES = {"fentu": "per_page=101", "keychain": "limit=101", "lemonsoft": "filter.page_size=1001"}
EVERYWHERE: Mapping[str, Callable[[str], Witness]] = {  # What the implementations share: API -> requests.
    "page 0 is answered like page 1": lambda _: (get("/customers?page=0"),),
    "too large pages are cut to the largest": lambda api: (get(f"/customers?{SIZES[api]}"),),
    "405 does not name the methods that are allowed": lambda _: (Ask("PATCH", "/customers"),),
    "a wrong method is answered 404": lambda _: (Ask("PATCH", "/customers"),),
    "unknown paths are answered 200": lambda _: (get("/customer"),),
    "answers are called plain text": lambda _: (get("/customers"),),
    "Accept is not looked at": lambda _: (get("/customers", accept="text/csv"),),
    "bodies of any type are read": lambda _: (post("/customers", SECOND, content_type="text/plain"),),
    "bodies of any size are read": lambda _: (post("/customers", BIG),),
    "a body that is no JSON is taken for an empty one": lambda _: (post("/customers", b"{"),),
    "HEAD is answered 404": lambda _: (Ask("HEAD", "/customers"),),
    "HEAD gets a body": lambda _: (Ask("HEAD", "/customers"),),
    "a parameter that is not known empties the list": lambda _: (get("/customers?colour=red"),),
    "a charset beside the media type is refused": lambda _: (
        post("/customers", SECOND, content_type="application/json; charset=utf-8"),
    ),
    "a page that is no number is taken for the first": lambda _: (get("/customers?page=abc"),),
    "not found has a body of another form": lambda _: (get("/customers/900"),),
    "refusals are answered 200": lambda _: (get("/customers/900"),),
}
READ = {  # what no witness asks
    "fentu": (get("/assets/asset-001"), get("/customers/cust-001/work-orders")),
    "keychain": (get("/sales-orders/SO-2025-0210"),),
    "lemonsoft": (get("/auth/alive"),),
}
OWN = {"fentu": FENTU, "keychain": KEYCHAIN, "lemonsoft": LEMONSOFT}


def witness(defect: Defect) -> Witness:
    """Requests that are answered otherwise by the broken implementation."""
    own = OWN[defect.api].get(defect.name)
    return own if own is not None else EVERYWHERE[defect.name](defect.api)


def answers(client: Client, witness: Witness) -> list[list[Told]]:
    return [client.ask_at_once(*asks) if isinstance(asks, tuple) else [client.ask(asks)] for asks in witness]


@pytest.mark.parametrize(
    "defect", [one for one in CATALOGUE if one.name != SLOW], ids=lambda defect: f"{defect.api}: {defect.name}"
)
def test_a_defect_shows(defect: Defect) -> None:
    """Plain requests tell the broken implementation from the sound one."""
    sound = answers(Client(defect.api), witness(defect))
    broken = answers(Client(defect.api, defect.name), witness(defect))

    assert broken != sound
    assert all(told.status < 500 for step in sound for told in step)


@pytest.mark.parametrize("api", IMPLEMENTATIONS)
def test_a_slow_list_is_slow(api: str) -> None:
    """It answers as the sound one does, only later."""
    sound, slow = Client(api).ask(get("/customers")), Client(api, SLOW).ask(get("/customers"))

    assert slow == sound
    assert slow.seconds >= 0.5


@pytest.mark.parametrize("api", IMPLEMENTATIONS)
def test_the_same_requests_get_the_same_answers(api: str) -> None:
    """What a sound implementation answers depends on nothing but what it was asked."""
    asks = [step for name, asks in OWN[api].items() if "at the same time" not in name for step in asks]

    assert [step for ask in asks for step in answers(Client(api), (ask,))] == [
        step for ask in asks for step in answers(Client(api), (ask,))
    ]


def test_every_row_has_its_witness_and_every_witness_its_row() -> None:
    """Nothing in the catalogue goes untried."""
    rows = {(defect.api, defect.name) for defect in CATALOGUE}

    assert len(rows) == len(CATALOGUE) >= 70
    assert {(api, name) for api, own in OWN.items() for name in own} <= rows
    assert {*EVERYWHERE, SLOW} <= {name for _, name in rows}


@pytest.mark.parametrize("api", IMPLEMENTATIONS)
def test_a_sound_implementation_answers_as_the_document_says(api: str) -> None:
    """Every answer that any of these requests gets is declared, and has the form that is declared."""
    client = Client(api)
    seen = set()
    for asks in [*READ[api], *(asks for own in OWN[api].values() for asks in own)]:
        for ask in asks if isinstance(asks, tuple) else (asks,):
            told = client.ask(ask)
            segments = tuple(ask.path.partition("?")[0].strip("/").split("/"))
            operation = document(api).at(segments).get(ask.method)
            if operation is None:
                continue
            schema = answer_schema(api, operation[0].id, told.status)
            seen.add(operation[0].id)
            if schema is not None:
                assert told.headers["content-type"] == "application/json"
                assert schema.problems(told.body, "body") == []
            else:
                assert told.body is None

    assert seen >= {operation.id for operation in document(api).operations if operation.method == "GET"}


def documented(api: str, operation: str) -> list[Json]:
    """The examples of an operation's success."""
    contract = document(api)
    nodes = [node for item in contract.resolved({"$ref": "#/paths"}).values() for node in item.values()]
    node = next(node for node in nodes if isinstance(node, dict) and node.get("operationId") == operation)
    content = contract.resolved(node["responses"]["200"])["content"]["application/json"]
    return [contract.resolved(example)["value"] for example in content["examples"].values()]


SHOWN = [
    ("fentu", "getCustomer", "/customers/cust-001"),
    ("fentu", "listCustomers", "/customers"),
    ("fentu", "listCustomerContacts", "/customers/cust-001/contacts"),
    ("fentu", "listAssets", "/assets"),
    ("fentu", "listWorkOrders", "/work-orders"),
    ("keychain", "getCustomer", "/customers/4023"),
    ("keychain", "listCustomers", "/customers"),
    ("keychain", "getCustomerSkus", "/customers/4023/skus"),
    ("keychain", "getCustomerSalesOrders", "/customers/4023/sales-orders"),
    ("keychain", "getSalesOrder", "/sales-orders/SO-2025-0210"),
    ("keychain", "getSku", "/skus/1042"),
    ("lemonsoft", "getCustomer", "/customers/1"),
]


@pytest.mark.parametrize(("api", "operation", "path"), SHOWN)
def test_an_answer_has_what_the_documented_examples_have(api: str, operation: str, path: str) -> None:
    """Property by property, at every depth."""
    answered = Client(api).ask(get(path)).body

    assert [missing for example in documented(api, operation) for missing in lacking(example, answered, "")] == []


def lacking(example: Json, answered: Json, at: str) -> list[str]:
    """Where the answer has no property that the example has."""
    if isinstance(example, dict) and isinstance(answered, dict) and "custom_fields" not in at:
        return [
            missing
            for name in example
            for missing in (lacking(example[name], answered[name], f"{at}/{name}") if name in answered else [f"{at}/{name}"])
        ]
    if isinstance(example, list) and isinstance(answered, list) and example and answered:
        return lacking(example[0], answered[0], f"{at}/0")
    return []


def test_an_instance_is_cheap_and_by_itself() -> None:
    """Each starts anew, in less than five milliseconds."""
    for api in IMPLEMENTATIONS:
        application(api)
        begun = time.perf_counter()
        for _ in range(20):
            application(api)
        assert (time.perf_counter() - begun) / 20 < 0.005
    one, other = Client("fentu"), Client("fentu")

    one.ask(delete("/customers/cust-002"))

    assert other.ask(get("/customers/cust-002")).status == 200


def test_an_unknown_defect_is_refused() -> None:
    """Rather than served sound."""
    with pytest.raises(LookupError, match="fentu has no defect 'names are blue'"):
        application("fentu", "names are blue")


def test_a_session_ends_after_half_an_hour() -> None:
    """As the document says; a renewal opens another."""
    client = Client("lemonsoft")

    client.clock.now += timedelta(minutes=29)
    living = client.ask(get("/auth/alive"))
    client.clock.now += timedelta(minutes=1)
    ended = client.ask(get("/auth/alive"))

    assert (living.status, ended.status) == (200, 401)
