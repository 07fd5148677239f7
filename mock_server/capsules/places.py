"""Where ids, numbers and times that a server assigns stand in requests and answers, by the contract."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote

from mock_server.contract import Contract, Counter, Json, Operation, Parameter, Reference, Resource, Shown

Steps = tuple[str | int, ...]


class Kind(NamedTuple):
    """Of which property of which resource a value is."""

    api: str
    resource: str
    property: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands, and what it is; `owner` is the id of the record that it was assigned to, None for a mere mention."""

    way: Steps
    kind: Kind
    owner: Json = None


class Places:
    """The places of one contract."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    def in_answer(self, operation: Operation, value: Json) -> Iterator[Place]:
        """In the body of a success."""
        return self._in_envelope(operation, operation.envelope, value, ())

    def in_body(self, operation: Operation, value: Json) -> Iterator[Place]:
        """In the body of a request."""
        if operation.resource is not None:
            yield from self._in_record(operation.resource, value, ())
            if operation.target and isinstance(value, dict) and operation.target in value:
                yield Place((operation.target,), self._id(operation.resource.name))

    def owners(self, operation: Operation, target: str, body: Json) -> Iterator[tuple[str, str]]:
        """Resource and id, as text, of the record that a request acts on."""
        if operation.resource is None:
            return
        if operation.identifier is not None:
            yield operation.resource.name, self._path(operation, target).get(operation.identifier.name, "")
        elif operation.target and isinstance(body, dict) and operation.target in body:
            yield operation.resource.name, str(body[operation.target])

    def retargeted(self, operation: Operation, target: str, change: Callable[[Kind, Json], Json]) -> str:
        """The target with every value changed that is an id or a number."""
        path, sign, query = target.partition("?")
        values = {
            name: self._changed(self._id(str(parameter.identifies)), text, change)
            for name, text in self._path(operation, target).items()
            if (parameter := _parameter(operation, name)).identifies
        }
        template = re.sub(
            r"\{([^{}]+)\}", lambda match: quote(values[match[1]], safe="$") if match[1] in values else match[0], operation.path
        )
        if "{" not in template and values:
            path = self._contract.base_path + template
        return path + sign + "&".join(self._pair(operation, pair, change) for pair in query.split("&"))

    def _pair(self, operation: Operation, pair: str, change: Callable[[Kind, Json], Json]) -> str:
        """name=value of a query."""
        name, sign, value = pair.partition("=")
        parameter = next((p for p in operation.filters if p.name == unquote(name)), None)
        if parameter is None or parameter.filter is None or operation.resource is None:
            return pair
        kinds = [self._property(operation.resource, path[0]) for path in parameter.filter.paths if len(path) == 1]
        if len(kinds) != 1 or kinds[0] is None:
            return pair
        kind = kinds[0]
        return name + sign + ",".join(quote(self._changed(kind, unquote(part), change), safe="$") for part in value.split(","))

    def _changed(self, kind: Kind, text: str, change: Callable[[Kind, Json], Json]) -> str:
        counter = self._counter(kind)
        value: Json = int(text) if counter.pattern is None and text.isdecimal() and len(text) < 20 else text
        changed = change(kind, value)
        return text if changed == value else str(changed)

    def _path(self, operation: Operation, target: str) -> dict[str, str]:
        """The values of the parameters in a path; none if it is not one of the operation."""
        path = target.partition("?")[0].removeprefix(self._contract.base_path)
        match = _pattern(operation.path).fullmatch(path)
        return (
            {
                name: unquote(value)
                for name, value in zip(re.findall(r"\{([^{}]+)\}", operation.path), match.groups(), strict=True)
            }
            if match
            else {}
        )

    def _in_envelope(self, operation: Operation, template: Json, value: Json, way: Steps) -> Iterator[Place]:
        resource = operation.resource
        if isinstance(template, Mapping):
            for name, part in template.items():
                if isinstance(value, dict) and name in value:
                    yield from self._in_envelope(operation, part, value[name], (*way, name))
        elif resource is None:
            return
        elif template == "$record":
            yield from self._in_record(resource, value, way)
        elif template == "$records" and isinstance(value, list):
            for index, record in enumerate(value):
                yield from self._in_record(resource, record, (*way, index))
        elif template == "$id":
            yield Place(way, self._id(resource.name), value)
        elif isinstance(template, str) and template.startswith("$parent.") and resource.parent is not None:
            kind = self._property(self._contract.resources[resource.parent.resource], template.removeprefix("$parent."))
            if kind is not None:
                yield Place(way, kind)

    def _in_record(self, resource: Resource, value: Json, way: Steps) -> Iterator[Place]:
        if not isinstance(value, dict):
            return
        owner = value.get(resource.id.property)
        for name in self._assigned(resource) & value.keys():
            yield Place((*way, name), Kind(self._contract.name, resource.name, name), owner)
        references = [*resource.references, *([resource.parent] if resource.parent else [])]
        for reference in references:
            kind = self._referred(reference)
            if kind is not None and reference.property in value:
                yield Place((*way, reference.property), kind)
            for name, shown in reference.show.items():
                if name in value:
                    yield from self._in_shown(reference.resource, shown, value[name], (*way, name))
        for children in resource.children:
            listed = value.get(children.property)
            for index, child in enumerate(listed if isinstance(listed, list) else ()):
                yield from self._in_record(self._contract.resources[children.resource], child, (*way, children.property, index))

    def _in_shown(self, resource: str, shown: Shown, value: Json, way: Steps) -> Iterator[Place]:
        """In what a view shows of another record."""
        if isinstance(shown, tuple) and len(shown) == 1:
            kind = self._property(self._contract.resources[resource], shown[0])
            if kind is not None:
                yield Place(way, kind)
        elif isinstance(shown, Mapping) and isinstance(value, dict):
            for name, part in shown.items():
                if name in value:
                    yield from self._in_shown(resource, part, value[name], (*way, name))

    @staticmethod
    def _assigned(resource: Resource) -> frozenset[str]:
        """The properties whose values the server makes."""
        counted = (counter.property for counter in (resource.id, *resource.numbers))
        return frozenset((*counted, *(name for name in (resource.created, resource.updated) if name)))

    def _id(self, resource: str) -> Kind:
        return Kind(self._contract.name, resource, self._contract.resources[resource].id.property)

    def _referred(self, reference: Reference) -> Kind | None:
        other = self._contract.resources[reference.resource]
        return self._property(other, reference.by or other.id.property)

    def _property(self, resource: Resource, name: str) -> Kind | None:
        """What a property holds: an id or a number of the record itself, or of the one that it refers to."""
        if any(counter.property == name for counter in (resource.id, *resource.numbers)):
            return Kind(self._contract.name, resource.name, name)
        for reference in (*resource.references, *([resource.parent] if resource.parent else ())):
            if reference.property == name:
                return self._referred(reference)
        return None

    def _counter(self, kind: Kind) -> Counter:
        resource = self._contract.resources[kind.resource]
        return next(counter for counter in (resource.id, *resource.numbers) if counter.property == kind.property)


def is_time(resource: Resource, name: str) -> bool:
    """Whether a property holds the time at which the record was made or changed."""
    return name in (resource.created, resource.updated)


@lru_cache(1024)
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{[^{}]+\\\}", "([^/]*)", re.escape(path)))


def _parameter(operation: Operation, name: str) -> Parameter:
    return next(parameter for parameter in operation.parameters if parameter.where == "path" and parameter.name == name)
