from __future__ import annotations

import httpx
import pytest
import uvicorn

from mock_server import asgi
from mock_server.settings import WrongUsage
from tests.conftest import running


def test_any_asgi_server_can_serve_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The factory reads the environment: here uvicorn without anything of ours."""
    monkeypatch.setenv("MOCK_SCALE", "70")
    monkeypatch.setenv("MOCK_LOG", "off")

    with running(uvicorn.Server(uvicorn.Config(asgi.application, factory=True, log_level="warning"))) as root:
        listed = httpx.get(f"{root}/fentu/api/v1/customers", headers={"Authorization": "Bearer test-admin"})

    assert listed.json()["meta"]["total_count"] == 70


def test_a_wrong_setting_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a traceback from somewhere in the server."""
    monkeypatch.setenv("MOCK_SCALE", "many")

    with pytest.raises(WrongUsage, match="MOCK_SCALE"):
        asgi.application()
