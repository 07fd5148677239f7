"""The operations of the control API on a world's journal, faults and rate limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import orjson

from mock_server import account, arming, curl, exports, har, messages
from mock_server.call import Call
from mock_server.contract import CONTROL, Json
from mock_server.documents import meant
from mock_server.faults import Fault
from mock_server.journal import Exchange
from mock_server.limits import Limit
from mock_server.refusals import Conflict, NotFound, Violation
from mock_server.reply import Reply
from mock_server.worlds import World, hidden

if TYPE_CHECKING:
    from mock_server.control import Control

NEWEST = 100  # exchanges that are listed, where nobody says how many
NOTED = frozenset(  # operations that change a world without making it another one: its journal has them
    {
        "setClock",
        "advanceClock",
        "restoreTrash",
        "purgeTrash",
        "armFault",
        "disarmFault",
        "disarmFaults",
        "setRateLimit",
        "endRateLimit",
    }
)
NDJSON, TEXT = b"application/x-ndjson", b"text/plain; charset=utf-8"


def missing(title: str, name: str, known: Iterable[str], pointer: str, where: str = "body") -> NotFound:
    """That there is nothing of this name among what is known, and what may have been meant."""
    what = title if title.isupper() else title.lower()
    told = Violation(where, pointer, f"names {what} {name}, which does not exist{meant(name, known)}")
    return NotFound(title, name, violations=(told,))


def look_up(call: Call, known: Mapping[str, Iterable[str]]) -> None:
    """Whether the API and the operation in a query are among those known, by API.

    Raises NotFound.
    """
    api, operation = call.query.get("api"), call.query.get("operation")
    if api is not None and api not in known:
        raise missing("API", api, known, "/api", "query")
    names = dict.fromkeys(name for other, names in known.items() if api in (None, other) for name in names)
    if operation is not None and operation not in names:
        raise missing("Operation", operation, names, "/operation", "query")


# Journal


def list_exchanges(control: Control, call: Call) -> Json:
    world = control.world(call)
    every, wanted = _wanted(control, world, call, NEWEST)
    answer = {"exchanges": control.accounts.given(world, every, wanted, inferred=call.query.get("inferred", True))}
    began = account.start(exports.copied(world, world.name), every)
    document = exports.document(began)
    return {**answer, "start": control.accounts.without_secrets(document, every)} if document["apis"] else answer


def get_exchange(control: Control, call: Call) -> Json:
    world, number = control.world(call), call.path["exchange"]
    every = control.worlds.store.journal(world)
    wanted = [exchange for exchange in every if str(exchange.number) == number]
    if not wanted:
        there = f"; there are {every[0].number} to {every[-1].number}" if every else "; the journal is empty"
        told = Violation("path", "/exchange", f"is none that is kept{there}")
        raise NotFound("Exchange", number, violations=(told,))
    return control.accounts.given(world, every, wanted)[0]


def clear_journal(control: Control, call: Call) -> Json:
    control.worlds.store.erase(control.world(call))


def get_journal_ndjson(control: Control, call: Call) -> Reply:
    lines = [orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE) for told in _told(control, call)]
    return Reply(200, b"".join(lines), ((b"content-type", NDJSON),))


def get_journal_har(control: Control, call: Call) -> Json:
    told = _told(control, call)
    return har.document(told, f"{_root(told)}/w/{call.path['world']}")


def get_journal_curl(control: Control, call: Call) -> Reply:
    every = _told(control, call)
    root, lines = _root(every), []
    for told in every:
        request = told["request"]
        address = f"{root}/w/{told['world']}"
        headers = [(name, value) for name, value in request["headers"] if name not in UNTOLD]
        lines.append(curl.line(request["method"], address + request["target"], headers, messages.body(request)) + "\n")
    return Reply(200, "".join(lines).encode(), ((b"content-type", TEXT),))


def _root(every: list[Json]) -> str:
    """The address by which the server was asked last."""
    hosts = [value for told in every for name, value in told["request"]["headers"] if name == "host"]
    return f"http://{hosts[-1] if hosts else 'localhost:8080'}"


UNTOLD = frozenset({"host", "content-length", "connection", "accept-encoding", "x-mock-world"})  # curl says them itself


def _told(control: Control, call: Call) -> list[Json]:
    world = control.world(call)
    every, wanted = _wanted(control, world, call)
    return control.accounts.given(world, every, wanted, inferred=False)


def _wanted(control: Control, world: World, call: Call, newest: int | None = None) -> tuple[list[Exchange], list[Exchange]]:
    """All exchanges of a world, and those asked for."""
    every, query = control.worlds.store.journal(world), call.query
    known = {name: contract.operations for name, contract in control.accounts.contracts.items()}
    look_up(call, {**known, CONTROL: NOTED})
    wanted = [
        exchange
        for exchange in every
        if query.get("api", exchange.api) == exchange.api
        and query.get("operation", exchange.operation) == exchange.operation
        and query.get("status", exchange.status) == exchange.status
        and exchange.number > query.get("after", 0)
    ]
    limit = query.get("limit", newest)
    return every, wanted if limit is None else wanted[-limit:]


# Faults


def list_faults(control: Control, call: Call) -> Json:
    faults = control.world(call).armed.faults.values()
    fired = call.query.get("fired")
    return {"faults": [shown(control, fault) for fault in faults if fired in (None, fault.fired > 0)]}


def get_fault(control: Control, call: Call) -> Json:
    return shown(control, _fault(control.world(call), call.path["fault"]))


def arm_fault(control: Control, call: Call) -> Json:
    world = control.worlds.get(call.path["world"])
    with control.worlds.store.writing(world):
        found = arming.violations(call.body, world)
        name = call.body.get("name")
        if name in world.armed.faults:
            found.append(Violation("body", "/name", "is that of a fault which is armed already; disarm it first"))
        if found:
            raise Conflict("The fault cannot be armed.", violations=tuple(found))
        fault = world.armed.arm(call.body)
    if "stale" in fault.told:
        arming.keep(control.worlds, world, fault.name, exports.copied(world, world.name))
    return shown(control, fault)


def disarm_fault(control: Control, call: Call) -> Json:
    world = control.world(call)
    with control.worlds.store.writing(world):
        name = _fault(world, call.path["fault"]).name
        del world.armed.faults[name]
    control.worlds.forget(hidden(world.name, name))


def disarm_faults(control: Control, call: Call) -> Json:
    world = control.world(call)
    names = list(world.armed.faults)
    with control.worlds.store.writing(world):
        world.armed.faults.clear()
    for name in names:
        control.worlds.forget(hidden(world.name, name))


def shown(control: Control, fault: Fault) -> Json:
    """A fault with its counts; a credential that its condition names is masked."""
    return {**control.accounts.masked(fault.told), "matched": fault.matched, "fired": fault.fired, "used_up": fault.used_up}


def _fault(world: World, name: str) -> Fault:
    fault = world.armed.faults.get(name)
    if fault is None:
        told = Violation("path", "/fault", f"is no fault of this world{meant(name, world.armed.faults)}")
        raise NotFound("Fault", name, violations=(told,))
    return fault


# Rate limits


def list_rate_limits(control: Control, call: Call) -> Json:
    world = control.world(call)
    return {api: limit.shown(world.clock.now()) for api, limit in sorted(world.armed.limits.items())}


def set_rate_limit(control: Control, call: Call) -> Json:
    world, api = control.worlds.get(call.path["world"]), call.path["api"]
    contract = world.contracts.get(api)
    if contract is None or contract.rate_limit is None:
        limited = [name for name, one in world.contracts.items() if one.rate_limit]
        told = Violation("path", "/api", f"is no API whose contract has a rate limit{meant(api, limited)}")
        raise NotFound("Rate limit of", api, violations=(told,))
    rule = contract.rate_limit
    with control.worlds.store.writing(world):
        limit = world.armed.limits[api] = Limit(rule, (call.body or {}).get("limit", rule.limit))
        return limit.shown(world.clock.now())


def end_rate_limit(control: Control, call: Call) -> Json:
    world, api = control.world(call), call.path["api"]
    with control.worlds.store.writing(world):
        if world.armed.limits.pop(api, None) is None:
            told = Violation("path", "/api", f"is no API that this world limits{meant(api, world.armed.limits)}")
            raise NotFound("Rate limit", api, violations=(told,))


OPERATIONS = {
    "listExchanges": list_exchanges,
    "getExchange": get_exchange,
    "clearJournal": clear_journal,
    "getJournalNdjson": get_journal_ndjson,
    "getJournalHar": get_journal_har,
    "getJournalCurl": get_journal_curl,
    "listFaults": list_faults,
    "getFault": get_fault,
    "armFault": arm_fault,
    "disarmFault": disarm_fault,
    "disarmFaults": disarm_faults,
    "listRateLimits": list_rate_limits,
    "setRateLimit": set_rate_limit,
    "endRateLimit": end_rate_limit,
}
