"""Operation -> what all its calls have in common, compiled once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from mock_server.call import Call
from mock_server.contract import Contract, Operation, Parameter, Resource
from mock_server.envelopes import Envelope
from mock_server.intake import Intake
from mock_server.views import View


@dataclass(frozen=True)
class Plan:
    """What is known of an operation before any call: its behaviour reads it."""

    contract: Contract
    operation: Operation
    envelope: Envelope | None
    view: View | None
    paging: Mapping[str, tuple[Parameter, ...]]  # role -> the parameters that have it

    @cached_property
    def intake(self) -> Intake:
        """What becomes of a body."""
        return Intake(self.contract, self.resource, self.operation.body or {})

    @property
    def resource(self) -> Resource:
        """The resource acted on."""
        if self.operation.resource is None:
            raise LookupError(f"{self.operation.operation_id} acts on no resource")
        return self.operation.resource

    def paged(self, call: Call, role: str) -> int | None:
        """The value of a paging parameter: what was sent, else the default; None without such a parameter."""
        parameters = self.paging.get(role, ())
        for parameter in parameters:
            if parameter.name in call.query:
                return int(call.query[parameter.name])
        return next((int(p.default) for p in parameters if p.default is not None), None)


def plan(contract: Contract, operation: Operation) -> Plan:
    """Compile what the operation's calls have in common."""
    view = View(contract, operation.resource, operation.view) if operation.resource and operation.view else None
    paging: dict[str, tuple[Parameter, ...]] = {}
    for parameter in operation.parameters:
        if parameter.paging:
            paging[parameter.paging] = (*paging.get(parameter.paging, ()), parameter)
    envelope = None if operation.envelope is None else Envelope(operation.envelope)
    return Plan(contract, operation, envelope, view, paging)
