"""Schemathesis, all phases and all checks, on each served contract: a short form of the full run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from mock_server.contract import load
from mock_server.outline import ROOTS
from tests.conftest import ROOT

CREDENTIALS = {"fentu": "Authorization: Bearer test-admin", "keychain": "X-API-Key: test-key", "control": "X-None: needed"}
LOGIN = {"UserName": "demo", "Password": "demo", "Database": "demo", "ApiKey": "demo"}


@pytest.mark.parametrize("api", ["fentu", "lemonsoft", "keychain", "control"])
def test_schemathesis_finds_nothing(address: str, world: str, api: str, tmp_path: Path) -> None:
    """0 failures, 0 errors, and every operation was tested."""
    root = f"{address}/w/{world}"
    header = CREDENTIALS.get(api)
    path = ROOTS.get(api, api)
    contract = load(ROOT / "openapi" / api / "openapi.yaml", api)
    if header is None:
        header = "Session-Id: " + httpx.post(f"{root}/{api}/api/auth/login", json=LOGIN).json()["session_id"]

    ended = subprocess.run(
        [
            Path(sys.executable).parent / "schemathesis",
            *("run", f"{root}/{path}/openapi.yaml", "--header", header),
            *("--phases", "examples,coverage,fuzzing,stateful", "--checks", "all", "--mode", "all"),
            *("--max-examples", "3", "--seed", "1", "--workers", "1", "--generation-database", "none", "--no-color"),
            *("--report", "ndjson", "--report-dir", str(tmp_path)),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=tmp_path,
    )

    assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr[-2000:]
    assert operations_in(tmp_path) >= {f"{o.method} {o.path}" for o in contract.operations.values()}


def operations_in(folder: Path) -> set[str]:
    """The operations that a report's scenarios name."""
    labels: set[str] = set()
    for report in folder.glob("*.ndjson"):
        for line in report.read_text().splitlines():
            label = json.loads(line).get("ScenarioFinished", {}).get("recorder", {}).get("label")
            labels |= {label} if label else set()
    return labels
