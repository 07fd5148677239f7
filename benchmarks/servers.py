"""The servers to measure: ours as it ships and with other choices, and the floors."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from benchmarks.rows import BASE, RESET

ROOT = Path(__file__).parent.parent
OURS = "mock-server"
ALL_CHECKED = OURS  # as it ships
FLOOR, FIXED, STARLETTE = "bare ASGI, same handler", "bare ASGI, same bytes", "Starlette, same bytes"
NAMES = {"handler": FLOOR, "fixed": FIXED, "starlette": STARLETTE}
HTTP = {"granian": ("granian", "--interface", "asgi", "--factory", "--no-ws", "--log-level", "warning")}  # what runs each

Kind = Literal["ours", "floor", "peer"]


def _nothing() -> None:
    """What is there is enough."""


@dataclass(frozen=True, slots=True)
class Server:
    """How a server is started, and how it is spoken to."""

    name: str
    kind: Kind
    command: Callable[[int], Sequence[str]]  # of the port
    folder: Path = ROOT  # where it runs
    base: str = BASE  # path of the API
    spelled: Mapping[str, str] = field(default_factory=dict)  # query parameter of the contract -> its own
    warm: float = 0.5  # seconds of load before the first figure
    reset: str = ""  # path that takes back what was written
    restarts: bool = False  # what was written goes away by a new start only
    prepare: Callable[[], None] = _nothing  # before such a start


def floor(name: str, http: str = "") -> Server:
    """A floor, under the HTTP server that ours has, or under another one."""
    words = ["--http", http] if http else []
    return Server(
        name=NAMES[name] + (f", {http}" if http else ""),
        kind="floor",
        command=lambda port: [sys.executable, "-m", "benchmarks.floors", name, "--port", str(port), *words],
        reset=RESET,
    )


def ours(*options: str) -> Server:
    """The mock server, with some options."""
    return Server(
        name=" ".join([OURS, *options]),
        kind="ours",
        command=lambda port: [sys.executable, "-m", "mock_server", "--log", "off", "--port", str(port), *options],
        reset=RESET,
    )


def elsewhere(http: str) -> Server:
    """The mock server under an HTTP server of its user's."""
    environment = ["env", "MOCK_LOG=off"]
    factory = [*HTTP[http], "--host", "127.0.0.1", "--port"]
    return Server(
        name=f"{OURS}, {http}",
        kind="ours",
        command=lambda port: [*environment, sys.executable, "-m", *factory, str(port), "mock_server.asgi:application"],
        reset=RESET,
    )


def own() -> list[Server]:
    """Every server that needs nothing but this project; what compares belongs together."""
    others = [http for http in HTTP if find_spec(http)]
    return [
        floor("fixed"),
        floor("starlette"),
        floor("handler"),
        ours(),
        ours("--check-replies", "off"),
        ours("--check-replies", "sample"),
        *(server for http in others for server in (floor("fixed", http), floor("handler", http), elsewhere(http))),
    ]
