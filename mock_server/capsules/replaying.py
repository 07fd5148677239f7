"""A capsule -> what happens when it is asked again: REPRODUCED, CHANGED or FIXED."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from mock_server.bridge.schemas import Schemas
from mock_server.capsules import wallet
from mock_server.capsules.aligning import Alignment, Difference, differences
from mock_server.capsules.capsule import Answer, Body, Capsule, Request
from mock_server.capsules.destinations import LOST, Destination, Sent
from mock_server.capsules.wallet import Wallet
from mock_server.contract import Contract, Json, Operation
from mock_server.schemas import at
from mock_server.secrecy import ways_to

Verdict = Literal["REPRODUCED", "CHANGED", "FIXED"]


@dataclass(frozen=True)
class Step:
    """One request as it was sent, its credentials masked; what was expected, and what was seen."""

    request: Request
    expected: Answer
    seen: Answer


@dataclass(frozen=True)
class Outcome:
    """What a replay showed."""

    verdict: Verdict
    differences: tuple[Difference, ...]
    notes: tuple[str, ...] = ()


class Signature(NamedTuple):
    """What makes a failure the same failure."""

    status: int
    code: Json
    pointers: frozenset[tuple[str, str]]  # part of the request and JSON pointer of each violation


class Replayer:
    """Sends capsules to a destination."""

    def __init__(self, contracts: Mapping[str, Contract], destination: Destination, credentials: Wallet) -> None:
        self._contracts = contracts
        self._destination = destination
        self._wallet = credentials
        self._judge = Judge(contracts)
        self._opened: dict[str, str] = {}  # API -> a session that no request of the capsule opened

    def steps(self, capsule: Capsule) -> list[Step]:
        """Each request of the capsule with its answer, in order.

        Raises Refused, Unreachable.
        """
        alignment = Alignment(self._contracts)
        self._opened.clear()
        self._destination.begin(capsule)
        found = []
        for request in capsule.requests:
            aligned = alignment.request(request)
            seen = self._destination.ask(self._sent(aligned, alignment))
            if seen is not None:
                alignment.learn(request, seen)
                found.append(Step(aligned, alignment.answer(request), seen))
        return found

    def _sent(self, request: Request, alignment: Alignment) -> Sent:
        def session(id: str) -> str | None:
            return alignment.sessions.get(id) if id else self._session(request)

        filled = self._wallet.filled(request, session, login=wallet.is_login(self._contracts, request))
        return Sent(request, *filled)

    def _session(self, later: Request) -> str | None:
        """A session for a request whose login is not in the capsule."""
        api = later.api
        contract, login = self._contracts[api], self._wallet.logins.get(api)
        if api in self._opened or login is None:
            return self._opened.get(api)
        operation = next((one for one in contract.operations.values() if one.action == "login"), None)
        if operation is None:
            return None
        target, headers = contract.base_path + operation.path, (("Content-Type", "application/json"),)
        request = Request("login", later.at, api, operation.operation_id, operation.method, target, headers, None, Answer(200))
        seen = self._destination.ask(Sent(request, target, headers, Body("body", login)))
        alignment = Alignment(self._contracts)
        if seen is not None:
            alignment.learn(Request(**{**vars(request), "answer": seen}), seen)
        if "login" in alignment.sessions:
            self._opened[api] = alignment.sessions["login"]
        return self._opened.get(api)

    def outcome(self, capsule: Capsule, steps: list[Step], *, exact: bool) -> Outcome:
        """What the answers say; unless `exact`, only the failure itself has to be the same, its words and all else may differ."""
        every = tuple(found for step in steps for found in differences(step.request.id, step.expected, step.seen))
        failing = next(step for step in steps if step.request.id == capsule.shows)
        same = self._judge.signature(failing.request, failing.expected) == self._judge.signature(failing.request, failing.seen)
        if not self._judge.fails(failing.request, failing.expected):  # What is wrong with it stands in what it tells.
            same = same and not any(found.request == failing.request.id for found in every)
        if not every or (not exact and same):
            return Outcome("REPRODUCED", every)
        if self._judge.fails(failing.request, failing.expected) and not self._judge.fails(failing.request, failing.seen):
            return Outcome("FIXED", every)
        return Outcome("CHANGED", every)


class Judge:
    """What the contracts say of answers."""

    def __init__(self, contracts: Mapping[str, Contract]) -> None:
        self._contracts = contracts
        self._schemas = {name: Schemas(contract.document) for name, contract in contracts.items()}

    def fails(self, request: Request, answer: Answer) -> bool:
        """Whether a request is refused, or its answer breaks the contract."""
        return answer.status >= 400 or answer.status == LOST or self.breaks(request, answer)

    def breaks(self, request: Request, answer: Answer) -> bool:
        """Whether an answer breaks the contract: its status is not declared, or its body is not of the schema."""
        operation = self._operation(request)
        if operation is None:
            return False
        schemas = self._schemas[request.api]
        found = schemas.answer(operation, answer.status)
        if found is None:
            return True
        content = found.get("content", {})
        if "application/json" not in content or request.method == "HEAD":
            return not content and answer.body is not None
        if answer.body is None or answer.body.form != "body":
            return True
        return not schemas.compiled(content["application/json"].get("schema", {}), "response").is_valid(answer.body.value)

    def signature(self, request: Request, answer: Answer) -> Signature:
        """Status, the API's own code, and the places of the violations that an answer tells."""
        contract = self._contracts.get(request.api)
        value = answer.body.value if answer.body is not None and answer.body.form == "body" else None
        if contract is None or answer.status < 400:
            return Signature(answer.status, self.breaks(request, answer), frozenset())
        form = contract.refusals
        codes = [at(value, way) for way in ways_to("$code", form.body)]
        listed = [at(value, way) for way in ways_to("$violations", form.body)]
        pointers = [
            (_text(part, "$in", form.violation), _text(part, "$pointer", form.violation))
            for parts in listed
            for part in (parts if isinstance(parts, list) else ())
        ]
        return Signature(answer.status, next(iter(codes), None), places(pointers))

    def _operation(self, request: Request) -> Operation | None:
        contract = self._contracts.get(request.api)
        return contract.operations.get(request.operation) if contract else None


def places(pointers: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """The places of violations, each once; which records of the state stand in the way makes no difference."""
    return frozenset((where, "" if where == "state" else pointer) for where, pointer in pointers)


def _text(violation: Json, token: str, template: Json) -> str:
    return next((str(at(violation, way)) for way in ways_to(token, template)), "")
