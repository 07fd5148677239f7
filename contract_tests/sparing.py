"""Generated writes -> the same to records of this run: what was there before is left alone."""

from __future__ import annotations

from collections.abc import MutableMapping

from contract_tests.callers import Caller, Handle
from contract_tests.meant import typed
from contract_tests.targets import SAFE
from contract_tests.trials import Premise
from mock_server.contract import Json, Operation, Parameter, Resource


class Sparing:
    """Puts a record of this run in the place of any that a write names and that this run has not made."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._own: dict[str, Handle] = {}

    def impossible(self, operation: Operation) -> str:
        """Why an operation cannot be tested without touching what was there; empty if it can."""
        if operation.method in SAFE:
            return ""
        try:
            self._stand_in(operation)
        except Premise as missing:
            return str(missing)
        return ""

    def spare(self, operation: Operation, path: MutableMapping[str, Json], body: Json) -> None:
        """Change the ids in a path, and in a body that names the record, if they are of others' records.

        Raises Premise if no record can be made in their place.
        """
        named = [parameter for parameter in operation.parameters if parameter.where == "path" and parameter.identifies]
        others = any(self._is_others(parameter, path.get(parameter.name)) for parameter in named)
        aimed = operation.target if isinstance(body, dict) and operation.target in body else None
        if aimed and operation.resource:
            others = others or not self._is_own(operation.resource, body[aimed])
        own = self._stand_in(operation) if others else None
        if own is None:
            return
        for parameter in named:
            path[parameter.name] = own.ids[str(parameter.identifies)]
        if aimed:
            body[aimed] = own.id

    def _stand_in(self, operation: Operation) -> Handle | None:
        """A record that the operation may be asked about: its own, or the parent of what it makes."""
        if operation.resource is not None and (operation.identifier or operation.target):
            return self._living(operation.resource)
        parents = [self._caller.contract.resources[str(parameter.identifies)] for parameter in operation.ancestors]
        return self._living(parents[-1]) if parents else None

    def _living(self, resource: Resource) -> Handle:
        own = self._own.get(resource.name)
        if own is None or any((name, repr(id)) in self._caller.gone for name, id in own.ids.items()):
            own = self._own[resource.name] = self._caller.make(resource)
        return own

    def _is_own(self, resource: Resource, id: Json) -> bool:
        return (resource.name, repr(id)) in self._caller.made

    def _is_others(self, parameter: Parameter, value: Json) -> bool:
        """Whether there may be such a record, and this run has not made it."""
        resource = self._caller.contract.resources[str(parameter.identifies)]
        id = typed(value, parameter.schema) if isinstance(value, str) else value
        if self._is_own(resource, id):
            return False
        start = (resource.id.pattern or "").partition("{")[0].casefold()
        return id.casefold().startswith(start) if isinstance(id, str) else isinstance(id, int)
