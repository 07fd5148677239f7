"""Schemathesis, with all its phases and checks, as one law: its failures are findings.

Its requests go through the same target as those of the laws, so that guard, rate and record are the same, and
what it makes is deleted as well. It writes to records of this run alone.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

from contract_tests.callers import Caller
from contract_tests.costs import Meter
from contract_tests.exchanges import Answer, Exchange, Request
from contract_tests.findings import Unproved
from contract_tests.laws.bench import Bench
from contract_tests.meant import Meant
from contract_tests.shapes import shortened
from contract_tests.sparing import Sparing
from contract_tests.targets import SAFE
from contract_tests.trials import Premise, unanswered
from mock_server.contract import Json

Message = MutableMapping[str, Any]
WHOLE = 60  # seconds that a run of all laws on one API takes at most, where answers come at once
AFTER = 3  # of these are left to what follows: laws of all answers, and the cleaning up …
SLOWER = 0.5  # … and so many more for each that the laws before it took: where they are slow, those are as well
LEAST = 20  # seconds that Schemathesis gets, however long the laws before it took
NOT_SENT = "x-not-sent"  # the header of an answer that no server gave
CLOSED = Exchange(Request("", ""), Answer(503, ((NOT_SENT, "1"),)))  # what is not sent any more
OWN_HEADERS = frozenset({"host", "content-length", "connection", "accept-encoding", "transfer-encoding"})


def run(bench: Bench) -> None:
    """Give Schemathesis the contract and the target, and take its failures over. Raises KeyboardInterrupt."""
    import schemathesis  # noqa: PLC0415  # it takes a second to import, and the other laws do without it
    from schemathesis.config import SchemathesisConfig  # noqa: PLC0415
    from schemathesis.engine import from_schema  # noqa: PLC0415

    caller = bench.caller
    config = SchemathesisConfig.from_dict(_configured(bench))
    schema: Any = schemathesis.openapi.from_dict(dict(caller.contract.document), config=config)
    through, sparing = Through(caller, time.perf_counter() + allowed(bench.spent)), Sparing(caller)
    for operation in caller.contract.operations.values():
        safe = operation.method in SAFE
        reason = sparing.impossible(operation) if caller.can_write else ""
        if reason:
            bench.verdicts.append(Unproved(bench.law, bench.contract.name, operation.operation_id, "", reason))
        if reason or not (safe or caller.can_write):
            schema = schema.exclude(method=operation.method, path=operation.path)
    schema.app = through
    with _spared(sparing, through):
        tested = _played(bench, from_schema(schema).execute(), through)
    caller.target.interrupts.check()
    if through.late:
        reason = f"it was stopped after {allowed(bench.spent):.0f} seconds"
        bench.verdicts.append(Unproved(bench.law, bench.contract.name, "", "time", reason))
    for operation in caller.contract.operations.values():
        if f"{operation.method} {operation.path}" in tested:
            trial = bench.trial(operation, "")
            with trial:
                trial.checks += 1


def allowed(spent: float) -> float:
    """The seconds that Schemathesis gets after laws that took so many."""
    return max(LEAST, WHOLE - AFTER - (1 + SLOWER) * spent)


def _played(bench: Bench, stream: Any, through: Through) -> set[str]:
    """Take the failures over as they come; the labels of the operations that were tested."""
    from schemathesis.engine.events import PhaseFinished, PhaseStarted  # noqa: PLC0415

    tested: set[str] = set()
    meter = Meter(bench.caller.exchanges)
    for event in stream:
        if isinstance(event, PhaseStarted):
            meter = Meter(bench.caller.exchanges)
        elif isinstance(event, PhaseFinished):
            bench.phases[event.phase.name.value.lower()] = meter.read()
        if through.over or bench.caller.target.interrupts.pending:
            through.closed = True
            stream.stop()  # What its thread has under way comes to an end before anything is cleaned up.
        recorder = getattr(event, "recorder", None)
        if recorder is not None:
            _failures(bench, recorder, through)
        if through.closed:
            continue
        if recorder is not None:
            tested |= {node.value.operation.label for node in recorder.cases.values()}
        elif hasattr(event, "related_to_operation"):
            reason = f"Schemathesis could not go on: {shortened(str(event.value), 300)}"
            bench.verdicts.append(Unproved(bench.law, bench.contract.name, "", event.label, reason))
    return tested


@contextmanager
def _spared(sparing: Sparing, through: Through) -> Iterator[None]:
    """While entered, Schemathesis' writes go to records of this run, and its failures are of the operations that answered."""
    import schemathesis  # noqa: PLC0415
    from schemathesis.core.failures import ServerError  # noqa: PLC0415

    labelled = {f"{one.method} {one.path}": one for one in through.contract.operations.values()}

    def aim(_context: Any, case: Any, _kwargs: Any) -> None:
        if through.over:
            raise KeyboardInterrupt  # This is how its thread ends.
        operation = labelled.get(case.operation.label)
        if operation is None or case.method.upper() in SAFE:
            return
        undeclared = case.method.upper() != operation.method  # It may stand where no record can be made.
        with suppress(Premise) if undeclared else nullcontext():
            sparing.spare(operation, case.path_parameters, case.body)

    def concerns(_context: Any, failure: Any, case: Any, response: Any) -> bool:
        """Whether a failure is one of the operation that it is held against: another may have answered, or none."""
        if NOT_SENT in response.headers:
            return False
        return isinstance(failure, ServerError) or through.meets(case.operation.path, response.request.url)

    schemathesis.hook("before_call")(aim)
    schemathesis.hook("filter_failure")(concerns)
    try:
        yield
    finally:
        schemathesis.hooks.unregister(aim)
        schemathesis.hooks.unregister(concerns)


def _configured(bench: Bench) -> dict[str, Json]:
    """All phases and checks, as much of them as a run that may not write allows."""
    caller = bench.caller
    safe = not caller.can_write
    wanted = next(iter(caller.contract.operations.values()), None)
    secured = next((o for o in caller.contract.operations.values() if caller.demands(o)), wanted)
    headers = dict(caller.request(secured, {}, query={}).headers) if secured else {}
    headers.pop("Accept", None)
    checks: dict[str, Json] = {"enabled": True}
    if bench.latency:
        checks["max_response_time"] = bench.latency
    if safe:
        checks["unsupported_method"] = {"enabled": False}
    return {
        "seed": caller.seed % 2**32,
        "base-url": f"http://testserver{caller.contract.base_path}",
        "headers": headers,
        "workers": 1,
        "continue-on-failure": True,
        "checks": checks,
        "generation": {
            "mode": "all",
            "max-examples": bench.examples,
            "database": "none",
            "deterministic": True,
            "no-shrink": False,
        },
        "phases": {
            "examples": {"enabled": True},
            "coverage": {"enabled": True, **({"unexpected-methods": []} if safe else {})},
            "fuzzing": {"enabled": True},
            "stateful": {"enabled": True, "max-steps": 6},
        },
    }


class Through:
    """An ASGI application that passes requests on to a target, until it is closed, or until a time of `perf_counter`."""

    def __init__(self, caller: Caller, until: float) -> None:
        self.closed = self.late = False
        self._until = until  # Schemathesis' own limit on time is one that it uses up.
        self.contract = caller.contract
        self._caller = caller
        self._base = caller.contract.base_path
        self._meant = Meant(caller.contract)

    @property
    def over(self) -> bool:
        """Whether nothing is sent any more."""
        self.late = self.late or time.perf_counter() > self._until
        return self.closed or self.late

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        body = b""
        while (message := await receive()).get("more_body"):
            body += message.get("body", b"")
        request = self._request(scope, body + message.get("body", b""))
        exchange = await asyncio.get_running_loop().run_in_executor(None, self._sent, request)
        headers = [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in exchange.answer.headers]
        kept = [pair for pair in headers if pair[0] not in (b"content-length", b"transfer-encoding", b"connection")]
        await send({"type": "http.response.start", "status": exchange.answer.status or 502, "headers": kept})
        await send({"type": "http.response.body", "body": exchange.answer.body})

    def recorded(self, interaction: Any) -> Exchange:
        """An exchange as Schemathesis has kept it."""
        request, response = interaction.request, interaction.response
        target = self._target(request.uri)
        headers = tuple((name, value) for name, values in request.headers.items() for value in values)
        told = tuple((name, value) for name, values in response.headers.items() for value in values)
        operation = self._meant.met(request.method, target)
        sent = Request(request.method, target, headers, request.body)
        return Exchange(
            sent,
            Answer(response.status_code, told, response.content, response.elapsed),
            operation.operation_id if operation else "",
        )

    def meets(self, path: str, url: str) -> bool:
        """Whether an address is that of this path of the contract, for certain."""
        return self._meant.meets(path, self._target(url))

    def _target(self, url: str) -> str:
        """Path and query below the base path."""
        return f"/{url.partition('://')[2].partition('/')[2]}".removeprefix(self._base)

    def _sent(self, request: Request) -> Exchange:
        if self.over:
            return CLOSED
        operation, ids = self._meant.by(request.method, request.target)
        met = self._meant.met(request.method, request.target)
        try:
            exchange = self._caller.send(request, met.operation_id if met else "")
        except KeyboardInterrupt:
            self._caller.target.interrupts.pending, self.closed = True, True
            return CLOSED
        except Premise:
            return CLOSED
        if operation is not None:
            self._caller.remember(operation, ids, _body(request), exchange)
        return exchange

    def _request(self, scope: Message, body: bytes) -> Request:
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        path = raw.partition(b"?")[0].decode("latin-1").removeprefix(self._base)
        query: bytes = scope.get("query_string", b"")
        headers = tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"])
        sent = tuple(pair for pair in headers if pair[0].lower() not in OWN_HEADERS)
        has_body = body or any(name.lower() == "content-length" for name, _ in headers)
        return Request(scope["method"], path + (f"?{query.decode('latin-1')}" if query else ""), sent, body if has_body else None)


async def _lifespan(receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
    while True:
        kind = (await receive())["type"].removeprefix("lifespan.")
        await send({"type": f"lifespan.{kind}.complete"})
        if kind == "shutdown":
            return


def _failures(bench: Bench, recorder: Any, through: Through) -> None:
    """The failed checks of a scenario, with the requests that lead to each."""
    for id, checks in recorder.checks.items():
        for check in checks:
            info = check.failure_info
            if info is None:
                continue
            exchanges = tuple(_exchanges(recorder, id, through))
            operation = bench.contract.operations.get(exchanges[-1].operation) if exchanges else None
            if exchanges and unanswered(exchanges[-1]) and check.name != "not_a_server_error":
                continue  # One fault, one finding.
            with bench.trial(operation, check.name) as trial:
                failure = info.failure
                if check.name == "not_a_server_error" and exchanges:
                    bench.failed(trial, exchanges[-1], "an answer that is no failure of the server", failure.title)
                    continue
                trial.hold(
                    False, f"{check.name.replace('_', ' ')} ({failure.title})", shortened(failure.message, 400), *exchanges
                )


def _exchanges(recorder: Any, id: str, through: Through) -> Iterator[Exchange]:
    for case in recorder.iter_chain_cases(case_id=id):
        interaction = recorder.interactions.get(case.id)
        if interaction is None or interaction.response is None:
            continue
        yield through.recorded(interaction)


def _body(request: Request) -> Json:
    with suppress(ValueError, RecursionError):
        return json.loads(request.body or b"null")
    return None
