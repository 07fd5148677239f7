"""Laws of what a server takes although the contract does not name it."""

from __future__ import annotations

from contract_tests.comparing import changes
from contract_tests.laws.bench import Bench
from contract_tests.laws.written import all_plain, resource_of
from contract_tests.schemas import merged
from contract_tests.trials import Trial
from mock_server.contract import Json, Operation, Record

UNKNOWN = "nobody_has_this"
MEDIA = ("application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON")


def unknown_properties_are_ignored(bench: Bench) -> None:
    """A property that the contract does not have is passed over, and shown nowhere."""
    for operation in bench.caller.of("create", "update"):
        if merged(operation.body or {}).get("additionalProperties") is not False:
            with bench.trial(operation, "an unknown property") as trial:
                _ignored(bench, operation, trial)


def _ignored(bench: Bench, operation: Operation, trial: Trial) -> None:
    caller, resource = bench.caller, resource_of(operation)
    odd: Record = {UNKNOWN: "x"}
    if operation.action == "create":
        parents = caller.home_of(resource)
        body = caller.body(operation, parents, {}) | odd
        exchange = caller.call(operation, parents, body=body)
        trial.answered(exchange, operation.status, f"{UNKNOWN} is not known, and ignored")
        handle = caller.handle(operation, parents, body, exchange)
    else:
        handle = caller.make(resource)
        sent = caller.body(operation, handle.parents, all_plain(bench, operation, handle.parents))
        first = caller.call(operation, handle.ids, body=sent)
        before, _ = caller.seen(handle)
        exchange = caller.call(operation, handle.ids, body=sent | odd)
        trial.answered(exchange, operation.status, f"{UNKNOWN} is not known, and ignored", *handle.exchanges, first)
        after, sight = caller.seen(handle)
        found = changes(before, after, {resource.updated or ""})
        told = found[0].told if found else ("", "")
        trial.hold(
            not found, f"{told[0]}: only {UNKNOWN} was added", told[1], *handle.exchanges, first, exchange, *sight.exchanges
        )
    if bench.visible(resource):
        record, sight = caller.seen(handle)
        trial.hold(
            UNKNOWN not in record, f"no {UNKNOWN}, which the contract does not have", "it is shown", exchange, *sight.exchanges
        )


def json_is_json(bench: Bench) -> None:
    """A body is read in whatever way its media type is written."""
    for operation in bench.caller.of("create", "update"):
        for media in MEDIA:
            with bench.trial(operation, media) as trial:
                caller, resource = bench.caller, resource_of(operation)
                handle = caller.make(resource) if operation.action == "update" else None
                ids = handle.ids if handle else caller.home_of(resource)
                body: Json = caller.body(operation, ids, {})
                exchange = caller.call(operation, ids, body=body, headers=(("Content-Type", media),))
                trial.answered(exchange, operation.status, f"{media} is JSON", *(handle.exchanges if handle else ()))
