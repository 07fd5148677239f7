"""The mock and the real implementation, asked the same: every request is made on both, and what was made is known as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from contract_tests.callers import WITHOUT_BODY, Caller, Handle
from contract_tests.exchanges import Exchange, Headers
from contract_tests.parity import twins
from contract_tests.parity.aligning import Labels, Sight
from contract_tests.parity.twins import SIDES, Twin, TwinIds, Twins
from contract_tests.shapes import fits
from contract_tests.trials import Premise
from mock_server.contract import Action, Contract, Json, Operation, Origin, Place, Reference, Resource, Schema
from mock_server.credentials import Credential
from mock_server.schemas import MISSING, merged, properties, unset

Pair = tuple[Exchange, Exchange]


@dataclass(frozen=True)
class Expected:
    """What the contract says of the answer to a request."""

    why: str  # what is particular about the request
    statuses: frozenset[int]
    reason: str = ""  # of a refusal
    place: Place | None = None  # of the rule, where it is not the operation's
    origin: Origin | None = None
    listed: Json = None  # the ids that a list must show, in their order; None: it is not known
    told: Mapping[str, Json] = field(default_factory=dict)  # token of the envelope -> value
    query: Mapping[str, Json] = field(default_factory=dict)  # filters that were asked for
    record: Json = None  # what another view shows of the record
    forged: Mapping[str, Json] = field(default_factory=dict)  # what was sent for properties that the server assigns


@dataclass(frozen=True)
class Step:
    """One request, as both sides answered it."""

    operation: Operation
    expected: Expected
    exchanges: Pair
    sight: Sight
    known: Mapping[str, Mapping[str, Json]]  # label -> what the record must hold


@dataclass(frozen=True)
class Sending:
    """What a request has beside its path."""

    query: Mapping[str, Json] = field(default_factory=dict)
    body: Json = WITHOUT_BODY
    headers: Headers = ()
    who: Sequence[Credential | None] = (None, None)  # None: whoever may do most


Note = Callable[[Step], None]


class Duo:
    """Asks both sides. What each step showed goes to `note`."""

    def __init__(self, mock: Caller, real: Caller, note: Note) -> None:
        self.callers = (mock, real)
        self.labels = (Labels(mock.contract), Labels(mock.contract))
        self.contract: Contract = mock.contract
        self.can_write = real.can_write
        self.twins: list[Twin] = []
        self._note = note
        self._homes: dict[str, Twin] = {}
        self._counts: dict[str, int] = {}

    def of(self, *actions: Action, resource: Resource | None = None) -> list[Operation]:
        return self.callers[0].of(*actions, resource=resource)

    def status_of(self, reason: str) -> int:
        return self.callers[0].status_of(reason)

    # ---------------------------------------------------------------------------------------------------------------- asking

    def ask(
        self, operation: Operation, ids: TwinIds, expected: Expected, sending: Sending | None = None, sight: Sight | None = None
    ) -> Step:
        """A request that changes nothing by which other answers are judged."""
        return self._noted(operation, expected, self._sent(operation, ids, sending or Sending()), sight or Sight())

    def compared(self, operation: Operation, expected: Expected, exchanges: Pair, sight: Sight) -> Step:
        """A step of exchanges that were made otherwise."""
        return self._noted(operation, expected, exchanges, sight)

    def _sent(self, operation: Operation, ids: TwinIds, sending: Sending) -> Pair:
        body = sending.body
        mock, real = (
            caller.call(
                operation,
                twins.of(side, ids),
                query=twins.of(side, sending.query),
                body=body if body is WITHOUT_BODY else twins.of(side, body),
                headers=sending.headers,
                who=credential,
            )
            for caller, side, credential in zip(self.callers, SIDES, sending.who, strict=True)
        )
        return mock, real

    def _noted(self, operation: Operation, expected: Expected, exchanges: Pair, sight: Sight) -> Step:
        for labels, exchange in zip(self.labels, exchanges, strict=True):
            if exchange.answer.status == operation.status and (body := exchange.answer.json()) is not None:
                labels.learn(operation, body)
        known = {twin.label: twin.stored for twin in self.twins}
        step = Step(operation, expected, exchanges, sight, known)
        self._note(step)
        return step

    def success(self, operation: Operation, why: str) -> Expected:
        return Expected(why, frozenset({operation.status}))

    def refusal(self, reason: str, why: str, *others: str, place: Place | None = None, origin: Origin | None = None) -> Expected:
        statuses = frozenset(map(self.status_of, (reason, *others)))
        return Expected(why, statuses, "" if others else reason, place, origin)

    # ---------------------------------------------------------------------------------------------------------- writing records

    def create(
        self, resource: Resource, given: Mapping[str, Json] | None = None, parents: TwinIds | None = None, why: str = ""
    ) -> Twin:
        """A new record on both sides. Raises Premise if one of them refuses it, or does not say what it made."""
        operation = self.callers[0].creation(resource)
        above = parents if parents is not None else self.above(resource)
        body = self.body(operation, above, given or {})
        exchanges = self._sent(operation, above, Sending(body=body))
        made = [self._id(operation, exchange) for exchange in exchanges]
        if None in made:
            self._noted(operation, self.success(operation, why or "a creation"), exchanges, Sight())
            raise Premise(f"{operation.operation_id} did not make a {resource.title} on both sides")
        self._counts[resource.name] = self._counts.get(resource.name, 0) + 1
        label = f"«{resource.name} {self._counts[resource.name]}»"
        kept = {name: id for name, id in above.items() if name != resource.name}
        twin = Twin(resource, Twins(*made), kept, label, stored=self._initial(operation, body, kept))
        self._keep(twin, body)
        self._noted(operation, self.success(operation, why or "a creation"), exchanges, Sight())
        return twin

    def _id(self, operation: Operation, exchange: Exchange) -> Json:
        return Caller.id_in(operation, exchange) if exchange.answer.status == operation.status else None

    def _keep(self, twin: Twin, body: Mapping[str, Json]) -> None:
        self.twins.append(twin)
        for labels, side in zip(self.labels, SIDES, strict=True):
            labels.own(twin.resource.name, twins.of(side, twin.ids), twin.label)
        self._take_over(twin, body)

    def update(self, operation: Operation, twin: Twin, given: Mapping[str, Json], why: str) -> Step:
        """A change of a record, on both sides."""
        body = self.body(operation, twin.parents, given)
        exchanges = self._sent(operation, twin.all_ids, Sending(body=body))
        if any(exchange.answer.status == operation.status for exchange in exchanges):
            twin.stored = self._changed(operation, twin, body)
            self._take_over(twin, body)
        return self._noted(operation, self.success(operation, why), exchanges, Sight())

    def delete(self, operation: Operation, twin: Twin, expected: Expected) -> Step:
        step = self.ask(operation, twin.all_ids, expected)
        if all(exchange.answer.status == operation.status for exchange in step.exchanges):
            self.twins = [one for one in self.twins if one is not twin and twin.ids not in one.parents.values()]
        return step

    def _initial(self, operation: Operation, body: Mapping[str, Json], parents: TwinIds) -> dict[str, Json]:
        """What a new record must hold."""
        resource, caller = operation.resource, self.callers[0]
        if resource is None:
            return {}
        found = dict(self._written(operation, body))
        for name, part in caller.writable(operation).items():
            if name not in body and caller.reference(resource, name) is None:
                found[name] = resource.initial.get(name, unset(resource.stored.get(name, part), self.contract.unset))
        found |= {name: value for name, value in resource.initial.items() if name not in body}
        if resource.parent is not None and resource.parent.resource in parents:
            found[resource.parent.property] = parents[resource.parent.resource]
        return {name: value for name, value in found.items() if value is not MISSING}

    def _changed(self, operation: Operation, twin: Twin, body: Mapping[str, Json]) -> Mapping[str, Json]:
        """What a record must hold after an update."""
        if operation.merge == "replace":
            kept = {n: v for n, v in twin.stored.items() if n not in self.callers[0].writable(operation)}
            return {**kept, **self._initial(operation, body, twin.parents)}
        written = self._written(operation, body)
        if operation.merge == "deep":
            written = {name: _deep(twin.stored.get(name), value) for name, value in written.items()}
        return {**twin.stored, **written}

    def _written(self, operation: Operation, body: Mapping[str, Json]) -> dict[str, Json]:
        known = self.callers[0].writable(operation)
        return {name: value for name, value in body.items() if name in known}

    def _take_over(self, twin: Twin, body: Mapping[str, Json]) -> None:
        """What has an exclusive flag takes it from its siblings."""
        for name in twin.resource.exclusive:
            if body.get(name) is True:
                for other in self.twins:
                    if other is not twin and other.resource is twin.resource and other.parents == twin.parents:
                        other.stored = {**other.stored, name: False}

    # ------------------------------------------------------------------------------------------------------------------ values

    def body(self, operation: Operation, parents: TwinIds, given: Mapping[str, Json]) -> dict[str, Json]:
        """A valid body: what must be there, what is given, and the parent where the path does not name it."""
        schema, resource = operation.body or {}, operation.resource
        needed = set(merged(schema).get("required", ())) - {operation.target}
        found: dict[str, Json] = {}
        for name, part in properties(schema).items():
            parent = resource.parent if resource else None
            if name in given:
                found[name] = given[name]
            elif parent and name == parent.property and (name in needed or not operation.ancestors):
                found[name] = parents.get(parent.resource)
            elif name in needed:
                found[name] = self.value(operation, name, part, parents)
        return found

    def value(self, operation: Operation, name: str, part: Schema, parents: TwinIds) -> Json:
        """A plain value for a property of a body; what the test data of the real one name, if they do."""
        resource, mock = operation.resource, self.callers[0]
        given = self.callers[1].data.values.get(resource.name, {}).get(name) if resource else None
        if given:
            return given[mock.values.count % len(given)]
        reference = mock.reference(resource, name)
        return mock.values.plain(part, name) if reference is None else self._referred(reference, part, parents)

    def full(self, operation: Operation, parents: TwinIds) -> dict[str, Json]:
        """A plain value for every property that can be written."""
        found: dict[str, Json] = {}
        for name, part in self.callers[0].writable(operation).items():
            try:
                found[name] = self.value(operation, name, part, parents)
            except Premise:
                continue
        return found

    def _referred(self, reference: Reference, part: Schema, parents: TwinIds) -> Json:
        """What a reference may hold: a record of this run if it can be, else one that is there on each side."""
        other = self.contract.resources[reference.resource]
        if reference.by is None and other.name in parents:
            return parents[other.name]
        if reference.by is None and self.can_write and self.of("create", resource=other):
            return self._new_or_home(other, parents).ids
        found = [
            [one for one in caller.candidates(reference, twins.of(side, parents)) if fits(part, one)]
            for caller, side in zip(self.callers, SIDES, strict=True)
        ]
        if all(found):
            return Twins(found[0][0], found[1][0])
        if not reference.checked:
            return self.callers[0].values.plain(part, reference.property)
        if part.get("nullable"):
            return None
        raise Premise(f"no {other.title} is known on both sides that {reference.property} could refer to")

    def _new_or_home(self, other: Resource, parents: TwinIds) -> Twin:
        if other.parent is not None and other.parent.resource in parents:
            above = {other.parent.resource: parents[other.parent.resource]}
            known = (one for one in self.twins if one.resource is other and dict(one.parents) == above)
            return next(known, None) or self.create(other, None, above)
        return self.home(other)

    # ----------------------------------------------------------------------------------------------------------------- records

    def above(self, resource: Resource) -> TwinIds:
        """The ids of a parent that is kept, and of those above it."""
        return {} if resource.parent is None else self.home(self.contract.resources[resource.parent.resource]).all_ids

    def home(self, resource: Resource) -> Twin:
        """A record on both sides that no scenario deletes: of this run if it can be, else one that is there."""
        if resource.name not in self._homes:
            made = self.can_write and bool(self.of("create", resource=resource))
            self._homes[resource.name] = self.create(resource) if made else self._there(resource)
        return self._homes[resource.name]

    def _there(self, resource: Resource) -> Twin:
        first: list[Handle] = []
        for caller, side in zip(self.callers, SIDES, strict=True):
            there = caller.existing(resource)
            if not there:
                raise Premise(f"there is no {resource.title} on the side of the {side}")
            first.append(there[0][0])
        names = first[0].parents.keys() & first[1].parents.keys()
        parents = {name: Twins(first[0].parents[name], first[1].parents[name]) for name in names}
        return Twin(resource, Twins(first[0].id, first[1].id), parents, f"«{resource.name}»", own=False)

    def ids_for(self, operation: Operation) -> TwinIds:
        """Ids of records that exist, for every parameter of the path."""
        if operation.resource is None:
            return {}
        if operation.identifier or operation.target:
            return self.home(operation.resource).all_ids
        found: dict[str, Json] = dict(self.above(operation.resource)) if operation.action == "create" else {}
        for parameter in operation.ancestors:
            found |= self.home(self.contract.resources[str(parameter.identifies)]).all_ids
        return found

    def holding(self) -> dict[str, frozenset[str]]:
        """The references of each record of this run that hold ids of such."""
        own = [twin.ids for twin in self.twins]
        return {
            twin.label: frozenset(name for name, value in twin.stored.items() if isinstance(value, Twins) and value in own)
            for twin in self.twins
        }


def _deep(stored: Json, sent: Json) -> Json:
    if isinstance(stored, Mapping) and isinstance(sent, Mapping):
        return {**stored, **{name: _deep(stored.get(name), part) for name, part in sent.items()}}
    return sent
