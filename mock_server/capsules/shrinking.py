"""A capsule -> the least of it that still shows the same failure (delta debugging)."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from mock_server.capsules.capsule import Body, Capsule, Request
from mock_server.capsules.destinations import MockWorld
from mock_server.capsules.replaying import Judge, Replayer, Step, places
from mock_server.capsules.saving import Saving
from mock_server.client import Refused
from mock_server.contract import Contract, Json
from mock_server.outline import CONTROL

T = TypeVar("T")
Steps = tuple[str | int, ...]

_CLUE = re.compile(r"[\w@.+-]{1,200}")
_TELLING = re.compile(r".*[\d@]")  # a word that two requests do not share by chance
READS = frozenset({"GET", "HEAD", "OPTIONS"})


class NotReproduced(Exception):
    """The capsule does not show its failure here, so that nothing can be left out."""


class Shrinker:
    """Leaves out what makes no difference, and tries each time in a world that begins anew."""

    def __init__(
        self,
        contracts: Mapping[str, Contract],
        world: MockWorld,
        replayer: Replayer,
        saving: Saving,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.tries = 0
        self._world = world
        self._replayer = replayer
        self._saving = saving
        self._judge = Judge(contracts)
        self._progress = progress
        self._wanted: Hashable = None

    def shrunk(self, capsule: Capsule) -> Capsule:
        """The capsule without what makes no difference, with the answers that it gets now.

        Raises NotReproduced, Refused, Unreachable.
        """
        ids = [request.id for request in capsule.requests]
        capsule = replace(capsule, requests=capsule.requests[: ids.index(capsule.shows) + 1])
        steps = self._replayer.steps(capsule)
        expected = capsule.failing.answer
        if self._judge.signature(capsule.failing, expected) != self._judge.signature(capsule.failing, steps[-1].seen):
            raise NotReproduced(
                f"It answers {steps[-1].seen.status} instead of {expected.status}; see mock-server capsule replay."
            )
        self._wanted = self._failure(steps)
        for shrink in (self._requests, self._start, self._headers, self._queries, self._bodies):
            capsule = shrink(capsule)
        return self._saving.recorded(capsule, [(step.request, step.seen) for step in self._replayer.steps(capsule)])

    def _failure(self, steps: Sequence[Step]) -> Hashable:
        """What has to stay the same."""
        failing = steps[-1]
        told = self._world.account(failing.seen)
        violations = places((one["in"], one["pointer"]) for one in told.get("violations", ()))
        return self._judge.signature(failing.request, failing.seen), told.get("reason"), violations

    def _shows(self, capsule: Capsule) -> bool:
        """Whether a capsule still shows the failure."""
        self.tries += 1
        self._progress(f"{len(capsule.requests)} requests, {len(capsule.records)} records, {self.tries} tries")
        try:
            return self._failure(self._replayer.steps(capsule)) == self._wanted
        except Refused:  # Its records do not go together.
            return False

    def _requests(self, capsule: Capsule) -> Capsule:
        """The requests that are needed: first those that seem so, then as many before the failing one as it takes, then fewer."""
        *earlier, failing = capsule.requests
        related = related_to(failing, earlier)
        length = 0
        while length < len(earlier):
            kept = [request for index, request in enumerate(earlier) if request.id in related or index >= len(earlier) - length]
            if self._shows(replace(capsule, requests=(*kept, failing))):
                earlier = kept
                break
            length = length * 4 or 1
        kept = least(earlier, lambda some: self._shows(replace(capsule, requests=(*some, failing))))
        return replace(capsule, requests=(*kept, failing))

    def _start(self, capsule: Capsule) -> Capsule:
        """What has to be in the world, or armed, before the first request."""
        records = least(capsule.records, lambda some: self._shows(replace(capsule, records=tuple(some))))
        capsule = replace(capsule, records=tuple(records))
        trash = least(capsule.trash, lambda some: self._shows(replace(capsule, trash=tuple(some))))
        capsule = replace(capsule, trash=tuple(trash))
        faults = least(capsule.faults, lambda some: self._shows(replace(capsule, faults=tuple(some))))
        capsule = replace(capsule, faults=tuple(faults))
        limits = least(capsule.rate_limits, lambda some: self._shows(replace(capsule, rate_limits=tuple(some))))
        return replace(capsule, rate_limits=tuple(limits))

    def _headers(self, capsule: Capsule) -> Capsule:
        every = [(request.id, index) for request in capsule.requests for index in range(len(request.headers))]

        def having(some: Sequence[tuple[str, int]]) -> Capsule:
            chosen = set(some)
            return _each(
                capsule,
                lambda request: replace(
                    request, headers=tuple(pair for index, pair in enumerate(request.headers) if (request.id, index) in chosen)
                ),
            )

        return having(least(every, lambda some: self._shows(having(some))))

    def _queries(self, capsule: Capsule) -> Capsule:
        every = [(request.id, index) for request in capsule.requests for index in range(len(_pairs(request)))]

        def having(some: Sequence[tuple[str, int]]) -> Capsule:
            chosen = set(some)

            def cut(request: Request) -> Request:
                kept = [pair for index, pair in enumerate(_pairs(request)) if (request.id, index) in chosen]
                path = request.target.partition("?")[0]
                return replace(request, target=f"{path}?{'&'.join(kept)}" if kept else path)

            return _each(capsule, cut)

        return having(least(every, lambda some: self._shows(having(some))))

    def _bodies(self, capsule: Capsule) -> Capsule:
        """Bodies as a whole, then their properties and elements, the outer ones first."""
        depth = 0
        while every := [(request.id, way) for request in capsule.requests for way in _ways(request.body, depth)]:
            capsule = self._parts_of_bodies(capsule, every)
            depth += 1
        return capsule

    def _parts_of_bodies(self, capsule: Capsule, every: Sequence[tuple[str, Steps]]) -> Capsule:
        def having(some: Sequence[tuple[str, Steps]]) -> Capsule:
            left_out = set(every) - set(some)
            return _each(capsule, lambda request: replace(request, body=_without(request, left_out)))

        return having(least(every, lambda some: self._shows(having(some))))


def least(items: Sequence[T], enough: Callable[[Sequence[T]], bool]) -> list[T]:
    """As few of the items as are enough, none of which can be left out alone; all of them are enough."""
    kept, size = list(items), len(items)
    while kept:
        before, start = len(kept), 0
        while start < len(kept):
            rest = [*kept[:start], *kept[start + size :]]
            if enough(rest):
                kept = rest
            else:
                start += size
        if size == 1 and len(kept) == before:
            break
        size = max(size // 2, 1)
    return kept


def related_to(failing: Request, earlier: Sequence[Request]) -> set[str]:
    """The ids of the requests that a failure seems to hang on: they make what it speaks of, or speak of the same."""
    found: set[str] = set()
    clues = {*_clues(failing), *_words(failing.answer.body)}
    for request in reversed(earlier):
        if request.api == CONTROL:
            found.add(request.id)
        elif request.api == failing.api and request.method not in READS:
            made = {word for word in _words(request.answer.body) if _TELLING.match(word)} | {f"session.{request.id}"}
            if not clues.isdisjoint(made) or not {word for word in _clues(request) if _TELLING.match(word)}.isdisjoint(clues):
                found.add(request.id)
                clues |= _clues(request)
    return found


def _clues(request: Request) -> set[str]:
    """The words of a request."""
    headers = " ".join(value for _, value in request.headers)
    return {*_CLUE.findall(request.target.replace("/", " ")), *_CLUE.findall(headers), *_words(request.body)}


def _words(body: Body | None) -> Iterator[str]:
    if body is None or body.form == "base64":
        return
    todo: list[Json] = [body.value]
    while todo:
        value = todo.pop()
        if isinstance(value, (dict, list)):
            todo += value.values() if isinstance(value, dict) else value
        elif isinstance(value, str):
            yield from _CLUE.findall(value)
        elif value is not None and not isinstance(value, bool):
            yield str(value)


def _each(capsule: Capsule, change: Callable[[Request], Request]) -> Capsule:
    return replace(capsule, requests=tuple(map(change, capsule.requests)))


def _pairs(request: Request) -> list[str]:
    _, sign, query = request.target.partition("?")
    return query.split("&") if sign else []


def _ways(body: Body | None, depth: int) -> Iterator[Steps]:
    """The ways to the parts of a body that stand so deep; the way to the whole is empty."""
    if body is None or (depth and body.form != "body"):
        return
    level: list[tuple[Steps, Json]] = [((), body.value)]
    for _ in range(depth):
        level = [((*way, step), part) for way, value in level for step, part in _parts(value)]
    yield from (way for way, _ in level)


def _parts(value: Json) -> list[tuple[str | int, Json]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def _without(request: Request, left_out: set[tuple[str, Steps]]) -> Body | None:
    """The body without the parts at some ways."""

    def cut(value: Json, way: Steps) -> Json:
        if isinstance(value, dict):
            return {name: cut(part, (*way, name)) for name, part in value.items() if (request.id, (*way, name)) not in left_out}
        if isinstance(value, list):
            return [cut(part, (*way, n)) for n, part in enumerate(value) if (request.id, (*way, n)) not in left_out]
        return value

    if request.body is None or (request.id, ()) in left_out:
        return None
    return replace(request.body, value=cut(request.body.value, ())) if request.body.form == "body" else request.body
