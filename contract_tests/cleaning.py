"""What a run made -> deleted again, the newest first; and told, where that cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from contract_tests.callers import PATIENCE, Caller, Handle
from contract_tests.exchanges import Exchange
from contract_tests.findings import Leftover
from contract_tests.meant import Meant
from contract_tests.targets import Unreachable
from contract_tests.trials import Premise
from mock_server.contract import Operation

ROUNDS = 2  # What guarded a record in the first is gone in the second.
SILENCE = 3  # requests one after the other that nobody answers: there is no use in asking on
UNANSWERED = "it was not answered: whether it made a record is not known"
INTERRUPTED = "the clean-up was interrupted"
ALONE = "nothing answers any more"


@dataclass
class Cleaned:
    """What is left of a run."""

    leftovers: list[Leftover] = field(default_factory=list)
    interrupted: bool = False


def clean_up(caller: Caller) -> Cleaned:
    """Delete everything made. An interrupt ends it, and what is left is told all the same."""
    if not caller.can_write:
        return Cleaned()
    cleaned = Cleaned(interrupted=caller.target.interrupts.pending)
    caller.target.interrupts.pending = False  # It ended the run, and is no reason to end this.
    caller.patience = PATIENCE  # Whatever the laws used up: what they made has to go.
    answers: dict[tuple[str, str], str] = {}
    reason = ""
    try:
        reason = "" if _delete(caller, answers) else ALONE
    except Unreachable:
        reason = ALONE
    except KeyboardInterrupt:
        cleaned.interrupted, reason = True, INTERRUPTED
    cleaned.leftovers += [
        Leftover(caller.contract.name, one.resource.name, str(one.id), _why(caller, one, answers.get(one.key, ""), reason))
        for one in _living(caller)
    ]
    cleaned.leftovers += _unknown(caller)
    return cleaned


def _living(caller: Caller) -> list[Handle]:
    """The records that are there still, the newest first; a record goes with its parent."""
    gone = caller.gone
    return [
        one
        for key, one in reversed(caller.made.items())
        if key not in gone and not any((name, repr(id)) in gone for name, id in one.parents.items())
    ]


def _delete(caller: Caller, answers: dict[tuple[str, str], str]) -> bool:
    """Whether somebody answered to the end; how each deletion was answered stands in `answers`."""
    silent = 0
    for _ in range(ROUNDS):
        for one in _living(caller):
            operation = caller.deletion(one)
            if operation is None:
                continue
            try:
                status = caller.call(operation, one.ids).answer.status
            except Premise as missing:
                answers[one.key] = str(missing)
                continue
            answers[one.key] = f"its deletion was answered {status}" if status else ""
            if status == caller.status_of("not_found"):
                caller.gone.add(one.key)
            silent = 0 if status else silent + 1
            if silent == SILENCE:
                return False
    return True


def _why(caller: Caller, one: Handle, answered: str, ended: str) -> str:
    if caller.deletion(one) is None:
        return f"no operation deletes a {one.resource.title}"
    return answered or ended or ALONE


def _unknown(caller: Caller) -> Iterator[Leftover]:
    """Creations that may have made what nobody knows of; those that are alike once."""
    meant = Meant(caller.contract)
    told = [(request, *meant.by(request.method, request.target), UNANSWERED) for request in caller.target.unanswered]
    told += [
        (exchange.request, operation, {}, reason)
        for exchange in caller.exchanges
        if (operation := caller.contract.operations.get(exchange.operation)) and (reason := _doubt(caller, operation, exchange))
    ]
    seen = {
        (operation.resource.name, f"of {request.method} {request.target}", reason)
        for request, operation, _, reason in told
        if operation is not None and operation.resource is not None and operation.action == "create"
    }
    yield from (Leftover(caller.contract.name, *one) for one in sorted(seen))


def _doubt(caller: Caller, operation: Operation, exchange: Exchange) -> str:
    """Why nobody can tell what a creation made; empty if somebody can."""
    status = exchange.answer.status
    if status >= 500:
        return f"it was answered {status}: whether it made a record is not known"
    if 200 <= status < 300 and operation.action == "create" and caller.id_in(operation, exchange) is None:
        return "its answer does not say which record it made"
    return ""
