"""mock-server errors: every documented error, how to get it, and whether it can be got."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import NoReturn
from urllib.parse import urlencode

from mock_server import client
from mock_server.atlas import Recipe, script, trial
from mock_server.client import NotStarted, Refused, Server, Unreachable
from mock_server.settings import WrongUsage

ROOT = "http://localhost:8080"  # of the lines of curl, where no server is named
FAILED = 1  # exit status

Error = tuple[str, str, int]  # API, operation, status


def main(arguments: Sequence[str]) -> int:
    """Run the command; answer its exit status.

    Raises WrongUsage.
    """
    asked = _parser().parse_args(arguments)
    with _server(asked.url) as server:
        recipes = _recipes(server, asked)
        if asked.verify:
            return _verify(recipes, server)
    if asked.json:
        print(json.dumps({"errors": [recipe.document() for recipe in recipes]}, indent=2, ensure_ascii=False))
    elif asked.curl:
        print("\n\n".join("\n".join(script.lines(recipe, asked.url or ROOT)) for recipe in recipes))
    else:
        print("\n".join(_table(recipes)))
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise WrongUsage(message)


def _parser() -> _Parser:
    made = _Parser(
        prog="mock-server errors",
        allow_abbrev=False,
        description="List every error that the contracts document, and how a client gets it.",
        epilog="Without --url a server is started for it; MOCK_… in the environment are its options.",
    )
    made.add_argument("api", nargs="?", metavar="API", help="only those of this API")
    made.add_argument("--operation", metavar="ID", help="only those of the operation with this id")
    made.add_argument("--status", type=_status, metavar="N", help="only those with this status")
    form = made.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON, like GET /_mock/errors")
    form.add_argument("--curl", action="store_true", help="as lines for a shell, each in a world of its own")
    form.add_argument("--verify", action="store_true", help="follow every recipe, and tell which errors do not happen")
    made.add_argument("--url", type=_address, metavar="URL", help="a mock server that runs")
    return made


def _status(text: str) -> int:
    if not text.isdecimal() or not 400 <= int(text) <= 599:
        raise argparse.ArgumentTypeError(f"must be a status from 400 to 599, not {text[:40]!r}")
    return int(text)


def _address(text: str) -> str:
    return Server(text).address


@contextlib.contextmanager
def _server(url: str | None) -> Iterator[Server]:
    """The server at an address, or one that is started for the command.

    Raises WrongUsage.
    """
    try:
        with contextlib.ExitStack() as stack:
            yield Server(url) if url else stack.enter_context(client.started())
    except (NotStarted, Unreachable) as error:
        raise WrongUsage(str(error).removeprefix("mock-server: ")) from None


def _recipes(server: Server, asked: argparse.Namespace) -> list[Recipe]:
    """The recipes asked for, as the server has them.

    Raises WrongUsage.
    """
    wanted = {name: getattr(asked, name) for name in ("api", "operation", "status") if getattr(asked, name) is not None}
    try:
        told = server.control("GET", f"/errors?{urlencode(wanted)}")
        recipes = [Recipe.read(document) for document in told["errors"]]
    except Refused as refused:
        if refused.violations:
            raise WrongUsage("; ".join(map(str, refused.violations))) from None
        seen = f"GET /_mock/errors is answered {refused.status}"
    except (ValueError, TypeError, LookupError):
        seen = "what it answers at /_mock/errors are no recipes"
    else:
        if not recipes:
            raise WrongUsage("no such error is documented")
        return recipes
    raise WrongUsage(f"there is no mock server of this version at {server.address}: {seen}")


def _table(recipes: Iterable[Recipe]) -> Iterator[str]:
    """A line for each recipe."""
    rows = [
        (one.api, one.operation, str(one.status), one.reason, "organic" if one.organic else "forced", one.title)
        for one in recipes
    ]
    wide = [max((len(row[column]) for row in rows), default=0) for column in range(5)]
    for row in rows:
        yield "  ".join([*(text.ljust(width) for text, width in zip(row[:5], wide, strict=True)), row[5]])


def _verify(recipes: Sequence[Recipe], server: Server) -> int:
    """Follow the recipes, and tell what came of them."""
    failed: list[Recipe] = []
    shown = sys.stderr.isatty()
    for count, outcome in enumerate(trial.follow(recipes, server.address), 1):
        if outcome.seen:
            failed.append(outcome.recipe)
            print(f"{_cleared(shown)}{outcome.recipe.name}: {outcome.recipe.title}\n    {outcome.seen}")
        if shown:
            sys.stderr.write(f"\r{count} of {len(recipes)}")
            sys.stderr.flush()
    sys.stderr.write(_cleared(shown))
    print("\n".join(_shares(recipes, failed)))
    return FAILED if failed else 0


def _cleared(shown: bool) -> str:
    return "\r\x1b[K" if shown else ""


def _shares(recipes: Sequence[Recipe], failed: Sequence[Recipe]) -> Iterator[str]:
    """A line for each API and one for all: how many errors were reached, and how many of those a client can cause organically."""
    apis = list(dict.fromkeys(recipe.api for recipe in recipes))
    lost = {recipe.name for recipe in failed}
    reached = [recipe for recipe in recipes if recipe.name not in lost]
    wide = max(map(len, [*apis, "all"]))
    for name in (*apis, *(["all"] if len(apis) > 1 else [])):
        every = _errors(recipes, name)
        got = _errors(reached, name)
        causable = {error for error in every if error[2] < 500}
        organic = _errors((recipe for recipe in reached if recipe.organic), name) & causable
        share = f"; {len(organic)} of {len(causable)} organic ({len(organic) / len(causable):.0%})" if causable else ""
        yield f"{name:{wide}}  {len(got)} of {len(every)} documented errors reached{share}"


def _errors(recipes: Iterable[Recipe], api: str) -> set[Error]:
    """The documented errors of an API, or of all, that recipes lead to."""
    return {(one.api, one.operation, one.status) for one in recipes if api in (one.api, "all")}
