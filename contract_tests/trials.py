"""One try of a law on one operation and subject, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from contract_tests.exchanges import Exchange
from contract_tests.findings import Finding, Proof, Unproved, Verdict
from contract_tests.targets import NotSent
from mock_server.contract import Origin, Place


class Premise(Exception):
    """What a law needs could not be had: neither proof nor finding."""


class Vanished(Premise):
    """A record that was made is not there, and nothing has deleted it: no law can be tried on it, and that is a finding."""

    def __init__(self, expected: str, exchanges: tuple[Exchange, ...]) -> None:
        self.expected, self.exchanges = expected, exchanges
        super().__init__(f"expected {expected}: it is not there")


class Broken(Exception):
    """The law does not hold."""

    def __init__(self, expected: str, seen: str, exchanges: tuple[Exchange, ...], origin: Origin | None = None) -> None:
        self.expected, self.seen, self.exchanges, self.origin = expected, seen, exchanges, origin
        super().__init__(f"expected {expected}, seen {seen}")


@dataclass
class Trial:
    """`with trial:` turns what happens inside into a verdict."""

    law: str
    api: str
    operation: str
    subject: str
    place: Place
    origin: Origin
    verdicts: list[Verdict]
    checks: int = 0
    dropped: bool = field(default=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None) -> bool:
        key = (self.law, self.api, self.operation, self.subject)
        if isinstance(raised, Broken):
            if raised.exchanges and unanswered(raised.exchanges[-1]):  # That is told by another law.
                self.verdicts.append(Unproved(*key, f"{_told(raised.exchanges[-1])} failed"))
            else:
                origin = raised.origin or self.origin
                self.verdicts.append(Finding(*key, raised.expected, raised.seen, raised.exchanges, self.place, origin))
        elif isinstance(raised, Vanished):
            told = (raised.expected, "it is not there", raised.exchanges)
            self.verdicts.append(Finding(*key, *told, self.place, Origin("seed")))
        elif isinstance(raised, (Premise, NotSent)):
            self.verdicts.append(Unproved(*key, str(raised)))
        elif raised is None:
            if self.checks:
                self.verdicts.append(Proof(*key, self.checks))
        else:
            return False
        return True

    def hold(self, holds: bool, expected: str, seen: str, *exchanges: Exchange, origin: Origin | None = None) -> None:
        """Raises Broken if it does not hold."""
        self.checks += 1
        if not holds:
            raise Broken(expected, seen, exchanges, origin)

    def answered(self, exchange: Exchange, expected: int, why: str, *before: Exchange, origin: Origin | None = None) -> Exchange:
        """Raises Broken if the status is another one."""
        status = exchange.answer.status
        self.hold(status == expected, f"{expected}: {why}", f"{status}{_words(exchange)}", *before, exchange, origin=origin)
        return exchange


def unanswered(exchange: Exchange) -> bool:
    """Whether the server failed on the request: 5xx, or no answer at all."""
    return exchange.answer.status >= 500 or exchange.answer.status == 0


def needed(exchange: Exchange, expected: int) -> Exchange:
    """Raises Premise if a request that only prepares does not succeed."""
    if exchange.answer.status != expected:
        raise Premise(f"{_told(exchange)} answered {exchange.answer.status}, not {expected}{_words(exchange)}")
    return exchange


def _told(exchange: Exchange) -> str:
    return f"{exchange.request.method} {exchange.request.target}"


def _words(exchange: Exchange) -> str:
    """The start of what a refusal says."""
    text = exchange.answer.body[:200].decode("utf-8", "replace") if exchange.answer.status >= 400 else ""
    return f" ({text})" if text else ""
