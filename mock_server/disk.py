"""What is kept on disk because making it again takes time: a file that cannot be read or written does no harm."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from mock_server.schemas import Json

KEPT = 256  # files of a kind; a kind is what comes before the first hyphen in the name


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
    """Keep a value in a file; another process may read or write it at the same time. Of a kind, the oldest make room."""
    with suppress(OSError, ValueError):  # The latter: not every text and number can stand in a file of JSON.
        written = json.dumps(value, ensure_ascii=False).encode()
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".tmp", delete=False) as draft:
            draft.write(written)
        Path(draft.name).replace(file)
        _make_room(file.parent, file.name.partition("-")[0])


def _make_room(folder: Path, kind: str) -> None:
    files = list(folder.glob(f"{kind}-*.json"))
    if len(files) > KEPT:
        for oldest in sorted(files, key=lambda file: file.stat().st_mtime)[: len(files) - KEPT // 2]:
            oldest.unlink(missing_ok=True)


def digest(*parts: bytes) -> str:
    """A name for what was made from these bytes."""
    found = hashlib.blake2b(digest_size=20)
    for part in parts:
        found.update(b"%d:" % len(part))
        found.update(part)
    return found.hexdigest()


def version(package: str) -> str:
    """The version of an installed package, as the name of its folder has it: importlib.metadata takes longer to import."""
    name = package.replace("-", "_").lower()
    found = _versions().get(name)
    if found is None:
        from importlib import metadata  # noqa: PLC0415

        found = metadata.version(package)
    return found


@cache
def _versions() -> dict[str, str]:
    """The packages in the folders that Python imports from, those of the first ones first."""
    found: dict[str, str] = {}
    for folder in filter(None, sys.path):
        with suppress(OSError):
            for entry in os.listdir(folder):  # noqa: PTH208  # Of hundreds of entries, few names count.
                if entry.endswith(".dist-info"):
                    name, _, version = entry.removesuffix(".dist-info").rpartition("-")
                    found.setdefault(name.lower().replace(".", "_"), version)
    return found
