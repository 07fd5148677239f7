"""contract-tests as a person runs it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import uvicorn

from contract_tests import settings
from contract_tests.__main__ import main
from contract_tests.defects import application
from contract_tests.settings import Settings, WrongUsage
from contract_tests.testdata import TestData
from mock_server import contract
from mock_server.capsules import reading
from mock_server.credentials import Credential
from tests.conftest import running

ROOT = Path(__file__).parent.parent
REAL = "https://api.example.com/v1"
LAW = "create-persists"
DEFECT = "a creation stores nothing"
TOKEN = "pl4nted-t0ken-0123456789"


@contextlib.contextmanager
def serving(api: str, defect: str | None) -> Iterator[str]:
    """An independent implementation on a free port, in a thread; the address of its operations."""
    made = application(api, defect)
    with running(uvicorn.Server(uvicorn.Config(made, log_level="warning", access_log=False, lifespan="off"))) as root:
        yield f"{root}/fentu/api/v1"


@pytest.fixture(scope="module")
def broken() -> Iterator[str]:
    with serving("fentu", DEFECT) as base:
        yield base


# Wrong usage


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["fentoo"], "there is no API 'fentoo'; did you mean fentu?"),
        (["--sede", "3"], "there is no --sede; did you mean --seed?"),
        (["--seed", "-1"], "--seed must be a whole number from 0 to 9223372036854775807, not '-1'"),
        (["--law", "gards"], "there is no law 'gards'; did you mean guards?"),
        (["--rate", "5"], "--rate must be like 5/s or 100/m, not '5'"),
        (["--header", "X"], "--header must be like 'Name: value', not 'X'"),
        (["--header", "X: a\nY: b"], "--header must be like 'Name: value'"),
        (["--latency", "0"], "--latency must be a number of milliseconds above 0, not '0'"),
        (["--report", "pdf=a.pdf"], "--report must be like junit=report.xml, the format one of junit, json, html, sarif, har"),
        (
            ["--report", "json=nowhere/a.json"],
            "--report names 'nowhere/a.json', which cannot be written: there is no folder nowhere",
        ),
        (["--capsules", "README.md"], "--capsules must be a folder, and 'README.md' is none"),
        (["--report", "json=tests"], "which cannot be written: it is a folder"),
        (["--waivers", "nowhere"], "--waivers must be a file, and 'nowhere' is none"),
        (["--waivers", "README.md"], "--waivers: README.md:"),
        (["--baseline", "README.md"], "--baseline: README.md is not JSON"),
        (["--url", "api.example.com"], "--url must be an address like https://api.example.com/v1, not 'api.example.com'"),
        (["--url", "https://me:secret@api.example.com"], "--url must hold no user and password"),
        (["--url", "https://api.example.com:x/"], "--url must be an address"),
        (["--url", REAL], "can be the address of one API only: name it, as in `contract-tests fentu --url https://api"),
        (["fentu", "--url", f"keychain={REAL}"], "--url names the API 'keychain', which is not among those to test"),
        (["fentu", "--url", f"x={REAL}"], "--url names the API 'x', which does not exist"),
        (["fentu", "--url", REAL, "--url", REAL], "--url gives two addresses for fentu"),
        (["fentu", "keychain", "--url", f"fentu={REAL}"], "--url gives no address for keychain"),
        (["--insecure"], "--insecure is about what is at an address: it needs --url"),
        (["--proxy", "proxy"], "--proxy must be an address like http://proxy.example.com:3128"),
        (["--openapi", "nowhere"], "--openapi must be a folder"),
        (["traffic"], "the following arguments are required: FILE.har"),
        (["traffic", "nowhere.har"], "nowhere.har cannot be read: No such file or directory"),
        (["traffic", "README.md"], "README.md: it is not JSON"),
        (["traffic", "README.md", "--url", "x"], "--url must be like fentu=https://…, not 'x'"),
        (["laws", "x"], "`contract-tests laws` takes nothing more, not x"),
    ],
)
def test_a_wrong_option_is_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit status 2, what was wrong and what would be right."""
    monkeypatch.chdir(ROOT)

    status = main(arguments)

    said = capsys.readouterr()
    assert status == 2
    assert told in said.err
    assert said.err.startswith("contract-tests: ")
    assert said.out == ""


def test_all_that_is_wrong_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fentoo", "--law", "x", "--rate", "5", "--report", "a", "--report", "b", "--sede", "3"]) == 2

    assert len(capsys.readouterr().err.splitlines()) == 6


def test_mistakes_in_files_are_told_with_their_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of all the files together."""
    (tmp_path / "data.yaml").write_text(
        "fentu:\n  ids: {customr: [a]}\n  values: {customer: {nme: [x], name: 3}}\n  more: 1\nfoo: {}\n"
    )
    (tmp_path / "who.yaml").write_text("fentu:\n  - name: me\nnobody: []\n")

    status = main(["fentu", "--url", REAL, "--data", f"{tmp_path}/data.yaml", "--credentials", f"{tmp_path}/who.yaml"])

    said = capsys.readouterr().err
    assert status == 2
    for told in (
        "data.yaml:2: /fentu/ids/customr: customr is no resource here; did you mean customer?",
        "data.yaml:3: /fentu/values/customer/nme: nme is no property here; did you mean name?",
        "data.yaml:3: /fentu/values/customer/name: it must be a list of values of name, not empty",
        "data.yaml:4: /fentu/more: more is no key here",
        "data.yaml:5: /foo: foo is no API",
        "who.yaml:2: /fentu/0: it needs either `secret`, a text, or `login`",
        "who.yaml:3: /nobody: nobody is no API",
    ):
        assert told in said


# What is chosen


def chosen(*arguments: str, **environment: str) -> Settings:
    return settings.read(arguments, environment)


@pytest.mark.parametrize(
    ("arguments", "addresses"),
    [
        ([], {}),
        (["fentu", "--url", REAL + "/"], {"fentu": REAL}),
        (["--url", f"fentu={REAL}"], {"fentu": REAL}),
        (["--url", "https://staging.example.com/keychain/v1"], {"keychain": "https://staging.example.com/keychain/v1"}),
        (["--url", "https://api.keychain.com/v1"], {"keychain": "https://api.keychain.com/v1"}),
        (
            ["fentu", "keychain", "--url", "http://localhost:9"],
            {"fentu": "http://localhost:9/fentu/api/v1", "keychain": "http://localhost:9/keychain/v1"},
        ),
        (["fentu", "--url", REAL, "keychain", "--url", f"keychain={REAL}/k", "--url", f"fentu={REAL}"], None),
    ],
)
def test_an_address_takes_the_place_of_the_documents_server(arguments: list[str], addresses: dict[str, str] | None) -> None:
    """Of the only API, of the one that is named, of the one whose contract names it; or the root of a mock for several."""
    if addresses is None:
        with pytest.raises(WrongUsage):
            chosen(*arguments)
        return

    assert chosen(*arguments).addresses == addresses


def test_credentials_come_from_the_environment() -> None:
    """The variables' names follow from the contract: its security scheme, its scopes, its login."""
    given = {"FENTU_API_KEY": "f", "FENTU_READ_KEY": "r", "KEYCHAIN_API_KEY": "k"}
    login = {"LEMONSOFT_USERNAME": "u", "LEMONSOFT_PASSWORD": "p", "LEMONSOFT_DATABASE": "d", "LEMONSOFT_APIKEY": "a"}

    found = chosen(*(f"--url={api}={REAL}" for api in ("fentu", "keychain", "lemonsoft")), **given, **login).credentials

    full, read = found["fentu"]
    assert (full.secret, read.secret) == ("f", "r")
    assert read.scopes == {"read:customers", "read:work-orders", "read:assets"} < full.scopes
    assert [one.secret for one in found["keychain"]] == ["k"]
    assert [one.login for one in found["lemonsoft"]] == [{"UserName": "u", "Password": "p", "Database": "d", "ApiKey": "a"}]


def test_a_login_that_lacks_a_part_is_told() -> None:
    with pytest.raises(
        WrongUsage, match="a login at lemonsoft needs LEMONSOFT_DATABASE, LEMONSOFT_APIKEY in the environment as well"
    ):
        chosen("lemonsoft", "--url", REAL, LEMONSOFT_USERNAME="u", LEMONSOFT_PASSWORD="p")


def test_a_file_says_who_calls_before_the_environment_does(tmp_path: Path) -> None:
    path = tmp_path / "who.yaml"
    path.write_text("keychain: [{name: me, secret: mine}]")

    found = chosen("keychain", "--url", REAL, "--credentials", str(path), KEYCHAIN_API_KEY="k")

    assert found.credentials["keychain"] == (Credential("me", "mine"),)


def test_a_mock_on_this_machine_is_called_with_its_fixtures_credentials() -> None:
    """The one in this process with nothing else: it does not know those of the real API."""
    mock, local = chosen("fentu", FENTU_API_KEY="real"), chosen("fentu", "--url", "http://localhost:8080/fentu/api/v1")

    assert [one.secret for one in mock.credentials["fentu"]][:2] == ["test-admin", "test-read"]
    assert local.credentials == mock.credentials
    assert chosen("fentu", "--url", REAL).credentials == {"fentu": ()}


def test_test_data_names_records_and_values(tmp_path: Path) -> None:
    path = tmp_path / "data.yaml"
    path.write_text("fentu:\n  ids: {customer: [c-1, c-2]}\n  values: {customer: {email: [qa@example.com]}}\n")

    assert chosen("fentu", "--url", REAL, "--data", str(path)).data == {
        "fentu": TestData({"customer": ("c-1", "c-2")}, {"customer": {"email": ("qa@example.com",)}})
    }


def test_the_rest_of_the_options() -> None:
    made = chosen("fentu", "--read-only", "--rate", "90/m", "--header", "A: b", "--header", "C:", "--no-schemathesis", "--strict")

    assert (made.read_only, made.rate, made.headers, made.schemathesis, made.strict) == (
        True,
        1.5,
        (("A", "b"), ("C", "")),
        False,
        True,
    )


# Runs


def run(*arguments: str) -> int:
    """One law on one API, as quickly as that goes."""
    return main(["fentu", "--no-schemathesis", "--law", LAW, *arguments])


def test_what_holds_is_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The mock in this process; all reports are written."""
    names = {"junit": "a.xml", "json": "a.json", "html": "a.html", "sarif": "a.sarif", "har": "a.har"}

    status = run("--durations", *(f"--report={format}={tmp_path / name}" for format, name in names.items()))

    said = capsys.readouterr().out
    assert status == 0
    assert said.endswith("All that was tried held. Target the mock in this process, seed 1.\n")
    assert re.search(rf"\d\.\d\d +\d+  {LAW}\n", said)
    assert ElementTree.parse(tmp_path / "a.xml").getroot().get("failures") == "0"
    assert json.loads((tmp_path / "a.json").read_text())["status"] == 0
    assert json.loads((tmp_path / "a.sarif").read_text())["runs"][0]["results"] == []
    assert len(json.loads((tmp_path / "a.har").read_text())["log"]["entries"]) > 50
    assert "All that was tried held." in (tmp_path / "a.html").read_text()
    assert main(["traffic", str(tmp_path / "a.har")]) == 0


def test_a_violation_is_1_and_a_known_one_is_not(broken: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Known from a baseline, or from a waiver."""
    before, passed = tmp_path / "before.json", tmp_path / "waivers.yaml"
    passed.write_text(f"waivers: [{{law: {LAW}, api: fentu, operation: createCustomer, reason: Ticket 12, until: 9999-12-31}}]")

    first = run("--url", broken, "--report", f"json={before}")

    said = capsys.readouterr().out
    assert first == 1
    assert f"1. fentu: {LAW}, createCustomer\n" in said
    assert f"$ curl -X POST {broken}/customers" in said
    assert "The contract is broken." in said
    assert run("--url", broken, "--baseline", str(before)) == 0
    assert run("--url", broken, "--waivers", str(passed)) == 0
    assert "Ticket 12 (until 9999-12-31)" in capsys.readouterr().out


def test_a_finding_has_a_capsule(broken: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that the mock server replays: its requests, and the one that shows the failure; without secrets."""
    run("--url", broken, "--capsules", str(tmp_path / "capsules"))

    (path,) = (tmp_path / "capsules").iterdir()
    capsule = reading.load(path, contract.load_all(ROOT / "openapi"))
    assert f"capsule   {path}\n" in capsys.readouterr().out
    assert capsule.title == "What a creation was sent is read back, letter for letter. createCustomer"
    assert [(one.method, one.target.partition("/cust-")[0]) for one in capsule.requests] == [
        ("POST", "/fentu/api/v1/customers"),
        ("GET", "/fentu/api/v1/customers"),
    ]
    assert capsule.failing is capsule.requests[-1]
    assert "test-admin" not in path.read_text()


def test_a_waiver_of_what_holds_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    passed = tmp_path / "waivers.yaml"
    passed.write_text(f"waivers: [{{law: {LAW}, api: fentu, operation: createCustomer, reason: Ticket 12, until: 9999-12-31}}]")

    assert run("--waivers", str(passed)) == 1

    assert "is not used any more: take it out" in capsys.readouterr().out


def test_an_address_where_nothing_answers_is_3(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        status = run("--url", f"http://127.0.0.1:{unused.getsockname()[1]}/fentu/api/v1")

    assert status == 3
    assert "The target cannot be reached: fentu: " in capsys.readouterr().out


def test_credentials_that_open_nothing_are_3(
    broken: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run whose answers were all 401 proves nothing; the credential itself is in no output."""
    monkeypatch.setenv("FENTU_API_KEY", TOKEN)
    reports = [f"--report={format}={tmp_path / format}" for format in settings.FORMATS]

    status = main(["fentu", "--url", broken, "--no-schemathesis", "--law", "head", "--law", "credentials", "--strict", *reports])

    said = capsys.readouterr()
    assert status == 3
    assert "every answer was 401" in said.out
    assert TOKEN not in said.out + said.err
    assert [path.name for path in tmp_path.iterdir() if TOKEN in path.read_text()] == []


def test_every_law_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["laws"]) == 0

    assert f"{LAW}\n    What a creation was sent is read back" in capsys.readouterr().out


def test_the_command_runs_in_a_process_of_its_own() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "contract_tests", "--help"], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert "--url [API=]URL" in ended.stdout
    assert "Exit status: 0 all held" in ended.stdout


# pytest


def suite(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`pytest contract_tests` as a person runs it."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "contract_tests",
        "-p",
        "xdist",
        "-p",
        "no:cacheprovider",
        "-q",
        "--law",
        LAW,
        *arguments,
    ]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    )


def test_pytest_has_a_test_for_each_api_law_and_operation(broken: str) -> None:
    """A finding fails the test of its law and operation, and no other; several workers share the tests out by API."""
    ended = suite("--api", "fentu", "--url", broken, "-n", "2", "-rA")

    assert ended.returncode == 1
    assert re.findall(r"^FAILED \S+::(\S+)", ended.stdout, re.MULTILINE) == [f"test_law_holds[fentu:{LAW}:createCustomer]"]
    assert "PASSED contract_tests/test_contract.py::test_waivers_are_used[fentu:]" in ended.stdout
    assert "expected" in ended.stdout
    assert "$ curl -X POST" in ended.stdout


def test_pytest_tells_wrong_usage() -> None:
    ended = suite("--api", "fentoo")

    assert ended.returncode == 4
    assert "there is no API 'fentoo'; did you mean fentu?" in ended.stderr
