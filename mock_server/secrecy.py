"""A request and its answer -> the same without secrets, wherever they stand."""

from __future__ import annotations

import base64
import binascii
import contextlib
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from mock_server.contract import Contract, Json
from mock_server.credentials import Credential, Credentials

MASK = "***"
LEAST = 8  # characters of a secret that is masked wherever else it stands
WORLD_COOKIE = "mock_world"  # names a world, and is no secret

Steps = tuple[str | int, ...]  # The way to a value in JSON: names and indices.

_WORDS = frozenset({"auth", "authorization", "credential", "jwt", "passcode", "passphrase", "passwd", "password", "pwd",
                    "secret", "session", "token"})  # fmt: skip
_PAIRS = frozenset({("access", "key"), ("api", "key"), ("private", "key"), ("shared", "key"), ("subscription", "key")})
_ENDS = ("apikey", "authorization", "passphrase", "passwd", "password", "secret", "sessionid", "sessiontoken", "token")
_ALONE = frozenset({"key", "sid", "sig", "signature"})  # names of a secret only in a query
_ENDS_OF_QUERY = ("-signature", "_signature")  # likewise: X-Amz-Signature
_HINTS = ("auth", "basic ", "bearer ", "credential", "jwt", "key", "pass", "pwd", "secret", "session", "sig", "token", "=",
          "://", "\\", "%")  # fmt: skip
_ESCAPING = ("\\", "%", "…")  # with which a secret may stand in a text in another form than usual
_AUTHORIZING = frozenset({"authorization", "proxy-authorization"})
_SCHEMES = frozenset({"apikey", "basic", "bearer", "digest", "dpop", "hoba", "mutual", "negotiate", "token"})
_STRUCTURE = frozenset({"id", "world", "at", "milliseconds", "api", "operation", "status", "method", "encoding"})
_SESSION = re.compile(r"\$\{session(\.[0-9]{1,10})?\}")
_PUBLIC = frozenset({"algorithm", "charset", "opaque", "qop", "realm", "uri", "username"})  # parameters of Authorization
_IN_URL_CHARACTERS = "/:@!$'()*,;~{}"  # that stay as they are
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_FORM = re.compile(r"[^\s={}<>\"]+=[^\s{}<>\"]*")
_IN_TEXT = re.compile(r"(?:^|(?<=[?&;,#])|(?<=[;,] ))([^=?&;,#\s\"'<>]{1,200})(=[\"']?)([^&;#\s\"'<>]+)")  # name=value of a URL
_IN_PATH = re.compile(r"(?:(?<=;)|(?<=%3[Bb]))([^=/;]{1,200})(=)([^/;]+)")  # the parameters of a step
_CREDENTIAL = re.compile(  # in a text: what follows is no word of prose, as in "Bearer authentication"
    r"\b(?:Basic|Bearer) +(?![A-Za-z]?[a-z]+(?![\w.~+/=-]))[\w.~+/=-]{8,}", re.IGNORECASE | re.ASCII
)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"?', re.DOTALL)
_USER = re.compile(r"(?<=://)[^/?#\s@\"'<>]+(?=@)")  # USER:PASSWORD of a URL
_NAME = re.compile(r"(?<![\w.-])([\w.-]{1,200})[\"']?(?:\s{0,20}[:=>]|\r?\n\r?\n)\s{0,20}")  # in what is no JSON and no form
_VALUE = re.compile(r'"(?:[^"\\]|\\.)*"?|\'[^\']*\'?|[\[{].*|[^"\'\r\n,;&<>}\]]+', re.DOTALL)


@lru_cache(4096)
def secret(name: str) -> bool:
    """Whether a header field, parameter or property of this name holds a secret: ApiKey, x-auth-token, userPassword."""
    words = [word.lower() for word in _WORD.findall(name[:200])]
    singular = [word.removesuffix("s") for word in words]
    if not _WORDS.isdisjoint(words) or not (_WORDS - {"session"}).isdisjoint(singular):
        return True
    return "".join(words).removesuffix("s").endswith(_ENDS) or not _PAIRS.isdisjoint(pairwise(singular))


def _in_query(name: str) -> bool:
    """Whether a parameter of this name holds a secret."""
    plain = name.lower()
    return plain in _ALONE or plain.endswith(_ENDS_OF_QUERY) or secret(name)


@dataclass
class Found:
    """Secrets that were found, and what stands for each; "" where nothing tells which it is."""

    known: dict[str, str] = field(default_factory=dict)
    _written: dict[str, str] = field(default_factory=dict, repr=False)  # each long one in every form it may have in a text
    _sorted: list[tuple[str, str]] = field(default_factory=list, repr=False)

    def note(self, value: str, placeholder: str, *, everywhere: bool) -> None:
        """A secret, which may be masked wherever it stands."""
        if value in self.known and (self.known[value] or not placeholder):
            return
        self.known[value] = placeholder
        if everywhere:
            self._written |= dict.fromkeys(_forms(value), placeholder)
            self._sorted = []

    def longest_first(self) -> list[tuple[str, str]]:
        if len(self._sorted) != len(self._written):
            self._sorted = sorted(self._written.items(), key=lambda pair: -len(pair[0]))
        return self._sorted


class Secrets:
    """What is secret by the contracts, and by its name.

    A secret becomes the name of the well-known credential that it is (`${API.NAME}`, or `${API.NAME.PROPERTY}` for a property of
    a login), `${session.ID}` if exchange ID opened that session, and else ***. What is masked already stays.
    """

    def __init__(self, contracts: Mapping[str, Contract], known: Iterable[Credentials]) -> None:
        self.headers, self.query, self.cookies = ({*_named(contracts, where)} for where in ("header", "query", "cookie"))
        self.logins = {
            name: {property.lower(): property for property in contract.sessions.credentials}
            for name, contract in contracts.items()
            if contract.sessions
        }
        self.actions = {
            (name, operation.operation_id): operation.action
            for name, contract in contracts.items()
            for operation in contract.operations.values()
        }
        self.sessions = {
            (name, operation.operation_id): frozenset(ways_to("$session", operation.envelope))
            for name, contract in contracts.items()
            for operation in contract.operations.values()
        }
        self._texts = [contract.text for contract in contracts.values()]
        every = list(_well_known(known))
        self._placeholders = {(api, property, value): text for api, property, value, text in reversed(every)}  # The first counts.
        self._of_any = {value: text for (_, property, value), text in self._placeholders.items() if not property}
        self._allowed = {MASK, "${unknown}", *(text for *_, text in every)}

    def found(self, exchanges: Iterable[Json], before: Found | None = None) -> Found:
        """The secrets in exchanges, which come in the order of time."""
        found = Found() if before is None else before
        for exchange in exchanges:
            _Reading(self, exchange, found).hidden()
        return found

    def masked(self, exchange: Json, found: Found | None = None, unknown: str = MASK) -> Json:
        """An exchange, as the journal tells it, without its secrets and without those found in others; it is not changed."""
        found = Found() if found is None else found
        hidden = _Reading(self, exchange, found, unknown).hidden()
        return _Replacing(found, unknown).exchange(hidden)

    def masked_value(self, value: Json, found: Found, unknown: str = MASK) -> Json:
        """Any JSON without its secrets and without those found in exchanges."""
        hidden = _Reading(self, {}, found, unknown).value(value)
        return _Replacing(found, unknown).value(hidden)

    def target(self, text: str) -> str:
        """A path with query, without the values whose names are those of secrets."""
        return _Reading(self, {}, Found()).target(text)

    def known(self, api: str, property: str, value: str) -> str:
        """What stands for a well-known credential, or a property of one; "" for any other value."""
        return self._placeholders.get((api, property, value)) or ("" if property else self._of_any.get(value, ""))

    def is_mask(self, value: str) -> bool:
        """Whether something stands for a secret already."""
        return value in self._allowed or _SESSION.fullmatch(value) is not None

    def is_public(self, value: str) -> bool:
        """Whether the contracts show this text: then it may stand wherever it likes."""
        return any(value.encode(errors="surrogatepass") in text for text in self._texts)


@dataclass
class _Reading:
    """One exchange, in which the places of secrets are looked up."""

    rules: Secrets
    exchange: Json
    found: Found
    unknown: str = MASK

    def __post_init__(self) -> None:
        self.api = str(self.exchange.get("api") or "")
        self.operation = str(self.exchange.get("operation") or "")
        action = self.rules.actions.get((self.api, self.operation))
        # Where no operation was met, a login may have gone astray.
        self.login = self.rules.logins.get(self.api, {}) if action in ("login", "renew", None) else {}
        self.opens = action in ("login", "renew")

    def hidden(self) -> Json:
        """The exchange with every secret masked that stands where secrets are."""
        made = dict(self.exchange)
        if isinstance(request := made.get("request"), dict):
            part = self._part(request, frozenset())
            made["request"] = {**part, "target": self.target(str(part.get("target", "")))}
        if isinstance(answer := made.get("answer"), dict):
            made["answer"] = self._part(answer, self.rules.sessions.get((self.api, self.operation), frozenset()))
        return made

    def target(self, text: str) -> str:
        """A path with query."""
        path, sign, query = text.partition("?")
        query, mark, fragment = query.partition("#")
        return f"{_IN_PATH.sub(self._named, _USER.sub(self._user, path))}{sign}{self._pairs(query)}{mark}{self._pairs(fragment)}"

    def value(self, value: Json) -> Json:
        """Any JSON."""
        return self._value(value, (), frozenset())

    def _part(self, part: Mapping[str, Json], sessions: frozenset[Steps]) -> dict[str, Json]:
        """A request or an answer; the sessions are at these places in its body."""
        made = dict(part)
        if "headers" in made:
            made["headers"] = [[name, self._header(name, value)] for name, value in made["headers"]]
        if isinstance(made.get("body"), str):
            headers = {name.lower(): value for name, value in part.get("headers", ())}
            if made.get("encoding") == "base64" and headers.get("content-encoding", "identity") != "identity":
                return {name: self.unknown if name == "body" else value for name, value in made.items() if name != "encoding"}
            form = headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded")
            made["body"] = _recoded(made, lambda text: self._body(text, sessions, form=form))
        return made

    def _header(self, name: str, value: str) -> str:
        plain = name.lower()
        if plain in ("cookie", "set-cookie"):
            first, mark, attributes = value.partition(";") if plain == "set-cookie" else (value, "", "")
            return ";".join(map(self._cookie, first.split(";"))) + mark + attributes
        if plain in _AUTHORIZING or plain in self.rules.headers or secret(name):
            return self._credential(value)
        return self._text(value)

    def _cookie(self, pair: str) -> str:
        name, sign, value = pair.partition("=")
        if name.strip() == WORLD_COOKIE:
            return pair
        return f"{name}{sign}{self._secret(value)}" if sign else self._secret(pair)

    def _credential(self, value: str) -> str:
        """The value of a header field such as Authorization: its scheme is no secret."""
        scheme, space, rest = value.partition(" ")
        if scheme.lower() not in _SCHEMES:
            return self._secret(value)
        for part in _basic(rest) if scheme.lower() == "basic" else _parameters(rest):
            self._secret(part)
        return f"{scheme}{space}{self._secret(rest)}"

    def _body(self, text: str, sessions: frozenset[Steps], *, form: bool) -> str:
        if not (sessions or self.login or _may_tell(text)):
            return text
        try:
            return _json_changed(text, lambda value: self._value(value, (), sessions))
        except (ValueError, RecursionError):
            return self._pairs(text) if form or _FORM.fullmatch(text) else self._loosely(text)

    def _value(self, value: Json, way: Steps, sessions: frozenset[Steps], property: str | None = None) -> Json:
        """A value of JSON, which stands at the end of the way; it is the property of a login, or a secret of another kind: ""."""
        if isinstance(value, dict):
            return {
                name: self._value(part, (*way, name), sessions, self._property(name) if property is None else property)
                for name, part in value.items()
            }
        if isinstance(value, list):
            return [self._value(part, (*way, index), sessions, property) for index, part in enumerate(value)]
        if value is None or isinstance(value, bool):
            return value
        if way in sessions:
            return self._session(str(value))
        if property is not None:
            carries = property == "" and self._carries_credential(way)
            return self._credential(str(value)) if carries else self._secret(str(value), property)
        return self._text(value) if isinstance(value, str) else value

    def _carries_credential(self, way: Steps) -> bool:
        """Whether a property is named like a header field with a credential, as that of a fault is."""
        name = str(way[-1]).lower() if way else ""
        return name in _AUTHORIZING or name in self.rules.headers

    def _property(self, name: str) -> str | None:
        """Of which property of a login a name is; "" for another secret, None for none."""
        return self.login.get(name.lower()) or ("" if secret(name) else None)

    def _text(self, text: str) -> str:
        """A text that is no secret itself: JSON or a URL in it may hold one."""
        if text[:1] in ("{", "["):
            try:
                return _json_changed(text, lambda value: self._value(value, (), frozenset()))
            except (ValueError, RecursionError):
                return self._loosely(text)
        if "=" in text:
            text = _IN_TEXT.sub(self._named, text)
        if "://" in text:
            text = _USER.sub(self._user, text)
        return self._credentials(text)

    def _named(self, match: re.Match[str]) -> str:
        return f"{match[1]}{match[2]}{self._parameter(match[1], match[3])}"

    def _credentials(self, text: str) -> str:
        """A text without what follows `Bearer` in it."""
        return _CREDENTIAL.sub(lambda match: self._credential(match[0]), text) if " " in text else text

    def _pairs(self, text: str) -> str:
        """A query or a form."""
        pairs = [pair.partition("=") for pair in text.split("&")]
        return "&".join(f"{name}{sign}{self._parameter(name, value)}" for name, sign, value in pairs)

    def _parameter(self, name: str, value: str) -> str:
        """The value of a name, both percent-encoded."""
        told = unquote_plus(name)
        login = self.login.get(told.lower(), "")
        if value and (login or told.lower() in self.rules.query or _in_query(told)):
            self._secret(value)  # As it stands as well: it may be repeated so.
            return self._secret(unquote_plus(value), login)
        plain = unquote_plus(value)
        changed = self._text(plain)  # It may be a URL itself.
        return value if changed == plain else quote(changed, safe=_IN_URL_CHARACTERS + "?=", errors="surrogatepass")

    def _user(self, match: re.Match[str]) -> str:
        for part in match[0].split(":")[1:]:
            self._secret(unquote(part))
        return self._secret(match[0])

    def _loosely(self, text: str) -> str:
        """A text of another kind, in which names are followed by values."""
        parts, start = [], 0
        while name := _NAME.search(text, start):
            parts.append(text[start : name.end()])
            start = name.end()
            login = self.login.get(name[1].lower(), "")
            if (login or secret(name[1])) and (value := _VALUE.match(text, start)):
                mark = value[0][0] if value[0][0] in "\"'" else ""
                plain = value[0].strip(mark) if mark else value[0]
                for meant in _strings(plain):
                    self._secret(meant, login)
                parts.append(f"{mark}{self._secret(plain, login)}{mark if value[0].endswith(mark) else ''}")
                start = value.end()
        return self._credentials("".join(parts) + text[start:])

    def _secret(self, value: str, property: str = "") -> str:
        """What stands for a secret."""
        if not value or self.rules.is_mask(value):
            return self.unknown if value == MASK else value
        placeholder = self.rules.known(self.api, property, value)
        if not placeholder:
            placeholder = self.found.known.get(value, "")
            self._note(value, placeholder)
        return placeholder or self.unknown

    def _session(self, value: str) -> str:
        if self.opens and not self.rules.is_mask(value):
            self._note(value, f"${{session.{self.exchange['id']}}}" if "id" in self.exchange else "${session}")
        return self._secret(value)

    def _note(self, value: str, placeholder: str) -> None:
        for form in {value, value.strip()}:
            self.found.note(form, placeholder, everywhere=len(form) >= LEAST and not self.rules.is_public(form))


@dataclass
class _Replacing:
    """The secrets that were found, masked wherever they stand."""

    found: Found
    unknown: str

    def exchange(self, exchange: Mapping[str, Json]) -> Json:
        if not self.found.longest_first():
            return dict(exchange)
        made = {name: part if name in _STRUCTURE else self.value(part) for name, part in exchange.items()}
        for name in ("request", "answer"):
            if isinstance(part := exchange.get(name), dict):
                made[name] = self._part(part)
        return made

    def _part(self, part: Mapping[str, Json]) -> dict[str, Json]:
        made = {name: value if name in _STRUCTURE or name == "body" else self.value(value) for name, value in part.items()}
        if "target" in made:
            made["target"] = self._target(str(part["target"]))
        if isinstance(part.get("body"), str):
            made["body"] = _recoded(part, self._body)
        return made

    def _target(self, text: str) -> str:
        changed = self._text(text)
        plain = unquote_plus(changed)
        return changed if plain == self._text(plain) else quote(self._text(plain), safe=_IN_URL_CHARACTERS + "?&=%")

    def _body(self, text: str) -> str:
        if not any(sign in text for sign in _ESCAPING) and not any(value in text for value, _ in self.found.longest_first()):
            return text
        try:
            return _json_changed(text, self.value)
        except (ValueError, RecursionError):
            changed = self._text(text)
            plain = unquote_plus(changed)
            return changed if plain == self._text(plain) else self._text(plain)

    def value(self, value: Json) -> Json:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return {self._text(name): self.value(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self.value(part) for part in value]
        if isinstance(value, (int, float)) and str(value) in self.found.known and len(str(value)) >= LEAST:
            return self._text(str(value))
        return value

    def _text(self, text: str) -> str:
        if len(text) < LEAST:
            return text
        for value, placeholder in self.found.longest_first():
            if value in text:
                text = text.replace(value, placeholder or self.unknown)
        return self._cut_off(text) if "…" in text else text

    def _cut_off(self, text: str) -> str:
        """A message that repeats the beginning of what it is about."""
        for value, placeholder in self.found.longest_first():
            start = text.find(value[:LEAST])
            if start >= 0:
                end = text.find("…", start)
                if end > start and value.startswith(text[start:end]):
                    text = text[:start] + (placeholder or self.unknown) + text[end:]
        return text


def placeholder(api: str, credential: Credential, property: str = "") -> str:
    """What stands for a well-known credential, or a property of a login."""
    name = re.sub(r"[^\w-]+", "-", credential.name)
    return f"${{{'.'.join(part for part in (api, name, property) if part)}}}"


def _named(contracts: Mapping[str, Contract], where: str) -> Iterator[str]:
    """The names of the header fields, parameters or cookies that carry credentials, in lower case."""
    for contract in contracts.values():
        for scheme in contract.security_schemes.values():
            if scheme["type"] == "apiKey" and scheme["in"] == where:
                yield scheme["name"].lower()


def _well_known(known: Iterable[Credentials]) -> Iterator[tuple[str, str, str, str]]:
    """API, property of a login or "", value, placeholder."""
    for credentials in known:
        api = credentials.contract.name
        for one in credentials.known:
            if one.secret:
                yield api, "", one.secret, placeholder(api, one)
            for property, value in one.login.items():
                yield api, property, value, placeholder(api, one, property)


def ways_to(token: str, template: Json, way: Steps = ()) -> Iterator[Steps]:
    """Where a template has a token."""
    if template == token:
        yield way
    elif isinstance(template, Mapping):
        for name, part in template.items():
            yield from ways_to(token, part, (*way, name))


def _forms(value: str) -> Iterator[str]:
    """A text as it may stand in JSON, HTML, a URL or a form."""
    yield value
    yield quote(value, safe="", errors="surrogatepass")
    yield quote_plus(value, errors="surrogatepass")
    yield quote(value, safe=_IN_URL_CHARACTERS, errors="surrogatepass")
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield html.escape(value)


def _basic(text: str) -> Iterator[str]:
    """The password in what follows `Basic`, and both together."""
    try:
        plain = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return
    yield from (plain, plain.partition(":")[2])


def _may_tell(text: str) -> bool:
    """Whether something in a text may be the name of a secret, or an address that holds one."""
    folded = text.casefold()
    return any(hint in folded for hint in _HINTS)


def _parameters(text: str) -> Iterator[str]:
    """The secret values in what follows `Digest` and other schemes with parameters."""
    for name, sign, value in (part.strip().partition("=") for part in text.split(",")):
        if sign and name.lower() not in _PUBLIC:
            yield value.strip('"')


def _strings(text: str) -> Iterator[str]:
    """What may be meant by a part of a text in which secrets are: as it stands, its strings, and what JSON reads in them."""
    yield text
    for inner in [text, *(match[1] for match in _STRING.finditer(text))]:
        yield inner
        with contextlib.suppress(ValueError):
            yield json.loads(f'"{inner}"', strict=False)


def _recoded(part: Mapping[str, Json], change: Callable[[str], str]) -> str:
    """The body of a request or an answer with its text changed; as base64 if it is so now."""
    body = str(part["body"])
    if part.get("encoding") != "base64":
        return change(body)
    try:
        raw = base64.b64decode(body)
    except binascii.Error:
        return change(body)
    charset: str = json.detect_encoding(raw)
    try:
        text = raw.decode(charset)
    except UnicodeDecodeError:
        charset = "utf-8"
        text = raw.decode(charset, "surrogateescape")
    changed = change(text)
    return body if changed == text else base64.b64encode(changed.encode(charset, "surrogateescape")).decode()


def _json_changed(text: str, change: Callable[[Json], Json]) -> str:
    """A text that is JSON with its value changed; the same text if it was not.

    Raises ValueError, RecursionError: it is no JSON, or none that can be written again.
    """
    value = json.loads(text, object_pairs_hook=_without_doubles)
    changed = change(value)
    return text if changed == value else json.dumps(changed, ensure_ascii=False, separators=(",", ":"))


def _without_doubles(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found
