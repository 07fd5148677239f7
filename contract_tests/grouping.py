"""Findings -> one for each fault: what follows from another finding is left out, and what is the same everywhere is told once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from contract_tests.findings import Finding

DECLARED = "declared-answers"  # the law whose findings explain others
EVERYWHERE = 3  # operations at which the same is wrong, from which on it is one fault of the API
FIRMNESS = {"seed": 0, "docs": 1, "inferred": 2}  # origins of rules, the firmest first
_STATUSES = re.compile(r"\d{3}( or \d{3})*(?=:|$| \()")
_PARTICULAR = re.compile(r'"[^"]*"|\S*\d\S*|[\[{].*')


def grouped(findings: Iterable[Finding]) -> list[Finding]:
    """The findings of one run, one for each fault."""
    return _told_once(_explained(list(findings)))


def _explained(findings: list[Finding]) -> list[Finding]:
    """Without what another law says of an answer whose status is not even declared."""
    undeclared = {
        (f.api, f.exchanges[-1].operation, f.exchanges[-1].answer.status)
        for f in findings
        if f.law == DECLARED and f.subject.startswith("status ")
    }
    return [f for f in findings if f.law == DECLARED or (f.api, *_shown(f)) not in undeclared]


def _shown(finding: Finding) -> tuple[str, int]:
    last = finding.exchanges[-1] if finding.exchanges else None
    return (last.operation, last.answer.status) if last else ("", 0)


def _told_once(findings: list[Finding]) -> list[Finding]:
    alike: dict[tuple[str, ...], list[Finding]] = defaultdict(list)
    for finding in findings:
        kind = (finding.law, finding.api, _signature(finding.expected), _signature(finding.seen))
        alike[kind].append(finding)
    return [one for group in alike.values() for one in (_merged(group) if _is_wide(group) else group)]


def _is_wide(group: Sequence[Finding]) -> bool:
    return len({finding.operation for finding in group}) >= EVERYWHERE


def _merged(group: Sequence[Finding]) -> list[Finding]:
    shortest = min(group, key=lambda finding: len(finding.exchanges))
    subjects = {finding.subject for finding in group}
    subject = shortest.subject if len(subjects) == 1 else _signature(shortest.expected)
    firmest = min(group, key=lambda finding: FIRMNESS[finding.origin.kind])
    times = sum(finding.times for finding in group)
    return [replace(shortest, operation="", subject=subject, times=times, origin=firmest.origin, place=firmest.place)]


def _signature(text: str) -> str:
    """A text without what is particular about the one case."""
    status = _STATUSES.match(text)
    if status:
        return "success" if status[0].startswith("2") else status[0]
    return " ".join(_PARTICULAR.sub(" ", text.partition(":")[0]).split())[:60]
