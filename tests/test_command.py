"""mock-server as a person runs it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

COMMAND = [sys.executable, "-m", "mock_server"]
ROOT = Path(__file__).parent.parent


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command, to its end."""
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT, env=os.environ | environment
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (["--port", "x"], {}, "--port must be a whole number from 0 to 65535, not 'x'"),
        (["--port", "70000"], {}, "--port must be a whole number from 0 to 65535, not '70000'"),
        (["--auth", "none"], {}, "--auth must be one of strict, lenient, not 'none'"),
        (["--api", "fentoo"], {}, "fentoo"),
        (["--nonsense"], {}, "--nonsense"),
        (["--scale", "-1"], {}, "--scale must be a whole number from 0"),
        (["--clock", "noon"], {}, "--clock must be a time like"),
        (["--openapi", "nowhere"], {}, "--openapi must be a folder"),
        ([], {"MOCK_SEED": "one"}, "--seed must be a whole number"),
    ],
)
def test_a_wrong_option_is_one_line(arguments: list[str], environment: dict[str, str], told: str) -> None:
    """Exit status 2, what was wrong and what would be right, no traceback."""
    ended = run("--port", "0", *arguments, **environment)

    assert ended.returncode == 2
    assert told in ended.stderr
    assert ended.stderr.startswith("mock-server: ")
    assert ended.stderr.count("\n") == 1


def test_a_taken_port_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = run("--port", str(taken.getsockname()[1]))

    assert ended.returncode == 2
    assert "Address already in use" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_broken_contract_is_told_with_file_and_line(tmp_path: Path) -> None:
    """All mistakes at once, each with its place."""
    text = (ROOT / "openapi/keychain/openapi.yaml").read_text()
    (tmp_path / "keychain").mkdir()
    (tmp_path / "semantics.schema.json").write_bytes((ROOT / "openapi/semantics.schema.json").read_bytes())
    (tmp_path / "keychain/openapi.yaml").write_text(
        text.replace("action: list", "action: lst", 1).replace("paging: offset", "paging: ofset", 1)
    )

    ended = run("--port", "0", "--openapi", str(tmp_path))

    assert ended.returncode == 2
    assert len(re.findall(r"keychain/openapi\.yaml:\d+: ", ended.stderr)) == 2
    assert "Traceback" not in ended.stderr


def test_help_names_every_option() -> None:
    ended = run("--help")

    assert ended.returncode == 0
    for flag in ("--host", "--port", "--api", "--seed", "--scale", "--auth", "--log", "--strict-query", "--reload"):
        assert flag in ended.stdout


def test_ctrl_c_stops_cleanly() -> None:
    """The table at start names addresses and credentials; a signal ends the server without a traceback."""
    with subprocess.Popen(
        [*COMMAND, "--port", "0", "--log", "requests"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as server:
        assert server.stdout is not None
        table = [server.stdout.readline() for _ in range(4)]
        root = re.search(r"http://\S+?(?=/\s)", table[0])
        assert root is not None
        asked = httpx.get(f"{root[0]}/keychain/v1/customers?api_key=hidden", headers={"X-API-Key": "test-key"})
        server.send_signal(signal.SIGINT)
        _, errors = server.communicate(timeout=30)

    assert asked.status_code == 200
    assert "Bearer test-admin" in "".join(table)
    assert server.returncode == 0
    assert "Traceback" not in errors
    assert "200 GET     /keychain/v1/customers?api_key=***" in errors
