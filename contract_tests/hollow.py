"""A caller's exchanges and a run's verdicts -> why the run proves too little, each reason by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from contract_tests.callers import Caller
from contract_tests.findings import Result
from contract_tests.laws.filtered import NEVER
from contract_tests.targets import SAFE
from contract_tests.trials import unanswered
from mock_server.contract import Operation

FAILURES = "no-server-errors"
ABSENT = frozenset({404, 405, 501})  # what an operation that is not there is answered


def reasons(caller: Caller, result: Result, *, whole: bool) -> Iterator[str]:
    """Why a run proves too little of one API; only a run of all laws must reach all operations."""
    api = caller.contract.name
    yield from _unmatched(api, result)
    yield from _failed(caller, result)
    if not caller.exchanges:
        yield f"{api}: nothing was sent"
        return
    secured = {name for name, operation in caller.contract.operations.items() if caller.demands(operation)}
    statuses = Counter(one.answer.status for one in caller.exchanges if one.operation in secured or not secured)
    if statuses and not _successes(statuses):
        yield f"{api}: {_nothing(caller, statuses)}"
    elif whole:
        yield from (f"{api}: {reason}" for reason in _unreached(caller))


def _unmatched(api: str, result: Result) -> Iterator[str]:
    """Filters that never matched are as good as untried."""
    for unproved in result.unproved:
        if unproved.api == api and NEVER in unproved.reason:
            yield f"{api}: {unproved.operation}: {unproved.reason}"


def _failed(caller: Caller, result: Result) -> Iterator[str]:
    """What other laws leave to the law of failures counts, too, where that one is not tried."""
    failed = [one for one in caller.exchanges if unanswered(one)]
    if failed and (caller.contract.name, FAILURES) not in result.tried:
        first = failed[0]
        told = f"{first.request.method} {first.request.target}: {first.answer.status or 'no answer'}"
        yield f"{caller.contract.name}: {len(failed)} requests failed ({told}); the law {FAILURES} says more"


def _nothing(caller: Caller, statuses: Counter[int]) -> str:
    """Why nothing can be told, where no answer is a success."""
    if not set(statuses) & {401, 403}:
        return f"no answer was a success ({_counted(statuses)}): is the address that of the operations, without their paths?"
    if caller.contract.sessions is not None and caller.target.read_only and not any(one.secret for one in caller.credentials):
        return "every answer was 401 or 403: a read-only run does not log in; give an open session as `secret` in --credentials"
    told = "every answer was 401 or 403" if set(statuses) <= {401, 403} else f"no answer was a success ({_counted(statuses)})"
    return f"{told}; give credentials"


def _unreached(caller: Caller) -> Iterator[str]:
    """The operations that never succeeded, and how they were answered."""
    wanted = [one for one in caller.contract.operations.values() if not caller.target.read_only or one.method in SAFE]
    answers = {operation.operation_id: Counter[int]() for operation in wanted}
    for exchange in caller.exchanges:
        if exchange.operation in answers:
            answers[exchange.operation][exchange.answer.status] += 1
    missing = [operation for operation in wanted if not _successes(answers[operation.operation_id])]
    for operation in missing:
        yield _unreached_for(operation, answers[operation.operation_id])
    if missing:
        yield f"{len(wanted) - len(missing)} of the {len(wanted)} operations succeeded"


def _unreached_for(operation: Operation, statuses: Counter[int]) -> str:
    told = f"{operation.operation_id} never succeeded ({operation.method} {operation.path}"
    if not statuses:
        return f"{told}): it was never called"
    absent = "; it does not seem to be there" if set(statuses) <= ABSENT | {401, 415} and set(statuses) & ABSENT else ""
    return f"{told}: {_counted(statuses)}){absent}"


def _successes(statuses: Iterable[int]) -> bool:
    return any(200 <= status < 300 for status in statuses)


def _counted(statuses: Counter[int]) -> str:
    return ", ".join(f"{status or 'no answer'} {count} times" for status, count in statuses.most_common())
