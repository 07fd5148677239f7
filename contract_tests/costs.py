"""What a law, or a phase of Schemathesis, took: seconds, requests, and where the time went."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contract_tests.exchanges import Exchange


@dataclass(frozen=True)
class Cost:
    """Seconds in all, and those among them that were spent on waiting for answers."""

    seconds: float
    requests: int = 0
    waiting: float = 0.0

    @property
    def judging(self) -> float:
        """Seconds spent on making requests and judging their answers."""
        return self.seconds - self.waiting

    @classmethod
    def together(cls, costs: Iterable[Cost]) -> Cost:
        """The sum."""
        every = list(costs)
        return cls(sum(c.seconds for c in every), sum(c.requests for c in every), sum(c.waiting for c in every))


class Meter:
    """Measures from its making on."""

    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        self._exchanges = exchanges
        self._first = len(exchanges)
        self._begun = time.perf_counter()

    def read(self) -> Cost:
        """The cost so far. Requests that were under way together waited together: no longer than the time that passed."""
        seconds = time.perf_counter() - self._begun
        sent = self._exchanges[self._first :]
        return Cost(seconds, len(sent), min(seconds, sum(one.answer.seconds for one in sent)))
