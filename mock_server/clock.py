"""The world's clock: the only place where the time comes from."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from mock_server.contract import Times

MICROSECONDS = 1_000_000


def _system() -> int:
    return time.time_ns() // 1000


@dataclass(slots=True)
class Clock:
    """Runs with the system's time, shifted by an offset, or stands still. Times are microseconds since 1970 in UTC."""

    frozen: int | None = None
    offset: int = 0
    system: Callable[[], int] = field(default=_system, repr=False)

    def now(self) -> int:
        return self.frozen if self.frozen is not None else self.system() + self.offset

    def at(self, instant: int) -> int:
        """What the clock shows when the system's time is this."""
        return self.frozen if self.frozen is not None else instant + self.offset


def written(instant: int, times: Times, *, day: bool = False) -> str:
    """The instant as the API writes it; the day alone where the property is a date."""
    seconds, rest = divmod(instant, MICROSECONDS)
    if day:
        return _date(seconds // 86400)
    days, seconds = divmod(seconds, 86400)
    minutes, seconds = divmod(seconds, 60)
    fraction = f".{rest // 1000:03}" if times.milliseconds else ""
    return f"{_date(days)}T{_MINUTES[minutes]}:{_SECONDS[seconds]}{fraction}{'Z' if times.zoned else ''}"


_SECONDS = [f"{second:02}" for second in range(60)]
_MINUTES = [f"{hour:02}:{minute}" for hour in range(24) for minute in _SECONDS]  # of a day


@lru_cache(4096)
def _date(days: int) -> str:
    """The date so many days after 1970-01-01."""
    return (date(1970, 1, 1) + timedelta(days=days)).isoformat()


def read(text: str) -> int:
    """The instant that an ISO 8601 date or time names; without a zone it is UTC.

    Raises ValueError.
    """
    if not re.fullmatch(r"\d{4}-\d\d-\d\d([T ].+)?", text):
        raise ValueError(f"{text!r} is no time like 2024-01-27T16:00:00Z")
    moment = datetime.fromisoformat(text)
    try:
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is not between the years 1 and 9999") from None
    return int(moment.replace(microsecond=0).timestamp()) * MICROSECONDS + moment.microsecond
