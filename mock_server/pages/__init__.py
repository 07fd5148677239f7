"""The pages for people: what is here (/), an API's docs (/<api>/docs) and its contract (/<api>/openapi.yaml)."""

from __future__ import annotations

import html
import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from string import Template

import orjson
from swagger_ui_bundle import swagger_ui_path

from mock_server import schemas
from mock_server.contract import Contract, Json, Operation
from mock_server.credentials import Credential, Credentials
from mock_server.reply import Headers, Reply

HERE = Path(__file__).parent
ASSETS = {  # what the docs page loads, from the package: it works without a network
    "swagger-ui.css": b"text/css; charset=utf-8",
    "swagger-ui-bundle.js": b"text/javascript; charset=utf-8",
    "swagger-ui-standalone-preset.js": b"text/javascript; charset=utf-8",
    "favicon-32x32.png": b"image/png",
}
SAMPLES: Mapping[str, Json] = {"email": "jane@example.com"}  # for a text that has no example, by its name
POLICY = b"default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; img-src 'self' data:"
SAFE = ((b"content-security-policy", POLICY), (b"x-content-type-options", b"nosniff"))
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")


class Pages:
    """Every page by its path. `root` is where the client found the server: http://localhost:8080, a world's prefix included."""

    def __init__(self, contracts: Mapping[str, Contract], control: Contract, credentials: Mapping[str, Credentials]) -> None:
        self.contracts = contracts
        self.control = control
        self._documented = {**contracts, control.base_path[1:]: control}  # by the first step of the path
        self.credentials = credentials

    def get(self, path: str, root: str, own: str = "") -> Reply | None:
        """The page at this path; `own` is the API that the root's host name stands for, and whose paths do not name it."""
        if path == "/":
            return _page(_filled("start.html", root=root, apis="\n".join(self._api(name, root) for name in self.contracts)))
        api, _, rest = path[1:].partition("/")
        if "favicon.ico" in (api, rest):  # Browsers ask for it on their own.
            return Reply(204, None)
        contract = self._documented.get(api)
        if contract is None:
            return None
        here = root if api == own else f"{root}/{api}"
        return self._of_api(contract, rest, here)

    def _of_api(self, contract: Contract, rest: str, here: str) -> Reply | None:
        """The page at the rest of a path that begins with the API's name."""
        if rest in ("", "docs/"):
            return Reply(302, b"", ((b"location", f"{here}/docs".encode()),))
        if rest == "openapi.yaml":
            return _file(_served(contract, here), b"application/yaml; charset=utf-8")
        if rest == "docs":
            known = self.credentials[contract.name].known if contract.name in self.credentials else ()
            access = orjson.dumps(_access(contract, known, _base(contract, here))).decode()
            address, assets = f"{here}/openapi.yaml", f"{here}/docs"
            return _page(_filled("docs.html", title=contract.title, address=address, assets=assets, access=access))
        return _asset(rest.removeprefix("docs/")) if rest.startswith("docs/") else None

    @staticmethod
    def is_page(path: str) -> bool:
        """Whether a path below that of an API is one of its pages."""
        rest = path[1:].partition("/")[2]
        return rest in ("", "openapi.yaml", "docs") or rest.startswith("docs/")

    def _api(self, name: str, root: str) -> str:
        contract = self.contracts[name]
        base = root + contract.base_path
        known = self.credentials[name].known
        return _filled(
            "api.html",
            title=contract.title,
            version=contract.version,
            base=base,
            docs=f"{root}/{name}/docs",
            contract=f"{root}/{name}/openapi.yaml",
            count=str(len(contract.operations)),
            credentials="; ".join(self.credentials[name].told()) or "none is known",
            curls="\n".join(_copyable(line) for line in curls(contract, known, base)),
        )


def _served(contract: Contract, here: str) -> bytes:
    """The document as it stands in its file, its first server being this one; `here` is where the API's paths begin."""
    declared = str(contract.document["servers"][0]["url"]).encode()
    return contract.text.replace(declared, _base(contract, here).encode(), 1)


def _base(contract: Contract, here: str) -> str:
    """The API's base address; `here` is where its paths begin."""
    _, slash, rest = contract.base_path[1:].partition("/")
    return f"{here}{slash}{rest}"


def root_of(host: str, scheme: str, prefix: str) -> str:
    """Where the client found the server, from its Host header; a header that is no host is not repeated."""
    return f"{scheme}://{host if _HOST.fullmatch(host) else 'localhost'}{prefix}"


def curls(contract: Contract, known: tuple[Credential, ...], base: str) -> list[str]:
    """Lines to paste into a terminal: list what can be listed without an id, create one; the first logs in where it must."""
    session, (name, value) = _session(contract, known, base), _credential(contract, known)
    header = f' -H "{name}: $SESSION"' if session else f" -H '{name}: {value}'" if value else ""
    lists = [o for o in contract.operations.values() if o.action == "list" and not o.ancestors]
    lines = [f"curl '{base}{operation.path}{_page_of_three(operation)}'{header}" for operation in lists[:3]]
    creates = [o for o in contract.operations.values() if o.action == "create" and not o.ancestors]
    lines += [f"curl '{base}{operation.path}'{header}{_sending(_example(operation))}" for operation in creates[:1]]
    return [f"{session} && {lines[0]}", *lines[1:]] if session and lines else lines


def _session(contract: Contract, known: tuple[Credential, ...], base: str) -> str:
    """The command that keeps the id of a new session, where the API has sessions."""
    login = _login(contract)
    if login is None or not known or not known[0].login:
        return ""
    name = _session_at(login.envelope)[-1]
    cut = shlex.quote(f's/.*"{name}" *: *"\\([^"]*\\)".*/\\1/')
    return f"SESSION=$(curl -s '{base}{login.path}'{_sending(known[0].login)} | sed {cut})"


def _sending(body: Json) -> str:
    return f" -H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body, ensure_ascii=False))}"


def _example(operation: Operation) -> dict[str, Json]:
    """A small body: what is required, or else the first text, as the schema's examples have it."""
    examples = {name: schemas.merged(part).get("example") for name, part in schemas.properties(operation.body or {}).items()}
    texts = [name for name, example in examples.items() if isinstance(example, str)]
    wanted = schemas.required(operation.body or {}) or texts[:1]
    return {name: SAMPLES.get(name.lower(), "Example") if examples[name] is None else examples[name] for name in wanted}


def _credential(contract: Contract, known: tuple[Credential, ...]) -> tuple[str, str]:
    """The header that lets a client in, and the first well-known value; "" where one has to log in."""
    secret = next((credential.secret for credential in known if credential.secret), "")
    for scheme in contract.security_schemes.values():
        if scheme["type"] == "apiKey" and scheme["in"] == "header":
            return scheme["name"], secret
    return "Authorization", secret and f"Bearer {secret}"


def _access(contract: Contract, known: tuple[Credential, ...], base: str) -> dict[str, Json]:
    """How the docs page sends the well-known credential: a header with a value, or what to log in with."""
    if not known:
        return {}
    name, value = _credential(contract, known)
    login = _login(contract)
    if value or login is None:
        return {"header": name, "value": value}
    at = _session_at(login.envelope)
    return {"header": name, "login": f"{base}{login.path}", "body": known[0].login, "at": at}


def _login(contract: Contract) -> Operation | None:
    return next((operation for operation in contract.operations.values() if operation.action == "login"), None)


def _session_at(envelope: Json) -> tuple[str, ...]:
    """Where in the answer to a login the session's id stands."""
    parts = envelope.items() if isinstance(envelope, Mapping) else ()
    for name, part in parts:
        if part == "$session":
            return (name,)
        if below := _session_at(part):
            return (name, *below)
    return ()


def _page_of_three(operation: Operation) -> str:
    return next((f"?{p.name}=3" for p in operation.parameters if p.paging in ("size", "limit")), "")


def _copyable(line: str) -> str:
    return f'<div class="line"><code>{html.escape(line)}</code><button type="button">Copy</button></div>'


def _filled(name: str, **values: str) -> str:
    raw = {"apis", "curls"}  # of parts that are escaped already
    return Template((HERE / name).read_text("utf-8")).substitute(
        {k: v if k in raw else html.escape(v) for k, v in values.items()}
    )


def _asset(name: str) -> Reply | None:
    if name not in ASSETS:
        return None
    return _file((Path(str(swagger_ui_path)) / name).read_bytes(), ASSETS[name], (b"cache-control", b"max-age=86400"))


def _page(text: str) -> Reply:
    return _file(text.encode(), b"text/html; charset=utf-8")


def _file(body: bytes, media_type: bytes, *headers: tuple[bytes, bytes]) -> Reply:
    all_headers: Headers = ((b"content-type", media_type), *SAFE, *headers)
    return Reply(200, body, all_headers)
