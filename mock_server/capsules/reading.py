"""The file of a capsule -> the capsule, held against the contracts: nothing in it leads out of an API's base path."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

from mock_server import clock, documents
from mock_server.capsules.capsule import FORMAT, FRAMING, WORLD, Answer, Body, Capsule, Headers, Request, Stored, body_of
from mock_server.contract import Contract, Json
from mock_server.documents import BrokenContract, Document, Mistake, Node, meant
from mock_server.outline import CONTROL

CAPSULE = ("format", "title", "shows", "contracts", "seed", "scale", "situation", "records", "trash", "faults", "rate_limits",
           "requests")  # fmt: skip
FORMS = ("body", "json", "text", "base64")  # of a body: any value; JSON as it was sent; a text; bytes
MESSAGE = ("headers", *FORMS)
REQUEST = ("id", "at", "api", "operation", "method", "target", *MESSAGE, "answer")
ANSWER = ("status", *MESSAGE)
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
LEAST_SIGNIFICANT = (1 << 63) - 1

_CONTROL = re.compile(re.escape(f"/_mock/worlds/{WORLD}/") + r"(faults|rate-limits|trash)([/?][!-~]*)?")
_TARGET = re.compile(r"/[!$-;=?-Z\[\]_a-z{}~]*")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110: a token
_VALUE = re.compile(r"[\t -~\x80-\xff]*")
_METHOD = re.compile(r"(?!CONNECT$)[A-Z]{1,20}")
_PLACEHOLDER = re.compile(r"\$\{([^{}]*)(\}?)")
_ALWAYS = ("unknown", "session")  # placeholders that need no credential


def load(path: Path, contracts: Mapping[str, Contract], credentials: Collection[str] | None = None) -> Capsule:
    """The capsule in a file; the credentials are the placeholders that it may name, without ${ }, or None for any.

    Raises BrokenContract with every mistake in it.
    """
    return capsule_in(documents.load(path), contracts, credentials)


def capsule_in(document: Document, contracts: Mapping[str, Contract], credentials: Collection[str] | None = None) -> Capsule:
    """The capsule that a document is.

    Raises BrokenContract with every mistake in it.
    """
    reader = _Reader(contracts, credentials)
    capsule = reader.capsule(document.root)
    if reader.mistakes:
        raise BrokenContract(reader.mistakes)
    return capsule


class _Reader:
    """Reads a file, and notes the mistakes; what is wrong is read as something harmless."""

    def __init__(self, contracts: Mapping[str, Contract], credentials: Collection[str] | None) -> None:
        self._contracts = contracts
        self._credentials = credentials
        self._ids: list[str] = []  # of the requests that were read
        self.mistakes: list[Mistake] = []

    def capsule(self, root: Node) -> Capsule:
        if root.mapping.get("format") != FORMAT:
            self._wrong(root, f"is no capsule; one begins with format: {FORMAT}")
            return Capsule("", {}, (), "")
        self._known(root, CAPSULE)
        requests = tuple(map(self._request, (root / "requests").elements()))
        shows = self._text(root / "shows", "must be the id of a request")
        ids = [request.id for request in requests]
        if not requests:
            self._wrong(root / "requests", "must be a list of requests, not empty")
        elif shows not in ids:
            self._wrong(root / "shows", f"is the id of no request{meant(shows, ids)}")
        if doubled := {id for id in ids if ids.count(id) > 1}:
            self._wrong(root / "requests", f"has the id {min(doubled)} twice")
        return Capsule(
            title=(root / "title").text or "",
            contracts=dict(self._digests(root / "contracts")),
            requests=requests,
            shows=shows,
            seed=self._whole(root / "seed", 1, LEAST_SIGNIFICANT),
            scale=self._whole(root / "scale", 60, 10_000_000),
            situation=(root / "situation").text or "",
            records=tuple(self._records(root / "records")),
            trash=tuple(self._mappings(root / "trash")),
            faults=tuple(self._mappings(root / "faults")),
            rate_limits=tuple(self._limits(root / "rate_limits")),
        )

    def _wrong(self, node: Node, message: str) -> None:
        self.mistakes.append(node.mistake(message))

    def _known(self, node: Node, names: tuple[str, ...]) -> None:
        for name, part in node.items():
            if name not in names:
                self._wrong(part, f"is not known here{meant(name, names)}")

    def _text(self, node: Node, message: str, form: re.Pattern[str] | None = None) -> str:
        text = node.text or ""
        if not text or (form and not form.fullmatch(text)):
            self._wrong(node, message)
            return ""
        return text

    def _whole(self, node: Node, default: int, most: int) -> int:
        if node.value is None:
            return default
        if isinstance(node.value, int) and not isinstance(node.value, bool) and 0 <= node.value <= most:
            return node.value
        self._wrong(node, f"must be a whole number from 0 to {most}")
        return default

    def _mappings(self, node: Node) -> Iterator[Json]:
        if node.value is not None and not isinstance(node.value, list):
            self._wrong(node, "must be a list")
        for part in node.elements():
            if part.mapping:
                yield part.value
            else:
                self._wrong(part, "must be a mapping")

    def _named(self, node: Node) -> Iterator[tuple[str, Node]]:
        """The parts of a mapping, which may be absent."""
        if node.value is not None and not isinstance(node.value, dict):
            self._wrong(node, "must be a mapping")
        yield from node.items()

    def _digests(self, node: Node) -> Iterator[tuple[str, str]]:
        """API -> digest of the contract with which it was recorded."""
        for api, part in self._named(node):
            if api not in self._contracts:
                self._wrong(part, f"is no API{meant(api, self._contracts)}")
            elif part.text is None:
                self._wrong(part, "must be the digest of a contract, a text")
            else:
                yield api, part.text

    def _limits(self, node: Node) -> Iterator[tuple[str, int]]:
        for api, part in self._named(node):
            yield api, self._whole(part, 0, LEAST_SIGNIFICANT)

    def _records(self, node: Node) -> Iterator[Stored]:
        """API -> resource -> id -> a record."""
        for api, part in self._named(node):
            if api not in self._contracts:
                self._wrong(part, f"is no API{meant(api, self._contracts)}")
                continue
            known = self._contracts[api].resources
            for name, records in self._named(part):
                if name not in known:
                    self._wrong(records, f"is no resource of {api}{meant(name, known)}")
                    continue
                for id, record in self._named(records):
                    if number(self._contracts[api], name, id) is None:
                        self._wrong(record, f"{id} is no id of {name}; the first is {known[name].id.value(0)}")
                    elif record.value is not None and not isinstance(record.value, dict):
                        self._wrong(record, "must be a mapping of properties, or null for a record that is deleted")
                    else:
                        yield Stored(api, name, id, record.value)

    def _request(self, node: Node) -> Request:
        self._known(node, REQUEST)
        api = self._text(node / "api", "must be the name of an API, or control")
        if api and api != CONTROL and api not in self._contracts:
            self._wrong(node / "api", f"is no API{meant(api, self._contracts)}")
        if not isinstance((node / "answer").value, dict):
            self._wrong(node / "answer", "must be a mapping with the status and what else was answered")
        headers = self._headers(node / "headers")
        for name, _ in headers:
            if name.lower() in FRAMING or name.lower().startswith("proxy-"):
                self._wrong(node / "headers" / name, "is written by whoever sends the request; leave it out")
        operation = self._operation(node / "operation", api)
        self._placeholders(node, api, operation)
        id = self._text(node / "id", "must be a text that names the request")
        self._ids.append(id)
        return Request(
            id=id,
            at=self._time(node / "at"),
            api=api,
            operation=operation,
            method=self._text(node / "method", f"must be a method such as {', '.join(METHODS)}", _METHOD),
            target=self._target(node / "target", api),
            headers=headers,
            body=self._body(node),
            answer=self._answer(node / "answer"),
        )

    def _operation(self, node: Node, api: str) -> str:
        contract = self._contracts.get(api)
        if node.value is None or contract is None:
            return node.text or ""
        return self._text(node, "must be the id of an operation of the contract", _one_of(contract.operations))

    def _placeholders(self, node: Node, api: str, operation: str) -> None:
        """Those that are filled in: in the target, in header fields, and in the body of a login."""
        parts = [node / "target", *(node / "headers").parts()]
        contract = self._contracts.get(api)
        if contract and operation in contract.operations and contract.operations[operation].action in ("login", "renew"):
            parts += (node / "body").parts()
        for part in parts:
            for text in part.value if isinstance(part.value, list) else [part.value]:
                for match in _PLACEHOLDER.finditer(text) if isinstance(text, str) else ():
                    self._placeholder(part, api, match)

    def _placeholder(self, node: Node, api: str, match: re.Match[str]) -> None:
        name, closed = match[1], match[2]
        if not closed:
            self._wrong(node, f"has a placeholder without an end: {match[0][:60]}")
        elif api == CONTROL:
            if name != WORLD[2:-1]:
                self._wrong(node, f"${{{name}}} stands for nothing here; there is {WORLD}")
        elif name.startswith("session."):
            if name.removeprefix("session.") not in self._ids:
                self._wrong(node, f"${{{name}}} is the session of no request before this one{meant(name[8:], self._ids)}")
        elif name not in _ALWAYS and self._credentials is not None:
            known = [one for one in self._credentials if one.startswith(f"{api}.")]
            if name not in known:
                self._wrong(node, f"${{{name}}} stands for no credential of {api}{meant(name, [*known, *_ALWAYS])}")

    def _target(self, node: Node, api: str) -> str:
        contract = self._contracts.get(api)
        base = f"/_mock/worlds/{WORLD}" if api == CONTROL else contract.base_path if contract else ""
        target = self._text(node, f"must be a path below {base}, percent-encoded", _TARGET)
        path = unquote(target.partition("?")[0])
        leaves = any(step in (".", "..") for step in re.split(r"[/\\]", path))
        inside = _CONTROL.fullmatch(target) if api == CONTROL else target.startswith((f"{base}/", f"{base}?")) or target == base
        if target and base and (leaves or not inside):
            what = f"must be {base}/faults, /rate-limits or /trash" if api == CONTROL else f"must be a path below {base}"
            self._wrong(node, what)
        return target

    def _answer(self, node: Node) -> Answer:
        self._known(node, ANSWER)
        return Answer(self._whole(node / "status", 0, 999), self._headers(node / "headers"), self._body(node))

    def _time(self, node: Node) -> int | None:
        try:
            if node.text is not None and len(node.text) <= len("2025-12-31"):
                raise ValueError("it is a date alone")
            return None if node.value is None else clock.read(node.value)
        except (TypeError, ValueError):
            self._wrong(node, 'must be a time like "2025-12-31T23:59:50.123Z"')
            return None

    def _headers(self, node: Node) -> Headers:
        found = []
        for name, part in self._named(node):
            if part.value == []:
                self._wrong(part, "must be a text, or a list of texts that is not empty")
            for value in part.value if isinstance(part.value, list) else [part.value]:
                text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None
                if text is None or not _NAME.fullmatch(name) or not _VALUE.fullmatch(text):
                    self._wrong(part, "is no header field of HTTP: a name and a text on one line")
                else:
                    found.append((name, text))
        return tuple(found)

    def _body(self, node: Node) -> Body | None:
        there = [form for form in FORMS if form in node.mapping]
        for form in there[1:]:
            self._wrong(node / form, f"does not go with {there[0]}")
        if not there:
            return None
        if there[0] == "body":
            return Body("body", node.mapping["body"])
        value = node / there[0]
        if value.text is None:
            self._wrong(value, "must be a text")
            return None
        if there[0] == "text":
            return Body("text", value.text)
        if there[0] == "json":
            return self._json(value, value.text)
        try:
            base64.b64decode(value.text, validate=True)
        except (binascii.Error, ValueError):
            self._wrong(value, "is not base64")
        return Body("base64", value.text)

    def _json(self, node: Node, text: str) -> Body | None:
        body = body_of(text)
        if body is None or body.form != "body":
            self._wrong(node, "is not JSON, or has a name twice; it can stand as `text`")
        return body


def _one_of(names: Collection[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, names)))


def number(contract: Contract, resource: str, id: str) -> int | None:
    """The number of the record with an id that is written as text; None if it cannot be one."""
    counter = contract.resources[resource].id
    value: Json = id if counter.pattern else int(id) if id.isdecimal() and id.isascii() and len(id) < len(str(1 << 63)) else None
    return counter.number(value)
