"""A file about a real implementation's own test data -> which records exist, and which values may be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mock_server import documents
from mock_server.contract import BrokenContract, Contract, Json
from mock_server.documents import Mistake, Node

IDS, VALUES = "ids", "values"


@dataclass(frozen=True)
class TestData:
    """What is known of one API's records before the first request."""

    __test__ = False  # pytest collects classes by this name

    ids: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)  # resource -> ids of records that exist
    values: Mapping[str, Mapping[str, tuple[Json, ...]]] = field(default_factory=dict)  # resource -> property -> what may be sent


def read(path: Path, contracts: Mapping[str, Contract]) -> dict[str, TestData]:
    """The test data in a YAML file, by API.

    Raises BrokenContract with every mistake in it.
    """
    document = documents.load(path)
    mistakes = list(_mistakes(document.root, contracts))
    if mistakes:
        raise BrokenContract(mistakes)
    return {name: _data(part) for name, part in document.root.items()}


def _data(node: Node) -> TestData:
    ids = {name: tuple(part.value) for name, part in (node / IDS).items()}
    values = {
        resource: {name: tuple(listed.value) for name, listed in part.items()} for resource, part in (node / VALUES).items()
    }
    return TestData(ids, values)


def _mistakes(root: Node, contracts: Mapping[str, Contract]) -> Iterator[Mistake]:
    if not root.mapping:
        yield root.mistake(f"it must be a mapping: API -> {IDS}, {VALUES}")
    for name, part in root.items():
        if name not in contracts:
            yield part.mistake(f"{name} is no API{documents.meant(name, contracts)}")
            continue
        yield from _unknown(part, (IDS, VALUES), "key")
        resources = contracts[name].resources
        yield from _unknown(part / IDS, resources, "resource")
        yield from _unknown(part / VALUES, resources, "resource")
        for resource, listed in (part / IDS).items():
            yield from _unlisted(listed, f"ids of {resource} records")
        for resource, properties in (part / VALUES).items():
            yield from _unknown(properties, resources[resource].stored if resource in resources else (), "property")
            for property, listed in properties.items():
                yield from _unlisted(listed, f"values of {property}")


def _unknown(node: Node, known: Mapping[str, object] | tuple[str, ...], what: str) -> Iterator[Mistake]:
    if node and not node.mapping:
        yield node.mistake("it must be a mapping")
    for name, part in node.items():
        if known and name not in known:
            yield part.mistake(f"{name} is no {what} here{documents.meant(name, known)}")


def _unlisted(node: Node, what: str) -> Iterator[Mistake]:
    if not isinstance(node.value, list) or not node.value:
        yield node.mistake(f"it must be a list of {what}, not empty")
