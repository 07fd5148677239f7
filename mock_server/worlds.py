"""The worlds: isolated copies of all APIs' state, each made when it is first used."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mock_server.clock import Clock
from mock_server.contract import Contract
from mock_server.credentials import Credentials
from mock_server.seeded import Baseline
from mock_server.state import State

DEFAULT = "default"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(slots=True)
class World:
    """One isolated copy of all APIs' state. A state costs nothing until its API is called."""

    name: str
    seed: int
    contracts: Mapping[str, Contract]
    baselines: Mapping[str, Baseline]
    credentials: Mapping[str, Credentials]
    clock: Clock = field(default_factory=Clock)
    states: dict[str, State] = field(default_factory=dict)

    def state(self, api: str) -> State:
        """The API's state in this world."""
        state = self.states.get(api)
        if state is None:
            state = self.states[api] = State(self.contracts[api], self.baselines[api])
        return state

    def token(self, purpose: str) -> str:
        """An opaque text that is the same for the same seed, world and purpose."""
        return hashlib.blake2b(f"{self.seed}/{self.name}/{purpose}".encode(), digest_size=16).hexdigest()


@dataclass(slots=True)
class Worlds:
    """Every world by name."""

    seed: int
    contracts: Mapping[str, Contract]
    baselines: Mapping[str, Baseline]
    credentials: Mapping[str, Credentials]
    start: Clock = field(default_factory=Clock)  # what a new world's clock shows
    known: dict[str, World] = field(default_factory=dict)

    def get(self, name: str) -> World:
        """The world with this name, made if it is new."""
        world = self.known.get(name)
        if world is None:
            start = Clock(self.start.frozen, self.start.offset, self.start.system)
            world = self.known[name] = World(name, self.seed, self.contracts, self.baselines, self.credentials, start)
        return world
