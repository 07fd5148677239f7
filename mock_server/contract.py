"""An API's document with its semantics -> frozen objects that everything behind it reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from mock_server import documents, outline, schemas, verdicts
from mock_server.documents import Document, Mistake, Node
from mock_server.envelopes import Envelope

Json = schemas.Json  # A value of any JSON type.
Schema = schemas.Schema  # A schema object with every $ref resolved; a recursive one is a cyclic mapping.
Record = dict[str, Json]
Place = documents.Place
BrokenContract = documents.BrokenContract
json_type, properties = schemas.json_type, schemas.properties
CONTROL = outline.CONTROL

Where = Literal["query", "path", "header", "cookie"]
Action = Literal["list", "get", "create", "update", "delete", "login", "renew", "alive", "control"]
Match = Literal["equals", "contains", "like", "in", "after", "from", "before", "to", "flag", "present"]
Paging = Literal["number", "size", "offset", "limit"]

NOTHING = (None, "", 0)  # What asks the server for a value, and refers to no record.

LONGEST = 18  # digits of a count

_PLACE = re.compile(r"\{n(?::0(\d))?\}")


@dataclass(frozen=True)
class Origin:
    """Where a rule comes from; `detail` is the address (docs) or the reason (inferred)."""

    kind: Literal["seed", "docs", "inferred"]
    detail: str = ""


@dataclass(frozen=True)
class Counter:
    """A property that the server counts up: record number (from 0) <-> value."""

    property: str
    pattern: str | None
    start: int
    settable: bool = False

    def value(self, number: int, year: int = 2024) -> str | int:
        """The value of the record with this number."""
        count = self.start + number
        if self.pattern is None:
            return count
        text = self._template % count
        return text.replace("{year}", str(year)) if self.yearly else text

    @cached_property
    def yearly(self) -> bool:
        """Whether a value names the year in which it was given."""
        return self.pattern is not None and "{year}" in self.pattern

    def number(self, value: Json) -> int | None:
        """The number of the record that has this value, whether or not there is one; None for a value never given."""
        if self.pattern is None:
            count = value if isinstance(value, int) and not isinstance(value, bool) else None
        else:
            count = self._count(value) if isinstance(value, str) else None
        return None if count is None or count < self.start else count - self.start

    @cached_property
    def parts(self) -> tuple[str, int, str]:
        """What stands before the count, the least number of its digits, and what stands after it."""
        place = _PLACE.search(self.pattern or "")
        if self.pattern is None or place is None:
            return self.pattern or "", 1, ""
        return self.pattern[: place.start()], int(place[1] or 1), self.pattern[place.end() :]

    @cached_property
    def _template(self) -> str:
        before, width, after = (part.replace("%", "%%") if isinstance(part, str) else part for part in self.parts)
        return f"{before}%0{width}d{after}"

    def _count(self, text: str) -> int | None:
        before, width, after = self.parts
        if self.yearly:
            match = self._of_a_year(text)
            digits = match["n"] if match else ""
        elif text.startswith(before) and text.endswith(after):
            digits = text[len(before) : len(text) - len(after)]
        else:
            return None
        long = len(digits)
        if long == width or (width < long <= LONGEST and digits[0] != "0"):  # Neither cust-1 nor cust-0001 is cust-001.
            return int(digits) if digits.isascii() and digits.isdigit() else None
        return None

    @cached_property
    def _of_a_year(self) -> Callable[[str], re.Match[str] | None]:
        parts = re.split(r"(\{n(?::0\d)?\}|\{year\})", self.pattern or "")
        read = {"{n": "(?P<n>[0-9]+)", "{y": "[0-9]{4}"}
        return re.compile("".join(read.get(part[:2], re.escape(part)) for part in parts)).fullmatch


@dataclass(frozen=True)
class Joined:
    """Several values of another record in one text: the empty ones are left out."""

    sources: tuple[tuple[str, ...], ...]
    separator: str


Shown = tuple[str, ...] | Joined | Mapping[str, "Shown"]  # A path into the other record, a join, or an object of such.


@dataclass(frozen=True)
class Reference:
    """A stored property that holds `by` (an id if None) of a record of another resource, and what views show of that record."""

    property: str
    resource: str
    by: str | None
    checked: bool
    show: Mapping[str, Shown]
    origin: Origin


@dataclass(frozen=True)
class Children:
    """A property that lists the child records."""

    property: str
    resource: str
    writable: bool


@dataclass(frozen=True)
class Unique:
    """A property that no two living records share; with `fold` whatever the case."""

    property: str
    fold: bool
    origin: Origin


@dataclass(frozen=True)
class Guard:
    """Records of `resource`, holding the id in `property`, that forbid a deletion unless a property has one of the values."""

    resource: str
    property: str
    unless: Mapping[str, tuple[Json, ...]]
    message: str
    origin: Origin


@dataclass(frozen=True)
class Resource:
    """A kind of record."""

    name: str
    title: str
    schema: Schema
    id: Counter
    numbers: tuple[Counter, ...]
    parent: Reference | None  # checked, by id
    children: tuple[Children, ...]
    references: tuple[Reference, ...]
    unique: tuple[Unique, ...]
    exclusive: tuple[str, ...]
    initial: Mapping[str, Json]
    created: str | None
    updated: str | None
    newest_first: bool
    trash: bool
    cascades: tuple[str, ...]
    guards: tuple[Guard, ...]
    stored: Mapping[str, Schema]  # every stored property -> its schema (see openapi/README.md), ids and parents included
    origin: Origin

    @cached_property
    def shown(self) -> Mapping[str, Reference]:
        """Each property that a reference or the parent computes -> that reference."""
        found = [*self.references, *([self.parent] if self.parent else [])]
        return {name: reference for reference in found for name in reference.show}

    @cached_property
    def assigned(self) -> frozenset[str]:
        """The properties that a body cannot set."""
        counters = {counter.property for counter in self.counters if not counter.settable}
        parent = {self.parent.property} if self.parent else set()
        return frozenset(counters.union(self.times, parent))

    @cached_property
    def times(self) -> tuple[str, ...]:
        """The properties that say when a record was made."""
        return tuple(name for name in (self.created, self.updated) if name)

    @cached_property
    def days(self) -> frozenset[str]:
        """Those of them that are a date without a time."""
        return frozenset(name for name in self.times if self.stored[name].get("format") == "date")

    @cached_property
    def counters(self) -> tuple[Counter, ...]:
        """The properties that are counted up."""
        return (self.id, *self.numbers)

    @cached_property
    def checked(self) -> tuple[Reference, ...]:
        """The references, and the parent, that must name a record that lives."""
        every = (*self.references, *((self.parent,) if self.parent else ()))
        return tuple(reference for reference in every if reference.checked)

    @cached_property
    def kept(self) -> frozenset[str]:
        """The properties that stay as they are when a record is replaced."""
        read_only = (name for name, schema in self.stored.items() if schemas.merged(schema).get("readOnly"))
        return self.assigned.union(read_only, (counter.property for counter in self.numbers))

    @cached_property
    def computed(self) -> frozenset[str]:
        """The properties that a new record does not take from a body."""
        return self.assigned.union(self.shown, (children.property for children in self.children))

    @cached_property
    def computed_later(self) -> frozenset[str]:
        """The properties that a record which is there does not take from a body: a number is given once."""
        return self.computed.union(counter.property for counter in self.numbers)


@dataclass(frozen=True)
class Filter:
    """What a parameter filters: any of the paths ("*" is every element) may match."""

    paths: tuple[tuple[str, ...], ...]
    match: Match
    fold: bool


@dataclass(frozen=True)
class Parameter:
    """What an operation takes beside the body, and what it does with it."""

    name: str
    where: Where
    required: bool
    schema: Schema
    explode: bool
    style: str
    identifies: str | None
    paging: Paging | None
    filter: Filter | None
    place: Place
    origin: Origin

    @property
    def default(self) -> Json:
        return self.schema.get("default")


@dataclass(frozen=True)
class Operation:
    """One method and path of a contract, and what it does to which resource."""

    api: str
    operation_id: str
    method: str  # upper case
    path: str  # as in the document, without the base path
    action: Action
    resource: Resource | None
    parameters: tuple[Parameter, ...]
    body: Schema | None  # of application/json
    body_required: bool
    status: int  # of success
    envelope: Json  # the template; None where the success has no body
    view: Schema | None  # the schema of $record, or of one of $records, in the success's schema
    merge: Literal["shallow", "deep", "replace"]
    target: str | None
    fold_names: bool
    statuses: frozenset[int]  # declared
    summary: str
    place: Place
    origin: Origin

    @cached_property
    def filters(self) -> tuple[Parameter, ...]:
        return tuple(p for p in self.parameters if p.filter)

    @cached_property
    def identifier(self) -> Parameter | None:
        """The path parameter that names the record acted on."""
        return next((p for p in self.parameters if self.resource and p.identifies == self.resource.name), None)

    @cached_property
    def ancestors(self) -> tuple[Parameter, ...]:
        """The path parameters that name the record's parents, the farthest first."""
        named = (p for p in self.parameters if p.identifies and p is not self.identifier)
        return tuple(sorted(named, key=lambda parameter: self.path.index(f"{{{parameter.name}}}")))


@dataclass(frozen=True)
class Times:
    """How the API writes the times it assigns."""

    zoned: bool
    milliseconds: bool


@dataclass(frozen=True)
class Sessions:
    """What a login compares, and the header in which the session it opens is carried."""

    scheme: str
    header: str
    lifetime: int  # seconds
    credentials: tuple[str, ...]


@dataclass(frozen=True)
class RateLimit:
    """How many requests a credential has in a window, where a world asks for it, and in which header fields that is told."""

    window: int  # seconds
    limit: int
    headers: Mapping[str, str]  # limit, remaining, reset -> the header field


@dataclass(frozen=True)
class RefusalForm:
    """How the API refuses: templates with $tokens, and what differs from the defaults by reason."""

    body: Json
    violation: Json
    statuses: Mapping[str, int]
    codes: Mapping[str, str | int]
    messages: Mapping[str, str]

    @cached_property
    def envelope(self) -> Envelope:
        """The template of the body, compiled."""
        return Envelope(self.body)

    @cached_property
    def listed(self) -> Envelope:
        """The template of a violation, compiled."""
        return Envelope(self.violation)


@dataclass(frozen=True)
class Contract:
    """One API."""

    name: str
    title: str
    version: str
    file: Path
    text: bytes  # of the file, as served at /<api>/openapi.yaml
    document: Mapping[str, Json]  # $refs intact; plain JSON types
    base_path: str  # the path of servers[0].url: /fentu/api/v1
    aliases: tuple[str, ...]  # base paths beside it, made whole: /fentu/v1
    times: Times
    unset: Mapping[str, Json]  # JSON type -> value
    sessions: Sessions | None
    refusals: RefusalForm
    resources: Mapping[str, Resource]
    operations: Mapping[str, Operation]  # by operation id, in the document's order
    digest: str  # SHA-256 of the text, hexadecimal
    security_schemes: Mapping[str, Json] = field(default_factory=dict)
    rate_limit: RateLimit | None = None

    @cached_property
    def blanks(self) -> Mapping[str, Record]:
        """By resource, a record of which nothing is told yet: every stored property, with its first value or none."""
        return {name: {**_blank(resource, self.unset), **resource.initial} for name, resource in self.resources.items()}


def _blank(resource: Resource, empty: Mapping[str, Json]) -> Record:
    pairs = ((name, schemas.unset(schema, empty)) for name, schema in resource.stored.items())
    return {name: value for name, value in pairs if value is not schemas.MISSING}


UNSET: Mapping[str, Json] = {"string": None, "integer": None, "number": None, "boolean": None, "array": [], "object": None}


def load(path: Path, name: str) -> Contract:
    """The contract in an OpenAPI file, for the API of this name. Raises BrokenContract, with all that is wrong."""
    return compiled(documents.load(path), path, name)


def compiled(document: Document, path: Path, name: str) -> Contract:
    """The contract that a document is, for the API of this name. Raises BrokenContract, with all that is wrong."""
    if mistakes := verdicts.mistakes(document, name):
        raise BrokenContract(mistakes)
    return _Compiler(document, path, name).contract()


def load_all(folder: Path, names: Sequence[str] | None = None) -> dict[str, Contract]:
    """The contracts in the sub-folders that have an openapi.yaml, by name; those of the names if there are any.

    The contract of the server itself is not one of them.

    Raises BrokenContract with what is wrong in any of them, and UnknownContract for a name that has none.
    """
    there = names_in(folder)
    wanted = there if names is None else sorted(set(names))
    unknown = [name for name in wanted if name not in there]
    if unknown or not there:
        raise UnknownContract(folder, unknown, there)
    found: dict[str, Contract] = {}
    mistakes: list[Mistake] = []
    for name in wanted:
        try:
            found[name] = load(folder / name / "openapi.yaml", name)
        except BrokenContract as broken:
            mistakes += broken.mistakes
    if mistakes:
        raise BrokenContract(mistakes)
    return found


def names_in(folder: Path) -> list[str]:
    """The sub-folders that have a contract, in order; that of the server itself aside."""
    return sorted(path.parent.name for path in folder.glob("*/openapi.yaml") if path.parent.name != CONTROL)


def declared_as(status: int, codes: Container[str]) -> str | None:
    """The code under which an operation declares a status: the status itself, its range (4XX) or `default`."""
    return next((code for code in (str(status), f"{status // 100}XX", "default") if code in codes), None)


class UnknownContract(LookupError):
    """No contract has such a name."""

    def __init__(self, folder: Path, unknown: Sequence[str], there: Sequence[str]) -> None:
        self.unknown, self.there = tuple(unknown), tuple(there)
        what = f"There is no contract called {' or '.join(unknown)}" if unknown else "There is no contract"
        known = f"; there are {', '.join(there)}" if there else " (a sub-folder with an openapi.yaml)"
        super().__init__(f"{what} in {folder}{known}.")


class _Compiler:
    """A document without mistakes -> its contract."""

    def __init__(self, document: Document, path: Path, name: str) -> None:
        self.document = document
        self.path = path
        self.name = name
        self.root = document.root
        self.semantics = self.root / "x-semantics"

    def contract(self) -> Contract:
        base_path = outline.base_path_of(self.root)
        times, refusals = self.semantics / "times", self.semantics / "refusals"
        resources = {name: self._resource(name, node) for name, node in (self.semantics / "resources").items()}
        operations = [self._operation(at, resources) for at in outline.operations_of(self.root)]
        schemes = (self.root / "components" / "securitySchemes").resolved or {}
        return Contract(
            name=self.name,
            title=str((self.root / "info" / "title").value),
            version=str((self.root / "info" / "version").value),
            file=self.path,
            text=self.document.text,
            document=self.document.value,
            base_path=base_path,
            aliases=tuple(f"/{self.name}{alias}" for alias in (self.semantics / "aliases").value or ()),
            times=Times((times / "zone").value != "none", (times / "precision").value == "milliseconds"),
            unset={**UNSET, **_plain(self.semantics / "unset")},
            sessions=self._sessions(schemes),
            refusals=RefusalForm(
                body=(refusals / "body").value,
                violation=(refusals / "violation").value,
                statuses=(refusals / "statuses").mapping,
                codes=(refusals / "codes").mapping,
                messages=(refusals / "messages").mapping,
            ),
            resources=resources,
            operations={operation.operation_id: operation for operation in operations},
            digest=self.document.digest,
            security_schemes=schemes,
            rate_limit=self._rate_limit(),
        )

    def _rate_limit(self) -> RateLimit | None:
        node = self.semantics / "rateLimit"
        if not node:
            return None
        return RateLimit(node.mapping["window"], node.mapping["limit"], (node / "headers").mapping)

    def _sessions(self, schemes: Mapping[str, Json]) -> Sessions | None:
        node = self.semantics / "sessions"
        if not node:
            return None
        scheme = str(node.mapping["scheme"])
        return Sessions(scheme, schemes[scheme]["name"], node.mapping["lifetime"], tuple(node.mapping["credentials"]))

    def _resource(self, name: str, node: Node) -> Resource:
        deletion = node / "deletion"
        return Resource(
            name=name,
            title=(node / "title").text or name.replace("_", " ").capitalize(),
            schema=outline.schema_of(node),
            id=_counter(node / "id"),
            numbers=tuple(map(_counter, (node / "numbers").elements())),
            parent=_reference("", node / "parent") if node / "parent" else None,
            children=tuple(
                Children(name, str((child / "resource").value), (child / "writable").value is True)
                for name, child in (node / "children").items()
            ),
            references=tuple(_reference(held, part) for held, part in (node / "references").items()),
            unique=tuple(
                Unique(part.mapping["property"], (part / "case").value == "insensitive", origin_of(part))
                for part in (node / "unique").elements()
            ),
            exclusive=tuple(part.mapping["property"] for part in (node / "exclusive").elements()),
            initial=_plain(node / "initial"),
            created=(node / "created").text,
            updated=(node / "updated").text,
            newest_first=(node / "order").value == "newest-first",
            trash=(deletion / "trash").value is True,
            cascades=tuple((deletion / "cascades").value or ()),
            guards=tuple(map(_guard, (deletion / "guards").elements())),
            stored=outline.stored(name, self.root),
            origin=origin_of(node),
        )

    def _operation(self, node: Node, resources: Mapping[str, Resource]) -> Operation:
        semantics = node / "x-semantics"
        resource = (semantics / "resource").text
        template = (self.semantics / "envelopes" / str((semantics / "envelope").value)).value
        status, answer = outline.success_of(node)
        body = outline.body_of(node)
        return Operation(
            api=self.name,
            operation_id=str((node / "operationId").value),
            method=str(node.path[-1]).upper(),
            path=str(node.path[-2]),
            action=(semantics / "action").value,
            resource=resources[resource] if resource else None,
            parameters=tuple(map(_parameter, outline.parameters_of(node))),
            body=body.resolved,
            body_required=(node / "requestBody" / "required").value is True,
            status=status,
            envelope=template,
            view=outline.view(template, answer.resolved) if answer else None,
            merge=(semantics / "merge").value or "shallow",
            target=(semantics / "target").text,
            fold_names=(semantics / "names").value == "case-insensitive",
            statuses=frozenset(int(code) for code in (node / "responses").mapping if code.isdecimal()),
            summary=(node / "summary").text or "",
            place=node.place,
            origin=origin_of(semantics),
        )


def origin_of(node: Node) -> Origin:
    """Where a rule comes from: the nearest x-origin at it or around it."""
    for length in range(len(node.path), -1, -1):
        found = schemas.at(node.document.value, (*node.path[:length], "x-origin"))
        if isinstance(found, str):
            return Origin("seed")
        if isinstance(found, dict):
            return Origin("docs", found["docs"]) if "docs" in found else Origin("inferred", str(found.get("inferred", "")))
    return Origin("seed")


def _counter(node: Node) -> Counter:
    start = (node / "from").value
    return Counter(
        node.mapping["property"], (node / "pattern").text, 1 if start is None else start, (node / "settable").value is True
    )


def _reference(held: str, node: Node) -> Reference:
    return Reference(
        property=held or node.mapping["property"],
        resource=node.mapping["resource"],
        by=(node / "by").text,
        checked=(node / "checked").value is not False,
        show={name: _shown(part) for name, part in (node / "show").mapping.items()},
        origin=origin_of(node),
    )


def _shown(source: Json) -> Shown:
    if isinstance(source, str):
        return outline.source_path(source)
    if isinstance(source.get("join"), list):
        return Joined(tuple(map(outline.source_path, source["join"])), source.get("with", ", "))
    return {name: _shown(part) for name, part in source.items()}


def _guard(node: Node) -> Guard:
    unless = {name: tuple(values) for name, values in (node / "unless").mapping.items()}
    return Guard(node.mapping["resource"], node.mapping["property"], unless, (node / "message").text or "", origin_of(node))


def _parameter(node: Node) -> Parameter:
    semantics, where = node / "x-semantics", (node / "in").value
    style = (node / "style").text or ("form" if where in ("query", "cookie") else "simple")
    explode = (node / "explode").value
    paths = tuple(tuple(path.split("/")) for path in (semantics / "filters").value or ())
    fold = (semantics / "case").value == "insensitive"
    return Parameter(
        name=node.mapping["name"],
        where=where,
        required=(node / "required").value is True,
        schema=(node / "schema").resolved or {},
        explode=style == "form" if explode is None else explode is True,
        style=style,
        identifies=(semantics / "identifies").text,
        paging=(semantics / "paging").value,
        filter=Filter(paths, (semantics / "match").value, fold) if paths else None,
        place=node.place,
        origin=origin_of(semantics or node),
    )


def _plain(node: Node) -> dict[str, Json]:
    """The mapping without its x-origin."""
    return {name: value for name, value in node.mapping.items() if name != "x-origin"}
