"""What is measured: one row each, its requests, and what their answers must be for the figure to count."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from benchmarks.load import NUMBER, NUMBER_DIGITS

BASE = "/fentu/api/v1"  # of the contract
CUSTOMERS = 60  # in the world, and in what is made of it for a peer
CREDENTIAL = "Bearer test-admin"
RESET = "/_mock/worlds/default/reset"  # of the mock server; its floors take it too
PAGE = 25
VALID = {
    "name": f"Company {NUMBER}",
    "customer_type": "commercial",
    "email": f"info-{NUMBER}@newcompany.com",
    "phone": "+1-555-999-8888",
    "address": {"street": "789 Business Blvd", "city": "Chicago", "state": "IL", "postal_code": "60601", "country": "US"},
    "branch_id": "branch-002",
    "payment_terms": "net30",
}
INVALID = {**VALID, "name": 7}


@dataclass(frozen=True, slots=True)
class Target:
    """One request for the customers, as any server may be sent it: the id or the query, and the body."""

    id: str = ""
    query: Mapping[str, str | int] | None = None
    body: Mapping[str, object] | None = None

    def path(self, base: str, spelled: Mapping[str, str]) -> str:
        """Its target at a server that has the customers under a base path, and its own names for query parameters."""
        query = {spelled.get(name, name): value for name, value in (self.query or {}).items()}
        return f"{base}/customers" + (f"/{self.id}" if self.id else "") + ("?" + urlencode(query) if query else "")

    def text(self, base: str, spelled: Mapping[str, str], credential: str = CREDENTIAL) -> str:
        """The whole HTTP/1.1 request."""
        body = "" if self.body is None else json.dumps(self.body, separators=(",", ":"))
        length = len(body.replace(NUMBER, "0" * NUMBER_DIGITS))
        lines = [
            f"{'GET' if self.body is None else 'POST'} {self.path(base, spelled)} HTTP/1.1",
            "Host: localhost",
            *([f"Authorization: {credential}"] if credential else []),
            *(["Content-Type: application/json", f"Content-Length: {length}"] if body else []),
        ]
        return "\r\n".join([*lines, "", body])


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table."""

    title: str
    targets: Sequence[Target]
    statuses: Sequence[int]  # one of these, or the figure does not count


ROWS: Mapping[str, Row] = {
    "get": Row("GET by id", [Target(id=f"cust-{n:03}") for n in range(1, CUSTOMERS + 1)], [200]),
    "list": Row("list of 25", [Target(query={"page": page, "per_page": PAGE}) for page in (1, 2)], [200]),
    "search": Row(
        "filter and search",
        [
            Target(query={"page": 1, "per_page": PAGE, "status": "active", "search": f"C-100{tens}"})
            for tens in range(1, CUSTOMERS // 10)
        ],
        [200],
    ),
    "create": Row("POST valid", [Target(body=VALID)], [200, 201]),
    "refuse": Row("POST invalid", [Target(body=INVALID)], [400, 422]),
}
ORDER = ("get", "list", "search", "refuse", "create")  # in which a round measures them: what grows the state comes last
