"""Laws of writing: what is written is read back, and nothing else changes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from contract_tests import envelopes
from contract_tests.callers import Handle, Ids, Sight, View
from contract_tests.comparing import Difference, changes, differences, same
from contract_tests.exchanges import Exchange
from contract_tests.laws.bench import ANYWHERE, Bench, attempt
from contract_tests.schemas import json_type, merged, properties
from contract_tests.shapes import fits, shortened
from contract_tests.trials import Premise, Trial, needed, unanswered
from mock_server.contract import Json, Operation, Origin, Record, Resource, Schema
from mock_server.schemas import MISSING, unset

TRIES = 6  # values of a property by which it shows whether it is stored at all
ROUNDS = 22  # bodies in which every property takes one of its telling values
VAST = 5000  # characters of a long text: more than a column for four thousand holds
BODY = 60_000  # characters of a body that any server takes


def create_persists(bench: Bench) -> None:
    for operation in bench.caller.of("create"):
        _persists(bench, operation, _Creation(bench, operation))
        _shown_everywhere(bench, operation)


def update_persists(bench: Bench) -> None:
    for operation in bench.caller.of("update"):
        _persists(bench, operation, _Change(bench, operation))


class _Writing:
    """An operation that writes a record, with values for its properties."""

    def __init__(self, bench: Bench, operation: Operation) -> None:
        self.caller, self.operation = bench.caller, operation
        self.resource = resource_of(operation)
        self.known = self.caller.writable(operation)
        self._samples: dict[str, list[Json]] = {}

    def parents(self) -> Ids:
        return self.caller.home_of(self.resource)

    def values(self, name: str) -> list[Json]:
        """The telling values of a property; new ones each time, if no two records may share one."""
        if name not in self._samples or any(one.property == name for one in self.resource.unique):
            self._samples[name] = self.caller.samples(self.operation, name, self.known[name], self.parents())
            self._samples[name] += self._vast(name)
        return self._samples[name]

    def _vast(self, name: str) -> list[Json]:
        """A text that is longer than most columns, where a text may be as long as one wants."""
        text = f"{self.caller.values.mark()} äö€ " * VAST
        given = self.caller.data.values.get(self.resource.name, {}).get(name)
        free = given is None and json_type(merged(self.known[name])) == "string" and fits(self.known[name], text[:VAST] + "!")
        return [text[:VAST] + "!"] if free and self.caller.reference(self.resource, name) is None else []

    def shorten(self, handle: Handle, given: Mapping[str, Json]) -> None:
        """Put plain values in the place of vast ones, which would make every later list long."""
        update = self.caller.first("update", self.resource)
        vast = [name for name, value in given.items() if isinstance(value, str) and len(value) >= VAST]
        if update is None or not vast:
            return
        known = self.caller.writable(update)
        plain = {name: self.caller.value(update, name, known[name], handle.parents) for name in vast if name in known}
        self.caller.call(update, handle.ids, body=self.caller.body(update, handle.parents, plain))

    def given(self, turns: Mapping[str, int]) -> dict[str, Json]:
        """The value of each property at its turn."""
        return {name: values[turn % len(values)] for name, turn in turns.items() if (values := self.values(name))}


class _Creation(_Writing):
    """Writes values by making records."""

    def write(self, given: Mapping[str, Json]) -> tuple[Handle | None, Exchange, tuple[Exchange, ...]]:
        """The record with these values, the request that wrote them, and those before it."""
        parents = self.caller.home_of(self.resource)
        body = self.caller.body(self.operation, parents, given)
        exchange = self.caller.call(self.operation, parents, body=body)
        if exchange.answer.status != self.operation.status:
            return None, exchange, ()
        handle = self.caller.handle(self.operation, parents, body, exchange)
        return handle, exchange, handle.exchanges[:-1]


class _Change(_Writing):
    """Writes values by updating one record."""

    @cached_property
    def handle(self) -> Handle:
        """The record, made when it is needed."""
        return self.caller.make(self.resource)

    def write(self, given: Mapping[str, Json]) -> tuple[Handle | None, Exchange, tuple[Exchange, ...]]:
        handle = self.handle
        body = self.caller.body(self.operation, handle.parents, given)
        exchange = self.caller.call(self.operation, handle.ids, body=body)
        done = exchange.answer.status == self.operation.status
        return handle if done else None, exchange, handle.exchanges


_Writer = _Creation | _Change


@dataclass(frozen=True)
class _Suspect:
    """A property that was not read back, or may be why a body was refused."""

    turn: int  # which of its values it was
    difference: Difference | None = None
    exchanges: tuple[Exchange, ...] = ()


def _persists(bench: Bench, operation: Operation, writer: _Writer) -> None:
    """Rounds of bodies with all properties; what went wrong is tried again with the one property alone."""
    known = bench.caller.writable(operation)
    counts: dict[str, int] = {}
    suspects: dict[str, _Suspect] = {}
    with bench.trial(operation) as trial:
        counts = {name: len(writer.values(name)) for name in known}
        for turn in range(min(ROUNDS, max(counts.values(), default=0))):
            given = {name: turn for name in known if name not in suspects and (turn < counts[name] or len(known) > 1)}
            for part in _portions(writer, given):
                suspects |= _round(trial, writer, part)
        trial.checks = 0
    for name, checks in counts.items():
        with bench.trial(operation, name, origin=origin_of(known[name], operation.origin)) as alone:
            if name in suspects:
                _alone(alone, writer, name, suspects[name])
            alone.checks += checks
    with bench.trial(operation, "texts with NUL") as whole:
        _cut_short(whole, writer, known)


def _cut_short(trial: Trial, writer: _Writer, known: Mapping[str, Schema]) -> None:
    """A text may be refused for its NUL, but not end before it."""
    given: dict[str, Json] = {}
    told = writer.caller.data.values.get(writer.resource.name, {})
    for name, part in known.items():
        text = f"{writer.caller.values.mark()}\0end"
        plain = json_type(merged(part)) == "string" and "format" not in merged(part) and fits(part, text)
        if plain and writer.caller.reference(writer.resource, name) is None and name not in told:
            given[name] = text
    if not given:
        return
    handle, exchange, before = writer.write(given)
    trial.checks += 1
    if handle is not None:
        sight = writer.caller.look(handle)
        for found in _missed(writer, sight, given):
            asked = (*before, exchange, *sight.exchanges)
            trial.hold(False, *found.told, *asked, origin=origin_of(known[found.property], trial.origin))


def _shown_everywhere(bench: Bench, operation: Operation) -> None:
    """Long texts, and nulls beside values: what the fullest view shows, every other does as well."""
    caller, resource = bench.caller, resource_of(operation)
    known = caller.writable(operation)
    others = caller.views(resource)[1:]
    if not others:
        return
    with bench.trial(operation, "in every view"):
        parents = caller.home_of(resource)
        optional = [name for name, part in known.items() if merged(part).get("nullable")]
        nothings = [dict.fromkeys(names) for names in _parts(optional) if names]
        wanted: list[dict[str, Json]] = [all_long(bench, operation, parents)]
        wanted += [{**all_plain(bench, operation, parents), **nothing} for nothing in nothings]
        handles = [caller.make(resource, without_flags(resource, given), parents) for given in wanted]
        for view in others:
            if all(caller.reaches(view, handle) for handle in handles):
                _as_sent(bench, operation, view, handles)


def _as_sent(bench: Bench, operation: Operation, view: View, handles: Sequence[Handle]) -> None:
    """A view shows of new records what was sent."""
    known = bench.caller.writable(operation)
    resource = resource_of(operation)
    with bench.trial(operation, f"in {view.name}") as trial:
        for handle, sight in zip(handles, _sights(bench, view, handles), strict=True):
            told = (*handle.exchanges, *sight.exchanges)
            trial.hold(sight.record is not None, f"{handle} in {view.name}", "it is not there", *told)
            sent = {name: value for name, value in handle.sent.items() if name in known}
            for found in differences(bench.contract, resource, sent, sight.record or {}, view.schema):
                origin = origin_of(known[found.property], operation.origin)
                trial.hold(False, found.told[0], f"{found.told[1]} in {view.name}", *told, origin=origin)


def _sights(bench: Bench, view: View, handles: Sequence[Handle]) -> list[Sight]:
    """What a view shows of records below the same parents; a list is asked once for all of them."""
    if view.operation.action != "list" or view.inside:
        return [bench.caller.look(handle, view) for handle in handles]
    walk = bench.caller.walk(view.operation, handles[0].parents)
    own = handles[0].resource.id.property
    found = {
        repr(record.get(own)): Sight(view, record, (exchange,))
        for page, exchange in zip(walk.pages, walk.exchanges, strict=False)
        for record in page
    }
    if not walk.whole:
        raise Premise(f"{view.operation.operation_id} has more than {bench.caller.most_pages} pages")
    return [found.get(repr(handle.id), Sight(view, None, walk.exchanges[-1:])) for handle in handles]


def _portions(writer: _Writer, turns: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """The properties of a round, in as many bodies as it takes for none to be too large."""
    part: dict[str, int] = {}
    size = 0
    for name, turn in turns.items():
        values = writer.values(name)
        own = len(str(values[turn % len(values)])) if values else 0
        if part and size + own > BODY:
            yield part
            part, size = {}, 0
        part[name] = turn
        size += own
    yield part


def _round(trial: Trial, writer: _Writer, turns: Mapping[str, int]) -> dict[str, _Suspect]:
    """Write all the properties at once; those that are suspect."""
    given = writer.given(turns)
    handle, exchange, before = writer.write(given)
    if handle is None:
        if unanswered(exchange):
            return _refused(writer, turns)
        found = _refused(writer, turns)
        trial.hold(
            bool(found), f"{writer.operation.status}: the body is what its schema describes", "a refusal", *before, exchange
        )
        return found
    sight = writer.caller.look(handle)
    told = (*before, exchange, *sight.exchanges)
    trial.hold(sight.record is not None, f"{handle} there, after it was written", "it is not there", *told)
    wrong = _missed(writer, sight, given)
    writer.shorten(handle, given)
    return {one.property: _Suspect(turns[one.property], one, told) for one in wrong}


def _refused(writer: _Writer, turns: Mapping[str, int]) -> dict[str, _Suspect]:
    """Halve until the properties that are not taken stand alone."""
    if len(turns) <= 1:
        return {name: _Suspect(turn) for name, turn in turns.items()}
    names = list(turns)
    found: dict[str, _Suspect] = {}
    for half in (names[: len(names) // 2], names[len(names) // 2 :]):
        part = {name: turns[name] for name in half}
        handle, _, _ = writer.write(writer.given(part))
        if handle is None:
            found |= _refused(writer, part)
    return found


def _alone(trial: Trial, writer: _Writer, name: str, suspect: _Suspect) -> None:
    """One property alone: the shortest sequence that shows what is wrong."""
    given = writer.given({name: suspect.turn})
    handle, exchange, before = writer.write(given)
    trial.answered(exchange, writer.operation.status, f"{name} may be {shortened(given[name])}", *before)
    if handle is not None:
        sight = writer.caller.look(handle)
        for found in _missed(writer, sight, given):
            expected, seen = found.told
            told = (*before, exchange, *sight.exchanges)
            trial.hold(False, expected, f"{seen} in {sight.view.name}", *told, origin=_origin(trial, writer, name, suspect))
    if suspect.difference is not None:  # It shows in company only.
        origin = _origin(trial, writer, name, suspect)
        trial.hold(False, *suspect.difference.told, *suspect.exchanges, origin=origin)


def _origin(trial: Trial, writer: _Writer, name: str, suspect: _Suspect) -> Origin:
    """That a body takes a property at all may be inferred; that what is taken is shown is no reading of ours."""
    return ANYWHERE if trial.origin.kind == "inferred" and _takes(writer, name, suspect) else trial.origin


def _takes(writer: _Writer, name: str, suspect: _Suspect) -> bool:
    """Whether another value of the property is read back, one that is not there without being sent."""
    for turn in range(min(TRIES, len(writer.values(name)))):
        given = writer.given({name: turn})
        if turn == suspect.turn or given[name] in (None, "", [], {}, writer.resource.initial.get(name)):
            continue
        handle, _, _ = writer.write(given)
        if handle is not None and not _missed(writer, writer.caller.look(handle), given):
            return True
    return False


def _missed(writer: _Writer, sight: Sight, given: Mapping[str, Json]) -> list[Difference]:
    if sight.record is None:
        raise Premise(f"the record is not shown by {sight.view.name}")
    return list(differences(writer.caller.contract, writer.resource, given, sight.record, sight.view.schema))


def create_shows_what_was_made(bench: Bench) -> None:
    for operation in bench.caller.of("create", "update"):
        _answers(bench, operation)


def _answers(bench: Bench, operation: Operation) -> None:
    """The answer of a write shows the record as it is read afterwards."""
    if operation.view is None:
        return
    writer = _Creation(bench, operation) if operation.action == "create" else _Change(bench, operation)
    with bench.trial(operation):
        if isinstance(writer, _Change):
            have_children(bench, writer.handle)
        handle, exchange, before = writer.write(all_plain(bench, operation, writer.parents()))
        if handle is None:
            raise Premise(f"{operation.operation_id} was refused")
        told = envelopes.record(operation, exchange.answer) or {}
        record, sight = bench.caller.seen(handle)
        for name in sorted(set(told) & set(record)):
            with bench.trial(operation, name) as trial:
                alike = agree(told[name], record[name])
                expected = f"{name} is {shortened(told[name])}, as the answer to the write says"
                trial.hold(alike, expected, shortened(record[name]), *before, exchange, *sight.exchanges)


def have_children(bench: Bench, handle: Handle) -> None:
    """Make a child of each kind that the record shows, if it can be made."""
    for children in handle.resource.children:
        child = bench.contract.resources[children.resource]
        attempt(lambda child=child: bench.caller.make(child, None, handle.ids))  # type: ignore[misc]


def every_view_is_renewed(bench: Bench) -> None:
    """After an update all views of a record show the same, also those that were asked before."""
    for operation in bench.caller.of("update"):
        resource = resource_of(operation)
        with bench.trial(operation):
            handle = bench.caller.make(
                resource, all_plain(bench, bench.caller.creation(resource), bench.caller.home_of(resource))
            )
            views = [view for view in bench.caller.views(resource) if bench.caller.reaches(view, handle)]
            for view in views:
                bench.caller.look(handle, view)
            sent = all_plain(bench, operation, handle.parents)
            body = bench.caller.body(operation, handle.parents, sent)
            exchange = needed(bench.caller.call(operation, handle.ids, body=body), operation.status)
            for view in views:
                with bench.trial(operation, view.name) as trial:
                    sight = bench.caller.look(handle, view)
                    told = (*handle.exchanges, exchange, *sight.exchanges)
                    trial.hold(sight.record is not None, f"{handle} in {view.name}", "it is not there", *told)
                    for found in differences(bench.contract, resource, sent, sight.record or {}, view.schema):
                        trial.hold(False, found.told[0], f"{found.told[1]} in {view.name}", *told)


def agree(one: Json, other: Json) -> bool:
    """Whether two views of one value agree in what both show."""
    if isinstance(one, dict) and isinstance(other, dict):
        return all(agree(part, other[name]) for name, part in one.items() if name in other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(agree, one, other))
    return same(one, other)


def initial_values(bench: Bench) -> None:
    for operation in bench.caller.of("create"):
        _initial(bench, operation)


def _initial(bench: Bench, operation: Operation) -> None:
    """What was not sent has the value that the contract gives it, whatever else is sent, and below whatever parent."""
    caller, resource = bench.caller, resource_of(operation)
    known = caller.writable(operation)
    with bench.trial(operation) as trial:
        trial.checks += 1
        for place, names in enumerate(_parts(list(known))):
            plain = all_plain(bench, operation, caller.home_of(resource)) if names else {}
            given = {name: value for name, value in plain.items() if name in names}
            handle = caller.make(resource, given, own_parents(bench, resource) if place == 0 else None)
            record, sight = caller.seen(handle)
            expected = {name: _unsent(bench, resource, name, part) for name, part in known.items() if name not in handle.sent}
            expected |= {name: value for name, value in resource.initial.items() if name not in handle.sent}
            sure = {name: value for name, value in expected.items() if value is not MISSING}
            _compare(bench, operation, sure, (record, sight), handle.exchanges, "was not sent")


def _parts(names: Sequence[str]) -> Iterator[set[str]]:
    """None of them; then the fewest parts such that each is in one without each other.

    Every name is in another half of the parts, and of two different halves none has all of the other (Sperner).
    """
    yield set()
    count = next(n for n in itertools.count(1) if math.comb(n, (n + 1) // 2) >= len(names))
    halves = dict(zip(names, itertools.combinations(range(count), (count + 1) // 2), strict=False))
    yield from ({name for name, half in halves.items() if part in half} for part in range(count) if names)


def own_parents(bench: Bench, resource: Resource) -> Ids | None:
    """A parent with a value for everything, below which there is nothing yet, where one can be made."""
    above = bench.contract.resources[resource.parent.resource] if resource.parent else None
    if above is None or not bench.caller.of("create", resource=above):
        return None
    return full(bench, above).ids


def _unsent(bench: Bench, resource: Resource, name: str, part: Schema) -> Json:
    if name in resource.initial:
        return resource.initial[name]
    return unset(resource.stored.get(name, part), bench.contract.unset)


def _compare(
    bench: Bench,
    operation: Operation,
    expected: Mapping[str, Json],
    shown: tuple[Record, Sight],
    before: tuple[Exchange, ...],
    why: str,
) -> None:
    """A trial of each property that is expected to have a value."""
    record, sight = shown
    resource = resource_of(operation)
    wrong = {d.property: d for d in differences(bench.contract, resource, expected, record, sight.view.schema)}
    for name in expected:
        part = resource.stored.get(name, {})
        with bench.trial(operation, name, origin=origin_of(part, operation.origin)) as trial:
            found = wrong.get(name)
            told = found.told if found else ("", "")
            trial.hold(found is None, f"{told[0]}: it {why}", told[1], *before, *sight.exchanges)


def update_keeps_the_rest(bench: Bench) -> None:
    for operation in bench.caller.of("update"):
        if operation.merge != "replace":
            _keeps(bench, operation)


def _keeps(bench: Bench, operation: Operation) -> None:
    """One property changes at a time, to each value that it may have if those are few; every other stays, set or not."""
    caller, resource = bench.caller, resource_of(operation)
    known = caller.writable(operation)
    with bench.trial(operation):
        parents = caller.home_of(resource)
        whole = {name: value for name, value in all_plain(bench, caller.creation(resource), parents).items() if name in known}
        writes = _Steps(bench, operation, caller.make(resource, whole, parents))
        with bench.trial(operation, "nothing sent") as trial:
            writes.kept({}, trial)
        for name, part in known.items():
            with bench.trial(operation, name) as trial:
                for value in choices(part) or [caller.value(operation, name, part, parents)]:
                    writes.kept({name: value}, trial)
    with bench.trial(operation, "what has no value") as trial:
        for names in filter(None, _parts(list(known))):
            handle = caller.make(resource)
            plain = all_plain(bench, operation, handle.parents)
            _Steps(bench, operation, handle).kept({name: value for name, value in plain.items() if name in names}, trial)


def choices(part: Schema) -> list[Json]:
    """The values of a property that has few."""
    whole = merged(part)
    return [True, False] if json_type(whole) == "boolean" else [one for one in whole.get("enum", ()) if one is not None]


class _Steps:
    """Updates of one record, one after the other."""

    def __init__(self, bench: Bench, operation: Operation, handle: Handle) -> None:
        self.caller, self.operation, self.handle = bench.caller, operation, handle
        self.record, self.sight = self.caller.seen(handle)

    def kept(self, given: Mapping[str, Json], trial: Trial) -> None:
        """An update leaves everything else as it was after the one before."""
        caller, operation, handle = self.caller, self.operation, self.handle
        resource = handle.resource
        body = caller.body(operation, handle.parents, given)
        exchange = caller.call(operation, handle.ids, body=body)
        sent = ", ".join(body) or "nothing"
        trial.answered(exchange, operation.status, f"{sent} may be sent alone", *handle.exchanges)
        before, first = self.record, self.sight
        self.record, self.sight = caller.seen(handle)
        shown = {one for name in body for one in _shown_for(resource, name)}
        found = changes(before, self.record, {*body, resource.updated or "", *shown})
        told = found[0].told if found else ("", "")
        why = f"only {sent} {'were' if len(body) > 1 else 'was'} sent"
        asked = (*handle.exchanges, *first.exchanges, exchange, *self.sight.exchanges)
        trial.hold(not found, f"{told[0]}: {why}", told[1], *asked)


def _shown_for(resource: Resource, name: str) -> set[str]:
    """The properties that views show for a reference."""
    return {shown for one in resource.references if one.property == name for shown in one.show}


def update_merges_deeply(bench: Bench) -> None:
    """A property of an object that is sent alone: the object's others stay (deep), or are reset (shallow)."""
    for operation in bench.caller.of("update"):
        if operation.merge == "replace":
            continue
        for name, part in bench.caller.writable(operation).items():
            inner = {n: p for n, p in properties(part).items() if not merged(p).get("readOnly")}
            if len(inner) > 1:
                with bench.trial(operation, name) as trial:
                    _merged(bench, operation, name, inner, trial)


def _merged(bench: Bench, operation: Operation, name: str, inner: Mapping[str, Schema], trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    whole = {own: caller.values.plain(part, own) for own, part in inner.items()}
    handle = caller.make(resource)
    first = needed(
        caller.call(operation, handle.ids, body=caller.body(operation, handle.parents, {name: whole})), operation.status
    )
    one = next(iter(inner))
    change = {one: caller.values.plain(inner[one], one)}
    if not fits(caller.writable(operation)[name], change):
        raise Premise(f"{name} cannot be sent in part")
    second = needed(
        caller.call(operation, handle.ids, body=caller.body(operation, handle.parents, {name: change})), operation.status
    )
    record, sight = caller.seen(handle)
    expected = {**whole, **change} if operation.merge == "deep" else change
    found = next(differences(bench.contract, resource, {name: expected}, record, sight.view.schema), None)
    told = found.told if found else ("", "")
    how = "objects merge" if operation.merge == "deep" else "an object sent replaces the one stored"
    trial.hold(found is None, f"{told[0]}: {how}", told[1], *handle.exchanges, first, second, *sight.exchanges)


def update_replaces(bench: Bench) -> None:
    for operation in bench.caller.of("update"):
        if operation.merge == "replace":
            with bench.trial(operation) as trial:
                _replaces(bench, operation, trial)


def _replaces(bench: Bench, operation: Operation, trial: Trial) -> None:
    """What is not sent is reset; numbers and what the server assigns stay."""
    caller, resource = bench.caller, resource_of(operation)
    creation, parents = caller.creation(resource), caller.home_of(resource)
    handle = caller.make(resource, all_plain(bench, creation, parents), parents)
    before, _ = caller.seen(handle)
    body = caller.body(operation, handle.parents, {})
    exchange = needed(caller.call(operation, handle.ids, body=body), operation.status)
    record, sight = caller.seen(handle)
    parent = {resource.parent.property} if resource.parent else set()
    reset = {
        name: _unsent(bench, resource, name, part)
        for name, part in caller.writable(operation).items()
        if name not in body and name not in parent and caller.reference(resource, name) is None
    }
    sure = {name: value for name, value in reset.items() if value is not MISSING}
    _compare(bench, operation, sure, (record, sight), (*handle.exchanges, exchange), "was not sent, and is reset")
    kept = {counter.property for counter in (resource.id, *resource.numbers)} | (
        {resource.created} if resource.created else set()
    )
    for name in sorted(kept & set(record)):
        with bench.trial(operation, name) as part:
            part.hold(
                record[name] == before.get(name),
                f"{name} stays {shortened(before.get(name))}",
                shortened(record[name]),
                *handle.exchanges,
                exchange,
                *sight.exchanges,
            )
    trial.checks += 1


def update_is_idempotent(bench: Bench) -> None:
    """The same update twice leaves the record as it was after the first."""
    for operation in bench.caller.of("update"):
        with bench.trial(operation) as trial:
            caller, resource = bench.caller, resource_of(operation)
            handle = caller.make(resource)
            body = caller.body(operation, handle.parents, all_plain(bench, operation, handle.parents))
            first = needed(caller.call(operation, handle.ids, body=body), operation.status)
            once, _ = caller.seen(handle)
            again = caller.call(operation, handle.ids, body=body)
            trial.answered(again, operation.status, "the same update is possible again", *handle.exchanges, first)
            twice, sight = caller.seen(handle)
            found = changes(once, twice, {resource.updated or ""})
            told = found[0].told if found else ("", "")
            trial.hold(not found, told[0], told[1], *handle.exchanges, first, again, *sight.exchanges)


def server_assigns(bench: Bench) -> None:
    """Ids, numbers, times and whatever is read-only cannot be set by a body."""
    for operation in bench.caller.of("create", "update"):
        _assigned(bench, operation)


def _assigned(bench: Bench, operation: Operation) -> None:
    resource = resource_of(operation)
    names = _guarded_names(operation, resource)
    if not names:
        return
    with bench.trial(operation):
        handle = bench.caller.make(resource)
        before, _ = bench.caller.seen(handle)
        for name in names:
            if name in before:
                with bench.trial(operation, name) as trial:
                    _forged(bench, operation, trial, (handle, before), name)


def _forged(bench: Bench, operation: Operation, trial: Trial, own: tuple[Handle, Record], name: str) -> None:
    """Send a value of our own for something that the server assigns."""
    caller, resource = bench.caller, resource_of(operation)
    handle, before = own
    forged = _forgery(before[name], caller.values.mark())
    body = {**caller.body(operation, handle.parents, {}), name: forged}
    if operation.action == "create":
        exchange = caller.call(operation, handle.parents, body=body)
    else:
        exchange = caller.call(operation, handle.ids, body=body)
    if exchange.answer.status != operation.status:
        if unanswered(exchange):
            raise Premise(f"{operation.operation_id} failed")
        trial.checks += 1  # Refusing it is as good as ignoring it.
        return
    made = handle if operation.action == "update" else caller.handle(operation, handle.parents, body, exchange)
    if name == resource.id.property and operation.action == "create":
        trial.hold(made.id != forged, f"{name} is given by the server", f"{name} is {shortened(forged)}, as sent", exchange)
        return
    record, sight = caller.seen(made)
    trial.hold(
        record.get(name) != forged,
        f"{name} is given by the server, whatever is sent",
        f"{name} is {shortened(forged)}, as sent",
        *(() if operation.action == "create" else handle.exchanges),
        exchange,
        *sight.exchanges,
    )


def _guarded_names(operation: Operation, resource: Resource) -> list[str]:
    counters = {c.property for c in (resource.id, *resource.numbers) if not (c.settable and operation.action == "create")}
    times = {name for name in (resource.created, resource.updated) if name}
    read_only = {n for n, p in properties(operation.body or {}).items() if merged(p).get("readOnly")}
    if operation.target:
        counters.discard(operation.target)
    return sorted(name for name in counters | times | read_only if name)


def _forgery(value: Json, mark: str) -> Json:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 777_000
    if isinstance(value, str) and value[:4].isdigit() and "-" in value:
        return f"1987{value[4:]}"
    return f"forged-{mark}"


def full(bench: Bench, resource: Resource) -> Handle:
    """A new record with a value for every property, but for flags that only one may have."""
    parents = bench.caller.home_of(resource)
    return bench.caller.make(resource, all_but_flags(bench, bench.caller.creation(resource), parents), parents)


def all_but_flags(bench: Bench, operation: Operation, parents: Ids) -> dict[str, Json]:
    """A value for every property but the flags that only one record may have."""
    return without_flags(resource_of(operation), all_plain(bench, operation, parents))


def without_flags(resource: Resource, given: Mapping[str, Json]) -> dict[str, Json]:
    """The same values, but for the flags that only one record may have."""
    return {name: value for name, value in given.items() if name not in resource.exclusive}


def shareable(handle: Handle) -> dict[str, Json]:
    """What was sent for a record and may be sent for another one as well."""
    unique = {one.property for one in handle.resource.unique}
    return {name: value for name, value in without_flags(handle.resource, handle.sent).items() if name not in unique}


def all_long(bench: Bench, operation: Operation, parents: Ids) -> dict[str, Json]:
    """For every writable property the longest of its telling values."""
    found: dict[str, Json] = {}
    for name, part in bench.caller.writable(operation).items():
        attempt(lambda name=name, part=part: found.update({name: _longest(bench, operation, name, part, parents)}))  # type: ignore[misc]
    return found


def _longest(bench: Bench, operation: Operation, name: str, part: Schema, parents: Ids) -> Json:
    return max(bench.caller.samples(operation, name, part, parents), key=lambda value: len(str(value)))


def all_plain(bench: Bench, operation: Operation, parents: Ids) -> dict[str, Json]:
    """A plain value for every writable property."""
    found: dict[str, Json] = {}
    for name, part in bench.caller.writable(operation).items():
        try:
            found[name] = bench.caller.value(operation, name, part, parents)
        except Premise:
            continue
    return found


def resource_of(operation: Operation) -> Resource:
    if operation.resource is None:
        raise Premise(f"{operation.operation_id} acts on no resource")
    return operation.resource


def origin_of(part: Schema, default: Origin) -> Origin:
    """Where a property's own schema says it comes from."""
    own = part.get("x-origin")
    if isinstance(own, dict):
        return Origin("docs", own["docs"]) if "docs" in own else Origin("inferred", str(own.get("inferred", "")))
    return default
