"""What a law works with: the caller, and trials whose verdicts are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from contract_tests.callers import Caller
from contract_tests.costs import Cost
from contract_tests.exchanges import Exchange
from contract_tests.findings import Finding, Verdict
from contract_tests.trials import Premise, Trial
from mock_server.contract import Action, Contract, Operation, Origin, Place, Resource

ANYWHERE = Origin("seed")  # of what holds of every API: what is stored is shown, what is deleted is gone


@dataclass(frozen=True)
class Law:
    """A semantic promise: its name, the sentence that a customer would say, and how it is tried."""

    name: str
    sentence: str
    run: Callable[[Bench], None]
    writes: bool = True  # whether it sends anything but GET, HEAD and OPTIONS
    actions: tuple[Action, ...] = ()  # without an operation that does one of these, there is nothing to try
    anywhere: bool = False  # whether it holds of every API that has such an operation, stated or inferred


@dataclass
class Bench:
    """One law at work on one API."""

    law: str
    caller: Caller
    verdicts: list[Verdict] = field(default_factory=list)
    phases: dict[str, Cost] = field(default_factory=dict)  # what each part of a long law took
    examples: int = 5  # of each operation, where values are drawn
    latency: float = 0  # seconds that an answer may take; 0: no bound
    anywhere: bool = False  # whether the law holds of every API: no reading of ours is behind it
    spent: float = 0  # seconds that the laws before it took

    @property
    def contract(self) -> Contract:
        return self.caller.contract

    def trial(
        self, operation: Operation | None, subject: str = "", *, origin: Origin | None = None, place: Place | None = None
    ) -> Trial:
        """A try of the law on one operation and subject."""
        name = operation.operation_id if operation else ""
        own = origin or (operation.origin if operation and not self.anywhere else ANYWHERE)
        at = place or (operation.place if operation else Place(str(self.contract.file), 1))
        return Trial(self.law, self.contract.name, name, subject, at, own, self.verdicts)

    def failed(self, trial: Trial, exchange: Exchange, expected: str, seen: str) -> None:
        """A finding about an answer of 5xx, which other laws leave to this one."""
        where = (trial.law, trial.api, trial.operation, trial.subject)
        self.verdicts.append(Finding(*where, expected, seen, (exchange,), trial.place, ANYWHERE))

    def resources(self, *actions: Action) -> Iterator[Resource]:
        """The resources that have an operation for each of the actions."""
        for resource in self.contract.resources.values():
            if all(self.caller.of(action, resource=resource) for action in actions):
                yield resource

    def visible(self, resource: Resource) -> bool:
        """Whether any operation shows such a record by its id."""
        return bool(self.caller.views(resource))


def attempt(make: Callable[[], object]) -> None:
    """Do something that only helps later trials, if it can be done."""
    try:
        make()
    except Premise:
        return


def named_in(operation: Operation) -> set[str]:
    """The resources whose ids stand in an operation's path."""
    return {str(parameter.identifies) for parameter in operation.parameters if parameter.identifies}
