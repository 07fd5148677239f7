"""fixtures/situations/NAME.yaml -> named starting points of a world, and how a world starts from one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from mock_server import arming, clock, credentials, documents, exports
from mock_server.bridge import violations
from mock_server.bridge.schemas import Schemas
from mock_server.changes import Changes, deep
from mock_server.clock import Clock
from mock_server.contract import BrokenContract, Contract, Json, Resource
from mock_server.credentials import Credentials
from mock_server.documents import Mistake, Node, meant
from mock_server.intake import Intake
from mock_server.limits import Limit
from mock_server.refusals import Conflict, Refusal, Violation
from mock_server.shapes import Shapes, required
from mock_server.worlds import World

FOLDER = "situations"
SECTIONS = ("description", "seed", "scale", "clock", "credentials", "sessions", "records", "faults", "rate_limits")
VERBS = ("add", "change", "remove")
MOST_REQUESTS = (1 << 53) - 1  # in a window
MOST = 100_000  # times that one record is added
TRIED = 2  # times that it is tried at the start: what collides does so at the second
FAULT = "#/components/schemas/Fault"  # in the server's own contract
NUMBER = "{n}"
SCALE = 60  # of the world in which a situation is tried that does not say


@dataclass(frozen=True)
class Step:
    """One line of a situation: a record to add so many times, to change or to remove."""

    node: Node  # where it stands, for messages
    api: str
    resource: str
    verb: str
    id: Json = None  # of what is changed or removed
    record: Json = None
    times: int = 1

    def take(self, changes: Changes, times: int) -> None:
        """Do it.

        Raises Refusal.
        """
        collection = changes.state.collections[self.resource]
        intake = Intake(changes.state.contract, collection.resource, collection.resource.schema)
        if self.verb == "add":
            for number in range(1, times + 1):
                _add(changes, intake, _numbered(self.record, number) if self.times > 1 else self.record)
            return
        found = collection.find(self.id)
        if found is None:
            raise Conflict(f"{collection.resource.title} {self.id} does not exist.")
        if self.verb == "remove":
            changes.delete(collection.resource, found[0])
        else:
            changes.change(collection.resource, found[0], deep(intake, found[1], self.record), self.record)


@dataclass(frozen=True)
class Situation:
    """A named starting point."""

    name: str
    description: str = ""
    seed: int | None = None
    scale: int | None = None
    clock: int | None = None  # where it stands still: microseconds since 1970
    credentials: Mapping[str, Credentials] = field(default_factory=dict)  # by API: instead of the known ones
    expired: frozenset[str] = frozenset()  # APIs whose sessions are over as soon as they are opened
    steps: tuple[Step, ...] = ()
    faults: tuple[Node, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)  # API -> requests in a window


@dataclass(frozen=True)
class Start:
    """What worlds start from, where nobody says otherwise."""

    seed: int
    scale: int
    clock: int | None
    situation: str
    situations: Mapping[str, Situation]

    def begin(self, world: World) -> None:
        """Make a new world what it is before its first use."""
        world.become(self.world(world, self.situation))

    def world(self, like: World, name: str, seed: int | None = None, scale: int | None = None) -> World:
        """A world as it starts, for `like` to become.

        Raises Conflict: the situation does not go with the seed or scale.
        """
        made = self._empty(like, self.situations.get(name, Situation("")), seed, scale)
        for step in self.situations[name].steps if name else ():
            try:
                with Changes(made, made.state(step.api)) as changes:
                    step.take(changes, step.times)
            except Refusal as refusal:
                told = Violation("body", "/situation", f"{step.node.place}: {refusal}")
                raise Conflict(
                    f"The situation {name} does not go with seed {made.seed} and scale {made.scale}.", violations=(told,)
                ) from None
        self._arm(made)
        return made

    def _arm(self, world: World) -> None:
        """Arm what its situation has."""
        situation = self.situations.get(world.situation)
        for fault in situation.faults if situation else ():
            world.armed.arm(fault.value)
        for api, limit in situation.limits.items() if situation else ():
            rule = world.contracts[api].rate_limit
            if rule is not None:
                world.armed.limits[api] = Limit(rule, limit)

    def check(self, like: World) -> None:
        """Try every situation.

        Raises BrokenContract with all that goes wrong, and UnknownSituation.
        """
        if self.situation and self.situation not in self.situations:
            raise UnknownSituation(f"--situation must be one of {', '.join(self.situations)}, not {self.situation!r}")
        mistakes = list(self._mistakes(like))
        if mistakes:
            raise BrokenContract(mistakes)

    def _mistakes(self, like: World) -> Iterator[Mistake]:
        """What goes wrong in any situation when it is tried; the one to start from is tried at the scale to start with."""
        for situation in self.situations.values():
            scale = self.scale if situation.name == self.situation else SCALE
            made = self._empty(like, situation, None, scale if situation.scale is None else None)
            for step in situation.steps:
                try:
                    with Changes(made, made.state(step.api)) as changes:
                        step.take(changes, min(step.times, TRIED))
                except Refusal as refusal:
                    yield step.node.mistake(str(refusal))
            for fault in situation.faults:
                yield from (_mistake(fault, found) for found in arming.violations(fault.value, made))

    def _empty(self, like: World, situation: Situation, seed: int | None, scale: int | None) -> World:
        """A world of this situation in which none of its steps is taken."""
        frozen = situation.clock if situation.clock is not None else self.clock
        return exports.new(
            like,
            _first(seed, situation.seed, self.seed),
            _first(scale, situation.scale, self.scale),
            situation.name,
            Clock(frozen=frozen, system=like.clock.system),
        )


class UnknownSituation(LookupError):
    """No situation has such a name."""


def load(
    folder: Path, contracts: Mapping[str, Contract], others: Iterable[str], own: Contract, *, lenient: bool
) -> dict[str, Situation]:
    """The situations in a fixtures folder, by name; what they say of others than these contracts is left out.

    The server's own contract tells the form of a fault.

    Raises BrokenContract with everything that is wrong in any of the files, as far as it shows without trying.
    """
    reader = Reader(contracts, frozenset(others), own, lenient=lenient)
    found: dict[str, Situation] = {}
    for path in sorted((folder / FOLDER).glob("*.yaml")):
        try:
            found[path.stem] = reader.situation(path.stem, documents.load(path).root)
        except BrokenContract as broken:
            reader.mistakes += broken.mistakes
    if reader.mistakes:
        raise BrokenContract(reader.mistakes)
    return found


class Reader:
    """Reads files, and notes the mistakes."""

    def __init__(self, contracts: Mapping[str, Contract], others: frozenset[str], own: Contract, *, lenient: bool) -> None:
        self._others = others
        self._fault = Schemas(own.document).compiled({"$ref": FAULT}, "request")
        self.mistakes: list[Mistake] = []
        self._contracts = contracts
        self._lenient = lenient
        self._shapes = cache(lambda api: Shapes(contracts[api], "request", whole=False))

    def situation(self, name: str, root: Node) -> Situation:
        for section, node in root.items():
            if section not in SECTIONS:
                self._wrong(node, f"is not known here{meant(section, SECTIONS)}")
        if not (root / "description").text:
            self._wrong(root, "lacks description, a sentence that says what one can try with it")
        return Situation(
            name,
            (root / "description").text or "",
            self._whole(root / "seed", (1 << 63) - 1),
            self._whole(root / "scale", 10_000_000),
            self._time(root / "clock"),
            dict(self._credentials(root / "credentials")),
            frozenset(self._expired(root / "sessions")),
            tuple(self._steps(root / "records")),
            tuple(self._faults(root / "faults")),
            dict(self._limits(root / "rate_limits")),
        )

    def _wrong(self, node: Node, message: str) -> None:
        self.mistakes.append(node.mistake(message))

    def _whole(self, node: Node, most: int) -> int | None:
        value = node.value
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most):
            return value
        self._wrong(node, f"must be a whole number from 0 to {most}")
        return None

    def _time(self, node: Node) -> int | None:
        try:
            return clock.read(node.value) if node else None
        except (TypeError, ValueError):
            self._wrong(node, 'must be a time like "2025-12-31T23:59:50Z"')
            return None

    def _apis(self, node: Node) -> Iterator[tuple[str, Node]]:
        """The parts of a section by API that is served."""
        if node and not isinstance(node.value, dict):
            self._wrong(node, "must be a mapping by API")
        for api, part in node.items():
            if api in self._contracts:
                yield api, part
            elif api not in self._others:
                self._wrong(part, f"is no API{meant(api, self._contracts)}")

    def _credentials(self, node: Node) -> Iterator[tuple[str, Credentials]]:
        for api, part in self._apis(node):
            try:
                yield api, credentials.listed(self._contracts[api], part, lenient=self._lenient)
            except BrokenContract as broken:
                self.mistakes += broken.mistakes

    def _expired(self, node: Node) -> Iterator[str]:
        for api, part in self._apis(node):
            if self._contracts[api].sessions is None:
                self._wrong(part, f"{api} has no sessions")
            elif part.value not in ({"expired": True}, {"expired": False}):
                self._wrong(part, "must be {expired: true}")
            elif part.value["expired"]:
                yield api

    def _faults(self, node: Node) -> Iterator[Node]:
        """Those of APIs that are served."""
        if node and not isinstance(node.value, list):
            self._wrong(node, "must be a list of faults")
        names = set[str]()
        for part in node.elements():
            broken = violations.found(self._fault, part.value, "body")
            self.mistakes += [_mistake(part, found) for found in broken]
            name = part.mapping.get("name")
            if not broken and name in names:
                self._wrong(part / "name", "is that of another fault here")
            names |= {name} if isinstance(name, str) else set()
            api = part.mapping.get("api")
            if not broken and (api in self._contracts or api not in self._others):
                yield part

    def _limits(self, node: Node) -> Iterator[tuple[str, int]]:
        for api, part in self._apis(node):
            limit = self._whole(part, MOST_REQUESTS)
            if self._contracts[api].rate_limit is None:
                self._wrong(part, f"{api} has no rate limit")
            elif limit is not None:
                yield api, limit

    def _steps(self, node: Node) -> Iterator[Step]:
        for api, part in self._apis(node):
            known = self._contracts[api].resources
            for name, verbs in part.items():
                if name not in known:
                    self._wrong(verbs, f"is no resource of {api}{meant(name, known)}")
                    continue
                for verb, what in verbs.items():
                    if verb not in VERBS:
                        self._wrong(what, f"is not known here{meant(verb, VERBS)}")
                    else:
                        yield from getattr(self, f"_{verb}")(what, api, known[name])

    def _add(self, node: Node, api: str, resource: Resource) -> Iterator[Step]:
        entries = [node] if isinstance(node.value, dict) else list(node.elements())
        if not entries:
            self._wrong(node, "must be a list of records, or {times: 100, record: {…}}")
        for entry in entries:
            if "times" not in entry.mapping:
                self._record(entry, api, resource)
                yield Step(entry, api, resource.name, "add", record=entry.value)
                continue
            for key, part in entry.items():
                if key not in ("times", "record"):
                    self._wrong(part, f"is not known here{meant(key, ('times', 'record'))}")
            times, record = entry.mapping["times"], entry / "record"
            if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= MOST:
                self._wrong(entry / "times", f"must be a whole number from 1 to {MOST}")
                continue
            self._record(record, api, resource, numbered=True)
            yield Step(entry, api, resource.name, "add", record=record.value, times=times)

    def _change(self, node: Node, api: str, resource: Resource) -> Iterator[Step]:
        if not node.mapping:
            self._wrong(node, "must be a mapping of ids to what changes")
        for id, part in node.items():
            fixed = resource.assigned - {resource.created}
            for name, value in part.items():
                if name in fixed:
                    self._wrong(value, "is set by the server and cannot be changed")
            self._record(part, api, resource)
            yield Step(part, api, resource.name, "change", self._id(part, id, resource), part.value)

    def _remove(self, node: Node, api: str, resource: Resource) -> Iterator[Step]:
        if not isinstance(node.value, list):
            self._wrong(node, "must be a list of ids")
        for part in node.elements():
            yield Step(part, api, resource.name, "remove", self._id(part, str(part.value), resource))

    def _id(self, node: Node, text: str, resource: Resource) -> Json:
        id: Json = text if resource.id.pattern else int(text) if text.isdecimal() else None
        if resource.id.number(id) is None:
            self._wrong(node, f"{text} is no id of {resource.name}; the first is {resource.id.value(0)}")
        return id

    def _record(self, node: Node, api: str, resource: Resource, *, numbered: bool = False) -> None:
        """Hold a record against its schema, and those that it lists as its own against theirs."""
        if not isinstance(node.value, dict):
            self._wrong(node, "must be a mapping of properties")
            return
        children = {child.property: child for child in resource.children}
        record = {name: value for name, value in node.value.items() if name not in children}
        for found in violations.found(self._shapes(api).of(resource), _numbered(record, 1) if numbered else record, "body"):
            steps = [step.replace("~1", "/").replace("~0", "~") for step in found.pointer.split("/")[1:]]
            path = (*node.path, *steps)
            message = found.message + (meant(steps[0], resource.stored) if found.message == "is not known here" else "")
            self.mistakes.append(node.document.mistake(path, message))
        if resource.id.property in record:
            self._id(node / resource.id.property, str(_numbered(record, 1)[resource.id.property]), resource)
        for name, child in children.items():
            if (node / name) and not isinstance((node / name).value, list):
                self._wrong(node / name, "must be a list of records")
            for part in (node / name).elements():
                self._record(part, api, self._contracts[api].resources[child.resource], numbered=numbered)


def _mistake(node: Node, found: Violation) -> Mistake:
    """What is wrong with a part of a file."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in found.pointer.split("/")[1:]]
    return node.document.mistake((*node.path, *steps), found.message)


def _add(changes: Changes, intake: Intake, record: Mapping[str, Json]) -> None:
    """Create a record, and those that it lists as its own."""
    resource = intake.resource
    collection = changes.state.collections[resource.name]
    children = {child.property: child for child in resource.children}
    fixed = resource.assigned - ({resource.parent.property} if resource.parent else set())
    stored = {name: intake.filled_in(name, value) for name, value in record.items() if name not in children}
    given = {name: value for name, value in stored.items() if name in fixed}
    if resource.parent and resource.parent.property not in stored:
        raise Conflict(f"{resource.parent.property} is missing: the {resource.title} belongs to one.")
    if collection.find(given.get(resource.id.property)) is not None:
        raise Conflict(f"{resource.title} {given[resource.id.property]} exists already.")
    number = changes.create(resource, {name: value for name, value in stored.items() if name not in given}, given=given)
    made = collection.living(number)
    if missing := [name for name in required(resource) if name not in made]:
        raise Conflict(f"{', '.join(missing)} is missing: every {resource.title} has it.")
    id = made[resource.id.property]
    for name, child in children.items():
        parent = changes.state.collections[child.resource].parent.property
        for part in record.get(name, ()):
            _add(changes, intake.below(child), {**part, parent: id})


def _numbered(value: Json, number: int) -> Json:
    """The value with {n} in its texts replaced."""
    if isinstance(value, str):
        return value.replace(NUMBER, str(number))
    if isinstance(value, dict):
        return {name: _numbered(part, number) for name, part in value.items()}
    return [_numbered(part, number) for part in value] if isinstance(value, list) else value


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)
