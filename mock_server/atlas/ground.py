"""An API in a new world -> requests that it grants: which records they name, and what their bodies hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from mock_server import clock
from mock_server.atlas import parameters
from mock_server.atlas.door import Access, Door
from mock_server.atlas.recipe import JSON_TYPE, OWN, WORLD, Headers, Request, written
from mock_server.bridge import requests
from mock_server.bridge.parameters import Uncompiled, query_names
from mock_server.bridge.schemas import Schemas
from mock_server.contract import NOTHING, Contract, Json, Operation, Record, Reference, Resource, properties
from mock_server.schemas import followed, merged, required
from mock_server.state import Collection
from mock_server.worlds import World

LOOKED_AT = 200  # records of a resource, from the first
FAR = 1000  # how far beyond the last record an id is that nobody has


@dataclass(frozen=True, slots=True)
class Scene:
    """The records that a request names, by resource, and the requests that make those which a new world does not have."""

    ids: Mapping[str, Json] = field(default_factory=dict)
    requests: tuple[Request, ...] = ()


class Ground:
    """One API in a world that is new."""

    def __init__(self, world: World, contract: Contract, max_body: int) -> None:
        self.contract = contract
        self.state = world.state(contract.name)
        self.door = Door(world, contract)
        self.max_body = max_body
        self._schemas = Schemas(contract.document)
        self._scenes: dict[tuple[str, int], Scene | None] = {}
        self._year = int(clock.written(world.clock.now(), contract.times)[:4])
        operations = contract.operations
        self._plans = {name: self._planned(operation) for name, operation in operations.items()}
        self._needs = {name: self._needed(operation) for name, operation in operations.items()}

    def plan(self, operation: Operation) -> requests.Plan | None:
        """How the server reads the operation's requests; None where that is left to stock Connexion."""
        return self._plans[operation.operation_id]

    def _planned(self, operation: Operation) -> requests.Plan | None:
        try:
            return requests.plan(self.contract, operation, self._schemas, strict_query=False, max_body=self.max_body)
        except Uncompiled:
            return None

    # -------------------------------------------------------------------------------------------------- which records

    def collection(self, resource: str | Resource) -> Collection:
        return self.state.collections[resource if isinstance(resource, str) else resource.name]

    def resource(self, operation: Operation) -> Resource:
        """The resource that an operation acts on."""
        if operation.resource is None:
            raise LookupError(f"{operation.operation_id} acts on no resource")
        return operation.resource

    def records(self, resource: str | Resource) -> Iterator[tuple[int, Record]]:
        """The first of the records that a new world has, by number."""
        collection = self.collection(resource)
        selection = collection.select(())
        for number in selection.page(0, LOOKED_AT):
            yield number, collection.living(number)

    def nobody(self, resource: str | Resource, by: str | None = None) -> Json:
        """A value of the id, or of another number, that no record has; None if there is none."""
        collection = self.collection(resource)
        counters = (collection.resource.id, *collection.resource.numbers)
        counter = next((counter for counter in counters if counter.property == (by or collection.resource.id.property)), None)
        return None if counter is None else counter.value(collection.next + FAR, self._year)

    def scene(self, operation: Operation) -> Scene | None:
        """The records that the operation's requests name; None if they can neither be found nor made."""
        resource = operation.resource
        if resource is None:
            return Scene()
        if operation.identifier or operation.target:
            return self.of(resource)
        if operation.ancestors:
            return self.of(str(operation.ancestors[-1].identifies))
        return self.of(resource.parent.resource) if operation.action == "create" and resource.parent else Scene()

    def of(self, resource: str | Resource, place: int = 0) -> Scene | None:
        """A record, so many after the first, and those it belongs to."""
        collection = self.collection(resource)
        key = collection.resource.name, place
        if key not in self._scenes:
            records = [record for _, record in self.records(resource)][place : place + 1]
            self._scenes[key] = Scene(self.named(collection.resource, records[0])) if records else self.made(collection.resource)
        return self._scenes[key]

    def named(self, resource: Resource, record: Record) -> dict[str, Json]:
        """The ids of a record and of those it belongs to."""
        ids = {resource.name: record[resource.id.property]}
        while resource.parent is not None:
            found = self.collection(resource.parent.resource).find(record[resource.parent.property])
            if found is None:
                break
            resource, record = self.contract.resources[resource.parent.resource], found[1]
            ids[resource.name] = record[resource.id.property]
        return ids

    def made(self, resource: Resource, ids: Mapping[str, Json] | None = None, without: Sequence[str] = ()) -> Scene | None:
        """A record that a client makes, `without` some properties; it belongs to those of the ids, if there are any."""
        for operation in self.contract.operations.values():
            if operation.action != "create" or operation.resource is not resource:
                continue
            below = Scene(ids) if ids else self.scene(operation)
            body = self.body(operation, below.ids, without) if below else None
            if below is None or not isinstance(body, dict) or self.door.access(operation) is None:
                continue
            request = self.request(operation, below.ids, body=body)
            id = resource.id.value(self.collection(resource).next, self._year)
            return Scene({**below.ids, resource.name: id}, (*below.requests, request))
        return None

    # ------------------------------------------------------------------------------------------------- what is sent

    def request(  # noqa: PLR0913  # each replaces one part of a request that is granted
        self,
        operation: Operation,
        ids: Mapping[str, Json],
        *,
        path: Mapping[str, Json] | None = None,
        query: str | None = None,
        headers: Headers = (),
        body: Json = None,
        access: Access | None = None,
    ) -> Request:
        """A request for the operation; what is not said is as it is granted."""
        given = access or self.door.access(operation) or Access()
        target = self.contract.base_path + operation.path
        for parameter in operation.parameters:
            if parameter.where == "path":
                value = (path or {}).get(parameter.name, ids.get(str(parameter.identifies)))
                shown = self._needs[operation.operation_id].get(parameter.name, "1") if value is None else str(value)
                target = target.replace(f"{{{parameter.name}}}", quote(shown, safe=""))
        sent_already = query_names((query or "").encode())
        needed = [pair for pair in self._needed_in(operation, "query") if pair[0] not in sent_already]
        asked = "&".join(part for part in (urlencode([*needed, *given.query]), query) if part)
        text = body if isinstance(body, str) else None if body is None else written(body)
        sent = (*given.headers, *self._needed_in(operation, "header"), *(() if text is None else (JSON_TYPE,)))
        return Request(operation.method, f"{target}?{asked}" if asked else target, _replaced(sent, headers), text)

    def _needed(self, operation: Operation) -> Mapping[str, str]:
        """What is sent for the parameters that a request must have, where it is no record's id."""
        plan = self.plan(operation)
        if plan is None:
            return {}
        found = {p.name: parameters.taken(plan, p) for p in operation.parameters if p.required and not p.identifies}
        return {name: text for name, text in found.items() if text is not None}

    def _needed_in(self, operation: Operation, where: str) -> Headers:
        needed = self._needs[operation.operation_id]
        return tuple((p.name, needed[p.name]) for p in operation.parameters if p.where == where and p.name in needed)

    def body(self, operation: Operation, ids: Mapping[str, Json], without: Sequence[str] = ()) -> Json:
        """A body that the server takes, without some properties that it can do without; None if there is none."""
        if operation.body is None:
            return None
        candidates = (self._fitting(operation, candidate, ids, without) for candidate in self.candidates(operation))
        return next((body for body in candidates if self.takes(operation, body)), None)

    def takes(self, operation: Operation, body: Json) -> bool:
        """Whether a body keeps the contract."""
        plan = self.plan(operation)
        return plan is not None and plan.body is not None and plan.body.validator.is_valid(body)

    def candidates(self, operation: Operation) -> Iterator[Json]:
        """Bodies to begin with: what is known to log in, the documented examples, what the records hold."""
        if operation.action in ("login", "renew"):
            if self.door.login_body is not None:
                yield self.door.login_body
            return
        yield from self._examples(operation)
        resource, schema = operation.resource, operation.body or {}
        for _, record in self.records(resource) if resource else ():
            body = {name: record[name] for name in properties(schema) if name in record and self.settable(operation, name)}
            yield body
            yield {name: value for name, value in body.items() if name in required(schema)}
        yield {}

    def _examples(self, operation: Operation) -> Iterator[Json]:
        media = self._schemas.resolved(self._schemas.operation(operation)["requestBody"])["content"]["application/json"]
        if "example" in media:
            yield media["example"]
        for example in media.get("examples", {}).values():
            yield followed(example, self.contract.document)["value"]

    def _fitting(self, operation: Operation, body: Json, ids: Mapping[str, Json], without: Sequence[str]) -> Json:
        """The body as a new world grants it: what it refers to is there, what must be unique is not."""
        resource = operation.resource
        if resource is None or not isinstance(body, dict):
            return body
        needed = required(operation.body or {})
        fitting = {name: value for name, value in body.items() if name in needed or name not in without}
        for reference in self.referring(operation):
            value = fitting.get(reference.property)
            if reference is resource.parent:
                fitting[reference.property] = ids.get(reference.resource, value)
            elif value not in NOTHING and self.state.referred(reference, value) is None:
                self._refer(fitting, reference, needed)
        for property in self.collection(resource).unique:
            if property not in needed and fitting.get(property) not in NOTHING:
                del fitting[property]
        if operation.target:
            fitting[operation.target] = ids.get(resource.name)
        return fitting

    def _refer(self, body: Record, reference: Reference, needed: Sequence[str]) -> None:
        """Let a body refer to a record that is there, or to none."""
        held = reference.by or self.contract.resources[reference.resource].id.property
        there = next((record.get(held) for _, record in self.records(reference.resource)), None)
        if there is not None:
            body[reference.property] = there
        elif reference.property not in needed:
            del body[reference.property]

    def referring(self, operation: Operation) -> list[Reference]:
        """The references whose records are looked for when the operation is called, and that its body can set."""
        resource, known = operation.resource, properties(operation.body or {})
        if resource is None:
            return []
        found = [one for one in resource.references if one.checked and self.settable(operation, one.property)]
        in_body = resource.parent is not None and operation.action == "create" and not operation.ancestors
        if resource.parent is not None and in_body and resource.parent.property in known:
            found.insert(0, resource.parent)
        return found

    def settable(self, operation: Operation, property: str) -> bool:
        """Whether the operation's body sets a property of its resource."""
        resource, known = operation.resource, properties(operation.body or {})
        if resource is None or property not in known or merged(known[property]).get("readOnly"):
            return False
        counted = {counter.property for counter in resource.numbers} if operation.action != "create" else set()
        return property not in {*resource.assigned, *resource.shown, *counted}


def control(method: str, path: str, body: Json) -> Request:
    """A request of the control API for the world that a recipe is followed in."""
    return Request(method, f"{OWN}worlds/{WORLD}{path}", (JSON_TYPE,), written(body))


def _replaced(sent: Headers, others: Headers) -> Headers:
    """Header fields, of which others take the place, but for cookies; one without a value is left out."""
    names = {name.lower() for name, _ in others} - {"cookie"}
    return tuple(pair for pair in sent if pair[0].lower() not in names) + tuple(pair for pair in others if pair[1])
