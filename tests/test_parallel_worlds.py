"""200 tests that write, in random order, by two workers, on one server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = "pytester"

ROOT = Path(__file__).parent.parent
RANDOM_ORDER = """
import random

def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.nodeid)
    random.Random(20260301).shuffle(items)
"""
TESTS = """
import httpx
import pytest

@pytest.fixture
def fentu(mock_server, mock_world):
    world = {world}
    with httpx.Client(base_url=world.address("fentu"), headers=world.headers("fentu")) as client:
        yield client

def total(fentu):
    return fentu.get("/customers").json()["meta"]["total_count"]

@pytest.mark.parametrize("number", range(50))
def test_create(fentu, number):
    made = fentu.post("/customers", json=dict(name=f"Customer of {{number}}"))
    assert made.json()["data"]["id"] == "cust-061"
    assert total(fentu) == 61

@pytest.mark.parametrize("number", range(50))
def test_update(fentu, number):
    before = fentu.get("/customers/cust-001").json()["data"]
    fentu.put("/customers/cust-001", json=dict(notes=f"Notes of {{number}}"))
    assert before["notes"] == "VIP customer - priority service"
    assert fentu.get("/customers/cust-001").json()["data"]["notes"] == f"Notes of {{number}}"

@pytest.mark.parametrize("number", range(50))
def test_delete(fentu, number):
    assert fentu.post("/customers", json=dict(name="To be deleted")).json()["data"]["id"] == "cust-061"
    assert fentu.delete("/customers/cust-061").status_code < 300
    assert total(fentu) == 60

@pytest.mark.parametrize("number", range(50))
def test_clock(fentu, mock_server, mock_world, number):
    world = {world}
    day = f"2030-01-{{number % 28 + 1:02}}"
    world.clock.freeze(f"{{day}}T12:00:00Z")
    made = fentu.post("/customers", json=dict(name="Of its day")).json()["data"]
    assert made["id"] == "cust-061"
    assert made["created_at"].startswith(day)
"""


@pytest.mark.parametrize(
    ("world", "isolated"), [("mock_world", True), ("mock_server.world('shared')", False)], ids=["own", "shared"]
)
def test_worlds_let_tests_run_side_by_side(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, world: str, isolated: bool
) -> None:
    """Each in its own world they all pass; in one shared world the same tests disturb each other."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", os.fspath(ROOT))
    pytester.makeconftest(RANDOM_ORDER)
    pytester.makepyfile(TESTS.format(world=world))

    ended = pytester.runpytest_subprocess("-p", "mock_server.pytest_plugin", "-p", "xdist", "-n", "2", "--tb=no", "-q")

    outcomes = ended.parseoutcomes()
    assert sum(outcomes.values()) == 200
    if isolated:
        assert outcomes == {"passed": 200}
    else:
        assert outcomes["failed"] > outcomes.get("passed", 0)
