"""What a world was told to do wrong: its faults and rate limits with their counts; and the same as one text, for a store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from mock_server.contract import Contract, Json
from mock_server.faults import Asked, Fault
from mock_server.limits import Limit


@dataclass(slots=True)
class Armed:
    """Faults in the order in which they were armed, and limits by API. Nothing of it goes along when a world is copied."""

    faults: dict[str, Fault] = field(default_factory=dict)
    limits: dict[str, Limit] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.faults or self.limits)

    def arm(self, told: Mapping[str, Json]) -> Fault:
        """A new fault; without a name of its own it gets the next number."""
        name = told.get("name") or next(name for n in range(1, len(self.faults) + 2) if (name := f"fault-{n}") not in self.faults)
        made = self.faults[name] = Fault(name, {"name": name, **told})
        return made

    def acting(self, asked: Asked, seed: int) -> Fault | None:
        """The first fault that acts on a request; every one whose condition it meets counts it."""
        acting: Fault | None = None
        for fault in self.faults.values():
            if acting is not None:
                fault.matched += fault.meets(asked)
            elif fault.acts(asked, seed):
                acting = fault
        return acting

    def unfired(self) -> list[str]:
        """The names of the faults that never acted."""
        return [name for name, fault in self.faults.items() if not fault.fired]

    def take(self, api: str, credential: str, now: int) -> None:
        """Count a request against the API's limit, if there is one.

        Raises RateLimited.
        """
        if api in self.limits:
            self.limits[api].take(credential, now)

    def text(self) -> str | None:
        """All of it, to be read again; None if there is nothing."""
        if not self:
            return None
        faults = [{"told": one.told, "matched": one.matched, "fired": one.fired} for one in self.faults.values()]
        limits = {api: {"limit": one.limit, "used": one.used} for api, one in self.limits.items()}
        return orjson.dumps({"faults": faults, "limits": limits}).decode()


def read(text: str | None, contracts: Mapping[str, Contract]) -> Armed:
    """What a text tells, as far as the contracts still have it."""
    kept = orjson.loads(text) if text else {"faults": [], "limits": {}}
    made = Armed()
    for one in kept["faults"]:
        name = one["told"]["name"]
        made.faults[name] = Fault(name, one["told"], one["matched"], one["fired"])
    for api, one in kept["limits"].items():
        contract = contracts.get(api)
        if contract is not None and contract.rate_limit is not None:
            used = {name: (window, count) for name, (window, count) in one["used"].items()}
            made.limits[api] = Limit(contract.rate_limit, one["limit"], used)
    return made
