"""contract-tests at a real address, behind a proxy that sees every request: read-only, interrupted, cut off."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from contract_tests import runner, settings
from contract_tests.__main__ import main
from contract_tests.callers import Caller
from contract_tests.defects import application
from contract_tests.laws import LAWS, SCHEMATHESIS
from contract_tests.targets import Application, InProcess
from mock_server import app
from mock_server.commands import capsule
from mock_server.contract import Contract, Json
from mock_server.settings import Settings as MockSettings
from tests.conftest import running

ROOT = Path(__file__).parent.parent
APIS = ("fentu", "keychain", "lemonsoft")
QUICK = [law.name for law in LAWS if law.name not in (SCHEMATHESIS, "filters-are-exact", "filters-combine")]
SAFE = {"GET", "HEAD", "OPTIONS"}
CUT = "cut"  # what an act says for a connection to end without an answer


class Proxy(ThreadingHTTPServer):
    """Passes requests on, and counts them."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), Relay)
        self.behind = behind.removeprefix("http://")
        self.methods: list[str] = []
        self.act: Callable[[int, str], object] = lambda _number, _method: None
        self.turn = threading.Lock()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: Any) -> None: ...  # A client that is interrupted leaves connections half read.


class Relay(BaseHTTPRequestHandler):
    """One connection through the proxy."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Proxy

    def _relay(self) -> None:
        sent = self.rfile.read(int(self.headers.get("content-length") or 0))
        with self.server.turn:
            self.server.methods.append(self.command)
            number = len(self.server.methods)
        said = self.server.act(number, self.command)
        behind = http.client.HTTPConnection(self.server.behind)
        behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            behind.putheader(name, value)
        behind.endheaders(sent or None)
        answer = behind.getresponse()
        body = answer.read()
        behind.close()
        if said == CUT:
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._relay
        raise AttributeError(name)

    def log_message(self, *_: Any) -> None: ...


@contextlib.contextmanager
def proxied(served: Application) -> Iterator[Proxy]:
    """An application on a free port, and a proxy before it."""
    with running(uvicorn.Server(uvicorn.Config(served, log_level="warning", access_log=False, lifespan="off"))) as root:
        proxy = Proxy(root)
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join()
        proxy.server_close()


def contract_of(api: str) -> Contract:
    return settings.read([api, "--no-schemathesis"], {}).contracts[api]


def command(api: str, proxy: Proxy, *arguments: str) -> list[str]:
    address = f"{api}={proxy.address}{contract_of(api).base_path}"
    return [sys.executable, "-m", "contract_tests", api, "--url", address, *arguments]


def started(api: str, proxy: Proxy, *arguments: str) -> subprocess.Popen[str]:
    """contract-tests in a process of its own."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command(api, proxy, *arguments), text=True, cwd=ROOT, **pipes)  # type: ignore[call-overload, no-any-return]


def ended(api: str, proxy: Proxy, *arguments: str) -> tuple[int, str]:
    """Exit status and output of a whole run."""
    process = started(api, proxy, *arguments)
    out, err = process.communicate(timeout=120)
    return process.returncode, out + err


def records(api: str, served: Application) -> dict[str, dict[str, Json]]:
    """Every record that any list has, as fully as it is shown: resource -> id -> record."""
    chosen = settings.read([api, "--no-schemathesis"], {})
    caller = Caller(chosen.contracts[api], InProcess(api, served, chosen.contracts[api].base_path), chosen.credentials[api])
    found: dict[str, dict[str, Json]] = {}
    for resource in caller.contract.resources.values():
        if caller.of("list", resource=resource):
            shown = caller.existing(resource)
            found[resource.name] = {str(handle.id): (record, caller.look(handle).record) for handle, record in shown}
    caller.target.close()
    return found


# Read-only


def opened(api: str, proxy: Proxy, folder: Path) -> list[str]:
    """The credential of a session that somebody else has opened, where the API has sessions."""
    contract = contract_of(api)
    login = next((one for one in contract.operations.values() if one.action == "login"), None)
    if contract.sessions is None or login is None:
        return []
    known = settings.read([api, "--no-schemathesis"], {}).credentials[api][0].login
    answer = httpx.post(f"http://{proxy.behind}{contract.base_path}{login.path}", json=known)
    path = folder / "session.yaml"
    path.write_text(f"{api}: [{{name: open, secret: {answer.json()['session_id']}}}]")
    return ["--credentials", str(path)]


@pytest.mark.parametrize("api", APIS)
def test_a_read_only_run_sends_nothing_but_reading_requests(api: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The proxy sees no unsafe method; the report names the laws that this leaves unproved."""
    with proxied(application(api)) as proxy:
        credentials = opened(api, proxy, tmp_path)

        status = main([*command(api, proxy, "--read-only", *(f"--law={law}" for law in QUICK))[3:], *credentials])

    assert set(proxy.methods) <= SAFE
    assert len(proxy.methods) > 50
    said = capsys.readouterr().out
    assert status == 0, said
    assert "it needs writes, and the run is read-only" in said or api == "keychain"


def test_a_read_only_run_with_schemathesis_reads_only() -> None:
    """In all its phases, at the mock, in a process of its own."""
    with proxied(app.build(MockSettings(apis=("keychain",), log="off"))) as proxy:
        status, said = ended("keychain", proxy, "--read-only", "--law", "schemathesis", "--examples", "1")

    assert status == 0, said
    assert set(proxy.methods) <= SAFE
    assert len(proxy.methods) > 20


def test_a_read_only_run_does_not_log_in(capsys: pytest.CaptureFixture[str]) -> None:
    """It says that it lacks a session, and how to give one."""
    with proxied(application("lemonsoft")) as proxy:
        status = main(command("lemonsoft", proxy, "--read-only", "--law", "reading-changes-nothing")[3:])

    assert status == 3
    assert set(proxy.methods) <= SAFE
    assert "a read-only run does not log in; give an open session as `secret` in --credentials" in capsys.readouterr().out


# Interrupted


@pytest.mark.parametrize(
    ("api", "number", "kind", "arguments"),
    [
        ("fentu", 40, signal.SIGINT, ["--no-schemathesis"]),
        ("fentu", 150, signal.SIGTERM, ["--law", "schemathesis", "--examples", "1"]),
        ("lemonsoft", 300, signal.SIGINT, ["--no-schemathesis"]),
    ],
)
def test_an_interrupted_run_leaves_nothing_behind(
    api: str, number: int, kind: signal.Signals, arguments: list[str], tmp_path: Path
) -> None:
    """Every list is as it was, but for what no operation deletes: that is named."""
    served, told = application(api), tmp_path / "report.json"
    before = records(api, served)
    with proxied(served) as proxy:
        process = started(api, proxy, *arguments, "--report", f"json={told}")
        proxy.act = lambda seen, _method: process.send_signal(kind) if seen == number else None
        out, err = process.communicate(timeout=120)

    assert process.returncode == 3, out + err
    assert "The run was interrupted before everything was tried." in out
    left = json.loads(told.read_text())["leftovers"]
    assert all("no operation deletes" in one["reason"] for one in left)
    named = {(one["resource"], one["id"]) for one in left}
    after = records(api, served)
    for resource, there in before.items():
        assert {id: record for id, record in after[resource].items() if (resource, id) not in named} == there


def test_a_second_interrupt_ends_the_clean_up() -> None:
    """What is left then is named."""
    served = application("fentu")
    with proxied(served) as proxy:
        process = started("fentu", proxy, "--no-schemathesis")
        deletions: list[int] = []

        def interrupt(seen: int, method: str) -> None:
            deletions.extend([seen] if method == "DELETE" and seen > 40 else [])
            if seen == 40 or deletions == [seen]:
                process.send_signal(signal.SIGINT)

        proxy.act = interrupt
        out, err = process.communicate(timeout=120)

    assert process.returncode == 3, out + err
    assert re.search(r"fentu \w+ [\w-]+(, [\w-]+)*: the clean-up was interrupted", out), out
    assert "Traceback" not in out + err


def test_a_connection_that_dies_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A creation whose answer never came may have made a record: the report says so."""
    with proxied(application("fentu")) as proxy:
        lost: list[int] = []

        def cut(seen: int, method: str) -> object:
            lost.extend([seen] if method == "POST" and seen > 20 and not lost else [])
            return CUT if lost == [seen] else None

        proxy.act = cut
        main(command("fentu", proxy, "--no-schemathesis", "--law", "create-persists")[3:])

    assert (
        "fentu customer of POST /customers: it was not answered: whether it made a record is not known" in capsys.readouterr().out
    )


def test_a_target_that_goes_away_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    """What it holds is named, since nobody is there to delete it."""
    with proxied(application("fentu")) as proxy:
        proxy.act = lambda seen, _method: CUT if seen > 30 else None
        status = main(command("fentu", proxy, "--no-schemathesis", "--law", "create-persists")[3:])

    assert status in (1, 3)
    assert "nothing answers any more" in capsys.readouterr().out


# Runs that prove nothing


class Instead:
    """The sound implementation, but for what is answered in its place."""

    def __init__(self, api: str, answer: Callable[[str, str], tuple[int, bytes] | None]) -> None:
        self._inner, self._answer = application(api), answer

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        own = self._answer(scope["method"], scope["path"])
        if own is None:
            await self._inner(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": own[0], "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": own[1]})


def hollow(api: str, served: Application, **changes: Json) -> list[str]:
    """Why a whole run of the laws proves too little."""
    chosen = replace(settings.read([api, "--no-schemathesis"], {}), **changes)
    read_only = chosen.read_only
    return runner.run(chosen, targets=lambda own: InProcess(api, served, own.base_path, read_only=read_only)).hollow


def test_answers_that_are_all_401_prove_nothing() -> None:
    served = Instead("keychain", lambda _method, _path: (401, b"{}"))

    assert hollow("keychain", served) == ["keychain: every answer was 401 or 403; give credentials"]


def test_an_address_below_which_nothing_is_proves_nothing() -> None:
    """One reason for all operations."""
    (reason,) = hollow("keychain", Instead("keychain", lambda _method, _path: (404, b"{}")))

    assert re.fullmatch(r"keychain: no answer was a success \(404 \d+ times\): is the address that of the operations.*", reason)


def test_an_operation_that_is_not_there_is_named() -> None:
    """Fewer operations than the contract has."""
    gone = Instead("keychain", lambda _method, path: (404, b"{}") if "/sales-orders/" in path else None)

    reasons = hollow("keychain", gone)

    assert any("getSalesOrder never succeeded" in one and one.endswith("; it does not seem to be there") for one in reasons)
    assert "keychain: 6 of the 7 operations succeeded" in reasons


def test_an_operation_that_always_fails_is_named() -> None:
    """With how it was answered."""
    failing = Instead("keychain", lambda method, path: (500, b"{}") if method == "GET" and path.endswith("/skus") else None)

    assert any(re.search(r"listSkus never succeeded \(GET /skus: 500 \d+ times", one) for one in hollow("keychain", failing))


def test_a_filter_that_never_matches_is_named() -> None:
    """There is nothing that it could match."""
    assert any("never matched a record" in one for one in hollow("fentu", Empty("fentu"), read_only=True))


class Empty:
    """The sound implementation, whose lists are empty."""

    def __init__(self, api: str) -> None:
        self._inner = application(api)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        sent: list[Any] = []

        async def keep(message: Any) -> None:
            sent.append(message)

        await self._inner(scope, receive, keep)
        body = b"".join(one.get("body", b"") for one in sent)
        value = json.loads(body) if body and sent[0]["status"] == 200 else {}
        if isinstance(value.get("data"), list):
            value |= {"data": [], "meta": value["meta"] | {"total_count": 0, "total_pages": 0}}
            body = json.dumps(value).encode()
        headers = [pair for pair in sent[0]["headers"] if pair[0] != b"content-length"]
        await send({**sent[0], "headers": headers})
        await send({"type": "http.response.body", "body": body})


# Capsules


def test_a_capsule_of_a_finding_is_reproduced_where_it_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is not at the sound implementation."""
    monkeypatch.setenv("FENTU_API_KEY", "test-admin")
    defect = "names are trimmed"
    with proxied(application("fentu", defect)) as broken, proxied(application("fentu")) as sound:
        found = main(
            command("fentu", broken, "--no-schemathesis", "--law", "create-persists", "--capsules", str(tmp_path / "c"))[3:]
        )
        path = str(next(iter((tmp_path / "c").iterdir())))
        capsys.readouterr()

        replayed = [
            (capsule.main(["replay", path, "--url", f"{one.address}{contract_of('fentu').base_path}"]), capsys.readouterr())
            for one in (broken, sound)
        ]

    assert found == 1
    assert [status for status, _ in replayed] == [capsule.REPRODUCED, capsule.CHANGED], replayed
