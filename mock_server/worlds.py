"""The worlds: isolated copies of all APIs' state, each made when it is first used."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mock_server.armed import Armed
from mock_server.clock import MICROSECONDS, Clock
from mock_server.contract import Contract
from mock_server.credentials import Credentials
from mock_server.journal import Journal
from mock_server.seeded import Baseline
from mock_server.state import Session, State, Write
from mock_server.stores import Store

if TYPE_CHECKING:
    from mock_server.situations import Situation

DEFAULT = "default"
HIDDEN = "/"  # in the name of a world that no client can name
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
BASELINES_KEPT = 16  # of worlds with a seed or scale of their own

Baselines = Callable[[str, int, int], Baseline]  # of an API, by seed and scale


def hidden(world: str, fault: str) -> str:
    """The name of the world in which a fault keeps how things were."""
    return f"{world}{HIDDEN}{fault}"


class TooManyWorlds(Exception):
    """One world more than the server may hold."""


def _as_it_is(world: World) -> None:
    """What makes a world that starts with the baseline."""


@dataclass(slots=True)
class World:
    """One isolated copy of all APIs' state. A state costs nothing until its API is called."""

    name: str
    seed: int
    scale: int
    contracts: Mapping[str, Contract]
    baselines: Baselines
    credentials: Mapping[str, Credentials]
    clock: Clock = field(default_factory=Clock)
    situation: str = ""  # what it started from
    states: dict[str, State] = field(default_factory=dict)
    used: int = 0  # microseconds since 1970, by the system's clock
    version: int = 0  # counts writes
    epoch: int | None = None  # what a store knows it by; None: the store has to be asked
    unsaved: list[Write] = field(default_factory=list)  # what was written since
    unsaved_sessions: list[tuple[str, Session]] = field(default_factory=list)
    cleared: bool = False  # everything written before is void
    armed: Armed = field(default_factory=Armed)
    unfired: list[str] = field(default_factory=list)  # faults that a reset took away before they fired
    journal: Journal = field(default_factory=Journal)  # of a store that is not shared
    situations: Mapping[str, Situation] = field(default_factory=dict)
    begin: Callable[[World], None] = _as_it_is  # makes it what a new world is; called by the store, once

    def state(self, api: str) -> State:
        """The API's state in this world."""
        state = self.states.get(api)
        if state is None:
            state = self.states[api] = State(self.contracts[api], self.baselines(api, self.seed, self.scale))
        return state

    def known_credentials(self, api: str) -> Credentials:
        """The API's well-known credentials: its situation may have others."""
        situation = self.situations.get(self.situation)
        particular = situation.credentials.get(api) if situation else None
        return particular or self.credentials[api]

    def token(self, purpose: str) -> str:
        """An opaque text that is the same for the same seed, world and purpose."""
        return hashlib.blake2b(f"{self.seed}/{self.name}/{purpose}".encode(), digest_size=16).hexdigest()

    def open_session(self, api: str, lifetime: int) -> Session:
        """A new session of so many seconds; in a situation of expired ones, it is over at once."""
        situation = self.situations.get(self.situation)
        if situation and api in situation.expired:
            lifetime = 0
        session = Session(self.token(f"{api}/session/{self.version}"), self.clock.now() + lifetime * MICROSECONDS)
        self.state(api).sessions[session.id] = session
        self.unsaved_sessions.append((api, session))
        return session

    def clear(self) -> None:
        """Back to the baseline, without faults and with an empty journal."""
        self._empty()
        self.unfired += self.armed.unfired()
        self.armed = Armed()
        self.journal.clear()
        self.cleared = True

    def become(self, other: World) -> None:
        """Take over all that another world is, but its name; the other is not to be used any more."""
        self.clear()
        self.seed, self.scale, self.situation, self.clock = other.seed, other.scale, other.situation, other.clock
        self.states, self.armed = other.states, other.armed
        self.unsaved.extend(other.unsaved)

    def void(self) -> None:
        """Forget what is in memory: the store has to be asked."""
        self._empty()
        self.epoch = None

    def _empty(self) -> None:
        self.states.clear()
        self.unsaved.clear()
        self.unsaved_sessions.clear()

    def saved(self) -> None:
        """Nothing is left to be kept."""
        self.unsaved.clear()
        self.unsaved_sessions.clear()
        self.cleared = False


def _unfired(world: World) -> list[str]:
    """The faults of a world that never fired, as they are told."""
    return [f"{world.name}/{fault}" for fault in (*world.unfired, *world.armed.unfired())]


@dataclass(slots=True)
class Worlds:
    """Every world by name."""

    store: Store
    new: Callable[[str], World]  # a world as it is before its first use
    limit: int = 10_000
    lifetime: int = 0  # seconds after its last use at which a world ends; 0: never
    records: int = 1_000_000  # how many a client may add to a world
    known: dict[str, World] = field(default_factory=dict)
    _unfired: list[str] = field(default_factory=list)  # faults of worlds that are gone, which never fired

    def get(self, name: str) -> World:
        """The world with this name, made if it is new.

        Raises TooManyWorlds.
        """
        world = self.look(name)
        now = world.clock.system()
        if self.lifetime and 0 < world.used < now - self.lifetime * MICROSECONDS and name in self.expire(now):
            world = self.look(name)
        world.used = now
        return world

    def look(self, name: str) -> World:
        """The same, without counting as a use of it.

        Raises TooManyWorlds.
        """
        world = self.known.get(name)
        return self._made(name) if world is None else world

    def names(self) -> list[str]:
        """The worlds that there are, in order."""
        self.expire(self.look(DEFAULT).clock.system())
        return [name for name in self.store.names() if HIDDEN not in name]

    def unfired(self) -> list[str]:
        """The faults of all worlds, also of those that are gone, that never fired: WORLD/FAULT."""
        for name in self.names():
            self.store.refresh(self.look(name))
        return [*self._unfired, *(told for world in self.known.values() for told in _unfired(world))]

    def forget(self, name: str) -> None:
        """Delete a world, and what its faults keep; its next use makes a new one."""
        world = self.known.pop(name, None)
        self._unfired += _unfired(world) if world else ()
        self.store.forget(name)
        for fault in world.armed.faults if world else ():
            self.forget(hidden(name, fault))

    def full(self, name: str) -> str:
        """Why there can be no world of this name; empty if there can, or is."""
        if name in self.known or name == DEFAULT or self.store.count() < self.limit:
            return ""
        self.expire(self.look(DEFAULT).clock.system())
        if self.store.count() < self.limit:
            return ""
        return f"There are {self.limit} worlds, and --max-worlds allows no more. Delete one, or set --world-ttl."

    def crowded(self, name: str) -> str:
        """Why the world of this name takes no further record; empty if it does."""
        world = self.known.get(name)
        if world is not None and self.store.shared:
            self.store.refresh(world)
        if world is None or sum(state.added for state in world.states.values()) < self.records:
            return ""
        return (
            f"This world has {self.records} records more than it began with, and --max-records allows no more. "
            "Delete some, or reset it."
        )

    def expire(self, now: int) -> list[str]:
        """Delete the worlds that were idle for too long by now (microseconds); answer their names."""
        if not self.lifetime:
            return []
        gone = self.store.expire(now - self.lifetime * MICROSECONDS, DEFAULT)
        for name in gone:
            self.known.pop(name, None)
        return gone

    def _made(self, name: str) -> World:
        made = self.new(name)
        self.expire(made.clock.system())
        if (reason := self.full(name)) != "":
            raise TooManyWorlds(reason)
        if len(self.known) >= self.limit:  # Some may be gone: other processes delete worlds too.
            there = set(self.store.names())
            self.known = {known: world for known, world in self.known.items() if known in there}
        self.known[name] = made
        return made
