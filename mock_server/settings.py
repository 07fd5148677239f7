"""Command line and environment -> Settings, read once."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from mock_server import clock

HERE = Path(__file__).parent
PREFIX = "MOCK_"  # --port is MOCK_PORT in the environment
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
    check_replies: Literal["off", "sample", "all"] = "sample"
    max_body: int = 1 << 20  # bytes
    clock: int | None = None  # microseconds since 1970 at which the clock stands still
    reload: bool = False
    openapi: Path = field(default_factory=partial(shipped, "openapi"))
    fixtures: Path = field(default_factory=partial(shipped, "fixtures"))


def _number(name: str, least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.strip().lstrip("-").isdecimal() or not least <= int(text) <= most:
            raise WrongUsage(f"{name} must be a whole number from {least} to {most}, not {text!r}")
        return int(text)

    return read


def _one_of(name: str, *choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise WrongUsage(f"{name} must be one of {', '.join(choices)}, not {text!r}")
        return text

    return read


def _flag(name: str) -> Callable[[str], bool]:
    def read(text: str) -> bool:
        if text.lower() not in {"1", "true", "yes", "0", "false", "no", ""}:
            raise WrongUsage(f"{name} must be true or false, not {text!r}")
        return text.lower() in {"1", "true", "yes"}

    return read


def _folder(name: str) -> Callable[[str], Path]:
    def read(text: str) -> Path:
        if not Path(text).is_dir():
            raise WrongUsage(f"{name} must be a folder, and {text!r} is none")
        return Path(text).resolve()

    return read


def _instant(name: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            return clock.read(text)
        except ValueError:
            raise WrongUsage(f"{name} must be a time like 2024-01-27T16:00:00Z, not {text!r}") from None

    return read


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


@dataclass(frozen=True)
class Option:
    """One setting as the command line and the environment know it."""

    field: str
    read: Callable[[str], Any]
    help: str
    metavar: str = ""

    @property
    def flag(self) -> str:
        return "--" + {"apis": "api"}.get(self.field, self.field).replace("_", "-")

    @property
    def variable(self) -> str:
        return PREFIX + self.flag[2:].replace("-", "_").upper()


OPTIONS = (
    Option("host", str, "address to listen at; anything but a loopback address opens the mock to others", "ADDRESS"),
    Option("port", _number("--port", 0, 65535), "port to listen at; 0 takes a free one", "NUMBER"),
    Option("apis", _names, "APIs to serve, separated by commas; default: all", "NAMES"),
    Option("seed", _number("--seed", 0, (1 << 63) - 1), "what the data is made from: the same seed, the same bytes", "NUMBER"),
    Option("scale", _number("--scale", 0, 10_000_000), "number of customers; other records follow", "NUMBER"),
    Option("auth", _one_of("--auth", "strict", "lenient"), "lenient takes any credential that is not empty", "strict|lenient"),
    Option(
        "log", _one_of("--log", "auto", "requests", "failures", "off"), "requests: a line for each; auto: on a terminal", "WHAT"
    ),
    Option("strict_query", _flag("--strict-query"), "refuse query parameters that the contract does not know"),
    Option("check_replies", _one_of("--check-replies", "off", "sample", "all"), "check answers against the contract", "HOW"),
    Option("max_body", _number("--max-body", 1, 1 << 30), "largest request body", "BYTES"),
    Option("clock", _instant("--clock"), "time at which the clock stands still; default: it runs", "TIME"),
    Option("reload", _flag("--reload"), "start anew when a contract or fixture changes"),
    Option("openapi", _folder("--openapi"), "folder with one folder an API, an openapi.yaml in each", "FOLDER"),
    Option("fixtures", _folder("--fixtures"), "folder with credentials and data, one folder an API", "FOLDER"),
)
_FLAGS = {"strict_query", "reload"}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise WrongUsage(message)


def parser() -> argparse.ArgumentParser:
    """What `mock-server --help` prints."""
    made = _Parser(
        prog="mock-server",
        description="Serve the APIs of the contracts: stateful, seeded, strict.",
        epilog="Every option can be set in the environment as well: --port is MOCK_PORT, --strict-query is MOCK_STRICT_QUERY.",
    )
    for option in OPTIONS:
        default = getattr(Settings, option.field, None)
        told = "" if default in (None, (), False) else f" (default: {default})"
        kwargs: dict[str, Any] = {"dest": option.field, "help": option.help + told}
        if option.field in _FLAGS:
            kwargs |= {"action": "store_const", "const": "true"}
        else:
            kwargs |= {"metavar": option.metavar}
        made.add_argument(option.flag, **kwargs)
    return made


def read(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that command line, else environment, else defaults say.

    Raises WrongUsage.
    """
    given = vars(parser().parse_args(arguments))
    chosen: dict[str, Any] = {}
    for option in OPTIONS:
        text = given[option.field] if given[option.field] is not None else environment.get(option.variable)
        if text is not None:
            chosen[option.field] = option.read(text)
    return Settings(**chosen)
