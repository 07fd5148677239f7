"""Every stage in the order a request meets it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

from mock_server import bridge, contract, control, control_access, dispatch, fixtures, log, seeded, situations, stores, worlds
from mock_server.account import Accounts
from mock_server.atlas import Recipe, recipes
from mock_server.call import Identity
from mock_server.clock import Clock
from mock_server.contract import Contract
from mock_server.control import Control
from mock_server.documented import Documented
from mock_server.exchanges import Exchanges
from mock_server.front import Front
from mock_server.pages import Pages
from mock_server.secrecy import Secrets
from mock_server.settings import Settings, shipped
from mock_server.situations import Start
from mock_server.worlds import World, Worlds


def build(settings: Settings, on_mistake: Callable[[str], None] | None = None) -> Front:
    """The whole server as one ASGI application.

    Raises BrokenContract, UnknownContract, UnknownSituation: every mistake of ours, by name, before the first request.
    """
    contracts = contract.load_all(settings.openapi, settings.apis or None)
    known, data = fixtures.load(settings.fixtures, contracts, lenient=settings.auth == "lenient")

    @lru_cache(worlds.BASELINES_KEPT * len(contracts))
    def baseline(api: str, seed: int, scale: int) -> seeded.Baseline:
        return seeded.Baseline(contracts[api], data[api], seed, scale)

    own = contract.load(shipped("openapi") / contract.CONTROL / "openapi.yaml", contract.CONTROL)
    others = {*contract.names_in(settings.openapi), *contract.names_in(shipped("openapi"))}  # of which situations may speak
    named = situations.load(settings.fixtures, contracts, others, own, lenient=settings.auth == "lenient")
    start = Start(settings.seed, settings.scale, settings.clock, settings.situation, named)

    def world(name: str) -> World:
        made = World(name, settings.seed, settings.scale, contracts, baseline, known, Clock(frozen=settings.clock))
        made.situations, made.begin = named, start.begin
        return made

    start.check(world(worlds.DEFAULT))
    store = stores.opened(settings.store, settings.journal, settings.world_ttl)
    every = Worlds(store, world, settings.max_worlds, settings.world_ttl, settings.max_records)

    @cache
    def errors() -> tuple[Recipe, ...]:
        return recipes(start.world(world(worlds.DEFAULT), settings.situation), settings.max_body)

    accounts = Accounts(contracts, None if settings.show_secrets else Secrets(contracts, known.values()))
    controlled = Control(every, start, accounts, settings.journal > 0, errors)
    bridged = bridge.build(
        {**contracts, own.name: own},
        dispatch.answering(contracts, every, control.answering(own, controlled)),
        authenticating(every),
        bridge.BridgeSettings(
            strict_query=settings.strict_query,
            check_replies=settings.check_replies,
            max_body=settings.max_body,
            on_mistake=on_mistake,
        ),
    )
    pages, line, closed = Pages(contracts, own, known), log.lines(settings.log), control_access.closed_to(settings.host)
    documented = {name: Documented(contract, data[name]) for name, contract in contracts.items()}
    exchanges = Exchanges(bridged, documented, every, start, settings.max_body, settings.journal)
    return Front(contracts, bridged.app, exchanges, bridged.allowed, pages, line, every, closed)


def authenticating(every: Worlds) -> bridge.Authenticate:
    """Who sent a credential, for the bridge to ask."""

    def authenticate(contract: Contract, scheme: str, value: str | None, world: str) -> Identity:
        entered = every.look(world)
        identity = entered.known_credentials(contract.name).identity(scheme, value, entered)
        if contract.name in entered.armed.limits:
            with every.store.writing(entered):
                entered.armed.take(contract.name, identity.name, entered.clock.now())
        return identity

    return authenticate
