"""mock-server as a person runs it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import httpx
import pytest

from mock_server import settings

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
        (["--nonsense"], {}, "there is no --nonsense"),
        (["--sede=3"], {}, "there is no --sede=3; did you mean --seed?"),
        (["--sca", "3"], {}, "there is no --sca; did you mean --scale?"),
        (["--seed=--5"], {}, "--seed must be a whole number from 0 to 9223372036854775807, not '--5'"),
        (["--seed", "9" * 5000], {}, f"not '{'9' * 40}…'"),
        (["--host", "é..x"], {}, "cannot listen at é..x"),
        (["--clock", "0001-01-01T00:00:00+23:00"], {}, "--clock must be a time like"),
        (["--scale", "-1"], {}, "--scale must be a whole number from 0"),
        (["--clock", "noon"], {}, "--clock must be a time like"),
        (["--openapi", "nowhere"], {}, "--openapi must be a folder"),
        ([], {"MOCK_SEED": "one"}, "MOCK_SEED must be a whole number"),
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


def test_an_empty_variable_is_none() -> None:
    """`MOCK_SEED= mock-server` is `mock-server`."""
    assert settings.read([], {"MOCK_SEED": "", "MOCK_STRICT_QUERY": ""}) == settings.Settings()


def test_an_unknown_variable_is_told() -> None:
    """A typing error in the environment would otherwise pass in silence."""
    ended = run("--port", "0", "--api", "fentoo", MOCK_PROT="80", MOCK_TEST_POSTGRES="x")

    assert ended.stderr.splitlines()[0] == "mock-server: MOCK_PROT in the environment is no setting; did you mean MOCK_PORT?"
    assert ended.stderr.count("\n") == 2


def test_the_version_is_told() -> None:
    assert re.fullmatch(r"mock-server \d+\.\d+\.\d+\n", run("--version").stdout)


def test_the_table_says_what_is_not_as_usual(tmp_path: Path) -> None:
    """Whoever looks at the terminal sees which data are served, and to whom; a password is not shown."""
    chosen = settings.read(["--auth", "lenient", "--seed", "7", "--host", "0.0.0.0", "--fixtures", str(tmp_path), "--log", "off"])

    assert settings.told(chosen) == [f"With --host 0.0.0.0, --seed 7, --auth lenient, --fixtures {tmp_path}"]
    assert settings.told(settings.read(["--store", "postgresql://me:secret@host/db"])) == [
        "With --store postgresql://me:***@host/db"
    ]
    assert settings.told(settings.Settings()) == []


def test_help_names_every_option() -> None:
    ended = run("--help")

    assert ended.returncode == 0
    for flag in ("--host", "--port", "--api", "--seed", "--scale", "--auth", "--log", "--strict-query", "--reload"):
        assert flag in ended.stdout
    assert "requests|failures|off|auto" in ended.stdout


def started(*arguments: str) -> subprocess.Popen[str]:
    """The command in a group of its own, as a shell would start it."""
    return subprocess.Popen(
        [*COMMAND, "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )


def root_in(line: str) -> str:
    """The address in the first line of the table."""
    root = re.search(r"http://\S+?(?=/\s)", line)
    assert root is not None, line
    return root[0]


def line_of(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline()


def test_sigterm_stops_cleanly_even_in_the_middle_of_an_upload() -> None:
    """As containers stop what they run: status 0, no traceback, and the client is told."""
    with started("--log", "off") as server:
        root = urlsplit(root_in(line_of(server.stdout)))
        with socket.create_connection((root.hostname or "", root.port or 0)) as client:
            client.sendall(
                b"POST /fentu/api/v1/customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer test-admin\r\n"
                b"Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
            )
            asked_to_go_on = client.recv(100)
            server.terminate()
            answer = client.recv(100)
        _, errors = server.communicate(timeout=30)

    assert asked_to_go_on.startswith(b"HTTP/1.1 100")
    assert answer.startswith(b"HTTP/1.1 503")
    assert server.returncode == 0
    assert "Traceback" not in errors


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_contract_is_mended_while_the_server_waits(tmp_path: Path, how: signal.Signals) -> None:
    """--reload: what is broken is told, and once it is mended the server starts; either signal ends it in silence."""
    for folder in ("openapi", "fixtures"):
        shutil.copytree(ROOT / folder / "keychain", tmp_path / folder / "keychain")
    folders = ("--openapi", str(tmp_path / "openapi"), "--fixtures", str(tmp_path / "fixtures"))
    contract = tmp_path / "openapi/keychain/openapi.yaml"
    good = contract.read_text()
    contract.write_text(good.replace("action: list", "action: lst", 1))

    with started("--reload", "--log", "off", *folders) as server:
        told = [line_of(server.stderr) for _ in range(2)]
        contract.write_text(good)
        lines = [line_of(server.stdout) for _ in range(3)]
        served = httpx.get(root_in(lines[1]) + "/keychain/v1/customers", headers={"X-API-Key": "test-key"})
        if how == signal.SIGINT:
            os.killpg(server.pid, how)  # As a terminal does.
        else:
            server.send_signal(how)
        _, errors = server.communicate(timeout=30)

    assert re.match(r"mock-server: .*openapi\.yaml:\d+: ", told[0])
    assert told[1] == "mock-server: waiting for a change of a contract or fixture.\n"
    assert lines[0] == "Changed: starting anew.\n"
    assert served.status_code == 200
    assert server.returncode == 0
    assert errors == ""


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
