"""What was compared and what differed -> text for a terminal, and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from contract_tests.findings import Finding, Leftover
from contract_tests.outcome import HELD, NOTHING_PROVED, VIOLATED, Outcome
from contract_tests.parity.differing import BLAMES, Difference, exchange_of
from contract_tests.reports import curls
from mock_server.contract import Json

VERDICTS = {
    HELD: "The two answer alike, as far as the contract binds them.",
    VIOLATED: "The two differ, and the contract is broken.",
    NOTHING_PROVED: "Too little was compared to tell.",
}


@dataclass
class Told:
    """Everything that one run found."""

    outcome: Outcome  # how addresses and credentials are written
    api: str
    url: str
    seed: int
    strict: bool = False
    steps: int = 0
    agreed: int = 0  # requests that both sides granted
    differences: list[Difference] = field(default_factory=list)
    uncompared: dict[str, list[str]] = field(default_factory=dict)  # scenario -> what could not be compared
    leftovers: list[Leftover] = field(default_factory=list)
    unreachable: str = ""
    interrupted: bool = False

    @property
    def shortcomings(self) -> list[str]:
        """Why the run tells too little."""
        if self.unreachable:
            return [f"The real one cannot be reached: {self.unreachable}"]
        found = ["The run was interrupted before everything was compared."] if self.interrupted else []
        return found if self.agreed else [*found, "Nothing was compared: no request was granted by both."]

    def fails(self, difference: Difference) -> bool:
        return difference.fails or self.strict

    @property
    def status(self) -> int:
        """The exit status."""
        failed = any(map(self.fails, self.differences))
        if self.unreachable or not self.agreed or (self.interrupted and not failed):
            return NOTHING_PROVED
        return VIOLATED if failed else HELD


def curl(told: Told, difference: Difference) -> list[str]:
    """The request at the real one, as lines to paste into a terminal."""
    where = ("parity", told.api, difference.operation, difference.pointer)
    shown = (exchange_of(difference),)
    finding = Finding(*where, difference.rule, difference.real, shown, difference.place, difference.origin)
    return curls.lines(told.outcome, finding)


def text(told: Told) -> str:
    return "\n".join(_lines(told)) + "\n"


def _lines(told: Told) -> Iterator[str]:
    yield f"{told.api}: the mock and {told.url} (seed {told.seed})"
    for blame, sentence in BLAMES.items():
        of_this = [one for one in told.differences if one.blame == blame]
        if of_this:
            yield from ("", f"{sentence}: {len(of_this)}")
            for one in of_this:
                yield from _difference(told, one)
    if told.uncompared:
        yield from ("", "Not compared:")
        yield from (f"  {name}: {reason}" for name, reasons in told.uncompared.items() for reason in reasons)
    if told.leftovers:
        yield from ("", "Not deleted:")
        yield from (f"  {one.resource} {one.id}: {one.reason}" for one in told.leftovers)
    yield ""
    yield from told.shortcomings
    counts = ", ".join(f"{blame} {count}" for blame, count in _counts(told).items() if count) or "none"
    yield f"{told.steps} requests made on both, {told.agreed} granted by both. Differences: {counts}. {VERDICTS[told.status]}"


def _counts(told: Told) -> dict[str, int]:
    return {blame: sum(one.blame == blame for one in told.differences) for blame in BLAMES}


def _difference(told: Told, one: Difference) -> Iterator[str]:
    times = f", {one.times} times" if one.times > 1 else ""
    asked = " (the rule is inferred)" if one.is_question else ""
    yield ""
    yield f"  {_named(one)}: {_where(one)}{times}{asked}"
    yield f"    {one.why}"
    if one.rule:
        yield f"    contract  {one.rule}"
    yield from (f"    mock      {one.mock}", f"    real      {one.real}", f"    at        {one.place}")
    yield from (f"    $ {line}" for line in curl(told, one))


def _named(one: Difference) -> str:
    if one.operation:
        return one.operation
    shown = ", ".join(one.operations[:3])
    return f"{len(one.operations)} operations ({shown}, …)" if len(one.operations) > 3 else shown


def _where(one: Difference) -> str:
    if one.part == "status":
        return "the status"
    if one.part == "header":
        return f"the header {one.pointer}"
    return f"{one.pointer or 'the body'} of {' and '.join(map(str, dict.fromkeys(one.statuses)))}"


def value(told: Told) -> Json:
    """The same as JSON."""
    return {
        "api": told.api,
        "real": told.url,
        "seed": told.seed,
        "status": told.status,
        "verdict": VERDICTS[told.status],
        "shortcomings": told.shortcomings,
        "requests": told.steps,
        "granted": told.agreed,
        "counts": _counts(told),
        "differences": [_json(told, one) for one in told.differences],
        "uncompared": told.uncompared,
        "leftovers": [{"resource": one.resource, "id": one.id, "reason": one.reason} for one in told.leftovers],
    }


def _json(told: Told, one: Difference) -> Mapping[str, Json]:
    return {
        "class": one.blame,
        "fails": told.fails(one),
        "operations": list(one.operations or (one.operation,)),
        "part": one.part,
        "pointer": one.pointer,
        "asked": one.why,
        "contract": one.rule or None,
        "mock": one.mock,
        "real": one.real,
        "statuses": dict(zip(("mock", "real"), one.statuses, strict=True)),
        "at": str(one.place),
        "origin": one.origin.kind,
        "times": one.times,
        "curl": curl(told, one),
    }
