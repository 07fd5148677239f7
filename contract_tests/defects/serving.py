"""What the three implementations share: an ASGI application that finds the operation, reads what is sent, and answers."""

from __future__ import annotations

import asyncio
import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote

import orjson

from contract_tests.defects.operations import Document, Json, Operation, Problem, document, moment

LARGEST = 1 << 20  # bytes of a body

Record = dict[str, Json]
Scope = Mapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """What an operation is asked, read and found valid."""

    operation: Operation
    path: Mapping[str, Json]
    query: Mapping[str, Json]
    body: Json
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What goes out; `body` is None where there is none."""

    status: int
    body: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """Why a request is turned down."""

    def __init__(
        self, status: int, message: str, problems: Sequence[Problem] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.problems, self.headers = status, message, tuple(problems), headers or {}


Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    return datetime.now(UTC)


Handler = Callable[[Request], Awaitable[Answer]]


class Service(ABC):
    """One API, sound or with one defect."""

    api: ClassVar[str]
    invalid_body: ClassVar[int] = 400

    def __init__(self, defect: str | None = None, clock: Clock = wall_clock) -> None:
        self.defect, self.clock = defect, clock
        self.document: Document = document(self.api)
        self.handlers = self.operations()

    def broken(self, defect: str) -> bool:
        """Whether this is the defect that the implementation has."""
        return defect == self.defect

    @abstractmethod
    def operations(self) -> Mapping[str, Handler]:
        """What answers each operation, by its id."""

    @abstractmethod
    def admit(self, operation: Operation, headers: Mapping[str, str]) -> None:
        """Raises Refused unless the caller may do this."""

    @abstractmethod
    def refusal(self, refused: Refused) -> Json:
        """The body that turns a request down."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:  # Of a header sent twice both values count, as if it were a list.
            key, text = name.decode("latin-1"), value.decode("latin-1")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        try:
            answer = await self._answer(scope, headers, receive)
        except Refused as refused:
            answer = self._refused(refused)
        except Exception:
            logger.exception("%s %s failed", scope["method"], scope["path"])
            answer = self._refused(Refused(500, "Something went wrong on our side."))
        await self._send(answer, scope["method"], send)

    async def _answer(self, scope: Scope, headers: Mapping[str, str], receive: Receive) -> Answer:
        method, segments = scope["method"], self._segments(scope)
        found = self.document.at(segments)
        if not found:
            if self.broken("unknown paths are answered 200"):
                return Answer(200, {})
            raise Refused(404, "There is nothing at this path.", [("path", "", "is unknown")])
        allowed = ", ".join(sorted({*found, "OPTIONS"} | ({"HEAD"} if "GET" in found else set())))
        if method == "OPTIONS":
            return Answer(204, headers={"allow": allowed})
        if method == "HEAD" and self.broken("HEAD is answered 404"):
            raise Refused(404, "There is nothing at this path.")
        if "\0" in "".join(segments) and self.broken("NUL in a path is a crash"):
            raise ValueError(segments)
        operation, names = found.get("GET" if method == "HEAD" else method, (None, {}))
        if operation is None:
            if self.broken("a wrong method is answered 404"):
                raise Refused(404, "There is nothing at this path.", [("path", "", "is unknown")])
            named = {} if self.broken("405 does not name the methods that are allowed") else {"allow": allowed}
            raise Refused(405, f"{method} is not allowed here.", [("path", "", "has other methods")], named)
        if self.broken("limits are looked at before the key"):
            self._values(operation, {name: [text] for name, text in pairs(scope["query_string"]) if name == "limit"})
        self.admit(operation, headers)
        if self.broken("what is no UTF-8 is not found") and b"%FF" in scope["query_string"]:
            raise Refused(404, "There is nothing at this path.", [("path", "", "is unknown")])
        request = await self._read(operation, names, scope["query_string"], headers, receive)
        if self.broken("lists take half a second") and not operation.path[-1].startswith("{") and operation.method == "GET":
            await asyncio.sleep(0.5)
        return await self.handlers[operation.id](request)

    def _segments(self, scope: Scope) -> tuple[str, ...]:
        raw = scope.get("raw_path") or scope["path"].encode()
        path = raw.decode("latin-1").partition("?")[0]
        base = next((base for base in self.document.bases if path.startswith(f"{base}/")), None)
        return () if base is None else tuple(unquote(part) for part in path.removeprefix(f"{base}/").split("/"))

    async def _read(
        self, operation: Operation, names: Mapping[str, str], query: bytes, headers: Mapping[str, str], receive: Receive
    ) -> Request:
        accept = headers.get("accept", "")
        if self.broken("what is not accepted at all is taken for accepted"):
            accept = accept.replace("q=0", "q=1")
        if not accepts_json(accept) and not self.broken("Accept is not looked at"):
            raise Refused(406, "Only application/json can be given", [("header", "/Accept", "must admit application/json")])
        sent = await self._received(operation, headers, receive) if operation.body else b""
        texts: dict[str, list[str]] = {name: [text] for name, text in names.items()}
        for name, text in pairs(query):
            texts.setdefault(name, []).append(text)
        values = self._values(operation, texts)
        path = {name: value for name, value in values.items() if name in names}
        query_values = {name: value for name, value in values.items() if name not in names}
        return Request(operation, path, query_values, self._body(operation, sent), headers)

    def _values(self, operation: Operation, texts: Mapping[str, list[str]]) -> dict[str, Json]:
        """The values of the parameters that were sent."""
        values: dict[str, Json] = {}
        problems: list[Problem] = []
        for parameter in operation.parameters:
            if parameter.name in texts:
                value, wrong = parameter.read(self._respelt(texts[parameter.name]))
                if value is None and self.broken("a page that is no number is taken for the first"):
                    continue
                if value == "" and wrong and self.broken("an empty date is taken for none"):
                    continue
                values[parameter.name] = value
                problems += [] if self._let_pass(parameter.name, value, wrong) else wrong
        if self.broken("a parameter that is not known empties the list"):
            values |= {"page": 999_999} if texts.keys() - {parameter.name for parameter in operation.parameters} else {}
        if self.broken("lists without pages obey limit") and "limit" in texts:
            values["limit"] = int(texts["limit"][0])
        if problems:
            raise Refused(400, told(problems), problems)
        return values

    def _respelt(self, texts: list[str]) -> list[str]:
        """The texts of a parameter, as an implementation takes them."""
        if self.broken("numbers may be hexadecimal"):
            return [str(int(text, 16)) if text.startswith("0x") else text for text in texts]
        if self.broken("months may have one digit"):
            return [re.sub(r"^(\d{4})-(\d)-", r"\1-0\2-", text) for text in texts]
        return texts

    def _let_pass(self, name: str, value: Json, wrong: Sequence[Problem]) -> bool:
        """Whether a parameter is taken as it is, right or wrong."""
        last = name.rpartition(".")[2]
        return (
            (self.broken("page 0 is answered like page 1") and last == "page" and value == 0)
            or (self.broken("a negative offset is taken for 0") and last == "offset" and isinstance(value, int))
            or (self.broken("too large pages are cut to the largest") and last in ("per_page", "page_size", "limit"))
            or (self.broken("dates that do not exist are taken") and all(message == 'is not a "date"' for _, _, message in wrong))
        )

    async def _received(self, operation: Operation, headers: Mapping[str, str], receive: Receive) -> bytes:
        kind, _, charset = headers.get("content-type", "application/json").partition(";")
        readable = charset.strip().lower().removeprefix("charset=").strip('"') in ("", "utf-8", "utf8", "us-ascii")
        if self.broken("a charset beside the media type is refused"):
            readable = not charset
        if self.broken("JSON may be called anything that ends in json") and kind.endswith("json"):
            kind = "application/json"
        if self.broken("JSON may be called a text"):
            kind = kind.replace("text/plain", "application/json")
        packed = headers.get("content-encoding", "") not in ("", "identity")
        known = kind.strip().lower() == "application/json" and readable and not packed
        sent, more = bytearray(), True
        while more and len(sent) <= LARGEST:
            message = await receive()
            sent += message.get("body", b"")
            more = message.get("more_body", False)
        if not known and not self.broken("bodies of any type are read"):
            raise Refused(415, "Send the body as application/json", [("header", "/Content-Type", "must be application/json")])
        bounded = not self.broken("bodies of any size are read")
        if self.broken("updates may have any size") and operation.method == "PUT":
            bounded = False
        if len(sent) > LARGEST and bounded:
            raise Refused(413, "The body is too large", [("body", "", f"must not be larger than {LARGEST} bytes")])
        return bytes(sent)

    def _body(self, operation: Operation, sent: bytes) -> Json:
        if operation.body is None:
            return None
        if self.broken("an empty body is taken for an empty object"):
            sent = sent or b"{}"
        if self.broken("JSON may have single quotes"):
            sent = sent.replace(b"'", b'"') if b'"' not in sent else sent
        if self.broken("deep bodies are a crash") and b"[" * 100 in sent:
            raise RecursionError
        if self.broken("long numbers are a crash") and b"9" * 30 in sent:
            raise OverflowError
        if self.broken("half a surrogate pair is a crash") and b"\\ud83d" in sent:
            raise UnicodeError
        try:
            value = orjson.loads(sent)
        except orjson.JSONDecodeError as error:
            if not self.broken("a body that is no JSON is taken for an empty one"):
                raise Refused(400, f"The body is not JSON: {error}", [("body", "", "is not JSON")]) from None
            value = {}
        value = self.named(operation, value)
        problems = operation.body.problems(value, "body")
        if self.broken("a property that is not known is refused") and isinstance(value, dict):
            problems += [("body", f"/{name}", "is not known") for name in value if name not in operation.body.names]
        problems = self._told(problems, value)
        if problems and not self.broken("bodies are not held against their schema"):
            raise Refused(self.invalid_body, told(problems), problems)
        return value

    def _told(self, problems: list[Problem], body: Json) -> list[Problem]:
        """What of that which is wrong with a body is found, and how it is told."""
        if self.broken("any text with @ is an e-mail address"):
            return [one for one in problems if one[1] != "/email" or "@" not in str(body.get("email"))]
        if self.broken("times need no zone"):
            return [one for one in problems if one[1] != "/scheduled_date" or not moment(str(body.get("scheduled_date")))]
        if self.broken("only the first thing that is wrong is told"):
            return problems[:1]
        if self.broken("what is wrong with a body is told to be in the query"):
            return [("query", pointer, message) for _, pointer, message in problems]
        return problems

    def named(self, operation: Operation, body: Json) -> Json:  # noqa: ARG002  # for those that overrule it
        """The body with the names that the document has."""
        return body

    def _refused(self, refused: Refused) -> Answer:
        body = self.refusal(refused)
        if self.broken("not found has a body of another form") and refused.status == 404:
            body = {"detail": refused.message}
        if self.broken("a wrong method is refused in another form") and refused.status == 405:
            body = {"detail": refused.message}
        if self.broken("refusals are answered 200") and refused.status in (400, 404, 422):
            return Answer(200, body)
        return Answer(refused.status, body, refused.headers)

    async def _send(self, answer: Answer, method: str, send: Send) -> None:
        body = b"" if answer.body is None else orjson.dumps(answer.body)
        kind = "text/plain; charset=utf-8" if self.broken("answers are called plain text") else "application/json"
        headers = {**({} if answer.body is None else {"content-type": kind}), **answer.headers}
        if answer.status != 204:
            headers["content-length"] = str(len(body))
        status = answer.status
        if method == "HEAD":
            if self.broken("HEAD of what is not there is answered 200") and status == 404:
                status = 200
            if self.broken("HEAD says that there are no bytes"):
                headers["content-length"] = "0"
            if self.broken("HEAD does not tell the media type"):
                headers.pop("content-type", None)
        listed = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": listed})
        await send(
            {"type": "http.response.body", "body": b"" if method == "HEAD" and not self.broken("HEAD gets a body") else body}
        )


def told(problems: Sequence[Problem]) -> str:
    """All problems in one line."""
    return "; ".join(f"{pointer.lstrip('/')} {message}".lstrip() for _, pointer, message in problems)


def pairs(query: bytes) -> list[tuple[str, str]]:
    """Raises Refused unless it is UTF-8."""
    try:
        return parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except UnicodeError:
        raise Refused(400, "The query is not UTF-8", [("query", "", "is not UTF-8")]) from None


def accepts_json(header: str) -> bool:
    """Whether an Accept header admits JSON: the closest range decides."""
    closeness = {"application/json": 3, "application/*": 2, "*/*": 1}
    ranges = [part.partition(";") for part in header.lower().split(",") if part.strip()]
    fitting = [(closeness[name.strip()], more.replace(" ", "")) for name, _, more in ranges if name.strip() in closeness]
    return not ranges or (bool(fitting) and max(fitting)[1].rstrip("0.") != "q=")


async def pause() -> None:
    """Let other requests go first, as a database that is waited for does."""
    await asyncio.sleep(0.02)
