"""The mock and an implementation of its own code, asked the same: what differs is told, with who is at fault."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st

from contract_tests import runner
from contract_tests.__main__ import main
from contract_tests.defects import IMPLEMENTATIONS, application
from contract_tests.exchanges import Answer, Request
from contract_tests.parity import command, telling
from contract_tests.parity.aligning import ANY, differing
from contract_tests.parity.telling import Told
from contract_tests.settings import WrongUsage
from contract_tests.targets import SAFE, InProcess, Unreachable
from mock_server.contract import Json
from tests.conftest import running

APIS = sorted(IMPLEMENTATIONS)
STAYING: dict[str, set[str]] = {  # why records stay
    "fentu": set(),
    "keychain": set(),
    "lemonsoft": {"no operation deletes a Customer", "no operation deletes a Text"},
}
PROSE = ("/message", "/details", "/errors")  # in refusals: the contract leaves their words free


class Listening(InProcess):
    """An implementation in this process that tells what it was sent, and can be interrupted, or be gone."""

    def __init__(self, api: str, defect: str | None = None, *, ends_at: int = 0, gone: bool = False, **options: bool) -> None:
        service = application(api, defect)
        super().__init__("real", service, service.document.bases[0], **options)
        self.asked: list[tuple[Request, Answer]] = []
        self._ends_at = ends_at
        self._gone = gone

    def _deliver(self, request: Request) -> Answer:
        if self._gone:
            raise Unreachable("nothing listens")
        answer = super()._deliver(request)
        self.asked.append((request, answer))
        if len(self.asked) == self._ends_at:
            signal.raise_signal(signal.SIGINT)
        return answer


def compared(api: str, real: Listening, *options: str) -> Told:
    """What parity says of an implementation."""
    chosen, _ = command.read([api, "--url", "http://127.0.0.1:1", *options], {})
    (contract,) = chosen.contracts.values()
    mock = runner.opened(replace(chosen, addresses={}), contract)
    with contextlib.closing(mock), contextlib.closing(real):
        return command.compare(chosen, contract, mock, real)


@contextlib.contextmanager
def served(api: str, defect: str | None = None) -> Iterator[str]:
    """An implementation at an address."""
    service = application(api, defect)
    with running(uvicorn.Server(uvicorn.Config(service, log_level="critical", lifespan="off"))) as root:
        yield f"{root}{service.document.bases[0]}"


@pytest.mark.parametrize("api", APIS)
def test_a_sound_implementation_breaks_nothing(api: str) -> None:
    """Other code, other data, other ids and times: none of that is a difference that anybody has to mend.

    Where the contract is silent, only the words of refusals differ: that fails for those alone who want the mock to speak as the
    real one does. Where the API has no deletion, the records that stay are listed; no id of a session stands in what is told.
    """
    told = compared(api, Listening(api))

    assert [one for one in told.differences if one.blame != "silent"] == []
    assert told.agreed > 20
    assert len(told.differences) <= 6
    for one in told.differences:
        assert min(one.statuses) >= 400
        assert one.part == "header" or one.pointer.startswith(PROSE) or "/error/" in one.pointer
    assert (told.status, replace(told, strict=True).status) == (0, 1)
    assert {one.reason for one in told.leftovers} == STAYING[api]
    assert ("$SESSION" in telling.text(told)) == (api == "lemonsoft")
    assert "***" not in telling.text(told)


@pytest.mark.parametrize(
    ("api", "defect", "operation"),
    [
        ("fentu", "names are trimmed", "getCustomer"),
        ("fentu", "search minds the case", "listCustomers"),
        ("fentu", "drafts do not stand in the way of a deletion", "deleteCustomer"),
        ("fentu", "clients can choose the id", "createCustomer"),
        ("fentu", "a customer can have two primary contacts", "getCustomer"),
        ("keychain", "offset does nothing", "listCustomers"),
        ("keychain", "startDate does nothing", "getCustomerSalesOrders"),
        ("keychain", "an empty key is taken", "getCustomer"),
        ("keychain", "batch sizes are texts", "getSku"),
        ("keychain", "orders of an unknown customer are an empty list", "getCustomerSalesOrders"),
    ],
)
def test_what_breaks_the_contract_is_the_real_ones_fault(api: str, defect: str, operation: str) -> None:
    """The difference is told at its operation, with the rule and its line in the contract, and the run fails."""
    told = compared(api, Listening(api, defect))

    blamed = [one for one in told.differences if one.blame == "real"]
    assert {one.blame for one in told.differences} <= {"real", "silent"}
    assert told.status == 1
    assert operation in {name for one in blamed for name in (one.operation, *one.operations)}
    assert all(one.rule and one.place.line > 1 for one in blamed)


def test_reading_only_sends_no_write() -> None:
    """Production is compared as far as that can be done without changing it; the rest is named."""
    real = Listening("fentu", read_only=True)

    told = compared("fentu", real, "--read-only")

    assert {request.method for request, _ in real.asked} <= SAFE
    assert told.agreed > 20
    assert told.status == 0
    assert told.uncompared["records"] == [command.GET_ONLY]


@pytest.mark.parametrize("ends_at", [40, 150])
def test_an_interrupted_run_leaves_nothing_behind(ends_at: int) -> None:
    """After Ctrl-C everything that was made on the real one is deleted."""
    real = Listening("fentu", ends_at=ends_at)

    told = compared("fentu", real)

    assert told.interrupted
    assert told.status == 3
    assert told.leftovers == []
    assert left_behind(real) == set()


def test_a_whole_run_leaves_nothing_behind() -> None:
    """Every record that was made is deleted, whichever scenario made it."""
    real = Listening("fentu")

    told = compared("fentu", real)

    assert told.leftovers == []
    assert left_behind(real) == set()


def left_behind(real: Listening) -> set[str]:
    """The ids of customers that were made and not deleted."""
    made = {
        answer.json()["data"]["id"]
        for request, answer in real.asked
        if request.method == "POST" and request.target == "/customers" and answer.status == 201
    }
    return made - {request.target.rpartition("/")[2] for request, answer in real.asked if answer.status == 204}


def test_where_nothing_answers_nothing_is_compared() -> None:
    """A target that is not there is no sound one."""
    told = compared("keychain", Listening("keychain", gone=True))

    assert told.status == 3
    assert "nothing listens" in telling.text(told)


def test_the_same_seed_asks_the_same() -> None:
    """A run can be repeated."""
    runs = [Listening("keychain") for _ in range(2)]

    for real in runs:
        compared("keychain", real, "--seed", "7")

    asked = [[(request.method, request.target, request.body) for request, _ in real.asked] for real in runs]
    assert asked[0] == asked[1]


def test_the_command_compares_an_address(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON has what a program needs: class, place in the contract, what each answered, and the request as curl."""
    with served("keychain", "batch sizes are texts") as url:
        status = main(["parity", "keychain", "--url", url, "--json"])

    told = json.loads(capsys.readouterr().out)
    found = next(one for one in told["differences"] if one["class"] == "real")
    assert status == told["status"] == 1
    assert found["at"].partition(":")[0].endswith("openapi.yaml")
    assert found["pointer"].endswith("/batchSize")
    assert found["curl"][-1].startswith(f"curl {url}")
    assert found["mock"].isdecimal()
    assert found["real"].startswith("/")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--url", "http://localhost:1"], "name it"),
        (["keychain"], "give --url URL"),
        (["keychain", "--url", "http://localhost:1", "--laws", "x"], "there is no --laws"),
        (["keychan", "--url", "http://localhost:1"], "keychain"),
        (["keychain", "--url", "localhost"], "must be an address"),
    ],
)
def test_wrong_usage_is_told(arguments: list[str], sentence: str) -> None:
    """What was wrong, and what would be right."""
    with pytest.raises(WrongUsage) as wrong:
        command.read(arguments, {})

    assert sentence in str(wrong.value)


Values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=3), part, max_size=3),
    max_leaves=8,
)


@given(Values, Values)
def test_values_differ_somewhere_unless_they_are_the_same(one: Json, other: Json) -> None:
    """Nothing is missed, and nothing is made up: 1 and true are two values."""
    assert list(differing(one, one)) == []
    assert bool(list(differing(one, other))) == (json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True))


def test_what_depends_on_data_differs_only_from_nothing() -> None:
    """Another branch than the mock's is no difference; none at all is one."""
    assert list(differing({"branch": ANY}, {"branch": ANY})) == []
    assert [way for way, _, _ in differing({"branch": ANY}, {"branch": None})] == [("branch",)]
    assert [way for way, _, _ in differing({"branch": ANY}, {})] == [("branch",)]
