"""What is kept on disk does no harm when it is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from mock_server import disk


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """In a folder that is made for it, with nothing left beside it."""
    file = tmp_path / "new" / "words.json"

    disk.write(file, ["Äkäslompolo"])

    assert disk.read(file) == ["Äkäslompolo"]
    assert [*file.parent.iterdir()] == [file]


def test_what_cannot_be_read_or_written_is_nothing(tmp_path: Path) -> None:
    """A missing file, a broken one, and a folder that is a file."""
    broken = tmp_path / "broken.json"
    broken.write_text('["half')
    disk.write(broken / "below.json", [])

    assert [disk.read(file) for file in (broken, broken / "below.json", tmp_path / "none.json")] == [None] * 3


@pytest.mark.parametrize("variable", ["", "relative/cache"])
def test_a_relative_cache_folder_counts_for_nothing(variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the XDG Base Directory Specification says."""
    monkeypatch.setenv("XDG_CACHE_HOME", variable)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert disk.folder() == tmp_path / ".cache" / "mock-server"

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    assert disk.folder() == tmp_path / "elsewhere" / "mock-server"
