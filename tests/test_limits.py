"""Rate limits: counted by credential in a window of the world's clock, where a world asks for it."""

from __future__ import annotations

from typing import Any

import httpx

from mock_server.contract import Contract

Client = httpx.Client


def limited(client: Client, world: str, body: Any = None, api: str = "fentu") -> httpx.Response:
    return client.put(f"{control(client, world)}/rate-limits/{api}", json=body)


def control(client: Client, world: str) -> str:
    return f"{client.base_url.copy_with(path='/')}_mock/worlds/{world}"


def left(answer: httpx.Response) -> str:
    return str(answer.headers["X-RateLimit-Remaining"])


def test_the_hours_requests_are_used_up(fentu: Client, world: str) -> None:
    """Each answer tells what is left; then 429 tells when the hour is over."""
    limited(fentu, world, {"limit": 2})

    first, second, third = (fentu.get("customers") for _ in range(3))

    assert [first.status_code, second.status_code, third.status_code] == [200, 200, 429]
    assert [left(first), left(second), left(third)] == ["1", "0", "0"]
    assert third.headers["X-RateLimit-Limit"] == "2"
    assert third.headers["X-RateLimit-Reset"] == "1772370000"  # 13:00, and it is 12:00.
    assert third.headers["Retry-After"] == "3600"
    assert third.json()["error"]["code"] == "rate_limited"


def test_the_hour_is_over_by_the_worlds_clock(fentu: Client, world: str) -> None:
    limited(fentu, world, {"limit": 1})
    assert [fentu.get("customers").status_code for _ in range(2)] == [200, 429]

    fentu.post(f"{control(fentu, world)}/clock/advance", json={"seconds": 3600})

    assert [fentu.get("customers").status_code for _ in range(2)] == [200, 429]


def test_each_credential_has_its_own_requests(fentu: Client, world: str) -> None:
    """A request that is refused counts as well; one without a known credential is nobody's."""
    limited(fentu, world, {"limit": 2})
    fentu.get("customers/nope")
    assert fentu.get("customers", headers={"Authorization": "Bearer wrong"}).status_code == 401

    assert left(fentu.get("customers")) == "0"
    assert left(fentu.get("customers", headers={"Authorization": "Bearer test-read"})) == "1"


def test_no_other_world_and_no_other_api_is_limited(fentu: Client, world: str) -> None:
    limited(fentu, world, {"limit": 0})

    other = fentu.get("customers", headers={"X-Mock-World": f"{world}-b"})

    assert other.status_code == 200
    assert "X-RateLimit-Limit" not in other.headers
    assert fentu.get("customers").status_code == 429


def test_a_limit_is_told_and_ended(fentu: Client, world: str, contracts: dict[str, Contract]) -> None:
    """Without a number it is that of the contract."""
    rule = contracts["fentu"].rate_limit
    assert rule is not None
    assert limited(fentu, world).json()["limit"] == rule.limit
    fentu.get("customers")

    told = fentu.get(f"{control(fentu, world)}/rate-limits").json()

    assert told == {"fentu": {"limit": rule.limit, "window": 3600, "reset": 1772370000, "used": {"admin": 1}}}
    assert fentu.delete(f"{control(fentu, world)}/rate-limits/fentu").status_code == 204
    assert "X-RateLimit-Limit" not in fentu.get("customers").headers
    assert fentu.delete(f"{control(fentu, world)}/rate-limits/fentu").status_code == 404


def test_an_api_without_a_limit_in_its_contract_is_told_so(fentu: Client, world: str) -> None:
    answer = limited(fentu, world, {"limit": 1}, api="keychain")

    assert answer.status_code == 404
    assert "there are fentu" in answer.text
