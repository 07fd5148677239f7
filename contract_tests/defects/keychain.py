"""Keychain OS as a vendor might have written it, with the defects of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import ClassVar

from contract_tests.defects.keychain_records import rows
from contract_tests.defects.operations import Json, Operation
from contract_tests.defects.serving import Answer, Clock, Handler, Record, Refused, Request, Service, told, wall_clock

KEY = "test-key"
SUMMARY = ("id", "name", "code", "companyName", "email", "phone")
SKU = ("id", "name", "version", "status", "description", "batchSize", "batchUnit", "itemType")
MESSAGES = {401: "Missing or invalid API key", 404: "Resource not found"}


class Keychain(Service):
    """Customers, SKUs and sales orders; nothing can be written."""

    api: ClassVar[str] = "keychain"

    def __init__(self, defect: str | None = None, clock: Clock = wall_clock) -> None:
        super().__init__(defect, clock)
        self.records = start()
        self.turn = 0

    def operations(self) -> Mapping[str, Handler]:
        return {
            "listCustomers": self.list_customers,
            "getCustomer": self.get_customer,
            "getCustomerSkus": self.get_customer_skus,
            "getCustomerSalesOrders": self.get_customer_sales_orders,
            "getSalesOrder": self.get_sales_order,
            "listSkus": self.list_skus,
            "getSku": self.get_sku,
        }

    def admit(self, operation: Operation, headers: Mapping[str, str]) -> None:
        key = headers.get("x-api-key")
        if key == KEY or (key and self.broken("any key is taken")):
            return
        if self.broken("SKUs are read without a key") and operation.id == "getSku" and not key:
            return
        if self.broken("an empty key is taken") and key == "":
            return
        told_how = {"www-authenticate": 'ApiKey realm="Keychain OS API", header="X-API-Key"'}
        raise Refused(
            403 if self.broken("a wrong key is answered 403") and key else 401,
            MESSAGES[401],
            headers={} if self.broken("401 does not say how to log in") else told_how,
        )

    def refusal(self, refused: Refused) -> Json:
        message = MESSAGES.get(refused.status, refused.message)
        if refused.status == 400:
            message = f"Invalid parameter: {told(refused.problems)}"
        code = 0 if self.broken("the code of an error is always 0") else refused.status
        return {"code": code, "message": message}

    async def list_customers(self, request: Request) -> Answer:
        return self.page(request, list(self.records["customer"].values()), self.summary)

    async def get_customer(self, request: Request) -> Answer:
        return Answer(200, self.customer(self.find("customer", request.path["customerId"])))

    async def get_customer_skus(self, request: Request) -> Answer:
        id = request.path["customerId"]
        if self.broken("SKUs of an unknown customer are an empty list") and id not in self.records["customer"]:
            return Answer(200, {"customerId": id, "customerName": None, "skus": []})
        customer = self.find("customer", id)
        found = [sku for sku in self.records["sku"].values() if sku["customerId"] == id]
        if self.broken("a customer's SKUs are everybody's"):
            found = list(self.records["sku"].values())
        found = found[: request.query.get("limit", len(found))]
        if self.broken("inactive SKUs are not shown under a customer"):
            found = [sku for sku in found if sku["status"] == "active"]
        if self.broken("a customer without SKUs has no list of them") and not found:
            raise Refused(404, "There are no SKUs.")
        if self.broken("SKUs name the customer by its code"):
            customer = {**customer, "name": customer["code"]}
        return Answer(200, {"customerId": id, "customerName": customer["name"], "skus": [self.sku(sku) for sku in found]})

    async def get_customer_sales_orders(self, request: Request) -> Answer:
        id = request.path["customerId"]
        if not self.broken("orders of an unknown customer are an empty list"):
            self.find("customer", id)
        period = {request.query.get("startDate", ""), request.query.get("endDate", "")}
        if self.broken("the 29th of February is refused") and any(day.endswith("-02-29") for day in period):
            raise Refused(400, "This day is not known.", [("query", "/startDate", "is not known")])
        if self.broken("the year 1 is a crash") and "0001-01-01" in period:
            raise OverflowError
        orders = [order for order in self.records["sales_order"].values() if order["customerId"] == id]
        if self.broken("cancelled orders are not listed"):
            orders = [order for order in orders if order["status"] != "cancelled"]
        found = [order for order in orders if self._in_period(order, request.query)]
        return self.page(request, found, self.order, orders)

    def _in_period(self, order: Record, query: Mapping[str, str]) -> bool:
        day = order["orderDate"]
        if self.broken("the period is of the delivery"):
            day = order["expectedDeliveryDate"] or ""
        first, last = query.get("startDate", ""), query.get("endDate", "9999-12-31")
        if self.broken("startDate does nothing"):
            first = ""
        if self.broken("endDate does nothing"):
            last = "9999-12-31"
        if self.broken("startDate leaves its day out") and day == first:
            return False
        if self.broken("endDate leaves its day out") and day == last:
            return False
        if self.broken("one end of a period is enough") and len(query.keys() & {"startDate", "endDate"}) == 2:
            return bool(first <= day or day <= last)
        return bool(first <= day <= last)

    async def get_sales_order(self, request: Request) -> Answer:
        return Answer(200, self.order(self.find("sales_order", request.path["salesOrderNumber"])))

    async def list_skus(self, request: Request) -> Answer:
        return self.page(request, list(self.records["sku"].values()), self.sku)

    async def get_sku(self, request: Request) -> Answer:
        if self.broken("an unknown SKU is answered with null") and request.path["skuId"] not in self.records["sku"]:
            return Answer(200, dict.fromkeys(SKU))
        sku = self.sku(self.find("sku", request.path["skuId"]))
        return Answer(200, {**sku, "version": 1} if self.broken("a SKU by itself is in its first version") else sku)

    def summary(self, row: Record) -> Record:
        shown = {name: row[name] for name in SUMMARY}
        if self.broken("lists show the name of the company"):
            shown["name"] = row["companyName"] or row["name"]
        if self.broken("lists leave out a phone that is not known"):
            shown = {name: value for name, value in shown.items() if name != "phone" or value is not None}
        return shown

    def customer(self, row: Record) -> Record:
        return {**row, "email": None} if self.broken("a customer by itself has no e-mail address") else row

    def sku(self, row: Record) -> Record:
        shown = {name: row[name] for name in SKU}
        if self.broken("batch sizes are texts"):
            shown["batchSize"] = str(row["batchSize"])
        return shown

    def order(self, row: Record) -> Record:
        return {**row, "orderDate": f"{row['orderDate']}T00:00:00Z"} if self.broken("order dates have a time") else row

    def find(self, kind: str, id: str) -> Record:
        """Raises Refused if there is none."""
        if self.broken("a quote in an id is a crash") and "'" in id:
            raise ValueError(id)
        if self.broken("codes are taken for ids"):
            id = next((row["id"] for row in self.records[kind].values() if row.get("code") == id), id)
        if self.broken("ids may be decimal numbers"):
            id = id.removesuffix(".0")
        if id not in self.records[kind]:
            raise Refused(404, MESSAGES[404])
        return self.records[kind][id]

    def page(
        self, request: Request, found: list[Record], view: Callable[[Record], Record], every: list[Record] | None = None
    ) -> Answer:
        offset, limit = max(request.query.get("offset", 0), 0), min(request.query.get("limit", 20), 100)
        if self.broken("an offset behind the end is answered 404") and found and offset >= len(found):
            raise Refused(404, MESSAGES[404])
        shown = self._cut(found, offset, limit)
        total = len(found)
        if self.broken("totals do not mind the period") and every is not None:
            total = len(every)
        if self.broken("totals count the page"):
            total = len(shown)
        if self.broken("totals are one too many"):
            total += 1
        if self.broken("limit tells how many are shown"):
            limit = max(len(shown), 1)
        if self.broken("offset tells the page"):
            offset //= limit
        return Answer(200, {"data": list(map(view, shown)), "pagination": {"offset": offset, "limit": limit, "total": total}})

    def _cut(self, found: list[Record], offset: int, limit: int) -> list[Record]:
        start, stop = offset, offset + limit
        self.turn += 1
        if self.broken("every second list is in another order") and self.turn % 2:
            found.reverse()
        if self.broken("offset does nothing"):
            start, stop = 0, limit
        if self.broken("offset counts pages"):
            start, stop = offset * limit, (offset + 1) * limit
        if self.broken("pages overlap by a record"):
            start = max(start - 1, 0)
        if self.broken("every page loses its last record") and stop < len(found):
            stop -= 1
        if self.broken("limit does nothing"):
            stop = start + 20
        if self.broken("the last record is not listed"):
            stop = min(stop, len(found) - 1)
        return found[start:stop]


@lru_cache(maxsize=1)
def start() -> Mapping[str, Mapping[str, Record]]:
    """The records, by kind and id."""
    return {
        kind: {row["orderNumber" if kind == "sales_order" else "id"]: row for row in listed} for kind, listed in rows().items()
    }
