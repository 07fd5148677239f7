"""The law of times: when a record was made, and when it was last changed."""

from __future__ import annotations

import re

from contract_tests.exchanges import Exchange
from contract_tests.laws.bench import Bench
from contract_tests.laws.written import all_plain, resource_of
from contract_tests.matching import moment
from contract_tests.shapes import shortened
from contract_tests.trials import Premise, Trial, needed
from mock_server.contract import Operation, Resource, json_type

MOMENTS = 8  # tries until the server's clock has moved on
PAUSE = 0.2  # seconds between them


def times_are_kept(bench: Bench) -> None:
    """A record tells when it was made and when it was last changed."""
    for operation in bench.caller.of("create"):
        resource = resource_of(operation)
        for name in (resource.created, resource.updated):
            if name:
                with bench.trial(operation, name) as trial:
                    _stamped(bench, resource, name, trial)
    for operation in bench.caller.of("update"):
        resource = resource_of(operation)
        if resource.created or resource.updated:
            with bench.trial(operation, resource.updated or resource.created or "") as trial:
                _moved(bench, operation, trial)


def _stamped(bench: Bench, resource: Resource, name: str, trial: Trial) -> None:
    """The time of creation is that of the server's clock: not before what was made before, nor after what is made after."""
    caller = bench.caller
    first, second = caller.make(resource), caller.make(resource)
    stamps = []
    for handle in (first, second):
        record, sight = caller.seen(handle)
        if name not in record:
            raise Premise(f"{name} is in no view of a single {resource.title}")
        at = moment(record[name])
        trial.hold(at is not None, f"{name} is a time", shortened(record[name]), *handle.exchanges, *sight.exchanges)
        if resource.stored.get(name, {}).get("format") != "date":
            form = (
                "YYYY-MM-DDThh:mm:ss" + (".sss" if bench.contract.times.milliseconds else "") + "Z" * bench.contract.times.zoned
            )
            alike = re.sub(r"[0-9]", "0", str(record[name])) == re.sub(r"[a-zY]|MM|DD", lambda part: "0" * len(part[0]), form)
            trial.hold(alike, f"{name} is written {form}", shortened(record[name]), *handle.exchanges, *sight.exchanges)
        stamps.append((at, handle, sight))
        now = moment(_clock(sight.exchanges[-1]))
        if at is not None and now is not None and json_type(resource.stored.get(name, {})) == "string":
            bound = 300 if bench.contract.times.zoned and resource.stored[name].get("format") != "date" else 90_000
            off = abs((now - at).total_seconds())
            trial.hold(
                off <= bound,
                f"{name} is about {now.isoformat()}, when it was made",
                shortened(record[name]),
                *handle.exchanges,
                *sight.exchanges,
            )
    (one, a, x), (other, b, y) = stamps
    if one and other:
        trial.hold(
            one <= other,
            f"{name} of {a} is not later than that of {b}, made after it",
            f"{one} and {other}",
            *a.exchanges,
            *b.exchanges,
            *x.exchanges,
            *y.exchanges,
        )


def _clock(exchange: Exchange) -> str | None:
    """The server's time: what its Date says, else that of this machine."""
    from datetime import UTC, datetime  # noqa: PLC0415
    from email.utils import parsedate_to_datetime  # noqa: PLC0415

    told = exchange.answer.header("date")
    try:
        return parsedate_to_datetime(told).isoformat() if told else datetime.now(UTC).isoformat()
    except ValueError:
        return None


def _moved(bench: Bench, operation: Operation, trial: Trial) -> None:
    """An update moves the time of the last change on, and leaves that of creation."""
    caller, resource = bench.caller, resource_of(operation)
    created, updated = resource.created or "", resource.updated or ""
    handle = caller.make(resource)
    before, first = caller.seen(handle)
    body = caller.body(operation, handle.parents, all_plain(bench, operation, handle.parents))
    told = (*handle.exchanges, *first.exchanges)
    for turn in range(MOMENTS):
        if turn:
            caller.target.pause(PAUSE)
        exchange = needed(caller.call(operation, handle.ids, body=body), operation.status)
        after, sight = caller.seen(handle)
        if created in before:
            trial.hold(
                after.get(created) == before[created],
                f"{created} stays {before[created]}",
                shortened(after.get(created)),
                *told,
                exchange,
                *sight.exchanges,
            )
        if updated not in before:
            return
        one, other = moment(before[updated]), moment(after.get(updated))
        trial.hold(
            other is not None and one is not None,
            f"{updated} is a time",
            shortened(after.get(updated)),
            *told,
            exchange,
            *sight.exchanges,
        )
        if one and other and other > one:
            return
    trial.hold(
        False,
        f"{updated} is later than {before[updated]} after an update",
        shortened(after.get(updated)),
        *told,
        exchange,
        *sight.exchanges,
    )
