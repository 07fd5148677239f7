"""`contract-tests parity API --url REAL`: ask the mock and a real implementation the same, and tell where they differ."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TextIO

from contract_tests import credentials, outcome, runner, settings, waivers
from contract_tests.callers import Caller
from contract_tests.cleaning import clean_up
from contract_tests.findings import Result
from contract_tests.interrupts import Interrupts
from contract_tests.masking import Masking
from contract_tests.parity import telling
from contract_tests.parity.differing import Comparison, Difference
from contract_tests.parity.duo import Duo, Step
from contract_tests.parity.scenarios import SCENARIOS, Scenario
from contract_tests.parity.telling import Told
from contract_tests.settings import Parser, Settings
from contract_tests.targets import Target, Unreachable
from mock_server import documents
from mock_server.contract import Contract

OWN = ("url", "read_only", "seed", "pages", "data", "credentials", "headers", "rate", "timeout", "proxy", "ca", "insecure")
OPTIONS = (*OWN, "strict", "openapi", "fixtures")  # of those that the laws take
GET_ONLY = "it needs writes, and the run is read-only"


def run(arguments: Sequence[str], stream: TextIO) -> int:
    """Compare, and write what differs; answer the exit status. Raises WrongUsage."""
    chosen, as_json = read(arguments)
    (contract,) = chosen.contracts.values()
    mock_only = replace(chosen, addresses={}, headers=())
    with _open(mock_only, contract) as mock, _open(chosen, contract) as real:
        told = compare(chosen, contract, mock, real)
    stream.write(json.dumps(telling.value(told), indent=2, ensure_ascii=False) + "\n" if as_json else telling.text(told))
    return told.status


def read(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> tuple[Settings, bool]:
    """The settings that a command line says, and whether JSON is to be written. Raises WrongUsage with all that is wrong."""
    named, unknown = _parser().parse_known_intermixed_args(arguments)
    flags = [option.flag for option in settings.OPTIONS if option.field in OPTIONS] + ["--json"]
    wrong = [f"there is no {flag}{documents.meant(flag.partition('=')[0], flags)}" for flag in unknown]
    if named.api is None:
        wrong.append("parity is about one API: name it, as in `contract-tests parity API --url URL`")
    if not named.url:
        wrong.append("parity compares the mock with what is at an address: give --url URL")
    apis = [] if named.api is None else [named.api]
    chosen = settings.chosen({**vars(named), "apis": apis, "no_schemathesis": "yes"}, environment, wrong)
    return chosen, named.json


def _parser() -> Parser:
    made = Parser(
        prog="contract-tests parity",
        allow_abbrev=False,
        description="Ask the mock and a real implementation the same, and tell where they differ and which breaks the contract.",
        epilog="Exit status: 0 no difference that breaks the contract, 1 one that does, 2 wrong usage, 3 nothing could be "
        "compared. Differences on which the contract is silent are told, and fail under --strict alone.",
    )
    made.add_argument("api", nargs="?", metavar="API", help="what to compare")
    made.add_argument("--json", action="store_true", help="write JSON")
    settings.add_options(made.add_argument, {option.field for option in settings.OPTIONS} - set(OPTIONS))
    return made


@contextmanager
def _open(chosen: Settings, contract: Contract) -> Iterator[Target]:
    target = runner.opened(chosen, contract)
    try:
        yield target
    finally:
        target.close()


def compare(chosen: Settings, contract: Contract, mock: Target, real: Target) -> Told:
    """Lead both targets through every scenario. What was made is deleted at the end, also after Ctrl-C."""
    known = (credentials.of_the_mock(chosen.fixtures, chosen.contracts)[contract.name], chosen.credentials.get(contract.name, ()))
    callers = (
        Caller(contract, mock, known[0], seed=chosen.seed, pages=chosen.pages),
        Caller(contract, real, known[1], seed=chosen.seed, pages=chosen.pages, data=chosen.data.get(contract.name)),
    )
    told = Told(_written(chosen), contract.name, real.name, chosen.seed, chosen.strict)
    with Interrupts() as interrupts:
        mock.interrupts = real.interrupts = interrupts
        comparison = _played(callers, told)
    told.steps, told.agreed = comparison.steps, comparison.agreed
    masking = Masking(chosen.contracts, {contract.name: (*known[0], *known[1])})
    masking.result(Result(exchanges={contract.name: [*callers[0].exchanges, *callers[1].exchanges]}))  # It sees the sessions.
    told.differences = [_masked(masking, contract.name, one) for one in comparison.differences]
    return told


def _played(callers: tuple[Caller, Caller], told: Told) -> Comparison:
    """All scenarios, and the clean-up after them."""

    def note(step: Step) -> None:
        comparison.note(step)

    duo = Duo(*callers, note)
    comparison = Comparison(duo.contract, duo.labels)
    try:
        for scenario in SCENARIOS:
            _play(scenario, duo, told)
    except KeyboardInterrupt:
        told.interrupted = True
    except Unreachable as failure:
        told.unreachable = str(failure)
    finally:
        for caller in callers:
            cleaned = clean_up(caller)
            told.interrupted = told.interrupted or cleaned.interrupted
            told.leftovers += cleaned.leftovers if caller is callers[1] else []
    return comparison


def _play(scenario: Scenario, duo: Duo, told: Told) -> None:
    if scenario.writes and not duo.can_write:
        told.uncompared[scenario.name] = [GET_ONLY]
        return
    reasons: list[str] = []
    try:
        reasons += map(str, scenario.play(duo))
    except (TypeError, ValueError, LookupError, AttributeError) as surprise:  # An answer that nobody thought of.
        reasons.append(f"it could not be played to its end: {type(surprise).__name__}: {surprise}")
    if reasons:
        told.uncompared[scenario.name] = list(dict.fromkeys(reasons))


def _written(chosen: Settings) -> outcome.Outcome:
    """How requests are written as curl commands."""
    return outcome.of(Result(), chosen, waivers.today(), {})


def _masked(masking: Masking, api: str, one: Difference) -> Difference:
    """The difference without secrets."""
    mock, real = (masking.exchange(api, exchange) for exchange in one.exchanges)
    texts = masking.texts(one.why, one.mock, one.real, one.rule)
    return replace(one, why=texts[0], mock=texts[1], real=texts[2], rule=texts[3], exchanges=(mock, real))
