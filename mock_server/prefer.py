"""Prefer header and query -> the answer that a client asks for, as RFC 7240 writes preferences and Prism names them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from mock_server.contract import Json
from mock_server.refusals import Violation

LONGEST = 300  # seconds to wait
QUERY = "__"  # stands before a preference in the query

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PARTS = {separator: re.compile(rf'(?:"(?:[^"\\]|\\.)*"?|[^"{separator}])+') for separator in ",;"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class WrongPreference(ValueError):
    """A preference of ours has a value that means nothing; all that is wrong is told."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        self.violations = violations
        super().__init__("; ".join(map(str, violations)))


@dataclass(frozen=True, slots=True)
class Preference:
    """What a client asks for instead of the answer that the state gives."""

    code: int | None = None
    example: str | None = None
    dynamic: bool | None = None
    wait: float = 0.0  # seconds

    @property
    def forced(self) -> bool:
        """Whether the contract answers, not the state: `dynamic=false` and `wait` alone leave the answer as it is."""
        return self.code is not None or self.example is not None or self.dynamic is True

    @property
    def applied(self) -> str:
        """The value of Preference-Applied: what is acted on. An example is not generated, so it leaves `dynamic` out."""
        dynamic = self.dynamic if self.forced and self.example is None else None
        shown = {
            "code": None if self.code is None else str(self.code),
            "example": None if self.example is None else _word(self.example),
            "dynamic": None if dynamic is None else str(dynamic).lower(),
            "wait": f"{self.wait:.6f}".rstrip("0").rstrip(".") if self.wait else None,
        }
        return ", ".join(f"{name}={value}" for name, value in shown.items() if value is not None)


def preferred(header: str, query: bytes) -> tuple[Preference | None, bytes]:
    """What a Prefer header (several joined by commas) and a query ask of us, if anything, and the query without that.

    Preferences that are not ours are ignored; of a repeated one the first counts, and the query's before the header's.

    Raises WrongPreference.
    """
    wrong: list[Violation] = []
    sent = _of_header(header, wrong) if header else {}
    if QUERY.encode() in query:
        asked, query = _of_query(query)
        sent |= asked
    values: dict[str, Json] = {}
    for name, (value, where, pointer) in sent.items():
        try:
            values[name] = _READ[name](value)
        except ValueError as error:
            told = f"{error}, not {value!r:.42}"
            wrong.append(Violation(where, pointer, told if where == "query" else f"{name} {told}"))
    if wrong:
        raise WrongPreference(tuple(wrong))
    return (Preference(**values) if values else None), query


_Sent = dict[str, tuple[str, str, str]]  # preference -> its value, and where it stands: the part, and the pointer


def _of_query(query: bytes) -> tuple[_Sent, bytes]:
    """The preferences in a query, and its other parts as they were."""
    sent: _Sent = {}
    rest = []
    for part in query.split(b"&"):
        written, _, value = part.partition(b"=")
        name = written.decode("latin-1").removeprefix(QUERY)
        if written.startswith(QUERY.encode()) and name in _READ:
            text = unquote_to_bytes(value.replace(b"+", b" ")).decode(errors="replace")
            sent.setdefault(name, (text, "query", f"/{QUERY}{name}"))
        else:
            rest.append(part)
    return sent, b"&".join(rest)


def _of_header(header: str, wrong: list[Violation]) -> _Sent:
    """The preferences in a header; what of ours cannot be read is noted."""
    found: dict[str, str | None] = {}
    for preference in _split(header, ","):
        pair, *parameters = [_pair(part) for part in _split(preference, ";")] or [("", "")]
        name, value = pair
        if name not in _READ or name in found:
            continue
        found[name] = value
        if value is None:
            wrong.append(Violation("header", "/Prefer", f"{name} must have a value of one word, or in double quotes"))
        wrong += [Violation("header", "/Prefer", told) for told in _misplaced(name, parameters)]
    return {name: (value, "header", "/Prefer") for name, value in found.items() if value is not None}


def _misplaced(name: str, parameters: list[tuple[str, str | None]]) -> Iterator[str]:
    """What is said of preferences that stand where parameters of another one do; other parameters mean nothing to us."""
    for parameter, _ in parameters:
        if parameter in _READ:
            yield f"{parameter} must stand behind a comma; behind a semicolon it is a parameter of {name}"


def _split(text: str, separator: str) -> list[str]:
    """The parts between separators, those in quotes aside; a quote that is never closed takes in all that follows."""
    return _PARTS[separator].findall(text)


def _pair(text: str) -> tuple[str, str | None]:
    """Name, in small letters, and value; no value is an empty one, None is one that cannot be read."""
    name, _, value = (part.strip(" \t") for part in text.partition("="))
    if value and not _TOKEN.fullmatch(value):
        quoted = _QUOTED.fullmatch(value)
        return name.lower(), _decoded(re.sub(r"\\(.)", r"\1", quoted[1])) if quoted else None
    return name.lower(), value


def _decoded(text: str) -> str:
    """A text whose bytes HTTP shows as Latin-1, read as the UTF-8 that they are, if they are."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _word(text: str) -> str:
    """A text as the value of a preference: as it is if it is a token, else in quotes."""
    if _TOKEN.fullmatch(text):
        return text
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    return f'"{escaped}"'.encode().decode("latin-1")


def _code(text: str) -> int:
    if not re.fullmatch("[1-5][0-9][0-9]", text):
        raise ValueError("must be a status, three digits like 409")
    return int(text)


def _example(text: str) -> str:
    if not text or _CONTROL.search(text):
        raise ValueError("must be the name of an example in the contract")
    return text


def _dynamic(text: str) -> bool:
    if text.lower() not in ("", "true", "false"):
        raise ValueError("must be true or false")
    return text.lower() != "false"


def _wait(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) or float(text) > LONGEST:
        raise ValueError(f"must be a number of seconds, at most {LONGEST}")
    return float(text)


_READ: Mapping[str, Callable[[str], Json]] = {  # preference -> what reads its value; raises ValueError with what would be right
    "code": _code,
    "example": _example,
    "dynamic": _dynamic,
    "wait": _wait,
}
