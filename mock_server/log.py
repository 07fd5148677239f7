"""One line a request, coloured by its status on a terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import TextIO
from urllib.parse import unquote_plus

COLOURS = {2: "\033[32m", 3: "\033[36m", 4: "\033[33m", 5: "\033[31m"}
PLAIN = "\033[0m"
SECRETS = ("key", "token", "secret", "password", "session")  # what stands in the name of a parameter that is not written
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")

Line = Callable[[str, str, int, float, str, str], None]  # method, target, status, seconds, world, remark


def printable(text: str) -> str:
    """A text without anything that a terminal would obey."""
    return _UNPRINTABLE.sub("?", text)


def masked(target: str) -> str:
    """A path with query as it may be written: secrets as ***."""
    path, sign, query = target.partition("?")
    return printable(path + sign + "&".join(map(_hidden, query.split("&"))))


def _hidden(parameter: str) -> str:
    name, sign, _ = parameter.partition("=")
    told = unquote_plus(name).lower()
    return f"{name}=***" if sign and any(word in told for word in SECRETS) else parameter


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
