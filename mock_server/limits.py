"""Rate limits: how many requests each credential of a world still has in this window of its clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mock_server.clock import MICROSECONDS
from mock_server.contract import Json, RateLimit
from mock_server.refusals import RateLimited


@dataclass(slots=True)
class Limit:
    """One API's limit in one world."""

    rule: RateLimit
    limit: int
    used: dict[str, tuple[int, int]] = field(default_factory=dict)  # credential -> the window (seconds), requests in it

    def take(self, credential: str, now: int) -> None:
        """Count a request, at a time in microseconds.

        Raises RateLimited.
        """
        window = self._window(now)
        used = self._used(credential, window)
        if used >= self.limit:
            wait = window + self.rule.window - now // MICROSECONDS
            raise RateLimited(wait, tuple(self.fields(credential, now)))
        self.used[credential] = (window, used + 1)

    def fields(self, credential: str, now: int) -> Iterator[tuple[str, str]]:
        """The header fields that tell a credential where it stands."""
        window = self._window(now)
        values = {
            "limit": self.limit,
            "remaining": max(0, self.limit - self._used(credential, window)),
            "reset": window + self.rule.window,
        }
        yield from ((name, str(values[what])) for what, name in self.rule.headers.items())

    def shown(self, now: int) -> Json:
        """The limit as the control API tells it."""
        window = self._window(now)
        used = {name: self._used(name, window) for name in sorted(self.used)}
        return {"limit": self.limit, "window": self.rule.window, "reset": window + self.rule.window, "used": used}

    def _window(self, now: int) -> int:
        seconds = now // MICROSECONDS
        return seconds - seconds % self.rule.window

    def _used(self, credential: str, window: int) -> int:
        known = self.used.get(credential)
        return known[1] if known is not None and known[0] == window else 0
