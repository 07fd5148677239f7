"""Every stage in the order a request meets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mock_server import bridge, contract, dispatch, fixtures, log, seeded
from mock_server.call import Identity
from mock_server.clock import Clock
from mock_server.contract import Contract
from mock_server.credentials import Credentials
from mock_server.front import Front
from mock_server.pages import Pages
from mock_server.settings import Settings
from mock_server.worlds import Worlds


def build(settings: Settings, on_mistake: Callable[[str], None] | None = None) -> Front:
    """The whole server as one ASGI application.

    Raises BrokenContract, UnknownContract: every mistake of ours, by name, before the first request.
    """
    contracts = contract.load_all(settings.openapi, settings.apis or None)
    known, data = fixtures.load(settings.fixtures, contracts, lenient=settings.auth == "lenient")
    baselines = {name: seeded.Baseline(made, data[name], settings.seed, settings.scale) for name, made in contracts.items()}
    worlds = Worlds(settings.seed, contracts, baselines, known, Clock(frozen=settings.clock))
    bridged = bridge.build(
        contracts,
        dispatch.answering(contracts, worlds),
        authenticating(known, worlds),
        bridge.BridgeSettings(
            strict_query=settings.strict_query,
            check_replies=settings.check_replies,
            max_body=settings.max_body,
            on_mistake=on_mistake,
        ),
    )
    return Front(contracts, bridged.app, bridged.allowed, Pages(contracts, known), log.lines(settings.log))


def authenticating(known: Mapping[str, Credentials], worlds: Worlds) -> bridge.Authenticate:
    """Who sent a credential, for the bridge to ask."""

    def authenticate(contract: Contract, scheme: str, value: str | None, world: str) -> Identity:
        return known[contract.name].identity(scheme, value, worlds.get(world))

    return authenticate
