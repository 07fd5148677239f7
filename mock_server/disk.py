"""What is kept on disk because making it again takes time: a file that cannot be read or written does no harm."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from mock_server.schemas import Json


def folder() -> Path:
    """The program's own; as the XDG Base Directory Specification has it, a relative $XDG_CACHE_HOME counts for nothing."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (cache if cache.is_absolute() else Path.home() / ".cache") / "mock-server"


def read(file: Path) -> Json:
    """The value in a file; None if there is none that can be read."""
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None


def write(file: Path, value: Json) -> None:
    """Keep a value in a file; another process may read or write it at the same time."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, suffix=".tmp", delete=False, encoding="utf-8") as draft:
            json.dump(value, draft, ensure_ascii=False)
        Path(draft.name).replace(file)
