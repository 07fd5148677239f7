"""What the server is to reach, each as a ratio inside one run, and whether it does."""

from __future__ import annotations

import operator
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from benchmarks.figures import Found, ratio
from benchmarks.rows import ROWS
from benchmarks.servers import ALL_CHECKED, FLOOR, OURS

READING = ("get", "list", "create")  # the rows for which the floors and the stubs are a measure
COMPARES: Mapping[str, Callable[[float, float], bool]] = {"at least": operator.ge, "at most": operator.le, "under": operator.lt}


@dataclass(frozen=True, slots=True)
class Goal:
    """One figure, and what it is to be."""

    sentence: str
    row: str  # its title
    found: float
    compares: str
    wanted: float

    @property
    def reached(self) -> bool:
        return COMPARES[self.compares](self.found, self.wanted)

    def told(self) -> list[str]:
        return [
            self.sentence,
            self.row,
            f"{self.found:.2f}",
            f"{self.compares} {self.wanted:g}",
            "pass" if self.reached else "MISS",
        ]


def goals(every: Mapping[str, Found]) -> list[Goal]:
    """The goals that this run can tell of."""
    return [goal for made in (_prism, _serious_peers, _stubs, _floor, _start, _tail) for goal in made(every)]


def _prism(every: Mapping[str, Found]) -> Iterator[Goal]:
    yield from _times(every, OURS, "Prism", ROWS, "times Prism", 8)


def _serious_peers(every: Mapping[str, Found]) -> Iterator[Goal]:
    """Against the fastest peer, in each row, that validates or keeps state."""
    for row in ROWS:
        serious = {
            name: found
            for name, found in every.items()
            if found.kind == "peer" and found.counts(row) and (found.does.get("validation") or found.does.get("state"))
        }
        if serious:
            fastest = max(serious, key=lambda name: serious[name].median(row))
            yield from _times(every, OURS, fastest, [row], f"times the fastest that validates or keeps state ({fastest})", 1.5)


def _stubs(every: Mapping[str, Found]) -> Iterator[Goal]:
    yield from _times(every, OURS, "WireMock", READING, "times WireMock's stubs", 1)


def _floor(every: Mapping[str, Found]) -> Iterator[Goal]:
    yield from _times(every, OURS, FLOOR, READING, "of the bare handler's speed", 0.6)
    yield from _times(every, ALL_CHECKED, FLOOR, READING, "of the bare handler's speed, all replies checked", 0.45)


def _start(every: Mapping[str, Found]) -> Iterator[Goal]:
    for name in ("Prism", "Mockoon", "Scalar", "WireMock"):
        if all(other in every and every[other].first for other in (OURS, name)):
            found = statistics.median(every[OURS].first) / statistics.median(every[name].first)
            yield Goal(f"of the time {name} takes", "first answer", found, "under", 1)


def _tail(every: Mapping[str, Found]) -> Iterator[Goal]:
    own = every.get(OURS)
    for row in ROWS:
        if own and own.counts(row):
            found = own.median(row, lambda figure: figure.p99 / figure.p50)
            yield Goal("times p50 is p99, 32 connections", ROWS[row].title, found, "at most", 3)


def _times(
    every: Mapping[str, Found], name: str, other: str, rows: Iterable[str], sentence: str, wanted: float
) -> Iterator[Goal]:
    """How many times as fast the one is as the other, in each row that both count in."""
    for row in rows:
        if name in every and other in every and every[name].counts(row) and every[other].counts(row):
            yield Goal(sentence, ROWS[row].title, ratio(every[name], every[other], row), "at least", wanted)
