"""What no server of this kind can go below: python -m benchmarks.floors FLOOR --port NUMBER [--http uvicorn|granian]

fixed      a bare ASGI callable that answers the bytes that the mock server answers
starlette  the same bytes from bare Starlette, with a route for each operation of the contract
handler    a bare ASGI callable over the mock server's own behaviours and records: path -> record -> bytes; a body is read,
           stored and shown. It has no routes, security, validation, journal or choice of worlds

Each stands under the HTTP server that the mock server has.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.load import NUMBER, NUMBER_DIGITS
from benchmarks.rows import BASE, CREDENTIAL, CUSTOMERS, INVALID, RESET, ROWS, Target
from mock_server import app, contract, fixtures, serving
from mock_server.behaviours import BEHAVIOURS
from mock_server.call import Call
from mock_server.contract import Contract
from mock_server.plans import plan
from mock_server.reply import Reply
from mock_server.seeded import Baseline
from mock_server.settings import Settings
from mock_server.worlds import DEFAULT, World

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes]

API = BASE.split("/")[1]
PATH = f"{BASE}/customers"
HANDLED = GET, LIST, CREATE = "getCustomer", "listCustomers", "createCustomer"
WRONG = orjson.dumps({"name": INVALID["name"]})[1:-1]  # by which the fixed answers know the invalid body
SETTINGS = Settings(apis=(API,), scale=CUSTOMERS, log="off")


async def fixed() -> Application:
    """Bytes alone."""
    known = await answers()
    created, refused = known["create"], known["refuse"]

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["method"] == "GET":
            await _send(send, known[_target(scope)])
        else:
            await _send(send, refused if WRONG in await _body(receive) else created)

    return answer


async def starlette() -> Application:
    """The same bytes, as anyone would write it with Starlette."""
    known = await answers()

    async def read(request: Request) -> Response:
        return _response(known[_target(request.scope)])

    async def write(request: Request) -> Response:
        return _response(known["refuse" if WRONG in await request.body() else "create"])

    operations = _contract().operations.values()
    routes = [Route(BASE + made.path, read if made.method == "GET" else write, methods=[made.method]) for made in operations]
    return Starlette(routes=[*routes, Route(RESET, write, methods=["POST"])])


async def handler() -> Application:
    """The mock server's behaviours over its records, and nothing before them."""
    known = _contract()
    new = _worlds(known)
    world = new()
    state = world.state(API)
    operations = known.operations
    act = {name: partial(BEHAVIOURS[operations[name].action], plan(known, operations[name])) for name in HANDLED}
    refused = (await answers())["refuse"]

    def read(path: str, query: bytes) -> Reply:
        if path != PATH:
            return act[GET](Call(operations[GET], DEFAULT, path={"id": path[len(PATH) + 1 :]}), world, state)
        sent: dict[str, Any] = dict(parse_qsl(query.decode()))
        sent |= {name: int(sent[name]) for name in ("page", "per_page")}
        return act[LIST](Call(operations[LIST], DEFAULT, query=sent), world, state)

    def write(body: bytes) -> Answer:
        record = orjson.loads(body)
        if type(record["name"]) is not str:
            return refused
        made = act[CREATE](Call(operations[CREATE], DEFAULT, body=record), world, state)
        world.saved()
        return _json(made)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal world, state
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["method"] == "GET":
            await _send(send, _json(read(scope["path"], scope["query_string"])))
        elif scope["path"] == RESET:
            world = new()
            state = world.state(API)
            await _send(send, _json(Reply(200, b"{}")))
        else:
            await _send(send, write(await _body(receive)))

    return answer


FLOORS: Mapping[str, Callable[[], Awaitable[Application]]] = {"fixed": fixed, "starlette": starlette, "handler": handler}


def _contract() -> Contract:
    return contract.load_all(SETTINGS.openapi, SETTINGS.apis)[API]


def _worlds(known: Contract) -> Callable[[], World]:
    """What makes a new world; all have one baseline."""
    credentials, data = fixtures.load(SETTINGS.fixtures, {API: known}, lenient=False)
    baseline = Baseline(known, data[API], SETTINGS.seed, SETTINGS.scale)
    return lambda: World(DEFAULT, SETTINGS.seed, SETTINGS.scale, {API: known}, lambda *_: baseline, credentials)


async def answers() -> dict[str, Answer]:
    """What the mock server answers: to each GET, by its target; to the valid and the invalid body, by their row."""
    front = app.build(SETTINGS)
    found = {}
    for name, row in ROWS.items():
        for target in row.targets:
            found[name if target.body else target.path(BASE, {})] = await _answered(front, target)
    return found


async def _answered(front: Application, target: Target) -> Answer:
    """One answer of an application, without an HTTP server."""
    sent: list[Message] = []
    path, _, query = target.path(BASE, {}).partition("?")
    body = orjson.dumps(target.body).replace(NUMBER.encode(), b"0" * NUMBER_DIGITS) if target.body else b""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = {"host": "localhost", "authorization": CREDENTIAL, "content-length": str(len(body))}
    headers |= {"content-type": "application/json"} if body else {}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST" if body else "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "extensions": {},
    }
    await front(scope, receive, send)
    return sent[0]["status"], list(sent[0]["headers"]), b"".join(message.get("body", b"") for message in sent[1:])


def _target(scope: Scope) -> str:
    query = scope["query_string"]
    path: str = scope["path"]
    return f"{path}?{query.decode()}" if query else path


def _json(reply: Reply) -> Answer:
    body = reply.body or b""
    return reply.status, [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))], body


def _response(answer: Answer) -> Response:
    return Response(answer[2], answer[0], media_type="application/json")


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message["body"]
    while message["more_body"]:
        message = await receive()
        body += message["body"]
    return body


async def _send(send: Send, answer: Answer) -> None:
    status, headers, body = answer
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


def _uvicorn(application: Application, port: int) -> None:
    serving.server(application, host="127.0.0.1", port=port, lifespan="on").run()


def _granian(application: Application, port: int) -> None:
    from granian.constants import Interfaces  # noqa: PLC0415  # Only where it is installed.
    from granian.server.embed import Server  # noqa: PLC0415

    asyncio.run(Server(application, port=port, interface=Interfaces.ASGI, log_enabled=False).serve())


SERVERS: Mapping[str, Callable[[Application, int], None]] = {"uvicorn": _uvicorn, "granian": _granian}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.floors", description=__doc__)
    parser.add_argument("floor", choices=FLOORS)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--http", choices=SERVERS, default="uvicorn")
    given = parser.parse_args()
    SERVERS[given.http](asyncio.run(_made(given.floor)), given.port)


async def _made(floor: str) -> Application:
    return await FLOORS[floor]()


if __name__ == "__main__":
    main()
