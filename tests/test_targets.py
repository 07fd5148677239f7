"""Targets: how requests reach an application or an address, and what a target keeps from being sent."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from contract_tests.exchanges import Request
from contract_tests.targets import Address, InProcess, Network, NotSent, Unreachable


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what it was sent."""
    body = (await receive())["body"]
    seen = {
        "method": scope["method"],
        "path": scope["path"],
        "raw": scope["raw_path"].decode(),
        "query": scope["query_string"].decode(),
        "headers": [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]],
        "body": body.decode(),
    }
    await send({"type": "http.response.start", "status": 207, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(seen).encode(), "more_body": True})
    await send({"type": "http.response.body", "body": b" "})


async def broken(*_: Any) -> None:
    raise RuntimeError("a mistake")


class Handler(BaseHTTPRequestHandler):
    """Answers with method, path and body; keeps connections open."""

    protocol_version = "HTTP/1.1"
    seen: list[str] = []  # noqa: RUF012  # of one server: each test makes a class of its own

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.seen.append(f"{self.command} {self.path} from {self.client_address[1]}")
        told = b"" if self.command == "HEAD" else f"{self.command} {self.path} {body.decode()}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_POST = do_HEAD = do_DELETE = _answer  # noqa: N815  # the base class wants these names

    def log_message(self, format: str, *arguments: Any) -> None: ...


@pytest.fixture
def server() -> Iterator[tuple[str, type[Handler]]]:
    """A server's address, and what it has seen."""
    own = type("Own", (Handler,), {"seen": []})
    listening = ThreadingHTTPServer(("127.0.0.1", 0), own)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_address[1]}/base", own
    listening.shutdown()
    thread.join()
    listening.server_close()


def test_an_application_in_this_process_gets_the_request_as_it_is() -> None:
    """The path keeps its escapes, the body its bytes, and the answer comes back whole and measured."""
    target = InProcess("echo", echo, "/base")

    answer = target.send(Request("POST", "/a%20b/%C3%A4?x=1&x=2", (("X-Own", "one"),), b'{"a": 1}'))

    assert (answer.status, answer.header("Content-Type")) == (207, "application/json")
    seen = answer.json()
    assert (seen["path"], seen["raw"], seen["query"]) == ("/base/a b/ä", "/base/a%20b/%C3%A4", "x=1&x=2")
    assert seen["body"] == '{"a": 1}'
    assert ["x-own", "one"] in seen["headers"]
    assert ["content-length", "8"] in seen["headers"]
    assert answer.seconds > 0
    target.close()


def test_an_application_that_fails_has_answered_500() -> None:
    """As its server would."""
    target = InProcess("broken", broken, "")

    answer = target.send(Request("GET", "/"))

    assert answer.status == 500
    assert b"a mistake" in answer.body
    target.close()


def test_requests_together_are_under_way_at_the_same_time() -> None:
    """The first waits for the last."""
    arrived: list[str] = []
    everybody = asyncio.Event()

    async def waits(scope: Any, _receive: Any, send: Any) -> None:
        arrived.append(scope["path"])
        if len(arrived) == 3:
            everybody.set()
        await everybody.wait()
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    target = InProcess("waits", waits, "")

    answers = target.send_together([Request("GET", f"/{n}") for n in range(3)])

    assert [answer.body for answer in answers] == [b"/0", b"/1", b"/2"]
    target.close()


def test_a_read_only_target_lets_no_write_out(server: tuple[str, type[Handler]]) -> None:
    """GET, HEAD and OPTIONS are all that it sends."""
    address, seen = server
    target = Address(address, read_only=True)

    target.send(Request("GET", "/one"))
    target.send(Request("HEAD", "/one"))
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        with pytest.raises(NotSent, match=method):
            target.send(Request(method, "/one"))
    with pytest.raises(NotSent):
        target.send_together([Request("POST", "/one")])

    assert [line.split()[0] for line in seen.seen] == ["GET", "HEAD"]
    target.close()


def test_connections_are_kept(server: tuple[str, type[Handler]]) -> None:
    """Requests one after the other share a connection; the base path comes before each target."""
    address, seen = server
    target = Address(address)

    answers = [target.send(Request("POST", f"/{n}", (), b"x")) for n in range(3)]

    assert [answer.body for answer in answers] == [f"POST /base/{n} x".encode() for n in range(3)]
    assert len({line.rpartition(" ")[2] for line in seen.seen}) == 1
    target.close()


def test_headers_of_the_target_go_with_every_request() -> None:
    """As --header says."""
    target = InProcess("echo", echo, "", headers=(("X-All", "yes"),))

    assert ["x-all", "yes"] in target.send(Request("GET", "/")).json()["headers"]
    target.close()


def test_a_rate_is_kept() -> None:
    """Five requests at 50 a second take four gaps."""
    target = InProcess("echo", echo, "", rate=50)
    begun = time.perf_counter()

    for _ in range(5):
        target.send(Request("GET", "/"))

    assert time.perf_counter() - begun >= 4 / 50
    target.close()


def test_an_address_where_nothing_answers_is_unreachable() -> None:
    """The message says which request, and why."""
    target = Address("http://127.0.0.1:9", Network(timeout=2))

    with pytest.raises(Unreachable, match=r"GET http://127\.0\.0\.1:9/customers: .*refused"):
        target.send(Request("GET", "/customers"))
    target.close()
