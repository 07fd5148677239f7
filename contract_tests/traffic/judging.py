"""A recorded exchange -> what is wrong with it by the contract, and whose fault it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from contract_tests.exchanges import Answer, Exchange
from contract_tests.findings import Finding, Key
from contract_tests.traffic.reading import Met, Reading, scope_of
from contract_tests.traffic.recorded import Recorded
from mock_server import sources
from mock_server.bridge import bodies, violations
from mock_server.bridge.bodies import Unreadable
from mock_server.contract import Contract, Json, Origin, Place, declared_as, origin_of
from mock_server.documents import Node
from mock_server.refusals import Violation

Side = Literal["provider", "consumer", "undeclared"]

LAWS: Mapping[str, tuple[Side, str]] = {  # name -> whose fault it is, what is promised
    "known-path": ("undeclared", "The contract has every path, and every method there, that a client uses."),
    "declared-status": ("provider", "An operation answers with the statuses that the contract declares."),
    "declared-media-type": ("provider", "An answer is of the media type that the contract declares for its status."),
    "answer-keeps-schema": ("provider", "The body of an answer keeps its schema."),
    "broken-request-refused": ("provider", "A request that breaks the contract is refused."),
    "known-parameters": ("consumer", "A client sends the query parameters that the contract knows."),
    "valid-parameters": ("consumer", "A client sends parameters that keep their schemas, and all that are required."),
    "valid-body": ("consumer", "A client sends bodies that keep their schema, of the media type that the contract names."),
    "credentials-sent": ("consumer", "A client sends the credential that an operation demands."),
}
UNKNOWN = "is not known here"  # as the parameters' reader says it
MOST = 50  # faults of one exchange
_INDEX = re.compile(r"/\d+(?=/|$)")


@dataclass(frozen=True)
class Fault:
    """Something that an exchange has against the contract."""

    law: str
    subject: str
    expected: str
    seen: str
    place: Place
    origin: Origin


@dataclass
class Judged:
    """One fault of the traffic: a finding, and the entries that show it."""

    finding: Finding
    entries: list[int] = field(default_factory=list)

    @property
    def side(self) -> Side:
        return LAWS[self.finding.law][0]


class Judge:
    """Holds exchanges against one contract, and keeps what is wrong, each fault once."""

    def __init__(self, contract: Contract, recorded: Iterable[Recorded]) -> None:
        self.reading = Reading(contract)
        self.judged: dict[Key, Judged] = {}
        # A browser leaves credentials out of the archive that it saves: then no request says anything about them.
        self.tells_credentials = any(self.reading.has_credential(one.exchange.request) for one in recorded)

    def hear(self, one: Recorded) -> Met | None:
        """Judge an exchange; the operation that it meets, if there is one."""
        met = self.reading.met(one.exchange.request)
        exchange = replace(one.exchange, operation=met.operation.operation_id if met else "")
        faults = list(self._faults(one, exchange, met))[:MOST] if met else [self._undeclared(exchange)]
        for fault in faults:
            self._keep(one, exchange, fault)
        return met

    def _keep(self, one: Recorded, exchange: Exchange, fault: Fault) -> None:
        key = (fault.law, one.api, exchange.operation, fault.subject)
        if key not in self.judged:
            finding = Finding(*key, fault.expected, fault.seen, (exchange,), fault.place, fault.origin)
            self.judged[key] = Judged(finding, [one.number])
        elif self.judged[key].entries[-1] != one.number:
            known = self.judged[key]
            known.entries.append(one.number)
            known.finding = replace(known.finding, times=known.finding.times + 1)

    def _undeclared(self, exchange: Exchange) -> Fault:
        request = exchange.request
        methods = self.reading.methods(request)
        path = request.target.partition("?")[0]
        expected = f"one of {', '.join(methods)} at this path" if methods else "a path of the contract"
        seen = f"{request.method} {path}, answered with {exchange.answer.status}"
        paths = self.reading.document.root / "paths"
        return Fault("known-path", f"{request.method} {_general(path)}", expected, seen, paths.place, origin_of(paths))

    def _faults(self, one: Recorded, exchange: Exchange, met: Met) -> Iterator[Fault]:
        asked = list(self._asked(exchange, met))
        yield from asked
        broken = [fault for fault in asked if fault.law in ("valid-parameters", "valid-body")]
        if broken and exchange.answer.status < 300:
            first = broken[0]
            expected = f"a refusal: {first.subject} {first.expected}"
            yield Fault("broken-request-refused", first.subject, expected, str(exchange.answer.status), first.place, first.origin)
        yield from self._answered(one, exchange, met)

    # The consumer's part

    def _asked(self, exchange: Exchange, met: Met) -> Iterator[Fault]:
        for violation in self._violations(exchange, met):
            unknown = violation.where == "query" and violation.message == UNKNOWN
            law = "known-parameters" if unknown else "valid-body" if violation.where == "body" else "valid-parameters"
            yield self._fault(law, met, violation)
        missing = self.reading.lacks(met.operation, exchange.request)
        if missing and (self.tells_credentials or exchange.answer.status == 401):
            place = sources.place(self.reading.contract, met.operation, Violation("header", "", ""))
            yield Fault("credentials-sent", "", f"a credential for {' and '.join(missing)}", "none", place, met.operation.origin)

    def _violations(self, exchange: Exchange, met: Met) -> Iterator[Violation]:
        parameters = self.reading.parameters(met)
        if parameters is not None:
            yield from parameters.read(scope_of(exchange.request, met.path)).violations
        if met.operation.body is not None:
            yield from self._body(exchange, met)

    def _body(self, exchange: Exchange, met: Met) -> Iterator[Violation]:
        request, operation = exchange.request, met.operation
        if not request.body:
            if operation.body_required:
                yield Violation("body", "", "is required")
            return
        media_type = _media_type(request.header("content-type"))
        if media_type not in ("", "application/json"):
            yield Violation("body", "", f"must be application/json, not {media_type}")
            return
        try:
            value = self.reading.body_names(operation, bodies.parsed(request.body))
        except Unreadable as reason:
            yield Violation("body", "", str(reason))
            return
        compiled = self.reading.body(operation)
        if not compiled.is_valid(value):
            yield from violations.found(compiled, value, "body")

    def _fault(self, law: str, met: Met, violation: Violation) -> Fault:
        place = sources.place(self.reading.contract, met.operation, violation)
        subject = f"{violation.where} {_general(violation.pointer)}".strip()
        origins: dict[tuple[str, str], Origin] = {(one.where, f"/{one.name}"): one.origin for one in met.operation.parameters}
        origin = origins.get((violation.where, violation.pointer), met.operation.origin)
        return Fault(law, subject, violation.message, f"in the {violation.where}", place, origin)

    # The provider's part

    def _answered(self, one: Recorded, exchange: Exchange, met: Met) -> Iterator[Fault]:
        answer, definition = exchange.answer, self.reading.schemas.operation(met.operation)
        declared = self.reading.schemas.answers(definition)
        status = str(answer.status)
        code = declared_as(answer.status, declared)
        node = self.reading.node(met.operation) / "responses"
        if code is None:
            yield Fault("declared-status", status, f"one of {', '.join(declared)}", status, node.place, origin_of(node))
        elif one.has_body and exchange.request.method != "HEAD":
            yield from self._content(answer, declared[code].get("content", {}), node / code)

    def _content(self, answer: Answer, content: Mapping[str, Json], node: Node) -> Iterator[Fault]:
        """What is wrong with a body; `node` is the answer's declaration."""
        if not answer.body:
            if content:
                yield Fault("answer-keeps-schema", str(answer.status), "a body", "none", node.place, origin_of(node))
            return
        sent = _media_type(answer.header("content-type"))
        media_type = next((name for name in content if _admits(name, sent)), None)
        if media_type is None:
            expected = f"{answer.status} as {' or '.join(content)}" if content else f"{answer.status} without a body"
            yield Fault(
                "declared-media-type", str(answer.status), expected, sent or "no Content-Type", node.place, origin_of(node)
            )
            return
        schema = content[media_type].get("schema")
        if schema is None or not (sent == "application/json" or sent.endswith("+json")):
            return
        at = node / "content" / media_type / "schema"
        try:
            value = bodies.parsed(answer.body)
        except Unreadable as reason:
            yield Fault("answer-keeps-schema", str(answer.status), "JSON", str(reason), at.place, origin_of(at))
            return
        compiled = self.reading.schemas.compiled(schema, "response", local_time=not self.reading.contract.times.zoned)
        for violation in () if compiled.is_valid(value) else violations.found(compiled, value, "body"):
            part = within(at, violation.pointer)
            subject = f"{answer.status} {_general(violation.pointer)}".strip()
            seen = shown(value, violation.pointer)
            yield Fault("answer-keeps-schema", subject, violation.message, seen, part.place, origin_of(part))


def within(schema: Node, pointer: str) -> Node:
    """The part of a schema that describes what stands at a pointer into a value, or the nearest around it."""
    for step in filter(None, pointer.split("/")):
        found = next(_below(schema, step.replace("~1", "/").replace("~0", "~")), None)
        if found is None:
            return schema
        schema = found
    return schema


def _below(schema: Node, step: str) -> Iterator[Node]:
    parts = [schema]
    while parts:
        part = parts.pop(0)
        for found in (part / "properties" / step, part / "items" if step.isdecimal() else None, part / "additionalProperties"):
            if found is not None and isinstance(found.value, dict):
                yield found
        parts += [inner for keyword in ("allOf", "oneOf", "anyOf") for inner in (part / keyword).elements()]


def shown(value: Json, pointer: str) -> str:
    """What stands at a pointer, shortened."""
    for step in filter(None, pointer.split("/")):
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return "nothing"
    text = repr(value) if not isinstance(value, (dict, list)) else violations.kind(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _general(pointer: str) -> str:
    """A pointer or path with every index as *."""
    return _INDEX.sub("/*", pointer)


def _media_type(header: str | None) -> str:
    return (header or "").partition(";")[0].strip().lower()


def _admits(declared: str, sent: str) -> bool:
    kind, _, sub = declared.lower().partition("/")
    return declared.lower() == sent or declared == "*/*" or (sub == "*" and sent.startswith(f"{kind}/"))
