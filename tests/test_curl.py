"""A request <-> the curl command that sends it."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mock_server import curl
from mock_server.curl import NotCurl, Request

TOKENS = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}", fullmatch=True).map(lambda name: f"X-{name}")
VALUES = st.text(
    st.characters(min_codepoint=32, max_codepoint=0xFFFF, exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), max_size=9
)
HEADERS = st.lists(st.tuples(TOKENS, VALUES), max_size=3)
BODIES = st.none() | st.binary(max_size=30) | st.text(max_size=30).map(lambda text: text.encode("utf-8", "replace"))
URLS = st.text("abc/?&=%20[]{}'!*();~", max_size=12).map(lambda rest: f"http://localhost:8080/{rest}")


@given(st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]), URLS, HEADERS, BODIES)
@example("POST", "http://localhost/", [("Content-Type", "application/json")], b"'\"\\$`!\n%s")
@example("POST", "http://localhost/", [], b"@file")
@example("POST", "http://localhost/", [("X-A", "")], b"\x00\xff%\\'")
def test_what_is_written_is_read_again(method: str, url: str, headers: list[tuple[str, str]], body: bytes | None) -> None:
    """A line from the journal, pasted anywhere, is the same request."""
    read = curl.read(curl.line(method, url, headers, body))

    assert read == Request(method, url, tuple(headers), body)


@contextlib.contextmanager
def listening() -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers one request after the other, and keeps what came."""
    came: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as lines:
                head = b"".join(iter(lines.readline, b"\r\n"))
                length = next((int(line[15:]) for line in head.splitlines() if line.lower().startswith(b"content-length:")), 0)
                came.append(head + b"\r\n" + lines.read(length))
                connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}", came
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_a_shell_sends_exactly_what_is_written() -> None:
    """A line pasted into a terminal does what the journal says."""

    @settings(max_examples=25)
    @given(st.sampled_from(["POST", "PUT", "DELETE"]), HEADERS, BODIES)
    @example("POST", [("Content-Type", "application/json"), ("X-Mark", "it's $HOME `id` \\ !")], b"'\"\\$(id)`!\n%s %d \\n @")
    @example("PUT", [("X-Empty", "")], b"@/etc/passwd")
    @example("POST", [], b"\x00\x01\xff%s\\101'")
    @example("DELETE", [], None)
    def sent(method: str, headers: list[tuple[str, str]], body: bytes | None) -> None:
        came.clear()
        command = curl.line(method, f"{address}/a%20b/{{x}}/[1]/../y?q='&z=*", headers, body)

        subprocess.run(["/bin/sh", "-c", f"{command.replace('curl ', 'curl -s ', 1)}"], check=True)

        head, _, got = came[0].partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        assert lines[0] == f"{method} /a%20b/{{x}}/[1]/../y?q='&z=* HTTP/1.1"
        assert [line for line in lines if line.startswith("X-")] == [
            f"{name}: {value}".rstrip() for name, value in headers if name.startswith("X-")
        ]
        assert got == (body or b"")
        named = dict(headers).get("Content-Type")
        assert [line for line in lines if line.lower().startswith("content-type")] == (
            [f"Content-Type: {named}"] if named else []
        )

    with listening() as (address, came):
        sent()


CHROME = r"""curl 'https://api.example.com/v1/customers?search=a%20b' \
  -H 'accept: application/json, text/plain, */*' \
  -H 'authorization: Bearer t' \
  -b 'sid=1; theme=dark' \
  -H 'content-type: application/json' \
  --data-raw $'{"name":"O\'Brien \u0021 \ud83d\ude00 \\ x","note":"a\nb"}' \
  --compressed \
  --insecure"""
FIREFOX = r"""curl --path-as-is 'http://localhost:8080/customers/1' -X PUT -H 'User-Agent: Mozilla/5.0' --data-raw $'a\'b\x0ac'"""


def test_a_request_copied_from_chrome_is_read() -> None:
    """Copy as cURL (bash), quotes and emoji included."""
    assert curl.read(CHROME) == Request(
        "POST",
        "https://api.example.com/v1/customers?search=a%20b",
        (
            ("accept", "application/json, text/plain, */*"),
            ("authorization", "Bearer t"),
            ("content-type", "application/json"),
            ("Cookie", "sid=1; theme=dark"),
        ),
        '{"name":"O\'Brien ! 😀 \\ x","note":"a\nb"}'.encode(),
    )


def test_a_request_copied_from_firefox_is_read() -> None:
    read = curl.read(FIREFOX)

    assert (read.method, read.url, read.body) == ("PUT", "http://localhost:8080/customers/1", b"a'b\nc")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("curl localhost/a", Request("GET", "http://localhost/a")),
        ("$ curl -s localhost/a | jq .", Request("GET", "http://localhost/a")),
        ("curl -sS localhost/a -o /dev/null 2>&1 > out.txt", Request("GET", "http://localhost/a")),
        ("curl localhost/a?b=1&c=2", Request("GET", "http://localhost/a?b=1&c=2")),
        (
            "echo '{\"a\": 1}' | curl localhost -H 'Content-Type:' --data @-",
            Request("POST", "http://localhost", (), b'{"a": 1}'),
        ),
        ("echo -n a b | curl localhost -H Content-Type: --data-binary @-", Request("POST", "http://localhost", (), b"a b")),
        ("curl -I localhost", Request("HEAD", "http://localhost")),
        ("curl -XDELETE localhost/1;", Request("DELETE", "http://localhost/1")),
        ("curl -sXPATCH --url localhost", Request("PATCH", "http://localhost")),
        ("curl localhost -G -d a=1 --data-urlencode 'b=x y&z'", Request("GET", "http://localhost?a=1&b=x%20y%26z")),
        ("curl 'localhost?x=1' --url-query y=ä", Request("GET", "http://localhost?x=1&y=%C3%A4")),
        (
            "curl localhost -d a=1 -d b=2",
            Request("POST", "http://localhost", (("Content-Type", "application/x-www-form-urlencoded"),), b"a=1&b=2"),
        ),
        (
            "curl localhost --json '{\"a\":' --json '1}'",
            Request(
                "POST", "http://localhost", (("Content-Type", "application/json"), ("Accept", "application/json")), b'{"a":1}'
            ),
        ),
        ("curl -u me:you localhost", Request("GET", "http://localhost", (("Authorization", "Basic bWU6eW91"),))),
        ("curl -A x -e y localhost", Request("GET", "http://localhost", (("User-Agent", "x"), ("Referer", "y")))),
        ("curl -H 'X-A;' -H 'X-B:' localhost", Request("GET", "http://localhost", (("X-A", ""),))),
        ("curl -d x -H 'Content-Type:' localhost", Request("POST", "http://localhost", (), b"x")),
        ('curl "localhost/\\$a" -H "X: \\"q\\" \\n"', Request("GET", "http://localhost/$a", (("X", '"q" \\n'),))),
        ("curl \\\n  localhost \\\n", Request("GET", "http://localhost")),
        ("curl localhost # a remark", Request("GET", "http://localhost")),
        ("curl localhost/ä", Request("GET", "http://localhost/%C3%A4")),
    ],
)
def test_what_people_paste_is_read(command: str, expected: Request) -> None:
    assert curl.read(command) == expected


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("", "There is no command."),
        ("wget localhost", "A curl command begins with curl, not with wget."),
        ("curl", "There is no address; one is needed."),
        ("curl localhost other", "There are 2 addresses, localhost, other; one is needed."),
        ("curl 'localhost", "never closed"),
        ("curl ftp://host/a", "ftp://host/a is no address of HTTP."),
        ("curl 'localhost/a b'", "write a space as %20"),
        ("curl -d @/etc/passwd localhost", "-d"),
        ("curl --data-binary @body.json localhost", "--data-binary @body.json: no file is read here; write what it holds."),
        ("curl --data-urlencode x@/etc/passwd localhost", "no file is read here"),
        ("curl -b cookies.txt localhost", "no file is read here"),
        ("curl -K options localhost", "reads options from a file"),
        ("curl -T file localhost", "sends a file"),
        ("curl -F a=@b localhost", "multipart/form-data"),
        ("curl localhost < file", "< reads a file"),
        ('curl -H "Authorization: Bearer $TOKEN" localhost', "$TOKEN is for a shell to fill in"),
        ("curl localhost/$(id)", "$( is for a shell to fill in"),
        ("curl localhost; rm -rf /", "There are several commands, one after ;"),
        ("curl localhost --next other", "one at a time is read"),
        ("curl --hedaer 'A: b' localhost", "--hedaer is no option that is known here; did you mean header?"),
        ("curl localhost -H", "--header has no value."),
        ("curl localhost -H nonsense", "--header 'nonsense' is no header field; write NAME: VALUE."),
        ('curl ^"http://localhost/^"', "copy it as"),
    ],
)
def test_what_cannot_be_read_says_why(command: str, told: str) -> None:
    """No file is opened and no variable looked up on the way."""
    with pytest.raises(NotCurl) as wrong:
        curl.read(command)

    assert told in str(wrong.value)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(NotCurl) as wrong:
        curl.read("curl -d @a --bogus -u me")

    assert str(wrong.value) == (
        "--data @a: no file is read here; write what it holds. --bogus is no option that is known here. "
        "--user has no password; write USER:PASSWORD. There is no address; one is needed."
    )


@given(st.text(max_size=60))
@example("curl \\")
@example("curl '\\''")
@example("curl $'\\ud800'")
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes it fail in another way."""
    for command in (text, f"curl {text}"):
        with contextlib.suppress(NotCurl):
            curl.read(command)
