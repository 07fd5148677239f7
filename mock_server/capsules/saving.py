"""A world's journal, a HAR file, or a finding of the suites -> a capsule without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import orjson

from mock_server import clock, har, messages
from mock_server.addresses import Addresses
from mock_server.capsules.capsule import FRAMING, WORLD, Answer, Body, Capsule, Headers, NoCapsule, Request, Stored, body_of
from mock_server.capsules.destinations import without_counts
from mock_server.client import Server
from mock_server.contract import Contract, Json
from mock_server.credentials import Credentials
from mock_server.documents import meant
from mock_server.outline import CONTROL
from mock_server.secrecy import LEAST, Secrets

UNKNOWN, SESSION = "${unknown}", "${session}"  # a secret that nobody kept; any session
NOT_SENT = FRAMING | {"accept-encoding", "accept-language", "baggage", "cache-control", "cookie", "date", "dnt", "forwarded",
                      "if-none-match", "origin", "pragma", "priority", "range", "referer", "save-data", "traceparent",
                      "tracestate", "upgrade-insecure-requests", "user-agent", "via", "x-real-ip", "x-request-id"}  # fmt: skip
NOT_SENT_PREFIXES = ("sec-", "x-forwarded-", "x-mock-", "proxy-", ":")
TOLD = frozenset({"allow", "content-type", "link", "location", "preference-applied", "retry-after", "www-authenticate",
                  "x-mock-ignored-parameters"})  # fmt: skip  # What of an answer's header is compared.
TOLD_PREFIX = "x-ratelimit-"

_CONTROL = re.compile(r"/_mock/worlds/[^/?]+(?=/(?:faults|rate-limits|trash)(?:[/?]|$))")
_PLACEHOLDER = re.compile(r"\$\{([\w-]+)((?:\.[\w-]+)*)\}")


@dataclass(frozen=True)
class Start:
    """Where a world began."""

    seed: int = 1
    scale: int = 60
    situation: str = ""


class Saving:
    """Makes capsules of what is told of requests and answers."""

    def __init__(self, contracts: Mapping[str, Contract], known: Sequence[Credentials]) -> None:
        self._contracts = contracts
        self._known = known
        self._secrets = Secrets(contracts, known)
        self._paths = {
            name: [
                (one.method, re.compile(re.sub(r"\\\{[^{}]+\\\}", "[^/]*", re.escape(one.path))), one.operation_id)
                for one in contract.operations.values()
            ]
            for name, contract in contracts.items()
        }

    def from_journal(self, server: Server, world: str, ids: Sequence[str] = ()) -> Capsule:
        """What a world was asked up to a request, by default the last that was refused; of several ids, these alone.

        Raises NoCapsule, Refused, Unreachable.
        """
        path = f"/worlds/{quote(world, safe='')}"
        journal, about = server.control("GET", f"{path}/journal?limit=1000000&inferred=false"), server.control("GET", path)
        exchanges = journal["exchanges"]
        there = [one["id"] for one in exchanges]
        if unknown := [id for id in ids if id not in there]:
            kept = f"there are {there[0]} to {there[-1]}" if there else "its journal is empty"
            raise NoCapsule(f"The world {world} has no request {', '.join(unknown)}; {kept}.")
        refused = [one["id"] for one in exchanges if one["api"] != CONTROL and one["answer"]["status"] >= 400]
        if not ids and not refused:
            raise NoCapsule(f"No request to the world {world} was refused; name one with --request ID.")
        shows = max(ids, key=there.index) if ids else refused[-1]
        wanted = exchanges[: there.index(shows) + 1]
        if len(ids) > 1:
            wanted = [one for one in wanted if one["id"] in ids]
        start = Start(about["seed"], about["scale"], about["situation"] or "")
        made = self.made(wanted, shows, start, "")
        asked = {request.api for request in made.requests}
        records, trash = self._written(journal.get("start"), asked)
        armed = self._armed_before(server, path, exchanges)
        return self._masked(replace(made, records=records, trash=trash, faults=armed), exchanges)

    def _masked(self, capsule: Capsule, exchanges: Sequence[Json]) -> Capsule:
        """The capsule without secrets in what was there before its requests."""
        found = self._secrets.found(exchanges)

        def masked(value: Json) -> Json:
            return self._secrets.masked_value(value, found, UNKNOWN)

        records = tuple(replace(one, record=masked(one.record)) for one in capsule.records)
        return replace(
            capsule, records=records, trash=tuple(map(masked, capsule.trash)), faults=tuple(map(masked, capsule.faults))
        )

    def from_har(self, path: Path, entry: int | None, start: Start) -> Capsule:
        """The requests of a HAR file that are for the APIs of the contracts, up to an entry: by default the last refused one.

        Raises NoCapsule.
        """
        try:
            entries = har.read(path.read_bytes())
        except OSError as error:
            raise NoCapsule(f"{path} cannot be read: {error.strerror}") from None
        except har.BrokenHar as broken:
            raise NoCapsule("\n".join(f"{path}: {mistake}" for mistake in broken.mistakes)) from None
        addresses = Addresses(self._contracts)
        exchanges = {index: told for index, one in enumerate(entries) if (told := self._entry(index, one, addresses)) is not None}
        if not exchanges:
            raise NoCapsule(f"{path}: none of its {len(entries)} requests with an answer is for {', '.join(self._contracts)}.")
        if entry is not None and entry not in exchanges:
            what = (
                "is for no API that is known, or has no answer"
                if entry < len(entries)
                else f"is not there: it has {len(entries)}"
            )
            raise NoCapsule(f"{path}: entry {entry} {what}.")
        refused = [index for index, told in exchanges.items() if told["answer"]["status"] >= 400]
        if entry is None and not refused:
            raise NoCapsule(f"{path}: no request was refused; name one with --entry NUMBER, the first is 0.")
        last = refused[-1] if entry is None else entry
        return self.made([told for index, told in exchanges.items() if index <= last], str(last), start, "")

    def from_finding(self, path: Path, start: Start) -> Capsule:
        """The requests of a finding; the last shows it.

        Raises NoCapsule.
        """
        try:
            told = orjson.loads(path.read_bytes())
        except OSError as error:
            raise NoCapsule(f"{path} cannot be read: {error.strerror}") from None
        except orjson.JSONDecodeError as error:
            raise NoCapsule(f"{path} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
        if (wrong := _wrong(told, self._contracts)) != "":
            raise NoCapsule(f"{path}: {wrong}")
        return self.of_finding(told, start)

    def of_finding(self, told: Json, start: Start) -> Capsule:
        """The requests of a finding: {"api": …, "title": …, "requests": [{"request": …, "answer": …}, …]}; the last shows it.

        Raises NoCapsule.
        """
        exchanges = [
            {"id": str(index), "api": told["api"], "operation": None, **self._at_the_mock(told["api"], one)}
            for index, one in enumerate(told["requests"], 1)
        ]
        return self.made(exchanges, str(len(exchanges)), start, str(told.get("title", "")))

    def made(self, exchanges: Sequence[Json], shows: str, start: Start, title: str) -> Capsule:
        """A capsule of exchanges as the journal tells them, in the order of time.

        Raises NoCapsule.
        """
        found = self._secrets.found(exchanges)
        requests = tuple(request for told in exchanges for request in self._request(self._secrets.masked(told, found, UNKNOWN)))
        if not any(request.id == shows for request in requests):
            raise NoCapsule(f"Request {shows} is none that can be asked again.")
        digests = {request.api: self._contracts[request.api].digest for request in requests if request.api != CONTROL}
        made = Capsule(title, dict(sorted(digests.items())), requests, shows, start.seed, start.scale, start.situation)
        reason = next((told.get("reason") for told in exchanges if str(told["id"]) == shows), None)
        return replace(made, title=title or _title(made.failing, reason))

    def recorded(self, capsule: Capsule, steps: Sequence[tuple[Request, Answer]]) -> Capsule:
        """The capsule with these requests and what was answered to them now.

        Raises NoCapsule.
        """
        start = Start(capsule.seed, capsule.scale, capsule.situation)
        made = self.made([_told(*step) for step in steps], capsule.shows, start, capsule.title)
        times = {request.id: request.at for request, _ in steps}
        requests = tuple(replace(request, at=times[request.id]) for request in made.requests)
        return replace(capsule, contracts=made.contracts, requests=requests)

    def without_secrets(self, steps: Sequence[tuple[Request, Answer]], values: Iterable[str]) -> list[Answer]:
        """The answers without any secret; the values are some that are known."""
        exchanges = [_told(*step) for step in steps]
        found = self._secrets.found(exchanges)
        for value in values:
            found.note(value, "", everywhere=len(value) >= LEAST and not self._secrets.is_public(value))
        masked = (self._secrets.masked(told, found)["answer"] for told in exchanges)
        return [Answer(one["status"], tuple(map(tuple, one["headers"])), _body_told(one)) for one in masked]

    def _request(self, told: Json) -> Iterator[Request]:
        """The request of an exchange that is masked, if it matters."""
        api, sent = str(told["api"]), told["request"]
        target = quote(sent["target"], safe="%/:?[]@!$&'()*+,;=-._~{}")
        if api == CONTROL:
            if sent["method"] == "GET" or not _CONTROL.match(target):
                return
            target = _CONTROL.sub(f"/_mock/worlds/{WORLD}", target, count=1)
        headers, answered = tuple(self._sent(api, sent.get("headers", ()))), told["answer"]
        answer = Answer(
            answered["status"],
            tuple((name, value) for name, value in answered.get("headers", ()) if self._is_told(name)),
            _body_told(answered),
        )
        operation = told.get("operation") or self._operation(api, sent["method"], target)
        yield Request(
            id=str(told["id"]),
            at=_instant(told.get("at")),
            api=api,
            operation=operation,
            method=sent["method"],
            target=_own(target, api),
            headers=tuple(self._with_session(api, operation, headers, answer)),
            body=_body_told(sent),
            answer=answer,
        )

    def _sent(self, api: str, headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """The header fields of a request that may make a difference."""
        carrying = self._secrets.cookies
        for name, value in headers:
            plain = name.lower()
            if plain == "cookie":
                kept = [part.strip() for part in value.split(";") if part.partition("=")[0].strip().lower() in carrying]
                if kept:
                    yield name, _own("; ".join(kept), api)
            elif plain not in NOT_SENT and not plain.startswith(NOT_SENT_PREFIXES) and (plain, value) != ("accept", "*/*"):
                yield name, _own(value, api)

    @staticmethod
    def _is_told(name: str) -> bool:
        return name.lower() in TOLD or name.lower().startswith(TOLD_PREFIX)

    def _with_session(self, api: str, operation: str, headers: Headers, answer: Answer) -> Iterator[tuple[str, str]]:
        """A session that was taken, and that no kept request opened, is any session."""
        contract = self._contracts.get(api)
        header = contract.sessions.header.lower() if contract and contract.sessions else ""
        for name, value in headers:
            any_will_do = name.lower() == header and value == UNKNOWN and operation and answer.status != 401
            yield name, SESSION if any_will_do else value

    def _operation(self, api: str, method: str, target: str) -> str:
        if api not in self._contracts:
            return ""
        path = target.partition("?")[0].removeprefix(self._contracts[api].base_path)
        return next((id for known, pattern, id in self._paths[api] if known == method and pattern.fullmatch(path)), "")

    def _written(self, start: Json, asked: set[str]) -> tuple[tuple[Stored, ...], tuple[Json, ...]]:
        """The records and the trash of an export, as far as the APIs that were asked go."""
        records: list[Stored] = []
        trash: list[Json] = []
        for api, part in (start or {"apis": {}})["apis"].items():
            if api not in asked or api not in self._contracts:
                continue
            for name, found in part["records"].items():
                id = self._contracts[api].resources[name].id
                records += [Stored(api, name, str(id.value(int(number))), record) for number, record in found.items()]
            if CONTROL in asked:  # Nothing else looks into it.
                trash += [{"api": api, **one} for one in part["trash"]]
        return tuple(records), tuple(trash)

    def _armed_before(self, server: Server, path: str, exchanges: Sequence[Json]) -> tuple[Json, ...]:
        """The faults that acted and that no kept request armed."""
        acted = {one["fault"] for one in exchanges if one.get("fault")}
        if not acted:
            return ()
        here = {_name_of_fault(one) for one in exchanges if one["api"] == CONTROL}
        armed = server.control("GET", f"{path}/faults")["faults"]
        return tuple(without_counts(one) for one in armed if one["name"] in acted - here)

    def _entry(self, index: int, entry: har.Entry, addresses: Addresses) -> Json:
        """An entry of a HAR file as the journal tells exchanges; None if it is for no API, or has no answer."""
        request, answer = entry.request, entry.answer
        found = addresses.located(request.url, request.method, [name for name, _ in request.headers])
        if found is None or answer is None:
            return None
        return {
            "id": str(index),
            "at": entry.at or None,
            "api": found.api,
            "operation": self._operation(found.api, request.method, found.target) or None,
            "request": {
                "method": request.method,
                "target": found.target,
                "headers": list(request.headers),
                **messages.told(request.body),
            },
            "answer": {"status": answer.status, "headers": list(answer.headers), **messages.told(answer.body)},
        }

    def _at_the_mock(self, api: str, told: Json) -> dict[str, Json]:
        """Request and answer of a finding: targets begin at the root, and credentials have the names that they have here."""
        text = _PLACEHOLDER.sub(self._renamed, orjson.dumps({part: told[part] for part in ("request", "answer")}).decode())
        made: dict[str, Json] = orjson.loads(text)
        base, target = self._contracts[api].base_path, made["request"]["target"]
        made["request"]["target"] = target if target.startswith(f"{base}/") else base + target
        return made

    def _renamed(self, match: re.Match[str]) -> str:
        for credentials in self._known:
            if credentials.contract.name == match[1] and credentials.known:
                name, *rest = match[2].split(".")[1:] or [""]
                same = [one for one in credentials.known if name in (one.name, f"{one.name}_KEY".upper())]
                return f"${{{'.'.join([match[1], (same or credentials.known)[0].name, *rest])}}}"
        return match[0]


def _own(text: str, api: str) -> str:
    """A text in which the credentials of other APIs are unknown ones."""
    return _PLACEHOLDER.sub(lambda match: match[0] if match[1] in (api, "session", "world") else UNKNOWN, text)


def _instant(text: Json) -> int | None:
    """A time as the journal or a HAR file has it; None if it is none."""
    try:
        return clock.read(str(text).upper())
    except ValueError:
        return None


def _body_told(message: Json) -> Body | None:
    return body_of(message.get("body"), message.get("encoding", ""))


def _told(request: Request, answer: Answer) -> Json:
    """A request of a capsule and its answer as the journal tells them."""
    bodies = [messages.told(body.encoded if body is not None else None) for body in (request.body, answer.body)]
    return {
        "id": request.id,
        "api": request.api,
        "operation": request.operation or None,
        "request": {"method": request.method, "target": request.target, "headers": list(request.headers), **bodies[0]},
        "answer": {"status": answer.status, "headers": list(answer.headers), **bodies[1]},
    }


def _name_of_fault(told: Json) -> str:
    """The name of the fault that a control request armed; "" if it did not."""
    body = body_of(told["answer"].get("body"))
    return str(body.value.get("name", "")) if body is not None and isinstance(body.value, dict) else ""


def _title(failing: Request, reason: Json) -> str:
    what = failing.operation or f"{failing.method} {failing.target.partition('?')[0]}"
    return f"{what} of {failing.api} answers {failing.answer.status}" + (f": {reason}" if reason else "")


def _wrong(told: Json, contracts: Mapping[str, Contract]) -> str:
    """Why a value is no finding; "" if it is one."""
    if not isinstance(told, dict) or not isinstance(told.get("requests"), list) or not told["requests"]:
        return 'it is no finding: {"api": …, "title": …, "requests": [{"request": …, "answer": …}, …]}'
    if told.get("api") not in contracts:
        return f"{told.get('api')} is no API{meant(str(told.get('api')), contracts)}"
    for index, one in enumerate(told["requests"]):
        if (message := _wrong_exchange(one)) != "":
            return f"/requests/{index}{message}"
    return ""


def _wrong_exchange(one: Json) -> str:
    request, answer = (one.get("request"), one.get("answer")) if isinstance(one, dict) else (None, None)
    if not isinstance(request, dict) or not isinstance(answer, dict):
        return " must have a request and an answer"
    if not isinstance(request.get("method"), str) or not str(request.get("target", "")).startswith("/"):
        return "/request must have a method, and a target that begins with /"
    if not isinstance(answer.get("status"), int):
        return "/answer must have a status"
    for part, message in (("request", request), ("answer", answer)):
        if not all(isinstance(pair, list) and list(map(type, pair)) == [str, str] for pair in message.get("headers", [])):
            return f"/{part}/headers must be a list of pairs of a name and a value"
        if not isinstance(message.get("body"), (str, type(None))):
            return f"/{part}/body must be a text or null"
    return ""
