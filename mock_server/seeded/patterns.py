"""A text that fits a regular expression, for the kind of pattern that schemas have."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from mock_server.contract import Json, Schema
from mock_server.seeded.chance import mix

if TYPE_CHECKING:
    from mock_server.seeded.rows import Row

Writer = Callable[[int], str]

_CLASSES = {"d": "0123456789", "w": "abcdefghijklmnopqrstuvwxyz0123456789", "s": " "}
_TRIALS = 32  # texts written at start, to see whether they fit
_ANY = "abcdefghijklmnopqrstuvwxyz"
_TIMES = ("2024-05-{day:02}T{hour:02}:{minute:02}:00", "2024-05-{day:02}T{hour:02}:{minute:02}:00Z", "2024-05-{day:02}")


class Unreadable(Exception):
    """The pattern has something that is not known here."""


def fitting(schema: Schema) -> Callable[[Row, int], Json]:
    """A recipe for texts that fit a schema with a pattern; its example, where the pattern cannot be followed.

    Raises Unreadable if there is no text that is known to fit.
    """
    fits, example = _check(schema), schema.get("example")
    for times in _TIMES:
        if fits(_time(times, 0)):
            return lambda row, key: _time(times, key)
    write = _writer(str(schema["pattern"])) or (lambda key: "")
    trials = (example, *(write(mix(key)) for key in range(_TRIALS)))
    good = next((text for text in trials if isinstance(text, str) and fits(text)), None)
    if good is None:
        raise Unreadable(f"the pattern {schema['pattern']}")

    def make(row: Row, key: int) -> Json:
        made = write(key)
        return made if fits(made) else good

    return make


def _check(schema: Schema) -> Callable[[str], bool]:
    least, most = schema.get("minLength", 0), schema.get("maxLength", float("inf"))
    search = re.compile(str(schema["pattern"])).search
    return lambda text: least <= len(text) <= most and search(text) is not None


def _writer(pattern: str) -> Writer | None:
    try:
        return _Reader(pattern).read()
    except (Unreadable, IndexError, ValueError):
        return None


def _time(form: str, key: int) -> str:
    return form.format(day=1 + key % 28, hour=(key >> 8) % 24, minute=(key >> 16) % 60)


class _Reader:
    """Reads literals, classes, groups, alternatives and quantifiers."""

    def __init__(self, pattern: str) -> None:
        self._rest = list(pattern)

    def read(self) -> Writer:
        writer = self._alternatives()
        if self._rest:
            raise Unreadable
        return writer

    def _alternatives(self) -> Writer:
        branches = [self._sequence()]
        while self._take("|"):
            branches.append(self._sequence())
        return lambda key: branches[key % len(branches)](mix(key))

    def _sequence(self) -> Writer:
        parts: list[Writer] = []
        while self._rest and self._rest[0] not in "|)":
            if self._take("^") or self._take("$"):
                continue
            parts.append(self._counted(self._atom()))
        return lambda key: "".join(part(mix(key + place)) for place, part in enumerate(parts))

    def _atom(self) -> Writer:
        char = self._rest.pop(0)
        if char == "(":
            if self._take("?") and not (self._take(":")):
                raise Unreadable
            inner = self._alternatives()
            if not self._take(")"):
                raise Unreadable
            return inner
        chars = self._class() if char == "[" else self._escape() if char == "\\" else _ANY if char == "." else char
        return lambda key: chars[key % len(chars)]

    def _escape(self) -> str:
        char = self._rest.pop(0)
        if char in _CLASSES:
            return _CLASSES[char]
        if char.isalnum():
            raise Unreadable
        return char

    def _class(self) -> str:
        if self._take("^"):
            raise Unreadable
        chars = ""
        while (char := self._rest.pop(0)) != "]":
            if char == "\\":
                chars += self._escape()
            elif self._rest[0] == "-" and self._rest[1] != "]":
                self._rest.pop(0)
                chars += "".join(map(chr, range(ord(char), ord(self._rest.pop(0)) + 1)))
            else:
                chars += char
        return chars

    def _counted(self, part: Writer) -> Writer:
        least, most = self._quantifier()
        self._take("?")
        if (least, most) == (1, 1):
            return part
        return lambda key: "".join(part(mix(key ^ place + 1)) for place in range(least + key % (most - least + 1)))

    def _quantifier(self) -> tuple[int, int]:
        for sign, counts in (("?", (0, 1)), ("*", (0, 3)), ("+", (1, 4))):
            if self._take(sign):
                return counts
        if not self._take("{"):
            return 1, 1
        text = ""
        while (char := self._rest.pop(0)) != "}":
            text += char
        least, comma, most = text.partition(",")
        first = int(least or 0)
        return first, min(int(most), first + 8) if most else first + (3 if comma else 0)

    def _take(self, char: str) -> bool:
        if self._rest[:1] == [char]:
            del self._rest[0]
            return True
        return False
