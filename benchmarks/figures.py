"""What was measured of one server, and what is made of it: medians, spread, ratios."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.servers import Kind

BUSY = 0.95  # of its core: a load that takes more limits what it measures


@dataclass(frozen=True, slots=True)
class Figure:
    """One row in one round."""

    per_second: float
    p50: float  # milliseconds
    p99: float
    cpu: float  # microseconds of the server's CPU a request
    busy: float  # how much of its core the load took


@dataclass(slots=True)
class Found:
    """Everything found of one server."""

    kind: Kind
    first: list[float] = field(default_factory=list)  # seconds from its start to its first answer
    idle: float | None = None  # megabytes after the first answer
    loaded: float | None = None  # and after the last
    does: dict[str, bool | int] = field(default_factory=dict)
    rows: dict[str, list[Figure]] = field(default_factory=dict)
    instead: dict[str, str] = field(default_factory=dict)  # row -> what it answered, where that does not count
    lost: str = ""  # why it is not there any more

    def counts(self, row: str) -> bool:
        """Whether its figures of this row are those of the same work."""
        return bool(self.rows.get(row)) and row not in self.instead

    def median(self, row: str, what: Callable[[Figure], float] = lambda figure: figure.per_second) -> float:
        return statistics.median(what(figure) for figure in self.rows[row])

    def limited(self, row: str) -> bool:
        """Whether the load was what limited its figures."""
        return self.median(row, lambda figure: figure.busy) > BUSY

    def summary(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "kind": self.kind,
            "does": self.does,
            "first_answer_s": spread(self.first),
            "idle_mb": self.idle,
            "loaded_mb": self.loaded,
            "rows": {row: self._row(row) for row in self.rows if self.counts(row)},
            "instead": self.instead,
            "lost": self.lost,
        }

    def _row(self, row: str) -> dict[str, Any]:
        names = {"per_second": 0, "p50": 3, "p99": 3, "cpu": 1, "busy": 2}
        figures = self.rows[row]
        return {name: spread([getattr(figure, name) for figure in figures], digits) for name, digits in names.items()}


def ratio(one: Found, other: Found, row: str) -> float:
    """How many times as fast the one is as the other: the median of the ratios of each round."""
    return statistics.median(
        mine.per_second / theirs.per_second for mine, theirs in zip(one.rows[row], other.rows[row], strict=False)
    )


def spread(values: Sequence[float], digits: int = 3) -> dict[str, float] | None:
    """The median with the least and the largest."""
    if not values:
        return None
    return {
        "median": round(statistics.median(values), digits),
        "least": round(min(values), digits),
        "most": round(max(values), digits),
    }
