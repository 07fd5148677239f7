"""A request <-> the curl command that sends it, as a person pastes it into a POSIX shell or copies it out of a browser."""

from __future__ import annotations

import re
import shlex
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, quote_from_bytes, urlsplit

from mock_server import shell
from mock_server.documents import meant

LONGEST = 4 << 20  # characters of a command
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
ADDRESS = "!#$%&'()*+,-./:;=?@[]_{}~"  # what stays as it is in an address
OWN = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})  # curl says them itself


class NotCurl(ValueError):
    """A text that is no curl command, or none that can be read; the message says all that is wrong with it."""


@dataclass(frozen=True)
class Request:
    """What a client sends: the whole address, header fields in their order, and the bytes of the body."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


# Writing


def line(method: str, url: str, headers: Iterable[tuple[str, str]] = (), body: str | bytes | None = None) -> str:
    """The command, on one line. A body that a shell cannot write comes to curl from printf."""
    sent = [(name, value) for name, value in headers if name.lower() not in OWN and not name.startswith(":")]
    data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    words = ["curl", *_method(method.upper(), data), *(["--globoff"] if re.search(r"[\[\]{}]", url) else []), url]
    if "/." in urlsplit(url).path:
        words.insert(-1, "--path-as-is")
    for name, value in sent:
        words += ["-H", f"{name}: {value}" if value.strip() else f"{name};"]
    if data is not None and not any(name.lower() == "content-type" for name, _ in sent):
        words += ["-H", "Content-Type:"]  # Else curl would call it a form.
    if data is None:
        return shlex.join(words)
    text = _text(data)
    if text is not None:
        return shlex.join([*words, "--data-raw", text])
    return f"printf {shlex.quote(_printed(data))} | {shlex.join([*words, '--data-binary', '@-'])}"


def _method(method: str, body: bytes | None) -> list[str]:
    if method == "GET" and body is None:
        return []
    return ["--head"] if method == "HEAD" and body is None else ["-X", method]


def _text(body: bytes) -> str | None:
    """The body as a shell can hold it in a word."""
    try:
        return None if b"\0" in body else body.decode()
    except UnicodeDecodeError:
        return None


def _printed(body: bytes) -> str:
    """The format with which printf writes these bytes, in any shell and locale."""
    plain = re.compile(rb"[ -$&-\[\]-~]")  # all that is visible but % and the backslash
    return "".join(chr(byte) if plain.fullmatch(bytes([byte])) else f"\\{byte:03o}" for byte in body)


# Reading


def read(text: str) -> Request:
    """The request that a command sends. No file is read, no variable looked up, nothing run.

    Raises NotCurl.
    """
    if len(text) > LONGEST:
        raise NotCurl(f"This is longer than {LONGEST} characters.")
    try:
        commands = shell.commands(text)
    except shell.Unclear as unclear:
        raise NotCurl(str(unclear)) from None
    given = _given(commands[0]) if len(commands) > 1 else None
    command = _Command(None if given is None else given[0])
    command.read(commands[1] if given else commands[0])
    return command.request()


def _given(words: list[bytes]) -> tuple[bytes] | None:
    """What a printf or an echo before a pipe writes."""
    if words[:1] == [b"echo"]:
        quiet = words[1:2] == [b"-n"]
        return (b" ".join(words[2 if quiet else 1 :]) + (b"" if quiet else b"\n"),)
    if len(words) != 2 or words[0] != b"printf":
        return None
    escapes = re.compile(rb"\\([0-7]{1,3})|\\(.)|%(.)", re.DOTALL)
    return (escapes.sub(lambda match: bytes([int(match[1], 8) & 255]) if match[1] else _escaped(match), words[1]),)


def _escaped(match: re.Match[bytes]) -> bytes:
    return b"%" if match[3] == b"%" else shell.ESCAPES.get((match[2] or b"").decode("latin-1"), match[0])


def _decoded(word: bytes) -> str:
    try:
        return word.decode()
    except UnicodeDecodeError:
        return word.decode("latin-1")


@dataclass
class _Command:
    """The options of one curl, as they are read one after the other."""

    stdin: bytes | None = None  # what comes to it through a pipe
    mistakes: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    method: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    defaults: dict[str, str] = field(default_factory=dict)  # header fields that an option brings, unless they are given
    without: set[str] = field(default_factory=set)  # header fields that curl is told not to send
    data: list[bytes] = field(default_factory=list)
    query: list[bytes] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    cookies: list[str] = field(default_factory=list)

    def read(self, words: list[bytes]) -> None:
        name = re.split(r"[/\\]", _decoded(words[0]))[-1] if words else ""
        if name not in ("curl", "curl.exe"):
            raise NotCurl(f"A curl command begins with curl, not with {name[:40] or 'nothing'}.")
        waiting = iter(words[1:])
        for word in waiting:
            text = _decoded(word)
            if text.startswith("--") and len(text) > 2:
                self._long(text, word, waiting)
            elif text.startswith("-") and len(text) > 1 and text != "--":
                self._short(text[1:], word[1:], waiting)
            elif text != "--":
                self.urls.append(text)

    def _long(self, text: str, word: bytes, waiting: Iterator[bytes]) -> None:
        name, sign, _ = text[2:].partition("=")
        if name in VALUED:
            value = word.partition(b"=")[2] if sign else next(waiting, None)
            self._value(f"--{name}", VALUED[name], value)
        elif name in FLAGS:
            self.flags.add(FLAGS[name])
        elif name in REFUSED:
            self.mistakes.append(f"--{name} {REFUSED[name]}.")
            if name != "next":
                next(waiting, None)
        elif name in IGNORED_VALUED:
            next(waiting, None)
        elif name.removeprefix("no-") not in IGNORED:
            self.mistakes.append(f"--{name} is no option that is known here{meant(name, [*VALUED, *FLAGS, *IGNORED])}.")

    def _short(self, letters: str, word: bytes, waiting: Iterator[bytes]) -> None:
        """Letters without a value may stand together, and the value may follow its letter at once."""
        for place, letter in enumerate(letters):
            name = SHORT.get(letter)
            if name is None:
                self.mistakes.append(f"-{letter} is no option that is known here.")
                return
            if name in (*VALUED, *IGNORED_VALUED, *REFUSED) and name != "next":
                attached = word[len(letters[: place + 1].encode()) :]
                self._long(f"--{name}", word, iter([attached]) if attached else waiting)
                return
            self._long(f"--{name}", word, waiting)

    def _value(self, name: str, take: Callable[[_Command, str, bytes], None], value: bytes | None) -> None:
        if value is None:
            self.mistakes.append(f"{name} has no value.")
        else:
            take(self, name, value)

    def file(self, name: str, value: bytes) -> bool:
        """Whether a value stands for a file, which is refused."""
        if value.startswith(b"@"):
            self.mistakes.append(f"{name} {_decoded(value)[:40]}: no file is read here; write what it holds.")
        return value.startswith(b"@")

    def request(self) -> Request:
        """Raises NotCurl with all that is wrong."""
        url = self._url()
        if self.mistakes:
            raise NotCurl(" ".join(self.mistakes))
        as_query = "get" in self.flags
        if added := [*self.query, *(self.data if as_query else ())]:
            url += ("&" if "?" in url else "?") + quote_from_bytes(b"&".join(added), safe=ADDRESS)
        body = None if as_query or not self.data else b"".join(self.data) if "json" in self.flags else b"&".join(self.data)
        method = self.method or ("HEAD" if "head" in self.flags else "GET" if body is None else "POST")
        return Request(method, url, tuple(self._headers(has_body=body is not None)), body)

    def _url(self) -> str:
        if len(self.urls) != 1:
            what = f"There are {len(self.urls)} addresses, {', '.join(self.urls)[:80]}" if self.urls else "There is no address"
            self.mistakes.append(f"{what}; one is needed.")
            return ""
        url = self.urls[0] if "://" in self.urls[0] else f"http://{self.urls[0]}"
        try:
            parts = urlsplit(url)
            problem = "" if parts.scheme.lower() in ("http", "https") and parts.hostname else "is no address of HTTP"
        except ValueError as error:
            problem = f"is no address: {error}"
        if re.search(r"[\x00-\x20\x7f]", url):
            problem = "has a space or a control character; write a space as %20"
        if problem:
            self.mistakes.append(f"{url[:80]} {problem}.")
        return quote(url, safe=ADDRESS)

    def _headers(self, *, has_body: bool) -> Iterator[tuple[str, str]]:
        given = {name.lower() for name, _ in self.headers} | self.without
        yield from self.headers
        if self.cookies and "cookie" not in given:
            yield "Cookie", "; ".join(self.cookies)
        defaults = ({"Content-Type": FORM} if has_body else {}) | self.defaults
        yield from ((name, value) for name, value in defaults.items() if name.lower() not in given)


def _header(command: _Command, name: str, value: bytes) -> None:
    if command.file(name, value):
        return
    field_, colon, content = _decoded(value).partition(":")
    if not colon and field_.endswith(";"):
        command.headers.append((field_[:-1].strip(), ""))
    elif colon and content.strip():
        command.headers.append((field_.strip(), content.strip()))
    elif colon:
        command.without.add(field_.strip().lower())
    else:
        command.mistakes.append(f"{name} {field_[:40]!r} is no header field; write NAME: VALUE.")


def _data(command: _Command, name: str, value: bytes) -> None:
    if value == b"@-" and command.stdin is not None:
        kept = name in ("--data-binary", "--json")
        command.data.append(command.stdin if kept else re.sub(rb"[\r\n\0]", b"", command.stdin))
    elif not command.file(name, value):
        command.data.append(value)


def _raw(command: _Command, _name: str, value: bytes) -> None:
    command.data.append(value)


def _encoded(command: _Command, name: str, value: bytes) -> bytes | None:
    """What --data-urlencode makes of "content", "=content" and "name=content"."""
    before, sign, after = value.partition(b"=")
    if not sign and b"@" in value:
        command.file(name, b"@" + value.partition(b"@")[2])
        return None
    text = quote_from_bytes(after if sign else before, safe="").encode()
    return before + b"=" + text if sign and before else text


def _form(command: _Command, name: str, value: bytes) -> None:
    encoded = _encoded(command, name, value)
    command.data += [] if encoded is None else [encoded]


def _query(command: _Command, name: str, value: bytes) -> None:
    encoded = value[1:] if value.startswith(b"+") else _encoded(command, name, value)
    command.query += [] if encoded is None else [encoded]


def _json(command: _Command, name: str, value: bytes) -> None:
    _data(command, name, value)
    command.flags.add("json")
    command.defaults |= {"Content-Type": JSON, "Accept": JSON}


def _user(command: _Command, name: str, value: bytes) -> None:
    if b":" not in value:
        command.mistakes.append(f"{name} has no password; write USER:PASSWORD.")
    command.defaults["Authorization"] = f"Basic {b64encode(value).decode()}"


def _cookie(command: _Command, name: str, value: bytes) -> None:
    if b"=" in value:
        command.cookies.append(_decoded(value).strip().rstrip(";"))
    else:
        command.file(name, b"@" + value)


def _url(command: _Command, _name: str, value: bytes) -> None:
    command.urls.append(_decoded(value))


def _method_of(command: _Command, name: str, value: bytes) -> None:
    command.method = _decoded(value)
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", command.method):
        command.mistakes.append(f"{name} {command.method[:40]!r} is no method.")


def _default(header: str, before: str = "") -> Callable[[_Command, str, bytes], None]:
    def take(command: _Command, _name: str, value: bytes) -> None:
        command.defaults[header] = before + _decoded(value)

    return take


VALUED: Mapping[str, Callable[[_Command, str, bytes], None]] = {
    "request": _method_of,
    "url": _url,
    "header": _header,
    "data": _data,
    "data-ascii": _data,
    "data-binary": _data,
    "data-raw": _raw,
    "data-urlencode": _form,
    "url-query": _query,
    "json": _json,
    "user": _user,
    "cookie": _cookie,
    "user-agent": _default("User-Agent"),
    "referer": _default("Referer"),
    "oauth2-bearer": _default("Authorization", "Bearer "),
}
FLAGS = {"get": "get", "head": "head"}
REFUSED = {
    "config": "reads options from a file, and no file is read here",
    "upload-file": "sends a file, and no file is read here; use --data-raw with what it holds",
    "form": "sends multipart/form-data, which is not read here; use --data-raw with the body and -H with its Content-Type",
    "form-string": "sends multipart/form-data, which is not read here; use --data-raw with the body and -H with its Content-Type",
    "next": "begins another request; one at a time is read",
}
IGNORED = frozenset(  # How it is sent, and what is shown of it.
    """
    insecure silent show-error include verbose location location-trusted globoff fail fail-with-body fail-early compressed
    http1.0 http1.1 http2 http2-prior-knowledge http3 ipv4 ipv6 path-as-is buffer progress-bar progress-meter keepalive tlsv1
    tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 anyauth basic digest disable create-dirs remote-name remote-header-name post301 post302
    post303 retry-all-errors retry-connrefused styled-output ssl ssl-reqd tcp-nodelay raw sessionid alpn
    """.split()  # noqa: SIM905  # A list of a hundred quoted words is harder to read.
)
IGNORED_VALUED = frozenset(
    """
    output max-time connect-timeout write-out retry retry-delay retry-max-time proxy proxy-user noproxy cacert capath cert key
    cert-type key-type pass cookie-jar dump-header resolve connect-to limit-rate max-redirs speed-limit speed-time interface
    ciphers tls-max trace trace-ascii stderr unix-socket expect100-timeout keepalive-time max-filesize
    """.split()  # noqa: SIM905  # likewise
)
SHORT = {
    "X": "request", "H": "header", "d": "data", "G": "get", "I": "head", "u": "user", "b": "cookie", "A": "user-agent",
    "e": "referer", "F": "form", "T": "upload-file", "K": "config", ":": "next", "k": "insecure", "s": "silent",
    "S": "show-error", "i": "include", "v": "verbose", "L": "location", "g": "globoff", "f": "fail", "#": "progress-bar",
    "N": "no-buffer", "4": "ipv4", "6": "ipv6", "1": "tlsv1", "0": "http1.0", "q": "disable", "O": "remote-name",
    "J": "remote-header-name", "o": "output", "m": "max-time", "w": "write-out", "x": "proxy", "U": "proxy-user", "E": "cert",
    "c": "cookie-jar", "D": "dump-header", "y": "speed-time", "Y": "speed-limit",
}  # fmt: skip
