from __future__ import annotations

from pathlib import Path

import pytest
import uvicorn

from contract_tests.__main__ import main
from contract_tests.defects import application
from tests.conftest import running


def test_a_finding_that_needs_a_session_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command that opens the session stands before those of the finding, and has no answer of its own."""
    for name in ("USERNAME", "PASSWORD", "DATABASE", "APIKEY"):
        monkeypatch.setenv(f"LEMONSOFT_{name}", "demo")
    report = tmp_path / "report.xml"
    broken = uvicorn.Server(uvicorn.Config(application("lemonsoft", "names are trimmed"), log_level="warning"))

    with running(broken) as root:
        arguments = ["--no-schemathesis", "--law", "create-persists", "--report", f"junit={report}"]
        status = main(["lemonsoft", "--url", f"{root}/lemonsoft/api", *arguments])

    assert status == 1
    for told in (capsys.readouterr().out, report.read_text()):
        assert told.index("$ SESSION=$(curl") < told.index("Session-Id:")
