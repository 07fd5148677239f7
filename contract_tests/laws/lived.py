"""The life of records: random sequences of writes beside a model of what must be there, drawn by Hypothesis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contract_tests.callers import Handle
from contract_tests.comparing import differences
from contract_tests.exchanges import Exchange
from contract_tests.laws.bench import Bench
from contract_tests.laws.written import resource_of
from contract_tests.trials import Broken, Premise, Trial
from mock_server.contract import Json, Operation, Record, Resource

STEPS = 12  # of one life
FEW = 3  # records that live at once


def lives_follow_the_model(bench: Bench) -> None:
    """After any sequence of creations, updates and deletions there is what they leave."""
    for operation in bench.caller.of("create"):
        resource = resource_of(operation)
        if bench.caller.of("update", resource=resource) and bench.visible(resource):
            with bench.trial(operation) as trial:
                _lived(bench, operation, trial)


@dataclass
class _Life:
    """What was written so far, and what must be read."""

    bench: Bench
    operation: Operation
    trial: Trial
    living: dict[str, tuple[Handle, Record]] = field(default_factory=dict)
    dead: list[Handle] = field(default_factory=list)
    told: list[Exchange] = field(default_factory=list)

    @property
    def resource(self) -> Resource:
        return resource_of(self.operation)

    def create(self, turns: Mapping[str, int]) -> None:
        caller = self.bench.caller
        parents = caller.home_of(self.resource)
        sent = self._values(self.operation, turns)
        body = caller.body(self.operation, parents, sent)
        exchange = self._done(self.operation, caller.call(self.operation, parents, body=body))
        handle = caller.handle(self.operation, parents, body, exchange)
        self.living[repr(handle.id)] = (
            handle,
            {name: value for name, value in body.items() if name in caller.writable(self.operation)},
        )

    def update(self, place: int, turns: Mapping[str, int]) -> None:
        caller = self.bench.caller
        operation = caller.first("update", self.resource)
        if operation is None or not self.living:
            return
        handle, expected = self._at(place)
        body = caller.body(operation, handle.parents, self._values(operation, turns))
        self._done(operation, caller.call(operation, handle.ids, body=body))
        known = {name: value for name, value in body.items() if name in caller.writable(operation)}
        kept = {} if operation.merge == "replace" else expected
        if operation.merge == "deep":
            known = {name: value for name, value in known.items() if not isinstance(value, dict)}
        self.living[repr(handle.id)] = (handle, {**kept, **known})

    def delete(self, place: int) -> None:
        caller = self.bench.caller
        if not self.living:
            return
        handle, _ = self._at(place)
        operation = caller.deletion(handle)
        if operation is not None:
            self._done(operation, caller.call(operation, handle.ids))
            del self.living[repr(handle.id)]
            self.dead.append(handle)

    def check(self) -> None:
        """What lives is as it was written last, and what is dead is gone."""
        caller = self.bench.caller
        for handle, expected in self.living.values():
            sight = caller.look(handle)
            self.trial.hold(sight.record is not None, f"{handle} there", "it is gone", *self.told, *sight.exchanges)
            found = next(differences(self.bench.contract, self.resource, expected, sight.record or {}, sight.view.schema), None)
            words = found.told if found else ("", "")
            self.trial.hold(found is None, f"{words[0]} in {handle}", words[1], *self.told, *sight.exchanges)
        for handle in self.dead:
            sight = caller.look(handle)
            self.trial.hold(sight.record is None, f"{handle} gone", "it is there", *self.told, *sight.exchanges)

    def _at(self, place: int) -> tuple[Handle, Record]:
        return list(self.living.values())[place % len(self.living)]

    def _values(self, operation: Operation, turns: Mapping[str, int]) -> dict[str, Json]:
        caller, known = self.bench.caller, self.bench.caller.writable(operation)
        apart = set(self.resource.exclusive) | {reference.property for reference in self.resource.references}
        found: dict[str, Json] = {}
        for name, turn in turns.items():
            if name in known and name not in apart:
                samples = caller.values.samples(known[name])
                found[name] = samples[turn % len(samples)]
        return found

    def _done(self, operation: Operation, exchange: Exchange) -> Exchange:
        self.told.append(exchange)
        if exchange.answer.status != operation.status:
            raise Premise(f"{operation.operation_id} answered {exchange.answer.status}")
        return exchange

    def clear(self) -> None:
        """Delete what lives on."""
        while self.living and self.bench.caller.deletion(self._at(0)[0]) is not None:
            self.delete(0)


def _lived(bench: Bench, operation: Operation, trial: Trial) -> None:
    from hypothesis import HealthCheck, Phase, given, seed, settings, strategies  # noqa: PLC0415  # it takes long to import

    names = sorted(bench.caller.writable(operation))[:40]
    turns = strategies.dictionaries(strategies.sampled_from(names), strategies.integers(0, 15), max_size=4)
    step = strategies.one_of(
        strategies.tuples(strategies.just("create"), strategies.just(0), turns),
        strategies.tuples(strategies.just("update"), strategies.integers(0, FEW), turns),
        strategies.tuples(strategies.just("delete"), strategies.integers(0, FEW), turns),
    )

    @seed(bench.caller.seed)
    @settings(
        max_examples=bench.examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(strategies.lists(step, min_size=2, max_size=STEPS))
    def live(steps: list[tuple[str, int, dict[str, int]]]) -> None:
        life = _Life(bench, operation, trial)
        for action, place, chosen in steps:
            _take(life, action, place, chosen)
        life.check()
        life.clear()

    run: Any = live
    try:
        run()
    except (Broken, Premise):
        raise
    except Exception as several:  # Hypothesis found more than one fault, or one that comes and goes.
        raise _first(several) from several


def _take(life: _Life, action: str, place: int, turns: Mapping[str, int]) -> None:
    if action == "create" or not life.living:
        if len(life.living) < FEW:
            life.create(turns)
    elif action == "update":
        life.update(place, turns)
    else:
        life.delete(place)


def _first(several: BaseException) -> BaseException:
    """The finding among what Hypothesis raises."""
    found = [one for one in getattr(several, "exceptions", ()) if isinstance(one, (Broken, Premise))]
    return found[0] if found else Premise(f"the same requests had different answers: {type(several).__name__}")
