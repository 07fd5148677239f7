"""Exchanges <-> an HTTP Archive (HAR 1.2), as the network panel of a browser saves and opens it."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson

from mock_server import __version__, messages
from mock_server.contract import Json
from mock_server.curl import FORM, Request
from mock_server.documents import pointer

LARGEST = 256 << 20  # bytes of an archive
MOST = 100_000  # entries of an archive
TOLD = 20  # mistakes that are listed
OWN = "_mock"  # the field in which what only this project knows is kept
KNOWN = (  # of an exchange beside request and answer
    *("id", "world", "api", "operation", "reason", "violations", "read", "written", "ignored", "fault", "preference"),
    *("inferred", "nearest"),
)


class BrokenHar(ValueError):
    """A file that is no HTTP Archive, with what is wrong in which of its entries, one line each."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__(self.mistakes)

    def __str__(self) -> str:
        more = len(self.mistakes) - TOLD
        return "\n".join([*self.mistakes[:TOLD], *([f"… and {more} more"] if more > 0 else [])])


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


@dataclass(frozen=True)
class Entry:
    """One request of an archive; its answer is None where none came. `extra` is what this project noted of it."""

    request: Request
    answer: Answer | None
    at: str = ""  # a time of ISO 8601
    milliseconds: float = 0
    extra: Mapping[str, Json] = field(default_factory=dict)


# Writing


def document(exchanges: Iterable[Json], base: str) -> Json:
    """The archive of exchanges as the journal has them, sent to targets below `base`."""
    creator = {"name": "mock-server", "version": __version__}
    return {"log": {"version": "1.2", "creator": creator, "entries": [_entry(exchange, base) for exchange in exchanges]}}


def _entry(exchange: Json, base: str) -> Json:
    milliseconds = exchange.get("milliseconds", 0)
    extra = {name: exchange[name] for name in KNOWN if exchange.get(name) not in (None, [], "")}
    return {
        "startedDateTime": exchange["at"],
        "time": milliseconds,
        "request": _request(exchange["request"], base),
        "response": _response(exchange["answer"]),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        **({OWN: extra} if extra else {}),
    }


def _request(request: Json, base: str) -> Json:
    target, headers, body = request["target"], request["headers"], messages.body(request)
    made = {
        "method": request["method"],
        "url": base + target,
        "httpVersion": "HTTP/1.1",
        "cookies": _cookies(headers, "cookie"),
        "headers": _pairs(headers),
        "queryString": _pairs(parse_qsl(target.partition("?")[2], keep_blank_values=True)),
        "headersSize": -1,
        "bodySize": len(body or b""),
    }
    if body is None:
        return made
    posted: dict[str, Json] = {"mimeType": _field(headers, "content-type"), "params": [], **_text(body, "_encoding")}
    return {**made, "postData": posted}


def _response(answer: Json) -> Json:
    headers, body = answer["headers"], messages.body(answer)
    content = {} if body is None else _text(body, "encoding")
    return {
        "status": answer["status"],
        "statusText": HTTPStatus(answer["status"]).phrase if answer["status"] in set(HTTPStatus) else "",
        "httpVersion": "HTTP/1.1",
        "cookies": _cookies(headers, "set-cookie"),
        "headers": _pairs(headers),
        "content": {"size": len(body or b""), "mimeType": _field(headers, "content-type"), **content},
        "redirectURL": _field(headers, "location"),
        "headersSize": -1,
        "bodySize": len(body or b""),
    }


def _text(body: bytes, encoding: str) -> dict[str, Json]:
    """A body as JSON holds it; `encoding` is the name under which it is said that it is packed."""
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"text": b64encode(body).decode(), encoding: "base64"}


def _pairs(pairs: Iterable[Iterable[str]]) -> list[Json]:
    return [dict(zip(("name", "value"), pair, strict=True)) for pair in pairs]


def _field(headers: Iterable[tuple[str, str]], wanted: str) -> str:
    return next((value for name, value in headers if name.lower() == wanted), "")


def _cookies(headers: Iterable[tuple[str, str]], wanted: str) -> list[Json]:
    """The cookies of a request's Cookie or an answer's Set-Cookie, whose attributes are left to the header field."""
    values = [value for name, value in headers if name.lower() == wanted]
    parts = [part for value in values for part in (value.split(";") if wanted == "cookie" else [value.partition(";")[0]])]
    return _pairs(part.strip().partition("=")[::2] for part in parts if part.strip())


# Reading


def read(text: bytes) -> list[Entry]:
    """The entries of any archive, or the one entry that the text is.

    Raises BrokenHar with all that is wrong.
    """
    if len(text) > LARGEST:
        raise BrokenHar([f"it has more than {LARGEST >> 20} MiB"])
    try:
        value = orjson.loads(text.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise BrokenHar([f"it is not JSON: line {error.lineno}, column {error.colno}: {error.msg}"]) from None
    reader = _Reader()
    found = list(reader.entries(value))
    if reader.mistakes:
        raise BrokenHar(reader.mistakes)
    return found


class _Reader:
    """Walks through an archive and notes what is wrong."""

    def __init__(self) -> None:
        self.mistakes: list[str] = []
        self._name = ""

    def entries(self, value: Json) -> Iterator[Entry]:
        if isinstance(value, dict) and "request" in value:
            self._name = "the entry"
            yield from filter(None, [self._entry(value)])
            return
        log = value.get("log") if isinstance(value, dict) else None
        listed = log.get("entries") if isinstance(log, dict) else None
        if not isinstance(listed, list):
            self.mistakes.append("it is no HTTP Archive: it has no list log.entries, and is no entry with a request")
        elif len(listed) > MOST:
            self.mistakes.append(f"it has {len(listed)} entries; {MOST} are read")
        else:
            for index, entry in enumerate(listed):
                self._name = f"entry {index}"
                yield from filter(None, [self._entry(entry)])

    def _entry(self, entry: Json) -> Entry | None:
        before = len(self.mistakes)
        request = self._get(entry, dict, "request")
        if len(self.mistakes) > before:
            return None
        made = Entry(
            Request(
                self._get(request, str, "request", "method").upper(),
                self._url(request),
                self._headers(request, "request"),
                self._posted(request),
            ),
            self._answer(entry),
            self._get(entry, str, "startedDateTime", default=""),
            self._get(entry, (int, float), "time", default=0),
            self._get(entry, dict, OWN, default={}),
        )
        return made if len(self.mistakes) == before else None

    def _get(self, value: Json, kind: type | tuple[type, ...], *path: str, default: Any = None) -> Any:
        """What the last part of the path names in a value, of a kind; if it is not, that is noted and an empty one answered."""
        found = value.get(path[-1]) if isinstance(value, dict) else None
        if found is None and default is not None:
            return default
        if isinstance(found, kind) and not (isinstance(found, bool) and kind is not bool):
            return found
        wanted = kind if isinstance(kind, type) else kind[0]
        if isinstance(value, dict) or len(path) == 1:  # Else it was told of the value.
            self._mistake(path, f"must be {KINDS[wanted]}" + ("" if found is None else f", not {KINDS.get(type(found), 'null')}"))
        return wanted()

    def _mistake(self, path: Iterable[str], message: str) -> None:
        self.mistakes.append(f"{self._name}: {pointer(path)} {message}")

    def _url(self, request: Json) -> str:
        url: str = self._get(request, str, "request", "url")
        try:
            host = urlsplit(url).hostname
        except ValueError as error:
            self._mistake(("request", "url"), f"is no address: {error}")
            return url
        if url and not host and not url.startswith("/"):
            self._mistake(("request", "url"), f"is no address: {url[:60]!r}")
        return url

    def _headers(self, message: Json, name: str) -> tuple[tuple[str, str], ...]:
        """The header fields; those with which HTTP/2 says method and address are none."""
        pairs = []
        for index, listed in enumerate(self._get(message, list, name, "headers", default=[])):
            path = (name, "headers", str(index))
            pair = self._get(listed, str, *path, "name"), self._get(listed, str, *path, "value", default="")
            if not isinstance(listed, dict):
                self._mistake(path, "must be an object")
            if not pair[0].startswith(":"):
                pairs.append(pair)
        return tuple(pairs)

    def _posted(self, request: Json) -> bytes | None:
        posted = request.get("postData") if isinstance(request, dict) else None
        if posted is None:
            return None
        path = ("request", "postData")
        if not isinstance(posted, dict):
            self._mistake(path, "must be an object")
            return None
        params = self._get(posted, list, *path, "params", default=[])
        if posted.get("text") is None and params and str(posted.get("mimeType", "")).startswith(FORM):
            return urlencode([(str(p.get("name", "")), str(p.get("value", ""))) for p in params if isinstance(p, dict)]).encode()
        return self._body(posted, path, posted.get("_encoding", posted.get("encoding")))

    def _answer(self, entry: Json) -> Answer | None:
        if not isinstance(entry, dict) or entry.get("response") is None:
            return None
        response = self._get(entry, dict, "response")
        status = self._get(response, int, "response", "status")
        if status and not 100 <= status <= 999:
            self._mistake(("response", "status"), f"must be a status of HTTP, not {status}")
        path = ("response", "content")
        content = self._get(response, dict, *path, default={})
        answer = Answer(status, self._headers(response, "response"), self._body(content, path, content.get("encoding")))
        return answer if status else None  # A browser writes 0 where it had no answer.

    def _body(self, holder: Mapping[str, Json], path: tuple[str, ...], encoding: Json) -> bytes | None:
        text = holder.get("text")
        if text is None:
            return None
        if not isinstance(text, str):
            self._mistake((*path, "text"), f"must be a text, not {KINDS.get(type(text), 'null')}")
            return None
        if encoding != "base64":
            return text.encode("utf-8", "surrogatepass")
        try:
            return b64decode(text, validate=True)
        except NotBase64:
            self._mistake((*path, "text"), "is not base64, which its encoding says")
            return None


KINDS: Mapping[Callable[..., Any], str] = {
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}
