"""What a world costs by its size: python -m benchmarks.sizes [--json FILE]

A server is started with 60, 10,000 and a million customers: time to the first answer, and memory. Then, in process through the
whole ASGI application, microseconds of a request, each for something else than the one before: get, a list with filter and total,
a deep page, a search. A million is to start as fast as sixty, stay below 100 MB, and take at most three times what 10,000 take.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase
from typing import Any

from benchmarks import cores
from benchmarks.processes import Process, free_port
from benchmarks.report import table
from benchmarks.rows import CREDENTIAL, PAGE
from benchmarks.servers import ROOT, ours
from benchmarks.worlds import CUSTOMERS, call, resident, timed
from mock_server import app
from mock_server.settings import Settings

SMALL, MIDDLE, LARGE = SIZES = 60, 10_000, 1_000_000
STARTS = 3
MOST_TIMES, MOST_MEMORY, MOST_START = 3, 100, 1.25  # the last: what two starts of the same server may differ by
WORDS = ["".join(letters) for letters in itertools.product(ascii_lowercase, repeat=2)]


@dataclass(frozen=True, slots=True)
class Asked:
    """A kind of request: of its turn and the number of customers, path and query."""

    title: str
    path: Callable[[int, int], str] = lambda _turn, _size: CUSTOMERS
    query: Callable[[int, int], str] = lambda _turn, _size: ""


ASKED: Mapping[str, Asked] = {
    "get": Asked("GET by id", path=lambda turn, size: f"{CUSTOMERS}/cust-{1 + turn * 7919 % size:03}"),
    "list": Asked(
        "list, filter and total",
        query=lambda turn, size: (
            f"status=active&branch_id=branch-{1 + turn % 3:03}&page={1 + turn % max(1, min(size, MIDDLE) // 400)}"
        ),
    ),
    "deep": Asked("deep page", query=lambda turn, size: f"per_page={PAGE}&page={max(1, size // PAGE - turn % (MIDDLE // PAGE))}"),
    "search": Asked("search", query=lambda turn, _: f"search={WORDS[turn % len(WORDS)]}&page={1 + turn % 3}"),
}


async def requests(size: int) -> dict[str, float]:
    """Microseconds of each kind of request, and megabytes after all of them."""
    front = app.build(Settings(scale=size, log="off"))

    async def ask(asked: Asked, turn: int) -> int:
        return await call(front, "GET", asked.path(turn, size), asked.query(turn, size))

    found = {name: await timed(lambda turn, asked=asked: ask(asked, turn)) for name, asked in ASKED.items()}  # type: ignore[misc]
    return found | {"mb": resident()}


def started(size: int, core: int | None) -> tuple[float, float]:
    """Seconds to the first answer, and megabytes then."""
    server = ours("--scale", str(size))
    port = free_port()
    process = Process(server.command(port), port, core, ROOT)
    try:
        seconds = process.answering(f"{CUSTOMERS}/cust-001", {"Authorization": CREDENTIAL})
        return seconds, process.memory()
    finally:
        process.end()


def measured(size: int, core: int | None) -> dict[str, float]:
    """One row: the starts, and the requests in a process of their own."""
    starts = [started(size, core) for _ in range(STARTS)]
    command = [sys.executable, "-m", "benchmarks.sizes", "--only", str(size)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    found: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return {"start": statistics.median(start for start, _ in starts), "idle_mb": min(memory for _, memory in starts), **found}


def ratios(found: Mapping[int, Mapping[str, float]]) -> list[tuple[str, float, float]]:
    """What is told, what was found, and the most that it may be."""
    of = {name: found[LARGE][name] / found[MIDDLE][name] for name in ASKED}
    return [
        ("start, times that of 60", found[LARGE]["start"] / found[SMALL]["start"], MOST_START),
        ("MB after all requests", found[LARGE]["mb"], MOST_MEMORY),
        *((f"{asked.title}, times that of {MIDDLE:,}", of[name], MOST_TIMES) for name, asked in ASKED.items()),
    ]


def told(found: Mapping[int, Mapping[str, float]]) -> str:
    head = ["customers", "first answer, s", "idle, MB", *(f"{asked.title}, us" for asked in ASKED.values()), "after, MB"]
    rows = [
        [f"{size:,}", f"{row['start']:.2f}", f"{row['idle_mb']:.0f}", *(f"{row[name]:.0f}" for name in ASKED), f"{row['mb']:.0f}"]
        for size, row in found.items()
    ]
    judged = [
        [title, f"{value:.2f}", f"at most {most:g}", "pass" if value <= most else "MISS"] for title, value, most in ratios(found)
    ]
    return "\n\n".join([table(head, rows), table([f"a world of {LARGE:,}", "found", "wanted", ""], judged)])


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sizes", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        print(json.dumps(asyncio.run(requests(given.only))))
        return
    found: dict[int, dict[str, Any]] = {size: measured(size, cores.found().server) for size in SIZES}
    print(told(found))
    if given.json:
        given.json.write_text(json.dumps({str(size): row for size, row in found.items()}, indent=2) + "\n")


if __name__ == "__main__":
    main()
