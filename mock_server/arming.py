"""What somebody wants to arm -> all that keeps it from being armed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mock_server import clock
from mock_server.breaks import Unbreakable, check
from mock_server.contract import Contract, Json, Operation
from mock_server.documented import Documented, Undeclared
from mock_server.documents import meant, pointer
from mock_server.faults import EFFECTS, EXCLUDING, INSTEAD, READS
from mock_server.refusals import Violation
from mock_server.worlds import World, Worlds, hidden

BODILESS = frozenset({204, 205, 304})  # statuses of answers without a body
DELAYS: Mapping[str, str] = {"seconds": "", "max": "min", "mean": "deviation", "median": "sigma"}  # kind -> what goes with it


def violations(told: Mapping[str, Json], world: World) -> list[Violation]:
    """All that keeps a fault from being armed in a world; its form is known to be right."""
    names = {api: [one.name for one in world.known_credentials(api).known] for api in world.contracts}
    definition = Definition(told, world.contracts, names)
    found = definition.violations()
    if not found and definition.contract is not None and definition.operation is not None:
        found += _of_answer(told, definition.contract, definition.operation)
    return found


def keep(worlds: Worlds, world: World, fault: str, made: World) -> None:
    """Keep how things are in a world that was made for it, for a fault that shows it later."""
    copy = worlds.get(hidden(world.name, fault))
    with worlds.store.writing(copy):
        copy.become(made)


def _of_answer(told: Mapping[str, Json], contract: Contract, operation: Operation) -> list[Violation]:
    """What the operation's own answers have against it."""
    found = []
    if "example" in told:
        try:
            Documented(contract).reply(operation, told["error"], example=told["example"])
        except Undeclared as undeclared:
            found.append(_wrong(("example",), str(undeclared)))
    if "break" in told:
        try:
            check(contract, operation, told.get("error", operation.status), told["break"]["pointer"], told["break"]["way"])
        except Unbreakable as unbreakable:
            found.append(_wrong(("break",), str(unbreakable)))
    return found


class Definition:
    """What somebody arms, held against the contracts; its form is known to be right."""

    def __init__(
        self, told: Mapping[str, Json], contracts: Mapping[str, Contract], credentials: Mapping[str, Sequence[str]]
    ) -> None:
        self._told = told
        self._contracts = contracts
        self._credentials = credentials  # API -> names
        self.contract = contracts.get(told.get("api", ""))
        known = self.contract.operations if self.contract else {}
        self.operation = known.get(told.get("operation", ""))

    def violations(self) -> list[Violation]:
        """All that does not fit."""
        return [
            *self._subject(),
            *self._effects(),
            *self._numbers(),
            *self._window(),
            *(self._details() if self._meant() else ()),
        ]

    def operations(self) -> list[Operation]:
        """The operations that it may act on."""
        if self.operation is not None:
            return [self.operation]
        contracts = [self.contract] if self.contract else list(self._contracts.values())
        return [operation for contract in contracts for operation in contract.operations.values()]

    def _meant(self) -> bool:
        """Whether it is clear which operations it is about."""
        return ("api" not in self._told or self.contract is not None) and (
            "operation" not in self._told or self.operation is not None
        )

    def _subject(self) -> Iterator[Violation]:
        told = self._told
        if "api" in told and self.contract is None:
            yield _wrong(("api",), f"is not served here{meant(told['api'], self._contracts)}")
        if "operation" in told and "api" not in told:
            yield _wrong(("api",), "is required where an operation is named")
        if "operation" in told and self.contract is not None and self.operation is None:
            yield _wrong(
                ("operation",), f"is no operation of {self.contract.name}{meant(told['operation'], self.contract.operations)}"
            )

    def _effects(self) -> Iterator[Violation]:
        there = [effect for effect in EFFECTS if effect in self._told]
        if not there:
            yield _wrong((), f"has no effect; there are {', '.join(EFFECTS)}")
        for group in EXCLUDING:
            both = [effect for effect in there if effect in group]
            for effect in both[1:]:
                yield _wrong((effect,), f"does not go with {both[0]}")
        if "retry_after" in self._told and not set(INSTEAD) & set(there):
            yield _wrong(("retry_after",), "goes with error or status only")
        for part, with_ in (("example", "error"), ("body", "status")):
            if part in self._told and with_ not in there:
                yield _wrong((part,), f"goes with {with_} only")

    def _numbers(self) -> Iterator[Violation]:
        """What cannot go together, or can never happen."""
        told = self._told
        delay = told.get("delay", {})
        kinds = [kind for kind in DELAYS if kind in delay]
        if "delay" in told and (len(kinds) != 1 or set(delay) - {kinds[0], DELAYS[kinds[0]]}):
            yield _wrong(("delay",), "must be {seconds}, {min, max}, {mean, deviation} or {median, sigma}")
        if delay.get("min", 0) > delay.get("max", delay.get("min", 0)):
            yield _wrong(("delay", "min"), "must not be more than max")
        calls = told.get("calls", {})
        if isinstance(calls, dict) and calls.get("from", 1) > calls.get("to", calls.get("from", 1)):
            yield _wrong(("calls", "from"), "must not be more than to")
        if told.get("probability") == 0:
            yield _wrong(("probability",), "is 0: the fault would never act")
        if told.get("status") in BODILESS and "body" in told:
            yield _wrong(("body",), f"cannot come with {told['status']}, which has none")

    def _window(self) -> Iterator[Violation]:
        times: dict[str, int] = {}
        for name in ("from", "until"):
            try:
                if name in self._told:
                    times[name] = clock.read(self._told[name].upper())
            except ValueError:
                yield _wrong((name,), "is a time that this clock does not know")
        if len(times) == 2 and times["from"] >= times["until"]:
            yield _wrong(("until",), "must be later than from")

    def _details(self) -> Iterator[Violation]:
        operations = self.operations()
        yield from self._status(operations)
        if "stale" in self._told and not any(operation.action in READS for operation in operations):
            yield _wrong(("stale",), "goes with an operation that reads records")
        if "duplicate" in self._told and not any(operation.action == "create" for operation in operations):
            yield _wrong(("duplicate",), "goes with an operation that creates a record")
        if "break" in self._told and self.operation is None:
            yield _wrong(("break",), "needs an operation: each has a schema of its own")
        yield from self._condition(operations)

    def _status(self, operations: list[Operation]) -> Iterator[Violation]:
        declared = sorted({status for operation in operations for status in operation.statuses})
        errors = [status for status in declared if status >= 400]
        if "error" in self._told and self._told["error"] not in errors:
            yield _wrong(("error",), f"must be one of {', '.join(map(str, errors))}, which are declared; for another one: status")
        if self.operation is not None and self._told.get("status") in declared:
            yield _wrong(("status",), "is declared: use error, or Prefer: code")

    def _condition(self, operations: list[Operation]) -> Iterator[Violation]:
        when = self._told.get("when", {})
        for part in ("path", "query"):
            names = {p.name for operation in operations for p in operation.parameters if p.where == part}
            for name in when.get(part, {}):
                if name not in names:
                    yield _wrong(("when", part, name), f"is no {part} parameter here{meant(name, names)}")
        for place in when.get("body", {}):
            if place and not place.startswith("/"):
                yield _wrong(("when", "body", place), "must be a JSON pointer, like /email")
        names = {name for operation in operations for name in self._credentials[operation.api]}
        if "credential" in when and when["credential"] not in names:
            yield _wrong(("when", "credential"), f"is no credential's name{meant(when['credential'], sorted(names))}")


def _wrong(path: tuple[str, ...], message: str) -> Violation:
    return Violation("body", pointer(path), message)
