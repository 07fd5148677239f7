"""Words that Faker draws once for a seed and a locale, kept on disk for the next start."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from mock_server.seeded.chance import salt

if TYPE_CHECKING:
    from faker import Generator

Draw = Callable[["Generator"], str]


def _place(faker: Generator) -> str:
    state = faker.format("state_abbr", include_territories=False, include_freely_associated_states=False)
    return "|".join((faker.format("city"), state, faker.format("zipcode_in_state", state)))


POOLS: dict[str, tuple[int, Draw]] = {  # name -> how many draws, and how; equal draws are kept once
    "first_name": (500, lambda faker: faker.format("first_name")),
    "last_name": (1000, lambda faker: faker.format("last_name")),
    "street_name": (400, lambda faker: faker.format("street_name")),
    "city": (400, lambda faker: faker.format("city")),
    "job": (300, lambda faker: faker.format("job")),
    "sentence": (300, lambda faker: faker.format("sentence")),
    "us_place": (400, _place),  # city|state|ZIP code
}


def cache_folder() -> Path:
    """Where this program keeps what it can make again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mock-server"


class Words:
    """The pools of one locale and seed; each is drawn when it is first asked for."""

    def __init__(self, locale: str, seed: int, folder: Path | None = None) -> None:
        self.locale = locale
        self.seed = seed
        self._folder = folder
        self._pools: dict[str, list[str]] = {}
        self._faker: Generator | None = None

    def pool(self, name: str) -> list[str]:
        """The words of the pool, in the order drawn."""
        if name not in self._pools:
            file = self._file(name)
            words = _kept(file)
            if words is None:
                words = self._drawn(name)
                _keep(file, words)
            self._pools[name] = words
        return self._pools[name]

    def _file(self, name: str) -> Path:
        folder = self._folder or cache_folder()
        return folder / f"words-{version('faker')}-{self.locale}-{name}-{POOLS[name][0]}-{self.seed}.json"

    def _drawn(self, name: str) -> list[str]:
        if self._faker is None:
            from faker import Faker  # noqa: PLC0415  # Late, because it costs 80 ms and is not needed when all pools are on disk.

            self._faker = Faker(self.locale, use_weighting=False)._factories[0]
        self._faker.seed_instance(salt(f"{self.seed}/{self.locale}/{name}"))
        count, draw = POOLS[name]
        drawn = [draw(self._faker) for _ in range(count)]
        return list(dict.fromkeys(drawn))


def _kept(file: Path) -> list[str] | None:
    try:
        words = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return words if isinstance(words, list) and words and all(isinstance(word, str) for word in words) else None


def _keep(file: Path, words: list[str]) -> None:
    """Another process may read or write the file at the same time."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, suffix=".tmp", delete=False, encoding="utf-8") as part:
            json.dump(words, part, ensure_ascii=False)
        Path(part.name).replace(file)
    except OSError:
        return
