"""Small independent implementations of the contracts, and the known ways in which each can be broken."""

from __future__ import annotations

from collections.abc import Mapping

from contract_tests.defects.catalogue import CATALOGUE, Defect
from contract_tests.defects.fentu import Fentu
from contract_tests.defects.keychain import Keychain
from contract_tests.defects.lemonsoft import Lemonsoft
from contract_tests.defects.serving import Clock, Service, wall_clock

__all__ = ["CATALOGUE", "IMPLEMENTATIONS", "Defect", "application"]

IMPLEMENTATIONS: Mapping[str, type[Service]] = {service.api: service for service in (Fentu, Keychain, Lemonsoft)}


def application(api: str, defect: str | Defect | None = None, clock: Clock = wall_clock) -> Service:
    """An ASGI application that answers as the API does, with a state of its own; sound, or with one defect.

    Raises LookupError for a defect that the catalogue does not have.
    """
    name = defect.name if isinstance(defect, Defect) else defect
    if name is not None and name not in {known.name for known in CATALOGUE if known.api == api}:
        raise LookupError(f"{api} has no defect {name!r} in the catalogue")
    return IMPLEMENTATIONS[api](name, clock)
