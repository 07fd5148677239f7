"""Secrets in what is told of requests and answers."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server import contract, fixtures
from mock_server.commands import capsule
from mock_server.contract import Json
from mock_server.secrecy import MASK, Found, Secrets, secret
from tests.conftest import Client

ROOT = Path(__file__).parent.parent
CONTRACTS = contract.load_all(ROOT / "openapi")
KNOWN, _ = fixtures.load(ROOT / "fixtures", CONTRACTS, lenient=False)
SECRETS = Secrets(CONTRACTS, KNOWN.values())


def exchange(
    target: str = "/fentu/api/v1/customers",
    headers: list[list[str]] | None = None,
    body: Json = None,
    answer: Json = None,
    **more: Json,
) -> dict[str, Json]:
    """An exchange as the journal tells it; a body that is no text is written as JSON."""
    answered = {"status": 200, "headers": [["content-type", "application/json"]], "body": written(answer)}
    request = {"method": "POST", "target": target, "headers": headers or [], "body": written(body)}
    return {"id": "7", "world": "default", "api": "fentu", "operation": None, "request": request, "answer": answered, **more}


def written(body: Json) -> str | None:
    return body if body is None or isinstance(body, str) else json.dumps(body)


@pytest.mark.parametrize(
    "name",
    [
        "api_key", "apiKey", "ApiKey", "APIKEY", "apikey", "x-api-key", "api_keys", "access_token", "accesstoken", "TOKEN",
        "tokens", "clientSecret", "password", "PassWord", "UserPassword", "passwd", "session", "session_id", "SessionId",
        "Session-Id", "authorization", "X-Auth-Token", "x-amz-security-token",
    ],
)  # fmt: skip
def test_a_name_tells_a_secret(name: str) -> None:
    """However it is written."""
    assert secret(name)


@pytest.mark.parametrize(
    "name",
    ["keyword", "key_account", "key", "monkey", "Idempotency-Key", "author", "authority", "secretary", "passport", "tokenize",
     "sessions", "customer_number", ""],
)  # fmt: skip
def test_a_name_that_only_looks_alike_is_none(name: str) -> None:
    """What is masked for nothing cannot be read."""
    assert not secret(name)


def test_no_property_of_a_record_is_taken_for_a_secret() -> None:
    """Whatever the three APIs keep can be read in the journal."""
    kept = {name for one in CONTRACTS.values() for resource in one.resources.values() for name in resource.stored}

    assert [name for name in kept if secret(name)] == []


def test_a_well_known_credential_is_told_by_its_name() -> None:
    """A reader sees who called, not with what."""
    headers = [["Authorization", "Bearer test-read"], ["x-api-key", "test-key"], ["Cookie", "mock_world=mine; sid=abc"]]

    masked = SECRETS.masked(exchange(headers=headers))

    assert masked["request"]["headers"] == [
        ["Authorization", "Bearer ${fentu.read}"],
        ["x-api-key", "${keychain.key}"],
        ["Cookie", f"mock_world=mine; sid={MASK}"],
    ]


def test_a_login_and_its_session_are_told_by_name() -> None:
    """The session of a later request is named for the request that opened it."""
    body = {"username": "demo", "PASSWORD": "demo", "Database": "demo", "ApiKey": "wrong-key"}
    login = exchange("/lemonsoft/api/auth/login", body=body, answer={"code": 200, "session_id": "0123456789abcdef"},
                     api="lemonsoft", operation="logIn")  # fmt: skip
    later = exchange("/lemonsoft/api/customers", [["session-id", "0123456789abcdef"]], api="lemonsoft", operation="listCustomers")
    found = SECRETS.found([login, later])

    first, second = (SECRETS.masked(one, found) for one in (login, later))

    assert json.loads(first["request"]["body"]) == {
        "username": "${lemonsoft.demo.UserName}",
        "PASSWORD": "${lemonsoft.demo.Password}",
        "Database": "${lemonsoft.demo.Database}",
        "ApiKey": MASK,
    }
    assert json.loads(first["answer"]["body"])["session_id"] == "${session.7}"
    assert second["request"]["headers"] == [["session-id", "${session.7}"]]


def test_what_is_no_secret_stays_byte_for_byte() -> None:
    """Numbers, spaces and escapes as they were sent."""
    one = exchange("/a%20b?q=%41+b&keyword=x&&", [["X-Other", "a=b"]], '{ "amount": 1.50, "name": "caf\\u00e9" }', "plain")

    assert SECRETS.masked(one) == one


def test_what_the_contract_shows_is_masked_in_its_place_only() -> None:
    """Whoever sends a word of the contract as a token cannot make the journal unreadable."""
    masked = SECRETS.masked(exchange("/fentu/api/v1/customers?token=customers"))

    assert masked["request"]["target"] == f"/fentu/api/v1/customers?token={MASK}"


def test_a_secret_of_one_exchange_is_masked_in_all() -> None:
    """Also where a message repeats only its beginning."""
    token = "s3cr3t-" + "x" * 60
    first = exchange(headers=[["Authorization", f"Bearer {token}"]])
    violation = {"in": "body", "pointer": "/name", "message": f"must be a date, not '{token[:39]}…'"}
    second = exchange(body={"name": token}, violations=[violation])

    masked = SECRETS.masked(second, SECRETS.found([first]))

    assert json.loads(masked["request"]["body"]) == {"name": MASK}
    assert masked["violations"][0]["message"] == f"must be a date, not '{MASK}…'"


def test_masking_twice_is_masking_once() -> None:
    """What is masked already is no secret; another word may stand for what nobody knows."""
    one = exchange("/a?api_key=hunter22", [["Authorization", "Bearer test-admin"]], {"password": "hunter23"})
    masked = SECRETS.masked(one)

    assert SECRETS.masked(masked) == masked
    assert json.loads(SECRETS.masked(masked, unknown="${unknown}")["request"]["body"]) == {"password": "${unknown}"}


def test_a_token_that_looks_like_a_mask_is_masked() -> None:
    """Only what this server writes itself passes for a mask."""
    masked = SECRETS.masked(exchange(headers=[["Authorization", "Bearer ${fentu.planted-token}"]]))

    assert masked["request"]["headers"] == [["Authorization", f"Bearer {MASK}"]]


# Wherever a secret is planted, it is found in no output.

PLACES: dict[str, Callable[[str], dict[str, Json]]] = {
    "bearer": lambda t: exchange(headers=[["Authorization", f"Bearer {t}"]]),
    "no scheme": lambda t: exchange(headers=[["authorization", t]]),
    "basic": lambda t: exchange(
        headers=[["Authorization", "Basic " + base64.b64encode(f"me:{t}".encode()).decode()]], body={"note": t}
    ),
    "proxy": lambda t: exchange(headers=[["Proxy-Authorization", f"Digest username=me, response={t}"]]),
    "cookie": lambda t: exchange(headers=[["Cookie", f"a=b; sid={t}"]]),
    "set-cookie": lambda t: exchange() | {"answer": {"status": 200, "headers": [["set-cookie", f"s={t}; Path=/"]], "body": None}},
    "scheme": lambda t: exchange(headers=[["X-API-Key", t]]),
    "session": lambda t: exchange(headers=[["Session-Id", t]]),
    "query": lambda t: exchange(f"/a?page=1&api_key={quote(t, safe='')}"),
    "encoded name": lambda t: exchange(f"/a?%61pi_k%65y={quote_plus(t)}"),
    "user": lambda t: exchange(body={"callback": f"https://me:{quote(t, safe='')}@example.com/"}),
    "url in text": lambda t: exchange(headers=[["Referer", f"https://example.com/?x=1&token={quote(t, safe='')}"]]),
    "login": lambda t: exchange(body={"UserName": t, "Database": 1}, api="lemonsoft", operation="logIn"),
    "renewal": lambda t: exchange(body={"username": "demo", "database": t}, api="lemonsoft", operation="renewSession"),
    "login astray": lambda t: exchange(body={"username": t}, api="lemonsoft"),
    "opened": lambda t: exchange(answer={"session_id": t}, api="lemonsoft", operation="logIn"),
    "deep": lambda t: exchange(body={"a": [{"b": {"secret": {"parts": [t, 1]}}}]}),
    "json in json": lambda t: exchange(body={"payload": json.dumps({"password": t})}),
    "cut json": lambda t: exchange(body=json.dumps({"x": 1, "password": t})[:-1]),
    "cut deep json": lambda t: exchange(body=json.dumps({"token": {"value": [t]}})[:-1]),
    "doubled name": lambda t: exchange(body=f'{{"token": {json.dumps(t)}, "token": null}}'),
    "form": lambda t: exchange(
        headers=[["Content-Type", "application/x-www-form-urlencoded"]], body=f"a=1&pass%77ord={quote_plus(t)}"
    ),
    "answer": lambda t: exchange(answer={"data": {"access_token": t}}),
    "bytes": lambda t: _with_bytes(json.dumps({"token": t}, ensure_ascii=False).encode() + b"\xff"),
    "utf-16": lambda t: _with_bytes(json.dumps({"token": t}, ensure_ascii=False).encode("utf-16")),
}  # fmt: skip

ECHOES: dict[str, Callable[[str], dict[str, Json]]] = {
    "path": lambda t: exchange(f"/customers/{quote(t, safe='')}"),
    "needlessly encoded": lambda t: exchange("/customers?q=" + "".join(f"%{byte:02x}" for byte in t.encode())),
    "body": lambda t: exchange(body={"name": f"I am {t}!"}),
    "name": lambda t: exchange(body={t: 1}),
    "escaped": lambda t: exchange(body='{{"name": "{}"}}'.format("".join(f"\\u{ord(c):04X}" for c in t))),
    "text": lambda t: exchange(answer=f"<p>{t}</p>"),
    "header": lambda t: exchange(headers=[["X-Other", t]]),
    "message": lambda t: exchange(violations=[{"in": "query", "pointer": "/x", "message": f"not {t}"}]),
    "nothing": lambda _: exchange(),
}
TOKENS = st.text("abcdefXYZ0123456789-._~+/=$%é€ ", min_size=12, max_size=80).filter(
    lambda t: len(set(t.strip())) > 6 and t == t.strip()
)


def _with_bytes(body: bytes) -> dict[str, Json]:
    made = exchange()
    return made | {"request": made["request"] | {"body": base64.b64encode(body).decode(), "encoding": "base64"}}


def read(value: Json) -> str:
    """All that somebody may read in an exchange, decoded."""
    text = json.dumps(value, ensure_ascii=False)
    bodies = [value[part]["body"] or "" for part in ("request", "answer")]
    raw = base64.b64decode(bodies[0]) if value["request"].get("encoding") else b""
    inner = []
    for body in bodies:
        with contextlib.suppress(ValueError):
            inner.append(json.dumps(json.loads(body), ensure_ascii=False))
    texts = [text, *bodies, *inner, raw.decode("latin-1"), raw.decode("utf-8", "replace"), raw.decode("utf-16", "replace")]
    return "\n".join([*texts, *map(unquote, texts), *(one.replace('\\"', '"') for one in texts)])


@pytest.mark.parametrize("place", PLACES)
@given(token=TOKENS, echo=st.sampled_from(sorted(ECHOES)))
def test_a_planted_token_is_found_nowhere(place: str, token: str, echo: str) -> None:
    """Neither where it was sent, nor where another exchange repeats it."""
    there, elsewhere = PLACES[place](token), ECHOES[echo](token)
    found = SECRETS.found([there, elsewhere])

    for masked in (SECRETS.masked(there, found), SECRETS.masked(elsewhere, found)):
        assert token not in read(masked)
        assert json.dumps(token) not in json.dumps(masked)


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_can_be_read(target: str, body: str) -> None:
    """Whatever was sent, there is an entry in the journal."""
    one = exchange(target, [["cookie", body], ["authorization", body], ["x", target]], body, body)

    assert SECRETS.masked(one, Found()).keys() == one.keys()


def test_a_token_is_in_nothing_that_the_server_tells(client: Client, world: str, address: str, tmp_path: Path) -> None:
    """Sent in every way, and repeated in records and refusals: neither the journal in any form nor a capsule has it."""
    tokens = [f"{n}-planted/{n:x}+é\"'-{'x' * n}" for n in (11, 60, 130)]
    fentu, lemonsoft = "/fentu/api/v1", "/lemonsoft/api"
    admin = {"Authorization": "Bearer test-admin"}
    for token in tokens:
        latin = token.encode("latin-1")
        client.get(f"{fentu}/customers", headers=[(b"Authorization", b"Bearer " + latin)])
        client.get(f"{fentu}/customers", params={"api_key": token}, headers=[(b"Cookie", b"sid=" + latin)])
        client.post(f"{lemonsoft}/auth/login", json={"UserName": token, "Password": token, "Database": "x", "ApiKey": token})
        client.post(f"{lemonsoft}/auth/logon", content=json.dumps({"Password": token})[:-1])
        client.get(f"{lemonsoft}/customers", headers=[(b"Session-Id", latin)])
        client.post(f"{fentu}/customers", json={"name": token, "email": f"not {token}", "access_token": token}, headers=admin)
        client.post(f"{fentu}/customers", json={"name": token, "email": f"a{len(token)}@example.com"}, headers=admin)
        client.get(f"{fentu}/customers/{quote(token, safe='')}", headers=admin)
        client.get(f"{fentu}/customers", params={"search": token}, headers=admin)
    client.post(f"{lemonsoft}/auth/login", json=dict.fromkeys(("UserName", "Password", "Database", "ApiKey"), "demo"))
    out = tmp_path / "c.yaml"
    assert capsule.main(["save", "--world", world, "--url", address, "--out", str(out)]) == 0

    told = [client.get(f"/_mock/worlds/{world}/journal{form}").text for form in ("", ".ndjson", ".har", ".curl")]

    for text in (*told, out.read_text()):
        for token in tokens:
            for form in (token, quote(token, safe=""), json.dumps(token)[1:-1], json.dumps(token, ensure_ascii=False)[1:-1]):
                assert form not in text
            assert token[:20] not in text.replace('\\"', '"')


@pytest.mark.parametrize(
    "target",
    [
        "/x?redirect=https%3A%2F%2Fme%3APLANTED%40host%2Fa", "/x?redirect=https%3A%2F%2Fhost%2Fa%3Fb%3D1%26token%3DPLANTED",
        "/x?sid=PLANTED", "/x?jwt=PLANTED", "/x?signature=PLANTED", "/x?X-Amz-Signature=PLANTED", "/x;token=PLANTED/y",
        "/x;a=1;token=PLANTED?b=2", "/x?note=Bearer+PLANTED",
    ],
)  # fmt: skip
def test_a_secret_in_a_target_is_masked(target: str) -> None:
    """In an address in a parameter, under the names that signed addresses use, and in the parameters of a step."""
    masked = SECRETS.target(target.replace("PLANTED", "pL4nted-secret"))

    assert "pL4nted" not in masked
    assert masked.startswith("/x")


@pytest.mark.parametrize("text", ["sent Bearer pL4nted-secret to it", "curl -H 'Authorization: Bearer pL4nted-secret'"])
@pytest.mark.parametrize("whole", [True, False])
def test_a_credential_in_any_text_is_masked(text: str, whole: bool) -> None:
    """People paste requests into notes."""
    assert "pL4nted" not in json.dumps(SECRETS.masked(exchange(body=text if whole else {"note": text})))


def test_words_about_credentials_stay() -> None:
    """A sentence is no secret."""
    text = "Bearer authentication and Basic authorization, see the manual."

    assert SECRETS.masked_value({"note": text}, Found()) == {"note": text}


def test_a_secret_in_a_preference_is_masked() -> None:
    """A parameter of any header field."""
    masked = SECRETS.masked(exchange(headers=[["Prefer", "code=401; token=pL4nted-secret"]]))

    assert masked["request"]["headers"] == [["Prefer", "code=401; token=***"]]


def test_the_conditions_of_a_fault_are_masked() -> None:
    """Wherever a fault is told of: the names of header fields, and pointers."""
    fault = {"when": {"headers": {"Authorization": "Bearer test-read"}, "body": {"/token": "pL4nted-secret", "/name": "Acme"}}}

    assert SECRETS.masked_value(fault, Found()) == {
        "when": {"headers": {"Authorization": "Bearer ${fentu.read}"}, "body": {"/token": "***", "/name": "Acme"}}
    }
