"""An answer of one side -> the same with what a server assigns replaced, so that both sides' can be compared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from contract_tests import envelopes
from contract_tests.exchanges import Answer
from mock_server.capsules.places import Kind, Place, Places, Steps, is_time
from mock_server.contract import Contract, Json, Operation, Reference, Resource
from mock_server.schemas import at

ANY = "…"  # stands for what depends on the data of one side
COUNTS = ("$total", "$pages", "$count", "$more")  # what an envelope tells of all the records
FREE = ("$session", "$request", "$now")  # what is new in every answer
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"(?=.*\d).{4,}")  # an id that is not met in a text by chance


@dataclass
class Labels:
    """What one side calls the ids, numbers and children of the records that this run made."""

    contract: Contract
    labels: dict[tuple[str, str, str], str] = field(default_factory=dict)  # resource, property, value -> label
    owners: dict[tuple[str, str], str] = field(default_factory=dict)  # resource, id -> label of the record
    words: dict[str, str] = field(default_factory=dict)  # ids as they may stand in a text -> label
    created: dict[tuple[str, str], Json] = field(default_factory=dict)  # resource, id -> when it was made

    def __post_init__(self) -> None:
        self.places = Places(self.contract)

    def own(self, resource: str, id: Json, label: str) -> None:
        """Note a record of this run."""
        self.owners[resource, repr(id)] = label
        self._bind(Kind(self.contract.name, resource, self.contract.resources[resource].id.property), id, label)

    def is_own(self, resource: str, id: Json) -> bool:
        return (resource, repr(id)) in self.owners

    def of(self, kind: Kind, value: Json) -> str | None:
        """The label of an id or number; None if this run did not make it."""
        return self.labels.get((kind.resource, kind.property, repr(value)))

    def learn(self, operation: Operation, body: Json) -> None:
        """Note the numbers of the records that an answer shows, and their children."""
        own_ways: dict[Steps, str] = {}
        for place in self.places.in_answer(operation, body):
            record = place.way[:-1]
            if place.owner is None:
                continue
            label = self.owners.get((place.kind.resource, repr(place.owner))) or self._inherited(own_ways, record)
            if label is None:
                continue
            self.owners.setdefault((place.kind.resource, repr(place.owner)), label)
            own_ways[record] = label
            self._note(place, label, at(body, place.way))

    def _note(self, place: Place, label: str, value: Json) -> None:
        resource = self.contract.resources[place.kind.resource]
        if is_time(resource, place.kind.property):
            if place.kind.property == resource.created:
                self.created.setdefault((resource.name, repr(place.owner)), value)
            return
        suffix = "" if place.kind.property == resource.id.property else f" {place.kind.property}"
        self._bind(place.kind, value, label + suffix)

    def _bind(self, kind: Kind, value: Json, label: str) -> None:
        self.labels.setdefault((kind.resource, kind.property, repr(value)), label)
        if _WORD.fullmatch(str(value)):
            self.words.setdefault(str(value), label)

    @staticmethod
    def _inherited(own_ways: Mapping[Steps, str], way: Steps) -> str | None:
        """A child is called after its place in the record that it came with."""
        for above, label in own_ways.items():
            if way[: len(above)] == above and way != above:
                return f"{label}/{'/'.join(map(str, way[len(above) :]))}"
        return None

    def text(self, text: str) -> str:
        """A text without the ids of this side."""
        for word, label in self.words.items():
            if word in text:
                text = re.sub(rf"(?<![\w-]){re.escape(word)}(?![\w-])", label, text)
        return text


@dataclass(frozen=True)
class Sight:
    """How much of an answer is compared."""

    listing: str = "alone"  # alone: only records of this run may be listed; own: those of this run; form: none
    holding: Mapping[str, frozenset[str]] = field(default_factory=dict)  # record's label -> references to what this run made
    whole: bool = True  # whether both sides list nothing but records of this run


@dataclass(frozen=True)
class Aligning:
    """Aligns the answers of one side."""

    labels: Labels

    def answer(self, operation: Operation, answer: Answer, sight: Sight) -> Json:
        """The body of an answer as it is compared; a text where it is no JSON."""
        if not answer.body:
            return None
        try:
            value = json.loads(answer.body)
        except ValueError:
            return answer.body.decode("utf-8", "replace")
        if answer.status != operation.status:
            return self._refusal(self.labels.contract.refusals.body, value)
        return self._envelope(operation, operation.envelope, value, sight)

    def strangers(self, operation: Operation, answer: Answer) -> int:
        """How many of the records listed are not of this run."""
        resource = operation.resource
        if resource is None:
            return 0
        listed = envelopes.records(operation, answer) or []
        return sum(not self.labels.is_own(resource.name, record.get(resource.id.property)) for record in listed)

    def _envelope(self, operation: Operation, template: Json, value: Json, sight: Sight) -> Json:
        if isinstance(template, Mapping) and isinstance(value, dict):
            return {
                name: self._envelope(operation, template[name], part, sight) if name in template else part
                for name, part in value.items()
            }
        if template in FREE or (template in COUNTS and not (sight.whole and sight.listing == "alone")):
            return ANY
        resource = operation.resource
        return self._token(resource, template, value, sight) if resource and isinstance(template, str) else value

    def _token(self, resource: Resource, token: str, value: Json, sight: Sight) -> Json:
        """What stands at a token of an envelope."""
        if token == "$record":  # noqa: S105  # no password
            return self._record(resource, value, sight)
        if token == "$records":  # noqa: S105
            return self._records(resource, value, sight)
        if token == "$id":  # noqa: S105
            return self.labels.of(Kind("", resource.name, resource.id.property), value) or ANY
        return self._of_parent(resource, token, value) if token.startswith("$parent.") else value

    def _of_parent(self, resource: Resource, template: str, value: Json) -> Json:
        if resource.parent is None:
            return value
        known = self.labels.of(Kind("", resource.parent.resource, template.removeprefix("$parent.")), value)
        return known or ANY

    def _records(self, resource: Resource, value: Json, sight: Sight) -> Json:
        if not isinstance(value, list):
            return value
        if sight.listing == "form":
            return ANY
        records = [one for one in value if isinstance(one, dict)]
        own = [one for one in records if self.labels.is_own(resource.name, one.get(resource.id.property))]
        return [self._record(resource, one, sight) for one in (records if sight.listing == "alone" else own)]

    def _record(self, resource: Resource, value: Json, sight: Sight) -> Json:
        """A record; ANY if this run did not make it."""
        if not isinstance(value, dict):
            return value
        label = self.labels.owners.get((resource.name, repr(value.get(resource.id.property))))
        if label is None:
            return ANY
        hidden = set(self._foreign(resource, value, sight.holding.get(label, frozenset())))
        return {name: self._property(resource, name, part, sight, hidden) for name, part in value.items()}

    def _property(self, resource: Resource, name: str, value: Json, sight: Sight, hidden: set[str]) -> Json:
        if value is None:
            return None
        if name in hidden:
            return ANY
        if is_time(resource, name):
            return _DIGIT.sub("0", str(value))
        children = next((one for one in resource.children if one.property == name), None)
        if children is not None and isinstance(value, list):
            child = self.labels.contract.resources[children.resource]
            return [self._record(child, one, sight) for one in value]
        if name in {counter.property for counter in (resource.id, *resource.numbers)}:
            return self.labels.of(Kind("", resource.name, name), value) or value
        return self._labelled(resource, name, value)

    def _labelled(self, resource: Resource, name: str, value: Json) -> Json:
        """What refers to another record of this run."""
        for reference in _references(resource):
            other = self.labels.contract.resources[reference.resource]
            if name == reference.property:
                return self.labels.of(Kind("", other.name, reference.by or other.id.property), value) or value
            shown = reference.show.get(name)
            if isinstance(shown, Mapping) and isinstance(value, dict):
                return {own: self._shown(other, shown.get(own), part) for own, part in value.items()}
            if shown is not None:
                return self._shown(other, shown, value)
        return value

    def _shown(self, other: Resource, source: Json, value: Json) -> Json:
        if isinstance(source, tuple) and len(source) == 1:
            return self.labels.of(Kind("", other.name, source[0]), value) or value
        return value

    def _foreign(self, resource: Resource, record: Mapping[str, Json], holding: frozenset[str]) -> Iterator[str]:
        """The properties that show a record which this run did not make."""
        for reference in _references(resource):
            if reference.property not in holding and not self._refers_to_own(reference, record):
                yield from (reference.property, *reference.show)

    def _refers_to_own(self, reference: Reference, record: Mapping[str, Json]) -> bool:
        other = self.labels.contract.resources[reference.resource]
        kind = Kind("", other.name, reference.by or other.id.property)
        held = [record.get(reference.property)]
        for name, shown in reference.show.items():
            part = record.get(name)
            if isinstance(shown, Mapping) and isinstance(part, dict):
                held += [part.get(own) for own, source in shown.items() if source == (kind.property,)]
        return any(one is not None and self.labels.of(kind, one) is not None for one in held)

    def _refusal(self, template: Json, value: Json) -> Json:
        """A refusal; what it blames in an order of its own."""
        if template == "$violations" and isinstance(value, list):
            return sorted((self._refusal(None, one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
        if isinstance(value, dict):
            inner = template if isinstance(template, Mapping) else {}
            return {name: self._refusal(inner.get(name), part) for name, part in value.items() if inner.get(name) not in FREE}
        return self.labels.text(value) if isinstance(value, str) else value


def _references(resource: Resource) -> tuple[Reference, ...]:
    return (*resource.references, *((resource.parent,) if resource.parent else ()))


def differing(one: Json, other: Json, way: Steps = ()) -> Iterator[tuple[Steps, Json, Json]]:
    """Where two aligned values differ: the way there, and what each has (MISSING if nothing)."""
    if ANY in (one, other) and None not in (one, other) and envelopes.MISSING not in (one, other):
        return
    if isinstance(one, dict) and isinstance(other, dict):
        for name in dict.fromkeys((*one, *other)):
            yield from differing(one.get(name, envelopes.MISSING), other.get(name, envelopes.MISSING), (*way, name))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from differing(*pair, (*way, place))
    elif one != other or isinstance(one, bool) != isinstance(other, bool):
        yield way, one, other
