"""One API's operations as calls: valid requests from the contract, credentials, and all that was made remembered."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from functools import cached_property
from urllib.parse import quote

from contract_tests import envelopes
from contract_tests.exchanges import Answer, Exchange, Headers, Request
from contract_tests.schemas import items, merged, properties
from contract_tests.shapes import fits
from contract_tests.targets import Lost, Refused, Target, Unreachable
from contract_tests.testdata import TestData
from contract_tests.trials import Premise, Vanished, needed
from contract_tests.values import Values
from mock_server.contract import Action, Contract, Json, Operation, Paging, Parameter, Record, Reference, Resource, Schema
from mock_server.credentials import Credential

REFUSALS = {  # reason -> status, where the contract does not say otherwise: as openapi/semantics.schema.json has it
    **dict.fromkeys(("malformed", "invalid_parameter", "invalid_body"), 400),
    **dict.fromkeys(("unauthenticated", "login_failed"), 401),
    **dict.fromkeys(("not_found", "no_such_path"), 404),
    **dict.fromkeys(("conflict", "dangling", "duplicate", "guarded"), 409),
    "forbidden": 403,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "too_large": 413,
    "unsupported_media_type": 415,
}
WITHOUT_BODY = object()
NOBODY = Credential("nobody")
Ids = Mapping[str, Json]  # resource -> id
Query = Mapping[str, Json]
KEPT = 1_000_000  # bytes of a body that are remembered
OLDEST = 25  # existing records that are looked at closely
TOO_MANY = 429
LIMITED = "it was answered 429, too many requests, whatever was waited: give --rate"
PAUSE = 1.0  # seconds to wait for the next request after a 429 that does not say how many
LONGEST = 60.0  # seconds that one answer may make a run wait
PATIENCE = 120.0  # seconds that all of them may
TRIES = 5  # times that a request is sent


@dataclass(frozen=True)
class Handle:
    """Which record: its resource, its id, and those of its parents; and how it came to be."""

    resource: Resource
    id: Json
    parents: Ids = field(default_factory=dict)
    sent: Mapping[str, Json] = field(default_factory=dict)
    exchanges: tuple[Exchange, ...] = ()

    @property
    def ids(self) -> Ids:
        return {**self.parents, self.resource.name: self.id}

    @property
    def key(self) -> tuple[str, str]:
        return self.resource.name, repr(self.id)

    def __str__(self) -> str:
        return f"{self.resource.title} {self.id}"


@dataclass(frozen=True)
class View:
    """A way to see a record: by an operation that gets it or lists it, or inside its parent, at a property of that."""

    operation: Operation
    schema: Schema  # of the record as it is shown
    inside: tuple[str, ...] = ()  # the properties that list children, from the record that the operation shows

    @property
    def name(self) -> str:
        return "/".join((self.operation.operation_id, *self.inside))


@dataclass(frozen=True)
class Sight:
    """What a view shows of a record; None if the record is not there."""

    view: View
    record: Record | None
    exchanges: tuple[Exchange, ...]


@dataclass(frozen=True)
class Walk:
    """All pages of a list."""

    pages: tuple[tuple[Record, ...], ...]
    exchanges: tuple[Exchange, ...]
    whole: bool  # whether the end was reached

    @property
    def records(self) -> list[Record]:
        return [record for page in self.pages for record in page]


class Caller:
    """Calls one API at one target."""

    def __init__(
        self,
        contract: Contract,
        target: Target,
        credentials: Sequence[Credential] = (),
        *,
        seed: int = 1,
        pages: int = 40,
        data: TestData | None = None,
    ) -> None:
        self.contract = contract
        self.target = target
        self.credentials = tuple(credentials)
        self.values = Values(seed, contract.times.zoned)
        self.seed = seed
        self.data = data or TestData()
        self.most_pages = pages
        self.exchanges: list[Exchange] = []
        self.made: dict[tuple[str, str], Handle] = {}
        self.gone: set[tuple[str, str]] = set()
        self.notes: set[str] = set()  # what laws have prepared already
        self.patience = PATIENCE
        self.told: Callable[[str], None] = lambda _: None  # is told of each time the target makes the run wait
        self._sessions: dict[str, Json] = {}
        self._shown: dict[str, bool] = {}  # resource -> whether what is made can be seen
        self._homes: dict[str, Handle] = {}
        self._existing: dict[str, list[tuple[Handle, Record]]] = {}
        self._referred: dict[int, list[Json]] = {}

    # ------------------------------------------------------------------------------------------------ the contract's operations

    def of(self, *actions: Action, resource: Resource | None = None) -> list[Operation]:
        """The operations with one of the actions, in the contract's order."""
        return [
            operation
            for operation in self.contract.operations.values()
            if operation.action in actions and (resource is None or operation.resource is resource)
        ]

    def first(self, action: Action, resource: Resource) -> Operation | None:
        return next(iter(self.of(action, resource=resource)), None)

    def status_of(self, reason: str) -> int:
        """The status of a refusal."""
        return self.contract.refusals.statuses.get(reason, REFUSALS[reason])

    def definition(self, operation: Operation) -> Mapping[str, Json]:
        """The operation as the document has it."""
        found: Mapping[str, Json] = self.contract.document["paths"][operation.path][operation.method.lower()]
        return found

    def demands(self, operation: Operation) -> Mapping[str, Sequence[str]]:
        """The security schemes, with their scopes, that the operation's first requirement names; none if anybody may call."""
        requirements = self.definition(operation).get("security", self.contract.document.get("security", ()))
        return requirements[0] if requirements else {}

    @cached_property
    def can_write(self) -> bool:
        return not self.target.read_only

    # ---------------------------------------------------------------------------------------------------------------- sending

    def call(
        self,
        operation: Operation,
        ids: Ids | None = None,
        *,
        query: Query | None = None,
        body: Json = WITHOUT_BODY,
        headers: Headers = (),
        who: Credential | None = None,
    ) -> Exchange:
        """One request for an operation, valid as far as what is given is valid."""
        request = self.request(operation, ids or {}, query=query or {}, body=body, headers=headers, who=who)
        exchange = self.send(request, operation.operation_id)
        self.remember(operation, ids or {}, body, exchange)
        return exchange

    def together(self, operation: Operation, wanted: Sequence[tuple[Ids, Json]]) -> list[Exchange]:
        """Requests for one operation, all under way at the same time."""
        requests = [self.request(operation, ids, query={}, body=body) for ids, body in wanted]
        answers = self._together(requests)
        for _ in range(TRIES - 1):
            refused = [place for place, answer in enumerate(answers) if answer.status == TOO_MANY]
            if not refused or not self._waited(answers[refused[0]]):
                break
            self.exchanges += [Exchange(requests[place], answers[place], operation.operation_id) for place in refused]
            again = self._together([requests[place] for place in refused])
            answers = [again.pop(0) if place in refused else answer for place, answer in enumerate(answers)]
        found = [Exchange(*pair, operation.operation_id) for pair in zip(requests, answers, strict=True)]
        self.exchanges += found
        for (ids, body), exchange in zip(wanted, found, strict=True):
            self.remember(operation, ids, body, exchange)
        if any(answer.status == TOO_MANY for answer in answers):
            raise Premise(LIMITED)
        return found

    def _together(self, requests: Sequence[Request]) -> list[Answer]:
        try:
            return self.target.send_together(requests)
        except Unreachable as failure:
            return [Answer(0, (), str(failure).encode())] * len(requests)

    def send(self, request: Request, operation: str = "") -> Exchange:
        """One request as it stands; after 429 again, when the answer says.

        A connection that breaks is an answer of status 0, unless nothing ever answered. Raises Premise if nobody can say what
        the server would have answered.
        """
        for _ in range(TRIES):
            exchange = self._sent(request, operation)
            if exchange.answer.status != TOO_MANY:
                return exchange
            if not self._waited(exchange.answer):
                break
        raise Premise(LIMITED)

    def _sent(self, request: Request, operation: str) -> Exchange:
        try:
            answer = self.target.send(request)
        except (Lost, Refused) as closed:
            raise Premise(str(closed)) from closed
        except Unreachable as failure:
            if not self.exchanges:
                raise
            answer = Answer(0, (), str(failure).encode())
        exchange = Exchange(_kept(request), answer, operation)
        self.exchanges.append(exchange)
        return exchange

    def _waited(self, answer: Answer) -> bool:
        """Wait as long as a 429 asks for; False if that is more than the run has patience for."""
        seconds = _asked(answer)
        if seconds > min(LONGEST, self.patience):
            return False
        self.patience -= seconds
        self.told(f"waits {seconds:.0f} s: too many requests")
        self.target.pause(seconds)
        return True

    def request(
        self,
        operation: Operation,
        ids: Ids,
        *,
        query: Query,
        body: Json = WITHOUT_BODY,
        headers: Headers = (),
        who: Credential | None = None,
    ) -> Request:
        """The request for an operation."""
        if operation.target and operation.resource and isinstance(body, dict):
            body = {**body, operation.target: ids[operation.resource.name]}
        own, extra = self._credential(operation, who)
        content: Headers = (("Accept", "application/json"), *own)
        if body is not WITHOUT_BODY:
            content += (("Content-Type", "application/json"),)
        named = {name.lower() for name, _ in headers}
        kept = tuple(pair for pair in content if pair[0].lower() not in named)
        sent = (
            None if body is WITHOUT_BODY else body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        )
        return Request(operation.method, self.target_of(operation, ids, {**query, **extra}), kept + headers, sent)

    def target_of(self, operation: Operation, ids: Ids, query: Query) -> str:
        """Path and query."""
        path = operation.path
        for parameter in operation.parameters:
            if parameter.where == "path":
                value = ids.get(parameter.identifies or "", parameter.schema.get("example", "1"))
                path = path.replace(f"{{{parameter.name}}}", quote(_written(value), safe=""))
        pairs = [pair for name, value in query.items() for pair in _pairs(name, value, _parameter(operation, name))]
        return path + ("?" + "&".join(pairs) if pairs else "")

    def _credential(self, operation: Operation, who: Credential | None) -> tuple[Headers, Query]:
        """What the operation's security demands, as this caller has it."""
        chosen = who if who is not None else (self.credentials[0] if self.credentials else NOBODY)
        headers: Headers = ()
        query: dict[str, Json] = {}
        for name in self.demands(operation):
            scheme = self.contract.security_schemes[name]
            sessions = self.contract.sessions
            value = self.session(chosen) if sessions and sessions.scheme == name and not chosen.secret else chosen.secret
            if value is None:
                continue
            if scheme["type"] == "apiKey" and scheme["in"] == "query":
                query[scheme["name"]] = value
            else:
                headers += (_carried(scheme, str(value)),)
        return headers, query

    def session(self, credential: Credential) -> Json:
        """The session of a credential that logs in; None if it cannot."""
        if not credential.login:
            return None
        if credential.name not in self._sessions:
            self._sessions[credential.name] = None
            login = next(iter(self.of("login")), None)
            if login is not None and self.can_write:
                exchange = self.call(login, body=dict(credential.login))
                token = envelopes.taken(login, exchange.answer, "$session")
                self._sessions[credential.name] = None if token is envelopes.MISSING else token
        return self._sessions[credential.name]

    # ------------------------------------------------------------------------------------------------------- records and views

    def views(self, resource: Resource) -> list[View]:
        """The ways to see a record of this resource, the fullest first."""
        found = [View(o, o.view) for action in ("get", "list") for o in self.of(action, resource=resource) if o.view is not None]
        if resource.parent is not None:
            above = self.contract.resources[resource.parent.resource]
            for children in (one for one in above.children if one.resource == resource.name):
                for view in self.views(above):
                    shown = properties(view.schema).get(children.property)
                    if shown is not None and view.operation.action != "list":
                        found.append(View(view.operation, items(shown), (*view.inside, children.property)))
        return [view for view in found if resource.id.property in properties(view.schema)]

    def look(self, handle: Handle, view: View | None = None) -> Sight:
        """The record as a view shows it, by default the fullest.

        Raises Premise if no view can show it.
        """
        views = [view] if view else self.views(handle.resource)
        fitting = [one for one in views if self.reaches(one, handle)]
        if not fitting:
            raise Premise(f"no operation shows a {handle.resource.title} by its id")
        chosen = fitting[0]
        if chosen.inside:
            return self._inside(chosen, handle)
        return self._got(chosen, handle) if chosen.operation.action == "get" else self._listed(chosen, handle)

    def seen(self, handle: Handle) -> tuple[Record, Sight]:
        """The record, which must be there.

        Raises Vanished if it was made and not deleted, else Premise.
        """
        sight = self.look(handle)
        if sight.record is not None:
            return sight.record, sight
        if self._should_live(handle):
            raise Vanished(f"{handle} in {sight.view.name}", (*handle.exchanges, *sight.exchanges))
        raise Premise(f"{handle} is not shown by {sight.view.name}")

    def _should_live(self, handle: Handle) -> bool:
        """Whether this run has made a record and has not deleted it, neither by itself nor with or through its parent."""
        deleted = any((name, repr(id)) in self.gone for name, id in handle.ids.items())
        return handle.key in self.made and not deleted and not self._is_written_by_parents(handle.resource)

    def _is_written_by_parents(self, resource: Resource) -> bool:
        return any(
            children.resource == resource.name and children.property in properties(operation.body or {})
            for operation in self.of("update")
            for children in (operation.resource.children if operation.resource else ())
        )

    def walk(self, operation: Operation, ids: Ids | None = None, query: Query | None = None, size: int | None = None) -> Walk:
        """All pages of a list, by its largest size if none is given; as many as the run allows.

        Raises Premise if a page is refused.
        """
        size_by, at = self.paging(operation, "size", "limit"), self.paging(operation, "number", "offset")
        length = size or largest(size_by)
        pages: list[tuple[Record, ...]] = []
        exchanges: list[Exchange] = []
        while len(pages) < self.most_pages:
            asked = dict(query or {})
            if size_by is not None and length is not None:
                asked[size_by.name] = length
            if at is not None and pages:
                asked[at.name] = len(pages) + 1 if at.paging == "number" else sum(map(len, pages))
            exchange = needed(self.call(operation, ids, query=asked), operation.status)
            listed = envelopes.records(operation, exchange.answer)
            if listed is None:
                raise Premise(f"the answer of {operation.operation_id} has no list of records")
            exchanges.append(exchange)
            if listed or not pages:
                pages.append(tuple(listed))
            if at is None or size_by is None or length is None or len(listed) < length:
                return Walk(tuple(pages), tuple(exchanges), True)
        return Walk(tuple(pages), tuple(exchanges), False)

    @staticmethod
    def paging(operation: Operation, *roles: Paging) -> Parameter | None:
        """The parameter with one of the roles; of several, the one declared first."""
        return next((parameter for parameter in operation.parameters if parameter.paging in roles), None)

    def existing(self, resource: Resource) -> list[tuple[Handle, Record]]:
        """Records that are there, as a list shows them, or as the test data names them."""
        if resource.name not in self._existing:
            self._existing[resource.name] = []
            self._existing[resource.name] = [
                pair for pair in self._look_around(resource) if pair[0].key not in self.made and pair[0].id is not None
            ]
        return self._existing[resource.name]

    def candidates(self, reference: Reference, parents: Ids, wanted: int = 1) -> list[Json]:
        """Values that a reference may hold: ids of siblings, ids given, and ids of records that are listed or shown."""
        resource = self.contract.resources[reference.resource]
        by = reference.by or resource.id.property
        if siblings := self._siblings(reference, parents, wanted):
            return siblings
        found = [*self.data.ids.get(resource.name, ())] if reference.by is None else []
        if reference.resource in parents and reference.by is None:
            found.append(parents[reference.resource])
        found += [record[by] for _, record in self.existing(resource) if record.get(by) is not None]
        if id(reference) not in self._referred:
            self._referred[id(reference)] = list(dict.fromkeys(self._shown_ids(reference, by)))
        found += self._referred[id(reference)]
        return list(dict.fromkeys(found))[:OLDEST]

    def _siblings(self, reference: Reference, parents: Ids, wanted: int) -> list[Json]:
        """The ids of records of the same parent, as many as are wanted; none if their parent is not among `parents`.

        Where a record and what it refers to each have a parent of one kind, that has to be the same one to be surely valid.
        """
        resource = self.contract.resources[reference.resource]
        above = resource.parent.resource if resource.parent else ""
        if above not in parents or reference.by is not None:
            return []
        there = {handle.key: handle for handle, _ in self.existing(resource)} | self.made
        own = [
            one.id
            for key, one in there.items()
            if one.resource is resource and key not in self.gone and one.parents.get(above) == parents[above]
        ]
        if self.can_write and self.of("create", resource=resource):
            home = {name: id for name, id in parents.items() if name != resource.name}
            with suppress(Premise):
                own += [self.make(resource, parents=home).id for _ in range(wanted - len(own))]
        return own[:OLDEST]

    def _shown_ids(self, reference: Reference, by: str) -> Iterator[Json]:
        """What views of the records that refer show of those referred to."""
        for resource in self.contract.resources.values():
            if reference not in resource.references or not self.of("get", "list", resource=resource):
                continue
            for handle, _ in self.existing(resource)[:OLDEST]:
                record = self.look(handle).record or {}
                for name, shown in reference.show.items():
                    part = record.get(name)
                    if isinstance(shown, Mapping) and isinstance(part, dict):
                        yield from (part[own] for own, source in shown.items() if source == (by,) and own in part)

    def _look_around(self, resource: Resource) -> Iterator[tuple[Handle, Record]]:
        for id in self.data.ids.get(resource.name, ()):
            yield Handle(resource, id), {resource.id.property: id}
        lists = sorted(self.of("list", resource=resource), key=lambda operation: len(operation.ancestors))
        for operation in lists:
            for parents in self._parents_of(operation):
                try:
                    walk = self.walk(operation, parents)
                except Premise:
                    continue
                for record in walk.records:
                    own = {**parents, **_shown_parents(resource, record)}
                    yield Handle(resource, record.get(resource.id.property), own), record
            if not operation.ancestors:
                return

    def _parents_of(self, operation: Operation) -> Iterator[dict[str, Json]]:
        if not operation.ancestors:
            yield {}
            return
        nearest = self.contract.resources[str(operation.ancestors[-1].identifies)]
        for handle, _ in self.existing(nearest)[:8]:
            yield dict(handle.ids)

    def reaches(self, view: View, handle: Handle) -> bool:
        """Whether the ids are known that a view's path needs."""
        named = {str(p.identifies) for p in view.operation.parameters if p.identifies}
        return named <= set(handle.ids)

    def _got(self, view: View, handle: Handle) -> Sight:
        exchange = self.call(view.operation, handle.ids)
        if exchange.answer.status == self.status_of("not_found"):
            return Sight(view, None, (exchange,))
        needed(exchange, view.operation.status)
        return Sight(view, envelopes.record(view.operation, exchange.answer), (exchange,))

    def _listed(self, view: View, handle: Handle) -> Sight:
        walk = self.walk(view.operation, handle.ids)
        for page, exchange in zip(walk.pages, walk.exchanges, strict=False):
            for record in page:
                if record.get(handle.resource.id.property) == handle.id:
                    return Sight(view, record, (exchange,))
        if not walk.whole:
            raise Premise(f"{view.operation.operation_id} has more than {self.most_pages} pages")
        return Sight(view, None, walk.exchanges[-1:])

    def _inside(self, view: View, handle: Handle) -> Sight:
        chain = self._chain(handle)
        depth = len(view.inside)
        top = chain[depth]
        exchange = self.call(view.operation, {**handle.ids, top.resource.name: top.id})
        if exchange.answer.status == self.status_of("not_found"):
            return Sight(view, None, (exchange,))
        needed(exchange, view.operation.status)
        record = envelopes.record(view.operation, exchange.answer)
        for property, below in zip(view.inside, reversed(chain[:depth]), strict=True):
            listed = (record or {}).get(property)
            own = below.resource.id.property
            record = (
                next((r for r in listed if isinstance(r, dict) and r.get(own) == below.id), None)
                if isinstance(listed, list)
                else None
            )
        return Sight(view, record, (exchange,))

    def _chain(self, handle: Handle) -> list[Handle]:
        """The record, its parent, the parent of that …"""
        chain = [handle]
        while (parent := chain[-1].resource.parent) is not None and parent.resource in handle.parents:
            chain.append(Handle(self.contract.resources[parent.resource], handle.parents[parent.resource], handle.parents))
        return chain

    # ----------------------------------------------------------------------------------------------------------- making records

    def creation(self, resource: Resource) -> Operation:
        """The operation that makes such records; else Premise."""
        for operation in self.of("create", resource=resource):
            return operation
        raise Premise(f"no operation creates a {resource.title}")

    def make(self, resource: Resource, given: Mapping[str, Json] | None = None, parents: Ids | None = None) -> Handle:
        """A new record, with what must be there and what is given; below a parent of this run's own if none is named.

        Raises Premise if it cannot be made.
        """
        operation = self.creation(resource)
        above = parents if parents is not None else self.home_of(resource)
        body = self.body(operation, above, given or {})
        exchange = needed(self.call(operation, above, body=body), operation.status)
        handle = self.handle(operation, above, body, exchange)
        if resource.name not in self._shown:
            self._shown[resource.name] = self._is_shown(handle)
        if not self._shown[resource.name]:
            raise Premise(f"a {resource.title} is not there after it was made")
        return handle

    def _is_shown(self, handle: Handle) -> bool:
        """Whether a new record can be seen, if there is a way to see it: what else is asked of it would be in vain."""
        try:
            return self.look(handle).record is not None
        except Premise:
            return True

    def handle(self, operation: Operation, parents: Ids, body: Mapping[str, Json], exchange: Exchange) -> Handle:
        """The record that a creation made; Premise if its answer does not say which."""
        resource = operation.resource
        if resource is None:
            raise Premise(f"{operation.operation_id} creates no record")
        id = self.id_in(operation, exchange)
        if id is None:
            raise Premise(f"the answer of {operation.operation_id} does not say which record was made")
        known = self.made.get((resource.name, repr(id)))
        origin = known.exchanges[:-1] if known else ()
        return Handle(resource, id, {k: v for k, v in parents.items() if k != resource.name}, body, (*origin, exchange))

    @staticmethod
    def id_in(operation: Operation, exchange: Exchange) -> Json:
        """The id of the record that an answer is about; None if it has none."""
        shown = envelopes.taken(operation, exchange.answer, "$id")
        if shown is envelopes.MISSING and operation.resource is not None:
            record = envelopes.record(operation, exchange.answer)
            shown = (record or {}).get(operation.resource.id.property)
        return None if shown is envelopes.MISSING else shown

    def home_of(self, resource: Resource) -> Ids:
        """The ids of a parent, made for this run and kept by every law, and of the parents above it."""
        if resource.parent is None:
            return {}
        return self.home(self.contract.resources[resource.parent.resource]).ids

    def home(self, resource: Resource) -> Handle:
        """A record that no law deletes: its own if it can be made, else one that is there."""
        if resource.name not in self._homes:
            self._homes[resource.name] = self._own(resource) or self._first(resource)
        return self._homes[resource.name]

    def _own(self, resource: Resource) -> Handle | None:
        if not self.can_write or not self.of("create", resource=resource):
            return None
        try:
            return self.make(resource)
        except Premise:
            return None

    def _first(self, resource: Resource) -> Handle:
        there = self.existing(resource)
        if not there:
            raise Premise(f"there is no {resource.title}")
        return there[0][0]

    def count_below(self, resource: Resource, parents: Ids) -> int:
        """How many records that live this run has made below a parent."""
        made = (handle for handle in self.made.values() if handle.resource is resource and handle.key not in self.gone)
        return sum(handle.parents == parents for handle in made)

    def body(self, operation: Operation, parents: Ids, given: Mapping[str, Json]) -> dict[str, Json]:
        """A valid body: what must be there, what is given, and the parent where the path does not name it."""
        schema, resource = operation.body or {}, operation.resource
        known = properties(schema)
        needed_ = set(merged(schema).get("required", ()))
        body: dict[str, Json] = {}
        for name, part in known.items():
            if name in given:
                body[name] = given[name]
            elif (
                resource and resource.parent and name == resource.parent.property and (name in needed_ or not operation.ancestors)
            ):
                body[name] = parents.get(resource.parent.resource)
            elif name in needed_ and name != operation.target:
                body[name] = self.value(operation, name, part, parents)
        return body

    def value(self, operation: Operation, name: str, schema: Schema, parents: Ids | None = None) -> Json:
        """A plain value for a property of a body."""
        resource = operation.resource
        given = self.data.values.get(resource.name, {}).get(name) if resource else None
        if given:
            return given[self.values.count % len(given)]
        reference = self.reference(resource, name)
        if reference is not None:
            found = [one for one in self.candidates(reference, parents or {}) if fits(schema, one)]
            if found:
                return found[self.values.count % len(found)]
            if not reference.checked:
                return self.values.plain(schema, name)
            if schema.get("nullable"):
                return None
            raise Premise(f"no {reference.resource} is known that {name} could refer to")
        return self.values.plain(schema, name)

    @staticmethod
    def reference(resource: Resource | None, name: str) -> Reference | None:
        return next((one for one in resource.references if one.property == name), None) if resource else None

    def writable(self, operation: Operation) -> dict[str, Schema]:
        """The properties of a body that are stored as they are sent: no ids, no counters, no parents, no children."""
        resource = operation.resource
        if resource is None or operation.body is None:
            return {}
        apart = {*resource.assigned, *resource.shown, resource.id.property, operation.target}
        apart |= {counter.property for counter in resource.numbers} | {children.property for children in resource.children}
        found = properties(operation.body).items()
        return {name: part for name, part in found if name not in apart and merged(part).get("readOnly") is not True}

    def samples(self, operation: Operation, name: str, schema: Schema, parents: Ids | None = None) -> list[Json]:
        """Values for a property by which mistakes show."""
        resource = operation.resource
        given = self.data.values.get(resource.name, {}).get(name) if resource else None
        if given:
            return list(given)
        reference = self.reference(resource, name)
        if reference is not None:
            found = [one for one in self.candidates(reference, parents or {}, 2) if fits(schema, one)][:2]
            return [*found, *([None] if schema.get("nullable") else [])] or [self.value(operation, name, schema, parents)]
        return self.values.samples(schema)

    # ------------------------------------------------------------------------------------------------------------- what was made

    def deletion(self, handle: Handle) -> Operation | None:
        """The operation that deletes a record, with ids that are known."""
        for operation in self.of("delete", resource=handle.resource):
            if {str(p.identifies) for p in operation.parameters if p.identifies} <= set(handle.ids):
                return operation
        return None

    def remember(self, operation: Operation, ids: Ids, body: Json, exchange: Exchange) -> None:
        """Keep what a request made in mind, or what it deleted."""
        resource = operation.resource
        if resource is None or not 200 <= exchange.answer.status < 300:
            return
        if operation.action == "create":
            id = self.id_in(operation, exchange)
            if id is not None:
                sent = body if isinstance(body, dict) else {}
                parents = {name: one for name, one in ids.items() if name != resource.name}
                above = [self.made[key].exchanges for name, one in parents.items() if (key := (name, repr(one))) in self.made]
                before = tuple(dict.fromkeys(one for exchanges in above for one in exchanges))
                handle = Handle(resource, id, parents, sent, (*before, exchange))
                self.made[handle.key] = handle
                self.gone.discard(handle.key)
        elif operation.action == "delete":
            self.gone.add((resource.name, repr(ids.get(resource.name))))


def _asked(answer: Answer) -> float:
    """The seconds that an answer asks to wait (RFC 9110, 10.2.3)."""
    told = (answer.header("retry-after") or "").strip()
    if told.isdecimal():
        return float(told)
    try:
        until = parsedate_to_datetime(told)
        return max(0.0, (until - parsedate_to_datetime(answer.header("date") or "")).total_seconds())
    except (TypeError, ValueError):  # One of them may have no zone.
        return PAUSE


def _kept(request: Request) -> Request:
    """A request as it is remembered: of a huge body only the beginning."""
    if request.body is None or len(request.body) <= KEPT:
        return request
    return replace(request, body=request.body[:100] + f"… ({len(request.body)} bytes)".encode())


def largest(parameter: Parameter | None) -> int | None:
    """The largest page that a list gives."""
    if parameter is None:
        return None
    most = parameter.schema.get("maximum", parameter.default)
    return int(most) if isinstance(most, int) else None


def _shown_parents(resource: Resource, record: Record) -> dict[str, Json]:
    """The parent's id, if a record shows it."""
    parent = resource.parent
    if parent is None:
        return {}
    if record.get(parent.property) is not None:
        return {parent.resource: record[parent.property]}
    for name, shown in parent.show.items():
        part = record.get(name)
        if isinstance(shown, Mapping) and isinstance(part, dict):
            ids = [part[own] for own, source in shown.items() if source == ("id",) and own in part]
            return {parent.resource: ids[0]} if ids else {}
    return {}


def _parameter(operation: Operation, name: str) -> Parameter | None:
    return next((parameter for parameter in operation.parameters if parameter.name == name), None)


def _pairs(name: str, value: Json, parameter: Parameter | None) -> list[str]:
    """The parts of a query that carry a value, percent-encoded."""
    key = quote(name, safe=".-_~")
    if isinstance(value, list):
        texts = [quote(_written(one), safe=".-_~") for one in value]
        if parameter is not None and not parameter.explode:
            return [f"{key}={','.join(texts)}"]
        return [f"{key}={text}" for text in texts]
    return [f"{key}={quote(_written(value), safe='.-_~')}"]


def _written(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _carried(scheme: Mapping[str, Json], value: str) -> tuple[str, str]:
    if scheme["type"] == "apiKey":
        return ("Cookie", f"{scheme['name']}={value}") if scheme["in"] == "cookie" else (scheme["name"], value)
    if scheme["type"] == "http" and scheme.get("scheme", "").lower() == "basic":
        return "Authorization", "Basic " + b64encode(value.encode()).decode()
    return "Authorization", f"Bearer {value}"
