"""Where a contract says what: the place of a broken rule, and the parts of an answer that are inferred.

Asked when somebody reads the journal, not while requests are answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

import orjson

from mock_server import documents, outline
from mock_server.contract import Contract, Json, Operation, Place
from mock_server.described import Named, described, parts
from mock_server.documents import Node, Steps
from mock_server.journal import Exchange
from mock_server.refusals import Violation
from mock_server.schemas import at, pointed

MOST = 5000  # values of one body that are looked at


@dataclass(frozen=True)
class Inferred:
    """A part of an answer that rests on our reading: which, why we read it so, and where it stands."""

    part: str
    reason: str
    place: Place


def place(contract: Contract, operation: Operation | None, violation: Violation, reason: str = "") -> Place:
    """Where the contract says what a violation is about: the parameter, property, requirement or rule; else the nearest thing."""
    source = _Source(contract, operation)
    path = source.rule(violation, reason) or SAID.get(violation.where, _Source.nowhere)(source, violation)
    return source.document.place(path)


def inferred(contract: Contract, operation: Operation | None, exchange: Exchange) -> tuple[Inferred, ...]:
    """The parts of an answer, and of what was asked, that are inferred: each once, the nearest statement deciding."""
    source, found = _Source(contract, operation), dict[Steps, Inferred]()
    for part, path in source.used(exchange):
        stands, reason = source.described.origin(path)
        if reason is None:
            continue
        if part:  # A rule; several may share one reason.
            found.setdefault(path, Inferred(part, reason, source.document.place(path)))
        else:
            found.setdefault(stands, Inferred(source.named(stands), reason, source.document.place(stands)))
    return tuple(found.values())


class _Source:
    """What a contract says of one operation, or of none."""

    def __init__(self, contract: Contract, operation: Operation | None) -> None:
        self.contract = contract
        self.operation = operation
        self.described = described(contract)
        self.node = self.described.operation(operation)
        self.document = self.described.document
        self.root = self.document.root

    # Places

    def nowhere(self, _violation: Violation) -> Steps:
        return self.node.path

    def parameter(self, violation: Violation) -> Steps:
        """Of a parameter its name; of a credential or a body's type what demands it."""
        steps = _steps(violation.pointer)
        if not steps:
            return self.node.path[:-1] if violation.where == "path" and self.operation else self.security() or self.node.path
        node = self._parameter(violation.where, steps[0])
        if node is not None:
            return (*node.path, "name")
        return self._demand(violation.where, steps[0]) or self._has("parameters") or self.node.path

    def body(self, violation: Violation) -> Steps:
        """Of a body's property its name, as deep as the schema knows it."""
        path, schema = self._has("requestBody") or self.node.path, self._body()
        for step in _steps(violation.pointer):
            found = self._below(schema, step)
            if found is None:
                return _listed(schema, step) or path
            path, schema = found
        return path

    def state(self, violation: Violation) -> Steps:
        """Of records in the way the rule that guards; where there are several, the one about records at such a path."""
        if self.operation is None or self.operation.resource is None:
            return self.node.path
        guards = self.root / "x-semantics" / "resources" / self.operation.resource.name / "deletion" / "guards"
        paths = {guard.path: (guard / "resource").text for guard in guards.elements()}
        exact = (path for path, name in paths.items() if self._leads_to(violation.pointer, name))
        return next(exact, next(iter(paths), self.node.path))

    def rule(self, violation: Violation, reason: str) -> Steps | None:
        """The semantic rule that a value in a body breaks which fits its schema: a unique value, a reference."""
        if reason == "rate_limited":
            return self._semantics("rateLimit")
        if reason not in BREAKING or violation.where != "body" or self.operation is None or self.operation.resource is None:
            return None
        *way, name = _steps(violation.pointer) or ("",)
        resource = self.operation.resource
        for step in way:
            child = next((children.resource for children in resource.children if children.property == step), None)
            resource = self.contract.resources[child] if child else resource
        rules = self.root / "x-semantics" / "resources" / resource.name
        kinds = sorted(BREAKING, key=lambda kind: kind != reason)  # A refusal tells those of other kinds as well.
        return next((path for kind in kinds for path in BREAKING[kind](rules, name)), None)

    def security(self, name: str = "") -> Steps | None:
        """The first requirement, or the first of a scheme whose credential is carried under this name."""
        requirements = self.node / "security"
        if not requirements:
            requirements = self.root / "security"
        for requirement in requirements.elements():
            for scheme in requirement.mapping:
                definition = self.contract.security_schemes[scheme]
                carried = definition["name"] if definition["type"] == "apiKey" else "Authorization"
                if not name or carried.lower() == name.lower():
                    return (*requirement.path, scheme)
        return None

    def _parameter(self, where: str, name: str) -> Node | None:
        named = str.lower if where == "header" else str
        parameters = outline.parameters_of(self.node) if self.operation else []
        return next((p for p in parameters if (p / "in").text == where and named((p / "name").text or "") == named(name)), None)

    def _demand(self, where: str, name: str) -> Steps | None:
        """What demands something of a request that is no parameter."""
        kinds = {
            ("header", "content-type"): ("requestBody", "content", "application/json"),
            ("header", "content-encoding"): ("requestBody",),
            ("header", "accept"): ("responses", str(self.operation.status) if self.operation else "", "content"),
        }
        return self._has(*kinds.get((where, name.lower()), ("",))) or self.security(name)

    def _has(self, *steps: str) -> Steps | None:
        """Where a part of the operation is named, if it is there."""
        path, node = self.node.path, self.node
        for step in steps:
            path, node = (*node.path, step), node / step
        return path if node else None

    def _semantics(self, *steps: str) -> Steps | None:
        path = ("x-semantics", *steps)
        return path if at(self.document.value, path) is not None else None

    def _body(self) -> Node:
        return outline.body_of(self.node)

    def _below(self, schema: Node, step: str) -> Named | None:
        return self.described.below(schema, step, fold=self._folds)

    @property
    def _folds(self) -> bool:
        return self.operation is not None and self.operation.fold_names

    def _leads_to(self, pointer: str, resource: str | None) -> bool:
        """Whether records of a resource are at such a path."""
        steps = pointer.split("/")
        return any(
            len(steps) == len(way := operation.path.split("/"))
            and all(there.startswith("{") or there == step for there, step in zip(way, steps, strict=True))
            for operation in self.contract.operations.values()
            if operation.resource is not None and operation.resource.name == resource
        ) or (len(steps) == 3 and steps[1] == resource)

    # What an answer rests on

    def used(self, exchange: Exchange) -> Iterator[tuple[str, Steps]]:
        """What was used to answer, the most telling first: a rule with its name, or any other part of the document."""
        yield from self._refusing(exchange) if exchange.reason else self._acting(exchange)
        if self.operation is None:
            return
        yield "", self.node.path
        yield "", (*self.node.path, "x-semantics")
        for parameter in self._sent(exchange):
            yield "", parameter.path
            yield "", (*parameter.path, "x-semantics")
        yield from self._properties(self._body(), _json(exchange.request_body))
        answer = self.node / "responses" / str(exchange.status)
        if answer:
            yield "", answer.path
            body = _json(exchange.answer_body)
            yield from self._properties(answer / "content" / "application/json" / "schema", body)
            if exchange.reason == "" and (unset := self._semantics("unset")) and any(v in (None, "") for v in _values(body)):
                yield "what shows where there is no value", unset

    def _refusing(self, exchange: Exchange) -> Iterator[tuple[str, Steps]]:
        """The rule that refused, and the form of refusals."""
        for violation in exchange.violations:
            path = self.rule(violation, exchange.reason)
            name = (_steps(violation.pointer) or ("",))[-1]
            if exchange.reason == "guarded":
                path, name = self.state(violation), str(at(self.document.value, (*self.state(violation), "resource")))
            if path and exchange.reason in TOLD:
                yield f"refusal {exchange.reason} {TOLD[exchange.reason]} {name}", path
        for part, path in (
            ("the scopes that are needed", self.security() if exchange.reason == "forbidden" else None),
            ("how long a session lasts", self._semantics("sessions") if exchange.reason in SESSION else None),
            ("the limit of requests", self._semantics("rateLimit") if exchange.reason == "rate_limited" else None),
            ("how a refusal looks", self._semantics("refusals")),
        ):
            if path:
                yield part, path

    def _acting(self, exchange: Exchange) -> Iterator[tuple[str, Steps]]:
        """The rules by which records were made, changed or deleted."""
        own = self.operation.resource.name if self.operation and self.operation.resource else ""
        if exchange.written and self.operation and self.operation.action == "create":
            yield from self._ruled(f"what is set at first of {own}", own, "initial")
        changed = [write.resource for write in exchange.written if write.after is not None]
        for resource in dict.fromkeys(name for name in changed if changed.count(name) > 1):
            for rule in (self.root / "x-semantics" / "resources" / resource / "exclusive").elements():
                yield f"{(rule / 'property').text} is true of one {resource} only", rule.path
        for resource in dict.fromkeys(write.resource for write in exchange.written if write.after is None):
            told = f"deletion of {resource}" + ("" if resource == own else f" with {own}")
            yield from self._ruled(told, own, "deletion")

    def _ruled(self, part: str, resource: str, rule: str) -> Iterator[tuple[str, Steps]]:
        if path := self._semantics("resources", resource, rule):
            yield part, path

    def _sent(self, exchange: Exchange) -> Iterator[Node]:
        """The parameters that a request carried."""
        _, _, query = exchange.target.partition("?")
        names = {unquote_plus(pair.partition("=")[0]) for pair in query.split("&")}
        headers = {name.decode("latin-1").lower() for name, _ in exchange.request_headers}
        for parameter in outline.parameters_of(self.node):
            name, where = (parameter / "name").text or "", (parameter / "in").text
            if where == "path" or (where == "query" and name in names) or (where == "header" and name.lower() in headers):
                yield parameter

    def _properties(self, schema: Node, value: Json) -> Iterator[tuple[str, Steps]]:
        """The schema of a value, and those of all the properties in it."""
        yield "", schema.path
        waiting, seen = [(schema, value)], set[Steps]()
        for _ in range(MOST):
            if not waiting:
                return
            node, part = waiting.pop()
            for step, inner in _members(part):
                found = self._below(node, step)
                if found is None:
                    continue
                waiting.append((found.schema, inner))
                new = {found.path, found.schema.path} - seen
                seen |= new
                yield from (("", path) for path in sorted(new, key=len, reverse=True))

    def named(self, path: Steps) -> str:
        """What stands at a path, in words."""
        *before, last = path or ("",)
        node = Node(self.document, path, at(self.document.value, path))
        if last == "x-semantics":
            parameter = Node(self.document, path[:-1], at(self.document.value, path[:-1]))
            return f"what {(parameter / 'name').text or (parameter / 'operationId').text or 'it'} does"
        if node / "operationId":
            return f"operation {(node / 'operationId').text}"
        if node / "in":
            return f"parameter {(node / 'name').text}"
        if before and before[-1] == "properties":
            return f"property {last}"
        kinds = {"schemas": "schema", "responses": "answer", "parameters": "parameter"}
        kind = kinds.get(str(before[-1])) if before else None
        return f"{kind} {last}" if kind else documents.pointer(path) or "the whole contract"


SAID: Mapping[str, Callable[[_Source, Violation], Steps]] = {  # part of a request -> where the contract speaks of it
    "query": _Source.parameter,
    "path": _Source.parameter,
    "header": _Source.parameter,
    "cookie": _Source.parameter,
    "body": _Source.body,
    "state": _Source.state,
}
TOLD = {"duplicate": "of", "dangling": "of", "guarded": "by"}
SESSION = frozenset({"unauthenticated", "login_failed"})


def _unique(rules: Node, name: str) -> Iterator[Steps]:
    return ((*rule.path, "property") for rule in (rules / "unique").elements() if (rule / "property").text == name)


def _references(rules: Node, name: str) -> Iterator[Steps]:
    if name in (rules / "references").mapping:
        yield (*rules.path, "references", name)
    if (rules / "parent" / "property").text == name:
        yield (*rules.path, "parent", "property")


BREAKING: Mapping[str, Callable[[Node, str], Iterator[Steps]]] = {"duplicate": _unique, "dangling": _references}


def _steps(pointer: str) -> tuple[str, ...]:
    return pointed(f"#{pointer}") or ()


def _listed(schema: Node, name: str) -> Steps | None:
    """What is said of a property that the schema does not describe: that it is required, or that there are no others."""
    for part in parts(schema):
        for index, required in enumerate((part / "required").value or ()):
            if required == name:
                return (*part.path, "required", index)
        if (part / "additionalProperties").value is False:
            return (*part.path, "additionalProperties")
    return None


def _json(body: bytes | None) -> Json:
    try:
        return orjson.loads(body or b"null")
    except orjson.JSONDecodeError:
        return None


def _members(value: Json) -> Iterable[tuple[str, Json]]:
    if isinstance(value, dict):
        return value.items()
    return ((str(index), part) for index, part in enumerate(value)) if isinstance(value, list) else ()


def _values(value: Json) -> Iterator[Json]:
    """A value's parts at all levels that have no parts."""
    waiting = [value]
    for _ in range(MOST):
        if not waiting:
            return
        part = waiting.pop()
        if isinstance(part, dict | list):
            waiting += [inner for _, inner in _members(part)]
        else:
            yield part
