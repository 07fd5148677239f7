"""Words that Faker draws once for a seed and a locale, kept on disk for the next start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mock_server import disk
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
            words = disk.read(file)
            if not (isinstance(words, list) and words and all(isinstance(word, str) for word in words)):
                words = self._drawn(name)
                disk.write(file, words)
            self._pools[name] = words
        return self._pools[name]

    def _file(self, name: str) -> Path:
        folder = self._folder or disk.folder()
        return folder / f"words-{disk.version('faker')}-{self.locale}-{name}-{POOLS[name][0]}-{self.seed}.json"

    def _drawn(self, name: str) -> list[str]:
        if self._faker is None:
            from faker import Faker  # noqa: PLC0415  # Late, because it costs 80 ms and is not needed when all pools are on disk.

            self._faker = Faker(self.locale, use_weighting=False)._factories[0]
        self._faker.seed_instance(salt(f"{self.seed}/{self.locale}/{name}"))
        count, draw = POOLS[name]
        drawn = [draw(self._faker) for _ in range(count)]
        return list(dict.fromkeys(drawn))
