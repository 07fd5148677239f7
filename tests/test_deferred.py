"""A library's imports wait until somebody needs them, and nobody else notices."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mock_server.deferred import deferred

LIBRARY = """
import slow
import package.below
from package import helper
from slow import shout

def called(text: str) -> shout:
    return shout(text)

def asked() -> int:
    return slow.ANSWER
"""


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library, and the modules that it imports."""
    (tmp_path / "library.py").write_text(LIBRARY)
    (tmp_path / "slow.py").write_text("shout = str.upper\nANSWER = 42\n")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("helper = len\n")
    (tmp_path / "package" / "below.py").write_text("here = True\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("library", "slow", "package", "package.below"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.usefixtures("modules")
def test_a_module_is_imported_when_it_is_used() -> None:
    """By a call of what was taken from it, or by a look into it."""
    with deferred("slow", "package"):
        import library  # type: ignore[import-not-found]  # noqa: PLC0415

    assert not {"slow", "package", "package.below"} & {*sys.modules}
    assert library.package.below.here
    assert library.called("loud") == "LOUD"
    assert library.asked() == 42
    assert library.helper([1, 2]) == 2
    assert "slow" in sys.modules


@pytest.mark.usefixtures("modules")
def test_a_module_that_is_there_stays() -> None:
    import slow  # type: ignore[import-not-found]  # noqa: PLC0415

    with deferred("slow"):
        import library  # noqa: PLC0415

    assert sys.modules["slow"] is slow
    assert library.slow is slow


def test_a_server_starts_without_what_connexion_imports_for_others() -> None:
    """Its test client, its templates, its clients: a third of a second."""
    code = "import sys; from mock_server import app, serving; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent
    )

    assert not {"httpx", "requests", "jinja2", "watchfiles", "rich", "faker", "sqlalchemy"} & {*said.stdout.split()}
    assert said.stderr == ""
