"""The same seed gives the same bytes, in every process."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from mock_server.contract import Contract

ROOT = Path(__file__).parent.parent
FENTU, KEYCHAIN = {"Authorization": "Bearer test-admin"}, {"X-API-Key": "test-key"}
LOGIN = {"UserName": "demo", "Password": "demo", "Database": "demo", "ApiKey": "demo"}


@contextlib.contextmanager
def mock_server(*arguments: str, hash_seed: str) -> Iterator[str]:
    """The command in a process of its own; its address."""
    command = [sys.executable, "-m", "mock_server", "--port", "0", "--clock", "2026-03-01T12:00:00Z", *arguments]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as server:
        assert server.stdout is not None
        found = re.search(r"http://\S+?(?=/\s)", server.stdout.readline())
        assert found is not None
        try:
            yield found[0]
        finally:
            server.terminate()


def told(address: str, contracts: dict[str, Contract]) -> list[tuple[str, bytes]]:
    """Every list of every API, whole records, and what a few writes answer."""
    session = httpx.post(f"{address}/lemonsoft/api/auth/login", json=LOGIN).json()["session_id"]
    headers = {"fentu": FENTU, "keychain": KEYCHAIN, "lemonsoft": {"Session-Id": session}}
    answers: list[tuple[str, bytes]] = []
    for name, api in contracts.items():
        for operation in api.operations.values():
            if operation.method == "GET" and operation.resource:
                path = operation.path
                for parameter in operation.parameters:
                    if parameter.identifies:
                        path = path.replace(f"{{{parameter.name}}}", str(api.resources[parameter.identifies].id.value(4, 2025)))
                answers.append((path, httpx.get(address + api.base_path + path, headers=headers[name]).content))
    made = (httpx.post(f"{address}/fentu/api/v1/customers", headers=FENTU, json={"name": name}) for name in ("One", "Two"))
    return answers + [("created", answer.content) for answer in made]


def test_the_same_seed_gives_the_same_bytes(contracts: dict[str, Contract]) -> None:
    """Whatever the process hashes with."""
    with mock_server(hash_seed="0") as one, mock_server(hash_seed="4711") as other:
        assert told(one, contracts) == told(other, contracts)


def test_another_seed_gives_other_data_and_the_same_documented_records(contracts: dict[str, Contract]) -> None:
    with mock_server(hash_seed="0") as one, mock_server("--seed", "2", hash_seed="0") as other:
        first, second = told(one, contracts), told(other, contracts)
        acme = [httpx.get(f"{a}/fentu/api/v1/customers/cust-001", headers=FENTU).json()["data"]["name"] for a in (one, other)]

    assert first != second
    assert acme == ["Acme Corporation"] * 2


def test_scale_moves_no_record() -> None:
    """A million customers: each of the first sixty is as it is among sixty."""
    with mock_server(hash_seed="0") as small, mock_server("--scale", "1000000", hash_seed="0") as large:
        for number in ("cust-002", "cust-017", "cust-060"):
            path = f"/fentu/api/v1/customers/{number}"
            assert httpx.get(small + path, headers=FENTU).content == httpx.get(large + path, headers=FENTU).content
        listed = httpx.get(f"{large}/fentu/api/v1/customers", params={"page": 9_999, "per_page": 100}, headers=FENTU).json()

    assert listed["meta"] == {"current_page": 9_999, "total_pages": 10_000, "total_count": 1_000_000}
    assert [customer["id"] for customer in listed["data"]] == [f"cust-{n}" for n in range(999_801, 999_901)]
