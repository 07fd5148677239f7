"""What both sides answered to one request -> where they differ, and who is at fault; each difference once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from contract_tests import envelopes
from contract_tests.exchanges import Answer, Exchange
from contract_tests.grouping import FIRMNESS
from contract_tests.parity.aligning import Aligning, Labels, differing
from contract_tests.parity.duo import Pair, Step
from contract_tests.parity.judging import Fault, Judge, general, headers_of, value_at
from contract_tests.parity.twins import SIDES
from contract_tests.shapes import shortened
from mock_server import documents
from mock_server.contract import Contract, Json, Origin, Place

Blame = Literal["real", "mock", "both", "silent"]
BLAMES: Mapping[Blame, str] = {
    "real": "The real one breaks the contract",
    "mock": "The mock breaks the contract",
    "both": "Both break the contract, each in its way",
    "silent": "Both keep the contract, which is silent here",
}
EVERYWHERE = 3  # operations at which the same differs, from which on it is one difference of the API


@dataclass(frozen=True)
class Difference:
    """A place at which the two sides answer differently."""

    blame: Blame
    operation: str  # "" if it is that of several
    part: str  # status, header, body
    pointer: str
    why: str  # what was asked
    mock: str
    real: str
    rule: str  # what the contract expects; "" if it is silent
    place: Place
    origin: Origin
    exchanges: Pair
    operations: tuple[str, ...] = ()
    times: int = 1

    @property
    def is_question(self) -> bool:
        """Whether the rule that the real one breaks is our own reading of the API."""
        return self.blame == "real" and self.origin.kind == "inferred"

    @property
    def fails(self) -> bool:
        return self.blame != "silent" and not self.is_question

    @property
    def statuses(self) -> tuple[int, int]:
        mock, real = self.exchanges
        return mock.answer.status, real.answer.status


class Comparison:
    """Compares step after step, and keeps what differs."""

    def __init__(self, contract: Contract, labels: tuple[Labels, Labels]) -> None:
        self._contract = contract
        self._judges = [Judge(contract, side, own) for side, own in zip(SIDES, labels, strict=True)]
        self._aligned = [Aligning(own) for own in labels]
        self._found: dict[tuple[Json, ...], Difference] = {}
        self.steps = 0
        self.agreed = 0  # steps in which both sides granted the request

    def note(self, step: Step) -> None:
        """Take a step in."""
        self.steps += 1
        statuses = {exchange.answer.status for exchange in step.exchanges}
        self.agreed += statuses == {step.operation.status}
        met = {(one.blame, one.part, one.pointer): one for one in self._differences(step)}
        for one in met.values():
            key = (one.blame, one.operation, one.part, one.pointer, one.statuses)
            known = self._found.get(key)
            self._found[key] = replace(known, times=known.times + 1) if known else one

    @property
    def differences(self) -> list[Difference]:
        """What differed, those to be mended first."""
        alike: dict[tuple[Json, ...], list[Difference]] = defaultdict(list)
        blamed = [one for one in self._found.values() if one.blame != "silent"]
        for one in self._found.values():
            if one.blame == "silent" and any(_explains(other, one) for other in blamed):
                continue
            refused = min(one.statuses) >= 400
            alike[one.blame, one.part, one.pointer, () if refused and one.part == "body" else one.statuses].append(one)
        told = [one for group in alike.values() for one in _told_once(group)]
        return sorted(told, key=lambda one: list(BLAMES).index(one.blame))

    def _differences(self, step: Step) -> Iterator[Difference]:
        faults = [list(judge.faults(step, one)) for judge, one in zip(self._judges, step.exchanges, strict=True)]
        mock, real = ({(one.part, one.pointer): one for one in found} for found in faults)
        for key in dict.fromkeys((*real, *mock)):
            if (key in real) != (key in mock):
                yield self._at_fault(step, "real" if key in real else "mock", real.get(key) or mock[key])
        broken = [*real.values(), *mock.values()]
        for part, pointer, values in self._unlike(step):
            if not any(_covers(fault, part, pointer) for fault in broken):
                yield self._silent(step, part, pointer, values)
            elif (part, pointer) in real and (part, pointer) in mock:
                yield self._at_fault(step, "both", real[part, pointer])

    def _at_fault(self, step: Step, blame: Blame, fault: Fault) -> Difference:
        mock, real = (_shown(one.answer, fault) for one in step.exchanges)
        return Difference(
            blame,
            step.operation.operation_id,
            fault.part,
            fault.pointer,
            step.expected.why,
            fault.seen if blame == "mock" else mock,
            real if blame == "mock" else fault.seen,
            fault.expected,
            fault.place,
            fault.origin,
            step.exchanges,
        )

    def _silent(self, step: Step, part: str, pointer: str, values: tuple[str, str]) -> Difference:
        operation, (mock, real), why = step.operation, values, step.expected.why
        return Difference(
            "silent",
            operation.operation_id,
            part,
            pointer,
            why,
            mock,
            real,
            "",
            operation.place,
            operation.origin,
            step.exchanges,
        )

    def _unlike(self, step: Step) -> Iterator[tuple[str, str, tuple[str, str]]]:
        """Where the aligned answers are not the same: part, pointer, and what each has."""
        mock, real = (exchange.answer for exchange in step.exchanges)
        if mock.status != real.status:
            yield "status", "", (str(mock.status), str(real.status))
            return
        yield from self._headers(step)
        strangers = any(
            aligned.strangers(step.operation, one.answer) for aligned, one in zip(self._aligned, step.exchanges, strict=True)
        )
        sight = replace(step.sight, whole=not strangers)
        bodies = [
            aligned.answer(step.operation, one.answer, sight) for aligned, one in zip(self._aligned, step.exchanges, strict=True)
        ]
        for way, one, other in differing(*bodies):
            yield "body", general(documents.pointer(way)), (_written(one), _written(other))

    def _headers(self, step: Step) -> Iterator[tuple[str, str, tuple[str, str]]]:
        mock, real = (headers_of(self._contract, step.operation, one.answer) for one in step.exchanges)
        for name in dict.fromkeys((*mock, *real)):
            one, other = (_HEADERS.get(name, _is_there)(found.get(name)) for found in (mock, real))
            if one != other:
                yield "header", name, (str(mock.get(name, "nothing")), str(real.get(name, "nothing")))


def _explains(blamed: Difference, silent: Difference) -> bool:
    """Whether a fault that another step showed stands at the same place."""
    return blamed.operation == silent.operation and _covers(blamed, silent.part, silent.pointer)


def _is_there(value: str | None) -> str:
    return "" if value is None else "there"


_HEADERS: Mapping[str, Callable[[str | None], str]] = {  # name -> what of its value is compared
    "content-type": lambda value: (value or "").partition(";")[0].strip().lower(),
    "allow": lambda value: ", ".join(sorted({one.strip().upper() for one in (value or "").split(",")} - {"HEAD", "OPTIONS"})),
    "www-authenticate": lambda value: (value or "").split(" ")[0].lower(),
}


def _covers(fault: Fault | Difference, part: str, pointer: str) -> bool:
    """Whether a difference is what a fault is about, or follows from it."""
    if fault.part != part:
        return fault.part == "status"
    return f"{pointer}/".startswith(f"{fault.pointer}/") or f"{fault.pointer}/".startswith(f"{pointer}/")


def _shown(answer: Answer, fault: Fault) -> str:
    """What the side that is not at fault answered there."""
    if fault.part == "status":
        return str(answer.status)
    if fault.part == "header":
        return answer.header(fault.pointer) or "nothing"
    return _written(value_at(answer, fault.pointer))


def _written(value: Json) -> str:
    return "nothing" if value is envelopes.MISSING else shortened(value)


def _told_once(group: Sequence[Difference]) -> Iterable[Difference]:
    names = tuple(dict.fromkeys(one.operation for one in group))
    if len(names) < EVERYWHERE and not (group[0].part == "body" and min(group[0].statuses) >= 400):
        return group
    firmest = min(group, key=lambda one: FIRMNESS[one.origin.kind])
    alike = [one for one in group if one.origin.kind == firmest.origin.kind]
    shortest = min(alike, key=lambda one: len(one.exchanges[1].request.body or b""))
    operation = "" if len(names) > 1 else names[0]
    return [replace(shortest, operation=operation, operations=names, times=sum(one.times for one in group))]


def exchange_of(difference: Difference) -> Exchange:
    """The request at the real one, and its answer."""
    return difference.exchanges[1]
