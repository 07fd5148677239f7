"""An outcome -> JUnit XML: a test suite for each API, a test case for each law and operation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring  # only written, never parsed

from contract_tests.findings import Finding, Unproved, Verdict
from contract_tests.outcome import Outcome
from contract_tests.reports import curls
from contract_tests.reports.escaping import body, shortened, xml

LONGEST = 2000  # characters of an answer's body
RUN = "contract-tests"  # the suite of what concerns the whole run

Case = tuple[str, str]  # law, operation


def text(outcome: Outcome) -> str:
    """The document."""
    root = Element("testsuites", name="contract-tests", time=_seconds(sum(outcome.result.seconds.values())))
    for api in outcome.contracts:
        _suite(root, outcome, api)
    _run(root, outcome)
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: Element, outcome: Outcome, api: str) -> None:
    suite = SubElement(root, "testsuite", name=xml(api))
    cases = _cases(outcome, api)
    sharing = Counter(law for law, _ in cases)
    for (law, operation), told in cases.items():
        spent = outcome.result.seconds.get((api, law), 0) / sharing[law]  # Only the whole law is timed.
        case = SubElement(suite, "testcase", classname=xml(api), name=xml(f"{law}: {operation or api}"), time=_seconds(spent))
        _fill(case, outcome, told)
    _count(suite, sum(spent for (of, _), spent in outcome.result.seconds.items() if of == api))


def _cases(outcome: Outcome, api: str) -> dict[Case, list[Verdict]]:
    """What was told of each law and operation, in the order of the operations."""
    order = list(outcome.contracts[api].operations)
    cases: dict[Case, list[Verdict]] = {}
    for one in outcome.result.verdicts:
        if one.api == api:
            cases.setdefault((one.law, one.operation), []).append(one)
    return dict(sorted(cases.items(), key=lambda item: (item[0][0], order.index(item[0][1]) if item[0][1] in order else -1)))


def _fill(case: Element, outcome: Outcome, told: list[Verdict]) -> None:
    """Failed, passed or skipped: a failure each finding that fails the run; skipped where nothing was proved."""
    findings = [one for one in told if isinstance(one, Finding)]
    for finding in filter(outcome.fails, findings):
        failure = SubElement(case, "failure", type=xml(finding.law), message=xml(_headline(finding)))
        failure.text = xml(_details(outcome, finding))
    passing = [one for one in findings if not outcome.fails(one)]
    unproved = [one for one in told if isinstance(one, Unproved)]
    if unproved and len(unproved) == len(told):
        SubElement(case, "skipped", message=xml("; ".join(_reasons(unproved))))
    remarks = [f"{outcome.standing(one)}: {_headline(one)}" for one in passing]
    remarks += [f"not proved: {reason}" for reason in _reasons(unproved)] if len(unproved) < len(told) else []
    if remarks:
        SubElement(case, "system-out").text = xml("\n".join(remarks))


def _reasons(unproved: list[Unproved]) -> Iterator[str]:
    """Each reason once, with what it is about."""
    subjects: dict[str, list[str]] = {}
    for one in unproved:
        subjects.setdefault(one.reason, []).append(one.subject)
    for reason, about in subjects.items():
        named = ", ".join(filter(None, about))
        yield f"{reason} ({named})" if named else reason


def _headline(finding: Finding) -> str:
    about = f"{finding.subject}: " if finding.subject else ""
    return shortened(f"{about}expected {finding.expected}; seen {finding.seen}", 500)


def _details(outcome: Outcome, finding: Finding) -> str:
    lines = [
        outcome.sentences.get(finding.law, finding.law),
        f"Expected: {finding.expected}",
        f"Seen: {finding.seen}",
        f"Contract: {finding.place}",
        *([f"Inferred: {finding.origin.detail}"] if finding.is_question else ()),
        f"Times: {finding.times}",
    ]
    for command, exchange in curls.answered(outcome, finding):
        lines.append(f"$ {command}")
        if exchange is not None:
            lines.append(f"  {exchange.answer.status} {shortened(body(exchange.answer.body), LONGEST)}")
    return "\n".join(lines)


def _run(root: Element, outcome: Outcome) -> None:
    """A suite about the run itself: whether enough was proved, the waivers, the baseline."""
    suite = SubElement(root, "testsuite", name=RUN)
    fallen = [", ".join(part for part in key if part) + " was proved in the baseline, and is not now" for key in outcome.fallen]
    for name, complaints in (
        ("enough is proved", outcome.shortcomings),
        ("waivers are used and have not expired", outcome.waivers.complaints),
        ("coverage has not fallen", fallen),
    ):
        case = SubElement(suite, "testcase", classname=RUN, name=name, time="0.000")
        if complaints:
            failure = SubElement(case, "failure", type=name, message=xml(shortened(complaints[0], 500)))
            failure.text = xml("\n".join(complaints))
    _count(suite, 0)


def _count(suite: Element, seconds: float) -> None:
    cases = list(suite)
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    suite.set("errors", "0")
    suite.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))
    suite.set("time", _seconds(seconds))


def _seconds(spent: float) -> str:
    return f"{spent:.3f}"
