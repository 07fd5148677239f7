"""Command line and environment -> Settings, read once."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from mock_server import __version__, clock, documents
from mock_server.commands import COMMANDS

HERE = Path(__file__).parent
PREFIX = "MOCK_"  # --port is MOCK_PORT in the environment
OTHERS = frozenset({"MOCK_TEST_POSTGRES"})  # variables that the tests read
TOLD = frozenset({"host", "auth", "seed", "scale", "situation", "store", "workers", "openapi", "fixtures"})  # at start
LONGEST = 40  # characters of a wrong value that are quoted
_PASSWORD = re.compile(r"(?<=:)[^/@:]+(?=@)")  # in a store's address
_WHOLE = re.compile(r"-?[0-9]{1,19}")
Log = Literal["auto", "requests", "failures", "off"]


class WrongUsage(ValueError):
    """An option that cannot be used, told in one line."""


def shipped(folder: str) -> Path:
    """A folder that travels with the package: inside it once installed, beside it in a checkout."""
    inside = HERE / folder
    return inside if inside.is_dir() else HERE.parent / folder


@dataclass(frozen=True)
class Settings:
    """Everything a person may choose."""

    host: str = "127.0.0.1"
    port: int = 8080
    apis: tuple[str, ...] = ()  # none: every API there is
    seed: int = 1
    scale: int = 60
    auth: Literal["strict", "lenient"] = "strict"
    log: Log = "auto"
    strict_query: bool = False
    check_replies: Literal["off", "sample", "all"] = "all"
    max_body: int = 1 << 20  # bytes
    store: str = "memory"
    workers: int = 1
    world_ttl: int = 0  # seconds; 0: worlds never end
    max_worlds: int = 10_000
    max_records: int = 1_000_000
    journal: int = 1000  # exchanges of a world
    show_secrets: bool = False
    fail_unfired: bool = False
    situation: str = ""  # what new worlds start from
    clock: int | None = None  # microseconds since 1970 at which the clock stands still
    reload: bool = False
    ends_with_stdin: bool = False  # for whoever starts a server and may be killed
    openapi: Path = field(default_factory=partial(shipped, "openapi"))
    fixtures: Path = field(default_factory=partial(shipped, "fixtures"))


# Each reader raises WrongUsage with what would be right; `read` puts the option's or the variable's name before it.


def number(least: int, most: int) -> Callable[[str], int]:
    """The reader of a whole number within bounds."""

    def read(text: str) -> int:
        if not _WHOLE.fullmatch(text) or not least <= int(text) <= most:
            raise WrongUsage(f"must be a whole number from {least} to {most}, not {quoted(text)}")
        return int(text)

    return read


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise WrongUsage(f"must be one of {', '.join(choices)}, not {quoted(text)}")
        return text

    return read


def _flag(text: str) -> bool:
    if text.lower() not in {"1", "true", "yes", "0", "false", "no"}:
        raise WrongUsage(f"must be true or false, not {quoted(text)}")
    return text.lower() in {"1", "true", "yes"}


def folder(text: str) -> Path:
    """A folder that is there."""
    if not Path(text).is_dir():
        raise WrongUsage(f"must be a folder, and {quoted(text)} is none")
    return Path(text).resolve()


def _instant(text: str) -> int:
    try:
        return clock.read(text)
    except ValueError:
        raise WrongUsage(f"must be a time like 2024-01-27T16:00:00Z, not {quoted(text)}") from None


def quoted(text: str) -> str:
    """A wrong value as a message shows it."""
    return repr(text if len(text) <= LONGEST else f"{text[:LONGEST]}…")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


@dataclass(frozen=True)
class Option:
    """One setting as the command line and the environment know it."""

    field: str
    read: Callable[[str], Any]
    help: str
    metavar: str = ""
    hidden: bool = False  # from people: programs use it

    @property
    def flag(self) -> str:
        return "--" + {"apis": "api"}.get(self.field, self.field).replace("_", "-")

    @property
    def variable(self) -> str:
        return PREFIX + self.flag[2:].replace("-", "_").upper()


OPTIONS = (
    Option("host", str, "address to listen at; anything but a loopback address opens the mock to others", "ADDRESS"),
    Option("port", number(0, 65535), "port to listen at; 0 takes a free one", "NUMBER"),
    Option("apis", _names, "APIs to serve, separated by commas; default: all", "NAMES"),
    Option("seed", number(0, (1 << 63) - 1), "what the data is made from: the same seed, the same bytes", "NUMBER"),
    Option("scale", number(0, 10_000_000), "number of customers; other records follow", "NUMBER"),
    Option("auth", _one_of("strict", "lenient"), "lenient takes any credential that is not empty", "strict|lenient"),
    Option(
        "log",
        _one_of("requests", "failures", "off", "auto"),
        "a line for each request, for each refused one, for none; auto: requests on a terminal, else off",
        "requests|failures|off|auto",
    ),
    Option("strict_query", _flag, "refuse query parameters that the contract does not know"),
    Option(
        "check_replies",
        _one_of("off", "sample", "all"),
        "check answers against the contract; sample: every sixteenth",
        "off|sample|all",
    ),
    Option("max_body", number(1, 1 << 30), "largest request body", "BYTES"),
    Option("store", str, "where writes are kept: memory, sqlite:///FILE or postgresql://USER@HOST/NAME", "ADDRESS"),
    Option("workers", number(1, 64), "processes that serve the port; more than one need a store that they share", "NUMBER"),
    Option("world_ttl", number(0, 10**9), "seconds after its last use at which a world ends; 0: never", "SECONDS"),
    Option("max_worlds", number(1, 10**7), "how many worlds there may be", "NUMBER"),
    Option("max_records", number(1, 10**9), "how many records a client may add to a world", "NUMBER"),
    Option("journal", number(0, 10**6), "how many requests and answers of a world are kept; 0: none", "NUMBER"),
    Option("show_secrets", _flag, "tell credentials, sessions and passwords in the journal; default: they are masked"),
    Option("fail_unfired", _flag, "end with status 1 if a fault that was armed never fired"),
    Option("situation", str, "what new worlds start from: a file in fixtures/situations; default: the data alone", "NAME"),
    Option("clock", _instant, "time at which the clock stands still; default: it runs", "TIME"),
    Option("reload", _flag, "start anew when a contract or fixture changes"),
    Option("ends_with_stdin", _flag, "stop when the standard input ends", hidden=True),
    Option("openapi", folder, "folder with one folder an API, an openapi.yaml in each", "FOLDER"),
    Option("fixtures", folder, "folder with credentials and data, one folder an API", "FOLDER"),
)
_FLAGS = {"strict_query", "reload", "ends_with_stdin", "show_secrets", "fail_unfired"}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise WrongUsage(message)


def parser() -> argparse.ArgumentParser:
    """What `mock-server --help` prints."""
    made = _Parser(
        prog="mock-server",
        allow_abbrev=False,
        description="Serve the APIs of the contracts: stateful, seeded, strict.",
        epilog="Every option can be set in the environment as well: --port is MOCK_PORT, --strict-query is MOCK_STRICT_QUERY. "
        f"Beside serving there are {'; '.join(f'`mock-server {name}`: {told}' for name, told in COMMANDS.items())}.",
    )
    made.add_argument("--version", action="version", version=f"mock-server {__version__}")
    for option in OPTIONS:
        default = getattr(Settings, option.field, None)
        told = "" if default in (None, (), False, "") else f" (default: {default})"
        kwargs: dict[str, Any] = {"dest": option.field, "help": argparse.SUPPRESS if option.hidden else option.help + told}
        if option.field in _FLAGS:
            kwargs |= {"action": "store_const", "const": "true"}
        else:
            kwargs |= {"metavar": option.metavar}
        made.add_argument(option.flag, **kwargs)
    return made


def read(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that command line, else environment, else defaults say; an empty variable says nothing.

    Raises WrongUsage.
    """
    named, unknown = parser().parse_known_args(arguments)
    if unknown:
        flags = [option.flag for option in OPTIONS]
        raise WrongUsage(f"there is no {unknown[0]}{documents.meant(unknown[0].partition('=')[0], flags)}")
    chosen: dict[str, Any] = {}
    for option in OPTIONS:
        given = getattr(named, option.field)
        source, text = (option.flag, given) if given is not None else (option.variable, environment.get(option.variable) or None)
        if text is not None:
            chosen[option.field] = _read(option, source, text)
    settings = Settings(**chosen)
    if settings.workers > 1 and settings.store == "memory":
        raise WrongUsage(
            f"--workers {settings.workers} needs a store that they share: in memory each would have worlds of its own; "
            "give --store sqlite:///FILE or postgresql://…"
        )
    if settings.workers > 1 and settings.reload:
        raise WrongUsage("--workers and --reload cannot go together")
    return settings


def _read(option: Option, source: str, text: str) -> Any:
    try:
        return option.read(text)
    except WrongUsage as wrong:
        raise WrongUsage(f"{source} {wrong}") from None


def told(settings: Settings) -> list[str]:
    """A line that says, for the table at start, what is not as it is by default; none if everything is."""
    usual = Settings()
    changed = [
        f"{option.flag} {_PASSWORD.sub('***', str(getattr(settings, option.field)))}"
        for option in OPTIONS
        if option.field in TOLD and getattr(settings, option.field) != getattr(usual, option.field)
    ]
    return [f"With {', '.join(changed)}"] if changed else []


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """A sentence on each variable that looks like a setting and is none."""
    known = [option.variable for option in OPTIONS]
    names = [name for name in sorted(environment) if name.startswith(PREFIX) and name not in {*known, *OTHERS}]
    return [f"{name} in the environment is no setting{documents.meant(name, known)}" for name in names]
