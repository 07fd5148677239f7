"""What meets a request first, over HTTP: worlds, pages, HEAD, OPTIONS, CORS, gzip, odd requests."""

from __future__ import annotations

import html
import http.client
import json
import re
import subprocess
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

Client = httpx.Client
ORIGIN = {"Origin": "http://localhost:5173"}
OWN = "customers/cust-001"  # below the base path
ACME = f"/fentu/api/v1/{OWN}"
ADMIN = {"Authorization": "Bearer test-admin"}


def test_a_world_is_ones_own(fentu: Client) -> None:
    """By header, path prefix or cookie: what is written in one is not seen in another."""
    fentu.put(OWN, json={"notes": "mine"})

    root = str(fentu.base_url).removesuffix("/fentu/api/v1/")
    world = fentu.headers["X-Mock-World"]
    seen = {
        "header": fentu.get(OWN),
        "prefix": httpx.get(f"{root}/w/{world}{ACME}", headers=ADMIN),
        "cookie": httpx.get(f"{root}{ACME}", headers=ADMIN | {"Cookie": f"mock_world={world}"}),
        "other": httpx.get(f"{root}/w/{world}-2{ACME}", headers=ADMIN),
    }

    notes = {how: answer.json()["data"]["notes"] for how, answer in seen.items()}
    assert notes == {"header": "mine", "prefix": "mine", "cookie": "mine", "other": "VIP customer - priority service"}


@pytest.mark.parametrize("name", ["", "-x", "a" * 65, "ä", "../x"])
def test_an_impossible_world_is_refused(address: str, name: str) -> None:
    refused = httpx.get(address + ACME, headers=[(b"X-Mock-World", name.encode()), (b"Authorization", b"Bearer test-admin")])

    assert refused.status_code == 400


@pytest.mark.parametrize(("path", "cookie"), [("/w/" + ACME, ""), ("/w/", ""), (ACME, "mock_world="), ("/w/a%2Fb" + ACME, "")])
def test_a_world_without_a_name_is_not_the_default_one(address: str, path: str, cookie: str) -> None:
    """Who names a world and leaves the name empty has made a mistake; it must not write where others write."""
    refused = httpx.get(address + path, headers=ADMIN | ({"Cookie": cookie} if cookie else {}))

    assert refused.status_code == 400
    assert "world's name" in refused.json()["detail"]


@pytest.mark.parametrize("neighbours", ['prefs={"a":1}; ', "a, b; ", "x" * 4000 + "=; ", "[]=1;;; "])
def test_a_cookie_names_the_world_whatever_its_neighbours(fentu: Client, neighbours: str) -> None:
    """A cookie of another program does not send the write to another world."""
    fentu.put(OWN, json={"notes": "mine"})
    root = str(fentu.base_url).removesuffix("/fentu/api/v1/")

    seen = httpx.get(f"{root}{ACME}", headers=ADMIN | {"Cookie": f"{neighbours}mock_world={fentu.headers['X-Mock-World']}"})

    assert seen.json()["data"]["notes"] == "mine"


def test_a_world_before_the_path_may_be_encoded(fentu: Client) -> None:
    """The rest of the path is cut at its own slash."""
    fentu.put(OWN, json={"notes": "mine"})
    root, world = str(fentu.base_url).removesuffix("/fentu/api/v1/"), fentu.headers["X-Mock-World"]
    encoded = "".join(f"%{ord(letter):02X}" for letter in world)

    found = httpx.get(f"{root}/w/{encoded}/fentu/api/v1/customers/cust%2D001", headers=ADMIN)
    slash = httpx.get(f"{root}/w/{encoded}/fentu/api/v1/customers/a%2Fb", headers=ADMIN)

    assert found.json()["data"]["notes"] == "mine"
    assert slash.json()["error"]["code"] == "not_found"


def test_head_is_get_without_its_body(fentu: Client) -> None:
    got, head = fentu.get(OWN), fentu.head(OWN)

    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["Content-Length"] == got.headers["Content-Length"]


def test_options_tells_the_methods(fentu: Client) -> None:
    """OPTIONS without CORS: 204 with Allow."""
    answer = fentu.options("customers/cust-001")

    assert answer.status_code == 204
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}


def test_options_judges_the_path_as_other_methods_do(fentu: Client) -> None:
    """An encoded slash belongs to its segment, and what is not UTF-8 is no path."""
    assert fentu.options("customers/a%2Fb").headers["Allow"] == fentu.options(OWN).headers["Allow"]
    assert fentu.options("customers/%FF").status_code == 404


def test_a_browser_may_call_from_any_origin(fentu: Client) -> None:
    """The preflight is granted, and the answer is exposed, refusals too."""
    asked = {
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization, content-type, x-mock-world",
    }

    preflight = fentu.options("customers/cust-001", headers=ORIGIN | asked)
    refused = fentu.get("customers/none", headers=ORIGIN)

    assert preflight.status_code == 200
    assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]
    assert "authorization" in preflight.headers["Access-Control-Allow-Headers"]
    assert refused.status_code == 404
    assert refused.headers["Access-Control-Allow-Origin"] == ORIGIN["Origin"]


def test_a_large_answer_is_packed_on_request(fentu: Client) -> None:
    packed = fentu.get("customers", params={"per_page": 50})
    plain = fentu.get("customers", params={"per_page": 50}, headers={"Accept-Encoding": "identity"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()


@pytest.mark.parametrize(
    ("takes", "packed"),
    [
        ("gzip", True),
        ("deflate, gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("br, gzip; q=0.0", False),
        ("x-gzip", False),
        ("", False),
    ],
)
def test_an_answer_is_packed_only_for_those_who_take_it(fentu: Client, takes: str, packed: bool) -> None:
    """And a cache learns that the header mattered."""
    answer = fentu.get("customers", params={"per_page": 50}, headers={"Accept-Encoding": takes})

    assert answer.headers.get("Content-Encoding") == ("gzip" if packed else None)
    assert answer.headers["Vary"] == "Accept-Encoding"


def test_a_small_answer_is_the_same_for_everybody(fentu: Client) -> None:
    assert "Vary" not in fentu.get("customers", params={"per_page": 0}, headers={"Accept-Encoding": "identity"}).headers


def test_the_start_page_says_what_is_here(address: str) -> None:
    """With a curl line for each API that works as printed."""
    page = httpx.get(address + "/")

    assert page.headers["Content-Type"].startswith("text/html")
    for base in ("/fentu/api/v1", "/lemonsoft/api", "/keychain/v1"):
        assert address + base in page.text


def test_the_lines_of_the_start_page_work_when_pasted(address: str, world: str) -> None:
    """Each API's lines, one after the other in one terminal: the first one logs in where that is needed."""
    page = httpx.get(f"{address}/w/{world}/").text
    sections = [re.findall(r"<code>((?:curl|SESSION=).*)</code><button", section) for section in page.split("<section>")[1:]]

    for lines in sections:
        pasted = 'curl() { command curl --silent --fail "$@"; }\n' + "".join(
            f"{html.unescape(line)} || exit 1\n" for line in lines
        )
        ended = subprocess.run(["sh", "-c", pasted], capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 0, pasted + ended.stderr
        assert len(lines) >= 2
    made = httpx.get(f"{address}/w/{world}/fentu/api/v1/customers", headers=ADMIN)
    assert made.json()["meta"]["total_count"] == 61


@pytest.mark.parametrize(("api", "path"), [("fentu", "/customers"), ("keychain", "/customers"), ("lemonsoft", "/customers")])
def test_the_docs_page_knows_how_to_be_let_in(address: str, api: str, path: str) -> None:
    """What is tried out there works at once: the page sends a credential of the mock, or logs in with it first."""
    page = httpx.get(f"{address}/{api}/docs").text
    access = json.loads(html.unescape(re.search(r'data-access="([^"]*)"', page)[1]))  # type: ignore[index]  # It is there.
    server = re.search(r"^  - url: (\S+)$", httpx.get(f"{address}/{api}/openapi.yaml").text, re.MULTILINE)
    assert server is not None

    value = access.get("value")
    if not value:
        value = httpx.post(access["login"], json=access["body"]).json()
        for name in access["at"]:
            value = value[name]

    assert httpx.get(server[1] + path, headers={access["header"]: value}).status_code == 200


@pytest.mark.parametrize("api", ["fentu", "lemonsoft", "keychain"])
def test_docs_work_without_a_network(address: str, api: str) -> None:
    """Everything that the docs page loads comes from the server itself."""
    page = httpx.get(f"{address}/{api}/docs").text

    assert "https://" not in page
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"):
        assert f'{address}/{api}/docs/{asset}"' in page
        assert httpx.get(f"{address}/{api}/docs/{asset}").status_code == 200


@pytest.mark.parametrize("prefix", ["", "/w/some-world"])
def test_the_served_contract_names_this_server(address: str, prefix: str) -> None:
    """So that a client made from it calls here; nothing else differs from the file."""
    text = httpx.get(f"{address}{prefix}/fentu/openapi.yaml").text

    assert f"url: {address}{prefix}/fentu/api/v1\n" in text


@pytest.mark.parametrize("host", ["fentu.localhost", "FENTU.LocalHost"])
def test_an_api_has_a_host_name_of_its_own(address: str, host: str) -> None:
    """For a client that cannot change its paths: the docs, their assets, the contract and its address work there."""
    port = urlsplit(address).port

    def get(url: str) -> httpx.Response:
        parts = urlsplit(url)
        assert parts.netloc in ("", f"{host}:{port}")
        return httpx.get(address + parts.path, headers=ADMIN | {"Host": f"{host}:{port}"})

    docs = get(get("/").headers["Location"])
    asset = re.search(r'src="(\S+\.js)"', docs.text)
    contract = re.search(r'data-address="(\S+)"', docs.text)
    assert asset is not None
    assert contract is not None
    server = re.search(r"^  - url: (\S+)$", get(contract[1]).text, re.MULTILINE)
    assert server is not None

    assert get(asset[1]).status_code == 200
    assert server[1] == f"http://{host}:{port}/api/v1"
    assert get(f"{server[1]}/{OWN}").json()["data"]["id"] == "cust-001"


@pytest.mark.parametrize("host", ["fentu.localhost.evil.com", "xfentu.localhost", "a.fentu.localhost", "localhost"])
def test_another_host_name_is_none_of_an_api(address: str, host: str) -> None:
    assert (
        httpx.get(f"{address}/api/v1/{OWN}", headers=ADMIN | {"Host": host})
        .json()["detail"]
        .startswith("There is nothing at /api")
    )


def test_small_things_that_browsers_ask_for(address: str) -> None:
    """The icon, and the docs with a slash behind them."""
    assert httpx.get(f"{address}/favicon.ico").status_code == 204
    assert httpx.get(f"{address}/fentu/docs/").headers["Location"] == f"{address}/fentu/docs"


def test_a_forged_host_is_not_repeated(address: str) -> None:
    page = httpx.get(address + "/fentu/openapi.yaml", headers={"Host": "evil.example/<script>"})

    assert "evil.example" not in page.text


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/fentoo/api/v1/customers", "/fentu"),
        ("/nothing", "/fentu/api/v1"),
        ("/fentu/customers", "/fentu/api/v1"),
        ("/w/x", "API"),
    ],
)
def test_a_wrong_address_is_told_the_right_one(address: str, path: str, told: str) -> None:
    answer = httpx.get(address + path, follow_redirects=False)

    assert told in answer.text


def test_unknown_query_parameters_are_named(fentu: Client) -> None:
    """They are ignored, as the vendors do, and the answer says so."""
    answer = fentu.get("customers", params={"staus": "active", "per_page": 1})

    assert answer.status_code == 200
    assert answer.headers["X-Mock-Ignored-Parameters"] == "staus"
    assert "X-Mock-Ignored-Parameters" not in fentu.get("customers?=1").headers


RAW = [
    ("not JSON", b'{"name": ', {"Content-Type": "application/json"}, 400),
    ("not UTF-8", b'{"name": "\xff"}', {"Content-Type": "application/json"}, 400),
    ("wrong type", b"<name/>", {"Content-Type": "application/xml"}, 415),
    ("no body", b"", {"Content-Type": "application/json"}, 400),
    ("too large", b'{"name": "' + b"x" * (1 << 20) + b'"}', {"Content-Type": "application/json"}, 413),
    ("NaN", b'{"name": NaN}', {"Content-Type": "application/json"}, 400),
    ("deep", b"[" * 100_000, {"Content-Type": "application/json"}, 400),
    ("surrogate", b'{"name": "\\ud800"}', {"Content-Type": "application/json"}, 400),
    ("not acceptable", b'{"name": "x"}', {"Content-Type": "application/json", "Accept": "text/xml"}, 406),
]


@pytest.mark.parametrize(("body", "headers", "status"), [row[1:] for row in RAW], ids=[row[0] for row in RAW])
def test_an_odd_body_is_refused_in_the_vendors_shape(fentu: Client, body: bytes, headers: dict[str, str], status: int) -> None:
    """Never a 500, never another shape, and the server goes on."""
    refused = fentu.post("customers", content=body, headers=headers)

    assert refused.status_code == status
    assert set(refused.json()["error"]) == {"code", "message", "details"}


@pytest.mark.parametrize("method", ["TRACE", "PATCH", "PROPFIND"])
def test_any_other_method_is_refused_with_allow(address: str, method: str) -> None:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    connection.request(method, ACME, headers=ADMIN)
    answer = connection.getresponse()

    assert answer.status == 405
    assert set((answer.getheader("Allow") or "").split(", ")) == {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}
    connection.close()


REFUSED = [  # method, path, headers, body -> status, in, pointer and message of the one detail; None: the vendor's own
    ("GET", "customers/cust-999", {}, None, 404, "path", "/id", "names no Customer: cust-999"),
    ("GET", "customers/cust-999/contacts", {}, None, 404, "path", "/customer_id", "names no Customer: cust-999"),
    ("GET", OWN, {"Authorization": ""}, None, 401, "header", "/Authorization", "Send the header Authorization: Bearer TOKEN."),
    ("GET", OWN, {"Authorization": "Bearer x"}, None, 401, "header", "/Authorization", "This credential is not known."),
    ("POST", "customers", {"Content-Type": "text/plain"}, b"x", 415, "header", "/Content-Type", None),
    ("GET", OWN, {"Accept": "text/html"}, None, 406, "header", "/Accept", None),
]


@pytest.mark.parametrize("row", REFUSED)
def test_a_refusal_names_the_place(fentu: Client, row: Any) -> None:
    """A program reads in the details what a person reads in the message."""
    method, path, headers, body, status, *told = row

    refused = fentu.request(method, path, headers=headers, content=body)

    detail = refused.json()["error"]["details"][0]
    assert refused.status_code == status
    assert [detail["in"], detail["pointer"]] == told[:2]
    assert told[2] in (None, detail["message"])


def test_a_session_is_looked_for_in_its_own_header(lemonsoft: Client) -> None:
    refused = lemonsoft.get("customers", headers={"Session-Id": "x"})

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (401, "/Session-Id")


def test_a_parameter_given_twice_is_refused(fentu: Client) -> None:
    refused = fentu.get("customers?page=1&page=2")

    assert refused.status_code == 400
    assert refused.json()["error"]["details"][0]["pointer"] == "/page"
