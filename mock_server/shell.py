"""The text of a command -> its words, as a POSIX shell or bash hands them on; nothing is run, looked up or read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NoReturn


class Unclear(ValueError):
    """A text that a shell would not understand, or not without doing something first; the message says what to write."""


ESCAPES = {  # in $'…'
    "n": b"\n", "t": b"\t", "r": b"\r", "a": b"\a", "b": b"\b", "f": b"\f", "v": b"\v", "e": b"\x1b", "E": b"\x1b",
    "\\": b"\\", "'": b"'", '"': b'"', "?": b"?",
}  # fmt: skip

_TOKEN = re.compile(
    r"""
      (?P<joint>\\(?:\r?\n|\r?\Z))
    | (?P<space>\s+)
    | (?P<single>'[^']*')
    | (?P<ansi>\$'(?:[^'\\]|\\.)*')
    | (?P<double>\$?"(?:[^"\\]|\\.)*")
    | (?P<escape>\\.)
    | (?P<variable>\$(?:\w+|\{[^}]*\}?|\()|`)
    | (?P<redirect>(?:&|\d+)?>{1,2}&?\d*|<)
    | (?P<pipe>\|(?!\|))
    | (?P<end>\|\||&&|;|&(?=\s|$))
    | (?P<comment>(?<!\S)\#[^\n]*)
    | (?P<plain>[^\s'"\\$`|;<>&]+|\$|&)
    """,
    re.VERBOSE | re.DOTALL,
)
_ANSI = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|c(.)|(.))", re.DOTALL)
_DOUBLE = re.compile(r"\\(\r?\n|.)", re.DOTALL)
_EXPANDED = re.compile(r"(?<!\\)(?:\\\\)*(\$(?:\w+|\{[^}]*\}?|\()|`)")


def commands(text: str) -> list[list[bytes]]:
    """The words of a command, or of each command of a pipe.

    Raises Unclear.
    """
    return _Words(text).commands()


class _Words:
    """The words read so far."""

    def __init__(self, text: str) -> None:
        self._text = re.sub(r"\A\s*[$%>]\s+", "", text).strip()  # The prompt is often copied too.
        self._commands: list[list[bytes]] = [[]]
        self._word: list[bytes] | None = None
        self._skipped = False  # The next word is where a redirection goes.
        self._on: Mapping[str, Callable[[str, int], None]] = {  # kind of a token -> what it does, given where it ends
            "joint": lambda _token, _end: None,
            "comment": lambda _token, _end: None,
            "space": lambda _token, _end: self._finish(),
            "single": lambda token, _end: self._add(_bytes(token[1:-1])),
            "ansi": lambda token, _end: self._add(_unescaped(token[2:-1])),
            "double": lambda token, _end: self._double(token),
            "escape": lambda token, _end: self._add(_bytes(token[1:])),
            "variable": lambda token, _end: _refuse_variable(token),
            "redirect": lambda token, _end: self._redirect(token),
            "pipe": lambda _token, end: self._pipe(end),
            "end": self._end,
            "plain": lambda token, _end: self._add(_bytes(token)),
        }

    def commands(self) -> list[list[bytes]]:
        self._refuse_other_shells()
        position = 0
        while position < len(self._text):
            match = _TOKEN.match(self._text, position)
            if match is None:
                raise Unclear(f"The quote {self._text[position : position + 20]!r}… is never closed.")
            position = match.end()
            self._on[str(match.lastgroup)](match[0], position)
        self._finish()
        return self._commands

    def _refuse_other_shells(self) -> None:
        if re.match(r"curl(\.exe)?\s[^'\"]*\^\s*[\"\n]", self._text):
            raise Unclear('This is written for the Windows prompt; copy it as "cURL (bash)" or "cURL (POSIX)".')
        if not self._text:
            raise Unclear("There is no command.")

    def _add(self, part: bytes) -> None:
        if self._word is None:
            self._word = []
        self._word.append(part)

    def _finish(self) -> None:
        if self._word is not None and not self._skipped:
            self._commands[-1].append(b"".join(self._word))
        if self._word is not None:
            self._skipped = False
        self._word = None

    def _double(self, token: str) -> None:
        inner = token.removeprefix("$")[1:-1]
        if found := _EXPANDED.search(inner):
            _refuse_variable(found[1])
        self._add(_bytes(_DOUBLE.sub(_kept_in_double_quotes, inner)))

    def _redirect(self, token: str) -> None:
        if token == "<":  # noqa: S105  # no password
            raise Unclear("< reads a file, and no file is read here; put what it holds into the command.")
        self._finish()
        self._skipped = not token[-1].isdigit()

    def _pipe(self, end: int) -> None:
        self._finish()
        if end < len(self._text):
            self._commands.append([])

    def _end(self, token: str, end: int) -> None:
        self._finish()
        if end < len(self._text):
            raise Unclear(
                f"There are several commands, one after {token}; one at a time is read. Quote it if it is no such sign."
            )


def _refuse_variable(found: str) -> NoReturn:
    raise Unclear(f"{found} is for a shell to fill in, and none is asked; write its value, or put it in single quotes.")


def _kept_in_double_quotes(match: re.Match[str]) -> str:
    if match[1] in ("\n", "\r\n"):
        return ""
    return match[1] if match[1] in '$`"\\' else match[0]


def _unescaped(text: str) -> bytes:
    parts, position = [], 0
    units = ""  # of UTF-16, in which browsers write what is beyond the first 65,536 characters
    for match in _ANSI.finditer(text):
        between = text[position : match.start()]
        position = match.end()
        if match[2] and not between:
            units += chr(int(match[2], 16))
            continue
        parts += [_bytes(units), _bytes(between)]
        units = chr(int(match[2], 16)) if match[2] else ""
        if not match[2]:
            parts.append(_one(match))
    return b"".join([*parts, _bytes(units), _bytes(text[position:])])


def _one(match: re.Match[str]) -> bytes:
    if match[1] or match[4]:
        return bytes([int(match[1], 16) if match[1] else int(match[4], 8) & 255])
    if match[3]:
        point = int(match[3], 16)
        return _bytes(chr(point)) if point <= 0x10FFFF else _bytes(match[0])
    if match[5]:
        return bytes([ord(match[5]) & 31])
    return ESCAPES.get(match[6], _bytes(match[0]))


def _bytes(text: str) -> bytes:
    """UTF-8; two halves of a character that UTF-16 splits become one."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
