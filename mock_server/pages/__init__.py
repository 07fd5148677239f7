"""The pages for people: what is here (/), an API's docs (/<api>/docs) and its contract (/<api>/openapi.yaml)."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template

from swagger_ui_bundle import swagger_ui_path

from mock_server.contract import Contract, Operation
from mock_server.credentials import Credential, Credentials
from mock_server.reply import Headers, Reply

HERE = Path(__file__).parent
ASSETS = {  # what the docs page loads, from the package: it works without a network
    "swagger-ui.css": b"text/css; charset=utf-8",
    "swagger-ui-bundle.js": b"text/javascript; charset=utf-8",
    "swagger-ui-standalone-preset.js": b"text/javascript; charset=utf-8",
    "favicon-32x32.png": b"image/png",
}
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
        if rest in ("", "docs/"):
            return Reply(302, b"", ((b"location", f"{here}/docs".encode()),))
        if rest == "openapi.yaml":
            return _file(_served(contract, here), b"application/yaml; charset=utf-8")
        if rest == "docs":
            return _page(_filled("docs.html", title=contract.title, address=f"{here}/openapi.yaml", assets=f"{here}/docs"))
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
            curls="\n".join(_copyable(line) for line in curls(contract, known, base)),
        )


def _served(contract: Contract, here: str) -> bytes:
    """The document as it stands in its file, its first server being this one; `here` is where the API's paths begin."""
    declared = str(contract.document["servers"][0]["url"]).encode()
    _, slash, rest = contract.base_path[1:].partition("/")
    return contract.text.replace(declared, f"{here}{slash}{rest}".encode(), 1)


def root_of(host: str, scheme: str, prefix: str) -> str:
    """Where the client found the server, from its Host header; a header that is no host is not repeated."""
    return f"{scheme}://{host if _HOST.fullmatch(host) else 'localhost'}{prefix}"


def curls(contract: Contract, known: tuple[Credential, ...], base: str) -> list[str]:
    """Lines to paste into a terminal: log in where the API has sessions, then list what can be listed without an id."""
    lines, header = [], _credential_header(contract, known)
    logins = [o for o in contract.operations.values() if o.action == "login"]
    if logins and known and known[0].login:
        body = ", ".join(f'"{name}": "{value}"' for name, value in known[0].login.items())
        lines.append(f"curl -X POST {base}{logins[0].path} -H 'Content-Type: application/json' -d '{{{body}}}'")
    lists = [o for o in contract.operations.values() if o.action == "list" and not o.ancestors]
    return lines + [f"curl '{base}{operation.path}{_page_of_three(operation)}'{header}" for operation in lists[:3]]


def _credential_header(contract: Contract, known: tuple[Credential, ...]) -> str:
    secret = next((credential.secret for credential in known if credential.secret), "SESSION_ID")
    for scheme in contract.security_schemes.values():
        if scheme["type"] == "apiKey" and scheme["in"] == "header":
            return f" -H '{scheme['name']}: {secret}'"
    return f" -H 'Authorization: Bearer {secret}'"


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
