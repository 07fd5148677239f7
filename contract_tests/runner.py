"""Settings -> every law tried on every API, cleaned up after, and what it all says."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

from contract_tests.callers import Caller
from contract_tests.findings import Result, Unproved
from contract_tests.grouping import grouped
from contract_tests.laws import LAWS, SCHEMATHESIS, Bench, Law
from contract_tests.laws.filtered import NEVER
from contract_tests.settings import Settings
from contract_tests.targets import Address, InProcess, Network, NotSent, Target, Unreachable
from contract_tests.trials import Premise
from mock_server.contract import Contract
from mock_server.settings import Settings as MockSettings

Progress = Callable[[str, str], None]  # API, law: it begins
GET_ONLY = "it needs writes, and the run is read-only"


def run(settings: Settings, progress: Progress | None = None, targets: Callable[[Contract], Target] | None = None) -> Result:
    """Try the chosen laws on the chosen APIs. Ctrl-C ends the run early; what was made is deleted all the same."""
    result = Result(target=_named(settings), seed=settings.seed, apis=tuple(settings.contracts))
    for name, contract in settings.contracts.items():
        target = targets(contract) if targets else opened(settings, contract)
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
        begun = time.perf_counter()
        with suppress(Unreachable):
            result.leftovers += caller.clean_up()
        result.seconds[contract.name, "clean-up"] = time.perf_counter() - begun
    others = [finding for finding in result.findings if finding.api != contract.name]
    result.findings = [*others, *grouped(finding for finding in result.findings if finding.api == contract.name)]
    result.hollow += _unmatched(contract.name, result)
    result.hollow += _hollow(caller, whole=not settings.laws)


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
    bench = Bench(law.name, caller, examples=settings.examples, latency=settings.latency / 1000)
    begun = time.perf_counter()
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
        result.seconds[api, law.name] = time.perf_counter() - begun


def _unmatched(api: str, result: Result) -> Iterator[str]:
    """Filters that never matched are as good as untried."""
    for unproved in result.unproved:
        if unproved.api == api and NEVER in unproved.reason:
            yield f"{api}: {unproved.operation}: {unproved.reason}"


def _hollow(caller: Caller, *, whole: bool) -> Iterator[str]:
    """Why a run proves too little; only one of all laws must reach all operations."""
    api = caller.contract.name
    if not caller.exchanges:
        yield f"{api}: nothing was sent"
        return
    secured = {name for name, operation in caller.contract.operations.items() if caller.demands(operation)}
    statuses = Counter(one.answer.status for one in caller.exchanges if one.operation in secured)
    if statuses and not any(200 <= status < 300 for status in statuses) and {401, 403} & set(statuses):
        yield f"{api}: every answer was 401 or 403; give credentials"
        return
    succeeded = {one.operation for one in caller.exchanges if 200 <= one.answer.status < 300}
    for operation in caller.contract.operations.values() if whole else ():
        if caller.target.read_only and operation.method not in ("GET", "HEAD"):
            continue
        if operation.operation_id not in succeeded:
            yield f"{api}: {operation.operation_id} never succeeded"
