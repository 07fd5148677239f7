"""Targets: how requests reach an application or an address, and what a target keeps from being sent."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from contract_tests.exchanges import Request
from contract_tests.targets import Address, InProcess, Lost, Network, NotSent, Refused, Unreachable


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


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Scripted:
    """A server that takes one connection after the other, and closes each where its script ends: answers to one request each.

    An empty answer is none.
    """

    def __init__(self, *scripts: Sequence[bytes]) -> None:
        self.seen: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, args=(scripts,), daemon=True).start()

    def _serve(self, scripts: Sequence[Sequence[bytes]]) -> None:
        for number, script in enumerate(scripts):
            connection, _ = self._listening.accept()
            with connection:
                for answer in script:
                    self.seen.append(f"{connection.recv(1000).split()[0].decode()} on {number}")
                    connection.sendall(answer)
        self._listening.close()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_may_be_repeated_goes_over_a_new_connection_when_a_kept_one_is_closed(method: str) -> None:
    """A server may close a kept connection at any time."""
    server = Scripted((ANSWER, b""), (ANSWER,))
    target = Address(server.address)

    answers = [target.send(Request(method, "/")) for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 200]
    assert server.seen == [f"{method} on 0", f"{method} on 0", f"{method} on 1"]
    assert target.unanswered == []
    target.close()


def test_a_creation_on_a_closed_connection_is_lost_and_not_sent_again() -> None:
    """It may have been done; those after it take new connections."""
    server = Scripted((ANSWER, b""), (ANSWER,), (ANSWER,))
    target = Address(server.address)

    target.send(Request("POST", "/"))
    with pytest.raises(Lost, match="closed without an answer"):
        target.send(Request("POST", "/"))
    for _ in range(2):
        target.send(Request("POST", "/"))

    assert server.seen == ["POST on 0", "POST on 0", "POST on 1", "POST on 2"]
    assert len(target.unanswered) == 1
    target.close()


def test_a_deletion_that_is_repeated_and_finds_nothing_is_lost() -> None:
    """The first may have been done."""
    server = Scripted((ANSWER, b""), (ANSWER.replace(b"200 OK", b"404 Not Found"),))
    target = Address(server.address)

    target.send(Request("DELETE", "/"))
    with pytest.raises(Lost, match="and then 404"):
        target.send(Request("DELETE", "/"))
    target.close()


def test_a_new_connection_that_is_closed_is_a_failure() -> None:
    """Nobody has kept it too long."""
    server = Scripted((b"",))
    target = Address(server.address)

    with pytest.raises(Unreachable) as failure:
        target.send(Request("GET", "/"))

    assert not isinstance(failure.value, Lost | Refused)
    target.close()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", b""])
def test_a_large_body_may_be_refused_before_it_is_read(answer: bytes) -> None:
    """With an answer, which is read, or without one."""
    server = Scripted((answer,))
    target = Address(server.address)

    def send() -> int:
        return target.send(Request("POST", "/", (), b"x" * 20_000_000)).status

    if answer:
        assert send() == 413
    else:
        with pytest.raises(Refused, match="before its body was read"):
            send()
    assert target.unanswered == []
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
