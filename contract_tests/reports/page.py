"""An outcome -> one HTML page that needs nothing else: what was found, what was proved, what was reached, how long it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from string import Template

from contract_tests.coverage import Covered, covered
from contract_tests.exchanges import Exchange, Headers
from contract_tests.findings import Finding, Key
from contract_tests.outcome import HELD, Outcome, Standing
from contract_tests.reports import curls
from contract_tests.reports.escaping import body, shortened
from contract_tests.reports.markup import Markup, escaped, tag

HERE = Path(__file__).parent
LONGEST = 20_000  # characters of a body
COLOURS: dict[Standing, str] = {"violation": "bad", "question": "ask", "known": "faint", "waived": "faint"}
HEADINGS: dict[Standing, tuple[str, str]] = {
    "violation": ("Violations", "The implementation breaks the contract."),
    "question": ("Questions", "The contract only infers these rules: it, or the implementation, may be wrong."),
    "known": ("Known", "The baseline has these findings."),
    "waived": ("Waived", "These findings are let pass until a date."),
}


def text(outcome: Outcome) -> str:
    """The page."""
    parts = [
        _head(outcome),
        *(_findings(outcome, standing) for standing in HEADINGS),
        _listed("Waivers to mend", outcome.waivers.complaints),
        _listed("No longer proved", map(_named, outcome.fallen)),
        *(_coverage(outcome, api) for api in outcome.contracts),
        _laws(outcome),
        _unproved(outcome),
        _listed("Left behind", (f"{one.api} {one.resource} {one.id}: {one.reason}" for one in outcome.result.leftovers)),
        _timing(outcome),
    ]
    title = escaped(f"Contract tests: {', '.join(outcome.contracts)}")
    return Template((HERE / "page.html").read_text("utf-8")).substitute(title=title, body="\n".join(filter(None, parts)))


def _section(heading: str, *parts: str) -> Markup:
    return tag("section", tag("h2", heading), *parts)


def _table(headings: Iterable[str], rows: Iterable[Markup], class_: str = "") -> Markup:
    head = tag("thead", tag("tr", *(cell if isinstance(cell, Markup) else tag("th", cell) for cell in headings)))
    return tag("div", tag("table", head, tag("tbody", *rows), class_=class_), class_="scroll")


def _number(text: object) -> Markup:
    return tag("td", str(text), class_="number")


def _named(key: Key) -> str:
    law, api, operation, subject = key
    return ", ".join(part for part in (f"{api}: {law}", operation, subject) if part)


def _listed(heading: str, lines: Iterable[str]) -> Markup:
    items = [tag("li", line) for line in lines]
    return _section(heading, tag("ul", *items)) if items else Markup()


# What it all means


def _head(outcome: Outcome) -> Markup:
    kind = "good" if outcome.status == HELD else "bad"
    verdict = tag("p", outcome.verdict, class_=f"verdict {kind}")
    strict = ", strict" if outcome.strict else ""
    told = tag("p", f"Target {outcome.result.target}, seed {outcome.result.seed}{strict}.", class_="faint")
    reasons = tag("ul", *(tag("li", reason, class_="bad") for reason in outcome.shortcomings))
    headings = ["API", *(tag("th", name, class_="number") for name in SUMMED)]
    rows = [_sums(outcome, api) for api in outcome.contracts]
    return tag("header", tag("h1", "Contract tests"), verdict, told, reasons, _table(headings, rows))


SUMMED = ("violations", "questions", "known", "waived", "proofs", "unproved", "operations reached", "requests", "seconds")


def _sums(outcome: Outcome, api: str) -> Markup:
    """The row of an API in the summary."""
    result = outcome.result
    counts = Counter(outcome.standing(one) for one in result.findings if one.api == api)
    operations = covered(outcome.contracts[api], result.exchanges.get(api, ()))
    cells = [
        *(counts[standing] for standing in HEADINGS),
        sum(one.api == api for one in result.proofs),
        sum(one.api == api for one in result.unproved),
        f"{sum(one.granted > 0 for one in operations)} of {len(operations)}",
        len(result.exchanges.get(api, ())),
        f"{sum(spent for (of, _), spent in result.seconds.items() if of == api):.1f}",
    ]
    return tag("tr", tag("th", api), *map(_number, cells))


# Findings


def _findings(outcome: Outcome, standing: Standing) -> Markup:
    heading, meaning = HEADINGS[standing]
    found = outcome.of(standing)
    if not found:
        return Markup()
    return _section(f"{heading} ({len(found)})", tag("p", meaning, class_="faint"), *(_finding(outcome, one) for one in found))


def _finding(outcome: Outcome, finding: Finding) -> Markup:
    waived = next((one.waiver for one in outcome.waivers.waived if one.finding.key == finding.key), None)
    told = {
        "law": outcome.sentences.get(finding.law, finding.law),
        "expected": finding.expected,
        "seen": finding.seen,
        "contract": str(finding.place),
        "inferred": finding.origin.detail if finding.is_question else "",
        "times": str(finding.times),
        "capsule": str(outcome.capsules.get(finding.key, "")),
        "waived": f"{waived.reason} (until {waived.until}, {waived.place})" if waived else "",
    }
    facts = tag("dl", *(part for name, value in told.items() if value for part in (tag("dt", name), tag("dd", value))))
    paste = tag("pre", "\n".join(curls.lines(outcome, finding)))
    exchanges = [_exchange(number, one) for number, one in enumerate(finding.exchanges, 1)]
    summary = tag("summary", _named(finding.key), class_=COLOURS[outcome.standing(finding)])
    return tag("details", summary, facts, paste, *exchanges, class_=f"finding {COLOURS[outcome.standing(finding)]}", open="open")


def _exchange(number: int, exchange: Exchange) -> Markup:
    request, answer = exchange.request, exchange.answer
    summary = tag("summary", f"{number}. {request.method} {request.target} → {answer.status}, {answer.seconds * 1000:.1f} ms")
    asked = f"{request.method} {request.target}\n{_fields(request.headers)}\n\n{shortened(body(request.body), LONGEST)}".rstrip()
    answered = f"{answer.status}\n{_fields(answer.headers)}\n\n{shortened(body(answer.body), LONGEST)}".rstrip()
    return tag("details", summary, tag("pre", asked), tag("pre", answered))


def _fields(headers: Headers) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers)


# Coverage

LEGEND = "✓ held; ✗ broken; ? a question; · not proved. The pointer on a sign says more."
REACHED = "How often each status was answered, and each parameter and property sent. Dashed: declared, and never met."


def _coverage(outcome: Outcome, api: str) -> Markup:
    """What of an API was proved and reached: two rows each operation."""
    cells = _cells(outcome, api)
    laws = sorted({law for law, _ in cells})
    operations = covered(outcome.contracts[api], outcome.result.exchanges.get(api, ()))
    proved = [_signs(_name(one), laws, cells, one.operation.operation_id) for one in operations]
    if any(operation == "" for _, operation in cells):
        proved.append(_signs(tag("th", "the whole API"), laws, cells, ""))
    rotated = [tag("th", tag("span", law), class_="law") for law in laws]
    return _section(
        f"{api}: coverage",
        tag("p", LEGEND, class_="faint"),
        _table(["Operation", *rotated], proved, class_="matrix"),
        tag("p", REACHED, class_="faint"),
        _table(["Operation", "Statuses", "Parameters", "Properties sent"], map(_reached, operations), class_="matrix"),
    )


Cell = tuple[str, str, str]  # sign, colour, what it stands for


def _cells(outcome: Outcome, api: str) -> dict[tuple[str, str], Cell]:
    """The sign of each law and operation: the worst of what is told of it."""
    result, found = outcome.result, dict[tuple[str, str], Cell]()
    checks: Counter[tuple[str, str]] = Counter()
    for unproved in result.unproved:
        if unproved.api == api:
            found.setdefault((unproved.law, unproved.operation), ("·", "faint", unproved.reason))
    for proof in result.proofs:
        if proof.api == api:
            checks[proof.law, proof.operation] += proof.checks
    found |= {key: ("✓", "good", f"held, looked at {count} times") for key, count in checks.items()}
    for finding in sorted(result.findings, key=lambda one: not one.is_question):
        if finding.api == api:
            sign = "?" if finding.is_question else "✗"
            found[finding.law, finding.operation] = (sign, COLOURS[outcome.standing(finding)], finding.seen)
    return found


def _name(one: Covered) -> Markup:
    operation = one.operation
    return tag("th", tag("code", f"{operation.method} {operation.path}"), tag("div", operation.operation_id, class_="faint"))


def _signs(name: Markup, laws: Iterable[str], cells: dict[tuple[str, str], Cell], operation: str) -> Markup:
    return tag("tr", name, *(_cell(cells.get((law, operation))) for law in laws))


def _reached(one: Covered) -> Markup:
    undeclared = set(one.statuses) - one.operation.statuses
    statuses = [_chip(str(status), count, bad=status in undeclared) for status, count in sorted(one.statuses.items())]
    statuses += [_chip(str(status), 0) for status in sorted(one.unseen)]
    return tag(
        "tr",
        _name(one),
        tag("td", *statuses),
        tag("td", *(_chip(parameter, count) for parameter, count in one.parameters.items())),
        tag("td", *(_chip(property, count) for property, count in one.properties.items())),
    )


def _chip(name: str, count: int, *, bad: bool = False) -> Markup:
    kind = "chip bad" if bad else "chip" if count else "chip missed"
    return tag("span", f"{name} · {count}" if count else name, class_=kind)


def _cell(cell: Cell | None) -> Markup:
    if cell is None:
        return tag("td", class_="law")
    sign, colour, meaning = cell
    return tag("td", sign, class_=f"law {colour}", title=shortened(meaning, 300))


# What was proved, and what was not


def _laws(outcome: Outcome) -> Markup:
    result = outcome.result
    laws = dict.fromkeys((*outcome.sentences, *(one.law for one in result.verdicts)))
    proofs, checks, findings, unproved = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for proof in result.proofs:
        proofs[proof.law] += 1
        checks[proof.law] += proof.checks
    findings.update(one.law for one in result.findings)
    unproved.update(one.law for one in result.unproved)
    seconds = {law: sum(spent for (_, of), spent in result.seconds.items() if of == law) for law in laws}
    rows = [
        tag("tr", tag("th", law), tag("td", outcome.sentences.get(law, "")),
            *map(_number, (proofs[law], checks[law], findings[law], unproved[law], f"{seconds[law]:.2f}")))
        for law in laws if proofs[law] + findings[law] + unproved[law]
    ]  # fmt: skip
    numbers = (tag("th", name, class_="number") for name in ("proofs", "checks", "findings", "unproved", "seconds"))
    return _section("What was proved", _table(["Law", "It promises", *numbers], rows)) if rows else Markup()


def _unproved(outcome: Outcome) -> Markup:
    """What could not be proved, by reason."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for one in outcome.result.unproved:
        reasons.setdefault((one.api, one.reason), []).append(_named(one.key))
    parts = [
        tag("details", tag("summary", f"{api}: {reason} ({len(about)})"), tag("ul", *(tag("li", line) for line in about)))
        for (api, reason), about in sorted(reasons.items(), key=lambda item: -len(item[1]))
    ]
    return _section("Not proved", *parts) if parts else Markup()


# Timing


def _timing(outcome: Outcome) -> Markup:
    rows = [_times(api, one) for api, one in _timed(outcome)]
    numbers = (tag("th", name, class_="number") for name in ("requests", "median ms", "95 % ms", "slowest ms"))
    return _section("Timing", _table(["API", "Operation", *numbers, "total"], rows)) if rows else Markup()


def _timed(outcome: Outcome) -> Iterator[tuple[str, Covered]]:
    """The operations that were asked, those that took longest first."""
    every = [
        (api, one)
        for api, contract in outcome.contracts.items()
        for one in covered(contract, outcome.result.exchanges.get(api, ()))
        if one.seconds
    ]
    yield from sorted(every, key=lambda pair: -sum(pair[1].seconds))


def _times(api: str, one: Covered) -> Markup:
    spent = sorted(one.seconds)
    numbers = [spent[len(spent) // 2], spent[min(len(spent) - 1, len(spent) * 95 // 100)], spent[-1]]
    return tag(
        "tr", tag("td", api), tag("td", one.operation.operation_id), _number(len(spent)),
        *(_number(f"{seconds * 1000:.1f}") for seconds in numbers), _number(f"{sum(spent):.2f} s"),
    )  # fmt: skip
