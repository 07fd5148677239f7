"""mock-server explain: what a request met, all that was wrong with it, and where the contract says so."""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from mock_server import client, contract, curl, har, settings
from mock_server.client import NotStarted, Refused, Server, Unreachable
from mock_server.contract import BrokenContract, UnknownContract
from mock_server.curl import NotCurl
from mock_server.explaining import Explaining, Unexplained
from mock_server.explanation import Page
from mock_server.har import BrokenHar, Entry
from mock_server.settings import WrongUsage
from mock_server.worlds import DEFAULT

SERVER = "http://localhost:8080"
_OTHER_SHELL = re.compile(
    rb"\s*(?:fetch\(|await fetch\(|Invoke-|\$session\s*=)|\s*curl(?:\.exe)?\s[^'\n]*?\^[\"\r\n]"
)  # as a browser copies it
_ID = re.compile(r"(?:([A-Za-z0-9][A-Za-z0-9._-]{0,63})/)?([0-9]{1,18})")


def main(arguments: Sequence[str]) -> int:
    """Run the command; answer its exit status.

    Raises WrongUsage.
    """
    asked = _asked(arguments)
    try:
        contracts = contract.load_all(settings.read([]).openapi)
        id = _ID.fullmatch(asked.what)
        if id is not None:
            if asked.entry is not None:
                raise WrongUsage("--entry is for HAR files")
            explanation = Explaining(Server(asked.url or SERVER), contracts, asked.url or SERVER).noted(*_noted(id, asked.world))
        else:
            entry, remarks = _entry(asked)
            with _server(asked) as server:
                answered = entry.answer.status if entry.answer else None
                explanation = Explaining(server, contracts, asked.url or SERVER, remarks).pasted(
                    entry.request, asked.world or "", answered
                )
    except (BrokenContract, UnknownContract, NotCurl, BrokenHar, Unexplained, NotStarted, Refused, Unreachable) as wrong:
        raise WrongUsage(str(wrong).removeprefix("mock-server: ")) from None
    if asked.json:
        print(json.dumps(asdict(explanation), indent=2, ensure_ascii=False))
    else:
        print(Page(contracts, sys.stdout.isatty()).text(explanation))
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise WrongUsage(message)


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments; from the word curl on they are one command, as a shell has split it."""
    made = _Parser(
        prog="mock-server explain",
        allow_abbrev=False,
        description="Tell what a request met, all that was wrong with it, and where the contract says so.",
        epilog="A pasted request is sent to a new world of a mock server, never to the address in it; a server is started for it "
        "unless --url or --world names one. MOCK_… in the environment are the options of that server.",
    )
    made.add_argument(
        "what",
        metavar="ID|CURL|FILE|-",
        help="what an answer's X-Mock-Request says, like default/17; a curl command; a HAR file; - reads one of the last two",
    )
    made.add_argument("--entry", type=int, metavar="N", help="of a HAR file, the first is 0; default: the last that was refused")
    made.add_argument("--url", type=_address, metavar="URL", help=f"a mock server that runs; default for an id: {SERVER}")
    made.add_argument("--world", metavar="NAME", help="of an id: its world; of a pasted request: the world it meets a copy of")
    made.add_argument("--json", action="store_true", help="the accounts of the journal")
    words = list(arguments)
    if "curl" in words:
        start = words.index("curl")
        words[start:] = [shlex.join(words[start:])]
    return made.parse_args(words)


def _address(text: str) -> str:
    return Server(text).address


def _noted(id: re.Match[str], world: str | None) -> tuple[str, str]:
    if id[1] and world and id[1] != world:
        raise WrongUsage(f"{id[0]} is of the world {id[1]}, not of {world}")
    return id[1] or world or DEFAULT, id[2]


def _entry(asked: argparse.Namespace) -> tuple[Entry, list[str]]:
    """The request that was pasted, and what is to be said of how it was found.

    Raises WrongUsage, NotCurl, BrokenHar.
    """
    text = _text(asked.what)
    plain = text.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not plain:
        raise WrongUsage("there is nothing to explain: it is empty; a curl command or a HAR file is wanted")
    if _OTHER_SHELL.match(plain):
        raise WrongUsage('this is for another shell; copy the request with "Copy as cURL (bash)"')
    if not plain.startswith((b"{", b"[")) and not asked.what.lower().endswith(".har"):
        if asked.entry is not None:
            raise WrongUsage("--entry is for HAR files")
        return Entry(curl.read(text.decode("utf-8", "replace")), None), []
    entries = har.read(text)
    if not entries:
        raise WrongUsage("the HAR file has no entry")
    if asked.entry is not None and not 0 <= asked.entry < len(entries):
        raise WrongUsage(f"--entry must be from 0 to {len(entries) - 1}, not {asked.entry}")
    refused = [index for index, entry in enumerate(entries) if entry.answer and entry.answer.status >= 400]
    index = asked.entry if asked.entry is not None else (refused or [len(entries) - 1])[-1]
    return entries[index], [f"This is entry {index} of {len(entries)}; the first is 0."] if len(entries) > 1 else []


def _text(what: str) -> bytes:
    """What was pasted, or what is in the file.

    Raises WrongUsage.
    """
    if what == "-":
        return sys.stdin.buffer.read(har.LARGEST + 1)
    pasted = what.encode("utf-8", "surrogateescape")
    if re.match(r"\s*(?:(?:[$%>]\s+)?(?:curl|printf)\s|\{|$)", what) or _OTHER_SHELL.match(pasted):
        return pasted
    try:
        with Path(what).open("rb") as file:
            return file.read(har.LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise WrongUsage(
            f"{what[:60]!r} is no id like default/17, no curl command and no file that can be read: {reason}"
        ) from None


@contextlib.contextmanager
def _server(asked: argparse.Namespace) -> Iterator[Server]:
    """The server at an address, or one that is started for the command.

    Raises NotStarted.
    """
    if asked.url or asked.world:
        yield Server(asked.url or SERVER)
        return
    with client.started(log="off") as server:
        yield server
