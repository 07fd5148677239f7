"""The benchmark measures what it says: the same work, from servers that answer as asked."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import floors, load, short
from benchmarks.figures import Figure, Found, ratio
from benchmarks.goals import goals
from benchmarks.load import NUMBER, Load, NoAnswer
from benchmarks.peers import PEERS, NotInstalled, Peer
from benchmarks.probes import Asker, found, numbered
from benchmarks.processes import NotStarted, Process, free_port
from benchmarks.rows import BASE, INVALID, PAGE, RESET, ROWS, VALID, Target
from benchmarks.servers import FLOOR, OURS, floor

TURNED_DOWN = 422


@pytest.fixture(scope="module")
def handler() -> Iterator[int]:
    """The port of a bare handler that runs."""
    server, port = floor("handler"), free_port()
    process = Process(server.command(port), port, None, server.folder)
    try:
        process.answering(f"{BASE}/customers/cust-001", {})
        yield port
    finally:
        process.end()


def figure(per_second: float, cpu: float = 10) -> Figure:
    return Figure(per_second, p50=1, p99=2, cpu=cpu, busy=0.5)


def test_the_floor_does_the_servers_work(handler: int) -> None:
    """The bare handler keeps what it is told, filters, and answers a page of 25; it asks for no credentials."""
    does = found(floor("handler"), handler)

    assert does == {"state": True, "filters": True, "authentication": False, "validation": True, "records": PAGE}


def test_a_reset_takes_back_what_a_round_wrote(handler: int) -> None:
    """Rounds begin alike."""
    asker, reset = Asker(floor("handler"), handler), f"POST {RESET} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{{}}"
    ids = []

    for _ in range(2):
        load.driven(Load(handler, [reset], 0.01, connections=1))
        ids.append(asker.ask(Target(body=numbered(VALID, 1)))[1]["data"]["id"])

    assert ids[0] == ids[1]


def test_a_floor_answers_the_servers_bytes() -> None:
    """Each request of each row has the status that the row asks for, and the bare callable knows its answer."""
    known = asyncio.run(floors.answers())

    statuses = {
        name: {known[name if target.body else target.path(BASE, {})][0] for target in row.targets} for name, row in ROWS.items()
    }

    assert statuses == {"get": {200}, "list": {200}, "search": {200}, "create": {201}, "refuse": {TURNED_DOWN}}
    assert floors.WRONG in json.dumps(INVALID, separators=(",", ":")).encode()


def test_load_counts_answers_and_refusals(handler: int) -> None:
    """Every valid body is another one, so none is refused; every invalid one is."""
    texts = {name: [target.text(BASE, {}) for target in ROWS[name].targets] for name in ("create", "refuse")}

    measured = {name: load.driven(Load(handler, requests, 0.05, first=1_000_000)) for name, requests in texts.items()}

    assert measured["create"].refused == 0 < measured["create"].requests
    assert measured["refuse"].refused == measured["refuse"].requests > 0
    assert NUMBER in texts["create"][0]


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_wrk_counts_them_too(handler: int) -> None:
    """Whichever sends the load, the same is told of it."""
    requests = [target.text(BASE, {}) for name in ("get", "create", "refuse") for target in ROWS[name].targets[:1]]

    measured = load.measured(Load(handler, requests, 1, first=2_000_000, connections=3), shutil.which("wrk"))

    assert abs(measured.refused - measured.requests / 3) <= 3
    assert 0 < measured.p50 <= measured.p99


def test_load_at_nothing_is_told() -> None:
    """A server that is gone has no figures."""
    with pytest.raises(NoAnswer):
        load.driven(Load(free_port(), ["GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"], 0.01))


@pytest.mark.parametrize(
    ("answer", "complete"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", True),
        (b"HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\n{", False),
        (b"HTTP/1.1 200 OK\r\nContent-Len", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", False),
        (b"HTTP/1.1 204 No Content\r\nDate: today\r\n\r\n", True),
    ],
)
def test_an_answer_is_waited_for_as_a_whole(answer: bytes, complete: bool) -> None:
    """The next request is sent after it."""
    assert load.complete(answer) is complete


def test_a_server_that_ends_is_told_with_its_last_words(tmp_path: Path) -> None:
    """A peer that does not start is left out with its reason."""
    process = Process([sys.executable, "-c", "raise SystemExit('no port')"], free_port(), None, tmp_path)

    with pytest.raises(NotStarted, match="no port"):
        process.answering("/", {})
    process.end()


def test_a_peer_that_cannot_be_installed_is_told(tmp_path: Path) -> None:
    """It is named with the program that it needs."""
    peer = Peer("Other", ["other@1"], lambda *_: None, lambda *_: [], lambda _: None, needs="no-such-program")

    with pytest.raises(NotInstalled, match="no-such-program"):
        peer.installed(tmp_path)


def test_every_peer_is_pinned() -> None:
    """The same command measures the same peers next year."""
    packages = [package for peer in PEERS for package in peer.packages]

    assert all(package.rpartition("@")[2][:1].isdigit() or "==" in package for package in packages)


def test_what_answers_otherwise_is_in_no_ratio() -> None:
    """A peer that takes an invalid body for a valid one has no figure there to be compared with."""
    own = Found("ours", rows={"get": [figure(900)], "refuse": [figure(900)]})
    prism = Found(
        "peer", rows={"get": [figure(100)], "refuse": [figure(1)]}, instead={"refuse": "answers 201"}, does={"state": True}
    )

    told = [
        (goal.sentence, goal.row, goal.found, goal.reached) for goal in goals({OURS: own, "Prism": prism}) if goal.wanted == 8
    ]

    assert told == [("times Prism", "GET by id", 9, True)]


def test_a_ratio_is_that_of_its_rounds() -> None:
    """A round that was slow for both counts as any other."""
    one, other = Found("ours", rows={"get": [figure(50), figure(5), figure(60)]}), Found("floor")
    other.rows = {"get": [figure(100), figure(10), figure(100)]}

    assert ratio(one, other, "get") == 0.5


def test_a_ratio_that_fell_by_more_than_a_third_fails() -> None:
    """By less, it may be the machine."""
    every = {
        FLOOR: Found("floor", rows={"get": [figure(1, cpu=30)], "list": [figure(1, cpu=30)]}),
        OURS: Found("ours", rows={"get": [figure(1, cpu=100)], "list": [figure(1, cpu=60)]}),
    }

    ratios = short.ratios(every)

    assert ratios == {"get": 0.3, "list": 0.5}
    assert [sentence.partition(" has")[0] for sentence in short.fallen(ratios, {"get": 0.5, "list": 0.7})] == ["GET by id"]
    assert "--keep" in short.fallen(ratios, {"get": 0.3})[0]
