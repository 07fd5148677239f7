"""The law of times: when a record was made, and when it was last changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contract_tests import envelopes
from contract_tests.callers import Handle, Sight
from contract_tests.exchanges import Exchange
from contract_tests.laws.bench import Bench
from contract_tests.laws.written import agree, all_plain, resource_of
from contract_tests.matching import moment
from contract_tests.schemas import merged, properties
from contract_tests.shapes import shortened
from contract_tests.trials import Premise, Trial, needed
from mock_server.contract import Operation, Record, Resource, json_type

MOMENTS = 8  # tries until the server's clock has moved on
PAUSE = 0.2  # seconds between them
SECOND = 1.1  # seconds after which every clock shows another time
TURNS = 2  # of a change: machines that share the work may have clocks that differ a little
PROPERTIES = 20  # that are changed one by one


def times_are_kept(bench: Bench) -> None:
    """A record tells when it was made and when it was last changed."""
    for operation in bench.caller.of("create"):
        resource = resource_of(operation)
        for name in (resource.created, resource.updated):
            if name:
                with bench.trial(operation, name) as trial:
                    _stamped(bench, resource, name, trial)
    _moves(bench)


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
        if not _is_day(resource, name):
            form = (
                "YYYY-MM-DDThh:mm:ss" + (".sss" if bench.contract.times.milliseconds else "") + "Z" * bench.contract.times.zoned
            )
            alike = re.sub(r"[0-9]", "0", str(record[name])) == re.sub(r"[a-zY]|MM|DD", lambda part: "0" * len(part[0]), form)
            trial.hold(alike, f"{name} is written {form}", shortened(record[name]), *handle.exchanges, *sight.exchanges)
        stamps.append((at, handle, sight))
        now = moment(_clock(sight.exchanges[-1]))
        if at is not None and now is not None and json_type(resource.stored.get(name, {})) == "string":
            bound = 300 if bench.contract.times.zoned and not _is_day(resource, name) else 90_000
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


def _is_day(resource: Resource, name: str) -> bool:
    """Whether a time is told by the day: no run is long enough to see it move."""
    return resource.stored.get(name, {}).get("format") == "date"


def _clock(exchange: Exchange) -> str | None:
    """The server's time: what its Date says, else that of this machine."""
    from datetime import UTC, datetime  # noqa: PLC0415
    from email.utils import parsedate_to_datetime  # noqa: PLC0415

    told = exchange.answer.header("date")
    try:
        return parsedate_to_datetime(told).isoformat() if told else datetime.now(UTC).isoformat()
    except ValueError:
        return None


@dataclass(frozen=True)
class _Cast:
    """Records that were made before the server's clock moved on."""

    changed: Handle
    each: Mapping[str, Handle]  # property -> the record in which it alone is changed
    bystander: Handle  # the youngest
    before: tuple[Record, Sight]  # what there was of the changed one
    beside: tuple[Record, Sight]  # and of the bystander


def _moves(bench: Bench) -> None:
    """What updates do to times, the server's clock having moved on once for all of them."""
    stamped = [one for one in bench.caller.of("update") if resource_of(one).created or resource_of(one).updated]
    casts = [(operation, cast) for operation in stamped if (cast := _cast(bench, operation))]
    passed = False
    for operation in stamped:
        if updated := resource_of(operation).updated:
            with bench.trial(operation, updated) as trial:
                _moved(bench, operation, updated, trial)
                passed = trial.checks > 0 or passed
    if casts and not passed:
        bench.caller.target.pause(SECOND)
    for operation, cast in casts:
        with bench.trial(operation, "times that stay") as trial:
            _stay(bench, operation, cast, trial)
        for name, handle in cast.each.items():
            with bench.trial(operation, f"{resource_of(operation).updated} after {name}") as trial:
                _moved_by(bench, operation, name, handle, cast.beside[0], trial)


def _cast(bench: Bench, operation: Operation) -> _Cast | None:
    caller, resource = bench.caller, resource_of(operation)
    try:
        changed = caller.make(resource)
        each = {name: caller.make(resource) for name in _single(bench, operation)}
        bystander = caller.make(resource)
        return _Cast(changed, each, bystander, caller.seen(changed), caller.seen(bystander))
    except Premise:
        return None


def _single(bench: Bench, operation: Operation) -> list[str]:
    """The properties that an update can change alone, if its answer says when that was."""
    updated, body = resource_of(operation).updated, merged(operation.body or {})
    is_apart = operation.merge != "replace" and set(body.get("required", ())) <= {operation.target}
    is_shown = updated is not None and updated in properties(operation.view or {})
    if not is_apart or not is_shown or _is_day(resource_of(operation), updated or ""):
        return []
    return list(bench.caller.writable(operation))[:PROPERTIES]


def _updated(bench: Bench, operation: Operation, handle: Handle) -> Exchange:
    """An update with new values: one that changes nothing need not move a time."""
    body = bench.caller.body(operation, handle.parents, all_plain(bench, operation, handle.parents))
    return needed(bench.caller.call(operation, handle.ids, body=body), operation.status)


def _moved(bench: Bench, operation: Operation, updated: str, trial: Trial) -> None:
    """An update moves the time of the last change on, in its answer too."""
    caller = bench.caller
    handle = caller.make(resource_of(operation))
    before, first = caller.seen(handle)
    if updated not in before or _is_day(resource_of(operation), updated):
        return
    for turn in range(MOMENTS):
        if turn:
            caller.target.pause(PAUSE)
        exchange = _updated(bench, operation, handle)
        after, sight = caller.seen(handle)
        told = (*handle.exchanges, *first.exchanges, exchange, *sight.exchanges)
        one, other = moment(before[updated]), moment(after.get(updated))
        trial.hold(one is not None and other is not None, f"{updated} is a time", shortened(after.get(updated)), *told)
        if one and other and other > one:
            break
    else:
        later = f"{updated} is later than {before[updated]} after an update"
        trial.hold(False, later, shortened(after.get(updated)), *told)
    answered = (envelopes.record(operation, exchange.answer) or {}).get(updated, after[updated])
    alike = agree(answered, after[updated])
    trial.hold(alike, f"{updated} is {after[updated]}, as read afterwards", f"{shortened(answered)} in the answer", *told)


def _moved_by(bench: Bench, operation: Operation, name: str, handle: Handle, beside: Record, trial: Trial) -> None:
    """A change of one property is a change."""
    caller, updated = bench.caller, resource_of(operation).updated or ""
    before = moment(beside.get(updated))
    for turn in range(TURNS):
        if turn:
            caller.target.pause(SECOND)
        value = all_plain(bench, operation, handle.parents).get(name)
        if before is None or value is None or value == beside.get(name):
            return  # There is no other value, or none is shown.
        exchange = needed(caller.call(operation, handle.ids, body={name: value}), operation.status)
        seen = (envelopes.record(operation, exchange.answer) or {}).get(updated)
        if (after := moment(seen)) and after > before:
            trial.checks += 1
            return
    expected = f"{updated} is later than {beside[updated]}, by which the record had been made"
    trial.hold(False, expected, shortened(seen), *handle.exchanges, exchange)


def _stay(bench: Bench, operation: Operation, cast: _Cast, trial: Trial) -> None:
    """An update leaves the time of creation, in every view, and all times of other records."""
    caller, resource = bench.caller, resource_of(operation)
    exchange = _updated(bench, operation, cast.changed)
    names = [name for name in (resource.created, resource.updated) if name]
    told = (*cast.changed.exchanges, *cast.before[1].exchanges, exchange)
    for view in caller.views(resource):
        if resource.created and caller.reaches(view, cast.changed):
            sight = caller.look(cast.changed, view)
            _alike(trial, cast.before[0], sight, [resource.created], told)
    told = (*cast.bystander.exchanges, *cast.beside[1].exchanges, exchange)
    _alike(trial, cast.beside[0], caller.look(cast.bystander), names, told)


def _alike(trial: Trial, before: Record, sight: Sight, names: Sequence[str], told: tuple[Exchange, ...]) -> None:
    """Times are shown as they were, as far as they are shown."""
    record = sight.record or {}
    for name in names:
        if name in before and name in record:
            seen = f"{shortened(record[name])} in {sight.view.name}"
            trial.hold(agree(before[name], record[name]), f"{name} stays {before[name]}", seen, *told, *sight.exchanges)
