"""Faults: armed for a world, due under their condition, used up, and gone."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.armed import Armed, read
from mock_server.bridge.schemas import Schemas
from mock_server.contract import Contract
from mock_server.faults import Asked, Fault
from mock_server.schemas import MISSING
from mock_server.spoiling import delay

Client = httpx.Client
CUSTOMERS = "/fentu/api/v1/customers"
ACME = f"{CUSTOMERS}/cust-001"
ADMIN = {"Authorization": "Bearer test-admin"}


@pytest.fixture
def arm(client: Client, world: str) -> Callable[..., str]:
    """Arms a fault for the test's world; answers its name."""

    def armed(into: str = world, **told: Any) -> str:
        answer = client.post(f"/_mock/worlds/{into}/faults", json=told)
        assert answer.status_code == 201, answer.text
        name: str = answer.json()["name"]
        return name

    client.headers.update(ADMIN)
    return armed


def fault(client: Client, world: str, name: str) -> Any:
    return client.get(f"/_mock/worlds/{world}/faults/{name}").json()


def test_the_second_creation_conflicts_in_one_world_only(client: Client, world: str, arm: Callable[..., str]) -> None:
    """In world A the second POST is 409; B sees none; after its budget the fault is gone."""
    name = arm(api="fentu", operation="createCustomer", calls=[2], times=1, error=409)

    def created(into: str) -> list[int]:
        return [client.post(CUSTOMERS, json={"name": "A"}, headers={"X-Mock-World": into}).status_code for _ in range(4)]

    assert created(world) == [201, 409, 201, 201]
    assert created(f"{world}-b") == [201, 201, 201, 201]
    told = fault(client, world, name)
    assert (told["matched"], told["fired"], told["used_up"]) == (4, 1, True)


def test_a_forced_error_changes_nothing(client: Client, arm: Callable[..., str]) -> None:
    arm(api="fentu", operation="createCustomer", error=409)
    before = client.get(CUSTOMERS).json()["meta"]

    assert client.post(CUSTOMERS, json={"name": "A"}).status_code == 409
    assert client.get(CUSTOMERS).json()["meta"] == before


@pytest.mark.parametrize(
    ("when", "met", "missed"),
    [
        ({"query": {"status": "active"}}, {"params": {"status": "active"}}, {"params": {"status": "inactive"}}),
        ({"query": {"page": 2}}, {"params": {"page": 2}}, {}),
        ({"headers": {"X-Trace": "7"}}, {"headers": {"x-trace": "7"}}, {"headers": {"x-trace": "8"}}),
        ({"credential": "read"}, {"headers": {"Authorization": "Bearer test-read"}}, {}),
    ],
    ids=str,
)
def test_a_condition_looks_at_the_request(
    client: Client, arm: Callable[..., str], when: Any, met: dict[str, Any], missed: dict[str, Any]
) -> None:
    arm(api="fentu", operation="listCustomers", when=when, error=429)

    assert client.get(CUSTOMERS, **met).status_code == 429
    assert client.get(CUSTOMERS, **missed).status_code == 200


def test_a_condition_looks_at_path_and_body(client: Client, arm: Callable[..., str]) -> None:
    arm(api="fentu", operation="updateCustomer", when={"path": {"id": "cust-001"}, "body": {"/address/city": "Oslo"}}, error=409)

    assert client.put(ACME, json={"address": {"city": "Oslo"}}).status_code == 409
    assert client.put(ACME, json={"address": {"city": "Bergen"}}).status_code == 200
    assert client.put(f"{CUSTOMERS}/cust-002", json={"address": {"city": "Oslo"}}).status_code == 200


def test_a_fault_lasts_from_when_to_when_by_the_worlds_clock(client: Client, world: str, arm: Callable[..., str]) -> None:
    arm(**{"api": "fentu", "from": "2026-03-01T13:00:00Z", "until": "2026-03-01T14:00:00Z", "error": 429})

    found = []
    for _ in range(3):
        found.append(client.get(ACME).status_code)
        client.post(f"/_mock/worlds/{world}/clock/advance", json={"seconds": 3600})

    assert found == [200, 429, 200]


def test_the_same_seed_gives_the_same_trace(client: Client, arm: Callable[..., str]) -> None:
    """One in three fails, by chance; by the same chance in every world of the same seed."""

    def trace(into: str) -> list[int]:
        arm(into, name="flaky", api="fentu", probability=0.33, error=429)
        return [client.get(ACME, headers={"X-Mock-World": into}).status_code for _ in range(60)]

    first = trace("flaky-1")

    assert first == trace("flaky-2")
    assert 8 < first.count(429) < 35


EFFECTS: dict[str, tuple[dict[str, Any], Callable[[httpx.Response], bool]]] = {
    "undeclared status": ({"status": 418, "body": {"tea": True}}, lambda a: (a.status_code, a.json()) == (418, {"tea": True})),
    "retry after": ({"error": 429, "retry_after": 7}, lambda a: (a.status_code, a.headers["Retry-After"]) == (429, "7")),
    "delay": ({"delay": {"seconds": 0.2}}, lambda a: a.status_code == 200 and a.elapsed.total_seconds() >= 0.2),
    "slow body": (
        {"slow": {"seconds": 0.2}},
        lambda a: a.json()["data"]["id"] == "cust-001" and a.elapsed.total_seconds() >= 0.2,
    ),
    "truncated": ({"truncate": 0.5}, lambda a: a.status_code == 200 and not _is_json(a)),
    "malformed": ({"malformed": True}, lambda a: a.status_code == 200 and not _is_json(a)),
    "wrong type": ({"content_type": "text/html"}, lambda a: a.headers["Content-Type"] == "text/html" and _is_json(a)),
    "broken": ({"break": {"pointer": "/data/id", "way": "missing"}}, lambda a: "id" not in a.json()["data"]),
}


def _is_json(answer: httpx.Response) -> bool:
    try:
        json.loads(answer.content)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("effect", EFFECTS)
def test_every_effect_shows_once_and_is_gone(client: Client, arm: Callable[..., str], effect: str) -> None:
    told, shows = EFFECTS[effect]
    arm(api="fentu", operation="getCustomer", times=1, **told)

    assert shows(client.get(ACME))
    after = client.get(ACME)
    assert after.status_code == 200
    assert after.json()["data"]["name"] == "Acme Corporation"


@pytest.mark.parametrize(
    "told", [{"malformed": True}, {"truncate": 0.5}, {"slow": {"seconds": 1}}, {"content_type": "text/html"}]
)
def test_an_answer_without_a_body_cannot_be_spoiled(
    client: Client, world: str, arm: Callable[..., str], told: dict[str, Any]
) -> None:
    """A 204 stays one, the connection goes on, and the fault has not fired."""
    name = arm(api="fentu", operation="deleteCustomer", **told)

    assert client.delete(f"{CUSTOMERS}/cust-009").status_code == 204
    assert client.get(ACME).status_code == 200
    assert fault(client, world, name)["fired"] == 0


def test_a_late_answer_is_the_same_answer(client: Client, arm: Callable[..., str]) -> None:
    """With its length, and packed only if it would be packed without the delay."""
    prompt = client.get(ACME)
    arm(api="fentu", delay={"seconds": 0.01})

    late = client.get(ACME)

    assert late.content == prompt.content
    assert late.headers["Content-Length"] == prompt.headers["Content-Length"]
    assert late.headers.get("Content-Encoding") == prompt.headers.get("Content-Encoding")


def test_a_gateways_page_is_a_text(client: Client, arm: Callable[..., str]) -> None:
    arm(api="fentu", status=502, body="<html>Bad gateway</html>", content_type="text/html")

    assert client.get(ACME).text == "<html>Bad gateway</html>"


def test_a_forced_rate_limit_agrees_with_itself(client: Client, arm: Callable[..., str]) -> None:
    """Header fields and message say the same, by the world's clock."""
    arm(api="fentu", error=429, retry_after=30)

    answer = client.get(ACME)

    assert answer.headers["Retry-After"] == "30"
    assert answer.headers["X-RateLimit-Reset"] == str(1772366400 + 30)
    assert "wait 30 seconds" in answer.json()["error"]["message"]


@pytest.mark.parametrize("reset", ["before", "during"])
def test_a_connection_is_reset(client: Client, arm: Callable[..., str], reset: str) -> None:
    """As by a network that fails: the client gets no whole answer, and the next one all of it."""
    arm(api="fentu", times=1, reset=reset)

    with pytest.raises(httpx.ReadError, match="reset"):
        client.get(ACME)
    assert client.get(ACME).status_code == 200


def test_no_answer_comes_until_the_connection_is_closed(client: Client, arm: Callable[..., str]) -> None:
    arm(api="fentu", times=1, timeout={"seconds": 0.2})

    started = time.perf_counter()
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(ACME)

    assert time.perf_counter() - started >= 0.2


def test_stale_reads_show_what_was_there_when_the_fault_was_armed(client: Client, world: str, arm: Callable[..., str]) -> None:
    """It counts as fired only where that makes a difference."""
    name = arm(api="fentu", stale=True, times=2)
    assert client.get(ACME).status_code == 200
    assert fault(client, world, name)["fired"] == 0
    client.put(ACME, json={"name": "New"})

    names = [client.get(ACME).json()["data"]["name"] for _ in range(3)]

    assert names == ["Acme Corporation", "Acme Corporation", "New"]
    assert world in client.get("/_mock/worlds").json()["worlds"]
    assert not [name for name in client.get("/_mock/worlds").json()["worlds"] if "/" in name]


def test_a_stale_read_of_what_is_gone_is_told_as_it_was_answered(client: Client, world: str, arm: Callable[..., str]) -> None:
    """The journal has the answer that was given, not the refusal that it hides."""
    arm(api="fentu", stale=True)
    client.delete(f"{CUSTOMERS}/cust-009")

    assert client.get(f"{CUSTOMERS}/cust-009").status_code == 200
    exchange = client.get(f"/_mock/worlds/{world}/journal").json()["exchanges"][-1]
    assert (exchange["answer"]["status"], exchange["reason"], exchange["violations"]) == (200, None, [])


@pytest.mark.parametrize(("answered", "status"), [("first", 201), ("second", 409)])
def test_a_creation_is_delivered_twice(client: Client, arm: Callable[..., str], answered: str, status: int) -> None:
    """As by a proxy that tries again: a unique value conflicts with itself, and without one there are two records."""
    arm(api="fentu", operation="createCustomer", duplicate=answered)

    assert client.post(CUSTOMERS, json={"name": "Twice", "email": "twice@x.example"}).status_code == status
    assert client.post(CUSTOMERS, json={"name": "Doubled"}).status_code == 201
    assert client.get(CUSTOMERS, params={"search": "Doubled"}).json()["meta"]["total_count"] == 2


def test_a_reset_world_has_no_faults(client: Client, world: str, arm: Callable[..., str]) -> None:
    arm(api="fentu", error=429)
    client.post(f"/_mock/worlds/{world}/reset")

    assert client.get(ACME).status_code == 200
    assert client.get(f"/_mock/worlds/{world}/faults").json() == {"faults": []}


def test_faults_that_never_fired_can_be_asked_for_and_disarmed(client: Client, world: str, arm: Callable[..., str]) -> None:
    arm(name="used", api="fentu", operation="getCustomer", error=404)
    arm(name="unused", api="fentu", operation="deleteCustomer", error=409)
    client.get(ACME)
    faults = f"/_mock/worlds/{world}/faults"

    assert [one["name"] for one in client.get(faults, params={"fired": "false"}).json()["faults"]] == ["unused"]
    assert client.delete(f"{faults}/used").status_code == 204
    assert client.get(ACME).status_code == 200
    assert client.delete(f"{faults}/used").status_code == 404
    assert client.delete(faults).status_code == 204
    assert client.get(faults).json() == {"faults": []}


WRONG: dict[str, tuple[dict[str, Any], int, set[tuple[str, str]]]] = {
    "nothing": ({}, 409, {("", "has no effect; there are error, status, stale")}),
    "names": (
        {"api": "fentoo", "operation": "x", "error": 409},
        409,
        {("/api", "is not served here; did you mean fentu?")},
    ),
    "an operation without an API": ({"operation": "getCustomer", "error": 404}, 409, {("/api", "is required")}),
    "operation": ({"api": "fentu", "operation": "getCustomr", "error": 404}, 409, {("/operation", "did you mean getCustomer?")}),
    "undeclared error": (
        {"api": "fentu", "operation": "getCustomer", "error": 409},
        409,
        {("/error", "must be one of 400, 401, 403, 404, 406, 429")},
    ),
    "two bodies": ({"api": "fentu", "truncate": 0.5, "malformed": True}, 409, {("/malformed", "does not go with truncate")}),
    "all at once": (
        {"api": "fentu", "operation": "listCustomers", "when": {"query": {"stat": 1}, "credential": "reed"}, "error": 400,
         "duplicate": "first", "from": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
        409,
        {
            ("/duplicate", "does not go with error"),
            ("/duplicate", "goes with an operation that creates"),
            ("/until", "must be later than from"),
            ("/when/query/stat", "did you mean status?"),
            ("/when/credential", "did you mean read?"),
        },
    ),
    "never": (
        {"api": "fentu", "calls": {"from": 9, "to": 3}, "probability": 0, "delay": {"min": 3, "max": 1}},
        409,
        {("/calls/from", "must not be more than to"), ("/probability", "never act"), ("/delay/min", "not be more than max")},
    ),
    "delay": ({"api": "fentu", "delay": {"seconds": 1, "max": 2}}, 409, {("/delay", "must be {seconds}, {min, max}")}),
    "a body where there is none": ({"api": "fentu", "status": 204, "body": {}}, 409, {("/body", "cannot come with 204")}),
    "form": ({"api": "fentu", "error": "409", "times": 0}, 400, {("/error", "must be an integer"), ("/times", "must be >= 1")}),
    "example": ({"api": "fentu", "operation": "getCustomer", "error": 404, "example": "x"}, 409, {("/example", "not_found")}),
    "break": (
        {"api": "fentu", "operation": "getCustomer", "break": {"pointer": "/data/idd", "way": "missing"}},
        409,
        {("/break", "/data/id")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_fault_that_cannot_be_armed_is_told_why(client: Client, world: str, case: str) -> None:
    """All of it, with what would be right."""
    told, status, expected = WRONG[case]

    answer = client.post(f"/_mock/worlds/{world}/faults", json=told)

    found = [(violation["pointer"], violation["message"]) for violation in answer.json()["violations"]]
    assert answer.status_code == status
    assert len(found) == len(expected)
    assert all(any(place == pointer and part in message for place, message in found) for pointer, part in expected), found


def test_a_credential_in_a_condition_is_not_told(client: Client, world: str, arm: Callable[..., str]) -> None:
    """It is met all the same."""
    bearer = {"Authorization": "Bearer planted-secret-7"}
    name = arm(api="fentu", when={"headers": bearer}, error=401)

    assert "planted-secret" not in client.get(f"/_mock/worlds/{world}/faults").text
    client.get(ACME, headers=bearer)
    assert fault(client, world, name)["fired"] == 1


def test_a_name_is_taken_once(client: Client, world: str, arm: Callable[..., str]) -> None:
    arm(name="one", api="fentu", error=429)

    again = client.post(f"/_mock/worlds/{world}/faults", json={"name": "one", "api": "fentu", "error": 429})

    assert again.status_code == 409
    assert "armed already" in again.text


INTACT: tuple[dict[str, Any], ...] = (  # faults that keep HTTP intact and are not meant to break the schema
    {"delay": {"min": 0, "max": 0.01}},
    {"delay": {"mean": 0.005, "deviation": 0.01}},
    {"delay": {"median": 0.005, "sigma": 1}},
    {"slow": {"seconds": 0.01}},
    {"stale": True},
    {"duplicate": "first"},
    {"duplicate": "second"},
    *({"error": status} for status in (400, 401, 403, 404, 406, 409, 413, 415, 422, 429)),
)


@pytest.mark.parametrize("told", INTACT, ids=json.dumps)
def test_an_answer_under_a_fault_still_keeps_the_contract(
    client: Client, arm: Callable[..., str], contracts: dict[str, Contract], told: dict[str, Any]
) -> None:
    """Of every fault that is not meant to break it, for every operation that it may act on."""
    contract = contracts["fentu"]
    schemas = Schemas(contract.document)
    arm(api="fentu", **told)
    client.put(ACME, json={"name": "Changed"})
    requests = {
        "createCustomer": {"name": "New", "email": "new@x.example"},
        "updateCustomer": {"notes": "x"},
        "createWorkOrder": {"customer_id": "cust-001", "title": "T", "type": "repair"},
    }
    fired = 0
    for operation in contract.operations.values():
        path = re.sub(r"\{\w+\}", "cust-001", operation.path)
        answer = client.request(operation.method, contract.base_path + path, json=requests.get(operation.operation_id))
        assert answer.status_code in operation.statuses, operation.operation_id
        declared = schemas.answers(schemas.operation(operation))[str(answer.status_code)].get("content")
        if declared:
            assert schemas.compiled(declared["application/json"]["schema"], "response").is_valid(answer.json())
        fired += 1
    assert fired == len(contract.operations)


RANGES = st.fixed_dictionaries({}, optional={"from": st.integers(1, 9), "to": st.integers(1, 12), "every": st.integers(1, 4)})


def asked(contract: Contract, **changed: Any) -> Asked:
    values: dict[str, Any] = {"path": {}, "query": {}, "headers": {}, "body": MISSING, "credential": "", "now": 0}
    return Asked(contract.operations["listCustomers"], **(values | changed))


@given(
    calls=st.one_of(st.none(), st.lists(st.integers(1, 12), min_size=1), RANGES),
    times=st.one_of(st.none(), st.integers(1, 6)),
)
@settings(max_examples=200)
def test_a_fault_acts_on_the_calls_named_within_its_budget(contracts: dict[str, Contract], calls: Any, times: int | None) -> None:
    """Never more often than it may, never on another call, and on each one named while the budget lasts."""
    told = {"name": "f", "error": 429, **({"calls": calls} if calls is not None else {}), **({"times": times} if times else {})}
    fault, request = Fault("f", told), asked(contracts["fentu"])

    acted = [place for place in range(1, 16) if fault.acts(request, 1)]

    def named(place: int) -> bool:
        if isinstance(calls, dict):
            first = calls.get("from", 1)
            return bool(first <= place <= calls.get("to", 99) and (place - first) % calls.get("every", 1) == 0)
        return calls is None or place in calls

    wanted = [place for place in range(1, 16) if named(place)]
    assert acted == wanted[: times or 99]
    assert fault.matched == 15


@given(
    st.floats(0, 1),
    st.sampled_from([{"seconds": 2}, {"min": 1, "max": 3}, {"mean": 1, "deviation": 5}, {"median": 1, "sigma": 9}]),
)
def test_a_delay_is_never_negative_nor_endless(drawn: float, told: dict[str, float]) -> None:
    assert 0 <= delay(told, drawn) <= 300


def test_what_is_armed_is_the_same_once_it_was_kept(contracts: dict[str, Contract]) -> None:
    """A store keeps faults and limits with their counts."""
    armed = Armed()
    armed.arm({"api": "fentu", "error": 429, "times": 3})
    armed.acting(asked(contracts["fentu"]), 1)

    again = read(armed.text(), contracts)

    assert again.text() == armed.text()
    assert again.faults["fault-1"].fired == 1
    assert read(None, contracts).text() is None


def test_a_situation_arms_faults_and_limits(client: Client, world: str) -> None:
    """A client that changes nothing, and a world in which things go wrong."""
    client.headers.update(ADMIN)
    client.post(f"/_mock/worlds/{world}/reset", json={"situation": "bad-day"})

    assert {one["name"] for one in client.get(f"/_mock/worlds/{world}/faults").json()["faults"]} >= {"second create conflicts"}
    assert [client.post(CUSTOMERS, json={"name": "A"}).status_code for _ in range(3)] == [201, 409, 201]
    assert "X-RateLimit-Remaining" in client.get(ACME).headers
