"""What a run of the suites says: what broke, what held, what could not be shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from contract_tests.costs import Cost
from contract_tests.exchanges import Exchange
from mock_server.contract import Origin, Place

Key = tuple[str, str, str, str]  # law, api, operation, subject


@dataclass(frozen=True)
class Finding:
    """A law that was broken; findings with the same key are one fault."""

    law: str
    api: str
    operation: str
    subject: str  # property, parameter, status …
    expected: str
    seen: str
    exchanges: tuple[Exchange, ...]  # the shortest sequence; the last one shows it
    place: Place  # of the rule, in the contract
    origin: Origin  # of the rule: whoever breaks an inferred one is not at fault, the finding is a question
    times: int = 1

    @property
    def key(self) -> Key:
        return self.law, self.api, self.operation, self.subject

    @property
    def is_question(self) -> bool:
        """Whether the rule is our own reading of the API."""
        return self.origin.kind == "inferred"


@dataclass(frozen=True)
class Proof:
    """A law that held, and how often that was looked at."""

    law: str
    api: str
    operation: str
    subject: str
    checks: int = 1

    @property
    def key(self) -> Key:
        return self.law, self.api, self.operation, self.subject


@dataclass(frozen=True)
class Unproved:
    """A law that could not be tried, and why."""

    law: str
    api: str
    operation: str
    subject: str
    reason: str

    @property
    def key(self) -> Key:
        return self.law, self.api, self.operation, self.subject


Verdict = Finding | Proof | Unproved


@dataclass(frozen=True)
class Leftover:
    """A record that a run made and could not delete."""

    api: str
    resource: str
    id: str
    reason: str


@dataclass
class Result:
    """All that one run found."""

    target: str = ""
    seed: int = 1
    apis: tuple[str, ...] = ()
    findings: list[Finding] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)
    unproved: list[Unproved] = field(default_factory=list)
    exchanges: dict[str, list[Exchange]] = field(default_factory=dict)  # by API, in the order they were made
    leftovers: list[Leftover] = field(default_factory=list)
    hollow: list[str] = field(default_factory=list)  # reasons why the run proves too little: it is red because of them
    seconds: dict[tuple[str, str], float] = field(default_factory=dict)  # (API, law) -> duration
    costs: dict[tuple[str, str], Cost] = field(default_factory=dict)  # the same with its requests; phases of a law apart
    unreachable: str = ""  # why the target could not be reached; empty if it was
    interrupted: bool = False

    @property
    def violations(self) -> list[Finding]:
        return [finding for finding in self.findings if not finding.is_question]

    @property
    def questions(self) -> list[Finding]:
        """The findings about our own readings of an API."""
        return [finding for finding in self.findings if finding.is_question]

    @property
    def verdicts(self) -> list[Verdict]:
        return [*self.findings, *self.proofs, *self.unproved]

    @property
    def tried(self) -> set[tuple[str, str]]:
        """The API and the law of everything that was tried."""
        return {*self.seconds, *((one.api, one.law) for one in self.verdicts)}

    def add(self, verdicts: Iterable[Verdict]) -> None:
        """Takes verdicts in, those with the same key as one; a key that was broken is not proved."""
        found = {finding.key: finding for finding in self.findings}
        held = {proof.key: proof for proof in self.proofs}
        untried = {unproved.key: unproved for unproved in self.unproved}
        for verdict in verdicts:
            if isinstance(verdict, Finding):
                known = found.get(verdict.key)
                found[verdict.key] = _together(known, verdict) if known else verdict
            elif isinstance(verdict, Proof):
                earlier = held.get(verdict.key)
                held[verdict.key] = replace(verdict, checks=verdict.checks + (earlier.checks if earlier else 0))
            else:
                untried.setdefault(verdict.key, verdict)
        self.findings = list(found.values())
        self.proofs = [proof for key, proof in held.items() if key not in found]
        self.unproved = [unproved for key, unproved in untried.items() if key not in found and key not in held]

    def coverage(self, api: str) -> Counter[tuple[str, int]]:
        """How often each operation was answered with each status."""
        return Counter((one.operation, one.answer.status) for one in self.exchanges.get(api, ()))


def _together(one: Finding, other: Finding) -> Finding:
    """Two findings of one fault: told by the shorter sequence."""
    shorter = min(one, other, key=lambda finding: len(finding.exchanges))
    return replace(shorter, times=one.times + other.times)
