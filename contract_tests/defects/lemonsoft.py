"""Lemonsoft's REST API as a vendor might have written it, with the defects of the catalogue."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import ClassVar

import orjson

from contract_tests.defects.lemonsoft_records import KINDS, blank, empty, properties, rows, written
from contract_tests.defects.operations import Json, Operation
from contract_tests.defects.serving import Answer, Clock, Handler, Record, Refused, Request, Service, pause, wall_clock

LOGIN = {"UserName": "demo", "Password": "demo", "Database": "demo", "ApiKey": "demo"}
LIFETIME = timedelta(minutes=30)  # of a session
NEVER = datetime.min.replace(tzinfo=UTC)
FIRST = {"customer": 100_001, "invoice": 20_001}  # numbers
CHANGED = {"customer": "modified", "contact": "modified", "invoice": "modified_date"}
SEARCHED = ("name", "name2", "searchname", "email", "phone", "vat", "number")
SEARCHED_INVOICE = ("number", "reference", "description", "customer_name", "customer_number")

Test = Callable[[Record, Json], bool]
Change = Callable[[Json], Json]
View = Callable[[str, Record], Record]
SPOILED: Mapping[str, tuple[str, str, Change]] = {  # defect -> kind, the property that is stored otherwise than sent, and how
    "names are trimmed": ("customer", "name", str.strip),
    "names are cut to 60 characters": ("customer", "name", lambda text: text[:60]),
    "umlauts in cities become question marks": ("customer", "city", lambda text: text.encode("ascii", "replace").decode()),
    "search names are upper-cased": ("customer", "searchname", str.upper),
    "percent signs in names are dropped": ("customer", "name", lambda text: text.replace("%", "")),
    "credit limits are rounded": ("customer", "creditlimit", round),
    "delivery terms are not stored": ("customer", "delivery_term", lambda _: None),
    "negative groups become positive": ("customer", "group", abs),
    "large types are cut to a million": ("customer", "type", lambda number: min(number, 10**6)),
    "partial deliveries are never disabled": ("customer", "partial_delivery_disabled", lambda _: False),
    "attributes are never selected": ("customer", "attributes", lambda held: [{**one, "selected": False} for one in held]),
    "only the first attribute is stored": ("customer", "attributes", lambda held: held[:1]),
    "an empty dimension becomes null": ("customer", "dimension", lambda held: held if any(held.values()) else None),
    "line breaks in contacts' notes are lost": ("contact", "note", lambda text: " ".join(text.splitlines())),
    "texts are cut to 80 characters": ("text", "note", lambda text: text[:80]),
    "due dates lose their time": ("invoice", "due_date", lambda text: f"{text[:10]}T00:00:00"),
    "quantities are whole": ("row", "quantity", lambda number: number // 1),
    "discounts of 0 become null": ("row", "discount", lambda number: number or None),
}


class Lemonsoft(Service):
    """Sessions, customers with what belongs to them, and invoices."""

    api: ClassVar[str] = "lemonsoft"

    def __init__(self, defect: str | None = None, clock: Clock = wall_clock) -> None:
        super().__init__(defect, clock)
        self.records = {kind: dict(held) for kind, held in start().items()}  # A record is replaced, never changed.
        self.counted = {kind: len(held) for kind, held in self.records.items()}
        self.below: dict[str, dict[int, list[Record]]] = {}  # kind -> parent -> children; forgotten with every write
        self.texts: dict[tuple[str, str, int], orjson.Fragment] = {}  # view, kind, id -> JSON; forgotten likewise
        self.sessions: dict[str, datetime] = {}  # when each ends
        self.logins = self.turn = 0

    def operations(self) -> Mapping[str, Handler]:
        under = {"Account": "account", "Agreement": "agreement", "Contact": "contact", "Circulation": "circulation"}
        return {
            **{"logIn": self.log_in, "renewSession": self.log_in, "checkSession": self.check_session},
            **{"listCustomers": partial(self.list_customers, "customer"), "getCustomer": partial(self.get, "customer")},
            **{"listBaseCustomers": partial(self.list_customers, "base"), "updateCustomer": self.update_customer},
            **{"createCustomer": partial(self.create_numbered, "customer")},
            **{f"createCustomer{word}": partial(self.create_under, kind) for word, kind in {**under, "Text": "text"}.items()},
            **{f"deleteCustomer{word}": partial(self.delete_under, kind) for word, kind in under.items()},
            "createCustomerAgreementProduct": partial(self.create_under, "product"),
            "deleteCustomerAgreementProduct": partial(self.delete_under, "product"),
            **{"listContacts": self.list_contacts, "createContact": partial(self.create_under, "contact")},
            **{"updateContact": self.update_contact, "listInvoices": self.list_invoices},
            **{"getInvoice": partial(self.get, "invoice"), "createInvoice": partial(self.create_numbered, "invoice")},
            **{"updateInvoice": self.update_invoice, "deleteInvoice": self.delete_invoice},
        }

    def admit(self, operation: Operation, headers: Mapping[str, str]) -> None:
        session = headers.get("session-id", "")
        if operation.scopes is None or self.clock() < self.sessions.get(session, NEVER):
            return
        if self.broken("any session is taken") and session:
            return
        if self.broken("invoices are listed without a session") and operation.id == "listInvoices" and not session:
            return
        message = "Session-Id is missing or no longer valid; log in and repeat the request"
        challenge = {} if self.broken("401 does not say how to log in") else {"www-authenticate": "Session-Id"}
        raise Refused(401, message, [("header", "/Session-Id", message)], challenge)

    def refusal(self, refused: Refused) -> Json:
        problems = refused.problems or (("path", "", refused.message),)
        errors = [{"message": message or "is wrong", "in": part, "pointer": pointer} for part, pointer, message in problems]
        return {"ok": False, "code": refused.status, "message": refused.message, "has_errors": True, "errors": errors}

    def named(self, operation: Operation, body: Json) -> Json:
        if operation.id not in ("logIn", "renewSession") or not isinstance(body, dict):
            return body
        if self.broken("a login minds the case of names"):
            return body
        names = {name.lower(): name for name in LOGIN}
        return {names.get(name.lower(), name): value for name, value in body.items()}

    # -------------------------------------------------------------------------------------------------------- sessions
    async def log_in(self, request: Request) -> Answer:
        compared = {name: value for name, value in LOGIN.items() if name != "Password" or not self.broken("any password logs in")}
        if any(request.body[name] != value for name, value in compared.items()):
            message = "Unable to login to instance and database"
            raise Refused(401, message, [("body", "", message)], {"www-authenticate": "Session-Id"})
        if self.broken("a login ends the sessions before it"):
            self.sessions.clear()
        self.logins += 1
        session = hashlib.sha256(str(self.logins).encode()).hexdigest()[:32]
        dead = self.broken("a renewed session does not live") and request.operation.id == "renewSession"
        self.sessions[session] = NEVER if dead else self.clock() + LIFETIME
        return Answer(200, {"code": 200, "message": "ok", "session_id": session})

    async def check_session(self, _: Request) -> Answer:
        return Answer(200, {"code": 200, "message": "ok"})

    # ------------------------------------------------------------------------------------------------------- customers
    async def list_customers(self, shape: str, request: Request) -> Answer:
        tests: Mapping[str, Test] = {
            "filter.name": self.like("name"),
            "filter.search_name": self.like("searchname"),
            "filter.email": self.like("email"),
            "filter.contact_email": self._contact_email,
            "filter.phone": self.like("phone"),
            "filter.vat": self.like("vat"),
            "filter.modified_before": self.before("modified"),
            "filter.modified_after": self.after("modified"),
            "filter.has_email": self._has_email,
            "filter.is_customer": lambda row, value: bool(row["is_customer"]) == bool(value),
            "filter.is_supplier": self._is_supplier,
            "filter.customer_number": self.one_of("number"),
            "filter.group": lambda row, value: bool(row["group"] == value),
            "filter.type": lambda row, value: bool(row["type"] == value),
            "filter.created_before": self.before("created"),
            "filter.created_after": self.after("created"),
            "filter.updated_before": self.before("modified"),
            "filter.updated_after": self.after("modified"),
            "filter.attribute_ids": lambda row, value: any(one["id"] in value for one in row["attributes"]),
            "filter.object_ids": self.one_of("id"),
            "filter.search": self.like(*SEARCHED),
        }
        if self.broken("the short list does not filter by e-mail address") and shape == "base":
            tests = {name: test for name, test in tests.items() if name != "filter.email"}
        view = self.shown if shape == "customer" else self.base
        return self.page(request, self.records["customer"].values(), tests, view, "customer")

    def _contact_email(self, row: Record, value: str) -> bool:
        if self.broken("the filter contact_email looks at the customer"):
            return self.like("email")(row, value)
        return any(self.like("email")(contact, value) for contact in self.children("contact", row["id"]))

    def _has_email(self, row: Record, value: int) -> bool:
        if self.broken("has_email 0 gives all"):
            return not value or bool(row["email"])
        return bool(row["email"]) == bool(value)

    def _is_supplier(self, row: Record, value: int) -> bool:
        if self.broken("the filter is_supplier does nothing"):
            return True
        if self.broken("the filter is_supplier looks at customers"):
            return bool(row["is_customer"]) == bool(value)
        return bool(row["is_supplier"]) == bool(value)

    def base(self, kind: str, row: Record) -> Record:
        """The customer in short."""
        shown = {name: row[name] for name in self.document.schema("CustomerBase")}
        if self.broken("the short list shows no second name"):
            shown["name2"] = ""
        return self.shown(kind, row) if self.broken("the short list shows everything") else shown

    async def update_customer(self, request: Request) -> Answer:
        id = request.path["customer_id"]
        self.find("customer", "customer_id", id)
        self.change("customer", id, request.body)
        return self.done(id)

    # ------------------------------------------------------------------------------------ customers and invoices alike
    async def get(self, kind: str, request: Request) -> Answer:
        ((name, id),) = request.path.items()
        return Answer(200, self.shown(kind, self.find(kind, name, id)))

    async def create_numbered(self, kind: str, request: Request) -> Answer:
        number = request.body.get("number")
        taken = {row["number"] for row in self.records[kind].values()}
        literally = self.broken("number 0 is stored as it is") and number is not None
        if self.broken("a refused creation leaves its record behind") and number in taken:
            self.create(kind, request.body)
        if number in taken and number and not self.broken("a number may be used twice"):
            message = f"number {number} is taken; send another one, or 0 to get the next"
            raise Refused(409, message, [("body", "/number", message)])
        if self.broken("two creations at the same time may share a number"):
            await pause()
        if self.broken("clients cannot choose the number"):
            number = None
        if not number and not literally:
            number = FIRST[kind] + self.counted[kind]
            while number in taken and not self.broken("the next number may be taken"):
                number += 1
        id = self.create(kind, {**request.body, "number": number})
        if self.broken("a creation answers with the number"):
            return self.done(number)
        return self.done(id)

    # ----------------------------------------------------------------------------------------------- what belongs to one
    async def create_under(self, kind: str, request: Request) -> Answer:
        parent = None
        for name, of in (("customer_id", "customer"), ("id", "customer"), ("agreement_id", "agreement")):
            if name in request.path:
                found = self.find(of, name, request.path[name])
                if parent is not None and found["customer_id"] != parent and not self.broken("agreements are anybody's"):
                    raise self.missing(of, name)
                parent = request.path[name]
        return self.done(self.create(kind, request.body, parent))

    async def delete_under(self, kind: str, request: Request) -> Answer:
        of = KINDS[kind]
        customer = request.path["customer_id"]
        self.find("customer", "customer_id", customer)
        name, id = next((name, id) for name, id in request.path.items() if name != "customer_id")
        row = self.find(kind, name, id)
        owner = self.records["agreement"].get(row[of.parent_id], {"customer_id": customer}) if of.parent == "agreement" else row
        if owner["customer_id"] != customer and not self.broken("another customer's records can be deleted"):
            raise self.missing(kind, name)
        if not (self.broken("deleted contacts stay") and kind == "contact"):
            self.remove(kind, id)
        return self.done(0 if self.broken("a deletion answers with id 0") else id)

    async def list_contacts(self, request: Request) -> Answer:
        tests: Mapping[str, Test] = {
            "filter.name": self.holds("name"),
            "filter.email": self.holds("email"),
            "filter.modified_before": self.before("modified"),
            "filter.modified_after": self.after("modified"),
            "filter.object_ids": self.one_of("id"),
            "filter.search": self.holds("name", "title", "email", "phone", "gsm"),
        }
        if not self.broken("contacts of an unknown customer are an empty list"):
            self.find("customer", "id", request.path["id"])
        found = self.children("contact", request.path["id"])
        if self.broken("contacts are listed whoever's they are"):
            found = list(self.records["contact"].values())
        return self.page(request, found, tests, self.shown, "contact")

    async def update_contact(self, request: Request) -> Answer:
        id, body = request.path["id"], request.body
        old = self.find("contact", "id", id)
        if self.broken("a contact can be moved to another customer") and body["customer_id"] in self.records["customer"]:
            self.records["contact"][id] = {**old, "customer_id": body["customer_id"]}
            self.forget()
        self.change("contact", id, body)
        return self.done(id)

    # -------------------------------------------------------------------------------------------------------- invoices
    async def list_invoices(self, request: Request) -> Answer:
        tests: Mapping[str, Test] = {
            "filter.numbers": self.one_of("number"),
            "filter.customer_number": lambda row, value: bool(row["customer_number"] == value),
            "filter.delivery_customer_number": lambda row, value: bool(row["delivery_customer_number"] == value),
            "filter.type": lambda row, value: bool(row["type"] == value),
            "filter.invoice_date_before": self.before("date"),
            "filter.invoice_date_after": self.after("date"),
            "filter.updated_before": self.before("modified_date"),
            "filter.updated_after": self.after("modified_date"),
            "filter.object_ids": self.one_of("id"),
            "filter.search": self.like(*SEARCHED_INVOICE),
        }
        return self.page(request, self.records["invoice"].values(), tests, self.shown, "invoice")

    async def update_invoice(self, request: Request) -> Answer:
        id = request.body["id"]
        if self.broken("updating an unknown invoice creates one") and id not in self.records["invoice"]:
            return self.done(self.create("invoice", {**request.body, "number": FIRST["invoice"] + self.counted["invoice"]}))
        if id not in self.records["invoice"]:
            raise self.missing("invoice", "id", "body")
        self.change("invoice", id, request.body)
        return self.done(id)

    async def delete_invoice(self, request: Request) -> Answer:
        id = request.path["id"]
        self.find("invoice", "id", id)
        self.remove("invoice", id)
        return self.done(id)

    # --------------------------------------------------------------------------------------------------------- filters
    def like(self, *names: str) -> Test:
        """Texts that hold the value, in which % stands for any text."""
        if self.broken("names are filtered with their case") and names == ("name",):
            return lambda row, value: value in row["name"]
        if self.broken("names are compared as a whole") and names == ("name",):
            return lambda row, value: bool(row["name"].casefold() == value.casefold())
        if self.broken("% stands for itself"):
            return self.holds(*names)
        if self.broken("search does not look at numbers") and len(names) > 1:
            names = tuple(name for name in names if name != "number")
        return lambda row, value: any(fits(str(row[name]), value) for name in names if row[name] is not None)

    def holds(self, *names: str) -> Test:
        """Texts that hold the value as it is."""
        compare = fits if self.broken("% is a wildcard for contacts") else holds
        return lambda row, value: any(compare(str(row[name]), value) for name in names)

    def one_of(self, name: str) -> Test:
        def test(row: Record, values: list[int]) -> bool:
            if self.broken("of several numbers the first counts"):
                return bool(row[name] == values[0])
            return row[name] in values

        return test

    def before(self, name: str) -> Test:
        inclusive = self.broken("before lets its own time in")
        return lambda row, value: instant(row[name]) < instant(value) or (inclusive and instant(row[name]) == instant(value))

    def after(self, name: str) -> Test:
        inclusive = self.broken("after lets its own time in")
        if self.broken("zones of times in filters are not minded"):
            return lambda row, value: instant(row[name]).replace(tzinfo=None) > instant(value).replace(tzinfo=None)
        return lambda row, value: instant(row[name]) > instant(value) or (inclusive and instant(row[name]) == instant(value))

    # --------------------------------------------------------------------------------------------------- pages, storage
    def page(self, request: Request, rows: Iterable[Record], tests: Mapping[str, Test], view: View, kind: str) -> Answer:
        query = request.query
        first, second = ("page", "filter.page") if self.broken("page wins over filter.page") else ("filter.page", "page")
        number = max(query.get(first, query.get(second, 1)), 1)
        size = min(query.get("filter.page_size", query.get("page_size", 10)), 1000)
        if self.broken("page without its prefix does nothing"):
            number = query.get("filter.page", 1)
        rows = list(rows)
        found = self.matching(rows, tests, query)
        self.turn += 1
        if self.broken("every second list is in another order") and self.turn % 2:
            found.reverse()
        if self.broken("lists are newest first"):
            found.reverse()
        start = (number - 1) * size
        if self.broken("pages overlap by a record"):
            start = max(start - 1, 0)
        shown = found[start : start + size]
        if self.broken("a page behind the last shows the last") and found and not shown:
            shown = found[-size:]
        more = start + size < len(found)
        if self.broken("a full page always has a next"):
            more = len(shown) == size
        if self.broken("no page has a next"):
            more = False
        count = len(found) if self.broken("result_count counts all pages") else len(shown)
        if self.broken("result_count is the page size"):
            count = size
        if self.broken("result_count does not mind the filters"):
            count = max(0, min(size, len(rows) - start))
        results = [self.text(view, kind, row) for row in shown]
        errors = {"has_errors": False, "errors": []}
        return Answer(200, {"results": results, "result_count": min(count, 1000), "has_next_page": more, **errors})

    def matching(self, rows: list[Record], tests: Mapping[str, Test], query: Mapping[str, Json]) -> list[Record]:
        """Those that meet all filters that are asked for."""
        asked = {name: test for name, test in tests.items() if name in query}
        if self.broken("names are not looked at beside VAT numbers") and "filter.vat" in asked:
            asked.pop("filter.name", None)
        if self.broken("one filter of several is enough") and asked:
            return [row for row in rows if any(test(row, query[name]) for name, test in asked.items())]
        found = rows[:]
        for name, test in asked.items():
            found = [row for row in found if test(row, query[name])]
        return found

    def text(self, view: View, kind: str, row: Record) -> orjson.Fragment:
        """A record as JSON, made once between two writes."""
        key = view.__name__, kind, row[KINDS[kind].id]
        if key not in self.texts:
            self.texts[key] = orjson.Fragment(orjson.dumps(view(kind, row)))
        return self.texts[key]

    def forget(self) -> None:
        """What was made of the records no longer holds."""
        self.below.clear()
        self.texts.clear()

    def shown(self, kind: str, row: Record) -> Record:
        """A record with what belongs to it."""
        of = KINDS[kind]
        children = {
            name: [self.shown(below, child) for child in self.children(below, row[of.id])] for name, below in of.children.items()
        }
        if self.broken("empty texts are null"):
            row = {name: None if value == "" and name == "name2" else value for name, value in row.items()}
        return {name: children[name] if name in children else row[name] for name in properties(kind)}

    def children(self, kind: str, parent: int) -> list[Record]:
        if kind not in self.below:
            found: dict[int, list[Record]] = {}
            for row in self.records[kind].values():
                found.setdefault(row[KINDS[kind].parent_id], []).append(row)
            self.below[kind] = found
        return self.below[kind].get(parent, [])

    def create(self, kind: str, body: Record, parent: int | None = None) -> int:
        """Store a new record with what belongs to it; answer its id."""
        of, now = KINDS[kind], self.now()
        self.counted[kind] += 1
        id = max(self.records[kind], default=0) + 1 if self.broken("ids are given again") else self.counted[kind]
        held: Record = {of.id: id, **({of.parent_id: parent} if of.parent else {})}
        if kind == "customer":
            held |= {"number": body["number"], "created": now}
            if self.broken("clients can choose the time of creation"):
                held["created"] = body.get("created", now)
        if kind == "invoice":
            held["number"] = body["number"]
        if kind in CHANGED:
            held[CHANGED[kind]] = now
        self.records[kind][id] = {**blank(kind), **self.stored(kind, body), **held}
        self.forget()
        if not (self.broken("an agreement is created without its products") and kind == "agreement"):
            self.write_children(kind, id, body)
        return id

    def change(self, kind: str, id: int, body: Record) -> None:
        """Replace a record."""
        of, old = KINDS[kind], self.records[kind][id]
        held = {name: old[name] for name in of.own}
        if kind in CHANGED and not self.broken("an update does not move the time of the last change"):
            held[CHANGED[kind]] = self.now()
        if self.broken("an update changes the number") and body.get("number"):
            held["number"] = body["number"]
        if self.broken("an update moves the time of creation") and "created" in held:
            held["created"] = self.now()
        base = blank(kind)
        if self.broken("an update keeps what it was not sent"):
            base = old
        if self.broken("an update keeps the phone number that it was not sent") and kind == "customer":
            base = {**base, "phone": old["phone"]}
        new = {**base, **self.stored(kind, body), **held}
        if self.broken("updates of the street are lost") and kind == "customer":
            new["street"] = old["street"]
        self.records[kind][id] = new
        self.forget()
        if self.broken("an update changes the next customer as well") and kind == "customer":
            after = next((other for other in self.records[kind] if other > id), 1)
            self.records[kind][after] = {**self.records[kind][after], "city": new["city"]}
        self.write_children(kind, id, body)

    def write_children(self, kind: str, id: int, body: Record) -> None:
        """The records that a body lists: with a known id it is changed, else created; one not listed is deleted."""
        for name, below in KINDS[kind].children.items():
            before = {row[KINDS[below].id] for row in self.children(below, id)}
            listed = body.get(name)
            if listed is None and not self.broken("an array that is not sent empties the list"):
                continue
            kept = set()
            for item in listed or []:
                known = item.get(KINDS[below].id)
                if self.broken("items take children of others") and known in self.records[below]:
                    self.records[below][known] = {**self.records[below][known], KINDS[below].parent_id: id}
                    self.forget()
                    before.add(known)
                if known in before and not self.broken("items with an id are created anew"):
                    self.change(below, known, item)
                else:
                    known = self.create(below, item, id)
                kept.add(known)
            for gone in before - kept:
                if not self.broken("items that are not sent stay"):
                    self.remove(below, gone)

    def stored(self, kind: str, body: Record) -> Record:
        """What of a body is stored, but for what the server sets."""
        known, of_server = properties(kind), {*KINDS[kind].own, *KINDS[kind].children}
        names = [name for name in body if name in known and name not in of_server]
        sent = {name: filled(known[name], body[name]) for name in names}
        of, property, change = SPOILED.get(self.defect or "", ("", "", str))
        if of == kind and sent.get(property) is not None:
            sent[property] = change(sent[property])
        return sent

    def remove(self, kind: str, id: int) -> None:
        """Delete a record with what belongs to it."""
        for below in KINDS[kind].children.values():
            for row in self.children(below, id):
                if not (self.broken("products outlive their agreement") and below == "product"):
                    self.remove(below, row[KINDS[below].id])
        self.records[kind].pop(id)
        self.forget()

    def find(self, kind: str, name: str, id: int) -> Record:
        """Raises Refused if there is none."""
        if id not in self.records[kind]:
            raise self.missing(kind, name)
        return self.records[kind][id]

    def missing(self, kind: str, name: str, part: str = "path") -> Refused:
        message = f"{KINDS[kind].title} with given ID does not exist"
        return Refused(404, message, [(part, f"/{name}", message)])

    def done(self, id: int) -> Answer:
        ok = not self.broken("a success says that it is none")
        return Answer(200, {"ok": ok, "id": id, "has_errors": False, "errors": []})

    def now(self) -> str:
        return written(self.clock().replace(tzinfo=None))


def holds(text: str, part: str) -> bool:
    """Whether a text holds another, whatever their case."""
    return part.casefold() in text.casefold()


def fits(text: str, pattern: str) -> bool:
    """Whether a text holds the pattern, in which % stands for any text."""
    text, first, *rest = text.casefold(), *pattern.casefold().split("%")
    if not rest:
        return first in text
    *middle, last = rest
    if not text.startswith(first) or not text[len(first) :].endswith(last):
        return False
    text = text[len(first) : len(text) - len(last)]
    for piece in middle:
        _, found, text = text.partition(piece) if piece else ("", "%", text)
        if not found:
            return False
    return True


def filled(schema: Json, value: Json) -> Json:
    """A value with all that its schema knows and nothing else."""
    if isinstance(value, list) and "items" in schema:
        return [filled(schema["items"], one) for one in value]
    if isinstance(value, dict) and schema["properties"]:
        return {name: value.get(name, empty(part)) for name, part in schema["properties"].items()}
    return value


@lru_cache(maxsize=4096)
def instant(text: str) -> datetime:
    """A time without a zone is in UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@lru_cache(maxsize=1)
def start() -> Mapping[str, Mapping[int, Record]]:
    """The records that every instance starts with, by kind and id."""
    return {kind: {row[KINDS[kind].id]: row for row in listed} for kind, listed in rows().items()}
