"""What was found in recorded exchanges -> a text for a person, or JSON for a program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from contract_tests.masking import entry
from contract_tests.reports.escaping import body, printable, shortened
from contract_tests.traffic.judging import LAWS, Judged, Side
from contract_tests.traffic.recorded import Recording
from contract_tests.traffic.usage import Usage, Used
from mock_server.contract import Json

FORM = 1  # the version of the JSON's form
LONGEST = 300  # characters of an answer's body
ENTRIES = 8  # numbers of entries that are listed

HEADINGS: Mapping[Side, str] = {
    "provider": "The provider breaks the contract",
    "consumer": "The consumer breaks the contract",
    "undeclared": "The contract does not declare",
}
SUMMED: Mapping[Side, str] = {"provider": "of the provider", "consumer": "of the consumer", "undeclared": "undeclared"}


@dataclass
class Heard:
    """Everything that an archive said."""

    file: str
    recording: Recording
    judged: list[Judged] = field(default_factory=list)  # without secrets
    usage: dict[str, Usage] = field(default_factory=dict)  # by API
    without_credentials: tuple[str, ...] = ()  # APIs none of whose requests was recorded with one

    def of(self, side: Side) -> list[Judged]:
        return [one for one in self.judged if one.side == side]

    def fails(self, *, strict: bool) -> bool:
        """Whether anything is wrong; about inferred rules only if it is strict."""
        return any(strict or not one.finding.is_question for one in self.judged)


def text(heard: Heard) -> str:
    """The report for a terminal."""
    parts = [line for side in HEADINGS for line in _side(heard, side)]
    for usage in heard.usage.values():
        parts += _usage(usage)
    return "\n".join([*parts, *_summary(heard)]) + "\n"


def _side(heard: Heard, side: Side) -> Iterator[str]:
    judged = heard.of(side)
    if judged:
        yield f"{HEADINGS[side]}\n"
    for number, one in enumerate(judged, 1):
        yield "\n".join(_judged(number, one)) + "\n"


def _judged(number: int, one: Judged) -> Iterator[str]:
    finding = one.finding
    exchange = finding.exchanges[-1]
    named = ", ".join(part for part in (f"{finding.api}: {finding.law}", finding.operation, finding.subject) if part)
    yield f"{number}. {printable(named)}, {_times(one)}"
    told = {
        "law": LAWS[finding.law][1],
        "expected": finding.expected,
        "seen": finding.seen,
        "contract": str(finding.place),
        "inferred": finding.origin.detail if finding.is_question else "",
        "request": f"{exchange.request.method} {exchange.request.target}",
        "answer": f"{exchange.answer.status} {shortened(body(exchange.answer.body), LONGEST)}",
    }
    yield from (f"   {name:9} {printable(value)}" for name, value in told.items() if value)


def _times(one: Judged) -> str:
    listed = ", ".join(map(str, one.entries[:ENTRIES])) + (", …" if len(one.entries) > ENTRIES else "")
    return f"entry {listed}" if len(one.entries) == 1 else f"{len(one.entries)} entries: {listed}"


def _usage(usage: Usage) -> Iterator[str]:
    yield f"{usage.contract.title}: {len(usage.used)} of {len(usage.operations)} operations are used"
    for used in usage.used:
        asked = f"{used.operation.method} {used.operation.path} ({used.operation.operation_id})"
        yield f"  {asked}, {used.requests} requests, {_counted(used.statuses)}"
        yield from (f"      {name:11} {printable(told)}" for name, told in _parts(used) if told)
    if usage.unused:
        yield f"  never used: {', '.join(usage.unused)}"
    yield ""


def _parts(used: Used) -> Iterator[tuple[str, str]]:
    yield "parameters", _counted(used.parameters)
    yield "never sent", ", ".join([*used.unused_parameters, *used.unused_fields])
    yield "sent", _counted(used.sent)
    yield "received", ", ".join(sorted(set(used.received) - set(used.undeclared)))
    yield "undeclared", _counted(used.undeclared)


def _counted(counter: Counter[str] | Counter[int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in sorted(counter.items(), key=lambda pair: str(pair[0])))


def _summary(heard: Heard) -> Iterator[str]:
    recording = heard.recording
    counts = [f"{len(heard.of(side))} {name}" for side, name in SUMMED.items()]
    yield f"{recording.entries} entries, {len(recording.judged)} judged: {', '.join(counts)}"
    if recording.elsewhere:
        yield f"Of no contract: {printable(_counted(recording.elsewhere))}"
    if recording.skipped:
        yield f"Not judged: {_counted(recording.skipped)}"
    for api in heard.without_credentials:
        yield f"{api}: no request was recorded with a credential (browsers leave them out), so nothing is said about them."


def value(heard: Heard) -> dict[str, Json]:
    """The report for programs."""
    return {
        "form": FORM,
        "file": heard.file,
        "entries": heard.recording.entries,
        "judged": len(heard.recording.judged),
        "elsewhere": dict(heard.recording.elsewhere),
        "skipped": dict(heard.recording.skipped),
        "withoutCredentials": list(heard.without_credentials),
        "findings": [_told(one) for one in heard.judged],
        "usage": {api: _used(usage) for api, usage in heard.usage.items()},
    }


def _told(one: Judged) -> dict[str, Json]:
    finding = one.finding
    return {
        "side": one.side,
        "law": finding.law,
        "sentence": LAWS[finding.law][1],
        "api": finding.api,
        "operation": finding.operation,
        "subject": finding.subject,
        "expected": finding.expected,
        "seen": finding.seen,
        "entries": one.entries,
        "place": {"file": finding.place.file, "line": finding.place.line},
        "origin": {"kind": finding.origin.kind, "detail": finding.origin.detail},
        "exchange": entry(finding.api, finding.exchanges[-1]),
    }


def _used(usage: Usage) -> dict[str, Json]:
    return {
        "operations": {
            used.operation.operation_id: {
                "requests": used.requests,
                "statuses": {str(status): count for status, count in sorted(used.statuses.items())},
                "parameters": dict(used.parameters),
                "sent": dict(used.sent),
                "received": dict(used.received),
                "undeclared": dict(used.undeclared),
                "neverSent": [*used.unused_parameters, *used.unused_fields],
            }
            for used in usage.used
        },
        "unused": usage.unused,
    }


def ordered(judged: Iterable[Judged]) -> list[Judged]:
    """Sides in the order of their headings, what was met most often first."""
    sides = list(HEADINGS)
    return sorted(judged, key=lambda one: (sides.index(one.side), -len(one.entries), one.finding.key))
