"""Fentu FSM as a vendor might have written it, with the defects of the catalogue."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container, Iterable, Mapping
from functools import lru_cache, partial
from typing import ClassVar

from contract_tests.defects.fentu_records import rows
from contract_tests.defects.operations import Json, Operation, Problem
from contract_tests.defects.serving import Answer, Clock, Handler, Record, Refused, Request, Service, pause, wall_clock

TITLES = {"customer": "Customer", "contact": "Contact", "asset": "Asset", "work_order": "Work order"}
IDS = {"customer": "cust-{:03}", "contact": "contact-{:03}", "asset": "asset-{:03}", "work_order": "wo-{}"}
FIRST = {"customer": 1, "contact": 1, "asset": 1, "work_order": 12345}
READ = frozenset({"read:customers", "read:work-orders", "read:assets"})
WRITE = frozenset({"write:customers", "write:work-orders"})
TOKENS = {"test-admin": READ | WRITE | {"write:assets", "admin"}, "test-read": READ, "test-write": WRITE}
WORDS = {
    **{400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"},
    **{406: "not_acceptable", 409: "conflict", 413: "payload_too_large", 415: "unsupported_media_type"},
    **{422: "validation_error", 500: "internal_error"},
}
FINISHED = ("completed", "cancelled")
ADDRESS = ("street", "city", "state", "postal_code", "country")
CUSTOMER = (
    *("name", "customer_type", "email", "phone", "address", "branch_id", "payment_terms", "status"),
    *("fax", "website", "billing_address", "tax_id", "notes", "custom_fields"),
)
CONTACT = ("name", "title", "email", "phone", "is_primary")
WORK_ORDER = ("contact_id", "technician_id", "status", "priority", "description", "scheduled_date", "estimated_duration")
SUMMARY = ("id", "name", "customer_number", "status", "email", "phone", "address", "created_at")
CREATED = ("id", "customer_number", "name", "status", "created_at")
ASSET_SUMMARY = ("id", "name", "serial_number", "location", "status", "warranty_expiry", "last_service")

Change = Callable[[Json], Json]
SPOILED: Mapping[str, tuple[str, Change]] = {  # defect -> the property that is stored otherwise than it was sent, and how
    "names are trimmed": ("name", str.strip),
    "names lose double spaces": ("name", lambda text: re.sub(" +", " ", text)),
    "names are composed": ("name", partial(unicodedata.normalize, "NFC")),
    "names are cut to 100 characters": ("name", lambda text: text[:100]),
    "notes are cut to 255 characters": ("notes", lambda text: text[:255]),
    "right-to-left marks are lost": ("name", lambda text: text.replace("\u200f", "").replace("\u200e", "")),
    "a NUL ends the notes": ("notes", lambda text: text.partition("\0")[0]),
    "custom fields are cut to ten": ("custom_fields", lambda held: dict(list(held.items())[:10])),
    "notes lose emoji": ("notes", lambda text: "".join("?" if ord(sign) > 0xFFFF else sign for sign in text)),
    "e-mail addresses are lower-cased": ("email", str.lower),
    "web sites are not stored": ("website", lambda _: None),
    "empty phone numbers become null": ("phone", lambda text: text or None),
    "quotes in tax numbers are doubled": ("tax_id", lambda text: text.replace("'", "''")),
    "angle brackets in titles are escaped": ("title", lambda text: text.replace("<", "&lt;").replace(">", "&gt;")),
    "states are upper-cased": ("address", lambda held: {**held, "state": (held.get("state") or "").upper() or None}),
    "postal codes lose leading zeros": (
        "address",
        lambda held: {**held, "postal_code": (held.get("postal_code") or "").lstrip("0") or None},
    ),
    "custom fields' names are lower-cased": (
        "custom_fields",
        lambda held: {name.lower(): text for name, text in held.items()},
    ),
    "empty custom fields are dropped": ("custom_fields", lambda held: {name: text for name, text in held.items() if text}),
    "a duration of 0 becomes 60": ("estimated_duration", lambda minutes: minutes or 60),
    "long durations are cut to a day": ("estimated_duration", lambda minutes: min(minutes, 1440)),
    "scheduled times lose their seconds": ("scheduled_date", lambda text: f"{text[:17]}00Z"),
    "scheduled times lose their zone": ("scheduled_date", lambda text: text.removesuffix("Z")),
}


class Fentu(Service):
    """Customers, contacts, assets and work orders."""

    api: ClassVar[str] = "fentu"
    invalid_body: ClassVar[int] = 422

    def __init__(self, defect: str | None = None, clock: Clock = wall_clock) -> None:
        super().__init__(defect, clock)
        self.records = {kind: dict(rows) for kind, rows in start().items()}  # A record is replaced, never changed.
        self.counted = {kind: FIRST[kind] + len(rows) for kind, rows in self.records.items() if kind in FIRST}
        self.deleted: dict[str, dict[str, Record]] = {kind: {} for kind in self.records}
        self.listed: list[Record] | None = None
        self.turn = self.updates = 0

    def operations(self) -> Mapping[str, Handler]:
        return {
            "listCustomers": self.list_customers,
            "createCustomer": self.create_customer,
            "getCustomer": self.get_customer,
            "updateCustomer": self.update_customer,
            "deleteCustomer": self.delete_customer,
            "listCustomerContacts": self.list_customer_contacts,
            "createCustomerContact": self.create_contact,
            "updateContact": self.update_contact,
            "deleteContact": self.delete_contact,
            "listCustomerAssets": self.list_customer_assets,
            "listAssets": self.list_assets,
            "getAsset": self.get_asset,
            "listCustomerWorkOrders": self.list_customer_work_orders,
            "listWorkOrders": self.list_work_orders,
            "createWorkOrder": self.create_work_order,
            "getWorkOrder": self.get_work_order,
            "updateWorkOrder": self.update_work_order,
            "deleteWorkOrder": self.delete_work_order,
        }

    def admit(self, operation: Operation, headers: Mapping[str, str]) -> None:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if self.broken("assets are listed without a token") and operation.id == "listAssets" and not token:
            return
        right = kind.lower() == "bearer" or self.broken("any scheme is taken")
        if self.broken("the name of a scheme has a case"):
            right = kind == "Bearer"
        scopes = TOKENS.get(token.strip()) if right else None
        if self.broken("any token is taken") and token:
            scopes = TOKENS["test-admin"]
        if self.broken("any header that holds a token is taken"):
            scopes = next((known for name, known in TOKENS.items() if name in headers.get("authorization", "")), scopes)
        if scopes is None:
            if self.broken("a missing token is answered 403"):
                raise Refused(403, "You may not do this.")
            told = {} if self.broken("401 does not say how to log in") else {"www-authenticate": 'Bearer realm="fentu"'}
            raise Refused(401, "Send the header Authorization: Bearer TOKEN.", headers=told)
        lacking = (operation.scopes or frozenset()) - scopes
        if self.broken("a token that may only read may delete") and operation.method == "DELETE":
            lacking = frozenset()
        if self.broken("reading needs no scope"):
            lacking -= READ
        if self.broken("scopes are not looked at"):
            lacking = frozenset()
        if self.broken("a token that may only read may not read assets") and operation.id == "listAssets" and scopes == READ:
            lacking = READ
        if lacking:
            raise Refused(403, f"This credential lacks {', '.join(sorted(lacking))}.")

    def refusal(self, refused: Refused) -> Json:
        details = [{"in": part, "pointer": pointer, "message": message} for part, pointer, message in refused.problems]
        code = "conflict" if self.broken("not found is called a conflict") and refused.status == 404 else WORDS[refused.status]
        return {"error": {"code": code, "message": refused.message, "details": details}}

    # ------------------------------------------------------------------------------------------------------- customers
    async def list_customers(self, request: Request) -> Answer:
        query, rows = request.query, self.living("customer")
        if self.broken("the list of customers is kept from its first time"):
            self.listed = rows = self.listed or rows
        tests = [self._searched(query["search"])] if "search" in query else []
        is_asked = bool(query.get("status")) if self.broken("an empty status is no filter") else "status" in query
        if is_asked and not self.broken("the filter status does nothing"):
            tests.append(lambda row: row["status"] == query["status"])
        if "branch_id" in query:
            nowhere = self.broken("no branch has customers")
            partly = self.broken("a part of a branch's id is enough")
            tests.append(
                lambda row: (
                    not nowhere
                    and (row["branch_id"] == query["branch_id"] or (partly and query["branch_id"] in str(row["branch_id"])))
                )
            )
        if "created_after" in query:
            tests.append(self._created_after(query["created_after"]))
        fits = any if self.broken("one filter of several is enough") else all
        found = [row for row in rows if not tests or fits(test(row) for test in tests)]
        if self.broken("filters hold on the first page only") and query.get("page", 1) > 1:
            found = rows
        if self.broken("customers with an empty status are not listed"):
            found = [row for row in found if row["status"] != ""]
        if self.broken("filtered lists are newest first") and tests:
            found.reverse()
        return self.page(request, found, self.summary, rows)

    def _searched(self, text: str) -> Callable[[Record], bool]:
        names = ("name",) if self.broken("search does not look at numbers") else ("name", "customer_number")
        if self.broken("search does nothing"):
            return lambda _: True
        if self.broken("a quote in a search is a crash") and "'" in text:
            raise ValueError(text)
        if self.broken("a backslash in a search is a crash") and "\\" in text:
            raise ValueError(text)
        if self.broken("search takes spaces off its text"):
            text = text.strip()
        if self.broken("search minds the case"):
            return lambda row: any(text in row[name] for name in names)
        if self.broken("search finds customers by the names that they had"):
            return lambda row: text.casefold() in str(row.get("former_name", row["name"])).casefold()
        if self.broken("search looks at the beginning only"):
            return lambda row: any(row[name].casefold().startswith(text.casefold()) for name in names)
        if self.broken("search takes % and _ for wildcards"):
            wild = re.compile(re.escape(text.casefold()).replace("%", ".*").replace("_", "."), re.DOTALL)
            return lambda row: any(wild.search(row[name].casefold()) for name in names)
        fold: Change = str.casefold
        if self.broken("search folds the letters of ASCII only"):
            fold = lower_ascii
        return lambda row: any(fold(text) in fold(row[name]) for name in names)

    def _created_after(self, day: str) -> Callable[[Record], bool]:
        if self.broken("created_after leaves its day out"):
            return lambda row: row["created_at"][:10] > day
        if self.broken("created_after lets its midnight in"):
            return lambda row: row["created_at"] >= f"{day}T00:00:00Z"
        if self.broken("created_after looks at the last change"):
            return lambda row: row["updated_at"] > f"{day}T00:00:00Z"
        return lambda row: row["created_at"] > f"{day}T00:00:00Z"

    async def create_customer(self, request: Request) -> Answer:
        sent = self.stored(request.body, CUSTOMER)
        try:
            self.check_customer(sent, None)
        except Refused:
            if self.broken("a refused creation leaves its customer behind"):
                self.put("customer", {**self.blank_customer(self.count("customer")), **sent})
            raise
        if self.broken("two creations at the same time may share an address"):
            await pause()
        if self.broken("two creations at the same time may share an id"):
            number = self.counted["customer"]
            await pause()
        elif self.broken("ids are given again"):
            number = max(int(id[5:]) for id in self.records["customer"]) + 1
        else:
            number = self.counted["customer"]
        self.counted["customer"] = number + 1
        record = {**self.blank_customer(number), **sent}
        if self.broken("clients can choose the id") and isinstance(request.body.get("id"), str):
            record["id"] = request.body["id"]
        if self.broken("clients can choose the number"):
            record["customer_number"] = request.body.get("customer_number", record["customer_number"])
        if self.broken("clients can choose the time of creation"):
            record["created_at"] = request.body.get("created_at", record["created_at"])
        if not self.broken("a creation stores nothing"):
            self.put("customer", record)
        status = 200 if self.broken("a creation is answered 200") else 201
        return Answer(status, {"data": {name: record[name] for name in CREATED}})

    def blank_customer(self, number: int) -> Record:
        now = self.now()
        given = 0 if self.broken("every customer gets the same number") else number
        return {
            **dict.fromkeys(CUSTOMER),
            "id": IDS["customer"].format(number),
            "customer_number": f"C-{10000 + given}",
            "status": "new" if self.broken("new customers are not active") else "active",
            "custom_fields": {},
            "created_at": f"1970{now[4:]}" if self.broken("customers are created in 1970") else now,
            "updated_at": now,
        }

    def check_customer(self, sent: Record, own: str | None) -> None:
        """References hold, and no other customer has the e-mail address."""
        problems: list[Problem] = []
        email = sent.get("email") or ""
        if self.broken("addresses below long domains are refused") and len(email.rpartition(".")[2]) > 6:
            problems.append(("body", "/email", "is no address"))
        if self.broken("addresses of contacts are taken for customers'"):
            problems += [("body", "/email", "is taken") for row in self.living("contact") if email and row["email"] == email]
        branch = sent.get("branch_id")
        if branch and branch not in self.records["branch"] and not self.broken("branches need not exist"):
            problems.append(("body", "/branch_id", f"names Branch {branch}, which does not exist"))
        holder = self._holder(sent.get("email"), own)
        if holder and (own is None or "email" in sent):
            problems.append(("body", "/email", f"is taken by Customer {holder}"))
        if problems:
            raise Refused(409, "; ".join(f"{pointer[1:]} {message}" for _, pointer, message in problems), problems)

    def _holder(self, email: str | None, own: str | None) -> str | None:
        fold: Callable[[str], str] = str if self.broken("an address may be used again in another case") else str.casefold
        rows = self.living("customer")
        if self.broken("the address of a deleted customer stays taken"):
            rows += self.deleted["customer"].values()
        if self.broken("an address may be used twice") or (own and self.broken("an update may take another's address")):
            return None
        if self.broken("customers without an address are duplicates") and not email:
            return next((str(row["id"]) for row in rows if not row["email"] and row["id"] != own), None)
        if self.broken("a customer is its own duplicate"):
            own = None
        taken = (row for row in rows if email and row["email"] and fold(row["email"]) == fold(email) and row["id"] != own)
        return next((str(row["id"]) for row in taken), None)

    async def get_customer(self, request: Request) -> Answer:
        id = request.path["id"]
        if self.broken("deleted customers can still be read") and id in self.deleted["customer"]:
            return Answer(200, {"data": self.customer(self.deleted["customer"][id])})
        if self.broken("reading a customer is counted in its custom fields"):
            self.turn += 1
            self.put("customer", {**self.find("customer", id), "custom_fields": {"reads": str(self.turn)}})
        if self.broken("an unknown customer is answered with the first") and id not in self.records["customer"]:
            id = next(iter(self.records["customer"]))
        return Answer(200, {"data": self.customer(self.find("customer", id))})

    async def update_customer(self, request: Request) -> Answer:
        id = request.path["id"]
        if self.broken("updating an unknown customer creates one") and id not in self.records["customer"]:
            self.put("customer", {**self.blank_customer(self.counted["customer"]), "name": "", "id": id})
        if self.broken("deleted customers can be updated") and id in self.deleted["customer"]:
            self.put("customer", self.deleted["customer"][id])
        old = self.find("customer", id)
        self.updates += 1
        if self.broken("every third update of a customer is lost") and self.updates % 3 == 0:
            return Answer(200, {"data": self.customer(old)})
        several = self.broken("of two updates of several values at the same time one is lost") and len(request.body) > 1
        if several or self.broken("of two updates at the same time one is lost"):
            await pause()
        sent = self.stored(request.body, CUSTOMER)
        if self.broken("a refused update is stored all the same"):
            self.put("customer", {**old, **sent})
        self.check_customer(sent, id)
        new = self._merged(old, sent)
        new |= self._times(old, sent)
        if self.broken("search finds customers by the names that they had"):
            new["former_name"] = old.get("former_name", old["name"])
        if self.broken("the list shows the phone number that a customer had"):
            new["listed_phone"] = old.get("listed_phone", old["phone"])
        if self.broken("clients can set updated_at"):
            new["updated_at"] = request.body.get("updated_at", new["updated_at"])
        if self.broken("an update moves the customer to the end of the list"):
            self.records["customer"].pop(id)
        self.put("customer", new)
        if self.broken("an update changes the next customer as well"):
            self._change_next(id, sent)
        shown = self.customer(old if self.broken("an update is answered with the old values") else new)
        if self.broken("an update is answered without contacts"):
            shown["contacts"] = []
        if self.broken("an update is answered with the old updated_at"):
            shown["updated_at"] = old["updated_at"]
        return Answer(200, {"data": shown})

    def _times(self, old: Record, sent: Record) -> Record:
        """When a customer was made, and when it was changed: now."""
        now, notes_alone = self.now(), sent.keys() == {"notes"}
        if self.broken("an update moves updated_at of every customer"):
            self.records["customer"] = {id: {**row, "updated_at": now} for id, row in self.records["customer"].items()}
        stays = self.broken("an update does not move updated_at")
        stays = stays or (notes_alone and self.broken("an update of the notes alone does not move updated_at"))
        moves = self.broken("an update moves created_at")
        return {"updated_at": old["updated_at"] if stays else now, "created_at": now if moves else old["created_at"]}

    def _merged(self, old: Record, sent: Record) -> Record:
        if self.broken("updates of the fax number are lost"):
            sent = {name: value for name, value in sent.items() if name != "fax"}
        if self.broken("null does not take a value away"):
            sent = {name: value for name, value in sent.items() if value is not None}
        if self.broken("notes are added to the old ones") and old["notes"] and sent.get("notes"):
            sent = {**sent, "notes": f"{old['notes']}\n{sent['notes']}"}
        if self.broken("custom fields are added to the old ones") and "custom_fields" in sent:
            sent = {**sent, "custom_fields": {**old["custom_fields"], **sent["custom_fields"]}}
        if self.broken("an update keeps the rest of an address") and sent.get("address") and old["address"]:
            parts = {name: sent["address"][name] or old["address"][name] for name in ADDRESS}
            sent = {**sent, "address": parts}
        if self.broken("an update clears what it was not sent"):
            kept = {name: old[name] for name in ("id", "customer_number", "name", "status", "custom_fields", "created_at")}
            return {**dict.fromkeys(old), **kept, **sent}
        if self.broken("an update of the name takes the branch away") and "name" in sent:
            sent = {"branch_id": None, **sent}
        if self.broken("an address is copied to the billing address where there is none") and not old["billing_address"]:
            sent = {"billing_address": sent.get("address"), **sent}
        if self.broken("null does not clear an address"):
            sent = {name: value for name, value in sent.items() if value is not None or name != "address"}
        if self.broken("an empty address does not replace one") and sent.get("address") == dict.fromkeys(ADDRESS):
            sent = {name: value for name, value in sent.items() if name != "address"}
        return {**old, **sent}

    def _change_next(self, id: str, sent: Record) -> None:
        ids = list(self.records["customer"])
        after = self.records["customer"][ids[(ids.index(id) + 1) % len(ids)]]
        self.put("customer", {**after, **{name: value for name, value in sent.items() if name in ("phone", "notes")}})

    async def delete_customer(self, request: Request) -> Answer:
        id = request.path["id"]
        if self.broken("a customer can be deleted twice") and id in self.deleted["customer"]:
            return Answer(204)
        self.find("customer", id)
        contacts = [row for row in self.living("contact") if row["customer_id"] == id]
        if self.broken("a refused deletion takes the contacts away"):
            self.remove("contact", contacts)
        self._guard(id)
        if self.broken("a deletion does nothing"):
            return Answer(204)
        if not self.broken("contacts outlive their customer"):
            self.remove("contact", contacts)
        self.remove("asset", [row for row in self.living("asset") if row["customer_id"] == id])
        if not self.broken("work orders outlive their customer"):
            self.remove("work_order", [row for row in self.living("work_order") if row["customer_id"] == id])
        branch = self.records["customer"][id]["branch_id"]
        if self.broken("a deletion takes the contacts of the whole branch") and branch:
            ids = {row["id"] for row in self.living("customer") if row["branch_id"] == branch}
            self.remove("contact", [row for row in self.living("contact") if row["customer_id"] in ids])
        self.remove("customer", [self.records["customer"][id]])
        if self.broken("a deletion takes the next customer as well"):
            self.remove("customer", [row for row in self.living("customer") if row["id"] > id][:1])
        return Answer(200, {"data": None}) if self.broken("a deletion is answered 200 with a body") else Answer(204)

    def _guard(self, id: str) -> None:
        finished: tuple[str, ...] = FINISHED
        if self.broken("finished work orders stand in the way of a deletion"):
            finished = ()
        if self.broken("drafts do not stand in the way of a deletion"):
            finished = (*FINISHED, "draft")
        if self.broken("nothing stands in the way of a deletion"):
            return
        every = [row for row in self.living("work_order") if row["customer_id"] == id]
        if self.broken("only the last work order stands in the way of a deletion"):
            every = every[-1:]
        orders = [row for row in every if row["status"] not in finished]
        if self.broken("a refused deletion names one work order"):
            orders = orders[:1]
        if orders:
            problems = [("state", f"/work-orders/{row['id']}", f"is {row['status']}") for row in orders]
            raise Refused(409, f"Customer {id} cannot be deleted. Complete or cancel related records first.", problems)

    # -------------------------------------------------------------------------------------------------------- contacts
    async def list_customer_contacts(self, request: Request) -> Answer:
        found = self.under(request, "contact")
        if self.broken("a customer without contacts has no list of them") and not found:
            raise Refused(404, "There are no contacts.")
        return self.page(request, found, self.contact)

    async def create_contact(self, request: Request) -> Answer:
        if not self.broken("contacts are created under customers that do not exist"):
            self.find("customer", request.path["customer_id"])
        sent = self.stored(request.body, CONTACT)
        before = list(self.records["contact"])
        if self.broken("two creations at the same time may both be primary"):
            await pause()
        if self.broken("of two contacts made at the same time one is lost"):
            rows = dict(self.records["contact"])
            await pause()
            self.records["contact"] = rows
        number = self.count("contact")
        if self.broken("ids of contacts are given again"):
            number = max(int(id[8:]) for id in self.records["contact"]) + 1
        kept = {"id": IDS["contact"].format(number), "customer_id": request.path["customer_id"]}
        record = {**dict.fromkeys(CONTACT), "is_primary": False, **sent, **kept}
        of = self.records["customer"].get(request.path["customer_id"], {})
        if self.broken("contacts inherit their customer's e-mail address"):
            record["email"] = record["email"] or of.get("email")
        if self.broken("a primary contact changes its customer's phone number") and record["is_primary"] and of:
            self.put("customer", {**of, "phone": record["phone"]})
        self.put("contact", record)
        if not self.broken("a customer can have two primary contacts"):
            raced = self.broken("two creations at the same time may both be primary")
            self._clear_primary(record, before if raced else None)
        return Answer(201, {"data": self.contact(record)})

    async def update_contact(self, request: Request) -> Answer:
        old = self.find("contact", request.path["id"])
        if self.broken("an update takes the primary contact's flag away"):
            old = {**old, "is_primary": False}
        record = {**old, **self.stored(request.body, CONTACT)}
        self.put("contact", record)
        if not self.broken("a contact that becomes primary leaves the old one primary"):
            self._clear_primary(record)
        return Answer(200, {"data": self.contact(record)})

    def _clear_primary(self, record: Record, known: Container[str] | None = None) -> None:
        rows = self.living("contact")
        if self.broken("only the first contact loses the flag"):
            rows = [row for row in rows if row["customer_id"] == record["customer_id"]][:1]
        for row in rows:
            if known is not None and row["id"] not in known:
                continue
            if record["is_primary"] and row["customer_id"] == record["customer_id"] and row["id"] != record["id"]:
                self.put("contact", {**row, "is_primary": False})

    async def delete_contact(self, request: Request) -> Answer:
        id = request.path["id"]
        row = self.find("contact", id)
        if self.broken("deletions at the same time all succeed"):
            await pause()
        self.remove("contact", [row])
        if self.broken("a contact takes its namesakes along"):
            twins = [one for one in self.living("contact") if one["customer_id"] == row["customer_id"]]
            self.remove("contact", [one for one in twins if one["name"] == row["name"]])
        if self.broken("work orders go with the contact that they name"):
            self.remove("work_order", [row for row in self.living("work_order") if row["contact_id"] == id])
        return Answer(204)

    # ------------------------------------------------------------------------------------------ assets and work orders
    async def list_customer_assets(self, request: Request) -> Answer:
        return self.page(request, self.under(request, "asset"), self.asset_summary)

    async def list_assets(self, request: Request) -> Answer:
        query = request.query
        names = {"customer_id": "customer_id", "product_id": "product_id", "status": "status", "location_id": "object_id"}
        if self.broken("the filter location_id does nothing"):
            del names["location_id"]
        wanted = {held: query[name] for name, held in names.items() if name in query}
        rows = [row for row in self.living("asset") if all(row[held] == value for held, value in wanted.items())]
        if "serial_number" in query:
            fold: Change = str if self.broken("serial numbers are searched with their case") else str.casefold
            rows = [row for row in rows if fold(query["serial_number"]) in fold(row["serial_number"] or "")]
            rows = [row for row in rows if row["serial_number"] is not None]
        return self.page(request, rows, self.asset_summary)

    async def get_asset(self, request: Request) -> Answer:
        return Answer(200, {"data": self.asset(self.find("asset", request.path["id"]))})

    async def list_customer_work_orders(self, request: Request) -> Answer:
        return self.page(request, self.under(request, "work_order"), self.work_order_summary)

    async def list_work_orders(self, request: Request) -> Answer:
        query, rows = request.query, self.living("work_order")
        for name in ("status", "customer_id", "technician_id"):
            if name in query and not self.broken(f"the filter {name} of work orders does nothing"):
                rows = [row for row in rows if row[name] == query[name]]
        if "from_date" in query:
            first = f"{query['from_date']}T{'00:00:01' if self.broken('from_date leaves its midnight out') else '00:00:00'}Z"
            rows = [row for row in rows if (row["scheduled_date"] or "") >= first]
        if "to_date" in query:
            last = f"{query['to_date']}T{'00:00:00' if self.broken('to_date ends at its midnight') else '23:59:59'}Z"
            never = "" if self.broken("to_date lets in what is not scheduled") else "9999-99"
            rows = [row for row in rows if (row["scheduled_date"] or never) <= last]
        return self.page(request, rows, self.work_order_summary)

    async def create_work_order(self, request: Request) -> Answer:
        sent = self.stored(request.body, WORK_ORDER)
        customer = request.body["customer_id"]
        strict = not self.broken("work orders can be for customers that do not exist")
        self._check_work_order({"customer_id": customer, **sent} if strict else sent)
        number = self.count("work_order")
        now = self.now()
        record = {
            **dict.fromkeys(WORK_ORDER),
            **{"status": "open", "priority": "medium", "estimated_duration": 60, **sent},
            **{"id": IDS["work_order"].format(number), "customer_id": customer, "created_at": now},
            "work_order_number": f"WO-{now[:4]}-{self._place(customer, number):03}",
            "customer_name": self.records["customer"].get(customer, {}).get("name"),
        }
        if self.broken("a work order with a technician is assigned") and record["technician_id"] and "status" not in sent:
            record["status"] = "assigned"
        self.put("work_order", record)
        if self.broken("a new work order makes its customer active"):
            self.put("customer", {**self.find("customer", customer), "status": "active"})
        return Answer(201, {"data": self.work_order(record)})

    def _place(self, customer: str, number: int) -> int:
        """The count in a work order's number."""
        if self.broken("work orders are counted for each customer"):
            return 1 + len([row for row in self.records["work_order"].values() if row["customer_id"] == customer])
        return number - FIRST["work_order"] + 1

    def _check_work_order(self, sent: Record) -> None:
        kinds = {"customer_id": "customer", "contact_id": "contact", "technician_id": "technician"}
        if self.broken("technicians need not exist"):
            del kinds["technician_id"]
        named = [name for name in kinds if sent.get(name) or (name == "customer_id" and name in sent)]
        problems = [("body", f"/{name}", "does not exist") for name in named if sent[name] not in self.records[kinds[name]]]
        if problems:
            raise Refused(409, "; ".join(f"{pointer[1:]} does not exist" for _, pointer, _ in problems), problems)

    async def get_work_order(self, request: Request) -> Answer:
        return Answer(200, {"data": self.work_order(self.find("work_order", request.path["id"]))})

    async def update_work_order(self, request: Request) -> Answer:
        old = self.find("work_order", request.path["id"])
        sent = self.stored(request.body, WORK_ORDER)
        self._check_work_order(sent)
        if self.broken("a finished work order cannot be opened again") and old["status"] in FINISHED:
            sent.pop("status", None)
        if self.broken("a completed work order loses its technician") and sent.get("status") == "completed":
            sent["technician_id"] = None
        opened = old["status"] == "open" and sent.get("technician_id")
        if self.broken("a technician makes an open work order assigned") and opened:
            sent = {"status": "assigned", **sent}
        if self.broken("a work order is moved to the customer that an update names"):
            sent["customer_id"] = request.body.get("customer_id", old["customer_id"])
        if self.broken("a completed work order changes its customer's status") and sent.get("status") == "completed":
            self.put("customer", {**self.find("customer", old["customer_id"]), "status": "served"})
        if self.broken("an update moves created_at of a work order"):
            sent["created_at"] = self.now()
        self.put("work_order", {**old, **sent})
        return Answer(200, {"data": self.work_order({**old, **sent})})

    async def delete_work_order(self, request: Request) -> Answer:
        id = request.path["id"]
        if self.broken("deleting an unknown work order is a crash"):
            self.records["work_order"][id]
        row = self.find("work_order", id)
        self.remove("work_order", [row])
        if self.broken("a contact goes with a work order that names it") and row["contact_id"] in self.records["contact"]:
            self.remove("contact", [self.records["contact"][row["contact_id"]]])
        return Answer(204)

    # ----------------------------------------------------------------------------------------------------------- views
    def summary(self, row: Record) -> Record:
        shown = {name: row[name] for name in SUMMARY}
        shown["phone"] = row.get("listed_phone", row["phone"])
        if self.broken("the list shows updated_at as created_at"):
            shown["created_at"] = row["updated_at"]
        if self.broken("the list cuts names to 40 letters"):
            shown["name"] = shown["name"][:40]
        if self.broken("the list shows the billing address where there is no other"):
            shown["address"] = row["address"] or row["billing_address"]
        if self.broken("lists show phone numbers without signs") and row["phone"]:
            shown["phone"] = re.sub("[^0-9]", "", row["phone"])
        return shown

    def customer(self, row: Record) -> Record:
        contacts = [self.contact(one) for one in self.living("contact") if one["customer_id"] == row["id"]]
        if self.broken("a customer shows deleted contacts"):
            contacts += [self.contact(one) for one in self.deleted["contact"].values() if one["customer_id"] == row["id"]]
        if self.broken("a customer shows its first two contacts"):
            contacts = contacts[:2]
        branch = self.records["branch"].get(row["branch_id"] or "")
        order = ("id", "name", "customer_number", "status", *CUSTOMER[1:5], "fax", "website", "billing_address")
        shown = {name: row[name] for name in (*order, *("tax_id", "payment_terms", "notes", "custom_fields"))}
        if self.broken("a customer shows its billing address as its address"):
            shown["address"] = row["billing_address"] or row["address"]
        if self.broken("answers have a property that is not declared"):
            shown["internal_score"] = 7
        if self.broken("a customer without notes shows none"):
            shown = {name: value for name, value in shown.items() if name != "notes" or value is not None}
        return {**shown, "contacts": contacts, "branch": branch, "created_at": row["created_at"], "updated_at": row["updated_at"]}

    def contact(self, row: Record) -> Record:
        return {name: row[name] for name in ("id", *CONTACT)}

    def asset_summary(self, row: Record) -> Record:
        product = self.records["product"][row["product_id"]]
        of = self.records["customer"].get(row["customer_id"], {"id": row["customer_id"], "name": ""})
        shown = {name: row[name] for name in ASSET_SUMMARY}
        return {**shown, "product": {name: product[name] for name in ("id", "name")}, "customer": named(of)}

    def asset(self, row: Record) -> Record:
        more = {name: row[name] for name in ("asset_tag", "model_number", "install_date", "warranty_start")}
        product, place = self.records["product"][row["product_id"]], self.records["object"].get(row["object_id"] or "")
        shown = {**named(place), "address": place["address"]} if place else None
        return {**self.asset_summary(row), **more, "product": product, "object": shown}

    def work_order_summary(self, row: Record) -> Record:
        names = ("id", "work_order_number", "status", "scheduled_date", "priority", "created_at")
        return {**{name: row[name] for name in names}, "customer": named(self._customer_of(row))}

    def work_order(self, row: Record) -> Record:
        of = self._customer_of(row)
        contact = self.records["contact"].get(row["contact_id"] or "")
        if self.broken("work orders show a contact that is deleted"):
            contact = contact or self.deleted["contact"].get(row["contact_id"] or "")
        address = of["address"] or {}
        parts = [address[name] for name in ADDRESS[:4] if address.get(name)]
        if self.broken("a line of an address says None"):
            parts = [str(address[name]) for name in ADDRESS[:4] if address]
        if self.broken("a contact without a phone number shows its customer's") and contact:
            contact = {**contact, "phone": contact["phone"] or of.get("phone")}
        return {
            **self.work_order_summary(row),
            "description": row["description"],
            "estimated_duration": row["estimated_duration"],
            "customer": {**named(of), "address": ", ".join(parts) or None},
            "contact": {name: contact[name] for name in ("id", "name", "phone")} if contact else None,
            "technician": self.records["technician"].get(row["technician_id"] or ""),
        }

    def _customer_of(self, row: Record) -> Record:
        of = self.records["customer"].get(row["customer_id"], {"id": row["customer_id"], "name": "", "address": None})
        if self.broken("work orders show the name that a customer had"):
            return {**of, "name": row["customer_name"]}
        return of

    # --------------------------------------------------------------------------------------------------- pages, storage
    def page(
        self, request: Request, rows: list[Record], view: Callable[[Record], Record], every: Iterable[Record] = ()
    ) -> Answer:
        number, size = request.query.get("page", 1), min(request.query.get("per_page", 25), 100)
        if self.broken("pages have 25 records whatever is asked for"):
            size = 25
        if self.broken("the default page has 20 records"):
            size = request.query.get("per_page", 20)
        total, start = len(rows), (max(number, 1) - 1) * size
        if self.broken("places in a list have 32 bits"):
            start = max((start + 2**31) % 2**32 - 2**31, 0)
        shown = self._cut(rows, start, size)
        pages = -(-total // size)
        if self.broken("a full last page counts as two"):
            pages = total // size + 1
        if self.broken("an empty list has a page"):
            pages = max(pages, 1)
        if self.broken("totals do not mind the filters") and every:
            total = len(list(every))
        if self.broken("totals count what was deleted"):
            total += len(self.deleted["customer"])
        if self.broken("totals count the page"):
            total = len(shown)
        if self.broken("current_page is always 1"):
            number = 1
        meta = {"current_page": max(number, 1), "total_pages": pages, "total_count": total}
        return Answer(200, {"data": [view(row) for row in shown], "meta": meta})

    def _cut(self, rows: list[Record], start: int, size: int) -> list[Record]:
        self.turn += 1
        if self.broken("every second list is in another order") and self.turn % 2:
            rows.reverse()
        if self.broken("lists are sorted by name"):
            rows = sorted(rows, key=lambda row: str(row.get("name")))
        if self.broken("every page loses its last record") and len(rows) > start + size:
            return rows[start : start + size - 1]
        if self.broken("pages overlap by a record") and start:
            start -= 1
        if self.broken("the last page is left out when it is not full") and 0 < len(rows) - start < size and start:
            return []
        if self.broken("a page behind the last shows the last") and rows and start >= len(rows):
            start = (len(rows) - 1) // size * size
        return rows[start : start + size]

    def under(self, request: Request, kind: str) -> list[Record]:
        """The records of a kind that belong to the customer in the path."""
        id = request.path["customer_id"]
        if self.broken("a customer that does not exist has empty lists") and id not in self.records["customer"]:
            return []
        self.find("customer", id)
        if self.broken("a customer's contacts are everybody's") and kind == "contact":
            return self.living(kind)
        return [row for row in self.living(kind) if row["customer_id"] == id]

    def stored(self, body: Record, names: Iterable[str]) -> Record:
        """What of a body is stored."""
        sent = {name: body[name] for name in names if name in body}
        for name in ("address", "billing_address"):
            if sent.get(name) is not None:
                sent[name] = {part: sent[name].get(part) for part in ADDRESS}
        if self.broken("a custom field without a name is a crash") and "" in (sent.get("custom_fields") or ()):
            raise ValueError(sent)
        if self.broken("a priority of null becomes medium") and "priority" in sent:
            sent["priority"] = sent["priority"] or "medium"
        property, change = SPOILED.get(self.defect or "", ("", str))
        if sent.get(property) is not None:
            sent[property] = change(sent[property])
        return sent

    def find(self, kind: str, id: str) -> Record:
        """Raises Refused if there is none."""
        if self.broken("ids are found in any case"):
            id = id.lower()
        if self.broken("numbers are taken for ids"):
            id = next((row["id"] for row in self.records[kind].values() if row.get("customer_number") == id), id)
        if id not in self.records[kind]:
            raise Refused(404, f"{TITLES[kind]} not found", [("path", "/id", f"names no {TITLES[kind]}")])
        return self.records[kind][id]

    def living(self, kind: str) -> list[Record]:
        rows = list(self.records[kind].values())
        if self.broken("deleted customers stay in the list") and kind == "customer":
            rows += self.deleted["customer"].values()
        return rows

    def put(self, kind: str, record: Record) -> None:
        self.records[kind][record["id"]] = record

    def remove(self, kind: str, rows: Iterable[Record]) -> None:
        for row in list(rows):
            self.deleted[kind][row["id"]] = self.records[kind].pop(row["id"], row)

    def count(self, kind: str) -> int:
        self.counted[kind] += 1
        return self.counted[kind] - 1

    def now(self) -> str:
        return self.clock().strftime("%Y-%m-%dT%H:%M:%S" + (".000Z" if self.broken("times have milliseconds") else "Z"))


def lower_ascii(text: str) -> str:
    return text.encode().lower().decode()


def named(row: Record) -> Record:
    return {"id": row["id"], "name": row["name"]}


@lru_cache(maxsize=1)
def start() -> Mapping[str, Mapping[str, Record]]:
    """The records that every instance starts with, by kind and id."""
    return {kind: {row["id"]: row for row in listed} for kind, listed in rows().items()}
