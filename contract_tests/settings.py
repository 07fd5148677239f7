"""Command line, environment and files -> Settings, read once; all that is wrong with them is told together."""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from contract_tests import baseline, credentials, testdata, waivers
from contract_tests.baseline import Baseline
from contract_tests.testdata import TestData
from contract_tests.waivers import Waiver
from mock_server import __version__, contract, documents
from mock_server.contract import BrokenContract, Contract, UnknownContract
from mock_server.credentials import Credential
from mock_server.settings import WrongUsage as WrongValue
from mock_server.settings import folder, number, quoted, shipped

FORMATS = ("junit", "json", "html", "sarif", "har")  # of reports, beside the one on the terminal
NETWORK = ("ca", "credentials", "data", "insecure", "proxy", "timeout")  # options that say something about what is at an address
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


class WrongUsage(WrongValue):
    """Options or files that cannot be used: a sentence each."""

    def __init__(self, *sentences: str) -> None:
        self.sentences = sentences
        super().__init__("\n".join(sentences))


@dataclass(frozen=True)
class Report:
    """A file to write once the run is over."""

    format: str
    path: Path


@dataclass(frozen=True)
class Settings:
    """Everything a person may choose about a run."""

    contracts: Mapping[str, Contract]  # what is tested
    addresses: Mapping[str, str] = field(default_factory=dict)  # API -> address of its operations; none: the mock in this process
    credentials: Mapping[str, tuple[Credential, ...]] = field(default_factory=dict)  # API -> those that may do most first
    well_known: frozenset[str] = frozenset()  # APIs that are called with the credentials of the mock's fixtures: no secrets
    data: Mapping[str, TestData] = field(default_factory=dict)  # API -> what is known of a real implementation's records
    laws: tuple[str, ...] = ()  # names; none: every law
    read_only: bool = False  # send nothing but GET, HEAD and OPTIONS
    seed: int = 1
    schemathesis: bool = True
    examples: int = 5  # of each operation, that Schemathesis makes
    pages: int = 40  # of one list, that are walked at most
    latency: float = 0  # milliseconds that an answer may take; 0: no bound
    rate: float = 0  # requests a second; 0: no limit
    headers: tuple[tuple[str, str], ...] = ()  # sent with every request
    timeout: float = 30  # seconds that an answer is waited for
    insecure: bool = False  # take any certificate
    ca: Path | None = None  # certificates to trust
    proxy: str = ""
    strict: bool = False  # fail on findings about inferred rules too
    waivers: tuple[Waiver, ...] = ()
    baseline: Baseline | None = None
    reports: tuple[Report, ...] = ()
    capsules: Path | None = None  # a folder for the capsules of findings
    durations: bool = False
    openapi: Path = field(default_factory=partial(shipped, "openapi"))
    fixtures: Path = field(default_factory=partial(shipped, "fixtures"))


# Each reader raises WrongUsage with what would be right; `_read` puts the option's name before it.


def _amount(unit: str) -> Callable[[str], float]:
    def read(text: str) -> float:
        if not _DECIMAL.fullmatch(text) or float(text) == 0:
            raise WrongUsage(f"must be a number of {unit} above 0, not {quoted(text)}")
        return float(text)

    return read


def _rate(text: str) -> float:
    count, slash, unit = text.partition("/")
    if not slash or unit not in _SECONDS or not _DECIMAL.fullmatch(count) or float(count) == 0:
        raise WrongUsage(f"must be like 5/s or 100/m, not {quoted(text)}")
    return float(count) / _SECONDS[unit]


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not _TOKEN.fullmatch(name) or not _FIELD.fullmatch(value.strip()):
        raise WrongUsage(f"must be like 'Name: value', not {quoted(text)}")
    return name, value.strip()


def _file(text: str) -> Path:
    if not Path(text).is_file():
        raise WrongUsage(f"must be a file, and {quoted(text)} is none")
    return Path(text)


def _new_folder(text: str) -> Path:
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise WrongUsage(f"must be a folder, and {quoted(text)} is none")
    if not path.parent.is_dir():
        raise WrongUsage(f"names {quoted(text)}, which cannot be made: there is no folder {path.parent}")
    return path


def _report(text: str) -> Report:
    format, sign, name = text.partition("=")
    if not sign or format not in FORMATS or not name:
        raise WrongUsage(f"must be like junit=report.xml, the format one of {', '.join(FORMATS)}, not {quoted(text)}")
    path = Path(name)
    if not path.parent.is_dir() or path.is_dir():
        raise WrongUsage(f"names {quoted(name)}, which cannot be written: {_unwritable(path)}")
    return Report(format, path)


def _unwritable(path: Path) -> str:
    return "it is a folder" if path.is_dir() else f"there is no folder {path.parent}"


def address(text: str) -> str:
    """A base address, without a slash at its end."""
    if _is_address(text) and urlsplit(text).username is not None:
        raise WrongUsage("must hold no user and password: give them with --header, --credentials or in the environment")
    if not _is_address(text):
        raise WrongUsage(f"must be an address like https://api.example.com/v1, not {quoted(text)}")
    return text.rstrip("/")


def _proxy(text: str) -> str:
    if not _is_address(text) or urlsplit(text).path not in ("", "/"):
        raise WrongUsage("must be an address like http://proxy.example.com:3128")
    return text.rstrip("/")


def _is_address(text: str) -> bool:
    if not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not (parts.query or parts.fragment)
        )
    except ValueError:  # A port that is no number, a bracket too many.
        return False


def _url(text: str) -> tuple[str, str]:
    api, sign, rest = text.partition("=")
    return (api, address(rest)) if sign and "/" not in api else ("", address(text))


@dataclass(frozen=True)
class Option:
    """One setting as the command line knows it."""

    field: str
    read: Callable[[str], Any]
    help: str
    metavar: str = ""
    repeated: bool = False

    @property
    def flag(self) -> str:
        return "--" + {"reports": "report", "laws": "law", "headers": "header"}.get(self.field, self.field).replace("_", "-")


# What one run of the laws takes, in the order of --help. An option without a metavar is a switch.
OPTIONS = (
    Option("url", _url, "the API's address, in place of its contract's; default: the mock, in this process", "[API=]URL", True),
    Option("read_only", bool, "send nothing but GET, HEAD and OPTIONS"),
    Option("seed", number(0, 2**63 - 1), "what values are chosen by: the same seed, the same requests", "NUMBER"),
    Option("laws", str, "try this law alone; may be repeated", "NAME", True),
    Option("no_schemathesis", bool, "try the laws alone"),
    Option("examples", number(1, 100_000), "how many requests Schemathesis makes for an operation", "NUMBER"),
    Option("pages", number(2, 1_000_000), "how many pages of one list are walked at most", "NUMBER"),
    Option("latency", _amount("milliseconds"), "how long an answer may take; default: as long as it likes", "MS"),
    Option("data", _file, "records that exist and values that may be used, at a real implementation", "FILE"),
    Option("credentials", _file, "who may call; default: the environment, and for the mock its fixtures", "FILE"),
    Option("headers", _header, "send this header with every request; may be repeated", "'NAME: VALUE'", True),
    Option("rate", _rate, "send no more requests than this: 5/s, 100/m", "NUMBER/s"),
    Option("timeout", _amount("seconds"), "how long an answer is waited for", "SECONDS"),
    Option("proxy", _proxy, "reach the address through this proxy", "URL"),
    Option("ca", _file, "certificates to trust", "FILE"),
    Option("insecure", bool, "take any certificate"),
    Option("strict", bool, "fail on findings about inferred rules as well"),
    Option("waivers", _file, "known findings that are let pass, until a date", "FILE"),
    Option("baseline", _file, "a JSON report: fail only on what is new since", "FILE"),
    Option("reports", _report, f"write a report: {', '.join(FORMATS)}; may be repeated", "FORMAT=FILE", True),
    Option(
        "capsules", _new_folder, "write a capsule of each finding: `mock-server capsule replay FILE` shows it again", "FOLDER"
    ),
    Option("durations", bool, "say how long each law took"),
    Option("openapi", folder, "folder with one folder an API, an openapi.yaml in each", "FOLDER"),
    Option("fixtures", folder, "folder with the mock's credentials and data", "FOLDER"),
)


USAGE = """contract-tests [API...] [--url [API=]URL] [options]
       contract-tests laws
       contract-tests parity API --url URL [--json]
       contract-tests traffic FILE.har [--json]"""


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are WrongUsage."""

    def error(self, message: str) -> Any:
        raise WrongUsage(message)


def parser() -> Parser:
    """What `contract-tests --help` prints."""
    made = Parser(
        prog="contract-tests",
        allow_abbrev=False,
        usage=USAGE,
        description="Say whether an implementation keeps its contract: the mock, a staging server, production read-only.",
        epilog="Exit status: 0 all held, 1 violations, 2 wrong usage, 3 nothing proved or nothing answers. "
        "Credentials come from API_API_KEY and API_READ_KEY, or API_ and each property of the login, in the environment.",
    )
    made.add_argument("--version", action="version", version=f"contract-tests {__version__}")
    made.add_argument("apis", nargs="*", metavar="API", help="what to test; default: every API with a contract")
    add_options(made.add_argument)
    return made


def add_options(add: Callable[..., object], skipped: Iterable[str] = ()) -> None:
    """Declare the options with an argparse parser's or a pytest group's function."""
    for option in OPTIONS:
        if option.field in skipped:
            continue
        default = getattr(Settings, option.field, None)
        told = "" if default in (None, (), False, 0, "") else f" (default: {default})"
        kwargs: dict[str, Any] = {"dest": option.field, "help": option.help + told}
        if not option.metavar:
            kwargs |= {"action": "store_const", "const": "yes"}
        else:
            kwargs |= {"metavar": option.metavar, "action": "append" if option.repeated else "store"}
        add(option.flag, **kwargs)


def read(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that a command line says.

    Raises WrongUsage with everything that is wrong.
    """
    named, unknown = parser().parse_known_intermixed_args(arguments)
    flags = [option.flag for option in OPTIONS]
    wrong = [f"there is no {flag}{documents.meant(flag.partition('=')[0], flags)}" for flag in unknown if flag.startswith("-")]
    return chosen(vars(named), environment, wrong)


def chosen(texts: Mapping[str, Any], environment: Mapping[str, str], wrong: Iterable[str] = ()) -> Settings:
    """The settings that options say, each a text, a list of them, or None; `wrong` is what is known to be wrong already.

    Raises WrongUsage with everything that is wrong.
    """
    complaints = list(wrong)
    values = _values(texts, complaints)
    every = _contracts(values.get("openapi") or shipped("openapi"), complaints)
    if every:
        _resolve(values, tuple(texts["apis"] or ()), every, environment, complaints)
    if complaints:
        raise WrongUsage(*dict.fromkeys(complaints))
    return Settings(**values)


def _values(texts: Mapping[str, Any], complaints: list[str]) -> dict[str, Any]:
    """What the texts say, by field; a complaint for each that says nothing."""
    values: dict[str, Any] = {}
    for option in OPTIONS:
        given = texts.get(option.field)
        read = [] if given is None else [_value(option, text, complaints) for text in (given if option.repeated else [given])]
        if read and None not in read:
            values[option.field] = tuple(read) if option.repeated else read[0]
    return values


def _value(option: Option, text: str, complaints: list[str]) -> Any:
    """What a text says; None, and a complaint, if it says nothing."""
    try:
        return option.read(text)
    except WrongValue as complaint:
        complaints.append(f"{option.flag} {complaint}")
        return None


def _contracts(folder: Path, complaints: list[str]) -> Mapping[str, Contract]:
    try:
        return contract.load_all(folder)
    except (BrokenContract, UnknownContract) as broken:
        complaints += str(broken).splitlines()
        return {}


def _resolve(
    values: dict[str, Any],
    apis: tuple[str, ...],
    every: Mapping[str, Contract],
    environment: Mapping[str, str],
    complaints: list[str],
) -> None:
    """Turn names and files among the values into what they stand for."""
    complaints += [f"there is no API {quoted(name)}{documents.meant(name, every)}" for name in apis if name not in every]
    urls = [(api or ("" if apis else _owner(base, every)), base) for api, base in values.pop("url", ())]
    chosen_apis = [name for name in apis if name in every] or [api for api, _ in urls if api in every] or list(every)
    contracts = values["contracts"] = {name: every[name] for name in every if name in chosen_apis}
    values["addresses"] = _addresses(urls, contracts, every, complaints)
    values["schemathesis"] = not values.pop("no_schemathesis", False)
    if values["schemathesis"] and importlib.util.find_spec("schemathesis") is None:
        complaints.append("Schemathesis is not installed: pip install 'mock-server[suites]', or give --no-schemathesis")
    if not urls:
        complaints += [f"--{name} is about what is at an address: it needs --url" for name in NETWORK if name in values]
    if values.get("ca") and values.get("insecure"):
        complaints.append("--ca and --insecure cannot go together: trust these certificates, or any")
    laws = _laws()
    complaints += [
        f"there is no law {quoted(name)}{documents.meant(name, laws)}" for name in values.get("laws", ()) if name not in laws
    ]
    _read_files(values, every, laws, complaints)
    values["credentials"] = _credentials(values, environment, complaints)


def _laws() -> tuple[str, ...]:
    from contract_tests.laws import LAWS  # noqa: PLC0415  # late, so that --help answers at once

    return tuple(law.name for law in LAWS)


def _owner(base: str, every: Mapping[str, Contract]) -> str:
    """The API whose contract names such an address, the host of a mock aside; "" if none does."""
    for name, one in every.items():
        servers = {str(server["url"]).rstrip("/") for server in one.document["servers"]}
        if base in servers or urlsplit(base).path in (one.base_path, *one.aliases):
            return name
    return ""


def _addresses(
    urls: Sequence[tuple[str, str]], contracts: Mapping[str, Contract], every: Mapping[str, Contract], complaints: list[str]
) -> dict[str, str]:
    """Each API's address. A plain one is that of the only API, or the root of a mock server that has all of them."""
    found: dict[str, str] = {}
    for api, base in urls:
        if api and api not in contracts:
            known = "is not among those to test" if api in every else f"does not exist{documents.meant(api, every)}"
            complaints.append(f"--url names the API {quoted(api)}, which {known}")
        elif api or len(contracts) == 1:
            name = api or next(iter(contracts))
            if name in found:
                complaints.append(f"--url gives two addresses for {name}")
            found[name] = base
        elif urlsplit(base).path:
            example = f"contract-tests {next(iter(contracts))} --url {base}"
            complaints.append(f"--url {base} can be the address of one API only: name it, as in `{example}`")
        else:
            found |= {name: base + one.base_path for name, one in contracts.items()}
    missing = [name for name in contracts if name not in found]
    if urls and missing and not complaints:
        complaints.append(f"--url gives no address for {', '.join(missing)}")
    return found


def _read_files(values: dict[str, Any], every: Mapping[str, Contract], laws: tuple[str, ...], complaints: list[str]) -> None:
    readers: Mapping[str, Callable[[Path], Any]] = {
        "waivers": lambda path: waivers.read(path, every, laws),
        "data": lambda path: testdata.read(path, every),
        "credentials": lambda path: credentials.in_file(path, every),
        "baseline": baseline.read,
    }
    for name, reader in readers.items():
        if name in values:
            try:
                values[name] = reader(values[name])
            except (BrokenContract, baseline.Unreadable) as broken:
                values.pop(name)
                complaints += [f"--{name}: {sentence}" for sentence in str(broken).splitlines()]


def _credentials(
    values: dict[str, Any], environment: Mapping[str, str], complaints: list[str]
) -> dict[str, tuple[Credential, ...]]:
    """Who calls, by API: the file says it, else the environment, else, for a mock on this machine, its fixtures."""
    contracts: Mapping[str, Contract] = values["contracts"]
    addresses: Mapping[str, str] = values["addresses"]
    given: dict[str, tuple[Credential, ...]] = dict(values.get("credentials", {}))
    for name, one in contracts.items() if addresses else ():  # The mock in this process does not know those of a real one.
        try:
            given.setdefault(name, credentials.named(one, environment))
        except LookupError as missing:
            complaints.append(str(missing.args[0]))
    try:
        mock = credentials.of_the_mock(values.get("fixtures") or shipped("fixtures"), contracts)
    except BrokenContract as broken:
        complaints += str(broken).splitlines()
        return {}
    own = {name for name in contracts if name not in addresses or urlsplit(addresses[name]).hostname in LOOPBACK}
    values["well_known"] = frozenset(name for name in own if not given.get(name))
    return {name: given.get(name) or (mock[name] if name in own else ()) for name in contracts}


def unarmed(settings: Settings) -> list[str]:
    """A sentence on each API that wants a credential and has none."""
    return [
        f"{name}: no credentials; set {' and '.join(credentials.variables(one))}, or give --credentials FILE"
        for name, one in settings.contracts.items()
        if one.security_schemes and not settings.credentials.get(name) and not settings.headers
    ]
