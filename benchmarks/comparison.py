"""All servers side by side: each started and asked what it does; then, round by round and row by row, one after the other."""

from __future__ import annotations

import contextlib
import itertools
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks import load, probes
from benchmarks.cores import Cores
from benchmarks.figures import Figure, Found
from benchmarks.load import Load, Measured, NoAnswer
from benchmarks.processes import NotStarted, Process, asked, free_port
from benchmarks.rows import CREDENTIAL, ORDER, ROWS, Row, Target
from benchmarks.servers import Server

NUMBERS = 1_000_000  # that one load may use
FIRST = Target(id="cust-001")


@dataclass(frozen=True, slots=True)
class Choices:
    """How long to measure, and how often."""

    rounds: int = 5
    seconds: float = 1
    warm: float = 0.2  # seconds before each figure
    starts: int = 5
    rows: Sequence[str] = ORDER
    tool: str | None = None  # wrk


@dataclass(slots=True)
class Running:
    """A server, its process, and what was found of it."""

    server: Server
    found: Found
    process: Process | None = None

    @property
    def up(self) -> Process:
        if self.process is None:
            raise NotStarted("it is not running")
        return self.process

    def end(self) -> None:
        if self.process is not None:
            self.process.end()
        self.process = None


def compared(servers: Sequence[Server], choices: Choices, cores: Cores) -> dict[str, Found]:
    """What is found of each, by its name; all are ended, however this ends."""
    with contextlib.closing(Comparison(servers, choices, cores)) as comparison:
        comparison.start()
        comparison.learn()
        comparison.measure()
        return {running.server.name: running.found for running in comparison.every}


class Comparison:
    """Servers that run, one at a time while the others stand still."""

    def __init__(self, servers: Sequence[Server], choices: Choices, cores: Cores) -> None:
        self.choices = choices
        self.every = [Running(server, Found(server.kind)) for server in servers]
        self._cores = cores
        self._numbers = itertools.count(0, NUMBERS)

    def start(self) -> None:
        """Start each as often as chosen, for the time to its first answer; the last start stays."""
        for turn in range(self.choices.starts):
            told(f"start {turn + 1} of {self.choices.starts}")
            for running in self._there():
                with self._losing(running):
                    running.end()
                    running.found.first.append(self._started(running))
                    running.found.idle = running.up.memory()

    def learn(self) -> None:
        """Ask each what it does, then warm it up."""
        told("what each does, and warming up")
        for running in self._there():
            with self._losing(running), running.up.alone():
                running.found.does = probes.found(running.server, running.up.port)
                self._warm(running)

    def measure(self) -> None:
        for turn in range(self.choices.rounds):
            for running in self._there():
                with self._losing(running):
                    self._reset(running)
            for name in self.choices.rows:
                told(f"round {turn + 1} of {self.choices.rounds}: {ROWS[name].title}")
                there = self._there()
                for running in there[turn % max(1, len(there)) :] + there[: turn % max(1, len(there))]:
                    with self._losing(running), running.up.alone():
                        self._row(running, name, ROWS[name])
        for running in self._there():
            with self._losing(running):
                running.found.loaded = running.up.memory()

    def close(self) -> None:
        for running in self.every:
            running.end()

    def _there(self) -> list[Running]:
        return [running for running in self.every if not running.found.lost]

    @contextlib.contextmanager
    def _losing(self, running: Running) -> Iterator[None]:
        """A server that fails is told by name, and the rest goes on without it."""
        try:
            yield
        except (NotStarted, NoAnswer, OSError) as trouble:
            running.found.lost = str(trouble) or type(trouble).__name__
            told(f"{running.server.name}: {running.found.lost}")
            running.end()

    def _started(self, running: Running) -> float:
        server = running.server
        port = free_port()
        running.process = Process(server.command(port), port, self._cores.server, server.folder)
        seconds = running.process.answering(FIRST.path(server.base, server.spelled), {"Authorization": CREDENTIAL})
        running.process.hold()
        return seconds

    def _reset(self, running: Running) -> None:
        """Take back what was written, as far as the server keeps it."""
        server = running.server
        if server.restarts:
            running.end()
            server.prepare()
            self._started(running)
            with running.up.alone():
                self._warm(running)
        if server.reset:
            with running.up.alone():
                asked(running.up.port, "POST", server.reset, {"Content-Type": "application/json"}, "{}")

    def _warm(self, running: Running) -> None:
        """So many seconds of load in all, every row its part; what grows the state last."""
        for name in self.choices.rows:
            load.driven(self._load(running, ROWS[name], running.server.warm / len(self.choices.rows)))

    def _row(self, running: Running, name: str, row: Row) -> None:
        if name in running.found.instead:
            return
        status = self._status(running, row)
        if status not in row.statuses:
            running.found.instead[name] = f"answers {status}"
            return
        load.driven(self._load(running, row, self.choices.warm))
        before = running.up.cpu()
        measured = load.measured(self._load(running, row, self.choices.seconds), self.choices.tool)
        cpu = running.up.cpu() - before
        if wrong := _wrong(measured, refusal=status >= 400):
            running.found.instead[name] = f"answers {wrong} of {measured.requests} otherwise"
            return
        figure = Figure(measured.per_second, measured.p50, measured.p99, 1e6 * cpu / measured.requests, measured.busy)
        running.found.rows.setdefault(name, []).append(figure)

    def _load(self, running: Running, row: Row, seconds: float) -> Load:
        server = running.server
        requests = [target.text(server.base, server.spelled) for target in row.targets]
        return Load(running.up.port, requests, seconds, next(self._numbers))

    def _status(self, running: Running, row: Row) -> int:
        target = row.targets[0]
        numbered = Target(target.id, target.query, target.body and probes.numbered(target.body, next(self._numbers)))
        return probes.Asker(running.server, running.up.port).ask(numbered)[0]


def _wrong(measured: Measured, *, refusal: bool) -> int:
    """How many answers were not of the kind that was asked for."""
    return measured.requests - measured.refused if refusal else measured.refused


def told(sentence: str) -> None:
    """Progress, beside the table."""
    print(f"{time.strftime('%H:%M:%S')} {sentence}", file=sys.stderr, flush=True)
