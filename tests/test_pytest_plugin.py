"""The pytest plugin, in test runs of their own."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from mock_server import worlds
from mock_server.client import Server, Unreachable
from mock_server.pytest_plugin import world_name

pytest_plugins = "pytester"

ROOT = Path(__file__).parent.parent
Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A test run over a file's text, with this plugin and pytest-xdist and no other, whatever is installed."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", os.fspath(ROOT))

    def ran(text: str, *arguments: str, ini: str = "") -> pytest.RunResult:
        pytester.makeini(f"[pytest]\n{ini}")
        pytester.makepyfile(text)
        return pytester.runpytest_subprocess("-p", "mock_server.pytest_plugin", "-p", "xdist", "--strict-markers", *arguments)

    return ran


def test_every_test_has_a_world_of_its_own(run: Run) -> None:
    """Named for it, there when it begins, and deleted afterwards."""
    ended = run("""
        def test_first(mock_server, mock_world):
            assert "test_first-" in mock_world.name
            assert mock_server.worlds() == [mock_world.name]
            mock_world.clock.freeze("2031-01-01T00:00:00Z")

        def test_second(mock_server, mock_world):
            assert mock_server.worlds() == [mock_world.name]
            assert mock_world.describe()["clock"]["frozen"] is False

        def test_third(mock_server):
            assert mock_server.worlds() == []
    """)

    ended.assert_outcomes(passed=3)


def test_a_test_may_delete_its_world(run: Run) -> None:
    run("def test_it(mock_world): mock_world.delete()").assert_outcomes(passed=1)


def test_a_fault_that_never_fired_fails_its_test_if_that_is_wanted(run: Run) -> None:
    """A test that arms one and does not meet it proves nothing."""
    text = """
        import httpx

        def ask(world):
            return httpx.get(world.address("keychain") + "/customers", headers=world.headers("keychain")).status_code

        def test_met(mock_world):
            mock_world.fault(api="keychain", error=401, times=1)
            assert [ask(mock_world), ask(mock_world)] == [401, 200]
            assert [one["fault"] for one in mock_world.journal()] == [None, "fault-1", None]

        def test_missed(mock_world):
            mock_world.fault(name="never met", api="fentu", error=429)
            ask(mock_world)

        def test_deleted(mock_world):
            mock_world.delete()
    """

    ended = run(text, "--fail-unfired")

    ended.assert_outcomes(passed=3, errors=1)
    ended.stdout.fnmatch_lines(["*Armed and never fired: never met."])
    run(text).assert_outcomes(passed=3)


def test_a_marker_names_the_situation(run: Run) -> None:
    """One that there is not is told, and so is a marker that names none."""
    ended = run("""
        import pytest

        @pytest.mark.situation("blocked")
        def test_blocked(mock_world):
            assert mock_world.describe()["situation"] == "blocked"

        def test_plain(mock_world):
            assert not mock_world.describe()["situation"]

        @pytest.mark.situation("no-such-thing")
        def test_unknown(mock_world):
            pass

        @pytest.mark.situation
        def test_none(mock_world):
            pass
    """)

    ended.assert_outcomes(passed=2, errors=2)
    ended.stdout.fnmatch_lines(["*no-such-thing*", '*The marker is written @pytest.mark.situation("name").'])


@pytest.mark.parametrize("workers", ["0", "2"])
def test_the_server_is_started_with_the_settings_of_the_ini_file(run: Run, workers: str) -> None:
    ended = run(
        """
        def test_it(mock_world):
            assert (mock_world.describe()["seed"], mock_world.describe()["scale"]) == (7, 200)
        """,
        "-n",
        workers,
        ini="mock_settings = --seed 7 --scale 200",
    )

    ended.assert_outcomes(passed=1)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_has_one_server_that_ends_with_it(run: Run, pytester: pytest.Pytester, workers: str) -> None:
    """However many workers pytest-xdist has."""
    ended = run(
        """
        import os, pathlib, pytest

        @pytest.mark.parametrize("number", range(20))
        def test_it(mock_server, number):
            worker = os.environ.get("PYTEST_XDIST_WORKER", "none")
            with pathlib.Path("addresses").open("a") as seen:
                seen.write(f"{worker} {mock_server.address}\\n")
        """,
        "-n",
        workers,
    )

    seen = {tuple(line.split()) for line in (pytester.path / "addresses").read_text().splitlines()}
    ended.assert_outcomes(passed=20)
    assert len({worker for worker, _ in seen}) == max(1, int(workers))
    assert len({address for _, address in seen}) == 1
    with pytest.raises(Unreachable):
        Server(seen.pop()[1]).worlds()


def test_workers_that_run_the_same_test_do_not_meet(run: Run, pytester: pytest.Pytester) -> None:
    """With --dist each the test has a world in each worker, named for it; otherwise whichever worker runs it has the same."""
    text = """
        import pathlib

        def test_it(mock_world):
            with pathlib.Path("names").open("a") as seen:
                seen.write(mock_world.name + "\\n")
    """
    run(text, "--dist", "each", "--tx", "2*popen").assert_outcomes(passed=2)
    for _ in range(2):
        run(text, "-n", "1").assert_outcomes(passed=1)

    *each, one, again = (pytester.path / "names").read_text().split()
    assert {re.sub("-[0-9a-f]{12}$", "", name)[-3:] for name in each} == {"gw0", "gw1"}
    assert one == again


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_server_that_cannot_start_is_told_where_it_is_needed(run: Run, workers: str) -> None:
    """And only there: a run that does not ask for the server starts none."""
    ended = run(
        """
        def test_without(): pass
        def test_with(mock_world): pass
        """,
        "-n",
        workers,
        ini="mock_settings = --seed one",
    )

    ended.assert_outcomes(passed=1, errors=1)
    ended.stdout.fnmatch_lines(["The mock server does not start. mock-server: --seed must be a whole number*"])
    ended.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize(
    ("workers", "arguments", "ini"), [("0", ["--mock-server", "{}"], ""), ("2", [], "mock_server = {}")], ids=["option", "ini"]
)
def test_a_server_that_runs_already_is_used(run: Run, address: str, workers: str, arguments: list[str], ini: str) -> None:
    """Its worlds are deleted as well."""
    ended = run(
        f"""
        def test_it(mock_server, mock_world):
            assert mock_server.address == {address!r}
            assert mock_world.name in mock_server.worlds()
        """,
        "-n",
        workers,
        *(argument.format(address) for argument in arguments),
        ini=ini.format(address),
    )

    ended.assert_outcomes(passed=1)
    assert not [name for name in Server(address).worlds() if "test_it" in name]


def test_two_runs_on_one_server_do_not_meet(run: Run, pytester: pytest.Pytester, address: str) -> None:
    """The same test has another world in each run."""
    text = """
        import pathlib

        def test_it(mock_world):
            with pathlib.Path("names").open("a") as seen:
                seen.write(mock_world.name + "\\n")
    """

    for _ in range(2):
        run(text, "--mock-server", address).assert_outcomes(passed=1)

    assert len(set((pytester.path / "names").read_text().split())) == 2


@pytest.mark.parametrize(
    "node_id",
    [
        "test_it.py::test_it",
        "tests/deep/" * 20 + "test_it.py::TestIt::test_it[a/b c]",
        "test_it.py::test_it[" + "-" * 80 + "]",
        "test_it.py::test_ä[ñ漢字]",
        "é",
    ],
)
def test_a_name_is_one_that_a_world_may_have(node_id: str) -> None:
    """It is the same each time, and another for each test and each run."""
    name = world_name(node_id)

    assert worlds.NAME.fullmatch(name)
    assert name == world_name(node_id)
    assert len({name, world_name(node_id + "-"), world_name(node_id, "run"), world_name("-" + node_id)}) == 4


def test_the_example_in_the_readme_passes(run: Run) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    example = next(block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "mock_world" in block)

    run(example).assert_outcomes(passed=1)


def test_pytest_finds_the_plugin_once_it_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    module = import_module(project["entry-points"]["pytest11"]["mock_server"])

    assert hasattr(module, "mock_world")
