"""mock-server errors, as a person runs it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import httpx
import pytest

from mock_server import __main__ as command
from mock_server.settings import Settings
from tests.conftest import ROOT, serving


def run(*arguments: str) -> int:
    return command.main(["errors", *arguments])


def test_the_errors_are_listed(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each way to an error: where, which, why, and what brings it about."""
    status = run("fentu", "--operation", "deleteCustomer", "--status", "409", "--url", address)

    assert status == 0
    assert capsys.readouterr().out == "fentu  deleteCustomer  409  guarded  organic  A Work order stands in the way.\n"


def test_the_errors_are_told_as_the_control_api_tells_them(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("keychain", "--json", "--url", address)

    assert json.loads(capsys.readouterr().out) == httpx.get(f"{address}/_mock/errors", params={"api": "keychain"}).json()


def test_the_errors_are_told_as_lines_of_curl(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each in a world of its own, so that they can be pasted one after the other."""
    run("fentu", "--operation", "getCustomer", "--status", "401", "--curl", "--url", address)

    assert capsys.readouterr().out == (
        "# fentu getCustomer 401: The request carries no credential.\n"
        f"curl -i {address}/w/fentu-getCustomer-401-1/fentu/api/v1/customers/cust-001\n"
        "\n"
        "# fentu getCustomer 401: The credential is none that is known.\n"
        f"curl -i {address}/w/fentu-getCustomer-401-2/fentu/api/v1/customers/cust-001 -H 'Authorization: Bearer unknown'\n"
    )


def test_the_errors_are_verified(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All reached, all of those that a client can cause without asking for them."""
    status = run("keychain", "--verify", "--url", address)

    assert status == 0
    assert capsys.readouterr().out == "keychain  26 of 26 documented errors reached; 26 of 26 organic (100%)\n"


def test_a_server_is_started_where_none_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its options stand in the environment; where it has no records, errors are reached all the same."""
    monkeypatch.setenv("MOCK_SCALE", "0")
    status = run("--operation", "getCustomer", "--status", "404", "--verify")

    assert status == 0
    assert capsys.readouterr().out.splitlines() == [
        "fentu      1 of 1 documented errors reached; 1 of 1 organic (100%)",
        "keychain   1 of 1 documented errors reached; 1 of 1 organic (100%)",
        "lemonsoft  1 of 1 documented errors reached; 1 of 1 organic (100%)",
        "all        3 of 3 documented errors reached; 3 of 3 organic (100%)",
    ]


def test_an_error_that_does_not_happen_fails_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is named with what was seen instead, and is not counted: here another error comes first."""
    shutil.copytree(ROOT / "fixtures", tmp_path / "fixtures")
    (tmp_path / "fixtures/situations/closed.yaml").write_text("{description: Nobody gets in., rate_limits: {fentu: 0}}")
    with serving(Settings(fixtures=tmp_path / "fixtures", situation="closed", log="off")) as base:
        status = run("fentu", "--operation", "deleteCustomer", "--verify", "--url", base)

    said = capsys.readouterr().out.splitlines()
    assert status == 1
    place = said.index("fentu-deleteCustomer-409-1: A Work order stands in the way.")
    assert said[place + 1].startswith("    it was answered 429 ")
    assert said[-1] == "fentu  2 of 7 documented errors reached; 2 of 7 organic (29%)"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope"], "api names API nope, which does not exist; there are fentu, keychain, lemonsoft"),
        (
            ["--operation", "getCustomers"],
            "operation names operation getCustomers, which does not exist; did you mean getCustomer?",
        ),
        (["--status", "200"], "argument --status: must be a status from 400 to 599, not '200'"),
        (["--status", "418"], "no such error is documented"),
        (["--json", "--verify"], "argument --verify: not allowed with argument --json"),
        (["a", "b"], "unrecognized arguments: b"),
    ],
)
def test_a_wrong_option_is_one_line(address: str, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    status = run(*arguments, "--url", address)

    assert (status, capsys.readouterr().err) == (2, f"mock-server: {said}\n")


def test_an_address_without_a_mock_server_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    status = run("--url", "localhost:1")

    assert status == 2
    assert capsys.readouterr().err.startswith("mock-server: No mock server answers at http://localhost:1: ")
