"""An outcome -> what a person reads in the terminal, and acts on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from contract_tests.costs import Cost
from contract_tests.coverage import covered
from contract_tests.exchanges import Exchange
from contract_tests.findings import Finding, Key, Leftover, Unproved
from contract_tests.outcome import HELD, Outcome, Standing
from contract_tests.reports import curls
from contract_tests.reports.escaping import body, printable, shortened
from contract_tests.waivers import Waived

BOLD, RED, GREEN, YELLOW, FAINT = "1", "31", "32", "33", "2"
LONGEST = 300  # characters of an answer's body
REASONS = 12  # reasons of what is unproved that are listed
LISTED = 500  # ids of records left behind that are listed

Paint = Callable[[str, str], str]


def _plain(text: str, _colour: str) -> str:
    return text


def _painted(text: str, colour: str) -> str:
    return f"\033[{colour}m{text}\033[0m"


def text(outcome: Outcome, *, colours: bool = False, durations: bool = False) -> str:
    """The whole report."""
    paint = _painted if colours else _plain
    parts = [
        *_findings(outcome, paint),
        *_section("Let pass", map(_waived, outcome.waivers.waived), paint),
        *_section("Known from the baseline", map(_named, outcome.of("known")), paint),
        *_section("Waivers to mend", outcome.waivers.complaints, paint, RED),
        *_section("No longer proved", map(_told, outcome.fallen), paint, RED),
        *_section("Not proved", _unproved(outcome.result.unproved), paint),
        *_section("Left behind", _left(outcome.result.leftovers), paint, YELLOW),
        *(_section("Durations", _durations(outcome), paint) if durations else ()),
        *_summary(outcome, paint),
    ]
    return "\n".join(parts) + "\n"


HEADINGS = {  # standing -> its heading, what it means, colour
    "violation": ("Violations", "the implementation breaks the contract", RED),
    "question": ("Questions", "the contract only infers these rules: it, or the implementation, may be wrong", YELLOW),
}


def _findings(outcome: Outcome, paint: Paint) -> Iterator[str]:
    for standing, (heading, meaning, colour) in HEADINGS.items():
        findings = [one for one in outcome.result.findings if outcome.standing(one) == standing]
        if findings:
            yield f"{paint(heading, BOLD)} {paint(f'({meaning})', FAINT)}\n"
        for number, finding in enumerate(findings, 1):
            yield "\n".join(_finding(outcome, finding, f"{number}. ", paint, colour)) + "\n"


def finding(outcome: Outcome, one: Finding) -> str:
    """One finding alone."""
    return "\n".join(_finding(outcome, one, "", _plain, RED))


def _finding(outcome: Outcome, finding: Finding, number: str, paint: Paint, colour: str) -> Iterator[str]:
    times = f", {finding.times} times" if finding.times > 1 else ""
    yield f"{number}{paint(printable(_named(finding)), colour)}{times}"
    told = [
        ("law", outcome.sentences.get(finding.law, finding.law)),
        ("expected", finding.expected),
        ("seen", finding.seen),
        ("contract", str(finding.place)),
        ("inferred", finding.origin.detail if finding.is_question else ""),
        ("capsule", str(outcome.capsules.get(finding.key, ""))),
    ]
    for name, value in told:
        if value:
            lines = shortened(printable(value, kept="\n"), 2000).splitlines()
            yield f"   {paint(f'{name:9}', FAINT)} " + ("\n" + " " * 13).join(lines)
    for command, exchange in curls.answered(outcome, finding):
        yield f"   {paint('$', FAINT)} {printable(command)}"
        if exchange is not None:
            yield f"     {paint(_answer(exchange), FAINT)}"


def _answer(exchange: Exchange) -> str:
    answer = exchange.answer
    return f"{answer.status} {printable(shortened(body(answer.body), LONGEST))}".rstrip()


def _named(finding: Finding) -> str:
    return _told(finding.key)


def _told(key: Key) -> str:
    law, api, operation, subject = key
    return ", ".join(part for part in (f"{api}: {law}", operation, subject) if part)


def _waived(one: Waived) -> str:
    return f"{_named(one.finding)}: {one.waiver.reason} (until {one.waiver.until})"


def _left(every: Iterable[Leftover]) -> Iterator[str]:
    """A line for each resource and reason."""
    ids: dict[tuple[str, str, str], list[str]] = {}
    for one in every:
        ids.setdefault((one.api, one.resource, one.reason), []).append(one.id)
    for (api, resource, reason), listed in ids.items():
        more = f" and {len(listed) - LISTED} more" if len(listed) > LISTED else ""
        yield f"{api} {resource} {', '.join(listed[:LISTED])}{more}: {reason}"


def _section(heading: str, lines: Iterable[str], paint: Paint, colour: str = "") -> Iterator[str]:
    told = [printable(line) for line in lines]
    if told:
        yield paint(heading, BOLD)
        yield "\n".join(f"  {paint(line, colour) if colour else line}" for line in told) + "\n"


def _unproved(every: Sequence[Unproved]) -> Iterator[str]:
    """One line a reason, the most frequent first."""
    counts = Counter((one.api, one.reason) for one in every)
    for (api, reason), count in counts.most_common(REASONS):
        laws = list(dict.fromkeys(one.law for one in every if (one.api, one.reason) == (api, reason)))
        yield f"{api}: {reason} ({count}: {', '.join(laws)})"
    if len(counts) > REASONS:
        yield f"and for {len(counts) - REASONS} reasons more: see the JSON or HTML report"


def _durations(outcome: Outcome) -> Iterator[str]:
    """A table for each API: what each law, and each phase of a long one, took, the longest first, and the sum."""
    costs = outcome.result.costs
    for api in outcome.contracts:
        own = {law: cost for (of, law), cost in costs.items() if of == api}
        whole = Cost.together(cost for law, cost in own.items() if (api, law) in outcome.result.seconds)
        yield f"{'seconds':>9} {'waiting':>9} {'judging':>9} {'requests':>9}  {api}"
        for law, cost in sorted(own.items(), key=lambda pair: -pair[1].seconds):
            yield _costing(cost, law)
        yield _costing(whole, "in all")


def _costing(cost: Cost, name: str) -> str:
    return f"{cost.seconds:9.2f} {cost.waiting:9.2f} {cost.judging:9.2f} {cost.requests:9}  {name}"


def _summary(outcome: Outcome, paint: Paint) -> Iterator[str]:
    for api in outcome.contracts:
        yield f"{paint(api, BOLD)}: {_sums(outcome, api)}"
    for reason in outcome.shortcomings:
        yield paint(printable(reason), RED)
    yield paint(
        f"{outcome.verdict} Target {printable(outcome.result.target)}, seed {outcome.result.seed}.",
        GREEN if outcome.status == HELD else RED,
    )


def _sums(outcome: Outcome, api: str) -> str:
    """One line on an API: what was found, proved, reached, and at what cost."""
    result, done = outcome.result, outcome.result.exchanges.get(api, ())
    counts = Counter(outcome.standing(one) for one in result.findings if one.api == api)
    laws = [one.law for one in result.proofs if one.api == api]
    operations = covered(outcome.contracts[api], done)
    told = [
        ", ".join(f"{count} {_many(standing, count)}" for standing, count in counts.items()) or "no findings",
        f"{len(laws)} proofs of {len(set(laws))} laws, {sum(one.api == api for one in result.unproved)} unproved",
        f"{sum(one.granted > 0 for one in operations)} of {len(operations)} operations, {len(done)} requests",
        f"{sum(spent for (of, _), spent in result.seconds.items() if of == api):.1f} s",
    ]
    return "; ".join(told)


def _many(standing: Standing, count: int) -> str:
    return f"{standing}s" if count > 1 and standing in HEADINGS else standing
