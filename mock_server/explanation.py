"""What became of a request -> a page for a terminal: what matched, what was wrong, and where the contract says so."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from mock_server.contract import Contract, Json, Operation
from mock_server.documents import pointer
from mock_server.explaining import Explanation

WIDTH = 80
INDENT = 11  # of what stands beside a heading
BOLD, RED, GREEN, FAINT, PLAIN = "\033[1m", "\033[31m", "\033[32m", "\033[2m", "\033[0m"
LISTED = 20  # records that are named
LONGEST = 400  # characters of a body or a value that are shown

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # what a terminal would obey


class Told(NamedTuple):
    """A sentence and its colour."""

    text: str
    colour: str = ""


@dataclass(frozen=True)
class Page:
    """Writes explanations, in colours or without."""

    contracts: Mapping[str, Contract]
    coloured: bool

    def text(self, explanation: Explanation) -> str:
        """The whole page."""
        lines = [line for exchange in explanation.exchanges for line in (*self._exchange(exchange, kept=explanation.kept), "")]
        for remark in explanation.remarks:
            lines += self._part("Note", [Told(remark)])
        if explanation.right:
            lines += [self._as(BOLD, "Right is, for example"), safe(explanation.right)]
        return "\n".join(lines).rstrip()

    def _exchange(self, exchange: Json, *, kept: bool) -> Iterator[str]:
        contract = self.contracts.get(exchange["api"])
        operation = contract.operations.get(exchange["operation"] or "") if contract else None
        yield self._as(BOLD, f"{exchange['request']['method']} {exchange['request']['target']}")
        parts: Mapping[str, Iterable[Told]] = {
            "Answer": [_answer(exchange, kept=kept)],
            "Matched": _matched(exchange, contract, operation),
            "Sent": _sent(exchange, operation),
            "Wrong": _wrong(exchange),
            "Nearest": map(Told, exchange["nearest"]),
            "Read": _records(exchange["read"]),
            "Written": _records(exchange["written"]),
            "Ignored": [
                Told(f"query {name}, which the contract does not know") for name in _ignored(exchange, contract, operation)
            ],
            "Acted": [Told(f"{kind} {exchange[kind]}") for kind in ("fault", "preference") if exchange[kind]],
            "Inferred": _inferred(exchange),
        }
        for heading, told in parts.items():
            yield from self._part(heading, told)

    def _part(self, heading: str, told: Iterable[Told]) -> Iterator[str]:
        """A heading and what stands beside it; nothing where that is nothing."""
        before = self._as(BOLD, heading) + " " * (INDENT - len(heading))
        for sentence in told:
            for line in textwrap.wrap(safe(sentence.text), WIDTH - INDENT, break_long_words=False, break_on_hyphens=False):
                yield before + self._as(sentence.colour, line)
                before = " " * INDENT

    def _as(self, colour: str, text: str) -> str:
        return f"{colour}{safe(text)}{PLAIN}" if self.coloured and colour else safe(text)


def _answer(exchange: Json, *, kept: bool) -> Told:
    status, reason = exchange["answer"]["status"], exchange["reason"]
    phrase = f" {HTTPStatus(status).phrase}" if status in set(HTTPStatus) else ""
    why = f" ({reason.replace('_', ' ')})" if reason else ""
    where = f"; world {exchange['world']}, number {exchange['id']}" if kept else ""
    return Told(f"{status}{phrase}{why}{where}", GREEN if status < 400 else RED)


def _matched(exchange: Json, contract: Contract | None, operation: Operation | None) -> Iterator[Told]:
    if operation is not None and contract is not None:
        yield Told(f"{contract.title}, {operation.operation_id}: {operation.summary}")
        yield Told(str(operation.place), FAINT)
    elif contract is not None:
        yield Told(f"{contract.title}, no operation; its paths begin with {contract.base_path}")
    else:
        yield Told(f"{exchange['api']}, {exchange['operation'] or 'no operation'}")


def _sent(exchange: Json, operation: Operation | None) -> Iterator[Told]:
    """The parameters and the body that were sent."""
    path, _, query = exchange["request"]["target"].partition("?")
    pairs = [("query", *pair) for pair in parse_qsl(query, keep_blank_values=True)]
    if operation is not None:
        steps = zip(reversed(operation.path.split("/")), reversed(path.split("/")), strict=False)
        named = [("path", step[1:-1], unquote(value)) for step, value in steps if step.startswith("{")]
        pairs = [*reversed(named), *pairs]
    yield from (Told(f"{where} {name} = {_short(value)}") for where, name, value in pairs)
    body = exchange["request"].get("body")
    if body is not None:
        yield Told(f"body {_short(body)}")


def _ignored(exchange: Json, contract: Contract | None, operation: Operation | None) -> list[str]:
    """The query parameters that nothing looks at, of a refused request as well."""
    if operation is None or contract is None:
        return list(exchange["ignored"])
    known = {parameter.name for parameter in operation.parameters if parameter.where == "query"}
    known |= {scheme["name"] for scheme in contract.security_schemes.values() if scheme.get("in") == "query"}
    wrong = {violation["pointer"] for violation in exchange["violations"] if violation["in"] == "query"}
    query = exchange["request"]["target"].partition("?")[2]
    names = dict.fromkeys(name for name, _ in parse_qsl(query, keep_blank_values=True))
    return [name for name in names if name not in known and pointer([name]) not in wrong]


def _wrong(exchange: Json) -> Iterator[Told]:
    for violation in exchange["violations"]:
        yield Told(f"{violation['in']} {violation['pointer']}".strip() + f" {violation['message']}", RED)
        yield Told(violation["place"] or "", FAINT)


def _inferred(exchange: Json) -> Iterator[Told]:
    """What is inferred, by the reasons for it."""
    reasons: dict[str, list[Json]] = {}
    for part in exchange["inferred"]:
        reasons.setdefault(part["reason"], []).append(part)
    for reason, parts in reasons.items():
        yield Told(f"{', '.join(part['part'] for part in parts)}: {reason}")
        yield from (Told(part["place"], FAINT) for part in parts)


def _records(records: list[Json]) -> Iterator[Told]:
    """The records of each kind: created customer cust-061."""
    kinds: dict[str, list[str]] = {}
    for record in records:
        kinds.setdefault(f"{record.get('change', '')} {record['resource']}".strip(), []).append(str(record["id"]))
    for kind, ids in kinds.items():
        more = f" and {len(ids) - LISTED} more" if len(ids) > LISTED else ""
        yield Told(f"{kind} {', '.join(ids[:LISTED])}{more}")


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def safe(text: str) -> str:
    """A text without anything that a terminal would obey."""
    return _UNSAFE.sub("?", text)
