"""The text of a YAML file -> plain JSON values that know their lines; and the mistakes found in them."""

from __future__ import annotations

import difflib
import hashlib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NoReturn

import yaml

from mock_server import disk
from mock_server.schemas import Json, at, pointed, resolved

Steps = tuple[str | int, ...]  # The way to a value: names and indices, from the root.

DEPTH = 100  # Deeper nesting is a mistake; a contract needs about 25.
MOST_NAMED = 12  # names that a message lists
LONG = 4096  # bytes; what is shorter is read faster than it is looked for on disk
COPIES = 100_000  # The values that all aliases of a file may stand for.

# The core schema of YAML 1.2: dates, yes, no, on and off are texts.
_WORDS: Mapping[str, Json] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_JSON = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_NUMBERS: tuple[tuple[re.Pattern[str], Callable[[str], int | float]], ...] = (
    (_INTEGER, int),
    (_OCTAL, lambda text: int(text, 0)),
    (_HEXADECIMAL, lambda text: int(text, 0)),
    (_FLOAT, float),
    (_NOT_JSON, lambda _: math.inf),
)


@dataclass(frozen=True)
class Place:
    """Where in a contract's file something stands: for messages."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Mistake:
    """Something wrong in a file: where, at which JSON pointer, and what would be right."""

    place: Place
    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.pointer or '/'}: {self.message}"


class BrokenContract(ValueError):
    """A file that cannot be used, with everything that is wrong with it, one line each."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        unique = dict.fromkeys(mistakes)
        self.mistakes: tuple[Mistake, ...] = tuple(sorted(unique, key=lambda m: (m.place.file, m.place.line, m.pointer)))
        super().__init__(self.mistakes)

    def __str__(self) -> str:
        return "\n".join(map(str, self.mistakes))


@dataclass(frozen=True, eq=False)
class Document:
    """A file's value, of plain JSON types and not to be changed, and the line of every part of it."""

    file: str
    text: bytes = field(repr=False)
    value: Json = field(repr=False)
    marks: Sequence[int] = field(repr=False)  # the line of every part, container by container as `_containers` has them
    _copies: dict[int, Json] = field(default_factory=dict, repr=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the text, hexadecimal."""
        return hashlib.sha256(self.text).hexdigest()

    @cached_property
    def root(self) -> Node:
        return Node(self, (), self.value)

    @cached_property
    def _lines(self) -> Mapping[int, Mapping[str | int, int]]:
        """The names or indices of a container, by its id -> line."""
        marks = iter(self.marks)
        return {id(part): dict(zip(_names(part), marks, strict=False)) for part in _containers(self.value)}

    def line(self, path: Sequence[str | int]) -> int:
        """The line of what stands at the path, or of the nearest thing around it."""
        node, line = self.value, 1
        for step in path:
            key = str(step) if isinstance(node, dict) else step  # A validator may take the key 200 for an index.
            line = self._lines.get(id(node), {}).get(key, line)
            node = at(node, (step,))
        return line

    def place(self, path: Sequence[str | int] = ()) -> Place:
        return Place(self.file, self.line(path))

    def mistake(self, path: Sequence[str | int], message: str) -> Mistake:
        return Mistake(self.place(path), pointer(path), message)

    def resolved(self, value: Json) -> Json:
        """The value, a part of this document, with every local $ref replaced; the same copy for the same part."""
        return resolved(value, self.value, self._copies)


@dataclass(frozen=True, eq=False)
class Node:
    """A value in a document, with the way to it. Walking on goes through $refs and never fails: what is absent is None."""

    document: Document = field(repr=False)
    path: Steps
    value: Json

    def __truediv__(self, step: str | int) -> Node:
        """The part of this name or index."""
        part = at(self.value, (step,))
        node = Node(self.document, (*self.path, step), part)
        return node._followed() if isinstance(part, dict) and "$ref" in part else node

    def __bool__(self) -> bool:
        return self.value is not None

    @property
    def text(self) -> str | None:
        return self.value if isinstance(self.value, str) else None

    @property
    def mapping(self) -> Mapping[str, Json]:
        """The value if it is a mapping, else an empty one."""
        return self.value if isinstance(self.value, dict) else {}

    def items(self) -> Iterator[tuple[str, Node]]:
        """The parts of a mapping by name; none of any other value."""
        return ((name, self / name) for name in self.mapping)

    def parts(self) -> Iterator[Node]:
        """The parts of a mapping without their names."""
        return (self / name for name in self.mapping)

    def elements(self) -> Iterator[Node]:
        """The parts of a sequence; none of any other value."""
        return (self / index for index in range(len(self.value) if isinstance(self.value, list) else 0))

    @property
    def place(self) -> Place:
        return self.document.place(self.path)

    @property
    def resolved(self) -> Json:
        return self.document.resolved(self.value)

    def mistake(self, message: str) -> Mistake:
        return self.document.mistake(self.path, message)

    def _followed(self) -> Node:
        node, seen = self, set()
        while isinstance(node.value, dict) and isinstance(node.value.get("$ref"), str):
            path = pointed(node.value["$ref"])
            if path is None or path in seen:
                return Node(self.document, self.path, None)
            seen.add(path)
            node = Node(self.document, path, at(self.document.value, path))
        return node


def walk(document: Document) -> Iterator[tuple[Steps, Mapping[str, Json]]]:
    """Every mapping of a document, with the way to it."""
    todo: list[tuple[Steps, Json]] = [((), document.value)]
    while todo:
        path, node = todo.pop()
        if isinstance(node, dict):
            yield path, node
            todo.extend(((*path, name), value) for name, value in node.items() if isinstance(value, (dict, list)))
        elif isinstance(node, list):
            todo.extend(((*path, index), value) for index, value in enumerate(node) if isinstance(value, (dict, list)))


def meant(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: which one may be meant, or which there are."""
    names = list(known)
    near = difflib.get_close_matches(name, names, 1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; there are {', '.join(names)}" if 0 < len(names) <= MOST_NAMED else ""


def pointer(path: Iterable[str | int]) -> str:
    """The JSON pointer of a path."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def read(text: bytes, file: str) -> Document:
    """The document that the bytes of a YAML file hold.

    Raises BrokenContract for what is not UTF-8 or not YAML, for doubled keys, tags, and aliases or nesting beyond reason.
    """
    reader = _Reader(file)
    reader.read(text)
    if reader.mistakes:
        raise BrokenContract(reader.mistakes)
    return Document(file, text, reader.value, reader.marks)


def load(path: Path) -> Document:
    """The document in a file; a long one is read as YAML once, and kept on disk for the next time.

    Raises BrokenContract as `read` does, and for a file that cannot be read.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BrokenContract([Mistake(Place(shown(path), 1), "", f"cannot be read: {error.strerror}")]) from None
    return read(text, shown(path)) if len(text) < LONG else _kept(text, shown(path))


def _kept(text: bytes, file: str) -> Document:
    place = disk.folder() / f"yaml-{disk.digest(_own_text(), text)}.json"
    kept = disk.read(place)
    if isinstance(kept, dict) and kept.keys() == {"value", "marks"} and isinstance(kept["marks"], list):
        return Document(file, text, **kept)
    document = read(text, file)
    disk.write(place, {"value": document.value, "marks": document.marks})
    return document


@cache
def _own_text() -> bytes:
    """What reads, for another version may read the same file otherwise."""
    return Path(__file__).read_bytes()


def _containers(value: Json) -> Iterator[dict[str, Json] | list[Json]]:
    """Every mapping and sequence in a value, itself included: each time that it is in there."""
    todo = [value]
    while todo:
        part = todo.pop()
        if isinstance(part, dict):
            yield part
            todo.extend(part.values())
        elif isinstance(part, list):
            yield part
            todo.extend(part)


def _names(container: dict[str, Json] | list[Json]) -> Iterable[str | int]:
    return container if isinstance(container, dict) else range(len(container))


def shown(path: Path) -> str:
    """The path as messages name it: from the current folder, if the file is in it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


@dataclass
class _Container:
    """A mapping or sequence that is being filled."""

    value: dict[str, Json] | list[Json]
    anchor: str | None
    key: str = ""  # in a mapping: the last one read
    keyed: bool = False  # in a mapping: a key was read and its value comes next
    size: int = 1  # values within it, itself included, those of aliases too


class _Reader:
    """libyaml's events -> values. Nothing recurses, so no text can exhaust the stack."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.value: Json = None
        self.lines: dict[int, dict[str | int, int]] = {}
        self.mistakes: list[Mistake] = []
        self._open: list[_Container] = []
        self._anchors: dict[str, tuple[Json, int]] = {}
        self._copies = 0
        self._documents = 0
        self._on: dict[type[Any], Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: lambda event: self._start(event, {}),
            yaml.SequenceStartEvent: lambda event: self._start(event, []),
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }

    @property
    def marks(self) -> list[int]:
        """The line of every part of the value."""
        return [line for part in _containers(self.value) for line in self.lines[id(part)].values()]

    def read(self, text: bytes) -> None:
        try:
            decoded = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = text.count(b"\n", 0, error.start) + 1
            self._mistake(line, f"is not UTF-8: byte 0x{text[error.start]:02x}")
            return
        try:
            for event in yaml.parse(decoded, yaml.CSafeLoader):
                if answer := self._on.get(type(event)):
                    answer(event)
        except _GaveUp:
            return
        except yaml.reader.ReaderError as error:
            self._mistake(text.count(b"\n", 0, error.position) + 1, f"is not YAML: {error.reason}")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = min(mark.line, text.rstrip().count(b"\n")) + 1 if mark else 1  # Not the line after the last.
            self._mistake(line, f"is not YAML: {error.problem or error.context}")
        except yaml.YAMLError as error:
            self._mistake(1, f"is not YAML: {' '.join(str(error).split())}")

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            self._give_up(event, "starts a second document; a file holds one")

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._refuse_tag(event)
        if self._is_key():
            self._begin_value(event, event.value)
            return
        value = self._plain(event) if event.implicit[0] else event.value
        self._put(event, value)
        self._name(event.anchor, value, 1)

    def _start(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, value: dict[str, Json] | list[Json]) -> None:
        self._refuse_tag(event)
        if self._is_key():
            self._give_up(event, "has a key that is no text")
        if len(self._open) >= DEPTH:
            self._give_up(event, f"is nested deeper than {DEPTH} levels")
        self._put(event, value)
        self.lines[id(value)] = {}
        self._open.append(_Container(value, event.anchor))
        self._anchors.pop(event.anchor or "", None)  # Until it is complete, the anchor names nothing.

    def _end(self, _: yaml.MappingEndEvent | yaml.SequenceEndEvent) -> None:
        done = self._open.pop()
        self._name(done.anchor, done.value, done.size)
        if self._open:
            self._open[-1].size += done.size - 1  # `_put` has counted one.

    def _alias(self, event: yaml.AliasEvent) -> None:
        if self._is_key():
            self._give_up(event, f"has a key that is an alias (*{event.anchor}); write it out")
        named = self._anchors.get(event.anchor or "")
        if named is None:
            self._give_up(event, f"uses *{event.anchor}, which no &{event.anchor} before it has completed")
        value, size = named
        self._copies += size
        if self._copies > COPIES:
            self._give_up(event, f"has aliases that stand for more than {COPIES} values")
        self._put(event, value)
        if self._open:
            self._open[-1].size += size - 1

    def _put(self, event: yaml.Event, value: Json) -> None:
        """Give the value its place in the container that is open."""
        if not self._open:
            self.value = value
            return
        container = self._open[-1]
        container.size += 1
        if isinstance(container.value, list):
            self.lines[id(container.value)][len(container.value)] = _line(event)
            container.value.append(value)
        else:
            container.value[container.key] = value
            container.keyed = False

    def _is_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].value, dict) and not self._open[-1].keyed

    def _begin_value(self, event: yaml.ScalarEvent, key: str) -> None:
        container, line = self._open[-1], _line(event)
        lines = self.lines[id(container.value)]
        container.key, container.keyed = key, True
        if key in lines:
            self._mistake(line, f"is there twice; the first is on line {lines[key]}", self._path())
        elif key == "<<" and event.implicit[0]:
            self._mistake(line, "merges a mapping, which is no longer part of YAML; write it out, or use $ref", self._path())
        else:
            lines[key] = line

    def _plain(self, event: yaml.ScalarEvent) -> Json:
        """What a scalar without quotes means."""
        text: str = event.value
        if text in _WORDS:
            return _WORDS[text]
        for form, number in _NUMBERS:
            if form.fullmatch(text):
                return self._number(event, number)
        return text

    def _number(self, event: yaml.ScalarEvent, number: Callable[[str], int | float]) -> Json:
        try:
            value = number(event.value)
        except ValueError:  # Python reads no more than 4300 digits.
            value = math.inf
        if isinstance(value, float) and not math.isfinite(value):
            message = f"{event.value[:20]} is a number that JSON cannot hold; quote it if it is a text"
            self._mistake(_line(event), message, self._path())
            return None
        return value

    def _name(self, anchor: str | None, value: Json, size: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = value, size

    def _refuse_tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.tag is not None:
            self._mistake(_line(event), f"has the tag {event.tag}; tags are not read", self._path())

    def _path(self) -> list[str | int]:
        """The way to what comes next; in a container whose key is not read yet, to the container."""
        steps: list[str | int] = [c.key if isinstance(c.value, dict) else len(c.value) - 1 for c in self._open]
        if steps and isinstance(self._open[-1].value, list):
            steps[-1] = len(self._open[-1].value)
        return steps[:-1] if self._is_key() else steps

    def _give_up(self, event: yaml.Event, message: str) -> NoReturn:
        self._mistake(_line(event), message, self._path())
        raise _GaveUp

    def _mistake(self, line: int, message: str, path: Iterable[str | int] = ()) -> None:
        self.mistakes.append(Mistake(Place(self.file, line), pointer(path), message))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


class _GaveUp(Exception):  # Not an error of ours: a mistake is noted, and what follows cannot be read.
    """What follows in the text cannot be understood."""
