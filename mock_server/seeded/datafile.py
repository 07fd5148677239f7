"""fixtures/<api>/data.yaml: what a person says about the baseline, checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches

from mock_server.contract import Contract, Json, Record, Resource
from mock_server.documents import Mistake, Node, meant
from mock_server.seeded.timeline import Timeline

_SECTIONS = ("locale", "words", "counts", "created", "resources", "own", "unset", "records")
_LOCALES = ("en_US", "fi_FI")
_START, _END = date(2024, 1, 29), date(2025, 12, 19)
_MOST = 500  # records that may belong to one
_RECORDS = 10_000_000  # of a resource; --scale goes no further either


@dataclass(frozen=True)
class Scaled:
    """As many records as --scale says."""


@dataclass(frozen=True)
class Fixed:
    """So many records, whatever the scale."""

    count: int


@dataclass(frozen=True)
class Each:
    """From `least` to `most` records belong to each record of a resource, `first` to the first one (and to those of its kind).

    Of a hundred others only `percent` have any.
    """

    resource: str
    least: int
    most: int
    first: int
    percent: int = 100


Amount = Scaled | Fixed | Each


@dataclass(frozen=True)
class DataFile:
    """What data.yaml says; an API without one gets what its schemas suggest."""

    locale: str = "en_US"
    words: Mapping[str, list[Json]] = field(default_factory=dict)
    counts: Mapping[str, Amount] = field(default_factory=dict)
    created: Mapping[str, Timeline] = field(default_factory=dict)
    recipes: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    unset: frozenset[str] = frozenset()  # resources whose properties have no value where there is no recipe
    own: Mapping[str, frozenset[str]] = field(default_factory=dict)  # what differs in every record, not only in every kind
    records: Mapping[str, Mapping[int, Record]] = field(default_factory=dict)  # by record number

    def amount(self, resource: Resource) -> Amount:
        """How many records a resource has."""
        if resource.name in self.counts:
            return self.counts[resource.name]
        return Each(resource.parent.resource, 1, 3, 3) if resource.parent else Scaled()

    def timeline(self, resource: Resource) -> Timeline:
        return self.created.get(resource.name, Timeline(_START, _END))


@dataclass
class Reader:
    """Reads the parts of the file, and notes the mistakes."""

    root: Node
    contract: Contract
    mistakes: list[Mistake] = field(default_factory=list)

    def read(self) -> DataFile:
        """What the file says; where it is mistaken something likely, so that the rest can be judged."""
        for name, node in self._parts(self.root, "sections"):
            if name not in _SECTIONS:
                self._wrong(node, f"is no section{meant(name, _SECTIONS)}")
        counts = {name: amount for name, node in self._resources("counts") if (amount := self._amount(name, node))}
        self._uncircled(counts)
        return DataFile(
            locale=self._locale(self.root / "locale"),
            words={name: self._words(node) for name, node in self._parts(self._section("words"), "lists by name")},
            counts=counts,
            created={name: line for name, node in self._resources("created") if (line := self._timeline(node))},
            recipes={name: dict(self._recipes(name, node)) for name, node in self._resources("resources")},
            own={name: frozenset(self._own(name, node)) for name, node in self._resources("own")},
            unset=frozenset(self._names(self._section("unset"), self.contract.resources, self.contract.name)),
            records={name: self._records(name, node) for name, node in self._resources("records")},
        )

    def _wrong(self, node: Node, message: str) -> None:
        self.mistakes.append(node.mistake(message))

    def _section(self, name: str) -> Node:
        """A section; if there is none, one whose name is likely meant to be this: what is in it can be judged all the same."""
        meant = (written for written in self.root.mapping if written == name or _nearest_section(written) == name)
        return self.root / max(meant, key=name.__eq__, default=name)

    def _parts(self, node: Node, parts: str) -> Iterator[tuple[str, Node]]:
        """The parts of what must be a mapping, or nothing."""
        if node and not isinstance(node.value, dict):
            self._wrong(node, f"must be a mapping, of {parts}")
        return node.items()

    def _resources(self, section: str) -> Iterator[tuple[str, Node]]:
        """The parts of a section by resource."""
        for name, part in self._parts(self._section(section), "resources by name"):
            if name in self.contract.resources:
                yield name, part
            else:
                self._wrong(part, f"is no resource of {self.contract.name}{meant(name, self.contract.resources)}")

    def _locale(self, node: Node) -> str:
        if node and node.value not in _LOCALES:
            self._wrong(node, f"must be one of {', '.join(_LOCALES)}")
        return node.text or "en_US"

    def _words(self, node: Node) -> list[Json]:
        if isinstance(node.value, list) and node.value:
            return node.value
        self._wrong(node, "must be a list with something in it")
        return [""]

    def _amount(self, name: str, node: Node) -> Amount | None:
        value = node.value
        if value == "scale":
            return Scaled()
        if type(value) is int and 0 <= value <= _RECORDS:
            return Fixed(value)
        if type(value) is int:
            self._wrong(node, f"must be a number from 0 to {_RECORDS}")
            return None
        if isinstance(value, dict) and "per" in value and {*value} <= {"per", "min", "max", "first", "percent"}:
            return self._each(name, node)
        self._wrong(node, "must be scale, a number, or {per: RESOURCE, min: 1, max: 3, first: 2}")
        return None

    def _each(self, name: str, node: Node) -> Amount | None:
        owner, least, most = node.value["per"], node.value.get("min", 1), node.value.get("max", 3)
        first, percent = node.value.get("first", most), node.value.get("percent", 100)
        parent = self.contract.resources[name].parent
        if not isinstance(owner, str) or owner not in self.contract.resources:
            self._wrong(node, f"belongs to {owner!r}, which is no resource{meant(str(owner), self.contract.resources)}")
        elif parent and parent.resource != owner:
            self._wrong(node, f"must be per {parent.resource}, its parent")
        elif not (type(least) is int and type(most) is int and 0 <= least <= most <= _MOST):
            self._wrong(node, f"needs min and max, integers from 0 to {_MOST}, max not below min")
            return Each(owner, 1, 1, 1)
        elif not (type(first) is int and least <= first <= most):
            self._wrong(node / "first", f"must be an integer from min {least} to max {most}")
            return Each(owner, least, most, most)
        elif type(percent) is not int or not 0 <= percent <= 100:
            self._wrong(node / "percent", "must be an integer from 0 to 100")
            return Each(owner, least, most, first)
        else:
            return Each(owner, least, most, first, percent)
        return None

    def _uncircled(self, counts: dict[str, Amount]) -> None:
        """Take out of `counts` what would belong to itself, and say so; a parent cannot be taken from a child either."""
        for name in [*counts]:
            amount, seen = counts[name], {name}
            while isinstance(amount, Each):
                if amount.resource in seen:
                    self._wrong(self._section("counts") / name, "belongs to itself")
                    del counts[name]
                    break
                seen.add(amount.resource)
                amount = DataFile(counts=counts).amount(self.contract.resources[amount.resource])
            if self.contract.resources[name].parent and name in counts and not isinstance(counts[name], Each):
                self._wrong(self._section("counts") / name, "must be {per: …}, since it has a parent")
                del counts[name]

    def _timeline(self, node: Node) -> Timeline | None:
        value = node.value if isinstance(node.value, dict) else {"from": node.value}
        start, end = _day(value.get("from")), _day(value["to"]) if "to" in value else _END
        if {*value} <= {"from", "to"} and start and end and start < end:
            return Timeline(start, end)
        self._wrong(node, f'must be a day like "2024-01-29", or {{from: DAY, to: DAY}}; without `to` it is {_END}')
        return None

    def _recipes(self, name: str, node: Node) -> Iterator[tuple[str, Json]]:
        stored = self.contract.resources[name].stored
        for property, part in self._parts(node, "properties by name"):
            if property in stored or property.startswith("_"):
                yield property, part.value
            else:
                self._wrong(part, f"is no stored property of {name} (a helper begins with _){meant(property, stored)}")

    def _own(self, name: str, node: Node) -> Iterator[str]:
        return self._names(node, self._known(name), name)

    def _known(self, name: str) -> Mapping[str, object]:
        """The properties of a resource, and the helpers that the file gives it."""
        return {**self.contract.resources[name].stored, **(self._section("resources") / name).mapping}

    def _names(self, node: Node, known: Mapping[str, object], owner: str) -> Iterator[str]:
        if node and not isinstance(node.value, list):
            self._wrong(node, "must be a list of names")
        for part in node.elements():
            if isinstance(part.value, str) and part.value in known:
                yield part.value
            else:
                self._wrong(part, f"is nothing that {owner} has{meant(str(part.value), known)}")

    def _records(self, name: str, node: Node) -> dict[int, Record]:
        """By number: the key is the record's id."""
        resource = self.contract.resources[name]
        found: dict[int, Record] = {}
        known = self._known(name)
        for id, part in self._parts(node, "records by id"):
            number = resource.id.number(id if resource.id.pattern else _integer(id))
            if number is None:
                self._wrong(part, f"is no id of {name}; the first is {resource.id.value(0)}")
                continue
            for property, value in self._parts(part, "properties by name"):
                if property not in known:
                    self._wrong(value, f"is no stored property or helper of {name}{meant(property, known)}")
            found[number] = {property: value for property, value in part.mapping.items() if property in known}
        return found


def _nearest_section(name: str) -> str | None:
    return name if name in _SECTIONS else next(iter(get_close_matches(name, _SECTIONS, 1)), None)


def _day(value: Json) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _integer(text: str) -> int | None:
    return int(text) if text.isdecimal() else None
