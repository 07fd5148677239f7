"""What each peer is given to serve: the contract as it is, or made into the form that the peer reads."""

from __future__ import annotations

import asyncio
import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from benchmarks.floors import API, Answer, answers
from benchmarks.rows import BASE, CREDENTIAL, ROWS, Target
from mock_server.settings import shipped

YAML, JSON, RECORDS = "contract.yaml", "contract.json", "records.json"
HERE = Path(__file__).parent
SOURCE = shipped("openapi") / API / "openapi.yaml"


def contract(folder: Path) -> None:
    """The contract as it is."""
    shutil.copy(SOURCE, folder / YAML)


def scalar(folder: Path) -> None:
    """The contract as JSON, and the few lines that serve it."""
    (folder / JSON).write_text(json.dumps(_document(), default=str))
    shutil.copy(HERE / "scalar.mjs", folder)


def connexion(folder: Path) -> None:
    """The contract, with the function that looks at a token, and the few lines that serve it."""
    document = _document()
    document["components"]["securitySchemes"]["oauth2"]["x-tokenInfoFunc"] = "connexion_mock.token_info"
    (folder / JSON).write_text(json.dumps(document, default=str))
    shutil.copy(HERE / "connexion_mock.py", folder)


def records(folder: Path) -> None:
    """json-server's database: the customers of the mock server, each as `getCustomer` shows it."""
    customers = [json.loads(_answer(target)[2])["data"] for target in ROWS["get"].targets]
    (folder / RECORDS).write_text(json.dumps({"customers": customers}))


def stubs(folder: Path) -> None:
    """WireMock's stubs as one would write them by hand, each with an answer of the mock server."""
    mappings = folder / "mappings"
    mappings.mkdir(exist_ok=True)
    known = {"headers": {"Authorization": {"equalTo": CREDENTIAL}}}
    customers = f"{BASE}/customers"
    created = {"bodyPatterns": [{"matchesJsonPath": "$[?(@.name =~ /.+/)]"}]}
    search = {"queryParameters": {"status": {"equalTo": "active"}, "search": {"matches": "C-.*"}}}
    first = {name: row.targets[0] for name, row in ROWS.items()}
    for name, priority, asked, answer in [
        ("get", 1, {"method": "GET", "urlPathPattern": f"{customers}/[^/]+"} | known, _answer(first["get"])),
        ("search", 1, {"method": "GET", "urlPath": customers} | search | known, _answer(first["search"])),
        ("list", 2, {"method": "GET", "urlPath": customers} | known, _answer(first["list"])),
        ("create", 1, {"method": "POST", "urlPath": customers} | created | known, _answers()["create"]),
        ("refuse", 2, {"method": "POST", "urlPath": customers} | known, _answers()["refuse"]),
        ("unknown", 9, {"urlPathPattern": f"{BASE}/.*"}, (401, [], b"{}")),
    ]:
        response = {"status": answer[0], "headers": {"Content-Type": "application/json"}, "body": answer[2].decode()}
        (mappings / f"{name}.json").write_text(json.dumps({"priority": priority, "request": asked, "response": response}))


def _document() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(SOURCE.read_text())
    return document


@cache
def _answers() -> dict[str, Answer]:
    return asyncio.run(answers())


def _answer(target: Target) -> Answer:
    return _answers()[target.path(BASE, {})]
