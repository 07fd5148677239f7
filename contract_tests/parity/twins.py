"""A value of which each side has its own, and a record that is on both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mock_server.contract import Json, Resource

Name = Literal["mock", "real"]
SIDES: tuple[Name, Name] = ("mock", "real")


@dataclass(frozen=True)
class Twins:
    """An id or a number that the mock gave, and the one that the real implementation gave for the same."""

    mock: Json
    real: Json


TwinIds = Mapping[str, Json]  # resource -> id, most of them Twins


@dataclass
class Twin:
    """One record, made on both sides or there on both."""

    resource: Resource
    ids: Twins
    parents: TwinIds
    label: str  # what stands for its ids when answers are compared
    own: bool = True  # whether this run made it
    stored: Mapping[str, Json] = field(default_factory=dict)  # what it must hold by the contract, as far as that is known

    @property
    def all_ids(self) -> TwinIds:
        return {**self.parents, self.resource.name: self.ids}


def of(side: Name, value: Json) -> Json:
    """A value as one side has it."""
    if isinstance(value, Twins):
        return value.mock if side == "mock" else value.real
    if isinstance(value, Mapping):
        return {name: of(side, part) for name, part in value.items()}
    if isinstance(value, list):
        return [of(side, part) for part in value]
    return value
