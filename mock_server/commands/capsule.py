"""mock-server capsule: a failure saved in one file, replayed anywhere, and cut to what it needs."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from mock_server import client, contract, documents, fixtures, settings, situations
from mock_server.capsules import reading, wallet, writing
from mock_server.capsules.aligning import Difference, shown
from mock_server.capsules.capsule import Capsule, NoCapsule
from mock_server.capsules.destinations import Destination, MockWorld, NotSet, RealAddress
from mock_server.capsules.replaying import Outcome, Replayer, Step
from mock_server.capsules.saving import Saving, Start
from mock_server.capsules.shrinking import NotReproduced, Shrinker
from mock_server.capsules.wallet import Wallet
from mock_server.client import NotStarted, Refused, Server, Unreachable
from mock_server.contract import BrokenContract, Contract, UnknownContract
from mock_server.credentials import Credentials
from mock_server.explanation import safe
from mock_server.outline import CONTROL
from mock_server.settings import WrongUsage

SERVER = "http://localhost:8080"
REPRODUCED, CHANGED, FIXED, UNREACHABLE = 0, 1, 3, 4  # exit statuses
STATUSES = {"REPRODUCED": REPRODUCED, "CHANGED": CHANGED, "FIXED": FIXED}
TOLD = 20  # differences that are listed
LONGEST = 200  # characters of a value that is shown


def main(arguments: Sequence[str]) -> int:
    """Run the command; answer its exit status.

    Raises WrongUsage.
    """
    asked = _parser().parse_args(arguments)
    try:
        return int(asked.run(Known(asked), asked))
    except (BrokenContract, UnknownContract, NoCapsule) as wrong:
        raise WrongUsage("\n".join(map(safe, dict.fromkeys(str(wrong).splitlines())))) from None
    except NotSet as refused:
        raise WrongUsage(safe(str(documents.load(asked.file).mistake(refused.way, refused.message)))) from None
    except (NotStarted, Refused) as refused:
        told = str(refused).removeprefix("mock-server: ")
        raise WrongUsage("\n".join(map(safe, dict.fromkeys(told.splitlines())))) from None
    except Unreachable as nothing:
        print(f"mock-server: {nothing}", file=sys.stderr)
        return UNREACHABLE


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise WrongUsage(message)


def _parser() -> _Parser:
    made = _Parser(
        prog="mock-server capsule", allow_abbrev=False, description="A failure in one file, that shows it again anywhere."
    )
    parts = made.add_subparsers(required=True, metavar="save|replay|shrink", parser_class=_Parser)
    _save_options(
        parts.add_parser("save", allow_abbrev=False, help="write a capsule", description="Write a capsule, without secrets.")
    )
    replay = parts.add_parser(
        "replay",
        allow_abbrev=False,
        help="ask it all again",
        description="Ask everything again: REPRODUCED (exit status 0), CHANGED (1), FIXED (3); 4: nothing answers.",
        epilog="An API's credentials are read from the environment: API_API_KEY, or for a login API_USERNAME and the like.",
    )
    shrink = parts.add_parser("shrink", allow_abbrev=False, help="cut it", description="Leave out all that makes no difference.")
    for part in (replay, shrink):
        part.add_argument("file", type=Path, metavar="FILE", help="a capsule")
    replay.add_argument(
        "--url", metavar="URL", help="a mock server that runs, or the address of the API itself; default: one is started"
    )
    replay.add_argument(
        "--api-url",
        action="append",
        default=[],
        metavar="[API=]URL",
        help="the address of the API itself; for each API, if there are several",
    )
    shrink.add_argument("--url", metavar="URL", help="a mock server that runs; default: one is started")
    shrink.add_argument("--out", type=Path, metavar="FILE", help="default: the file itself")
    replay.set_defaults(run=_replay)
    shrink.set_defaults(run=_shrink)
    for part in parts.choices.values():
        part.add_argument("--openapi", metavar="FOLDER", help="the contracts; default: those shipped")
        part.add_argument("--fixtures", metavar="FOLDER", help="credentials and situations; default: those shipped")
    return made


def _save_options(save: argparse.ArgumentParser) -> None:
    source = save.add_mutually_exclusive_group()
    source.add_argument("--world", metavar="NAME", help="from the journal of a world; default: default")
    source.add_argument("--har", type=Path, metavar="FILE", help="from a HAR file")
    source.add_argument("--finding", type=Path, metavar="FILE", help="from a finding of the suites")
    save.add_argument("--url", metavar="URL", help=f"the mock server of the world; default: {SERVER}")
    save.add_argument(
        "--request",
        action="append",
        default=[],
        metavar="ID[,ID…]",
        help="the request that fails, 17 or WORLD/17, with all before it; of several, in a list or with the option repeated, "
        "these alone; default: the last that was refused",
    )
    save.add_argument(
        "--entry", type=int, metavar="N", help="the entry that fails, the first is 0; default: the last that was refused"
    )
    save.add_argument("--seed", metavar="N", help="of a world to replay a HAR file or a finding on")
    save.add_argument("--scale", metavar="N", help="likewise")
    save.add_argument("--situation", metavar="NAME", help="likewise")
    save.add_argument("--out", type=Path, metavar="FILE", help="default: named for the failure; - is the terminal")
    save.set_defaults(run=_save)


@dataclass
class Known:
    """Contracts and credentials, as the options say."""

    asked: argparse.Namespace

    @cached_property
    def options(self) -> list[str]:
        """Those that a server has to be started with."""
        given = {"--openapi": self.asked.openapi, "--fixtures": self.asked.fixtures}
        return [part for flag, value in given.items() if value is not None for part in (flag, value)]

    @cached_property
    def settings(self) -> settings.Settings:
        return settings.read(self.options)

    @cached_property
    def contracts(self) -> dict[str, Contract]:
        return contract.load_all(self.settings.openapi)

    @cached_property
    def situations(self) -> Mapping[str, situations.Situation]:
        own = contract.load(settings.shipped("openapi") / CONTROL / "openapi.yaml", CONTROL)
        others = contract.names_in(self.settings.openapi)
        return situations.load(self.settings.fixtures, self.contracts, others, own, lenient=False)

    def credentials(self, situation: str = "") -> list[Credentials]:
        """All that are known, those of a situation first."""
        usual, _ = fixtures.load(self.settings.fixtures, self.contracts, lenient=False)
        ordered = sorted(self.situations.values(), key=lambda one: one.name != situation)
        of_situations = [credentials for one in ordered for credentials in one.credentials.values()]
        particular = len(self.situations[situation].credentials) if situation in self.situations else 0
        return [*of_situations[:particular], *usual.values(), *of_situations[particular:]]

    @property
    def placeholders(self) -> Collection[str]:
        """Those of all credentials that are known."""
        return wallet.of_the_mock(self.credentials()).names

    @contextlib.contextmanager
    def server(self) -> Iterator[Server]:
        """The mock server of --url, or one that is started.

        Raises NotStarted.
        """
        if self.asked.url:
            yield Server(self.asked.url)
            return
        with client.started(*self.options, journal=10_000) as server:
            yield server


# Save


def _save(known: Known, asked: argparse.Namespace) -> int:
    saving = Saving(known.contracts, known.credentials())
    if asked.har or asked.finding:
        if asked.request or asked.url:
            raise WrongUsage("--url and --request go with --world")
        start = _start(asked)
        made = saving.from_har(asked.har, asked.entry, start) if asked.har else saving.from_finding(asked.finding, start)
    else:
        for flag, value in (
            ("--entry", asked.entry),
            ("--seed", asked.seed),
            ("--scale", asked.scale),
            ("--situation", asked.situation),
        ):
            if value is not None:
                raise WrongUsage(f"{flag} goes with --har or --finding")
        world, ids = _requests(asked)
        made = saving.from_journal(Server(asked.url or SERVER), world, ids)
    made = wallet.without_dangling(made)
    _check(made, known, "entry" if asked.har else "request")
    _write(made, asked.out or Path(_name(made)))
    return 0


def _requests(asked: argparse.Namespace) -> tuple[str, list[str]]:
    """The world, and the ids of --request, which may name it too."""
    pairs = [part.strip().rpartition("/") for text in asked.request for part in text.split(",") if part.strip()]
    worlds = list(dict.fromkeys([*([asked.world] if asked.world else []), *(world for world, _, _ in pairs if world)]))
    if len(worlds) > 1:
        raise WrongUsage(f"a capsule is of one world, not of {' and '.join(worlds)}")
    return worlds[0] if worlds else "default", list(dict.fromkeys(id for _, _, id in pairs))


def _check(made: Capsule, known: Known, noun: str) -> None:
    """Refuse what could not be replayed.

    Raises NoCapsule, with the place of each mistake in what it was made of.
    """
    try:
        reading.capsule_in(documents.read(writing.written(made).encode(), "capsule"), known.contracts, known.placeholders)
    except BrokenContract as broken:
        told = []
        for mistake in broken.mistakes:
            inside = re.fullmatch(r"/requests/([0-9]+)(/.*)", mistake.pointer, re.DOTALL)
            place = f"{noun} {made.requests[int(inside[1])].id}: {inside[2]}" if inside else mistake.pointer
            told.append(f"{place}: {mistake.message}")
        raise NoCapsule("\n".join(told)) from None


def _start(asked: argparse.Namespace) -> Start:
    given = {"--seed": asked.seed, "--scale": asked.scale, "--situation": asked.situation}
    chosen = settings.read([part for flag, value in given.items() if value is not None for part in (flag, value)])
    return Start(chosen.seed, chosen.scale, chosen.situation)


def _name(made: Capsule) -> str:
    failing = made.failing
    parts = (failing.api, failing.operation or failing.method.lower(), failing.answer.status, failing.id)
    return f"capsule-{'-'.join(re.sub(r'[^A-Za-z0-9]+', '-', str(part)) for part in parts)}.yaml"


def _write(made: Capsule, out: Path) -> None:
    text = writing.written(made)
    if str(out) == "-":
        sys.stdout.write(text)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WrongUsage(f"{out} cannot be written: {error.strerror}") from None
    print(safe(f"{out}: {made.title}; {_counted(made)}"))


def _counted(made: Capsule) -> str:
    counts = {"request": len(made.requests), "record": len(made.records), "fault": len(made.faults)}
    return ", ".join(f"{count} {name}{'s' if count != 1 else ''}" for name, count in counts.items() if count)


# Replay


def _replay(known: Known, asked: argparse.Namespace) -> int:
    capsule = reading.load(asked.file, known.contracts, known.placeholders)
    if asked.url and asked.api_url:
        raise WrongUsage("--url and --api-url do not go together")
    real = asked.api_url or ([asked.url] if asked.url and not _is_mock(asked.url) else [])
    notes = [f"The contract of {api} is another one now." for api in _changed(capsule, known.contracts)]
    if real:
        credentials = known.credentials(capsule.situation)
        purse = wallet.of_the_environment(credentials, os.environ)
        bases = _bases(real, capsule)
        if missing := purse.missing(capsule):
            names = dict.fromkeys(wallet.variable_of(name, credentials) or name for name in missing)
            raise WrongUsage(f"{', '.join(names)} must be in the environment")
        notes += _not_set(capsule)
        return _told(known, capsule, RealAddress(bases, known.contracts), purse, notes)
    with known.server() as server:
        purse = wallet.of_the_mock(known.credentials(capsule.situation))
        return _told(known, capsule, MockWorld(server, known.contracts), purse, notes)


def _told(known: Known, capsule: Capsule, destination: Destination, purse: Wallet, notes: Sequence[str]) -> int:
    """Replay, and say what came of it."""
    replayer = Replayer(known.contracts, destination, purse)
    try:
        steps = replayer.steps(capsule)
    finally:
        destination.end()
    saving = Saving(known.contracts, known.credentials())
    masked = saving.without_secrets([(step.request, step.seen) for step in steps], purse.values)
    steps = [replace(step, seen=seen) for step, seen in zip(steps, masked, strict=True)]
    outcome = replayer.outcome(capsule, steps, exact=isinstance(destination, MockWorld))
    print("\n".join(map(safe, [f"{outcome.verdict}  {capsule.title}", *notes, *_lines(outcome, steps)])))
    return STATUSES[outcome.verdict]


def _is_mock(url: str) -> bool:
    """Whether a mock server is at an address.

    Raises Unreachable.
    """
    try:
        return isinstance(Server(url).worlds(), list)
    except (Refused, ValueError, LookupError, TypeError):
        return False


def _bases(given: Sequence[str], capsule: Capsule) -> dict[str, str]:
    """API -> its address."""
    asked = list(dict.fromkeys(request.api for request in capsule.requests if request.api != CONTROL))
    bases = {}
    for text in given:
        name, sign, address = text.partition("=")
        api, url = (name, address) if sign and "/" not in name else (asked[0] if len(asked) == 1 else "", text)
        if not re.fullmatch(r"https?://[^/?#\s]+(/[^?#\s]*)?", url):
            raise WrongUsage(f"{url!r} is no address; one is like https://api.example.com/v1")
        bases[api] = url
    if lacking := [api for api in asked if api not in bases]:
        raise WrongUsage(f"the capsule asks {', '.join(asked)}; say where {lacking[0]} is with --api-url {lacking[0]}=URL")
    return bases


def _changed(capsule: Capsule, contracts: Mapping[str, Contract]) -> list[str]:
    return [api for api, digest in capsule.contracts.items() if api in contracts and contracts[api].digest != digest]


def _not_set(capsule: Capsule) -> Iterator[str]:
    """What a real API cannot be brought to."""
    controls = any(request.api == CONTROL for request in capsule.requests)
    parts = {"records": capsule.records, "faults": capsule.faults or controls, "rate limits": capsule.rate_limits}
    there = [name for name, part in parts.items() if part]
    yield f"Not set there: the clock, seed {capsule.seed}, scale {capsule.scale}{''.join(f', {name}' for name in there)}."


def _lines(outcome: Outcome, steps: Sequence[Step]) -> Iterator[str]:
    """The differences, by request."""
    requests = {step.request.id: step.request for step in steps}
    last = ""
    for difference in outcome.differences[:TOLD]:
        if difference.request != last:
            last, request = difference.request, requests[difference.request]
            yield f"  request {last}: {request.method} {request.target}"
        yield f"    {_where(difference)}: expected {_short(difference.expected)}, seen {_short(difference.seen)}"
    if len(outcome.differences) > TOLD:
        yield f"  … and {len(outcome.differences) - TOLD} more"


def _where(difference: Difference) -> str:
    return f"{difference.part} {difference.pointer}".rstrip()


def _short(value: object) -> str:
    text = shown(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


# Shrink


def _shrink(known: Known, asked: argparse.Namespace) -> int:
    capsule = reading.load(asked.file, known.contracts, known.placeholders)
    with known.server() as server:
        world = MockWorld(server, known.contracts)
        replayer = Replayer(known.contracts, world, wallet.of_the_mock(known.credentials(capsule.situation)))
        shrinker = Shrinker(known.contracts, world, replayer, Saving(known.contracts, known.credentials()), _progress)
        try:
            made = shrinker.shrunk(capsule)
        except NotReproduced as error:
            _cleared()
            print(f"mock-server: {asked.file}: {error}", file=sys.stderr)
            return CHANGED
        finally:
            world.end()
    _cleared()
    _write(wallet.without_dangling(made), asked.out or asked.file)
    return 0


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{safe(text)}")
        sys.stderr.flush()


def _cleared() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
