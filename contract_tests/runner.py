"""Settings -> every law tried on every API, cleaned up after, and what it all says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from contract_tests import hollow
from contract_tests.callers import Caller
from contract_tests.cleaning import clean_up
from contract_tests.costs import Cost, Meter
from contract_tests.findings import Result, Unproved
from contract_tests.grouping import grouped
from contract_tests.interrupts import Interrupts
from contract_tests.laws import LAWS, SCHEMATHESIS, Bench, Law
from contract_tests.settings import Settings
from contract_tests.targets import Address, InProcess, Network, NotSent, Target, Unreachable
from contract_tests.trials import Premise
from mock_server.contract import Contract
from mock_server.settings import Settings as MockSettings

Progress = Callable[[str, str], None]  # API; law that begins, or what the run waits for
REACHING = [law.name for law in LAWS if law.name not in (SCHEMATHESIS, "latency")]  # together they reach every operation
GET_ONLY = "it needs writes, and the run is read-only"


def run(settings: Settings, progress: Progress | None = None, targets: Callable[[Contract], Target] | None = None) -> Result:
    """Try the chosen laws on the chosen APIs. Ctrl-C ends the run early; what was made is deleted all the same."""
    result = Result(target=_named(settings), seed=settings.seed, apis=tuple(settings.contracts))
    with Interrupts() as interrupts:
        for name, contract in settings.contracts.items():
            target = targets(contract) if targets else opened(settings, contract)
            target.interrupts = interrupts
            try:
                run_api(settings, contract, target, result, progress)
            except Unreachable as failure:
                result.unreachable = result.unreachable or f"{name}: {failure}"
            finally:
                target.close()
            if result.interrupted:
                break
    return result


def run_api(settings: Settings, contract: Contract, target: Target, result: Result, progress: Progress | None = None) -> None:
    """Try the chosen laws on one API at a target; Result takes it all in.

    Raises Unreachable if nothing answers at all.
    """
    caller = Caller(
        contract,
        target,
        settings.credentials.get(contract.name, ()),
        seed=settings.seed,
        pages=settings.pages,
        data=settings.data.get(contract.name),
    )
    if progress:
        caller.told = partial(progress, contract.name)
    result.exchanges[contract.name] = caller.exchanges
    chosen = [law for law in LAWS if _is_chosen(law, settings)]
    try:
        for law in chosen:
            if progress:
                progress(contract.name, law.name)
            _try(law, caller, settings, result)
    except KeyboardInterrupt:
        result.interrupted = True
    finally:
        meter = Meter(caller.exchanges)
        cleaned = clean_up(caller)
        result.leftovers += cleaned.leftovers
        result.interrupted = result.interrupted or cleaned.interrupted
        _spent(result, contract.name, "clean-up", meter.read())
    others = [finding for finding in result.findings if finding.api != contract.name]
    result.findings = [*others, *grouped(finding for finding in result.findings if finding.api == contract.name)]
    result.hollow += hollow.reasons(caller, result, whole=set(REACHING) <= {law.name for law in chosen})


def opened(settings: Settings, contract: Contract) -> Target:
    """The target of an API: its address, or the mock in this process."""
    url = settings.addresses.get(contract.name)
    if url is None:
        from mock_server.app import build  # noqa: PLC0415  # the mock is no part of the laws

        mock = build(MockSettings(apis=(contract.name,), log="off", openapi=settings.openapi, fixtures=settings.fixtures))
        return InProcess(
            "the mock in this process", mock, contract.base_path, headers=settings.headers, read_only=settings.read_only
        )
    network = Network(settings.timeout, settings.insecure, settings.ca, settings.proxy)
    return Address(url, network, headers=settings.headers, read_only=settings.read_only, rate=settings.rate)


def _is_chosen(law: Law, settings: Settings) -> bool:
    if law.name == SCHEMATHESIS and not settings.schemathesis:
        return False
    return not settings.laws or law.name in settings.laws


def _named(settings: Settings) -> str:
    return ", ".join(dict.fromkeys(settings.addresses.values())) or "the mock in this process"


def _try(law: Law, caller: Caller, settings: Settings, result: Result) -> None:
    api = caller.contract.name
    if law.actions and not caller.of(*law.actions):
        return
    if law.writes and not caller.can_write:
        result.add([Unproved(law.name, api, "", "", GET_ONLY)])
        return
    spent = sum(seconds for (of, _), seconds in result.seconds.items() if of == api)
    bench = Bench(
        law.name, caller, examples=settings.examples, latency=settings.latency / 1000, anywhere=law.anywhere, spent=spent
    )
    meter = Meter(caller.exchanges)
    try:
        law.run(bench)
    except (Premise, NotSent) as missing:
        bench.verdicts.append(Unproved(law.name, api, "", "", str(missing)))
    except (TypeError, ValueError, LookupError, AttributeError) as surprise:  # An answer that nobody thought of.
        reason = f"{api}: the law {law.name} could not be tried to its end: {type(surprise).__name__}: {surprise}"
        result.hollow.append(reason)
        bench.verdicts.append(Unproved(law.name, api, "", "", reason))
    finally:
        result.add(bench.verdicts)
        _spent(result, api, law.name, meter.read())
        result.costs |= {(api, f"{law.name}: {phase}"): cost for phase, cost in bench.phases.items()}


def _spent(result: Result, api: str, law: str, cost: Cost) -> None:
    result.seconds[api, law] = cost.seconds
    result.costs[api, law] = cost
