"""`pytest contract_tests --api … --url …`: the suites as tests, one for each API, law and operation.

An API is tried once, by the first of its tests, with the laws of the tests that were selected; the others look up what was told.
Under pytest-xdist all tests of an API run in one worker.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from contract_tests import outcome, runner, settings, waivers
from contract_tests.findings import Verdict
from contract_tests.laws import LAWS, Law
from contract_tests.masking import Masking
from contract_tests.outcome import Outcome
from contract_tests.settings import Settings, WrongUsage
from mock_server.contract import Contract

CHOSEN = pytest.StashKey[Settings]()
PYTESTS = ("durations", "fixtures", "reports", "strict", "timeout")  # options that pytest, or a plugin of it, has itself
ELSEWHERE = "elsewhere"  # of tests about all that is told of operations without a test of their own, and of the whole API

Outcomes = Callable[[str], Outcome]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contract-tests")
    group.addoption("--api", dest="apis", action="append", metavar="API", help="what to test; default: every API with a contract")
    settings.add_options(group.addoption, skipped=PYTESTS)
    group.addoption(
        "--fail-questions", dest="strict", action="store_const", const="yes", help="fail on findings about inferred rules"
    )


def pytest_configure(config: pytest.Config) -> None:
    names = ["apis", "strict", *(option.field for option in settings.OPTIONS if option.field not in PYTESTS)]
    try:
        config.stash[CHOSEN] = settings.chosen({name: config.getoption(name, None) for name in names}, os.environ)
    except WrongUsage as wrong:
        raise pytest.UsageError("\n".join(wrong.sentences)) from None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    chosen = metafunc.config.stash[CHOSEN]
    if "operation" in metafunc.fixturenames:
        tests = list(_tests(chosen))
        metafunc.parametrize(("api", "law", "operation"), tests, ids=[":".join(test) for test in tests])
    elif "api" in metafunc.fixturenames:
        metafunc.parametrize("api", list(chosen.contracts), ids=[f"{api}:" for api in chosen.contracts])


def _tests(chosen: Settings) -> Iterator[tuple[str, str, str]]:
    """API, law and operation of every test; whether a law says anything of an operation shows only when it is tried."""
    for api, contract in chosen.contracts.items():
        for law in LAWS:
            if not chosen.laws or law.name in chosen.laws:
                yield from ((api, law.name, operation) for operation in (*own(contract, law), ELSEWHERE))


def own(contract: Contract, law: Law) -> list[str]:
    """The operations that a law is about, which have a test each."""
    return [name for name, operation in contract.operations.items() if not law.actions or operation.action in law.actions]


def told(outcome: Outcome, name: str, operation: str) -> list[Verdict]:
    """What was told under a law of an operation, or elsewhere."""
    said = [one for one in outcome.result.verdicts if one.law == name]
    if operation != ELSEWHERE:
        return [one for one in said if one.operation == operation]
    law = next(law for law in LAWS if law.name == name)
    tested = {name for contract in outcome.contracts.values() for name in own(contract, law)}
    return [one for one in said if one.operation not in tested]


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest) -> Outcomes:
    """What trying an API said; it is tried when it is first asked for."""
    tried: dict[str, Outcome] = {}
    chosen = request.config.stash[CHOSEN]
    selected = {
        (item.callspec.params["api"], item.callspec.params.get("law"))
        for item in request.session.items
        if hasattr(item, "callspec")
    }

    def of(api: str) -> Outcome:
        if api not in tried:
            laws = tuple(law.name for law in LAWS if (api, law.name) in selected)
            tried[api] = _tried(replace(chosen, laws=laws), api)
        return tried[api]

    return of


def _tried(chosen: Settings, api: str) -> Outcome:
    """Try one API. An interrupt ends the session, once what was made is deleted; what could not be is named."""
    alone = replace(
        chosen,
        contracts={api: chosen.contracts[api]},
        addresses={name: address for name, address in chosen.addresses.items() if name == api},
        waivers=tuple(waiver for waiver in chosen.waivers if waiver.api == api),
    )
    result = runner.run(alone)
    if result.interrupted:
        left = [f"{one.api} {one.resource} {one.id}: {one.reason}" for one in result.leftovers]
        told = ["interrupted", *(["left behind:", *left] if left else [])]
        pytest.exit("\n".join(told), returncode=pytest.ExitCode.INTERRUPTED)
    masked = Masking(alone.contracts, alone.credentials).result(result)
    return outcome.of(masked, alone, waivers.today(), {law.name: law.sentence for law in LAWS})


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object | None:
    """Keep all tests of an API together: who writes to it must not meet another worker's writes."""
    if config.getoption("dist", "no") in ("no", "each"):
        return None
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415  # it may not be installed

    class OneApiEach(LoadScopeScheduling):  # type: ignore[misc]  # it ships no types
        def _split_scope(self, nodeid: str) -> str:
            module, _, parameters = nodeid.partition("[")
            return f"{module.partition('::')[0]}[{parameters.partition(':')[0]}" if parameters else nodeid

    return OneApiEach(config, log)
