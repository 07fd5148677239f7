"""Load on a server: requests as bytes over so many connections, each sent as soon as the one before it is answered.

By wrk where it is installed; else by the Driver below, whose own limit is lower. What either took of its core is part of what
was measured.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 32
NUMBER = "{number}"  # in a request: so many digits, which no other request has
NUMBER_DIGITS = 10
READ = 1 << 18  # bytes
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
STALLED = 10  # seconds without any answer


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent where, and for how many seconds (wrk knows whole ones only)."""

    port: int
    requests: Sequence[str]  # whole HTTP/1.1 requests, sent in turn
    seconds: float
    first: int = 0  # NUMBER is larger than this
    connections: int = CONNECTIONS


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a load."""

    requests: int
    seconds: float
    p50: float  # milliseconds
    p99: float
    refused: int  # answers with a status from 400
    busy: float  # how much of its core the load itself took: near 1, the figure is the load's and not the server's

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


class NoAnswer(Exception):
    """The server closed a connection in the middle of an answer, or does not answer at all."""


class Connection:
    """One connection, with one request under way."""

    __slots__ = ("answer", "sent", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=STALLED)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answer = b""  # as far as it has come
        self.sent = 0.0

    def send(self, request: bytes, now: float) -> None:
        self.answer, self.sent = b"", now
        self.socket.sendall(request)


class Driver:
    """The connections to one server, and what is sent over them."""

    def __init__(self, load: Load) -> None:
        self.port = load.port
        self.requests = rendered(load.requests, itertools.count(load.first + 1))
        self.poll = select.epoll()
        self.connections: dict[int, Connection] = {}
        for _ in range(load.connections):
            self._open()

    def run(self, seconds: float) -> tuple[list[float], int]:
        """The latencies, in seconds, of the answers that come in a while; and how many have a status from 400.

        Raises NoAnswer.
        """
        latencies: list[float] = []
        refused = 0
        connections, poll, requests, clock = self.connections, self.poll.poll, self.requests, time.perf_counter
        now = heard = clock()
        until = now + seconds
        while now < until:
            for number, _ in poll(0.1):
                connection = connections[number]
                came = connection.socket.recv(READ)
                answer = connection.answer + came if connection.answer else came
                heard = clock()
                if came and not complete(answer):
                    connection.answer = answer
                elif came:
                    latencies.append(heard - connection.sent)
                    refused += answer[9:10] >= b"4"
                    connection.send(next(requests), heard)
                elif answer:
                    raise NoAnswer("a connection was closed in the middle of an answer")
                else:  # The server has closed it after an answer, as it may.
                    self._close(number)
                    self._open()
            now = clock()
            if now > heard + STALLED:
                raise NoAnswer(f"no answer for {STALLED} seconds")
        return latencies, refused

    def close(self) -> None:
        for number in list(self.connections):
            self._close(number)
        self.poll.close()

    def _open(self) -> None:
        made = Connection(self.port)
        self.connections[made.socket.fileno()] = made
        self.poll.register(made.socket, select.EPOLLIN)
        made.send(next(self.requests), time.perf_counter())

    def _close(self, number: int) -> None:
        self.poll.unregister(number)
        self.connections.pop(number).socket.close()


def rendered(requests: Sequence[str], numbers: Iterator[int]) -> Iterator[bytes]:
    """The requests in turn, for ever, each with a number of its own where it has one."""
    marked = [request.encode().split(NUMBER.encode()) for request in requests]
    for parts in itertools.cycle(marked):
        yield parts[0] if len(parts) == 1 else (b"%0*d" % (NUMBER_DIGITS, next(numbers))).join(parts)


def complete(answer: bytes) -> bool:
    """Whether an answer has come as a whole."""
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return False
    length = LENGTH.search(answer, 0, head)
    if length is not None:
        return len(answer) >= head + 4 + int(length[1])
    return b"chunked" not in answer[:head].lower() or answer.endswith(b"\r\n0\r\n\r\n")


def at(ordered: Sequence[float], share: float) -> float:
    """The value below which this share of them lies; not a number if there are none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def driven(load: Load) -> Measured:
    """What comes of a load sent from this process.

    Raises NoAnswer.
    """
    gc.disable()
    try:
        driver = Driver(load)
        wall, busy = time.perf_counter(), time.process_time()
        latencies, refused = driver.run(load.seconds)
        wall, busy = time.perf_counter() - wall, time.process_time() - busy
        driver.close()
    except OSError as trouble:
        raise NoAnswer(str(trouble)) from None
    finally:
        gc.enable()
    ordered = sorted(latencies)
    return Measured(len(ordered), wall, 1000 * at(ordered, 0.50), 1000 * at(ordered, 0.99), refused, busy / wall)


def measured(load: Load, tool: str | None) -> Measured:
    """What comes of a load sent by wrk, or, if there is none, by a Driver.

    Raises NoAnswer.
    """
    if tool is None:
        return driven(load)
    with tempfile.NamedTemporaryFile("w", prefix="load-") as told:
        told.write("\0".join(load.requests))
        told.flush()
        script = str(Path(__file__).with_suffix(".lua"))
        command = [tool, "-t1", f"-c{load.connections}", f"-d{load.seconds:.0f}", "--latency", "-s", script]
        line, busy = _ended([*command, f"http://127.0.0.1:{load.port}", "--", told.name, str(load.first)])
    found = json.loads(line)
    if found["broken"]:
        raise NoAnswer(f"{found['broken']} of {found['requests']} requests had no answer")
    seconds = found["microseconds"] / 1e6
    return Measured(found["requests"], seconds, found["p50"] / 1000, found["p99"] / 1000, found["refused"], busy / seconds)


def tool() -> str | None:
    """Where wrk is, if it is installed."""
    return shutil.which("wrk")


def _ended(command: Sequence[str]) -> tuple[str, float]:
    """The last line that a command prints, and the seconds of CPU that it took.

    Raises NoAnswer.
    """
    before = os.times()
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    after = os.times()
    busy = after.children_user + after.children_system - before.children_user - before.children_system
    if ended.returncode:
        raise NoAnswer((ended.stderr or ended.stdout).strip().splitlines()[-1])
    return ended.stdout.strip().splitlines()[-1], busy
