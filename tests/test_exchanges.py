"""What a request asks of the mock itself: answers that the contract shows, and waiting."""

from __future__ import annotations

import time

import httpx
import pytest

Client = httpx.Client


@pytest.mark.parametrize("by", ["header", "query"])
def test_a_declared_answer_is_forced(fentu: Client, by: str) -> None:
    """Whatever the request is: no credential, no valid body, no such record is needed."""
    header = {"Prefer": "code=409"} if by == "header" else {}
    query = {"__code": "409"} if by == "query" else {}

    answer = fentu.post("customers", headers={"Authorization": "", **header}, params=query, content=b"{")

    assert answer.status_code == 409
    assert answer.headers["Preference-Applied"] == "code=409"
    assert answer.json()["error"]["code"] == "conflict"


def test_a_forced_answer_leaves_nothing_behind(fentu: Client) -> None:
    before = fentu.get("customers").json()["meta"]

    assert fentu.post("customers", json={"name": "A"}, headers={"Prefer": "code=201"}).status_code == 201
    assert fentu.delete("customers/cust-001", headers={"Prefer": "code=204"}).status_code == 204

    assert fentu.get("customers").json()["meta"] == before
    assert fentu.get("customers/cust-001").status_code == 200


def test_an_undeclared_code_is_refused_with_those_declared(fentu: Client) -> None:
    answer = fentu.get("customers", headers={"Prefer": "code=409"})

    assert answer.status_code == 400
    assert "200, 400, 401, 403, 406, 429" in answer.json()["error"]["message"]
    assert "Preference-Applied" not in answer.headers


def test_an_example_is_answered_by_its_name(fentu: Client) -> None:
    answer = fentu.get("customers", headers={"Prefer": "code=429, example=rate_limited"})

    assert answer.json()["error"]["message"] == "Too many requests; wait 1800 seconds."
    assert answer.headers["Retry-After"] == "1800"
    assert fentu.get("customers", headers={"Prefer": "example=nothing-like-it"}).status_code == 400


def test_a_generated_answer_is_the_same_for_the_same_seed(fentu: Client, world: str) -> None:
    wanted = {"Prefer": "dynamic=true"}

    first, again = (fentu.get("customers/cust-001", headers=wanted) for _ in range(2))
    elsewhere = fentu.get("customers/cust-001", headers={**wanted, "X-Mock-World": f"{world}-b"})

    assert first.content == again.content == elsewhere.content
    assert first.headers["Preference-Applied"] == "dynamic=true"


def test_an_answer_waits(fentu: Client) -> None:
    """And is the one of the state: waiting alone forces nothing."""
    started = time.perf_counter()
    answer = fentu.get("customers/cust-001?__wait=0.2")

    assert time.perf_counter() - started >= 0.2
    assert answer.json()["data"]["name"] == "Acme Corporation"
    assert answer.headers["Preference-Applied"] == "wait=0.2"
    assert "X-Mock-Ignored-Parameters" not in answer.headers


def test_preferences_of_others_are_ignored(fentu: Client) -> None:
    """RFC 7240: what is not understood changes nothing."""
    answer = fentu.get("customers", headers={"Prefer": "return=minimal, respond-async"})

    assert answer.status_code == 200
    assert "Preference-Applied" not in answer.headers


def test_a_preference_that_means_nothing_is_refused(fentu: Client) -> None:
    """With all that is wrong."""
    answer = fentu.get("customers", headers={"Prefer": "code=many, wait=soon"})

    assert answer.status_code == 400
    assert len(answer.json()["error"]["details"]) == 2


def test_an_unknown_path_is_unknown_whatever_is_preferred(fentu: Client) -> None:
    assert fentu.get("nothing", headers={"Prefer": "code=409"}).status_code == 404


def test_browsers_may_send_and_read_it(fentu: Client) -> None:
    """From another origin."""
    asked = {"Origin": "http://app.example", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "prefer"}

    assert "prefer" in fentu.options("customers", headers=asked).headers["Access-Control-Allow-Headers"]
    exposed = fentu.get("customers", headers={"Origin": "http://app.example"}).headers["Access-Control-Expose-Headers"].lower()
    assert {"x-mock-request", "preference-applied"} <= set(exposed.split(", "))
