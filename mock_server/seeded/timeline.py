"""Times of creation: later records later, in working hours, the same whatever the number of records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from mock_server.seeded.chance import MASK

UNIT = 1 << 32  # The place on the line that one record of a table without parent takes.
_EPOCH = date(1970, 1, 1).toordinal()
_SCALE = 40  # bits of a fraction
_EVEN = 64 * UNIT  # So many records take the first share of time, evenly: the default world's.
_FIRST_SHARE = 70  # percent
_DOUBLINGS = 24  # Beyond 2**24 records time stands still.
_OPENS, _WORKDAY = 8 * 3600, 9 * 3600


@dataclass(frozen=True)
class Timeline:
    """Working days from one day to another: the first records are spread over more than half of them, and each tenfold
    number of records that follows takes as many days as the one before.
    """

    start: date
    end: date

    def instant(self, place: int) -> int:
        """Microseconds since 1970 of a place on the line; never earlier for a later place."""
        milliseconds, weekday, monday = self._calendar
        day, within = divmod(_share(place) * milliseconds >> _SCALE, _WORKDAY * 1000)
        week, weekday = divmod(weekday + day, 5)
        return ((monday + 7 * week + weekday) * 86400 + _OPENS) * 1_000_000 + within * 1000

    @cached_property
    def _calendar(self) -> tuple[int, int, int]:
        """Milliseconds of all working days, the weekday of the first, and the Monday before it, in days since 1970."""
        return self._days * _WORKDAY * 1000, self._weekday, self._first - self._weekday - _EPOCH

    @cached_property
    def _first(self) -> int:
        """The first working day: a line that starts on a weekend starts on Monday."""
        first = self.start.toordinal()
        return first + (7 - self.start.weekday() if self.start.weekday() > 4 else 0)

    @cached_property
    def _weekday(self) -> int:
        return date.fromordinal(self._first).weekday()

    @cached_property
    def _days(self) -> int:
        weeks, rest = divmod(max(self.end.toordinal() - self._first, 1), 7)
        return max(weeks * 5 + min(rest, 5) - 2, 1)


def _share(place: int) -> int:
    """How much of the time is over: a first share goes evenly, the rest like the logarithm."""
    evenly = (place << _SCALE) // _EVEN if place < _EVEN else 1 << _SCALE
    grown = place + UNIT
    exponent = grown.bit_length() - 1
    logarithm = ((exponent - 33) << _SCALE) + ((grown << _SCALE) >> exponent)
    return (evenly * _FIRST_SHARE + min(logarithm // _DOUBLINGS, 1 << _SCALE) * (100 - _FIRST_SHARE)) // 100


def within(low: int, width: int, key: int) -> int:
    """A place in the first half of an interval; what belongs to the record comes in the second half."""
    return low + ((key & MASK) * (width >> 1) >> 64)
