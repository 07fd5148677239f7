"""What the vendors document stands in the contracts: every example is valid, every property, parameter and status is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator

from mock_server import contract
from mock_server.contract import properties
from mock_server.schemas import followed, resolved

CONTRACTS = contract.load_all(Path(__file__).parent.parent / "openapi")
ERRORS = {"400", "401", "403", "404", "409", "422"}


def examples() -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every example of every contract: where it stands, its schema, its value."""
    for name, api in CONTRACTS.items():
        copies: dict[int, Any] = {}
        todo: list[tuple[str, Any]] = [(name, api.document)]
        while todo:
            where, node = todo.pop()
            if isinstance(node, list):
                todo += [(f"{where}/{index}", part) for index, part in enumerate(node)]
            if not isinstance(node, dict):
                continue
            schema = node.get("schema", node if "/schemas/" in where or where.endswith("/schema") else None)
            if isinstance(schema, dict):
                whole = resolved(schema, api.document, copies)
                if "example" in node:
                    yield f"{where}/example", whole, node["example"]
                for key, example in node.get("examples", {}).items() if isinstance(node.get("examples"), dict) else ():
                    yield f"{where}/examples/{key}", whole, followed(example, api.document)["value"]
            skipped = {"example", "examples", "x-semantics", "default", "enum"}
            todo += [
                (f"{where}/{key}", part) for key, part in node.items() if key not in skipped or where.endswith("/properties")
            ]


@pytest.mark.parametrize(("schema", "value"), [pytest.param(*row[1:], id=row[0]) for row in examples()])
def test_every_documented_example_is_valid(schema: dict[str, Any], value: Any) -> None:
    """Against the schema beside it, by a validator that the server does not use."""
    validator = OAS30Validator(schema, format_checker=OAS30Validator.FORMAT_CHECKER)

    assert [error.message for error in validator.iter_errors(value)] == []


def test_there_are_examples_of_every_answer() -> None:
    """Of each status of each operation, at least one."""
    bare = [
        f"{name} {operation.operation_id} {status}"
        for name, api in CONTRACTS.items()
        for operation in api.operations.values()
        for status, answer in api.document["paths"][operation.path][operation.method.lower()]["responses"].items()
        for media in followed(answer, api.document).get("content", {}).values()
        if not media.get("examples") and "example" not in followed(media["schema"], api.document)
    ]

    assert bare in ([], ["lemonsoft getInvoice 200"])  # No page shows an invoice.


SEED_FENTU = {
    "GET /customers": {"page", "per_page", "search", "status", "branch_id", "created_after"},
    "GET /customers/{id}": {"id"},
    "POST /customers": set(),
    "PUT /customers/{id}": {"id"},
    "DELETE /customers/{id}": {"id"},
    "GET /customers/{customer_id}/contacts": {"customer_id"},
    "POST /customers/{customer_id}/contacts": {"customer_id"},
    "PUT /contacts/{id}": {"id"},
    "DELETE /contacts/{id}": {"id"},
    "GET /customers/{customer_id}/assets": {"customer_id"},
    "GET /assets/{id}": {"id"},
    "GET /customers/{customer_id}/work-orders": {"customer_id"},
}
SEED_LEMONSOFT = {
    "GET /customers": {
        *("filter.name", "filter.search_name", "filter.email", "filter.contact_email", "filter.phone", "filter.vat"),
        *("filter.modified_before", "filter.modified_after", "filter.has_email", "filter.is_customer", "filter.is_supplier"),
        *("filter.customer_number", "filter.group", "filter.type", "filter.created_before", "filter.created_after"),
        *("filter.updated_before", "filter.updated_after", "filter.attribute_ids", "filter.object_ids"),
        *("filter.page", "filter.page_size", "filter.search"),
    },
    "GET /invoices": {
        *("filter.numbers", "filter.customer_number", "filter.delivery_customer_number", "filter.type"),
        *("filter.invoice_date_before", "filter.invoice_date_after", "filter.updated_before", "filter.updated_after"),
        *("filter.object_ids", "filter.page", "filter.page_size", "filter.search"),
    },
    "POST /customers": set(),
    "GET /customers/{customer_id}": {"customer_id"},
    "PUT /customers/{customer_id}": {"customer_id"},
    "POST /customers/{customer_id}/accounts": {"customer_id"},
}
SEED_LEMONSOFT["GET /customers/base"] = SEED_LEMONSOFT["GET /customers"]


@pytest.mark.parametrize(("name", "seed"), [("fentu", SEED_FENTU), ("lemonsoft", SEED_LEMONSOFT)])
def test_every_operation_and_parameter_of_the_seed_is_there(name: str, seed: dict[str, set[str]]) -> None:
    there = {f"{o.method} {o.path}": {p.name for p in o.parameters} for o in CONTRACTS[name].operations.values()}

    assert {operation: parameters - there.get(operation, set()) for operation, parameters in seed.items()} == {
        operation: set() for operation in seed
    }


def test_the_types_of_the_seed_are_literal() -> None:
    """Types, formats and defaults of Lemonsoft's parameters, limits of Fentu's."""
    customers = {p.name: p for p in CONTRACTS["lemonsoft"].operations["listCustomers"].parameters}
    fentu = {p.name: p.schema for p in CONTRACTS["fentu"].operations["listCustomers"].parameters}

    assert {p.schema["format"] for name, p in customers.items() if name.endswith(("_before", "_after"))} == {"date-time"}
    assert {customers[f"filter.{n}"].schema["type"] for n in ("customer_number", "attribute_ids", "object_ids")} == {"array"}
    assert (customers["filter.page"].default, customers["filter.page_size"].default) == (1, 10)
    assert fentu["per_page"]["maximum"] == 100
    assert fentu["created_after"]["format"] == "date"


def test_the_six_errors_of_fentu_are_declared() -> None:
    declared = {str(status) for o in CONTRACTS["fentu"].operations.values() for status in o.statuses}

    assert declared >= ERRORS


@pytest.mark.parametrize(
    ("name", "operation", "count"),
    [
        ("lemonsoft", "getCustomer", 68),
        ("lemonsoft", "listBaseCustomers", 24),
        ("keychain", "getCustomer", 10),
        ("fentu", "getCustomer", 19),
    ],
)
def test_a_customer_has_all_its_properties(name: str, operation: str, count: int) -> None:
    view = CONTRACTS[name].operations[operation].view

    assert view is not None
    assert len(properties(view)) == count
