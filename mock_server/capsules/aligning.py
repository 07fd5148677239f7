"""What a server assigned when a failure was recorded <-> what it assigns now."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from mock_server.capsules.capsule import Answer, Body, Request
from mock_server.capsules.places import Kind, Place, Places, Steps, is_time
from mock_server.contract import Contract, Json, Operation
from mock_server.documents import pointer
from mock_server.schemas import at
from mock_server.secrecy import ways_to

_DISTINCT = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z]).{4,}")  # a value that is not met by chance: cust-061
_MASK = re.compile(r"\*\*\*|\$\{[\w.-]+\}")


@dataclass(frozen=True)
class Difference:
    """What is not as it was: in which part of an answer, at which JSON pointer or name."""

    request: str  # its id
    part: str  # status, header, body
    pointer: str
    expected: Json
    seen: Json


class Alignment:
    """Ids, numbers, times and sessions of the recording, each with the one that stands for it in this run."""

    def __init__(self, contracts: Mapping[str, Contract]) -> None:
        self.sessions: dict[str, str] = {}  # id of the request that opened it -> session
        self._contracts = contracts
        self._places = {name: Places(contract) for name, contract in contracts.items()}
        self._bound: dict[Kind, dict[Json, Json]] = {}
        self._times: dict[tuple[Kind, str], dict[Json, Json]] = {}
        self._own: set[tuple[str, str, str]] = set()  # API, resource and id of the records that the requests made or changed
        self._words: dict[str, str] = {}  # ids and numbers that differ, as text
        self._shifted = False  # whether any time differs

    def request(self, request: Request) -> Request:
        """A request as it is to be sent here."""
        if not self._words or request.api not in self._places:
            return request
        operation, places = self._operation(request), self._places[request.api]
        target, body = request.target, request.body
        if operation is not None:
            target = places.retargeted(operation, target, self._here)
        if body is not None and body.form == "body":
            found = places.in_body(operation, body.value) if operation is not None else ()
            body = self._realigned(body, found, refusal=False)
        return replace(request, target=self._worded(target, refusal=False), body=body)

    def answer(self, request: Request) -> Answer:
        """The answer that is expected here."""
        answer = request.answer
        if not (self._words or self._shifted) or answer.body is None or request.api not in self._places:
            return answer
        refusal = answer.status >= 400
        if answer.body.form != "body":
            body = Body("text", self._worded(answer.body.value, refusal=refusal)) if answer.body.form == "text" else answer.body
            return replace(answer, body=body)
        operation = self._operation(request)
        found = self._places[request.api].in_answer(operation, answer.body.value) if operation and not refusal else ()
        return replace(answer, body=self._realigned(answer.body, found, refusal=refusal))

    def learn(self, request: Request, seen: Answer) -> None:
        """Note what stands here for what stood in the answer to a request of the recording."""
        operation, expected = self._operation(request), request.answer
        if operation is None or seen.status != expected.status or expected.status >= 400 or seen.body is None:
            return
        for way in ways_to("$session", operation.envelope):
            if isinstance(session := at(seen.body.value, way), str):
                self.sessions[request.id] = session
        if expected.body is None or expected.body.form != "body" or seen.body.form != "body":
            return
        if operation.action == "update":
            body = request.body.value if request.body else None
            for resource, id in self._places[request.api].owners(operation, request.target, body):
                self._own.add((request.api, resource, id))
        self._learn_from(operation, expected.body.value, seen.body.value)

    def _learn_from(self, operation: Operation, expected: Json, seen: Json) -> None:
        own_ways: list[Steps] = [()] if operation.action == "create" else []
        for place in self._places[operation.api].in_answer(operation, expected):
            if place.owner is None:
                continue
            key = (operation.api, place.kind.resource, str(place.owner))
            record = place.way[:-1]
            if any(record[: len(way)] == way for way in own_ways):  # A child comes with its parent.
                self._own.add(key)
            if key in self._own:
                own_ways.append(record)
                self._bind(place, at(expected, place.way), seen)

    def _bind(self, place: Place, expected: Json, seen: Json) -> None:
        resource = self._contracts[place.kind.api].resources[place.kind.resource]
        value = at(seen, place.way)
        if type(value) is not type(expected) or not isinstance(value, (str, int)):
            return
        if is_time(resource, place.kind.property):
            times = self._times.setdefault((place.kind, str(place.owner)), {})
            self._shifted |= times.setdefault(expected, value) != expected
            return
        ids = self._bound.get(Kind(place.kind.api, resource.name, resource.id.property), {})
        id = at(seen, (*place.way[:-1], resource.id.property))
        if id is not None and ids.get(place.owner, id) != id:
            return  # It is another record that stands here now.
        bound = self._bound.setdefault(place.kind, {})
        if bound.setdefault(expected, value) != expected:
            self._words[str(expected)] = str(bound[expected])

    def _operation(self, request: Request) -> Operation | None:
        contract = self._contracts.get(request.api)
        return contract.operations.get(request.operation) if contract else None

    def _here(self, kind: Kind, value: Json) -> Json:
        known = self._bound.get(kind, {})
        return known.get(value, value) if isinstance(value, (str, int)) else value

    def _realigned(self, body: Body, places: Iterator[Place] | tuple[()], *, refusal: bool) -> Body:
        changes: dict[Steps, Json] = {}
        for place in places:
            value = at(body.value, place.way)
            times = self._times.get((place.kind, str(place.owner)), {}) if place.owner is not None else {}
            if isinstance(value, (str, int)):
                changes[place.way] = times.get(value, self._here(place.kind, value))
        return Body("body", self._changed(body.value, (), changes, refusal=refusal))

    def _changed(self, value: Json, way: Steps, changes: Mapping[Steps, Json], *, refusal: bool) -> Json:
        if way in changes:
            return changes[way]
        if isinstance(value, dict):
            return {name: self._changed(part, (*way, name), changes, refusal=refusal) for name, part in value.items()}
        if isinstance(value, list):
            return [self._changed(part, (*way, index), changes, refusal=refusal) for index, part in enumerate(value)]
        return self._worded(value, refusal=refusal) if isinstance(value, str) else value

    def _worded(self, text: str, *, refusal: bool) -> str:
        """A text with what differs replaced in it; where it is no refusal's, only what cannot be met by chance."""
        for expected, here in self._words.items():
            if expected in text and (refusal or _DISTINCT.fullmatch(expected)):
                text = re.sub(rf"(?<![\w-]){re.escape(expected)}(?![\w-])", lambda _, here=here: here, text)  # type: ignore[misc]
        return text


def differences(id: str, expected: Answer, seen: Answer) -> Iterator[Difference]:
    """What an answer has that is not as expected; a secret that is masked may be anything."""
    if expected.status != seen.status:
        yield Difference(id, "status", "", expected.status, seen.status)
    for name, value in expected.headers:
        values = [other for known, other in seen.headers if known.lower() == name.lower()]
        if not any(_same_text(value, other) for other in values):
            yield Difference(id, "header", name, value, values[0] if values else None)
    yield from (Difference(id, "body", place, old, new) for place, old, new in _of_bodies(expected.body, seen.body))


MISSING = "(nothing)"


def _of_bodies(expected: Body | None, seen: Body | None) -> Iterator[tuple[str, Json, Json]]:
    if expected is not None and seen is not None and expected.form == seen.form == "body":
        yield from _of_values(expected.value, seen.value, ())
        return
    old, new = (
        None if body is None or body.encoded == b"" else body.encoded.decode(errors="replace") for body in (expected, seen)
    )
    if old is None or new is None:
        if old is not new:
            yield "", MISSING if old is None else old, MISSING if new is None else new
    elif not _same_text(old, new):
        yield "", old, new


def _of_values(expected: Json, seen: Json, way: Steps) -> Iterator[tuple[str, Json, Json]]:
    if isinstance(expected, dict) and isinstance(seen, dict):
        for name in dict.fromkeys((*expected, *seen)):
            if name not in expected or name not in seen:
                yield pointer((*way, name)), expected.get(name, MISSING), seen.get(name, MISSING)
            else:
                yield from _of_values(expected[name], seen[name], (*way, name))
    elif isinstance(expected, list) and isinstance(seen, list):
        for index, (old, new) in enumerate(zip(expected, seen, strict=False)):
            yield from _of_values(old, new, (*way, index))
        if len(expected) != len(seen):
            yield pointer(way), f"{len(expected)} elements", f"{len(seen)} elements"
    elif isinstance(expected, str) and isinstance(seen, str):
        if not _same_text(expected, seen):
            yield pointer(way), expected, seen
    elif expected != seen or isinstance(expected, bool) != isinstance(seen, bool):
        yield pointer(way), expected, seen


def _same_text(expected: str, seen: str) -> bool:
    if expected == seen:
        return True
    parts = _MASK.split(expected)
    return len(parts) > 1 and re.fullmatch(".*".join(map(re.escape, parts)), seen, re.DOTALL) is not None


def shown(value: Json) -> str:
    """A value as a message shows it."""
    return json.dumps(value, ensure_ascii=False)
