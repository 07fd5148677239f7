"""What worlds and stores cost: python -m benchmarks.worlds [--postgres [ADDRESS]] [--json FILE]

Time and memory of 1, 100 and 10,000 worlds with one write in each, over a baseline of 10,000 customers; and get, list of 25 and
create on each store. In process, through the whole ASGI application, so that no socket is measured. Without an address,
PostgreSQL is that of the tests: the one that MOCK_TEST_POSTGRES names, else one that is started.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from mock_server import app
from mock_server.front import Front
from mock_server.settings import Settings

SCALE, REPEATS, ROUNDS = 10_000, 400, 5
HEADERS = [(b"host", b"localhost"), (b"authorization", b"Bearer test-admin"), (b"content-type", b"application/json")]
CUSTOMERS = "/fentu/api/v1/customers"


def resident() -> float:
    """Memory of this process, megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


async def call(front: Front, method: str, path: str, query: str = "", body: Any = None, world: str = "default") -> int:
    """One request; its status."""
    sent: list[Any] = []
    content = b"" if body is None else json.dumps(body).encode()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [*HEADERS, (b"x-mock-world", world.encode()), (b"content-length", str(len(content)).encode())],
        "extensions": {},
    }
    await front(scope, receive, send)
    return int(sent[0]["status"])


async def timed(work: Callable[[int], Awaitable[int]]) -> float:
    """Microseconds of CPU and waiting a call, the median of some rounds."""
    await work(0)
    rounds = []
    for part in range(ROUNDS):
        start = time.perf_counter()
        for number in range(REPEATS):
            await work(part * REPEATS + number)
        rounds.append((time.perf_counter() - start) / REPEATS * 1e6)
    return statistics.median(rounds)


async def worlds(count: int) -> dict[str, Any]:
    """So many worlds with one write in each."""
    front = app.build(Settings(scale=SCALE, log="off", check_replies="off", max_worlds=count + 1))
    await call(front, "GET", CUSTOMERS)
    before, start = resident(), time.perf_counter()
    for number in range(count):
        await call(front, "POST", CUSTOMERS, body={"name": "One"}, world=f"w{number}")
    seconds = time.perf_counter() - start
    return {"worlds": count, "us_each": round(seconds / count * 1e6), "mb": round(resident() - before, 1)}


async def store(name: str, address: str) -> dict[str, Any]:
    """get, list and create on a store."""
    front = app.build(Settings(scale=SCALE, log="off", check_replies="off", store=address))
    made = {
        "get": await timed(lambda n: call(front, "GET", f"{CUSTOMERS}/cust-{1 + n % 900:03}")),
        "list": await timed(lambda n: call(front, "GET", CUSTOMERS, f"page={1 + n % 300}&per_page=25")),
        "create": await timed(lambda n: call(front, "POST", CUSTOMERS, body={"name": f"Made {n}"})),
    }
    return {"store": name, **{what: round(value) for what, value in made.items()}}


@contextlib.contextmanager
def database(given: str | None) -> Iterator[str | None]:
    """The address of the database to measure: as given, the tests' own for "", none for None."""
    if given != "":
        yield given
        return
    from tests import postgres  # noqa: PLC0415  # It needs what only the tests need.

    with postgres.running() as server, postgres.database(server) as address:
        yield address


def measured(*arguments: str) -> dict[str, Any]:
    """One measurement in a process of its own, so that memory is its own."""
    command = [sys.executable, "-m", "benchmarks.worlds", "--only", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", nargs="?", const="", help="a database that may be written to; no address: the tests' own")
    parser.add_argument("--json", help="file for the figures")
    parser.add_argument("--only", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        what, value = given.only
        print(json.dumps(asyncio.run(worlds(int(value)) if what == "worlds" else store(what, value))))
        return
    with tempfile.TemporaryDirectory() as folder, database(given.postgres) as postgres:
        stores = {"memory": "memory", "sqlite": f"sqlite:///{folder}/worlds.db"} | ({"postgresql": postgres} if postgres else {})
        rows = [measured("worlds", str(count)) for count in (1, 100, 10_000)]
        costs = [measured(name, address) for name, address in stores.items()]
    print(f"\n{platform.python_implementation()} {platform.python_version()}, {SCALE:,} customers\n\nworlds   us each       MB")
    for row in rows:
        print(f"{row['worlds']:6,} {row['us_each']:9,} {row['mb']:8,}")
    print("\nstore         get  list  create   (us a request)")
    for cost in costs:
        print(f"{cost['store']:10} {cost['get']:6,} {cost['list']:5,} {cost['create']:7,}")
    if given.json:
        Path(given.json).write_text(json.dumps({"worlds": rows, "stores": costs}, indent=2) + "\n")


if __name__ == "__main__":
    main()
