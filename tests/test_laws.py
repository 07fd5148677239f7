"""The laws as a whole: they hold where all is well, the same seed sends the same requests, and nothing is left behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from contract_tests import runner, settings
from contract_tests.callers import LIMITED, Caller
from contract_tests.defects import application
from contract_tests.exchanges import Answer, Request
from contract_tests.findings import Finding, Result
from contract_tests.laws import LAWS, SCHEMATHESIS
from contract_tests.settings import Settings
from contract_tests.targets import InProcess, Target
from contract_tests.trials import Trial, Vanished
from mock_server.contract import Contract, Json

APIS = ("fentu", "keychain", "lemonsoft")
SAFE = {"GET", "HEAD", "OPTIONS"}


def chosen(api: str, **changes: Json) -> Settings:
    return replace(settings.read([api, "--no-schemathesis"], {}), **changes)


def sound(api: str, read_only: bool = False) -> Callable[[Contract], Target]:
    """The independent implementation, with a state of its own."""
    return lambda contract: InProcess("sound", application(api), contract.base_path, read_only=read_only)


def told(result: Result) -> list[str]:
    return [f"{f.law} {f.operation} {f.subject}: {f.expected} / {f.seen}" for f in result.findings]


@pytest.mark.parametrize("api", APIS)
def test_the_mock_keeps_every_law(api: str) -> None:
    """No finding, each operation reached, and every filter seen to match."""
    result = runner.run(chosen(api))

    assert told(result) == []
    assert result.hollow == []
    assert result.proofs


@pytest.mark.parametrize(("api", "seed"), [("fentu", 2), ("keychain", 2)])
def test_a_sound_implementation_keeps_every_law(api: str, seed: int) -> None:
    """Whatever the seed."""
    result = runner.run(chosen(api, seed=seed), targets=sound(api))

    assert told(result) == []
    assert result.hollow == []


def test_the_same_seed_sends_the_same_requests() -> None:
    """And another one others."""
    runs = [
        runner.run(chosen("fentu", seed=seed, laws=("create-persists", "unique-values")), targets=sound("fentu"))
        for seed in (7, 7, 8)
    ]

    sent = [[(e.request.method, e.request.target, e.request.body) for e in run.exchanges["fentu"]] for run in runs]
    assert sent[0] == sent[1]
    assert sent[0] != sent[2]


@pytest.mark.parametrize("api", APIS)
def test_a_read_only_run_writes_nothing(api: str) -> None:
    """It says which laws that leaves unproved, and proves the others."""
    result = runner.run(
        chosen(api, read_only=True, laws=("create-persists", "views-agree", "pages-part-the-list")),
        targets=sound(api, read_only=True),
    )

    assert {e.request.method for e in result.exchanges[api]} <= SAFE
    assert any("read-only" in unproved.reason for unproved in result.unproved) or api == "keychain"
    assert told(result) == []


class Interrupted(InProcess):
    """A target at which somebody presses Ctrl-C."""

    left = 120

    def _deliver(self, request: Request) -> Answer:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return super()._deliver(request)


def test_an_interrupted_run_leaves_nothing_behind() -> None:
    """What was made so far is deleted; the result says that it was cut short."""
    service = application("fentu")
    before = records_of(InProcess("sound", service, "/fentu/api/v1"))

    result = runner.run(chosen("fentu"), targets=partial(_interrupted, service))

    assert result.interrupted
    assert result.leftovers == []
    assert records_of(InProcess("sound", service, "/fentu/api/v1")) == before


def _interrupted(service: Json, contract: Contract) -> Target:
    return Interrupted("sound", service, contract.base_path)


def records_of(target: Target) -> Json:
    answer = target.send(Request("GET", "/customers?per_page=100", (("Authorization", "Bearer test-admin"),)))
    target.close()
    return json.loads(answer.body)


class Limited(InProcess):
    """Turns some requests down: there are too many."""

    def __init__(self, contract: Contract, wait: str, every: int) -> None:
        super().__init__("limited", application(contract.name), contract.base_path)
        self.wait, self.every, self.count = wait, every, 0
        self.waited: list[float] = []

    def pause(self, seconds: float) -> None:
        self.waited.append(seconds)

    def _deliver(self, request: Request) -> Answer:
        self.count += 1
        if self.count % self.every == 0:
            return Answer(429, (("Retry-After", self.wait),), b'{"error": {"code": "rate_limited"}}')
        return super()._deliver(request)


def limited(wait: str, every: int) -> tuple[Result, Limited, list[str]]:
    """What some laws say of a server that limits the rate, and what the run told meanwhile."""
    settings = chosen("fentu", laws=("create-persists", "guards"))
    target = Limited(settings.contracts["fentu"], wait, every)
    progress: list[str] = []
    return runner.run(settings, lambda _api, doing: progress.append(doing), lambda _: target), target, progress


def test_a_run_waits_as_long_as_a_rate_limit_asks_for() -> None:
    """Nothing is lost by it but time, and the progress says so."""
    result, target, progress = limited("2", every=40)

    assert (told(result), result.unproved, result.leftovers) == ([], [], [])
    assert set(target.waited) == {2.0}
    assert progress.count("waits 2 s: too many requests") == len(target.waited)


def test_what_a_rate_limit_turns_down_for_too_long_is_not_proved() -> None:
    """It breaks no law, and one reason is told for all of it."""
    result, target, _ = limited("3600", every=40)

    assert told(result) == []
    assert {one.reason for one in result.unproved} == {LIMITED}
    assert target.waited == []


def test_clean_up_waits_too() -> None:
    """However often it has to."""
    result, _, _ = limited("1", every=3)

    assert result.leftovers == []


def test_failures_count_where_the_law_of_failures_is_not_tried() -> None:
    """Other laws leave them to that one."""
    result = runner.run(chosen("fentu", laws=("filters-are-exact",)), targets=crashing)

    assert any("requests failed (GET /customers?search=" in reason for reason in result.hollow)


def test_a_failure_is_no_question() -> None:
    """Whoever has inferred the operation."""
    result = runner.run(chosen("fentu", laws=("unknown-ids", "no-server-errors")), targets=deleting)

    assert [(f.operation, f.is_question) for f in result.findings] == [("deleteWorkOrder", False)]


def test_who_is_let_in_with_a_wrong_key_is_no_question() -> None:
    """Whoever has inferred the operation: the contract asks all callers for a key."""
    result = runner.run(chosen("keychain", laws=("credentials",)), targets=open_to_all)

    assert result.findings
    assert [finding.operation for finding in result.questions] == []


def open_to_all(contract: Contract) -> Target:
    return InProcess("open to all", application("keychain", "any key is taken"), contract.base_path)


def crashing(contract: Contract) -> Target:
    return InProcess("crashing", application("fentu", "a quote in a search is a crash"), contract.base_path)


def deleting(contract: Contract) -> Target:
    return InProcess("crashing", application("fentu", "deleting an unknown work order is a crash"), contract.base_path)


def test_a_record_that_vanishes_is_a_finding() -> None:
    """No law can be tried on it."""
    contract = chosen("fentu").contracts["fentu"]
    operation = contract.operations["updateWorkOrder"]
    trial = Trial("times", "fentu", operation.operation_id, "", operation.place, operation.origin, [])

    with trial:
        raise Vanished("Work order wo-1 in getWorkOrder", ())

    assert [(f.seen, f.is_question) for f in trial.verdicts if isinstance(f, Finding)] == [("it is not there", False)]


def test_a_reference_is_to_a_record_of_the_same_parent() -> None:
    """A contact of a work order is one of the work order's customer."""
    contract = chosen("fentu").contracts["fentu"]
    target = sound("fentu")(contract)
    caller = Caller(contract, target, chosen("fentu").credentials["fentu"])
    customer = caller.make(contract.resources["customer"])
    [reference] = [one for one in contract.resources["work_order"].references if one.property == "contact_id"]

    found = caller.candidates(reference, customer.ids, 2)

    contacts = {handle.id for handle in caller.made.values() if handle.parents == customer.ids}
    target.close()
    assert len(found) == 2
    assert set(found) == contacts


def test_a_run_that_proves_nothing_says_why() -> None:
    """Without a credential every answer is 401."""
    result = runner.run(chosen("keychain", credentials={}), targets=sound("keychain"))

    assert any("401" in reason for reason in result.hollow)


def test_one_fault_is_one_finding() -> None:
    """What is wrong with every answer is told once, with how often it was seen."""
    target = InProcess("plain", application("keychain", "answers are called plain text"), "/keychain/v1")

    result = runner.run(chosen("keychain"), targets=lambda _: target)

    media = [f for f in result.findings if f.law == "declared-answers"]
    assert len(media) == 1
    assert media[0].times > 5


def test_each_law_has_a_name_and_a_sentence_of_its_own() -> None:
    """They stand in reports and in waivers."""
    assert len({law.name for law in LAWS}) == len({law.sentence for law in LAWS}) == len(LAWS)
    assert all(law.sentence.endswith(".") for law in LAWS)
    assert SCHEMATHESIS in {law.name for law in LAWS}


def test_schemathesis_finds_nothing_at_a_sound_implementation() -> None:
    """All phases and checks; what it makes is deleted as well."""
    result = runner.run(replace(settings.read(["keychain"], {}), laws=(SCHEMATHESIS,), examples=2), targets=sound("keychain"))

    assert told(result) == []
    assert {proof.operation for proof in result.proofs} == set(settings.read(["keychain"], {}).contracts["keychain"].operations)
