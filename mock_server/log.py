"""One line a request, coloured by its status on a terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import TextIO

from mock_server.secrecy import Secrets

COLOURS = {2: "\033[32m", 3: "\033[36m", 4: "\033[33m", 5: "\033[31m"}
PLAIN = "\033[0m"
_SECRETS = Secrets({}, ())  # known by their names alone
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")

Line = Callable[[str, str, int, float, str, str], None]  # method, target, status, seconds, world, remark


def printable(text: str) -> str:
    """A text without anything that a terminal would obey."""
    return _UNPRINTABLE.sub("?", text)


def masked(target: str) -> str:
    """A path with query as it may be written: secrets as ***."""
    return printable(_SECRETS.target(target))


def lines(log: str, stream: TextIO = sys.stderr) -> Line | None:
    """The function that writes a request's line; None if none is wanted."""
    terminal = stream.isatty()
    wanted = {"auto": "requests" if terminal else "off"}.get(log, log)
    if wanted == "off":
        return None

    def line(method: str, target: str, status: int, seconds: float, world: str, remark: str) -> None:
        if wanted == "failures" and status < 400:
            return
        before, after = (COLOURS.get(status // 100, ""), PLAIN) if terminal else ("", "")
        told = f"  world {printable(world)}" if world != "default" else ""
        stream.write(f"{before}{status}{after} {method:7} {masked(target)}  {seconds * 1000:.1f} ms{told}{remark}\n")

    return line
