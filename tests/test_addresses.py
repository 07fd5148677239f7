"""An address from anywhere -> the API that it is of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server import addresses, contract
from mock_server.contract import Contract
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://localhost:8080/fentu/api/v1/customers?page=2", "/fentu/api/v1/customers?page=2"),
        ("http://10.0.0.7/w/demo/fentu/v1/customers", "/fentu/api/v1/customers"),
        ("http://fentu.localhost:8080/api/v1/customers", "/fentu/api/v1/customers"),
        ("http://fentu.localhost/v1/nothing", "/fentu/api/v1/nothing"),
        ("/keychain/v1/nothing", "/keychain/v1/nothing"),
        ("https://api.fentu.io/api/v1/customers/a%2Fb", "/fentu/api/v1/customers/a%2Fb"),
        ("https://API.fentu.io:443/v1/customers#top", "/fentu/api/v1/customers"),
        ("https://api.fentu.io/v2/customers", "/fentu/v2/customers"),
        ("https://api.fentu.io/customers", "/fentu/customers"),
        ("api.keychain.com/v1/customers", "/keychain/v1/customers"),
        ("https://erp.example.com/LemonRest/api/customers/1", "/lemonsoft/api/customers/1"),
        ("https://erp.example.com/LemonRest/api/nothing", "/lemonsoft/api/nothing"),
        ("https://gateway.example.com/fsm/api/v1/work-orders?x", "/fentu/api/v1/work-orders?x"),
        ("https://gateway.example.com/lemonsoft/Lemonsoft30/api/invoices", "/lemonsoft/api/invoices"),
    ],
)
def test_an_address_of_an_api_is_found(contracts: dict[str, Contract], url: str, target: str) -> None:
    """The vendor's, the mock's, or one behind somebody's gateway; what is encoded stays so."""
    found = addresses.located(contracts, url)

    assert found is not None
    assert found == (target.split("/")[1], target)


def test_a_path_that_two_apis_have_is_told_by_method_and_credential(contracts: dict[str, Contract]) -> None:
    """Both have /v1/customers; one cannot be written, and their credentials are carried in other header fields."""
    url = "https://staging.example.com/v1/customers"

    assert addresses.located(contracts, url) is None
    assert addresses.located(contracts, url, "POST") == ("fentu", "/fentu/api/v1/customers")
    assert addresses.located(contracts, url, "GET", ["accept", "x-api-key"]) == ("keychain", "/keychain/v1/customers")
    assert addresses.located(contracts, url, "GET", ["Authorization"]) == ("fentu", "/fentu/api/v1/customers")


@pytest.mark.parametrize(
    "url", ["https://example.com/app.js", "https://example.com/", "", "http://[::1", "https://lemonsoft.eu/api"]
)
def test_any_other_address_is_of_none(contracts: dict[str, Contract], url: str) -> None:
    assert addresses.located(contracts, url) is None


EVERY = [
    pytest.param(one, server["url"], id=f"{name}-{index}")
    for name, one in contract.load_all(ROOT / "openapi").items()
    for index, server in enumerate(one.document["servers"])
]


@pytest.mark.parametrize(("one", "server"), EVERY)
def test_every_operation_is_found_at_every_server_of_its_contract(
    contracts: dict[str, Contract], one: Contract, server: str
) -> None:
    """With any value for a variable."""
    everywhere = addresses.Addresses(contracts)
    for operation in one.operations.values():
        path = operation.path.replace("{", "").replace("}", "")

        found = everywhere.located(server.replace("{", "").replace("}", "") + path, operation.method)

        assert found == (one.name, one.base_path + path)


@given(st.text("/:.?#[]{}@wv1apcustomers", max_size=30))
def test_any_text_is_found_or_not(url: str) -> None:
    """What is found begins with a path of the API."""
    found = addresses.located(CONTRACTS, url)

    assert found is None or found.target.startswith(f"/{found.api}")


CONTRACTS = contract.load_all(ROOT / "openapi")
