"""A file of known findings -> those that are let pass, until a date; and what is wrong with the file itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from pathlib import Path

from contract_tests.findings import Finding, Result, Unproved
from mock_server import documents
from mock_server.clock import MICROSECONDS, Clock
from mock_server.contract import BrokenContract, Contract
from mock_server.documents import Mistake, Node, Place

LISTED = "waivers"
ANY = "*"


@dataclass(frozen=True)
class Waiver:
    """One known fault: which findings it covers, why they may pass, and how long."""

    law: str
    api: str
    operation: str  # an operationId, or * for every one
    subject: str  # what the finding is about, or * for anything
    reason: str
    until: date  # the last day
    place: Place

    def covers(self, finding: Finding | Unproved) -> bool:
        """Whether a finding, or what might have been one, is of the kind that is waived."""
        return (
            (self.law, self.api) == (finding.law, finding.api)
            and self.operation in (ANY, finding.operation)
            and self.subject in (ANY, finding.subject)
        )

    def __str__(self) -> str:
        told = f"{self.law} of {self.api}"
        told += f", {self.operation}" if self.operation != ANY else ""
        return told + (f", {self.subject}" if self.subject != ANY else "")


@dataclass(frozen=True)
class Waived:
    """A finding that is let pass, and by which waiver."""

    finding: Finding
    waiver: Waiver


@dataclass(frozen=True)
class Applied:
    """What waivers did to a run's findings."""

    left: tuple[Finding, ...] = ()  # not waived
    waived: tuple[Waived, ...] = ()
    complaints: tuple[str, ...] = ()  # an expired or unused waiver each; any of them fails the run


def today() -> date:
    """The date in UTC."""
    return datetime.fromtimestamp(Clock().now() / MICROSECONDS, UTC).date()


def applied(waivers: Sequence[Waiver], result: Result, on: date) -> Applied:
    """Part a run's findings into those that stay and those that a waiver covers."""
    living = [waiver for waiver in waivers if waiver.until >= on]
    covering = [(finding, next((w for w in living if w.covers(finding)), None)) for finding in result.findings]
    complaints = [(waiver, _complaint(waiver, result, on)) for waiver in waivers]
    return Applied(
        left=tuple(finding for finding, waiver in covering if waiver is None),
        waived=tuple(Waived(finding, waiver) for finding, waiver in covering if waiver is not None),
        complaints=tuple(f"{waiver.place}: the waiver of {waiver} {told}" for waiver, told in complaints if told),
    )


def _complaint(waiver: Waiver, result: Result, on: date) -> str:
    if waiver.until < on:
        return f"has expired on {waiver.until}: mend the fault, or give it a new date"
    if (waiver.api, waiver.law) not in result.tried:
        return ""
    if any(map(waiver.covers, result.findings)) or any(map(waiver.covers, result.unproved)):
        return ""
    return "is not used any more: take it out"


def read(path: Path, contracts: Mapping[str, Contract], laws: Iterable[str]) -> tuple[Waiver, ...]:
    """The waivers in a YAML file. `contracts` are all there are, not only those of this run.

    Raises BrokenContract with every mistake in it.
    """
    document = documents.load(path)
    entries = list((document.root / LISTED).elements())
    mistakes = list(_mistakes(document.root, contracts, tuple(laws)))
    if mistakes:
        raise BrokenContract(mistakes)
    return tuple(map(_waiver, entries))


def _waiver(entry: Node) -> Waiver:
    named = {key: entry.mapping.get(key, ANY) for key in ("law", "api", "operation", "subject", "reason")}
    return Waiver(**named, until=date.fromisoformat(entry.mapping["until"]), place=entry.place)


_KEYS = tuple(f.name for f in fields(Waiver) if f.name != "place")
_REQUIRED = ("law", "api", "reason", "until")


def _mistakes(root: Node, contracts: Mapping[str, Contract], laws: tuple[str, ...]) -> Iterator[Mistake]:
    for key, part in root.items():
        if key != LISTED:
            yield part.mistake(f"this key is unknown; there is {LISTED}, a list")
    listed = root / LISTED
    if not isinstance(listed.value, list):
        yield root.mistake(f"it must be a mapping with the list `{LISTED}`")
    for entry in listed.elements():
        yield from _of_entry(entry, contracts, laws)


def _of_entry(entry: Node, contracts: Mapping[str, Contract], laws: tuple[str, ...]) -> Iterator[Mistake]:
    if not isinstance(entry.value, dict):
        yield entry.mistake(f"it must be a mapping with {', '.join(_KEYS)}")
        return
    for key, part in entry.items():
        if key not in _KEYS:
            yield part.mistake(f"this key is unknown; there are {', '.join(_KEYS)}")
        elif not part.text:
            yield part.mistake(f"`{key}` must be a text, not empty")
    for key in _REQUIRED:
        if key not in entry.mapping:
            yield entry.mistake(f"`{key}` is missing")
    yield from _unknown(entry / "law", laws, "law")
    yield from _unknown(entry / "api", tuple(contracts), "API")
    contract = contracts.get((entry / "api").text or "")
    yield from _unknown(entry / "operation", (ANY, *contract.operations) if contract else (), "operation of that API")
    if (entry / "until").text and not _is_date(str((entry / "until").text)):
        yield (entry / "until").mistake("`until` must be a date like 2026-12-31")


def _unknown(node: Node, known: tuple[str, ...], what: str) -> Iterator[Mistake]:
    if known and node.text and node.text not in known:
        yield node.mistake(f"{node.text} is no {what}{documents.meant(node.text, known)}")


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
