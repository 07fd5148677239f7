"""One side's answer -> what in it breaks the contract."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from contract_tests import envelopes
from contract_tests.comparing import Difference, differences
from contract_tests.exchanges import Answer, Exchange
from contract_tests.laws.answered import mistakes
from contract_tests.laws.written import agree
from contract_tests.matching import met
from contract_tests.parity import twins
from contract_tests.parity.aligning import Labels
from contract_tests.parity.duo import Step
from contract_tests.parity.twins import Name
from contract_tests.shapes import Shape, shortened
from contract_tests.traffic.judging import within
from contract_tests.trials import unanswered
from mock_server import documents
from mock_server.capsules.places import is_time
from mock_server.contract import Contract, Json, Operation, Origin, Place, Record, Resource, Schema, declared_as, origin_of
from mock_server.documents import Node
from mock_server.schemas import at, followed, items, properties

_OF_STATUS = re.compile(r" of \d{3}$")
_KEY = re.compile(r"/\d+(?=/|$)")


@dataclass(frozen=True)
class Fault:
    """What one side's answer has against the contract."""

    part: str  # status, header, body
    pointer: str  # with every index as *
    expected: str
    seen: str
    place: Place
    origin: Origin


def general(pointer: str) -> str:
    """A pointer with every index as *."""
    return _KEY.sub("/*", pointer)


class Judge:
    """Judges the answers of one side by one contract."""

    def __init__(self, contract: Contract, side: Name, labels: Labels) -> None:
        self._contract = contract
        self._side: Name = side
        self._labels = labels
        self._shapes: dict[str, dict[str, Shape]] = {}
        self._right: dict[tuple[str, int, str], Mapping[str, Json]] = {}  # label, view, record -> what it was held against

    @cached_property
    def _root(self) -> Node:
        return documents.load(self._contract.file).root

    def faults(self, step: Step, exchange: Exchange) -> Iterator[Fault]:
        """Everything that is wrong with an answer."""
        operation, status = step.operation, exchange.answer.status
        if unanswered(exchange):
            words = exchange.answer.body[-200:].decode("utf-8", "replace")
            yield Fault("status", "", "an answer that is no failure of the server", f"{status} {words}".strip(), *_at(operation))
            return
        declared = list(self._declared(operation, exchange))
        yield from declared
        if step.expected.statuses and status not in step.expected.statuses:
            if all(fault.part != "status" for fault in declared):
                yield self._unexpected(step, status)
            return
        if status == operation.status:
            yield from self._shown(step, exchange.answer)
        elif step.expected.reason:
            yield from self._refused(step, exchange.answer)

    def _unexpected(self, step: Step, status: int) -> Fault:
        wanted = " or ".join(map(str, sorted(step.expected.statuses)))
        place, origin = _at(step.operation)
        return Fault(
            "status",
            "",
            f"{wanted}: {step.expected.why}",
            str(status),
            step.expected.place or place,
            step.expected.origin or origin,
        )

    # The answer as it is declared

    def _declared(self, operation: Operation, exchange: Exchange) -> Iterator[Fault]:
        definition = self._contract.document["paths"][operation.path][operation.method.lower()]
        responses = {str(c): followed(part, self._contract.document) for c, part in definition["responses"].items()}
        status = str(exchange.answer.status)
        code = declared_as(exchange.answer.status, responses)
        node = self._root / "paths" / operation.path / operation.method.lower() / "responses"
        if code is None:
            yield Fault("status", "", f"one of {', '.join(sorted(responses))}", status, node.place, origin_of(node))
            return
        shapes = self._shapes.setdefault(operation.operation_id, {})
        for subject, expected, seen, origin in mistakes(responses[code], status, exchange, shapes, self._contract.document):
            part, pointer = _where(_OF_STATUS.sub("", subject))
            rule = self._rule(node / code, part, pointer)
            yield Fault(part, pointer, expected, seen, rule.place, origin or origin_of(rule))

    @staticmethod
    def _rule(response: Node, part: str, pointer: str) -> Node:
        if part == "header":
            found = response / "headers" / pointer
            return found or response
        media = next(iter((response / "content").mapping), "")
        schema = response / "content" / media / "schema"
        return within(schema, pointer.replace("/*", "/0")) if schema else response

    # What the semantics say of it

    def _shown(self, step: Step, answer: Answer) -> Iterator[Fault]:
        operation = step.operation
        for token, value in twins.of(self._side, step.expected.told).items():
            way = envelopes.located(operation.envelope, token)
            seen = envelopes.taken(operation, answer, token)
            if way is not None and (seen != value or isinstance(seen, bool) != isinstance(value, bool)):
                yield Fault(
                    "body", documents.pointer(way), f"{shortened(value)}: {step.expected.why}", _told(seen), *_at(operation)
                )
        for pointer, record in self._records(operation, answer):
            yield from self._record(step, pointer, record)
        if step.expected.listed is not None:
            yield from self._listed(step, answer)
        if step.expected.record is not None:
            yield from self._agreeing(step, answer)

    @staticmethod
    def _records(operation: Operation, answer: Answer) -> Iterator[tuple[str, Record]]:
        for token in ("$record", "$records"):
            way = envelopes.located(operation.envelope, token)
            if way is None:
                continue
            found = envelopes.taken(operation, answer, token)
            at_each = documents.pointer(way) + ("/*" if isinstance(found, list) else "")
            yield from ((at_each, one) for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict))

    def _record(self, step: Step, way: str, record: Record) -> Iterator[Fault]:
        """A record of this run holds what it was sent; and every one matches the filters that were asked for."""
        operation = step.operation
        resource, view = operation.resource, operation.view
        if resource is None or view is None:
            return
        yield from self._held(step, (resource, view), way, record)
        yield from self._times(step, way, record)
        for name, value in step.expected.forged.items():
            if record.get(name) == value:
                expected = f"a value that the server assigns: {step.expected.why}"
                yield Fault("body", f"{way}/{name}", expected, shortened(value), *_at(operation))
        yield from self._filtered(step, way, {**record, **self._stored(step, resource, record)})

    def _held(self, step: Step, kind: tuple[Resource, Schema], way: str, record: Record) -> Iterator[Fault]:
        """A record of this run, and those below it, hold what they were sent."""
        resource, view = kind
        for one in self._differences(step, resource, view, record):
            expected, seen = one.told
            pointer = general(f"{way}/{one.pointer}")
            rule = self._rule(self._success(step.operation), "body", pointer)
            yield Fault("body", pointer, f"{expected}: {step.expected.why}", seen, rule.place, origin_of(rule))
        for children in resource.children:
            listed, shown = record.get(children.property), properties(view).get(children.property)
            below = self._contract.resources[children.resource]
            for child in listed if isinstance(listed, list) else ():
                if isinstance(child, dict) and shown is not None:
                    yield from self._held(step, (below, items(shown)), f"{way}/{children.property}/*", child)

    def _differences(self, step: Step, resource: Resource, view: Schema, record: Record) -> list[Difference]:
        """Where a record differs from what it must hold; what was found right before is not looked at again."""
        label = self._labels.owners.get((resource.name, repr(record.get(resource.id.property))), "")
        known = step.known.get(label)
        key = (label, id(view), json.dumps(record))
        if not known or self._right.get(key) is known:
            return []
        found = list(differences(self._contract, resource, twins.of(self._side, known), record, view))
        if not found:
            self._right[key] = known
        return found

    def _stored(self, step: Step, resource: Resource, record: Record) -> Mapping[str, Json]:
        """What a record must hold, as this side has it; nothing of one that this run did not make."""
        label = self._labels.owners.get((resource.name, repr(record.get(resource.id.property))), "")
        found: Mapping[str, Json] = twins.of(self._side, step.known.get(label, {}))
        return found

    def _times(self, step: Step, way: str, record: Record) -> Iterator[Fault]:
        """Times that the server assigns are written as the contract says, and that of the creation stays."""
        resource = step.operation.resource
        if resource is None:
            return
        form = _form(self._contract)
        for name, value in record.items():
            if is_time(resource, name) and isinstance(value, str) and not form.fullmatch(value) and len(value) > 10:
                yield self._timely(f"{way}/{name}", f"a time like {_example(self._contract)}", value)
        made = self._labels.created.get((resource.name, repr(record.get(resource.id.property))))
        if resource.created and made is not None and record.get(resource.created, made) != made:
            seen = str(record[resource.created])
            yield self._timely(f"{way}/{resource.created}", f"{made}, as when the record was made", seen)

    def _timely(self, pointer: str, expected: str, seen: str) -> Fault:
        rule = self._root / "x-semantics" / "times"
        return Fault("body", pointer, expected, seen, rule.place, origin_of(rule))

    def _filtered(self, step: Step, way: str, record: Record) -> Iterator[Fault]:
        for parameter in step.operation.filters:
            if parameter.filter is None or parameter.name not in step.expected.query:
                continue
            wanted = twins.of(self._side, step.expected.query[parameter.name])
            if met(parameter.filter, record, wanted) is False:
                held = {path[0]: record.get(path[0]) for path in parameter.filter.paths}
                expected = f"only records that match {parameter.name}={shortened(wanted)}"
                yield Fault("body", way, expected, f"one with {shortened(held)}", parameter.place, parameter.origin)

    def _listed(self, step: Step, answer: Answer) -> Iterator[Fault]:
        """A list has the records that it must have, in their order; where others may be among them, it has these."""
        operation = step.operation
        resource, wanted = operation.resource, twins.of(self._side, step.expected.listed)
        records = envelopes.records(operation, answer)
        if resource is None or records is None:
            return
        seen = [record.get(resource.id.property) for record in records]
        if step.sight.listing == "own":
            seen = [id for id in seen if id in wanted]
        if seen != wanted:
            way = documents.pointer(envelopes.located(operation.envelope, "$records") or ())
            place, origin = _at(operation)
            rule = (step.expected.place or place, step.expected.origin or origin)
            yield Fault("body", way, f"{_listing(wanted)}: {step.expected.why}", _listing(seen), *rule)

    def _agreeing(self, step: Step, answer: Answer) -> Iterator[Fault]:
        """Two views of a record agree in what both show."""
        operation, other = step.operation, twins.of(self._side, step.expected.record)
        for way, record in self._records(operation, answer):
            for name in other.keys() & record.keys():
                if not agree(other[name], record[name]):
                    pointer = f"{way}/{name}"
                    rule = self._rule(self._success(operation), "body", pointer)
                    expected = f"{shortened(other[name])}, as the list shows it"
                    yield Fault("body", pointer, expected, shortened(record[name]), rule.place, origin_of(rule))

    # Refusals

    def _refused(self, step: Step, answer: Answer) -> Iterator[Fault]:
        """A refusal has the code that the semantics give its reason."""
        form = self._contract.refusals
        expected = {"$code": form.codes.get(step.expected.reason), "$status": answer.status}
        rules = self._root / "x-semantics" / "refusals"
        for token, wanted in expected.items():
            way = envelopes.located(form.body, token)
            if way is None or wanted is None:
                continue
            seen = envelopes.at(answer.json(), way)
            if seen != wanted:
                rule = rules / "codes" / step.expected.reason if token == "$code" else rules / "body"  # noqa: S105  # no password
                yield Fault(
                    "body",
                    documents.pointer(way),
                    f"{shortened(wanted)}: {step.expected.why}",
                    _told(seen),
                    rule.place,
                    origin_of(rule),
                )

    def _success(self, operation: Operation) -> Node:
        node = self._root / "paths" / operation.path / operation.method.lower() / "responses"
        return node / str(operation.status)


def _at(operation: Operation) -> tuple[Place, Origin]:
    return operation.place, operation.origin


def _where(subject: str) -> tuple[str, str]:
    """The part and the pointer that a mistake in an answer is about."""
    if subject.startswith("header "):
        return "header", subject.removeprefix("header ")
    if subject == "media type":
        return "header", "Content-Type"
    return "body", "" if subject == "body" else f"/{subject}"


def _form(contract: Contract) -> re.Pattern[str]:
    fine = r"\.\d{3}" if contract.times.milliseconds else ""
    return re.compile(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d{fine}{'Z' if contract.times.zoned else ''}")


def _example(contract: Contract) -> str:
    return f"2024-02-29T23:59:59{'.000' if contract.times.milliseconds else ''}{'Z' if contract.times.zoned else ''}"


def _listing(ids: Sequence[Json]) -> str:
    shown = ", ".join(map(str, ids[:5]))
    return f"{len(ids)} records" + (f" ({shown}{', …' if len(ids) > 5 else ''})" if ids else "")


def _told(value: Json) -> str:
    return "nothing" if value is envelopes.MISSING else shortened(value)


def value_at(answer: Answer, pointer: str) -> Json:
    """What an answer has at a pointer, the first element for *."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        return answer.body.decode("utf-8", "replace")
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    for step in steps:
        body = at(body, (int(step) if step.isdecimal() and isinstance(body, list) else 0 if step == "*" else step,))
    return body


def headers_of(contract: Contract, operation: Operation, answer: Answer) -> Mapping[str, str]:
    """The header fields of an answer that say something about the API."""
    declared = contract.document["paths"][operation.path][operation.method.lower()]["responses"]
    response = followed(declared.get(str(answer.status)), contract.document) or {}
    names = {"content-type", "allow", *(name.lower() for name in response.get("headers") or ())}
    return {name.lower(): value for name, value in answer.headers if name.lower() in names}
